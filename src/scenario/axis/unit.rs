//! What a value of a range is: a number, a duration, a rate; how it is read and written.

use crate::quantity::Quantity;
use crate::time::Interval;
use crate::units::Rate;

/// What the ends of a range are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whole numbers.
    Whole,
    /// Numbers.
    Number,
    /// Durations, in nanoseconds.
    Duration,
    /// Counts per this period.
    Rate(String),
}

impl Unit {
    /// A number and what it is: of a duration its nanoseconds, of a rate its count.
    pub(super) fn read(text: &str) -> Result<(f64, Self), String> {
        if let Ok(whole) = text.parse::<i64>() {
            return Ok((whole as f64, Self::Whole));
        }
        if let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) {
            return Ok((number, Self::Number));
        }
        if let Some((count, period)) = text.split_once('/')
            && let (Ok(count), Ok(_)) = (count.trim().parse::<f64>(), Rate::parse(text))
        {
            return Ok((count, Self::Rate(period.trim().to_owned())));
        }
        let time = Interval::parse(text).map_err(|_| {
            format!("\"{text}\" is no number, duration or rate: write for example 5, 0.5, 30s or 10/s")
        })?;
        Ok((time.as_nanos() as f64, Self::Duration))
    }

    /// The unit in CSV files.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Whole | Self::Number => "1".to_owned(),
            Self::Duration => "s".to_owned(),
            Self::Rate(period) => format!("1/{period}"),
        }
    }

    /// What holds values of both, if anything does.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Whole | Self::Number, Self::Number) | (Self::Number, Self::Whole) => Some(Self::Number),
            (one, other) => (one == other).then_some(one),
        }
    }

    /// A number as it is written in a scenario.
    pub(super) fn write(&self, value: f64) -> String {
        // Twelve digits: what is left of 0.1 + 0.2 is 0.3.
        let tidy = || format!("{value:.11e}").parse::<f64>().unwrap_or(value);
        match self {
            Self::Whole => format!("{value:.0}"),
            Self::Number => format!("{:?}", tidy()),
            Self::Duration => Interval::from_nanos(value.round() as u64).to_string().replace(' ', ""),
            Self::Rate(period) => {
                let thousandths = (value * 1e9).round() / 1e9;
                format!("{thousandths}/{period}")
            }
        }
    }
}
