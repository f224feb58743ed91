//! The terminal: one line per arm, in the units a person would use.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};

use super::number::{count, duration, machine, percent, short};
use super::wrap::below;
use crate::experiment::{ALIKE, Held, Results, ServiceResult, Verdict, WorkloadResult};
use crate::scenario::Scenario;
use crate::statistics::{Estimate, ONE_SIDED, none_in};

/// How long a line below the table is at most.
pub(super) const WIDTH: usize = 78;

/// The table of a run: a line per arm, or per workload and arm where there are several workloads.
pub fn table(scenario: &Scenario, results: &Results) -> String {
    rows(scenario, results, &|_, _| false, |_, _| None).join("\n") + "\n"
}

/// The lines of the table, its header first. Of a workload and an arm, `marked` says whether they have a `*`, and `load` what stands
/// in the last column, which is there if it says anything.
pub(super) fn rows(
    scenario: &Scenario,
    results: &Results,
    marked: &dyn Fn(usize, usize) -> bool,
    load: impl Fn(usize, usize) -> Option<String>,
) -> Vec<String> {
    let several = scenario.workloads.len() > 1;
    let columns = columns(scenario);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = if several { vec!["workload", "arm"] } else { vec!["arm"] };
    let names = header.len();
    header.extend(columns.iter().map(|column| column.name));
    header.extend(load(0, 0).map(|_| "load"));
    table.set_header(header);
    for (index, workload) in scenario.workloads.iter().enumerate() {
        for (place, (arm, result)) in scenario.arms.iter().zip(&results.arms).enumerate() {
            let name = if marked(index, place) { format!("{} *", arm.name) } else { arm.name.clone() };
            let mut row = if several { vec![workload.name.clone(), name] } else { vec![name] };
            let subject = (&result.workloads[index], &result.services[workload.service]);
            row.extend(columns.iter().map(|column| (column.cell)(subject.0, subject.1)));
            row.extend(load(index, place));
            table.add_row(row);
        }
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if (names..names + columns.len()).contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

type Cell = fn(&WorkloadResult, &ServiceResult) -> String;

struct Column {
    name: &'static str,
    cell: Cell,
}

/// The columns that have something to say about this scenario.
fn columns(scenario: &Scenario) -> Vec<Column> {
    let breaks = scenario.policies.iter().any(|policy| policy.config.breaker.is_some());
    let limited = scenario.services.iter().any(|service| !service.config.rate_limit.is_empty());
    let recovers = scenario.has_incidents();
    let column = |name, cell: Cell| Column { name, cell };
    let all = [
        (true, column("success", |w, _| show(w.named("success_rate"), percent))),
        (true, column("att/req", |w, _| show(w.named("attempts_per_request"), short))),
        (breaks, column("sent/req", |w, _| show(w.named("amplification"), short))),
        (true, column("p50", |w, _| show(w.named("time_to_success_p50"), duration))),
        (true, column("p99", |w, _| show(w.named("time_to_success_p99"), duration))),
        (true, column("peak/s", |_, s| show(s.named("offered_load_peak"), short))),
        (limited, column("x limit", |_, s| show(s.named("peak_to_limit"), short))),
        (true, column("herd", |_, s| show(s.named("herd_dispersion"), short))),
        (recovers, column("recovery", |w, _| recovery(w))),
    ];
    all.into_iter().filter_map(|(shown, column)| shown.then_some(column)).collect()
}

fn show(estimate: Option<Estimate>, format: fn(f64) -> String) -> String {
    estimate.map_or_else(|| "-".into(), |estimate| format(estimate.mean))
}

/// The mean recovery time; where it never came in some replications, in how many.
fn recovery(workload: &WorkloadResult) -> String {
    let Some(estimate) = workload.named("recovery_time") else { return "-".into() };
    if estimate.mean.is_finite() {
        return duration(estimate.mean);
    }
    if estimate.min.is_infinite() {
        return "never".into();
    }
    let measure = crate::metrics::WORKLOAD_MEASURES.iter().position(|m| m.name == "recovery_time");
    let observed = workload.replications.iter().filter_map(|values| values[measure?]);
    let never = observed.filter(|seconds| seconds.is_infinite()).count();
    format!("never {never}/{}", estimate.observations)
}

/// What became of requests that the columns do not show, a line per arm (and workload) where there were any: those that
/// were alive at the horizon, and those that were turned away by their own side.
pub fn unserved(scenario: &Scenario, results: &Results) -> String {
    let several = scenario.workloads.len() > 1;
    let mut text = String::new();
    for (index, workload) in scenario.workloads.iter().enumerate() {
        for (arm, result) in scenario.arms.iter().zip(&results.arms) {
            let result = &result.workloads[index];
            let mean = |name| result.named(name).map_or(0.0, |estimate| estimate.mean);
            let parts: Vec<String> = [
                ("ended_unfinished", "still unfinished at the horizon"),
                ("ended_budget_denied", "denied a retry by a budget"),
                ("ended_breaker_rejected", "rejected by a breaker"),
                ("ended_shed_by_client", "shed by the client's limiter"),
            ]
            .into_iter()
            .filter(|(name, _)| mean(name) > 0.0)
            .enumerate()
            .map(|(place, (name, words))| {
                let shown = count(mean(name));
                let all = || format!("{shown} of {} requests were {words}", count(mean("requests")));
                if place == 0 { all() } else { format!("{shown} {words}") }
            })
            .collect();
            let who =
                if several { format!("{} {}: ", workload.name, arm.name) } else { format!("{}: ", arm.name) };
            if !parts.is_empty() {
                text += &below(&who, &parts.join(", "), WIDTH);
            }
        }
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// What the columns of the table are.
pub fn legend(scenario: &Scenario) -> String {
    let window = scenario.window;
    let columns = columns(scenario);
    let shown = |name: &str| columns.iter().any(|column| column.name == name);
    let mut said = vec!["att/req: attempts per request".to_owned()];
    if shown("sent/req") {
        said.push("sent/req: those that were sent".into());
    }
    said.push("p50, p99: time to success of what succeeded".into());
    said.push(format!("peak: in the busiest {window}"));
    if shown("x limit") {
        said.push("x limit: against what the limit lets through then".into());
    }
    said.push(format!("herd: variance/mean of retries per {window} (1 = Poisson)"));
    if shown("recovery") {
        said.push("recovery: until goodput is back at 95 % of its level before the incident".into());
    }
    if scenario.workloads.len() > 1 {
        said.push("peak, x limit and herd are of the service, over all workloads that call it".into());
    }
    let replications = match scenario.replications {
        1 => "one replication".to_owned(),
        many => format!("means of {many} replications"),
    };
    let seed = scenario.seed;
    format!("{replications}, seed {seed}; intervals in summary.csv\n{}", below("", &said.join("; "), WIDTH))
}

/// One line per expectation.
pub fn verdicts(verdicts: &[Verdict]) -> String {
    let line = |verdict: &Verdict| {
        let (mark, measured) = outcome(verdict);
        let mark = if verdict.met() { mark.to_owned() } else { mark.to_uppercase() };
        let style =
            Style::new().fg_color(Some(if verdict.met() { AnsiColor::Green } else { AnsiColor::Red }.into()));
        format!("{style}{mark:<7}{style:#}  {} ({measured})\n", verdict.text)
    };
    verdicts.iter().map(line).collect()
}

/// What became of an expectation, in two words and with what was measured.
pub(super) fn outcome(verdict: &Verdict) -> (&'static str, String) {
    let measured =
        verdict.measured.map_or_else(|| "not observed".to_owned(), |estimate| with_interval(&estimate));
    let words = |barren: usize| format!("in {barren} replications nothing succeeded");
    match verdict.held {
        Held::Met => ("met", measured + &few_alike(verdict).unwrap_or_default()),
        Held::NotMet => ("not met", measured + &few_alike(verdict).unwrap_or_default()),
        Held::NotObserved => ("undecided", "not observed in any replication".to_owned()),
        Held::Undecided => ("undecided", format!("{measured}: more replications may tell")),
        Held::TooFewAlike(of, Some(needed)) => (
            "undecided",
            format!("{measured} in all replications, of {of} in all: {needed} that are alike would tell"),
        ),
        Held::TooFewSpared(replications) => (
            "undecided",
            format!(
                "{measured} in all {replications} replications, but outages or bursts at random strike all requests of one at \
                 once: {ALIKE} that are alike would tell"
            ),
        ),
        Held::TooFewAlike(of, None) => (
            "undecided",
            format!(
                "{measured} in all replications, of {of} in all, but no number of them shows that it is always so: write a \
                 bound such as 0.999 or 0.001"
            ),
        ),
        Held::NothingSucceeded(barren) if verdict.measured.is_none() => ("not met", words(barren)),
        Held::NothingSucceeded(barren) => ("not met", format!("{measured}, but {}", words(barren))),
    }
}

/// What a verdict rests on whose replications were alike and are too few to tell what is rare.
pub(super) fn few_alike(verdict: &Verdict) -> Option<String> {
    let (all, n) = (verdict.few_alike?, verdict.measured?.observations);
    let seen = match n {
        1 => format!("seen in one of {all} replications"),
        n if n < all as usize => format!("alike in all {n} of {all} replications that observed it"),
        _ => format!("alike in all {all} replications"),
    };
    let percent = 100.0 * none_in(n as f64, ONE_SIDED);
    let decimals = usize::from(percent < 10.0);
    Some(format!(", {seen}: what happens in fewer than {percent:.decimals$} % of them may not have come yet"))
}

/// `0.17666, 0.17606 to 0.17726`: as many decimals as the width of the interval is worth.
fn with_interval(estimate: &Estimate) -> String {
    let Some(half) = estimate.half_width.filter(|half| *half > 0.0) else { return machine(estimate.mean) };
    let decimals = (1.0 - libm::floor(libm::log10(half))).clamp(0.0, 12.0) as usize;
    let shown = |value: f64| format!("{value:.decimals$}");
    format!("{}, {} to {}", shown(estimate.mean), shown(estimate.mean - half), shown(estimate.mean + half))
}
