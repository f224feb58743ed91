//! Backoff: the deterministic shape of the delays, before any jitter.

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::quantity::{Quantity, QuantityVisitor};
use crate::time::Interval;
use crate::units::Factor;

/// The delay of the n-th retry as a formula; n = 1 is the first retry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Backoff {
    /// Always the same delay.
    Fixed(Interval),
    /// The n-th entry; the last one repeats (Prefect's `retry_delay_seconds`). One duration is a list of one.
    List(DelayList),
    /// first + (n - 1) * step.
    Linear {
        /// Delay of the first retry.
        first: Interval,
        /// Growth per retry.
        step: Interval,
    },
    /// base * factor^(n - 1), at most [`Interval::MAX`].
    Exponential {
        /// Delay of the first retry.
        base: Interval,
        /// Growth per retry, from 1 to 1000; 2 if absent.
        #[serde(default = "two")]
        factor: Factor,
    },
}

const fn two() -> Factor {
    Factor(2.0)
}

impl Backoff {
    /// The delay of retry `n`, which counts from 1.
    pub fn delay(&self, n: u32) -> Interval {
        debug_assert!(n >= 1, "retries count from 1");
        match self {
            Self::Fixed(delay) => *delay,
            Self::List(list) => {
                list.0.get(n as usize - 1).or(list.0.last()).copied().unwrap_or(Interval::ZERO)
            }
            Self::Linear { first, step } => {
                *first + Interval::from_nanos(step.as_nanos().saturating_mul(u64::from(n - 1)))
            }
            Self::Exponential { base, factor } => base.scale(libm::pow(factor.get(), f64::from(n - 1))),
        }
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::List(list) if list.0.is_empty() => {
                Some("the list of delays is empty: give at least one, such as `[\"1s\", \"5s\"]`".into())
            }
            _ => None,
        }
    }
}

/// One duration or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayList(Vec<Interval>);

impl<'de> Deserialize<'de> for DelayList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Vec<Interval>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{} or a list of them", Interval::EXPECTED)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(vec![QuantityVisitor::<Interval>(std::marker::PhantomData).visit_str(text)?])
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                Err(E::custom(Interval::number(&number.to_string())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut delays = Vec::new();
                while let Some(delay) = items.next_element()? {
                    delays.push(delay);
                }
                Ok(delays)
            }
        }
        deserializer.deserialize_any(OneOrMany).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(text: &str) -> Backoff {
        #[derive(Deserialize)]
        struct Wrapper {
            backoff: Backoff,
        }
        toml::from_str::<Wrapper>(text).unwrap().backoff
    }

    #[test]
    fn shapes_follow_their_formulas() {
        let cases: [(&str, &[(u32, u64)]); 6] = [
            ("backoff.fixed = '60s'", &[(1, 60_000), (100, 60_000)]),
            ("backoff.list = '5s'", &[(1, 5_000), (9, 5_000)]),
            ("backoff.list = ['1s', '10s', '100s']", &[(1, 1_000), (2, 10_000), (3, 100_000), (4, 100_000)]),
            ("backoff.linear = { first = '100ms', step = '50ms' }", &[(1, 100), (2, 150), (11, 600)]),
            ("backoff.exponential = { base = '50ms' }", &[(1, 50), (2, 100), (10, 25_600)]),
            ("backoff.exponential = { base = '500ms', factor = 1.5 }", &[(1, 500), (2, 750), (3, 1_125)]),
        ];
        for (text, expected) in cases {
            for &(n, millis) in expected {
                assert_eq!(backoff(text).delay(n), Interval::from_millis(millis), "{text}, retry {n}");
            }
        }
    }

    #[test]
    fn growth_without_end_stops_at_the_longest_interval() {
        assert_eq!(backoff("backoff.exponential = { base = '1s' }").delay(1_000_000), Interval::MAX);
        assert_eq!(
            backoff("backoff.linear = { first = '1s', step = '36500d' }").delay(1_000_000),
            Interval::MAX
        );
    }
}
