//! gRPC's throttle: failures drain a bucket whether they are retried or not, and below its half nobody retries.
//!
//! Source: gRPC proposal A6, "Throttling Retry Attempts and Hedged RPCs"; grpc-go `retryThrottler` (4793ad047), where the
//! decrement comes before the comparison and stops at zero.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Grant;
use super::amount::Millionths;

/// A throttle as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThrottleConfig {
    /// Tokens at the start and at most: above 0 to 1000. A failed attempt that the policy would retry takes one.
    pub max_tokens: Millionths<1, 1_000_000_000>,
    /// Tokens that each success gives: above 0 to 1000.
    pub token_ratio: Millionths<1, 1_000_000_000>,
}

/// A throttle's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleState {
    /// Millionths of a token.
    level: u64,
}

impl ThrottleState {
    pub(super) const fn new(config: &ThrottleConfig) -> Self {
        Self { level: config.max_tokens.get() }
    }

    pub(super) const fn level(self) -> u64 {
        self.level
    }

    pub(super) const fn on_failure(&mut self, retryable: bool) {
        if retryable {
            self.level = self.level.saturating_sub(super::amount::ONE);
        }
    }

    pub(super) fn on_success(&mut self, config: &ThrottleConfig) {
        self.level = (self.level + config.token_ratio.get()).min(config.max_tokens.get());
    }

    /// The failure that asks has been counted by `on_failure` already.
    pub(super) fn try_retry(self, config: &ThrottleConfig) -> Option<Grant> {
        (2 * self.level > config.max_tokens.get()).then_some(Grant::FREE)
    }
}
