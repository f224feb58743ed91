//! `differences.svg`: how each arm differs from the baseline, and how sure that is.

use super::axis::{number_label, round_up, time_label, time_ticks};
use super::drawing::{Align, Drawing, Point, Rgb, Text};
use super::page::{MARGIN, Page, Sample, Sheet, WIDTH, ground};
use super::text::{SMALL, shorten, width};
use super::{BETTER, GRID, MUTED, TEXT, WORSE};
use crate::report::number::{duration, short};
use crate::report::tables::{ComparisonRow, Tables};
use crate::scenario::Scenario;

const LEFT: f64 = MARGIN + 170.0;
const RIGHT: f64 = WIDTH - MARGIN - 250.0;
/// The room of an arm.
const ROW: f64 = 18.0;

/// The metrics that are shown: as they are called, in which unit, and what a unit is counted in.
const SHOWN: [(&str, &str, Counted); 4] = [
    ("success_rate", "percentage points of all requests", Counted::Points),
    ("attempts_per_request", "attempts per request", Counted::Number),
    ("time_to_success_p99", "time, of requests that succeeded", Counted::Time),
    ("offered_load_peak", "attempts per second, over all workloads of the service", Counted::Number),
];

/// What differences are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Points,
    Number,
    Time,
}

impl Counted {
    /// A difference with its sign, in words.
    fn words(self, difference: f64) -> String {
        let size = difference.abs();
        signed(
            difference,
            &match self {
                _ if size.is_infinite() => "endless".into(),
                Self::Points => short(size * 100.0),
                Self::Number => short(size),
                Self::Time => duration(size),
            },
        )
    }

    /// The label of a tick.
    fn label(self, value: f64) -> String {
        let size = value.abs();
        signed(
            value,
            &match self {
                Self::Points => number_label(size * 100.0),
                Self::Number => number_label(size),
                Self::Time => time_label(libm::round(size * 1e9) as u64),
            },
        )
    }

    /// From tick to tick on an axis that is so long.
    fn step(self, length: f64) -> f64 {
        match self {
            Self::Points | Self::Number => round_up(length / 5.0),
            Self::Time => time_ticks(length * 1.5).get(1).map_or(length, |tick| tick.0),
        }
    }
}

/// Words for the size of a difference, behind its sign.
fn signed(difference: f64, words: &str) -> String {
    match difference {
        d if d > 0.0 => format!("+{words}"),
        d if d < 0.0 => format!("−{words}"),
        _ => words.to_owned(),
    }
}

/// How a difference is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Better,
    Worse,
    Unclear,
    Untold,
}

impl Mark {
    fn of(verdict: &str) -> Self {
        match verdict {
            "better" => Self::Better,
            "worse" => Self::Worse,
            "" => Self::Untold,
            _ => Self::Unclear,
        }
    }

    const fn colour(self) -> Rgb {
        match self {
            Self::Better => BETTER,
            Self::Worse => WORSE,
            Self::Unclear | Self::Untold => MUTED,
        }
    }

    /// Its sign at a place.
    pub(super) fn draw(self, drawing: &mut Drawing, (x, y): Point) {
        let corners = |corners: &[Point]| corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
        match self {
            Self::Better => drawing.area(corners(&[(0.0, -6.0), (6.0, 5.0), (-6.0, 5.0)]), BETTER),
            Self::Worse => drawing.area(corners(&[(0.0, 6.0), (6.0, -5.0), (-6.0, -5.0)]), WORSE),
            Self::Unclear => {
                let ring: Vec<Point> = (0..=16)
                    .map(|turn| {
                        let angle = f64::from(turn) * std::f64::consts::PI / 8.0;
                        (5.0 * libm::cos(angle), 5.0 * libm::sin(angle))
                    })
                    .collect();
                drawing.line(corners(&ring), MUTED, 2);
            }
            Self::Untold => drawing.line(corners(&[(0.0, -5.0), (0.0, 5.0)]), MUTED, 2),
        }
    }
}

/// The chart, unless there is but one arm.
pub(super) fn chart(scenario: &Scenario, tables: &Tables) -> Option<Sheet> {
    let told =
        |row: &ComparisonRow| row.difference.is_some() && SHOWN.iter().any(|shown| shown.0 == row.metric);
    if !tables.comparison.iter().any(told) {
        return None;
    }
    let baseline = &scenario.arms[scenario.baseline].name;
    let mut page = Page::new(scenario, &format!("Differences from {baseline}, paired by replication"));
    page.legend(&[
        (Sample::Verdict(Mark::Better), "better"),
        (Sample::Verdict(Mark::Worse), "worse"),
        (Sample::Verdict(Mark::Unclear), "no clear difference"),
        (Sample::Verdict(Mark::Untold), "too few replications to tell"),
    ]);
    let several = scenario.workloads.len() > 1 || scenario.services.len() > 1;
    let per_workload = scenario.workloads.iter().map(|workload| {
        (
            format!("workload {}", workload.name),
            workload.name.as_str(),
            scenario.services[workload.service].name.as_str(),
        )
    });
    let per_service = scenario
        .services
        .iter()
        .map(|service| (format!("service {}", service.name), "", service.name.as_str()));
    for (words, workload, service) in per_workload.chain(per_service) {
        let of = |metric: &str| -> Vec<&ComparisonRow> {
            let is_it = |row: &&ComparisonRow| {
                (row.workload.as_str(), row.service.as_str(), row.metric.as_str())
                    == (workload, service, metric)
            };
            tables.comparison.iter().filter(is_it).collect()
        };
        let blocks: Vec<_> = SHOWN
            .into_iter()
            .map(|shown| (shown, of(shown.0)))
            .filter(|(_, rows)| rows.iter().any(|row| row.difference.is_some()))
            .collect();
        if several && !blocks.is_empty() {
            page.group(Some(&words), "difference from the baseline, with its 95 % interval");
        }
        for (shown, rows) in blocks {
            block(&mut page, scenario, shown, &rows);
        }
    }
    let note = "Intervals are those of one difference; signs are adjusted for the number of arms. p99 and peak are compared by \
                the median of their differences.";
    Some(page.finish(scenario, "comparison.csv", &[note]))
}

/// One metric: an axis of its own, and a row for each arm but the baseline.
fn block(
    page: &mut Page,
    scenario: &Scenario,
    (metric, unit, counted): (&str, &str, Counted),
    rows: &[&ComparisonRow],
) {
    page.y += 6.0;
    page.line_of_text(Text::new((MARGIN, 0.0), metric).bold(), 0.0);
    let from = MARGIN + width(metric, SMALL) + 22.0;
    page.line_of_text(Text::new((from, 0.0), unit).colour(MUTED), 12.0);
    let axis = Axis::over(rows);
    let (top, bottom) = (page.y, page.y + ROW * rows.len() as f64);
    let mut free_from = 0.0;
    for value in axis.ticks(counted) {
        let x = axis.x(value);
        let colour = if value == 0.0 { TEXT } else { GRID };
        page.drawing.line(vec![(x, top), (x, bottom)], colour, 1);
        let label = counted.label(value);
        let half = width(&label, SMALL) / 2.0;
        if x - half > free_from {
            page.drawing.text(Text::new((x, bottom + 12.0), label).align(Align::Centre));
            free_from = x + half + 8.0;
        }
    }
    for (place, row) in rows.iter().enumerate() {
        let y = top + ROW * (place as f64 + 0.5);
        let index = scenario.arms.iter().position(|arm| arm.name == row.arm).unwrap_or_default();
        page.drawing.of_arm(index, |drawing| {
            let name = shorten(&row.arm, SMALL, LEFT - MARGIN - 12.0);
            drawing.text(Text::new((LEFT - 8.0, y), name).align(Align::Right));
            self::row(drawing, &axis, row, counted, y);
        });
    }
    ground(&mut page.drawing, LEFT, RIGHT, bottom);
    page.y = bottom + 28.0;
}

/// The interval of an arm, the sign of the verdict, and the numbers.
fn row(drawing: &mut Drawing, axis: &Axis, row: &ComparisonRow, counted: Counted, y: f64) {
    let mark = Mark::of(&row.verdict);
    let Some(difference) = row.difference else {
        drawing.text(Text::new((RIGHT + 14.0, y), "not observed in both").colour(MUTED));
        return;
    };
    let mut words = counted.words(difference);
    if let Some((low, high)) = row.ci95_low.zip(row.ci95_high) {
        drawing.line(vec![(axis.x(low), y), (axis.x(high), y)], mark.colour(), 2);
        words += &format!(" ({} to {})", counted.words(low), counted.words(high));
    }
    mark.draw(drawing, (axis.x(difference), y));
    drawing.text(Text::new((RIGHT + 14.0, y), words));
}

/// From where to where differences are shown, 0 included.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn over(rows: &[&ComparisonRow]) -> Self {
        let ends = rows.iter().flat_map(|row| [row.difference, row.ci95_low, row.ci95_high]).flatten();
        let (low, high) = ends
            .filter(|end| end.is_finite())
            .fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
        if low == high {
            return Self { low: -1.0, high: 1.0 };
        }
        let room = (high - low) * 0.06;
        Self { low: low - room, high: high + room }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    fn ticks(&self, counted: Counted) -> Vec<f64> {
        let step = counted.step(self.high - self.low);
        let (first, last) = (libm::ceil(self.low / step) as i64, libm::floor(self.high / step) as i64);
        (first..=last).map(|number| number as f64 * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_said_with_their_sign_and_unit() {
        for (counted, difference, words) in [
            (Counted::Points, 0.173, "+17.3"),
            (Counted::Number, -1.5, "−1.50"),
            (Counted::Time, -0.25, "−250 ms"),
            (Counted::Time, 0.0, "0 s"),
            (Counted::Time, f64::INFINITY, "+endless"),
        ] {
            assert_eq!(counted.words(difference), words);
        }
    }
}
