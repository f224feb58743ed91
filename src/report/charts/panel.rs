//! Panels over the time of a run, one per workload and arm: what the charts drawn from timeseries.csv share.

use super::axis::{Scale, number_label, time_ticks};
use super::drawing::{Align, Drawing, Rgb, Text};
use super::page::{MARGIN, Page, WIDTH, ground, say_nothing_happened, time_labels};
use super::rates::{Bar, bars, bins_to_show, span};
use super::text::{NAME, SMALL, shorten, width};
use super::{GRID, INCIDENT, INCIDENT_EDGE, MUTED, TEXT};
use crate::report::tables::Tables;
use crate::scenario::Scenario;
use crate::service::Incident;
use crate::time::Interval;

/// Strokes and gaps of the line of a rate limit.
pub(super) const LIMIT_DASH: [f64; 2] = [5.0, 3.0];

const LEFT: f64 = MARGIN + 48.0;
const RIGHT: f64 = WIDTH - MARGIN - 104.0;
/// The room for the names of incidents above a plot.
const STRIP: f64 = 14.0;

/// Where a panel is drawn.
pub(super) struct Plot {
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// The seconds that it covers.
    span: f64,
    pub(super) scale: Scale,
}

impl Plot {
    /// The x of a time in seconds.
    pub(super) fn x(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds / self.span).clamp(0.0, 1.0)
    }

    /// The y of a value.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * self.scale.height(value)
    }

    /// The outline of columns with these heights.
    pub(super) fn steps(&self, bars: &[Bar], height: impl Fn(&Bar) -> f64) -> Vec<(f64, f64)> {
        let step = |bar: &Bar| {
            let y = self.y(height(bar));
            [(self.x(bar.from), y), (self.x(bar.to), y)]
        };
        bars.iter().flat_map(step).collect()
    }

    /// The area of columns with these heights, each as wide as its bin.
    pub(super) fn columns(
        &self,
        drawing: &mut Drawing,
        bars: &[Bar],
        height: impl Fn(&Bar) -> f64,
        fill: Rgb,
    ) {
        for run in
            bars.chunk_by(|a, b| (height(a) > 0.0) == (height(b) > 0.0)).filter(|run| height(&run[0]) > 0.0)
        {
            let mut outline = self.steps(run, &height);
            outline.push((self.x(run[run.len() - 1].to), self.bottom));
            outline.push((self.x(run[0].from), self.bottom));
            drawing.area(outline, fill);
        }
    }

    /// A dashed line at `value` and what it is, beside the plot; one that lies above the plot is only named.
    pub(super) fn limit(&self, drawing: &mut Drawing, value: f64, words: &[String], colour: Rgb) {
        let shown = value <= self.scale.top;
        let y = if shown { self.y(value) } else { self.top };
        if shown {
            drawing.dashed(&[(LEFT, y), (RIGHT, y)], colour, 1, &LIMIT_DASH);
        }
        for (index, line) in words.iter().enumerate() {
            let line = if shown || index > 0 { line.clone() } else { format!("{line} ↑") };
            drawing.text(Text::new((RIGHT + 6.0, y + 13.0 * index as f64), line));
        }
    }
}

/// What differs between charts of panels.
pub(super) trait Picture {
    /// What the height of the panels of a workload means; also told: the panels' scale.
    fn height_means(&self, scale: Scale) -> String;
    /// True if the panels of one workload share a scale.
    fn shares_scale(&self) -> bool;
    /// The scale of panels that show these arms of a workload, whose service has this limit per second.
    fn scale(&self, arms: &[Vec<Bar>], limit: Option<f64>) -> Scale;
    /// What is said at the end of a panel's head.
    fn facts(&self, bars: &[Bar], scale: Scale) -> String;
    /// Draws the bars.
    fn draw(&self, drawing: &mut Drawing, plot: &Plot, bars: &[Bar]);
    /// True if the limit is part of the picture.
    fn shows_limit(&self) -> bool;
}

/// One panel per workload and arm, workload by workload, so that arms can be compared.
/// Says what of the run is not shown. Each plot has at most so many columns.
pub(super) fn panels(
    page: &mut Page,
    scenario: &Scenario,
    (tables, columns): (&Tables, usize),
    picture: &dyn Picture,
) -> [&'static str; 2] {
    let bins = bins_to_show(tables);
    let span = span(scenario, bins);
    let ticks = time_ticks(span);
    let count = scenario.workloads.len() * scenario.arms.len();
    let height = match count {
        1 => 280.0,
        2..=3 => 150.0,
        4..=6 => 96.0,
        _ => 72.0,
    };
    for (index, workload) in scenario.workloads.iter().enumerate() {
        let service = &scenario.services[workload.service];
        let limit = service.config.limit_per_second();
        let courses = tables.arms.iter().map(|arm| &arm[index]);
        let arms: Vec<_> = courses.map(|course| bars(scenario, course, bins, columns)).collect();
        let shared_scale = picture.scale(&arms, limit);
        let several = scenario.workloads.len() > 1 || scenario.services.len() > 1;
        let whose = several.then(|| format!("workload {}, service {}", workload.name, service.name));
        page.group(whose.as_deref(), &picture.height_means(shared_scale));
        let shared = scenario.workloads.iter().filter(|other| other.service == workload.service).count() > 1;
        for (number, bars) in arms.iter().enumerate() {
            let own = std::slice::from_ref(bars);
            let scale = if picture.shares_scale() { shared_scale } else { picture.scale(own, limit) };
            page.of_arm(number, |page| {
                head(page, &scenario.arms[number].name, &picture.facts(bars, scale));
                let top = page.y
                    + if service.config.incidents.iter().all(Incident::is_random) { 0.0 } else { STRIP };
                let plot = Plot { top, bottom: top + height, span, scale };
                under(&mut page.drawing, &plot, &ticks, &service.config.incidents);
                picture.draw(&mut page.drawing, &plot, bars);
                if bars.iter().all(|bar| bar.offered() == 0.0 && bar.succeeded == 0.0) {
                    let middle = (f64::midpoint(LEFT, RIGHT), f64::midpoint(plot.top, plot.bottom));
                    say_nothing_happened(&mut page.drawing, middle, "no attempts were sent");
                }
                if let Some(limit) = limit.filter(|_| picture.shows_limit()) {
                    plot.limit(&mut page.drawing, limit, &limit_words(limit, shared), TEXT);
                }
                ground(&mut page.drawing, LEFT, RIGHT, plot.bottom);
                page.y = plot.bottom + 16.0;
            });
        }
        page.y -= 4.0;
        time_labels(&mut page.drawing, &ticks, |seconds| x_of(seconds, span), page.y);
        let words = "time since start";
        page.line_of_text(Text::new((RIGHT + 24.0, 0.0), words).colour(MUTED), 18.0);
    }
    let rest = span < scenario.horizon.as_secs_f64();
    let rest = if rest { "Later than shown: at most 0.1 % of what happens in an arm." } else { "" };
    [rest, unshaded(scenario)]
}

fn x_of(seconds: f64, span: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * seconds / span
}

fn limit_words(limit: f64, shared: bool) -> Vec<String> {
    let mut words = vec![format!("limit {}/s", number_label(limit))];
    if shared {
        words.push("(all workloads)".into());
    }
    words
}

/// The name of an arm and the facts of its panel.
fn head(page: &mut Page, arm: &str, facts: &str) {
    page.y += 6.0;
    let room = RIGHT - LEFT - width(facts, SMALL) - 20.0;
    let name = Text::new((LEFT, page.y), shorten(arm, NAME, room)).size(NAME).bold();
    page.drawing.text(Text::new((RIGHT, page.y), facts).align(Align::Right).colour(MUTED));
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

/// What lies under the data: incidents at fixed times, grid, tick labels. Incidents at random are not shaded: each replication
/// has windows of its own, and the data are means over all.
fn under(drawing: &mut Drawing, plot: &Plot, ticks: &[(f64, String)], incidents: &[Incident]) {
    let shown = Interval::from_nanos_f64(plot.span * 1e9);
    let windows = |incident: &Incident| {
        let name = incident.name();
        incident.fixed_windows(shown).into_iter().map(move |window| (window, name))
    };
    let mut windows: Vec<_> = incidents.iter().flat_map(windows).collect();
    windows.sort();
    let (mut free_from, mut shaded_to) = (LEFT, LEFT);
    for ((begins, over), name) in windows {
        let from = plot.x(begins.as_secs_f64());
        let to = plot.x(over.as_secs_f64()).max(from + 1.0);
        // Of many that lie closer together than can be seen, most would only make the file long.
        if to < shaded_to + 0.5 && free_from > from {
            continue;
        }
        shaded_to = shaded_to.max(to);
        incident(drawing, (from, to), plot.top - STRIP + 11.0, plot.top, plot.bottom);
        if from >= free_from {
            drawing.text(Text::new((from, plot.top - STRIP + 5.0), name));
            free_from = from + width(name, SMALL) + 6.0;
        }
    }
    for (seconds, _) in ticks {
        let x = plot.x(*seconds);
        drawing.line(vec![(x, plot.top), (x, plot.bottom)], GRID, 1);
    }
    for value in plot.scale.ticks(plot.bottom - plot.top, 13.0) {
        let y = plot.y(value);
        drawing.line(vec![(LEFT, y), (RIGHT, y)], GRID, 1);
        drawing.text(Text::new((LEFT - 6.0, y), number_label(value)).align(Align::Right));
    }
}

/// The shade of an incident, with a bar above it that holds its place where the shade is covered.
pub(super) fn incident(drawing: &mut Drawing, (from, to): (f64, f64), bar: f64, top: f64, bottom: f64) {
    drawing.rectangle((from, top), (to, bottom), INCIDENT);
    drawing.rectangle((from, bar), (to, bar + 3.0), INCIDENT_EDGE);
}
