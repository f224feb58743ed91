//! Panels over the time of a run: what the charts over time share.

use super::axis::{Scale, number_label, time_label, time_ticks};
use super::drawing::{Align, Drawing, Readout, Rgb, Text};
use super::page::{MARGIN, Page, WIDTH, ground, say_nothing_happened, time_labels};
use super::rates::{bins_to_show, span};
use super::text::{BOLD, NAME, SMALL, shorten, width};
use super::{Detail, GRID, INCIDENT, INCIDENT_EDGE, MUTED};
use crate::report::tables::Tables;
use crate::scenario::{Scenario, Workload};
use crate::service::Incident;
use crate::time::Interval;

/// Strokes and gaps of the line of a rate limit.
pub(super) const LIMIT_DASH: [f64; 2] = [5.0, 3.0];

/// Where all plots over time begin.
pub(super) const LEFT: f64 = MARGIN + 48.0;
/// The room for the names of incidents above a plot.
const STRIP: f64 = 14.0;
/// The most places along a plot at which its values can be read off.
const MOST_READ: usize = 150;

/// What part of a run is shown.
pub(super) struct Shown {
    /// Bins from the start of the run, and the seconds that they cover.
    pub(super) bins: usize,
    pub(super) span: f64,
    pub(super) detail: Detail,
    ticks: Vec<(f64, String)>,
    /// True if the run goes on.
    partly: bool,
}

impl Shown {
    /// The part in which nearly all happens, as finely as asked for.
    pub(super) fn of(scenario: &Scenario, tables: &Tables, detail: Detail) -> Self {
        let bins = bins_to_show(tables);
        let span = span(scenario, bins);
        let partly = span < scenario.horizon.as_secs_f64();
        Self { bins, span, detail, ticks: time_ticks(span), partly }
    }

    /// True if there are so many plots that each has to be light.
    pub(super) const fn is_coarse(&self) -> bool {
        !self.detail.rich
    }

    /// How many bins share a column.
    pub(super) fn bins_per_column(&self) -> usize {
        self.bins.div_ceil(self.detail.columns).max(1)
    }

    /// What must be said of what is not shown, and of incidents that are not shaded.
    pub(super) fn notes(&self, scenario: &Scenario) -> String {
        let rest =
            if self.partly { "Later than shown: at most 0.1 % of what happens in an arm." } else { "" };
        let shared = match self.bins_per_column() {
            1 => String::new(),
            many => format!("A column is the busiest of {many} bins; lines are their mean."),
        };
        [shared.as_str(), rest, unshaded(scenario)].join(" ").trim().to_owned()
    }
}

/// Where a panel is drawn.
pub(super) struct Plot<'a> {
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) right: f64,
    pub(super) shown: &'a Shown,
    pub(super) scale: Scale,
}

impl<'a> Plot<'a> {
    /// A plot of this height at the page's current one, with room for the names of the incidents above it.
    pub(super) fn below(
        page: &Page,
        (height, right): (f64, f64),
        shown: &'a Shown,
        scale: Scale,
        incidents: &[Incident],
    ) -> Self {
        let top = page.y + if incidents.iter().all(Incident::is_random) { 0.0 } else { STRIP };
        Self { top, bottom: top + height, right, shown, scale }
    }

    /// The x of a time in seconds.
    pub(super) fn x(&self, seconds: f64) -> f64 {
        LEFT + (self.right - LEFT) * (seconds / self.shown.span).clamp(0.0, 1.0)
    }

    /// The y of a value.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.up(self.scale.height(value))
    }

    /// The y of a share of the height.
    fn up(&self, share: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * share
    }

    /// What lies under the data: incidents at fixed times, the grid, the labels of the values.
    pub(super) fn under(&self, drawing: &mut Drawing, incidents: &[Incident]) {
        self.shade(drawing, incidents);
        for value in self.scale.ticks(self.bottom - self.top, 13.0) {
            let y = self.y(value);
            drawing.line(vec![(LEFT, y), (self.right, y)], GRID, 1);
            drawing.text(Text::new((LEFT - 6.0, y), number_label(value)).align(Align::Right));
        }
    }

    /// Incidents at fixed times and the lines of the ticks. Incidents at random are not shaded: each replication has windows of
    /// its own, and the data are means over all.
    pub(super) fn shade(&self, drawing: &mut Drawing, incidents: &[Incident]) {
        let shown = Interval::from_nanos_f64(self.shown.span * 1e9);
        let windows = |incident: &Incident| {
            let name = incident.name();
            incident.fixed_windows(shown).into_iter().map(move |window| (window, name))
        };
        let mut windows: Vec<_> = incidents.iter().flat_map(windows).collect();
        windows.sort();
        let (mut free_from, mut shaded_to) = (LEFT, LEFT);
        for ((begins, over), name) in windows {
            let from = self.x(begins.as_secs_f64());
            let to = self.x(over.as_secs_f64()).max(from + 1.0);
            // Of many that lie closer together than can be seen, most would only make the file long.
            if to < shaded_to + 0.5 && free_from > from {
                continue;
            }
            shaded_to = shaded_to.max(to);
            incident(drawing, (from, to), self.top - STRIP + 11.0, self.top, self.bottom);
            if from >= free_from {
                // The name of one at the very end begins before it.
                let at = from.min(WIDTH - MARGIN - width(name, SMALL));
                drawing.text(Text::new((at, self.top - STRIP + 5.0), name));
                free_from = at + width(name, SMALL) + 6.0;
            }
        }
        for (seconds, _) in &self.shown.ticks {
            let x = self.x(*seconds);
            drawing.line(vec![(x, self.top), (x, self.bottom)], GRID, 1);
        }
    }

    /// The outline of columns: from where to where in seconds, and which share of the plot's height.
    pub(super) fn steps(&self, columns: impl IntoIterator<Item = (f64, f64, f64)>) -> Vec<(f64, f64)> {
        let step = |(from, to, share): (f64, f64, f64)| {
            let y = self.up(share);
            [(self.x(from), y), (self.x(to), y)]
        };
        columns.into_iter().flat_map(step).collect()
    }

    /// The area of columns, without those of no height.
    pub(super) fn columns(&self, drawing: &mut Drawing, columns: &[(f64, f64, f64)], fill: Rgb) {
        for run in columns.chunk_by(|a, b| (a.2 > 0.0) == (b.2 > 0.0)).filter(|run| run[0].2 > 0.0) {
            let mut outline = self.steps(run.iter().copied());
            outline.push((self.x(run[run.len() - 1].1), self.bottom));
            outline.push((self.x(run[0].0), self.bottom));
            drawing.area(outline, fill);
        }
    }

    /// A dashed line at `value` and what it is, beside the plot; one that lies above the plot is only named.
    pub(super) fn limit(&self, drawing: &mut Drawing, value: f64, words: &[String], colour: Rgb) {
        let shown = value <= self.scale.top;
        let y = if shown { self.y(value) } else { self.top };
        if shown {
            drawing.dashed(&[(LEFT, y), (self.right, y)], colour, 1, &LIMIT_DASH);
        }
        for (index, line) in words.iter().enumerate() {
            let line = if shown || index > 0 { line.clone() } else { format!("{line} ↑") };
            drawing.text(Text::new((self.right + 6.0, y + 13.0 * index as f64), line));
        }
    }

    /// The ground line, and words in the middle of a plot that has nothing to show.
    pub(super) fn close(&self, drawing: &mut Drawing, nothing: Option<&str>) {
        ground(drawing, LEFT, self.right, self.bottom);
        if let Some(words) = nothing {
            let middle = (f64::midpoint(LEFT, self.right), f64::midpoint(self.top, self.bottom));
            say_nothing_happened(drawing, middle, words);
        }
    }

    /// What can be read off the plot: `values` of so many columns, each the fullest of the bins (when it begins, values) that it
    /// stands for.
    pub(super) fn readout(&self, drawing: &mut Drawing, names: Vec<String>, bins: &[(f64, Vec<f64>)]) {
        if self.shown.is_coarse() {
            return;
        }
        let count = bins.len().min(MOST_READ).min(self.shown.detail.columns);
        let fullest = |column: usize| {
            let group = &bins[column * bins.len() / count..(column + 1) * bins.len() / count];
            let fuller = |best: &'_ (f64, Vec<f64>), other: &'_ (f64, Vec<f64>)| other.1[0] > best.1[0];
            let best = group.iter().fold(&group[0], |best, bin| if fuller(best, bin) { bin } else { best });
            (when(best.0), best.1.clone())
        };
        let columns = (0..count).map(fullest).collect();
        drawing.readout(Readout { from: (LEFT, self.top), to: (self.right, self.bottom), names, columns });
    }
}

/// A time in seconds, as the axis says it.
pub(super) fn when(seconds: f64) -> String {
    time_label(libm::round(seconds * 1e9) as u64)
}

/// The labels of the time axis under the last panel of a workload.
pub(super) fn time_axis(page: &mut Page, shown: &Shown, right: f64) {
    let x = |seconds: f64| LEFT + (right - LEFT) * seconds / shown.span;
    time_labels(&mut page.drawing, &shown.ticks, x, page.y);
    page.line_of_text(Text::new((right + 30.0, 0.0), "time since start").colour(MUTED), 18.0);
}

/// Whose the panels of a workload are, if that is a question.
pub(super) fn whose(scenario: &Scenario, workload: &Workload) -> Option<String> {
    let several = scenario.workloads.len() > 1 || scenario.services.len() > 1;
    several
        .then(|| format!("workload {}, service {}", workload.name, scenario.services[workload.service].name))
}

/// A rate limit in words.
pub(super) fn limit_words(limit: f64, shared: bool) -> Vec<String> {
    let mut words = vec![format!("limit {}/s", number_label(limit))];
    if shared {
        words.push("(all workloads)".into());
    }
    words
}

/// The name of an arm and the facts of its panel.
pub(super) fn head(page: &mut Page, arm: &str, facts: &str, right: f64) {
    page.y += 6.0;
    let room = right - LEFT - width(facts, SMALL) - 20.0;
    let name = Text::new((LEFT, page.y), shorten(arm, NAME * BOLD, room)).size(NAME).bold();
    page.drawing.text(Text::new((right, page.y), facts).align(Align::Right).colour(MUTED));
    page.line_of_text(name, 13.0);
}

/// What the legend calls the shaded incidents, if there are any.
pub(super) fn shaded(scenario: &Scenario) -> Option<&'static str> {
    let incidents = scenario.services.iter().flat_map(|service| &service.config.incidents);
    let mut names = incidents.filter(|incident| !incident.is_random()).map(Incident::name);
    let first = names.next()?;
    Some(if names.all(|name| name == first) { first } else { "incident" })
}

/// What must be said of incidents that are not shaded.
fn unshaded(scenario: &Scenario) -> &'static str {
    let mut incidents = scenario.services.iter().flat_map(|service| &service.config.incidents);
    if incidents.any(Incident::is_random) {
        "Incidents at random are not shaded: they come at other times in every replication."
    } else {
        ""
    }
}

/// The shade of an incident, with a bar above it that holds its place where the shade is covered.
pub(super) fn incident(drawing: &mut Drawing, (from, to): (f64, f64), bar: f64, top: f64, bottom: f64) {
    drawing.rectangle((from, top), (to, bottom), INCIDENT);
    drawing.rectangle((from, bar), (to, bar + 3.0), INCIDENT_EDGE);
}
