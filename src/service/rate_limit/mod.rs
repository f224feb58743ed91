//! Rate limits: how many calls a service lets through, and what it tells the others.
//!
//! All arithmetic is exact: levels, arrival times and scores are whole numbers of units of which each nanosecond adds or
//! takes a whole number, and estimates are compared as fractions. At one instant what ends comes before what begins:
//! exactly enough tokens are enough, a window's last instant belongs to the next one, and a call frees its place the instant
//! it ends.

mod bucket;
mod concurrency;
mod config;
mod cost;
mod gcra;
mod hint;
mod limit;
mod lockout;
mod meter;
mod queue;
mod rules;
mod score;
mod sliding_log;
mod sliding_window;
mod window;

pub(super) use config::one_or_more;
pub use config::{
    Aligned, Concurrency, FixedWindow, Gcra, LeakyBucket, LeakyQueue, LimitKind, LimitScope, QueueDelay,
    RateLimitConfig, Rejected, Score, SlidingLimit, TokenBucket,
};
pub use cost::PerOperation;
pub use hint::{RetryAfter, RetryAfterHeader, Wrong};
pub use lockout::{CallsDuring, Lockout};
pub use rules::Callers;
pub(super) use rules::{allowance, per_second};

use crate::outcome::Outcome;
use crate::time::{Instant, Interval};
use limit::Limit;

/// Who calls, and for what: numbers from 0, each used as an index, so that they should be dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caller {
    /// The client within its workload.
    pub client: u32,
    /// The workload.
    pub workload: u32,
    /// The account at the service.
    pub account: u32,
    /// The operation, among those of the service.
    pub operation: u32,
}

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Which limit refuses, by its place in the file.
    pub limit: usize,
    /// What the caller is answered.
    pub outcome: Outcome,
    /// What the answer says about when to come back, if anything.
    pub retry_after: Option<RetryAfter>,
}

/// All rate limits of one service during a run.
#[derive(Debug, Clone)]
pub struct RateLimits {
    limits: Vec<Limit>,
    tracks_ends: bool,
}

impl RateLimits {
    /// The limits at the start of a run; `operations` are the names of the service's operations, by their number.
    pub fn new(configs: &[RateLimitConfig], operations: &[String]) -> Self {
        let limits: Vec<Limit> = configs.iter().map(|config| Limit::new(config, operations)).collect();
        Self { tracks_ends: limits.iter().any(Limit::tracks_ends), limits }
    }

    /// Lets a call through at `now`: the time for which it is held before it goes on, mostly none; of several limits the
    /// longest. Instants never go back.
    ///
    /// # Errors
    /// The refusal of the first limit, in the order of the file, that does not let it through. The limits before it take
    /// nothing, unless they count refused calls; those behind it do not see the call.
    #[inline]
    pub fn admit(&mut self, now: Instant, caller: &Caller) -> Result<Interval, Rejection> {
        match &mut self.limits[..] {
            [] => Ok(Interval::ZERO),
            [only] => only.admit(now, *caller).map_err(|(outcome, retry_after)| Rejection {
                limit: 0,
                outcome,
                retry_after,
            }),
            _ => self.admit_all(now, caller),
        }
    }

    fn admit_all(&mut self, now: Instant, caller: &Caller) -> Result<Interval, Rejection> {
        let mut held = Interval::ZERO;
        for index in 0..self.limits.len() {
            match self.limits[index].check(now, *caller) {
                Ok(delay) => held = held.max(delay),
                Err((outcome, retry_after)) => {
                    for before in &mut self.limits[..index] {
                        before.count(now, *caller);
                    }
                    return Err(Rejection { limit: index, outcome, retry_after });
                }
            }
        }
        for limit in &mut self.limits {
            limit.take(now, *caller);
        }
        Ok(held)
    }

    /// True if a limit has to know when calls end: it bounds calls in progress, or gives back when they end. If not, nobody
    /// has to tell.
    pub const fn tracks_ends(&self) -> bool {
        self.tracks_ends
    }

    /// The call that was let through at `began` will end at `ends`; said right after it was let through. Each call that was
    /// let through ends by this or by [`ended`](Self::ended), not by both.
    pub fn ends_at(&mut self, caller: &Caller, began: Instant, ends: Instant) {
        for limit in &mut self.limits {
            limit.ends_at(*caller, began, ends);
        }
    }

    /// A call ends at `now` that was let through at `began`, and whose end was not known then.
    pub fn ended(&mut self, caller: &Caller, began: Instant, now: Instant) {
        for limit in &mut self.limits {
            limit.ended(*caller, began, now);
        }
    }

    /// From `now` on, all rates and sizes are `numerator / denominator` of what is configured (each cut to 1 to 10^6); 1 / 1
    /// restores them. Sizes are rounded down, but stay large enough for the dearest operation to pass alone. Of what a rate refills
    /// (buckets, GCRA) what was left to take stays, as far as it fits; what is counted (calls in a window or in progress, the
    /// excess of a queue, a score) stays counted. Lockouts, blocks and lengths of windows do not change.
    pub fn scale(&mut self, now: Instant, numerator: u32, denominator: u32) {
        for limit in &mut self.limits {
            limit.scale(now, numerator, denominator);
        }
    }
}

#[cfg(test)]
mod tests;
