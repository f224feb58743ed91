//! Requests that meet an outage.

use retrysim::outcome::Ending;
use retrysim::simulation::{Next, Record};

use crate::judge::{Judge, Pairs};
use crate::oracle::{Case, cases};
use crate::{policy, replicate};

const REPLICATIONS: u32 = 60;

/// Runs `arrivals` into an outage that begins with the run and lasts `lasts` seconds.
fn outage(lasts: u64, arrivals: &str, policy: &str) -> String {
    format!(
        "horizon = '1h'\nbin = '1h'\nwindow = '1h'\n\
         [services.api]\nincidents = [{{ outage = {{ from = '0s', lasts = '{lasts}s' }} }}]\n\
         [workloads.calls]\nservice = 'api'\narrivals.{arrivals}\n\
         [policies.policy]\n{policy}"
    )
}

fn fixed(case: &Case) -> String {
    format!("backoff.fixed = '{}s'\nretries = {}", case.number("d"), case.count("R"))
}

#[test]
fn a_request_survives_an_outage_if_an_attempt_comes_at_its_end_or_later() {
    let mut judge = Judge::new("Outage");
    for case in cases("Outage-", 87, 87) {
        let at = format!("burst = {{ at = '{}ms' }}", (case.number("offset") * 1000.0) as u64);
        let scenario = case.scenario(1, &outage(case.count("L"), &at, &fixed(&case)));
        let look = |record: &Record| {
            let tally = &record.workloads[0];
            let steps = &record.traces[0][0].steps;
            let last = steps.last().expect("the request made an attempt");
            assert_eq!((steps.len() as u64, tally.requests), (tally.attempts, 1), "trace and tally agree");
            let success = matches!(last.next, Next::End(Ending::Succeeded));
            let end = last.known.as_secs_f64();
            format!("{}/{}/{}/{end:?}", tally.attempts, tally.failed, u8::from(success))
        };
        judge.text(&case.rows[0], &replicate(&scenario, true, look)[0]);
    }
    judge.verdict(87);
}

/// (requests, requests given up, failed attempts) of each replication with Poisson arrivals during the whole outage.
fn during_an_outage(case: &Case, policy: &str) -> Vec<[f64; 3]> {
    let lasts = case.count("L");
    let arrivals = format!("poisson = {{ rate = '2000/{lasts}s', until = '{lasts}s' }}");
    let scenario = case.scenario(REPLICATIONS, &outage(lasts, &arrivals, policy));
    replicate(&scenario, false, |record| {
        let tally = &record.workloads[0];
        assert_eq!(tally.ended_as(Ending::Unfinished), 0, "the run is long enough for every request");
        [tally.requests as f64, tally.ended_as(Ending::Exhausted) as f64, tally.failed as f64]
    })
}

fn per_request(seen: &[[f64; 3]], index: usize) -> Pairs {
    seen.iter().map(|counts| (counts[index], counts[0])).collect()
}

#[test]
fn what_an_outage_costs_follows_from_its_length_and_the_schedule() {
    let mut judge = Judge::new("OutageFrac");
    for case in cases("OutageFrac-", 32, 64) {
        judge.new_runs();
        let seen = during_an_outage(&case, &fixed(&case));
        for row in &case.rows {
            match row.metric.as_str() {
                "fraction lost = max(0,L-R d)/L" => judge.share(row, &per_request(&seen, 1)),
                "mean failed attempts per request" => judge.ratio(row, &per_request(&seen, 2)),
                other => panic!("{other} is not measured"),
            }
        }
    }
    judge.verdict(64);
}

#[test]
fn jitter_changes_what_an_outage_costs_as_the_law_of_the_summed_delays_says() {
    let mut judge = Judge::new("OutageJit");
    for case in cases("OutageJit-", 12, 12) {
        judge.new_runs();
        let seen = during_an_outage(&case, &policy(case.text("delay"), case.count("R")));
        judge.share(case.row("fraction lost"), &per_request(&seen, 1));
    }
    judge.verdict(12);
}
