//! The best-practices table for the terminal, with what changed and why.

use comfy_table::{CellAlignment, Table, presets};

use super::brief::Brief;
use super::constraints::{open, outcome};
use super::csv::tuned;
use super::why::why;
use super::words::{self, rests_on, value, with_interval};
use crate::experiment::tune::{Confirmed, TunedWorkload, Tuning, estimate, is_optimistic};
use crate::metrics::Better;
use crate::report::number::count;
use crate::report::wrap::below;
use crate::scenario::{Scenario, Tune};

/// How long a line below the table is at most.
const WIDTH: usize = 78;

/// The mean of a metric that the confirmation saw, and in how many replications if not in all; "-" if it could not be observed.
pub(super) fn cell(found: &TunedWorkload, confirmed: &Confirmed, metric: &str) -> String {
    let column = found.column(metric);
    let seen = column.and_then(|column| Some((found.figures[column].metric, confirmed.estimate(column)?)));
    let all = confirmed.rows.len();
    seen.map_or_else(
        || "-".into(),
        |(metric, estimate)| value(metric, estimate.mean) + &rests_on(estimate.observations, all),
    )
}

/// The peak against the limit; where there is none, attempts per second.
pub(super) fn peak(found: &TunedWorkload, confirmed: &Confirmed) -> String {
    cell(found, confirmed, words::peak(found))
}

/// The table of a tuning, and below it what changed for each workload, and why.
pub fn tuned_table(scenario: &Scenario, tuning: &Tuning) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["operation", "retries", "delay", "jitter", "breaker", "success", "p99", "peak"]);
    for (name, _, found) in tuned(scenario, tuning) {
        let Brief { retries, delay, jitter, breaker, .. } =
            Brief::of(&found.candidates[found.chosen].policy.config);
        let confirmed = found.confirmed(found.chosen);
        let cell = |metric| cell(found, confirmed, metric);
        let figures = [cell("success_rate"), cell("time_to_success_p99"), peak(found, confirmed)];
        table.add_row([name.to_owned(), retries, delay, jitter, breaker].into_iter().chain(figures));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if [1, 5, 6, 7].contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let mut text = lines.join("\n") + "\n";
    for (name, tune, found) in tuned(scenario, tuning) {
        text += &format!("\n{name}\n");
        text += &changes(scenario, tune, found);
        text += &below("  why: ", &why(scenario, tune, found), WIDTH);
        text += &verdict(scenario, tune, found);
    }
    text
}

/// Before -> after of what was asked for, with what was too hopeful.
fn changes(scenario: &Scenario, tune: &Tune, found: &TunedWorkload) -> String {
    let (start, chosen) = (found.confirmed(0), found.confirmed(found.chosen));
    let line = |column: usize| {
        let figure = found.figures[column];
        let shown = |confirmed: &Confirmed| {
            with_interval(figure.metric, confirmed.estimate(column), confirmed.rows.len())
        };
        let searched = estimate(&found.searched[found.chosen], column);
        let hopeful = is_optimistic(searched, chosen.estimate(column), found.better(column, tune));
        let hopeful = match searched {
            Some(searched) if hopeful => {
                format!("; the search was too hopeful: {}", value(figure.metric, searched.mean))
            }
            _ => String::new(),
        };
        let compared = compared(found, tune, column);
        let change = format!("{} -> {}{compared}{hopeful}", shown(start), shown(chosen));
        below(&format!("  {}: ", words::label(scenario, figure, tune.workload)), &change, WIDTH)
    };
    (0..found.asked(tune)).map(line).collect()
}

/// Whether the tuned policy is better in a figure, by the paired difference over the replications in which both showed it; nothing
/// if there was none.
fn compared(found: &TunedWorkload, tune: &Tune, column: usize) -> String {
    let (start, chosen) = (found.confirmed(0), found.confirmed(found.chosen));
    let Some(paired) = chosen.less(start, column, found.figures[column]) else { return String::new() };
    let clear = paired.difference.filter(|_| paired.p.is_some_and(|p| p <= 0.05));
    let verdict = match (clear, found.better(column, tune)) {
        (None, _) => ", no clear difference",
        (Some(difference), Better::More) if difference > 0.0 => ", better",
        (Some(difference), Better::Less) if difference < 0.0 => ", better",
        (Some(_), Better::Neither) => ", different",
        (Some(_), _) => ", worse",
    };
    verdict.to_owned() + &rests_on(paired.pairs, chosen.rows.len())
}

/// What became of the constraints, and what the search had made of them if that was something else.
fn verdict(scenario: &Scenario, tune: &Tune, found: &TunedWorkload) -> String {
    let (outcome, open) = (outcome(found), open(tune, found));
    let name = &scenario.workloads[tune.workload].name;
    let search = match (found.met.by_mean(), outcome) {
        (_, "met") => String::new(),
        (false, _) => {
            format!("; no candidate meets the constraints of {name}, and this one violates them least")
        }
        (true, "not met") => "; the search saw it met".to_owned(),
        (true, _) => String::new(),
    };
    let said = match outcome {
        "met" if tune.constraints.is_empty() => String::new(),
        "met" => "constraints: met".to_owned(),
        other => format!("constraints: {}", other.to_uppercase()),
    };
    let parts: Vec<String> = [said, open + &search].into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { String::new() } else { below("  ", &parts.join("; "), WIDTH) }
}

/// What the columns are, and what the figures rest on.
pub fn tuned_legend(scenario: &Scenario, tuning: &Tuning) -> String {
    let tried: usize = tuning.workloads.iter().map(|found| found.candidates.len() - 1).sum();
    let run: usize = tuning.workloads.iter().flat_map(|found| &found.searched).map(Vec::len).sum();
    let held_out: Vec<usize> =
        tuning.workloads.iter().map(|found| found.confirmed(found.chosen).rows.len()).collect();
    let fewest = held_out.iter().min().copied().unwrap_or(0);
    let said = format!(
        "{} policies tried in {} replications, seed {}; all figures are of {} or more other replications each, seed {}, with 95 % \
         intervals, or of as many of them as is said (in 6 of 20), where the others did not observe it. success: of requests; p99: time to success of what succeeded; peak: attempts in the busiest {}, against what \
         the limit lets through then (x), or per second where there is no limit; each workload is tuned in turn, the others as \
         in the first arm",
        count(tried as f64),
        count(run as f64),
        scenario.seed,
        fewest,
        tuning.held_out_seed,
        scenario.window
    );
    below("", &said, WIDTH)
}
