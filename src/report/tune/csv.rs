//! The CSV files of a tuning. Their columns are part of the public contract.

use super::brief::Brief;
use super::constraints::{open, outcome};
use super::why::why;
use super::words::{better, label};
use crate::experiment::tune::{Confirmed, Found, Stage, TunedWorkload, Tuning, estimate, is_optimistic};
use crate::report::csv::Rows;
use crate::report::number::{machine, machine_or_empty};
use crate::scenario::{Knob, Scenario, Tune};
use crate::statistics::Estimate;

/// Each tuned workload: its name, what was asked and what was found.
pub(super) fn tuned<'a>(
    scenario: &'a Scenario,
    tuning: &'a Tuning,
) -> impl Iterator<Item = (&'a str, &'a Tune, &'a TunedWorkload)> {
    let pairs = scenario.tunings.iter().zip(&tuning.workloads);
    pairs.map(|(tune, found)| (scenario.workloads[tune.workload].name.as_str(), tune, found))
}

/// The values of all knobs of a candidate; empty where it has none of its own.
fn knobs(tune: &Tune, found: &TunedWorkload, candidate: usize) -> Vec<String> {
    let values = &found.candidates[candidate].values;
    Knob::ALL.iter().map(|knob| tune.get(values, *knob).unwrap_or_default().to_owned()).collect()
}

fn stage(stage: Stage) -> String {
    match stage {
        Stage::Started => "start".into(),
        Stage::Finished => "finished".into(),
        Stage::Dropped(round) => format!("dropped in round {round}"),
        Stage::SetAside(round) => format!("set aside in round {round}"),
    }
}

const fn origin(found: Found) -> &'static str {
    match found {
        Found::Start => "start",
        Found::NearStart => "near start",
        Found::Everything => "all combinations",
        Found::Hypercube => "hypercube",
        Found::Neighbour => "neighbour",
    }
}

/// `candidates.csv`: one row per policy that was tried, with what the search saw of it.
pub(super) fn candidates(scenario: &Scenario, tuning: &Tuning) -> Vec<u8> {
    let mut columns: Vec<String> = Vec::new();
    for (_, tune, found) in tuned(scenario, tuning) {
        for figure in &found.figures {
            let label = label(scenario, *figure, tune.workload);
            if !columns.contains(&label) {
                columns.push(label);
            }
        }
    }
    let mut header = vec!["workload", "candidate", "found", "stage"];
    header.extend(Knob::ALL.iter().map(|knob| knob.name()));
    header.extend(["replications", "constraints_met", "chosen"]);
    header.extend(columns.iter().map(String::as_str));
    let mut rows = Rows::new(&header);
    for (name, tune, found) in tuned(scenario, tuning) {
        let labels: Vec<String> =
            found.figures.iter().map(|figure| label(scenario, *figure, tune.workload)).collect();
        for (candidate, seen) in found.searched.iter().enumerate().filter(|(_, seen)| !seen.is_empty()) {
            let mut row = vec![
                name.to_owned(),
                candidate.to_string(),
                origin(found.candidates[candidate].found).to_owned(),
                stage(found.stages[candidate]),
            ];
            row.extend(knobs(tune, found, candidate));
            let chosen = if candidate == found.chosen { "yes" } else { "" };
            row.extend([
                seen.len().to_string(),
                found.candidates_met[candidate].name().to_owned(),
                chosen.to_owned(),
            ]);
            row.extend(columns.iter().map(|column| {
                let place = labels.iter().position(|label| label == column);
                machine_or_empty(place.and_then(|place| estimate(seen, place)).map(|estimate| estimate.mean))
            }));
            rows.push(row);
        }
    }
    rows.finish()
}

/// A mean and its interval.
fn interval(estimate: Option<Estimate>) -> [String; 3] {
    let number = |of: fn(&Estimate) -> Option<f64>| machine_or_empty(estimate.as_ref().and_then(of));
    [number(|estimate| Some(estimate.mean)), number(Estimate::low), number(Estimate::high)]
}

/// `front.csv`: one row per policy on the Pareto front and metric, with what the search and the confirmation saw.
pub(super) fn front(scenario: &Scenario, tuning: &Tuning) -> Vec<u8> {
    let mut header = vec!["workload", "candidate", "policy"];
    header.extend(Knob::ALL.iter().map(|knob| knob.name()));
    header.extend([
        "metric",
        "unit",
        "search_mean",
        "mean",
        "ci95_low",
        "ci95_high",
        "replications",
        "optimistic",
    ]);
    let mut rows = Rows::new(&header);
    for (name, tune, found) in tuned(scenario, tuning) {
        let mut shown = vec![0, found.chosen];
        shown.extend(found.front.iter().copied().filter(|&candidate| candidate != found.chosen));
        for candidate in shown {
            let confirmed = found.confirmed(candidate);
            for (column, figure) in found.figures.iter().enumerate() {
                let mut row = vec![name.to_owned(), candidate.to_string(), roles(found, candidate)];
                row.extend(knobs(tune, found, candidate));
                row.push(label(scenario, *figure, tune.workload));
                row.push(figure.metric.unit().to_owned());
                row.extend(seen(found, tune, candidate, column, confirmed));
                rows.push(row);
            }
        }
    }
    rows.finish()
}

/// What a policy is: on the front, at its knee, chosen, the start.
fn roles(found: &TunedWorkload, candidate: usize) -> String {
    let roles = [
        (candidate == 0, "start"),
        (candidate == found.chosen, "chosen"),
        (found.front.contains(&candidate), "front"),
        (found.knee == Some(candidate), "knee"),
    ];
    let roles: Vec<&str> = roles.into_iter().filter_map(|(is, role)| is.then_some(role)).collect();
    roles.join(" ")
}

/// The mean of the search, that of the confirmation with its interval, and whether the search was too hopeful.
fn seen(
    found: &TunedWorkload,
    tune: &Tune,
    candidate: usize,
    column: usize,
    confirmed: &Confirmed,
) -> Vec<String> {
    let searched = estimate(&found.searched[candidate], column);
    let held_out = confirmed.estimate(column);
    let hopeful = is_optimistic(searched, held_out, found.better(column, tune));
    let mut cells = vec![machine_or_empty(searched.map(|estimate| estimate.mean))];
    cells.extend(interval(held_out));
    cells.push(held_out.map_or(0, |estimate| estimate.observations).to_string());
    cells.push(if hopeful { "yes" } else { "no" }.to_owned());
    cells
}

/// `chosen.csv`: one row per tuned workload and metric: the policy that tuning started from and the tuned one, both as the
/// confirmation saw them, and their paired difference.
pub(super) fn chosen(scenario: &Scenario, tuning: &Tuning) -> Vec<u8> {
    let mut rows = Rows::new(&[
        "workload",
        "metric",
        "unit",
        "better",
        "start_mean",
        "start_ci95_low",
        "start_ci95_high",
        "search_mean",
        "mean",
        "ci95_low",
        "ci95_high",
        "replications",
        "optimistic",
        "difference",
        "difference_ci95_low",
        "difference_ci95_high",
        "difference_replications",
    ]);
    for (name, tune, found) in tuned(scenario, tuning) {
        let (start, chosen) = (found.confirmed(0), found.confirmed(found.chosen));
        for (column, figure) in found.figures.iter().enumerate() {
            let mut row = vec![
                name.to_owned(),
                label(scenario, *figure, tune.workload),
                figure.metric.unit().to_owned(),
                better(found.better(column, tune)).to_owned(),
            ];
            row.extend(interval(start.estimate(column)));
            row.extend(seen(found, tune, found.chosen, column, chosen));
            let paired = chosen.less(start, column, *figure);
            let ends = paired.and_then(|paired| paired.interval);
            row.push(machine_or_empty(paired.and_then(|paired| paired.difference)));
            row.extend([
                machine_or_empty(ends.map(|(low, _)| low)),
                machine_or_empty(ends.map(|(_, high)| high)),
                paired.map_or(0, |paired| paired.pairs).to_string(),
            ]);
            rows.push(row);
        }
    }
    rows.finish()
}

/// `effects.csv`: one row per part of a chosen policy that was replaced and metric: what *why* rests on.
pub(super) fn effects(scenario: &Scenario, tuning: &Tuning) -> Vec<u8> {
    let mut rows = Rows::new(&[
        "workload",
        "part",
        "chosen",
        "instead",
        "metric",
        "unit",
        "chosen_mean",
        "instead_mean",
        "p_adjusted",
        "replications",
    ]);
    for (name, tune, found) in tuned(scenario, tuning) {
        for effect in &found.effects {
            let (variant, figure) = (&found.variants[effect.variant], found.figures[effect.column]);
            rows.push([
                name.to_owned(),
                variant.knob.name().to_owned(),
                variant.own.clone(),
                variant.other.clone(),
                label(scenario, figure, tune.workload),
                figure.metric.unit().to_owned(),
                machine(effect.own.mean),
                machine(effect.other.mean),
                machine(effect.p),
                effect.pairs.to_string(),
            ]);
        }
    }
    rows.finish()
}

/// `best-practices.csv`: one row per tuned workload: the policy, its figures, and why.
pub fn best_practices_csv(scenario: &Scenario, tuning: &Tuning) -> Vec<u8> {
    let mut header = vec!["operation", "retries", "delay", "jitter", "breaker", "besides"];
    header.extend(["success_rate", "success_rate_ci95_low", "success_rate_ci95_high"]);
    header.extend([
        "time_to_success_p99_s",
        "time_to_success_p99_s_ci95_low",
        "time_to_success_p99_s_ci95_high",
    ]);
    header.extend(["peak_to_limit", "peak_to_limit_ci95_low", "peak_to_limit_ci95_high"]);
    header.extend(["constraints_met", "not_met_or_undecided", "why"]);
    let mut rows = Rows::new(&header);
    for (name, tune, found) in tuned(scenario, tuning) {
        let Brief { retries, delay, jitter, breaker, besides } =
            Brief::of(&found.candidates[found.chosen].policy.config);
        let confirmed = found.confirmed(found.chosen);
        let mut row = vec![name.to_owned(), retries, delay, jitter, breaker, besides];
        for metric in ["success_rate", "time_to_success_p99", "peak_to_limit"] {
            row.extend(interval(found.column(metric).and_then(|column| confirmed.estimate(column))));
        }
        row.extend([outcome(found).to_owned(), open(tune, found), why(scenario, tune, found)]);
        rows.push(row);
    }
    rows.finish()
}
