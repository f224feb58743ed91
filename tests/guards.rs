//! What guards attempts inside a simulation, to the nanosecond: slots, limiters, budgets, breakers inside and outside the
//! retry, and policies inside each other. Nothing here is left to luck.

use retrysim::outcome::Ending;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};

/// Runs a scenario of one arm, with every request traced.
fn run(text: &str) -> Record {
    let text = format!("horizon = '1h'\nreplications = 1\n{text}");
    let scenario =
        Scenario::parse("guards", "guards.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    Simulation::new(&scenario, 0, 0, 1000).run()
}

/// When the attempts of each request of a workload were sent, in milliseconds.
fn sent(record: &Record, workload: usize) -> Vec<Vec<u64>> {
    let millis = |request: &retrysim::simulation::TracedRequest| {
        request.steps.iter().map(|step| step.sent.as_nanos() / 1_000_000).collect()
    };
    record.traces[workload].iter().map(millis).collect()
}

/// A service that fails the first attempts of every request, called by three clients at once.
fn burst(clients: u32, fails_first: u32, workload: &str, policy: &str) -> String {
    format!(
        "[services.api]\nlatency.constant = '1s'\nfaults = [{{ fails_first = {fails_first} }}]\n\
         [workloads.calls]\nservice = 'api'\nclients = {clients}\narrivals.burst = {{ at = '0s' }}\n{workload}\n\
         [policies.p]\n{policy}\n"
    )
}

#[test]
fn a_slot_is_held_while_a_retry_is_waited_for_or_given_to_another() {
    let policy = "retries = 1\nbackoff.fixed = '5s'";
    let held = run(&burst(3, 1, "slots = 1", policy));
    assert_eq!(sent(&held, 0), [[0, 6000], [7000, 13_000], [14_000, 20_000]], "one after the other");
    let freed = run(&burst(3, 1, "slots = 1", &format!("{policy}\nslot_during_backoff = 'freed'")));
    assert_eq!(sent(&freed, 0), [[0, 6000], [1000, 7000], [2000, 8000]], "others use the time");
    let each = run(&burst(3, 1, "slots = { limit = 1, scope = 'client' }", policy));
    assert_eq!(sent(&each, 0), [[0, 6000], [0, 6000], [0, 6000]], "every client has its own");
}

#[test]
fn a_request_that_waits_for_a_slot_to_the_end_is_unfinished() {
    let record = run(&burst(3, 0, "slots = 1", "retries = 0").replace("'1s'", "'40m'"));
    assert_eq!(record.workloads[0].ended_as(Ending::Succeeded), 1);
    assert_eq!(record.workloads[0].ended_as(Ending::Unfinished), 2);
}

#[test]
fn limiters_delay_or_shed_what_is_sent() {
    let cases: [(&str, &[&[u64]]); 3] = [
        ("limiter.concurrency = 1", &[&[0], &[1000], &[2000]]),
        ("limiter.token_bucket = { rate = '2/s' }", &[&[0], &[500], &[1000]]),
        ("limiter = { token_bucket = { rate = '2/s' }, scope = 'client' }", &[&[0], &[0], &[0]]),
    ];
    for (limiter, times) in cases {
        let record = run(&burst(3, 0, "", &format!("retries = 0\n{limiter}")));
        assert_eq!(sent(&record, 0), times, "{limiter}");
        assert_eq!(record.workloads[0].succeeded(), 3, "{limiter}");
    }
}

#[test]
fn who_queues_at_a_limiter_goes_before_who_comes_later() {
    // Three at 0 s and three at 1 s, which is when the first place becomes free.
    let text = burst(3, 0, "", "retries = 0\nlimiter.concurrency = 1")
        .replace("{ at = '0s' }", "{ at = '0s', every = '1s', times = 2 }");
    assert_eq!(sent(&run(&text), 0).concat(), [0, 1000, 2000, 3000, 4000, 5000]);
}

#[test]
fn global_slots_are_one_pool_for_all_workloads() {
    let slots = |scope: &str| format!("slots = {{ limit = 1, scope = '{scope}' }}\npolicy = 'p'");
    let two = |scope: &str| {
        let second = format!(
            "[workloads.others]\nservice = 'api'\nclients = 1\narrivals.burst = {{}}\n{}\n[policies.p]",
            slots(scope)
        );
        let text = burst(1, 0, &slots(scope), "retries = 0").replace("[policies.p]", &second);
        let record = run(&text);
        [sent(&record, 0).concat(), sent(&record, 1).concat()].concat()
    };
    assert_eq!(two("workload"), [0, 0]);
    assert_eq!(two("global"), [0, 1000]);
}

#[test]
fn a_refusal_further_out_leaves_no_trace_in_a_budget() {
    // One request at a time never has a share to spare, wherever a breaker stands: those that it refuses are over.
    let budget = "budget.concurrent = { at_least = 0, share = 0.1 }";
    let breaker = |position: &str| {
        format!("breaker = {{ trip.consecutive = 2, open_for = '40s', position = '{position}' }}")
    };
    let retries = "retries = 1\nbackoff.fixed = '200ms'";
    for policy in [
        format!("{retries}\n{budget}"),
        format!("{retries}\n{budget}\n{}", breaker("inside")),
        format!("{retries}\n{budget}\n{}", breaker("outside")),
        format!("retries = 0\n{}\n[policies.p.inner]\n{retries}\n{budget}", breaker("inside")),
    ] {
        let text = burst(1, 9, "", &policy).replace("burst = { at = '0s' }", "even = { rate = '0.5/s' }");
        let tally = &run(&text).workloads[0];
        assert_eq!(tally.retries.iter().sum::<u64>(), 0, "{policy}");
        assert!(tally.sent > 10, "{policy}");
    }
}

#[test]
fn what_the_client_sheds_proves_nothing_to_a_breaker() {
    // Down for ten minutes, and the throttle sheds half of the probes. A breaker that took one of those for a success would
    // close, and then need three failures to open again; as it is, one is enough.
    let text = "[services.api]\n[[services.api.incidents]]\noutage = { from = '0s', lasts = '10m' }\n\
                [workloads.calls]\nservice = 'api'\narrivals.even = { rate = '2/s', until = '8m' }\n\
                [policies.p]\nretries = 0\nlimiter.adaptive_throttle = { max_rejection = 0.5 }\n\
                breaker = { trip.consecutive = 3, open_for = '2s', counts.only = { status = ['5xx'] } }";
    let record = run(text);
    let outcomes = record.traces[0].iter().map(|request| request.steps[0].outcome.unwrap().to_string());
    let outcomes: Vec<String> = outcomes.skip_while(|outcome| outcome != "breaker_open").collect();
    let probes = outcomes.windows(2).filter(|pair| pair[0] == "503");
    let reopened = probes.clone().filter(|pair| pair[1] == "breaker_open").count();
    assert!(reopened > 20 && outcomes.iter().any(|outcome| outcome == "shed"));
    assert_eq!(reopened, probes.count());
}

#[test]
fn an_answer_that_blames_the_request_does_not_throttle_a_client() {
    let text = burst(1, 1, "", "retries = 0\nlimiter.adaptive_throttle = {}")
        .replace("{ fails_first = 1 }", "{ fails_first = { attempts = 1, status = 404 } }")
        .replace("burst = { at = '0s' }", "even = { rate = '10/s', requests = 500 }")
        .replace("'1s'", "'1ms'");
    let tally = &run(&text).workloads[0];
    assert_eq!((tally.sent, tally.shed), (500, 0));
}

#[test]
fn the_service_fails_the_first_attempts_that_it_sees() {
    let policy = "retries = 9\nbackoff.fixed = '1s'\nbreaker = { trip.consecutive = 1, open_for = '5s' }";
    let record = run(&burst(1, 2, "", policy));
    let outcomes: Vec<_> =
        record.traces[0][0].steps.iter().map(|step| step.outcome.unwrap().to_string()).collect();
    let failed = outcomes.iter().filter(|outcome| *outcome == "500").count();
    assert_eq!(failed, 2, "{outcomes:?}");
    assert!(outcomes.iter().filter(|outcome| *outcome == "breaker_open").count() > 2, "{outcomes:?}");
}

#[test]
fn where_an_idle_guard_stands_changes_no_luck() {
    let policy = |inner: &str| {
        format!(
            "retries = 2\nbackoff.fixed = '1s'\njitter = 'full'\n[policies.p.inner]\nretries = 1\n\
             backoff.fixed = '2s'\njitter = 'full'\n{inner}"
        )
    };
    let idle = |position: &str| {
        policy(&format!("breaker = {{ trip.consecutive = 1000, open_for = '1s', position = '{position}' }}"))
    };
    let times = |policy: &str| sent(&run(&burst(3, 9, "", policy)), 0);
    let without = times(&policy(""));
    assert_eq!(times(&idle("inside")), without);
    assert_eq!(times(&idle("outside")), without);
}

#[test]
fn a_client_that_sheds_ends_its_requests_itself() {
    // Everything fails, so the throttle sheds more and more of 100 requests a second.
    let text = burst(1, 1, "", "retries = 0\nlimiter.adaptive_throttle = { k = 2 }")
        .replace("burst = { at = '0s' }", "even = { rate = '100/s', requests = 2000 }")
        .replace("'1s'", "'1ms'");
    let tally = &run(&text).workloads[0];
    let shed = tally.ended_as(Ending::ShedByClient);
    assert_eq!(shed, tally.shed);
    assert_eq!(tally.requests, tally.sent + tally.shed);
    // p = (requests - 2 * 0) / (requests + 1): after n requests the chance to be sent is 1 / (n + 1), about ln 2000 of them.
    assert!((1980..2000).contains(&shed), "{shed}");
}

#[test]
fn a_budget_is_shared_as_its_scope_says() {
    let policy = |scope: &str| {
        format!(
            "retries = 5\nbackoff.fixed = '1s'\nbudget = {{ tokens = {{ capacity = 2, cost = 1 }}, scope = '{scope}' }}"
        )
    };
    for (scope, retries) in [("workload", 2), ("client", 6), ("global", 2)] {
        let tally = &run(&burst(3, 9, "", &policy(scope))).workloads[0];
        assert_eq!(tally.sent - tally.requests, retries, "{scope}");
        assert_eq!(tally.ended_as(Ending::BudgetDenied), 3, "{scope}");
    }
    let two = |scope: &str| {
        let second = "[workloads.others]\nservice = 'api'\nclients = 3\narrivals.burst = {}\npolicy = 'p'\n[policies.p]";
        let record = run(&burst(3, 9, "policy = 'p'", &policy(scope)).replace("[policies.p]", second));
        record.workloads.iter().map(|tally| tally.sent - tally.requests).sum::<u64>()
    };
    assert_eq!((two("workload"), two("global")), (4, 2), "all workloads under a policy, or each by itself");
}

#[test]
fn a_success_after_a_retry_refunds_what_the_retry_cost() {
    let budget = "budget.tokens = { capacity = 1, cost = 1, refund = 'last' }";
    let text = burst(1, 1, "", &format!("retries = 1\nbackoff.fixed = '1s'\n{budget}"))
        .replace("{ at = '0s' }", "{ at = '0s', every = '10s', times = 5 }");
    assert_eq!(run(&text).workloads[0].succeeded(), 5);
    let without = run(&text.replace(", refund = 'last'", ""));
    assert_eq!(without.workloads[0].succeeded(), 1);
}

#[test]
fn a_breaker_outside_the_retry_counts_requests_and_its_refusal_is_final() {
    let policy = |position: &str| {
        format!(
            "retries = 3\nbackoff.fixed = '1s'\n\
             breaker = {{ trip.consecutive = 2, open_for = '10m', position = '{position}' }}"
        )
    };
    let text = |position: &str| {
        burst(1, 9, "", &policy(position)).replace("{ at = '0s' }", "{ at = '0s', every = '1m', times = 3 }")
    };
    let outside = &run(&text("outside")).workloads[0];
    assert_eq!((outside.sent, outside.refused), (8, 1), "two requests of four attempts, then a refusal");
    assert_eq!(outside.ended_as(Ending::BreakerRejected), 1);
    assert_eq!(outside.ended_as(Ending::Exhausted), 2);
    let inside = &run(&text("inside")).workloads[0];
    assert_eq!((inside.sent, inside.refused), (2, 10), "two attempts open it, refusals are retried");
}

#[test]
fn a_breaker_counts_the_outcomes_that_it_is_told_to_count() {
    let text = |counts: &str| {
        burst(1, 9, "", &format!("retries = 4\nbackoff.fixed = '1s'\nbreaker = {{ trip.consecutive = 2, open_for = '1h'{counts} }}"))
            .replace("fails_first = 9", "fails_first = { attempts = 9, status = 429 }")
    };
    assert_eq!(run(&text("")).workloads[0].refused, 3);
    assert_eq!(run(&text(", counts.only = { status = ['5xx'] }")).workloads[0].refused, 0);
}

#[test]
fn a_breaker_of_slow_calls_measures_the_call() {
    let breaker = "breaker = { trip.count_window = { size = 2, minimum_calls = 2, rate = 1, judged_on = 'any', \
                   slow = { longer_than = '900ms', rate = 1 } }, open_for = '1h' }";
    let text = burst(1, 0, "", &format!("retries = 0\n{breaker}"))
        .replace("{ at = '0s' }", "{ at = '0s', every = '5s', times = 5 }");
    assert_eq!(run(&text).workloads[0].sent, 2, "two calls of 1 s are slow");
    assert_eq!(
        run(&text.replace("latency.constant = '1s'", "latency.constant = '800ms'")).workloads[0].sent,
        5
    );
}

#[test]
fn policies_inside_each_other_multiply_and_each_begins_anew() {
    let inner = "[policies.p.inner]\nretries = 2\nbackoff.linear = { first = '1s', step = '1s' }";
    let record = run(&burst(1, 99, "", &format!("retries = 1\nbackoff.fixed = '10s'\n{inner}")));
    // 0, +1 s, +2 s (each attempt takes 1 s), then 10 s, and the inner one begins with 1 s again.
    assert_eq!(sent(&record, 0), [[0, 2000, 5000, 16_000, 18_000, 21_000]]);
    let tally = &record.workloads[0];
    assert_eq!(tally.retries[..3], [4, 1, 0]);
    assert_eq!(tally.ended_as(Ending::Exhausted), 1);
}

#[test]
fn the_outer_policy_decides_what_the_inner_one_would_not_retry() {
    let inner = "[policies.p.inner]\nretries = 2\nbackoff.fixed = '1s'\nretry_on.only = { status = [429] }";
    let record = run(&burst(
        1,
        1,
        "",
        &format!("retries = 1\nbackoff.fixed = '10s'\nretry_on = 'any_failure'\n{inner}"),
    ));
    assert_eq!(sent(&record, 0), [[0, 11_000]]);
    assert_eq!(record.workloads[0].succeeded(), 1);
}

#[test]
fn conditions_tell_kinds_of_errors_and_operations_apart() {
    let connection = "faults = [{ random = { status = 'connection_error', probability = 1 } }]";
    let cases = [
        ("retry_on.only = { connection_error = true }", "", connection, 3),
        ("retry_on.only = { status = ['5xx'] }", "", connection, 1),
        ("retry_on.only = { status = ['5xx'], except = [500] }", "", "faults = [{ fails_first = 9 }]", 1),
        ("retry_on.by_idempotence = { idempotent = 'transient', other.only = {} }", "", connection, 3),
        (
            "retry_on.by_idempotence = { idempotent = 'transient', other.only = {} }",
            "idempotent = false",
            connection,
            1,
        ),
    ];
    for (condition, workload, faults, attempts) in cases {
        let text = burst(1, 9, workload, &format!("retries = 2\nbackoff.fixed = '1s'\n{condition}"))
            .replace("faults = [{ fails_first = 9 }]", faults);
        assert_eq!(run(&text).workloads[0].sent, attempts, "{condition} {workload} {faults}");
    }
}

#[test]
fn a_throttled_client_waits_by_its_other_schedule() {
    let policy = "retries = 2\nbackoff.fixed = '1s'\nthrottled.backoff.fixed = '7s'";
    let text = burst(1, 2, "", policy);
    assert_eq!(sent(&run(&text), 0), [[0, 2000, 4000]]);
    let throttled = text.replace("fails_first = 2", "fails_first = { attempts = 2, status = 429 }");
    assert_eq!(sent(&run(&throttled), 0), [[0, 8000, 16_000]]);
}
