//! How an arm looks: its colour, its mark and its dashes, so that no two of many look alike, even in grey.

use super::LINES;
use super::drawing::{Drawing, Point, Rgb};

/// Strokes and gaps of lines, once the colours are used up.
pub(super) const DASHES: [&[f64]; 3] = [&[], &[7.0, 4.0], &[2.0, 3.0]];
/// How many kinds of marks there are.
const MARKS: usize = 6;

/// The looks of an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Looks {
    pub(super) colour: Rgb,
    pub(super) dash: &'static [f64],
    mark: usize,
}

impl Looks {
    /// The looks of the arm with this index.
    pub(super) fn of(arm: usize) -> Self {
        let round = arm / LINES.len();
        Self {
            colour: LINES[arm % LINES.len()],
            dash: DASHES[round % DASHES.len()],
            mark: (arm + round) % MARKS,
        }
    }

    /// Its mark, within `radius` of a place.
    pub(super) fn mark(self, drawing: &mut Drawing, (x, y): Point, radius: f64) {
        let r = radius;
        let outline: &[Point] = match self.mark {
            0 => &[
                (-1.0, -0.4),
                (-0.4, -1.0),
                (0.4, -1.0),
                (1.0, -0.4),
                (1.0, 0.4),
                (0.4, 1.0),
                (-0.4, 1.0),
                (-1.0, 0.4),
            ],
            1 => &[(0.0, -1.1), (1.1, 0.9), (-1.1, 0.9)],
            2 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            3 => &[(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)],
            4 => &[(0.0, 1.1), (1.1, -0.9), (-1.1, -0.9)],
            _ => &[(-1.2, -0.5), (1.2, -0.5), (1.2, 0.5), (-1.2, 0.5)],
        };
        drawing.area(outline.iter().map(|(dx, dy)| (x + r * dx, y + r * dy)).collect(), self.colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_arms_look_different() {
        for arm in 0..20 {
            assert!((0..arm).all(|other| Looks::of(other) != Looks::of(arm)), "{arm}");
        }
    }
}
