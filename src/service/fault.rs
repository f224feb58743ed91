//! Faults: ways in which a service fails while it is up.

mod bursts;
mod overload;
mod poison;
mod random;
mod slow;
mod strike;
mod token;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

pub use bursts::Bursts;
pub use overload::Overload;
pub use poison::Poison;
pub use random::RandomFault;
pub use slow::Slow;
pub use strike::{Faults, Strike, Struck};
pub use token::ExpiredToken;

use crate::outcome::{Outcome, StatusCode};
use crate::schema::Either;
use crate::time::Interval;
use crate::units::Count;

/// The most changes between good and bad that one run may expect of bursts.
const MAX_CHANGES: f64 = 1e7;

/// A way of failing that is always there.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Any attempt may fail, each on its own.
    Random(RandomFault),
    /// The first attempts of every request that reach the service fail, the later ones do not.
    FailsFirst(FailsFirst),
    /// Attempts fail in episodes.
    Bursts(Bursts),
    /// Attempts fail the more often the more of them there are.
    Overload(Overload),
    /// Some inputs always fail.
    Poison(Poison),
    /// All attempts fail from the moment when a token expires until it is refreshed.
    ExpiredToken(ExpiredToken),
    /// Some attempts take another time.
    Slow(Slow),
}

/// The first N attempts of every request fail: `fails_first = 2`, or `fails_first = { attempts = 2, status = 503 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Attempts, Fields>")]
pub struct FailsFirst {
    /// How many attempts fail.
    pub attempts: u32,
    /// What they are answered; 500 if absent.
    pub status: StatusCode,
}

type Attempts = Count<0, 1_000_000>;

/// The first N attempts of every request fail, with a status of their own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FailsFirstFields")]
struct Fields {
    /// How many attempts fail.
    attempts: Attempts,
    /// What they are answered; 500 if absent.
    status: Option<StatusCode>,
}

impl<'de> Deserialize<'de> for FailsFirst {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrTable;
        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of attempts, or { attempts = 2, status = 503 }")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Fields, E> {
                let attempts = Attempts::deserialize(serde::de::value::I64Deserializer::<E>::new(number))?;
                Ok(Fields { attempts, status: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let fields = deserializer.deserialize_any(NumberOrTable)?;
        let status = fields.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(Self { attempts: fields.attempts.get_u32(), status })
    }
}

impl Fault {
    /// How likely this fault strikes at random; 0 for those that need more than luck.
    pub fn probability(&self) -> f64 {
        match self {
            Self::Random(fault) => fault.parts.iter().map(|(_, probability)| probability.get()).sum(),
            _ => 0.0,
        }
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        let success = self.outcomes().into_iter().find(|outcome| outcome.is_success());
        let success = success
            .map(|outcome| format!("status {outcome} is a success, not a failure: write for example 503"));
        success.or_else(|| match self {
            Self::Random(_) | Self::FailsFirst(_) | Self::Poison(_) => None,
            Self::Bursts(bursts) => bursts.problem(),
            Self::Overload(overload) => overload.problem(),
            Self::ExpiredToken(token) => token.problem(),
            Self::Slow(slow) => slow.latency.problem().map(|message| format!("latency: {message}")),
        })
    }

    /// What is wrong with it in a run of `horizon`, if anything.
    pub fn problem_within(&self, horizon: Interval) -> Option<String> {
        let Self::Bursts(bursts) = self else { return None };
        let changes = bursts.changes_within(horizon);
        (changes > MAX_CHANGES).then(|| {
            format!(
                "about {changes:.0} changes between good and bad, the limit is {MAX_CHANGES:.0}: lengthen `good` or `bad`"
            )
        })
    }

    /// What attempts come to that it strikes.
    fn outcomes(&self) -> Vec<Outcome> {
        match self {
            Self::Random(fault) => fault.parts.iter().map(|(status, _)| status.outcome()).collect(),
            Self::FailsFirst(fault) => vec![Outcome::Status(fault.status)],
            Self::Bursts(bursts) => vec![bursts.status.outcome()],
            Self::Overload(overload) => vec![overload.status.outcome()],
            Self::Poison(poison) => vec![poison.outcome()],
            Self::ExpiredToken(token) => vec![token.outcome()],
            Self::Slow(_) => Vec::new(),
        }
    }
}
