//! A channel in slots against what is known of it: truncated binary exponential backoff, and slotted ALOHA
//! (`tests/data/contention_oracles.csv`).

mod band;
#[path = "band/published.rs"]
mod figures;

use figures::{Figure, judge};
use rayon::prelude::*;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};

const RUNS: u32 = 4000;

fn run(text: &str, replication: u32) -> Record {
    let scenario = Scenario::parse("channel", "channel", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    Simulation::new(&scenario, 0, replication, 0).run()
}

/// Slots of a millisecond; after its i-th collision a station waits for 1 to 2^min(i, cap) of them.
fn backoff(stations: u64, cap: u32) -> String {
    format!(
        "horizon = '100d'\nbin = '1d'\nwindow = '1h'\nseed = 1976\n\
         [services.ether]\ncontention.channel = {{ slot = '1ms' }}\n\
         [workloads.stations]\nservice = 'ether'\nclients = {stations}\narrivals.burst = {{}}\n\
         [policies.binary]\nretries = 1_000_000\nretry_on = 'any_failure'\n\
         backoff.exponential = {{ base = '1ms', exponent = 1 }}\ncap_before_jitter = '{}ms'\njitter = 'full'\nround.down = '1ms'\n",
        1u64 << cap
    )
}

#[test]
fn the_channel_does_what_is_known_of_it() {
    let mut reader = csv::Reader::from_reader(include_str!("data/contention_oracles.csv").as_bytes());
    let mut figures = Vec::new();
    for row in reader.records() {
        let row = row.expect("the data is sound CSV");
        let (id, metric, method) = (&row[1], &row[5], &row[7]);
        let expected: f64 = row[6].parse().expect("a number");
        let params: serde_json::Value = serde_json::from_str(&row[4]).expect("JSON");
        let own: Vec<f64> = if id.starts_with("Aloha") {
            // Poisson attempts, one per slot and G on average, that are not repeated.
            let load = params["G"].as_f64().expect("a load");
            let text = format!(
                "horizon = '1000s'\nbin = '100s'\nseed = 1975\n[services.ether]\ncontention.channel = {{ slot = '1ms' }}\n\
                 [workloads.stations]\nservice = 'ether'\narrivals.poisson = {{ rate = '{}/s' }}\n[policies.none]\nretries = 0\n",
                1000.0 * load
            );
            let per_slot = |replication| run(&text, replication).workloads[0].succeeded() as f64 / 1e6;
            (0..12).into_par_iter().map(per_slot).collect()
        } else {
            let (stations, cap) =
                (params["n"].as_u64().expect("a number"), params["cap_exponent"].as_u64().expect("a cap"));
            let text = backoff(stations, cap.min(31) as u32);
            let measure = |replication| {
                let record = run(&text, replication);
                let tally = &record.workloads[0];
                assert_eq!(tally.succeeded(), stations);
                if metric.contains("transmissions") {
                    tally.sent as f64
                } else {
                    tally.quiet.as_secs_f64() * 1e3
                }
            };
            (0..RUNS).into_par_iter().map(measure).collect()
        };
        let theirs =
            method.split("se=").nth(1).map_or(0.0, |se| se.parse::<f64>().expect("a standard error"));
        // References that were simulated say how well they are known, from many more runs than ours.
        let theirs = (theirs * theirs, 19_999.0);
        figures.push(Figure::new(format!("{id}, {metric}"), &own, expected, theirs, id));
    }
    assert!(figures.len() > 20);
    judge("a channel in slots", &figures);
}
