//! Lanes over time add up to what is measured in other ways: breakers by the time that each was open, queues and servers by the
//! times of each call.

use std::collections::BTreeMap;
use std::path::Path;

use retrysim::experiment::{self, Options};
use retrysim::report;
use retrysim::scenario::Scenario;

/// What lanes.csv says of an arm, a workload and its service: the sums of its columns, the number of bins and their width.
#[derive(Debug, Default)]
struct Lanes {
    sums: [Option<f64>; 4],
    bins: usize,
    width: f64,
}

fn run(name: &str) -> (BTreeMap<[String; 3], Lanes>, BTreeMap<[String; 4], f64>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let scenario = Scenario::load(&file, &[("replications".into(), "3".into())]).expect("it is shipped");
    let results = experiment::run(&scenario, Options::default(), &|| ());
    let bytes = report::lanes(&scenario, &results).expect("there are lanes");
    let mut lanes: BTreeMap<[String; 3], Lanes> = BTreeMap::new();
    for row in csv::Reader::from_reader(&bytes[..]).into_deserialize() {
        let (arm, workload, service, time, cells): (String, String, String, f64, [Option<f64>; 4]) =
            row.expect("a row of lanes.csv");
        let lane = lanes.entry([arm, workload, service]).or_default();
        lane.bins += 1;
        if lane.bins == 2 {
            lane.width = time;
        }
        for (sum, cell) in lane.sums.iter_mut().zip(cells) {
            *sum = cell.map(|cell| sum.unwrap_or(0.0) + cell);
        }
    }
    let bytes = report::summary(&scenario, &results);
    let mut summary = BTreeMap::new();
    for row in csv::Reader::from_reader(&bytes[..]).records() {
        let row = row.expect("a row of summary.csv");
        if let Ok(mean) = row[5].parse() {
            summary.insert([0, 1, 2, 3].map(|column| row[column].to_owned()), mean);
        }
    }
    (lanes, summary)
}

/// Cells have nine digits, and so has what they are held against.
fn assert_close(found: f64, measured: f64, what: &str) {
    assert!((found - measured).abs() <= 1e-6 * measured.max(1e-3), "{what}: {found}, measured {measured}");
}

#[test]
fn breakers_are_open_as_long_as_each_of_them_says() {
    for name in ["circuit-breaker.toml", "breaker-flapping.toml"] {
        let (lanes, summary) = run(name);
        let mut compared = 0;
        for ([arm, workload, service], lanes) in &lanes {
            let key = [arm, workload, service, "breaker_time_open"].map(str::to_owned);
            let measured = summary.get(&key).copied();
            assert_eq!(lanes.sums[0].is_some(), measured.is_some(), "{arm}");
            assert_eq!(lanes.sums[2..], [None, None], "{arm}");
            if let (Some(open), Some(measured)) = (lanes.sums[0], measured) {
                assert_close(open * lanes.width, measured, arm);
                compared += usize::from(measured > 0.0);
            }
        }
        assert!(compared >= 2, "{name}");
    }
}

#[test]
fn queues_and_servers_are_as_their_calls_say() {
    // Five servers, in some arms decided by recurrence, in others as time goes on.
    let (lanes, summary) = run("lifo-or-fifo.toml");
    let mut waited = 0;
    for ([arm, workload, service], lanes) in &lanes {
        let of = |metric: &str| summary[&[arm, "", service, metric].map(str::to_owned)];
        let mean = |lane: usize| lanes.sums[lane].expect("there are servers") / lanes.bins as f64;
        let whose = format!("{arm} {workload}");
        assert_close(mean(2), of("queue_mean"), &whose);
        assert_close(mean(3), of("utilisation") * 5.0, &whose);
        waited += usize::from(mean(2) > 0.0);
    }
    assert!(waited >= 3, "{waited}");
}
