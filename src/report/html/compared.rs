//! The table: a row for each arm, or for each workload and arm, with intervals, and how each stands against the baseline.

use std::fmt::Write as _;

use super::figures::{COLUMNS, Shown, about, better, interval, mean, rows};
use crate::metrics::Better;
use crate::report::markup::{each, escaped};
use crate::report::tables::{ComparisonRow, SummaryRow, Tables};
use crate::scenario::Scenario;

/// The table and what its signs mean.
pub(super) fn table(scenario: &Scenario, tables: &Tables) -> String {
    let observed = |shown: &&Shown| {
        (0..scenario.workloads.len())
            .flat_map(|workload| rows(scenario, tables, workload, shown.metric))
            .flatten()
            .any(|row| row.mean.is_some())
    };
    let columns: Vec<&Shown> = COLUMNS.iter().filter(observed).collect();
    let several = scenario.workloads.len() > 1;
    let mut markup = "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The arms compared\"><table><thead><tr>".to_owned();
    markup += if several { "<th scope=\"col\">workload</th>" } else { "" };
    markup += "<th scope=\"col\">arm</th>";
    markup += &heads(&columns);
    markup += "</tr></thead><tbody>\n";
    for (index, workload) in scenario.workloads.iter().enumerate() {
        for (arm, named) in scenario.arms.iter().enumerate() {
            let mut names =
                if several { format!("<td>{}</td>", escaped(&workload.name)) } else { String::new() };
            let is_baseline = arm == scenario.baseline && scenario.arms.len() > 1;
            let baseline = if is_baseline { " <small>baseline</small>" } else { "" };
            write!(names, "<th scope=\"row\">{}{baseline}</th>", escaped(&named.name))
                .expect("writing to a string");
            markup += &row(scenario, Some(&tables.comparison), tables, (index, arm), &names, &columns);
        }
    }
    let signs = if scenario.arms.len() > 1 {
        let baseline = escaped(&scenario.arms[scenario.baseline].name);
        let whose = if several {
            " of the workload · peak and herd are of the service, over all workloads that call it"
        } else {
            " of its column"
        };
        format!(
            "<p class=\"legend\"><b>bold</b>: the best mean{whose} · against {baseline}, paired by replication: \
             <span class=\"good\">▲ better</span>, <span class=\"bad\">▼ worse</span>, ○ no clear difference, \
             no sign: too few replications to tell, or neither is better · \
             below each mean its 95 % interval · all metrics: summary.csv, comparison.csv</p>"
        )
    } else {
        "<p class=\"legend\">below each mean its 95 % interval · all metrics: summary.csv</p>".to_owned()
    };
    markup + "</tbody></table></div>" + &signs
}

/// The heads of the columns of figures, each with what it is.
pub(super) fn heads(columns: &[&Shown]) -> String {
    each(columns, |Shown { metric, name }| {
        let about = escaped(about(metric));
        format!("<th scope=\"col\" class=\"number\"><abbr title=\"{metric}: {about}\">{name}</abbr></th>")
    })
}

/// The row of a workload and an arm: its names, and a cell for each column. What is best and how an arm stands is marked where
/// there is a `comparison`.
pub(super) fn row(
    scenario: &Scenario,
    comparison: Option<&[ComparisonRow]>,
    tables: &Tables,
    (workload, arm): (usize, usize),
    names: &str,
    columns: &[&Shown],
) -> String {
    let cells = columns.iter().map(|shown| {
        let rows = rows(scenario, tables, workload, shown.metric);
        let best = comparison.is_some() && is_best(&rows, arm, shown.metric);
        cell(comparison.unwrap_or_default(), rows[arm], best)
    });
    format!("<tr>{names}{}</tr>\n", cells.collect::<String>())
}

/// True if no other arm has a better mean, and not all have the same. What only successes took is no merit of an arm that has few.
fn is_best(rows: &[Option<&SummaryRow>], arm: usize, metric: &str) -> bool {
    let means = || rows.iter().flatten().filter_map(|row| row.mean);
    let Some(own) = rows[arm].and_then(|row| row.mean) else { return false };
    let differ = means().any(|mean| mean != own);
    differ
        && !metric.starts_with("time_to_success")
        && match better(metric) {
            Better::More => means().all(|mean| mean <= own),
            Better::Less => means().all(|mean| mean >= own),
            Better::Neither => false,
        }
}

fn cell(comparison: &[ComparisonRow], row: Option<&SummaryRow>, best: bool) -> String {
    let Some((row, mean)) = row.and_then(|row| Some((row, mean(row)?))) else {
        return "<td class=\"number\"><abbr title=\"not observed\">–</abbr></td>".into();
    };
    let verdict = comparison.iter().find(|other| {
        (&other.arm, &other.workload, &other.service, &other.metric)
            == (&row.arm, &row.workload, &row.service, &row.metric)
    });
    let sign = match verdict.map_or("", |row| row.verdict.as_str()) {
        "better" => " <span class=\"good\" title=\"better\">▲<i>better</i></span>",
        "worse" => " <span class=\"bad\" title=\"worse\">▼<i>worse</i></span>",
        "no clear difference" => " <span title=\"no clear difference\">○<i>no clear difference</i></span>",
        _ => "",
    };
    let mean = if best { format!("<b>{mean}</b>") } else { mean };
    let interval = interval(row).map(|interval| format!("<small>{interval}</small>")).unwrap_or_default();
    format!("<td class=\"number\">{mean}{sign}{interval}</td>")
}
