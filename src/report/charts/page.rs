//! What all charts share: a page that grows downwards, from the question at its head to the source of its numbers at its
//! foot.

use super::differences::Mark;
use super::drawing::{Align, Drawing, Group, Rgb, Shape, Text};
use super::mark::Looks;
use super::text::{BOLD, NAME, SMALL, TITLE, shorten, width, wrap};
use super::{FAINT, GRID, MUTED, TEXT};
use crate::scenario::Scenario;

/// The width of all charts, in pixels.
pub(super) const WIDTH: f64 = 960.0;
/// The room left free at both sides.
pub(super) const MARGIN: f64 = 20.0;

/// The file behind the charts over the time of a run.
pub(super) const TIME_SERIES: &str = "timeseries.csv";

/// A page under way.
pub(super) struct Page {
    pub(super) drawing: Drawing,
    /// Where the next thing begins.
    pub(super) y: f64,
    shows: String,
    body: (usize, f64),
}

/// A finished page, as wide as all charts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    pub(super) shapes: Vec<Shape>,
    pub(super) height: f64,
    /// What the chart shows, in words.
    pub(super) shows: String,
    /// The first shape below the head, and where it begins: a page that has a head of its own leaves out what is above.
    pub(super) body: (usize, f64),
}

/// How a legend shows something.
pub(super) enum Sample {
    Area(Rgb),
    Line(Rgb),
    Dashed(Rgb),
    Incident,
    /// The mark of an arm, with a line through it or without.
    Arm(Looks, bool),
    /// The sign of a verdict.
    Verdict(Mark),
}

impl Page {
    /// A page with the question that the scenario asks, and what the chart shows.
    pub(super) fn new(scenario: &Scenario, shows: &str) -> Self {
        Self::headed(scenario.question.as_deref(), &scenario.title, shows)
    }

    /// A page with a question, if there is one, or else a title, and what the chart shows.
    pub(super) fn headed(question: Option<&str>, title: &str, shows: &str) -> Self {
        let mut page = Self { drawing: Drawing::default(), y: 30.0, shows: shows.to_owned(), body: (0, 0.0) };
        let (question, title) = match question {
            Some(question) => (question, Some(title)),
            None => (title, None),
        };
        let room = WIDTH - 2.0 * MARGIN;
        for line in wrap(question, TITLE * BOLD, room, 2) {
            page.line_of_text(Text::new((MARGIN, 0.0), line).size(TITLE).bold(), 24.0);
        }
        for line in title.map(|title| wrap(title, NAME, room, 2)).unwrap_or_default() {
            page.line_of_text(Text::new((MARGIN, 0.0), line).size(NAME).colour(MUTED), 18.0);
        }
        page.y += 10.0;
        for line in wrap(shows, NAME * BOLD, room, 3) {
            page.line_of_text(Text::new((MARGIN, 0.0), line).size(NAME).bold(), 18.0);
        }
        page.y += 2.0;
        page.body = (page.drawing.shapes.len(), page.y - 10.0);
        page
    }

    /// Puts a text at its x and the current height, which is then `height` further down.
    pub(super) fn line_of_text(&mut self, text: Text, height: f64) {
        let at = (text.at.0, self.y);
        self.drawing.text(Text { at, ..text });
        self.y += height;
    }

    /// A row of samples and what they mean.
    pub(super) fn legend(&mut self, entries: &[(Sample, &str)]) {
        let mut x = MARGIN;
        for (sample, words) in entries {
            let room = width(words, SMALL) + 28.0 + 18.0;
            if x + room > WIDTH && x > MARGIN {
                (x, self.y) = (MARGIN, self.y + 18.0);
            }
            self.sample(sample, x);
            self.drawing.text(Text::new((x + 28.0, self.y), *words));
            x += room;
        }
        self.y += 22.0;
    }

    fn sample(&mut self, sample: &Sample, x: f64) {
        let (from, to, y) = (x, x + 22.0, self.y);
        let line = [(from, y), (to, y)];
        match *sample {
            Sample::Area(colour) => self.drawing.rectangle((from, y - 6.0), (to, y + 6.0), colour),
            Sample::Line(colour) => self.drawing.line(line.into(), colour, 2),
            Sample::Dashed(colour) => self.drawing.dashed(&line, colour, 1, &super::panel::LIMIT_DASH),
            Sample::Arm(looks, through) => {
                if through {
                    self.drawing.dashed(&line, looks.colour, 2, looks.dash);
                }
                looks.mark(&mut self.drawing, (f64::midpoint(from, to), y), 4.0);
            }
            Sample::Verdict(mark) => mark.draw(&mut self.drawing, (f64::midpoint(from, to), y)),
            Sample::Incident => {
                super::panel::incident(&mut self.drawing, (from, to), y - 6.0, y - 6.0, y + 6.0);
            }
        }
    }

    /// Whatever `draw` adds shows one arm alone, and nothing else stands beside it.
    pub(super) fn of_arm(&mut self, arm: usize, draw: impl FnOnce(&mut Self)) {
        let around = std::mem::take(&mut self.drawing.shapes);
        let from = self.y;
        draw(self);
        let shapes = std::mem::replace(&mut self.drawing.shapes, around);
        self.drawing.shapes.push(Shape::Group(Group { arm, strip: Some((from, self.y)), shapes }));
    }

    /// The head of the panels that follow: whose they are, if that is a question, and what their height means.
    pub(super) fn group(&mut self, whose: Option<&str>, height_means: &str) {
        self.y += 10.0;
        if let Some(whose) = whose {
            self.drawing.line(vec![(MARGIN, self.y - 10.0), (WIDTH - MARGIN, self.y - 10.0)], GRID, 1);
            let whose = shorten(whose, NAME * BOLD, WIDTH - 2.0 * MARGIN);
            self.y += 4.0;
            self.line_of_text(Text::new((MARGIN, 0.0), whose).size(NAME).bold().colour(MUTED), 17.0);
        }
        self.line_of_text(Text::new((MARGIN, 0.0), height_means).colour(MUTED), 16.0);
    }

    /// The finished page: `file` is the CSV that is drawn, `notes` are what else must be said.
    pub(super) fn finish(self, scenario: &Scenario, file: &str, notes: &[&str]) -> Sheet {
        let bins =
            if file.contains(TIME_SERIES) { format!(" · bins of {}", scenario.bin) } else { String::new() };
        let source = source(&scenario.seed.to_string(), scenario.replications);
        self.close(&format!("{source}{bins} · {file}"), notes)
    }

    /// The finished page: `source` is what is drawn, `notes` are what else must be said.
    pub(super) fn close(mut self, source: &str, notes: &[&str]) -> Sheet {
        self.y += 14.0;
        let room = WIDTH - 2.0 * MARGIN;
        for (words, most) in [(notes.join(" "), 4), (source.to_owned(), 2)] {
            for line in wrap(&words, SMALL, room, most) {
                self.line_of_text(Text::new((MARGIN, 0.0), line).colour(MUTED), 15.0);
            }
        }
        let Self { drawing, y, shows, body } = self;
        Sheet { shapes: drawing.shapes, height: y + 4.0, shows, body }
    }
}

/// What is drawn: which scenario, with which seed, how often.
pub(super) fn source(seed: &str, replications: u32) -> String {
    let runs = match replications {
        1 => "1 replication".to_owned(),
        several => format!("means of {several} replications"),
    };
    format!("seed {seed} · {runs}")
}

/// A panel that has nothing to show says so.
pub(super) fn say_nothing_happened(drawing: &mut Drawing, middle: (f64, f64), words: &str) {
    drawing.text(Text::new(middle, words).align(Align::Centre).colour(MUTED));
}

/// Grid lines and labels of a time axis whose labels stand at `y`.
pub(super) fn time_labels(
    drawing: &mut Drawing,
    ticks: &[(f64, String)],
    place: impl Fn(f64) -> f64,
    y: f64,
) {
    for (seconds, label) in ticks {
        let align = if *seconds == 0.0 { Align::Left } else { Align::Centre };
        drawing.text(Text::new((place(*seconds), y), label).align(align).colour(TEXT));
    }
}

/// The frame of a plot: its ground line, and nothing that competes with what is drawn.
pub(super) fn ground(drawing: &mut Drawing, left: f64, right: f64, y: f64) {
    drawing.line(vec![(left, y), (right, y)], FAINT, 1);
}
