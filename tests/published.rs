//! Published simulations, repeated with the whole simulator: retries, budgets and a retry breaker against failures that are
//! independent of each other (`tests/data/independent_failures.csv`), many clients that write one versioned row
//! (`tests/data/occ_backoff.csv`), and a server that slows down with what it has to do (`tests/data/collapse.csv`).

mod band;
#[path = "band/published.rs"]
mod figures;

use figures::{Figure, judge, moments};
use rayon::prelude::*;
use retrysim::metrics::Column;
use retrysim::scenario::Scenario;
use retrysim::simulation::Simulation;

/// Runs of ours per row; the publication has ten.
const REPLICATIONS: u32 = 40;

/// The policy of each strategy, in the words of a scenario.
fn policy(name: &str) -> &'static str {
    match name {
        "no_retries" => "retries = 0",
        "three_retries" => "retries = 3\nbackoff.fixed = '0s'",
        "adaptive_10pct" => "use = 'brooker@2022:adaptive'",
        "breaker_10pct" => "use = 'brooker@2022:breaker'",
        other => panic!("there is no strategy {other}"),
    }
}

/// Success rates and load factors of our runs. A hundred clients each make a call at once and 10 a second for 10 s; here all
/// of these come as one Poisson stream, with 101 calls per client as there. A call takes two exponential hops of 10 ms
/// together.
fn runs(name: &str, failure_rate: f64) -> Vec<[f64; 2]> {
    let text = format!(
        "horizon = '1h'\nbin = '1h'\nwindow = '1m'\nreplications = {REPLICATIONS}\nseed = 2022\n\
         [services.server]\nlatency.exponential = {{ mean = '20ms' }}\n\
         faults = [{{ random = {{ status = 503, probability = {failure_rate} }} }}]\n\
         [workloads.calls]\nservice = 'server'\nclients = 100\narrivals.poisson = {{ rate = '1010/s', until = '10s' }}\n\
         [policies.strategy]\n{}\n",
        policy(name)
    );
    let scenario = Scenario::parse(name, name, &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let run = |replication| {
        let record = Simulation::new(&scenario, 0, replication, 0).run();
        let tally = &record.workloads[0];
        let requests = tally.requests as f64;
        [tally.succeeded() as f64 / requests, tally.sent as f64 / requests]
    };
    (0..REPLICATIONS).into_par_iter().map(run).collect()
}

#[test]
fn strategies_against_independent_failures_do_as_published() {
    let mut reader = csv::Reader::from_reader(include_str!("data/independent_failures.csv").as_bytes());
    let header = reader.headers().expect("there is a header").clone();
    let column =
        |name: &str| header.iter().position(|column| column == name).expect("there is such a column");
    let (mut figures, mut complaints) = (Vec::new(), Vec::new());
    for (place, row) in reader.records().enumerate() {
        let row = row.expect("the data is sound CSV");
        let number = |name: &str| -> f64 { row[column(name)].parse().expect("a number") };
        let (name, failure_rate) = (&row[column("name")], number("failure_rate"));
        let runs = runs(name, failure_rate);
        for (index, measure) in ["success_rate", "load_factor"].into_iter().enumerate() {
            let (mean, sd) = (number(&format!("{measure}_mean")), number(&format!("{measure}_sd")));
            let own: Vec<f64> = runs.iter().map(|run| run[index]).collect();
            let seeds = number("seeds");
            let name = format!("{name} at {failure_rate}, {measure}");
            let error = (sd * sd / seeds + moments(&own).1 / f64::from(REPLICATIONS)).sqrt();
            // The published figures are rounded to the sixth and to the fifth decimal.
            let rounding = [5e-7, 5e-6][index];
            if error < rounding {
                if (moments(&own).0 - mean).abs() > 2.0 * rounding {
                    complaints.push(format!("{name}: {} instead of {mean}", moments(&own).0));
                }
                continue;
            }
            figures.push(Figure::new(name, &own, mean, (sd * sd / seeds, seeds - 1.0), &place.to_string()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(figures.len() > 90, "only {} figures have any luck in them", figures.len());
    judge("independent failures", &figures);
}

/// The policy of each way to wait, in the words of a scenario.
fn waits(name: &str) -> &'static str {
    let capped = "backoff.exponential = { base = '5ms', exponent = 1 }\ncap_before_jitter = '2s'";
    match name {
        "None" => "backoff.fixed = '0s'",
        "Exponential" => capped,
        "EqualJitter" => {
            "backoff.exponential = { base = '5ms', exponent = 1 }\ncap_before_jitter = '2s'\njitter = 'equal'"
        }
        "FullJitter" => {
            "backoff.exponential = { base = '5ms', exponent = 1 }\ncap_before_jitter = '2s'\njitter = 'full'"
        }
        "Decorr" => "backoff.fixed = '5ms'\njitter = 'decorrelated'\ncap_after_jitter = '2s'",
        other => panic!("there is no way to wait called {other}"),
    }
}

/// (milliseconds until the last client has written, writes) of each run.
fn writers(name: &str, clients: u32, replications: u32) -> Vec<[f64; 2]> {
    let text = format!(
        "horizon = '1h'\nbin = '1h'\nwindow = '1m'\nreplications = {replications}\nseed = 2015\n\
         [services.row]\ncontention.versioned_row = {{}}\nnetwork.normal = {{ mean = '10ms', sd = '2ms' }}\n\
         [workloads.writers]\nservice = 'row'\nclients = {clients}\narrivals.burst = {{}}\n\
         [policies.waits]\nretries = 1_000_000\nretry_on = 'any_failure'\n{}\n",
        waits(name)
    );
    let scenario = Scenario::parse(name, name, &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let run = |replication| {
        let record = Simulation::new(&scenario, 0, replication, 0).run();
        let tally = &record.workloads[0];
        assert_eq!(tally.succeeded(), u64::from(clients), "every client writes once");
        [tally.quiet.as_secs_f64() * 1e3, tally.sent as f64]
    };
    (0..replications).into_par_iter().map(run).collect()
}

/// Clients that contend for one row, up to so many of them.
fn contention_is_as_published(most: u32) {
    const REPLICATIONS: u32 = 1000;
    let mut reader = csv::Reader::from_reader(include_str!("data/occ_backoff.csv").as_bytes());
    let header = reader.headers().expect("there is a header").clone();
    let column =
        |name: &str| header.iter().position(|column| column == name).expect("there is such a column");
    let mut figures = Vec::new();
    for (place, row) in reader.records().enumerate() {
        let row = row.expect("the data is sound CSV");
        let number = |name: &str| -> f64 { row[column(name)].parse().expect("a number") };
        let (name, clients) = (&row[column("policy")], number("clients") as u32);
        if clients > most {
            continue;
        }
        let runs = writers(name, clients, REPLICATIONS);
        for (index, measure) in ["time_ms", "write_calls"].into_iter().enumerate() {
            let (mean, sd) = (number(&format!("{measure}_mean")), number(&format!("{measure}_sd")));
            let own: Vec<f64> = runs.iter().map(|run| run[index]).collect();
            let theirs = (sd * sd / number("reps_total"), number("reps_total") - 1.0);
            println!("{clients} {name}: {measure} {:.2}, published {mean}", moments(&own).0);
            figures.push(Figure::new(
                format!("{clients} {name}, {measure}"),
                &own,
                mean,
                theirs,
                &place.to_string(),
            ));
        }
    }
    judge("contention for a row", &figures);
}

#[test]
fn a_few_clients_contend_for_a_row_as_published() {
    contention_is_as_published(40);
}

#[test]
#[ignore = "takes minutes: cargo test --release --locked --test published -- --ignored"]
fn up_to_190_clients_contend_for_a_row_as_published() {
    contention_is_as_published(190);
}

/// Starts, successes, retries and timeouts of each second of one run.
type Seconds = Vec<[f64; 4]>;

/// A server whose service time grows with what it has to do, under 40 calls a second and twice as many for five seconds.
fn collapse(name: &str, replication: u32) -> Seconds {
    let policy = match name {
        "spike_no_backoff" => "backoff.fixed = '0s'",
        "spike_backoff_and_jitter" => "backoff.list = ['20s', '40s']\njitter = 'full'",
        other => panic!("there is no scenario {other}"),
    };
    let text = format!(
        "horizon = '80s'\nbin = '1s'\nseed = 2021\n\
         [services.server]\nnetwork.exponential = {{ mean = '100ms' }}\nlatency.constant = '1s'\ncapacity.slowdown = 0.01\n\
         [workloads.calls]\nservice = 'server'\ntimeout = '3s'\npolicy = 'p'\n\
         arrivals.steps = [{{ at = '0s', rate = '40/s' }}, {{ at = '20s', rate = '80/s' }}, {{ at = '25s', rate = '40/s' }}]\n\
         [policies.p]\nretries = 2\n{policy}\n"
    );
    let scenario = Scenario::parse(name, name, &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let record = Simulation::new(&scenario, 0, replication, 0).run();
    let series = &record.workloads[0].series;
    let count = |bin, column| series.get(bin, column) as f64;
    (0..series.bins())
        .map(|bin| {
            // There a retry is counted when it is decided, not when it is sent.
            let retries = count(bin, Column::TimedOut) - count(bin, Column::GaveUp);
            [
                count(bin, Column::Requests),
                count(bin, Column::Succeeded),
                retries,
                count(bin, Column::TimedOut),
            ]
        })
        .collect()
}

/// Single runs without backoff recover or do not, and so do ten of them differ: each figure is the mean of their ten runs, held
/// against the mean and the variance of many of ours.
#[test]
fn a_server_that_slows_down_collapses_and_recovers_as_published() {
    const RUNS: usize = 400;
    const TEN: usize = 10;
    let mut reader = csv::Reader::from_reader(include_str!("data/collapse.csv").as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("sound CSV")).collect();
    for name in ["spike_no_backoff", "spike_backoff_and_jitter"] {
        let runs: Vec<Seconds> = (0..RUNS as u32).into_par_iter().map(|run| collapse(name, run)).collect();
        let (mut figures, mut complaints) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| &row[5] == name) {
            let second = row[0].parse::<f64>().expect("a number") as usize;
            for (index, measure) in ["starts", "successes", "retries", "timeouts"].into_iter().enumerate() {
                let published: f64 = row[1 + index].parse().expect("a number");
                let own: Vec<f64> = runs.iter().map(|run| run[second][index]).collect();
                let (mean, variance) = moments(&own);
                let figure = format!("{measure} at {second} s");
                if variance < 1e-18 {
                    if (published - mean).abs() > 1e-9 {
                        complaints.push(format!("{figure}: {mean} instead of {published}"));
                    }
                    continue;
                }
                // Their variance is taken to be ours, and so is known as well as ours.
                let theirs = (variance / TEN as f64, (RUNS - 1) as f64);
                figures.push(Figure::new(figure, &own, published, theirs, ""));
            }
        }
        assert!(complaints.is_empty(), "{name}:\n{}", complaints.join("\n"));
        assert!(figures.len() > 200, "only {} figures have any luck in them", figures.len());
        judge(name, &figures);
    }
}
