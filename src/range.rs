//! Ranges: the pairs of ends from which a jitter draws, as they are written in a scenario.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::quantity::{Quantity, QuantityVisitor};
use crate::schema::Either;
use crate::time::Interval;

/// Multiples of a delay, `[low, high]` with 0 <= low <= high <= 1000.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema)]
#[schemars(with = "[f64; 2]")]
pub struct Multiples {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl<'de> Deserialize<'de> for Multiples {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Multiples;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("two multiples of the delay, such as [0.5, 1.5]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Multiples, A::Error> {
                let numbers: Vec<f64> = Vec::deserialize(SeqAccessDeserializer::new(items))?;
                match numbers[..] {
                    [low, high] if 0.0 <= low && low <= high && high <= 1000.0 => Ok(Multiples { low, high }),
                    _ => Err(A::Error::custom(format!(
                        "{numbers:?} is not a range: write two multiples of the delay from 0 to 1000, the smaller one \
                         first, such as [0.5, 1.5]"
                    ))),
                }
            }
        }
        deserializer.deserialize_any(Pair)
    }
}

/// Durations, `["low", "high"]`; one duration is the range from 0s to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Interval, [Interval; 2]>")]
pub struct Span {
    /// The lower end.
    pub low: Interval,
    /// The upper end.
    pub high: Interval,
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrTwo;
        impl<'de> Visitor<'de> for OneOrTwo {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}, or two of them, the shorter one first", Interval::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                let high = QuantityVisitor::<Interval>(std::marker::PhantomData).visit_str(text)?;
                Ok(Span { low: Interval::ZERO, high })
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Span, E> {
                Err(E::custom(Interval::number(&number.to_string())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Span, A::Error> {
                let ends: Vec<Interval> = Vec::deserialize(SeqAccessDeserializer::new(items))?;
                match ends[..] {
                    [low, high] if low <= high => Ok(Span { low, high }),
                    _ => Err(A::Error::custom(
                        "this is not a range: write two durations, the shorter one first, such as [\"1s\", \"2s\"]",
                    )),
                }
            }
        }
        deserializer.deserialize_any(OneOrTwo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
        #[derive(Deserialize)]
        struct Wrapper<T> {
            x: T,
        }
        toml::from_str::<Wrapper<T>>(&format!("x = {text}"))
            .map(|wrapper| wrapper.x)
            .map_err(|e| e.message().to_owned())
    }

    #[test]
    fn ranges_are_read_with_the_smaller_end_first() {
        assert_eq!(read("[0.5, 1.5]"), Ok(Multiples { low: 0.5, high: 1.5 }));
        assert_eq!(read("[1, 2]"), Ok(Multiples { low: 1.0, high: 2.0 }));
        let second = Interval::from_secs(1);
        assert_eq!(read("'1s'"), Ok(Span { low: Interval::ZERO, high: second }));
        assert_eq!(read("['500ms', '1s']"), Ok(Span { low: Interval::from_millis(500), high: second }));
    }

    #[test]
    fn a_bad_range_says_what_to_write() {
        for text in ["[1.5, 0.5]", "[1]", "[0, 1001]", "[-1, 1]", "0.5"] {
            assert!(read::<Multiples>(text).expect_err(text).contains("[0.5, 1.5]"), "{text}");
        }
        for text in ["['2s', '1s']", "['1s']"] {
            assert!(read::<Span>(text).expect_err(text).contains("[\"1s\", \"2s\"]"), "{text}");
        }
        assert!(read::<Span>("5").expect_err("5").contains("no unit"));
    }
}
