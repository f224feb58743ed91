//! Services: what answers an attempt, when, and with what.
//!
//! An attempt that reaches a service meets, in this order, its incidents, its rate limit and its faults; what survives
//! all three succeeds. Mostly the answer is decided the moment the attempt arrives, because nothing that happens while the
//! service works on it can change it; only the client learns it later. Where calls are in each other's way, the service
//! takes the call in and says later what has become of it: it keeps its own future, and is asked for what comes
//! [`next`](Service::next).

mod call;
mod capacity;
mod config;
mod contention;
mod departure;
mod fault;
mod incident;
mod inside;
mod rate_limit;

use call::ABANDONED;
pub use call::{Answer, Call, Reply};
pub use capacity::{
    Abandoned, AdaptiveLifo, AutoscaleConfig, Away, CapacityConfig, CodelConfig, Discipline, Full,
    GradientConfig, Job, Offer, Priority, Served, Servers, SheddingConfig, Station,
};
pub use config::ServiceConfig;
pub use contention::{Contention, ContentionConfig};
pub use departure::{Departure, Fate};
pub use fault::{
    Bursts, ExpiredToken, FailsFirst, Fault, Faults, Overload, Poison, RandomFault, Slow, Strike, Struck,
};
pub use incident::{Brownout, ColdCache, Conditions, Incident, IncidentKind, Incidents, When};
pub use rate_limit::{
    Aligned, Caller, Callers, CallsDuring, Concurrency, FixedWindow, Gcra, LeakyBucket, LeakyQueue,
    LimitKind, LimitScope, Lockout, PerOperation, QueueDelay, RateLimitConfig, RateLimits, Rejected,
    Rejection, RetryAfter, RetryAfterHeader, Score, SlidingLimit, TokenBucket, Wrong,
};

use crate::distribution::{Distribution, Sampler};
use crate::outcome::{Outcome, StatusCode};
use crate::random::{Block, Key, Luck, Purpose};
use crate::time::{Instant, Interval};
use crate::usage::{ServerLanes, Usage};
use crate::verdict::Verdict;
use inside::{Inside, Stay};

/// A service's state during a run.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether something has to be done at all")]
pub struct Service {
    rate_limits: RateLimits,
    /// True if a limit has to know when calls end.
    tracks_ends: bool,
    /// True if a call that a limit holds is decided on when it goes in, and not on arrival.
    holds_outside: bool,
    latency: Sampler,
    rejection_latency: Sampler,
    network: Option<Sampler>,
    inside: Inside,
    /// True if it asks others for the sake of its calls.
    calls_others: bool,
    /// What calls are answered that find no place, and how long they are asked to wait.
    full: (Outcome, Option<RetryAfter>),
    collision: Outcome,
    faults: Faults,
    incidents: Incidents,
    /// True if what goes in needs its luck whatever befalls the service.
    draws: bool,
    /// True if incidents change its limits.
    scales: bool,
    /// True if incidents take servers away.
    loses: bool,
}

/// What a service has to know of the run that it is part of.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The names of what is asked of it, by their number.
    pub operations: &'a [String],
    /// True if it asks others for the sake of its calls, which stay inside until they are [released](Service::release).
    pub calls_others: bool,
    /// Length of the run.
    pub horizon: Interval,
}

impl Service {
    /// The service at the start of a run, with keys of its own.
    pub fn new(config: &ServiceConfig, setting: Setting<'_>, key: impl Fn(Purpose) -> Key) -> Self {
        let unavailable = Outcome::Status(StatusCode::SERVICE_UNAVAILABLE);
        let full = config.capacity.map_or(unavailable, |capacity| capacity.outcome());
        let latency = config.latency.sampler();
        let rate_limits = RateLimits::new(&config.rate_limit, setting.operations);
        Self {
            tracks_ends: rate_limits.tracks_ends(),
            rate_limits,
            holds_outside: config.holds_outside(),
            draws: !config.faults.is_empty() || !matches!(latency, Sampler::Constant(_)),
            latency,
            rejection_latency: config.rejection_latency.sampler(),
            network: config.network.as_ref().map(Distribution::sampler),
            inside: Inside::new(config, setting.calls_others),
            calls_others: setting.calls_others,
            full: (full, config.capacity.and_then(|capacity| capacity.retry_after).map(RetryAfter::In)),
            collision: Outcome::Status(config.collision_status),
            faults: Faults::new(&config.faults, key(Purpose::Faults)),
            incidents: Incidents::new(&config.incidents, key(Purpose::Incidents), setting.horizon),
            scales: config.incidents.iter().any(|i| matches!(i.kind, IncidentKind::RateLimit(_))),
            loses: config.loses_servers(),
        }
    }

    /// True if it matters which inputs attempts have.
    pub const fn tells_inputs_apart(&self) -> bool {
        self.faults.tells_inputs_apart()
    }

    /// The incidents of this run.
    pub const fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// True if an attempt may reach the service later than it is sent, or be decided later than it reaches it.
    pub const fn defers(&self) -> bool {
        self.calls_others || self.network.is_some() || self.inside.decides_later() || self.holds_outside
    }

    /// How long two ways through the network take; `luck` is drawn if there is one.
    #[inline]
    pub fn ways(&self, luck: impl FnOnce() -> Block) -> [Interval; 2] {
        let Some(network) = &self.network else { return [Interval::ZERO; 2] };
        luck().map(|bits| network.sample(bits))
    }

    /// A call arrives at `now`. Calls arrive in order of time, after all that happens inside until then.
    #[expect(
        clippy::inline_always,
        reason = "an attempt that nothing stands in the way of pays for the parts of a call otherwise"
    )]
    #[inline(always)]
    pub fn receive(&mut self, now: Instant, call: &Call) -> Reply {
        if let Some(outcome) = self.conditions(now).down {
            return Reply::Now(self.turned_away(outcome, None, Verdict::Down, call.luck));
        }
        match self.rate_limits.admit(now, &call.caller) {
            Err(Rejection { outcome, retry_after, .. }) => {
                Reply::Now(self.turned_away(outcome, retry_after, Verdict::Limited, call.luck))
            }
            Ok(held) if !held.is_zero() && self.holds_outside => Reply::Held(held),
            Ok(held) => self.take_in(now, call, held),
        }
    }

    /// A call goes in at `now` that a limit has held. What befalls the service by then befalls the call.
    pub fn enter(&mut self, now: Instant, call: &Call) -> Reply {
        if let Some(outcome) = self.conditions(now).down {
            self.ends_at(call, now);
            return Reply::Now(self.turned_away(outcome, None, Verdict::Down, call.luck));
        }
        self.take_in(now, call, Interval::ZERO)
    }

    /// A call goes in that nothing has turned away under the conditions of `now`, and that is still held for so long.
    #[expect(
        clippy::inline_always,
        reason = "an attempt that nothing stands in the way of pays for the parts of a call otherwise"
    )]
    #[inline(always)]
    fn take_in(&mut self, now: Instant, call: &Call, held: Interval) -> Reply {
        let luck = if self.draws { Luck::Drawn(call.luck.bits()) } else { call.luck };
        let struck = Struck { reached: call.reached, input: call.input, luck };
        let strike = self.faults.strike(now, &struck);
        let mut failure = strike.outcome;
        let mut work = strike.latency.unwrap_or_else(|| self.latency.sample_with(|| luck.bits()[1]));
        if !self.incidents.is_usual() {
            (failure, work) = self.befall(luck, failure, work);
        }
        let outcome = failure.unwrap_or(Outcome::Status(StatusCode::OK));
        let verdict = if failure.is_some() { Verdict::Faulty } else { Verdict::Served };
        let answer =
            |latency| Answer { outcome, latency: comes_after(outcome, latency), retry_after: None, verdict };
        let stay = self.inside.offer(now, call, held + work);
        let (reply, leaves) = match stay {
            Stay::Until(ends) => {
                // Others are asked only for the sake of calls that have not failed.
                let last = !self.calls_others || verdict != Verdict::Served;
                (Reply::Now(answer(ends.since(now))), last.then_some(ends))
            }
            Stay::LetGo(ends) => (Reply::Now(ABANDONED), Some(ends)),
            Stay::Unknown(pushed_out) => (Reply::Later { served: answer(Interval::ZERO), pushed_out }, None),
            Stay::TurnedAway => {
                let (outcome, retry_after) = self.full;
                let answer = self.turned_away(outcome, retry_after, Verdict::Overloaded, call.luck);
                (Reply::Now(answer), Some(now))
            }
        };
        if let Some(leaves) = leaves {
            self.ends_at(call, leaves);
        }
        reply
    }

    /// What incidents under way make of a call that faults have made this failure and this work of.
    fn befall(&self, luck: Luck, failure: Option<Outcome>, work: Interval) -> (Option<Outcome>, Interval) {
        let conditions = self.incidents.now();
        let spoiled = conditions.spoils(luck);
        let failure = spoiled.or(failure).map(|outcome| conditions.error.unwrap_or(outcome));
        (failure, work.scale(conditions.slowness))
    }

    /// The end of a call that has passed the limits is known.
    #[inline]
    fn ends_at(&mut self, call: &Call, leaves: Instant) {
        if self.tracks_ends {
            let Call { caller, arrived, .. } = *call;
            self.rate_limits.ends_at(&caller, arrived, leaves);
        }
    }

    /// How the service is at `now`, once limits and servers have followed all that has begun or ended until then.
    #[inline]
    fn conditions(&mut self, now: Instant) -> &Conditions {
        if !self.incidents.stay_until(now) {
            self.follow(now);
        }
        self.incidents.now()
    }

    /// Incidents have begun or ended, or go on changing, until `now`.
    fn follow(&mut self, now: Instant) {
        while (self.scales || self.loses)
            && let Some(change) = self.incidents.next_change().filter(|&change| change <= now)
        {
            self.change(change);
        }
        self.incidents.at(now);
    }

    /// Incidents begin or end at `change`: limits and servers follow.
    fn change(&mut self, change: Instant) {
        let conditions = self.incidents.at(change);
        if self.scales {
            let (numerator, denominator) = fraction(conditions.limit);
            self.rate_limits.scale(change, numerator, denominator);
        }
        if self.loses
            && let Inside::Station(station) = &mut self.inside
        {
            station.take_away(change, conditions.away());
        }
    }

    /// When incidents next change what is inside.
    fn next_change(&self) -> Option<Instant> {
        self.incidents.next_change().filter(|_| self.loses)
    }

    /// When something happens next among the calls that are inside, or to its servers.
    pub fn next(&self) -> Option<Instant> {
        match (self.inside.next(), self.next_change()) {
            (Some(inside), Some(change)) => Some(inside.min(change)),
            (inside, change) => inside.or(change),
        }
    }

    /// Goes on to [`next`](Service::next); the call that leaves then, if one does. Calls that leave do so before servers.
    pub fn step(&mut self) -> Option<Departure> {
        match (self.inside.next(), self.next_change()) {
            (inside, Some(change)) if inside.is_none_or(|inside| change < inside) => {
                self.change(change);
                None
            }
            _ => self.inside.step(),
        }
    }

    /// A call whose end was not known when it went in is over at `now`: its limits take note.
    pub fn over(&mut self, caller: &Caller, arrived: Instant, now: Instant) {
        if self.tracks_ends {
            self.rate_limits.ended(caller, arrived, now);
        }
    }

    /// True if calls stay inside while others work for their sake.
    pub const fn keeps_calls(&self) -> bool {
        self.calls_others && matches!(self.inside, Inside::Station(_))
    }

    /// A call leaves at `now` that has stayed inside while others worked for its sake.
    pub fn release(&mut self, now: Instant, call: u32) {
        if let Inside::Station(station) = &mut self.inside {
            station.release(now, call);
        }
    }

    /// The client of a call that stays inside while others work for its sake stops waiting at `now`: true if the call leaves.
    pub fn abandon(&mut self, now: Instant, call: u32) -> bool {
        let Inside::Station(station) = &mut self.inside else { return false };
        station.abandon(now, call)
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

    /// From now on, what its servers are used for is noted in bins of `bin` up to `horizon`.
    pub fn watch(&mut self, bin: Interval, horizon: Interval) {
        self.inside.watch(bin, horizon);
    }

    /// What its servers were used for up to `horizon`, bin by bin; nothing if it has none, or that was not watched.
    pub fn lanes(&self, horizon: Instant) -> Option<ServerLanes> {
        self.inside.lanes(horizon)
    }

    /// What its capacity was used for up to `horizon`; nothing if it has none.
    pub fn usage(&self, horizon: Instant) -> Option<Usage> {
        self.inside.usage(horizon)
    }

    #[inline]
    fn turned_away(
        &self,
        outcome: Outcome,
        retry_after: Option<RetryAfter>,
        verdict: Verdict,
        luck: Luck,
    ) -> Answer {
        let latency = comes_after(outcome, self.rejection_latency.sample_with(|| luck.bits()[1]));
        Answer { outcome, latency, retry_after, verdict }
    }
}

/// When the client gets an answer that the service has after `latency`: never, if the outcome is that nothing comes.
fn comes_after(outcome: Outcome, latency: Interval) -> Interval {
    if outcome == Outcome::Timeout { Interval::MAX } else { latency }
}

/// A factor as a fraction of six digits: numerator and denominator go up to a million.
fn fraction(factor: f64) -> (u32, u32) {
    let mut denominator = 1_000_000;
    while denominator > 1 && factor * f64::from(denominator) > 1e6 {
        denominator /= 10;
    }
    // `as` rounds down and saturates.
    ((libm::round(factor * f64::from(denominator)) as u32).clamp(1, 1_000_000), denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(text: &str) -> Service {
        let setting = Setting { operations: &[], calls_others: false, horizon: Interval::from_secs(3600) };
        Service::new(&toml::from_str(text).unwrap(), setting, |purpose| Key::derive(1, 0, purpose, "api"))
    }

    /// What a first attempt without luck gets that comes after so many milliseconds.
    fn answer(service: &mut Service, millis: u64) -> Answer {
        let now = Instant::from_nanos(millis * 1_000_000);
        let call = Call {
            index: 0,
            caller: Caller::default(),
            arrived: now,
            reached: 1,
            input: 0,
            luck: Luck::Drawn([0; 2]),
            way: Interval::ZERO,
            gives_up: Instant::LAST,
            retry: false,
        };
        match service.receive(now, &call) {
            Reply::Now(answer) => answer,
            other => panic!("{other:?} instead of an answer"),
        }
    }

    #[test]
    fn a_call_that_a_limit_holds_takes_longer_and_keeps_its_place_until_its_answer() {
        let mut service = service(
            "latency.constant = '2s'\n[[rate_limit]]\nleaky_queue = { rate = '1/s', burst = 5 }\n\
             [[rate_limit]]\nconcurrency.limit = 2\nstatus = 'error_615'",
        );
        let mut answer = |millis: u64| {
            let answer = answer(&mut service, millis);
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
        let answer = answer(&mut service, 0);
        assert_eq!((answer.outcome, answer.latency), (Outcome::Timeout, Interval::MAX));
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
            let answer = answer(&mut service, 1000 * seconds);
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
    fn factors_become_fractions_of_six_digits() {
        for (factor, expected) in [
            (0.1, (100_000, 1_000_000)),
            (1.0, (1_000_000, 1_000_000)),
            (4.0, (400_000, 100_000)),
            (33.3333, (333_333, 10_000)),
            (100.0, (1_000_000, 10_000)),
            (1e-9, (1, 1_000_000)),
            (1e30, (1_000_000, 1)),
        ] {
            assert_eq!(fraction(factor), expected, "{factor}");
        }
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
