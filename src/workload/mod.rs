//! Workloads: who wants what, and when.
//!
//! A workload is a population of clients that issue one operation, or several, against one service. Its arrivals are streamed: the
//! next one is computed when the last one has happened, so ten million clients that are idle cost nothing.

mod arrivals;
mod draws;
mod keys;
mod operations;
mod slots;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;

pub use arrivals::{
    Arrival, ArrivalStream, Arrivals, Burst, CallDeadline, CallsOf, Closed, Cron, Diurnal, Even,
    FirstAttempts, Level, Modulated, Poisson, Profile, Ramp, Ratio, RecordedAnswer, Recording, Renewal,
    Requests, Schedule, Start, Step, Steps, Trace,
};
pub use draws::RequestDraws;
pub use keys::{Exponent, Keys};
pub use operations::Operations;
pub use slots::Slots;

use crate::time::Interval;
use crate::units::Count;

/// A workload as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadConfig {
    /// Name of the service that it calls.
    pub service: String,
    /// How many clients there are; 1 if absent. What is kept for each client, account and input (rate limits, breakers, budgets,
    /// limiters, slots, caches) may come to 20,000,000 states in a run.
    #[serde(default = "one")]
    pub clients: Count<1, 10_000_000>,
    /// Name of the account that its clients use; workloads of one account share its limits. The workload's own name if absent.
    pub account: Option<String>,
    /// Over how many accounts the clients are spread (client modulo accounts); 1 if absent.
    #[serde(default = "one")]
    pub accounts: Count<1, 10_000_000>,
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// The operations that requests are of, and how often each, such as `{ read = 9, write = 1 }`; one operation if absent, unless a trace says.
    pub operations: Option<Operations>,
    /// How long a client waits for an answer; for ever if absent. The service does not know and goes on working.
    pub timeout: Option<Interval>,
    /// How many different inputs requests have, and how popular each is; every request its own if absent, unless a trace says.
    pub keys: Option<Keys>,
    /// Whether its operation may be done twice, as a GET may; policies can retry the others more carefully. True if absent.
    #[serde(default = "yes")]
    pub idempotent: bool,
    /// How many of its requests can be under way at once, the others waiting for their turn (Prefect's concurrency limits):
    /// `slots = 3`, or `{ limit = 3, scope = "client" }`; `scope = "global"` is one pool of workers for all workloads that say
    /// so, with the same limit. No limit if absent.
    pub slots: Option<Slots>,
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
        if self.accounts > self.clients {
            problems.push((
                "accounts",
                format!(
                    "{} accounts for {} clients: give each account a client, or have fewer",
                    self.accounts.get(),
                    self.clients.get()
                ),
            ));
        }
        problems.extend(
            self.operations.as_ref().and_then(Operations::problem).map(|message| ("operations", message)),
        );
        let recording = self.recording();
        if self.operations.is_some() && recording.is_some_and(|recording| !recording.operations().is_empty())
        {
            problems.push((
                "operations",
                "the trace says which operation each request is of: leave `operations` out, or the trace's column".into(),
            ));
        }
        if self.keys.is_some() && recording.is_some_and(|recording| recording.keys().is_some()) {
            problems.push((
                "keys",
                "the trace says which key each request has: leave `keys` out, or the trace's column".into(),
            ));
        }
        problems
    }

    fn recording(&self) -> Option<&Recording> {
        match &self.arrivals {
            Arrivals::Trace(trace) => Some(&trace.recording),
            _ => None,
        }
    }

    /// True if first attempts come to what a trace says of them.
    pub fn replays(&self) -> bool {
        let replays =
            |trace: &Trace| trace.first_attempts == FirstAttempts::Recorded && trace.recording.has_results();
        matches!(&self.arrivals, Arrivals::Trace(trace) if replays(trace))
    }

    /// How many different input keys its requests have; `None` if every request has its own.
    pub fn key_count(&self) -> Option<u64> {
        self.recording().and_then(Recording::keys).or_else(|| self.keys.map(|keys| keys.count.get()))
    }

    /// The names of its operations, sorted; empty if it has one that needs no name.
    pub fn operation_names(&self) -> &[String] {
        match &self.operations {
            Some(operations) => operations.names(),
            None => self.recording().map_or(&[], Recording::operations),
        }
    }

    /// The account that its clients use, given its own name.
    pub fn account_name<'a>(&'a self, own: &'a str) -> &'a str {
        self.account.as_deref().unwrap_or(own)
    }
}
