//! When failures are too many: the comparison of a share with a limit, in the arithmetic of each library, since `7 of 100`
//! is above 7 % in one and not in another.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use crate::time::Interval;
use crate::units::Probability;

/// What a window has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Calls.
    pub total: u32,
    /// Those that failed.
    pub failures: u32,
    /// Those that took too long, whether they failed or not.
    pub slow: u32,
}

impl Tally {
    /// One call with this result.
    pub(super) fn of(success: bool, slow: bool) -> Self {
        Self { total: 1, failures: u32::from(!success), slow: u32::from(slow) }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        self.failures = self.failures.saturating_add(other.failures);
        self.slow = self.slow.saturating_add(other.slow);
    }

    pub(super) fn take(&mut self, other: Self) {
        self.total -= other.total;
        self.failures -= other.failures;
        self.slow -= other.slow;
    }
}

/// Whether the limit itself is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// It is (`>=`).
    #[default]
    At,
    /// Only what is above it is (`>`).
    Above,
}

/// How the share is computed before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RateArithmetic")]
pub enum Arithmetic {
    /// failures / calls in double precision, times 100 for a percentage (Polly 8, opossum 9).
    #[default]
    Quotient,
    /// failures against limit * calls in double precision (cockatiel 3).
    Product,
    /// In single precision (resilience4j 2: failures * 100 / calls; recloser 1: failures / calls).
    Single,
    /// A whole number of percent, rounded to the nearest, halves up (Failsafe 3).
    Rounded,
    /// A whole number of percent, rounded down (Hystrix 1).
    Truncated,
}

/// A percentage: 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Percent(#[schemars(range(min = 0, max = 100))] f64);

impl Percent {
    /// The number as written.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if (0.0..=100.0).contains(&number) {
            Ok(Self(number))
        } else {
            Err(D::Error::custom(format!("{number} is out of range: write a percentage from 0 to 100")))
        }
    }
}

/// A number of calls that need not be whole, since some libraries compute it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Minimum(#[schemars(range(min = 0, max = 1_000_000_000))] f64);

impl<'de> Deserialize<'de> for Minimum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if (0.0..=1e9).contains(&number) {
            Ok(Self(number))
        } else {
            Err(D::Error::custom(format!("{number} is out of range: write a number from 0 to 1000000000")))
        }
    }
}

impl Minimum {
    /// The number as written.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// Calls that take too long, as a second reason to open. A call that succeeds slowly counts too (resilience4j 2).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SlowCalls")]
pub struct SlowConfig {
    /// A call is slow if it takes longer than this, strictly.
    pub longer_than: Interval,
    /// The share of slow calls that is too much, 0 to 1. Either this or `percent`.
    pub rate: Option<Probability>,
    /// The same in percent, 0 to 100.
    pub percent: Option<Percent>,
    /// Whether the limit itself is too much.
    #[serde(default)]
    pub compare: Compare,
}

/// A limit as it is written: a share or a percentage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) rate: Option<Probability>,
    pub(super) percent: Option<Percent>,
    pub(super) compare: Compare,
    pub(super) arithmetic: Arithmetic,
}

impl Limit {
    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let whole = matches!(self.arithmetic, Arithmetic::Rounded | Arithmetic::Truncated);
        match (self.rate, self.percent) {
            (Some(_), Some(_)) => Some("`rate` and `percent` say the same thing: give one of them".into()),
            (Some(_), None) if whole => {
                Some("whole percents are compared with a percentage: give `percent` instead of `rate`".into())
            }
            _ => None,
        }
    }

    pub(super) fn threshold(self) -> Option<Threshold> {
        let (limit, percent) = match (self.rate, self.percent) {
            (_, Some(percent)) => (percent.0, true),
            (Some(rate), None) => (rate.get(), false),
            (None, None) => return None,
        };
        Some(Threshold { limit, percent, compare: self.compare, arithmetic: self.arithmetic })
    }
}

/// A limit that a share is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Threshold {
    limit: f64,
    percent: bool,
    compare: Compare,
    arithmetic: Arithmetic,
}

impl Threshold {
    /// The limit as a share, for those who compute with it.
    pub(super) fn share(&self) -> f64 {
        if self.percent { self.limit / 100.0 } else { self.limit }
    }

    /// Whether `part` of `total` is too much.
    pub(super) fn reached(&self, part: u32, total: u32) -> bool {
        if total == 0 {
            return false;
        }
        let scale = if self.percent { 100.0 } else { 1.0 };
        let quotient = f64::from(part) / f64::from(total);
        let (value, limit) = match self.arithmetic {
            Arithmetic::Quotient => (quotient * scale, self.limit),
            Arithmetic::Product => (f64::from(part), self.share() * f64::from(total)),
            Arithmetic::Single => {
                let share = part as f32 * scale as f32 / total as f32;
                (f64::from(share), f64::from(self.limit as f32))
            }
            Arithmetic::Rounded => (libm::floor(quotient * 100.0 + 0.5), self.limit),
            Arithmetic::Truncated => (libm::trunc(quotient * 100.0), self.limit),
        };
        match self.compare {
            Compare::At => value >= limit,
            Compare::Above => value > limit,
        }
    }

    /// Whether `part` of `total` is little enough: at the limit or below it.
    pub(super) fn kept(&self, part: u32, total: u32) -> bool {
        !Self { compare: Compare::Above, ..*self }.reached(part, total)
    }
}

/// Slow calls, compiled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slow {
    longer_than: Interval,
    threshold: Threshold,
}

impl Slow {
    pub(super) fn new(config: SlowConfig, arithmetic: Arithmetic) -> Option<Self> {
        let SlowConfig { longer_than, rate, percent, compare } = config;
        let threshold = Limit { rate, percent, compare, arithmetic }.threshold()?;
        Some(Self { longer_than, threshold })
    }
}

/// When what a window has counted is too much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TooMuch {
    /// Fewer calls than this say nothing.
    pub(super) minimum: f64,
    pub(super) failures: Option<u32>,
    pub(super) threshold: Option<Threshold>,
    pub(super) slow: Option<Slow>,
}

impl TooMuch {
    pub(super) fn is_slow(&self, took: Interval) -> bool {
        self.slow.is_some_and(|slow| took > slow.longer_than)
    }

    pub(super) fn reached(&self, tally: Tally) -> bool {
        f64::from(tally.total) >= self.minimum
            && (self.failures.is_some_and(|failures| tally.failures >= failures)
                || self.threshold.is_some_and(|threshold| threshold.reached(tally.failures, tally.total))
                || self.slow.is_some_and(|slow| slow.threshold.reached(tally.slow, tally.total)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_of_a_hundred_are_what_each_library_says() {
        let limit = |arithmetic, compare, percent: bool| Threshold {
            limit: if percent { 7.0 } else { 0.07 },
            percent,
            compare,
            arithmetic,
        };
        let cases = [
            (Arithmetic::Quotient, Compare::At, false, true),
            (Arithmetic::Quotient, Compare::Above, false, false),
            // JavaScript: 7 / 100 * 100 is 7.000000000000001.
            (Arithmetic::Quotient, Compare::Above, true, true),
            // 0.07 * 100 is 7.000000000000001 as well, so that 7 is not even at the limit.
            (Arithmetic::Product, Compare::At, false, false),
            (Arithmetic::Single, Compare::At, true, true),
            (Arithmetic::Single, Compare::Above, true, false),
            (Arithmetic::Rounded, Compare::At, true, true),
            (Arithmetic::Truncated, Compare::At, true, true),
        ];
        for (arithmetic, compare, percent, expected) in cases {
            let limit = limit(arithmetic, compare, percent);
            assert_eq!(limit.reached(7, 100), expected, "{limit:?}");
        }
    }

    #[test]
    fn whole_percents_are_rounded_or_cut() {
        let limit = |arithmetic| Threshold { limit: 34.0, percent: true, compare: Compare::At, arithmetic };
        // 67 of 200 are 33.5 %.
        assert!(limit(Arithmetic::Rounded).reached(67, 200));
        assert!(!limit(Arithmetic::Truncated).reached(67, 200));
        assert!(!limit(Arithmetic::Rounded).reached(0, 0));
    }
}
