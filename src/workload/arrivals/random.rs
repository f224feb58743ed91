//! Arrivals with independent gaps: Poisson and renewal processes. And no arrivals at all, of a closed workload.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Requests;
use crate::distribution::{Distribution, Sampler};
use crate::time::Interval;
use crate::units::Rate;

/// The shortest mean gap: the clock counts in nanoseconds, and the rounding of shorter gaps would show.
const SHORTEST_GAP_SECONDS: f64 = 1e-7;
/// The shortest mean think time: without one, a request that takes no time would be followed by the next without end.
const SHORTEST_THINK_SECONDS: f64 = 1e-6;

/// A Poisson process of `rate` requests per time over all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poisson {
    /// Mean requests per time.
    pub rate: Rate,
    /// When it begins; at the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// When it stops (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
}

impl Poisson {
    /// The law of a gap between two requests.
    pub(super) fn gap(&self) -> Sampler {
        Sampler::Exponential { mean_nanos: self.rate.per().as_nanos() as f64 / self.rate.count() as f64 }
    }
}

/// A renewal process: the gaps between the requests of all clients are independent draws of one law. The first request comes
/// one gap after `from`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The law of a gap.
    pub gap: Distribution,
    /// When it begins; at the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// When it stops (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
}

/// A closed workload: each client issues its next request a think time after its last one has ended, the first one a think
/// time after the start. The `round`-th request of a client (from 0) has the number `round * clients + client`, so that its
/// luck does not depend on who was faster.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// The law of the time that a client thinks.
    pub think: Distribution,
    /// When clients stop (no request at or after it); with the run if absent.
    pub until: Option<Interval>,
}

impl Renewal {
    pub(super) fn problem(&self) -> Option<String> {
        self.gap.problem().map(|message| format!("gap: {message}")).or_else(|| {
            (self.gap.mean_seconds() < SHORTEST_GAP_SECONDS).then(|| {
                "a mean gap below 100ns is more than the clock's nanoseconds can tell apart: lengthen it"
                    .into()
            })
        })
    }
}

impl Closed {
    pub(super) fn problem(&self) -> Option<String> {
        self.think.problem().map(|message| format!("think: {message}")).or_else(|| {
            (self.think.mean_seconds() < SHORTEST_THINK_SECONDS).then(|| {
                "a mean think time below 1us lets requests that take no time follow each other without end: lengthen it"
                    .into()
            })
        })
    }
}
