//! Labels at the ends of lines: whose a line is, and what it comes to.

use super::drawing::{Align, Drawing, Rgb, Text};
use super::page::{MARGIN, WIDTH};
use super::text::{BOLD, SMALL, shorten, width};

/// From a line's end to its label.
pub(super) const LEADER: f64 = 26.0;
/// The room between two labels.
pub(super) const LABEL: f64 = 16.0;

/// The label of a line that ends at the height `end`: it stands at `place`, and is led to from `right`.
pub(super) fn label(
    drawing: &mut Drawing,
    (right, end, place): (f64, f64, f64),
    (name, facts): (&str, &str),
    colour: Rgb,
) {
    drawing.line(vec![(right, end), (right + LEADER, place)], colour, 1);
    let from = right + LEADER + 6.0;
    let room = WIDTH - MARGIN - from - width(facts, SMALL) - 10.0;
    drawing.text(Text::new((from, place), shorten(name, SMALL * BOLD, room)).bold());
    drawing.text(Text::new((WIDTH - MARGIN, place), facts).align(Align::Right));
}

/// Places for labels that want to stand at `wishes`: in the same order, `LABEL` apart, between `top` and `bottom` if there
/// is room for them.
pub(super) fn spread(wishes: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by(|&a, &b| wishes[a].total_cmp(&wishes[b]));
    let mut places = wishes.to_vec();
    let mut lowest_free = top;
    for &index in &order {
        places[index] = wishes[index].max(lowest_free);
        lowest_free = places[index] + LABEL;
    }
    let mut highest_free = bottom;
    for &index in order.iter().rev() {
        places[index] = places[index].min(highest_free);
        highest_free = places[index] - LABEL;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_order_and_their_distance() {
        assert_eq!(spread(&[50.0, 10.0], 0.0, 100.0), [50.0, 10.0]);
        assert_eq!(spread(&[100.0, 98.0, 99.0], 0.0, 100.0), [100.0, 68.0, 84.0]);
        assert_eq!(spread(&[0.0, 0.0], 0.0, 100.0), [0.0, 16.0]);
        assert!(spread(&[], 0.0, 1.0).is_empty());
    }
}
