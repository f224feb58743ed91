//! The table of a sweep on the terminal: a line per point and arm, with the metrics that the charts show.

use comfy_table::{CellAlignment, Table, presets};

use super::plan::Plan;
use super::point::Tables;
use super::rows::Row;
use crate::report::number::{count, duration, percent, short};
use crate::scenario::Metric;

/// The most lines of the table.
const MOST_LINES: usize = 60;
/// The widest cell of a value.
const WIDEST: usize = 24;

/// The table of these points, each with its index, and how many lines more `sweep.csv` would fill.
pub fn sweep_table(plan: &Plan, points: &[(usize, Tables)], metrics: &[Metric]) -> Option<String> {
    let seen = super::seen(points, metrics)?;
    let subjects = subjects(&seen, metrics);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = vec!["point".to_owned()];
    header.extend(plan.axes.iter().map(|axis| last_of(axis, &plan.axes)));
    header.push("arm".into());
    let names = header.len();
    header.extend(subjects.iter().map(|(metric, of)| format!("{}{}", metric.name(), of.suffix)));
    table.set_header(header);
    let mut lines = 0;
    for ((index, _), rows) in points.iter().zip(&seen) {
        for arm in &plan.arms {
            lines += 1;
            if lines > MOST_LINES {
                continue;
            }
            let mut line = vec![(index + 1).to_string()];
            line.extend(plan.points[*index].values.iter().map(|value| cut(value)));
            line.push(arm.clone());
            line.extend(subjects.iter().map(|(metric, of)| {
                let found =
                    rows.iter().find(|row| row.arm == *arm && row.metric == metric.name() && of.is(row));
                found.and_then(|row| row.mean).map_or_else(|| "-".into(), |mean| shown(*metric, mean))
            }));
            table.add_row(line);
        }
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index >= names {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    if lines > MOST_LINES {
        text.push(format!("... and {} more lines; all are in sweep.csv", lines - MOST_LINES));
    }
    Some(text.join("\n") + "\n")
}

/// A value of a metric as a person would write it.
pub(in crate::report) fn shown(metric: Metric, value: f64) -> String {
    match metric.unit() {
        "s" => duration(value),
        _ if metric.is_share() => percent(value),
        _ if metric.is_count() => count(value),
        _ => short(value),
    }
}

/// Whose figures they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Subject {
    workload: String,
    service: String,
    /// What is said of it where there are several.
    pub(in crate::report) suffix: String,
}

impl Subject {
    /// True if the row is one of its figures.
    pub(in crate::report) fn is(&self, row: &Row) -> bool {
        row.workload == self.workload && row.service == self.service
    }
}

/// Each metric with each workload or service that has it, in the order of the metrics and of the scenario.
pub(in crate::report) fn subjects(seen: &[Vec<Row>], metrics: &[Metric]) -> Vec<(Metric, Subject)> {
    let mut all = Vec::new();
    for &metric in metrics {
        let mut found: Vec<Subject> = Vec::new();
        for row in seen.iter().flatten().filter(|row| row.metric == metric.name()) {
            if found.iter().all(|subject| !subject.is(row)) {
                let (workload, service) = (row.workload.clone(), row.service.clone());
                found.push(Subject { workload, service, suffix: String::new() });
            }
        }
        let several = found.len() > 1;
        for subject in &mut found {
            let name = if subject.workload.is_empty() { &subject.service } else { &subject.workload };
            subject.suffix = if several { format!(" of {name}") } else { String::new() };
        }
        all.extend(found.into_iter().map(|subject| (metric, subject)));
    }
    all
}

/// The end of a path, as much of it as tells it from the others.
fn last_of(path: &str, paths: &[String]) -> String {
    let ending = |parts: usize| {
        let all: Vec<&str> = path.split('.').collect();
        all[all.len().saturating_sub(parts)..].join(".")
    };
    let alike = |text: &str| {
        paths.iter().filter(|other| other.ends_with(&format!(".{text}")) || *other == text).count()
    };
    let all = path.split('.').count();
    (1..all).map(ending).find(|text| alike(text) <= 1).unwrap_or_else(|| path.to_owned())
}

fn cut(value: &str) -> String {
    if value.chars().count() <= WIDEST {
        return value.to_owned();
    }
    value.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_called_by_its_end() {
        let paths = ["workloads.a.clients", "workloads.b.clients", "seed"].map(str::to_owned);
        assert_eq!(last_of("workloads.a.clients", &paths), "a.clients");
        assert_eq!(last_of("workloads.a.clients", &paths[..1]), "clients");
        assert_eq!(last_of("seed", &paths), "seed");
    }
}
