//! Incidents: faults with a time window, which begins with its first instant and ends before its last.

use serde::Deserialize;

use crate::outcome::StatusCode;
use crate::time::{Instant, Interval};

/// A fault with a time window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Incident {
    /// The service turns everything away.
    Outage(Outage),
}

/// A time in which nothing works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it begins, counted from the start of the run.
    pub from: Interval,
    /// How long it lasts, above 0s.
    pub lasts: Interval,
    /// What attempts are answered; 503 if absent.
    #[serde(default = "service_unavailable")]
    pub status: StatusCode,
}

const fn service_unavailable() -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

impl Incident {
    /// The instants at which it begins and at which it is over.
    pub fn window(&self) -> (Instant, Instant) {
        let Self::Outage(outage) = self;
        let begins = Instant::START + outage.from;
        (begins, begins + outage.lasts)
    }

    /// What an attempt is answered that it strikes.
    pub const fn status(&self) -> StatusCode {
        let Self::Outage(outage) = self;
        outage.status
    }

    /// What an attempt at `now` is answered if the incident is under way.
    pub fn strikes(&self, now: Instant) -> Option<StatusCode> {
        let (begins, over) = self.window();
        (begins <= now && now < over).then_some(self.status())
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        let Self::Outage(outage) = self;
        outage
            .lasts
            .is_zero()
            .then(|| "an outage that lasts 0s never happens: give `lasts`, such as \"2m\"".into())
    }
}
