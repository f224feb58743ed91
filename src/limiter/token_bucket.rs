//! A client's own rate limit: calls that come too fast wait, each behind those that came before it.
//!
//! The arithmetic is exact, as in the service's bucket: one token is as many units as the rate's period has nanoseconds. A
//! call that waits has taken its token already, so the level may be negative. `burst = 1` spaces calls evenly.
//!
//! Sources: bottleneck 2.19.5 (`minTime` is a burst of 1; `reservoir` refills differently), @octokit/plugin-throttling 11
//! (writes at 1/s), clients written for Notion's average of 3 requests per second.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Admission;
use crate::time::{Instant, Interval};
use crate::units::{Count, Rate};

/// A bucket as written in a scenario; it starts full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LimiterBucket")]
pub struct TokenBucketConfig {
    /// Attempts per time.
    pub rate: Rate,
    /// Attempts that may go at once after a rest.
    #[serde(default = "one")]
    pub burst: Count<1, 1_000_000_000>,
}

const fn one() -> Count<1, 1_000_000_000> {
    Count::of(1)
}

/// A bucket's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    /// In units of 1 / (period in nanoseconds) token; negative while attempts wait.
    level: i128,
    updated: Instant,
}

impl TokenBucket {
    pub(super) fn new(config: &TokenBucketConfig) -> Self {
        Self { level: capacity(config), updated: Instant::START }
    }

    pub(super) fn acquire(&mut self, config: &TokenBucketConfig, now: Instant) -> Admission {
        let count = i128::from(config.rate.count());
        let inflow = i128::from(now.since(self.updated).as_nanos()) * count;
        self.level = (self.level + inflow).min(capacity(config)) - token(config);
        self.updated = now;
        if self.level >= 0 {
            return Admission::Now;
        }
        let wait = self.level.unsigned_abs().div_ceil(count.unsigned_abs());
        Admission::After(Interval::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX)))
    }
}

fn token(config: &TokenBucketConfig) -> i128 {
    config.rate.per().as_nanos().into()
}

fn capacity(config: &TokenBucketConfig) -> i128 {
    i128::from(config.burst.get()) * token(config)
}
