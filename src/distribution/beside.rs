//! A law with one field beside it, in one table: `{ weight = 9, constant = "10ms" }`, `{ by = "5ms", exponential = { .. } }`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Distribution;
use crate::time::Interval;
use crate::units::bounded;

/// How often something is chosen, compared with the weights beside it: 0 to 10^9.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Weight(#[schemars(range(min = 0, max = 1_000_000_000))] f64);

impl Weight {
    /// The weight as a number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 0.0, 1e9, "a weight").map(Self)
    }
}

/// A law of a mixture: `{ weight = 9, constant = "10ms" }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// How often it is drawn from.
    pub weight: Weight,
    /// What is drawn from.
    pub law: Distribution,
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let example = "{ weight = 9, constant = \"10ms\" }";
        deserializer
            .deserialize_map(Beside::<Weight>::new("weight", example))
            .map(|(weight, law)| Self { weight, law })
    }
}

/// The schema of a table of one field and one law: what a law may be, each with the field beside it.
fn beside<F: JsonSchema>(generator: &mut SchemaGenerator, name: &str, about: &str) -> Schema {
    let mut field = generator.subschema_for::<F>();
    field.insert("description".into(), about.into());
    let mut schema = Distribution::json_schema(generator);
    for law in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        law["properties"][name] = field.clone().to_value();
        law["required"].as_array_mut().into_iter().for_each(|required| required.insert(0, name.into()));
    }
    schema
}

impl JsonSchema for Part {
    fn schema_name() -> Cow<'static, str> {
        "MixturePart".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema =
            beside::<Weight>(generator, "weight", "How often it is drawn from, compared with the others.");
        schema.insert("description".into(), "A law of a mixture, with its weight beside it.".into());
        schema
    }
}

impl JsonSchema for Shifted {
    fn schema_name() -> Cow<'static, str> {
        "Shifted".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = beside::<Interval>(generator, "by", "How much longer.");
        schema.insert("description".into(), "Another law, and how much longer beside it.".into());
        schema
    }
}

/// Another law and how much longer: `shifted = { by = "5ms", exponential = { mean = "20ms" } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Shifted {
    /// How much longer.
    pub by: Interval,
    /// Than what.
    pub law: Distribution,
}

impl<'de> Deserialize<'de> for Shifted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let example = "{ by = \"5ms\", exponential = { mean = \"20ms\" } }";
        deserializer.deserialize_map(Beside::<Interval>::new("by", example)).map(|(by, law)| Self { by, law })
    }
}

/// Reads a table of one field, called `name`, and one law.
struct Beside<F> {
    name: &'static str,
    example: &'static str,
    field: std::marker::PhantomData<F>,
}

impl<F> Beside<F> {
    const fn new(name: &'static str, example: &'static str) -> Self {
        Self { name, example, field: std::marker::PhantomData }
    }
}

impl<'de, F: Deserialize<'de>> Visitor<'de> for Beside<F> {
    type Value = (F, Distribution);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` and a law, such as {}", self.name, self.example)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut field, mut law) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == self.name {
                field = Some(map.next_value()?);
            } else if law.is_some() {
                return Err(A::Error::custom(format!("`{key}` is one too many: a law stands here already")));
            } else {
                let rest = MapAccessDeserializer::new(Seen { key: Some(key), map: &mut map });
                law = Some(Distribution::deserialize(rest)?);
            }
        }
        let field = field.ok_or_else(|| A::Error::missing_field(self.name))?;
        let law = law.ok_or_else(|| {
            A::Error::custom(format!(
                "there is no law beside `{}`: write for example {}",
                self.name, self.example
            ))
        })?;
        Ok((field, law))
    }
}

/// A table of which one key has been looked at already.
struct Seen<'a, A> {
    key: Option<String>,
    map: &'a mut A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Seen<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => {
                let key: StringDeserializer<A::Error> = key.into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
