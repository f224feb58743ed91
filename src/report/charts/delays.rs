//! A chart of policies: when each of their retries comes, from the first failure on.

use super::axis::{time_label, time_ticks};
use super::drawing::{Align, Drawing, Text};
use super::page::{MARGIN, Page, Sample, WIDTH, ground};
use super::text::{BOLD, NAME, SMALL, shorten, width};
use super::{Chart, GRID, LOAD, LOAD_EDGE, MUTED, TEXT};
use crate::experiment::DelaySummary;
use crate::report::number::duration;

const LEFT: f64 = MARGIN + 48.0;
const RIGHT: f64 = WIDTH - MARGIN - 250.0;
/// The room of a retry.
const ROW: f64 = 16.0;
/// How many times as long as another a policy may last on a linear axis.
const SQUEEZED: f64 = 10.0;
/// The most retries of a policy that are shown.
const MOST: usize = 40;

/// The chart of policies (name, retries), of whose requests so many were drawn with this seed; `file` is the CSV that says the same.
pub(in crate::report) fn delays_chart(
    policies: &[(String, Vec<DelaySummary>)],
    (seed, samples): (u64, u32),
    file: &str,
) -> Chart {
    let title = match policies {
        [(name, _)] => format!("When the retries of {name} come"),
        _ => format!("When the retries of {} policies come", policies.len()),
    };
    let mut page =
        Page::headed(None, &title, "Time from the first failure to each retry, if attempts take no time");
    page.legend(&[
        (Sample::Line(LOAD_EDGE), "from the earliest to the latest"),
        (Sample::Area(LOAD), "from the 5 % to the 95 % quantile"),
        (Sample::Line(TEXT), "median"),
    ]);
    let axis = Axis::over(policies);
    let x = |seconds: f64| axis.x(seconds);
    let ticks = axis.ticks();
    for (name, retries) in policies {
        page.y += 8.0;
        let name = shorten(name, NAME * BOLD, RIGHT - LEFT);
        page.line_of_text(Text::new((LEFT, 0.0), name).size(NAME).bold(), 12.0);
        let rows = retries.len().min(MOST);
        let (top, bottom) = (page.y, page.y + ROW * rows.max(1) as f64);
        for (seconds, _) in &ticks {
            page.drawing.line(vec![(x(*seconds), top), (x(*seconds), bottom)], GRID, 1);
        }
        for (row, retry) in retries.iter().take(MOST).enumerate() {
            draw(&mut page.drawing, retry, top + ROW * (row as f64 + 0.5), &x);
        }
        ground(&mut page.drawing, LEFT, RIGHT, bottom);
        page.y = bottom + 12.0;
        let rest = match retries.len() - rows {
            0 if rows == 0 => "no retry".to_owned(),
            0 => String::new(),
            more => format!("{more} more retries are not shown"),
        };
        if !rest.is_empty() {
            page.line_of_text(Text::new((LEFT, 0.0), rest).colour(MUTED), 16.0);
        }
    }
    let mut free_from = 0.0;
    for (seconds, label) in &ticks {
        let half = width(label, SMALL) / 2.0;
        if x(*seconds) - half > free_from {
            page.drawing.text(Text::new((x(*seconds), page.y), label).align(Align::Centre));
            free_from = x(*seconds) + half + 8.0;
        }
    }
    let words =
        if axis.low.is_some() { "since the first failure, logarithmic" } else { "since the first failure" };
    page.line_of_text(Text::new((RIGHT + 30.0, 0.0), words).colour(MUTED), 14.0);
    let source = format!("seed {seed} · {samples} requests drawn · {file}");
    Chart::new("delays", page.close(&source, &[]))
}

/// From the first failure to the last retry.
struct Axis {
    /// Where it begins if it is logarithmic, in seconds.
    low: Option<f64>,
    high: f64,
}

impl Axis {
    /// Logarithmic if a policy would be squeezed into a corner by another.
    fn over(policies: &[(String, Vec<DelaySummary>)]) -> Self {
        let shown = || policies.iter().map(|(_, retries)| &retries[..retries.len().min(MOST)]);
        let length = |retries: &[DelaySummary]| {
            retries.iter().map(|retry| retry.passed_range.1.as_secs_f64()).fold(0.0, f64::max)
        };
        let lengths = || shown().map(length).filter(|&length| length > 0.0);
        let (least, most) = (lengths().fold(f64::INFINITY, f64::min), lengths().fold(0.0, f64::max));
        let high = if most > 0.0 { most * 1.02 } else { 1.0 };
        let first = shown().flatten().map(|retry| retry.passed[0]).filter(|&first| first > 0.0);
        let low = first.fold(f64::INFINITY, f64::min);
        Self { low: (most > SQUEEZED * least && low.is_finite()).then(|| low / 2.0), high }
    }

    fn x(&self, seconds: f64) -> f64 {
        let share = match self.low {
            None => seconds / self.high,
            Some(low) => libm::log(seconds.max(low) / low) / libm::log(self.high / low),
        };
        LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        let Some(low) = self.low else { return time_ticks(self.high) };
        let decades =
            (0..9).map(|power| 1_000 * 10_u64.pow(power)).take_while(|&nanos| nanos < 60_000_000_000);
        let minutes = [1, 10, 60, 600, 1_440, 14_400, 144_000].map(|minutes| minutes * 60_000_000_000);
        let marks = decades.chain(minutes).filter(|&nanos| (low..=self.high).contains(&(nanos as f64 / 1e9)));
        marks.map(|nanos| (nanos as f64 / 1e9, time_label(nanos))).collect()
    }
}

/// A retry: its number, its range, its middle and the same in words.
fn draw(drawing: &mut Drawing, retry: &DelaySummary, y: f64, x: &dyn Fn(f64) -> f64) {
    let (min, max) = (retry.passed_range.0.as_secs_f64(), retry.passed_range.1.as_secs_f64());
    let [low, _, median, _, high] = retry.passed;
    drawing.text(Text::new((LEFT - 8.0, y), retry.retry.to_string()).align(Align::Right));
    if x(high) - x(low) >= 1.0 {
        drawing.rectangle((x(low), y - 5.0), (x(high), y + 5.0), LOAD);
    }
    if max > min {
        drawing.line(vec![(x(min), y), (x(max), y)], LOAD_EDGE, 1);
    }
    drawing.line(vec![(x(median), y - 6.0), (x(median), y + 6.0)], TEXT, 2);
    let range = if max > min { format!(" ({} to {})", duration(min), duration(max)) } else { String::new() };
    drawing.text(Text::new((RIGHT + 12.0, y), format!("{}{range}", duration(median))));
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_legible;
    use super::*;
    use crate::experiment::{Drawing as Draws, delays};
    use crate::policy::PolicyConfig;

    fn drawn(text: &str) -> (String, Vec<DelaySummary>) {
        let config: PolicyConfig = toml::from_str(text).unwrap();
        let draws = Draws { retries: 6, samples: 100, seed: 1, outcome: None, retry_after: None };
        (
            "a policy whose name is longer than anybody would ever make it".repeat(3),
            delays(&config, draws).unwrap(),
        )
    }

    #[test]
    fn policies_of_any_length_can_be_read_beside_each_other() {
        let short =
            drawn("retries = 6\nbackoff.exponential = { base = '100ms', factor = 2 }\njitter = 'full'");
        let long = drawn("retries = 6\nbackoff.fixed = '1h'");
        let none = ("none".to_owned(), Vec::new());
        for (policies, logarithmic) in [
            (vec![short.clone()], false),
            (vec![short.clone(), long.clone(), none.clone()], true),
            (vec![long, none.clone()], false),
            (vec![none], false),
        ] {
            let chart = delays_chart(&policies, (7, 100), "delays.csv");
            assert_legible("delays", &chart.sheet.shapes, chart.sheet.height);
            let svg = String::from_utf8(chart.svg()).unwrap();
            assert_eq!(svg.contains("logarithmic"), logarithmic);
            assert!(svg.contains("seed 7 · 100 requests drawn · delays.csv") && !svg.contains("NaN"));
        }
    }
}
