//! Services that call others: how failures, waits and deadlines travel through several hops.

use retrysim::experiment::{self, Options};
use retrysim::outcome::Ending;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};

const WORLD: &str = "
horizon = '10m'
[services.gateway]
latency.constant = '100ms'
[services.orders]
latency.constant = '200ms'
[workloads.users]
service = 'gateway'
arrivals.even = { rate = '1/s', requests = 1 }
policy = 'user'
[workloads.gateway-to-orders]
service = 'orders'
arrivals.calls_of = { service = 'gateway' }
policy = 'gateway'
[policies.user]
retries = 2
backoff.fixed = '1s'
[policies.gateway]
retries = 2
backoff.fixed = '100ms'
";

fn scenario(changes: &[(&str, &str)]) -> Scenario {
    let changes: Vec<_> =
        changes.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    Scenario::parse("chains", "chains", WORLD, &changes).unwrap_or_else(|error| panic!("{error}"))
}

fn run(changes: &[(&str, &str)]) -> Record {
    Simulation::new(&scenario(changes), 0, 0, 0).run()
}

const FAILS: (&str, &str) = ("services.orders.faults", "[{ random = { status = 503, probability = 1.0 } }]");

#[test]
fn a_call_takes_as_long_as_all_that_it_waits_for() {
    let record = run(&[]);
    let [users, inner] = [&record.workloads[0], &record.workloads[1]];
    assert_eq!((users.succeeded(), inner.succeeded()), (1, 1));
    assert_eq!(users.quiet.as_nanos(), 300_000_000, "100 ms of its own, then 200 ms of the other");
    let record = run(&[
        ("services.gateway.network.constant", "'10ms'"),
        ("services.orders.network.constant", "'5ms'"),
    ]);
    assert_eq!(record.workloads[0].quiet.as_nanos(), 330_000_000, "and the ways there and back");
}

#[test]
fn retries_of_each_hop_multiply() {
    let record = run(&[FAILS]);
    assert_eq!(record.workloads[0].sent, 3);
    assert_eq!(record.workloads[1].requests, 3, "one for each call of the gateway");
    assert_eq!(record.services[1].offered, 9);
    assert_eq!(record.workloads[0].ended_as(Ending::Exhausted), 1);
    assert_eq!(record.workloads[0].failed, 3, "the gateway answers 502");
    // Each call: 100 ms, then three attempts of 200 ms and two waits of 100 ms; in between 1 s twice.
    assert_eq!(record.workloads[0].quiet.as_nanos(), (3 * 900 + 2000) * 1_000_000);
    let given_up = run(&[FAILS, ("workloads.gateway-to-orders.arrivals.calls_of.status", "400")]);
    assert_eq!(given_up.workloads[0].sent, 1, "what the gateway answers decides whether its client retries");
}

#[test]
fn a_fan_out_waits_for_the_last_of_them_and_fails_with_any() {
    let record = run(&[("workloads.gateway-to-orders.arrivals.calls_of.fan_out", "5")]);
    assert_eq!((record.workloads[1].requests, record.workloads[0].quiet.as_nanos()), (5, 300_000_000));
    // One in two attempts of five fails: 1 - 0.5^5 of the calls do, without retries.
    let many = [
        ("workloads.users.arrivals.even", "{ rate = '100/s' }"),
        ("policies.user.retries", "0"),
        ("policies.gateway.retries", "0"),
        ("workloads.gateway-to-orders.arrivals.calls_of.fan_out", "5"),
        ("services.orders.faults", "[{ random = { status = 503, probability = 0.5 } }]"),
    ];
    let users = &run(&many).workloads[0];
    let (n, p) = (users.requests as f64, libm::pow(0.5, 5.0));
    let share = users.succeeded() as f64 / n;
    assert!((share - p).abs() < 4.5 * (p * (1.0 - p) / n).sqrt(), "{share}");
}

#[test]
fn what_nobody_waits_for_goes_on_unless_the_deadline_travels_with_the_call() {
    let slow = [
        ("services.orders.latency.constant", "'10s'"),
        ("workloads.users.timeout", "'2s'"),
        ("policies.user.retries", "0"),
        ("workloads.gateway-to-orders.timeout", "'3s'"),
    ];
    let unknown = run(&slow);
    assert_eq!(unknown.workloads[0].timed_out, 1);
    assert_eq!(unknown.services[1].offered, 3, "the gateway goes on trying");
    assert_eq!(unknown.workloads[1].quiet.as_nanos(), 9_300_000_000);
    let propagated =
        [slow.as_slice(), &[("workloads.gateway-to-orders.arrivals.calls_of.deadline", "'propagated'")]]
            .concat();
    let propagated = run(&propagated);
    assert_eq!(propagated.services[1].offered, 1);
    assert_eq!(propagated.workloads[1].ended_as(Ending::DeadlineExceeded), 1);
    assert_eq!(propagated.workloads[1].quiet.as_nanos(), 2_000_000_000, "it waits no longer than its client");
}

#[test]
fn a_breaker_between_services_answers_at_once() {
    let record = run(&[
        FAILS,
        ("workloads.users.arrivals.even", "{ rate = '1/s', requests = 20 }"),
        ("policies.user.retries", "0"),
        ("policies.gateway.retries", "0"),
        ("policies.gateway.breaker", "{ trip.consecutive = 5, open_for = '10m' }"),
    ]);
    assert_eq!(record.services[1].offered, 5);
    assert_eq!(record.workloads[1].refused, 15);
    assert_eq!(record.workloads[0].quiet.as_nanos(), 19_100_000_000, "after its own 100 ms");
}

#[test]
fn a_server_is_busy_as_long_as_it_waits_for_others() {
    let two = [
        ("workloads.users.clients", "2"),
        ("workloads.users.arrivals", "{ burst = {} }"),
        ("services.gateway.capacity", "{ servers = 1 }"),
    ];
    let record = run(&two);
    assert_eq!(
        record.workloads[0].quiet.as_nanos(),
        600_000_000,
        "the second begins when the first is answered"
    );
    let usage = record.services[0].usage.expect("the gateway has servers");
    assert_eq!((usage.busy, usage.waiting, usage.longest_queue), (600_000_000, 300_000_000, 1));
    // A call that fails by itself keeps no server.
    let failing = [("services.gateway.faults", "[{ fails_first = 1 }]"), ("policies.user.retries", "0")];
    let record = run(&[two.as_slice(), &failing].concat());
    assert_eq!(record.workloads[0].quiet.as_nanos(), 200_000_000);
    assert_eq!(record.services[1].offered, 0);
    // Nor does the limit of calls under way forget that they wait for others.
    let limited = [
        ("workloads.users.clients", "2"),
        ("workloads.users.arrivals", "{ burst = { every = '250ms', times = 2 } }"),
        ("services.gateway.rate_limit", "{ concurrency = { limit = 2 } }"),
        ("policies.user.retries", "0"),
    ];
    assert_eq!(run(&limited).workloads[0].limited, 2, "at 250 ms both are still under way");
    // Calls that fail by themselves ask nobody, and are over with their own work.
    let failed = [limited.as_slice(), &[("services.gateway.faults", "[{ fails_first = 1 }]")]].concat();
    assert_eq!(run(&failed).workloads[0].limited, 0);
}

#[test]
fn calls_in_circles_are_refused() {
    let changes = [("workloads.gateway-to-orders.service".to_owned(), "'gateway'".to_owned())];
    let error = Scenario::parse("chains", "chains", WORLD, &changes).unwrap_err().to_string();
    assert!(error.contains("the service would call itself"), "{error}");
    // Of a service that cannot be read only that is said.
    let changes = [("services.orders.latency".to_owned(), "{ bogus = '1s' }".to_owned())];
    let error = Scenario::parse("chains", "chains", WORLD, &changes).unwrap_err().to_string();
    assert!(error.contains("bogus") && !error.contains("the service would call itself"), "{error}");
}

#[test]
fn the_worst_case_of_a_chain_is_announced() {
    let scenario = scenario(&[]);
    assert_eq!(scenario.expected_requests(), 2.0);
    // 3 attempts at the gateway, and 3 at the orders for each, in 30 replications.
    assert_eq!(scenario.expected_attempts_bound(), 30.0 * (3.0 + 9.0));
}

#[test]
fn users_feel_the_incidents_of_all_services_below_theirs() {
    let down = [
        ("services.orders.incidents", "[{ outage = { from = '2m', lasts = '1m' } }]"),
        ("workloads.users.arrivals", "{ even = { rate = '1/s' } }"),
        ("policies.user", "{ retries = 0 }"),
        ("policies.gateway", "{ retries = 0 }"),
    ];
    let results = experiment::run(&scenario(&down), Options::default(), &|| ());
    let recovery =
        |workload: usize| results.arms[0].workloads[workload].named("recovery_time").map(|found| found.mean);
    // The call that arrives at 3 min has its answer 300 ms later, and the one before reaches the orders at 2:59.1.
    assert_eq!((recovery(0), recovery(1)), (Some(0.3), Some(0.3)));
    let above = [
        down.as_slice(),
        &[
            ("services.orders.incidents", "[]"),
            ("services.gateway.incidents", "[{ outage = { from = '2m', lasts = '1m' } }]"),
        ],
    ]
    .concat();
    let results = experiment::run(&scenario(&above), Options::default(), &|| ());
    let recovery =
        |workload: usize| results.arms[0].workloads[workload].named("recovery_time").map(|found| found.mean);
    assert_eq!(
        (recovery(0), recovery(1)),
        (Some(0.3), None),
        "what befalls a caller is not an incident of what it calls"
    );
}
