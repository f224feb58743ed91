//! What holds for every chart of every sweep.

use super::super::tests::assert_legible;
use super::super::{LINES, Pictures};
use crate::report::sweep::{Plan, Point, Row};
use crate::scenario::Metric;

/// A plan over axes with these values.
fn plan(arms: usize, design: &str, axes: &[(&str, &[&str])]) -> Plan {
    let mut points: Vec<Vec<String>> = vec![Vec::new()];
    for (_, values) in axes {
        points = points
            .iter()
            .flat_map(|point| values.iter().map(|value| [point.clone(), vec![(*value).to_owned()]].concat()))
            .collect();
    }
    Plan {
        program: "retrysim".into(),
        results_version: 0,
        name: "tried".into(),
        title: "A <script>&".into(),
        question: Some("Does it <hold>?".into()),
        seed: 4711,
        replications: 3,
        arms: (0..arms).map(|arm| format!("arm-{arm}")).collect(),
        scenario: String::new(),
        design: design.into(),
        axes: axes.iter().map(|(path, _)| (*path).to_owned()).collect(),
        points: points.into_iter().map(|values| Point { values, key: String::new() }).collect(),
        shard: None,
    }
}

/// Rows of two workloads at each point; what is not observed and what never happens among them.
fn seen(plan: &Plan) -> Vec<Vec<Row>> {
    let row = |point: usize, arm: &String, workload: &str, metric: &str| {
        let mean = match (metric, point % 5) {
            ("recovery_time", 1) => None,
            ("recovery_time", 2) => Some(f64::INFINITY),
            ("recovery_time", _) => Some(7.0 * point as f64),
            _ => Some(1.0 / (1.0 + point as f64)),
        };
        Row {
            arm: arm.clone(),
            workload: workload.into(),
            service: "api".into(),
            metric: metric.into(),
            mean,
            interval: mean.filter(|mean| mean.is_finite()).map(|mean| (mean * 0.7, mean * 1.3)),
        }
    };
    (0..plan.points.len())
        .map(|point| {
            let figures = ["a", "b"]
                .into_iter()
                .flat_map(|workload| ["success_rate", "recovery_time"].map(|metric| (workload, metric)));
            let of_arm =
                |arm| figures.clone().map(move |(workload, metric)| row(point, arm, workload, metric));
            plan.arms.iter().flat_map(of_arm).collect()
        })
        .collect()
}

fn drawn(plan: &Plan) -> Vec<(String, String)> {
    let metrics = ["success_rate", "recovery_time"].map(|name| Metric::named(name).expect(name));
    let files = super::sweep_charts(plan, &seen(plan), &metrics);
    assert!(files == super::sweep_charts(plan, &seen(plan), &metrics), "the same rows give the same bytes");
    files
        .iter()
        .map(|chart| {
            assert_legible(&chart.name, &chart.sheet.shapes, chart.sheet.height);
            let (name, bytes) = chart.files(Pictures::Svg).remove(0);
            (name, String::from_utf8(bytes).expect("text"))
        })
        .collect()
}

#[test]
fn every_chart_says_what_it_shows_and_of_what() {
    let numbers: &[&str] = &["1", "2", "4", "8", "16", "32"];
    let names: &[&str] = &["none", "full", "{ between = ['1s', '2s'] }"];
    for (arms, design, axes, expected) in [
        (1, "grid", &[("w.clients", numbers)][..], "charts/lines.svg"),
        (20, "grid", &[("p.jitter", names)], "charts/lines.svg"),
        (3, "grid", &[("w.clients", numbers), ("p.jitter", names)], "charts/heatmap-success_rate.svg"),
        (
            2,
            "grid",
            &[("w.clients", numbers), ("p.jitter", names), ("p.retries", &["1", "2"])],
            "charts/dots-success_rate.svg",
        ),
        (2, "latin hypercube", &[("w.clients", numbers)], "charts/dots-success_rate.svg"),
        (1, "grid", &[("w.clients", &["5"])], "charts/lines.svg"),
    ] {
        let plan = plan(arms, design, axes);
        let files = drawn(&plan);
        assert_eq!(files[0].0, expected);
        for (name, svg) in files {
            let arm = |arm: &String| svg.contains(&format!(">\n{arm}\n<"));
            assert!(plan.arms.iter().all(arm), "{name}: an arm is not named");
            for words in [
                "Does it &lt;hold&gt;?",
                "A &lt;script&gt;&amp;",
                "seed 4711",
                "sweep.csv",
                "3 replications",
                "of a",
                "of b",
            ] {
                assert!(svg.contains(words), "{name}: {words}");
            }
            assert!(plan.axes.iter().all(|axis| svg.contains(axis)), "{name}: an axis is not named");
            let several = plan.points.len() > 2;
            assert_eq!(
                svg.contains("never"),
                several && (name.contains("lines") || name.contains("recovery")),
                "{name}"
            );
            assert!(!svg.contains("NaN") && !svg.contains(">\ninf") && !svg.contains("<script"), "{name}");
        }
    }
}

#[test]
fn the_lines_of_arms_are_told_apart() {
    let plan = plan(LINES.len(), "grid", &[("w.clients", &["1", "2", "3"])]);
    let (_, svg) = &drawn(&plan)[0];
    for super::super::drawing::Rgb(red, green, blue) in LINES {
        assert!(svg.contains(&format!("#{red:02X}{green:02X}{blue:02X}")), "{red} {green} {blue}");
    }
}
