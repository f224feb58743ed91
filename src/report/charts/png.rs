//! Drawings as PNG files, at twice the size and with letters of their own: for where no SVG can be shown. Shapes are filled by the
//! rasteriser that also fills the letters.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};
use ab_glyph_rasterizer::{Point as Corner, Rasterizer, point};

use super::BACKGROUND;
use super::drawing::{Align, Point, Rgb, Shape, Text};
use super::page::{Sheet, WIDTH};

/// Pixels of the file per pixel of the drawing.
const SCALE: f64 = 2.0;
/// Liberation Sans (SIL Open Font License 1.1, in the file LICENSE beside it).
const REGULAR: &[u8] = include_bytes!("fonts/LiberationSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("fonts/LiberationSans-Bold.ttf");
/// The height of a capital, in ems.
const CAPITAL: f64 = 0.72;

/// The bytes of a PNG file.
pub(super) fn write(sheet: &Sheet) -> Vec<u8> {
    let mut canvas = Canvas::new((WIDTH * SCALE) as usize, (sheet.height * SCALE) as usize);
    let fonts =
        [REGULAR, BOLD].map(|bytes| FontRef::try_from_slice(bytes).expect("the font is part of the program"));
    for shape in &sheet.shapes {
        put(&mut canvas, &fonts, shape);
    }
    canvas.file()
}

fn put(canvas: &mut Canvas, fonts: &[FontRef<'_>; 2], shape: &Shape) {
    match shape {
        Shape::Rectangle { from, to, fill } => {
            let (from, to) = (device(*from), device(*to));
            canvas.fill(&[vec![from, (to.0, from.1), to, (from.0, to.1)]], *fill);
        }
        Shape::Area { points, fill } => {
            canvas.fill(&[points.iter().map(|&point| device(point)).collect()], *fill);
        }
        Shape::Line { points, colour, width } => {
            let points: Vec<Point> = points.iter().map(|&point| device(point)).collect();
            let half = f64::from(*width) * SCALE / 2.0;
            let strokes: Vec<_> =
                points.windows(2).filter_map(|ends| stroke(ends[0], ends[1], half)).collect();
            canvas.fill(&strokes, *colour);
        }
        Shape::Text(text) => write_text(canvas, &fonts[usize::from(text.bold)], text),
        Shape::Group(group) => group.shapes.iter().for_each(|shape| put(canvas, fonts, shape)),
        Shape::Readout(_) => {}
    }
}

/// A place in whole pixels of the file, so that lines along the axes are sharp.
fn device((x, y): Point) -> Point {
    (libm::round(x * SCALE), libm::round(y * SCALE))
}

/// The corners of a piece of a line, with square ends, so that pieces join; none if it has no length.
fn stroke(from: Point, to: Point, half: f64) -> Option<Vec<Point>> {
    let length = libm::hypot(to.0 - from.0, to.1 - from.1);
    if length == 0.0 {
        return None;
    }
    let along = ((to.0 - from.0) / length * half, (to.1 - from.1) / length * half);
    let (from, to) = ((from.0 - along.0, from.1 - along.1), (to.0 + along.0, to.1 + along.1));
    let across = (-along.1, along.0);
    Some(vec![
        (from.0 + across.0, from.1 + across.1),
        (to.0 + across.0, to.1 + across.1),
        (to.0 - across.0, to.1 - across.1),
        (from.0 - across.0, from.1 - across.1),
    ])
}

fn write_text(canvas: &mut Canvas, font: &FontRef<'_>, text: &Text) {
    let size = text.size * SCALE;
    let width = advance(font, &text.words, size);
    let left = text.at.0 * SCALE
        - match text.align {
            Align::Left => 0.0,
            Align::Centre => width / 2.0,
            Align::Right => width,
        };
    let base = libm::round(text.at.1 * SCALE + size * CAPITAL / 2.0);
    let scale = scale(font, size);
    let scaled = font.as_scaled(scale);
    let mut x = left as f32;
    for letter in text.words.chars() {
        let glyph = font.glyph_id(letter).with_scale_and_position(scale, point(x, base as f32));
        x += scaled.h_advance(glyph.id);
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        let (left, top) = (corner.x as i64, corner.y as i64);
        outline.draw(|dx, dy, cover| {
            canvas.blend(left + i64::from(dx), top + i64::from(dy), text.colour, cover);
        });
    }
}

/// The scale at which an em is so many pixels: the library counts from the top of the highest letter to the foot of the lowest.
fn scale(font: &FontRef<'_>, size: f64) -> PxScale {
    let em = font.units_per_em().unwrap_or(2048.0);
    PxScale::from(size as f32 * font.height_unscaled() / em)
}

/// The room that words take, in pixels of an em of `size`.
fn advance(font: &FontRef<'_>, words: &str, size: f64) -> f64 {
    let scaled = font.as_scaled(scale(font, size));
    words.chars().map(|letter| f64::from(scaled.h_advance(font.glyph_id(letter)))).sum()
}

/// Pixels under way: red, green and blue, line by line from the top.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        let Rgb(red, green, blue) = BACKGROUND;
        Self { width, height, pixels: [red, green, blue].repeat(width * height) }
    }

    /// Lays a colour over a pixel, of which it covers a share.
    fn blend(&mut self, x: i64, y: i64, Rgb(red, green, blue): Rgb, cover: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.width || y >= self.height || cover <= 0.0 {
            return;
        }
        let first = (y * self.width + x) * 3;
        let cover = cover.min(1.0);
        for (pixel, colour) in self.pixels[first..first + 3].iter_mut().zip([red, green, blue]) {
            let under = f32::from(*pixel);
            *pixel = (under + (f32::from(colour) - under) * cover).round() as u8;
        }
    }

    /// Fills outlines, none of which crosses itself; where they overlap they are one.
    fn fill(&mut self, outlines: &[Vec<Point>], colour: Rgb) {
        let corners = || outlines.iter().flatten();
        let end = |of: fn(&Point) -> f64, pick: fn(f64, f64) -> f64| corners().map(of).reduce(pick);
        let (Some(left), Some(right)) = (end(|p| p.0, f64::min), end(|p| p.0, f64::max)) else { return };
        let (Some(top), Some(bottom)) = (end(|p| p.1, f64::min), end(|p| p.1, f64::max)) else { return };
        let (left, top) = (libm::floor(left), libm::floor(top));
        let (width, height) = (libm::ceil(right - left) as usize, libm::ceil(bottom - top) as usize);
        if width == 0 || height == 0 {
            return;
        }
        let mut rasterizer = Rasterizer::new(width, height);
        let corner = |&(x, y): &Point| -> Corner { point((x - left) as f32, (y - top) as f32) };
        for outline in outlines {
            // All in the same turn, because what turns the other way would be cut out.
            let mut outline: Vec<Corner> = outline.iter().map(corner).collect();
            if turn(&outline) < 0.0 {
                outline.reverse();
            }
            for (index, &from) in outline.iter().enumerate() {
                rasterizer.draw_line(from, outline[(index + 1) % outline.len()]);
            }
        }
        rasterizer.for_each_pixel_2d(|x, y, cover| {
            self.blend(left as i64 + i64::from(x), top as i64 + i64::from(y), colour, cover);
        });
    }

    fn file(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().expect("memory takes every byte");
        writer.write_image_data(&self.pixels).expect("memory takes every byte");
        writer.finish().expect("memory takes every byte");
        file
    }
}

/// Twice the area of an outline, below 0 if it turns the other way.
fn turn(outline: &[Corner]) -> f32 {
    let pairs = outline.iter().zip(outline.iter().cycle().skip(1));
    pairs.map(|(a, b)| a.x * b.y - b.x * a.y).sum()
}

#[cfg(test)]
mod tests {
    use super::super::drawing::Drawing;
    use super::super::text::width;
    use super::*;

    fn font(bytes: &'static [u8]) -> FontRef<'static> {
        FontRef::try_from_slice(bytes).unwrap()
    }

    #[test]
    fn words_take_no_more_room_than_they_are_given() {
        let words = "Offered load by attempt number, and goodput, over time; 1,234.5 k (±17 %) – up to 99/s, at 3 min";
        for bytes in [REGULAR, BOLD] {
            assert!(advance(&font(bytes), words, 11.0) <= width(words, 11.0));
            for name in ["fixed", "full-jitter", "WWWWWWWW", "retry-after", "mmmm", "exponential-2"] {
                assert!(advance(&font(bytes), name, 13.0) <= width(name, 13.0), "{name}");
            }
        }
    }

    #[test]
    fn shapes_stand_where_they_are_put() {
        let mut drawing = Drawing::default();
        drawing.rectangle((10.0, 10.0), (20.0, 20.0), Rgb(255, 0, 0));
        drawing.line(vec![(30.0, 5.0), (40.0, 5.0)], Rgb(0, 0, 255), 1);
        let sheet = Sheet { shapes: drawing.shapes, height: 30.0, shows: String::new(), body: (0, 0.0) };
        let file = write(&sheet);
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (1920, 60));
        let at = |x: usize, y: usize| <[u8; 3]>::try_from(&pixels[(y * 1920 + x) * 3..][..3]).unwrap();
        let (red, blue, white) = ([255, 0, 0], [0, 0, 255], [255, 255, 255]);
        assert_eq!([at(20, 20), at(39, 39), at(19, 20), at(40, 39)], [red, red, white, white]);
        assert_eq!([at(70, 9), at(70, 10), at(70, 8), at(70, 11)], [blue, blue, white, white]);
    }

    #[test]
    fn pieces_of_a_line_that_overlap_are_one() {
        let mut canvas = Canvas::new(10, 10);
        canvas.fill(
            &[stroke((2.0, 5.0), (8.0, 5.0), 1.0).unwrap(), stroke((8.0, 5.0), (2.0, 5.0), 1.0).unwrap()],
            Rgb(0, 0, 0),
        );
        assert_eq!(canvas.pixels[(4 * 10 + 5) * 3], 0);
        assert_eq!(canvas.pixels[(6 * 10 + 5) * 3], 255);
    }
}
