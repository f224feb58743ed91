//! Services: what answers an attempt, when, and with what.
//!
//! An attempt that reaches a service meets, in this order, its incidents, its rate limit and its faults; what survives
//! all three succeeds. Mostly the answer is decided the moment the attempt arrives, because nothing that happens while the
//! service works on it can change it; only the client learns it later. Where calls are in each other's way, the service
//! takes the call in and says later what has become of it: it keeps its own future, and is asked for what comes
//! [`next`](Service::next).

mod capacity;
mod contention;
mod departure;
mod fault;
mod incident;
mod rate_limit;

use serde::Deserialize;

pub use capacity::{
    Abandoned, AdaptiveLifo, AutoscaleConfig, CapacityConfig, CodelConfig, Discipline, Full, GradientConfig,
    Job, Offer, Priority, Served, Servers, SheddingConfig, Station,
};
pub use contention::{Contention, ContentionConfig};
pub use departure::{Departure, Fate};
pub use fault::{FailsFirst, Failure, Fault, RandomFault};
pub use incident::{Incident, Outage};
pub use rate_limit::{FixedWindow, RateLimit, RateLimitConfig, RetryAfter, RetryAfterHeader, TokenBucket};

use crate::distribution::{Distribution, Sampler};
use crate::outcome::{Outcome, StatusCode};
use crate::random::Block;
use crate::time::{Instant, Interval};
use crate::usage::Usage;
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
    /// How much it can do at once, and what becomes of the rest; without limit if absent. Then `latency` is the time that a
    /// server works on a call.
    pub capacity: Option<CapacityConfig>,
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
        let capacity = self.capacity.iter().flat_map(CapacityConfig::problems);
        problems.extend(capacity.map(|(field, message)| (format!("capacity.{field}"), message)));
        if self.contention.is_some() && self.capacity.is_some() {
            let message = "calls either contend for one thing or queue for servers: leave out `contention` or `capacity`";
            problems.push(("contention".into(), message.into()));
        }
        if self.collision_status.is_success() {
            let message = format!(
                "status {} is a success, not a failure: write for example 409",
                self.collision_status.get()
            );
            problems.push(("collision_status".into(), message));
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
    inside: Inside,
    /// What calls are answered that find no place, and how long they are asked to wait.
    full: (Outcome, Option<RetryAfter>),
    collision: Outcome,
    faults: Vec<Fault>,
    incidents: Vec<Incident>,
}

/// What is inside a service and stands in the way of calls.
#[derive(Debug, Clone)]
enum Inside {
    /// Nothing.
    Nothing,
    /// Servers and a queue that decide on arrival.
    Servers(Box<Servers>),
    /// Servers and a queue that decide as time goes on.
    Station(Box<Station>),
    /// Something to contend for.
    Contention(Contention),
}

impl Inside {
    fn new(config: &ServiceConfig, calls_others: bool) -> Self {
        match (&config.capacity, &config.contention) {
            (Some(capacity), _) if capacity.needs_station() || calls_others => {
                Self::Station(Box::new(Station::new(capacity).keeping_servers(calls_others)))
            }
            (Some(capacity), _) => Self::Servers(Box::new(Servers::new(capacity))),
            (None, Some(contention)) => Self::Contention(Contention::new(contention)),
            (None, None) => Self::Nothing,
        }
    }
}

/// An attempt as its service sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// How the service names it when it leaves.
    pub index: u32,
    /// Which attempt of its request it is among those that have reached the service, from 1.
    pub reached: u32,
    /// Its luck: the first word decides on faults, the second on latency.
    pub bits: Block,
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
    /// It takes the call in, which will leave later.
    Later {
        /// The answer if it is served.
        served: Answer,
        /// The call that had to make room for it, if one had to.
        pushed_out: Option<u32>,
    },
}

/// The answer to a call that is let go because its client has stopped waiting: never.
const ABANDONED: Answer = Answer {
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

impl Service {
    /// The service at the start of a run; with `calls_others` it keeps a server busy until it is [released](Service::release).
    pub fn new(config: &ServiceConfig, calls_others: bool) -> Self {
        let full = config.capacity.map_or(Outcome::Status(StatusCode::SERVICE_UNAVAILABLE), |c| c.outcome());
        Self {
            rate_limit: config.rate_limit.map(|limit| RateLimit::new(&limit)),
            latency: config.latency.sampler(),
            rejection_latency: config.rejection_latency.sampler(),
            network: config.network.as_ref().map(Distribution::sampler),
            inside: Inside::new(config, calls_others),
            full: (full, config.capacity.and_then(|capacity| capacity.retry_after).map(RetryAfter::In)),
            collision: Outcome::Status(config.collision_status),
            faults: config.faults.clone(),
            incidents: config.incidents.clone(),
        }
    }

    /// True if an attempt may reach the service later than it is sent, or be decided later than it reaches it.
    pub const fn defers(&self) -> bool {
        self.network.is_some() || matches!(self.inside, Inside::Station(_) | Inside::Contention(_))
    }

    /// How long one way through the network takes.
    pub fn way(&self, bits: u64) -> Interval {
        self.network.as_ref().map_or(Interval::ZERO, |network| network.sample(bits))
    }

    /// A call arrives at `now`. Calls arrive in order of time, after all that leaves until then.
    pub fn receive(&mut self, now: Instant, call: &Call) -> Reply {
        if let Some(status) = self.incidents.iter().find_map(|incident| incident.strikes(now)) {
            return self.turn_away(Outcome::Status(status), None, Verdict::Down, call.bits);
        }
        if let Some(Err(refusal)) = self.rate_limit.as_mut().map(|limit| limit.admit(now)) {
            let outcome = Outcome::Status(StatusCode::TOO_MANY_REQUESTS);
            return self.turn_away(outcome, refusal.retry_after, Verdict::Limited, call.bits);
        }
        let fault = fault::first_to_strike(&self.faults, call.reached, call.bits[0]);
        let answer = Answer {
            outcome: fault.unwrap_or(Outcome::Status(StatusCode::OK)),
            latency: self.latency.sample(call.bits[1]),
            retry_after: None,
            verdict: if fault.is_some() { Verdict::Faulty } else { Verdict::Served },
        };
        self.admit(now, call, answer)
    }

    /// A call that nothing has turned away comes to what is inside; `answer` is what it gets after so much work.
    fn admit(&mut self, now: Instant, call: &Call, answer: Answer) -> Reply {
        let Call { index, gives_up, retry, .. } = *call;
        let served = Answer { latency: Interval::ZERO, ..answer };
        let pushed_out = match &mut self.inside {
            Inside::Nothing => return Reply::Now(answer),
            Inside::Servers(servers) => {
                return match servers.offer(now, answer.latency, gives_up) {
                    Ok(stay) if stay.done => Reply::Now(Answer { latency: stay.ends.since(now), ..answer }),
                    Ok(_) => Reply::Now(ABANDONED),
                    Err(Full) => self.turn_away(self.full.0, self.full.1, Verdict::Overloaded, call.bits),
                };
            }
            Inside::Station(station) => {
                match station.offer(now, Job { call: index, work: answer.latency, gives_up, retry }) {
                    Offer::Accepted => None,
                    Offer::PushedOut(other) => Some(other),
                    Offer::Full => {
                        return self.turn_away(self.full.0, self.full.1, Verdict::Overloaded, call.bits);
                    }
                }
            }
            Inside::Contention(contention) => {
                contention.offer(now, index, call.way);
                None
            }
        };
        Reply::Later { served, pushed_out }
    }

    /// When something happens next among the calls that were taken in.
    pub fn next(&self) -> Option<Instant> {
        match &self.inside {
            Inside::Nothing | Inside::Servers(_) => None,
            Inside::Station(station) => station.next(),
            Inside::Contention(contention) => contention.next(),
        }
    }

    /// Goes on to [`next`](Service::next); the call that leaves then, if one does.
    pub fn step(&mut self) -> Option<Departure> {
        match &mut self.inside {
            Inside::Nothing | Inside::Servers(_) => None,
            Inside::Station(station) => station.step(),
            Inside::Contention(contention) => contention.step(),
        }
    }

    /// At `now` others have done their work for a call that kept a server busy meanwhile.
    pub fn release(&mut self, now: Instant) {
        if let Inside::Station(station) = &mut self.inside {
            station.release(now);
        }
    }

    /// The answer to a call that leaves, if `served` is that of a service that has done its work. A call that is let go
    /// because its client has stopped waiting gets none.
    pub const fn parting(&self, fate: Fate, served: Answer) -> Option<Answer> {
        let (outcome, retry_after, verdict) = match fate {
            Fate::Served => return Some(served),
            Fate::Cancelled => return None,
            Fate::Dropped | Fate::PushedOut => (self.full.0, self.full.1, Verdict::Overloaded),
            Fate::Collided => (self.collision, None, Verdict::Collided),
        };
        Some(Answer { outcome, latency: Interval::ZERO, retry_after, verdict })
    }

    /// What its capacity was used for up to `horizon`; nothing if it has none.
    pub fn usage(&self, horizon: Instant) -> Option<Usage> {
        match &self.inside {
            Inside::Nothing | Inside::Contention(_) => None,
            Inside::Servers(servers) => Some(servers.usage(horizon)),
            Inside::Station(station) => Some(station.usage(horizon)),
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
        Service::new(&toml::from_str(text).unwrap(), false)
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
            let call = Call {
                index: 0,
                reached: 1,
                bits: [0; 2],
                way: Interval::ZERO,
                gives_up: Instant::LAST,
                retry: false,
            };
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
