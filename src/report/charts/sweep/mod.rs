//! Charts of sweeps, each of rows of sweep.csv: over one axis lines, over two of a grid heatmaps, else dots over each axis.

mod along;
mod dots;
mod heatmap;
mod height;
mod lines;
#[cfg(test)]
mod tests;

use along::Along;
use height::Height;

use super::drawing::Text;
use super::mark::Looks;
use super::page::{MARGIN, Page, Sample, Sheet, WIDTH, ground, say_nothing_happened, source};
use super::text::{BOLD, NAME, SMALL, shorten};
use super::{Chart, GRID};
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

/// The charts of a sweep. `seen` has the rows of `metrics` at each point.
pub(in crate::report) fn sweep_charts(plan: &Plan, seen: &[Vec<Row>], metrics: &[Metric]) -> Vec<Chart> {
    let study = Study { plan, seen, figures: subjects(seen, metrics) };
    let chart = |kind: &str, draw: fn(&Study<'_>, Metric) -> Sheet| {
        let one = |metric: &Metric| Chart::new(format!("{kind}-{}", metric.name()), draw(&study, *metric));
        metrics.iter().map(one).collect()
    };
    match (plan.design.as_str(), plan.axes.len()) {
        ("grid", 1) => vec![Chart::new("lines", lines::chart(&study))],
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

    /// The finished page.
    fn close(&self, page: Page, notes: &[&str]) -> Sheet {
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

/// The head of the panels of a figure, and the height that what was seen of it takes.
fn head(page: &mut Page, figure: &(Metric, Subject), arms: &[Vec<Option<Seen>>]) -> Height {
    let scale = Height::of(figure.0, &observed(arms));
    let logarithmic = if scale.is_logarithmic() { " (logarithmic)" } else { "" };
    page.y += 8.0;
    let head = format!("{}{logarithmic}", called(figure));
    page.line_of_text(
        Text::new((MARGIN, 0.0), shorten(&head, NAME * BOLD, WIDTH - 2.0 * MARGIN)).size(NAME).bold(),
        20.0,
    );
    scale
}

/// What stands behind the marks of a panel, which is so wide and so high: its grid and its ground, or that there is nothing to mark.
fn backdrop(
    page: &mut Page,
    along: &Along,
    scale: Height,
    arms: &[Vec<Option<Seen>>],
    ((left, right), plot): ((f64, f64), (f64, f64)),
) {
    let drawing = &mut page.drawing;
    for (place, _) in &along.ticks {
        let x = left + (right - left) * place;
        drawing.line(vec![(x, plot.0), (x, plot.1)], GRID, 1);
    }
    scale.draw(drawing, (left, right), plot);
    ground(drawing, left, right, plot.1);
    if observed(arms).is_empty() {
        let middle = (f64::midpoint(left, right), f64::midpoint(plot.0, plot.1));
        say_nothing_happened(drawing, middle, "not observed at any point");
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
