//! Incidents: what befalls a service for a time. A window begins with its first instant and ends before its last.

mod timeline;
mod when;
mod written;

use schemars::JsonSchema;
use serde::Deserialize;

pub use timeline::{Brownout, Conditions, Incidents};
pub use when::When;

use crate::outcome::Outcome;
use crate::time::{Instant, Interval};
use crate::units::{Amount, Factor, Probability, Share};

/// Something that befalls a service, and when.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "written::Written")]
#[schemars(with = "written::Written")]
pub struct Incident {
    /// When.
    pub when: When,
    /// What.
    pub kind: IncidentKind,
}

/// What befalls a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IncidentKind {
    /// It turns everything away.
    Outage {
        /// What every attempt comes to.
        outcome: Outcome,
        /// How cold its caches are when it is back, if they are.
        cold: Option<ColdCache>,
    },
    /// A share of the attempts fails, each on its own; an attempt meets the rate limit first.
    Brownout {
        /// What a failing attempt comes to.
        outcome: Outcome,
        /// How likely an attempt fails.
        probability: Probability,
    },
    /// Attempts that it works on take so many times as long.
    Latency(Factor),
    /// From the end of the window on its caches are cold.
    ColdCache(ColdCache),
    /// This share of its capacity is left.
    Capacity(Share),
    /// So many of its servers are away.
    ServersLost(u32),
    /// Its limits let through so many times as much.
    RateLimit(Amount),
    /// Of so many instances one is away after the other: the others are left, and connections to the one fail.
    Deploy {
        /// How many there are.
        instances: u32,
        /// What an attempt comes to whose instance is away; those left serve it if absent.
        outcome: Option<Outcome>,
    },
    /// Attempts that fail while it works on them, by a fault or a brownout, come to this.
    ErrorCode(Outcome),
}

/// Caches that are cold from the end of a window on: attempts take longer, at first `factor` times as long, and less with every
/// `decays`: at the age t the factor is 1 + (factor - 1) e^(-t / decays). A later window starts it anew.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColdCache {
    /// The factor at first.
    pub factor: Factor,
    /// How long it takes until the excess is down to 1/e.
    pub decays: Interval,
}

impl IncidentKind {
    /// How cold it leaves the caches, if it does.
    pub(super) const fn cold(&self) -> Option<ColdCache> {
        match *self {
            Self::ColdCache(cold) => Some(cold),
            Self::Outage { cold, .. } => cold,
            _ => None,
        }
    }
}

impl Incident {
    /// Its name where it is drawn.
    pub const fn name(&self) -> &'static str {
        match self.kind {
            IncidentKind::Outage { .. } => "outage",
            IncidentKind::Brownout { .. } => "brownout",
            IncidentKind::Latency(_) => "slow",
            IncidentKind::ColdCache(_) => "cold cache",
            IncidentKind::Capacity(_) | IncidentKind::ServersLost(_) => "less capacity",
            IncidentKind::RateLimit(_) => "other limit",
            IncidentKind::Deploy { .. } => "deploy",
            IncidentKind::ErrorCode(_) => "other error",
        }
    }

    /// True if its windows differ from replication to replication.
    pub const fn is_random(&self) -> bool {
        matches!(self.when, When::Random { .. })
    }

    /// Its windows that begin within `horizon`, in order, if they are the same in every replication: those of an incident at
    /// random are not.
    pub fn fixed_windows(&self, horizon: Interval) -> Vec<(Instant, Instant)> {
        self.when.fixed(horizon)
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        let outcome = match self.kind {
            IncidentKind::Outage { outcome, .. }
            | IncidentKind::Brownout { outcome, .. }
            | IncidentKind::ErrorCode(outcome)
            | IncidentKind::Deploy { outcome: Some(outcome), .. } => Some(outcome),
            _ => None,
        };
        if let Some(outcome) = outcome.filter(|outcome| outcome.is_success()) {
            return Some(format!("status {outcome} is a success, not a failure: write for example 503"));
        }
        if self.kind.cold().is_some_and(|cold| cold.decays.is_zero()) {
            return Some(
                "a cache that is warm after 0s never was cold: give `decays`, such as \"2m\"".into(),
            );
        }
        if matches!(self.kind, IncidentKind::RateLimit(factor) if factor.get() == 0.0) {
            return Some("a limit of 0 lets nothing through: write an `outage` with status 429".into());
        }
        if self.when.is_empty() && !matches!(self.kind, IncidentKind::ColdCache(_)) {
            return Some(self.never_happens());
        }
        self.when.problem()
    }

    fn never_happens(&self) -> String {
        let article = match self.kind {
            IncidentKind::Outage { .. } | IncidentKind::RateLimit(_) | IncidentKind::ErrorCode(_) => "an",
            _ => "a",
        };
        let field = if matches!(self.kind, IncidentKind::Deploy { .. }) { "each" } else { "lasts" };
        let name = self.name();
        format!("{article} {name} that lasts 0s never happens: give `{field}`, such as \"2m\"")
    }

    /// When it may begin, counted from the start of the run.
    pub const fn begins(&self) -> Interval {
        self.when.begins()
    }

    /// What is wrong with it in a run of `horizon`, if anything but that it [begins](Self::begins) too late.
    pub fn problem_within(&self, horizon: Interval) -> Option<String> {
        self.when.problem_within(horizon)
    }
}
