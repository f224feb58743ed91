//! The incidents of a service during a run, and what they make of it from moment to moment.

use super::{ColdCache, Incident, IncidentKind};
use crate::outcome::Outcome;
use crate::random::{Key, Luck, fork, unit};
use crate::service::capacity::Away;
use crate::time::{Instant, Interval};

/// Where the luck of brownouts begins, above that of faults.
const BROWNOUTS: u64 = 1 << 32;

/// The age at which a cache is warm, in times of its decay: e^-45 is less than what a factor near 1 can express, up to an excess
/// of a thousand; what is left of a larger one is less than a nanosecond in an hour.
const WARM: f64 = 45.0;

/// How a service is at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// What every attempt comes to, if it turns all of them away.
    pub down: Option<Outcome>,
    /// The brownouts under way, in the order of the file.
    pub brownouts: Vec<Brownout>,
    /// How many times as long an attempt takes.
    pub slowness: f64,
    /// Which share of the capacity is left; of several incidents the product.
    pub capacity: f64,
    /// How many servers are away besides.
    pub servers_lost: u32,
    /// How many times as much the limits let through.
    pub limit: f64,
    /// What failing attempts come to, if not to what they would.
    pub error: Option<Outcome>,
}

/// A brownout under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brownout {
    /// What a failing attempt comes to.
    pub outcome: Outcome,
    /// How likely an attempt fails.
    pub probability: f64,
    /// Which part of an attempt's luck it looks at.
    luck: u64,
}

impl Conditions {
    /// A service that nothing befalls.
    const USUAL: Self = Self {
        down: None,
        brownouts: Vec::new(),
        slowness: 1.0,
        capacity: 1.0,
        servers_lost: 0,
        limit: 1.0,
        error: None,
    };

    /// What the first brownout that strikes makes of an attempt with this luck. Each strikes on its own.
    pub fn spoils(&self, luck: Luck) -> Option<Outcome> {
        if self.brownouts.is_empty() {
            return None;
        }
        let bits = luck.bits()[0];
        let strikes = |brownout: &&Brownout| unit(fork(bits, brownout.luck)) < brownout.probability;
        self.brownouts.iter().find(strikes).map(|brownout| brownout.outcome)
    }

    /// What is away of the servers.
    pub const fn away(&self) -> Away {
        Away { servers: self.servers_lost, share_left: self.capacity }
    }
}

/// The incidents of a service during a run.
#[derive(Debug, Clone)]
pub struct Incidents {
    kinds: Vec<IncidentKind>,
    windows: Vec<(Instant, Instant)>,
    /// Begins and ends of windows in order of time.
    edges: Vec<Edge>,
    /// The first one ahead.
    next: usize,
    /// How many windows of each incident are under way.
    active: Vec<u32>,
    /// Caches that are not warm yet: which incident, and since when.
    cold: Vec<(usize, Instant)>,
    /// The slowness without cold caches.
    steady: f64,
    conditions: Conditions,
    /// True while nothing befalls the service.
    usual: bool,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    at: Instant,
    incident: u32,
    begins: bool,
}

impl Incidents {
    /// The incidents of a run of `horizon`; `key` is the service's own.
    pub fn new(incidents: &[Incident], key: Key, horizon: Interval) -> Self {
        let (mut windows, mut edges) = (Vec::new(), Vec::new());
        for (incident, config) in (0u32..).zip(incidents) {
            for (begins, over) in config.when.windows(u64::from(incident), key, horizon) {
                windows.push((begins, over));
                edges.push(Edge { at: begins, incident, begins: true });
                edges.push(Edge { at: over, incident, begins: false });
            }
        }
        windows.sort();
        edges.sort_by_key(|edge| edge.at);
        Self {
            kinds: incidents.iter().map(|incident| incident.kind).collect(),
            windows,
            edges,
            next: 0,
            active: vec![0; incidents.len()],
            cold: Vec::new(),
            steady: 1.0,
            conditions: Conditions::USUAL,
            usual: true,
        }
    }

    /// How the service is at `now`. Time does not go back.
    #[inline]
    pub fn at(&mut self, now: Instant) -> &Conditions {
        if self.next_change().is_some_and(|change| change <= now) {
            self.advance(now);
        }
        if !self.cold.is_empty() {
            self.warm_up(now);
        }
        &self.conditions
    }

    /// True if the service is at `now` as it was when it was looked at last.
    #[inline]
    pub fn stay_until(&self, now: Instant) -> bool {
        self.cold.is_empty() && self.next_change().is_none_or(|change| now < change)
    }

    /// True if nothing befalls the service at the instant that was looked at last.
    pub const fn is_usual(&self) -> bool {
        self.usual
    }

    /// How the service is at the instant that was looked at last.
    pub const fn now(&self) -> &Conditions {
        &self.conditions
    }

    /// When the next window begins or ends. Between such instants only the slowness of cold caches changes.
    #[inline]
    pub fn next_change(&self) -> Option<Instant> {
        self.edges.get(self.next).map(|edge| edge.at)
    }

    /// All windows that begin within the run, in order of time.
    pub fn windows(&self) -> &[(Instant, Instant)] {
        &self.windows
    }

    /// Goes past all begins and ends until `now`. An attempt at an end comes after it.
    fn advance(&mut self, now: Instant) {
        while let Some(&Edge { at, incident, begins }) =
            self.edges.get(self.next).filter(|edge| edge.at <= now)
        {
            let incident = incident as usize;
            self.next += 1;
            if begins {
                self.active[incident] += 1;
            } else {
                self.active[incident] -= 1;
                if self.kinds[incident].cold().is_some() {
                    self.cold.retain(|&(other, _)| other != incident);
                    self.cold.push((incident, at));
                }
            }
        }
        let mut conditions = Conditions::USUAL;
        let active = self.kinds.iter().zip(&self.active).enumerate().filter(|(_, (_, active))| **active > 0);
        for (place, (kind, _)) in active {
            let luck = BROWNOUTS + place as u64;
            match *kind {
                IncidentKind::Outage { outcome, .. } => conditions.down = conditions.down.or(Some(outcome)),
                IncidentKind::Brownout { outcome, probability } => {
                    conditions.brownouts.push(Brownout { outcome, probability: probability.get(), luck });
                }
                IncidentKind::Latency(factor) => conditions.slowness *= factor.get(),
                IncidentKind::ColdCache(_) => {}
                IncidentKind::Capacity(share) => conditions.capacity *= share.get(),
                IncidentKind::ServersLost(servers) => {
                    conditions.servers_lost = conditions.servers_lost.saturating_add(servers);
                }
                IncidentKind::RateLimit(factor) => conditions.limit *= factor.get(),
                IncidentKind::Deploy { instances, outcome } => {
                    let away = 1.0 / f64::from(instances);
                    conditions.capacity *= 1.0 - away;
                    let brownout = |outcome| Brownout { outcome, probability: away, luck };
                    conditions.brownouts.extend(outcome.map(brownout));
                }
                IncidentKind::ErrorCode(outcome) => conditions.error = conditions.error.or(Some(outcome)),
            }
        }
        self.steady = conditions.slowness;
        self.usual = conditions == Conditions::USUAL && self.cold.is_empty();
        self.conditions = conditions;
    }

    /// Reckons how cold the caches still are.
    fn warm_up(&mut self, now: Instant) {
        let (kinds, mut slowness) = (&self.kinds, self.steady);
        self.cold.retain(|&(incident, since)| {
            let Some(ColdCache { factor, decays }) = kinds[incident].cold() else { return false };
            let age = now.since(since).as_secs_f64() / decays.as_secs_f64();
            slowness *= 1.0 + (factor.get() - 1.0) * libm::exp(-age);
            age < WARM
        });
        self.conditions.slowness = slowness;
        self.usual = self.conditions == Conditions::USUAL;
    }
}

#[cfg(test)]
mod tests;
