//! A rate that may be zero.

use schemars::JsonSchema;

use crate::quantity::{Quantity, deserialize_quantity};
use crate::schema::RATE;
use crate::units::Rate;

/// Events per time, zero included: `"0/s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String", description = "A rate that may be zero, such as \"10/s\" or \"0/s\".", extend("pattern" = RATE))]
pub struct Level(Option<Rate>);

impl Level {
    /// Events per nanosecond.
    pub fn per_nano(self) -> f64 {
        self.0.map_or(0.0, per_nano)
    }

    /// Events per second, for reports.
    pub fn per_second(self) -> f64 {
        self.0.map_or(0.0, Rate::per_second)
    }
}

/// Events per nanosecond.
pub(super) fn per_nano(rate: Rate) -> f64 {
    rate.count() as f64 / rate.per().as_nanos() as f64
}

impl Quantity for Level {
    const EXPECTED: &'static str = "a rate, such as \"10/s\", \"180/60s\" or \"0/s\"";

    fn parse(text: &str) -> Result<Self, String> {
        if let Some((count, per)) = text.split_once('/')
            && count.trim().contains('0')
            && count.trim().chars().all(|c| c == '0' || c == '.')
        {
            return Rate::parse(&format!("1/{per}")).map(|_| Self(None));
        }
        Rate::parse(text).map(|rate| Self(Some(rate)))
    }

    fn number(shown: &str) -> String {
        Rate::number(shown)
    }
}

deserialize_quantity!(Level);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_may_be_zero_but_needs_its_period() {
        for (text, per_second) in [("0/s", 0.0), ("0.0/min", 0.0), ("10/s", 10.0), ("0.5/s", 0.5)] {
            assert_eq!(Level::parse(text).unwrap().per_second(), per_second, "{text}");
        }
        for text in ["0", "0/", "/s", "./s", "-0/s", "0/soon"] {
            assert!(Level::parse(text).is_err(), "{text}");
        }
    }
}
