//! Retries against failures that come in episodes.
//!
//! The references take each request to meet a state of its own. Here the requests of a replication share one path, and come so
//! seldom that it has forgotten the one before: of what the states of two requests have in common at most e^-50 is left.

use retrysim::metrics::Column;
use retrysim::outcome::Ending;
use retrysim::simulation::Record;

use crate::judge::{Judge, Pairs};
use crate::oracle::{Case, cases};
use crate::{policy, replicate};

const REPLICATIONS: u32 = 60;
const REQUESTS: u64 = 1000;

/// A service that is good and bad for so many seconds on average, and fails so often while it is good.
fn service(good: f64, bad: f64, when_good: f64) -> String {
    format!(
        "[services.api]\nfaults = [{{ bursts = {{ status = 503, good = '{good:.0}s', bad = '{bad:.0}s', \
         probability_when_good = {when_good} }} }}]\n"
    )
}

/// How far requests are apart, in seconds: 50 times the memory of the path, and what the longest retries take.
fn spacing(good: f64, bad: f64) -> u64 {
    (50.0 / (1.0 / good + 1.0 / bad)) as u64 + 5 * 90 + 1
}

fn head(spacing: u64) -> String {
    let horizon = spacing * REQUESTS;
    format!("horizon = '{horizon}s'\nbin = '{horizon}s'\nwindow = '{horizon}s'\n")
}

/// The means of good and bad times and the chance to fail while good, of the two worlds that the references know.
fn world(case: &Case) -> (f64, f64, f64) {
    if case.id.starts_with("GE-0.0017-") { (600.0, 60.0, 0.001) } else { (30.0, 10.0, 0.0) }
}

fn judge_retries(judge: &mut Judge, case: &Case) {
    let (good, bad, when_good) = world(case);
    for (name, mean) in [("rate_good_to_bad", good), ("rate_bad_to_good", bad)] {
        assert!((case.number(name) * mean - 1.0).abs() < 1e-12, "{}: {name}", case.id);
    }
    assert_eq!((case.number("p_fail_good"), case.number("p_fail_bad")), (when_good, 1.0), "{}", case.id);
    let spacing = spacing(good, bad);
    let body = format!(
        "{}{}[workloads.calls]\nservice = 'api'\narrivals.even = {{ rate = '1/{spacing}s' }}\n[policies.policy]\n{}",
        head(spacing),
        service(good, bad, when_good),
        policy(case.text("delay"), case.count("R"))
    );
    let seen = replicate(&case.scenario(REPLICATIONS, &body), false, |record| {
        let tally = &record.workloads[0];
        assert_eq!((tally.requests, tally.ended_as(Ending::Unfinished)), (REQUESTS, 0));
        [tally.ended_as(Ending::Exhausted), tally.attempts].map(|count| count as f64)
    });
    let pairs = |index: usize| -> Pairs { seen.iter().map(|s| (s[index], REQUESTS as f64)).collect() };
    judge.share(case.row("P(all R+1 attempts fail)"), &pairs(0));
    judge.ratio(case.row("E[attempts]"), &pairs(1));
}

/// Two calls a minute apart, again and again: the covariance around the known mean has an expectation to compare with.
fn judge_memory(judge: &mut Judge, case: &Case) {
    let (good, bad, when_good) = world(case);
    let spacing = spacing(good, bad);
    let workload = |name: &str, from: u64| {
        format!(
            "[workloads.{name}]\nservice = 'api'\narrivals.even = {{ rate = '1/{spacing}s', from = '{from}s' }}\npolicy = 'once'\n"
        )
    };
    let body = format!(
        "{}{}{}{}[policies.once]\nretries = 0",
        head(spacing),
        service(good, bad, when_good),
        workload("now", 0),
        workload("later", 60)
    );
    let single = case.row("P(fail) single attempt");
    let p = single.number();
    let seen = replicate(&case.scenario(REPLICATIONS, &body), true, |record| {
        let fails = |workload: usize| -> Vec<f64> {
            let requests = record.traces[workload].iter();
            let fails = requests.map(|request| request.steps[0].outcome.is_some_and(|o| !o.is_success()));
            fails.map(|fails| f64::from(u8::from(fails))).collect()
        };
        let (now, later) = (fails(0), fails(1));
        assert_eq!((now.len(), later.len()), (REQUESTS as usize, REQUESTS as usize));
        let common: f64 = now.iter().zip(&later).map(|(a, b)| (a - p) * (b - p)).sum();
        (now.iter().sum::<f64>(), common / (p * (1.0 - p)))
    });
    let n = REQUESTS as f64;
    judge.share(single, &seen.iter().map(|s| (s.0, n)).collect());
    judge.ratio(case.row("corr(fail at t, fail at t+60)"), &seen.iter().map(|s| (s.1, n)).collect());
}

/// A call every second. The mean length of a run is the number of failures over the number of runs, which begin where a
/// failure follows a success.
fn judge_runs(judge: &mut Judge, case: &Case) {
    let (good, bad, _) = world(case);
    let body = format!(
        "horizon = '20000s'\nbin = '1s'\n{}[workloads.calls]\nservice = 'api'\narrivals.even = {{ rate = '1/s' }}\n\
         [policies.once]\nretries = 0",
        service(good, bad, 0.0)
    );
    let runs = |record: &Record| {
        let series = &record.workloads[0].series;
        let failed: Vec<bool> = (0..series.bins()).map(|bin| series.get(bin, Column::Failed) == 1).collect();
        let begins = failed.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        (failed[1..].iter().filter(|failed| **failed).count() as f64, begins as f64)
    };
    judge.ratio(case.row("mean run length"), &replicate(&case.scenario(REPLICATIONS, &body), false, runs));
}

#[test]
fn retries_outlast_bursts_as_the_chain_of_their_states_says() {
    let mut judge = Judge::new("GE");
    for case in cases("GE-", 54, 106) {
        judge.new_runs();
        match case.id.rsplit('-').next() {
            Some("corr") => judge_memory(&mut judge, &case),
            Some("burst") => judge_runs(&mut judge, &case),
            _ => judge_retries(&mut judge, &case),
        }
    }
    judge.verdict(106);
}
