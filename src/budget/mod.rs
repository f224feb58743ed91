//! Retry budgets: an allowance for retries that many requests share, so that retries stay a small part of the load when
//! everything fails.
//!
//! A policy decides for one request and knows nothing of the others; a budget knows only sums. It is pure state: it is told
//! what happens and when, and says whether a retry that the policy wants is paid for. In the order in which things happen to
//! a request:
//!
//! 1. [`Budget::on_request`] when it makes its first attempt;
//! 2. [`Budget::on_success`] or [`Budget::on_failure`] when the outcome of any attempt is known, then
//!    [`Budget::on_retry_end`] if that attempt was a retry;
//! 3. [`Budget::try_retry`] if the policy wants to retry: at the decision, or when the backoff is over
//!    ([`BudgetConfig::asks_at_start`]);
//! 4. [`Budget::on_retry`] when the granted retry begins, and on with 2;
//! 5. [`Budget::on_request_end`], whatever the ending.
//!
//! Every grant is followed by exactly one `on_retry_end`, also if the request ends before the retry begins, and every attempt
//! by exactly one outcome. A kind that does not care about a call does nothing.

mod amount;
mod concurrent;
mod failure_share;
#[cfg(test)]
mod tests;
mod throttle;
mod tokens;
mod window;

use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::Deserialize;

pub use amount::{Millionths, ONE, Portion, Tokens};
pub use concurrent::{ConcurrentConfig, ConcurrentLike, ConcurrentState};
pub use failure_share::{FailureShareConfig, FailureShareState};
pub use throttle::{ThrottleConfig, ThrottleState};
pub use tokens::{Arithmetic, Cost, Needs, Refund, TokensConfig, TokensState};
pub use window::{WindowConfig, WindowLike, WindowState};

use crate::schema::exactly_one;
use crate::scope::Scope;
use crate::time::Instant;

/// A budget as written in a scenario: one kind, and who shares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Written")]
#[schemars(with = "Written")]
pub struct BudgetConfig {
    /// The kind, with its parameters.
    pub kind: BudgetKind,
    /// Who shares one budget; all clients of the workload if absent.
    pub scope: Scope,
}

/// The kinds of budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetKind {
    /// A bucket of tokens: AWS SDKs.
    Tokens(TokensConfig),
    /// Failures drain, successes fill, no retry below one half: gRPC.
    Throttle(ThrottleConfig),
    /// A share of the requests in a sliding window: Finagle, tower, Linkerd.
    Window(WindowConfig),
    /// A limit on retries under way: Envoy, failsafe-go.
    Concurrent(ConcurrentConfig),
    /// A limit on the share of failures since the start.
    FailureShare(FailureShareConfig),
}

/// The fields as they stand in the file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = exactly_one(&["tokens", "throttle", "window", "concurrent", "failure_share"])))]
struct Written {
    /// A bucket of tokens: AWS SDKs.
    tokens: Option<TokensConfig>,
    /// Failures drain, successes fill, no retry below one half: gRPC.
    throttle: Option<ThrottleConfig>,
    /// A share of the requests in a sliding window: Finagle, tower, Linkerd.
    window: Option<WindowConfig>,
    /// A limit on retries under way: Envoy, failsafe-go.
    concurrent: Option<ConcurrentConfig>,
    /// A limit on the share of failures since the start.
    failure_share: Option<FailureShareConfig>,
    /// Who shares one: all clients of the workload, each client its own, or all workloads that use the policy.
    #[serde(default)]
    scope: Scope,
}

impl TryFrom<Written> for BudgetConfig {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let kinds = [
            written.tokens.map(BudgetKind::Tokens),
            written.throttle.map(BudgetKind::Throttle),
            written.window.map(BudgetKind::Window),
            written.concurrent.map(BudgetKind::Concurrent),
            written.failure_share.map(BudgetKind::FailureShare),
        ];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(Self { kind, scope: written.scope }),
            _ => Err(
                "a budget is one of `tokens`, `throttle`, `window`, `concurrent` and `failure_share`: give exactly one",
            ),
        }
    }
}

impl BudgetConfig {
    /// What is wrong with the fields taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        match &self.kind {
            BudgetKind::Tokens(config) => config.problem(),
            BudgetKind::Window(config) => config.problem(),
            BudgetKind::Throttle(_) | BudgetKind::Concurrent(_) | BudgetKind::FailureShare(_) => None,
        }
    }

    /// True if retries at one instant use it up; a limit on retries under way never is.
    pub const fn runs_dry(&self) -> bool {
        !matches!(self.kind, BudgetKind::Concurrent(_))
    }

    /// True if the budget is asked when the retry would begin, its backoff being over, and not when it is decided.
    pub fn asks_at_start(&self) -> bool {
        matches!(&self.kind, BudgetKind::Concurrent(config) if config.like == ConcurrentLike::FailsafeGo)
    }
}

/// Why an attempt failed, as far as budgets care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The service or the network failed: 5xx, a connection error.
    Transient,
    /// The service said that it is too much: 429.
    Throttled,
    /// No answer came in time.
    Timeout,
}

impl Class {
    const ALL: [Self; 3] = [Self::Transient, Self::Throttled, Self::Timeout];
}

/// Leave to retry once, to be kept with the request: a success hands the last one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// One more than it took from a bucket, in millionths of a token, so that no grant takes no room either.
    above: NonZeroU64,
}

impl Grant {
    /// Leave that took nothing from a bucket.
    const FREE: Self = Self { above: NonZeroU64::MIN };

    /// Leave that took so many millionths of a token.
    const fn of(amount: u64) -> Self {
        Self { above: NonZeroU64::MIN.saturating_add(amount) }
    }

    /// What it took from a bucket, in millionths of a token; 0 in the other kinds.
    const fn amount(self) -> u64 {
        self.above.get() - 1
    }
}

/// A budget's state: 40 bytes, and a window's slots once it is used. It is always called with the configuration that made it.
#[derive(Debug, Clone, PartialEq)]
pub enum Budget {
    /// See [`BudgetKind::Tokens`].
    Tokens(TokensState),
    /// See [`BudgetKind::Throttle`].
    Throttle(ThrottleState),
    /// See [`BudgetKind::Window`].
    Window(WindowState),
    /// See [`BudgetKind::Concurrent`].
    Concurrent(ConcurrentState),
    /// See [`BudgetKind::FailureShare`].
    FailureShare(FailureShareState),
}

impl Budget {
    /// The budget at the start of a run.
    pub fn new(config: &BudgetConfig) -> Self {
        match &config.kind {
            BudgetKind::Tokens(config) => Self::Tokens(TokensState::new(config)),
            BudgetKind::Throttle(config) => Self::Throttle(ThrottleState::new(config)),
            BudgetKind::Window(_) => Self::Window(WindowState::default()),
            BudgetKind::Concurrent(_) => Self::Concurrent(ConcurrentState::default()),
            BudgetKind::FailureShare(_) => Self::FailureShare(FailureShareState::default()),
        }
    }

    /// Tokens held as of the last call, in millionths ([`ONE`] is a token); `None` in kinds without tokens.
    pub fn level(&self) -> Option<u64> {
        match self {
            Self::Tokens(state) => Some(state.level()),
            Self::Throttle(state) => Some(state.level()),
            Self::Window(_) | Self::Concurrent(_) | Self::FailureShare(_) => None,
        }
    }

    /// A request makes its first attempt.
    pub fn on_request(&mut self, config: &BudgetConfig, now: Instant) {
        match (self, &config.kind) {
            (Self::Tokens(state), BudgetKind::Tokens(config)) => state.on_request(config, now),
            (Self::Window(state), BudgetKind::Window(config)) => state.on_request(config, now),
            (Self::Concurrent(state), _) => state.on_request(),
            (Self::FailureShare(state), _) => state.on_request(),
            _ => {}
        }
    }

    /// An attempt has failed; `retryable` if the policy's condition would retry such an outcome, whether or not any retry is
    /// left. Called before the decision.
    pub fn on_failure(&mut self, config: &BudgetConfig, retryable: bool) {
        match (self, &config.kind) {
            (Self::Throttle(state), _) => state.on_failure(retryable),
            (Self::Concurrent(state), BudgetKind::Concurrent(config)) => state.on_outcome(config),
            (Self::FailureShare(state), _) => state.on_failure(),
            _ => {}
        }
    }

    /// An attempt has succeeded; `last` is the request's last grant if it had retried.
    pub fn on_success(&mut self, config: &BudgetConfig, now: Instant, last: Option<Grant>) {
        match (self, &config.kind) {
            (Self::Tokens(state), BudgetKind::Tokens(config)) => state.on_success(config, now, last),
            (Self::Throttle(state), BudgetKind::Throttle(config)) => state.on_success(config),
            (Self::Concurrent(state), BudgetKind::Concurrent(config)) => state.on_outcome(config),
            _ => {}
        }
    }

    /// The policy wants to retry after a failure of `class`; `None` is a refusal, and takes nothing.
    pub fn try_retry(&mut self, config: &BudgetConfig, now: Instant, class: Class) -> Option<Grant> {
        match (self, &config.kind) {
            (Self::Tokens(state), BudgetKind::Tokens(config)) => state.try_retry(config, now, class),
            (Self::Throttle(state), BudgetKind::Throttle(config)) => state.try_retry(config),
            (Self::Window(state), BudgetKind::Window(config)) => state.try_retry(config, now),
            (Self::Concurrent(state), BudgetKind::Concurrent(config)) => state.try_retry(config),
            (Self::FailureShare(state), BudgetKind::FailureShare(config)) => state.try_retry(*config),
            _ => None,
        }
    }

    /// A granted retry begins.
    pub fn on_retry(&mut self, config: &BudgetConfig) {
        if let (Self::Concurrent(state), BudgetKind::Concurrent(config)) = (self, &config.kind) {
            state.on_retry(config);
        }
    }

    /// The outcome of a granted retry is known, or it will never begin.
    pub const fn on_retry_end(&mut self) {
        if let Self::Concurrent(state) = self {
            state.on_retry_end();
        }
    }

    /// A request has ended.
    pub fn on_request_end(&mut self, config: &BudgetConfig) {
        if let (Self::Concurrent(state), BudgetKind::Concurrent(config)) = (self, &config.kind) {
            state.on_request_end(config);
        }
    }
}
