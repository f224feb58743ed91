//! `lanes.svg`: what breakers and queues do while the load comes and goes.
//!
//! Under the load of an arm there is a lane for each of them, over the same time.

use super::axis::Scale;
use super::drawing::{Align, Drawing, Rgb, Text};
use super::load::{RIGHT, significant};
use super::page::{Page, Sample, Sheet, TIME_SERIES};
use super::panel::{LEFT, Plot, Shown, head, shaded, time_axis, whose};
use super::rates::{Bar, bars, span};
use super::{Detail, GOODPUT, HALF_OPEN, LOAD, MUTED, OPEN, TEXT};
use crate::report::tables::{Course, Tables};
use crate::scenario::Scenario;
use crate::service::Incident;

/// Breakers that keep calls out, and those that let probes through.
/// Calls that wait.
const WAITING: Rgb = Rgb(150, 150, 150);
/// The heights of the load and of a lane, and the room between them.
const LOAD_HEIGHT: f64 = 64.0;
const LANE: f64 = 34.0;
const GAP: f64 = 8.0;

/// The columns of a lane in lanes.csv, from the front to the back of what is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Breakers,
    Queue,
    Servers,
}

impl Lane {
    const ALL: [Self; 3] = [Self::Breakers, Self::Queue, Self::Servers];

    /// The layers from the lowest to the highest, each with its colour: which column of the lanes it is.
    const fn layers(self) -> &'static [(usize, Rgb)] {
        match self {
            Self::Breakers => &[(0, OPEN), (1, HALF_OPEN)],
            Self::Queue => &[(2, WAITING)],
            Self::Servers => &[(3, GOODPUT)],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Breakers => "breakers",
            Self::Queue => "queue",
            Self::Servers => "busy servers",
        }
    }

    /// True if a workload has it in any arm: breakers even if none opens, a queue only if anybody waits.
    fn is_in(self, courses: &[&Course]) -> bool {
        let column = self.layers()[0].0;
        let shows = |cell: f64| self != Self::Queue || cell > 0.0;
        courses.iter().flat_map(|course| &course.lanes).any(|bin| bin[column].is_some_and(shows))
    }

    /// The sum of its layers.
    fn height(self, bin: &[Option<f64>; 4]) -> f64 {
        self.layers().iter().filter_map(|&(column, _)| bin[column]).sum()
    }
}

/// The chart, unless there is neither a breaker nor a server.
pub(super) fn chart(scenario: &Scenario, tables: &Tables, detail: Detail) -> Option<Sheet> {
    let courses = |workload: usize| tables.arms.iter().map(|arm| &arm[workload]).collect::<Vec<_>>();
    let lanes =
        |workload: usize| Lane::ALL.into_iter().filter(|lane| lane.is_in(&courses(workload))).collect();
    let lanes: Vec<Vec<Lane>> = (0..scenario.workloads.len()).map(lanes).collect();
    if lanes.iter().all(Vec::is_empty) {
        return None;
    }
    let mut page = Page::new(scenario, "Breakers and queues under the load, over time");
    legend(&mut page, scenario, &lanes);
    let shown = Shown::of(scenario, tables, detail);
    for ((index, workload), lanes) in scenario.workloads.iter().enumerate().zip(&lanes) {
        if lanes.is_empty() {
            continue;
        }
        let arms: Vec<Vec<Bar>> = courses(index)
            .into_iter()
            .map(|course| bars(scenario, course, shown.bins, detail.columns))
            .collect();
        let most = |of: fn(&Bar) -> f64| arms.iter().flatten().map(of).fold(0.0, f64::max);
        let load = Scale::linear(most(Bar::offered).max(most(|bar| bar.succeeded)));
        let scales: Vec<Scale> = lanes.iter().map(|lane| scale(*lane, &courses(index), shown.bins)).collect();
        page.group(
            whose(scenario, workload).as_deref(),
            "per second; the lanes below have the same scales in all arms",
        );
        let incidents = &scenario.services[workload.service].config.incidents;
        for (number, bars) in arms.iter().enumerate() {
            page.of_arm(number, |page| {
                head(page, &scenario.arms[number].name, "", RIGHT);
                let plot = Plot::below(page, (LOAD_HEIGHT, RIGHT), &shown, load, incidents);
                draw_load(&mut page.drawing, &plot, bars, incidents);
                page.y = plot.bottom + GAP;
                let course = &tables.arms[number][index];
                for (lane, scale) in lanes.iter().zip(&scales) {
                    draw_lane(page, scenario, course, *lane, (*scale, &shown));
                }
                let from = Plot { bottom: page.y - GAP, ..plot };
                read_off(&mut page.drawing, &from, scenario, course, lanes);
                page.y += 10.0;
            });
        }
        page.y -= 4.0;
        time_axis(&mut page, &shown, RIGHT);
    }
    let rest = shown.notes(scenario);
    let breakers = "Open: as those who call find it.";
    let breakers = if lanes.iter().flatten().any(|lane| *lane == Lane::Breakers) { breakers } else { "" };
    Some(page.finish(scenario, &format!("{TIME_SERIES}, lanes.csv"), &[breakers, &rest]))
}

fn legend(page: &mut Page, scenario: &Scenario, lanes: &[Vec<Lane>]) {
    let has = |lane: Lane| lanes.iter().flatten().any(|one| *one == lane);
    let mut entries = vec![(Sample::Area(LOAD), "offered load"), (Sample::Line(GOODPUT), "goodput")];
    if has(Lane::Breakers) {
        entries.push((Sample::Area(OPEN), "share of breakers open"));
        entries.push((Sample::Area(HALF_OPEN), "half-open"));
    }
    if has(Lane::Queue) {
        entries.push((Sample::Area(WAITING), "calls that wait"));
    }
    if has(Lane::Servers) {
        entries.push((Sample::Area(GOODPUT), "servers at work"));
    }
    entries.extend(shaded(scenario).map(|name| (Sample::Incident, name)));
    page.legend(&entries);
}

/// The scale of a lane, the same for all arms.
fn scale(lane: Lane, courses: &[&Course], bins: usize) -> Scale {
    if lane == Lane::Breakers {
        return Scale::linear(1.0);
    }
    let heights =
        courses.iter().flat_map(|course| course.lanes.iter().take(bins)).map(|bin| lane.height(bin));
    Scale::linear(heights.fold(0.0, f64::max))
}

fn draw_load(drawing: &mut Drawing, plot: &Plot<'_>, bars: &[Bar], incidents: &[Incident]) {
    plot.under(drawing, incidents);
    let height = |value: f64| plot.scale.height(value);
    let offered: Vec<_> = bars.iter().map(|bar| (bar.from, bar.to, height(bar.offered()))).collect();
    plot.columns(drawing, &offered, LOAD);
    if bars.iter().any(|bar| bar.succeeded > 0.0) {
        let goodput = bars.iter().map(|bar| (bar.from, bar.to, height(bar.succeeded)));
        drawing.line(plot.steps(goodput), GOODPUT, 2);
    }
    let silent = bars.iter().all(|bar| bar.offered() == 0.0 && bar.succeeded == 0.0);
    plot.close(drawing, silent.then_some("no attempts were sent"));
}

/// A lane at the page's current height, with its layers above one another.
fn draw_lane(
    page: &mut Page,
    scenario: &Scenario,
    course: &Course,
    lane: Lane,
    (scale, shown): (Scale, &Shown),
) {
    let plot = Plot { top: page.y, bottom: page.y + LANE, right: RIGHT, shown, scale };
    let drawing = &mut page.drawing;
    plot.shade(drawing, &[]);
    drawing.line(vec![(LEFT, plot.top), (RIGHT, plot.top)], super::GRID, 1);
    let top = if lane == Lane::Breakers { "100 %".to_owned() } else { significant(scale.top) };
    drawing.text(Text::new((LEFT - 6.0, plot.top + 6.0), top).align(Align::Right));
    drawing.text(Text::new((LEFT - 6.0, plot.bottom - 5.0), "0").align(Align::Right));
    let there = course.lanes.iter().any(|bin| bin[lane.layers()[0].0].is_some());
    let name = if there { lane.name().to_owned() } else { format!("no {}", lane.name()) };
    let colour = if there { TEXT } else { MUTED };
    drawing.text(Text::new((RIGHT + 6.0, f64::midpoint(plot.top, plot.bottom)), name).colour(colour));
    let bins = &course.lanes[..shown.bins.min(course.lanes.len())];
    let per = bins.len().div_ceil(shown.detail.columns).max(1);
    for upper in (0..lane.layers().len()).rev() {
        let height = |bin: &[Option<f64>; 4]| -> f64 {
            lane.layers()[..=upper].iter().filter_map(|&(column, _)| bin[column]).sum()
        };
        let column = |(index, group): (usize, &[[Option<f64>; 4]])| {
            let (from, to) = (index * per, index * per + group.len());
            let most = group.iter().map(height).fold(0.0, f64::max);
            (span(scenario, from), span(scenario, to), plot.scale.height(most))
        };
        let outline: Vec<_> = bins.chunks(per).enumerate().map(column).collect();
        plot.columns(drawing, &outline, lane.layers()[upper].1);
    }
    plot.close(drawing, None);
    page.y = plot.bottom + GAP;
}

fn read_off(drawing: &mut Drawing, plot: &Plot<'_>, scenario: &Scenario, course: &Course, lanes: &[Lane]) {
    let names = ["breakers open (share)", "breakers half-open (share)", "calls that wait", "servers at work"];
    let shown: Vec<usize> = lanes
        .iter()
        .flat_map(|lane| lane.layers())
        .map(|&(column, _)| column)
        .filter(|&column| course.lanes.iter().any(|bin| bin[column].is_some()))
        .collect();
    let mut said = vec!["offered load (1/s)".to_owned()];
    said.extend(shown.iter().map(|&column| names[column].to_owned()));
    let bins: Vec<(f64, Vec<f64>)> = bars(scenario, course, plot.shown.bins, usize::MAX)
        .iter()
        .zip(&course.lanes)
        .map(|(bar, lanes)| {
            let mut values = vec![bar.offered()];
            values.extend(shown.iter().map(|&column| lanes[column].unwrap_or(0.0)));
            (bar.at, values)
        })
        .collect();
    plot.readout(drawing, said, &bins);
}
