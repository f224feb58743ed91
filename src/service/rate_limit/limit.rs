//! One rate limit during a run: its measures by key, and what is common to all kinds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bucket::Bucket;
use super::concurrency::Concurrency;
use super::config::{Aligned, LimitKind, LimitScope, RateLimitConfig, Rejected};
use super::gcra::Gcra;
use super::lockout::{Locked, Lockout};
use super::meter::{Meter, Scale};
use super::queue::Queue;
use super::score::Score;
use super::sliding_log::SlidingLog;
use super::sliding_window::SlidingWindow;
use super::window::Window;
use super::{Caller, PerOperation, RetryAfter, RetryAfterHeader};
use crate::outcome::Outcome;
use crate::time::{Instant, Interval};

/// A rate limit's state during a run.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    measures: Measures,
    costs: Amounts,
    refunds: Amounts,
    outcome: Outcome,
    retry_after: RetryAfterHeader,
    lockout: Option<Lockout>,
    counts_refused: bool,
}

/// The measures of a limit, by its kind.
#[derive(Debug, Clone)]
enum Measures {
    Bucket(Keyed<Bucket>),
    Queue(Keyed<Queue>),
    Gcra(Keyed<Gcra>),
    Window(Keyed<Window>),
    SlidingLog(Keyed<SlidingLog>),
    SlidingWindow(Keyed<SlidingWindow>),
    Concurrency(Keyed<Concurrency>),
    Score(Keyed<Score>),
}

/// Does the same with the measures of any kind.
macro_rules! with {
    ($measures:expr, $keyed:ident => $do:expr) => {
        match $measures {
            Measures::Bucket($keyed) => $do,
            Measures::Queue($keyed) => $do,
            Measures::Gcra($keyed) => $do,
            Measures::Window($keyed) => $do,
            Measures::SlidingLog($keyed) => $do,
            Measures::SlidingWindow($keyed) => $do,
            Measures::Concurrency($keyed) => $do,
            Measures::Score($keyed) => $do,
        }
    };
}

/// An amount per operation.
#[derive(Debug, Clone)]
struct Amounts {
    by_operation: Vec<u64>,
    otherwise: u64,
    most: u64,
}

impl Amounts {
    fn new(config: &PerOperation, operations: &[String], default: u64) -> Self {
        Self {
            by_operation: operations.iter().map(|name| config.of(name, default)).collect(),
            otherwise: config.otherwise(default),
            most: config.each(default).map(|(_, amount)| amount).max().unwrap_or(default),
        }
    }

    fn of(&self, caller: Caller) -> u64 {
        self.by_operation.get(caller.operation as usize).copied().unwrap_or(self.otherwise)
    }
}

/// One measure per key. Keys that have not called yet have none.
#[derive(Debug, Clone)]
struct Keyed<M: Meter> {
    configured: M,
    meter: M,
    scope: LimitScope,
    /// That of all callers, if they have it in common.
    common: Key<M::State>,
    /// By workload where the scope is the client, else in one row.
    keys: Vec<Vec<Key<M::State>>>,
}

#[derive(Debug, Clone)]
struct Key<S> {
    state: S,
    locked: Locked,
    /// What comes back of calls in progress, and when.
    refunds: BinaryHeap<Reverse<(Instant, u64)>>,
}

/// What stands in the way of a call.
#[derive(Debug, Clone, Copy)]
struct Obstacle {
    /// How long until the limit lets it pass, if that is known.
    wait: Option<Interval>,
    /// How long a lockout still lasts.
    locked: Interval,
}

impl<S> Key<S> {
    const fn new(state: S) -> Self {
        Self { state, locked: Locked::NEVER, refunds: BinaryHeap::new() }
    }
}

impl<M: Meter> Keyed<M> {
    fn new(meter: M, scope: LimitScope) -> Self {
        let keys = vec![vec![Key::new(meter.fresh())]];
        Self { configured: meter.clone(), scope, common: Key::new(meter.fresh()), keys, meter }
    }

    #[inline]
    fn key(&mut self, caller: Caller) -> (&M, &mut Key<M::State>) {
        if self.scope == LimitScope::All { (&self.meter, &mut self.common) } else { self.own_key(caller) }
    }

    fn own_key(&mut self, caller: Caller) -> (&M, &mut Key<M::State>) {
        let (row, index) = match self.scope {
            LimitScope::All => (0, 0),
            LimitScope::Account => (0, caller.account as usize),
            LimitScope::Workload => (0, caller.workload as usize),
            LimitScope::Client => (caller.workload as usize, caller.client as usize),
        };
        let Self { meter, keys, .. } = self;
        if row >= keys.len() {
            keys.resize_with(row + 1, Vec::new);
        }
        let row = &mut keys[row];
        if index >= row.len() {
            row.resize_with(index + 1, || Key::new(meter.fresh()));
        }
        (meter, &mut row[index])
    }

    /// Gives back what is due.
    #[inline]
    fn settle(meter: &M, key: &mut Key<M::State>, now: Instant) {
        while let Some(&Reverse((at, amount))) = key.refunds.peek()
            && at <= now
        {
            key.refunds.pop();
            meter.give_back(&mut key.state, at, amount);
        }
    }

    /// How long a call is held, if it passes. It takes nothing yet.
    fn passes(&mut self, caller: Caller, now: Instant, cost: u64) -> Option<Interval> {
        let (meter, key) = self.key(caller);
        Self::settle(meter, key, now);
        meter.passes(&mut key.state, now, cost).filter(|_| key.locked.rest(now).is_zero())
    }

    /// What stands in the way of a call that was refused at the same instant.
    fn obstacle(&mut self, caller: Caller, now: Instant, cost: u64) -> Obstacle {
        let (meter, key) = self.key(caller);
        Obstacle { wait: meter.wait(&mut key.state, now, cost), locked: key.locked.rest(now) }
    }

    /// Takes a call at once, if it passes: how long it is held.
    #[inline]
    fn admit(&mut self, caller: Caller, now: Instant, cost: u64) -> Option<Interval> {
        let (meter, key) = self.key(caller);
        Self::settle(meter, key, now);
        let held = meter.passes(&mut key.state, now, cost).filter(|_| key.locked.rest(now).is_zero())?;
        meter.take(&mut key.state, now, cost);
        Some(held)
    }

    /// The time until the key is as good as new.
    fn reset(&mut self, caller: Caller, now: Instant) -> Option<Interval> {
        let (meter, key) = self.key(caller);
        meter.reset(&mut key.state, now)
    }

    fn scale(&mut self, now: Instant, by: Scale) {
        let next = self.configured.scaled(by);
        for key in self.keys.iter_mut().flatten().chain([&mut self.common]) {
            Self::settle(&self.meter, key, now);
            self.meter.hand_over(&next, &mut key.state, now);
        }
        self.meter = next;
    }
}

impl Limit {
    /// The limit at the start of a run.
    pub(super) fn new(config: &RateLimitConfig, operations: &[String]) -> Self {
        Self {
            measures: Measures::new(config.kind, config.scope),
            costs: Amounts::new(&config.cost, operations, 1),
            refunds: Amounts::new(&config.refund, operations, 0),
            outcome: config.status.outcome(),
            retry_after: config.retry_after,
            lockout: config.lockout,
            counts_refused: config.rejected == Rejected::Counts,
        }
    }

    /// Lets a call through that no other limit has to let through: [`check`](Self::check) and [`take`](Self::take) in one.
    ///
    /// # Errors
    /// The answer of the refusal.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        caller: Caller,
    ) -> Result<Interval, (Outcome, Option<RetryAfter>)> {
        let cost = self.costs.of(caller);
        if cost == 0 {
            return Ok(Interval::ZERO);
        }
        let passes = with!(&mut self.measures, keyed => keyed.admit(caller, now, cost));
        passes.ok_or_else(|| (self.outcome, self.refuse(now, caller, cost)))
    }

    /// Whether a call passes, and how long it is held then. It takes nothing yet.
    ///
    /// # Errors
    /// The answer of the refusal, which has been counted where the configuration says so.
    pub(super) fn check(
        &mut self,
        now: Instant,
        caller: Caller,
    ) -> Result<Interval, (Outcome, Option<RetryAfter>)> {
        let cost = self.costs.of(caller);
        if cost == 0 {
            return Ok(Interval::ZERO);
        }
        let passes = with!(&mut self.measures, keyed => keyed.passes(caller, now, cost));
        passes.ok_or_else(|| (self.outcome, self.refuse(now, caller, cost)))
    }

    /// A refusal, and what it says: the limit and a lockout both have to end.
    fn refuse(&mut self, now: Instant, caller: Caller, cost: u64) -> Option<RetryAfter> {
        self.count(now, caller);
        if let Some(lockout) = &self.lockout {
            with!(&mut self.measures, keyed => keyed.key(caller).1.locked.refuse(lockout, now));
        }
        if let header @ (RetryAfterHeader::None | RetryAfterHeader::Constant(_)) = self.retry_after {
            return header.of(now, Interval::ZERO);
        }
        let Obstacle { wait, locked } = with!(&mut self.measures, keyed => keyed.obstacle(caller, now, cost));
        let own = if self.retry_after.tells_reset() {
            with!(&mut self.measures, keyed => keyed.reset(caller, now))
        } else {
            wait
        };
        let known = own.or_else(|| (!locked.is_zero()).then_some(locked))?;
        self.retry_after.of(now, known.max(locked))
    }

    /// Counts a call that this limit, or a later one, has refused, if refused calls count.
    #[inline]
    pub(super) fn count(&mut self, now: Instant, caller: Caller) {
        if !self.counts_refused {
            return;
        }
        let cost = self.costs.of(caller);
        if cost > 0 {
            with!(&mut self.measures, keyed => {
                let (meter, key) = keyed.key(caller);
                meter.count(&mut key.state, now, cost);
            });
        }
    }

    /// Takes the cost of a call that has passed all limits at the same instant.
    pub(super) fn take(&mut self, now: Instant, caller: Caller) {
        let cost = self.costs.of(caller);
        if cost > 0 {
            with!(&mut self.measures, keyed => {
                let (meter, key) = keyed.key(caller);
                meter.take(&mut key.state, now, cost);
            });
        }
    }

    /// True if it matters when calls end.
    pub(super) const fn tracks_ends(&self) -> bool {
        matches!(self.measures, Measures::Concurrency(_)) || self.refunds.most > 0
    }

    /// The end of a call that has just passed is known.
    pub(super) fn ends_at(&mut self, caller: Caller, began: Instant, ends: Instant) {
        let (cost, refund) = (self.costs.of(caller), self.refunds.of(caller));
        if cost > 0 {
            with!(&mut self.measures, keyed => {
                let (meter, key) = keyed.key(caller);
                meter.ends_at(&mut key.state, began, ends, cost);
                if refund > 0 {
                    key.refunds.push(Reverse((ends, refund)));
                }
            });
        }
    }

    /// A call ends whose end was not known.
    pub(super) fn ended(&mut self, caller: Caller, began: Instant, now: Instant) {
        let (cost, refund) = (self.costs.of(caller), self.refunds.of(caller));
        if cost > 0 {
            with!(&mut self.measures, keyed => {
                let (meter, key) = keyed.key(caller);
                meter.ended(&mut key.state, began, now, cost);
                if refund > 0 {
                    key.refunds.push(Reverse((now, refund)));
                }
            });
        }
    }

    /// Multiplies what is configured by a share.
    pub(super) fn scale(&mut self, now: Instant, numerator: u32, denominator: u32) {
        let by = Scale::new(numerator, denominator, self.costs.most.max(1));
        with!(&mut self.measures, keyed => keyed.scale(now, by));
    }
}

impl Measures {
    fn new(kind: LimitKind, scope: LimitScope) -> Self {
        match kind {
            LimitKind::TokenBucket(config) => {
                Self::Bucket(Keyed::new(Bucket::new(config.rate, config.burst.get(), config.refill), scope))
            }
            LimitKind::LeakyBucket(config) => {
                Self::Bucket(Keyed::new(Bucket::new(config.leak, config.size.get(), None), scope))
            }
            LimitKind::LeakyQueue(config) => {
                let meter = Queue::new(config.rate, config.burst.get(), config.delay.free());
                Self::Queue(Keyed::new(meter, scope))
            }
            LimitKind::Gcra(config) => {
                Self::Gcra(Keyed::new(Gcra::new(config.rate, config.burst.get()), scope))
            }
            LimitKind::FixedWindow(config) => {
                let origin = match config.aligned {
                    Aligned::Clock => Some(config.offset.unwrap_or(Interval::ZERO)),
                    Aligned::FirstCall => None,
                };
                Self::Window(Keyed::new(Window::new(config.limit.get(), config.window, origin), scope))
            }
            LimitKind::SlidingLog(config) => {
                Self::SlidingLog(Keyed::new(SlidingLog::new(config.limit.get(), config.window), scope))
            }
            LimitKind::SlidingWindow(config) => {
                Self::SlidingWindow(Keyed::new(SlidingWindow::new(config.limit.get(), config.window), scope))
            }
            LimitKind::Concurrency(config) => {
                let meter = Concurrency::new(config.limit.get(), config.counts_from);
                Self::Concurrency(Keyed::new(meter, scope))
            }
            LimitKind::Score(config) => {
                let meter = Score::new(config.max.get(), config.decays_over, config.blocked);
                Self::Score(Keyed::new(meter, scope))
            }
        }
    }
}
