//! Delays: what a policy waits before each retry, when attempts take no time and all of them fail alike.

use crate::error::Error;
use crate::outcome::{Outcome, StatusCode};
use crate::policy::{Decision, History, Memory, Policy, PolicyConfig};
use crate::random::{Key, Purpose};
use crate::time::Interval;

/// How to draw delays.
#[derive(Debug, Clone, Copy)]
pub struct Drawing {
    /// Retries per request at most.
    pub retries: u32,
    /// Requests.
    pub samples: u32,
    /// The root of all luck.
    pub seed: u64,
    /// What every attempt comes to; if absent the first of 503, timeout, connection error, 429, 500, 409, 408, 404 that the
    /// policy retries.
    pub outcome: Option<Outcome>,
    /// What every answer asks for.
    pub retry_after: Option<Interval>,
}

/// The delays before one retry, over all requests that got there.
#[derive(Debug, Clone, PartialEq)]
pub struct DelaySummary {
    /// Which retry, from 1.
    pub retry: u32,
    /// How many requests made it.
    pub n: usize,
    /// Shortest.
    pub min: Interval,
    /// Longest.
    pub max: Interval,
    /// Mean, in seconds.
    pub mean: f64,
    /// Standard deviation in seconds, with n - 1 in the denominator; zero for one request.
    pub std: f64,
    /// Quantiles 0.05, 0.25, 0.5, 0.75 and 0.95 in seconds, interpolated linearly.
    pub quantiles: [f64; 5],
    /// Mean time from the first failure to the end of this delay, in seconds.
    pub cumulative: f64,
    /// The shortest and the longest of the same.
    pub passed_range: (Interval, Interval),
    /// Quantiles of the same, as those of the delay.
    pub passed: [f64; 5],
}

/// The probabilities of [`DelaySummary::quantiles`].
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Draws the delays of `config`.
///
/// # Errors
/// If the policy retries none of the outcomes that were tried.
pub fn delays(config: &PolicyConfig, drawing: Drawing) -> Result<Vec<DelaySummary>, Error> {
    let policy = Policy::new(config, true);
    let outcome = retried(config, drawing)?;
    let key = Key::derive(drawing.seed, 0, Purpose::Backoff, "delays");
    let mut drawn: Vec<Vec<Interval>> = Vec::new();
    let mut passed: Vec<Vec<Interval>> = Vec::new();
    for request in 0..u64::from(drawing.samples) {
        let mut history =
            History { attempts: 1, elapsed: Interval::ZERO, request, memory: Memory::default() };
        while history.attempts <= drawing.retries {
            let luck = |retry: u32| key.block(request, retry.into());
            let Decision::Retry(delay) = policy.decide(outcome, drawing.retry_after, &history, &luck) else {
                break;
            };
            let index = history.attempts as usize - 1;
            if drawn.len() == index {
                drawn.push(Vec::new());
                passed.push(Vec::new());
            }
            history.attempts += 1;
            history.elapsed += delay.wait;
            history.memory = delay.memory;
            drawn[index].push(delay.wait);
            passed[index].push(history.elapsed);
        }
    }
    let summaries = drawn.into_iter().zip(passed).zip(1..);
    Ok(summaries.map(|((delays, passed), retry)| summarise(retry, delays, passed)).collect())
}

fn retried(config: &PolicyConfig, drawing: Drawing) -> Result<Outcome, Error> {
    let retry_on = config.retry_on.outcomes(true);
    let retries = |outcome: &Outcome, header| retry_on.includes(*outcome, header);
    let status = |code| Outcome::Status(StatusCode::of(code));
    let usual: Vec<Outcome> = [status(503), Outcome::Timeout, Outcome::ConnectionError]
        .into_iter()
        .chain([429, 500, 409, 408, 404].map(status))
        .collect();
    let tried = drawing.outcome.map_or_else(|| usual.clone(), |outcome| vec![outcome]);
    if let Some(found) = tried.iter().find(|outcome| retries(outcome, drawing.retry_after.is_some())) {
        return Ok(*found);
    }
    // Only what the policy does retry is a remedy.
    let others = (300..=599).map(status).chain([Outcome::BreakerOpen, Outcome::Shed]);
    let all: Vec<Outcome> = usual.into_iter().chain(others).collect();
    let with_header = tried.iter().find(|outcome| retries(outcome, true));
    let remedy =
        match (all.iter().find(|outcome| retries(outcome, drawing.retry_after.is_some())), with_header) {
            (_, Some(outcome)) => {
                format!("without a Retry-After header: try `--outcome {outcome} --retry-after 5s`")
            }
            (Some(outcome), None) => format!("but {outcome} and perhaps others: try `--outcome {outcome}`"),
            (None, None) => match all.iter().find(|outcome| retries(outcome, true)) {
                Some(outcome) => format!(
                    "but {outcome} with a Retry-After header: try `--outcome {outcome} --retry-after 5s`"
                ),
                None => "nor anything else: set `retry_on`, such as `--set retry_on=any_failure`".to_owned(),
            },
        };
    let tried: Vec<String> = tried.iter().map(ToString::to_string).collect();
    Err(Error::Usage(format!("this policy does not retry {}, {remedy}", tried.join(", "))))
}

fn summarise(retry: u32, mut delays: Vec<Interval>, mut passed: Vec<Interval>) -> DelaySummary {
    let n = delays.len();
    let total: f64 = passed.iter().map(|passed| passed.as_secs_f64()).sum();
    passed.sort_unstable();
    delays.sort_unstable();
    let (min, max) = (delays[0], delays[n - 1]);
    // Offsets from the shortest: equal delays give exactly themselves and a deviation of exactly zero.
    let offsets = || delays.iter().map(|&delay| (delay - min).as_secs_f64());
    let mean_offset = offsets().sum::<f64>() / n as f64;
    let squares: f64 = offsets().map(|x| (x - mean_offset) * (x - mean_offset)).sum();
    DelaySummary {
        retry,
        n,
        min,
        max,
        mean: min.as_secs_f64() + mean_offset,
        std: if n > 1 { (squares / (n - 1) as f64).sqrt() } else { 0.0 },
        quantiles: QUANTILES.map(|p| quantile(&delays, p)),
        cumulative: total / n as f64,
        passed_range: (passed[0], passed[n - 1]),
        passed: QUANTILES.map(|p| quantile(&passed, p)),
    }
}

/// A quantile of sorted times, in seconds, interpolated linearly.
fn quantile(sorted: &[Interval], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high) = (sorted[below], sorted[above]);
    low.as_secs_f64() + (high - low).as_secs_f64() * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(text: &str, samples: u32) -> Vec<DelaySummary> {
        let config: PolicyConfig = toml::from_str(text).unwrap();
        delays(&config, Drawing { retries: 5, samples, seed: 1, outcome: None, retry_after: None }).unwrap()
    }

    #[test]
    fn a_fixed_schedule_is_summarised_exactly() {
        let summaries = draw("retries = 3\nbackoff.linear = { first = '1.1s', step = '1s' }", 10);
        let seen: Vec<_> = summaries.iter().map(|s| (s.retry, s.n, s.mean, s.std, s.quantiles[0])).collect();
        assert_eq!(seen, [(1, 10, 1.1, 0.0, 1.1), (2, 10, 2.1, 0.0, 2.1), (3, 10, 3.1, 0.0, 3.1)]);
        assert!((summaries[2].cumulative - 6.3).abs() < 1e-12);
    }

    #[test]
    fn requests_that_stop_early_are_not_counted_later() {
        let summaries = draw("deadline = '1500ms'\nbackoff.fixed = '1s'\njitter = 'full'", 2000);
        assert_eq!(summaries[0].n, 2000);
        assert!(summaries[1].n < 2000, "some have waited too long for a second retry");
    }

    #[test]
    fn quantiles_are_interpolated() {
        let delays = [0, 10, 20].map(Interval::from_secs).to_vec();
        let passed = [5, 15, 25].map(Interval::from_secs).to_vec();
        let summary = summarise(1, delays, passed);
        assert_eq!(summary.quantiles, [1.0, 5.0, 10.0, 15.0, 19.0]);
        assert_eq!((summary.mean, summary.std), (10.0, 10.0));
        assert_eq!((summary.cumulative, summary.passed), (15.0, [6.0, 10.0, 15.0, 20.0, 24.0]));
    }

    #[test]
    fn an_outcome_that_is_retried_is_looked_for() {
        assert_eq!(
            draw("retries = 1\nbackoff.fixed = '1s'\nretry_on.only = { connection_error = true }", 1).len(),
            1
        );
        let config: PolicyConfig =
            toml::from_str("retries = 1\nbackoff.fixed = '1s'\nretry_on.only = {}").unwrap();
        let drawing = Drawing { retries: 1, samples: 1, seed: 1, outcome: None, retry_after: None };
        assert!(delays(&config, drawing).expect_err("nothing is retried").to_string().contains("retry_on"));
    }
}
