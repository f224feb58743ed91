//! Retry policies: what a client does after every outcome.
//!
//! A policy is one decision, `decide(outcome, history) -> Retry(delay) | GiveUp(ending)`, composed of small parts in a
//! fixed order that libraries get wrong in a dozen ways, so each step has its own name:
//!
//! 1. the condition ([`RetryOn`]) says whether this outcome is retried at all;
//! 2. the backoff ([`Backoff`]) gives the deterministic delay of the n-th retry;
//! 3. `cap_before_jitter`, then the jitter ([`Jitter`]), then `cap_after_jitter`;
//! 4. the Retry-After rule ([`RetryAfterRule`]) may replace the result by what the service asked for;
//! 5. the stops (`retries`, `max_elapsed`, `deadline`) may end the request instead.
//!
//! The policy is pure: it knows no clock and keeps no state. What it must remember of a request is in [`History`].

mod backoff;
mod condition;
mod jitter;
mod retry_after;

use serde::Deserialize;

pub use backoff::Backoff;
pub use condition::{Only, RetryOn};
pub use jitter::Jitter;
pub use retry_after::{ObeyWith, RetryAfterRule};

use crate::breaker::BreakerConfig;
use crate::outcome::{Ending, Outcome};
use crate::random::Block;
use crate::time::Interval;
use crate::units::Count;
use jitter::Jitterer;

/// The most retries of one request, whatever the policy: a run must end even if a deadline is far and the delays short.
const MAX_RETRIES: u64 = 1_000_000;

/// A policy as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// How many retries at most; `retries = 3` means up to 4 attempts. If absent, `max_elapsed` or `deadline` must be given,
    /// and a request still makes at most a million retries.
    pub retries: Option<Count<0, MAX_RETRIES>>,
    /// The delay of each retry before jitter. Required unless `retries = 0`.
    pub backoff: Option<Backoff>,
    /// How the delay is randomised; not at all if absent.
    #[serde(default)]
    pub jitter: Jitter,
    /// Upper bound of the delay before jitter.
    pub cap_before_jitter: Option<Interval>,
    /// Upper bound of the delay after jitter.
    pub cap_after_jitter: Option<Interval>,
    /// Give up after a failure if at least this long has passed since the request arrived. The last delay may carry the
    /// request past it (tenacity's `stop_after_delay`).
    pub max_elapsed: Option<Interval>,
    /// Give up if the next attempt would start later than this after the request arrived (google-api-core's `timeout`).
    pub deadline: Option<Interval>,
    /// Which outcomes are retried; transient ones if absent.
    #[serde(default)]
    pub retry_on: RetryOn,
    /// What a Retry-After header does; ignored if absent.
    #[serde(default)]
    pub retry_after: RetryAfterRule,
    /// A circuit breaker around each attempt, inside the retry.
    pub breaker: Option<BreakerConfig>,
    /// Keep successes and answer later requests with the same input key from them.
    pub cache: Option<CacheConfig>,
    /// What a failed request does to its caller; raised if absent.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// Caching of successes by input key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    /// How long a success is kept, counted from the moment it was received.
    pub ttl: Interval,
}

/// What a request that ends without success does to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The caller sees the failure.
    #[default]
    Raise,
    /// The caller goes on as if nothing had happened: the work is lost, silently.
    Swallow,
}

impl PolicyConfig {
    /// What is wrong with the fields taken together: (field, message) for each problem.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let never_retries = self.retries.is_some_and(|retries| retries.get() == 0);
        match &self.backoff {
            None if !never_retries => problems.push((
                "",
                "no backoff is given: write for example `backoff.fixed = \"60s\"`, or `retries = 0` for no retry".into(),
            )),
            Some(backoff) => problems.extend(backoff.problem().map(|message| ("backoff", message))),
            None => {}
        }
        let unlimited = self.retries.is_none();
        if unlimited && self.max_elapsed.is_none() && self.deadline.is_none() {
            problems
                .push(("", "this policy never stops: give `retries`, `max_elapsed` or `deadline`".into()));
        } else if unlimited && Policy::new(self).cap_after_jitter(1_000).is_zero() {
            problems.push((
                "",
                "without a delay and without `retries` this policy would retry for ever at one instant: give `retries`, or a \
                 backoff above 0s"
                    .into(),
            ));
        }
        if self.jitter == Jitter::Decorrelated && self.backoff.as_ref().is_some_and(|b| b.delay(1).is_zero())
        {
            problems.push((
                "jitter",
                "decorrelated jitter grows from the first delay, which is 0s: give a backoff above 0s".into(),
            ));
        }
        if let RetryAfterRule::ObeyWith(ObeyWith { stretch: Some(_), add: Some(_), .. }) = self.retry_after {
            problems.push(("retry_after", "stretch and add exclude each other: give one of them".into()));
        }
        if let Some(breaker) = &self.breaker {
            let path = |field: &str| match field {
                "trip" => "breaker.trip",
                "open_for" => "breaker.open_for",
                "half_open" => "breaker.half_open",
                _ => "breaker",
            };
            problems.extend(breaker.problems().into_iter().map(|(field, message)| (path(field), message)));
        }
        problems
    }

    /// The number of attempts one request can make at most; `None` if only time stops it.
    pub fn max_attempts(&self) -> Option<u64> {
        self.retries.map(|retries| retries.get() + 1)
    }

    /// The longest that all delays of one request can last together, without Retry-After; `None` if only time stops it.
    pub fn longest_wait(&self) -> Option<Interval> {
        let policy = Policy::new(self);
        let mut total = Interval::ZERO;
        let mut previous = policy.delay_before_jitter(1);
        for retry in 1..=self.retries?.get_u32() {
            previous = policy.cap_after(self.jitter.longest(policy.delay_before_jitter(retry), previous));
            total += previous;
        }
        Some(total)
    }
}

/// A [`PolicyConfig`] ready to decide.
#[derive(Debug, Clone)]
pub struct Policy {
    retries: u32,
    /// The first delays, capped before jitter; later ones are computed.
    delays: Vec<Interval>,
    backoff: Option<Backoff>,
    jitter: Jitterer,
    cap_before: Interval,
    cap_after: Interval,
    max_elapsed: Interval,
    deadline: Interval,
    retry_on: RetryOn,
    retry_after: RetryAfterRule,
}

/// What a policy may know of a request when it decides.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// Attempts made so far, at least 1; also the number of the retry being decided.
    pub attempts: u32,
    /// Time since the request arrived.
    pub elapsed: Interval,
    /// The delay before the last attempt as the backoff gave it; zero before the first retry.
    pub previous_delay: Interval,
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
    /// What the backoff gave, to be remembered as [`History::previous_delay`].
    pub backoff: Interval,
    /// True if the wait came from a Retry-After header.
    pub asked: bool,
}

/// How many delays are computed ahead.
const DELAYS_AHEAD: u32 = 32;

impl Policy {
    /// Prepares the decision.
    pub fn new(config: &PolicyConfig) -> Self {
        let cap_before = config.cap_before_jitter.unwrap_or(Interval::MAX);
        let capped =
            |retry| config.backoff.as_ref().map_or(Interval::ZERO, |b| b.delay(retry)).min(cap_before);
        Self {
            retries: config.retries.map_or(MAX_RETRIES as u32, Count::get_u32),
            delays: (1..=DELAYS_AHEAD).map(capped).collect(),
            backoff: config.backoff.clone(),
            jitter: config.jitter.prepare(),
            cap_before,
            cap_after: config.cap_after_jitter.unwrap_or(Interval::MAX),
            max_elapsed: config.max_elapsed.unwrap_or(Interval::MAX),
            deadline: config.deadline.unwrap_or(Interval::MAX),
            retry_on: config.retry_on.clone(),
            retry_after: config.retry_after,
        }
    }

    /// Decides after `outcome`, which is not a success. `retry_after` is what the service asked for, `bits` the random
    /// bits addressed to this retry: the first word for the jitter, the second for the spread of a Retry-After.
    pub fn decide(
        &self,
        outcome: Outcome,
        retry_after: Option<Interval>,
        history: &History,
        bits: impl FnOnce() -> Block,
    ) -> Decision {
        let ended = |ending| if outcome == Outcome::BreakerOpen { Ending::BreakerRejected } else { ending };
        if !self.retry_on.includes(outcome) {
            return Decision::GiveUp(ended(Ending::NotRetryable));
        }
        if history.attempts > self.retries || history.elapsed >= self.max_elapsed {
            return Decision::GiveUp(ended(Ending::Exhausted));
        }
        let delay = self.delay(history, retry_after, bits);
        if history.elapsed + delay.wait > self.deadline {
            return Decision::GiveUp(ended(Ending::DeadlineExceeded));
        }
        Decision::Retry(delay)
    }

    fn delay(&self, history: &History, retry_after: Option<Interval>, bits: impl FnOnce() -> Block) -> Delay {
        let bits = if self.jitter.is_random() || retry_after.is_some() { bits() } else { [0; 2] };
        let retry = history.attempts;
        let previous = if retry == 1 { self.delay_before_jitter(1) } else { history.previous_delay };
        let jittered = self.jitter.apply(self.delay_before_jitter(retry), self.delays[0], previous, bits[0]);
        let backoff = self.cap_after(jittered);
        let asked = retry_after.and_then(|hint| self.retry_after.wait(hint, backoff, bits[1]));
        Delay { wait: asked.unwrap_or(backoff), backoff, asked: asked.is_some() }
    }

    fn delay_before_jitter(&self, retry: u32) -> Interval {
        match self.delays.get(retry as usize - 1) {
            Some(&delay) => delay,
            None => self.backoff.as_ref().map_or(Interval::ZERO, |b| b.delay(retry)).min(self.cap_before),
        }
    }

    /// The delay of a retry between both caps, without jitter.
    fn cap_after_jitter(&self, retry: u32) -> Interval {
        self.cap_after(self.delay_before_jitter(retry))
    }

    fn cap_after(&self, delay: Interval) -> Interval {
        delay.min(self.cap_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::StatusCode;

    fn config(text: &str) -> PolicyConfig {
        toml::from_str(text).unwrap()
    }

    fn status(code: u16) -> Outcome {
        Outcome::Status(toml::Value::Integer(code.into()).try_into::<StatusCode>().unwrap())
    }

    fn waits(text: &str, bits: u64) -> Vec<Interval> {
        let policy = Policy::new(&config(text));
        let mut history = History { attempts: 1, elapsed: Interval::ZERO, previous_delay: Interval::ZERO };
        let mut waits = Vec::new();
        while let Decision::Retry(delay) = policy.decide(status(503), None, &history, || [bits; 2]) {
            waits.push(delay.wait);
            history.attempts += 1;
            history.elapsed += delay.wait;
            history.previous_delay = delay.backoff;
        }
        waits
    }

    fn seconds(list: &[u64]) -> Vec<Interval> {
        list.iter().map(|&s| Interval::from_secs(s)).collect()
    }

    const HALF: u64 = 1 << 63;

    #[test]
    fn a_schedule_is_the_backoff_capped_jittered_and_capped_again() {
        let cases: [(&str, u64, &[u64]); 7] = [
            ("retries = 3\nbackoff.fixed = '60s'", 0, &[60, 60, 60]),
            ("retries = 4\nbackoff.list = ['1s', '5s']", 0, &[1, 5, 5, 5]),
            ("retries = 3\nbackoff.linear = { first = '2s', step = '3s' }", 0, &[2, 5, 8]),
            ("retries = 5\nbackoff.exponential = { base = '60s', factor = 2 }", 0, &[60, 120, 240, 480, 960]),
            (
                "retries = 4\nbackoff.exponential = { base = '8s', factor = 2 }\njitter = 'full'\ncap_before_jitter = '20s'",
                HALF,
                &[4, 8, 10, 10],
            ),
            (
                "retries = 4\nbackoff.exponential = { base = '8s', factor = 2 }\njitter = 'full'\ncap_after_jitter = '20s'",
                HALF,
                &[4, 8, 16, 20],
            ),
            // Decorrelated: U[10, 3 * previous]; the middle of [10, 30], of [10, 60], of [10, 105] cut at 50.
            (
                "retries = 3\nbackoff.fixed = '10s'\njitter = 'decorrelated'\ncap_after_jitter = '50s'",
                HALF,
                &[20, 35, 50],
            ),
        ];
        for (text, bits, expected) in cases {
            let rounded: Vec<_> = waits(text, bits)
                .iter()
                .map(|w| Interval::from_secs((w.as_nanos() + 1) / 1_000_000_000))
                .collect();
            assert_eq!(rounded, seconds(expected), "{text}");
        }
    }

    #[test]
    fn no_retry_means_one_attempt() {
        assert_eq!(waits("retries = 0", 0), []);
    }

    #[test]
    fn time_stops_a_policy_in_two_ways() {
        // After failures at 0, 10, 20, 30 s: 25 s have passed only at the last one.
        assert_eq!(waits("max_elapsed = '25s'\nbackoff.fixed = '10s'", 0), seconds(&[10, 10, 10]));
        // A retry at exactly the deadline may still start; one after it may not.
        assert_eq!(waits("deadline = '20s'\nbackoff.fixed = '10s'", 0), seconds(&[10, 10]));
    }

    #[test]
    fn each_stop_names_its_ending() {
        let cases = [
            ("retries = 0", status(503), Ending::Exhausted),
            ("retries = 0", Outcome::Timeout, Ending::Exhausted),
            ("retries = 0", Outcome::BreakerOpen, Ending::BreakerRejected),
            ("retries = 9\nbackoff.fixed = '1s'", status(400), Ending::NotRetryable),
            ("deadline = '5s'\nbackoff.fixed = '6s'", status(503), Ending::DeadlineExceeded),
            ("deadline = '5s'\nbackoff.fixed = '6s'", Outcome::BreakerOpen, Ending::BreakerRejected),
            ("max_elapsed = '0s'\nbackoff.fixed = '6s'", status(503), Ending::Exhausted),
        ];
        for (text, outcome, ending) in cases {
            let history = History { attempts: 1, elapsed: Interval::ZERO, previous_delay: Interval::ZERO };
            let decision = Policy::new(&config(text)).decide(outcome, None, &history, || [0; 2]);
            assert_eq!(decision, Decision::GiveUp(ending), "{text}");
        }
    }

    #[test]
    fn a_retry_after_header_is_ignored_obeyed_or_obeyed_with_jitter() {
        let hint = Some(Interval::from_secs(30));
        let cases = [
            ("", 60, false),
            ("retry_after = 'ignore'", 60, false),
            ("retry_after = 'obey'", 30, true),
            ("retry_after = 'at_least'", 60, false),
            ("retry_after.obey_with = { cap = '10s' }", 10, true),
            ("retry_after.obey_with = { cap = '35s', add = '20s' }", 35, true),
            ("retry_after.obey_with = { add = '20s' }", 40, true),
            ("retry_after.obey_with = { stretch = 0.2 }", 33, true),
        ];
        for (rule, wait, asked) in cases {
            let policy = Policy::new(&config(&format!("retries = 3\nbackoff.fixed = '60s'\n{rule}")));
            let history = History { attempts: 1, elapsed: Interval::ZERO, previous_delay: Interval::ZERO };
            let Decision::Retry(delay) = policy.decide(status(429), hint, &history, || [HALF; 2]) else {
                panic!("{rule}: gave up")
            };
            assert_eq!((delay.wait, delay.asked), (Interval::from_secs(wait), asked), "{rule}");
            // Without a header the rule changes nothing.
            let Decision::Retry(delay) = policy.decide(status(429), None, &history, || [HALF; 2]) else {
                panic!("{rule}: gave up")
            };
            assert_eq!((delay.wait, delay.asked), (Interval::from_secs(60), false), "{rule}");
        }
    }

    #[test]
    fn the_longest_wait_bounds_every_schedule() {
        for text in [
            "retries = 3\nbackoff.fixed = '60s'",
            "retries = 5\nbackoff.exponential = { base = '1s', factor = 3 }\njitter.proportional = 0.5",
            "retries = 5\nbackoff.exponential = { base = '1s', factor = 3 }\njitter = 'full'\ncap_before_jitter = '9s'",
            "retries = 6\nbackoff.fixed = '1s'\njitter = 'decorrelated'\ncap_after_jitter = '30s'",
            "retries = 4\nbackoff.fixed = '10s'\njitter.truncated_exponential = 0.5",
            "retries = 4\nbackoff.fixed = '10s'\njitter = 'equal'",
        ] {
            let longest = config(text).longest_wait().unwrap();
            let worst = waits(text, u64::MAX).into_iter().fold(Interval::ZERO, |sum, wait| sum + wait);
            let slack = Interval::from_nanos(100);
            assert!(
                worst <= longest + slack && longest <= worst + slack,
                "{text}: {worst} against {longest}"
            );
        }
    }

    #[test]
    fn fields_that_contradict_each_other_are_explained() {
        for text in [
            "retries = 3",
            "backoff.fixed = '1s'",
            "deadline = '9s'\nbackoff.fixed = '0s'",
            "retries = 3\nbackoff.fixed = '0s'\njitter = 'decorrelated'",
            "retries = 3\nbackoff.list = []",
            "deadline = '5s'\nbackoff.fixed = '1s'\ncap_after_jitter = '0s'",
            "retries = 1\nbackoff.fixed = '1s'\nretry_after.obey_with = { add = '1s', stretch = 0.5 }",
        ] {
            assert!(!config(text).problems().is_empty(), "{text}");
        }
        assert!(config("retries = 0").problems().is_empty());
    }
}
