//! Workloads: who wants what, and when.
//!
//! A workload is a population of clients that issue one operation against one service. Its arrivals are streamed: the
//! next one is computed when the last one has happened, so ten million clients that are idle cost nothing.

mod arrivals;

use serde::Deserialize;

pub use arrivals::{Arrival, ArrivalStream, Arrivals, Burst, Even, Poisson};

use crate::random::{Key, up_to};
use crate::time::Interval;
use crate::units::Count;

/// A workload as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadConfig {
    /// Name of the service that it calls.
    pub service: String,
    /// How many clients there are; 1 if absent.
    #[serde(default = "one")]
    pub clients: Count<1, 10_000_000>,
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// How long a client waits for an answer; for ever if absent. The service does not know and goes on working.
    pub timeout: Option<Interval>,
    /// How many different inputs requests have, drawn uniformly; every request its own if absent.
    pub keys: Option<Count<1, 10_000_000>>,
    /// Whether its operation may be done twice, as a GET may; policies can retry the others more carefully. True if absent.
    #[serde(default = "yes")]
    pub idempotent: bool,
    /// Name of its policy in the arms that do not say otherwise.
    pub policy: Option<String>,
}

const fn one() -> Count<1, 10_000_000> {
    Count::of(1)
}

const fn yes() -> bool {
    true
}

impl WorkloadConfig {
    /// What is wrong with the fields taken together: (field, message) for each problem.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        problems.extend(self.arrivals.problem().map(|message| ("arrivals", message)));
        if self.timeout.is_some_and(Interval::is_zero) {
            problems.push((
                "timeout",
                "a timeout of 0s fails every attempt: give a longer one, or leave it out".into(),
            ));
        }
        problems
    }
}

/// The input key of request `number`, uniform over `keys` keys.
pub fn input_key(key: Key, number: u64, keys: u64) -> u32 {
    up_to(key.block(number, 0)[0], keys - 1) as u32
}
