//! Axes: fields of a scenario that take several values, as `path=10..100:10`, `path=1s..1m:*2` or `path=a,b,c`.

use crate::quantity::Quantity;
use crate::time::Interval;
use crate::units::Rate;

/// The most values that an axis may have.
const MOST_VALUES: usize = 10_000;

/// A field and the values that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The path of the field, such as `workloads.campaign.clients`.
    pub path: String,
    /// Its values.
    pub span: Span,
}

/// The values of an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Span {
    /// These, as TOML or plain text.
    List(Vec<String>),
    /// All from one end to the other.
    Range(Range),
}

/// All values from `low` to `high`.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
    unit: Unit,
    step: Option<Step>,
}

/// What the ends of a range are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unit {
    /// Whole numbers.
    Whole,
    /// Numbers.
    Number,
    /// Durations, in nanoseconds.
    Duration,
    /// Counts per this period.
    Rate(String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Add(f64),
    Multiply(f64),
}

impl Axis {
    /// Reads `path=a..b`, `path=a..b:step` or `path=a..b:*factor`, the ends whole numbers, numbers, durations or rates.
    ///
    /// # Errors
    /// With what is wrong and how it is written.
    pub fn range(text: &str) -> Result<Self, String> {
        let (path, values) = split(text, "workloads.campaign.clients=100..1000:100")?;
        let range = Range::parse(values).map_err(|why| format!("{text}: {why}"))?;
        range.check_length().map_err(|why| format!("{text}: {why}"))?;
        Ok(Self { path, span: Span::Range(range) })
    }

    /// Reads `path=x,y,z`; commas inside quotes, brackets and braces belong to a value.
    ///
    /// # Errors
    /// With what is wrong and how it is written.
    pub fn list(text: &str) -> Result<Self, String> {
        let (path, values) = split(text, "policies.fixed.jitter=none,full")?;
        let values = split_list(values);
        if let Some(place) = values.iter().position(String::is_empty) {
            return Err(format!("{text}: value {} is empty: write path=x,y,z", place + 1));
        }
        if let Some((index, twice)) =
            values.iter().enumerate().find(|(index, value)| values[..*index].contains(value))
        {
            return Err(format!("{text}: {twice} is there twice, the second time as value {}", index + 1));
        }
        if values.len() > MOST_VALUES {
            return Err(format!("{text}: {} values, the limit is {MOST_VALUES}", values.len()));
        }
        Ok(Self { path, span: Span::List(values) })
    }

    /// The values in order; `None` of a range without a step, which has no number of them.
    pub fn values(&self) -> Option<Vec<String>> {
        match &self.span {
            Span::List(values) => Some(values.clone()),
            Span::Range(range) => range.values(),
        }
    }
}

/// Values as numbers, if all of them are of one kind: seconds of durations, counts of rates; and their unit, as
/// [`Range::unit`] says it.
pub fn numbers(values: &[String]) -> Option<(Vec<f64>, String)> {
    let read = |value: &String| Unit::read(value.trim_matches(['"', '\''])).ok();
    let read: Vec<(f64, Unit)> = values.iter().map(read).collect::<Option<_>>()?;
    let unit = read.iter().map(|(_, unit)| unit.clone()).try_fold(read.first()?.1.clone(), Unit::join)?;
    let scale = if unit == Unit::Duration { 1e9 } else { 1.0 };
    Some((read.into_iter().map(|(number, _)| number / scale).collect(), unit.name()))
}

fn split<'t>(text: &'t str, example: &str) -> Result<(String, &'t str), String> {
    match text.split_once('=') {
        Some((path, values)) if !path.trim().is_empty() => Ok((path.trim().to_owned(), values.trim())),
        _ => Err(format!("{text}: write PATH=VALUES, such as {example}")),
    }
}

fn split_list(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quote) = (vec![String::new()], 0_i32, None);
    for c in text.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 && quote.is_none() {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

impl Range {
    /// Reads `a..b`, `a..b:step` or `a..b:*factor`.
    ///
    /// # Errors
    /// With what is wrong and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (low, rest) =
            text.split_once("..").ok_or("write a range as a..b, such as 1..10, 0.1..0.9 or 10s..5m")?;
        let (high, step) = match rest.split_once(':') {
            Some((high, step)) => (high.trim(), Some(step.trim())),
            None => (rest.trim(), None),
        };
        let (from, unit) = Unit::read(low.trim())?;
        let (to, unit_of_high) = Unit::read(high)?;
        let unit = unit.join(unit_of_high).ok_or_else(|| {
            format!("{} and {high} are not of one kind: write both with the same unit", low.trim())
        })?;
        if from >= to {
            return Err(format!("{} is not below {high}: write the smaller end first", low.trim()));
        }
        let range = |step| Self { low: from, high: to, unit: unit.clone(), step };
        let Some(step) = step else { return Ok(range(None)) };
        if let Some(factor) = step.strip_prefix('*') {
            let factor = factor.parse::<f64>().ok().filter(|factor| factor.is_finite() && *factor > 1.0);
            let factor =
                factor.ok_or_else(|| format!("the factor of *{} must be above 1, such as *2", &step[1..]))?;
            if from <= 0.0 {
                return Err(format!("a factor leads nowhere from {}: begin above 0", low.trim()));
            }
            return Ok(range(Some(Step::Multiply(factor))));
        }
        let (by, unit_of_step) = match (&unit, step.parse::<f64>()) {
            (Unit::Rate(_), Ok(count)) => (count, unit.clone()),
            _ => Unit::read(step)?,
        };
        // Whole ends with a broken step are numbers.
        let unit = unit.join(unit_of_step).ok_or_else(|| {
            format!("the step {step} is not of the kind of the ends: write it with the same unit")
        })?;
        if by <= 0.0 {
            return Err(format!("the step {step} must be above 0"));
        }
        Ok(Self { low: from, high: to, unit, step: Some(Step::Add(by)) })
    }

    /// The lower end.
    pub fn low(&self) -> String {
        self.unit.write(self.low)
    }

    /// The upper end.
    pub fn high(&self) -> String {
        self.unit.write(self.high)
    }

    /// True if it has no values but whole numbers.
    pub fn is_whole(&self) -> bool {
        self.unit == Unit::Whole
    }

    /// The same ends, with all numbers between them; as it is if its values are no whole numbers.
    pub fn with_fractions(self) -> Self {
        let unit = if self.unit == Unit::Whole { Unit::Number } else { self.unit };
        Self { unit, ..self }
    }

    /// The value at this share of the way from the lower end to the upper one. Of whole numbers each has an equal part.
    pub fn at(&self, share: f64) -> String {
        let value = match self.unit {
            Unit::Whole => {
                let count = self.high - self.low + 1.0;
                (self.low + (share * count).floor()).min(self.high)
            }
            _ => self.low + share * (self.high - self.low),
        };
        self.unit.write(value)
    }

    /// The value half way between two values of the range, as they are written, whichever is larger; `None` if they are no further
    /// apart than `resolution` times the range, or nothing is between them.
    pub fn between(&self, one: &str, other: &str, resolution: f64) -> Option<String> {
        let (one, other) = (Unit::read(one).ok()?.0, Unit::read(other).ok()?.0);
        let (low, high) = (one.min(other), one.max(other));
        let middle = match self.unit {
            Unit::Whole => f64::midpoint(low, high).floor(),
            // No more digits than the resolution is worth.
            _ if resolution > 0.0 => {
                let worth = resolution * (self.high - self.low) / 2.0;
                let step = libm::pow(10.0, libm::floor(libm::log10(worth)));
                libm::round(f64::midpoint(low, high) / step) * step
            }
            _ => f64::midpoint(low, high),
        };
        let text = self.unit.write(middle);
        // As it is written it must still lie between them.
        let (written, _) = Unit::read(&text).ok()?;
        let apart = high - low > resolution * (self.high - self.low);
        (apart && low < written && written < high).then_some(text)
    }

    /// A value as a number: seconds of a duration, counts of a rate.
    pub fn number(&self, value: &str) -> Option<f64> {
        let (number, unit) = Unit::read(value).ok()?;
        Some(if unit == Unit::Duration { number / 1e9 } else { number })
    }

    /// The unit of [`Range::number`]: "s", "1/s" or the like, and "1" of plain numbers.
    pub fn unit(&self) -> String {
        self.unit.name()
    }

    fn check_length(&self) -> Result<(), String> {
        let length = match self.step {
            None => 0.0,
            Some(Step::Add(by)) => ((self.high - self.low) / by).floor() + 1.0,
            Some(Step::Multiply(by)) => (libm::log(self.high / self.low) / libm::log(by)).floor() + 1.0,
        };
        if length > MOST_VALUES as f64 {
            return Err(format!("{length:.0} values, the limit is {MOST_VALUES}: widen the step"));
        }
        Ok(())
    }

    fn values(&self) -> Option<Vec<String>> {
        let step = self.step?;
        // A last value that rounding has pushed over the end by a hair belongs to it.
        let end = self.high * (1.0 + 1e-12);
        let value = |index: usize| match step {
            Step::Add(by) => self.low + by * index as f64,
            Step::Multiply(by) => self.low * libm::pow(by, index as f64),
        };
        let mut values: Vec<String> = Vec::new();
        for value in (0..).map(value).take_while(|value| *value <= end) {
            let text = self.unit.write(value.min(self.high));
            if values.last() != Some(&text) {
                values.push(text);
            }
        }
        Some(values)
    }
}

impl Unit {
    fn read(text: &str) -> Result<(f64, Self), String> {
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

    fn name(&self) -> String {
        match self {
            Self::Whole | Self::Number => "1".to_owned(),
            Self::Duration => "s".to_owned(),
            Self::Rate(period) => format!("1/{period}"),
        }
    }

    fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Whole | Self::Number, Self::Number) | (Self::Number, Self::Whole) => Some(Self::Number),
            (one, other) => (one == other).then_some(one),
        }
    }

    fn write(&self, value: f64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_a_path_and_its_values() {
        for (text, values) in [
            ("w.clients=1..5:2", &["1", "3", "5"][..]),
            ("w.clients=1..6:2", &["1", "3", "5"]),
            ("p.jitter.proportional=0..0.3:0.1", &["0.0", "0.1", "0.2", "0.3"]),
            ("p.retries=0..1:0.5", &["0.0", "0.5", "1.0"]),
            ("p.backoff.fixed=30s..2m:45s", &["30s", "1m15s", "2m"]),
            ("p.backoff.fixed=1s..10s:*2", &["1s", "2s", "4s", "8s"]),
            ("w.arrivals.poisson.rate=5/s..20/s:5", &["5/s", "10/s", "15/s", "20/s"]),
            ("w.arrivals.poisson.rate=5/s..15/s:5/s", &["5/s", "10/s", "15/s"]),
            ("w.clients=1..100:*10", &["1", "10", "100"]),
        ] {
            let axis = Axis::range(text).expect(text);
            assert_eq!(axis.values().expect(text), values, "{text}");
        }
        let list = Axis::list("p.jitter=none, full,{ between = [1, 2] },'a,b'").expect("a list");
        assert_eq!(list.values().expect("a list"), ["none", "full", "{ between = [1, 2] }", "'a,b'"]);
        assert_eq!(Axis::range("w.clients=1..5").expect("a range").values(), None);
    }

    #[test]
    fn what_is_wrong_with_an_axis_is_said() {
        for (text, why) in [
            ("clients", "write PATH=VALUES"),
            ("=1..2", "write PATH=VALUES"),
            ("w.clients=5", "write a range as a..b"),
            ("w.clients=5..1", "the smaller end first"),
            ("w.clients=5..5", "the smaller end first"),
            ("w.clients=1..5s", "not of one kind"),
            ("w.clients=1..nan", "no number, duration or rate"),
            ("w.rate=1/s..5/min", "not of one kind"),
            ("w.clients=1..5:0", "must be above 0"),
            ("w.clients=1..5:-1", "must be above 0"),
            ("w.clients=1..5:1s", "the same unit"),
            ("w.clients=0..5:*2", "begin above 0"),
            ("w.clients=1..5:*1", "above 1"),
            ("w.clients=1..1000000:1", "1000000 values, the limit is 10000"),
        ] {
            let message = Axis::range(text).expect_err(text);
            assert!(message.contains(why), "{text}: {message}");
        }
        assert!(Axis::list("p.jitter=full,").expect_err("a gap").contains("value 2 is empty"));
        assert!(Axis::list("p.jitter=full,full").expect_err("twice").contains("twice"));
    }

    #[test]
    fn values_of_one_kind_are_numbers() {
        let of = |values: &[&str]| numbers(&values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["1", "2.5"]), Some((vec![1.0, 2.5], "1".into())));
        assert_eq!(of(&["500ms", "\"1m\""]), Some((vec![0.5, 60.0], "s".into())));
        assert_eq!(of(&["5/s", "10/s"]), Some((vec![5.0, 10.0], "1/s".into())));
        assert_eq!(of(&["5/s", "10/min"]), None);
        assert_eq!(of(&["1", "full"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_place_in_a_range_is_a_value_of_its_kind() {
        let whole = Range::parse("0..3").expect("a range");
        assert_eq!([0.0, 0.24, 0.26, 0.99, 1.0].map(|u| whole.at(u)), ["0", "0", "1", "3", "3"]);
        assert_eq!(whole.between("3", "0", 0.0), Some("1".into()));
        assert_eq!(whole.between("1", "2", 0.0), None);
        let time = Range::parse("10s..20s").expect("a range");
        assert_eq!((time.at(0.25), time.between("10s", "11s", 0.05)), ("12.5s".into(), Some("10.5s".into())));
        assert_eq!(time.between("10s", "11.3s", 0.05), Some("10.7s".into()), "to a tenth of a second");
        let tiny = Range::parse("1ns..10ns").expect("a range");
        assert_eq!(tiny.between("1ns", "2ns", 0.01), None, "there is nothing between");
        assert_eq!(time.between("10s", "11s", 0.1), None, "a tenth of the range is near enough");
        assert_eq!((time.number("1m30s"), time.unit()), (Some(90.0), "s".into()));
        let rate = Range::parse("5/s..10/s").expect("a range");
        assert_eq!((rate.at(0.5), rate.unit()), ("7.5/s".into(), "1/s".into()));
    }
}
