//! Quantities written as text: how a scenario's durations and rates are read, and what is said when a number has no unit.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Visitor};

/// A value that is written as text in a scenario, such as a duration or a rate.
pub(crate) trait Quantity: Sized {
    /// What the reader expects, for error messages.
    const EXPECTED: &'static str;
    /// Reads the text, or says what is wrong with it and how to mend it.
    fn parse(text: &str) -> Result<Self, String>;
    /// What to say when a bare number (shown) stands where the quantity should.
    fn number(shown: &str) -> String;
}

/// Reads a [`Quantity`] out of a string; bare numbers get the quantity's own advice.
pub(crate) struct QuantityVisitor<Q>(pub(crate) PhantomData<Q>);

impl<Q: Quantity> Visitor<'_> for QuantityVisitor<Q> {
    type Value = Q;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Q::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Q, E> {
        Q::parse(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Q, E> {
        Err(E::custom(Q::number(&number.to_string())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Q, E> {
        Err(E::custom(Q::number(&number.to_string())))
    }
}

macro_rules! deserialize_quantity {
    ($type:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer
                    .deserialize_any($crate::quantity::QuantityVisitor::<$type>(std::marker::PhantomData))
            }
        }
    };
}
pub(crate) use deserialize_quantity;
