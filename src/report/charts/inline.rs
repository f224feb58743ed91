//! Drawings as part of an HTML page: in pieces, so that the gap that a hidden arm leaves is closed; in the colours of the page, light
//! or dark; with what can be read off where one points. Without scripts nothing is missing but that.

use std::fmt::Write as _;

use serde_json::json;

use super::TEXT;
use super::drawing::{Align, Point, Readout, Shape, Text, pixel, pixels};
use super::page::{Sheet, WIDTH};
use super::text::{NAME, SMALL};
use super::theme::css;
use crate::report::markup::escaped;
use crate::report::number::short;

/// The markup of a chart without its head, which the page has.
pub(super) fn write(sheet: &Sheet) -> String {
    let (first, mut from) = sheet.body;
    let mut markup = String::new();
    let mut loose: Vec<&Shape> = Vec::new();
    for shape in &sheet.shapes[first..] {
        match shape {
            Shape::Group(group) if group.strip.is_some() => {
                let (top, bottom) = group.strip.unwrap_or_default();
                markup += &piece(None, (from, top), &std::mem::take(&mut loose));
                markup += &piece(Some(group.arm), (top, bottom), &group.shapes.iter().collect::<Vec<_>>());
                from = bottom;
            }
            shape => loose.push(shape),
        }
    }
    markup + &piece(None, (from, sheet.height), &loose)
}

/// A picture of the shapes between two heights; nothing if there are none.
fn piece(arm: Option<usize>, (top, bottom): (f64, f64), shapes: &[&Shape]) -> String {
    if shapes.is_empty() || bottom <= top {
        return String::new();
    }
    let (top, height) = (libm::round(top), libm::round(bottom) - libm::round(top));
    let class = arm.map(|arm| format!(" class=\"arm-{arm}\"")).unwrap_or_default();
    let readouts: String = shapes.iter().filter_map(|shape| readout(shape)).collect();
    format!(
        "<svg{class} viewBox=\"0 {top} {WIDTH} {height}\" aria-hidden=\"true\"{readouts}>{}</svg>\n",
        put(shapes)
    )
}

/// What the script of the page shows where one points at a plot, if there is anything.
fn readout(shape: &Shape) -> Option<String> {
    let Shape::Readout(Readout { from, to, names, columns }) = shape else { return None };
    let columns: Vec<_> = columns
        .iter()
        .map(|(place, values)| json!([place, values.iter().map(|&value| short(value)).collect::<Vec<_>>()]))
        .collect();
    let data = json!({ "x": [pixel(*from).0, pixel(*to).0], "names": names, "columns": columns });
    Some(format!(" data-readout=\"{}\"", escaped(&data.to_string())))
}

/// The markup of shapes; lines that look alike are one.
fn put(shapes: &[&Shape]) -> String {
    let mut markup = String::new();
    let mut rest = shapes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            Shape::Rectangle { from, to, fill } => {
                let ((x, y), (right, bottom)) = (pixel(*from), pixel(*to));
                let (width, height) = (right - x, bottom - y);
                write!(markup, "<path fill=\"{}\" d=\"M{x} {y}h{width}v{height}h{}z\"/>", css(*fill), -width)
            }
            Shape::Area { points, fill } => {
                write!(markup, "<path fill=\"{}\" d=\"{}z\"/>", css(*fill), path(points))
            }
            Shape::Line { points, colour, width } => {
                let mut paths = path(points);
                while let Some((Shape::Line { points, colour: other, width: wide }, after)) =
                    rest.split_first()
                    && (other, wide) == (colour, width)
                {
                    paths += &path(points);
                    rest = after;
                }
                let wide = match *width {
                    1 => String::new(),
                    2 => " class=\"w\"".to_owned(),
                    wider => format!(" stroke-width=\"{wider}\""),
                };
                write!(markup, "<path{wide} fill=\"none\" stroke=\"{}\" d=\"{paths}\"/>", css(*colour))
            }
            Shape::Text(text) => write!(markup, "{}", words(text)),
            Shape::Group(group) => {
                let inside: Vec<&Shape> = group.shapes.iter().collect();
                write!(markup, "<g class=\"arm-{}\">{}</g>", group.arm, put(&inside))
            }
            Shape::Readout(_) => Ok(()),
        }
        .expect("writing to a string");
    }
    markup
}

/// A path of steps: most are level or upright, which takes one number.
fn path(points: &[Point]) -> String {
    let corners = pixels(points);
    let mut path = corners.first().map(|(x, y)| format!("M{x} {y}")).unwrap_or_default();
    for pair in corners.windows(2) {
        let (across, down) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        match (across, down) {
            (_, 0) => write!(path, "h{across}"),
            (0, _) => write!(path, "v{down}"),
            _ => write!(path, "l{across} {down}"),
        }
        .expect("writing to a string");
    }
    path
}

/// A line of text: the page's rules know sizes, weights and places by letters.
fn words(Text { at, words, size, bold, align, colour }: &Text) -> String {
    let (x, y) = pixel(*at);
    let mut class = String::new();
    class += match *size {
        SMALL => "",
        NAME => "n",
        _ => "t",
    };
    class += if *bold { " b" } else { "" };
    class += match align {
        Align::Left => "",
        Align::Centre => " c",
        Align::Right => " r",
    };
    let class = class.trim();
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let fill = if *colour == TEXT { String::new() } else { format!(" fill=\"{}\"", css(*colour)) };
    format!("<text{class} x=\"{x}\" y=\"{y}\"{fill}>{}</text>", escaped(words))
}

#[cfg(test)]
mod tests {
    use super::super::drawing::{Drawing, Group, Rgb};
    use super::*;

    fn sheet(drawing: Drawing) -> Sheet {
        Sheet { shapes: drawing.shapes, height: 100.0, shows: String::new(), body: (0, 0.0) }
    }

    #[test]
    fn an_arm_that_stands_alone_is_a_piece_of_its_own() {
        let mut drawing = Drawing::default();
        drawing.text(Text::new((1.0, 10.0), "legend"));
        let shapes = vec![Shape::Text(Text::new((1.0, 30.0), "<fixed>"))];
        drawing.shapes.push(Shape::Group(Group { arm: 3, strip: Some((20.0, 60.0)), shapes }));
        drawing.text(Text::new((1.0, 80.0), "foot"));
        let markup = write(&sheet(drawing));
        for piece in [
            "<svg viewBox=\"0 0 960 20\" aria-hidden=\"true\"><text x=\"1\" y=\"10\">legend</text></svg>",
            "<svg class=\"arm-3\" viewBox=\"0 20 960 40\" aria-hidden=\"true\"><text x=\"1\" y=\"30\">&lt;fixed&gt;</text></svg>",
            "<svg viewBox=\"0 60 960 40\" aria-hidden=\"true\"><text x=\"1\" y=\"80\">foot</text></svg>",
        ] {
            assert!(markup.contains(piece), "{piece}\n{markup}");
        }
    }

    #[test]
    fn lines_that_look_alike_are_one_and_steps_are_short() {
        let mut drawing = Drawing::default();
        drawing.dashed(&[(0.0, 5.0), (12.0, 5.0)], TEXT, 1, &[4.0, 4.0]);
        drawing.line(vec![(0.0, 0.0), (0.0, 9.0), (3.0, 7.0)], Rgb(1, 2, 3), 2);
        drawing.of_arm(1, |drawing| drawing.line(vec![(0.0, 0.0), (1.0, 0.0)], Rgb(1, 2, 3), 2));
        let markup = write(&sheet(drawing));
        assert!(markup.contains("stroke=\"var(--c202020)\" d=\"M0 5h4M8 5h4\"/>"), "{markup}");
        assert!(
            markup.contains("<path class=\"w\" fill=\"none\" stroke=\"#010203\" d=\"M0 0v9l3 -2\"/>"),
            "{markup}"
        );
        assert!(markup.contains("<g class=\"arm-1\"><path"), "{markup}");
    }

    #[test]
    fn what_can_be_read_off_is_data_and_no_picture() {
        let mut drawing = Drawing::default();
        drawing.text(Text::new((1.0, 10.0), "plot"));
        let columns = vec![("5 s".to_owned(), vec![12.34, 0.0])];
        let names = vec!["\"offered\" per s".to_owned(), "goodput per s".to_owned()];
        drawing.readout(Readout { from: (10.0, 0.0), to: (20.0, 9.0), names, columns });
        let markup = write(&sheet(drawing));
        assert!(
            markup.contains("&quot;x&quot;:[10,20]")
                && markup.contains("[&quot;5 s&quot;,[&quot;12.3&quot;,&quot;0&quot;]]"),
            "{markup}"
        );
        assert!(markup.contains("\\&quot;offered\\&quot; per s"), "{markup}");
    }
}
