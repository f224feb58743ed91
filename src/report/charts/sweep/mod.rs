//! Charts of sweeps, each of rows of sweep.csv: over one axis lines, over two of a grid heatmaps, else dots over each axis.

mod along;
mod dots;
mod heatmap;
mod height;
mod lines;
#[cfg(test)]
mod tests;

use super::mark::Looks;
use super::page::{Page, Sample, source};
use super::text::{SMALL, shorten};
use crate::report::sweep::{Plan, Row, Subject, subjects};
use crate::scenario::Metric;

/// The widest name of an arm in a legend.
const WIDEST_NAME: f64 = 260.0;

/// What is drawn.
struct Study<'a> {
    plan: &'a Plan,
    /// The rows of each point.
    seen: &'a [Vec<Row>],
    /// What there is to show of each metric.
    figures: Vec<(Metric, Subject)>,
}

/// What was seen of a figure at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    mean: f64,
    interval: Option<(f64, f64)>,
}

/// The charts of a sweep (name, bytes). `seen` has the rows of `metrics` at each point.
pub(in crate::report) fn sweep_charts(
    plan: &Plan,
    seen: &[Vec<Row>],
    metrics: &[Metric],
) -> Vec<(String, Vec<u8>)> {
    let study = Study { plan, seen, figures: subjects(seen, metrics) };
    let chart = |kind: &str, draw: fn(&Study<'_>, Metric) -> Vec<u8>| {
        let one = |metric: &Metric| (format!("charts/{kind}-{}.svg", metric.name()), draw(&study, *metric));
        metrics.iter().map(one).collect()
    };
    match (plan.design.as_str(), plan.axes.len()) {
        ("grid", 1) => vec![("charts/lines.svg".to_owned(), lines::chart(&study))],
        ("grid", 2) => chart("heatmap", heatmap::chart),
        _ => chart("dots", dots::chart),
    }
}

impl Study<'_> {
    /// What was seen of a figure in an arm, by point.
    fn of(&self, (metric, subject): &(Metric, Subject), arm: &str) -> Vec<Option<Seen>> {
        let row = |rows: &Vec<Row>| {
            let mut rows = rows.iter();
            let row = rows.find(|row| row.arm == arm && row.metric == metric.name() && subject.is(row))?;
            Some(Seen { mean: row.mean?, interval: row.interval })
        };
        self.seen.iter().map(row).collect()
    }

    /// The same of all arms.
    fn arms(&self, figure: &(Metric, Subject)) -> Vec<Vec<Option<Seen>>> {
        self.plan.arms.iter().map(|arm| self.of(figure, arm)).collect()
    }

    /// The figures of one metric.
    fn figures(&self, metric: Metric) -> impl Iterator<Item = &(Metric, Subject)> {
        self.figures.iter().filter(move |(other, _)| *other == metric)
    }

    /// A page with the question at its head.
    fn page(&self, shows: &str) -> Page {
        Page::headed(self.plan.question.as_deref(), &self.plan.title, shows)
    }

    /// A legend of the arms.
    fn legend(&self, page: &mut Page, lines: bool) {
        let name = |arm: &String| shorten(arm, SMALL, WIDEST_NAME);
        let names: Vec<String> = self.plan.arms.iter().map(name).collect();
        let sample = |index| Sample::Arm(Looks::of(index), lines);
        let entries: Vec<_> =
            names.iter().enumerate().map(|(index, name)| (sample(index), name.as_str())).collect();
        page.legend(&entries);
    }

    /// The finished file.
    fn close(&self, page: Page, notes: &[&str]) -> Vec<u8> {
        let plan = self.plan;
        let seed = if plan.axes.iter().any(|axis| axis == "seed") {
            "as swept".into()
        } else {
            plan.seed.to_string()
        };
        let points = match (plan.points.len(), plan.design.as_str()) {
            (1, _) => "1 point".to_owned(),
            (many, "grid") => format!("{many} points"),
            (many, design) => format!("{many} points, {design}"),
        };
        page.close(&format!("{} · {points} · sweep.csv", source(&seed, plan.replications)), notes)
    }
}

/// What was seen at all, of all arms and points.
fn observed(arms: &[Vec<Option<Seen>>]) -> Vec<Seen> {
    arms.iter().flatten().flatten().copied().collect()
}

/// What a figure is called, with its unit.
fn called((metric, subject): &(Metric, Subject)) -> String {
    let unit = if metric.unit() == "1/s" { ", per second" } else { "" };
    format!("{}{}{unit}", metric.name(), subject.suffix)
}
