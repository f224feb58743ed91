//! Expectations: what must be true of a result, so that a scenario can serve as a test.

use toml::de::{DeTable, DeValue};

use super::document::{Document, Value, entry};
use super::{Arm, Named, Workload};
use crate::error::suggestion;
use crate::metrics::{SERVICE_MEASURES, WORKLOAD_MEASURES};
use crate::quantity::Quantity;
use crate::service::ServiceConfig;
use crate::time::Interval;
use crate::units::Rate;

/// A condition on the mean of one metric, such as `"jittered.success_rate" = ">= 0.95"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Index of the arm.
    pub arm: usize,
    /// Index of the workload or of the service, as the metric belongs to one or the other.
    pub subject: usize,
    /// Index of the metric in the measures of a workload or of a service.
    pub metric: Metric,
    /// How to compare.
    pub comparison: Comparison,
    /// With what, in the unit of the metric.
    pub bound: f64,
    /// As written, for messages.
    pub text: String,
}

/// A metric of a workload or of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Index in [`WORKLOAD_MEASURES`].
    Workload(usize),
    /// Index in [`SERVICE_MEASURES`].
    Service(usize),
}

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// At least.
    AtLeast,
    /// At most.
    AtMost,
    /// More than.
    Above,
    /// Less than.
    Below,
}

impl Comparison {
    /// True if `value` compares so with `bound`.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::AtLeast => value >= bound,
            Self::AtMost => value <= bound,
            Self::Above => value > bound,
            Self::Below => value < bound,
        }
    }
}

impl Metric {
    fn named(name: &str) -> Option<Self> {
        let workload = WORKLOAD_MEASURES.iter().position(|measure| measure.name == name).map(Self::Workload);
        workload
            .or_else(|| SERVICE_MEASURES.iter().position(|measure| measure.name == name).map(Self::Service))
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Workload(measure) => WORKLOAD_MEASURES[measure].unit,
            Self::Service(measure) => SERVICE_MEASURES[measure].unit,
        }
    }

    fn names() -> impl Iterator<Item = &'static str> {
        WORKLOAD_MEASURES.iter().map(|m| m.name).chain(SERVICE_MEASURES.iter().map(|m| m.name))
    }
}

/// Metrics of unit "1" that are shares, from 0 to 1.
const SHARES: [&str; 3] = ["success_rate", "herd_share", "overshoot"];

/// Reads a condition such as ">= 0.95" or "< 10m" on the metric `name`, which is measured in `unit`.
fn parse_condition(text: &str, name: &str, unit: &str) -> Result<(Comparison, f64), String> {
    let comparisons = [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::Above),
        ("<", Comparison::Below),
    ];
    let (example, is) = match unit {
        "s" => ("\"< 10m\"", "a time"),
        "1/s" => ("\"< 75\"", "a number per second"),
        _ if SHARES.contains(&name) => ("\">= 0.95\"", "a share from 0 to 1"),
        _ => ("\"< 3\"", "a number"),
    };
    let explain = || format!("\"{text}\" is not a condition: write for example {example}");
    let (sign, comparison) =
        comparisons.into_iter().find(|(sign, _)| text.trim().starts_with(sign)).ok_or_else(explain)?;
    let bound = text.trim()[sign.len()..].trim();
    let refuse = |why: String| Err(format!("{name} is {is}: {why}, such as {example}"));
    let number = bound.parse::<f64>().ok().filter(|number| number.is_finite());
    let time = Interval::parse(bound).ok().map(Interval::as_secs_f64);
    if let Some(percent) = bound.strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok()) {
        return refuse(format!("{bound} is {}, write that", percent / 100.0));
    }
    match (unit, number, time) {
        ("s", None, Some(seconds)) => Ok((comparison, seconds)),
        ("s", Some(_), _) => refuse(format!("{bound} has no unit, write {bound}s for seconds")),
        ("s", None, None) => Err(explain()),
        (_, Some(number), _) if SHARES.contains(&name) && !(0.0..=1.0).contains(&number) => {
            refuse(format!("{bound} is never or always so, write a number between 0 and 1"))
        }
        (_, Some(number), _) => Ok((comparison, number)),
        (_, None, Some(_)) => refuse(format!("{bound} is a time, write a number")),
        (_, None, None) => match Rate::parse(bound) {
            Ok(rate) if unit == "1/s" => Ok((comparison, rate.per_second())),
            _ => Err(explain()),
        },
    }
}

/// Reads `[expect]`: "arm.metric" or "arm.workload.metric" = "condition".
pub(super) fn expect(
    document: &mut Document<'_>,
    workloads: &[Workload],
    services: &[Named<ServiceConfig>],
    arms: &[Arm],
) -> Vec<Expectation> {
    let Some((_, value)) = entry(document.root(), "expect") else { return Vec::new() };
    let Some(table) = value.get_ref().as_table().cloned() else {
        document.problem("expect", "this must be a table of \"arm.metric\" = \"condition\"", None);
        return Vec::new();
    };
    let mut expectations = Vec::new();
    for (key, value) in table {
        let place = key.span();
        let key = key.into_inner().into_owned();
        let read = match value.get_ref() {
            DeValue::Table(below) => Err(unquoted(&key, below)),
            _ => expectation(&key, &value, (workloads, services), arms),
        };
        match read {
            Ok(expectation) => expectations.push(expectation),
            Err(message) => document.problem_at(place, format!("expect.\"{key}\": {message}")),
        }
    }
    expectations
}

/// What to write for a key whose dots stand outside quotes: they make tables of it.
fn unquoted(key: &str, below: &DeTable<'_>) -> String {
    let (mut path, mut table, mut condition) = (key.to_owned(), Some(below), "...");
    while let Some((key, value)) = table.and_then(|table| table.iter().next()) {
        path += &format!(".{}", key.get_ref());
        table = value.get_ref().as_table();
        condition = value.get_ref().as_str().unwrap_or(condition);
    }
    format!("quote the whole key: \"{path}\" = \"{condition}\"")
}

fn expectation(
    key: &str,
    value: &Value<'_>,
    (workloads, services): (&[Workload], &[Named<ServiceConfig>]),
    arms: &[Arm],
) -> Result<Expectation, String> {
    let condition = value.get_ref().as_str().ok_or("write the condition as text, such as \">= 0.95\"")?;
    let parts: Vec<&str> = key.split('.').collect();
    let (arm, named, metric) = match parts[..] {
        [arm, metric] => (arm, None, metric),
        [arm, named, metric] => (arm, Some(named), metric),
        _ => return Err("write the key as \"arm.metric\" or \"arm.workload.metric\"".into()),
    };
    let arm = arms.iter().position(|known| known.name == arm).ok_or_else(|| {
        format!(
            "there is no arm \"{arm}\"; {}",
            suggestion(arm, arms.iter().map(|known| known.name.as_str()))
        )
    })?;
    let name = metric;
    let metric = Metric::named(name)
        .ok_or_else(|| format!("there is no metric \"{name}\"; {}", suggestion(name, Metric::names())))?;
    let workload = named.map_or_else(
        || (workloads.len() == 1).then_some(0),
        |named| workloads.iter().position(|known| known.name == named),
    );
    let service = || {
        let service = named.map(|named| services.iter().position(|known| known.name == named));
        service.unwrap_or_else(|| (services.len() == 1).then_some(0))
    };
    let subject = match metric {
        Metric::Workload(_) => workload,
        Metric::Service(_) => workload.map(|workload| workloads[workload].service).or_else(service),
    };
    let subject = subject.ok_or_else(|| match (named, metric) {
        (None, _) => "there are several workloads: write \"arm.workload.metric\"".to_owned(),
        (Some(named), Metric::Workload(_)) => {
            let known = workloads.iter().map(|known| known.name.as_str());
            format!("there is no workload \"{named}\"; {}", suggestion(named, known))
        }
        (Some(named), Metric::Service(_)) => {
            let known =
                workloads.iter().map(|known| &known.name).chain(services.iter().map(|known| &known.name));
            let help = suggestion(named, known.map(String::as_str));
            format!("there is no service or workload \"{named}\"; {help}")
        }
    })?;
    let (comparison, bound) = parse_condition(condition, name, metric.unit())?;
    Ok(Expectation { arm, subject, metric, comparison, bound, text: format!("{key} {condition}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_compare_numbers_and_durations() {
        for (name, unit, text, comparison, bound) in [
            ("success_rate", "1", ">= 0.95", Comparison::AtLeast, 0.95),
            ("amplification", "1", "<2", Comparison::Below, 2.0),
            ("honest_p99", "s", "<= 10m", Comparison::AtMost, 600.0),
            ("requests", "1", " > 1e3 ", Comparison::Above, 1000.0),
            ("offered_load_peak", "1/s", "> 75", Comparison::Above, 75.0),
            ("offered_load_peak", "1/s", "> 120/min", Comparison::Above, 2.0),
        ] {
            assert_eq!(parse_condition(text, name, unit), Ok((comparison, bound)), "{text}");
        }
        for (name, unit, text, remedy) in [
            ("requests", "1", "< 5s", "5s is a time, write a number"),
            ("success_rate", "1", "> 95", "between 0 and 1"),
            ("success_rate", "1", "> 95%", "95% is 0.95, write that"),
            ("honest_p99", "s", "< 5", "write 5s for seconds"),
            ("honest_p99", "s", "< soon", "write for example \"< 10m\""),
        ] {
            let message = parse_condition(text, name, unit).expect_err(text);
            assert!(message.contains(remedy), "{message}");
        }
        for text in ["", "0.95", "= 1", ">= ", ">= nan", ">= inf", ">= soon"] {
            assert!(parse_condition(text, "requests", "1").is_err(), "{text}");
        }
    }

    #[test]
    fn the_boundary_belongs_to_at_least_and_at_most() {
        for (comparison, at) in [
            (Comparison::AtLeast, true),
            (Comparison::AtMost, true),
            (Comparison::Above, false),
            (Comparison::Below, false),
        ] {
            assert_eq!(comparison.holds(1.0, 1.0), at);
            assert!(!comparison.holds(f64::NAN, 1.0));
        }
    }
}
