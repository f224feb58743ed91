//! The capacity of a service as written in a scenario.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::autoscale::AutoscaleConfig;
use super::codel::CodelConfig;
use super::shedding::SheddingConfig;
use crate::outcome::{Failure, Outcome, StatusCode};

use crate::time::Interval;
use crate::units::{Amount, Count};

/// How much a service can do at once, and what becomes of the rest.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityConfig {
    /// Calls worked on at once; unlimited if absent. With `autoscale`, the number at the start.
    pub servers: Option<Count<1, 1_000_000_000>>,
    /// Places for calls that wait, besides the servers; unlimited if absent, and with 0 nobody waits.
    pub queue: Option<Count<0, 1_000_000_000>>,
    /// In which order calls get a server.
    #[serde(default)]
    #[schemars(extend("default" = "fifo"))]
    pub discipline: Discipline,
    /// By which share of itself a service time grows per call in service when it begins, itself included; 0 if absent.
    #[serde(default = "no_slowdown")]
    pub slowdown: Amount,
    /// What becomes of a call whose client has stopped waiting.
    #[serde(default)]
    pub abandoned: Abandoned,
    /// Who goes before whom, whatever the discipline; nobody if absent.
    pub priority: Option<Priority>,
    /// When calls are turned away although there is a place; never if absent.
    pub shedding: Option<SheddingConfig>,
    /// How the number of servers follows the load; constant if absent.
    pub autoscale: Option<AutoscaleConfig>,
    /// What calls are answered that are turned away, pushed out or dropped; 503 if absent.
    pub status: Option<Failure>,
    /// How long they are asked to wait; nothing is said if absent.
    pub retry_after: Option<Interval>,
}

const fn no_slowdown() -> Amount {
    Amount(0.0)
}

/// In which order calls get a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Discipline {
    /// Who came first.
    #[default]
    Fifo,
    /// Who came last; a call that is worked on is not interrupted.
    Lifo,
    /// All at once: each of n calls gets a server's full speed, or an equal part of all servers if they are fewer.
    ProcessorSharing,
    /// Who came last while the queue is long, who came first while it is short.
    AdaptiveLifo(AdaptiveLifo),
    /// Who came first, unless it has waited too long for too long: controlled delay.
    Codel(CodelConfig),
}

/// When the newest goes first.
///
/// Source: B. Maurer, "Fail at scale: reliability in the face of rapid change", ACM Queue 13(8), 2015 (adaptive LIFO).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveLifo {
    /// While more calls than this wait.
    pub above: Count<0, 1_000_000_000>,
}

/// What a service does with a call whose client has stopped waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Abandoned {
    /// It does not know, and works on it.
    #[default]
    Served,
    /// It lets go of it, waiting, in service, or while others work for its sake, who do not know.
    Cancelled,
    /// It lets go of it while it waits; once begun, work is finished.
    CancelledInQueue,
}

/// Who goes before whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// First tries leave the queue before all retries, and a first try that finds it full pushes out the retry that came
    /// last.
    FirstTries,
}

impl CapacityConfig {
    /// True if [`Station`](super::Station) must play it: what becomes of a call depends on what comes after it.
    pub fn needs_station(&self) -> bool {
        self.discipline != Discipline::Fifo
            || self.priority.is_some()
            || self.autoscale.is_some()
            || matches!(self.shedding, Some(SheddingConfig::Gradient(_)))
    }

    /// The most servers that there ever are; `None` if incidents find none to take away.
    pub fn most_servers(&self) -> Option<u32> {
        let servers = self.servers?.get_u32();
        Some(self.autoscale.map_or(servers, |autoscale| servers.max(autoscale.max.get_u32())))
    }

    /// What a call is answered that gets no service.
    pub fn outcome(&self) -> Outcome {
        self.status.map_or(Outcome::Status(StatusCode::SERVICE_UNAVAILABLE), Failure::outcome)
    }

    /// What is wrong with the fields taken together: (path below the capacity, message) for each problem.
    pub fn problems(&self) -> Vec<(String, String)> {
        let outcome = self.outcome();
        let of_parts = [
            (
                "status",
                outcome
                    .is_success()
                    .then(|| format!("status {outcome} is a success, not a failure: write for example 503")),
            ),
            ("queue", self.queue_problem()),
            ("discipline", self.discipline_problem()),
            ("abandoned", self.abandoned_problem()),
            ("priority", self.priority_problem()),
            ("shedding", self.shedding.and_then(|shedding| shedding.problem())),
            ("autoscale", self.autoscale.and_then(|autoscale| autoscale.problem())),
            ("servers", self.servers_problem()),
        ];
        let named = |(path, message): (&str, Option<String>)| Some((path.to_owned(), message?));
        of_parts.into_iter().filter_map(named).collect()
    }

    /// The first problem, with its path.
    pub fn problem(&self) -> Option<String> {
        self.problems().into_iter().next().map(|(path, message)| format!("{path}: {message}"))
    }

    const fn is_limited(&self) -> bool {
        self.servers.is_some() || self.autoscale.is_some()
    }

    const fn is_shared(&self) -> bool {
        matches!(self.discipline, Discipline::ProcessorSharing)
    }

    /// Why nobody ever waits, if nobody does.
    fn nobody_waits(&self) -> Option<&'static str> {
        if !self.is_limited() {
            Some("nobody waits for servers that are unlimited: give `servers`")
        } else if self.queue.is_some_and(|queue| queue.get() == 0) {
            Some("nobody waits where the queue has 0 places: give `queue` more, or leave it out")
        } else {
            None
        }
    }

    fn queue_problem(&self) -> Option<String> {
        (self.queue.is_some() && !self.is_limited()).then(|| {
            "nobody waits for servers that are unlimited: give `servers`, or leave out `queue`".into()
        })
    }

    fn discipline_problem(&self) -> Option<String> {
        match self.discipline {
            Discipline::Fifo => None,
            Discipline::ProcessorSharing => (!self.is_limited()).then(|| {
                "servers that are unlimited are not shared: give `servers`, or leave out `discipline`".into()
            }),
            Discipline::Lifo | Discipline::AdaptiveLifo(_) => {
                self.nobody_waits().map(|why| format!("{why}; or leave out `discipline`"))
            }
            Discipline::Codel(codel) => codel
                .problem()
                .or_else(|| self.nobody_waits().map(|why| format!("{why}; or leave out `discipline`"))),
        }
    }

    fn abandoned_problem(&self) -> Option<String> {
        (self.abandoned == Abandoned::CancelledInQueue && self.is_shared()).then(|| {
            "in processor sharing nobody waits in a queue that could be left: write \"cancelled\" or \"served\"".into()
        })
    }

    fn priority_problem(&self) -> Option<String> {
        self.priority?;
        if self.is_shared() {
            return Some("in processor sharing nobody goes before others: leave out `priority`, or write discipline = \"fifo\"".into());
        }
        self.nobody_waits().map(|why| format!("{why}; or leave out `priority`"))
    }

    fn servers_problem(&self) -> Option<String> {
        let (servers, autoscale) = (self.servers?.get(), self.autoscale?);
        let (min, max) = (autoscale.min.get(), autoscale.max.get());
        (min <= max && !(min..=max).contains(&servers)).then(|| {
            format!("{servers} servers to start with are not within the autoscaler's {min} to {max}: move one of them")
        })
    }
}
