//! What a refusal says about when to come back.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::time::{Instant, Interval};
use crate::units::Amount;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;

/// What the Retry-After header of a refusal says, or what takes its place (a reset header, a field of the body). The wait
/// is the time until the attempt could pass if nobody else called meanwhile. Instants count from the start of the run,
/// which is taken to be a whole second of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterHeader {
    /// The wait rounded up to whole seconds, as HTTP's integer form must.
    #[default]
    Seconds,
    /// The wait rounded down to whole seconds, a widespread mistake: who obeys comes too early, after 0 s at once.
    SecondsDown,
    /// The second in which an attempt could pass, as an HTTP date, which has no fractions: rounded up. Who receives it waits
    /// until then, so all wait for the same instant.
    Date,
    /// The wait to the nanosecond.
    Exact,
    /// The wait rounded up to whole minutes (Meta's `estimated_time_to_regain_access`).
    Minutes,
    /// The time until the limit is as good as new, rounded up to whole seconds (`RateLimit-Reset`).
    ResetSeconds,
    /// The instant at which the limit is as good as new, in whole seconds of the clock, cut (GitHub's `x-ratelimit-reset`).
    ResetEpoch,
    /// There is no header.
    None,
    /// Always the same, whatever the state.
    Constant(Interval),
    /// The wait times a factor, to the nanosecond: a service that is mistaken.
    Wrong(Wrong),
}

/// How wrong a hint is.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// What the wait is multiplied by, 0 to 100.
    pub times: Amount,
}

impl RetryAfterHeader {
    /// True if it says when the limit is as good as new, not when an attempt could pass.
    pub(super) const fn tells_reset(self) -> bool {
        matches!(self, Self::ResetSeconds | Self::ResetEpoch)
    }

    /// The header of a refusal at `now`, if `time` is the wait, or the time to the reset if it tells that.
    pub(super) fn of(self, now: Instant, time: Interval) -> Option<RetryAfter> {
        match self {
            Self::Seconds | Self::ResetSeconds => Some(RetryAfter::In(time.ceil_to_seconds())),
            Self::SecondsDown => Some(RetryAfter::In(Interval::from_secs(time.as_nanos() / SECOND))),
            Self::Date => Some(RetryAfter::At((now + time).ceil_to_seconds())),
            Self::Exact => Some(RetryAfter::In(time)),
            Self::Minutes => {
                Some(RetryAfter::In(Interval::from_nanos(MINUTE).times(time.as_nanos().div_ceil(MINUTE))))
            }
            Self::ResetEpoch => {
                let reset = (now + time).as_nanos();
                Some(RetryAfter::At(Instant::from_nanos(reset - reset % SECOND)))
            }
            Self::None => None,
            Self::Constant(wait) => Some(RetryAfter::In(wait)),
            Self::Wrong(wrong) => Some(RetryAfter::In(time.scale(wrong.times.get()))),
        }
    }
}

/// What a Retry-After header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// To wait so long from when it is received.
    In(Interval),
    /// To wait until then.
    At(Instant),
}

impl RetryAfter {
    /// What one has to wait who receives it at `received`.
    pub fn wait(self, received: Instant) -> Interval {
        match self {
            Self::In(wait) => wait,
            Self::At(instant) => instant.since(received),
        }
    }
}
