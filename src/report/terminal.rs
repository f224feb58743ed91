//! The terminal: one line per arm, in the units a person would use.

use comfy_table::{CellAlignment, Table, presets};

use super::number::{duration, percent, short};
use crate::experiment::{Results, ServiceResult, Verdict, WorkloadResult};
use crate::scenario::Scenario;

const COLUMNS: [&str; 8] = ["success", "att/req", "p50", "p99", "peak/s", "x limit", "herd", "recovery"];

/// The table of a run: a line per arm, or per workload and arm where there are several workloads.
pub fn table(scenario: &Scenario, results: &Results) -> String {
    let several = scenario.workloads.len() > 1;
    let recovers = scenario.services.iter().any(|service| !service.config.incidents.is_empty());
    let shown = if recovers { &COLUMNS[..] } else { &COLUMNS[..7] };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = if several { vec!["workload", "arm"] } else { vec!["arm"] };
    header.extend(shown);
    let names = header.len() - shown.len();
    table.set_header(header);
    for (index, workload) in scenario.workloads.iter().enumerate() {
        for (arm, result) in scenario.arms.iter().zip(&results.arms) {
            let mut row =
                if several { vec![workload.name.clone(), arm.name.clone()] } else { vec![arm.name.clone()] };
            let cells = cells(&result.workloads[index], &result.services[workload.service]);
            row.extend(cells.into_iter().take(shown.len()));
            table.add_row(row);
        }
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index >= names {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

fn cells(workload: &WorkloadResult, service: &ServiceResult) -> [String; COLUMNS.len()] {
    let show = |value: Option<f64>, format: fn(f64) -> String| value.map_or_else(|| "-".into(), format);
    let own = |name: &str| workload.named(name).map(|estimate| estimate.mean);
    let of_service = |name: &str| service.named(name).map(|estimate| estimate.mean);
    [
        show(own("success_rate"), percent),
        show(own("attempts_per_request"), short),
        show(own("time_to_success_p50"), duration),
        show(own("time_to_success_p99"), duration),
        show(of_service("offered_load_peak"), short),
        show(of_service("peak_to_limit"), short),
        show(of_service("herd_dispersion"), short),
        recovery(workload),
    ]
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

/// What the columns of the table are.
pub fn legend(scenario: &Scenario) -> String {
    format!(
        "means of {} replications, seed {}; p50 and p99: time to success of what succeeded; peak: attempts in the\n\
         busiest {} and against the limit; herd: variance/mean of retries per {} (1 = Poisson)\n",
        scenario.replications, scenario.seed, scenario.window, scenario.window
    )
}

/// One line per expectation.
pub fn verdicts(verdicts: &[Verdict]) -> String {
    let line = |verdict: &Verdict| {
        let mark = if verdict.met { "met    " } else { "NOT MET" };
        let mean = verdict.mean.map_or_else(
            || "not observed".into(),
            |mean| format!("measured {}", super::number::machine(mean)),
        );
        format!("{mark}  {} ({mean})\n", verdict.text)
    };
    verdicts.iter().map(line).collect()
}
