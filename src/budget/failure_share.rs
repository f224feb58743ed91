//! No retries while too large a share of all attempts has failed, since the very beginning.
//!
//! Source: the "circuit breaker" of M. Brooker's simulation "Fixing retries with token buckets and circuit breakers" (2022):
//! it cuts off retries only, first attempts always pass, and it never forgets.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Grant;
use super::amount::{ONE, Portion};

/// A limit on the share of failures, as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureShareConfig {
    /// Retries are refused while failed attempts divided by requests are more than this: 0 to 1.
    pub at_most: Portion,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FailureShareState {
    requests: u64,
    failures: u64,
}

impl FailureShareState {
    pub(super) const fn on_request(&mut self) {
        self.requests += 1;
    }

    pub(super) const fn on_failure(&mut self) {
        self.failures += 1;
    }

    /// The failure that asks has been counted by `on_failure` already.
    pub(super) fn try_retry(&self, config: FailureShareConfig) -> Option<Grant> {
        (self.failures * ONE <= self.requests * config.at_most.get()).then_some(Grant::FREE)
    }
}
