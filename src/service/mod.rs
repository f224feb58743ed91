//! Services: what answers an attempt, when, and with what.
//!
//! An attempt that reaches a service meets, in this order, its incidents, its rate limit and its faults; what survives
//! all three succeeds. The answer is decided the moment the attempt arrives, because nothing that happens while the
//! service works on it can change it; only the client learns it later.

mod fault;
mod incident;
mod rate_limit;

use serde::Deserialize;

pub use fault::{FailsFirst, Fault, RandomFault};
pub use incident::{Incident, Outage};
pub use rate_limit::{
    Aligned, Caller, CallsDuring, Concurrency, FixedWindow, Gcra, LeakyBucket, LeakyQueue, LimitKind,
    LimitScope, Lockout, PerOperation, QueueDelay, RateLimitConfig, RateLimits, Rejected, Rejection,
    RetryAfter, RetryAfterHeader, Score, SlidingLimit, TokenBucket, Wrong,
};

use crate::distribution::{Distribution, Sampler};
use crate::outcome::{Outcome, StatusCode};
use crate::random::Block;
use crate::time::{Instant, Interval};

/// A service as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// The rate limits, one table or a list; none if absent. The first that refuses an attempt answers it.
    #[serde(default, deserialize_with = "rate_limit::one_or_more")]
    pub rate_limit: Vec<RateLimitConfig>,
    /// How long an attempt takes that the service works on, whether it succeeds or fails; 0s if absent.
    #[serde(default = "at_once")]
    pub latency: Distribution,
    /// How long it takes to be turned away, by the rate limit or by an outage; 0s if absent.
    #[serde(default = "at_once")]
    pub rejection_latency: Distribution,
    /// Ways of failing that are always there.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Faults with a time window.
    #[serde(default)]
    pub incidents: Vec<Incident>,
}

const fn at_once() -> Distribution {
    Distribution::Constant(Interval::ZERO)
}

impl ServiceConfig {
    /// What is wrong with the fields taken together: (path below the service, message) for each problem.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (field, law) in [("latency", &self.latency), ("rejection_latency", &self.rejection_latency)] {
            problems.extend(law.problem().map(|message| (field.to_owned(), message)));
        }
        let faults =
            self.faults.iter().enumerate().map(|(index, fault)| (format!("faults.{index}"), fault.outcome()));
        let incidents = self.incidents.iter().enumerate();
        let incidents = incidents
            .map(|(index, incident)| (format!("incidents.{index}"), Outcome::Status(incident.status())));
        for (path, outcome) in faults.chain(incidents).filter(|(_, outcome)| outcome.is_success()) {
            problems
                .push((path, format!("status {outcome} is a success, not a failure: write for example 503")));
        }
        for (index, limit) in self.rate_limit.iter().enumerate() {
            let path =
                if self.rate_limit.len() == 1 { "rate_limit".into() } else { format!("rate_limit.{index}") };
            problems.extend(limit.problem().map(|message| (path, message)));
        }
        let total: f64 = self.faults.iter().map(Fault::probability).sum();
        if total > 1.0 {
            problems.push((
                "faults".into(),
                format!("the probabilities of the random faults add up to {total}: they must stay within 1"),
            ));
        }
        for (index, incident) in self.incidents.iter().enumerate() {
            problems.extend(incident.problem().map(|message| (format!("incidents.{index}"), message)));
        }
        problems
    }

    /// The tightest limit in attempts per second of all clients together, for reports.
    pub fn limit_per_second(&self) -> Option<f64> {
        rate_limit::per_second(&self.rate_limit)
    }

    /// The most attempts of all clients together that pass within `window`, for reports.
    pub fn allowance(&self, window: Interval) -> Option<f64> {
        rate_limit::allowance(&self.rate_limit, window)
    }
}

/// A service's state during a run.
#[derive(Debug, Clone)]
pub struct Service {
    rate_limits: RateLimits,
    latency: Sampler,
    rejection_latency: Sampler,
    faults: Vec<Fault>,
    incidents: Vec<Incident>,
}

/// What an attempt gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What comes back, if the client waits for it.
    pub outcome: Outcome,
    /// How long after it was sent.
    pub latency: Interval,
    /// What the Retry-After header asks for, counted from the moment the answer is received.
    pub retry_after: Option<Interval>,
    /// What the service made of the attempt.
    pub verdict: Verdict,
}

/// What the service made of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Worked on, and it succeeded.
    Served,
    /// Worked on, and a fault spoiled it.
    Faulty,
    /// Turned away by the rate limit.
    Limited,
    /// Turned away by an incident.
    Down,
}

impl Verdict {
    /// True if the service spent work on the attempt.
    pub const fn is_work(self) -> bool {
        matches!(self, Self::Served | Self::Faulty)
    }
}

impl Service {
    /// The service at the start of a run.
    pub fn new(config: &ServiceConfig) -> Self {
        Self {
            rate_limits: RateLimits::new(&config.rate_limit, &[]),
            latency: config.latency.sampler(),
            rejection_latency: config.rejection_latency.sampler(),
            faults: config.faults.clone(),
            incidents: config.incidents.clone(),
        }
    }

    /// Answers the `attempt`-th attempt of a request that reaches it (from 1), which arrives at `now`. The first random word decides on faults, the
    /// second on latency.
    pub fn answer(&mut self, now: Instant, attempt: u32, bits: Block) -> Answer {
        if let Some(status) = self.incidents.iter().find_map(|incident| incident.strikes(now)) {
            return self.turn_away(now, Outcome::Status(status), None, Verdict::Down, bits);
        }
        // One caller and one operation, until the simulation tells them apart.
        let caller = Caller::default();
        let held = match self.rate_limits.admit(now, &caller) {
            Ok(held) => held,
            Err(Rejection { outcome, retry_after, .. }) => {
                return self.turn_away(now, outcome, retry_after, Verdict::Limited, bits);
            }
        };
        let works = held + self.latency.sample(bits[1]);
        if self.rate_limits.tracks_ends() {
            self.rate_limits.ends_at(&caller, now, now + works);
        }
        let fault = fault::first_to_strike(&self.faults, attempt, bits[0]);
        let outcome = fault.unwrap_or(Outcome::Status(StatusCode::OK));
        Answer {
            outcome,
            latency: comes_after(outcome, works),
            retry_after: None,
            verdict: if fault.is_some() { Verdict::Faulty } else { Verdict::Served },
        }
    }

    fn turn_away(
        &self,
        now: Instant,
        outcome: Outcome,
        header: Option<RetryAfter>,
        verdict: Verdict,
        bits: Block,
    ) -> Answer {
        let latency = comes_after(outcome, self.rejection_latency.sample(bits[1]));
        let retry_after = header.map(|header| header.wait(now + latency));
        Answer { outcome, latency, retry_after, verdict }
    }
}

/// When the client gets an answer that the service has after `latency`: never, if the outcome is that nothing comes.
fn comes_after(outcome: Outcome, latency: Interval) -> Interval {
    if outcome == Outcome::Timeout { Interval::MAX } else { latency }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(text: &str) -> Service {
        Service::new(&toml::from_str(text).unwrap())
    }

    #[test]
    fn incidents_come_before_the_limit_and_the_limit_before_faults() {
        let mut service = service(
            "rate_limit.token_bucket = { rate = '1/s', burst = 1 }\n\
             latency.constant = '2s'\nrejection_latency.constant = '20ms'\n\
             [[faults]]\nrandom = { status = 500, probability = 1.0 }\n\
             [[incidents]]\noutage = { from = '10s', lasts = '5s', status = 502 }",
        );
        let mut answer = |seconds: u64| {
            let answer = service.answer(Instant::from_nanos(seconds * 1_000_000_000), 1, [0; 2]);
            (answer.outcome, answer.verdict, answer.latency)
        };
        let (slow, fast) = (Interval::from_secs(2), Interval::from_millis(20));
        let status = |code| Outcome::Status(StatusCode::of(code));
        assert_eq!(
            answer(0),
            (status(500), Verdict::Faulty, slow),
            "the token is taken, then the fault strikes"
        );
        assert_eq!(answer(0), (status(429), Verdict::Limited, fast));
        assert_eq!(answer(10), (status(502), Verdict::Down, fast), "the outage begins at its first instant");
        assert_eq!(answer(14), (status(502), Verdict::Down, fast), "and takes no token");
        assert_eq!(answer(15), (status(500), Verdict::Faulty, slow), "its last instant is not part of it");
    }

    #[test]
    fn a_call_that_a_limit_holds_takes_longer_and_keeps_its_place_until_its_answer() {
        let mut service = service(
            "latency.constant = '2s'\n[[rate_limit]]\nleaky_queue = { rate = '1/s', burst = 5 }\n\
             [[rate_limit]]\nconcurrency.limit = 2\nstatus = 'error_615'",
        );
        let mut answer = |millis: u64| {
            let answer = service.answer(Instant::from_nanos(millis * 1_000_000), 1, [0; 2]);
            (answer.outcome, answer.latency)
        };
        let ok = Outcome::Status(StatusCode::OK);
        assert_eq!(answer(0), (ok, Interval::from_secs(2)));
        assert_eq!(answer(0), (ok, Interval::from_secs(3)), "it is held for a second");
        assert_eq!(answer(1999), (Outcome::Error(615), Interval::ZERO));
        assert_eq!(answer(2000), (ok, Interval::from_secs(2)), "the first is answered");
        assert_eq!(answer(2999), (Outcome::Error(615), Interval::ZERO));
        assert_eq!(answer(3000).0, ok, "so is the second");
    }

    #[test]
    fn where_no_answer_comes_the_client_waits_until_its_timeout() {
        let mut service = service("faults = [{ random = { status = 'no_answer', probability = 1.0 } }]");
        let answer = service.answer(Instant::START, 1, [0; 2]);
        assert_eq!((answer.outcome, answer.latency), (Outcome::Timeout, Interval::MAX));
    }

    #[test]
    fn fields_that_contradict_each_other_are_explained() {
        let config: ServiceConfig = toml::from_str(
            "latency.uniform = { min = '2s', max = '1s' }\n\
             [[faults]]\nrandom = { status = 500, probability = 0.7 }\n\
             [[faults]]\nrandom = { status = 503, probability = 0.7 }\n\
             [[incidents]]\noutage = { from = '10s', lasts = '0s' }",
        )
        .unwrap();
        let fields: Vec<_> = config.problems().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["latency", "faults", "incidents.0"]);
    }
}
