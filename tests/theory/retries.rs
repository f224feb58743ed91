//! Retries against failures that are independent of each other, and against a timeout.
//!
//! All requests come at once, for nothing here depends on when they come; the run is longer than any of them.

use retrysim::experiment::{Options, run};
use retrysim::metrics::WORKLOAD_MEASURES;
use retrysim::outcome::Ending;
use retrysim::simulation::{Next, Record};

use crate::judge::{Judge, Pairs};
use crate::oracle::{Case, cases};
use crate::{policy, replicate};

const REPLICATIONS: u32 = 60;
const REQUESTS: u64 = 1000;

/// What one replication shows.
#[derive(Debug)]
struct Seen {
    requests: f64,
    attempts: f64,
    succeeded: f64,
    given_up: f64,
    /// Sums over requests, in seconds.
    time_to_success: f64,
    time_to_give_up: f64,
    /// Attempts and time of every request that succeeded, and attempts of all others, from the trace.
    successes: Vec<(f64, f64)>,
    failures: Vec<f64>,
}

impl Seen {
    fn of(record: &Record) -> Self {
        let tally = &record.workloads[0];
        assert_eq!(tally.ended_as(Ending::Unfinished), 0, "the run is long enough for every request");
        let mut seen = Self {
            requests: tally.requests as f64,
            attempts: tally.attempts as f64,
            succeeded: tally.time_to_success.count() as f64,
            given_up: tally.time_to_give_up.count() as f64,
            time_to_success: tally.time_to_success.mean_seconds().unwrap_or(0.0)
                * tally.time_to_success.count() as f64,
            time_to_give_up: tally.time_to_give_up.mean_seconds().unwrap_or(0.0)
                * tally.time_to_give_up.count() as f64,
            successes: Vec::new(),
            failures: Vec::new(),
        };
        for request in &record.traces[0] {
            let last = request.steps.last().expect("every request made an attempt");
            match last.next {
                Next::End(Ending::Succeeded) => {
                    let age = last.known.since(request.arrived).as_secs_f64();
                    seen.successes.push((f64::from(last.attempt), age));
                }
                Next::End(_) => seen.failures.push(f64::from(last.attempt)),
                Next::Retry { .. } => panic!("the last step of a request ends it"),
            }
        }
        seen
    }
}

/// Runs the requests of `case` against `service`.
fn simulate(case: &Case, service: &str, timeout: &str, policy: &str) -> Vec<Seen> {
    let body = format!(
        "horizon = '1h'\nbin = '1h'\nwindow = '1h'\n\
         [services.api]\n{service}\n\
         [workloads.calls]\nservice = 'api'\nclients = {REQUESTS}\narrivals.burst = {{}}\n{timeout}\n\
         [policies.policy]\n{policy}"
    );
    replicate(&case.scenario(REPLICATIONS, &body), true, Seen::of)
}

fn failing(probability: f64) -> String {
    format!(
        "latency.constant = '100ms'\nfaults = [{{ random = {{ status = 503, probability = {probability} }} }}]"
    )
}

fn pairs(seen: &[Seen], of: impl Fn(&Seen) -> (f64, f64)) -> Pairs {
    seen.iter().map(of).collect()
}

/// The squared distances from the known mean have the variance as their expectation, however few there are.
fn squares(values: impl Iterator<Item = f64>, mean: f64) -> f64 {
    values.map(|x| (x - mean) * (x - mean)).sum()
}

#[test]
fn retries_multiply_the_chances_and_the_attempts_as_the_geometric_law_says() {
    let mut judge = Judge::new("IID");
    for case in cases("IID-", 35, 140) {
        judge.new_runs();
        let seen = simulate(&case, &failing(case.number("p")), "", &policy("fixed 60 s", case.count("R")));
        let attempts = case.row("E[attempts]").number();
        for row in &case.rows {
            match row.metric.as_str() {
                "P(success)=1-p^(R+1)" => judge.share(row, &pairs(&seen, |s| (s.succeeded, s.requests))),
                "E[attempts]=(1-p^(R+1))/(1-p)" => {
                    judge.ratio(row, &pairs(&seen, |s| (s.attempts, s.requests)));
                }
                "E[retries]" => judge.ratio(row, &pairs(&seen, |s| (s.attempts - s.requests, s.requests))),
                "Var[attempts]" => {
                    let all = |s: &Seen| {
                        let all =
                            s.successes.iter().map(|success| success.0).chain(s.failures.iter().copied());
                        (squares(all, attempts), s.requests)
                    };
                    judge.ratio(row, &pairs(&seen, all));
                }
                other => panic!("{other} is not measured"),
            }
        }
    }
    judge.verdict(140);
}

#[test]
fn the_time_to_success_and_to_giving_up_is_the_sum_of_attempts_and_delays() {
    let mut judge = Judge::new("TTS");
    for case in cases("TTS-", 52, 208) {
        judge.new_runs();
        let (p, retries) = (case.number("p"), case.count("R"));
        let policy = policy(case.text("delay"), retries);
        let seen = simulate(&case, &failing(p), "", &policy);
        let mean = case.row("E[time to success").number();
        for row in &case.rows {
            match row.metric.as_str() {
                "E[time to success | success]" => {
                    judge.ratio(row, &pairs(&seen, |s| (s.time_to_success, s.succeeded)));
                }
                "Var[time to success | success]" => {
                    let ages = |s: &Seen| squares(s.successes.iter().map(|success| success.1), mean);
                    judge.ratio(row, &pairs(&seen, |s| (ages(s), s.succeeded)));
                }
                "E[time to end] (all requests)" => {
                    judge.ratio(row, &pairs(&seen, |s| (s.time_to_success + s.time_to_give_up, s.requests)));
                }
                "E[time to give-up | failure]" => {}
                other => panic!("{other} is not measured"),
            }
        }
        // A request that fails makes every attempt and waits every delay, whatever p is. Where failing is so rare that
        // there would be too few to see, p = 1 has the same law.
        let failures = libm::pow(p, retries as f64 + 1.0) * REQUESTS as f64;
        let seen = if failures < 20.0 {
            judge.new_runs();
            simulate(&case, &failing(1.0), "", &policy)
        } else {
            seen
        };
        judge.ratio(case.row("E[time to give-up"), &pairs(&seen, |s| (s.time_to_give_up, s.given_up)));
    }
    judge.verdict(208);
}

#[test]
fn a_timeout_turns_slow_answers_into_failures() {
    let mut judge = Judge::new("Timeout");
    for case in cases("Timeout-", 8, 32) {
        judge.new_runs();
        let timeout = format!("timeout = '{}ms'", (case.number("tau") * 1000.0) as u64);
        let policy = policy("immediate retry", case.count("R"));
        let seen = simulate(&case, "latency.exponential = { mean = '1s' }", &timeout, &policy);
        let mean = case.row("E[time | success]").number();
        for row in &case.rows {
            match row.metric.as_str() {
                "P(success)" => judge.share(row, &pairs(&seen, |s| (s.succeeded, s.requests))),
                "E[attempts]" => judge.ratio(row, &pairs(&seen, |s| (s.attempts, s.requests))),
                "E[time | success]" => judge.ratio(row, &pairs(&seen, |s| (s.time_to_success, s.succeeded))),
                "Var[time | success]" => {
                    let ages = |s: &Seen| squares(s.successes.iter().map(|success| success.1), mean);
                    judge.ratio(row, &pairs(&seen, |s| (ages(s), s.succeeded)));
                }
                other => panic!("{other} is not measured"),
            }
        }
    }
    judge.verdict(32);
}

/// So many policies inside each other, each with its own immediate retries.
fn nested(retries: u64, depth: u64) -> String {
    let layer = policy("immediate retry", retries);
    let heads = (0..depth).map(|layer| format!("[policies.policy{}]\n", ".inner".repeat(layer as usize)));
    heads.map(|head| head + &layer + "\n").collect()
}

/// Nested loops of retries: the measures themselves, through a whole experiment.
#[test]
fn the_measures_of_an_experiment_agree_with_nested_layers_of_retries() {
    let mut judge = Judge::new("Layers");
    for case in cases("Layers-", 34, 46) {
        judge.new_runs();
        let body = format!(
            "horizon = '1s'\nbin = '1s'\n\
             [services.api]\nfaults = [{{ random = {{ status = 503, probability = {} }} }}]\n\
             [workloads.calls]\nservice = 'api'\nclients = 4000\narrivals.burst = {{}}\n\
             {}",
            case.number("p"),
            nested(case.count("r"), case.count("depth"))
        );
        // Where every attempt fails there is no luck.
        let replications = if case.number("p") == 1.0 { 2 } else { REPLICATIONS };
        let results = run(&case.scenario(replications, &body), Options::default(), &|| ());
        let measure = |name: &str, weight: f64| -> Pairs {
            let index =
                WORKLOAD_MEASURES.iter().position(|m| m.name == name).expect("there is such a measure");
            let replications = &results.arms[0].workloads[0].replications;
            let value = |measured: &Vec<Option<f64>>| measured[index].expect("there were requests");
            replications.iter().map(|measured| (value(measured) * weight, weight)).collect()
        };
        for row in &case.rows {
            match row.metric.as_str() {
                "P(success)" => judge.share(row, &measure("success_rate", 4000.0)),
                "backend attempts per top-level request" => judge.ratio(row, &measure("amplification", 1.0)),
                other => panic!("{other} is not measured"),
            }
        }
    }
    judge.verdict(46);
}
