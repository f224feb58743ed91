//! Servers and queues inside whole scenarios: who waits, who is turned away, what is wasted.

use retrysim::outcome::Ending;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};

fn scenario(service: &str, workload: &str, policy: &str) -> Scenario {
    let text = format!(
        "horizon = '10m'\nbin = '10s'\n[services.api]\nlatency.constant = '1s'\n{service}\n\
         [workloads.calls]\nservice = 'api'\n{workload}\n[policies.p]\n{policy}"
    );
    Scenario::parse("queues", "queues.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn run(service: &str, workload: &str, policy: &str) -> Record {
    Simulation::new(&scenario(service, workload, policy), 0, 0, 1000).run()
}

/// When each request ended, in milliseconds, by number.
fn ends(record: &Record) -> Vec<u64> {
    let last = |steps: &[retrysim::simulation::Step]| {
        steps.last().map_or(0, |step| step.known.as_nanos() / 1_000_000)
    };
    record.traces[0].iter().map(|request| last(&request.steps)).collect()
}

#[test]
fn each_discipline_serves_in_its_order() {
    // Four calls, 100 ms apart; a server works on each for a second.
    let arrivals = "arrivals.even = { rate = '10/s', requests = 4 }";
    for (capacity, expected) in [
        ("{ servers = 1 }", [1000, 2000, 3000, 4000]),
        ("{ servers = 2 }", [1000, 1100, 2000, 2100]),
        ("{ servers = 1, discipline = 'lifo' }", [1000, 4000, 3000, 2000]),
        // At 300 ms the four have had 183.3, 83.3, 33.3 and 0 ms of their second; then each gets a quarter of the server until
        // the first has all, 816.7 ms later for each, and so on.
        ("{ servers = 1, discipline = 'processor_sharing' }", [3566, 3866, 3966, 4000]),
        ("{ servers = 1, discipline = { adaptive_lifo = { above = 1 } } }", [1000, 4000, 3000, 2000]),
        ("{ slowdown = 1 }", [2000, 3100, 4200, 5300]),
    ] {
        assert_eq!(
            ends(&run(&format!("capacity = {capacity}"), arrivals, "retries = 0")),
            expected,
            "{capacity}"
        );
    }
}

#[test]
fn a_full_service_answers_503_and_what_it_asks_to_wait() {
    let record = run(
        "capacity = { servers = 1, queue = 1, retry_after = '5s' }",
        "clients = 3\narrivals.burst = {}",
        "retries = 1\nbackoff.fixed = '1s'\nretry_after = 'obey'",
    );
    assert_eq!(ends(&record), [1000, 2000, 6000], "the third comes back after 5 s");
    assert_eq!(record.workloads[0].overloaded, 1);
    let usage = record.services[0].usage.expect("it has servers");
    assert_eq!((usage.offered, usage.turned_away, usage.longest_queue), (4, 1, 1));
}

#[test]
fn abandoned_work_is_done_or_let_go() {
    // Three at once, who wait for 1.5 s: the second would be served at 2 s, the third at 3 s.
    let waits = "clients = 3\ntimeout = '1500ms'\narrivals.burst = {}";
    for discipline in ["fifo", "lifo"] {
        for (abandoned, wasted, busy) in [
            ("served", 2, 3_000_000_000),
            ("cancelled_in_queue", 1, 2_000_000_000),
            ("cancelled", 0, 1_500_000_000),
        ] {
            let capacity = format!(
                "capacity = {{ servers = 1, discipline = '{discipline}', abandoned = '{abandoned}' }}"
            );
            let record = run(&capacity, waits, "retries = 0");
            let tally = &record.workloads[0];
            assert_eq!(tally.timed_out, 2, "{capacity}");
            assert_eq!((tally.wasted, record.services[0].usage.unwrap().busy), (wasted, busy), "{capacity}");
        }
    }
}

#[test]
fn a_retry_does_not_push_a_first_try_out() {
    let record = run(
        "capacity = { servers = 1, queue = 1, priority = 'first_tries' }",
        "clients = 4\narrivals.burst = {}",
        "retries = 1\nbackoff.fixed = '100ms'\nretry_on = 'any_failure'",
    );
    // Two find no place, come back at 100 ms, and find none again: the one that waits is a first try.
    assert_eq!(record.workloads[0].overloaded, 4);
    assert_eq!(record.workloads[0].ended_as(Ending::Exhausted), 2);
}

#[test]
fn a_first_try_pushes_a_retry_out() {
    let record = run(
        "capacity = { servers = 1, queue = 1, priority = 'first_tries' }\nincidents = [{ outage = { from = '0s', lasts = '1ms' } }]",
        "clients = 2\narrivals.burst = { every = '500ms', times = 2 }",
        "retries = 1\nbackoff.fixed = '100ms'\nretry_on = 'any_failure'",
    );
    // Both fail in the outage; at 100 ms one retry is served and the other waits, until a first try of 500 ms takes its place.
    let usage = record.services[0].usage.expect("it has servers");
    assert_eq!(usage.pushed_out, 1, "{usage:?}");
    assert_eq!(
        record.workloads[0].ended_as(Ending::Exhausted),
        2,
        "it, and the first try that found no place twice"
    );
}

#[test]
fn clients_that_think_find_a_queue_as_the_finite_source_model_says() {
    // Four clients that think for 2 s, one server that works for 1 s, both exponential: the chain of the number at the server
    // has p(n) in proportion to 4!/(4 - n)! (1/2)^n.
    let weights: Vec<f64> = (0..=4u32).map(|n| (0..n).map(|k| f64::from(4 - k) * 0.5).product()).collect();
    let idle = weights[0] / weights.iter().sum::<f64>();
    let text = "horizon = '100000s'\nbin = '1000s'\nreplications = 12\n[services.api]\nlatency.exponential = { mean = '1s' }\n\
                capacity = { servers = 1 }\n[workloads.calls]\nservice = 'api'\nclients = 4\n\
                arrivals.closed = { think.exponential = { mean = '2s' } }\n[policies.p]\nretries = 0";
    let scenario =
        Scenario::parse("closed", "closed.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let busy = |replication| {
        let usage = Simulation::new(&scenario, 0, replication, 0).run().services[0].usage.expect("a server");
        usage.busy as f64 / 1e14
    };
    let shares: Vec<f64> = (0..12).map(busy).collect();
    let mean = shares.iter().sum::<f64>() / 12.0;
    let variance = shares.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 11.0;
    let z = (mean - (1.0 - idle)) / (variance / 12.0).sqrt();
    assert!(z.abs() < 5.0, "busy for {mean} of the time instead of {}, z = {z}", 1.0 - idle);
}

#[test]
fn what_was_recorded_of_first_attempts_is_what_they_come_to() {
    let trace = "arrivals.trace = { file = { name = 'trace.csv', text = \"time,status,latency\\n0,503,0.25\\n1,200,0.5\\n2,timeout,3\\n\" } }";
    let record = run("", trace, "retries = 1\nbackoff.fixed = '100ms'");
    // The first fails after 250 ms and succeeds a second after its retry at 350 ms; the third times out after 3 s.
    assert_eq!(ends(&record), [1350, 1500, 6100]);
    let simulated = trace.replace("} }", "}, first_attempts = 'simulated' }");
    assert_eq!(ends(&run("", &simulated, "retries = 0")), [1000, 2000, 3000]);
    let text = format!(
        "horizon = '1m'\n[services.api]\ncapacity.servers = 1\n[workloads.calls]\nservice = 'api'\n{trace}\n[policies.p]\nretries = 0"
    );
    let error = Scenario::parse("t", "t", &text, &[]).unwrap_err().to_string();
    assert!(error.contains("first_attempts = \"simulated\""), "{error}");
}

#[test]
fn an_incident_leaves_what_the_autoscaler_has_reached() {
    let overloaded = |incidents: &str| {
        let capacity =
            "capacity = { servers = 2, queue = 0, autoscale = { min = 2, max = 50, target = 0.7 } }";
        let record = run(
            &format!("{capacity}\nincidents = [{incidents}]"),
            "arrivals.even = { rate = '20/s' }",
            "retries = 0",
        );
        record.workloads[0].overloaded
    };
    // Twenty calls at once on 29 servers or so.
    let usual = overloaded("");
    assert!((100..3000).contains(&usual), "{usual} are turned away until there are enough");
    for incident in [
        "{ latency = { from = '5m', lasts = '1s', factor = 1 } }",
        "{ capacity = { from = '5m', lasts = '1s', servers_lost = 5 } }",
        "{ capacity = { from = '5m', lasts = '1s', share = 0.8 } }, { latency = { from = '8m', lasts = '1s', factor = 1 } }",
    ] {
        assert_eq!(overloaded(incident), usual, "{incident}");
    }
    let fewer = overloaded("{ capacity = { from = '5m', lasts = '1s', servers_lost = 45 } }");
    assert_eq!(fewer, usual + 20, "for a second there are none");
}
