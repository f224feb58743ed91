//! Circuit breakers around calls that fail independently and take no time.

use rayon::prelude::*;
use retrysim::breaker::{Admission, Breaker, BreakerConfig, BreakerRules, State};
use retrysim::outcome::Ending;
use retrysim::random::{Key, Purpose, unit};
use retrysim::time::{Instant, Interval};

use crate::judge::{Judge, Pairs};
use crate::oracle::{Case, cases, seed};
use crate::replicate;

const REPLICATIONS: u32 = 40;

/// Counts of a run: calls, refusals, successes, trips.
type Counts = [f64; 4];

/// The counts of each replication over the calls that are expected from call `from` to call `to`.
///
/// The references are stationary, a breaker starts closed. Draws are addressed, so a run to a later horizon begins as the
/// run to the earlier one did, and the difference of the two is what happened between.
fn between(case: &Case, breaker: &str, from: u64, to: u64) -> Vec<Counts> {
    let (kind, pace) = case.text("arrivals").split_once(' ').expect("a kind and a pace");
    let number = pace.split(' ').nth(1).expect("a pace has a number");
    let (arrivals, spacing) = match kind {
        "poisson" => (format!("poisson = {{ rate = '{number}/s' }}"), 1.0 / parse(number)),
        "deterministic" => {
            let millis = (parse(number) * 1000.0) as u64;
            (format!("even = {{ rate = '1/{millis}ms' }}"), millis as f64 / 1000.0)
        }
        other => panic!("there are no arrivals {other}"),
    };
    let until = |calls: u64| {
        let horizon = (calls as f64 * spacing * 1000.0) as u64;
        let body = format!(
            "horizon = '{horizon}ms'\nbin = '{horizon}ms'\nwindow = '{horizon}ms'\n\
             [services.api]\nfaults = [{{ random = {{ status = 503, probability = {} }} }}]\n\
             [workloads.calls]\nservice = 'api'\narrivals.{arrivals}\n\
             [policies.once]\nretries = 0\nbreaker = {breaker}",
            case.number("p")
        );
        replicate(&case.scenario(REPLICATIONS, &body), false, |record| -> Counts {
            let tally = &record.workloads[0];
            let succeeded = tally.ended_as(Ending::Succeeded);
            [tally.requests, tally.refused, succeeded, tally.breaker_trips].map(|count| count as f64)
        })
    };
    let subtract = |(late, early): (Counts, Counts)| std::array::from_fn(|index| late[index] - early[index]);
    until(to).into_iter().zip(until(from)).map(subtract).collect()
}

fn parse(number: &str) -> f64 {
    number.parse().expect("a pace is a number")
}

/// Judges the three results that every case has.
///
/// How soon a renewal process forgets its start depends on how much its cycles vary, and those of a breaker vary little: with
/// a coefficient of variation c it forgets by e^-(2 pi^2 c^2) per cycle. c is at least 0.05 here, so 300 short cycles or 40
/// long ones (where c is 0.15 and more) leave less than 10^-6 of the start.
fn judge_duty(judge: &mut Judge, case: &Case, breaker: &str) {
    judge.new_runs();
    let trips = case.row("trips");
    let cycle = 1000.0 / trips.number();
    let forgotten = (40.0 * cycle).max(20_000.0) as u64;
    let seen = between(case, breaker, forgotten, forgotten + 10_000);
    let pairs = |index: usize| -> Pairs { seen.iter().map(|counts| (counts[index], counts[0])).collect() };
    judge.share(case.row("fraction of calls rejected by the breaker"), &pairs(1));
    judge.share(case.row("fraction of calls that succeed"), &pairs(2));
    let per_thousand = seen.iter().map(|counts| (counts[3] * 1000.0, counts[0])).collect();
    judge.ratio(trips, &per_thousand);
}

#[test]
fn the_textbook_breaker_refuses_what_renewal_theory_says() {
    let mut judge = Judge::new("Duty-standard");
    for case in cases("Duty-standard-", 8, 24) {
        let (threshold, timeout) = (case.count("threshold"), case.count("timeout"));
        let breaker =
            format!("{{ use = 'textbook:breaker', threshold = {threshold}, open_for = '{timeout}s' }}");
        judge_duty(&mut judge, &case, &breaker);
    }
    judge.verdict(24);
}

#[test]
fn the_breaker_of_the_guide_refuses_what_renewal_theory_says() {
    let mut judge = Judge::new("Duty-seed-guide");
    for case in cases("Duty-seed-guide-", 7, 21) {
        let (threshold, timeout) = (case.count("threshold"), case.count("timeout"));
        let breaker =
            format!("{{ use = 'guide:breaker', failure_threshold = {threshold}, timeout = {timeout} }}");
        judge_duty(&mut judge, &case, &breaker);
    }
    judge.verdict(21);
}

/// How many calls a fresh breaker sees until it opens.
fn calls_until_trip(rules: &BreakerRules, key: Key, entity: u64, p: f64) -> u64 {
    let mut breaker = Breaker::default();
    let mut calls = 0;
    while breaker.state() == State::Closed {
        let now = Instant::from_nanos(calls);
        let Admission::Granted(permit) = breaker.try_acquire(rules, now) else {
            panic!("a closed breaker lets everything through")
        };
        let fails = unit(key.block(entity, calls)[0]) < p;
        breaker.record(rules, now, permit, !fails, Interval::ZERO);
        calls += 1;
    }
    calls
}

#[test]
fn a_breaker_trips_when_a_run_of_failures_is_first_complete() {
    const GROUPS: u64 = 40;
    /// Calls that one case may cost. The waits are close to exponential, and the square of one is so skewed that it takes a
    /// thousand of them for the mean of squares to be nearly normal: the slowest case needs that many calls.
    const CALLS: f64 = 1.2e8;
    let mut judge = Judge::new("Trip");
    for case in cases("Trip-", 19, 76) {
        judge.new_runs();
        let p = case.number("p");
        let text = format!("trip.consecutive = {}\nopen_for = '1s'", case.count("threshold"));
        let config: BreakerConfig = toml::from_str(&text).expect("this is a breaker");
        let mean = case.row("E[calls until trip]").number();
        let trips = ((CALLS / GROUPS as f64 / mean) as u64).clamp(25, 200);
        let key = Key::derive(seed(&case.id), 0, Purpose::Service, &case.id);
        let rules = BreakerRules::new(&config, key);
        let group = |group: u64| -> Vec<f64> {
            let entities = group * trips..(group + 1) * trips;
            entities.map(|entity| calls_until_trip(&rules, key, entity, p) as f64).collect()
        };
        let groups: Vec<Vec<f64>> = (0..GROUPS).into_par_iter().map(group).collect();
        let sum = |of: &dyn Fn(f64) -> f64| -> Pairs {
            groups.iter().map(|calls| (calls.iter().map(|&n| of(n)).sum(), trips as f64)).collect()
        };
        for row in &case.rows {
            match row.metric.as_str() {
                "E[calls until trip]" => judge.ratio(row, &sum(&|n| n)),
                "Var[calls until trip]" => judge.ratio(row, &sum(&|n| (n - mean) * (n - mean))),
                "P(tripped within 10 calls)" => judge.share(row, &sum(&|n| f64::from(n <= 10.0))),
                "P(tripped within 100 calls)" => judge.share(row, &sum(&|n| f64::from(n <= 100.0))),
                other => panic!("{other} is not measured"),
            }
        }
    }
    judge.verdict(76);
}
