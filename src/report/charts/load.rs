//! `load.svg`: what the service is asked to do, and what comes of it.
//!
//! A herd can be fifty times the limit while the goodput is a tenth of it. A linear axis would hide the one or cut the
//! other, a logarithmic one has no zero. So the axis is linear up to the limit and logarithmic above, and says so.

use super::axis::{Scale, number_label, round_up, time_label};
use super::drawing::Drawing;
use super::page::{Page, Sample, Sheet, TIME_SERIES};
use super::panel::{Picture, Plot, panels, shaded};
use super::rates::{Bar, peak};
use super::{GOODPUT, LOAD, LOAD_EDGE, TEXT};
use crate::report::tables::Tables;
use crate::scenario::Scenario;

/// From how many times the limit on a linear axis would hide what lies below it.
const BREAK_FROM: f64 = 4.0;

struct Load;

/// The chart.
pub(super) fn chart(scenario: &Scenario, tables: &Tables, columns: usize) -> Sheet {
    let mut page = Page::new(scenario, "Offered load and goodput over time");
    let mut entries = vec![
        (Sample::Area(LOAD), "offered load: attempts sent per second"),
        (Sample::Line(GOODPUT), "goodput: requests succeeded per second"),
    ];
    if scenario.services.iter().any(|service| !service.config.rate_limit.is_empty()) {
        entries.push((Sample::Dashed(TEXT), "rate limit"));
    }
    entries.extend(shaded(scenario).map(|name| (Sample::Incident, name)));
    page.legend(&entries);
    let notes = panels(&mut page, scenario, (tables, columns), &Load);
    page.finish(scenario, TIME_SERIES, &notes)
}

impl Picture for Load {
    fn height_means(&self, scale: Scale) -> String {
        if scale.is_broken() {
            format!("per second; linear from 0 to {}, logarithmic above", number_label(scale.linear_to))
        } else {
            "per second".into()
        }
    }

    fn shares_scale(&self) -> bool {
        true
    }

    fn scale(&self, arms: &[Vec<Bar>], limit: Option<f64>) -> Scale {
        let most = |of: fn(&Bar) -> f64| arms.iter().flatten().map(of).fold(0.0, f64::max);
        let (load, goodput) = (most(Bar::offered), most(|bar| bar.succeeded));
        let highest = load.max(goodput);
        let knee = limit.unwrap_or(if goodput > 0.0 { round_up(goodput) } else { 0.0 });
        if knee > 0.0 && highest > BREAK_FROM * knee {
            return Scale::broken(knee, highest);
        }
        // A limit far above everything would squeeze what there is to see.
        let reached = limit.filter(|&limit| limit < BREAK_FROM * highest);
        Scale::linear(highest.max(reached.unwrap_or(0.0)))
    }

    fn facts(&self, bars: &[Bar], _: Scale) -> String {
        let fact = |(rate, at): (f64, f64)| {
            format!("offered load up to {}/s, at {}", significant(rate), time_label((at * 1e9) as u64))
        };
        peak(bars, Bar::offered).map(fact).unwrap_or_default()
    }

    fn draw(&self, drawing: &mut Drawing, plot: &Plot, bars: &[Bar]) {
        plot.columns(drawing, bars, Bar::offered, LOAD);
        for run in bars.chunk_by(|a, b| (a.offered() > 0.0) == (b.offered() > 0.0)) {
            if run[0].offered() > 0.0 {
                drawing.line(plot.steps(run, Bar::offered), LOAD_EDGE, 1);
            }
        }
        if bars.iter().any(|bar| bar.succeeded > 0.0) {
            drawing.line(plot.steps(bars, |bar| bar.succeeded), GOODPUT, 2);
        }
    }

    fn shows_limit(&self) -> bool {
        true
    }
}

/// Three significant digits, as people say them.
pub(super) fn significant(rate: f64) -> String {
    let rounded: f64 = format!("{rate:.2e}").parse().unwrap_or(rate);
    number_label(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arms(load: f64, goodput: f64) -> Vec<Vec<Bar>> {
        let attempts = [load, 0.0, 0.0, 0.0, 0.0, 0.0];
        vec![vec![Bar { from: 0.0, to: 1.0, at: 0.0, attempts, succeeded: goodput }]]
    }

    #[test]
    fn the_axis_breaks_at_the_limit_if_a_herd_dwarfs_it() {
        for (load, goodput, limit, linear_to, top) in [
            (500.0, 10.0, Some(10.0), 10.0, 500.0),
            (30.0, 10.0, Some(10.0), 30.0, 30.0),
            (5.0, 5.0, Some(10.0), 10.0, 10.0),
            (5.0, 5.0, Some(1000.0), 5.0, 5.0),
            (500.0, 9.0, None, 10.0, 500.0),
            (500.0, 0.0, None, 500.0, 500.0),
            (0.0, 0.0, Some(10.0), 1.0, 1.0),
        ] {
            let scale = Load.scale(&arms(load, goodput), limit);
            assert_eq!((scale.linear_to, scale.top), (linear_to, top), "{load} {goodput} {limit:?}");
        }
    }
}
