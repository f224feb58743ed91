//! What many clients do together to a service that turns all of them away.

use retrysim::metrics::Column;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Next, Record};

use crate::judge::{Judge, Pairs};
use crate::oracle::{Case, cases};
use crate::{policy, replicate};

const REPLICATIONS: u32 = 200;

/// `clients` that all call at the start of the run and never succeed, counted per second.
fn herd(case: &Case, clients: u64, policy: &str) -> Scenario {
    let body = format!(
        "horizon = '5m'\nbin = '1s'\n\
         [services.api]\nfaults = [{{ random = {{ status = 503, probability = 1 }} }}]\n\
         [workloads.calls]\nservice = 'api'\nclients = {clients}\narrivals.burst = {{}}\n\
         [policies.policy]\n{policy}"
    );
    case.scenario(REPLICATIONS, &body)
}

/// How many attempts with one of the `numbers` there were in each second.
fn curve(record: &Record, numbers: std::ops::RangeInclusive<u32>) -> Vec<f64> {
    let series = &record.workloads[0].series;
    let count = |bin| numbers.clone().map(|number| series.get(bin, Column::of_attempt(number))).sum::<u64>();
    (0..series.bins()).map(|bin| count(bin) as f64).collect()
}

fn each(values: impl Iterator<Item = f64>) -> Pairs {
    values.map(|value| (value, 1.0)).collect()
}

fn highest(curve: &[f64]) -> f64 {
    curve.iter().copied().fold(0.0, f64::max)
}

/// The second in which retry `number` comes most often. Where the expected load is highest has to be known beforehand: the
/// highest of measured means would be chosen for its luck, and lie above. The laws are laid on a grid and folded; only the
/// place is taken from here, the height is the reference's.
fn busiest_second(delay: &str, number: u64) -> usize {
    const STEPS: usize = 16;
    let step = 1.0 / STEPS as f64;
    let density = |retry: u64, x: f64| match delay {
        "U(30,90)" => f64::from((30.0..90.0).contains(&x)),
        "U(0,min(30,2^(n-1)))" => {
            let most = libm::pow(2.0, retry as f64 - 1.0).min(30.0);
            f64::from(x < most) / most
        }
        _ => {
            let low = 60.0 * libm::log2(libm::pow(2.0, 1.5) / (libm::pow(2.0, 1.5) - 1.0));
            f64::from((low..90.0).contains(&x)) * libm::exp(-x / 60.0)
        }
    };
    let mut sum = vec![1.0];
    for retry in 1..=number {
        let law: Vec<f64> = (0..90 * STEPS).map(|cell| density(retry, (cell as f64 + 0.5) * step)).collect();
        let mut folded = vec![0.0; sum.len() + law.len()];
        for (i, a) in sum.iter().enumerate().filter(|(_, a)| **a > 0.0) {
            // The sum of two cells lies half in the cell of their sum and half in the next one.
            for (j, b) in law.iter().enumerate() {
                let share = if retry == 1 { 1.0 } else { 0.5 };
                folded[i + j] += a * b * share;
                folded[i + j + 1] += a * b * (1.0 - share);
            }
        }
        sum = folded;
    }
    let seconds: Vec<f64> = sum.chunks(STEPS).map(|cells| cells.iter().sum()).collect();
    let most = highest(&seconds);
    seconds.iter().position(|&load| load == most).expect("the highest is one of them")
}

#[test]
fn retries_of_a_herd_pile_up_as_the_law_of_their_delays_says() {
    let mut judge = Judge::new("Herd");
    for case in cases("Herd-", 15, 24) {
        judge.new_runs();
        let (delay, number) = (case.text("delay"), case.count("retry"));
        let attempt = number as u32 + 1;
        let scenario = herd(&case, 1000, &policy(delay, number));
        let curves = replicate(&scenario, false, |record| curve(record, attempt..=attempt));
        for row in &case.rows {
            match row.metric.as_str() {
                "peak bin load of retry k" => {
                    for curve in &curves[1..] {
                        assert_eq!(curve, &curves[0], "nothing is random here");
                    }
                    judge.equal(row, highest(&curves[0]));
                }
                "max over bins of EXPECTED load of retry k" => {
                    let second = busiest_second(delay, number);
                    judge.ratio(row, &each(curves.iter().map(|curve| curve[second])));
                }
                "E[max bin load] of retry k" => {
                    judge.ratio(row, &each(curves.iter().map(|curve| highest(curve))));
                }
                other => panic!("{other} is not measured"),
            }
        }
    }
    for case in cases("HerdCurve-", 3, 39) {
        judge.new_runs();
        let scenario = herd(&case, 1000, &policy(case.text("delay"), case.count("R")));
        let curves = replicate(&scenario, false, |record| curve(record, 2..=6));
        for row in &case.rows {
            let bin = row.metric.strip_prefix("expected retries in bin ").expect("the metric names a bin");
            let bin: usize = bin.parse().expect("bins are numbered");
            let runs = f64::from(REPLICATIONS);
            judge.events(row, &each(curves.iter().map(|curve| curve[bin])), row.number() * runs, runs);
        }
    }
    judge.verdict(24 + 39);
}

#[test]
fn the_fullest_second_of_a_full_jitter_is_the_largest_cell_of_a_multinomial_law() {
    let mut judge = Judge::new("BinsMax");
    for case in cases("BinsMax-", 5, 10) {
        judge.new_runs();
        let policy = format!("backoff.fixed = '{}s'\njitter = 'full'\nretries = 1", case.count("m"));
        let scenario = herd(&case, case.count("n"), &policy);
        let peaks = replicate(&scenario, false, |record| highest(&curve(record, 2..=2)));
        let (mean, deviation) = (case.row("E[max bin]"), case.row("sd of max bin"));
        judge.ratio(mean, &each(peaks.iter().copied()));
        // The variance has an expectation to compare with, the deviation has not.
        let squares = |peak: &f64| (peak - mean.number()) * (peak - mean.number());
        judge.ratio(&deviation.squared(), &each(peaks.iter().map(squares)));
    }
    judge.verdict(10);
}

#[test]
fn clients_that_obey_a_fixed_window_come_back_in_waves_that_only_the_limit_wears_down() {
    let mut judge = Judge::new("Waves");
    for case in cases("Waves-", 3, 3) {
        let waiting =
            ["backoff.fixed = '1s'\nretry_after = 'ignore'", "backoff.fixed = '7s'\nretry_after = 'obey'"];
        let found = waiting.map(|waiting| {
            let body = format!(
                "horizon = '10m'\nbin = '1s'\n\
                 [services.api]\n\
                 rate_limit = {{ fixed_window = {{ limit = {}, window = '{}s' }}, retry_after = 'exact' }}\n\
                 [workloads.calls]\nservice = 'api'\nclients = {}\narrivals.burst = {{}}\n\
                 [policies.policy]\n{waiting}\nretries = 1000000",
                case.count("limit"),
                case.number("w"),
                case.count("n")
            );
            let look = |record: &Record| {
                let tally = &record.workloads[0];
                let steps = record.traces[0].iter().flat_map(|request| &request.steps);
                let ends = steps.filter(|step| matches!(step.next, Next::End(_))).map(|step| step.known);
                let last = ends.max().expect("requests end").as_secs_f64();
                assert_eq!(tally.succeeded(), case.count("n"), "everybody gets through in the end");
                let waves = (0..tally.series.bins()).filter(|&bin| tally.series.attempts(bin) > 0).count();
                format!("{waves}/{}/{}/{last:?}", tally.sent, tally.limited)
            };
            replicate(&case.scenario(1, &body), true, look).remove(0)
        });
        assert_eq!(found[0], found[1], "the header says what the window is");
        judge.text(&case.rows[0], &found[0]);
    }
    judge.verdict(3);
}
