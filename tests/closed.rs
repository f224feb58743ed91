//! Closed populations: clients that wait for one request before they think of the next.

use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};

fn run(text: &str) -> Record {
    let scenario = Scenario::parse("closed", "closed", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    Simulation::new(&scenario, 0, 0, 10).run()
}

#[test]
fn a_client_thinks_after_its_last_request_has_ended() {
    let record =
        run("horizon = '10s'\n[services.s]\nlatency.constant = '500ms'\nfaults = [{ fails_first = 1 }]\n\
         [workloads.w]\nservice = 's'\nclients = 2\narrivals.closed = { think.constant = '1s' }\n\
         [policies.p]\nretries = 1\nbackoff.fixed = '250ms'");
    // 1 s of thinking, then 500 ms + 250 ms + 500 ms.
    let arrived: Vec<_> =
        record.traces[0].iter().map(|t| (t.client, t.arrived.as_nanos() / 1_000_000)).collect();
    let expected = [1000, 3250, 5500, 7750].map(|at| [(0, at), (1, at)]).concat();
    assert_eq!(arrived, expected);
    assert_eq!(record.workloads[0].requests, 8);
}

#[test]
fn the_share_of_time_spent_thinking_is_that_of_renewal_theory() {
    // One client that thinks for 2 s and is served for 1 s, both exponential: a cycle takes 3 s on average.
    let record = run(
        "horizon = '50000s'\nbin = '1000s'\n[services.s]\nlatency.exponential = { mean = '1s' }\n\
         [workloads.w]\nservice = 's'\nclients = 4\narrivals.closed = { think.exponential = { mean = '2s' } }\n\
         [policies.p]\nretries = 0",
    );
    let cycles = record.workloads[0].requests as f64 / 4.0;
    // The number of renewals has the variance t * var / mean^3 = 50,000 * 5 / 27.
    let error = (cycles - 50_000.0 / 3.0).abs() / (50_000.0f64 * 5.0 / 27.0 / 4.0).sqrt();
    assert!(error < 4.5, "{cycles} cycles of a client: {error} standard errors");
}

#[test]
fn clients_that_never_think_are_refused() {
    let text = "horizon = '10s'\n[services.s]\n[workloads.w]\nservice = 's'\n\
                arrivals.closed = { think.constant = '0s' }\n[policies.p]\nretries = 0";
    let error = Scenario::parse("closed", "closed", text, &[]).unwrap_err().to_string();
    assert!(error.contains("a mean think time below 1us"), "{error}");
}
