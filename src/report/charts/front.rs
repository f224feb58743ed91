//! `front-WORKLOAD.svg`: what the first objective costs in the second. The Pareto front as the confirmation saw it, with intervals,
//! its knee, the chosen policy and the one that tuning started from, before all that was tried as the search saw it.

use super::axis::{number_label, round_up, time_label};
use super::drawing::{Align, Drawing, Rgb, Text};
use super::page::{MARGIN, Page, Sheet, WIDTH, ground};
use super::text::{SMALL, width};
use super::{Chart, FAINT, GRID, LINES, MUTED, TEXT};
use crate::experiment::tune::{TunedWorkload, Tuning, estimate};
use crate::report::number::percent;
use crate::scenario::{Figure, Scenario, Tune};
use crate::statistics::Estimate;

const LEFT: f64 = MARGIN + 62.0;
const RIGHT: f64 = WIDTH - MARGIN - 150.0;
const HEIGHT: f64 = 380.0;
/// A share of the range that is left free at both ends.
const PAD: f64 = 0.06;
const TRIED: Rgb = Rgb(205, 205, 205);
const FRONT: Rgb = LINES[0];
const CHOSEN: Rgb = Rgb(213, 94, 0);

/// A chart for each workload that is tuned for two objectives or more .
pub(in crate::report) fn front_charts(scenario: &Scenario, tuning: &Tuning) -> Vec<Chart> {
    let pairs = scenario.tunings.iter().zip(&tuning.workloads);
    let drawn = pairs.filter(|(tune, _)| tune.objectives.len() > 1).map(|(tune, found)| {
        let name = &scenario.workloads[tune.workload].name;
        Chart::new(format!("front-{name}"), chart(scenario, tuning, tune, found))
    });
    drawn.collect()
}

/// A place with its interval on both axes.
#[derive(Clone, Copy)]
struct Point {
    x: Estimate,
    y: Estimate,
}

fn chart(scenario: &Scenario, tuning: &Tuning, tune: &Tune, found: &TunedWorkload) -> Sheet {
    let name = &scenario.workloads[tune.workload].name;
    let [first, second] = [0, 1].map(|objective| tune.objectives[objective].text.as_str());
    let mut page = Page::new(scenario, &format!("What {name} can have: {first}, then {second}"));
    let [vertical, horizontal] = [0, 1].map(|objective| tune.objectives[objective].figure);
    let column = |figure: Figure| found.figures.iter().position(|known| *known == figure).unwrap_or(0);
    let (down, across) = (column(vertical), column(horizontal));
    let point = |candidate: usize| {
        let seen = found.confirmed(candidate);
        let point = Point { x: seen.estimate(across)?, y: seen.estimate(down)? };
        (point.x.mean.is_finite() && point.y.mean.is_finite()).then_some(point)
    };
    let front: Vec<(usize, Point)> =
        found.front.iter().filter_map(|&candidate| Some((candidate, point(candidate)?))).collect();
    let (start, chosen) = (point(0), point(found.chosen));
    let shown: Vec<Point> = front.iter().map(|(_, point)| *point).chain(start).chain(chosen).collect();
    let axes = Axes {
        x: Axis::over(shown.iter().map(|point| point.x), horizontal),
        y: Axis::over(shown.iter().map(|point| point.y), vertical),
        top: page.y + 30.0,
    };
    let words = |figure: Figure| match figure.metric.unit() {
        "1" => figure.metric.name().replace('_', " "),
        unit => format!("{} ({unit})", figure.metric.name().replace('_', " ")),
    };
    page.group(None, &words(vertical));
    axes.frame(&mut page.drawing);
    let mut outside = 0;
    for rows in found.searched.iter().skip(1).filter(|rows| !rows.is_empty()) {
        let place = estimate(rows, across).zip(estimate(rows, down));
        match place.and_then(|(x, y)| axes.inside(x.mean, y.mean)) {
            Some(at) => square(&mut page.drawing, at, 2.0, TRIED),
            None => outside += 1,
        }
    }
    // Between two points nothing better is known than the one that costs less.
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (_, point) in &front {
        let at = axes.at(point.x.mean, point.y.mean);
        line.extend(line.last().map(|before| (before.0, at.1)));
        line.push(at);
    }
    page.drawing.line(line, FRONT, 1);
    for (candidate, point) in &front {
        axes.interval(&mut page.drawing, point, FRONT);
        let at = axes.at(point.x.mean, point.y.mean);
        if found.knee == Some(*candidate) {
            diamond(&mut page.drawing, at, 8.0, FRONT);
        } else {
            square(&mut page.drawing, at, 4.0, FRONT);
        }
    }
    if let Some(start) = start {
        axes.interval(&mut page.drawing, &start, TEXT);
        cross(&mut page.drawing, axes.at(start.x.mean, start.y.mean), 6.0, TEXT);
    }
    if let Some(chosen) = chosen {
        axes.interval(&mut page.drawing, &chosen, CHOSEN);
        ring(&mut page.drawing, axes.at(chosen.x.mean, chosen.y.mean), CHOSEN);
    }
    legend(&mut page.drawing, axes.top, found.knee.is_some());
    page.y = axes.top + HEIGHT + 32.0;
    let of =
        Text::new((f64::midpoint(LEFT, RIGHT), page.y), words(horizontal)).align(Align::Centre).colour(MUTED);
    page.drawing.text(of);
    page.y += 10.0;
    let mut note = "Front, knee, chosen and start: means of the confirmation with 95 % intervals. Tried: means of the search.".to_owned();
    if outside > 0 {
        note += &format!(" {outside} that were tried lie outside.");
    }
    let replications = found.confirmed(found.chosen).rows.len() as u32;
    let confirmed = Scenario { replications, seed: tuning.held_out_seed, ..scenario.clone() };
    page.finish(&confirmed, "front.csv, candidates.csv", &[&note])
}

/// One axis: from where to where, and whether in equal steps or in equal factors.
struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    figure: Figure,
}

impl Axis {
    fn over(values: impl Iterator<Item = Estimate>, figure: Figure) -> Self {
        let ends = values.flat_map(|value| {
            [value.mean, value.low().unwrap_or(value.mean).max(0.0), value.high().unwrap_or(value.mean)]
        });
        let (least, most) =
            ends.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let (least, most) = if least.is_finite() { (least, most) } else { (0.0, 1.0) };
        let share = crate::scenario::Metric::name(figure.metric).ends_with("_rate");
        let logarithmic = !share && least > 0.0 && most / least > 20.0;
        let (low, high) = if logarithmic {
            (least / 1.3, most * 1.3)
        } else {
            let room = if most > least { (most - least) * PAD } else { (most * PAD).max(0.01) };
            ((least - room).max(0.0), if share { (most + room).min(1.0 + room) } else { most + room })
        };
        Self { low, high, logarithmic, figure }
    }

    /// The share of the way, from 0 to 1 inside.
    fn share(&self, value: f64) -> f64 {
        if self.logarithmic {
            return libm::log(value.max(self.low / 10.0) / self.low) / libm::log(self.high / self.low);
        }
        (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let first = libm::floor(libm::log10(self.low)) as i32;
            let marks = (first..first + 16)
                .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * libm::pow(10.0, f64::from(power))));
            return marks.filter(|mark| (self.low..=self.high).contains(mark)).collect();
        }
        let step = round_up((self.high - self.low) / 6.0);
        let first = libm::ceil(self.low / step) as i64;
        let marks = (first..first + 20).map(|number| number as f64 * step);
        let share = self.is_share();
        marks.take_while(|mark| *mark <= self.high * (1.0 + 1e-9) && !(share && *mark > 1.0 + 1e-9)).collect()
    }

    fn is_share(&self) -> bool {
        ["success_rate", "herd_share", "overshoot"].contains(&self.figure.metric.name())
    }

    fn label(&self, value: f64) -> String {
        match self.figure.metric.unit() {
            "s" => time_label(libm::round(value * 1e9) as u64),
            _ if self.is_share() && self.high - self.low > 0.05 => format!("{:.0} %", value * 100.0),
            _ if self.is_share() => {
                let digits = if self.high - self.low > 0.005 { 1 } else { 2 };
                if value == 1.0 { percent(1.0) } else { format!("{:.digits$} %", value * 100.0) }
            }
            _ => number_label(value),
        }
    }
}

struct Axes {
    x: Axis,
    y: Axis,
    top: f64,
}

impl Axes {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (across, up) = (self.x.share(x).clamp(-0.02, 1.02), self.y.share(y).clamp(-0.02, 1.02));
        (LEFT + (RIGHT - LEFT) * across, self.top + HEIGHT * (1.0 - up))
    }

    fn inside(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let within = |share: f64| (0.0..=1.0).contains(&share);
        (within(self.x.share(x)) && within(self.y.share(y))).then(|| self.at(x, y))
    }

    fn frame(&self, drawing: &mut Drawing) {
        let bottom = self.top + HEIGHT;
        for value in self.y.ticks() {
            let (_, y) = self.at(self.x.low, value);
            drawing.line(vec![(LEFT, y), (RIGHT, y)], GRID, 1);
            drawing.text(Text::new((LEFT - 6.0, y), self.y.label(value)).align(Align::Right));
        }
        let mut free_from = 0.0;
        for value in self.x.ticks() {
            let (x, _) = self.at(value, self.y.low);
            drawing.line(vec![(x, self.top), (x, bottom)], GRID, 1);
            let label = self.x.label(value);
            let half = width(&label, SMALL) / 2.0;
            if x - half > free_from {
                free_from = x + half + 8.0;
                drawing.text(Text::new((x, bottom + 14.0), label).align(Align::Centre));
            }
        }
        ground(drawing, LEFT, RIGHT, bottom);
        drawing.line(vec![(LEFT, self.top), (LEFT, bottom)], FAINT, 1);
    }

    fn interval(&self, drawing: &mut Drawing, point: &Point, colour: Rgb) {
        let Point { x, y } = point;
        let ends = |estimate: &Estimate| estimate.low().zip(estimate.high());
        if let Some((low, high)) = ends(x) {
            drawing.line(vec![self.at(low.max(0.0), y.mean), self.at(high, y.mean)], colour, 1);
        }
        if let Some((low, high)) = ends(y) {
            drawing.line(vec![self.at(x.mean, low), self.at(x.mean, high)], colour, 1);
        }
    }
}

fn square(drawing: &mut Drawing, (x, y): (f64, f64), half: f64, colour: Rgb) {
    drawing.rectangle((x - half, y - half), (x + half, y + half), colour);
}

fn diamond(drawing: &mut Drawing, (x, y): (f64, f64), half: f64, colour: Rgb) {
    drawing.area(vec![(x, y - half), (x + half, y), (x, y + half), (x - half, y)], colour);
}

fn cross(drawing: &mut Drawing, (x, y): (f64, f64), half: f64, colour: Rgb) {
    drawing.line(vec![(x - half, y - half), (x + half, y + half)], colour, 2);
    drawing.line(vec![(x - half, y + half), (x + half, y - half)], colour, 2);
}

/// An eight-cornered ring, so that what lies under it stays visible.
fn ring(drawing: &mut Drawing, (x, y): (f64, f64), colour: Rgb) {
    let (far, near) = (11.0, 4.5);
    let corners = [
        (near, far),
        (far, near),
        (far, -near),
        (near, -far),
        (-near, -far),
        (-far, -near),
        (-far, near),
        (-near, far),
        (near, far),
    ];
    drawing.line(corners.map(|(dx, dy)| (x + dx, y + dy)).to_vec(), colour, 2);
}

fn legend(drawing: &mut Drawing, top: f64, has_knee: bool) {
    let x = RIGHT + 34.0;
    let mut y = top + 10.0;
    let mut entry = |words: &str, mark: &dyn Fn(&mut Drawing, (f64, f64))| {
        mark(drawing, (x, y));
        drawing.text(Text::new((x + 20.0, y), words));
        y += 26.0;
    };
    entry("chosen", &|drawing, at| ring(drawing, at, CHOSEN));
    entry("start", &|drawing, at| cross(drawing, at, 6.0, TEXT));
    entry("front", &|drawing, at| square(drawing, at, 4.0, FRONT));
    if has_knee {
        entry("knee of the front", &|drawing, at| diamond(drawing, at, 8.0, FRONT));
    }
    entry("tried", &|drawing, at| square(drawing, at, 2.0, TRIED));
}
