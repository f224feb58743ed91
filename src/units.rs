//! Values that cannot be wrong: each type refuses what makes no sense while the scenario is read, so that the message
//! carries the line, and nothing behind the scenario has to check again.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

use crate::quantity::{Quantity, deserialize_quantity};
use crate::schema::RATE;
use crate::time::Interval;

/// Events per time as an exact fraction: 3 per second stays 3/1 s and never becomes a rounded 333 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(
    from = "String",
    description = "A rate: events per period, above zero, such as \"10/s\", \"180/60s\", \"600/min\" or \"2.5/s\".",
    extend("pattern" = RATE)
)]
pub struct Rate {
    count: u64,
    per: Interval,
}

impl Rate {
    /// `count` events per `per`.
    ///
    /// # Errors
    /// If either is zero, or the count is above 10^12.
    pub fn new(count: u64, per: Interval) -> Result<Self, String> {
        if count == 0 || per.is_zero() {
            return Err("a rate must be above zero, such as \"10/s\"".into());
        }
        if count > 1_000_000_000_000 {
            return Err("a rate may count at most 10^12 per period".into());
        }
        let divisor = gcd(count.into(), per.as_nanos().into()) as u64;
        Ok(Self { count: count / divisor, per: Interval::from_nanos(per.as_nanos() / divisor) })
    }

    /// The numerator of the reduced fraction.
    pub const fn count(self) -> u64 {
        self.count
    }

    /// The denominator of the reduced fraction.
    pub const fn per(self) -> Interval {
        self.per
    }

    /// Events per second, for reports.
    pub fn per_second(self) -> f64 {
        self.count as f64 * 1e9 / self.per.as_nanos() as f64
    }

    /// The time from the start of a period to its `index`-th event when events are evenly spaced, rounded down to a
    /// nanosecond. Exact: it never accumulates an error. `None` beyond [`Interval::MAX`].
    pub fn spacing(self, index: u64) -> Option<Interval> {
        let nanos = u128::from(index) * u128::from(self.per.as_nanos()) / u128::from(self.count);
        u64::try_from(nanos).ok().filter(|&nanos| nanos <= Interval::MAX.as_nanos()).map(Interval::from_nanos)
    }
}

impl Quantity for Rate {
    const EXPECTED: &'static str = "a rate, such as \"10/s\", \"180/60s\" or \"600/min\"";

    fn parse(text: &str) -> Result<Self, String> {
        let explain = |why: &str| {
            format!("\"{text}\" is not a rate ({why}); write for example \"10/s\" or \"180/60s\"")
        };
        let (count, per) = text.split_once('/').ok_or_else(|| explain("it has no \"/\" and no period"))?;
        let (count, scale) =
            parse_decimal(count.trim()).ok_or_else(|| explain("the count is not a number above zero"))?;
        let per = per.trim();
        let per =
            if per.starts_with(|c: char| c.is_ascii_digit()) { per.to_owned() } else { format!("1{per}") };
        let per = Interval::parse(&per).map_err(|_| explain("the period is not a duration"))?;
        let nanos = per.as_nanos().checked_mul(scale).filter(|&nanos| nanos <= Interval::MAX.as_nanos());
        let per = Interval::from_nanos(nanos.ok_or_else(|| explain("it is too slow"))?);
        Self::new(count, per).map_err(|why| explain(&why))
    }

    fn number(shown: &str) -> String {
        format!("the rate {shown} has no period: write \"{shown}/s\" for per second")
    }
}

deserialize_quantity!(Rate);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = 1_000_000_000;
        if second % self.per.as_nanos() == 0 {
            write!(f, "{}/s", u128::from(self.count) * u128::from(second / self.per.as_nanos()))
        } else {
            write!(f, "{}/{}", self.count, self.per.to_string().replace(' ', ""))
        }
    }
}

/// Reads `12` or `2.5` as (digits, power of ten).
fn parse_decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty()
        || fraction.len() > 9
        || !(whole.to_owned() + fraction).chars().all(|c| c.is_ascii_digit())
    {
        return None;
    }
    let digits: u64 = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, 10u64.pow(fraction.len() as u32)))
}

/// The greatest common divisor.
pub(crate) const fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A number between two bounds, both included. NaN and the infinities are never between.
pub(crate) fn bounded<'de, D: Deserializer<'de>>(
    deserializer: D,
    low: f64,
    high: f64,
    what: &str,
) -> Result<f64, D::Error> {
    struct Number<'a>(f64, f64, &'a str);
    impl Visitor<'_> for Number<'_> {
        type Value = f64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{} from {} to {}", self.2, self.0, self.1)
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
            self.visit_f64(number as f64)
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
            if number >= self.0 && number <= self.1 {
                Ok(number)
            } else {
                Err(E::custom(format!(
                    "{number} is out of range: write {} from {} to {}",
                    self.2, self.0, self.1
                )))
            }
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
            Err(E::invalid_type(Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_any(Number(low, high, what))
}

/// A probability: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Probability(#[schemars(range(min = 0, max = 1))] f64);

impl Probability {
    /// The probability as a number from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 0.0, 1.0, "a probability").map(Self)
    }
}

/// A growth factor of a backoff: 1 to 1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Factor(#[schemars(range(min = 1, max = 1_000_000_000))] pub(crate) f64);

impl Factor {
    /// The factor as a number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Factor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 1.0, 1e9, "a factor").map(Self)
    }
}

/// An amount of jitter as a share of the delay: 0 to 100 (Prefect accepts any factor above 0).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Amount(#[schemars(range(min = 0, max = 100))] pub(crate) f64);

impl Amount {
    /// The amount as a number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 0.0, 100.0, "an amount").map(Self)
    }
}

/// A share of the delay that may be taken away as well as added: 0 to 1, so that no delay becomes negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Share(#[schemars(range(min = 0, max = 1))] pub(crate) f64);

impl Share {
    /// The share as a number from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 0.0, 1.0, "a share").map(Self)
    }
}

/// Where counting starts: a whole number from -100 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Offset(#[schemars(range(min = -100, max = 100))] i32);

impl Offset {
    /// The offset as written.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = bounded(deserializer, -100.0, 100.0, "a whole number")?;
        if libm::trunc(number) == number {
            Ok(Self(number as i32))
        } else {
            Err(D::Error::custom(format!("{number} is not a whole number: write one from -100 to 100")))
        }
    }
}

/// A whole number from `MIN` to `MAX`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(inline, description = "A whole number.")]
pub struct Count<const MIN: u64, const MAX: u64>(#[schemars(range(min = MIN, max = MAX))] u64);

impl<const MIN: u64, const MAX: u64> Count<MIN, MAX> {
    /// The number as written.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as `u32`; `MAX` says whether it fits.
    pub const fn get_u32(self) -> u32 {
        const { assert!(MAX <= u32::MAX as u64) };
        self.0 as u32
    }

    /// `value`, which the caller knows to be in range.
    pub const fn of(value: u64) -> Self {
        assert!(MIN <= value && value <= MAX);
        Self(value)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Count<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole<const MIN: u64, const MAX: u64>(PhantomData<()>);
        impl<const MIN: u64, const MAX: u64> Visitor<'_> for Whole<MIN, MAX> {
            type Value = u64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from {MIN} to {MAX}")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
                match u64::try_from(number) {
                    Ok(number) if (MIN..=MAX).contains(&number) => Ok(number),
                    _ => Err(E::custom(format!(
                        "{number} is out of range: write a whole number from {MIN} to {MAX}"
                    ))),
                }
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
                let whole = libm::trunc(number) == number && (MIN as f64..=MAX as f64).contains(&number);
                Err(E::custom(if whole {
                    format!("{number:?} has a point and stands for a whole number: write {number}")
                } else {
                    format!("{number} is not a whole number: write one from {MIN} to {MAX}")
                }))
            }
        }
        deserializer.deserialize_any(Whole::<MIN, MAX>(PhantomData)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_fractions() {
        for (text, count, nanos, shown) in [
            ("10/s", 1, 100_000_000, "10/s"),
            ("3/s", 3, 1_000_000_000, "3/s"),
            ("180/60s", 3, 1_000_000_000, "3/s"),
            ("2.5/s", 1, 400_000_000, "1/400ms"),
            ("600/min", 1, 100_000_000, "10/s"),
            ("1/h", 1, 3_600_000_000_000, "1/1h"),
        ] {
            let rate = Rate::parse(text).unwrap();
            assert_eq!(
                (rate.count(), rate.per().as_nanos(), rate.to_string().as_str()),
                (count, nanos, shown),
                "{text}"
            );
        }
    }

    #[test]
    fn a_bad_rate_says_what_to_write() {
        for text in [
            "10",
            "0/s",
            "-1/s",
            "10/",
            "x/s",
            "10/soon",
            "nan/s",
            "1e9/s",
            "99999999999999/s",
            "2.5/18000d",
            "1.000000001/300d",
        ] {
            assert!(Rate::parse(text).expect_err(text).contains("10/s"), "{text}");
        }
    }

    #[test]
    fn even_spacing_of_three_per_second_does_not_drift() {
        let rate = Rate::parse("3/s").unwrap();
        assert_eq!(rate.spacing(1), Some(Interval::from_nanos(333_333_333)));
        assert_eq!(rate.spacing(3_000_000_000), Some(Interval::from_secs(1_000_000_000)));
        assert_eq!(rate.spacing(u64::MAX), None);
    }
}
