//! Figures as a page says them: with their units, in the words of the terminal.

use crate::metrics::{Better, SERVICE_MEASURES, WORKLOAD_MEASURES};
use crate::report::number::{duration, percent, short};
use crate::report::tables::{SummaryRow, Tables};
use crate::scenario::{Metric, Scenario};

/// A figure that a page shows: the metric, and what it is called.
pub(super) struct Shown {
    pub(super) metric: &'static str,
    pub(super) name: &'static str,
}

/// What the table shows, as far as it was observed.
pub(super) const COLUMNS: [Shown; 8] = [
    Shown { metric: "success_rate", name: "success" },
    Shown { metric: "attempts_per_request", name: "attempts per request" },
    Shown { metric: "time_to_success_p99", name: "p99 of successes" },
    Shown { metric: "honest_p99", name: "p99 of all requests" },
    Shown { metric: "offered_load_peak", name: "peak load" },
    Shown { metric: "peak_to_limit", name: "peak / limit" },
    Shown { metric: "herd_dispersion", name: "herd" },
    Shown { metric: "recovery_time", name: "recovery" },
];

/// Whether a metric is a share, which is said in percent.
fn is_share(metric: &str) -> bool {
    metric.ends_with("_rate")
        || metric.ends_with("_share")
        || metric == "overshoot"
        || metric == "utilisation"
}

/// A value of a metric, with its unit.
pub(super) fn value(metric: &str, unit: &str, value: f64) -> String {
    match unit {
        "s" => duration(value),
        "1/s" => format!("{}/s", short(value)),
        _ if is_share(metric) => percent(value),
        _ => short(value),
    }
}

/// The mean of a row, if it was observed.
pub(super) fn mean(row: &SummaryRow) -> Option<String> {
    row.mean.map(|mean| value(&row.metric, &row.unit, mean))
}

/// The interval of a row, if it has one that is more than a point; a unit that both ends have is said once.
pub(super) fn interval(row: &SummaryRow) -> Option<String> {
    let [low, high] = [row.ci95_low?, row.ci95_high?].map(|end| value(&row.metric, &row.unit, end));
    if low == high {
        return None;
    }
    let unit = high.find(' ').map_or("", |at| &high[at..]);
    let low = low.strip_suffix(unit).unwrap_or(&low);
    Some(format!("{low} to {high}"))
}

/// What is better of a metric.
pub(super) fn better(metric: &str) -> Better {
    Metric::named(metric).map_or(Better::Neither, |metric| metric.sense().better)
}

/// What a metric is, in a sentence.
pub(super) fn about(metric: &str) -> &'static str {
    let workloads = WORKLOAD_MEASURES.iter().map(|measure| (measure.name, measure.about));
    let services = SERVICE_MEASURES.iter().map(|measure| (measure.name, measure.about));
    workloads.chain(services).find(|(name, _)| *name == metric).map_or("", |(_, about)| about)
}

/// The rows of a metric for a workload, or for its service if it is one of services, by arm.
pub(super) fn rows<'a>(
    scenario: &Scenario,
    tables: &'a Tables,
    workload: usize,
    metric: &str,
) -> Vec<Option<&'a SummaryRow>> {
    let workload = &scenario.workloads[workload];
    let service = &scenario.services[workload.service].name;
    let name = if WORKLOAD_MEASURES.iter().any(|measure| measure.name == metric) {
        workload.name.as_str()
    } else {
        ""
    };
    scenario.arms.iter().map(|arm| tables.summed_up(&arm.name, name, service, metric)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_said_with_their_units() {
        let row = |metric: &str, unit: &str, low: f64, high: f64| SummaryRow {
            arm: String::new(),
            workload: String::new(),
            service: String::new(),
            metric: metric.to_owned(),
            unit: unit.to_owned(),
            mean: Some(f64::midpoint(low, high)),
            ci95_low: Some(low),
            ci95_high: Some(high),
        };
        for (row, said, between) in [
            (row("success_rate", "1", 0.172, 0.174), "17.3 %", Some("17.2 to 17.4 %")),
            (row("success_rate", "1", 0.5, 0.5), "50.0 %", None),
            (row("time_to_success_p99", "s", 0.5, 1.5), "1.00 s", Some("500 ms to 1.50 s")),
            (row("offered_load_peak", "1/s", 10.0, 12.0), "11.0/s", Some("10.0/s to 12.0/s")),
            (row("recovery_time", "s", f64::INFINITY, f64::INFINITY), "never", None),
        ] {
            assert_eq!((mean(&row).as_deref(), interval(&row).as_deref()), (Some(said), between));
        }
    }

    #[test]
    fn every_column_is_a_metric_that_is_explained() {
        assert!(COLUMNS.iter().all(|shown| !about(shown.metric).is_empty()));
    }
}
