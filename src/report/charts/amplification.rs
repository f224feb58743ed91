//! `amplification.svg`: how many attempts the service gets for each request, in the course of time.
//!
//! Where requests keep arriving, attempts are held against the requests that arrived in the same stretch of time. Where they come
//! at once, as in a burst, nothing would be left to divide by: then all attempts so far are held against all requests so far.

use super::axis::Scale;
use super::ends::{LABEL, label, spread};
use super::load::significant;
use super::mark::Looks;
use super::page::{MARGIN, Page, Sample, Sheet, TIME_SERIES, WIDTH};
use super::panel::{Plot, Shown, shaded, time_axis, when, whose};
use super::rates::span;
use super::{Detail, MUTED, TEXT};
use crate::metrics::Column;
use crate::report::tables::{Course, Tables};
use crate::scenario::{Scenario, Workload};

const RIGHT: f64 = WIDTH - MARGIN - 290.0;
/// About how many stretches of time a run is divided into.
const STRETCHES: usize = 100;

/// One arm's line.
struct Curve<'a> {
    index: usize,
    arm: &'a str,
    /// Where a stretch begins and ends, in seconds, and attempts per request.
    steps: Vec<(f64, f64, f64)>,
}

/// The chart.
pub(super) fn chart(scenario: &Scenario, tables: &Tables, detail: Detail) -> Sheet {
    let mut page = Page::new(scenario, "Amplification: attempts per request over time");
    let mut entries = vec![(Sample::Dashed(TEXT), "1: as many attempts as requests")];
    entries.extend(shaded(scenario).map(|name| (Sample::Incident, name)));
    page.legend(&entries);
    let shown = Shown::of(scenario, tables, detail);
    for (index, workload) in scenario.workloads.iter().enumerate() {
        panel(&mut page, scenario, tables, (index, workload), &shown);
    }
    page.finish(scenario, TIME_SERIES, &[&shown.notes(scenario)])
}

fn panel(
    page: &mut Page,
    scenario: &Scenario,
    tables: &Tables,
    (index, workload): (usize, &Workload),
    shown: &Shown,
) {
    let courses: Vec<&Course> = tables.arms.iter().map(|arm| &arm[index]).collect();
    let per = shown.bins.div_ceil(STRETCHES.min(shown.detail.columns));
    let steady = keep_arriving(&courses, shown.bins, per);
    let means = match steady {
        Some(until) if until < shown.bins => format!(
            "attempts sent / requests that arrived, in each {}, as long as requests arrive",
            when(span(scenario, per))
        ),
        Some(_) => format!("attempts sent / requests that arrived, in each {}", when(span(scenario, per))),
        None => "attempts sent so far / requests that arrived so far".into(),
    };
    page.group(whose(scenario, workload).as_deref(), &means);
    let curves: Vec<Curve<'_>> = courses
        .iter()
        .enumerate()
        .filter(|(_, course)| course.had_requests())
        .map(|(index, course)| {
            let steps = match steady {
                Some(until) => by_stretch(scenario, course, until, per),
                None => thinned(&so_far(scenario, course, shown), shown.detail.columns),
            };
            Curve { index, arm: &scenario.arms[index].name, steps }
        })
        .collect();
    let highest = curves.iter().flat_map(|curve| &curve.steps).map(|step| step.2).fold(1.0, f64::max);
    let scale = Scale::linear(highest * 1.02);
    let least = if scenario.workloads.len() > 1 { 130.0 } else { 260.0 };
    let height = (curves.len() as f64 * LABEL).max(least);
    let incidents = &scenario.services[workload.service].config.incidents;
    page.y += 4.0;
    let plot = Plot::below(page, (height, RIGHT), shown, scale, incidents);
    plot.under(&mut page.drawing, incidents);
    plot.limit(&mut page.drawing, 1.0, &[], TEXT);
    lines(page, &plot, &curves);
    // A page can say what is pointed at in one plot of those that are no arm's own.
    if scenario.workloads.len() == 1 {
        read_off(page, &plot, &curves);
    }
    plot.close(&mut page.drawing, curves.is_empty().then_some("no requests arrived"));
    page.y = plot.bottom + 14.0;
    time_axis(page, shown, RIGHT);
}

fn lines(page: &mut Page, plot: &Plot<'_>, curves: &[Curve<'_>]) {
    let last = |curve: &Curve<'_>| curve.steps.last().map_or(0.0, |step| step.2);
    let ends: Vec<f64> = curves.iter().map(|curve| plot.y(last(curve))).collect();
    let places = spread(&ends, plot.top, plot.bottom);
    for (curve, (end, place)) in curves.iter().zip(ends.into_iter().zip(places)) {
        let looks = Looks::of(curve.index);
        let line =
            plot.steps(curve.steps.iter().map(|&(from, to, ratio)| (from, to, plot.scale.height(ratio))));
        let most = curve
            .steps
            .iter()
            .fold((0.0, 0.0), |most, step| if step.2 > most.1 { (step.0, step.2) } else { most });
        let facts = format!("up to {}, at {}", significant(most.1), when(most.0));
        page.drawing.of_arm(curve.index, |drawing| {
            drawing.dashed(&line, looks.colour, 2, looks.dash);
            if let Some(&last) = line.last() {
                drawing.dashed(&[last, (RIGHT, end)], MUTED, 1, &[2.0, 4.0]);
            }
            label(drawing, (RIGHT, end, place), (curve.arm, &facts), looks.colour);
        });
    }
}

fn read_off(page: &mut Page, plot: &Plot<'_>, curves: &[Curve<'_>]) {
    let names = curves.iter().map(|curve| curve.arm.to_owned()).collect();
    let Some(first) = curves.first() else { return };
    let at = |seconds: f64, curve: &Curve<'_>| {
        let step = curve.steps.iter().rfind(|step| step.0 <= seconds);
        step.map_or(0.0, |step| step.2)
    };
    let longest =
        curves.iter().map(|curve| &curve.steps).max_by_key(|steps| steps.len()).unwrap_or(&first.steps);
    let values = |&(from, ..): &(f64, f64, f64)| (from, curves.iter().map(|curve| at(from, curve)).collect());
    plot.readout(&mut page.drawing, names, &longest.iter().map(values).collect::<Vec<_>>());
}

/// In how many bins requests keep arriving, in every arm that has any: one at least on average in every stretch of so many
/// bins until then, for half of the bins at least. None if they do not.
fn keep_arriving(courses: &[&Course], bins: usize, per: usize) -> Option<usize> {
    let arrived = |course: &Course, from: usize| {
        let stretch = from..(from + per).min(bins);
        stretch.map(|bin| course.get(bin, Column::Requests)).sum::<f64>() >= 1.0
    };
    let until =
        |course: &&Course| (0..bins).step_by(per).find(|&from| !arrived(course, from)).unwrap_or(bins);
    let busy = || courses.iter().filter(|course| course.had_requests());
    let until = busy().map(until).min()?;
    let later = |course: &&Course| (until + per..bins).any(|bin| course.get(bin, Column::Requests) > 0.0);
    (until * 2 >= bins && !busy().any(later)).then_some(until)
}

/// Attempts per request in each stretch of so many bins, until one.
fn by_stretch(scenario: &Scenario, course: &Course, until: usize, per: usize) -> Vec<(f64, f64, f64)> {
    let stretch = |from: usize| {
        let to = (from + per).min(until);
        let sum = |of: &dyn Fn(usize) -> f64| (from..to).map(of).sum::<f64>();
        let requests = sum(&|bin| course.get(bin, Column::Requests));
        (span(scenario, from), span(scenario, to), sum(&|bin| course.attempts(bin)) / requests)
    };
    (0..until).step_by(per).map(stretch).collect()
}

/// Attempts per request until each bin is over, from the first request on.
fn so_far(scenario: &Scenario, course: &Course, shown: &Shown) -> Vec<(f64, f64, f64)> {
    let (mut attempts, mut requests) = (0.0, 0.0);
    let mut steps = Vec::new();
    for bin in 0..shown.bins {
        attempts += course.attempts(bin);
        requests += course.get(bin, Column::Requests);
        if requests > 0.0 {
            steps.push((span(scenario, bin), span(scenario, bin + 1), attempts / requests));
        }
    }
    steps
}

/// At most so many of these steps: of several that stand for one, the last.
fn thinned(steps: &[(f64, f64, f64)], most: usize) -> Vec<(f64, f64, f64)> {
    let per = steps.len().div_ceil(most).max(1);
    let last = |group: &[(f64, f64, f64)]| {
        let (_, to, ratio) = group[group.len() - 1];
        (group[0].0, to, ratio)
    };
    steps.chunks(per).map(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(requests: &[f64]) -> Course {
        let bin = |&requests: &f64| {
            let mut bin = [0.0; Column::ALL.len()];
            bin[Column::Requests as usize] = requests;
            bin
        };
        Course { bins: requests.iter().map(bin).collect(), ..Course::default() }
    }

    #[test]
    fn only_requests_that_keep_arriving_are_a_measure_stretch_by_stretch() {
        let (steady, burst, none) =
            (course(&[1.0, 0.5, 0.5, 2.0]), course(&[9.0, 0.0, 0.0, 0.0]), course(&[0.0; 4]));
        let over = course(&[1.0, 1.0, 1.0, 0.5, 0.0]);
        assert_eq!(keep_arriving(&[&steady, &none], 4, 2), Some(4));
        assert_eq!(keep_arriving(&[&steady], 4, 1), None);
        assert_eq!(keep_arriving(&[&course(&[1.0; 4]), &burst], 4, 1), None);
        assert_eq!(keep_arriving(&[&over], 5, 1), Some(3));
    }
}
