//! What passes between a client and its service: a call, and what becomes of it.

use super::rate_limit::{Caller, RetryAfter};
use crate::outcome::Outcome;
use crate::random::Luck;
use crate::time::{Instant, Interval};
use crate::verdict::Verdict;

/// An attempt as its service sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// How the service names it when it leaves.
    pub index: u32,
    /// Who calls, and for what.
    pub caller: Caller,
    /// When it arrived.
    pub arrived: Instant,
    /// Which attempt of its request it is among those that have reached the service, from 1.
    pub reached: u32,
    /// Its input, if the service [tells them apart](super::Service::tells_inputs_apart).
    pub input: u64,
    /// Its luck: the first word decides on faults, the second on latency.
    pub luck: Luck,
    /// How long its answer and then its write take, if it contends for a versioned row.
    pub way: Interval,
    /// When its client stops waiting; far away if never.
    pub gives_up: Instant,
    /// True unless it is the first attempt of its request.
    pub retry: bool,
}

/// What a service does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It answers.
    Now(Answer),
    /// It holds the call for so long before it [goes in](super::Service::enter).
    Held(Interval),
    /// It takes the call in, which will leave later.
    Later {
        /// The answer if it is served.
        served: Answer,
        /// The call that had to make room for it, if one had to.
        pushed_out: Option<u32>,
    },
}

/// The answer to a call that is let go because its client has stopped waiting: never.
pub(super) const ABANDONED: Answer = Answer {
    outcome: Outcome::Timeout,
    latency: Interval::MAX,
    retry_after: None,
    verdict: Verdict::Abandoned,
};

/// What an attempt gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What comes back, if the client waits for it.
    pub outcome: Outcome,
    /// How long after the call arrived, or left if it was taken in.
    pub latency: Interval,
    /// What the Retry-After header says.
    pub retry_after: Option<RetryAfter>,
    /// What the service made of the attempt.
    pub verdict: Verdict,
}

impl Answer {
    /// An answer that was recorded, with the wait that it asked for.
    pub fn recorded(outcome: Outcome, latency: Interval, retry_after: Option<Interval>) -> Self {
        let verdict = if outcome.is_success() {
            Verdict::Served
        } else if outcome.is_throttling() {
            Verdict::Limited
        } else {
            Verdict::Faulty
        };
        Self { outcome, latency, retry_after: retry_after.map(RetryAfter::In), verdict }
    }
}
