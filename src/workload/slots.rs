//! How many requests can be under way at once.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::schema::Either;
use crate::scope::Scope;
use crate::units::Count;

/// A limit of requests under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Count<1, 1_000_000_000>, Fields>")]
pub struct Slots {
    /// How many there are.
    pub limit: Count<1, 1_000_000_000>,
    /// Whose they are.
    pub scope: Scope,
}

/// A limit of requests under way, and whose it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SlotsFields")]
struct Fields {
    /// How many slots there are.
    limit: Count<1, 1_000_000_000>,
    /// Whose they are.
    #[serde(default)]
    scope: Scope,
}

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
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
