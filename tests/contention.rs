//! A channel in slots against what is known of it: truncated binary exponential backoff, and slotted ALOHA
//! (`tests/data/contention_oracles.csv`).

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
        "horizon = '100d'\nbin = '1d'\nwindow = '1s'\nseed = 1976\n\
         [services.ether]\ncontention.channel = {{ slot = '1ms' }}\n\
         [workloads.stations]\nservice = 'ether'\nclients = {stations}\narrivals.burst = {{}}\n\
         [policies.binary]\nretries = 1_000_000\nretry_on = 'any_failure'\n\
         backoff.exponential = {{ base = '1ms', exponent = 1 }}\ncap_before_jitter = '{}ms'\njitter = 'full'\nround.down = '1ms'\n",
        1u64 << cap
    )
}

/// Mean and variance of the mean.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0) / n)
}

#[test]
fn the_channel_does_what_is_known_of_it() {
    let mut reader = csv::Reader::from_reader(include_str!("data/contention_oracles.csv").as_bytes());
    let (mut scores, mut complaints) = (Vec::new(), Vec::new());
    for row in reader.records() {
        let row = row.expect("the data is sound CSV");
        let (id, metric, method) = (&row[1], &row[5], &row[7]);
        let expected: f64 = row[6].parse().expect("a number");
        let params: serde_json::Value = serde_json::from_str(&row[4]).expect("JSON");
        let (own, error) = if id.starts_with("Aloha") {
            // Poisson attempts, one per slot and G on average, that are not repeated.
            let load = params["G"].as_f64().expect("a load");
            let text = format!(
                "horizon = '1000s'\nbin = '100s'\nseed = 1975\n[services.ether]\ncontention.channel = {{ slot = '1ms' }}\n\
                 [workloads.stations]\nservice = 'ether'\narrivals.poisson = {{ rate = '{}/s' }}\n[policies.none]\nretries = 0\n",
                1000.0 * load
            );
            let per_slot = |replication| run(&text, replication).workloads[0].succeeded() as f64 / 1e6;
            mean(&(0..12).into_par_iter().map(per_slot).collect::<Vec<_>>())
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
            mean(&(0..RUNS).into_par_iter().map(measure).collect::<Vec<_>>())
        };
        let theirs =
            method.split("se=").nth(1).map_or(0.0, |se| se.parse::<f64>().expect("a standard error"));
        let z = (own - expected) / (error + theirs * theirs).sqrt();
        println!("{id}, {metric}: {own:.4} instead of {expected}, z = {z:.2}");
        scores.push(z);
        if z.abs() > 4.5 {
            complaints.push(format!("{id}, {metric}: {own} instead of {expected}, z = {z:.2}"));
        }
    }
    let rms = (scores.iter().map(|z| z * z).sum::<f64>() / scores.len() as f64).sqrt();
    println!("{} figures scored, rms(z) = {rms:.3}", scores.len());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(scores.len() > 20);
}
