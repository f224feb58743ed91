//! `load.svg`: what the service is asked to do, and what comes of it.
//!
//! A herd can be fifty times the limit while the goodput is a tenth of it. A linear axis would hide the one or cut the
//! other, a logarithmic one has no zero. So the axis is linear up to the limit and logarithmic above, and says so. On such an
//! axis the thickness of a layer says nothing: the colours divide each column in the shares of the attempts, which on a linear
//! axis is the same as to stack them.

use super::axis::{Scale, number_label, round_up};
use super::drawing::Drawing;
use super::page::{Page, Sample, Sheet, TIME_SERIES};
use super::panel::{Plot, Shown, head, limit_words, shaded, time_axis, when, whose};
use super::rates::{Bar, attempt_numbers, bars, peak};
use super::{ACCEPTED, ATTEMPTS, BACKGROUND, Detail, GOODPUT, TEXT};
use crate::report::tables::Tables;
use crate::scenario::{Scenario, Workload};

/// From how many times the limit on a linear axis would hide what lies below it.
const BREAK_FROM: f64 = 4.0;
/// Where the plots end: behind them is the room for the limit.
pub(super) const RIGHT: f64 = super::page::WIDTH - super::page::MARGIN - 104.0;

/// What the attempts are called, in the order of the columns of timeseries.csv.
const NAMES: [&str; ATTEMPTS.len()] =
    ["1st attempts", "2nd (first retries)", "3rd", "4th", "5th", "6th and later"];

/// The chart.
pub(super) fn chart(scenario: &Scenario, tables: &Tables, detail: Detail) -> Sheet {
    let mut page = Page::new(scenario, "Offered load by attempt number, and goodput, over time");
    let shown = Shown::of(scenario, tables, detail);
    let all: Vec<Vec<Vec<Bar>>> = (0..scenario.workloads.len())
        .map(|index| {
            let courses = tables.arms.iter().map(|arm| &arm[index]);
            courses.map(|course| bars(scenario, course, shown.bins, detail.columns)).collect()
        })
        .collect();
    let turned_away = all.iter().flatten().flatten().any(Bar::is_cut);
    legend(&mut page, scenario, tables, turned_away);
    let height = panel_height(scenario);
    for ((index, workload), arms) in scenario.workloads.iter().enumerate().zip(&all) {
        let service = &scenario.services[workload.service];
        let limit = service.config.limit_per_second(scenario.callers_of(workload.service));
        let scale = scale(arms, limit);
        page.group(whose(scenario, workload).as_deref(), &height_means(scale));
        let shared = scenario.workloads.iter().filter(|other| other.service == workload.service).count() > 1;
        for (number, bars) in arms.iter().enumerate() {
            page.of_arm(number, |page| {
                head(page, &scenario.arms[number].name, &facts(bars), RIGHT);
                let incidents = &service.config.incidents;
                let plot = Plot::below(page, (height, RIGHT), &shown, scale, incidents);
                plot.under(&mut page.drawing, incidents);
                draw(&mut page.drawing, &plot, bars);
                if let Some(limit) = limit {
                    plot.limit(&mut page.drawing, limit, &limit_words(limit, shared), TEXT);
                }
                let silent = bars.iter().all(|bar| bar.offered() == 0.0 && bar.succeeded == 0.0);
                plot.close(&mut page.drawing, silent.then_some("no attempts were sent"));
                read_off(
                    &mut page.drawing,
                    &plot,
                    &self::bars(scenario, &tables.arms[number][index], shown.bins, usize::MAX),
                );
                page.y = plot.bottom + 16.0;
            });
        }
        page.y -= 4.0;
        time_axis(&mut page, &shown, RIGHT);
    }
    let rest = shown.notes(scenario);
    let accepted = if turned_away {
        "Accepted: attempts less those that the limit turned away (limited) or for which there was no room (overloaded)."
    } else {
        ""
    };
    page.finish(scenario, TIME_SERIES, &[accepted, &rest])
}

/// How high a panel is, so that few are large and many still fit.
fn panel_height(scenario: &Scenario) -> f64 {
    match scenario.workloads.len() * scenario.arms.len() {
        1 => 280.0,
        2..=3 => 150.0,
        4..=6 => 96.0,
        _ => 72.0,
    }
}

fn legend(page: &mut Page, scenario: &Scenario, tables: &Tables, turned_away: bool) {
    let numbers = attempt_numbers(tables);
    let mut entries: Vec<_> = ATTEMPTS.into_iter().map(Sample::Area).zip(NAMES).take(numbers).collect();
    page.legend(&entries);
    page.y -= 4.0;
    entries.clear();
    if turned_away {
        entries.push((Sample::Line(ACCEPTED), "accepted attempts, where fewer"));
    }
    entries.push((Sample::Line(GOODPUT), "goodput: requests succeeded"));
    let limit = |workload: &Workload| {
        scenario.services[workload.service].config.limit_per_second(scenario.callers_of(workload.service))
    };
    if scenario.workloads.iter().any(|workload| limit(workload).is_some()) {
        entries.push((Sample::Dashed(TEXT), "rate limit"));
    }
    entries.extend(shaded(scenario).map(|name| (Sample::Incident, name)));
    page.legend(&entries);
}

fn height_means(scale: Scale) -> String {
    if scale.is_broken() {
        format!(
            "per second; linear from 0 to {}, logarithmic above; colours divide a column by the shares of the attempts",
            number_label(scale.linear_to)
        )
    } else {
        "per second; attempts are stacked by their number".into()
    }
}

/// The scale of panels that show these arms of a workload, whose service has this limit per second.
fn scale(arms: &[Vec<Bar>], limit: Option<f64>) -> Scale {
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

/// What is said at the end of a panel's head.
fn facts(bars: &[Bar]) -> String {
    let fact =
        |(rate, at): (f64, f64)| format!("offered load up to {}/s, at {}", significant(rate), when(at));
    peak(bars, Bar::offered).map(fact).unwrap_or_default()
}

fn draw(drawing: &mut Drawing, plot: &Plot<'_>, bars: &[Bar]) {
    let numbers = bars.iter().map(Bar::numbers).max().unwrap_or(0);
    for (number, fill) in ATTEMPTS.into_iter().enumerate().take(numbers).rev() {
        let height = |bar: &Bar| plot.scale.height(bar.offered()) * bar.share(number);
        let columns: Vec<_> = bars.iter().map(|bar| (bar.from, bar.to, height(bar))).collect();
        plot.columns(drawing, &columns, fill);
    }
    let steps = |of: fn(&Bar) -> f64, bars: &[Bar]| {
        plot.steps(bars.iter().map(|bar| (bar.from, bar.to, plot.scale.height(of(bar)))))
    };
    // Where all are accepted the line would hide the edge of what is offered.
    for run in bars.chunk_by(|a, b| a.is_cut() == b.is_cut()).filter(|run| run[0].is_cut()) {
        drawing.line(steps(|bar| bar.accepted, run), ACCEPTED, 1);
    }
    if bars.iter().any(|bar| bar.succeeded > 0.0) {
        let goodput = steps(|bar| bar.succeeded, bars);
        // An edge of the colour of the page, so that it shows on dark layers as well.
        if !plot.shown.is_coarse() {
            drawing.line(goodput.clone(), BACKGROUND, 4);
        }
        drawing.line(goodput, GOODPUT, 2);
    }
}

fn read_off(drawing: &mut Drawing, plot: &Plot<'_>, bars: &[Bar]) {
    let names = ["offered load (1/s)", "retries (1/s)", "accepted (1/s)", "goodput (1/s)"].map(str::to_owned);
    let values = |bar: &Bar| {
        let offered = bar.offered();
        (bar.at, vec![offered, offered - bar.attempts[0], bar.accepted, bar.succeeded])
    };
    plot.readout(drawing, names.to_vec(), &bars.iter().map(values).collect::<Vec<_>>());
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
        vec![vec![Bar { from: 0.0, to: 1.0, at: 0.0, attempts, accepted: load, succeeded: goodput }]]
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
            let scale = scale(&arms(load, goodput), limit);
            assert_eq!((scale.linear_to, scale.top), (linear_to, top), "{load} {goodput} {limit:?}");
        }
    }
}
