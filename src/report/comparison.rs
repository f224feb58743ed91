//! `comparison.csv`, and its figures in sentences.

use super::csv::Rows;
use super::number::{machine_or_empty, short};
use super::wrap::below;
use crate::experiment::{Contrast, Results, Standing, compare, family};
use crate::metrics::Centre;
use crate::scenario::{Figure, Metric, Scenario};
use crate::statistics::Paired;

/// How long a line is at most.
const WIDTH: usize = 78;

/// `comparison.csv`: one row per arm other than the baseline, workload or service, and metric. Metrics of a service are over all
/// workloads that call it; their workload is empty.
pub fn comparison(scenario: &Scenario, results: &Results) -> Vec<u8> {
    let mut rows = Rows::new(&[
        "baseline",
        "arm",
        "workload",
        "service",
        "metric",
        "unit",
        "by",
        "difference",
        "ci95_low",
        "ci95_high",
        "ratio",
        "ratio_ci95_low",
        "ratio_ci95_high",
        "p_holm",
        "verdict",
        "replications",
    ]);
    for Contrast { arm, figure, paired, p, standing } in compare(scenario, results) {
        let (workload, service) = subject(scenario, figure);
        let by = match figure.metric.sense().centre {
            Centre::Mean => "mean",
            Centre::Median => "median",
        };
        let end = |of: fn(&Paired) -> Option<f64>| machine_or_empty(paired.as_ref().and_then(of));
        rows.push([
            scenario.arms[scenario.baseline].name.clone(),
            scenario.arms[arm].name.clone(),
            workload.to_owned(),
            service.to_owned(),
            figure.metric.name().to_owned(),
            figure.metric.unit().to_owned(),
            by.to_owned(),
            end(|paired| paired.difference),
            end(|paired| paired.interval.map(|interval| interval.0)),
            end(|paired| paired.interval.map(|interval| interval.1)),
            end(|paired| paired.ratio),
            end(|paired| paired.ratio_interval.map(|interval| interval.0)),
            end(|paired| paired.ratio_interval.map(|interval| interval.1)),
            machine_or_empty(p),
            standing.name().to_owned(),
            paired.map_or(0, |paired| paired.pairs).to_string(),
        ]);
    }
    rows.finish()
}

/// The names of the workload, which is empty for a metric of services, and of the service.
fn subject(scenario: &Scenario, figure: Figure) -> (&str, &str) {
    match figure.metric {
        Metric::Workload(_) => {
            let workload = &scenario.workloads[figure.subject];
            (&workload.name, &scenario.services[workload.service].name)
        }
        Metric::Service(_) => ("", &scenario.services[figure.subject].name),
    }
}

/// What is said of an arm: the metric, its name in a sentence, and the words for less and more of it.
const SAID: [(&str, &str, [&str; 2]); 4] = [
    ("success_rate", "success", ["lower", "higher"]),
    ("attempts_per_request", "attempts", ["fewer attempts", "more attempts"]),
    ("time_to_success_p99", "p99", ["shorter p99", "longer p99"]),
    ("offered_load_peak", "peak", ["lower peak", "higher peak"]),
];

/// What is said once where a sentence leaves out a metric that is compared by its median.
const TOO_FEW: &str = "p99 and peak are left out where too few replications observed them: they are \
                       compared by medians, of two arms from 6 on, of more from a few more on";

/// How each arm differs from the baseline, in a sentence per arm (and workload): the size of what is clearly different, with its
/// interval, and what is not. Empty with one arm.
pub fn standings(scenario: &Scenario, results: &Results) -> String {
    let arms: Vec<usize> = (0..scenario.arms.len()).filter(|&arm| arm != scenario.baseline).collect();
    if arms.is_empty() {
        return String::new();
    }
    let several = scenario.workloads.len() > 1;
    let mut untold = false;
    let baseline = &scenario.arms[scenario.baseline].name;
    let mut text = format!("\nagainst {baseline}, paired by replication (comparison.csv has all metrics):\n");
    for (index, workload) in scenario.workloads.iter().enumerate() {
        let families = SAID.map(|(name, ..)| {
            let metric = Metric::named(name).expect("it is measured");
            let subject = if matches!(metric, Metric::Workload(_)) { index } else { workload.service };
            family(results, scenario.baseline, &arms, Figure { metric, subject })
        });
        for (place, &arm) in arms.iter().enumerate() {
            let name = &scenario.arms[arm].name;
            let who = if several { format!("{} {name}: ", workload.name) } else { format!("{name}: ") };
            let contrasts: Vec<&Contrast> = families.iter().map(|family| &family[place]).collect();
            text += &below(&who, &sentence(&contrasts), WIDTH);
            untold |= contrasts.iter().any(|contrast| is_untold(contrast));
        }
    }
    if untold {
        text += &below("", TOO_FEW, WIDTH);
    }
    text
}

/// True if two medians could be compared but for the number of replications.
fn is_untold(contrast: &Contrast) -> bool {
    contrast.figure.metric.sense().centre == Centre::Median
        && contrast.standing == Standing::Untold
        && contrast.paired.is_some()
}

/// What is clearly different, then what is not.
fn sentence(contrasts: &[&Contrast]) -> String {
    let (mut clear, mut unclear) = (Vec::new(), Vec::new());
    for (contrast, (_, noun, words)) in contrasts.iter().zip(SAID) {
        match (&contrast.paired, contrast.standing) {
            (None, _) | (_, Standing::Untold) => {}
            (_, Standing::Unclear) => unclear.push(noun),
            (Some(paired), _) if contrast.figure.metric.name() == "success_rate" => {
                clear.push(points(paired, words));
            }
            (Some(paired), _) => clear.push(times(paired, words)),
        }
    }
    if let Some((last, others)) = unclear.split_last() {
        let others = others.join(", ");
        let list = if others.is_empty() { (*last).to_owned() } else { format!("{others} and {last}") };
        clear.push(format!("no clear difference in {list}"));
    }
    if clear.is_empty() { "too few replications to tell".to_owned() } else { clear.join("; ") }
}

/// `success 17.3 points higher (17.1 to 17.5)`.
fn points(paired: &Paired, words: [&str; 2]) -> String {
    let difference = paired.difference.unwrap_or(0.0);
    let word = words[usize::from(difference > 0.0)];
    if difference.abs() < 1e-4 {
        return format!("success less than 0.01 points {word}");
    }
    let size = short(difference.abs() * 100.0);
    let interval =
        paired.interval.map_or_else(String::new, |interval| ends(interval, |end| end.abs() * 100.0));
    format!("success {size} points {word}{interval}")
}

/// `2.4x (2.3 to 2.5) fewer attempts`; as a percentage where it is less than a tenth.
fn times(paired: &Paired, words: [&str; 2]) -> String {
    let ratio = paired.ratio.unwrap_or(f64::INFINITY);
    let more = paired.difference.map_or(ratio > 1.0, |difference| difference > 0.0);
    let word = words[usize::from(more)];
    // Where most replications are alike in both arms the median of their ratios tells nothing: then the difference is said.
    if ratio == 1.0 || (ratio > 1.0) != more {
        let interval = paired.interval.map_or_else(String::new, |interval| ends(interval, f64::abs));
        return format!("{}{interval} {word}", short(paired.difference.unwrap_or(0.0).abs()));
    }
    let factor = move |ratio: f64| if more { ratio } else { 1.0 / ratio };
    if factor(ratio).is_infinite() {
        return format!("endlessly {word}"); // against nothing no factor tells the size
    }
    let (size, unit, interval) = if factor(ratio) >= 1.1 {
        (short(factor(ratio)), "x", paired.ratio_interval.map(|interval| ends(interval, factor)))
    } else {
        let percent = move |ratio: f64| (ratio - 1.0).abs() * 100.0;
        (short(percent(ratio)), " %", paired.ratio_interval.map(|interval| ends(interval, percent)))
    };
    format!("{size}{unit}{} {word}", interval.unwrap_or_default())
}

/// ` (low to high)`, the smaller first.
fn ends(interval: (f64, f64), of: impl Fn(f64) -> f64) -> String {
    let (one, other) = (of(interval.0), of(interval.1));
    format!(" ({} to {})", short(one.min(other)), short(one.max(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paired(ratio: f64, interval: (f64, f64)) -> Paired {
        Paired {
            difference: Some(if ratio < 1.0 { -0.173 } else { 0.173 }),
            interval: Some((0.171, 0.1754)),
            ratio: Some(ratio),
            ratio_interval: Some(interval),
            p: Some(0.0),
            pairs: 30,
        }
    }

    #[test]
    fn a_difference_is_said_as_a_person_would() {
        let words = ["fewer attempts", "more attempts"];
        for (ratio, interval, said) in [
            (1.0 / 2.4, (1.0 / 2.5, 1.0 / 2.3), "2.40x (2.30 to 2.50) fewer attempts"),
            (2.4, (2.3, 2.5), "2.40x (2.30 to 2.50) more attempts"),
            (1.02, (1.01, 1.03), "2.00 % (1.00 to 3.00) more attempts"),
            (0.98, (0.97, 0.99), "2.00 % (1.00 to 3.00) fewer attempts"),
            (1.0, (1.0, 1.0), "0.17 (0.17 to 0.18) more attempts"),
            (f64::INFINITY, (2.0, f64::INFINITY), "endlessly more attempts"),
        ] {
            assert_eq!(times(&paired(ratio, interval), words), said);
        }
        assert_eq!(
            points(&paired(1.0, (1.0, 1.0)), ["lower", "higher"]),
            "success 17.3 points higher (17.1 to 17.5)"
        );
    }
}
