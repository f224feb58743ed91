//! Knobs: the parts of a policy that tuning may move, and the values that each takes.
//!
//! A range is searched as a list of values: whole numbers one by one, durations on a ladder of times that people use, which is
//! even on a logarithmic scale, other numbers in at most twenty equal steps. What was found is then fit to be written down.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::quantity::Quantity;
use crate::scenario::axis::{Axis, Range, Span};
use crate::schema::Either;
use crate::time::Interval;

/// The most values that a knob may have.
const MOST_VALUES: usize = 200;
/// Steps of a range of numbers that are not whole.
const STEPS: u32 = 20;

/// A part of a policy that tuning may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knob {
    /// Retries at most.
    Retries,
    /// The delay before the first retry.
    Delay,
    /// How the delay grows: `fixed`, `linear` (n times the delay) or `exponential` (doubling).
    Shape,
    /// The kind of jitter.
    Jitter,
    /// How much of a jitter that takes an amount.
    JitterAmount,
    /// The longest delay: before jitter, or after it if it walks from one delay to the next.
    Cap,
    /// The kind of breaker.
    Breaker,
    /// Failures in a row that open the breaker.
    BreakerThreshold,
    /// How long the breaker stays open.
    BreakerTimeout,
    /// The kind of budget.
    Budget,
    /// Retries per request that the budget allows, or tokens that it gets back for a success.
    BudgetRatio,
    /// What a Retry-After header does.
    RetryAfter,
}

/// What the values of a knob are.
enum Kind {
    Whole,
    Duration,
    Number,
    Words(&'static [&'static str]),
}

impl Knob {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 12] = [
        Self::Retries,
        Self::Delay,
        Self::Shape,
        Self::Jitter,
        Self::JitterAmount,
        Self::Cap,
        Self::Breaker,
        Self::BreakerThreshold,
        Self::BreakerTimeout,
        Self::Budget,
        Self::BudgetRatio,
        Self::RetryAfter,
    ];

    /// Those that say nothing of a policy that makes no retry.
    pub(super) const OF_RETRIES: [Self; 8] = [
        Self::Delay,
        Self::Shape,
        Self::Jitter,
        Self::JitterAmount,
        Self::Cap,
        Self::Budget,
        Self::BudgetRatio,
        Self::RetryAfter,
    ];

    /// Its name in a scenario and in CSV files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retries => "retries",
            Self::Delay => "delay",
            Self::Shape => "shape",
            Self::Jitter => "jitter",
            Self::JitterAmount => "jitter_amount",
            Self::Cap => "cap",
            Self::Breaker => "breaker",
            Self::BreakerThreshold => "breaker_threshold",
            Self::BreakerTimeout => "breaker_timeout",
            Self::Budget => "budget",
            Self::BudgetRatio => "budget_ratio",
            Self::RetryAfter => "retry_after",
        }
    }

    /// True if its values have an order, so that two of them can be neighbours.
    pub const fn is_ordered(self) -> bool {
        !matches!(self.kind(), Kind::Words(_))
    }

    /// The words that it may be; `None` if its values are numbers or durations.
    pub(in crate::scenario) const fn words(self) -> Option<&'static [&'static str]> {
        match self.kind() {
            Kind::Words(words) => Some(words),
            _ => None,
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Retries | Self::BreakerThreshold => Kind::Whole,
            Self::Delay | Self::Cap | Self::BreakerTimeout => Kind::Duration,
            Self::JitterAmount | Self::BudgetRatio => Kind::Number,
            Self::Shape => Kind::Words(&["fixed", "linear", "exponential"]),
            Self::Jitter => Kind::Words(&[
                "none",
                "full",
                "equal",
                "decorrelated",
                "proportional",
                "truncated_exponential",
            ]),
            Self::Breaker => Kind::Words(&["none", "consecutive"]),
            Self::Budget => Kind::Words(&["none", "window", "throttle"]),
            Self::RetryAfter => Kind::Words(&["ignore", "obey", "at_least"]),
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Retries => "retries = \"0..8\"",
            Self::Delay => "delay = \"5s..5m\"",
            Self::Shape => "shape = [\"fixed\", \"exponential\"]",
            Self::Jitter => "jitter = [\"none\", \"full\"]",
            Self::JitterAmount => "jitter_amount = \"0.1..1\"",
            Self::Cap => "cap = \"1m..10m\"",
            Self::Breaker => "breaker = [\"none\", \"consecutive\"]",
            Self::BreakerThreshold => "breaker_threshold = \"3..20\"",
            Self::BreakerTimeout => "breaker_timeout = \"10s..5m\"",
            Self::Budget => "budget = [\"none\", \"window\"]",
            Self::BudgetRatio => "budget_ratio = \"0.05..0.5\"",
            Self::RetryAfter => "retry_after = [\"ignore\", \"at_least\"]",
        }
    }

    /// The values of `choice`, in order, and `started` among them if it lies inside a range.
    ///
    /// # Errors
    /// With what is wrong and how it is written.
    pub(super) fn values(self, choice: &Choice, started: Option<&str>) -> Result<Vec<String>, String> {
        let refuse = |why: String| format!("{why}: write for example `{}`", self.example());
        let values = match choice {
            Choice::List(values) if values.is_empty() => return Err(refuse("there is no value".into())),
            Choice::List(values) => {
                values.iter().map(|value| self.value(value).map_err(refuse)).collect::<Result<Vec<_>, _>>()?
            }
            Choice::Range(text, _) if matches!(self.kind(), Kind::Words(_)) => {
                return Err(refuse(format!("{text} is a range, and these values have no order")));
            }
            Choice::Range(_, range) => self.range(range, started).map_err(refuse)?,
        };
        if let Some(index) = (1..values.len()).find(|&index| values[..index].contains(&values[index])) {
            return Err(format!("{} is there twice", values[index]));
        }
        if values.len() > MOST_VALUES {
            return Err(format!(
                "{} values, the limit is {MOST_VALUES}: narrow the range, or give it a step as in \"0..1000:50\"",
                values.len()
            ));
        }
        Ok(values)
    }

    /// A single value as the grammar writes it.
    fn value(self, text: &str) -> Result<String, String> {
        match self.kind() {
            Kind::Whole => {
                let least = u32::from(self != Self::Retries);
                let whole =
                    text.parse::<u32>().ok().filter(|number| *number >= least && *number <= 1_000_000);
                let whole = whole.map(|number| number.to_string());
                whole.ok_or_else(|| format!("{text} is no whole number from {least} to 1000000"))
            }
            Kind::Number => {
                let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= 1.0);
                number
                    .map(|number| format!("{number:?}"))
                    .ok_or_else(|| format!("{text} is no number above 0 and up to 1"))
            }
            Kind::Duration => {
                Interval::parse(text).map(written).map_err(|_| format!("{text} is no duration"))
            }
            Kind::Words(known) if known.contains(&text) => Ok(text.to_owned()),
            Kind::Words(known) => Err(format!(
                "\"{text}\" is not known here; {}",
                crate::error::suggestion(text, known.iter().copied())
            )),
        }
    }

    fn range(self, range: &Span, started: Option<&str>) -> Result<Vec<String>, String> {
        let stepped = Axis { path: String::new(), span: range.clone() }.values();
        if let Some(values) = stepped {
            return values.iter().map(|value| self.value(value)).collect();
        }
        let Span::Range(range) = range else { return Ok(Vec::new()) };
        let (low, high) = (self.value(&range.low())?, self.value(&range.high())?);
        let number = |text: &str| range.number(text).unwrap_or(0.0);
        let (from, to) = (number(&low), number(&high));
        let mut values = match self.kind() {
            Kind::Duration if from <= 0.0 => {
                return Err(format!(
                    "a range of durations is searched on a logarithmic scale and cannot begin at {low}; begin above it, or list \
                     the values"
                ));
            }
            Kind::Duration => between(&low, &high)?,
            Kind::Number => numbers(from, to),
            _ => (from as u64..=to as u64).take(MOST_VALUES + 1).map(|number| number.to_string()).collect(),
        };
        if let Some(started) = started.filter(|text| self.value(text).is_ok() && range.number(text).is_some())
            && (from..=to).contains(&number(started))
            && values.iter().all(|value| number(value) != number(started))
        {
            values.push(started.to_owned());
            values.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        Ok(values)
    }
}

/// A duration as a scenario writes it.
pub(super) fn written(time: Interval) -> String {
    time.to_string().replace(' ', "")
}

/// Times that people use, from 1 ms to 30 days: each about 1.4 times the one before.
fn ladder() -> impl Iterator<Item = Interval> {
    const OF_THOUSAND: [u64; 18] =
        [10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000];
    const OF_SIXTY: [u64; 11] = [10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 450];
    const OF_A_DAY: [u64; 8] = [10, 15, 20, 30, 50, 70, 100, 150];
    const MS: u64 = 1_000_000;
    let tenths = |steps: &'static [u64], unit: u64| {
        steps.iter().map(move |tenths| Interval::from_nanos(tenths * unit / 10))
    };
    tenths(&OF_THOUSAND, MS)
        .chain(tenths(&OF_SIXTY, 1000 * MS))
        .chain(tenths(&OF_SIXTY, 60_000 * MS))
        .chain(tenths(&OF_A_DAY, 3_600_000 * MS))
        .chain(tenths(&OF_SIXTY[..10], 86_400_000 * MS))
}

/// The ends, and the times of the ladder between them.
fn between(low: &str, high: &str) -> Result<Vec<String>, String> {
    let (low, high) = (Interval::parse(low)?, Interval::parse(high)?);
    let inside = ladder().filter(|time| low < *time && *time < high);
    let mut times: Vec<Interval> = [low].into_iter().chain(inside).chain([high]).collect();
    times.sort_unstable();
    Ok(times.into_iter().map(written).collect())
}

/// Twenty equal steps at most, of two digits after the point.
fn numbers(from: f64, to: f64) -> Vec<String> {
    let number = |step: u32| {
        let number = from + (to - from) * f64::from(step) / f64::from(STEPS);
        libm::round(number * 100.0) / 100.0
    };
    let mut numbers: Vec<f64> =
        (1..STEPS).map(number).filter(|number| from < *number && *number < to).collect();
    numbers.extend([from, to]);
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers.into_iter().map(|number| format!("{number:?}")).collect()
}

/// What is written for a knob: a value, a list or a range.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(with = "Either<Either<f64, String>, Vec<Either<f64, String>>>")]
pub(super) enum Choice {
    /// These values.
    List(Vec<String>),
    /// A range, and how it is written.
    Range(String, Span),
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Choice;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list of values or a range such as \"1..8\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Choice, E> {
                if text.contains("..") {
                    let range = Range::parse(text).map_err(E::custom)?;
                    return Ok(Choice::Range(text.to_owned(), Span::Range(range)));
                }
                Ok(Choice::List(vec![text.to_owned()]))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Choice, E> {
                Ok(Choice::List(vec![number.to_string()]))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Choice, E> {
                Ok(Choice::List(vec![format!("{number:?}")]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Choice, A::Error> {
                let mut values = Vec::new();
                while let Some(item) = items.next_element::<Choice>()? {
                    match item {
                        Choice::List(one) if one.len() == 1 => values.extend(one),
                        Choice::List(_) => {
                            return Err(A::Error::custom(
                                "a list stands inside a list: write one list of values",
                            ));
                        }
                        Choice::Range(text, _) => {
                            return Err(A::Error::custom(format!(
                                "the range {text} stands inside a list: give the range alone"
                            )));
                        }
                    }
                }
                Ok(Choice::List(values))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(knob: Knob, text: &str, started: Option<&str>) -> Result<Vec<String>, String> {
        let table: toml::Table = format!("x = {text}").parse().expect("it is TOML");
        let choice: Choice =
            table["x"].clone().try_into().map_err(|error: toml::de::Error| error.to_string())?;
        knob.values(&choice, started)
    }

    #[test]
    fn a_range_becomes_values_that_people_write() {
        for (knob, text, started, expected) in [
            (Knob::Retries, "'0..3'", Some("9"), "0 1 2 3"),
            (Knob::Retries, "'0..9:3'", None, "0 3 6 9"),
            (Knob::Retries, "4", None, "4"),
            (Knob::Delay, "'5s..5m'", None, "5s 7s 10s 15s 20s 30s 45s 1m 1m30s 2m 3m 5m"),
            (Knob::Delay, "'800ms..3s'", Some("2.5s"), "800ms 1s 1.5s 2s 2.5s 3s"),
            (Knob::Delay, "'1h..1d'", None, "1h 1h30m 2h 3h 5h 7h 10h 15h 1d"),
            (Knob::Delay, "['0s', '60s']", None, "0s 1m"),
            (Knob::Delay, "'1s..8s:*2'", None, "1s 2s 4s 8s"),
            (Knob::JitterAmount, "'0.1..0.2'", None, "0.1 0.11 0.12 0.13 0.14 0.15 0.16 0.17 0.18 0.19 0.2"),
            (
                Knob::JitterAmount,
                "'0.5..1'",
                Some("0.5"),
                "0.5 0.53 0.55 0.57 0.6 0.63 0.65 0.68 0.7 0.73 0.75 0.78 0.8 0.83 0.85 0.88 0.9 0.93 0.95 0.98 1.0",
            ),
            (Knob::Jitter, "['none', 'full']", None, "none full"),
        ] {
            assert_eq!(values(knob, text, started).expect(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn neighbours_on_the_ladder_are_about_as_far_apart_everywhere() {
        let times: Vec<f64> = ladder().map(Interval::as_secs_f64).collect();
        for pair in times.windows(2) {
            let factor = pair[1] / pair[0];
            assert!((1.24..1.71).contains(&factor), "{} to {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn what_is_wrong_with_a_choice_is_said() {
        for (knob, text, why) in [
            (Knob::Retries, "[]", "there is no value"),
            (Knob::Retries, "'8..0'", "the smaller end first"),
            (Knob::Retries, "'0.5..3'", "0.5 is no whole number"),
            (Knob::Retries, "-1", "-1 is no whole number"),
            (Knob::Retries, "'0..1000'", "the limit is 200"),
            (Knob::Retries, "[1, 2, 1]", "1 is there twice"),
            (Knob::Retries, "[1, [2, 3]]", "a list stands inside a list"),
            (Knob::Retries, "['0..8']", "give the range alone"),
            (Knob::BreakerThreshold, "0", "from 1"),
            (Knob::Delay, "'0s..5m'", "logarithmic"),
            (Knob::Delay, "5", "5 is no duration"),
            (Knob::Delay, "'1..5'", "1 is no duration"),
            (Knob::Jitter, "'fulll'", "did you mean `full`"),
            (Knob::Jitter, "'0..1'", "no order"),
            (Knob::JitterAmount, "'0.5..2'", "2.0 is no number above 0 and up to 1"),
            (Knob::JitterAmount, "0", "above 0"),
        ] {
            let message = values(knob, text, None).expect_err(text);
            assert!(message.contains(why), "{text}: {message}");
        }
    }
}
