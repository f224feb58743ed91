//! Virtual time: integers, so that no run can drift and no platform can disagree.
//!
//! An [`Instant`] is a point on the simulation's clock, an [`Interval`] the distance between two of them. Both count
//! nanoseconds in a `u64`; they are different types because adding two instants means nothing.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use schemars::JsonSchema;

use crate::quantity::{Quantity, deserialize_quantity};
use crate::schema::DURATION;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A point in virtual time, in nanoseconds since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

/// A length of virtual time in nanoseconds, at most [`Interval::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, JsonSchema)]
#[schemars(
    from = "String",
    rename = "Duration",
    description = "A duration: numbers with units (ns, us, ms, s, m, h, d), such as \"250ms\", \"60s\" or \"1m30s\"; up to 100 years \
                   (\"36525d\").",
    extend("pattern" = DURATION)
)]
pub struct Interval(u64);

impl Instant {
    /// The start of every run.
    pub const START: Self = Self(0);
    /// A point that no run reaches: [`Interval::MAX`] from any instant of a run lies before it.
    pub const LAST: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for reports only.
    pub fn as_secs_f64(self) -> f64 {
        Interval(self.0).as_secs_f64()
    }

    /// The first whole second that is not before `self`.
    pub const fn ceil_to_seconds(self) -> Self {
        Self(self.0.div_ceil(NANOS_PER_SECOND).saturating_mul(NANOS_PER_SECOND))
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Interval {
        Interval(self.0.saturating_sub(earlier.0))
    }
}

impl Interval {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest interval that can be written or computed: 100 years of 365.25 days. Two of them still fit the clock.
    pub const MAX: Self = Self(36_525 * 24 * 3600 * NANOS_PER_SECOND);

    /// An interval of `nanos` nanoseconds, cut at [`Interval::MAX`].
    pub const fn from_nanos(nanos: u64) -> Self {
        if nanos > Self::MAX.0 { Self::MAX } else { Self(nanos) }
    }

    /// An interval of `millis` milliseconds, cut at [`Interval::MAX`].
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_nanos(millis.saturating_mul(1_000_000))
    }

    /// An interval of `seconds` seconds, cut at [`Interval::MAX`].
    pub const fn from_secs(seconds: u64) -> Self {
        Self::from_nanos(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// `nanos` rounded to a whole nanosecond (halves away from zero); negative and NaN become zero, more than
    /// [`Interval::MAX`] is cut.
    pub fn from_nanos_f64(nanos: f64) -> Self {
        // The largest float below a half, so that what lies just below a half is rounded down. `as` cuts off the fraction,
        // saturates, and sends NaN to 0.
        Self::from_nanos((nanos + 0.499_999_999_999_999_94) as u64)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds, for reports and for the samplers.
    pub fn as_secs_f64(self) -> f64 {
        // Split first: a plain division of more than 2^53 ns would round twice.
        (self.0 / NANOS_PER_SECOND) as f64 + (self.0 % NANOS_PER_SECOND) as f64 / 1e9
    }

    /// `self` times `factor`, rounded to a nanosecond and cut at [`Interval::MAX`]. A factor of 1 leaves even those alone that are
    /// too long for a float.
    pub fn scale(self, factor: f64) -> Self {
        if factor == 1.0 { self } else { Self::from_nanos_f64(self.0 as f64 * factor) }
    }

    /// `self` so many times, cut at [`Interval::MAX`].
    pub const fn times(self, count: u64) -> Self {
        Self::from_nanos(self.0.saturating_mul(count))
    }

    /// The longer of the two.
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The shorter of the two.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The smallest whole number of seconds that is at least `self`: what an integer `Retry-After` header can say.
    pub const fn ceil_to_seconds(self) -> Self {
        Self::from_nanos(self.0.div_ceil(NANOS_PER_SECOND).saturating_mul(NANOS_PER_SECOND))
    }

    /// True for an interval of no length.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add<Interval> for Instant {
    type Output = Self;
    fn add(self, interval: Interval) -> Self {
        Self(self.0.checked_add(interval.0).expect("virtual time overflowed 584 years"))
    }
}

impl Add for Interval {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::from_nanos(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Interval {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Interval {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Quantity for Interval {
    const EXPECTED: &'static str = "a duration with a unit, such as \"250ms\", \"60s\" or \"1m30s\"";

    fn parse(text: &str) -> Result<Self, String> {
        parse_interval(text)
    }

    fn number(shown: &str) -> String {
        if !shown.starts_with(|c: char| c.is_ascii_digit()) {
            let shown = shown.to_lowercase();
            return format!(
                "{shown} is not a duration: write for example \"60s\", at most 100 years (\"36525d\")"
            );
        }
        format!(
            "the duration {shown} has no unit: write \"{shown}s\" for seconds or \"{shown}ms\" for milliseconds"
        )
    }
}

deserialize_quantity!(Interval);

fn parse_interval(text: &str) -> Result<Interval, String> {
    let explain = |why: &str| {
        format!("\"{text}\" is not a duration ({why}); write for example \"250ms\", \"60s\" or \"1m30s\"")
    };
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(Interval::number(text));
    }
    // The parser's own words are about its formats, which nobody here has heard of.
    let unreadable = "it takes numbers with units: ns, us, ms, s, m, h, d";
    let span: jiff::Span = text.parse().map_err(|_: jiff::Error| explain(unreadable))?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err(explain(
            "years and months have no fixed length, use days (100 years, the longest, are 36525d)",
        ));
    }
    let duration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| explain("the longest that can be simulated is 100 years"))?;
    if duration.is_negative() {
        return Err(explain("it is negative"));
    }
    match u64::try_from(duration.as_nanos()) {
        Ok(nanos) if nanos <= Interval::MAX.0 => Ok(Interval(nanos)),
        _ => Err(explain("the longest that can be simulated is 100 years")),
    }
}

impl fmt::Display for Interval {
    /// Writes the interval exactly, in the largest fitting units: `1h 30m`, `2.5s`, `180ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = |value: u64, unit: u64| {
            let fraction = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() {
                format!("{}", value / unit)
            } else {
                format!("{}.{fraction}", value / unit)
            }
        };
        match self.0 {
            0 => return f.write_str("0s"),
            1..1_000 => return write!(f, "{}ns", self.0),
            1_000..1_000_000 => return write!(f, "{}us", decimals(self.0, 1_000)),
            1_000_000..NANOS_PER_SECOND => return write!(f, "{}ms", decimals(self.0, 1_000_000)),
            _ => {}
        }
        let whole_seconds = self.0 / NANOS_PER_SECOND;
        let (days, hours, minutes) =
            (whole_seconds / 86_400, whole_seconds / 3600 % 24, whole_seconds / 60 % 60);
        let rest = self.0 % (60 * NANOS_PER_SECOND);
        let mut parts = Vec::with_capacity(4);
        for (amount, unit) in [(days, "d"), (hours, "h"), (minutes, "m")] {
            if amount > 0 {
                parts.push(format!("{amount}{unit}"));
            }
        }
        if rest > 0 {
            parts.push(format!("{}s", decimals(rest, NANOS_PER_SECOND)));
        }
        f.write_str(&parts.join(" "))
    }
}

impl serde::Serialize for Interval {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        let cases = [
            ("0s", 0),
            ("250ms", 250_000_000),
            ("60s", 60 * NANOS_PER_SECOND),
            ("1m30s", 90 * NANOS_PER_SECOND),
            ("1h 30m", 5400 * NANOS_PER_SECOND),
            ("1.5s", 1_500_000_000),
            ("2 minutes", 120 * NANOS_PER_SECOND),
            ("3d", 3 * 86_400 * NANOS_PER_SECOND),
            ("7ns", 7),
            ("PT1M", 60 * NANOS_PER_SECOND),
        ];
        for (text, nanos) in cases {
            assert_eq!(Interval::parse(text), Ok(Interval(nanos)), "{text}");
        }
    }

    #[test]
    fn a_bad_duration_says_what_to_write() {
        for (text, needle) in [
            ("60", "no unit: write \"60s\""),
            ("", "not a duration"),
            ("-5s", "negative"),
            ("soon", "not a duration"),
            ("200 years", "no fixed length"),
            ("90000d", "100 years"),
            ("1e400s", "not a duration"),
        ] {
            let message = Interval::parse(text).expect_err(text);
            assert!(message.contains(needle), "{text}: {message}");
        }
    }

    #[test]
    fn an_interval_prints_as_it_is_read() {
        for text in
            ["0s", "1ns", "1.5us", "180ms", "1s", "2.5s", "1m", "1m 30s", "2h", "1d 1h 1m 1.000000001s"]
        {
            let interval = Interval::parse(text).unwrap();
            assert_eq!(interval.to_string(), text);
        }
    }

    #[test]
    fn whole_seconds_round_up_as_a_header_does() {
        for (nanos, seconds) in [(0, 0), (1, 1), (NANOS_PER_SECOND, 1), (NANOS_PER_SECOND + 1, 2)] {
            assert_eq!(Interval::from_nanos(nanos).ceil_to_seconds(), Interval::from_secs(seconds));
        }
    }

    #[test]
    fn scaling_saturates_instead_of_wrapping() {
        assert_eq!(Interval::from_secs(1).scale(1e300), Interval::MAX);
        assert_eq!(Interval::from_secs(1).scale(f64::NAN), Interval::ZERO);
        assert_eq!(Interval::from_secs(1).scale(-1.0), Interval::ZERO);
        assert_eq!(Interval::from_secs(1).scale(0.5), Interval::from_millis(500));
        let long = Interval::from_nanos((1 << 60) + 1);
        assert_eq!(long.scale(1.0), long);
    }
}
