//! Client-side limits: what a client puts on all that it sends, first attempts as well as retries.
//!
//! A limiter is pure state: it is told when an attempt wants to go and what became of it, and says whether it may go now,
//! later, or not at all. For each attempt:
//!
//! 1. [`Limiter::acquire`]; a call told to wait goes after that time and does not ask again, a queued one asks again when it
//!    is first in the queue and another has been released;
//! 2. for each attempt that went, [`Limiter::on_outcome`] when its outcome is known (a timeout is one), then
//!    [`Limiter::release`].
//!
//! A kind that does not care about a call does nothing.

mod adaptive_rate;
mod adaptive_throttle;
#[cfg(test)]
mod tests;
mod token_bucket;

use schemars::JsonSchema;
use serde::Deserialize;

pub use adaptive_rate::{AdaptiveRate, AdaptiveRateConfig};
pub use adaptive_throttle::{AdaptiveThrottle, AdaptiveThrottleConfig, Counts};
pub use token_bucket::{TokenBucket, TokenBucketConfig};

use crate::schema::exactly_one;
use crate::scope::Scope;
use crate::time::{Instant, Interval};
use crate::units::Count;

/// A limiter as written in a scenario: one kind, and who shares it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "Written")]
#[schemars(with = "Written")]
pub struct LimiterConfig {
    /// The kind, with its parameters.
    pub kind: LimiterKind,
    /// Who shares one limiter; all clients of the workload if absent.
    pub scope: Scope,
}

/// The kinds of limiter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LimiterKind {
    /// Sheds by chance what would probably be rejected: Google SRE, failsafe-go.
    AdaptiveThrottle(AdaptiveThrottleConfig),
    /// Finds a rate after the first throttling, and waits for it: AWS SDKs, adaptive mode.
    AdaptiveRate(AdaptiveRateConfig),
    /// A fixed rate; attempts wait for it.
    TokenBucket(TokenBucketConfig),
    /// So many attempts under way at once; others wait in the order in which they came.
    Concurrency(Count<1, 1_000_000_000>),
}

/// The fields as they stand in the file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = exactly_one(&["adaptive_throttle", "adaptive_rate", "token_bucket", "concurrency"])))]
struct Written {
    /// Sheds by chance what would probably be rejected: Google SRE, failsafe-go.
    adaptive_throttle: Option<AdaptiveThrottleConfig>,
    /// Finds a rate after the first throttling, and waits for it: AWS SDKs, adaptive mode. It has no fields: `{}`.
    adaptive_rate: Option<AdaptiveRateConfig>,
    /// A fixed rate; attempts wait for it.
    token_bucket: Option<TokenBucketConfig>,
    /// So many attempts under way at once; others wait in the order in which they came.
    concurrency: Option<Count<1, 1_000_000_000>>,
    /// Who shares one: all clients of the workload, each client its own, or all workloads that use the policy.
    #[serde(default)]
    scope: Scope,
}

impl TryFrom<Written> for LimiterConfig {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let kinds = [
            written.adaptive_throttle.map(LimiterKind::AdaptiveThrottle),
            written.adaptive_rate.map(LimiterKind::AdaptiveRate),
            written.token_bucket.map(LimiterKind::TokenBucket),
            written.concurrency.map(LimiterKind::Concurrency),
        ];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(Self { kind, scope: written.scope }),
            _ => Err(
                "a limiter is one of `adaptive_throttle`, `adaptive_rate`, `token_bucket` and `concurrency`: give exactly one",
            ),
        }
    }
}

impl LimiterConfig {
    /// What is wrong with the fields taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        match &self.kind {
            LimiterKind::AdaptiveThrottle(config) => config.problem(),
            LimiterKind::AdaptiveRate(_) | LimiterKind::TokenBucket(_) | LimiterKind::Concurrency(_) => None,
        }
    }
}

/// What becomes of an attempt that wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It goes.
    Now,
    /// It goes after this time, and is counted already.
    After(Interval),
    /// It never goes.
    Shed,
    /// It waits until another is released, behind those that wait already. It is not counted yet.
    Queue,
}

/// A limiter's state. It is always called with the configuration that made it.
#[derive(Debug, Clone, PartialEq)]
pub enum Limiter {
    /// See [`LimiterKind::AdaptiveThrottle`].
    AdaptiveThrottle(AdaptiveThrottle),
    /// See [`LimiterKind::AdaptiveRate`]; boxed, for it is large and there may be millions.
    AdaptiveRate(Box<AdaptiveRate>),
    /// See [`LimiterKind::TokenBucket`].
    TokenBucket(TokenBucket),
    /// See [`LimiterKind::Concurrency`].
    Concurrency {
        /// Attempts under way.
        under_way: u64,
    },
}

impl Limiter {
    /// The limiter at the start of a run.
    pub fn new(config: &LimiterConfig) -> Self {
        match &config.kind {
            LimiterKind::AdaptiveThrottle(_) => Self::AdaptiveThrottle(AdaptiveThrottle::default()),
            LimiterKind::AdaptiveRate(_) => Self::AdaptiveRate(Box::new(AdaptiveRate::new())),
            LimiterKind::TokenBucket(config) => Self::TokenBucket(TokenBucket::new(config)),
            LimiterKind::Concurrency(_) => Self::Concurrency { under_way: 0 },
        }
    }

    /// An attempt wants to go at `now`; `bits` are 64 random ones, which only [`Admission::Shed`] depends on.
    pub fn acquire(&mut self, config: &LimiterConfig, now: Instant, bits: u64) -> Admission {
        match (self, &config.kind) {
            (Self::AdaptiveThrottle(state), LimiterKind::AdaptiveThrottle(config)) => {
                state.acquire(config, now, bits)
            }
            (Self::AdaptiveRate(state), _) => state.acquire(now),
            (Self::TokenBucket(state), LimiterKind::TokenBucket(config)) => state.acquire(config, now),
            (Self::Concurrency { under_way }, LimiterKind::Concurrency(most)) => {
                if *under_way >= most.get() {
                    return Admission::Queue;
                }
                *under_way += 1;
                Admission::Now
            }
            _ => Admission::Now,
        }
    }

    /// The outcome of an attempt that went is known: `accepted` unless the service could not do the work
    /// ([`Outcome::blames_service`](crate::outcome::Outcome::blames_service)), `throttled` if it said that it
    /// is too much (429).
    pub fn on_outcome(&mut self, config: &LimiterConfig, now: Instant, accepted: bool, throttled: bool) {
        match (self, &config.kind) {
            (Self::AdaptiveThrottle(state), LimiterKind::AdaptiveThrottle(config)) => {
                state.on_outcome(config, now, accepted);
            }
            (Self::AdaptiveRate(state), _) => state.on_outcome(now, throttled),
            _ => {}
        }
    }

    /// An attempt that went is under way no more: the first of those that queue may ask again.
    pub const fn release(&mut self) {
        if let Self::Concurrency { under_way } = self {
            *under_way -= 1;
        }
    }

    /// The probability with which the next attempt would be shed, as of the last call; 0 in kinds that never shed.
    pub fn rejection(&self, config: &LimiterConfig) -> f64 {
        match (self, &config.kind) {
            (Self::AdaptiveThrottle(state), LimiterKind::AdaptiveThrottle(config)) => state.rejection(config),
            _ => 0.0,
        }
    }
}
