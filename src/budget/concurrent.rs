//! A budget of retries under way: so many at once, or a share of all that is under way.
//!
//! Sources: Envoy `ResourceManagerImpl::RetryBudgetImpl` and `RetryStateImpl::shouldRetry` (`max_retries` 3, or
//! `retry_budget` of 20 % and at least 3); failsafe-go 0.9.7 `budget`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Grant;
use super::amount::{ONE, Portion};
use crate::units::Count;

/// A limit on retries under way, as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcurrentConfig {
    /// So many retries may be under way at once, whatever else is.
    #[serde(default = "three")]
    pub at_least: Count<0, 1_000_000_000>,
    /// Or so many as this share of all that is under way: 0 to 1; none if absent.
    #[serde(default)]
    pub share: Portion,
    /// Whose counting it is.
    #[serde(default)]
    pub like: ConcurrentLike,
}

const fn three() -> Count<0, 1_000_000_000> {
    Count::of(3)
}

/// Whose counting a limit on retries under way follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConcurrentLike {
    /// Envoy: a retry is under way from the decision, its backoff included; allowed if fewer than the larger of `at_least`
    /// and `share` (rounded down) of the attempts under way, the one that just failed included.
    #[default]
    Envoy,
    /// failsafe-go: asked when the backoff is over; refused if at least `at_least` are under way and they are more than
    /// `share` of requests (from their start to their end) and retries together.
    FailsafeGo,
}

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConcurrentState {
    retries: u32,
    /// Envoy: attempts under way; failsafe-go: requests under way.
    active: u32,
}

impl ConcurrentState {
    pub(super) const fn on_request(&mut self) {
        self.active += 1;
    }

    pub(super) fn on_retry(&mut self, config: &ConcurrentConfig) {
        if config.like == ConcurrentLike::Envoy {
            self.active += 1;
        }
    }

    pub(super) fn on_outcome(&mut self, config: &ConcurrentConfig) {
        if config.like == ConcurrentLike::Envoy {
            self.active -= 1;
        }
    }

    pub(super) fn on_request_end(&mut self, config: &ConcurrentConfig) {
        if config.like == ConcurrentLike::FailsafeGo {
            self.active -= 1;
        }
    }

    pub(super) const fn on_retry_end(&mut self) {
        self.retries -= 1;
    }

    pub(super) fn try_retry(&mut self, config: &ConcurrentConfig) -> Option<Grant> {
        let (retries, active, share) = (u64::from(self.retries), u64::from(self.active), config.share.get());
        let allowed = match config.like {
            ConcurrentLike::Envoy => retries < config.at_least.get().max((active + 1) * share / ONE),
            ConcurrentLike::FailsafeGo => {
                retries < config.at_least.get() || retries * ONE <= (active + retries) * share
            }
        };
        allowed.then(|| {
            self.retries += 1;
            Grant::FREE
        })
    }
}
