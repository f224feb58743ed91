//! Faults and incidents of every kind, in whole scenarios.

use retrysim::experiment::{Options, run};
use retrysim::report;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};
use retrysim::time::{Instant, Interval};

/// A call a second for ten minutes, `service` being what the service is like.
fn scenario(service: &str, policy: &str) -> Scenario {
    let latency = if service.contains("\nlatency.") { "" } else { "latency.constant = '100ms'\n" };
    let text = format!(
        "seed = 11\nreplications = 3\nhorizon = '10m'\nbin = '10s'\n[services.api]\n{latency}{service}\n\
         [workloads.calls]\nservice = 'api'\narrivals.even = {{ rate = '1/s' }}\n[policies.policy]\n{policy}"
    );
    Scenario::parse("faults", "faults.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn record(scenario: &Scenario, replication: u32) -> Record {
    Simulation::new(scenario, 0, replication, usize::MAX).run()
}

/// When the calls were sent that came to `outcome`, in whole seconds.
fn seconds(record: &Record, outcome: &str) -> Vec<u64> {
    let steps = record.traces[0].iter().flat_map(|request| &request.steps);
    let found = steps.filter(|step| step.outcome.is_some_and(|found| found.to_string() == outcome));
    found.map(|step| step.sent.as_nanos() / 1_000_000_000).collect()
}

/// How long the call sent at `second` took, in seconds.
fn took(record: &Record, second: u64) -> f64 {
    let sent = Instant::START + Interval::from_secs(second);
    let mut steps = record.traces[0].iter().flat_map(|request| &request.steps);
    let step = steps.find(|step| step.sent == sent).expect("a call was sent at that second");
    step.known.since(sent).as_secs_f64()
}

#[test]
fn every_kind_runs_from_the_file_to_the_charts() {
    for trouble in [
        "faults = [{ random = { statuses = { '500' = 0.1, connection_error = 0.1 } } }]",
        "faults = [{ bursts = { status = 503, good = '1m', bad = '10s' } }]",
        "faults = [{ overload = { status = 529, from = '1/5s', to = '2/s', over = '10s' } }]",
        "faults = [{ poison = { share = 0.2 } }]",
        "faults = [{ expired_token = { lifetime = '2m', refresh = '5s' } }]",
        "faults = [{ slow = { probability = 0.2, latency.constant = '5s' } }]",
        "incidents = [{ outage = { from = '1m', lasts = '10s', every = '1m' } }]",
        "incidents = [{ outage = { mtbf = '1m', mttr = '10s', mttr_p99 = '1m' } }]",
        "incidents = [{ brownout = { from = '1m', lasts = '1m', probability = 0.5 } }]",
        "incidents = [{ latency = { from = '1m', lasts = '1m', factor = 100 } }]",
        "incidents = [{ cold_cache = { from = '1m', factor = 100, decays = '20s' } }]",
        "incidents = [{ deploy = { from = '1m', instances = 3, each = '20s', status = 'connection_error' } }]",
    ] {
        let scenario = scenario(trouble, "retries = 2\nbackoff.fixed = '1s'\nretry_on = 'any_failure'");
        let results = run(&scenario, Options::default(), &|| ());
        let found = results.arms[0].workloads[0].estimate(0).expect("there were requests");
        assert_eq!(found.mean, 600.0, "{trouble}");
        let changed = ["attempts_failed", "time_to_success_max"]
            .map(|name| results.arms[0].workloads[0].named(name).map_or(f64::INFINITY, |found| found.mean));
        assert!(changed[0] > 0.0 || changed[1] > 0.1, "{trouble} leaves no trace");
        assert!(!report::files(&scenario, &results, false, report::Pictures::Svg).is_empty());
    }
}

#[test]
fn a_limit_lets_through_less_from_the_first_instant_of_an_incident() {
    // A call a second against three a second, and then against one in two seconds.
    let scenario = scenario(
        "rate_limit.token_bucket = { rate = '1/s', burst = 1 }\n\
         incidents = [{ rate_limit = { from = '59500ms', lasts = '1m', factor = 0.5 } }]",
        "retries = 0",
    );
    let limited = seconds(&record(&scenario, 0), "429");
    // Three quarters of a token at 60 s, a whole one at 61 s, and so on; at 120 s again three quarters, for the rate of before
    // has come back half a second earlier.
    let expected: Vec<_> = (60..=120).step_by(2).collect();
    assert_eq!(limited, expected);
}

#[test]
fn servers_that_are_away_do_not_serve_and_those_at_work_finish() {
    let scenario = scenario(
        "capacity = { servers = 2, queue = 0 }\nlatency.constant = '1500ms'\n\
         incidents = [{ capacity = { from = '60500ms', lasts = '1m', share = 0.5 } }]",
        "retries = 0",
    );
    // Two servers are enough for a call a second of 1.5 s; one serves every second call.
    let away = seconds(&record(&scenario, 0), "503");
    assert_eq!(away.len(), 30, "{away:?}");
    assert!(away.iter().all(|&second| (61..121).contains(&second)), "{away:?}");
}

#[test]
fn an_incident_is_there_from_its_first_instant_to_before_its_last() {
    let once = "retries = 0";
    let record_of = |service: &str| record(&scenario(service, once), 0);
    let brownout = record_of(
        "incidents = [{ brownout = { from = '10s', lasts = '5s', status = 500, probability = 1 } }]",
    );
    assert_eq!(seconds(&brownout, "500"), [10, 11, 12, 13, 14]);
    let coded = record_of(
        "faults = [{ random = { status = 500, probability = 1 } }]\n\
         incidents = [{ error_code = { from = '10s', lasts = '2s', status = 502, every = '100s', times = 2 } }]",
    );
    assert_eq!(seconds(&coded, "502"), [10, 11, 110, 111]);
    assert_eq!(seconds(&coded, "500").len(), 596);
    let slow = record_of("incidents = [{ latency = { from = '10s', lasts = '5s', factor = 3 } }]");
    assert_eq!([9, 10, 14, 15].map(|second| took(&slow, second)), [0.1, 0.3, 0.3, 0.1]);
    let cold = record_of(
        "incidents = [{ outage = { from = '10s', lasts = '5s' } }, { cold_cache = { from = '10s', lasts = '5s', factor = 11, decays = '10s' } }]",
    );
    for (second, expected) in [(9, 0.1), (14, 0.0), (15, 1.1), (25, 0.467_879_441), (599, 0.1)] {
        assert_eq!(took(&cold, second), expected, "{second} s");
    }
}

#[test]
fn a_token_costs_what_comes_until_it_is_refreshed() {
    let service = "faults = [{ expired_token = { lifetime = '200s', first = '50s', refresh = '3s' } }]";
    let record = record(&scenario(service, "retries = 0"), 0);
    // 50 s, and 200 s after each refresh.
    assert_eq!(seconds(&record, "401"), [50, 51, 52, 253, 254, 255, 456, 457, 458]);
}

#[test]
fn an_overload_fails_what_is_too_much_exactly() {
    // Six calls within five seconds are too much, five are not: a second client calls for four seconds.
    let service = "faults = [{ overload = { status = 529, from = '5/5s', to = '6/5s', over = '5s' } }]";
    let scenario = scenario(service, "retries = 0");
    assert_eq!(seconds(&record(&scenario, 0), "529"), [0; 0]);
    let text = scenario.text.replace(
        "[policies.policy]",
        "policy = 'policy'\n[workloads.more]\nservice = 'api'\npolicy = 'policy'\narrivals.even = { rate = '1/s', from = '100500ms', until = '104s' }\n\
         [policies.policy]",
    );
    let scenario = Scenario::parse("more", "more.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let record = record(&scenario, 0);
    // The calls of the other one are at 100.5, …, 103.5 s; the last of them is forgotten at 108.5 s.
    assert_eq!(seconds(&record, "529"), [101, 102, 103, 104, 105, 106, 107, 108]);
}

#[test]
fn a_poisoned_input_fails_at_every_attempt_and_for_every_request_that_has_it() {
    let service = "faults = [{ poison = { share = 0.3, status = 422 } }]";
    let text = scenario(service, "retries = 3\nbackoff.fixed = '100ms'\nretry_on = 'any_failure'").text;
    // Whether or not requests share inputs, a request fails for ever or not at all.
    for (keys, least) in [("", 120), ("keys = 20\n", 1)] {
        let text = text.replace("[policies.policy]", &format!("{keys}[policies.policy]"));
        let scenario =
            Scenario::parse("keys", "keys.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let record = record(&scenario, 1);
        let failed = record.traces[0].iter().filter(|request| request.steps.len() > 1).count();
        assert!((least..=240).contains(&failed), "{failed} of 600 with {keys}");
        for request in &record.traces[0] {
            let fails =
                request.steps.iter().filter(|step| step.outcome.is_some_and(|o| !o.is_success())).count();
            assert!(fails == 0 || fails == request.steps.len(), "{keys}: {request:?}");
        }
    }
}

#[test]
fn recovery_is_measured_on_the_windows_of_each_replication() {
    let text = "seed = 3\nreplications = 8\nhorizon = '2h'\n[services.api]\n\
                incidents = [{ outage = { mtbf = '20m', mttr = '3m' } }]\n\
                [workloads.calls]\nservice = 'api'\narrivals.even = { rate = '2/s' }\n[policies.once]\nretries = 0\n\
                [policies.later]\nretries = 1\nbackoff.fixed = '10m'";
    let scenario =
        Scenario::parse("random", "random.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let windows = |arm, replication| Simulation::new(&scenario, arm, replication, 0).run().incidents;
    for replication in 0..8 {
        assert_eq!(windows(0, replication), windows(1, replication), "the same in every arm");
        // Who never retries is back as soon as the service is, to the step in which goodput is measured.
        assert!(replication == 0 || windows(0, replication) != windows(0, 0), "but not in every replication");
    }
    let results = run(&scenario, Options::default(), &|| ());
    let recovery = results.arms[0].workloads[0].named("recovery_time").expect("there were incidents");
    assert!(recovery.mean < 1.0 && recovery.max < 1.0, "{recovery:?}");
    let files = report::files(&scenario, &results, false, report::Pictures::Svg);
    let chart = files.iter().find(|(name, _)| name.contains("load")).expect("there is a chart of the load");
    let chart = String::from_utf8_lossy(&chart.1);
    assert!(chart.contains("Incidents at random are not shaded"));
    assert!(!chart.contains(">\noutage\n<"));
}

#[test]
fn incidents_that_a_run_cannot_hold_are_refused() {
    for (service, word) in [
        (
            "incidents = [{ outage = { from = '10m', lasts = '1s' } }]",
            "it begins when the run of 10m is over",
        ),
        ("incidents = [{ outage = { from = '0s', lasts = '1ms', every = '2ms' } }]", "about 300000 windows"),
        ("incidents = [{ outage = { mtbf = '1ms', mttr = '1ms' } }]", "about 300000 windows"),
        (
            "faults = [{ bursts = { status = 503, good = '10us', bad = '10us' } }]",
            "changes between good and bad",
        ),
        ("faults = [{ expired_token = { lifetime = '1h' } }]", "say how the token is renewed"),
        ("incidents = [{ outage = { lasts = '1s' } }]", "say when"),
    ] {
        let text = format!(
            "horizon = '10m'\n[services.api]\n{service}\n[workloads.calls]\nservice = 'api'\narrivals.burst = {{}}\n[policies.p]\nretries = 0"
        );
        let error = Scenario::parse("bad", "bad.toml", &text, &[]).expect_err(service).to_string();
        assert!(error.contains(word), "{service}: {error}");
    }
}

#[test]
fn an_incident_may_let_more_through_the_limit() {
    let text = "horizon = '10m'\n[services.api]\nrate_limit.token_bucket = { rate = '1/s', burst = 1 }\n\
                incidents = [{ rate_limit = { from = '1m', lasts = '5m', factor = 4 } }]\n\
                [workloads.calls]\nservice = 'api'\narrivals.even = { rate = '4/s' }\n[policies.p]\nretries = 0";
    let scenario = Scenario::parse("limit", "limit", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let tally = &record(&scenario, 0).workloads[0];
    // One a second, but all four from 60 s to 360 s.
    assert_eq!((tally.requests, tally.succeeded()), (2400, 60 + 1200 + 240));
}

#[test]
fn a_call_that_a_limit_holds_meets_the_outage_that_has_begun_meanwhile() {
    for capacity in ["", "capacity = { servers = 5 }\n"] {
        // One a second goes in, from 0 s to 29 s.
        let text = format!(
            "horizon = '1m'\n[services.api]\nlatency.constant = '100ms'\n{capacity}\
             rate_limit = [{{ leaky_queue = {{ rate = '1/s', burst = 50 }} }}, {{ concurrency = {{ limit = 30 }} }}]\n\
             incidents = [{{ outage = {{ from = '5s', lasts = '20s' }} }}]\n\
             [workloads.calls]\nservice = 'api'\nclients = 30\narrivals.burst = {{ every = '40s', times = 2 }}\n\
             [policies.p]\nretries = 0"
        );
        let scenario = Scenario::parse("held", "held", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let record = record(&scenario, 0);
        let tally = &record.workloads[0];
        assert_eq!((tally.failed, tally.limited), (20, 0), "{capacity}");
        assert_eq!(seconds(&record, "503").len(), 20, "{capacity}");
        // Of the second burst those go in that do until 59 s.
        assert_eq!(tally.succeeded(), 10 + 20, "{capacity}");
    }
}

#[test]
fn a_backlog_before_an_incident_does_not_hide_the_recovery_from_it() {
    let text = "horizon = '2h'\nreplications = 2\n[services.api]\nlatency.constant = '100ms'\n\
                incidents = [{ outage = { from = '30m', lasts = '5m' } }, { outage = { from = '36m', lasts = '5m' } }]\n\
                [workloads.calls]\nservice = 'api'\narrivals.even = { rate = '1/s' }\n\
                [policies.patient]\nretries = 20\nbackoff.fixed = '30s'";
    let scenario =
        Scenario::parse("backlog", "backlog.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let results = run(&scenario, Options::default(), &|| ());
    // Every request succeeds, each within 30 s of the end of its outage, so that goodput is back at once.
    let calls = &results.arms[0].workloads[0];
    assert_eq!(calls.named("success_rate").map(|found| found.mean), Some(1.0));
    let recovery = calls.named("recovery_time").expect("there were incidents");
    assert!(recovery.max < 1.0, "{recovery:?}");
}

#[test]
fn incidents_in_which_nothing_can_happen_are_refused() {
    for (service, word) in [
        (
            "incidents = [{ rate_limit = { from = '1m', lasts = '1m', factor = 0.5 } }]",
            "there is no limit that it could change",
        ),
        (
            "capacity.servers = 3\nincidents = [{ capacity = { from = '1m', lasts = '1m', servers_lost = 9 } }]",
            "takes away 9 servers of 3",
        ),
        ("incidents = [{ deploy = { from = '1m', instances = 4, each = '5s' } }]", "nothing happens in it"),
    ] {
        let text = format!(
            "horizon = '10m'\n[services.api]\n{service}\n[workloads.calls]\nservice = 'api'\narrivals.burst = {{}}\n[policies.p]\nretries = 0"
        );
        let error = Scenario::parse("bad", "bad.toml", &text, &[]).expect_err(service).to_string();
        assert!(error.contains(word), "{service}: {error}");
    }
    let few = "capacity.servers = 3\nincidents = [{ capacity = { from = '1m', lasts = '1m', ";
    for (service, note) in [
        (format!("{few}share = 0.1 }} }}]"), Some("rounded to none")),
        (format!("{few}share = 0.9 }} }}]"), Some("rounded to all of them")),
        (format!("{few}share = 0.5 }} }}]"), None),
        (format!("{few}share = 0 }} }}]"), None),
        (format!("{few}servers_lost = 3 }} }}]"), None),
        (
            "capacity.servers = 4\nincidents = [{ deploy = { from = '1m', instances = 20, each = '10s' } }]"
                .into(),
            Some("that deploy changes nothing"),
        ),
    ] {
        let notes = scenario(&service, "retries = 0").notes();
        assert_eq!(
            notes.iter().any(|found| note.is_some_and(|note| found.contains(note))),
            note.is_some(),
            "{notes:?}"
        );
        assert_eq!(notes.is_empty(), note.is_none(), "{service}: {notes:?}");
    }
}

#[test]
fn work_is_wasted_on_whoever_gets_no_answer_whether_the_network_takes_time_or_not() {
    for network in ["", "network.constant = '1ms'\n"] {
        let text = format!(
            "horizon = '10m'\n[services.api]\nlatency.constant = '1s'\n{network}\
             faults = [{{ random = {{ status = 'no_answer', probability = 1 }} }}]\n\
             [workloads.calls]\nservice = 'api'\ntimeout = '5s'\narrivals.even = {{ rate = '1/s', until = '5m' }}\n\
             [policies.p]\nretries = 0"
        );
        let scenario =
            Scenario::parse("wasted", "wasted", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let tally = &record(&scenario, 0).workloads[0];
        assert_eq!((tally.timed_out, tally.wasted), (300, 300), "{network}");
    }
}

#[test]
fn a_cost_for_an_operation_that_nobody_issues_is_a_note_or_a_typo() {
    let read = |cost: &str| {
        let text = format!(
            "horizon = '10m'\n[services.api]\nrate_limit = {{ token_bucket = {{ rate = '1/s', burst = 2 }}, cost = {{ {cost} = 2 }} }}\n\
             [workloads.calls]\nservice = 'api'\noperations = {{ read = 1, write = 1 }}\narrivals.burst = {{}}\n\
             [policies.p]\nretries = 0"
        );
        Scenario::parse("cost", "cost.toml", &text, &[]).map_err(|error| error.to_string())
    };
    let typo = read("wrte").expect_err("it is a typo");
    assert!(
        typo.contains("operation \"wrte\", which no workload issues")
            && typo.contains("did you mean `write`?"),
        "{typo}"
    );
    let notes = read("search").expect("another may issue it").notes();
    assert!(notes[0].ends_with("no workload issues (`operations`): search"), "{notes:?}");
}
