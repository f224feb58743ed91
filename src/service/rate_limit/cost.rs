//! What calls cost, by operation.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{I64Deserializer, MapAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::error::nearest;
use crate::schema::Either;
use crate::units::Count;

/// The least and the most that a call may cost.
type Amount = Count<0, 1_000_000_000>;

/// An amount per call: one for all operations (`cost = 3`), or some by name (`cost = { read = 1, write = 3 }`), from 0 to
/// 10^9 each.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Amount, BTreeMap<String, Amount>>")]
pub enum PerOperation {
    /// The same for all.
    All(u64),
    /// By name of the operation; what is absent has the default.
    Some(BTreeMap<String, u64>),
}

impl PerOperation {
    /// The amount of the operation called `name`, where `default` is that of absent ones.
    pub fn of(&self, name: &str, default: u64) -> u64 {
        match self {
            Self::All(amount) => *amount,
            Self::Some(amounts) => amounts.get(name).copied().unwrap_or(default),
        }
    }

    /// The amount of an operation without a name.
    pub(super) const fn otherwise(&self, default: u64) -> u64 {
        match self {
            Self::All(amount) => *amount,
            Self::Some(_) => default,
        }
    }

    /// All amounts with the operation that has it, and that of the others, which have no name.
    pub(super) fn each(&self, default: u64) -> impl Iterator<Item = (Option<&str>, u64)> {
        let named = match self {
            Self::All(_) => None,
            Self::Some(amounts) => Some(amounts.iter().map(|(name, amount)| (Some(name.as_str()), *amount))),
        };
        named.into_iter().flatten().chain([(None, self.otherwise(default))])
    }

    /// The names that are none of these operations, which are all of the service.
    pub(super) fn unknown<'a>(&'a self, operations: &'a [String]) -> impl Iterator<Item = &'a str> {
        let named = match self {
            Self::All(_) => None,
            Self::Some(amounts) => Some(amounts.keys().map(String::as_str)),
        };
        named.into_iter().flatten().filter(|name| !operations.iter().any(|known| known == name))
    }

    /// The operation that is meant by a name that is none of these operations, if it is a typo of one without an amount.
    pub(super) fn meant<'a>(&self, unknown: &str, operations: &'a [String]) -> Option<&'a str> {
        let Self::Some(amounts) = self else { return None };
        let without = operations.iter().filter(|name| !amounts.contains_key(*name));
        nearest(unknown, without.map(String::as_str))
    }
}

impl<'de> Deserialize<'de> for PerOperation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrTable;
        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = PerOperation;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a whole number for all operations, or { read = 1, write = 3 } by name of the operation",
                )
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<PerOperation, E> {
                let amount = Amount::deserialize(I64Deserializer::<E>::new(number))?;
                Ok(PerOperation::All(amount.get()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PerOperation, A::Error> {
                let amounts = BTreeMap::<String, Amount>::deserialize(MapAccessDeserializer::new(map))?;
                let amounts = amounts.into_iter().map(|(name, amount)| (name, amount.get()));
                Ok(PerOperation::Some(amounts.collect()))
            }
        }
        deserializer.deserialize_any(NumberOrTable)
    }
}
