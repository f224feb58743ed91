//! `recovery.svg`: how long after an incident goodput is back, in each replication, and in how many it never is.

use super::axis::time_ticks;
use super::drawing::{Align, Drawing, Text};
use super::page::{MARGIN, Page, Sample, Sheet, WIDTH, ground};
use super::panel::whose;
use super::text::{BOLD, NAME, shorten};
use super::{GRID, LOAD_EDGE, MUTED, TEXT, WORSE};
use crate::report::number::duration;
use crate::report::tables::Tables;
use crate::scenario::Scenario;
use crate::statistics::Estimate;

const LEFT: f64 = MARGIN + 190.0;
const RIGHT: f64 = WIDTH - MARGIN - 320.0;
/// Where the place for never begins and ends, and where the words do.
const NEVER: (f64, f64) = (RIGHT + 24.0, RIGHT + 84.0);
const WORDS: f64 = NEVER.1 + 14.0;
/// The room of an arm.
const ROW: f64 = 36.0;

/// What the replications of an arm observed.
struct Observed<'a> {
    index: usize,
    arm: &'a str,
    /// Seconds, where goodput came back.
    back: Vec<f64>,
    never: usize,
}

impl Observed<'_> {
    const fn all(&self) -> usize {
        self.back.len() + self.never
    }
}

/// The chart, unless no replication observed a recovery or that there was none.
pub(super) fn chart(scenario: &Scenario, tables: &Tables) -> Option<Sheet> {
    let any = tables.arms.iter().flatten().flat_map(|course| &course.recoveries).any(Option::is_some);
    if !any {
        return None;
    }
    let shows = "Recovery: how long after an incident goodput is back at 95 % of its level before";
    let mut page = Page::new(scenario, shows);
    page.legend(&[
        (Sample::Line(LOAD_EDGE), "one replication"),
        (Sample::Line(TEXT), "mean of those that recovered, with its 95 % interval"),
        (Sample::Area(WORSE), "share of replications that never recovered"),
    ]);
    for (index, workload) in scenario.workloads.iter().enumerate() {
        let observed: Vec<Observed<'_>> = (0..scenario.arms.len())
            .map(|arm| {
                let seen = || tables.arms[arm][index].recoveries.iter().flatten().copied();
                let back = seen().filter(|seconds| seconds.is_finite()).collect();
                let never = seen().filter(|seconds| seconds.is_infinite()).count();
                Observed { index: arm, arm: &scenario.arms[arm].name, back, never }
            })
            .collect();
        if observed.iter().any(|arm| arm.all() > 0) {
            page.group(whose(scenario, workload).as_deref(), "time since the end of the incident");
            panel(&mut page, &observed);
        }
    }
    let note = "recovery_time of each replication: of several incidents the longest. Not observed: no goodput before \
                the incident, or nothing left to do after it.";
    Some(page.finish(scenario, "replications.csv", &[note]))
}

fn panel(page: &mut Page, observed: &[Observed<'_>]) {
    let longest = observed.iter().flat_map(|arm| &arm.back).copied().fold(0.0, f64::max);
    let span = if longest > 0.0 { longest * 1.05 } else { 1.0 };
    let x = |seconds: f64| LEFT + (RIGHT - LEFT) * (seconds / span).clamp(0.0, 1.0);
    let (top, bottom) = (page.y + 2.0, page.y + 2.0 + ROW * observed.len() as f64);
    let recovered = observed.iter().any(|arm| !arm.back.is_empty());
    let ticks = if recovered { time_ticks(span) } else { Vec::new() };
    let mut free_from = 0.0;
    for (seconds, label) in &ticks {
        page.drawing.line(vec![(x(*seconds), top), (x(*seconds), bottom)], GRID, 1);
        let half = super::text::width(label, super::text::SMALL) / 2.0;
        if x(*seconds) - half > free_from {
            page.drawing.text(Text::new((x(*seconds), bottom + 14.0), label).align(Align::Centre));
            free_from = x(*seconds) + half + 8.0;
        }
    }
    for end in [NEVER.0, NEVER.1] {
        page.drawing.line(vec![(end, top), (end, bottom)], GRID, 1);
    }
    let middle = f64::midpoint(NEVER.0, NEVER.1);
    page.drawing.text(Text::new((middle, bottom + 14.0), "never").align(Align::Centre));
    for (place, arm) in observed.iter().enumerate() {
        let y = top + ROW * (place as f64 + 0.5);
        page.drawing.of_arm(arm.index, |drawing| {
            let name = shorten(arm.arm, NAME * BOLD, LEFT - MARGIN - 12.0);
            drawing.text(Text::new((LEFT - 8.0, y), name).size(NAME).bold().align(Align::Right));
            row(drawing, arm, y, &x);
        });
    }
    ground(&mut page.drawing, LEFT, RIGHT, bottom);
    ground(&mut page.drawing, NEVER.0, NEVER.1, bottom);
    page.y = bottom + 30.0;
}

/// The replications of an arm, their mean, the share that never recovered, and the same in words.
fn row(drawing: &mut Drawing, arm: &Observed<'_>, y: f64, x: &dyn Fn(f64) -> f64) {
    for &seconds in &arm.back {
        drawing.line(vec![(x(seconds), y - 8.0), (x(seconds), y + 8.0)], LOAD_EDGE, 1);
    }
    let mut words = Vec::new();
    if let Some(mean) = Estimate::of(arm.back.iter().copied()) {
        words.push(duration(mean.mean));
        if let Some((low, high)) = mean.low().zip(mean.high()) {
            drawing.line(vec![(x(low.max(0.0)), y), (x(high), y)], TEXT, 2);
            words[0] += &format!(" ({} to {})", duration(low), duration(high));
        }
        let at = x(mean.mean);
        drawing.area(vec![(at, y - 5.0), (at + 5.0, y), (at, y + 5.0), (at - 5.0, y)], TEXT);
    }
    if arm.never > 0 {
        let to = NEVER.0 + (NEVER.1 - NEVER.0) * arm.never as f64 / arm.all() as f64;
        drawing.rectangle((NEVER.0, y - 8.0), (to, y + 8.0), WORSE);
        words.push(format!("{} of {} never recovered", arm.never, arm.all()));
    }
    if words.is_empty() {
        words.push("not observed".into());
    }
    let first = y - 7.0 * (words.len() as f64 - 1.0);
    for (line, words) in words.into_iter().enumerate() {
        drawing.text(Text::new((WORDS, first + 14.0 * line as f64), words).colour(MUTED));
    }
}
