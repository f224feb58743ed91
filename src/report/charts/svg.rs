//! Drawings as SVG files. The only module that knows the plotting library, so that another one can take its place.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle};

use super::BACKGROUND;
use super::drawing::{Align, Rgb, Shape, Text, pixel, pixels};
use super::page::{Sheet, WIDTH};

const FONTS: &str = "Helvetica, Arial, sans-serif";
/// The library divides the sizes of fonts by this.
const FONT_SCALE: f64 = 1.24;

/// The bytes of an SVG file.
pub(super) fn write(sheet: &Sheet) -> Vec<u8> {
    let mut file = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut file, (WIDTH as u32, sheet.height as u32));
        let paper = Shape::Rectangle { from: (0.0, 0.0), to: (WIDTH, sheet.height), fill: BACKGROUND };
        for shape in std::iter::once(&paper).chain(&sheet.shapes) {
            put(&mut backend, shape);
        }
        backend.present().expect("memory takes every byte");
    }
    file.into_bytes()
}

fn put(backend: &mut SVGBackend<'_>, shape: &Shape) {
    let done = match shape {
        Shape::Rectangle { from, to, fill } => {
            backend.draw_rect(pixel(*from), pixel(*to), &style(*fill, 0), true)
        }
        Shape::Area { points, fill } => backend.fill_polygon(pixels(points), &style(*fill, 0)),
        Shape::Line { points, colour, width } => backend.draw_path(pixels(points), &style(*colour, *width)),
        Shape::Text(text) => backend.draw_text(&printable(&text.words), &text_style(text), pixel(text.at)),
        Shape::Group(group) => return group.shapes.iter().for_each(|shape| put(backend, shape)),
        Shape::Readout(_) => return,
    };
    done.expect("memory takes every byte");
}

fn style(Rgb(red, green, blue): Rgb, stroke_width: u32) -> ShapeStyle {
    ShapeStyle { color: RGBColor(red, green, blue).to_rgba(), filled: true, stroke_width }
}

fn text_style(text: &Text) -> TextStyle<'static> {
    let weight = if text.bold { FontStyle::Bold } else { FontStyle::Normal };
    let Rgb(red, green, blue) = text.colour;
    let h_pos = match text.align {
        Align::Left => HPos::Left,
        Align::Centre => HPos::Center,
        Align::Right => HPos::Right,
    };
    TextStyle {
        font: FontDesc::new(FontFamily::Name(FONTS), text.size * FONT_SCALE, weight),
        color: RGBColor(red, green, blue).to_backend_color(),
        pos: Pos::new(h_pos, VPos::Center),
    }
}

/// XML allows no control characters, not even as entities, and two non-characters neither. (Markup is escaped by the
/// library.)
fn printable(words: &str) -> String {
    words
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::drawing::Drawing;
    use super::*;

    #[test]
    fn markup_is_escaped_and_control_characters_are_dropped() {
        let mut drawing = Drawing::default();
        drawing.text(Text::new((1.0, 2.0), "<script>&\"'\u{1}\u{FFFF}end"));
        let file = String::from_utf8(write(&Sheet {
            shapes: drawing.shapes,
            height: 10.0,
            shows: String::new(),
            body: (0, 0.0),
        }))
        .unwrap();
        assert!(file.contains("&lt;script&gt;&amp;&quot;&apos;  end"), "{file}");
        assert!(file.contains("font-size=\"11\""), "{file}");
    }
}
