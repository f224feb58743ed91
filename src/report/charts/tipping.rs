//! `limits.svg`: how far each arm can go, and how sure that is.

use super::axis::{Scale, time_ticks};
use super::drawing::{Align, Drawing, Text};
use super::page::{MARGIN, Page, Sample, WIDTH, ground};
use super::text::{BOLD, NAME, SMALL, shorten};
use super::{Chart, FAINT, GRID, LOAD, LOAD_EDGE, MUTED, TEXT};
use crate::experiment::tipping::{Found, Question, Side, Tipping, Varied};
use crate::report::tipping::{asked, in_words};
use crate::scenario::Scenario;

const LEFT: f64 = MARGIN + 190.0;
const RIGHT: f64 = WIDTH - MARGIN - 150.0;
/// The height of a bar, and of the room that it has.
const BAR: f64 = 16.0;
const ROW: f64 = 30.0;

/// The chart.
pub(in crate::report) fn tipping_chart(
    scenario: &Scenario,
    varied: &Varied,
    question: &Question,
    points: &[Tipping],
) -> Chart {
    let shows = format!("Tipping points: where {}", asked(question));
    let mut page = Page::new(scenario, &shows);
    page.legend(&[
        (Sample::Area(LOAD), "it holds"),
        (Sample::Line(TEXT), "the tipping point, with 95 % confidence"),
    ]);
    page.group(None, &varied.path);
    let number = |value: &str| varied.range.number(value).unwrap_or(0.0);
    let (low, high) = (number(&varied.range.low()), number(&varied.range.high()));
    let x = |value: f64| LEFT + (RIGHT - LEFT) * ((value - low) / (high - low)).clamp(0.0, 1.0);
    let (top, bottom) = (page.y + 4.0, page.y + 4.0 + ROW * points.len() as f64);
    let ticks = ticks(varied, low, high);
    for (value, _) in &ticks {
        page.drawing.line(vec![(x(*value), top), (x(*value), bottom)], GRID, 1);
    }
    for (index, point) in points.iter().enumerate() {
        let middle = top + ROW * (index as f64 + 0.5);
        let name = shorten(&scenario.arms[point.arm].name, NAME * BOLD, LEFT - MARGIN - 12.0);
        page.drawing.text(Text::new((LEFT - 8.0, middle), name).size(NAME).bold().align(Align::Right));
        row(&mut page.drawing, varied, &point.found, middle, &x);
    }
    ground(&mut page.drawing, LEFT, RIGHT, bottom);
    page.drawing.line(vec![(LEFT, top), (LEFT, bottom)], FAINT, 1);
    for (value, label) in ticks {
        page.drawing.text(Text::new((x(value), bottom + 14.0), label).align(Align::Centre));
    }
    page.y = bottom + 34.0;
    let times = match scenario.replications {
        1 => "once or more".to_owned(),
        many => format!("{many} times or more"),
    };
    let note = format!("Each value is run {times}: until it is shown to hold or to fail.");
    Chart::new("limits", page.close(&format!("seed {} · limits.csv", scenario.seed), &[&note]))
}

/// The bar of an arm, the whisker of its confidence, and the words behind it.
fn row(drawing: &mut Drawing, varied: &Varied, found: &Found, y: f64, x: &dyn Fn(f64) -> f64) {
    let number = |value: &String| varied.range.number(value).unwrap_or(0.0);
    let (from, to, words) = match found {
        Found::Everywhere => (LEFT, RIGHT, "at both ends".to_owned()),
        Found::Nowhere => (LEFT, LEFT, "at neither end".to_owned()),
        Found::Tips { side: Side::Below, value, .. } => {
            (LEFT, x(number(value)), format!("up to {}", in_words(varied, number(value))))
        }
        Found::Tips { side: Side::Above, value, .. } => {
            (x(number(value)), RIGHT, format!("from {}", in_words(varied, number(value))))
        }
    };
    if to > from {
        drawing.rectangle((from, y - BAR / 2.0), (to, y + BAR / 2.0), LOAD);
        drawing.line(vec![(to, y - BAR / 2.0), (to, y + BAR / 2.0)], LOAD_EDGE, 2);
    }
    if let Found::Tips { shown, failed, side, .. } = found {
        let (near, far) = match side {
            Side::Below => (LEFT, RIGHT),
            Side::Above => (RIGHT, LEFT),
        };
        let ends =
            (shown.as_ref().map_or(near, |v| x(number(v))), failed.as_ref().map_or(far, |v| x(number(v))));
        drawing.line(vec![(ends.0, y), (ends.1, y)], TEXT, 2);
        for end in [ends.0, ends.1] {
            drawing.line(vec![(end, y - 5.0), (end, y + 5.0)], TEXT, 2);
        }
    }
    let colour = if to > from { TEXT } else { MUTED };
    drawing.text(Text::new((RIGHT + 10.0, y), words).size(SMALL).colour(colour));
}

/// Ticks of the field between its ends, and at the lower one.
fn ticks(varied: &Varied, low: f64, high: f64) -> Vec<(f64, String)> {
    let all = if varied.range.unit() == "s" {
        time_ticks(high)
    } else {
        let values = Scale::linear(high).ticks(RIGHT - LEFT, 50.0);
        values.into_iter().map(|value| (value, in_words(varied, value))).collect()
    };
    let near = low + 0.06 * (high - low);
    let first = [(low, in_words(varied, low))];
    first.into_iter().chain(all.into_iter().filter(|(value, _)| (near..=high).contains(value))).collect()
}
