//! Decimal numbers that stay exact: a deposit of 0.1 tokens made ten times is one token, not 0.9999999999999999.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

/// How many millionths make one.
pub const ONE: u64 = 1_000_000;

/// A decimal number with at most six decimal places, kept as a whole number of millionths from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Millionths<const MIN: u64, const MAX: u64>(u64);

/// An amount of tokens: 0 to 1,000,000,000.
pub type Tokens = Millionths<0, 1_000_000_000_000_000>;

/// A share of a whole: 0 to 1.
pub type Portion = Millionths<0, 1_000_000>;

impl<const MIN: u64, const MAX: u64> Millionths<MIN, MAX> {
    /// The number in millionths.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// `millionths`, which the caller knows to be in range.
    pub const fn of(millionths: u64) -> Self {
        assert!(MIN <= millionths && millionths <= MAX);
        Self(millionths)
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Millionths<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Millionths{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": shown(MIN), "maximum": shown(MAX) })
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Millionths<MIN, MAX> {
    /// As a scenario writes it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(shown(self.0))
    }
}

/// Millionths as they are written in messages: 2500000 is 2.5.
pub(super) fn shown(millionths: u64) -> f64 {
    millionths as f64 / ONE as f64
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Millionths<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Decimal)
    }
}

/// Reads a [`Millionths`]; other visitors hand their numbers on to it.
pub(super) struct Decimal<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Visitor<'_> for Decimal<MIN, MAX> {
    type Value = Millionths<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number from {} to {}", shown(MIN), shown(MAX))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        let (low, high) = (shown(MIN), shown(MAX));
        if !(number >= low && number <= high) {
            return Err(E::custom(format!("{number} is out of range: write a number from {low} to {high}")));
        }
        let millionths = libm::round(number * ONE as f64);
        // A number with six places and at most nine digits before them has an exact neighbour within its own precision.
        if libm::fabs(millionths / ONE as f64 - number) > number * 4.0 * f64::EPSILON {
            return Err(E::custom(format!("{number} is too fine: write at most six decimal places")));
        }
        Ok(Millionths(millionths as u64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Err(E::invalid_type(Unexpected::Str(text), &self))
    }
}

impl<const MIN: u64, const MAX: u64> fmt::Display for Millionths<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get() as f64 / ONE as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tokens, toml::de::Error> {
        #[derive(serde::Deserialize)]
        struct Wrapper {
            amount: Tokens,
        }
        toml::from_str::<Wrapper>(&format!("amount = {text}")).map(|wrapper| wrapper.amount)
    }

    #[test]
    fn decimals_are_read_exactly() {
        for (text, millionths) in [
            ("0", 0),
            ("0.1", 100_000),
            ("0.000001", 1),
            ("14", 14_000_000),
            ("2.5", 2_500_000),
            ("999999999.999999", 999_999_999_999_999),
        ] {
            assert_eq!(read(text).unwrap().get(), millionths, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_refused() {
        for (text, needle) in [
            ("-1", "out of range"),
            ("1e10", "out of range"),
            ("nan", "out of range"),
            ("0.0000001", "six decimal places"),
            ("0.1234567", "six decimal places"),
            ("'5'", "a number from 0"),
        ] {
            let message = read(text).unwrap_err().to_string();
            assert!(message.contains(needle), "{text}: {message}");
        }
    }
}
