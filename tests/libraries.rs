//! Presets agree with the libraries they are named after: with delays drawn by the real code (`tests/data/policy_vectors.csv`).
//! Breakers are in `tests/breakers.rs`.

use std::collections::BTreeMap;

use retrysim::outcome::Outcome;
use retrysim::policy::{Decision, History, Policy};
use retrysim::random::{Key, Purpose};
use retrysim::scenario::Scenario;
use retrysim::time::Interval;

/// Draws per random row, as many as the reference took.
const DRAWS: u64 = 20_000;
/// Kolmogorov-Smirnov at alpha = 1e-4 for two samples of 20,000: sqrt(-ln(alpha / 2) / 2) * sqrt(2 / 20,000).
const KS_BOUND: f64 = 2.2253 * 0.01;

struct Row {
    cells: BTreeMap<String, String>,
}

impl Row {
    fn get(&self, column: &str) -> &str {
        &self.cells[column]
    }

    fn number(&self, column: &str) -> f64 {
        self.get(column).parse().unwrap_or_else(|_| panic!("{column} is not a number"))
    }
}

fn rows(text: &'static str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize().map(|row| Row { cells: row.expect("the data is sound CSV") });
    rows.collect()
}

/// The policy that a scenario with these fields has.
fn scenario(policy: &str) -> Scenario {
    let text = format!(
        "horizon = '1h'\n[services.s]\n[workloads.w]\nservice = 's'\narrivals.burst = {{}}\n[policies.p]\n{policy}\n"
    );
    Scenario::parse("libraries", "libraries.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// `draws` delays of each retry, in seconds: the outer index is the retry.
fn delays(policy: &str, retries: usize, draws: u64) -> Vec<Vec<f64>> {
    let policy = Policy::new(&scenario(policy).policies[0].config);
    let key = Key::derive(2026, 0, Purpose::Backoff, "libraries");
    let mut delays = vec![Vec::new(); retries];
    for entity in 0..draws {
        let mut previous_delay = Interval::ZERO;
        for (index, delays) in delays.iter_mut().enumerate() {
            let attempts = index as u32 + 1;
            let history = History { attempts, elapsed: Interval::ZERO, previous_delay };
            let decision =
                policy.decide(Outcome::Timeout, None, &history, || key.block(entity, attempts.into()));
            let Decision::Retry(delay) = decision else { panic!("retry {attempts} is not made") };
            previous_delay = delay.backoff;
            delays.push(delay.wait.as_secs_f64());
        }
    }
    delays
}

/// The preset that stands for a row, in the words of a scenario.
fn preset(row: &Row) -> String {
    let params = row.get("params");
    match row.get("library") {
        "seed-guide claimed" if params == "no jitter" => {
            "use = 'prefect@3'\nretries = 3\nretry_delay_seconds = 60".to_owned()
        }
        "seed-guide claimed" => "use = 'guide:exponential-jitter'".to_owned(),
        _ if params.starts_with('{') => {
            let number = |name: &str| {
                let rest = params.split_once(&format!("\"{name}\":")).expect("the parameter is there").1;
                rest.split([',', '}']).next().expect("split gives a first part").to_owned()
            };
            format!(
                "use = 'prefect@3'\nretries = 1\nretry_delay_seconds = {}\nretry_jitter_factor = {}",
                number("retry_delay_seconds"),
                number("retry_jitter_factor")
            )
        }
        _ if params.contains("exponential_backoff(10)") => {
            "use = 'prefect@3:exponential-backoff'\nretries = 5\nbackoff_factor = 10".to_owned()
        }
        _ if params.contains("no delay") => "use = 'prefect@3'\nretries = 2".to_owned(),
        _ => {
            let (retries, delay) =
                params.split_once(",retry_delay_seconds=").expect("the parameters are two");
            format!("use = 'prefect@3'\n{}\nretry_delay_seconds = {delay}", retries.replace('=', " = "))
        }
    }
}

#[test]
fn delays_are_those_of_the_real_libraries() {
    let rows = rows(include_str!("data/policy_vectors.csv"));
    let mut cache: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for row in &rows {
        let preset = preset(row);
        let retry = row.number("retry_index") as usize;
        let retries = rows.iter().filter(|other| self::preset(other) == preset);
        let retries =
            retries.map(|row| row.number("retry_index") as usize).max().expect("the row itself is there");
        let drawn = cache.entry(preset.clone()).or_insert_with(|| delays(&preset, retries, DRAWS));
        compare(row, &drawn[retry - 1], &preset);
    }
}

fn compare(row: &Row, drawn: &[f64], preset: &str) {
    let (stat, value) = (row.get("stat"), row.number("value_seconds"));
    let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
    let variance = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (drawn.len() - 1) as f64;
    // The reference's mean has an error of its own.
    let mean_bound = 4.0 * (2.0 * variance / drawn.len() as f64).sqrt();
    let (least, most) = drawn.iter().fold((f64::MAX, 0.0f64), |(low, high), &x| (low.min(x), high.max(x)));
    let below = |bound: f64| drawn.iter().filter(|&&x| x < bound).count() as f64 / drawn.len() as f64;
    let agrees = match stat {
        "exact" | "exact_doc" => drawn.iter().all(|&x| (x - value).abs() <= 1e-9),
        "n" => value == drawn.len() as f64,
        // Of 20,000 draws, hardly any can lie beyond the extreme of another 20,000.
        "min" => below(value) < 1e-3,
        "max" => below(value) > 1.0 - 1e-3,
        "min_doc" => least >= value && least < value * 1.01,
        "max_doc" => most <= value && most > value * 0.99,
        "mean" => (mean - value).abs() <= mean_bound,
        "mean_doc" => (mean - value).abs() <= 4.0 * (variance / drawn.len() as f64).sqrt(),
        // The standard error of a standard deviation is at most s / sqrt(2n) for these light tails, for both samples.
        "std" => (variance.sqrt() - value).abs() <= 4.5 * value / (drawn.len() as f64).sqrt(),
        quantile => {
            let p: f64 =
                quantile.trim_start_matches('q').parse::<f64>().expect("the rest are quantiles") / 100.0;
            (below(value) - p).abs() <= KS_BOUND
        }
    };
    assert!(
        agrees,
        "{preset}\nretry {}: {stat} {value} against mean {mean}, {least} to {most}",
        row.get("retry_index")
    );
}
