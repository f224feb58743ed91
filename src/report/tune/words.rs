//! Figures in words: a name that can stand in a sentence, and values in the unit that a person would use.

use crate::experiment::tune::TunedWorkload;
use crate::metrics::Better;
use crate::report::number::{count, duration, percent, short};
use crate::scenario::{Figure, Metric, Scenario};
use crate::statistics::Estimate;

/// A figure in a sentence.
pub(super) fn name(scenario: &Scenario, figure: Figure, workload: usize) -> String {
    let own = match figure.metric {
        Metric::Workload(_) => figure.subject == workload,
        Metric::Service(_) => figure.subject == scenario.workloads[workload].service,
    };
    let words = match figure.metric.name() {
        "success_rate" => "success".to_owned(),
        "peak_to_limit" | "offered_load_peak" => "the peak".to_owned(),
        "time_to_success_p99" => "the time to success (p99)".to_owned(),
        "time_to_success_max" => "the longest time to success".to_owned(),
        "time_to_give_up_max" => "the longest time until giving up".to_owned(),
        "retry_load_peak" => "the peak of retries".to_owned(),
        other => other.replace('_', " "),
    };
    if own { words } else { format!("{words} of {}", subject(scenario, figure)) }
}

fn subject(scenario: &Scenario, figure: Figure) -> &str {
    match figure.metric {
        Metric::Workload(_) => &scenario.workloads[figure.subject].name,
        Metric::Service(_) => &scenario.services[figure.subject].name,
    }
}

/// A figure as CSV files name it: by its metric, and whose it is unless it is the workload's own or its service's.
pub(super) fn label(scenario: &Scenario, figure: Figure, workload: usize) -> String {
    let own = match figure.metric {
        Metric::Workload(_) => figure.subject == workload,
        Metric::Service(_) => figure.subject == scenario.workloads[workload].service,
    };
    let name = figure.metric.name();
    if own { name.to_owned() } else { format!("{}.{name}", subject(scenario, figure)) }
}

/// True if the values of a metric are shares of a whole.
pub(super) fn is_share(metric: Metric) -> bool {
    ["success_rate", "herd_share", "overshoot"].contains(&metric.name())
}

/// A value of a figure.
pub(super) fn value(metric: Metric, value: f64) -> String {
    match (metric.name(), metric.unit()) {
        (_, "s") => duration(value),
        ("peak_to_limit", _) => format!("{}x", short(value)),
        (_, "1/s") => format!("{}/s", short(value)),
        _ if is_share(metric) => percent(value.clamp(0.0, 1.0)),
        _ if metric.is_count() => count(value),
        _ => short(value),
    }
}

/// What comes after the last value in a sentence.
pub(super) fn unit(metric: Metric) -> &'static str {
    if metric.name() == "peak_to_limit" { " the limit" } else { "" }
}

/// A mean with its interval, such as "88.0 % (87.1 % to 88.9 %)", and what it rests on if that is less than `replications`.
pub(super) fn with_interval(metric: Metric, estimate: Option<Estimate>, replications: usize) -> String {
    let Some(estimate) = estimate else { return "not observed".into() };
    let mean = value(metric, estimate.mean);
    let rests_on = rests_on(estimate.observations, replications);
    match (estimate.low(), estimate.high()) {
        (Some(low), Some(high)) => {
            format!("{mean} ({} to {}){rests_on}", value(metric, low.max(0.0)), value(metric, high))
        }
        _ => mean + &rests_on,
    }
}

/// The same of a share near one of its ends: in as many digits as its interval is exact to. Without spread there is no interval.
pub(super) fn share_with_interval(estimate: Estimate) -> String {
    let (Some(low), Some(high)) = (estimate.low(), estimate.high()) else { return percent(estimate.mean) };
    let half = 100.0 * (high - low) / 2.0;
    if half <= 0.0 {
        return percent(estimate.mean);
    }
    let digits = (1.0 - libm::floor(libm::log10(half))).clamp(1.0, 6.0) as usize;
    let text = |share: f64| match share {
        share if share <= 0.0 || share >= 1.0 => percent(share.clamp(0.0, 1.0)),
        _ => format!("{:.digits$} %", 100.0 * share),
    };
    format!("{} ({} to {})", text(estimate.mean), text(low), text(high))
}

/// The metric that tells the peak of a service: against its limit, or per second if it has none.
pub(super) fn peak(found: &TunedWorkload) -> &'static str {
    if found.column("peak_to_limit").is_some() { "peak_to_limit" } else { "offered_load_peak" }
}

/// " in 6 of 20": in how many replications something was observed, unless it was in all of them.
pub(super) fn rests_on(observations: usize, replications: usize) -> String {
    if observations < replications { format!(" in {observations} of {replications}") } else { String::new() }
}

/// "4th", "1st": a number in order.
pub(super) fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The same with its article: "a 4th", "an 8th".
pub(super) fn another(number: u64) -> String {
    let ordinal = ordinal(number);
    let vowel = ordinal.starts_with('8') || ["11th", "18th"].contains(&ordinal.as_str());
    format!("{} {ordinal}", if vowel { "an" } else { "a" })
}

/// The word for what is better.
pub(super) const fn better(better: Better) -> &'static str {
    match better {
        Better::More => "more",
        Better::Less => "less",
        Better::Neither => "neither",
    }
}
