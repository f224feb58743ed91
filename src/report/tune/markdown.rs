//! `best-practices.md`: the table of best practices as a document that can be read by itself.

use super::brief::Brief;
use super::constraints::{open, outcome};
use super::csv::tuned;
use super::table::{cell, peak};
use super::why::why;
use super::words::{self, share_with_interval, with_interval};
use crate::experiment::tune::{TunedWorkload, Tuning};
use crate::scenario::{Scenario, Tune};

/// The document: what was asked for, the table with one row per operation, what its columns and marks mean, and what its figures
/// rest on.
pub fn best_practices_markdown(scenario: &Scenario, tuning: &Tuning) -> String {
    format!(
        "# {}\n\nBest practices, found by `retrysim tune` with seed {}. What was asked for:\n\n{}\n{}\n{}\n\
         What the figures rest on, with 95 % intervals:\n\n{}",
        scenario.title,
        scenario.seed,
        wishes(scenario, tuning),
        table(scenario, tuning),
        legend(scenario, tuning),
        intervals(scenario, tuning)
    )
}

/// One line per workload: its objectives and constraints as the file says them, and what became of the latter.
fn wishes(scenario: &Scenario, tuning: &Tuning) -> String {
    let quoted = |texts: &mut dyn Iterator<Item = &String>, between: &str| -> String {
        texts.map(|text| format!("`{text}`")).collect::<Vec<_>>().join(between)
    };
    let line = |(name, tune, found): (&str, &Tune, &TunedWorkload)| {
        let objectives = quoted(&mut tune.objectives.iter().map(|objective| &objective.text), ", then ");
        let constraints = match &tune.constraints[..] {
            [] => "no constraints".to_owned(),
            some => {
                format!("under {} ({})", quoted(&mut some.iter().map(|one| &one.text), ", "), outcome(found))
            }
        };
        format!("- {name}: {objectives}; {constraints}\n")
    };
    tuned(scenario, tuning).map(line).collect()
}

/// One row per operation; what is not met or undecided of its constraints stands first in its last cell.
fn table(scenario: &Scenario, tuning: &Tuning) -> String {
    let mut text = String::from(
        "| operation | retries | delay | jitter | breaker | success | time to success p99 | peak/limit | why |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, tune, found) in tuned(scenario, tuning) {
        let Brief { retries, delay, jitter, breaker, .. } =
            Brief::of(&found.candidates[found.chosen].policy.config);
        let confirmed = found.confirmed(found.chosen);
        let open = open(tune, found);
        let mark = if open.is_empty() { open } else { format!("**{open}**; ") };
        text += &format!(
            "| {name} | {retries} | {delay} | {jitter} | {breaker} | {} | {} | {} | {mark}{} |\n",
            cell(found, confirmed, "success_rate"),
            cell(found, confirmed, "time_to_success_p99"),
            peak(found, confirmed),
            why(scenario, tune, found)
        );
    }
    text
}

/// What columns and marks mean; what bold means only where something is.
fn legend(scenario: &Scenario, tuning: &Tuning) -> String {
    let mut lines = vec![
        format!(
            "All figures are means of a confirmation with seed {}: replications that the search has not seen. Each operation is \
             tuned in turn, the others as in the first arm.",
            tuning.held_out_seed
        ),
        "success: of requests; 100 % means that none of the requests counted below failed, and has no interval. Time to success: of what \
         succeeded."
            .to_owned(),
        format!(
            "peak/limit: attempts in the busiest {window} against what the limit lets through in {window} (x); where the \
             service has no limit, the attempts per second then (/s).",
            window = scenario.window
        ),
        "why: what the parts that matter most change of what was asked for; every change of an objective is clear at the 5 % level \
         after all comparisons of the operation, of constraints it is said what the confirmation shows."
            .to_owned(),
        "\"in 6 of 20\": observed in 6 of 20 replications only; \"-\": there is none.".to_owned(),
    ];
    if tuned(scenario, tuning).any(|(_, tune, found)| !open(tune, found).is_empty()) {
        lines.push(
            "**Bold**: a constraint is not met (the 95 % interval lies beyond its bound), or undecided (the interval has the \
             bound inside, too little was seen, or nothing)."
                .to_owned(),
        );
    }
    format!("- {}\n", lines.join("\n- "))
}

/// One row per operation: how much was seen of it, and its figures with their intervals.
fn intervals(scenario: &Scenario, tuning: &Tuning) -> String {
    let mut text = String::from(
        "| operation | replications | requests | success | time to success p99 | peak/limit |\n|---|---|---|---|---|---|\n",
    );
    for (name, _, found) in tuned(scenario, tuning) {
        let confirmed = found.confirmed(found.chosen);
        let replications = confirmed.rows.len();
        let column = |metric| found.column(metric);
        let shown = |column: Option<usize>| match column {
            Some(column) => {
                with_interval(found.figures[column].metric, confirmed.estimate(column), replications)
            }
            None => "-".into(),
        };
        let success = column("success_rate").and_then(|column| confirmed.estimate(column));
        text += &format!(
            "| {name} | {replications} | {} | {} | {} | {} |\n",
            found.requests,
            success.map_or_else(|| "-".into(), share_with_interval),
            shown(column("time_to_success_p99")),
            shown(column(words::peak(found)))
        );
    }
    text
}
