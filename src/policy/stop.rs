//! Stops: when a policy ends a request although it could be retried.

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::MAX_RETRIES;
use crate::schema::{Either, Unlimited};
use crate::time::Interval;
use crate::units::Count;

/// How many retries at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Count<0, MAX_RETRIES>, Unlimited>")]
pub enum Retries {
    /// So many.
    AtMost(Count<0, MAX_RETRIES>),
    /// As many as fit into the run.
    Unlimited,
}

impl<'de> Deserialize<'de> for Retries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = Retries;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number, or \"unlimited\"")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Retries, E> {
                Count::deserialize(serde::de::value::I64Deserializer::new(number)).map(Retries::AtMost)
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Retries, E> {
                Count::deserialize(serde::de::value::F64Deserializer::new(number)).map(Retries::AtMost)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Retries, E> {
                if text == "unlimited" {
                    return Ok(Retries::Unlimited);
                }
                Err(E::custom(format!(
                    "\"{text}\" is no number of retries: write a whole number from 0 to 1000000, or \"unlimited\""
                )))
            }
        }
        deserializer.deserialize_any(NumberOrWord)
    }
}

/// The latest start of another attempt, counted from the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeadlineFields {
    /// How long after the first attempt the last one may start.
    within: Interval,
    /// Whether an attempt at exactly that time is late.
    #[serde(default)]
    at_limit: AtLimit,
    /// What becomes of an attempt that would start later.
    #[serde(default)]
    late: Late,
}

/// The latest start of another attempt: a duration, or `{ within, at_limit, late }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Interval, DeadlineFields>")]
pub struct Deadline {
    /// How long after the first attempt.
    pub within: Interval,
    /// Whether an attempt may start at exactly that time.
    pub at_limit: AtLimit,
    /// What becomes of an attempt that would start later.
    pub late: Late,
}

/// Whether an attempt at exactly the deadline is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtLimit {
    /// It is not (`>`: google-api-core, backoff-rs).
    #[default]
    InTime,
    /// It is (`>=`: tenacity's `stop_before_delay`).
    Late,
}

/// What becomes of an attempt that would start after the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// It is not made.
    #[default]
    GiveUp,
    /// It is made at the deadline (backoff-py's `max_time`, Failsafe's `maxDuration`, p-retry).
    Clip,
}

impl<'de> Deserialize<'de> for Deadline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DurationOrTable;
        impl<'de> Visitor<'de> for DurationOrTable {
            type Value = DeadlineFields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a duration such as \"10m\", or { within = \"10m\", late = \"clip\" }")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<DeadlineFields, E> {
                let within = Interval::deserialize(StrDeserializer::new(text))?;
                Ok(DeadlineFields { within, at_limit: AtLimit::default(), late: Late::default() })
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<DeadlineFields, E> {
                Interval::deserialize(serde::de::value::I64Deserializer::<E>::new(number))?;
                Err(E::custom("a duration has a unit"))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DeadlineFields, A::Error> {
                DeadlineFields::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let DeadlineFields { within, at_limit, late } = deserializer.deserialize_any(DurationOrTable)?;
        Ok(Self { within, at_limit, late })
    }
}

impl Deadline {
    /// True if an attempt so long after the first one is late.
    pub(super) fn is_late(self, elapsed: Interval) -> bool {
        match self.at_limit {
            AtLimit::InTime => elapsed > self.within,
            AtLimit::Late => elapsed >= self.within,
        }
    }
}

/// How several stops belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopWhen {
    /// The first one that is reached ends the request.
    #[default]
    Any,
    /// Only all of them together do (Cloud Tasks).
    All,
}
