//! Retry policies: what a client does after every outcome.
//!
//! A policy is one decision, `decide(outcome, history) -> Retry(delay) | GiveUp(ending)`, composed of small parts in a
//! fixed order that libraries get wrong in a dozen ways, so each step has its own name:
//!
//! 1. the condition ([`RetryOn`]) says whether this outcome is retried at all;
//! 2. the schedule ([`Schedule`]) gives the delay of the n-th retry: backoff, cap, jitter, cap and floor, rounding;
//! 3. the Retry-After rule ([`RetryAfterRule`]) may replace the result by what the service asked for;
//! 4. the stops (`retries`, `max_elapsed`, `deadline`, `max_total_delay`, the end of a list) may end the request instead:
//!    [`Ending::Exhausted`] if retries or delays are used up, [`Ending::DeadlineExceeded`] if the time is.
//!
//! The policy is pure: it knows no clock and keeps no state. What it must remember of a request is in [`History`].

mod config;
mod retry_after;
mod stop;

pub use config::{ByIdempotence, CacheConfig, DuringBackoff, OnFailure, PolicyConfig, RetryOn};
pub use retry_after::{ObeyWith, RetryAfterRule};
pub use stop::{AtLimit, Deadline, Late, Retries, StopWhen};

use crate::outcome::{Ending, Outcome};
use crate::outcomes::Outcomes;
use crate::random::Block;
use crate::schedule::Schedule;
use crate::time::Interval;
use retry_after::Advice;

/// The most retries of one request, whatever the policy: a run must end even if a deadline is far and the delays short.
pub const MAX_RETRIES: u64 = 1_000_000;

/// The most policies inside each other.
pub const MAX_LAYERS: usize = 4;

/// A [`PolicyConfig`] ready to decide.
#[derive(Debug, Clone)]
pub struct Policy {
    retries: Option<u32>,
    schedule: Schedule,
    throttled: Option<Schedule>,
    max_elapsed: Option<Interval>,
    deadline: Option<Deadline>,
    max_total_delay: Option<Interval>,
    stop_when: StopWhen,
    retry_on: Outcomes,
    retry_after: RetryAfterRule,
}

/// What a policy may know of a request when it decides.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// Attempts made so far, at least 1; also the number of the retry being decided.
    pub attempts: u32,
    /// Time since the first attempt.
    pub elapsed: Interval,
    /// Number of the request, for those who hash it.
    pub request: u64,
    /// What the decision before left.
    pub memory: Memory,
}

/// What a policy remembers from one decision to the next; empty before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Where a jitter that walks has got to.
    walk: Interval,
    /// All delays so far.
    total: Interval,
    /// How many attempts had been made when the backoff last began anew.
    restarted: u32,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this delay.
    Retry(Delay),
    /// End the request.
    GiveUp(Ending),
}

/// A delay and where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// How long to wait, from the moment the outcome was known.
    pub wait: Interval,
    /// To be remembered as [`History::memory`].
    pub memory: Memory,
    /// True if the wait came from a Retry-After header; not if the header asked for less than was waited anyway.
    pub asked: bool,
}

impl Policy {
    /// Prepares the decision for an operation that is `idempotent`, or not.
    pub fn new(config: &PolicyConfig, idempotent: bool) -> Self {
        let delays = config.max_retries().unwrap_or(MAX_RETRIES) as u32;
        Self {
            retries: config.counted_retries().map(|retries| retries as u32),
            schedule: Schedule::new(&config.schedule(), delays),
            throttled: config.throttled.as_ref().map(|schedule| Schedule::new(schedule, delays)),
            max_elapsed: config.max_elapsed,
            deadline: config.deadline,
            max_total_delay: config.max_total_delay,
            stop_when: config.stop_when,
            retry_on: config.retry_on.outcomes(idempotent),
            retry_after: config.retry_after.clone(),
        }
    }

    /// True if a decision depends on what the one before left.
    pub fn remembers(&self) -> bool {
        let schedules = std::iter::once(&self.schedule).chain(&self.throttled);
        self.max_total_delay.is_some()
            || self.retry_after.restarts_backoff()
            || schedules.into_iter().any(Schedule::walks)
    }

    /// True if such an outcome is retried while retries are left; `header` says whether it came with a Retry-After.
    pub fn would_retry(&self, outcome: Outcome, header: bool) -> bool {
        self.retry_on.includes(outcome, header)
    }

    /// Decides after `outcome`, which is not a success. `retry_after` is what the service asked for, `bits` the random
    /// bits addressed to a retry by its number: the first word is for the jitter, the second for the spread of a
    /// Retry-After.
    #[inline]
    pub fn decide(
        &self,
        outcome: Outcome,
        retry_after: Option<Interval>,
        history: &History,
        bits: &dyn Fn(u32) -> Block,
    ) -> Decision {
        self.delay(outcome, retry_after, history, bits).map_or_else(
            |ending| {
                Decision::GiveUp(match outcome {
                    Outcome::BreakerOpen => Ending::BreakerRejected,
                    Outcome::Shed => Ending::ShedByClient,
                    _ => ending,
                })
            },
            Decision::Retry,
        )
    }

    #[inline]
    fn delay(
        &self,
        outcome: Outcome,
        retry_after: Option<Interval>,
        history: &History,
        bits: &dyn Fn(u32) -> Block,
    ) -> Result<Delay, Ending> {
        if !self.retry_on.includes(outcome, retry_after.is_some()) {
            return Err(Ending::NotRetryable);
        }
        if u64::from(history.attempts) > MAX_RETRIES {
            return Err(Ending::Exhausted);
        }
        if let Some(ending) = self.stops_now(history) {
            return Err(ending);
        }
        let mut memory = history.memory;
        let n = history.attempts - memory.restarted;
        let schedule = match &self.throttled {
            Some(throttled) if outcome.is_throttling() => throttled,
            _ => &self.schedule,
        };
        let least = match (&self.retry_after, retry_after) {
            (RetryAfterRule::AtLeastBeforeJitter, Some(asked)) => asked,
            _ => Interval::ZERO,
        };
        let luck = |retry| bits(memory.restarted + retry);
        let step = schedule.step(n, memory.walk, history.request, &luck, least).ok_or(Ending::Exhausted)?;
        memory.walk = step.walk;
        let advice = retry_after.map_or(Advice::Backoff, |asked| {
            self.retry_after.advice(outcome, asked, step.delay, || bits(history.attempts)[1])
        });
        let (mut wait, asked) = match advice {
            Advice::Backoff => (step.delay, step.raised),
            Advice::Wait(wait) => (wait, true),
            Advice::GiveUp => return Err(Ending::DeadlineExceeded),
        };
        if asked && self.retry_after.restarts_backoff() {
            memory.restarted = history.attempts;
        }
        if let Some(ending) = self.stops_with(history, &mut wait) {
            return Err(ending);
        }
        memory.total += wait;
        Ok(Delay { wait, memory, asked })
    }

    /// How the request ends, if it does whatever the next delay is. If the retries are used up as well as the time, that is
    /// the reason.
    fn stops_now(&self, history: &History) -> Option<Ending> {
        let by_count = self.retries.map(|retries| history.attempts > retries);
        let by_time = self.max_elapsed.map(|limit| history.elapsed >= limit);
        let stops = match self.stop_when {
            StopWhen::Any => by_count == Some(true) || by_time == Some(true),
            StopWhen::All => {
                let late = self.deadline.map(|deadline| deadline.is_late(history.elapsed));
                let total = self.max_total_delay.map(|limit| history.memory.total > limit);
                [by_count, by_time, late, total].into_iter().flatten().all(|reached| reached)
            }
        };
        let reason = if by_count == Some(true) { Ending::Exhausted } else { Ending::DeadlineExceeded };
        stops.then_some(reason)
    }

    /// How the request ends if it would wait so long; a deadline may shorten the wait instead.
    fn stops_with(&self, history: &History, wait: &mut Interval) -> Option<Ending> {
        if self.stop_when == StopWhen::All {
            return None;
        }
        if let Some(deadline) = self.deadline
            && deadline.is_late(history.elapsed + *wait)
        {
            let left = deadline.within - history.elapsed;
            if deadline.late == Late::GiveUp || left.is_zero() {
                return Some(Ending::DeadlineExceeded);
            }
            *wait = left;
        }
        let total = history.memory.total + *wait;
        self.max_total_delay.is_some_and(|limit| total > limit).then_some(Ending::DeadlineExceeded)
    }
}

#[cfg(test)]
mod tests;
