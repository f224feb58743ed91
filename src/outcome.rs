//! What can come back from an attempt, and how a request can end: the words that every storey shares.

use std::fmt;

use serde::de::{Deserialize, Deserializer};

use crate::units::Count;

/// An HTTP status code, 100 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// What one attempt gave its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The service answered with this status.
    Status(StatusCode),
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
    /// the 4xx blame the request, which a healthy service answers so as well.
    pub const fn blames_service(self) -> bool {
        match self {
            Self::Status(code) => code.0 / 100 == 5 || self.is_throttling(),
            Self::Timeout | Self::ConnectionError => true,
            Self::BreakerOpen | Self::Shed => false,
        }
    }

    /// True if the service says that it is called too often.
    pub const fn is_throttling(self) -> bool {
        matches!(self, Self::Status(StatusCode::TOO_MANY_REQUESTS))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "{}", code.0),
            Self::Timeout => f.write_str("timeout"),
            Self::ConnectionError => f.write_str("connection_error"),
            Self::BreakerOpen => f.write_str("breaker_open"),
            Self::Shed => f.write_str("shed"),
        }
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
