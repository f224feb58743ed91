//! How long a breaker stays open: always the same, or longer each time that it opens again. A room of its own, so that the
//! project's general schedules can move in.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::quantity::Quantity;
use crate::random::up_to;
use crate::time::Interval;
use crate::units::Factor;

/// How long it stays open: a duration, or a table with one of `fixed`, `exponential`, `linear` and `list`. The n-th opening
/// in a row takes the n-th length, up to the 256th.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenFor {
    /// The lengths one after the other, before jitter.
    pub shape: OpenShape,
    /// Whether the length is randomised.
    pub jitter: OpenJitter,
    /// Which openings make the next one longer.
    pub grows: Grows,
    /// When it is forgotten how often it opened.
    pub forgets: Forgets,
}

/// The lengths one after the other, before jitter; n is how often it opened before.
#[derive(Debug, Clone, PartialEq)]
pub enum OpenShape {
    /// Always the same.
    Fixed(Interval),
    /// base * factor^n, at most `max` (resilience4j 2, cockatiel 3, failsafe-rs 1).
    Exponential {
        /// The first length.
        base: Interval,
        /// What each is multiplied by to give the next.
        factor: Factor,
        /// No length is longer; without limit if absent.
        max: Option<Interval>,
    },
    /// first + n * step, at most `max` (Envoy: base ejection time times ejections).
    Linear {
        /// The first length.
        first: Interval,
        /// What each further one is longer.
        step: Interval,
        /// No length is longer; without limit if absent.
        max: Option<Interval>,
    },
    /// The n-th entry; the last one repeats.
    List(Vec<Interval>),
}

const fn two() -> Factor {
    Factor(2.0)
}

/// How the length is randomised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenJitter {
    /// Not at all.
    #[default]
    None,
    /// In whole seconds: half of it, rounded down, plus a whole number of seconds from 0 to the same half, ends included
    /// (failsafe-rs 1 `equal_jittered`).
    Equal,
}

/// Which openings make the next one longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grows {
    /// Each.
    #[default]
    EachOpening,
    /// Those for which the trip condition holds; another failed probe opens it for as long as before. Each part of
    /// `trip.any` counts by itself and the longest length wins (failsafe-rs 1).
    EachTrip,
}

/// When it is forgotten how often it opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgets {
    /// When it closes.
    #[default]
    OnClose,
    /// Never.
    Never,
    /// One opening at each multiple of this time while it is closed (Envoy, at its `interval`).
    OneEvery(Interval),
}

/// The table form as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    fixed: Option<Interval>,
    exponential: Option<Exponential>,
    linear: Option<Linear>,
    list: Option<Vec<Interval>>,
    #[serde(default)]
    jitter: OpenJitter,
    #[serde(default)]
    grows: Grows,
    #[serde(default)]
    forgets: Forgets,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exponential {
    base: Interval,
    #[serde(default = "two")]
    factor: Factor,
    max: Option<Interval>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Linear {
    first: Interval,
    step: Interval,
    max: Option<Interval>,
}

impl From<Interval> for OpenFor {
    fn from(length: Interval) -> Self {
        Self {
            shape: OpenShape::Fixed(length),
            jitter: OpenJitter::None,
            grows: Grows::EachOpening,
            forgets: Forgets::OnClose,
        }
    }
}

impl<'de> Deserialize<'de> for OpenFor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DurationOrTable;
        impl<'de> Visitor<'de> for DurationOrTable {
            type Value = OpenFor;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "{} or a table such as {{ exponential = {{ base = \"10s\" }} }}",
                    Interval::EXPECTED
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OpenFor, E> {
                Interval::parse(text).map(OpenFor::from).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<OpenFor, E> {
                Err(E::custom(Interval::number(&number.to_string())))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<OpenFor, E> {
                Err(E::custom(Interval::number(&number.to_string())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OpenFor, A::Error> {
                Written::deserialize(MapAccessDeserializer::new(map))?.shaped().map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(DurationOrTable)
    }
}

impl Written {
    fn shaped(self) -> Result<OpenFor, &'static str> {
        let Self { fixed, exponential, linear, list, jitter, grows, forgets } = self;
        let shapes = [
            fixed.map(OpenShape::Fixed),
            exponential.map(|Exponential { base, factor, max }| OpenShape::Exponential { base, factor, max }),
            linear.map(|Linear { first, step, max }| OpenShape::Linear { first, step, max }),
            list.map(OpenShape::List),
        ];
        let mut given = shapes.into_iter().flatten();
        let help = "give exactly one of `fixed`, `exponential`, `linear` and `list`";
        match (given.next(), given.next()) {
            (Some(shape), None) => Ok(OpenFor { shape, jitter, grows, forgets }),
            _ => Err(help),
        }
    }
}

impl OpenFor {
    /// The length, if it is always the same.
    pub const fn fixed(&self) -> Option<Interval> {
        match (&self.shape, self.jitter) {
            (OpenShape::Fixed(length), OpenJitter::None) => Some(*length),
            _ => None,
        }
    }

    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.shape {
            OpenShape::List(list) if list.is_empty() => {
                Some("the list is empty: give at least one duration".into())
            }
            _ if self.forgets == Forgets::OneEvery(Interval::ZERO) => {
                Some("`forgets.one_every` must be longer than 0s".into())
            }
            _ => None,
        }
    }

    /// The length after `before` openings, before jitter.
    pub fn unjittered(&self, before: u8) -> Interval {
        let n = before;
        let (length, max) = match &self.shape {
            OpenShape::Fixed(length) => (*length, None),
            OpenShape::Exponential { base, factor, max } => {
                (base.scale(libm::pow(factor.get(), f64::from(n))), *max)
            }
            OpenShape::Linear { first, step, max } => {
                (*first + Interval::from_nanos(step.as_nanos().saturating_mul(n.into())), *max)
            }
            OpenShape::List(list) => {
                (list.get(usize::from(n)).or(list.last()).copied().unwrap_or(Interval::ZERO), None)
            }
        };
        length.min(max.unwrap_or(Interval::MAX))
    }

    /// The length after `before` openings; `bits` are the luck of this one.
    pub(super) fn length(&self, before: u8, bits: impl FnOnce() -> u64) -> Interval {
        let length = self.unjittered(before);
        match self.jitter {
            OpenJitter::None => length,
            OpenJitter::Equal => {
                let half = length.as_nanos() / 1_000_000_000 / 2;
                Interval::from_secs(half + up_to(bits(), half))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_for(text: &str) -> OpenFor {
        #[derive(Deserialize)]
        struct Wrapper {
            open_for: OpenFor,
        }
        toml::from_str::<Wrapper>(&format!("open_for = {text}")).unwrap().open_for
    }

    #[test]
    fn lengths_follow_their_formulas() {
        let cases: [(&str, &[(u8, u64)]); 5] = [
            ("'10s'", &[(0, 10), (9, 10)]),
            (
                "{ exponential = { base = '5s', max = '60s' } }",
                &[(0, 5), (1, 10), (3, 40), (4, 60), (255, 60)],
            ),
            (
                "{ linear = { first = '30s', step = '30s', max = '300s' } }",
                &[(0, 30), (1, 60), (9, 300), (99, 300)],
            ),
            ("{ list = ['1s', '5s'] }", &[(0, 1), (1, 5), (2, 5)]),
            ("{ fixed = '3s', forgets = 'never' }", &[(0, 3), (1, 3)]),
        ];
        for (text, expected) in cases {
            for &(n, seconds) in expected {
                assert_eq!(open_for(text).length(n, || 0), Interval::from_secs(seconds), "{text}, {n}");
            }
        }
    }

    #[test]
    fn equal_jitter_is_drawn_in_whole_seconds() {
        let open_for = open_for("{ exponential = { base = '5s' }, jitter = 'equal' }");
        for (bits, seconds) in [(0, [2, 5, 10]), (u64::MAX, [4, 10, 20])] {
            for (n, seconds) in (0..).zip(seconds) {
                assert_eq!(open_for.length(n, || bits), Interval::from_secs(seconds));
            }
        }
    }

    #[test]
    fn a_table_has_exactly_one_shape() {
        for text in
            ["{ jitter = 'equal' }", "{ fixed = '1s', list = ['1s'] }", "5", "'soon'", "{ linear = '1s' }"]
        {
            assert!(
                toml::from_str::<toml::Table>(&format!("x = {text}")).unwrap()["x"]
                    .clone()
                    .try_into::<OpenFor>()
                    .is_err(),
                "{text}"
            );
        }
    }
}
