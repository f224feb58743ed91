//! What holds for every chart of every scenario.

use std::fmt::Write as _;

use super::drawing::{Align, Point, Rgb, Shape, Text};
use super::page::WIDTH;
use super::text::width;
use super::{BACKGROUND, Chart, FINEST, Pictures, charts};
use crate::experiment::{Options, run};
use crate::report::files;
use crate::report::tables::Tables;
use crate::scenario::Scenario;

/// What a scenario has.
#[derive(Debug, Clone, Copy)]
struct Case {
    arms: usize,
    workloads: usize,
    incident: bool,
    long: bool,
    /// Breakers and servers.
    lanes: bool,
}

/// A small scenario.
fn scenario(case: Case) -> Scenario {
    let mut text = String::from(
        "title = 'A <script>&'\nquestion = 'Does \"jitter\" <beat> it?'\nseed = 4711\nreplications = 2\nhorizon = '5m'\n\
         [services.api]\nrate_limit.token_bucket = { rate = '1/s', burst = 1 }\n",
    );
    if case.incident {
        text += "[[services.api.incidents]]\noutage = { from = '10s', lasts = '20s' }\n";
    }
    if case.lanes {
        text += "[services.api.capacity]\nservers = 1\n";
    }
    for workload in 0..case.workloads {
        let rest =
            if case.long { "-WWWWWWWWWW-that-has-a-name-as-long-as-anybody-would-make-it" } else { "" };
        writeln!(text, "[workloads.w{workload}{rest}]\nservice = 'api'\nclients = 40\narrivals.burst = {{ at = '{workload}s' }}").unwrap();
    }
    for arm in 0..case.arms {
        let name = arm_name(arm, case.long);
        let breaker = if case.lanes { "\nbreaker.trip.consecutive = 3\nbreaker.open_for = '5s'" } else { "" };
        writeln!(
            text,
            "[policies.{name:?}]\nretries = 3\nbackoff.fixed = '{}s'\njitter = 'full'{breaker}",
            arm + 60
        )
        .unwrap();
        if case.workloads > 1 {
            writeln!(text, "[arms.{name:?}]").unwrap();
            for workload in 0..case.workloads {
                let rest = if case.long {
                    "-WWWWWWWWWW-that-has-a-name-as-long-as-anybody-would-make-it"
                } else {
                    ""
                };
                writeln!(text, "w{workload}{rest} = {name:?}").unwrap();
            }
        }
    }
    Scenario::parse("tried", "tried.toml", &text, &[]).unwrap()
}

fn arm_name(arm: usize, long: bool) -> String {
    if long {
        format!("exponential-backoff-with-full-jitter-and-a-cap-of-WWWWWWWWWW-{arm}")
    } else {
        format!("arm-{arm}")
    }
}

fn drawn(scenario: &Scenario) -> Vec<Chart> {
    let results = run(scenario, Options { traced: 0, jobs: 1 }, &|| ());
    let files = files(scenario, &results, false, Pictures::Svg);
    let lookup = |name: &str| Some(&files.iter().find(|(known, _)| known == name)?.1[..]);
    let tables = Tables::read(scenario, &lookup).unwrap();
    let drawn = charts(scenario, &tables, FINEST);
    assert_eq!(drawn, charts(scenario, &tables, FINEST), "the same tables give the same charts");
    drawn
}

/// A text, and what lies under its middle.
struct Seen<'a> {
    text: &'a Text,
    on: Rgb,
}

/// The texts of a drawing, those of its groups included; checks that all that is seen lies on the sheet.
fn seen<'a>(
    shapes: &'a [Shape],
    height: f64,
    fills: &mut Vec<(Point, Point, Rgb)>,
    texts: &mut Vec<Seen<'a>>,
    name: &str,
) {
    let inside = |points: &[Point]| {
        for &(x, y) in points {
            assert!(
                (0.0..=WIDTH).contains(&x) && (0.0..=height).contains(&y),
                "{name}: ({x}, {y}) of {height}"
            );
        }
    };
    for shape in shapes {
        match shape {
            Shape::Rectangle { from, to, fill } => {
                inside(&[*from, *to]);
                fills.push((*from, *to, *fill));
            }
            Shape::Area { points, .. } | Shape::Line { points, .. } => inside(points),
            Shape::Text(text) => {
                let (from, to) = room(text);
                inside(&[from, to]);
                let on = fills.iter().rfind(|(from, to, _)| {
                    (from.0..=to.0).contains(&text.at.0) && (from.1..=to.1).contains(&text.at.1)
                });
                texts.push(Seen { text, on: on.expect("there is a page").2 });
            }
            Shape::Group(group) => seen(&group.shapes, height, fills, texts, name),
            Shape::Readout(readout) => {
                inside(&[readout.from, readout.to]);
                assert!(readout.columns.len() <= 150, "{name}: {} columns", readout.columns.len());
                let values = readout.columns.iter().flat_map(|(_, values)| values);
                assert!(values.clone().all(|value| value.is_finite()), "{name}");
                assert!(
                    readout.columns.iter().all(|(_, values)| values.len() == readout.names.len()),
                    "{name}"
                );
            }
        }
    }
}

/// The room that a text takes: from its upper left corner to its lower right one.
fn room(text: &Text) -> (Point, Point) {
    let width = width(&text.words, text.size);
    let left = match text.align {
        Align::Left => text.at.0,
        Align::Centre => text.at.0 - width / 2.0,
        Align::Right => text.at.0 - width,
    };
    // From the top of a capital to the foot of a g.
    ((left, text.at.1 - 0.45 * text.size), (left + width, text.at.1 + 0.5 * text.size))
}

/// The contrast of two colours, from 1 to 21 (WCAG 2.1, 1.4.3).
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Checks that whoever looks at a chart can read all of it.
pub(super) fn assert_legible(name: &str, shapes: &[Shape], height: f64) {
    let (mut fills, mut texts) = (vec![((0.0, 0.0), (WIDTH, height), BACKGROUND)], Vec::new());
    seen(shapes, height, &mut fills, &mut texts, name);
    let rooms: Vec<(Point, Point)> = texts.iter().map(|seen| room(seen.text)).collect();
    for (index, Seen { text, on }) in texts.iter().enumerate() {
        assert!(text.size >= 11.0, "{name}: {text:?}");
        assert!(contrast(text.colour, *on) >= 4.5, "{name}: {text:?} on {on:?}");
        let (from, to) = rooms[index];
        for (&(other_from, other_to), other) in rooms[..index].iter().zip(&texts) {
            let apart =
                to.0 <= other_from.0 || other_to.0 <= from.0 || to.1 <= other_from.1 || other_to.1 <= from.1;
            assert!(apart, "{name}: {text:?} on {:?}", other.text);
        }
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let shapes = [(1, 1), (12, 1), (2, 5)];
    shapes.into_iter().flat_map(|(arms, workloads)| {
        [(true, false, true), (false, false, false), (true, true, true)].map(|(incident, long, lanes)| Case {
            arms,
            workloads,
            incident,
            long,
            lanes,
        })
    })
}

#[test]
fn every_chart_can_be_read() {
    for case in cases() {
        for Chart { name, sheet } in drawn(&scenario(case)) {
            assert_legible(&format!("{name} of {case:?}"), &sheet.shapes, sheet.height);
        }
    }
}

#[test]
fn what_cannot_be_read_is_found() {
    let text = |x: f64, words: &str| Shape::Text(Text::new((x, 20.0), words));
    let faint = Shape::Text(Text::new((20.0, 20.0), "faint").colour(Rgb(170, 170, 170)));
    let small = Shape::Text(Text::new((20.0, 20.0), "small").size(10.0));
    assert_legible("good", &[text(20.0, "one"), text(60.0, "two")], 40.0);
    for (why, shapes) in [
        ("on another", vec![text(20.0, "one text"), text(40.0, "another")]),
        ("outside", vec![text(WIDTH - 20.0, "a long text at the end")]),
        ("faint", vec![faint]),
        ("small", vec![small]),
    ] {
        let found = std::panic::catch_unwind(|| assert_legible(why, &shapes, 40.0));
        assert!(found.is_err(), "{why}");
    }
}

#[test]
fn the_contrast_is_that_of_the_standard() {
    assert!((contrast(Rgb(0, 0, 0), Rgb(255, 255, 255)) - 21.0).abs() < 1e-9);
    // #777777 on white is the usual example of a grey that just fails.
    assert!((contrast(Rgb(119, 119, 119), Rgb(255, 255, 255)) - 4.48).abs() < 0.005);
}

/// From which file a chart is drawn.
fn source(name: &str) -> &str {
    match name {
        "success" => "time_to_success.csv",
        "recovery" => "replications.csv",
        "differences" => "comparison.csv",
        "lanes" => "timeseries.csv, lanes.csv",
        _ => "timeseries.csv",
    }
}

#[test]
fn every_chart_says_what_it_shows_and_of_what() {
    for case in cases() {
        let scenario = scenario(case);
        let charts = drawn(&scenario);
        let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
        let mut expected = vec!["load", "success", "herd", "amplification"];
        expected.extend(case.incident.then_some("recovery"));
        expected.extend(case.lanes.then_some("lanes"));
        expected.extend((case.arms > 1).then_some("differences"));
        assert_eq!(names, expected, "{case:?}");
        for chart in &charts {
            let (name, svg) = (&chart.name, String::from_utf8(chart.svg()).unwrap());
            let csv = source(&chart.name);
            let said = [
                "Does &quot;jitter&quot; &lt;beat&gt; it?",
                "A &lt;script&gt;&amp;",
                "seed 4711",
                csv,
                "means of 2 replications",
            ];
            for words in said {
                assert!(svg.contains(words), "{name}: {words}");
            }
            assert_eq!(svg.contains("bins of 500ms"), csv.contains("timeseries.csv"), "{name}");
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<script"), "{name}");
            let shaded = case.incident && csv.contains("timeseries.csv");
            assert_eq!(svg.contains("outage"), shaded, "{name}");
            for (index, arm) in scenario.arms.iter().enumerate().filter(|_| !case.long) {
                let times = svg.matches(&format!(">\n{}\n<", arm.name)).count();
                // Four metrics, of which one is of the service; the baseline is what they are held against.
                let expected = match chart.name.as_str() {
                    "differences" if index == scenario.baseline => 0,
                    "differences" => 3 * case.workloads + 1,
                    _ => case.workloads,
                };
                assert_eq!(times, expected, "{name}: {}", arm.name);
            }
            assert_eq!(
                svg.contains("workload w0, service api") || svg.contains("workload w0\n"),
                case.workloads > 1 && !case.long,
                "{name}"
            );
        }
    }
}

#[test]
fn a_run_in_which_nothing_happens_says_so() {
    let text = "title = 'Silence'\nseed = 1\nreplications = 1\nhorizon = '60s'\n[services.api]\n\
                [workloads.none]\nservice = 'api'\nclients = 1\narrivals.poisson = { rate = '1/36000d' }\n[policies.none]\nretries = 0\nbackoff.fixed = '1s'\n";
    let scenario = Scenario::parse("silent", "silent.toml", text, &[]).unwrap();
    for chart in drawn(&scenario) {
        assert_legible(&chart.name, &chart.sheet.shapes, chart.sheet.height);
        let (name, svg) = (&chart.name, String::from_utf8(chart.svg()).unwrap());
        assert!(
            svg.contains("no requests arrived") || svg.contains("no attempts were sent"),
            "{name}: {svg}"
        );
        assert!(svg.contains("Silence") && svg.contains("1 replication ·"), "{name}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
}

#[test]
fn columns_divided_by_shares_are_stacks_on_a_linear_axis() {
    // A column of a broken axis is divided by shares, and one of a linear axis stacked: on the latter both are the same.
    use super::rates::Bar;
    let bar = Bar {
        from: 0.0,
        to: 1.0,
        at: 0.0,
        attempts: [30.0, 10.0, 0.0, 0.0, 0.0, 0.0],
        accepted: 40.0,
        succeeded: 0.0,
    };
    let shares: Vec<f64> = (0..3).map(|number| bar.share(number)).collect();
    assert_eq!(shares, [0.75, 1.0, 1.0]);
    let scale = super::axis::Scale::linear(40.0);
    assert_eq!(scale.height(bar.offered()) * bar.share(0), scale.height(30.0));
}
