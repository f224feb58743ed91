//! `attempts.svg`: attempts by their number, which shows who retries together.
//!
//! Columns are stacked on a linear axis, because a herd is a matter of how many come at once. Each panel has its own, so
//! that the shape of small herds shows beside that of large ones; what they come to is said at its head. If only the
//! arrivals themselves tower above all retries, they are cut, and the panel says at what.

use super::axis::{Scale, time_label};
use super::drawing::Drawing;
use super::load::significant;
use super::page::{Page, Sample, Sheet, TIME_SERIES};
use super::panel::{Picture, Plot, panels, shaded};
use super::rates::{Bar, peak};
use super::{ATTEMPTS, BACKGROUND};
use crate::report::tables::Tables;
use crate::scenario::Scenario;

/// What the attempts are called, in the order of the columns of timeseries.csv.
const NAMES: [&str; ATTEMPTS.len()] =
    ["1st attempt", "2nd (first retry)", "3rd", "4th", "5th", "6th and later"];
/// How many columns of an arm may be cut.
const MOST_CUT: usize = 3;
/// From how many times the retries on the arrivals are cut.
const CUT_FROM: f64 = 1.5;

struct Herd;

/// The chart.
pub(super) fn chart(scenario: &Scenario, tables: &Tables, columns: usize) -> Sheet {
    let mut page = Page::new(scenario, "Attempts by their number over time: who retries together");
    let mut entries: Vec<_> = ATTEMPTS.into_iter().map(Sample::Area).zip(NAMES).collect();
    entries.extend(shaded(scenario).map(|name| (Sample::Incident, name)));
    page.legend(&entries);
    let notes = panels(&mut page, scenario, (tables, columns), &Herd);
    page.finish(scenario, TIME_SERIES, &notes)
}

impl Picture for Herd {
    fn height_means(&self, _: Scale) -> String {
        "attempts sent per second, stacked; each panel has a scale of its own".into()
    }

    fn shares_scale(&self) -> bool {
        false
    }

    fn scale(&self, arms: &[Vec<Bar>], _: Option<f64>) -> Scale {
        let offered = |bars: &[Bar]| bars.iter().map(Bar::offered).fold(0.0, f64::max);
        let highest = arms.iter().map(|bars| offered(bars)).fold(0.0, f64::max);
        let mostly_retries = |bar: &&Bar| bar.retries() > bar.offered() / 2.0;
        let herd = arms.iter().flatten().filter(mostly_retries).map(Bar::offered).fold(0.0, f64::max);
        let cut = |bars: &Vec<Bar>| bars.iter().filter(|bar| bar.offered() > herd).count();
        if herd > 0.0 && highest > CUT_FROM * herd && arms.iter().all(|bars| cut(bars) <= MOST_CUT) {
            return Scale::linear(herd);
        }
        Scale::linear(highest)
    }

    fn facts(&self, bars: &[Bar], scale: Scale) -> String {
        let retries = peak(bars, Bar::retries).map_or_else(
            || "no retries".to_owned(),
            |(rate, at)| {
                format!("retries up to {}/s, at {}", significant(rate), time_label((at * 1e9) as u64))
            },
        );
        match peak(bars, Bar::offered) {
            Some((rate, at)) if rate > scale.top * 1.000_001 => {
                let at = time_label((at * 1e9) as u64);
                format!("cut: {}/s at {at} · {retries}", significant(rate))
            }
            Some(_) => retries,
            None => String::new(),
        }
    }

    fn draw(&self, drawing: &mut Drawing, plot: &Plot, bars: &[Bar]) {
        for (number, fill) in ATTEMPTS.into_iter().enumerate().rev() {
            plot.columns(drawing, bars, |bar| bar.attempts[..=number].iter().sum(), fill);
        }
        for bar in bars.iter().filter(|bar| bar.offered() > plot.scale.top * 1.000_001) {
            let (from, to) = (plot.x(bar.from) - 2.0, plot.x(bar.to) + 2.0);
            drawing.line(vec![(from, plot.top + 9.0), (to, plot.top + 5.0)], BACKGROUND, 2);
        }
    }

    fn shows_limit(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(first: f64, second: f64) -> Bar {
        Bar { from: 0.0, to: 1.0, at: 0.0, attempts: [first, second, 0.0, 0.0, 0.0, 0.0], succeeded: 0.0 }
    }

    #[test]
    fn only_a_few_columns_of_arrivals_are_ever_cut() {
        for (bars, top) in [
            (vec![bar(500.0, 0.0), bar(0.0, 500.0)], 500.0),
            (vec![bar(500.0, 0.0), bar(0.0, 50.0)], 50.0),
            (vec![bar(10.0, 0.0), bar(10.0, 0.0), bar(10.0, 0.0), bar(10.0, 0.0), bar(0.0, 1.0)], 10.0),
            (vec![bar(500.0, 0.0)], 500.0),
            (vec![], 1.0),
        ] {
            assert_eq!(Herd.scale(&[bars], None).top, top);
        }
    }
}
