//! The incidents of a service during a run, and what they make of it from moment to moment.

use super::{Incident, IncidentKind};
use crate::outcome::Outcome;
use crate::random::{Key, fork, unit};
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
    pub fn spoils(&self, bits: u64) -> Option<Outcome> {
        let strikes = |brownout: &&Brownout| unit(fork(bits, brownout.luck)) < brownout.probability;
        self.brownouts.iter().find(strikes).map(|brownout| brownout.outcome)
    }

    /// How many of `servers` are left, to the nearest whole one.
    pub fn servers_left(&self, servers: u32) -> u32 {
        libm::round(f64::from(servers.saturating_sub(self.servers_lost)) * self.capacity) as u32
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
                if matches!(self.kinds[incident], IncidentKind::ColdCache { .. }) {
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
                IncidentKind::Outage(outcome) => conditions.down = conditions.down.or(Some(outcome)),
                IncidentKind::Brownout { outcome, probability } => {
                    conditions.brownouts.push(Brownout { outcome, probability: probability.get(), luck });
                }
                IncidentKind::Latency(factor) => conditions.slowness *= factor.get(),
                IncidentKind::ColdCache { .. } => {}
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
        self.conditions = conditions;
    }

    /// Reckons how cold the caches still are.
    fn warm_up(&mut self, now: Instant) {
        let (kinds, mut slowness) = (&self.kinds, self.steady);
        self.cold.retain(|&(incident, since)| {
            let IncidentKind::ColdCache { factor, decays } = kinds[incident] else { return false };
            let age = now.since(since).as_secs_f64() / decays.as_secs_f64();
            slowness *= 1.0 + (factor.get() - 1.0) * libm::exp(-age);
            age < WARM
        });
        self.conditions.slowness = slowness;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn incidents(text: &str) -> Incidents {
        #[derive(serde::Deserialize)]
        struct Wrapper {
            incidents: Vec<Incident>,
        }
        let list = toml::from_str::<Wrapper>(text).unwrap().incidents;
        for incident in &list {
            assert_eq!(incident.problem(), None, "{incident:?}");
        }
        Incidents::new(&list, Key::derive(4, 0, Purpose::Incidents, "api"), Interval::from_secs(1000))
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    const SECOND: u64 = 1_000_000_000;

    /// What differs from the usual, in words.
    fn words(conditions: &Conditions) -> String {
        let Conditions { down, brownouts, slowness, capacity, servers_lost, limit, error } = conditions;
        let mut words = Vec::new();
        words.extend(down.map(|outcome| format!("down {outcome}")));
        words.extend(brownouts.iter().map(|b| format!("{} of {}", b.outcome, b.probability)));
        words.extend((*slowness != 1.0).then(|| format!("slow {slowness}")));
        words.extend((*capacity != 1.0).then(|| format!("capacity {capacity}")));
        words.extend((*servers_lost != 0).then(|| format!("servers -{servers_lost}")));
        words.extend((*limit != 1.0).then(|| format!("limit {limit}")));
        words.extend(error.map(|outcome| format!("error {outcome}")));
        words.join(", ")
    }

    #[test]
    fn each_kind_changes_its_condition_from_the_first_instant_of_its_window_to_before_its_last() {
        for (incident, expected) in [
            ("outage = { from = '10s', lasts = '5s' }", "down 503"),
            ("outage = { from = '10s', lasts = '5s', status = 'connection_error' }", "down connection_error"),
            ("brownout = { from = '10s', lasts = '5s', probability = 0.25 }", "503 of 0.25"),
            ("brownout = { from = '10s', lasts = '5s', status = 500, probability = 1 }", "500 of 1"),
            ("latency = { from = '10s', lasts = '5s', factor = 3 }", "slow 3"),
            ("capacity = { from = '10s', lasts = '5s', share = 0.5 }", "capacity 0.5"),
            ("capacity = { from = '10s', lasts = '5s', servers_lost = 2 }", "servers -2"),
            ("rate_limit = { from = '10s', lasts = '5s', factor = 0.1 }", "limit 0.1"),
            ("error_code = { from = '10s', lasts = '5s', status = 418 }", "error 418"),
            ("deploy = { from = '10s', instances = 4, each = '1250ms' }", "capacity 0.75"),
            (
                "deploy = { from = '10s', instances = 4, each = '1250ms', status = 'connection_error' }",
                "connection_error of 0.25, capacity 0.75",
            ),
        ] {
            let mut incidents = incidents(&format!("[[incidents]]\n{incident}"));
            assert_eq!(incidents.windows(), [(at(10 * SECOND), at(15 * SECOND))], "{incident}");
            for (now, expected, next) in [
                (0, "", Some(10)),
                (10 * SECOND - 1, "", Some(10)),
                (10 * SECOND, expected, Some(15)),
                (15 * SECOND - 1, expected, Some(15)),
                (15 * SECOND, "", None),
                (999 * SECOND, "", None),
            ] {
                assert_eq!(words(incidents.at(at(now))), expected, "{incident} at {now} ns");
                let next = next.map(|seconds| at(seconds * SECOND));
                assert_eq!(incidents.next_change(), next, "{incident} at {now} ns");
            }
        }
    }

    #[test]
    fn a_cache_is_cold_from_the_end_of_its_window_and_warms_up_exponentially() {
        for (fields, from) in [("", 10u64), ("lasts = '4s', ", 14)] {
            let text =
                format!("[[incidents]]\ncold_cache = {{ from = '10s', {fields}factor = 5, decays = '2s' }}");
            let mut incidents = incidents(&text);
            assert_eq!(incidents.at(at(from * SECOND - 1)).slowness, 1.0);
            for (age, excess) in [(0, 1.0), (2, 0.367_879_441_171), (6, 0.049_787_068_368), (200, 0.0)] {
                let slowness = incidents.at(at((from + age) * SECOND)).slowness;
                assert!((slowness - (1.0 + 4.0 * excess)).abs() < 1e-11, "{age} s: {slowness}");
            }
            assert!(incidents.cold.is_empty(), "what is warm is forgotten");
            assert_eq!(incidents.at(at(900 * SECOND)).slowness, 1.0);
        }
        // A new window starts it anew, and a long jump past several counts from the last.
        let text = "[[incidents]]\ncold_cache = { from = '10s', every = '5s', times = 3, factor = 5, decays = '2s' }";
        let seen = |seconds: &[u64]| {
            let mut incidents = incidents(text);
            seconds.iter().map(|second| incidents.at(at(second * SECOND)).slowness).last().unwrap()
        };
        assert_eq!(seen(&[10, 15]), 5.0);
        assert_eq!(seen(&[10, 14, 20]), 5.0);
        assert_eq!(seen(&[22]), seen(&[10, 12]));
    }

    #[test]
    fn incidents_at_the_same_time_add_up_and_the_first_in_the_file_decides() {
        let mut incidents = incidents(
            "[[incidents]]\nlatency = { from = '0s', lasts = '30s', factor = 2 }\n\
             [[incidents]]\nlatency = { from = '10s', lasts = '10s', factor = 3 }\n\
             [[incidents]]\ncold_cache = { from = '20s', factor = 4, decays = '1ns' }\n\
             [[incidents]]\noutage = { from = '20s', lasts = '5s', status = 500 }\n\
             [[incidents]]\noutage = { from = '15s', lasts = '10s', status = 502 }\n\
             [[incidents]]\ncapacity = { from = '26s', lasts = '1s', share = 0.5 }\n\
             [[incidents]]\ndeploy = { from = '26s', instances = 2, each = '1s', status = 503 }\n\
             [[incidents]]\nbrownout = { from = '26s', lasts = '1s', status = 500, probability = 0.25 }",
        );
        for (seconds, expected) in [
            (5, "slow 2"),
            (10, "slow 6"),
            (15, "down 502, slow 6"),
            (20, "down 500, slow 8"),
            (24, "down 500, slow 2"),
            (26, "503 of 0.5, 500 of 0.25, slow 2, capacity 0.25"),
            (27, "503 of 0.5, slow 2, capacity 0.5"),
            (30, ""),
        ] {
            assert_eq!(words(incidents.at(at(seconds * SECOND))), expected, "{seconds} s");
        }
    }

    #[test]
    fn brownouts_strike_each_on_its_own() {
        let mut incidents = incidents(
            "[[incidents]]\nbrownout = { from = '0s', lasts = '1s', status = 500, probability = 0.4 }\n\
             [[incidents]]\nbrownout = { from = '0s', lasts = '1s', status = 503, probability = 0.5 }",
        );
        let conditions = incidents.at(at(0));
        let key = Key::derive(4, 0, Purpose::Service, "calls");
        let n = 20_000;
        let mut seen = [0.0; 2];
        for entity in 0..n {
            match conditions.spoils(key.block(entity, 1)[0]).map(|outcome| outcome.to_string()).as_deref() {
                Some("500") => seen[0] += 1.0,
                Some(_) => seen[1] += 1.0,
                None => {}
            }
        }
        for (count, p) in seen.into_iter().zip([0.4, 0.6 * 0.5]) {
            let z = (count - n as f64 * p) / (n as f64 * p * (1.0 - p)).sqrt();
            assert!(z.abs() < 4.5, "{p}: z = {z}");
        }
    }

    #[test]
    fn random_windows_open_and_close_as_they_are_listed() {
        let mut incidents = incidents("[[incidents]]\noutage = { mtbf = '20s', mttr = '5s' }");
        let windows = incidents.windows().to_vec();
        assert!(windows.len() > 10, "{}", windows.len());
        for (begins, over) in windows {
            let before = Instant::from_nanos(begins.as_nanos() - 1);
            assert_eq!(incidents.at(before).down, None);
            assert_eq!(incidents.next_change(), Some(begins));
            assert!(incidents.at(begins).down.is_some());
            assert_eq!(incidents.next_change(), Some(over));
            assert!(incidents.at(Instant::from_nanos(over.as_nanos() - 1)).down.is_some());
            assert_eq!(incidents.at(over).down, None);
        }
    }

    #[test]
    fn servers_are_left_in_whole_ones() {
        let left = |text: &str, servers| {
            incidents(&format!("[[incidents]]\n{text}")).at(at(0)).servers_left(servers)
        };
        for (incident, servers, expected) in [
            ("capacity = { from = '0s', lasts = '1s', share = 0.5 }", 5, 3),
            ("capacity = { from = '0s', lasts = '1s', share = 0 }", 5, 0),
            ("capacity = { from = '0s', lasts = '1s', servers_lost = 2 }", 5, 3),
            ("capacity = { from = '0s', lasts = '1s', servers_lost = 9 }", 5, 0),
            ("deploy = { from = '0s', instances = 3, each = '1s' }", 3, 2),
            ("latency = { from = '0s', lasts = '1s', factor = 9 }", 4_000_000_000, 4_000_000_000),
        ] {
            assert_eq!(left(incident, servers), expected, "{incident}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_explained() {
        for (text, word) in [
            ("outage = { lasts = '1s' }", "say when"),
            ("outage = { from = '1s' }", "say how long"),
            ("outage = { from = '1s', mtbf = '1h', mttr = '1s' }", "keep `from` and `lasts`, or `mtbf`"),
            ("outage = { mtbf = '1h' }", "say when"),
            ("outage = { mtbf = '1h', mttr = '1s', every = '1h' }", "`every` and `times` repeat"),
            ("capacity = { from = '0s', lasts = '1s' }", "say what is left"),
            ("deploy = { from = '0s', lasts = '1s', instances = 2, each = '1s' }", "unknown field `lasts`"),
            ("brownout = { from = '0s', lasts = '1s' }", "missing field `probability`"),
        ] {
            let error = toml::from_str::<Incident>(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
        for (text, word) in [
            ("outage = { from = '1s', lasts = '1s', status = 200 }", "status 200 is a success"),
            ("outage = { from = '1s', lasts = '0s' }", "an outage that lasts 0s never happens"),
            (
                "deploy = { from = '1s', instances = 3, each = '0s' }",
                "a deploy that lasts 0s never happens: give `each`",
            ),
            ("deploy = { from = '1s', instances = 3, each = '1s', every = '3s' }", "make `every`"),
            ("cold_cache = { from = '1s', factor = 3, decays = '0s' }", "give `decays`"),
            ("cold_cache = { from = '1s', factor = 3, decays = '1s', every = '0s' }", "make `every`"),
            ("rate_limit = { from = '1s', lasts = '1s', factor = 0 }", "write an `outage`"),
        ] {
            let problem = toml::from_str::<Incident>(text).unwrap().problem().expect(text);
            assert!(problem.contains(word), "{text}: {problem}");
        }
    }
}
