//! Ranges of values: from one end to the other, by steps or in between, as people write them.

use super::MOST_VALUES;
use super::unit::Unit;

/// All values from `low` to `high`.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
    unit: Unit,
    step: Option<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Add(f64),
    Multiply(f64),
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

    /// True if it says by what steps.
    pub const fn has_step(&self) -> bool {
        self.step.is_some()
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

    pub(super) fn check_length(&self) -> Result<(), String> {
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

    pub(super) fn values(&self) -> Option<Vec<String>> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
