//! Colours: those of Okabe and Ito or of one sequence from light to dark, so that neither colour blindness nor a grey printer takes
//! anything away; and what stands for each on a dark page.

use super::drawing::Rgb;
use crate::report::markup::each;

pub(super) const BACKGROUND: Rgb = Rgb(255, 255, 255);
pub(super) const TEXT: Rgb = Rgb(32, 32, 32);
pub(super) const MUTED: Rgb = Rgb(89, 89, 89);
pub(super) const FAINT: Rgb = Rgb(140, 140, 140);
pub(super) const GRID: Rgb = Rgb(226, 226, 226);
pub(super) const INCIDENT: Rgb = Rgb(240, 228, 240);
pub(super) const INCIDENT_EDGE: Rgb = Rgb(170, 100, 150);
/// Breakers. Not quite colours of attempts, which turn round on a dark page.
pub(super) const OPEN: Rgb = Rgb(131, 46, 16);
pub(super) const HALF_OPEN: Rgb = Rgb(242, 180, 60);
pub(super) const LOAD: Rgb = Rgb(158, 205, 236);
pub(super) const LOAD_EDGE: Rgb = Rgb(86, 180, 233);
pub(super) const GOODPUT: Rgb = Rgb(0, 114, 178);
pub(super) const ACCEPTED: Rgb = Rgb(96, 32, 112);
pub(super) const BETTER: Rgb = Rgb(0, 114, 178);
pub(super) const WORSE: Rgb = Rgb(213, 94, 0);
/// Attempts by their number, from light to dark.
pub(super) const ATTEMPTS: [Rgb; 6] = [
    Rgb(196, 212, 224),
    Rgb(243, 180, 60),
    Rgb(230, 130, 40),
    Rgb(194, 78, 26),
    Rgb(132, 46, 16),
    Rgb(58, 18, 8),
];
/// Lines of arms: Okabe and Ito without yellow, which does not show on white.
pub(super) const LINES: [Rgb; 7] = [
    Rgb(0, 114, 178),
    Rgb(230, 159, 0),
    Rgb(0, 0, 0),
    Rgb(204, 121, 167),
    Rgb(0, 158, 115),
    Rgb(86, 180, 233),
    Rgb(213, 94, 0),
];

/// What stands for a colour on a dark page, if it would not show there: text turns light, and attempts run from dark to light.
const DARK: [(Rgb, Rgb); 18] = [
    (BACKGROUND, Rgb(22, 24, 28)),
    (TEXT, Rgb(230, 230, 230)),
    (MUTED, Rgb(170, 174, 180)),
    (FAINT, Rgb(120, 124, 130)),
    (GRID, Rgb(52, 56, 62)),
    (INCIDENT, Rgb(56, 40, 56)),
    (INCIDENT_EDGE, Rgb(190, 120, 170)),
    (LOAD, Rgb(38, 84, 116)),
    (ACCEPTED, Rgb(206, 160, 222)),
    (ATTEMPTS[0], Rgb(64, 84, 100)),
    (ATTEMPTS[1], Rgb(150, 62, 22)),
    (ATTEMPTS[2], Rgb(200, 92, 36)),
    (ATTEMPTS[3], Rgb(236, 142, 56)),
    (ATTEMPTS[4], Rgb(248, 192, 104)),
    (ATTEMPTS[5], Rgb(255, 236, 190)),
    (OPEN, Rgb(206, 84, 36)),
    (LINES[0], Rgb(64, 150, 214)),
    (LINES[2], Rgb(240, 240, 240)),
];

/// A colour as a page writes it: by its name if it is another one on a dark page, so that the page can say which.
pub(super) fn css(colour: Rgb) -> String {
    if DARK.iter().any(|(light, _)| *light == colour) {
        format!("var({})", name(colour))
    } else {
        hex(colour)
    }
}

/// The rules of a page that give the named colours their light values, and the dark ones.
pub(in crate::report) fn css_values() -> [String; 2] {
    let rules =
        |of: fn(&(Rgb, Rgb)) -> Rgb| each(&DARK, |pair| format!("{}:{};", name(pair.0), hex(of(pair))));
    [rules(|pair| pair.0), rules(|pair| pair.1)]
}

fn name(Rgb(red, green, blue): Rgb) -> String {
    format!("--c{red:02x}{green:02x}{blue:02x}")
}

fn hex(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance and the contrast of WCAG 2.2.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (one.luminance() + 0.05, other.luminance() + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn text_can_be_read_and_lines_can_be_seen_on_both_pages() {
        let dark =
            |colour: Rgb| DARK.iter().find(|(light, _)| *light == colour).map_or(colour, |pair| pair.1);
        assert!((contrast(Rgb(0, 0, 0), BACKGROUND) - 21.0).abs() < 1e-9, "as the recommendation says");
        for colour in [TEXT, MUTED] {
            assert!(contrast(colour, BACKGROUND) >= 4.5 && contrast(dark(colour), dark(BACKGROUND)) >= 4.5);
        }
        for colour in LINES.into_iter().chain([GOODPUT, ACCEPTED, BETTER, WORSE]) {
            assert!(contrast(dark(colour), dark(BACKGROUND)) >= 3.0, "{colour:?}");
        }
        for pair in ATTEMPTS.windows(2) {
            let rises = contrast(dark(pair[0]), dark(BACKGROUND)) < contrast(dark(pair[1]), dark(BACKGROUND));
            assert!(rises, "{pair:?}");
        }
    }

    #[test]
    fn only_what_changes_has_a_name() {
        assert_eq!(css(WORSE), "#d55e00");
        assert_eq!(css(TEXT), "var(--c202020)");
        let [light, dark] = css_values();
        assert!(light.contains("--c202020:#202020;") && dark.contains("--c202020:#e6e6e6;"));
    }
}
