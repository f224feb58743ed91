//! Backoff: the deterministic shape of the delays, before any jitter.

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::ScheduleConfig;
use crate::quantity::{Quantity, QuantityVisitor};
use crate::schema::Either;
use crate::time::Interval;
use crate::units::{Count, Factor, Offset};

/// The delay of the n-th retry as a formula; n = 1 is the first retry.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
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
    /// base * factor^(n - 1 + exponent), at most 100 years.
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
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Delay of the first retry, if there is no `exponent`.
    pub base: Interval,
    /// Growth per retry, from 1 to 1000000000; 2 if absent.
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
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "IteratedArithmetic")]
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
const ITERATIONS: u32 = 4096;

/// How many delays of the other formulas are computed ahead.
const AHEAD: u32 = 32;

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

    /// The delays of the first `count` retries.
    fn delays(&self, count: u32) -> Vec<Option<Interval>> {
        match self {
            // One after the other: each by itself would take as many steps as there are before it.
            Self::Iterated(iterated) => {
                let next = |delay: &Interval| Some(iterated.next(*delay));
                std::iter::successors(Some(iterated.first), next).take(count as usize).map(Some).collect()
            }
            _ => (1..=count).map(|n| self.delay(n)).collect(),
        }
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
                parts.iter().find_map(|part| part.problem().or_else(|| part.problem_as_part()))
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
            let next = self.next(delay);
            if next == delay {
                break;
            }
            delay = next;
        }
        delay
    }

    /// The delay after `delay`.
    fn next(&self, delay: Interval) -> Interval {
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
        self.whole.times(wholes).min(self.cap.unwrap_or(Interval::MAX))
    }
}

/// A formula whose first delays are computed ahead.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    ahead: Vec<Option<Interval>>,
    formula: Backoff,
}

impl Table {
    /// The table of a formula of which at most `retries` delays are needed.
    pub(super) fn new(formula: &Backoff, retries: u32) -> Self {
        let ahead = if matches!(formula, Backoff::Iterated(_)) { ITERATIONS } else { AHEAD };
        Self { ahead: formula.delays(ahead.min(retries.max(1))), formula: formula.clone() }
    }

    /// The delay of retry `n`, which counts from 1; `None` if the schedule has ended.
    #[inline]
    pub(super) fn delay(&self, n: u32) -> Option<Interval> {
        match self.ahead.get(n as usize - 1) {
            Some(&delay) => delay,
            // A whole table of an iteration goes as far as it changes.
            None if self.ahead.len() == ITERATIONS as usize => *self.ahead.last()?,
            None => self.formula.delay(n),
        }
    }
}

/// One duration or several, and what follows the last.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Interval, Either<Vec<Interval>, Fields>>")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AfterLast {
    /// It repeats.
    #[default]
    Repeat,
    /// Nothing: the request ends.
    GiveUp,
}

/// A list of delays, and what follows it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DelayListFields")]
struct Fields {
    /// The delays.
    delays: DelayList,
    /// What follows the last one.
    #[serde(default)]
    then: AfterLast,
}

impl<'de> Deserialize<'de> for DelayList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
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
mod tests;
