//! What a rate limit must be to make sense, and what reports say about it.

use super::config::{LimitKind, LimitScope, RateLimitConfig, Rejected};
use super::queue::thousandths;
use super::{Aligned, PerOperation, RetryAfterHeader};
use crate::time::Interval;

impl LimitKind {
    /// The word in a scenario.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TokenBucket(_) => "token_bucket",
            Self::LeakyBucket(_) => "leaky_bucket",
            Self::LeakyQueue(_) => "leaky_queue",
            Self::Gcra(_) => "gcra",
            Self::FixedWindow(_) => "fixed_window",
            Self::SlidingLog(_) => "sliding_log",
            Self::SlidingWindow(_) => "sliding_window",
            Self::Concurrency(_) => "concurrency",
            Self::Score(_) => "score",
        }
    }

    /// The most that may come at once after a rest.
    const fn at_once(&self) -> u64 {
        match self {
            Self::TokenBucket(bucket) => bucket.burst.get(),
            Self::LeakyBucket(bucket) => bucket.size.get(),
            Self::LeakyQueue(queue) => queue.burst.get() + 1,
            Self::Gcra(gcra) => gcra.burst.get(),
            Self::FixedWindow(window) => window.limit.get(),
            Self::SlidingLog(limit) | Self::SlidingWindow(limit) => limit.limit.get(),
            Self::Concurrency(concurrency) => concurrency.limit.get(),
            Self::Score(score) => score.max.get(),
        }
    }

    /// The cost that passes per second in the long run; `None` for what is no rate.
    fn per_second(&self) -> Option<f64> {
        let over = |count: u64, window: Interval| Some(count as f64 / window.as_secs_f64());
        match self {
            Self::TokenBucket(bucket) => Some(bucket.rate.per_second()),
            Self::LeakyBucket(bucket) => Some(bucket.leak.per_second()),
            Self::LeakyQueue(queue) => Some(thousandths(queue.rate) as f64 / 1000.0),
            Self::Gcra(gcra) => Some(gcra.rate.per_second()),
            Self::FixedWindow(window) => over(window.limit.get(), window.window),
            Self::SlidingLog(limit) | Self::SlidingWindow(limit) => over(limit.limit.get(), limit.window),
            Self::Concurrency(_) => None,
            Self::Score(score) => over(score.max.get(), score.decays_over),
        }
    }

    fn problem(&self) -> Option<String> {
        let zero = |window: Interval, name: &str| {
            window
                .is_zero()
                .then(|| format!("a {name} of 0s makes no limit: give its length, such as \"60s\""))
        };
        match self {
            Self::TokenBucket(bucket) => bucket.refill.and_then(|refill| zero(refill, "refill")),
            Self::LeakyQueue(queue) => (thousandths(queue.rate) == 0).then(|| {
                format!("the rate {} is below 1/1000s, the slowest that such a queue can count", queue.rate)
            }),
            Self::FixedWindow(window) => {
                let odd = window.aligned == Aligned::FirstCall && window.offset.is_some();
                let odd = odd.then(|| {
                    "offset places the windows of the clock, and these begin with the first call: remove one".into()
                });
                zero(window.window, "window").or(odd)
            }
            Self::SlidingLog(limit) | Self::SlidingWindow(limit) => zero(limit.window, "window"),
            Self::Score(score) => zero(score.decays_over, "decays_over"),
            Self::LeakyBucket(_) | Self::Gcra(_) | Self::Concurrency(_) => None,
        }
    }
}

impl RateLimitConfig {
    /// What is wrong with its fields taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        let kind = self.kind.name();
        if self.status.outcome().is_success() {
            return Some(format!(
                "status {} is a success, not a refusal: write for example 429",
                self.status.outcome()
            ));
        }
        if matches!(self.kind, LimitKind::Concurrency(_)) {
            if self.rejected == Rejected::Counts {
                return Some(
                    "a refused call is not in progress: rejected = \"counts\" has no meaning for concurrency"
                        .into(),
                );
            }
            let says = matches!(self.retry_after, RetryAfterHeader::None | RetryAfterHeader::Constant(_));
            if !says && self.lockout.is_none() {
                return Some(
                    "nobody knows when a call will end: a concurrency limit says retry_after = \"none\" or { constant = \"1s\" }"
                        .into(),
                );
            }
        }
        let lockout = || self.lockout.and_then(|lockout| lockout.problem());
        self.kind.problem().or_else(lockout).or_else(|| self.too_dear(kind)).or_else(|| self.bad_refund(kind))
    }

    fn too_dear(&self, kind: &str) -> Option<String> {
        let most = self.kind.at_once();
        let (name, cost) = self.cost.each(1).find(|&(_, cost)| cost > most)?;
        let what = name.map_or("a call".to_owned(), |name| format!("\"{name}\""));
        Some(format!(
            "{what} costs {cost}, and this {kind} never lets more than {most} through at once: raise it"
        ))
    }

    fn bad_refund(&self, kind: &str) -> Option<String> {
        let gives = self.refund.each(0).any(|(_, amount)| amount > 0);
        let can =
            matches!(self.kind, LimitKind::TokenBucket(_) | LimitKind::LeakyBucket(_) | LimitKind::Gcra(_));
        if gives && !can {
            return Some(format!(
                "a {kind} cannot give back: refund goes with token_bucket, leaky_bucket and gcra"
            ));
        }
        let costs = |name: Option<&str>| name.map_or(self.cost.otherwise(1), |name| self.cost.of(name, 1));
        let (name, back) = self.refund.each(0).find(|&(name, back)| back > costs(name))?;
        let what = name.map_or("a call".to_owned(), |name| format!("\"{name}\""));
        Some(format!("{what} costs {} and cannot give back {back}", costs(name)))
    }

    /// The names in it that are none of these operations, which are all of the service, and for each the operation that it is a
    /// typo of, if it is one.
    pub fn unknown_operations<'a>(&'a self, operations: &'a [String]) -> Vec<(&'a str, Option<&'a str>)> {
        let unknown = |amounts: &'a PerOperation| {
            amounts.unknown(operations).map(|name| (name, amounts.meant(name, operations)))
        };
        unknown(&self.cost).chain(unknown(&self.refund)).collect()
    }

    /// The least that a call costs, what a table leaves out included; `None` if some calls cost nothing.
    fn cheapest(&self) -> Option<f64> {
        self.cost.each(1).map(|(_, cost)| cost).min().filter(|&cost| cost > 0).map(|cost| cost as f64)
    }
}

/// The tightest bound on the calls per second of all `callers` together, for reports. Limits of a narrower scope that has several
/// keys, limits on calls in progress, and limits that some calls do not count against are no bound.
pub(in crate::service) fn per_second(limits: &[RateLimitConfig], callers: Callers) -> Option<f64> {
    let bounds = limits.iter().filter(|limit| callers.keys(limit.scope) == 1);
    bounds.filter_map(|limit| Some(limit.kind.per_second()? / limit.cheapest()?)).min_by(f64::total_cmp)
}

/// How many there are of those who may have a measure of their own: keys of the limits of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Callers {
    /// Clients of all workloads that call the service.
    pub clients: u64,
    /// Workloads that call it.
    pub workloads: u64,
    /// Accounts that they use, each counted once.
    pub accounts: u64,
}

impl Callers {
    /// How many measures a limit of this scope has.
    const fn keys(self, scope: LimitScope) -> u64 {
        match scope {
            LimitScope::Client => self.clients,
            LimitScope::Workload => self.workloads,
            LimitScope::Account => self.accounts,
            LimitScope::All => 1,
        }
    }
}

/// The most calls of all `callers` together that pass within `window` at the steady rate, or at once after a rest, whichever
/// is more: what a peak is held against. A limit of a narrower scope lets that much through for each of its keys; of several
/// limits the tightest counts. `None` if none bounds them: limits on calls in progress do not, nor those that some calls do
/// not count against.
pub(in crate::service) fn allowance(
    limits: &[RateLimitConfig],
    window: Interval,
    callers: Callers,
) -> Option<f64> {
    let most = |limit: &RateLimitConfig| {
        let keys = Some(callers.keys(limit.scope)).filter(|&keys| keys > 0)?;
        let steady = limit.kind.per_second()? * window.as_secs_f64();
        Some((limit.kind.at_once() as f64).max(steady) / limit.cheapest()? * keys as f64)
    };
    limits.iter().filter_map(most).min_by(f64::total_cmp)
}
