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
fn in_processor_sharing_a_call_that_waits_for_others_takes_nothing_of_the_servers() {
    let record = run(&[
        ("workloads.users.clients", "2"),
        ("workloads.users.arrivals", "{ burst = {} }"),
        ("services.gateway.capacity", "{ servers = 1, discipline = 'processor_sharing' }"),
    ]);
    assert_eq!(record.workloads[0].quiet.as_nanos(), 400_000_000, "half a server each, then the orders");
    let usage = record.services[0].usage.expect("the gateway has servers");
    assert_eq!((usage.busy, usage.waiting, usage.served, usage.left), (200_000_000, 200_000_000, 2, 0));
}

/// Ten calls a second for 50 s, 100 ms at the gateway and 100 ms at the orders: each begins there as the one before ends.
fn back_to_back(gateway: &str, orders: &str) -> Record {
    let text = "horizon = '1m'\n[services.GATEWAY]\nlatency.constant = '100ms'\ncapacity = { servers = 10 }\n\
         [services.orders]\nlatency.constant = '100ms'\nORDERS\n\
         [workloads.users]\nservice = 'GATEWAY'\narrivals.even = { rate = '10/s', until = '50s' }\npolicy = 'p'\n\
         [workloads.hop]\nservice = 'orders'\narrivals.calls_of = { service = 'GATEWAY' }\npolicy = 'p'\n\
         [policies.p]\nretries = 0";
    let text = text.replace("GATEWAY", gateway).replace("ORDERS", orders);
    let scenario = Scenario::parse("chain", "chain", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    Simulation::new(&scenario, 0, 0, 0).run()
}

#[test]
fn what_a_service_asks_of_another_begins_after_all_that_ends_at_that_instant() {
    // The names of services settle nothing.
    for gateway in ["gateway", "zgateway"] {
        for discipline in ["processor_sharing", "fifo"] {
            let one = format!("capacity = {{ servers = 1, queue = 0, discipline = '{discipline}' }}");
            let users = &back_to_back(gateway, &one).workloads[0];
            assert_eq!((users.requests, users.succeeded()), (500, 500), "{gateway}, {discipline}");
        }
        // From 10 s to 40 s there are no servers: of 500 calls 300 fail.
        let users = &back_to_back(
            gateway,
            "capacity = { servers = 2, queue = 0 }\nincidents = [{ capacity = { from = '10s', lasts = '30s', servers_lost = 2 } }]",
        )
        .workloads[0];
        assert_eq!((users.requests, users.succeeded()), (500, 200), "{gateway}");
    }
}

#[test]
fn who_has_waited_beyond_a_deadline_that_travels_is_not_sent() {
    let world = [
        ("workloads.users.clients", "5"),
        ("workloads.users.arrivals", "{ burst = {} }"),
        ("workloads.users.timeout", "'4s'"),
        ("policies.user.retries", "0"),
        ("policies.gateway.retries", "0"),
        ("services.orders.latency.constant", "'3s'"),
        ("workloads.gateway-to-orders.arrivals.calls_of.deadline", "'propagated'"),
    ];
    for (path, value, offered) in [
        // One goes at 100 ms, the next at 3.1 s, which is cut short at 4 s.
        ("workloads.gateway-to-orders.slots", "1", 2),
        ("policies.gateway.limiter", "{ concurrency = 1 }", 2),
        // One goes at 100 ms, the next could at 10.1 s.
        ("policies.gateway.limiter", "{ token_bucket = { rate = '1/10s', burst = 1 } }", 1),
    ] {
        let record = run(&[world.as_slice(), &[(path, value)]].concat());
        let inner = &record.workloads[1];
        assert_eq!(record.services[1].offered, offered, "{path} = {value}");
        assert_eq!(inner.timed_out, offered - 1, "{path} = {value}");
        assert_eq!(inner.ended_as(Ending::DeadlineExceeded), 5 - offered, "{path} = {value}");
        assert_eq!(inner.requests, 5, "{path} = {value}");
    }
    // Where nobody tells them, all go.
    let slots = [("workloads.gateway-to-orders.slots", "1")];
    assert_eq!(run(&[&world[..6], &slots].concat()).services[1].offered, 5);
}

#[test]
fn calls_that_wait_for_others_are_in_the_system() {
    // One at a time may be in the gateway, which is there for 10.1 s.
    let shed = run(&[
        ("services.orders.latency.constant", "'10s'"),
        ("services.gateway.capacity", "{ shedding.fixed = 1 }"),
        ("workloads.users.arrivals.even", "{ rate = '10/s', until = '5s' }"),
        ("policies.user.retries", "0"),
    ]);
    assert_eq!((shed.workloads[0].succeeded(), shed.workloads[0].overloaded), (1, 49));
    let left = run(&[
        ("horizon", "'5s'"),
        ("services.orders.latency.constant", "'10s'"),
        ("services.gateway.capacity", "{ servers = 1 }"),
    ]);
    let usage = left.services[0].usage.expect("the gateway has servers");
    assert_eq!((usage.offered, usage.served, usage.left, usage.busy), (1, 0, 1, 5_000_000_000));
}

#[test]
fn a_service_that_lets_go_of_abandoned_calls_does_so_while_others_work() {
    for (discipline, busy) in [("fifo", 5_000_000_000), ("processor_sharing", 500_000_000)] {
        let record = run(&[
            ("services.orders.latency.constant", "'10s'"),
            (
                "services.gateway.capacity",
                &format!("{{ servers = 1, abandoned = 'cancelled', discipline = '{discipline}' }}"),
            ),
            ("workloads.users.arrivals.even", "{ rate = '1/2s', requests = 5 }"),
            ("workloads.users.timeout", "'1s'"),
            ("policies.user.retries", "0"),
        ]);
        let usage = record.services[0].usage.expect("the gateway has servers");
        assert_eq!((usage.cancelled, usage.served, usage.left), (5, 0, 0), "{discipline}");
        assert_eq!(usage.busy, busy, "{discipline}: a second each, or their own work alone");
        let [users, inner] = [&record.workloads[0], &record.workloads[1]];
        assert_eq!((users.timed_out, users.wasted), (5, 0), "{discipline}");
        assert_eq!((inner.requests, inner.succeeded()), (5, 5), "{discipline}: the others do not know");
    }
}

#[test]
fn the_luck_of_what_a_service_asks_of_others_is_the_same_in_every_arm() {
    let text = "horizon = '2m'\n[services.gateway]\nlatency.constant = '10ms'\n\
         faults = [{ random = { status = 500, probability = 0.3 } }]\n\
         [services.orders]\nlatency.exponential = { mean = '100ms' }\n\
         [workloads.users]\nservice = 'gateway'\narrivals.even = { rate = '1/s', requests = 60 }\n\
         [workloads.hop]\nservice = 'orders'\narrivals.calls_of = { service = 'gateway', fan_out = 2 }\npolicy = 'none'\n\
         [policies.none]\nretries = 0\n[policies.retry]\nretries = 2\nbackoff.fixed = '10ms'\n\
         [arms.none]\nusers = 'none'\n[arms.retry]\nusers = 'retry'";
    let scenario = Scenario::parse("luck", "luck", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let [none, retry] = [0, 1].map(|arm| Simulation::new(&scenario, arm, 0, usize::MAX).run());
    let first = |record: &Record, number: usize| {
        let step = record.traces[0][number].steps[0];
        (step.outcome.expect("it was sent").is_success(), step.known)
    };
    let succeeded = (0..60).filter(|&number| first(&none, number).0).count();
    assert!((30..55).contains(&succeeded), "{succeeded} of 60 instead of about 42");
    for number in 0..60 {
        assert_eq!(first(&none, number), first(&retry, number), "request {number}");
    }
    // Yet each has luck of its own: no two take the same time.
    let mut took: Vec<_> =
        retry.traces[1].iter().map(|request| request.steps[0].known.since(request.arrived)).collect();
    let all = took.len();
    took.sort();
    took.dedup();
    assert_eq!(took.len(), all);
    assert!(all > 2 * succeeded, "retries have succeeded, too");
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
