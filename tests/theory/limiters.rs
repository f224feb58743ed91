//! Rate limits under regular and under Poisson arrivals, without retries.

use retrysim::metrics::Column;
use retrysim::outcome::Outcome;
use retrysim::simulation::Record;
use retrysim::time::Instant;

use crate::judge::{Judge, Pairs};
use crate::oracle::{Case, cases};
use crate::replicate;

const REPLICATIONS: u32 = 60;

/// The workloads that make the arrivals which a reference names.
fn arrivals(name: &str) -> Vec<(u64, &'static str)> {
    match name {
        "every100ms x300" => vec![(1, "even = { rate = '1/100ms', requests = 300 }")],
        "every250ms x300" => vec![(1, "even = { rate = '1/250ms', requests = 300 }")],
        "every300ms x300" => vec![(1, "even = { rate = '1/300ms', requests = 300 }")],
        "every370ms x300" => vec![(1, "even = { rate = '1/370ms', requests = 300 }")],
        "burst10 every 2s x30 (offset 0.5s)" => {
            vec![(10, "burst = { at = '500ms', every = '2s', times = 30 }")]
        }
        "burst5 at k*1s-0.1s and k*1s+0.1s, k=1..20" => vec![
            (5, "burst = { at = '900ms', every = '1s', times = 20 }"),
            (5, "burst = { at = '1100ms', every = '1s', times = 20 }"),
        ],
        other => panic!("there are no arrivals {other}"),
    }
}

/// How many arrivals pass, and which are the first twelve of them.
fn passing(case: &Case, limit: &str) -> String {
    let mut body = format!(
        "horizon = '10m'\nbin = '10m'\n[services.api]\nrate_limit.{limit}\n[policies.once]\nretries = 0\n"
    );
    for (index, (clients, arrivals)) in arrivals(case.text("arrivals")).into_iter().enumerate() {
        body += &format!(
            "[workloads.calls-{index}]\nservice = 'api'\npolicy = 'once'\nclients = {clients}\n\
             arrivals.{arrivals}\n"
        );
    }
    let look = |record: &Record| {
        let requests = record.traces.iter().enumerate().flat_map(|(workload, trace)| {
            trace.iter().map(move |request| (request.arrived, workload, request.number, &request.steps))
        });
        let mut requests: Vec<(Instant, usize, u64, bool)> = requests
            .map(|(at, workload, number, steps)| {
                (at, workload, number, steps[0].outcome.is_some_and(Outcome::is_success))
            })
            .collect();
        requests.sort_unstable();
        let passing: Vec<usize> = (0..requests.len()).filter(|&index| requests[index].3).collect();
        let first: Vec<String> = passing.iter().take(12).map(usize::to_string).collect();
        format!("{}/{}", passing.len(), first.join(" "))
    };
    replicate(&case.scenario(1, &body), true, look).remove(0)
}

#[test]
fn a_token_bucket_lets_exactly_those_through_that_rational_arithmetic_does() {
    let mut judge = Judge::new("LimDet-tb");
    for case in cases("LimDet-tb3-", 18, 18) {
        let limit =
            format!("token_bucket = {{ rate = '{}/s', burst = {} }}", case.count("rate"), case.count("B"));
        judge.text(&case.rows[0], &passing(&case, &limit));
    }
    judge.verdict(18);
}

#[test]
fn a_fixed_window_lets_exactly_the_first_of_each_window_through() {
    let mut judge = Judge::new("LimDet-fw");
    for case in cases("LimDet-fw-", 18, 18) {
        let limit = format!("fixed_window = {{ limit = {}, window = '1s' }}", case.count("R"));
        judge.text(&case.rows[0], &passing(&case, &limit));
    }
    judge.verdict(18);
}

/// The references hold the bucket and the cell rate algorithm against each other, and so must the simulation.
#[test]
fn the_cell_rate_algorithm_lets_the_same_through() {
    let mut judge = Judge::new("LimDet-tb as GCRA");
    for case in cases("LimDet-tb3-", 18, 18) {
        let limit = format!("gcra = {{ rate = '{}/s', burst = {} }}", case.count("rate"), case.count("B"));
        judge.text(&case.rows[0], &passing(&case, &limit));
    }
    judge.verdict(18);
}

#[test]
fn a_sliding_log_forgets_what_is_exactly_a_window_old() {
    let mut judge = Judge::new("LimDet-sl");
    for case in cases("LimDet-sl-", 18, 18) {
        let limit = format!("sliding_log = {{ limit = {}, window = '1s' }}", case.count("R"));
        judge.text(&case.rows[0], &passing(&case, &limit));
    }
    judge.verdict(18);
}

/// (turned away, arrived) of each replication with Poisson arrivals, from the second bin on.
fn turned_away(case: &Case, rate: &str, limit: &str, bin_millis: u64, horizon_millis: u64) -> Pairs {
    let calls = format!("[workloads.calls]\nservice = 'api'\narrivals.poisson = {{ rate = '{rate}' }}\n");
    turned_away_of_last(case, &calls, limit, bin_millis, horizon_millis)
}

/// The same of the last of several workloads.
fn turned_away_of_last(
    case: &Case,
    workloads: &str,
    limit: &str,
    bin_millis: u64,
    horizon_millis: u64,
) -> Pairs {
    let body = format!(
        "horizon = '{horizon_millis}ms'\nbin = '{bin_millis}ms'\nwindow = '{horizon_millis}ms'\n\
         [services.api]\nrate_limit.{limit}\n{workloads}[policies.once]\nretries = 0"
    );
    replicate(&case.scenario(REPLICATIONS, &body), false, |record| {
        let series = &record.workloads.last().expect("there is one").series;
        let sum = |column| (1..series.bins()).map(|bin| series.get(bin, column)).sum::<u64>() as f64;
        (sum(Column::Limited), sum(Column::Requests))
    })
}

/// The bucket is an M/D/1 queue with bounded wait. It starts full, the reference is stationary: time is left out until the
/// difference is e^-20 of what it was. The slowest case, arrivals as fast as tokens, is close to a Brownian motion between
/// two walls B apart, which forgets with a time constant of 2 B^2 / pi^2 token times.
#[test]
fn a_token_bucket_turns_away_what_the_queue_with_bounded_wait_does() {
    let mut judge = Judge::new("LimPoi-tb");
    for case in cases("LimPoi-tb-", 28, 28) {
        judge.new_runs();
        let (load, burst) = (case.number("lambda_over_rate"), case.count("B"));
        let forgotten = 50 + 4 * burst * burst;
        let measured = (3000.0 / load) as u64;
        // A token per millisecond.
        let limit = format!("token_bucket = {{ rate = '1000/s', burst = {burst} }}");
        let rate = format!("{load:.6}/ms");
        let pairs = turned_away(&case, &rate, &limit, forgotten, forgotten + measured);
        judge.share(case.row("fraction rejected"), &pairs);
    }
    judge.verdict(28);
}

#[test]
fn a_fixed_window_turns_away_the_excess_of_a_poisson_number() {
    let mut judge = Judge::new("LimPoi-fw");
    for case in cases("LimPoi-fw-", 28, 28) {
        judge.new_runs();
        let (load, limit) = (case.number("lambda_per_window"), case.count("R"));
        let windows = (3000.0 / load) as u64;
        let limit = format!("fixed_window = {{ limit = {limit}, window = '1s' }}");
        // Every window is like every other; the first is a bin of its own and left out.
        let bin = 1000 * windows.div_ceil(10);
        let pairs = turned_away(&case, &format!("{load:.6}/s"), &limit, bin, bin + 1000 * windows);
        judge.share(case.row("fraction rejected"), &pairs);
    }
    judge.verdict(28);
}

/// The log is the loss system M/D/R/R, with the window in the place of the service time. Filled at once, it would empty at
/// once a window later, and that rhythm fades only over thousands of windows. So the load rises in steps: at each most of the
/// log is already full, and its entries are spread evenly over the window, as they are in the long run.
#[test]
fn a_sliding_log_turns_away_what_a_loss_system_does() {
    let mut judge = Judge::new("LimPoi-sl");
    for case in cases("LimPoi-sl-", 28, 28) {
        judge.new_runs();
        let (load, limit) = (case.number("lambda_per_window"), case.count("R"));
        let mut workloads = String::new();
        for (step, times) in [1.0, 2.0].into_iter().enumerate() {
            workloads += &format!(
                "[workloads.before-{step}]\nservice = 'api'\npolicy = 'once'\n\
                 arrivals.poisson = {{ rate = '{:.6}/s', from = '{}s', until = '{}s' }}\n",
                load.min(times * limit as f64),
                20 * step,
                20 * step + 20,
            );
        }
        workloads += &format!(
            "[workloads.calls]\nservice = 'api'\npolicy = 'once'\narrivals.poisson = {{ rate = '{load:.6}/s', from = '40s' }}\n"
        );
        let (forgotten, measured) = (60_000, ((3000.0 / load) as u64).max(40) * 1000);
        let limit = format!("sliding_log = {{ limit = {limit}, window = '1s' }}");
        let pairs = turned_away_of_last(&case, &workloads, &limit, forgotten, forgotten + measured);
        judge.share(case.row("fraction rejected"), &pairs);
    }
    judge.verdict(28);
}
