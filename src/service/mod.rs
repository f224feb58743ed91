//! Services: what answers an attempt, when, and with what.
//!
//! An attempt that reaches a service meets, in this order, its incidents, its rate limit and its faults; what survives
//! all three succeeds. Mostly the answer is decided the moment the attempt arrives, because nothing that happens while the
//! service works on it can change it; only the client learns it later. Where calls are in each other's way, the service
//! takes the call in and says later what has become of it: it keeps its own future, and is asked for what comes
//! [`next`](Service::next).

mod contention;
mod departure;
mod fault;
mod incident;
mod rate_limit;

use serde::Deserialize;

pub use contention::{Contention, ContentionConfig};
pub use departure::{Departure, Fate};
pub use fault::{
    Bursts, ExpiredToken, FailsFirst, Failure, Fault, Faults, Overload, Poison, RandomFault, Slow, Strike,
    Struck,
};
pub use incident::{Brownout, Conditions, Incident, IncidentKind, Incidents, When};
pub use rate_limit::{FixedWindow, RateLimit, RateLimitConfig, RetryAfter, RetryAfterHeader, TokenBucket};

use crate::distribution::{Distribution, Sampler};
use crate::outcome::{Outcome, StatusCode};
use crate::random::{Block, Key, Purpose};
use crate::time::{Instant, Interval};
use crate::verdict::Verdict;

/// A service as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// The rate limit; none if absent.
    pub rate_limit: Option<RateLimitConfig>,
    /// How long an attempt takes that the service works on, whether it succeeds or fails; 0s if absent.
    #[serde(default = "at_once")]
    pub latency: Distribution,
    /// How long it takes to be turned away, by the rate limit or by an outage; 0s if absent.
    #[serde(default = "at_once")]
    pub rejection_latency: Distribution,
    /// How long the way through the network takes, drawn for each way of each attempt; 0s if absent.
    pub network: Option<Distribution>,
    /// What calls contend for; nothing if absent.
    pub contention: Option<ContentionConfig>,
    /// What calls are answered that another one was in the way of; 409 if absent.
    #[serde(default = "conflict")]
    pub collision_status: StatusCode,
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

const fn conflict() -> StatusCode {
    StatusCode::of(409)
}

impl ServiceConfig {
    /// What is wrong with the fields taken together: (path below the service, message) for each problem.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let laws = [("latency", &self.latency), ("rejection_latency", &self.rejection_latency)];
        for (field, law) in laws.into_iter().chain(self.network.iter().map(|law| ("network", law))) {
            problems.extend(law.problem().map(|message| (field.to_owned(), message)));
        }
        let contention = self.contention.and_then(|contention| contention.problem());
        problems.extend(contention.map(|message| ("contention".to_owned(), message)));
        if self.contention.is_some() && self.latency != at_once() {
            let message = "with `contention` calls take the time that they contend for: leave `latency` out, or write `network`";
            problems.push(("latency".into(), message.into()));
        }
        if self.collision_status.is_success() {
            let message = format!(
                "status {} is a success, not a failure: write for example 409",
                self.collision_status.get()
            );
            problems.push(("collision_status".into(), message));
        }
        for (index, fault) in self.faults.iter().enumerate() {
            problems.extend(fault.problem().map(|message| (format!("faults.{index}"), message)));
        }
        let limit = self.rate_limit.and_then(|limit| limit.problem());
        problems.extend(limit.map(|message| ("rate_limit".to_owned(), message)));
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

    /// What is wrong with the fields in a run of `horizon`, as [`ServiceConfig::problems`].
    pub fn problems_within(&self, horizon: Interval) -> Vec<(String, String)> {
        let faults =
            self.faults.iter().enumerate().filter_map(|(index, fault)| {
                Some((format!("faults.{index}"), fault.problem_within(horizon)?))
            });
        let incidents = self.incidents.iter().enumerate().filter_map(|(index, incident)| {
            Some((format!("incidents.{index}"), incident.problem_within(horizon)?))
        });
        faults.chain(incidents).collect()
    }

    /// The limit in attempts per second, for reports.
    pub fn limit_per_second(&self) -> Option<f64> {
        self.rate_limit.map(|limit| limit.per_second())
    }
}

/// A service's state during a run.
#[derive(Debug, Clone)]
pub struct Service {
    rate_limit: Option<RateLimit>,
    latency: Sampler,
    rejection_latency: Sampler,
    network: Option<Sampler>,
    contention: Option<Contention>,
    collision: Outcome,
    faults: Faults,
    incidents: Incidents,
}

/// An attempt as its service sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// How the service names it when it leaves.
    pub index: u32,
    /// Which attempt of its request it is among those that have reached the service, from 1.
    pub reached: u32,
    /// Its input, if the service [tells them apart](Service::tells_inputs_apart).
    pub input: u64,
    /// Its luck: the first word decides on faults, the second on latency.
    pub bits: Block,
    /// How long its answer and then its write take, if it contends for a versioned row.
    pub way: Interval,
}

/// What a service does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It answers.
    Now(Answer),
    /// It takes the call in, which will leave later; this is the answer if it is served.
    Later(Answer),
}

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

impl Service {
    /// The service at the start of a run of `horizon`; `key` gives it keys of its own.
    pub fn new(config: &ServiceConfig, key: impl Fn(Purpose) -> Key, horizon: Interval) -> Self {
        Self {
            rate_limit: config.rate_limit.map(|limit| RateLimit::new(&limit)),
            latency: config.latency.sampler(),
            rejection_latency: config.rejection_latency.sampler(),
            network: config.network.as_ref().map(Distribution::sampler),
            contention: config.contention.as_ref().map(Contention::new),
            collision: Outcome::Status(config.collision_status),
            faults: Faults::new(&config.faults, key(Purpose::Faults)),
            incidents: Incidents::new(&config.incidents, key(Purpose::Incidents), horizon),
        }
    }

    /// True if an attempt may reach the service later than it is sent, or be decided later than it reaches it.
    pub const fn defers(&self) -> bool {
        self.network.is_some() || self.contention.is_some()
    }

    /// True if it matters which inputs attempts have.
    pub const fn tells_inputs_apart(&self) -> bool {
        self.faults.tells_inputs_apart()
    }

    /// The incidents of this run.
    pub const fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// How long one way through the network takes.
    pub fn way(&self, bits: u64) -> Interval {
        self.network.as_ref().map_or(Interval::ZERO, |network| network.sample(bits))
    }

    /// A call arrives at `now`. Calls arrive in order of time, after all that leaves until then.
    pub fn receive(&mut self, now: Instant, call: &Call) -> Reply {
        let conditions = self.incidents.at(now);
        let (slowness, error) = (conditions.slowness, conditions.error);
        let spoiled = conditions.spoils(call.bits[0]);
        if let Some(outcome) = conditions.down {
            return self.turn_away(outcome, None, Verdict::Down, call.bits);
        }
        if let Some(Err(refusal)) = self.rate_limit.as_mut().map(|limit| limit.admit(now)) {
            let outcome = Outcome::Status(StatusCode::TOO_MANY_REQUESTS);
            return self.turn_away(outcome, refusal.retry_after, Verdict::Limited, call.bits);
        }
        let struck = Struck { reached: call.reached, input: call.input, bits: call.bits };
        let strike = self.faults.strike(now, &struck);
        let failure = spoiled.or(strike.outcome).map(|outcome| error.unwrap_or(outcome));
        let latency = strike.latency.unwrap_or_else(|| self.latency.sample(call.bits[1]));
        let answer = Answer {
            outcome: failure.unwrap_or(Outcome::Status(StatusCode::OK)),
            // A factor of 1 leaves even those alone that are too long for a float.
            latency: if slowness == 1.0 { latency } else { latency.scale(slowness) },
            retry_after: None,
            verdict: if failure.is_some() { Verdict::Faulty } else { Verdict::Served },
        };
        match &mut self.contention {
            Some(contention) => {
                contention.offer(now, call.index, call.way);
                Reply::Later(answer)
            }
            None => Reply::Now(answer),
        }
    }

    /// When something happens next among the calls that were taken in.
    pub fn next(&self) -> Option<Instant> {
        self.contention.as_ref().and_then(Contention::next)
    }

    /// Goes on to [`next`](Service::next); the call that leaves then, if one does.
    pub fn step(&mut self) -> Option<Departure> {
        self.contention.as_mut().and_then(Contention::step)
    }

    /// The answer to a call that leaves, if `served` would be the answer of a service that has done its work.
    pub const fn parting(&self, fate: Fate, served: Answer) -> Answer {
        match fate {
            Fate::Served => served,
            Fate::Collided => Answer {
                outcome: self.collision,
                latency: Interval::ZERO,
                retry_after: None,
                verdict: Verdict::Collided,
            },
        }
    }

    fn turn_away(
        &self,
        outcome: Outcome,
        retry_after: Option<RetryAfter>,
        verdict: Verdict,
        bits: Block,
    ) -> Reply {
        let latency = self.rejection_latency.sample(bits[1]);
        Reply::Now(Answer { outcome, latency, retry_after, verdict })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(text: &str) -> Service {
        let key = |purpose| Key::derive(1, 0, purpose, "api");
        Service::new(&toml::from_str(text).unwrap(), key, Interval::from_secs(3600))
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
            let call = Call { index: 0, reached: 1, input: 0, bits: [0; 2], way: Interval::ZERO };
            let Reply::Now(answer) = service.receive(Instant::from_nanos(seconds * 1_000_000_000), &call)
            else {
                panic!("nothing is taken in");
            };
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
