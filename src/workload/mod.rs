//! Workloads: who wants what, and when.
//!
//! A workload is a population of clients that issue one operation against one service. Its arrivals are streamed: the
//! next one is computed when the last one has happened, so ten million clients that are idle cost nothing.

mod arrivals;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

pub use arrivals::{Arrival, ArrivalStream, Arrivals, Burst, CallDeadline, CallsOf, Closed, Even, Poisson};

use crate::random::{Key, up_to};
use crate::scope::Scope;
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

/// A limit of requests under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// How many there are.
    pub limit: Count<1, 1_000_000_000>,
    /// Whose they are.
    pub scope: Scope,
}

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            limit: Count<1, 1_000_000_000>,
            #[serde(default)]
            scope: Scope,
        }
        struct NumberOrTable;
        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of slots, or { limit = 3, scope = \"client\" }")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Fields, E> {
                let limit = Count::deserialize(serde::de::value::I64Deserializer::<E>::new(number))?;
                Ok(Fields { limit, scope: Scope::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let Fields { limit, scope } = deserializer.deserialize_any(NumberOrTable)?;
        Ok(Self { limit, scope })
    }
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
