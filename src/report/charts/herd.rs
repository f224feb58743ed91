//! `herd.svg`: when the first attempts are sent, the second ones, and so on, which shows who retries together.
//!
//! A ridge per attempt number. Each is drawn to its own height, so that the shape of a small wave shows beside that of a large one;
//! what it comes to is said at its end.

use super::axis::Scale;
use super::drawing::{Align, Drawing, Text};
use super::load::significant;
use super::page::{MARGIN, Page, Sample, Sheet, TIME_SERIES, WIDTH};
use super::panel::{LEFT, Plot, Shown, head, shaded, time_axis, when, whose};
use super::rates::{Ridge, attempts_of, ridge};
use super::{ATTEMPTS, BACKGROUND, Detail, FAINT, MUTED};
use crate::metrics::ATTEMPT_COLUMNS;
use crate::report::tables::{Course, Tables};
use crate::scenario::Scenario;
use crate::service::Incident;

/// What the ridges are called, in the order of the columns of timeseries.csv.
const NAMES: [&str; ATTEMPTS.len()] = ["1st", "2nd", "3rd", "4th", "5th", "6th+"];
/// Where the plots end: behind them is the room for what the ridges come to.
const RIGHT: f64 = WIDTH - MARGIN - 190.0;
/// How far a peak rises into the room of the ridge above, in rooms.
const RISE: f64 = 1.15;
/// The room of a ridge: with few and with many of them.
const ROOM: (f64, f64) = (30.0, 20.0);
/// From how many ridges on they are many.
const MANY: usize = 24;

/// The chart.
pub(super) fn chart(scenario: &Scenario, tables: &Tables, detail: Detail) -> Sheet {
    let mut page = Page::new(scenario, "When attempts are sent, by their number: who retries together");
    let entries: Vec<_> = shaded(scenario).map(|name| (Sample::Incident, name)).into_iter().collect();
    if entries.is_empty() {
        page.y -= 8.0;
    } else {
        page.legend(&entries);
    }
    // Ridges are many more than panels.
    let columns = if detail.rich { detail.columns } else { detail.columns / 2 };
    let shown = Shown::of(scenario, tables, Detail { columns, ..detail });
    let ridges = tables.arms.iter().flatten().map(attempts_of).sum::<usize>();
    let room = if ridges < MANY { ROOM.0 } else { ROOM.1 };
    for (index, workload) in scenario.workloads.iter().enumerate() {
        let incidents = &scenario.services[workload.service].config.incidents;
        let means = "a ridge per attempt number, each to a height of its own: its peak stands at its end";
        page.group(whose(scenario, workload).as_deref(), means);
        for (number, arm) in scenario.arms.iter().enumerate() {
            page.of_arm(number, |page| {
                let course = &tables.arms[number][index];
                head(page, &arm.name, "", RIGHT);
                block(page, scenario, course, (&shown, room), incidents);
            });
        }
        page.y -= 4.0;
        time_axis(&mut page, &shown, RIGHT);
    }
    page.finish(scenario, TIME_SERIES, &[&shown.notes(scenario)])
}

/// The ridges of an arm, the first attempts at the top.
fn block(
    page: &mut Page,
    scenario: &Scenario,
    course: &Course,
    (shown, room): (&Shown, f64),
    incidents: &[Incident],
) {
    let ridges: Vec<Ridge> = (0..attempts_of(course))
        .map(|number| ridge(scenario, course, shown.bins, shown.detail.columns, ATTEMPT_COLUMNS[number]))
        .collect();
    let rows = ridges.len().max(1) as f64;
    let height = rows * room + 8.0;
    let plot = Plot::below(page, (height, RIGHT), shown, Scale::linear(1.0), incidents);
    plot.shade(&mut page.drawing, incidents);
    for (number, ridge) in ridges.iter().enumerate() {
        let bottom = plot.bottom - (rows - 1.0 - number as f64) * room;
        let row = Plot { top: bottom - room * RISE, bottom, scale: Scale::linear(1.0), ..plot };
        draw(&mut page.drawing, &row, number, ridge);
    }
    plot.close(&mut page.drawing, ridges.is_empty().then_some("no attempts were sent"));
    read_off(&mut page.drawing, &plot, scenario, course, ridges.len());
    page.y = plot.bottom + 14.0;
}

fn draw(drawing: &mut Drawing, row: &Plot<'_>, number: usize, ridge: &Ridge) {
    drawing.line(vec![(LEFT, row.bottom), (RIGHT, row.bottom)], FAINT, 1);
    let Some((peak, at)) = ridge.peak else { return };
    let columns: Vec<_> = ridge.columns.iter().map(|&(from, to, rate)| (from, to, rate / peak)).collect();
    let rises = |column: &(f64, f64, f64)| column.2 > 0.05;
    let edged = |run: &&[(f64, f64, f64)]| rises(&run[0]) && !row.shown.is_coarse();
    for run in columns.chunk_by(|a, b| rises(a) == rises(b)).filter(edged) {
        // An edge of the colour of the page holds ridges apart that overlap.
        drawing.line(row.steps(run.iter().copied()), BACKGROUND, 2);
    }
    row.columns(drawing, &columns, ATTEMPTS[number]);
    let y = row.bottom - 7.0;
    drawing.text(Text::new((LEFT - 6.0, y), NAMES[number]).align(Align::Right));
    let words = format!("up to {}/s, at {}", significant(peak), when(at));
    drawing.text(Text::new((RIGHT + 8.0, y), words).colour(MUTED));
}

fn read_off(drawing: &mut Drawing, plot: &Plot<'_>, scenario: &Scenario, course: &Course, numbers: usize) {
    let names = NAMES[..numbers].iter().map(|name| format!("{name} attempts (1/s)")).collect();
    let all: Vec<Ridge> = ATTEMPT_COLUMNS[..numbers]
        .iter()
        .map(|&column| ridge(scenario, course, plot.shown.bins, usize::MAX, column))
        .collect();
    let Some(first) = all.first() else { return };
    let values = |bin: usize| all.iter().map(|ridge| ridge.columns[bin].2).collect();
    let bins: Vec<_> =
        first.columns.iter().enumerate().map(|(bin, &(from, ..))| (from, values(bin))).collect();
    plot.readout(drawing, names, &bins);
}
