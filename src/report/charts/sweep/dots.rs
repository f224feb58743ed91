//! `dots-METRIC.svg`: over many axes, or points that were sampled: a panel per axis, with a mark per point and arm.

use std::collections::BTreeSet;

use super::super::MUTED;
use super::super::drawing::{Align, Text};
use super::super::mark::Looks;
use super::super::page::{MARGIN, Page, Sheet, WIDTH};
use super::super::text::{SMALL, shorten};
use super::along::Along;
use super::height::{Height, NEVER};
use super::{Seen, Study, backdrop, head};
use crate::report::sweep::Subject;
use crate::scenario::Metric;

/// The most panels beside each other.
const MOST_IN_A_ROW: usize = 3;
const HEIGHT: f64 = 200.0;
/// The room for the labels at the left of a panel.
const LABELS: f64 = 70.0;

/// The chart of a metric as SVG.
pub(super) fn chart(study: &Study<'_>, metric: Metric) -> Sheet {
    let axes: Vec<Along> = (0..study.plan.axes.len()).map(|axis| Along::of(study.plan, axis)).collect();
    let shows = match study.plan.axes.as_slice() {
        [only] => format!("{} by {only}", metric.name()),
        _ => format!("{} over each axis; the others vary as well", metric.name()),
    };
    let mut page = study.page(&shows);
    study.legend(&mut page, false);
    for figure in study.figures(metric) {
        figure_over(&mut page, study, figure, &axes);
    }
    study.close(
        page,
        &["Marks: the mean of an arm at a point; a point where the metric was not observed has none."],
    )
}

fn figure_over(page: &mut Page, study: &Study<'_>, figure: &(Metric, Subject), axes: &[Along]) {
    let arms = study.arms(figure);
    let scale = head(page, figure, &arms);
    let in_a_row = axes.len().min(MOST_IN_A_ROW);
    let room = (WIDTH - 2.0 * MARGIN) / in_a_row as f64;
    for row in axes.chunks(in_a_row) {
        let top = page.y + if scale.never { NEVER } else { 0.0 };
        let plot = (top, top + HEIGHT);
        for (column, along) in row.iter().enumerate() {
            let left = MARGIN + room * column as f64;
            panel(page, &arms, along, scale, (left + LABELS, left + room - 12.0), plot);
        }
        page.y = plot.1 + 56.0;
    }
}

fn panel(
    page: &mut Page,
    arms: &[Vec<Option<Seen>>],
    along: &Along,
    scale: Height,
    (left, right): (f64, f64),
    plot: (f64, f64),
) {
    backdrop(page, along, scale, arms, ((left, right), plot));
    let x = |place: f64| left + (right - left) * place;
    let drawing = &mut page.drawing;
    for (index, seen) in arms.iter().enumerate() {
        // Of marks on one pixel one is enough.
        let mut drawn = BTreeSet::new();
        for (place, seen) in along.places.iter().zip(seen).filter_map(|(place, seen)| Some((place, (*seen)?)))
        {
            let at = (x(*place), scale.y(seen.mean, plot));
            if drawn.insert((libm::round(at.0) as i64, libm::round(at.1) as i64)) {
                Looks::of(index).mark(drawing, at, 3.0);
            }
        }
    }
    along.label(drawing, (left, right), plot.1 + 14.0);
    let title = shorten(&along.title, SMALL, right - left + LABELS);
    // Beside the plot there is room on its left, so that a long path still fits.
    let middle = f64::midpoint(left - LABELS / 2.0, right);
    drawing.text(Text::new((middle, plot.1 + 32.0), title).align(Align::Centre).colour(MUTED));
}
