//! Expectations: what must be true of a result, so that a scenario can serve as a test.

use super::document::{Document, Value, entry};
use super::{Arm, Workload};
use crate::error::suggestion;
use crate::metrics::{SERVICE_MEASURES, WORKLOAD_MEASURES};
use crate::quantity::Quantity;
use crate::time::Interval;

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

    fn names() -> impl Iterator<Item = &'static str> {
        WORKLOAD_MEASURES.iter().map(|m| m.name).chain(SERVICE_MEASURES.iter().map(|m| m.name))
    }
}

/// Reads a condition such as ">= 0.95" or "< 10m".
fn parse_condition(text: &str) -> Result<(Comparison, f64), String> {
    let comparisons = [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::Above),
        ("<", Comparison::Below),
    ];
    let explain = || format!("\"{text}\" is not a condition: write for example \">= 0.95\" or \"< 10m\"");
    let (sign, comparison) =
        comparisons.into_iter().find(|(sign, _)| text.trim().starts_with(sign)).ok_or_else(explain)?;
    let bound = text.trim()[sign.len()..].trim();
    let number = bound.parse::<f64>().ok().filter(|number| number.is_finite());
    let number = number.or_else(|| Interval::parse(bound).ok().map(Interval::as_secs_f64));
    number.map(|number| (comparison, number)).ok_or_else(explain)
}

/// Reads `[expect]`: "arm.metric" or "arm.workload.metric" = "condition".
pub(super) fn expect(document: &mut Document<'_>, workloads: &[Workload], arms: &[Arm]) -> Vec<Expectation> {
    let Some((_, value)) = entry(document.root(), "expect") else { return Vec::new() };
    let Some(table) = value.get_ref().as_table().cloned() else {
        document.problem("expect", "this must be a table of \"arm.metric\" = \"condition\"", None);
        return Vec::new();
    };
    let mut expectations = Vec::new();
    for (key, value) in table {
        let place = key.span();
        let key = key.into_inner().into_owned();
        match expectation(&key, &value, workloads, arms) {
            Ok(expectation) => expectations.push(expectation),
            Err(message) => document.problem_at(place, format!("expect.\"{key}\": {message}")),
        }
    }
    expectations
}

fn expectation(
    key: &str,
    value: &Value<'_>,
    workloads: &[Workload],
    arms: &[Arm],
) -> Result<Expectation, String> {
    let condition = value.get_ref().as_str().ok_or("write the condition as text, such as \">= 0.95\"")?;
    let (comparison, bound) = parse_condition(condition)?;
    let parts: Vec<&str> = key.split('.').collect();
    let (arm, workload, metric) = match parts[..] {
        [arm, metric] => (arm, None, metric),
        [arm, workload, metric] => (arm, Some(workload), metric),
        _ => return Err("write the key as \"arm.metric\" or \"arm.workload.metric\"".into()),
    };
    let arm = arms.iter().position(|known| known.name == arm).ok_or_else(|| {
        format!(
            "there is no arm \"{arm}\"; {}",
            suggestion(arm, arms.iter().map(|known| known.name.as_str()))
        )
    })?;
    let workload = match workload {
        None if workloads.len() == 1 => 0,
        None => return Err("there are several workloads: write \"arm.workload.metric\"".into()),
        Some(name) => workloads.iter().position(|known| known.name == name).ok_or_else(|| {
            let known = workloads.iter().map(|known| known.name.as_str());
            format!("there is no workload \"{name}\"; {}", suggestion(name, known))
        })?,
    };
    let name = metric;
    let metric = Metric::named(name)
        .ok_or_else(|| format!("there is no metric \"{name}\"; {}", suggestion(name, Metric::names())))?;
    let subject = match metric {
        Metric::Workload(_) => workload,
        Metric::Service(_) => workloads[workload].service,
    };
    Ok(Expectation { arm, subject, metric, comparison, bound, text: format!("{key} {condition}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_compare_numbers_and_durations() {
        for (text, comparison, bound) in [
            (">= 0.95", Comparison::AtLeast, 0.95),
            ("<2", Comparison::Below, 2.0),
            ("<= 10m", Comparison::AtMost, 600.0),
            (" > 1e3 ", Comparison::Above, 1000.0),
        ] {
            assert_eq!(parse_condition(text), Ok((comparison, bound)), "{text}");
        }
        for text in ["", "0.95", "= 1", ">= ", ">= nan", ">= inf", ">= soon"] {
            assert!(parse_condition(text).is_err(), "{text}");
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
