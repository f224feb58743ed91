//! The life of a request, seen from its client: arrival -> cache? -> breaker? -> attempt -> outcome -> decision.

use super::Simulation;
use super::event::{Class, Event};
use super::request::Request;
use super::trace::{Next, Step};
use crate::breaker::{Admission, Breaker, BreakerConfig, BreakerRules, Permit, Scope};
use crate::metrics::{Attempt, Ended, WorkloadTally};
use crate::outcome::{Ending, Outcome};
use crate::policy::{Decision, History, OnFailure, Policy, PolicyConfig};
use crate::random::{Key, Purpose};
use crate::scenario::{Named, Workload};
use crate::service::{Answer, Verdict};
use crate::time::{Instant, Interval};
use crate::workload::{Arrival, input_key};

/// The clients of one workload, with all that they share.
#[derive(Debug)]
pub(super) struct Clients<'a> {
    /// Place among the workloads in the order of names, which settles ties.
    pub(super) tie: u16,
    service: usize,
    policy: Policy,
    timeout: Interval,
    breakers: Option<Breakers<'a>>,
    cache: Option<Cache>,
    keys: Option<u64>,
    swallows: bool,
    input: Key,
    luck: Key,
    backoff: Key,
}

/// One breaker for all clients, or one for each.
#[derive(Debug)]
struct Breakers<'a> {
    config: &'a BreakerConfig,
    rules: BreakerRules,
    each: Vec<Breaker>,
    /// Requests that were told to wait for a probe to end, with the place of their breaker: who came first is first.
    waiting: Vec<(usize, u32)>,
}

impl Breakers<'_> {
    fn place(&self, client: u32) -> usize {
        if self.config.scope == Scope::Client { client as usize } else { 0 }
    }

    /// Asks for leave for the request in `slot`.
    fn try_acquire(&mut self, client: u32, slot: u32, now: Instant) -> Admission {
        let place = self.place(client);
        let admission = self.each[place].try_acquire(&self.rules, now);
        if admission == Admission::Wait {
            self.waiting.push((place, slot));
        }
        admission
    }

    /// Takes the result of a call; returns the requests that are to ask again.
    fn record(
        &mut self,
        client: u32,
        at: Instant,
        permit: Permit,
        success: bool,
        took: Interval,
    ) -> Vec<u32> {
        let place = self.place(client);
        let wake = self.each[place].record(&self.rules, at, permit, success, took);
        if !wake || self.waiting.is_empty() {
            return Vec::new();
        }
        let woken = self.waiting.extract_if(.., |waiting| waiting.0 == place);
        woken.map(|(_, slot)| slot).collect()
    }
}

/// Successes kept by input key.
#[derive(Debug)]
struct Cache {
    ttl: Interval,
    /// Until when each key's success is kept; `START` if there is none.
    kept_until: Vec<Instant>,
}

impl<'a> Clients<'a> {
    pub(super) fn new(
        workload: &Workload,
        policy: &'a Named<PolicyConfig>,
        key: impl Fn(Purpose) -> Key,
    ) -> Self {
        let keys = workload.config.keys.map(crate::units::Count::get);
        let breakers = policy.config.breaker.as_ref().map(|config| {
            let count = if config.scope == Scope::Client { workload.config.clients.get() as u32 } else { 1 };
            Breakers {
                config,
                rules: BreakerRules::new(config, key(Purpose::BreakerOpen)),
                each: (0..count).map(Breaker::new).collect(),
                waiting: Vec::new(),
            }
        });
        let cache = policy
            .config
            .cache
            .zip(keys)
            .map(|(cache, keys)| Cache { ttl: cache.ttl, kept_until: vec![Instant::START; keys as usize] });
        Self {
            tie: workload.tie,
            service: workload.service,
            policy: Policy::new(&policy.config),
            timeout: workload.config.timeout.unwrap_or(Interval::MAX),
            breakers,
            cache,
            keys,
            swallows: policy.config.on_failure == OnFailure::Swallow,
            input: key(Purpose::InputKeys),
            luck: key(Purpose::Service),
            backoff: key(Purpose::Backoff),
        }
    }

    /// True if an outcome changes something that other requests can see before it is known: then it needs an event of its
    /// own. Otherwise nothing can tell whether it was handled when it was sent or when it came.
    fn share_outcomes(&self) -> bool {
        self.breakers.is_some() || self.cache.is_some()
    }

    /// Adds what the clients kept to the tally.
    pub(super) fn settle(&self, tally: &mut WorkloadTally, horizon: Instant) {
        tally.swallows = self.swallows;
        for breaker in self.breakers.iter().flat_map(|breakers| &breakers.each) {
            tally.breakers += 1;
            tally.breaker_trips += u64::from(breaker.trips());
            tally.breaker_open += breaker.time_open(horizon);
        }
    }

    fn cached(&self, number: u64, now: Instant) -> bool {
        let (Some(cache), Some(keys)) = (&self.cache, self.keys) else { return false };
        now < cache.kept_until[input_key(self.input, number, keys) as usize]
    }

    fn keep(&mut self, number: u64, now: Instant) {
        let (Some(cache), Some(keys)) = (&mut self.cache, self.keys) else { return };
        cache.kept_until[input_key(self.input, number, keys) as usize] = now + cache.ttl;
    }
}

impl Simulation<'_> {
    /// A request arrives, and the next one of its workload is looked up.
    pub(super) fn arrive(&mut self, workload: usize) {
        let arrivals = &mut self.arrivals[workload];
        let Arrival { at, number, client } = arrivals.next.expect("the arrival was seen a moment ago");
        arrivals.next = arrivals.stream.next();
        self.tallies[workload].arrived(at);
        let slot = self.requests.insert(Request {
            number,
            arrived: at,
            sent: at,
            previous_delay: Interval::ZERO,
            retry_after: None,
            outcome: Outcome::Timeout,
            permit: Permit::default(),
            client,
            attempts: 0,
            workload: workload as u16,
            alive: true,
            traced: self.tracers[workload].follows(number, client, at),
        });
        if self.clients[workload].cached(number, at) {
            self.end(slot, at, Ending::Cached);
        } else {
            self.attempt(slot);
        }
    }

    /// A request begins its next attempt: the breaker lets it out or not, the service answers.
    pub(super) fn attempt(&mut self, slot: u32) {
        let now = self.now;
        let request = &mut self.requests[slot];
        let workload = request.workload as usize;
        let clients = &mut self.clients[workload];
        request.attempts += 1;
        request.sent = now;
        request.retry_after = None;
        if let Some(breakers) = &mut clients.breakers {
            match breakers.try_acquire(request.client, slot, now) {
                Admission::Granted(permit) => request.permit = permit,
                Admission::Refused => {
                    request.outcome = Outcome::BreakerOpen;
                    self.tallies[workload].refused(now);
                    return self.decide(slot, now);
                }
                Admission::Wait => {
                    // It begins when the probe has ended.
                    request.attempts -= 1;
                    return;
                }
            }
        }
        let luck = clients.luck.block(request.number, u64::from(request.attempts));
        let answer = self.services[clients.service].answer(now, request.attempts, luck);
        let attempt = Attempt { sent: now, number: request.attempts };
        let limited = answer.verdict == Verdict::Limited;
        let failed = matches!(answer.verdict, Verdict::Faulty | Verdict::Down);
        self.tallies[workload].sent(attempt, limited, failed);
        self.service_tallies[clients.service].offered(attempt, limited);
        self.await_answer(slot, answer);
    }

    /// The client waits for the answer, but no longer than its timeout.
    fn await_answer(&mut self, slot: u32, answer: Answer) {
        let request = &mut self.requests[slot];
        let workload = request.workload as usize;
        let clients = &self.clients[workload];
        let waits = answer.latency <= clients.timeout;
        let (class, wait) =
            if waits { (Class::Answer, answer.latency) } else { (Class::Timeout, clients.timeout) };
        let known = self.now + wait;
        (request.outcome, request.retry_after) =
            if waits { (answer.outcome(), answer.retry_after) } else { (Outcome::Timeout, None) };
        if !waits && known < self.horizon {
            self.tallies[workload].timed_out(known, answer.verdict.is_work());
        }
        if clients.share_outcomes() {
            self.schedule(known, class, slot, Event::Outcome { slot });
        } else {
            self.conclude(slot, known);
        }
    }

    /// The client learns the outcome of its attempt at `at`, which may lie ahead of the clock (see
    /// [`Clients::share_outcomes`]).
    pub(super) fn conclude(&mut self, slot: u32, at: Instant) {
        if at >= self.horizon {
            return;
        }
        let request = &self.requests[slot];
        let clients = &mut self.clients[request.workload as usize];
        let success = request.outcome.is_success();
        self.service_tallies[clients.service].answered(request.outcome);
        if let Some(breakers) = &mut clients.breakers {
            let took = at.since(request.sent);
            for woken in breakers.record(request.client, at, request.permit, success, took) {
                self.schedule(at, Class::Begin, woken, Event::Attempt { slot: woken });
            }
        }
        let request = &self.requests[slot];
        let clients = &mut self.clients[request.workload as usize];
        if success {
            clients.keep(request.number, at);
            self.end(slot, at, Ending::Succeeded);
        } else {
            self.decide(slot, at);
        }
    }

    /// The policy decides what becomes of a request whose attempt failed.
    fn decide(&mut self, slot: u32, at: Instant) {
        let request = &mut self.requests[slot];
        let clients = &self.clients[request.workload as usize];
        let history = History {
            attempts: request.attempts,
            elapsed: at.since(request.arrived),
            previous_delay: request.previous_delay,
        };
        let address = (request.number, u64::from(request.attempts));
        let decision = clients.policy.decide(request.outcome, request.retry_after, &history, || {
            clients.backoff.block(address.0, address.1)
        });
        match decision {
            Decision::Retry(delay) => {
                request.previous_delay = delay.backoff;
                self.trace(slot, at, Next::Retry(delay));
                self.schedule(at + delay.wait, Class::Begin, slot, Event::Attempt { slot });
            }
            Decision::GiveUp(ending) => self.end(slot, at, ending),
        }
    }

    /// The request ends.
    fn end(&mut self, slot: u32, at: Instant, ending: Ending) {
        self.trace(slot, at, Next::End(ending));
        let request = &self.requests[slot];
        self.tallies[request.workload as usize].ended(Ended { ending, at, age: at.since(request.arrived) });
        self.requests.remove(slot);
    }

    fn trace(&mut self, slot: u32, at: Instant, next: Next) {
        let request = &self.requests[slot];
        if request.traced {
            let cached = matches!(next, Next::End(Ending::Cached));
            let step = Step {
                attempt: request.attempts,
                sent: request.sent,
                known: at,
                outcome: (!cached).then_some(request.outcome),
                retry_after: request.retry_after,
                next,
            };
            self.tracers[request.workload as usize].record(request.number, step);
        }
    }
}
