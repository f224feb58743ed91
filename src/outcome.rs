//! What can come back from an attempt, and how a request can end: the words that every storey shares.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::value::I64Deserializer;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::schema::{ConnectionError, Either, NoAnswer};
use crate::units::Count;

/// An HTTP status code, 100 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(with = "Count<100, 599>", inline, description = "A status code.")]
pub struct StatusCode(u16);

impl StatusCode {
    /// 200, the answer to an attempt that worked.
    pub const OK: Self = Self(200);
    /// 429, the answer of a rate limit.
    pub const TOO_MANY_REQUESTS: Self = Self(429);
    /// 500, the answer of a failing service that says nothing else.
    pub const INTERNAL_SERVER_ERROR: Self = Self(500);

    /// 503, the answer of a service that is down.
    pub const SERVICE_UNAVAILABLE: Self = Self(503);

    /// The code `code`, which the caller knows to be one.
    pub const fn of(code: u16) -> Self {
        assert!(100 <= code && code <= 599);
        Self(code)
    }

    /// The code as a number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// True for 2xx.
    pub const fn is_success(self) -> bool {
        self.0 / 100 == 2
    }
}

impl<'de> Deserialize<'de> for StatusCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Count::<100, 599>::deserialize(deserializer).map(|code| Self(code.get() as u16))
    }
}

/// What the word of an error that the body names begins with.
const ERROR: &str = "error_";

/// The error that a word such as `error_606` names, from `error_0` to `error_4294967295`.
pub fn named_error(word: &str) -> Option<u32> {
    word.strip_prefix(ERROR)
        .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|number| number.parse().ok())
}

/// What one attempt gave its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The service answered with this status.
    Status(StatusCode),
    /// The service answered 200, and the body names this error (Marketo's 606, Meta's 17 and 80004): `error_606`.
    Error(u32),
    /// The client stopped waiting.
    Timeout,
    /// The connection could not be made, or broke.
    ConnectionError,
    /// The breaker refused to send the attempt.
    BreakerOpen,
    /// The client's own limiter refused to send the attempt.
    Shed,
}

impl Outcome {
    /// True if the attempt did what was wanted.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Status(code) if code.is_success())
    }

    /// True if the attempt left the client: its outcome says something about the service.
    pub const fn was_sent(self) -> bool {
        !matches!(self, Self::BreakerOpen | Self::Shed)
    }

    /// True if the service, or the way to it, could not do the work: 429, 5xx, a timeout, a connection error. The rest of
    /// the 4xx blame the request, which a healthy service answers so as well. An error that only the body names does not
    /// either: who judges by the status has seen a 200.
    pub const fn blames_service(self) -> bool {
        match self {
            Self::Status(code) => code.0 / 100 == 5 || self.is_throttling(),
            Self::Timeout | Self::ConnectionError => true,
            Self::Error(_) | Self::BreakerOpen | Self::Shed => false,
        }
    }

    /// True if the service says that it is called too often, by the status that exists for it; which errors in a body mean
    /// the same, only the client of that one service could know.
    pub const fn is_throttling(self) -> bool {
        matches!(self, Self::Status(StatusCode::TOO_MANY_REQUESTS))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "{}", code.0),
            Self::Error(code) => write!(f, "{ERROR}{code}"),
            Self::Timeout => f.write_str("timeout"),
            Self::ConnectionError => f.write_str("connection_error"),
            Self::BreakerOpen => f.write_str("breaker_open"),
            Self::Shed => f.write_str("shed"),
        }
    }
}

/// An error that the body names.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", inline, extend("pattern" = "^error_[0-9]{1,10}$"))]
pub(crate) struct NamedError;

/// What an attempt comes to that fails, as written in a scenario: a status code, `"connection_error"`, `"error_606"` (status
/// 200, and the body names the error), or `"no_answer"` (nothing comes back; the client waits until its timeout).
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Either<StatusCode, Either<ConnectionError, NoAnswer>>, NamedError>")]
pub struct Failure(Outcome);

impl Failure {
    /// Status 429.
    pub const TOO_MANY_REQUESTS: Self = Self(Outcome::Status(StatusCode::TOO_MANY_REQUESTS));

    /// What comes back; [`Outcome::Timeout`] if nothing does.
    pub const fn outcome(self) -> Outcome {
        self.0
    }
}

impl<'de> Deserialize<'de> for Failure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodeOrWord;
        impl Visitor<'_> for CodeOrWord {
            type Value = Outcome;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code such as 503, \"connection_error\", \"no_answer\", or an error in the body such as \"error_606\"")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Outcome, E> {
                StatusCode::deserialize(I64Deserializer::new(number)).map(Outcome::Status)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Outcome, E> {
                match text {
                    "connection_error" => Ok(Outcome::ConnectionError),
                    "no_answer" => Ok(Outcome::Timeout),
                    _ => named_error(text).map(Outcome::Error).ok_or_else(|| {
                        E::custom(format!(
                            "\"{text}\" is no failure: write a status code such as 503, \"connection_error\", \"no_answer\", \
                             or an error that the body names such as \"error_606\""
                        ))
                    }),
                }
            }
        }
        deserializer.deserialize_any(CodeOrWord).map(Self)
    }
}

/// How a request ended. Every request ends exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// An attempt succeeded.
    Succeeded,
    /// The answer was taken from the cache; nothing was sent.
    Cached,
    /// All retries were used up: their number was reached, or a list of delays had ended.
    Exhausted,
    /// The policy does not retry this outcome.
    NotRetryable,
    /// Time was up: `max_elapsed` had passed, the next attempt would have started after the deadline, the delays would have
    /// added up to more than `max_total_delay`, or the service asked for a longer wait than the policy accepts.
    DeadlineExceeded,
    /// The last attempt was refused by an open breaker.
    BreakerRejected,
    /// A budget allowed no retry.
    BudgetDenied,
    /// The last attempt was refused by the client's own limiter.
    ShedByClient,
    /// Still alive when the run ended.
    Unfinished,
}

impl Ending {
    /// All endings, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Succeeded,
        Self::Cached,
        Self::Exhausted,
        Self::NotRetryable,
        Self::DeadlineExceeded,
        Self::BreakerRejected,
        Self::BudgetDenied,
        Self::ShedByClient,
        Self::Unfinished,
    ];

    /// The name in CSV files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Cached => "cached",
            Self::Exhausted => "exhausted",
            Self::NotRetryable => "not_retryable",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::BreakerRejected => "breaker_rejected",
            Self::BudgetDenied => "budget_denied",
            Self::ShedByClient => "shed_by_client",
            Self::Unfinished => "unfinished",
        }
    }

    /// True if the client got what it wanted.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Cached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> Result<Outcome, String> {
        #[derive(Debug, serde::Deserialize)]
        struct Wrapper {
            status: Failure,
        }
        let read = toml::from_str::<Wrapper>(&format!("status = {text}"));
        read.map(|wrapper| wrapper.status.outcome()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_failure_is_a_status_or_a_word() {
        for (text, outcome) in [
            ("503", Outcome::Status(StatusCode::SERVICE_UNAVAILABLE)),
            ("'connection_error'", Outcome::ConnectionError),
            ("'no_answer'", Outcome::Timeout),
            ("'error_606'", Outcome::Error(606)),
            ("'error_80014'", Outcome::Error(80_014)),
        ] {
            assert_eq!(failure(text), Ok(outcome), "{text}");
        }
        for text in ["'error_'", "'error_+1'", "'error_4294967296'", "'soon'", "99"] {
            let message = failure(text).expect_err(text);
            assert!(
                message.contains("error_606") || message.contains("from 100 to 599"),
                "{text}: {message}"
            );
        }
    }

    #[test]
    fn an_error_in_a_body_is_a_failure_that_only_who_reads_the_body_blames_on_the_service() {
        let error = Outcome::Error(606);
        assert_eq!(error.to_string(), "error_606");
        assert!(!error.is_success() && error.was_sent());
        assert!(!error.blames_service() && !error.is_throttling());
    }
}
