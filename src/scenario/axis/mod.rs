//! Axes: fields of a scenario that take several values, as `path=10..100:10`, `path=1s..1m:*2` or `path=a,b,c`.

mod range;
mod unit;

pub use range::Range;
use unit::Unit;

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
}
