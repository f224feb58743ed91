//! `success.svg`: how long one waits for a success, and how many wait in vain.

use super::axis::time_ticks;
use super::drawing::{Align, Drawing, Rgb, Text};
use super::ends::{LABEL, LEADER, label, spread};
use super::mark::DASHES;
use super::page::{MARGIN, Page, Sheet, WIDTH, ground, say_nothing_happened, time_labels};
use super::rates::SHOWN;
use super::{GRID, LINES, MUTED};
use crate::report::number::percent;
use crate::report::tables::Tables;
use crate::scenario::Scenario;

const LEFT: f64 = MARGIN + 48.0;
const RIGHT: f64 = WIDTH - MARGIN - 330.0;

/// One arm's line.
struct Curve<'a> {
    index: usize,
    arm: &'a str,
    /// Seconds since arrival and share succeeded, from (0, 0).
    points: Vec<(f64, f64)>,
    share: f64,
    colour: Rgb,
    dash: &'static [f64],
}

impl Curve<'_> {
    /// When all but the last stragglers of those that succeed had succeeded.
    fn nearly_done(&self) -> f64 {
        let nearly = |point: &&(f64, f64)| point.1 >= SHOWN * self.share;
        self.points.iter().find(nearly).map_or(0.0, |&(time, _)| time)
    }
}

/// The chart.
pub(super) fn chart(scenario: &Scenario, tables: &Tables) -> Sheet {
    let mut page = Page::new(
        scenario,
        "Success over time: how many requests had succeeded, how long after their arrival",
    );
    for (index, workload) in scenario.workloads.iter().enumerate() {
        let curves = curves(scenario, tables, index);
        let several = scenario.workloads.len() > 1;
        let whose = several.then(|| {
            format!("workload {}, service {}", workload.name, scenario.services[workload.service].name)
        });
        page.group(whose.as_deref(), "% of all requests that succeeded within the time since their arrival");
        let least = if several { 150.0 } else { 320.0 };
        let top = page.y + 4.0;
        let bottom = top + (curves.len() as f64 * LABEL).max(least);
        panel(&mut page.drawing, &curves, scenario, (top, bottom));
        page.y = bottom + 14.0;
        page.line_of_text(Text::new((RIGHT + LEADER + 6.0, 0.0), "time since arrival").colour(MUTED), 20.0);
    }
    let note =
        format!("never: given up, or without an answer when the run ended after {}.", scenario.horizon);
    page.finish(scenario, "time_to_success.csv", &[&note])
}

/// The curves of the arms that had requests.
fn curves<'a>(scenario: &'a Scenario, tables: &Tables, workload: usize) -> Vec<Curve<'a>> {
    let mut curves = Vec::new();
    for (index, (arm, result)) in scenario.arms.iter().zip(&tables.arms).enumerate() {
        let course = &result[workload];
        if !course.had_requests() {
            continue;
        }
        let mut points = vec![(0.0, 0.0)];
        points.extend(&course.success);
        let share = points.last().map_or(0.0, |&(_, share)| share);
        let dash = DASHES[index / LINES.len() % DASHES.len()];
        curves.push(Curve { index, arm: &arm.name, points, share, colour: LINES[index % LINES.len()], dash });
    }
    curves
}

fn panel(drawing: &mut Drawing, curves: &[Curve<'_>], scenario: &Scenario, (top, bottom): (f64, f64)) {
    let last = curves.iter().map(Curve::nearly_done).fold(0.0, f64::max);
    let span = if last > 0.0 { last * 1.05 } else { scenario.horizon.as_secs_f64() };
    let x = |seconds: f64| LEFT + (RIGHT - LEFT) * seconds / span;
    let y = |share: f64| bottom - (bottom - top) * share;
    let ticks = time_ticks(span);
    for (seconds, _) in &ticks {
        drawing.line(vec![(x(*seconds), top), (x(*seconds), bottom)], GRID, 1);
    }
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        drawing.line(vec![(LEFT, y(share)), (RIGHT, y(share))], GRID, 1);
        let label = format!("{:.0} %", share * 100.0);
        drawing.text(Text::new((LEFT - 6.0, y(share)), label).align(Align::Right));
    }
    ground(drawing, LEFT, RIGHT, bottom);
    time_labels(drawing, &ticks, x, bottom + 14.0);
    if curves.is_empty() {
        let middle = (f64::midpoint(LEFT, RIGHT), f64::midpoint(top, bottom));
        return say_nothing_happened(drawing, middle, "no requests arrived");
    }
    let ends: Vec<f64> = curves.iter().map(|curve| y(curve.share)).collect();
    let places = spread(&ends, top, bottom);
    for (curve, (end, place)) in curves.iter().zip(ends.into_iter().zip(places)) {
        let shown = curve.points.iter().filter(|&&(time, _)| time <= span);
        let mut line: Vec<_> = shown.map(|&(time, share)| (x(time), y(share))).collect();
        line.push((RIGHT, end));
        drawing.of_arm(curve.index, |drawing| {
            drawing.dashed(&line, curve.colour, 2, curve.dash);
            let facts = format!("{}, never: {}", percent(curve.share), percent(1.0 - curve.share));
            label(drawing, (RIGHT, end, place), (curve.arm, &facts), curve.colour);
        });
    }
}
