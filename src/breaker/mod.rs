//! Circuit breakers: stop calling a service that keeps failing, and find out when it works again.
//!
//! What it lets out or refuses is a *call*: an attempt, or a request with all its retries where it is around those. Closed lets
//! everything through and remembers results; open refuses everything; half-open lets probes through and judges by them. The
//! real ones differ in every detail, so each detail is a field and a breaker is a composition of few parts:
//!
//! 1. [`Trip`] says what opens a closed breaker: failures in a row, a window of results, a window of time, an average;
//! 2. [`OpenFor`] says for how long;
//! 3. [`HalfOpenConfig`] says what probes prove;
//! 4. [`LateResults`] says what becomes of calls that began before all this.
//!
//! The breaker is pure state: it is told the time and never asks for it. [`BreakerRules`] are shared by all that have the same
//! rules; a [`Breaker`] is small, since every client may have one of its own.

mod admission;
mod config;
mod count_window;
mod half_open;
mod moving_average;
mod open_time;
mod rate;
mod run_until;
mod time_window;
mod trip;

pub use admission::{Admission, Permit, Spell, State};
pub use config::{
    AfterOpen, Boundary, BreakerConfig, BreakerRules, Changes, HalfOpenFor, LateResults, OnClose, Overflow,
    Position, ProbeResults, Probes, ProbesCounted, Then, TimerFrom,
};
pub use count_window::{CountWindow, JudgedOn};
pub use half_open::{Enough, HalfOpenConfig, HalfOpenRate, HalfOpenRing};
pub use moving_average::{MovingAverage, SuccessRate};
pub use open_time::{Forgets, Grows, OpenFor};
pub use rate::{Arithmetic, Compare, Minimum, Percent, SlowConfig, Tally};
pub use time_window::{Align, ShareOf, TimeWindow};
pub use trip::{Consecutive, Trip};

use crate::time::{Instant, Interval};
use half_open::{Probed, Verdict};
use trip::{MAX_PARTS, Memory};

/// After so many openings in a row the open time no longer grows.
const SETTLED: u32 = 256;

/// One breaker's state.
#[derive(Debug, Clone, PartialEq)]
pub struct Breaker {
    /// The state, and a number that changes with it so that late results can be told apart.
    phase: Permit,
    /// Which of those with the same rules it is: the address of its luck.
    number: u32,
    /// Probes that count against the limit.
    probes: u32,
    trips: u32,
    /// How often it opened in a row; each part of `trip.any` may count by itself.
    openings: [u8; MAX_PARTS],
    probed: Probed,
    memory: Memory,
    lasts: Interval,
    opened: Instant,
    /// When the open time is over: a breaker that nobody calls stays open in name, but keeps nobody out. While closed or
    /// half-open, since when it is.
    over: Instant,
    time_open: Interval,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Breaker {
    /// A closed breaker that has seen nothing, the one with this number among those with the same rules.
    pub fn new(number: u32) -> Self {
        Self {
            phase: Permit::default(),
            number,
            probes: 0,
            trips: 0,
            openings: [0; MAX_PARTS],
            probed: Probed::default(),
            memory: Memory::default(),
            lasts: Interval::ZERO,
            opened: Instant::START,
            over: Instant::START,
            time_open: Interval::ZERO,
        }
    }

    /// The state as of the last call or result.
    pub const fn state(&self) -> State {
        self.phase.state()
    }

    /// The state at `now`: what has changed since by the passing of time alone.
    pub fn state_at(&self, rules: &BreakerRules, now: Instant) -> State {
        let waits_for_calls = match self.state() {
            State::Closed => !rules.trip.passes(),
            State::Open => rules.changes == Changes::OnCall,
            State::HalfOpen => rules.half_open_for.is_none(),
        };
        if waits_for_calls {
            return self.state();
        }
        let mut then = self.clone();
        then.pass(rules, now);
        then.state()
    }

    /// Failures counted towards the next change of state, as of the last call or result.
    pub fn failures(&self) -> u32 {
        let remembered = self.memory.tally();
        let probed = self.state() != State::Closed && remembered.total == 0;
        if probed { self.probed.tally.failures } else { remembered.failures }
    }

    /// What counts at `now`: the results of probes while half-open and after they opened it again, else what the trip
    /// condition remembers.
    pub fn tally(&self, rules: &BreakerRules, now: Instant) -> Tally {
        let by_probes = self.state() == State::Open && self.probed.tally.total > 0;
        if by_probes || self.state() == State::HalfOpen {
            self.probed.tally
        } else {
            rules.trip.tally(&self.memory, now)
        }
    }

    /// How often it opened; it counts no further than [`u32::MAX`].
    pub const fn trips(&self) -> u32 {
        self.trips
    }

    /// How long it kept calls out in all, up to `now`.
    pub fn time_open(&self, now: Instant) -> Interval {
        if self.state() == State::Open {
            self.time_open + now.min(self.over).since(self.opened)
        } else {
            self.time_open
        }
    }

    /// The spell in which the last call or result left it.
    pub fn spell(&self, rules: &BreakerRules) -> Spell {
        let forever = Instant::from_nanos(u64::MAX);
        let (since, until) = match (self.state(), rules.half_open_for) {
            (State::Open, _) => (self.opened, self.over),
            (State::HalfOpen, Some(most)) => (self.over, self.over + most.at_most),
            (State::HalfOpen, None) | (State::Closed, _) => (self.over, forever),
        };
        let half_open_next = rules.changes != Changes::OnCall && rules.after_open == AfterOpen::HalfOpen;
        Spell { phase: self.phase, since, until, half_open_next }
    }

    /// Asks for leave to call at `now`.
    pub fn try_acquire(&mut self, rules: &BreakerRules, now: Instant) -> Admission {
        self.pass(rules, now);
        rules.trip.called(&mut self.memory, now);
        if self.state() == State::Open {
            if !self.is_over(rules, now) {
                return Admission::Refused;
            }
            self.end_open(rules, now);
        }
        if self.state() == State::HalfOpen {
            if self.probes >= rules.probes {
                return match rules.overflow {
                    Overflow::Reject => Admission::Refused,
                    Overflow::Wait => Admission::Wait,
                };
            }
            self.probes += 1;
        }
        Admission::Granted(self.phase)
    }

    /// Takes the result of a call that was let through with `permit` and took so long. True if those who were told to wait
    /// should ask again.
    pub fn record(
        &mut self,
        rules: &BreakerRules,
        now: Instant,
        permit: Permit,
        success: bool,
        took: Interval,
    ) -> bool {
        self.pass(rules, now);
        let as_begun = matches!(rules.late_results, LateResults::AsBegun | LateResults::AsBegunUnlessOpen);
        let late = permit != self.phase;
        let last_failure = rules.timer_from == TimerFrom::LastFailure;
        if !success && last_failure && !as_begun && self.state() == State::Open {
            self.set_timer(rules, now);
        }
        if !late && self.state() == State::HalfOpen && rules.probes_counted == ProbesCounted::UnderWay {
            self.probes -= 1;
        }
        if !late || rules.late_results != LateResults::Ignore {
            let begun = if late && as_begun { permit.state() } else { self.state() };
            self.judge(rules, now, begun, success, took);
        }
        rules.overflow == Overflow::Wait && permit.state() == State::HalfOpen
    }

    /// Takes back the leave of a call that was never made: nothing is learnt from it. True if those who were told to wait
    /// should ask again.
    pub fn release(&mut self, rules: &BreakerRules, now: Instant, permit: Permit) -> bool {
        self.pass(rules, now);
        if permit == self.phase && self.state() == State::HalfOpen {
            self.probes -= 1;
        }
        rules.overflow == Overflow::Wait && permit.state() == State::HalfOpen
    }

    /// Judges a result by the rules of the state `by`, which is another than the breaker's only for late results.
    fn judge(&mut self, rules: &BreakerRules, now: Instant, by: State, success: bool, took: Interval) {
        match by {
            State::Closed => {
                let tripped = rules.trip.record(&mut self.memory, now, success, took);
                if tripped != 0 {
                    self.open(rules, now, tripped);
                }
            }
            State::HalfOpen => {
                let tripped = match rules.probe_results {
                    ProbeResults::Apart => 0,
                    ProbeResults::Remembered => rules.trip.record(&mut self.memory, now, success, took),
                };
                let stays_open =
                    rules.late_results == LateResults::AsBegunUnlessOpen && self.state() == State::Open;
                match rules.judge.record(&mut self.probed, success, took) {
                    Verdict::Open => self.open(rules, now, tripped),
                    Verdict::Close if !stays_open => self.close(rules, now, took),
                    Verdict::Close | Verdict::Undecided => {}
                }
            }
            // Only a late result gets here.
            State::Open => match rules.late_results {
                LateResults::Count if success => self.close(rules, now, took),
                LateResults::RecordSuccesses if !success => {}
                _ => drop(rules.trip.record(&mut self.memory, now, success, took)),
            },
        }
    }

    /// Lets time pass up to `now`: what changes by itself does.
    fn pass(&mut self, rules: &BreakerRules, now: Instant) {
        if self.state() == State::Closed && rules.trip.forget(&mut self.memory, now) {
            self.phase = self.phase.next(State::Closed);
        }
        let mut reopened = 0;
        loop {
            match (self.state(), rules.half_open_for) {
                (State::Closed, _) => {
                    let Some((at, tripped)) = rules.trip.tick(&mut self.memory, now) else { return };
                    self.open(rules, at, tripped);
                }
                (State::Open, _) if rules.changes != Changes::OnCall && self.is_over(rules, now) => {
                    self.end_open(rules, self.over);
                }
                (State::HalfOpen, Some(most)) if now >= self.over + most.at_most => {
                    let (since, at) = (self.over, self.over + most.at_most);
                    match most.then {
                        Then::Open => {
                            self.open(rules, at, 0);
                            reopened += 1;
                            if reopened > SETTLED {
                                self.skip_cycles(rules, since, now);
                            }
                        }
                        Then::Closed => self.close(rules, at, Interval::ZERO),
                    }
                }
                _ => return,
            }
        }
    }

    /// Open since a moment ago and half-open `since` before that, always for as long: goes through all the cycles that are
    /// over by `now` in one step, since a breaker that nobody calls for a year may have a billion of them.
    fn skip_cycles(&mut self, rules: &BreakerRules, since: Instant, now: Instant) {
        let cycle = self.over.since(since);
        if rules.open_for.draws_each_opening() || cycle.is_zero() {
            return;
        }
        let cycles = now.since(self.over).min(Interval::MAX).as_nanos() / cycle.as_nanos();
        let further = cycle.times(cycles);
        self.time_open += self.over.since(self.opened).times(cycles);
        self.opened = self.opened + further;
        self.over = self.over + further;
        self.trips = self.trips.saturating_add(u32::try_from(cycles).unwrap_or(u32::MAX));
        // A cycle changes the state twice.
        self.phase = self.phase.later(cycles.wrapping_mul(2));
    }

    fn is_over(&self, rules: &BreakerRules, now: Instant) -> bool {
        match rules.boundary {
            Boundary::At => now >= self.over,
            Boundary::After => now > self.over,
        }
    }

    fn end_open(&mut self, rules: &BreakerRules, at: Instant) {
        match rules.after_open {
            AfterOpen::Closed => self.close(rules, at, Interval::ZERO),
            AfterOpen::HalfOpen => {
                self.time_open = self.time_open(at);
                self.enter(State::HalfOpen);
                self.probed = Probed::default();
                self.over = at;
                if rules.probe_results == ProbeResults::Apart && rules.on_close != OnClose::Remember {
                    rules.trip.clear(&mut self.memory, at);
                }
            }
        }
    }

    fn close(&mut self, rules: &BreakerRules, at: Instant, took: Interval) {
        self.time_open = self.time_open(at);
        self.enter(State::Closed);
        self.probed = Probed::default();
        self.over = at;
        if rules.open_for.forgets == Forgets::OnClose {
            self.openings = [0; MAX_PARTS];
        }
        if rules.on_close == OnClose::Remember {
            // What was counted is remembered, but the ticks that passed meanwhile judged nobody.
            rules.trip.skip_ticks(&mut self.memory, at);
        } else {
            rules.trip.clear(&mut self.memory, at);
        }
        if rules.on_close == OnClose::ForgetButLast {
            rules.trip.record(&mut self.memory, at, true, took);
        }
    }

    /// Opens, or keeps open for longer if a late failure would have opened it. `tripped` are the parts of the trip condition
    /// that hold.
    fn open(&mut self, rules: &BreakerRules, at: Instant, tripped: u8) {
        match self.state() {
            State::Open => {
                if rules.timer_from == TimerFrom::LastFailure {
                    self.set_timer(rules, at);
                }
                return;
            }
            State::Closed => {
                if let Forgets::OneEvery(every) = rules.open_for.forgets {
                    let passed = |until: Instant| until.as_nanos() / every.as_nanos();
                    let forgotten = passed(at).saturating_sub(passed(self.over));
                    let left = u64::from(self.openings[0]).saturating_sub(forgotten);
                    self.openings[0] = left as u8;
                }
            }
            State::HalfOpen => {}
        }
        assert!(at >= self.over, "a breaker opened before it closed or became half-open");
        let counted = match rules.open_for.grows {
            Grows::EachOpening => 1,
            Grows::EachTrip => tripped,
        };
        let mut lasts = None;
        for part in (0..MAX_PARTS).filter(|part| counted >> part & 1 == 1) {
            let before = self.openings[part];
            let since = self.trips - u32::from(before);
            let luck = |n: u32| {
                rules.key.block(self.number.into(), (u64::from(since) + u64::from(n) - 1) * 4 + part as u64)
            };
            let length = rules.open_for.length(before, self.number, &luck);
            self.openings[part] = self.openings[part].saturating_add(1);
            lasts = lasts.max(Some(length));
        }
        self.lasts = lasts.unwrap_or(self.lasts);
        self.trips = self.trips.saturating_add(1);
        self.opened = at;
        self.enter(State::Open);
        self.set_timer(rules, at);
    }

    fn set_timer(&mut self, rules: &BreakerRules, now: Instant) {
        self.over = now + self.lasts;
        if let Changes::Every(every) = rules.changes {
            let checks = self.over.as_nanos().div_ceil(every.as_nanos());
            self.over = Instant::from_nanos(checks.saturating_mul(every.as_nanos()));
        }
    }

    fn enter(&mut self, state: State) {
        self.phase = self.phase.next(state);
        self.probes = 0;
    }
}

#[cfg(test)]
mod tests;
