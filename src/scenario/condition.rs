//! Conditions: a metric of a workload or of a service, and what its mean must be, such as `email.success_rate >= 0.95`.

use super::{Named, Scenario, Workload};
use crate::error::suggestion;
use crate::metrics::{SERVICE_MEASURES, Sense, WORKLOAD_MEASURES};
use crate::quantity::Quantity;
use crate::service::ServiceConfig;
use crate::time::Interval;
use crate::units::Rate;

/// What is measured: a metric of one workload or service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// The metric.
    pub metric: Metric,
    /// Index of the workload or of the service, as the metric belongs to one or the other.
    pub subject: usize,
}

/// What the mean of a figure must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is measured.
    pub figure: Figure,
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
    /// The metric of this name.
    pub fn named(name: &str) -> Option<Self> {
        let workload = WORKLOAD_MEASURES.iter().position(|measure| measure.name == name).map(Self::Workload);
        workload
            .or_else(|| SERVICE_MEASURES.iter().position(|measure| measure.name == name).map(Self::Service))
    }

    /// Its name in CSV files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workload(measure) => WORKLOAD_MEASURES[measure].name,
            Self::Service(measure) => SERVICE_MEASURES[measure].name,
        }
    }

    /// Its unit in CSV files.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Workload(measure) => WORKLOAD_MEASURES[measure].unit,
            Self::Service(measure) => SERVICE_MEASURES[measure].unit,
        }
    }

    /// True if it is a share, from 0 to 1.
    pub fn is_share(self) -> bool {
        SHARES.contains(&self.name())
    }

    /// True if it counts things, so that each replication has a whole number of them.
    pub fn is_count(self) -> bool {
        let name = self.name();
        let begins = |start: &&str| name.starts_with(*start);
        ["requests", "breaker_trips", "failures_swallowed", "queue_max"].contains(&name)
            || (["attempts_", "ended_", "retries_layer_"].iter().any(begins)
                && name != "attempts_per_request")
    }

    /// What is better of it, and by what arms are compared in it.
    pub fn sense(self) -> Sense {
        match self {
            Self::Workload(measure) => WORKLOAD_MEASURES[measure].sense,
            Self::Service(measure) => SERVICE_MEASURES[measure].sense,
        }
    }

    /// All names, those of workloads first.
    pub fn names() -> impl Iterator<Item = &'static str> {
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
    if let Some(why) = misspelt(text.trim()) {
        return Err(format!("\"{text}\" is not a condition: {why}, such as {example}"));
    }
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

/// What is wrong with a sign that is nearly one, and what to write.
fn misspelt(text: &str) -> Option<String> {
    let right = [("=>", ">="), ("=<", "<="), ("\u{2265}", ">="), ("\u{2264}", "<=")];
    let turned = right.into_iter().find(|(sign, _)| text.starts_with(sign));
    match turned {
        Some((sign, right)) => Some(format!("write {right} instead of {sign}")),
        None if text.starts_with(['=', '!']) => {
            Some("a mean is hardly ever exactly a number: write >= or <=".to_owned())
        }
        None => None,
    }
}

/// The figure called `metric` or `subject.metric`: with one workload, or one service for a metric of services, its name may be
/// left out.
///
/// # Errors
/// With what is wrong and what is known.
pub(super) fn figure(
    named: Option<&str>,
    name: &str,
    workloads: &[Workload],
    services: &[Named<ServiceConfig>],
) -> Result<Figure, String> {
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
        (None, _) => format!(
            "there are several workloads: write \"workload.{name}\" (\"arm.workload.{name}\" in `[expect]`)"
        ),
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
    Ok(Figure { metric, subject })
}

/// The condition `text` on a figure.
pub(super) fn condition(figure: Figure, text: &str, written: String) -> Result<Condition, String> {
    let (comparison, bound) = parse_condition(text, figure.metric.name(), figure.metric.unit())?;
    Ok(Condition { figure, comparison, bound, text: written })
}

impl Scenario {
    /// The figure called `metric` or `workload.metric` (`service.metric` for a metric of services).
    ///
    /// # Errors
    /// With what is wrong and what is known.
    pub fn figure(&self, text: &str) -> Result<Figure, String> {
        let (named, name) = match text.trim().rsplit_once('.') {
            Some((named, name)) => (Some(named), name),
            None => (None, text.trim()),
        };
        figure(named, name, &self.workloads, &self.services)
    }

    /// A condition such as `success_rate >= 0.95` or `email.time_to_success_p99 <= 15m`.
    ///
    /// # Errors
    /// With what is wrong, what is known and how it is written.
    pub fn condition(&self, text: &str) -> Result<Condition, String> {
        let at = text.find(['<', '>', '=', '!', '\u{2265}', '\u{2264}']).ok_or_else(|| {
            format!("\"{text}\" is not a condition: write for example \"success_rate >= 0.95\"")
        })?;
        let (name, bound) = text.split_at(at);
        condition(self.figure(name)?, bound, text.trim().to_owned())
    }

    /// A figure in words, such as `email.success_rate`; the name of the only workload or service is left out.
    pub fn shown(&self, figure: Figure) -> String {
        let (several, name) = match figure.metric {
            Metric::Workload(_) => (self.workloads.len() > 1, &self.workloads[figure.subject].name),
            Metric::Service(_) => (self.services.len() > 1, &self.services[figure.subject].name),
        };
        if several { format!("{name}.{}", figure.metric.name()) } else { figure.metric.name().to_owned() }
    }
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
            ("success_rate", "1", "=> 0.9", "write >= instead of =>"),
            ("success_rate", "1", "=<0.9", "write <= instead of =<"),
            ("success_rate", "1", "\u{2265} 0.9", "write >= instead of \u{2265}"),
            ("success_rate", "1", "= 0.9", "write >= or <=, such as \">= 0.95\""),
            ("success_rate", "1", "== 0.9", "write >= or <="),
            ("requests", "1", "!= 5", "write >= or <="),
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
