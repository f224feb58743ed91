//! Services that regulate themselves, in whole scenarios: autoscaling, controlled delay, and a limit that follows latencies, each
//! against what its rule comes to.

use rayon::prelude::*;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};
use retrysim::usage::Usage;

/// Runs of one scenario.
const RUNS: u32 = 10;

fn scenario(horizon: &str, service: &str, arrivals: &str) -> Scenario {
    let text = format!(
        "horizon = '{horizon}'\nbin = '1s'\nseed = 24\n[services.api]\n{service}\n[workloads.calls]\nservice = 'api'\n{arrivals}\n\
         [policies.p]\nretries = 0"
    );
    Scenario::parse("regulation", "regulation.toml", &text, &[])
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn usage(record: &Record) -> Usage {
    record.services[0].usage.expect("it has servers")
}

/// Seconds of servers that were there up to a horizon.
fn provided(horizon: &str, service: &str, arrivals: &str, run: u32) -> f64 {
    let record = Simulation::new(&scenario(horizon, service, arrivals), 0, run, 0).run();
    usage(&record).provided.expect("their number is limited") as f64 / 1e9
}

/// Mean and standard error.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0) / n).sqrt())
}

#[test]
fn an_autoscaler_does_as_its_rule_says_judgement_by_judgement() {
    // From the second second on exactly ten servers are busy. Kubernetes' rule: wanted = ceil(servers * utilisation / 0.5), unless
    // utilisation / 0.5 is within 0.1 of 1; every 15 s, by the utilisation since; what is wanted more comes 20 s later.
    // At 15 s: 145.5 of 180 server-seconds were busy, so ceil(12 * 0.8083 / 0.5) = 20 are wanted, 8 come at 35 s.
    // At 30 s: 10 of 12, so 20 again, and they are on their way.
    // At 45 s: 150 of 5 * 12 + 10 * 20 = 260, so ceil(20 * 0.5769 / 0.5) = 24; 4 come at 65 s.
    // At 60 s: 10 of 20 is the target.
    // At 75 s: 150 of 5 * 20 + 10 * 24 = 340, so ceil(24 * 0.4412 / 0.5) = 22, at once.
    // At 90 s: 10 of 22 is within 0.1 of the target, and so it stays.
    let service = "latency.constant = '1s'\ncapacity = { servers = 12, autoscale = { min = 2, max = 99, target = 0.5, lag = '20s' } }";
    let arrivals = "arrivals.even = { rate = '10/s' }";
    let expected = |horizon: f64| {
        let steps = [(0.0, 12.0), (35.0, 20.0), (65.0, 24.0), (75.0, 22.0), (f64::MAX, 0.0)];
        let spans = steps.windows(2).map(|pair| (pair[1].0.min(horizon) - pair[0].0).max(0.0) * pair[0].1);
        spans.sum::<f64>()
    };
    for horizon in [10, 34, 36, 50, 64, 66, 74, 76, 90, 200] {
        let found = provided(&format!("{horizon}s"), service, arrivals, 0);
        assert!((found - expected(f64::from(horizon))).abs() < 1e-6, "{found} until {horizon} s");
    }
}

#[test]
fn an_autoscaler_ends_at_the_servers_that_its_target_asks_for() {
    // 40/s for 200 ms keep 8 servers busy. The rule leaves n servers alone if 8 / n is within a tenth of the target; a judgement of
    // a minute knows the 8 to sqrt(2 * 8 * 0.2 / 60) = 0.23 (the mean of an M/M/infinity queue), which rounding up can make one more.
    let arrivals = "arrivals.poisson = { rate = '40/s' }";
    for (target, start) in [(0.5, 30), (0.8, 9), (0.25, 8)] {
        let service = format!(
            "latency.exponential = {{ mean = '200ms' }}\n\
             capacity = {{ servers = {start}, autoscale = {{ min = 2, max = 99, target = {target}, every = '1m', lag = '30s' }} }}"
        );
        let servers = |run| {
            (provided("40m", &service, arrivals, run) - provided("10m", &service, arrivals, run)) / 1800.0
        };
        let (mean, error) = moments(&(0..RUNS).into_par_iter().map(servers).collect::<Vec<_>>());
        let (low, high) = (8.0 / (1.1 * target), 8.0 / (0.9 * target) + 1.0);
        assert!(low - 4.0 * error < mean && mean < high + 4.0 * error, "{mean} servers at {target}");
    }
}

/// Mean wait, in seconds, of the calls whose work ends within a stretch of seconds, in one run, and how many there are.
fn waits(record: &Record, work: f64, stretch: std::ops::Range<f64>) -> (f64, f64) {
    let calls = record.traces[0].iter().filter_map(|request| {
        let step = request
            .steps
            .first()
            .filter(|step| step.outcome.is_some_and(retrysim::outcome::Outcome::is_success))?;
        let known = step.known.as_secs_f64();
        stretch.contains(&known).then(|| known - request.arrived.as_secs_f64() - work)
    });
    let (sum, count) = calls.fold((0.0, 0.0), |(sum, count), wait| (sum + wait, count + 1.0));
    (sum / count, count)
}

#[test]
fn controlled_delay_ends_the_queue_of_an_overload_that_fifo_lets_grow() {
    // 1300/s for a server that does 1000/s. First come, first served, 300/s are left over: who is served at t came when
    // 1.3 times as much time was to go, and has waited for 0.3 / 1.3 t. Controlled delay begins to drop when waits have been above
    // 5 ms for 100 ms, 35 calls later, and drops the next one after 100 ms / sqrt(count): sqrt(count) grows by 1 in 200 ms, so that
    // after t more seconds 10 + 50 t are dropped per second. The queue is longest when that is 300, at t = 5.8 s, with
    // 35 + 290^2 / 100 = 876 calls, of which the oldest has waited for 876 / 1300 s. It is gone at about 11.7 s.
    let arrivals = "arrivals.poisson = { rate = '1300/s' }";
    let runs = |discipline: &str| -> Vec<Record> {
        let service = format!("latency.constant = '1ms'\ncapacity = {{ servers = 1{discipline} }}");
        let scenario = scenario("20s", &service, arrivals);
        let run = |run| Simulation::new(&scenario, 0, run, usize::MAX).run();
        (0..RUNS).into_par_iter().map(run).collect()
    };
    let over = |records: &[Record], stretch: std::ops::Range<f64>| {
        let all: Vec<_> = records.iter().map(|record| waits(record, 0.001, stretch.clone())).collect();
        let (mean, error) = moments(&all.iter().map(|(wait, _)| *wait).collect::<Vec<_>>());
        (mean, error, moments(&all.iter().map(|(_, count)| *count).collect::<Vec<_>>()).0)
    };
    let (fifo, codel) = (runs(""), runs(", discipline.codel = {}"));
    for (records, stretch, expected) in [
        (&fifo, 5.7..6.1, 0.3 / 1.3 * 5.9),
        (&fifo, 18.0..20.0, 0.3 / 1.3 * 19.0),
        (&codel, 5.7..6.1, 876.0 / 1300.0),
    ] {
        let (mean, error, _) = over(records, stretch.clone());
        assert!(
            (mean - expected).abs() < 4.0 * error,
            "{mean} +- {error} instead of {expected} at {stretch:?}"
        );
    }
    let (mean, error, served) = over(&codel, 14.0..20.0);
    // An overload that does not give way lets the queue come back whenever the law begins anew, but not to where it was; the server
    // is never idle for it.
    assert!(mean + 4.0 * error < 876.0 / 1300.0, "{mean} +- {error}");
    assert!(served > 0.98 * 6000.0, "{served}");
}

#[test]
fn a_gradient_limit_keeps_latency_at_its_tolerance() {
    // Ten servers do 100/s in 100 ms each; for 50 s 50/s come, then 200/s. The limit stays where
    // 0.2 (1 - gradient) limit = 0.2 queue with gradient = 1.5 long / latest and latest = limit / 100 s: at
    // limit = 1.5 * long * 100 + queue, which is 15 + 4 for a long average of 100 ms, so that calls take 190 ms, whatever comes.
    let arrivals = "arrivals.steps = [{ at = '0s', rate = '50/s' }, { at = '50s', rate = '200/s' }]";
    let taken = |shedding: &str, stretch: std::ops::Range<f64>| {
        let service = format!(
            "latency.constant = '100ms'\nrejection_latency.constant = '1ms'\ncapacity = {{ servers = 10{shedding} }}"
        );
        let scenario = scenario("150s", &service, arrivals);
        let run = |run| waits(&Simulation::new(&scenario, 0, run, usize::MAX).run(), 0.0, stretch.clone());
        let all: Vec<_> = (0..RUNS).into_par_iter().map(run).collect();
        (moments(&all.iter().map(|run| run.0).collect::<Vec<_>>()), all[0].1)
    };
    // An average over so many calls does not move.
    let steady = ", shedding.gradient = { min = 10, max = 200, window = 1_000_000_000 }";
    let ((mean, _), served) = taken(steady, 100.0..150.0);
    assert!((mean - 0.19).abs() < 0.01, "{mean}: within the call that the limit is rounded down by");
    assert!((served - 5000.0).abs() < 50.0, "{served}: the servers are all in use");
    // Without a limit, who is served at t seconds came when half of the time was to go.
    let ((mean, _), _) = taken("", 140.0..150.0);
    assert!((mean - 47.6).abs() < 2.0, "{mean}");
    // The average of the source follows what it measures, so that in an overload that lasts what was long becomes usual, and the
    // limit swings higher. A program of forty lines with the same rule, arrivals and servers, but luck of its own, has
    // 0.4166 s (standard error 0.0016) over 200 runs.
    let ((mean, error), _) = taken(", shedding.gradient = { min = 10, max = 200 }", 140.0..150.0);
    let z = (mean - 0.4166) / (error * error + 0.0016 * 0.0016f64).sqrt();
    assert!(z.abs() < 4.5, "{mean} +- {error}, z = {z}");
}
