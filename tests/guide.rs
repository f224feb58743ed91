//! What the guide describes can be expressed, and gives what it says: exact where nothing is random.

use retrysim::experiment::{self, ArmResult, Options};
use retrysim::outcome::{Ending, Outcome};
use retrysim::scenario::Scenario;
use retrysim::simulation::{Next, Simulation, TracedRequest};

fn scenario(text: &str) -> Scenario {
    Scenario::parse("guide", "guide.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a scenario of one arm.
fn arm(text: &str) -> ArmResult {
    experiment::run(&scenario(text), Options::default(), &|| ()).arms.remove(0)
}

fn measure(arm: &ArmResult, name: &str) -> f64 {
    let estimate = arm.workloads[0].named(name).or_else(|| arm.services[0].named(name));
    estimate.unwrap_or_else(|| panic!("{name} was not observed")).mean
}

/// The life of the one request of a scenario.
fn life(text: &str) -> TracedRequest {
    let mut record = Simulation::new(&scenario(text), 0, 0, 1).run();
    record.traces.remove(0).remove(0)
}

fn flaky(fails: u32, policy: &str) -> String {
    format!(
        "horizon = '10h'\n[services.api]\nlatency.constant = '500ms'\nfaults = [{{ fails_first = {fails} }}]\n\
         [workloads.call]\nservice = 'api'\narrivals.burst = {{ at = '5s' }}\n[policies.p]\n{policy}\n"
    )
}

const THREE_BY_60S: &str = "use = 'prefect@3'\nretries = 3\nretry_delay_seconds = 60";

#[test]
fn a_fixed_schedule_is_exact_to_the_nanosecond() {
    let life = life(&flaky(10, THREE_BY_60S));
    let sent: Vec<u64> = life.steps.iter().map(|step| step.sent.as_nanos()).collect();
    assert_eq!(sent, [5_000_000_000, 65_500_000_000, 126_000_000_000, 186_500_000_000]);
    let end = life.steps.last().expect("there are four attempts");
    assert!(matches!(end.next, Next::End(Ending::Exhausted)));
    assert_eq!(end.known.as_nanos(), 187_000_000_000);
}

#[test]
fn a_call_that_fails_0_2_or_10_times_first_takes_1_3_or_4_attempts() {
    for (fails, attempts, success) in [(0, 1.0, 1.0), (2, 3.0, 1.0), (10, 4.0, 0.0)] {
        let arm = arm(&flaky(fails, THREE_BY_60S));
        assert_eq!(measure(&arm, "attempts_per_request"), attempts, "{fails} failures");
        assert_eq!(measure(&arm, "success_rate"), success, "{fails} failures");
    }
}

#[test]
fn the_failure_of_20_retries_of_300_s_is_known_after_1_67_hours() {
    let patient = arm(&flaky(1000, "use = 'prefect@3'\nretries = 20\nretry_delay_seconds = 300"));
    let seconds = 20.0 * 300.0 + 21.0 * 0.5;
    assert_eq!(measure(&patient, "time_to_give_up_max"), seconds);
    assert!((seconds / 3600.0 - 1.67).abs() < 0.005);
}

#[test]
fn the_guides_table_of_jittered_exponential_delays_holds() {
    let bounds = [(30.0, 90.0), (60.0, 180.0), (120.0, 360.0), (240.0, 720.0), (480.0, 1440.0)];
    let text = flaky(100, "use = 'guide:exponential-jitter'")
        .replace("[workloads.call]", "[workloads.call]\nclients = 2000");
    let record = Simulation::new(&scenario(&text), 0, 0, 2000).run();
    let mut extremes = [(f64::MAX, 0.0f64); 5];
    for request in &record.traces[0] {
        let delays = request.steps.windows(2).map(|pair| pair[1].sent.since(pair[0].known).as_secs_f64());
        for (extreme, delay) in extremes.iter_mut().zip(delays) {
            *extreme = (extreme.0.min(delay), extreme.1.max(delay));
        }
    }
    for ((low, high), (least, most)) in bounds.into_iter().zip(extremes) {
        assert!(least >= low && most <= high, "{least} to {most} is not within {low} to {high}");
        // 2,000 uniform draws miss neither end by 1 % of the range but once in 5e8.
        let slack = (high - low) / 100.0;
        assert!(
            least <= low + slack && most >= high - slack,
            "{least} to {most} does not fill {low} to {high}"
        );
    }
}

#[test]
fn a_status_that_cannot_pass_is_not_retried() {
    for (status, attempts) in
        [(400, 1), (401, 1), (403, 1), (404, 1), (429, 4), (500, 4), (502, 4), (503, 4), (504, 4)]
    {
        let policy = format!("{THREE_BY_60S}\nretry_on = 'transient'");
        let text = flaky(9, &policy)
            .replace("fails_first = 9", &format!("fails_first = {{ attempts = 9, status = {status} }}"));
        let life = life(&text);
        assert_eq!(life.steps.len(), attempts, "{status}");
        let ending = if attempts == 1 { Ending::NotRetryable } else { Ending::Exhausted };
        assert!(matches!(life.steps[attempts - 1].next, Next::End(e) if e == ending), "{status}");
    }
}

#[test]
fn a_prefect_task_retries_even_a_404() {
    let text =
        flaky(9, THREE_BY_60S).replace("fails_first = 9", "fails_first = { attempts = 9, status = 404 }");
    assert_eq!(life(&text).steps.len(), 4);
}

#[test]
fn a_timeout_is_retried_and_the_work_of_the_service_is_wasted() {
    let text = "horizon = '10m'\n[services.api]\nlatency.constant = '5s'\n\
                [workloads.call]\nservice = 'api'\narrivals.burst = {}\ntimeout = '2s'\n\
                [policies.p]\nretries = 2\nbackoff.fixed = '10s'\n";
    let life = life(text);
    let times: Vec<_> =
        life.steps.iter().map(|step| (step.sent.as_secs_f64(), step.known.as_secs_f64())).collect();
    assert_eq!(times, [(0.0, 2.0), (12.0, 14.0), (24.0, 26.0)]);
    assert!(life.steps.iter().all(|step| step.outcome == Some(Outcome::Timeout)));
    let arm = arm(text);
    assert_eq!(measure(&arm, "attempts_wasted"), 3.0);
    // An answer at the very end of the client's patience is still an answer.
    let just = text.replace("timeout = '2s'", "timeout = '5s'");
    assert_eq!(measure(&self::arm(&just), "success_rate"), 1.0);
}

#[test]
fn retry_after_is_ignored_or_obeyed() {
    // Two at once against one per 10 s: the second is told to wait 10 s.
    let text = |rule: &str| {
        format!(
            "horizon = '10m'\n[services.api]\nrate_limit.token_bucket = {{ rate = '1/10s', burst = 1 }}\n\
             [workloads.calls]\nservice = 'api'\nclients = 2\narrivals.burst = {{}}\n\
             [policies.p]\nretries = 3\nbackoff.fixed = '60s'\n{rule}\n"
        )
    };
    for (rule, seconds) in [("", 60.0), ("retry_after = 'obey'", 10.0), ("retry_after = 'at_least'", 60.0)] {
        assert_eq!(measure(&arm(&text(rule)), "time_to_success_max"), seconds, "{rule}");
    }
    let spread = measure(&arm(&text("retry_after.obey_with = { add = '20s' }")), "time_to_success_max");
    assert!((10.0..=30.0).contains(&spread), "{spread}");
}

#[test]
fn successes_are_cached_by_input_until_they_expire() {
    // One input, asked for every 10 s, each answer taking 1 s: sent at 0, then cached until 61 s, sent again at 70 s.
    let text = "horizon = '131s'\n[services.api]\nlatency.constant = '1s'\n\
                [workloads.calls]\nservice = 'api'\nkeys = 1\narrivals.even = { rate = '1/10s' }\n\
                [policies.p]\nretries = 0\ncache = { ttl = '60s' }\n";
    let cached = arm(text);
    assert_eq!(measure(&cached, "requests"), 14.0);
    assert_eq!(measure(&cached, "ended_succeeded"), 2.0);
    assert_eq!(measure(&cached, "ended_cached"), 12.0);
    assert_eq!(measure(&cached, "amplification"), 2.0 / 14.0);
    assert_eq!(measure(&cached, "success_rate"), 1.0);
}

#[test]
fn the_share_of_cached_answers_is_that_of_a_finite_key_space() {
    // Nothing expires: of n requests over k keys, k (1 - (1 - 1/k)^n) are sent, on average.
    let text = "horizon = '1000s'\nreplications = 40\n[services.api]\n\
                [workloads.calls]\nservice = 'api'\nkeys = 200\narrivals.even = { rate = '1/s' }\n\
                [policies.p]\nretries = 0\ncache = { ttl = '1h' }\n";
    let expected = 200.0 * (1.0 - libm::pow(1.0 - 1.0 / 200.0, 1000.0));
    let sent = arm(text).workloads[0].named("ended_succeeded").expect("something was sent");
    let half = sent.half_width.expect("there are replications");
    // 95 % half width times two is about four standard errors.
    assert!((sent.mean - expected).abs() < 2.0 * half, "{} against {expected}", sent.mean);
}

#[test]
fn a_refusal_of_the_breaker_is_a_failed_attempt_of_the_retry_around_it() {
    // Five clients trip the shared breaker at 0 s; from then on attempts fail without being sent.
    let text = "horizon = '10m'\n[services.api]\nfaults = [{ fails_first = 100 }]\n\
                [workloads.calls]\nservice = 'api'\nclients = 5\narrivals.burst = {}\n\
                [policies.p]\nretries = 3\nbackoff.fixed = '60s'\nbreaker = { use = 'guide:breaker' }\n";
    let refused = arm(text);
    assert_eq!(measure(&refused, "attempts_per_request"), 4.0);
    assert_eq!(measure(&refused, "amplification"), 1.0);
    assert_eq!(measure(&refused, "attempts_refused"), 15.0);
    assert_eq!(measure(&refused, "ended_breaker_rejected"), 5.0);
    assert_eq!(measure(&refused, "breaker_trips"), 1.0);
    assert_eq!(measure(&refused, "breaker_time_open"), 300.0);
    // One breaker per client sees one failure each time, and never five in a row.
    let own = text.replace(
        "breaker = { use = 'guide:breaker' }",
        "breaker = { use = 'guide:breaker', scope = 'client' }",
    );
    assert_eq!(measure(&arm(&own), "attempts_refused"), 0.0);
}

#[test]
fn swallowed_failures_are_counted_as_what_they_are() {
    let text = flaky(9, "retries = 0\non_failure = 'swallow'");
    let swallowed = arm(&text);
    assert_eq!(measure(&swallowed, "failures_swallowed"), 1.0);
    assert_eq!(measure(&swallowed, "success_rate"), 0.0);
    assert!(arm(&flaky(9, "retries = 0")).workloads[0].named("failures_swallowed").is_none());
}

#[test]
fn requests_still_alive_at_the_horizon_are_reported() {
    let text = flaky(10, THREE_BY_60S).replace("horizon = '10h'", "horizon = '100s'");
    let cut = arm(&text);
    assert_eq!(measure(&cut, "ended_unfinished"), 1.0);
    assert_eq!(measure(&cut, "attempts_per_request"), 2.0);
}
