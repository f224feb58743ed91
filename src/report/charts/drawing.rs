//! A drawing as a list of shapes.
//!
//! The charts are composed here, not in a plotting library: a page only knows its height when all of it is drawn, tests
//! can ask what stands where, and the library that writes the file is known to one module alone (`svg`).

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    /// How light it is, from 0 for black to 1 for white (relative luminance, WCAG 2.1).
    pub(super) fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { libm::pow((share + 0.055) / 1.055, 2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }
}

/// A place on the page, in pixels from its upper left corner.
pub(super) type Point = (f64, f64);

/// Where a text stands relative to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// A line of text, vertically centred on its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) at: Point,
    pub(super) words: String,
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) align: Align,
    pub(super) colour: Rgb,
}

impl Text {
    /// A small dark text that begins at a place.
    pub(super) fn new(at: Point, words: impl Into<String>) -> Self {
        Self {
            at,
            words: words.into(),
            size: super::text::SMALL,
            bold: false,
            align: Align::Left,
            colour: super::TEXT,
        }
    }

    pub(super) fn size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub(super) fn colour(self, colour: Rgb) -> Self {
        Self { colour, ..self }
    }
}

/// What a drawing is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Rectangle { from: Point, to: Point, fill: Rgb },
    Area { points: Vec<Point>, fill: Rgb },
    Line { points: Vec<Point>, colour: Rgb, width: u32 },
    Text(Text),
    Group(Group),
    Readout(Readout),
}

/// Shapes that show one arm alone: a page can hide them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// The index of the arm.
    pub(super) arm: usize,
    /// From where to where down the page nothing else stands, so that the gap that they leave can be closed.
    pub(super) strip: Option<(f64, f64)>,
    pub(super) shapes: Vec<Shape>,
}

/// What can be read off a plot where one points at it; nothing of it is seen otherwise.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Readout {
    /// The upper left and the lower right corner of the plot.
    pub(super) from: Point,
    pub(super) to: Point,
    /// What each value is, with its unit.
    pub(super) names: Vec<String>,
    /// Where along the plot something is said, in words, with the values; the widths are those of the plot divided by their number.
    pub(super) columns: Vec<(String, Vec<f64>)>,
}

/// Shapes, the later ones on top.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Drawing {
    pub(super) shapes: Vec<Shape>,
}

impl Drawing {
    pub(super) fn rectangle(&mut self, from: Point, to: Point, fill: Rgb) {
        self.shapes.push(Shape::Rectangle { from, to, fill });
    }

    pub(super) fn area(&mut self, points: Vec<Point>, fill: Rgb) {
        self.shapes.push(Shape::Area { points, fill });
    }

    pub(super) fn line(&mut self, points: Vec<Point>, colour: Rgb, width: u32) {
        self.shapes.push(Shape::Line { points, colour, width });
    }

    /// Whatever `draw` adds shows one arm alone.
    pub(super) fn of_arm(&mut self, arm: usize, draw: impl FnOnce(&mut Self)) {
        let around = std::mem::take(&mut self.shapes);
        draw(self);
        let shapes = std::mem::replace(&mut self.shapes, around);
        self.shapes.push(Shape::Group(Group { arm, strip: None, shapes }));
    }

    /// What can be read off a plot.
    pub(super) fn readout(&mut self, readout: Readout) {
        self.shapes.push(Shape::Readout(readout));
    }

    pub(super) fn text(&mut self, text: Text) {
        self.shapes.push(Shape::Text(text));
    }

    /// A line of which `dash` gives the lengths of strokes and gaps in turn; all of it if `dash` is empty.
    pub(super) fn dashed(&mut self, points: &[Point], colour: Rgb, width: u32, dash: &[f64]) {
        if dash.is_empty() {
            return self.line(points.to_vec(), colour, width);
        }
        for stroke in strokes(points, dash) {
            self.line(stroke, colour, width);
        }
    }
}

/// The pixel of a place.
pub(super) fn pixel((x, y): Point) -> (i32, i32) {
    (libm::round(x) as i32, libm::round(y) as i32)
}

/// The corners of a path, without those that fall on the one before or lie on the way between two others.
pub(super) fn pixels(points: &[Point]) -> Vec<(i32, i32)> {
    let mut path: Vec<(i32, i32)> = Vec::with_capacity(points.len());
    for &point in points {
        let next = pixel(point);
        if let [.., before, last] = path[..] {
            let level = before.1 == last.1 && last.1 == next.1 && (before.0 <= last.0) == (last.0 <= next.0);
            if level || last == next {
                path.pop();
            }
        }
        path.push(next);
    }
    path
}

/// The strokes of a dashed line.
fn strokes(points: &[Point], dash: &[f64]) -> Vec<Vec<Point>> {
    let mut strokes = Vec::new();
    let mut stroke: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut turn, mut left) = (0, dash[0]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = libm::hypot(to.0 - from.0, to.1 - from.1);
            if length <= left {
                left -= length;
                stroke.push(to);
                break;
            }
            let part = left / length;
            from = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            stroke.push(from);
            if turn % 2 == 0 {
                strokes.push(std::mem::take(&mut stroke));
            }
            stroke = vec![from];
            turn = (turn + 1) % dash.len();
            left = dash[turn];
        }
    }
    if turn % 2 == 0 && stroke.len() > 1 {
        strokes.push(stroke);
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_round_corners_and_gaps_are_left_out() {
        let corner = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)];
        let found = strokes(&corner, &[8.0, 4.0]);
        assert_eq!(found, [vec![(0.0, 0.0), (8.0, 0.0)], vec![(10.0, 2.0), (10.0, 10.0)]]);
        assert_eq!(strokes(&corner, &[15.0, 1.0])[0].len(), 3);
        assert!(strokes(&[], &[1.0, 1.0]).is_empty());
    }

    #[test]
    fn paths_keep_their_corners_and_nothing_else() {
        let level = [(0.0, 5.0), (1.0, 5.2), (2.0, 5.0), (2.0, 9.0), (2.1, 9.1), (1.0, 9.0)];
        assert_eq!(pixels(&level), [(0, 5), (2, 5), (2, 9), (1, 9)]);
    }
}
