//! The condition: which outcomes are worth another try.

use serde::Deserialize;

use crate::outcome::{Outcome, StatusCode};

/// Statuses that usually pass: too many requests, and the service's own troubles.
const TRANSIENT: [u16; 5] = [429, 500, 502, 503, 504];

/// Which outcomes are retried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryOn {
    /// Status 429, 500, 502, 503 and 504, timeouts, and refusals of an open breaker.
    #[default]
    Transient,
    /// Every failure, whatever it is (what raising inside a Prefect task does).
    AnyFailure,
    /// Exactly what is listed.
    Only(Only),
}

/// A list of retryable outcomes; what is absent is not retried.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// Status codes.
    #[serde(default)]
    pub status: Vec<StatusCode>,
    /// Timeouts of the client.
    #[serde(default)]
    pub timeout: bool,
    /// Refusals of an open breaker.
    #[serde(default)]
    pub breaker_open: bool,
}

impl RetryOn {
    /// True if `outcome` is retried.
    pub fn includes(&self, outcome: Outcome) -> bool {
        match (self, outcome) {
            (_, outcome) if outcome.is_success() => false,
            (Self::AnyFailure, _) | (Self::Transient, Outcome::Timeout | Outcome::BreakerOpen) => true,
            (Self::Transient, Outcome::Status(code)) => TRANSIENT.contains(&code.get()),
            (Self::Only(only), Outcome::Status(code)) => only.status.contains(&code),
            (Self::Only(only), Outcome::Timeout) => only.timeout,
            (Self::Only(only), Outcome::BreakerOpen) => only.breaker_open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: i64) -> Outcome {
        Outcome::Status(toml::Value::Integer(code).try_into().unwrap())
    }

    #[test]
    fn transient_is_the_selective_retry_of_the_guide() {
        for code in [429, 500, 502, 503, 504] {
            assert!(RetryOn::Transient.includes(status(code)), "{code}");
        }
        for code in [200, 204, 400, 401, 403, 404, 501] {
            assert!(!RetryOn::Transient.includes(status(code)), "{code}");
        }
        assert!(RetryOn::Transient.includes(Outcome::Timeout));
        assert!(RetryOn::Transient.includes(Outcome::BreakerOpen));
    }

    #[test]
    fn any_failure_retries_even_what_can_never_work() {
        assert!(RetryOn::AnyFailure.includes(status(400)));
        assert!(!RetryOn::AnyFailure.includes(status(201)));
    }

    #[test]
    fn a_list_retries_exactly_what_it_lists() {
        let only: Only = toml::from_str("status = [409, 503]\ntimeout = true").unwrap();
        let condition = RetryOn::Only(only);
        for (outcome, retried) in [
            (status(409), true),
            (status(503), true),
            (status(500), false),
            (Outcome::Timeout, true),
            (Outcome::BreakerOpen, false),
        ] {
            assert_eq!(condition.includes(outcome), retried, "{outcome}");
        }
    }
}
