//! `phases.svg`: over two fields, where all is well, where it comes back, and where it never does.

use super::drawing::{Align, Drawing, Rgb, Text};
use super::page::{MARGIN, Page, Sample, WIDTH};
use super::text::{BOLD, NAME, SMALL, shorten, width};
use super::{Chart, FAINT, GRID, MUTED};
use crate::experiment::tipping::{Cell, Phase, PhaseMap};
use crate::scenario::Scenario;

const LEFT: f64 = MARGIN + 90.0;
/// The largest height of a cell, and of a map.
const CELL: f64 = 34.0;
const MAP: f64 = 360.0;
/// From light to dark, so that a grey printer keeps their order; Okabe and Ito's blue, orange and black.
const COLOURS: [Rgb; 3] = [Rgb(178, 214, 238), Rgb(230, 159, 0), Rgb(60, 30, 40)];

/// The chart: a map per arm.
pub(in crate::report) fn phase_chart(
    scenario: &Scenario,
    paths: [&str; 2],
    condition: &str,
    map: &PhaseMap,
) -> Chart {
    let mut page = Page::new(scenario, &format!("Phases: {condition}, in most replications"));
    let [holds, recovers, never] = COLOURS.map(Sample::Area);
    let mut legend = vec![(holds, "holds")];
    if scenario.has_incidents() {
        legend.push((recovers, "fails, and goodput recovers"));
        legend.push((never, "fails, and goodput never recovers"));
    } else {
        legend.push((never, "fails; there is no incident to recover from"));
    }
    if map.cells.iter().flatten().flatten().any(|cell| cell.phase() == Phase::Unobserved) {
        legend.push((Sample::Area(GRID), "? not observed in any replication"));
    }
    page.legend(&legend);
    let across = (WIDTH - MARGIN - LEFT) / map.across.len() as f64;
    let across = across.min(2.0 * CELL);
    let up = (MAP / map.up.len() as f64).min(CELL);
    for (arm, cells) in scenario.arms.iter().zip(&map.cells) {
        page.group(None, &format!("{} upwards, {} to the right", paths[1], paths[0]));
        let name = shorten(&arm.name, NAME * BOLD, WIDTH - 2.0 * MARGIN);
        page.line_of_text(Text::new((LEFT, 0.0), name).size(NAME).bold(), 14.0);
        let bottom = page.y + up * map.up.len() as f64;
        for (row, (value, cells)) in map.up.iter().zip(cells).enumerate() {
            let y = bottom - up * row as f64;
            for (column, cell) in cells.iter().enumerate() {
                let x = LEFT + across * column as f64;
                draw(&mut page.drawing, *cell, (x, y - up), (x + across, y));
            }
            if thinned(row, map.up.len(), up, 14.0) {
                let label = shorten(value, SMALL, LEFT - MARGIN - 6.0);
                page.drawing.text(Text::new((LEFT - 6.0, y - up / 2.0), label).align(Align::Right));
            }
        }
        let widest = map.across.iter().map(|value| width(value, SMALL)).fold(0.0, f64::max);
        for (column, value) in map.across.iter().enumerate() {
            if thinned(column, map.across.len(), across, widest + 10.0) {
                let x = LEFT + across * (column as f64 + 0.5);
                page.drawing.text(Text::new((x, bottom + 12.0), value).align(Align::Centre));
            }
        }
        page.y = bottom + 30.0;
    }
    let note = "A number in a cell is the share of replications of its colour, in percent, of those that observed the condition.";
    Chart::new("phases", page.finish(scenario, "phases.csv", &[note]))
}

/// True of every so many labels that do not get in each other's way.
fn thinned(index: usize, count: usize, step: f64, room: f64) -> bool {
    let every = libm::ceil(room / step).max(1.0) as usize;
    index.is_multiple_of(every) && index < count
}

fn draw(drawing: &mut Drawing, cell: Cell, from: (f64, f64), to: (f64, f64)) {
    let phase = cell.phase();
    let place = Phase::OF_ONE.iter().position(|known| *known == phase);
    drawing.rectangle(from, to, FAINT);
    let colour = place.map_or(GRID, |place| COLOURS[place]);
    drawing.rectangle((from.0, from.1), (to.0 - 1.0, to.1 - 1.0), colour);
    let sign = match cell.shares().zip(place) {
        // Where all agree, the colour says it all.
        Some((shares, place)) if shares[place] == 1.0 => return,
        Some((shares, place)) => format!("{:.0}", shares[place] * 100.0),
        None => "?".to_owned(),
    };
    if width(&sign, SMALL) + 2.0 < to.0 - from.0 && to.1 - from.1 >= 12.0 {
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let colour = if phase == Phase::Never { Rgb(255, 255, 255) } else { MUTED };
        drawing.text(Text::new(middle, sign).align(Align::Centre).colour(colour));
    }
}
