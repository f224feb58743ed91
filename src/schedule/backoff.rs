//! Backoff: the deterministic shape of the delays, before any jitter.

use std::time::Duration;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::ScheduleConfig;
use crate::quantity::{Quantity, QuantityVisitor};
use crate::time::Interval;
use crate::units::{Count, Factor, Offset};

/// The delay of the n-th retry as a formula; n = 1 is the first retry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Backoff {
    /// Always the same delay.
    Fixed(Interval),
    /// The n-th entry; the last one repeats (Prefect's `retry_delay_seconds`) unless the table form says otherwise. One
    /// duration is a list of one.
    List(DelayList),
    /// first + (n - 1) * step.
    Linear {
        /// Delay of the first retry.
        first: Interval,
        /// Growth per retry.
        step: Interval,
    },
    /// base * factor^(n - 1 + exponent), at most [`Interval::MAX`].
    Exponential(Exponential),
    /// unit * (n + offset)^power + plus: Sidekiq's `count^4 + 15` (offset -1), octokit's `n^2`.
    Polynomial {
        /// What the power is multiplied with.
        unit: Interval,
        /// From 1 to 10.
        power: Count<1, 10>,
        /// Added to n before the power; 0 if absent.
        #[serde(default)]
        offset: Offset,
        /// Added to the result; 0s if absent.
        #[serde(default)]
        plus: Interval,
    },
    /// base * 1, 1, 2, 3, 5, 8, ... (`backoff.fibo`, tokio-retry's `FibonacciBackoff`).
    Fibonacci {
        /// Delay of the first retry.
        base: Interval,
        /// A delay that reaches this repeats from then on, itself uncut (backon's `FibonacciBuilder`).
        stays_from: Option<Interval>,
    },
    /// base * 2^(n - 1) for so many doublings, then linear growth by base * 2^doublings (Cloud Tasks `maxDoublings`).
    DoubleThenLinear {
        /// Delay of the first retry.
        base: Interval,
        /// How often it doubles.
        doublings: Count<0, 60>,
    },
    /// Each delay is made from the one before.
    Iterated(Iterated),
    /// The n-th schedule gives the n-th delay; the last one gives all that follow (tenacity's `wait_chain`).
    Chain(Vec<ScheduleConfig>),
    /// The delays of all schedules added up (tenacity's `wait_combine`).
    Sum(Vec<ScheduleConfig>),
    /// The longest delay of all schedules.
    Max(Vec<ScheduleConfig>),
}

/// base * factor^(n - 1 + exponent).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Delay of the first retry, if there is no `exponent`.
    pub base: Interval,
    /// Growth per retry, from 1 to 1000; 2 if absent.
    #[serde(default = "two")]
    pub factor: Factor,
    /// Where the exponent starts, from -100 to 100; 0 if absent. 1: the first delay is base * factor already (axios-retry,
    /// redis-py); -1: the schedule lags one step behind (stripe-node).
    #[serde(default)]
    pub exponent: Offset,
    /// The first delay is 0s (urllib3).
    #[serde(default)]
    pub zero_first: bool,
    /// base * (factor^(n - 1 + exponent) - 1): 1, 3, 7, 15 times the base with exponent 1 (Dagster).
    #[serde(default)]
    pub minus_one: bool,
}

/// Each delay is the one before times factor, rounded down to whole multiples of `whole`: rounding errors add up as in
/// resilience4j (whole milliseconds) and cenkalti/backoff (whole nanoseconds). From the 4,096th retry on it stays.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Iterated {
    /// Delay of the first retry.
    pub first: Interval,
    /// Growth per retry.
    pub factor: Factor,
    /// What each delay is a multiple of; 1ns if absent.
    #[serde(default = "one_nanosecond")]
    pub whole: Interval,
    /// No delay but the first one is longer. Unlike `cap_before_jitter` it leaves a first delay above it alone
    /// (cenkalti/backoff, backoff-rs, backon).
    pub cap: Option<Interval>,
    /// In which numbers it multiplies.
    #[serde(default)]
    pub arithmetic: Arithmetic,
}

/// In which numbers a delay is multiplied: with 24 binary digits the result is off by up to 6e-8 of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// In double precision.
    #[default]
    Double,
    /// In single precision, as a number of nanoseconds that is cut (failsafe-go).
    SingleNanoseconds,
    /// In single precision, as a number of seconds that is rounded to the nearest nanosecond (backon).
    SingleSeconds,
}

const fn two() -> Factor {
    Factor(2.0)
}

const fn one_nanosecond() -> Interval {
    Interval::from_nanos(1)
}

/// From this retry on an iterated delay stays.
pub(super) const ITERATIONS: u32 = 4096;

impl Backoff {
    /// The delay of retry `n`, which counts from 1; `None` if the schedule has ended. Of a chain, sum or maximum this is
    /// zero: they are made of schedules, not of formulas.
    pub fn delay(&self, n: u32) -> Option<Interval> {
        debug_assert!(n >= 1, "retries count from 1");
        let steps = u64::from(n - 1);
        Some(match self {
            Self::Fixed(delay) => *delay,
            Self::List(list) => return list.delay(n),
            Self::Linear { first, step } => *first + step.times(steps),
            Self::Exponential(exponential) => exponential.delay(n),
            Self::Polynomial { unit, power, offset, plus } => {
                let x = (f64::from(n) + f64::from(offset.get())).max(0.0);
                unit.scale(libm::pow(x, power.get() as f64)) + *plus
            }
            Self::Fibonacci { base, stays_from } => fibonacci(*base, stays_from.unwrap_or(Interval::MAX), n),
            Self::DoubleThenLinear { base, doublings } => {
                let doubled = steps.min(doublings.get());
                let linear = steps - doubled;
                let reached = base.times(1 << doubled);
                if linear == 0 { reached } else { reached + reached.times(linear) }
            }
            Self::Iterated(iterated) => iterated.delay(n),
            Self::Chain(_) | Self::Sum(_) | Self::Max(_) => Interval::ZERO,
        })
    }

    /// The schedules that it is made of.
    pub fn parts(&self) -> &[ScheduleConfig] {
        match self {
            Self::Chain(parts) | Self::Sum(parts) | Self::Max(parts) => parts,
            _ => &[],
        }
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::List(list) if list.delays.is_empty() => {
                Some("the list of delays is empty: give at least one, such as `[\"1s\", \"5s\"]`".into())
            }
            Self::Chain(parts) | Self::Sum(parts) | Self::Max(parts) if parts.is_empty() => {
                Some("it has no part: give at least one, such as `[{ backoff.fixed = \"1s\" }]`".into())
            }
            Self::Iterated(iterated) if iterated.whole.is_zero() => {
                Some("nothing is a multiple of 0s: give `whole` a length, such as \"1ms\"".into())
            }
            Self::Chain(parts) | Self::Sum(parts) | Self::Max(parts) => {
                parts.iter().find_map(|part| {
                    part.problem().or_else(|| part.jitter.is_walk().then(|| {
                        "a jitter that walks from one delay to the next cannot be part of a chain, sum or maximum".into()
                    }))
                })
            }
            _ => None,
        }
    }
}

impl Exponential {
    fn delay(&self, n: u32) -> Interval {
        if self.zero_first && n == 1 {
            return Interval::ZERO;
        }
        let power = libm::pow(self.factor.get(), f64::from(n - 1) + f64::from(self.exponent.get()));
        self.base.scale(if self.minus_one { power - 1.0 } else { power })
    }
}

fn fibonacci(base: Interval, stays_from: Interval, n: u32) -> Interval {
    let (mut before, mut delay) = (Interval::ZERO, base);
    for _ in 1..n {
        if delay >= stays_from || delay == Interval::MAX || delay.is_zero() {
            break;
        }
        (before, delay) = (delay, before + delay);
    }
    delay
}

impl Iterated {
    fn delay(&self, n: u32) -> Interval {
        let mut delay = self.first;
        for _ in 1..n.min(ITERATIONS) {
            let next = self.grown(delay).min(self.cap.unwrap_or(Interval::MAX));
            if next == delay {
                break;
            }
            delay = next;
        }
        delay
    }

    fn grown(&self, delay: Interval) -> Interval {
        let factor = self.factor.get();
        // `as` rounds down, as the integer types of the libraries do.
        let wholes = match self.arithmetic {
            Arithmetic::Double => ((delay.as_nanos() / self.whole.as_nanos()) as f64 * factor) as u64,
            Arithmetic::SingleNanoseconds => {
                (delay.as_nanos() as f32 * factor as f32) as u64 / self.whole.as_nanos()
            }
            Arithmetic::SingleSeconds => {
                let seconds = Duration::from_nanos(delay.as_nanos()).as_secs_f32() * factor as f32;
                let grown = Duration::try_from_secs_f32(seconds).unwrap_or(Duration::MAX);
                u64::try_from(grown.as_nanos()).unwrap_or(u64::MAX) / self.whole.as_nanos()
            }
        };
        self.whole.times(wholes)
    }
}

/// One duration or several, and what follows the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayList {
    delays: Vec<Interval>,
    ends: bool,
}

impl DelayList {
    /// The delays as they are written.
    pub fn delays(&self) -> &[Interval] {
        &self.delays
    }

    /// True if there is no retry after the last one.
    pub const fn ends(&self) -> bool {
        self.ends
    }

    fn delay(&self, n: u32) -> Option<Interval> {
        let listed = self.delays.get(n as usize - 1).copied();
        if self.ends { listed } else { listed.or(self.delays.last().copied()).or(Some(Interval::ZERO)) }
    }
}

/// What follows the last entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AfterLast {
    #[default]
    Repeat,
    GiveUp,
}

impl<'de> Deserialize<'de> for DelayList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            delays: DelayList,
            #[serde(default)]
            then: AfterLast,
        }
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = DelayList;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(
                    f,
                    "{} or a list of them, or {{ delays = [...], then = \"give_up\" }}",
                    Interval::EXPECTED
                )
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DelayList, E> {
                let delay = QuantityVisitor::<Interval>(std::marker::PhantomData).visit_str(text)?;
                Ok(DelayList { delays: vec![delay], ends: false })
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<DelayList, E> {
                Err(E::custom(Interval::number(&number.to_string())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<DelayList, A::Error> {
                let delays = Vec::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(DelayList { delays, ends: false })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DelayList, A::Error> {
                let fields = Fields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DelayList { delays: fields.delays.delays, ends: fields.then == AfterLast::GiveUp })
            }
        }
        deserializer.deserialize_any(OneOrMany)
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
        toml::from_str::<Wrapper>(text).unwrap_or_else(|error| panic!("{text}: {error}")).backoff
    }

    #[test]
    fn shapes_follow_their_formulas() {
        let cases: [(&str, &[(u32, u64)]); 21] = [
            ("backoff.fixed = '60s'", &[(1, 60_000), (100, 60_000)]),
            ("backoff.list = '5s'", &[(1, 5_000), (9, 5_000)]),
            ("backoff.list = ['1s', '10s', '100s']", &[(1, 1_000), (2, 10_000), (3, 100_000), (4, 100_000)]),
            ("backoff.linear = { first = '100ms', step = '50ms' }", &[(1, 100), (2, 150), (11, 600)]),
            ("backoff.exponential = { base = '50ms' }", &[(1, 50), (2, 100), (10, 25_600)]),
            ("backoff.exponential = { base = '500ms', factor = 1.5 }", &[(1, 500), (2, 750), (3, 1_125)]),
            // axios-retry: 200, 400 ms; stripe-node: 250 ms where others have 500; urllib3: 0, 2 f, 4 f; Dagster: 1, 3, 7.
            ("backoff.exponential = { base = '100ms', exponent = 1 }", &[(1, 200), (2, 400), (3, 800)]),
            ("backoff.exponential = { base = '500ms', exponent = -1 }", &[(1, 250), (2, 500), (3, 1_000)]),
            ("backoff.exponential = { base = '1s', zero_first = true }", &[(1, 0), (2, 2_000), (3, 4_000)]),
            (
                "backoff.exponential = { base = '60s', exponent = 1, minus_one = true }",
                &[(1, 60_000), (2, 180_000), (3, 420_000)],
            ),
            // tokio-retry: the base is start and ratio at once.
            (
                "backoff.exponential = { base = '1ms', factor = 10, exponent = 1 }",
                &[(1, 10), (2, 100), (3, 1_000)],
            ),
            // Sidekiq: c^4 + 15 with c = n - 1; octokit: n^2.
            (
                "backoff.polynomial = { unit = '1s', power = 4, offset = -1, plus = '15s' }",
                &[(1, 15_000), (2, 16_000), (3, 31_000), (25, 331_791_000)],
            ),
            ("backoff.polynomial = { unit = '1s', power = 2 }", &[(1, 1_000), (2, 4_000), (3, 9_000)]),
            ("backoff.fibonacci = { base = '100ms' }", &[(1, 100), (2, 100), (3, 200), (4, 300), (9, 3_400)]),
            (
                "backoff.fibonacci = { base = '1s', stays_from = '60s' }",
                &[(10, 55_000), (11, 89_000), (12, 89_000), (99, 89_000)],
            ),
            // The example of the Cloud Tasks documentation, before its cap of 300 s.
            (
                "backoff.double_then_linear = { base = '10s', doublings = 3 }",
                &[
                    (1, 10_000),
                    (2, 20_000),
                    (3, 40_000),
                    (4, 80_000),
                    (5, 160_000),
                    (6, 240_000),
                    (7, 320_000),
                ],
            ),
            // resilience4j: 500, 750, 1125, 1687, 2530, 3795, 5692 ms.
            (
                "backoff.iterated = { first = '500ms', factor = 1.5, whole = '1ms' }",
                &[(1, 500), (2, 750), (3, 1_125), (4, 1_687), (5, 2_530), (6, 3_795), (7, 5_692)],
            ),
            ("backoff.iterated = { first = '1s', factor = 1 }", &[(1, 1_000), (1_000_000, 1_000)]),
            // cenkalti/backoff with InitialInterval above MaxInterval.
            (
                "backoff.iterated = { first = '5s', factor = 2, cap = '2s' }",
                &[(1, 5_000), (2, 2_000), (9, 2_000)],
            ),
            ("backoff.fibonacci = { base = '0s' }", &[(1, 0), (1_000_000, 0)]),
            ("backoff.list = { delays = ['1s', '2s'], then = 'repeat' }", &[(2, 2_000), (3, 2_000)]),
        ];
        for (text, expected) in cases {
            for &(n, millis) in expected {
                assert_eq!(backoff(text).delay(n), Some(Interval::from_millis(millis)), "{text}, retry {n}");
            }
        }
    }

    #[test]
    fn single_precision_is_that_of_the_libraries() {
        // What backon 1.6.0 returns, and what Go's float32 makes of the same numbers.
        let cases: [(&str, [u64; 4]); 4] = [
            (
                "factor = 2, arithmetic = 'single_seconds'",
                [100_000_000, 200_000_003, 400_000_006, 800_000_012],
            ),
            (
                "factor = 1.5, arithmetic = 'single_seconds'",
                [100_000_000, 150_000_006, 225_000_009, 337_500_006],
            ),
            (
                "factor = 1.1, arithmetic = 'single_nanoseconds'",
                [100_000_000, 110_000_000, 121_000_000, 133_100_000],
            ),
            (
                "factor = 1.7, arithmetic = 'single_nanoseconds'",
                [100_000_000, 170_000_000, 289_000_000, 491_300_000],
            ),
        ];
        for (text, nanos) in cases {
            let backoff = backoff(&format!("backoff.iterated = {{ first = '100ms', {text} }}"));
            let delays = [1, 2, 3, 4].map(|n| backoff.delay(n).map(Interval::as_nanos));
            assert_eq!(delays, nanos.map(Some), "{text}");
        }
    }

    #[test]
    fn a_list_may_end() {
        let list = backoff("backoff.list = { delays = ['1s', '2s'], then = 'give_up' }");
        assert_eq!(list.delay(2), Some(Interval::from_secs(2)));
        assert_eq!(list.delay(3), None);
    }

    #[test]
    fn growth_without_end_stops_at_the_longest_interval() {
        for text in [
            "backoff.exponential = { base = '1s' }",
            "backoff.linear = { first = '1s', step = '36500d' }",
            "backoff.polynomial = { unit = '1s', power = 10 }",
            "backoff.fibonacci = { base = '1s' }",
            "backoff.double_then_linear = { base = '1s', doublings = 60 }",
            "backoff.iterated = { first = '1s', factor = 2 }",
        ] {
            assert_eq!(backoff(text).delay(1_000_000), Some(Interval::MAX), "{text}");
        }
    }

    #[test]
    fn what_makes_no_delay_is_explained() {
        for text in [
            "backoff.list = []",
            "backoff.chain = []",
            "backoff.iterated = { first = '1s', factor = 2, whole = '0s' }",
            "backoff.sum = [{ backoff.fixed = '1s', jitter = 'decorrelated' }]",
            "backoff.max = [{ backoff.list = [] }]",
        ] {
            assert!(backoff(text).problem().is_some(), "{text}");
        }
    }
}
