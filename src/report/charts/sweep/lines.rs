//! `lines.svg`: over one axis, a line per arm, with the interval of each mean; a panel per figure.

use super::super::MUTED;
use super::super::drawing::{Align, Drawing, Text};
use super::super::mark::Looks;
use super::super::page::{MARGIN, Page, Sheet, WIDTH};
use super::super::text::{SMALL, shorten};
use super::along::Along;
use super::height::NEVER;
use super::{Seen, Study, backdrop, head};
use crate::report::sweep::Subject;
use crate::scenario::Metric;

const LEFT: f64 = MARGIN + 74.0;
const RIGHT: f64 = WIDTH - MARGIN - 20.0;
/// From one arm's mark to the next, at most, where values are names, which have no line through them.
const SIDE_BY_SIDE: f64 = 9.0;

/// The chart.
pub(super) fn chart(study: &Study<'_>) -> Sheet {
    let along = Along::of(study.plan, 0);
    let mut names: Vec<&str> = study.figures.iter().map(|(metric, _)| metric.name()).collect();
    names.dedup();
    let mut page = study.page(&format!("{} by {}", names.join(", "), study.plan.axes[0]));
    study.legend(&mut page, along.numeric);
    let height = if study.figures.len() <= 3 { 190.0 } else { 130.0 };
    for figure in &study.figures {
        panel(&mut page, study, figure, &along, height);
    }
    let title = shorten(&along.title, SMALL, RIGHT - LEFT);
    page.line_of_text(
        Text::new((f64::midpoint(LEFT, RIGHT), 0.0), title).align(Align::Centre).colour(MUTED),
        16.0,
    );
    study.close(page, &["Marks: means; bars: their 95 % intervals, where they are wider than the mark; a gap: not observed. Of arms that coincide the earlier ones are wider."])
}

fn panel(page: &mut Page, study: &Study<'_>, figure: &(Metric, Subject), along: &Along, height: f64) {
    let arms = study.arms(figure);
    let scale = head(page, figure, &arms);
    let top = page.y + if scale.never { NEVER } else { 0.0 };
    let plot = (top, top + height);
    backdrop(page, along, scale, &arms, ((LEFT, RIGHT), plot));
    let drawing = &mut page.drawing;
    let side_by_side = SIDE_BY_SIDE.min(0.8 * (RIGHT - LEFT) / (along.ticks.len() * arms.len()) as f64);
    for (index, seen) in arms.iter().enumerate() {
        let later = arms.len() - 1 - index;
        let aside =
            if along.numeric { 0.0 } else { side_by_side * (index as f64 - (arms.len() - 1) as f64 / 2.0) };
        let stroke = Stroke {
            looks: Looks::of(index),
            line: along.numeric,
            wider: if along.numeric { later.min(2) as u32 } else { 0 },
        };
        arm(drawing, stroke, &placed(along, seen, aside), |value| scale.y(value, plot));
    }
    along.label(drawing, (LEFT, RIGHT), plot.1 + 14.0);
    page.y = plot.1 + 32.0;
}

fn x(place: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * place
}

/// What was seen, from left to right.
fn placed(along: &Along, seen: &[Option<Seen>], aside: f64) -> Vec<(f64, Option<Seen>)> {
    let mut placed: Vec<_> =
        along.places.iter().map(|&place| x(place) + aside).zip(seen.iter().copied()).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    placed
}

/// How one of several arms is drawn: the earlier wider, so that those that coincide are all seen.
#[derive(Clone, Copy)]
struct Stroke {
    looks: Looks,
    wider: u32,
    line: bool,
}

/// A line through what was seen, interrupted where nothing was, with marks and intervals.
fn arm(drawing: &mut Drawing, stroke: Stroke, seen: &[(f64, Option<Seen>)], y: impl Fn(f64) -> f64) {
    let Stroke { looks, wider, line } = stroke;
    for run in seen.split(|(_, seen)| seen.is_none_or(|seen| seen.mean.is_infinite())) {
        let points = run.iter().filter_map(|(x, seen)| Some((*x, y((*seen)?.mean)))).collect::<Vec<_>>();
        if line && points.len() > 1 {
            drawing.dashed(&points, looks.colour, 2 + wider, looks.dash);
        }
    }
    for (x, seen) in seen.iter().filter_map(|(x, seen)| Some((*x, (*seen)?))) {
        if let Some((low, high)) = seen.interval {
            let (low, high) = (y(low), y(high));
            if low - high > 8.0 {
                drawing.line(vec![(x, low), (x, high)], looks.colour, 1);
                for end in [low, high] {
                    drawing.line(vec![(x - 4.0, end), (x + 4.0, end)], looks.colour, 1);
                }
            }
        }
        looks.mark(drawing, (x, y(seen.mean)), 4.0 + f64::from(wider));
    }
}
