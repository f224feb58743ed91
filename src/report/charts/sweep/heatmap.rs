//! `heatmap-METRIC.svg`: over two axes, a map per arm, the darker the more.

use super::super::drawing::{Align, Drawing, Rgb, Text};
use super::super::page::{MARGIN, Page, Sheet, WIDTH};
use super::super::text::{BOLD, NAME, SMALL, shorten, width};
use super::super::{BACKGROUND, FAINT, MUTED};
use super::along::{levels, plain};
use super::{Seen, Study, called, observed};
use crate::report::sweep::{Subject, shown};
use crate::scenario::Metric;

/// Light to dark, so that it reads the same in grey and to colour-blind eyes: viridis, turned round.
const COLOURS: [Rgb; 5] =
    [Rgb(253, 231, 37), Rgb(94, 201, 98), Rgb(33, 145, 140), Rgb(59, 82, 139), Rgb(68, 1, 84)];
/// What never happens.
const NEVER: Rgb = Rgb(90, 90, 90);
/// Up to how many columns two maps stand beside each other.
const MOST_BESIDE: usize = 8;
/// The widest labels at the left of a map.
const WIDEST_LABEL: f64 = 96.0;
/// The least height of a cell that is written in.
const WRITTEN_FROM: f64 = 14.0;
/// From which ratio of the largest to the smallest the colours are logarithmic.
const LOGARITHMIC_FROM: f64 = 50.0;
const GAP: f64 = 24.0;

/// The two axes: levels, and the level of each point.
struct Grid {
    columns: Vec<String>,
    rows: Vec<String>,
    /// Index of the point in each cell, row by row.
    points: Vec<Option<usize>>,
}

/// Which colour a value has.
#[derive(Clone, Copy)]
struct Colours {
    metric: Metric,
    low: f64,
    high: f64,
    logarithmic: bool,
}

/// The chart of a metric as SVG.
pub(super) fn chart(study: &Study<'_>, metric: Metric) -> Sheet {
    let grid = Grid::of(study);
    let [rows, columns] = [&study.plan.axes[0], &study.plan.axes[1]];
    let mut page = study.page(&format!("{} by {columns} and {rows}", metric.name()));
    for figure in study.figures(metric) {
        maps(&mut page, study, figure, &grid);
    }
    study.close(page, &["Cells: means; their 95 % intervals are in sweep.csv."])
}

fn maps(page: &mut Page, study: &Study<'_>, figure: &(Metric, Subject), grid: &Grid) {
    let arms = study.arms(figure);
    let colours = Colours::of(figure.0, &observed(&arms));
    page.y += 6.0;
    page.line_of_text(Text::new((MARGIN, 0.0), called(figure)).size(NAME).bold(), 22.0);
    key(page, colours, &arms);
    let beside = if arms.len() > 1 && grid.columns.len() <= MOST_BESIDE { 2 } else { 1 };
    let room = (WIDTH - 2.0 * MARGIN - GAP * (beside - 1) as f64) / beside as f64;
    let maps: Vec<_> = study.plan.arms.iter().zip(&arms).collect();
    for row in maps.chunks(beside) {
        let top = page.y;
        for (place, (arm, seen)) in row.iter().enumerate() {
            page.y = top;
            let left = MARGIN + (room + GAP) * place as f64;
            map(page, study, grid, colours, (arm, seen), (left, left + room));
        }
    }
}

fn map(
    page: &mut Page,
    study: &Study<'_>,
    grid: &Grid,
    colours: Colours,
    (arm, seen): (&str, &[Option<Seen>]),
    (left, right): (f64, f64),
) {
    let labels = grid.rows.iter().map(|row| width(row, SMALL)).fold(0.0, f64::max).min(WIDEST_LABEL) + 8.0;
    let rows = shorten(&study.plan.axes[0], SMALL, right - left);
    page.line_of_text(
        Text::new((left, 0.0), shorten(arm, NAME * BOLD, right - left)).size(NAME).bold(),
        16.0,
    );
    page.line_of_text(Text::new((left, 0.0), rows).colour(MUTED), 12.0);
    let cell = (
        ((right - left - labels) / grid.columns.len() as f64).min(110.0),
        (360.0 / grid.rows.len() as f64).clamp(3.0, 26.0),
    );
    let (x0, y0) = (left + labels, page.y);
    let drawing = &mut page.drawing;
    for (index, point) in grid.points.iter().enumerate() {
        let (row, column) = (index / grid.columns.len(), index % grid.columns.len());
        let from = (x0 + cell.0 * column as f64, y0 + cell.1 * row as f64);
        draw_cell(
            drawing,
            colours,
            point.and_then(|point| seen[point]),
            from,
            (from.0 + cell.0, from.1 + cell.1),
        );
    }
    let every = libm::ceil(12.0 / cell.1) as usize;
    for (row, label) in grid.rows.iter().enumerate().step_by(every) {
        let label = shorten(label, SMALL, WIDEST_LABEL);
        drawing.text(Text::new((x0 - 6.0, y0 + cell.1 * (row as f64 + 0.5)), label).align(Align::Right));
    }
    let y = y0 + cell.1 * grid.rows.len() as f64 + 12.0;
    let mut free_from = left;
    for (column, label) in grid.columns.iter().enumerate() {
        let label = shorten(label, SMALL, cell.0.max(40.0));
        let (x, half) = (x0 + cell.0 * (column as f64 + 0.5), width(&label, SMALL) / 2.0);
        if x - half >= free_from {
            drawing.text(Text::new((x, y), label).align(Align::Centre));
            free_from = x + half + 4.0;
        }
    }
    let columns = shorten(&study.plan.axes[1], SMALL, right - left);
    let middle = (x0 + cell.0 * grid.columns.len() as f64 / 2.0).max(left + width(&columns, SMALL) / 2.0);
    drawing.text(Text::new((middle, y + 16.0), columns).align(Align::Centre).colour(MUTED));
    page.y = y + 42.0;
}

fn draw_cell(drawing: &mut Drawing, colours: Colours, seen: Option<Seen>, from: (f64, f64), to: (f64, f64)) {
    // A hair of the page between cells, if they are large enough to spare it.
    let hair = if to.0 - from.0 > 6.0 && to.1 - from.1 > 6.0 { 1.0 } else { 0.0 };
    let (from, to) = (from, (to.0 - hair, to.1 - hair));
    let Some(seen) = seen else { return hatch(drawing, from, to) };
    let fill = colours.fill(seen.mean);
    drawing.rectangle(from, to, fill);
    let words = shown(colours.metric, seen.mean);
    if to.1 - from.1 >= WRITTEN_FROM && width(&words, SMALL) + 4.0 <= to.0 - from.0 {
        let at = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        drawing.text(Text::new(at, words).align(Align::Centre).colour(on(fill)));
    }
}

/// Strokes across a cell in which nothing was observed.
fn hatch(drawing: &mut Drawing, from: (f64, f64), to: (f64, f64)) {
    let (w, h) = (to.0 - from.0, to.1 - from.1);
    let mut offset = 4.0;
    while offset < w + h {
        let start = if offset <= w { (from.0 + offset, from.1) } else { (to.0, from.1 + offset - w) };
        let end = if offset <= h { (from.0, from.1 + offset) } else { (from.0 + offset - h, to.1) };
        drawing.line(vec![start, end], FAINT, 1);
        offset += 7.0;
    }
}

/// What the colours mean.
fn key(page: &mut Page, colours: Colours, arms: &[Vec<Option<Seen>>]) {
    const STEPS: u32 = 40;
    let (low, high) = (shown(colours.metric, colours.low), shown(colours.metric, colours.high));
    let y = page.y;
    page.drawing.text(Text::new((MARGIN, y), low.clone()));
    let left = MARGIN + width(&low, SMALL) + 8.0;
    for step in 0..STEPS {
        let x = left + 4.0 * f64::from(step);
        page.drawing.rectangle(
            (x, y - 6.0),
            (x + 4.0, y + 6.0),
            mix((f64::from(step) + 0.5) / f64::from(STEPS)),
        );
    }
    let mut x = left + 4.0 * f64::from(STEPS) + 8.0;
    let high = if colours.logarithmic { format!("{high} (logarithmic)") } else { high };
    page.drawing.text(Text::new((x, y), high.clone()));
    x += width(&high, SMALL) + 24.0;
    if observed(arms).iter().any(|seen| seen.mean.is_infinite()) {
        page.drawing.rectangle((x, y - 6.0), (x + 22.0, y + 6.0), NEVER);
        page.drawing.text(Text::new((x + 28.0, y), "never"));
        x += 28.0 + width("never", SMALL) + 24.0;
    }
    if arms.iter().flatten().any(Option::is_none) {
        hatch(&mut page.drawing, (x, y - 6.0), (x + 22.0, y + 6.0));
        page.drawing.text(Text::new((x + 28.0, y), "not observed"));
    }
    page.y += 26.0;
}

impl Grid {
    fn of(study: &Study<'_>) -> Self {
        let (mut rows, of_row, upwards) = levels(study.plan, 0);
        let (columns, of_column, _) = levels(study.plan, 1);
        let mut points = vec![None; rows.len() * columns.len()];
        for (point, (row, column)) in of_row.iter().zip(&of_column).enumerate() {
            // Numbers grow upwards, as on every chart; names are read downwards.
            let row = if upwards { rows.len() - 1 - row } else { *row };
            points[row * columns.len() + column] = Some(point);
        }
        if upwards {
            rows.reverse();
        }
        let plainly = |levels: Vec<String>| levels.iter().map(|level| plain(level)).collect();
        Self { columns: plainly(columns), rows: plainly(rows), points }
    }
}

impl Colours {
    fn of(metric: Metric, seen: &[Seen]) -> Self {
        let finite = || seen.iter().map(|seen| seen.mean).filter(|mean| mean.is_finite());
        let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(0.0, f64::max));
        let low = if low.is_finite() { low } else { 0.0 };
        if metric.is_share() {
            return Self { metric, low: 0.0, high: 1.0, logarithmic: false };
        }
        Self { metric, low, high, logarithmic: low > 0.0 && high / low >= LOGARITHMIC_FROM }
    }

    fn fill(self, value: f64) -> Rgb {
        if value.is_infinite() {
            return NEVER;
        }
        if self.high <= self.low {
            return mix(0.5);
        }
        mix(if self.logarithmic {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        })
    }
}

/// The colour at a share of the way from light to dark.
fn mix(share: f64) -> Rgb {
    let place = share.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let below = (place as usize).min(COLOURS.len() - 2);
    let (lighter, darker) = (COLOURS[below], COLOURS[below + 1]);
    let between = |of: fn(Rgb) -> u8| {
        let (from, to) = (f64::from(of(lighter)), f64::from(of(darker)));
        libm::round(from + (to - from) * (place - below as f64)) as u8
    };
    Rgb(between(|colour| colour.0), between(|colour| colour.1), between(|colour| colour.2))
}

/// Black or white, whichever shows on a colour: where white does not have a contrast of 4.5, black has one of 4.6.
fn on(colour: Rgb) -> Rgb {
    if colour.luminance() > 0.183 { Rgb(0, 0, 0) } else { BACKGROUND }
}
