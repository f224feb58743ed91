//! Presets agree with the libraries they are named after: with delays drawn by the real code (`tests/data/policy_vectors.csv`).
//! Breakers are in `tests/breakers.rs`.

mod javascript_and_rust;
mod javascript_and_rust_schedules;
mod others;
mod others_schedules;
mod python;
mod python_schedules;

use std::collections::BTreeMap;

use rayon::prelude::*;
use retrysim::outcome::{Outcome, StatusCode};
use retrysim::policy::{Decision, History, Memory, Policy};
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

/// What stands for some rows: a policy in the words of a scenario, and what its attempts come to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Setup {
    policy: String,
    /// A status, or 0 for a connection error.
    outcome: u16,
    /// What a Retry-After header asks for, in seconds.
    retry_after: Option<u64>,
}

impl Setup {
    /// A policy whose attempts are answered 503.
    fn new(policy: impl Into<String>) -> Self {
        Self { policy: policy.into(), outcome: 503, retry_after: None }
    }

    fn answered(self, outcome: u16) -> Self {
        Self { outcome, ..self }
    }

    /// Attempts come to a broken connection.
    fn disconnected(self) -> Self {
        self.answered(0)
    }

    fn asked(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

/// `draws` delays of each retry, in seconds: the outer index is the retry.
fn delays(setup: &Setup, retries: usize, draws: u64) -> Vec<Vec<f64>> {
    let policy = Policy::new(&scenario(&setup.policy).policies[0].config, true);
    let outcome = match setup.outcome {
        0 => Outcome::ConnectionError,
        status => Outcome::Status(StatusCode::of(status)),
    };
    let hint = setup.retry_after.map(Interval::from_secs);
    let key = Key::derive(2026, 0, Purpose::Backoff, "libraries");
    let mut delays = vec![Vec::new(); retries];
    for entity in 0..draws {
        let mut memory = Memory::default();
        for (index, delays) in delays.iter_mut().enumerate() {
            let attempts = index as u32 + 1;
            let history = History { attempts, elapsed: Interval::ZERO, request: entity, memory };
            let luck = |retry: u32| key.block(entity, retry.into());
            let decision = policy.decide(outcome, hint, &history, &luck);
            let Decision::Retry(delay) = decision else { panic!("retry {attempts} is not made: {setup:?}") };
            memory = delay.memory;
            delays.push(delay.wait.as_secs_f64());
        }
    }
    delays
}

/// The preset that stands for a row.
fn preset(row: &Row) -> Setup {
    let [library, policy, params] = ["library", "policy", "params"].map(|column| row.get(column));
    let params = Params(params);
    python::preset(library, policy, &params)
        .or_else(|| javascript_and_rust::preset(library, policy, &params))
        .or_else(|| others::preset(library, policy, &params))
        .unwrap_or_else(|| panic!("no preset stands for {library} | {policy} | {}", params.0))
}

/// Parameters of a row: JSON, or name=value with blanks or commas between.
struct Params<'a>(&'a str);

impl Params<'_> {
    /// The text that follows the name of a parameter, up to the end of its value.
    fn get(&self, name: &str) -> Option<&str> {
        let quoted = format!("\"{name}\":");
        let plain = format!("{name}=");
        let at = |key: &str| self.0.find(key).map(|start| &self.0[start + key.len()..]);
        let rest = at(&quoted).or_else(|| at(&plain))?;
        let end = if let Some(list) = rest.strip_prefix('[') {
            list.find(']').map_or(rest.len(), |end| end + 2)
        } else {
            rest.find([',', '}', ' ']).unwrap_or(rest.len())
        };
        Some(rest[..end].trim_matches('"'))
    }

    /// A parameter that is there.
    fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.0))
    }
}

#[test]
fn delays_are_those_of_the_real_libraries() {
    let rows = rows(include_str!("../data/policy_vectors.csv"));
    let mut retries: BTreeMap<Setup, usize> = BTreeMap::new();
    for row in &rows {
        let most = retries.entry(preset(row)).or_default();
        *most = (*most).max(row.number("retry_index") as usize);
    }
    let draw = |(preset, &retries): (&Setup, &usize)| (preset.clone(), delays(preset, retries, DRAWS));
    let drawn: BTreeMap<Setup, Vec<Vec<f64>>> = retries.par_iter().map(draw).collect();
    let complaints: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let preset = preset(row);
            let delays = &drawn[&preset][row.number("retry_index") as usize - 1];
            compare(row, delays, &preset)
        })
        .collect();
    assert!(complaints.is_empty(), "{} of {} rows:\n{}", complaints.len(), rows.len(), complaints.join("\n"));
}

/// What is wrong with delays that should be those of a row.
fn compare(row: &Row, drawn: &[f64], preset: &Setup) -> Option<String> {
    let (stat, value) = (row.get("stat"), row.number("value_seconds"));
    let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
    let variance = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (drawn.len() - 1) as f64;
    // The reference's mean has an error of its own.
    let mean_bound = 4.0 * (2.0 * variance / drawn.len() as f64).sqrt();
    let (least, most) = drawn.iter().fold((f64::MAX, 0.0f64), |(low, high), &x| (low.min(x), high.max(x)));
    // Many draws may have one value, a cap or a whole millisecond: a quantile then lies anywhere in that step.
    let below = |bound: f64| drawn.iter().filter(|&&x| x < bound - 1e-9).count() as f64 / drawn.len() as f64;
    let at_most =
        |bound: f64| drawn.iter().filter(|&&x| x <= bound + 1e-9).count() as f64 / drawn.len() as f64;
    let agrees = match stat {
        "exact" | "exact_doc" => drawn.iter().all(|&x| (x - value).abs() <= 1e-9),
        "n" => value == drawn.len() as f64,
        // Of 20,000 draws, hardly any can lie beyond the extreme of another 20,000.
        "min" => below(value) < 1e-3,
        "max" => at_most(value) > 1.0 - 1e-3,
        // Within half a hundredth of the range of its lower end, which may be zero: 20,000 draws come closer.
        "min_doc" => least >= value && least <= value + (most - value) * 0.005,
        "max_doc" => most <= value && most > value * 0.99,
        "mean" => (mean - value).abs() <= mean_bound,
        "mean_doc" => (mean - value).abs() <= 4.0 * (variance / drawn.len() as f64).sqrt(),
        // The standard error of a standard deviation is at most s / sqrt(2n) for these light tails, for both samples.
        "std" => (variance.sqrt() - value).abs() <= 4.5 * value / (drawn.len() as f64).sqrt(),
        quantile => {
            let p: f64 =
                quantile.trim_start_matches('q').parse::<f64>().expect("the rest are quantiles") / 100.0;
            below(value) - KS_BOUND <= p && p <= at_most(value) + KS_BOUND
        }
    };
    (!agrees).then(|| {
        let which = ["library", "policy", "params", "retry_index"].map(|column| row.get(column)).join(" | ");
        format!(
            "{which}: {stat} {value} against mean {mean}, {least} to {most}\n    {}",
            preset.policy.replace('\n', "; ")
        )
    })
}
