//! Breakers, targets, and what must be in what is written: the lines of the configuration, and all its caveats, by a part of each.

use crate::breaker::BreakerConfig;
use crate::export::{Target, export_breaker};

fn breaker(text: &str) -> BreakerConfig {
    let config: BreakerConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(config.problems(), [], "{text}");
    config
}

/// Each line: the composition, what the configuration must contain, and its caveats.
fn says(target: Target, cases: &[(&str, &[&str], &[&str])]) {
    for (text, lines, caveats) in cases {
        let export =
            export_breaker("it", &breaker(text), target).unwrap_or_else(|why| panic!("{text}: {why}"));
        for line in *lines {
            assert!(export.text.contains(line), "{text}\nlacks: {line}\n{}", export.text);
        }
        assert_eq!(export.caveats.len(), caveats.len(), "{text}\n{:#?}", export.caveats);
        for (caveat, needle) in export.caveats.iter().zip(*caveats) {
            assert!(caveat.contains(needle), "{text}\nlacks: {needle}\n{:#?}", export.caveats);
        }
    }
}

fn refuses(target: Target, cases: &[(&str, &str)]) {
    for (text, needle) in cases {
        let why = export_breaker("it", &breaker(text), target).expect_err(text);
        assert!(why.contains(needle) && why.contains("nearest"), "{text}: {why}");
    }
}

/// Its own rules but for what opens it.
fn resilience4j(text: &str) -> String {
    format!("{text}\nboundary = 'after'\nlate_results = 'record'")
}

#[test]
fn resilience4j_says_windows_open_times_and_probes() {
    let cases: [(&str, &[&str], &[&str]); 12] = [
        (
            "trip.consecutive = 5\nopen_for = '30s'",
            &[
                "slidingWindowType: COUNT_BASED\n        slidingWindowSize: 5\n        minimumNumberOfCalls: 5\n        failureRateThreshold: 100\n",
                "slowCallDurationThreshold: 1d",
                "waitDurationInOpenState: 30000ms",
                "permittedNumberOfCallsInHalfOpenState: 1\n",
            ],
            &[],
        ),
        (
            "trip.count_window = { size = 20, minimum_calls = 8, rate = 0.07, arithmetic = 'single', judged_on = 'any', slow = { longer_than = '2s', rate = 0.5 } }\nopen_for = '30s'",
            &[
                "slidingWindowSize: 20\n        minimumNumberOfCalls: 8\n        failureRateThreshold: 7\n        slowCallRateThreshold: 50\n        slowCallDurationThreshold: 2000ms\n",
            ],
            &[],
        ),
        (
            "trip.time_window = { width = '10s', minimum_calls = 2.5, percent = 50, judged_on = 'any' }\nopen_for = '30s'",
            &[
                "slidingWindowType: TIME_BASED\n        slidingWindowSize: 10\n        minimumNumberOfCalls: 3\n",
            ],
            &[],
        ),
        (
            "trip.time_window = { width = '1500ms', percent = 50, judged_on = 'any' }\nopen_for = '30s'",
            &["slidingWindowSize: 2\n        minimumNumberOfCalls: 1\n"],
            &["2s in the place of 1.5s", "whole seconds of the clock"],
        ),
        (
            "trip.count_window = { size = 4, failures = 3 }\nopen_for = '30s'",
            &["failureRateThreshold: 75"],
            &["a success can open it"],
        ),
        (
            "trip.consecutive = 5\nopen_for = { backoff.exponential = { base = '1s', factor = 3 }, cap_before_jitter = '60s' }\nchanges = 'on_time'",
            &[
                "waitDurationInOpenState: 1000ms\n        enableExponentialBackoff: true\n        exponentialBackoffMultiplier: 3\n        \
                 exponentialMaxWaitDurationInOpenState: 60000ms\n",
                "automaticTransitionFromOpenToHalfOpenEnabled: true",
            ],
            &[],
        ),
        (
            "trip.consecutive = 5\nopen_for = { backoff.list = ['1s', '5s'] }",
            &[
                "waitIntervalFunctionInOpenState(attempt -> new long[] {1000L, 5000L}[Math.min(attempt, 2) - 1])",
            ],
            &[],
        ),
        (
            "trip.consecutive = 5\nopen_for = { backoff.linear = { first = '1s', step = '2s' }, cap_before_jitter = '9s', forgets = 'never' }",
            &["attempt -> Math.min(9000L, 1000L + 2000L * (attempt - 1))"],
            &["once it has closed"],
        ),
        (
            "trip.consecutive = 5\nopen_for = '30s'\nprobes = 3\nhalf_open.successes = { enough = 2, of = 3 }\nhalf_open_for = { at_most = '9s', then = 'closed' }",
            &[
                "permittedNumberOfCallsInHalfOpenState: 3",
                "maxWaitDurationInHalfOpenState: 9000ms\n        transitionToStateAfterWaitDuration: CLOSED",
            ],
            &[
                "first 3 decide by the thresholds of the closed state; here 3 probes at a time, 2 of 3 successes to close",
            ],
        ),
        (
            "trip.consecutive = 5\nopen_for = '30s'\ncounts.only = { status = ['5xx'], timeout = true, connection_error = true }\nposition = 'outside'",
            &["recordExceptions:\n          - org.springframework.web.client.HttpServerErrorException\n"],
            &["must go around the retries", "note: recordExceptions"],
        ),
        (
            "trip.moving_average = { success_rate = 0.8, window = '30s', minimum_calls = 5 }\nopen_for = '30s'",
            &["slidingWindowSize: 30\n        minimumNumberOfCalls: 5\n        failureRateThreshold: 20\n"],
            &["no moving average", "a success can open it"],
        ),
        (
            "trip.count_window = { size = 10, rate = 0.3, compare = 'above', full_before = true, judged_on = 'any' }\nopen_for = '0s'",
            &["waitDurationInOpenState: 1ms"],
            &["not from the one after", "not only above that", "1 ms at least"],
        ),
    ];
    for (text, lines, caveats) in cases {
        says(Target::Resilience4j, &[(&resilience4j(text), lines, caveats)]);
    }
    refuses(
        Target::Resilience4j,
        &[
            ("trip.time_window = { width = '60s', failures = 3 }\nopen_for = '1s'", "3 failures within 1m"),
            (
                "trip.any = [{ consecutive = 3 }, { count_window = { size = 9, rate = 0.5 } }]\nopen_for = '1s'",
                "any of 2 conditions",
            ),
            ("trip.count_window = { size = 9, percent = 0 }\nopen_for = '1s'", "above 0 %"),
        ],
    );
}

#[test]
fn open_times_that_are_drawn_are_written_without_luck() {
    let cases: [(&str, &[&str], &[&str]); 3] = [
        (
            "trip.consecutive = 5\nopen_for = { backoff.iterated = { first = '500ms', factor = 1.5, whole = '1ms' } }",
            &["waitDurationInOpenState: 500ms", "exponentialBackoffMultiplier: 1.5\n"],
            &[],
        ),
        (
            "trip.consecutive = 5\nopen_for = { backoff.exponential = { base = '4s' }, cap_before_jitter = '16s', jitter = 'equal' }",
            &["waitDurationInOpenState: 3000ms", "exponentialMaxWaitDurationInOpenState: 12000ms"],
            &[
                "not randomised (`open_for.jitter`) in resilience4j 2.4; here it is the middle of what is drawn",
            ],
        ),
        (
            "trip.consecutive = 5\nopen_for = { backoff.sum = [{ backoff.fixed = '4s', jitter = 'full' }, { backoff.fixed = '2s' }] }",
            &["waitDurationInOpenState: 6000ms"],
            &["here it is what it is before jitter"],
        ),
    ];
    for (text, lines, caveats) in cases {
        says(Target::Resilience4j, &[(&resilience4j(text), lines, caveats)]);
    }
}

#[test]
fn polly_says_shares_within_some_time() {
    let own = "trip.time_window = { width = '20s', align = 'first_event', minimum_calls = 8, rate = 0.25 }\nlate_results = 'record'\n";
    let cases: [(&str, &[&str], &[&str]); 6] = [
        (
            "open_for = '30s'",
            &[
                "FailureRatio = 0.25,\n        MinimumThroughput = 8,\n        SamplingDuration = TimeSpan.FromSeconds(20),\n        \
                 BreakDuration = TimeSpan.FromSeconds(30),\n",
            ],
            &[],
        ),
        (
            "open_for = { backoff.exponential = { base = '1s' }, cap_before_jitter = '60s' }",
            &[
                "BreakDurationGenerator = args => ValueTask.FromResult(TimeSpan.FromSeconds(Math.Min(60, 1 * Math.Pow(2, args.HalfOpenAttempts)))),",
            ],
            &[],
        ),
        (
            "open_for = { backoff.linear = { first = '1s', step = '2s' }, cap_before_jitter = '9s' }",
            &["Math.Min(9, 1 + 2 * args.HalfOpenAttempts)"],
            &[],
        ),
        (
            "open_for = { backoff.list = ['1s', '5s'] }",
            &["new double[] { 1, 5 }[Math.Min(args.HalfOpenAttempts, 1)]"],
            &[],
        ),
        (
            "open_for = '100ms'",
            &["BreakDurationGenerator = args => ValueTask.FromResult(TimeSpan.FromSeconds(0.1)),"],
            &[],
        ),
        (
            "open_for = '30s'\ncounts.only = { status = [503], connection_error = true }\nprobes = 3\nhalf_open_for = { at_most = '9s' }\nposition = 'outside'",
            &["(int)response.StatusCode is 503", ".Handle<HttpRequestException>()"],
            &["here 3 probes at a time", "stays half-open", "add it before the retry"],
        ),
    ];
    for (text, lines, caveats) in cases {
        says(Target::Polly, &[(&format!("{own}{text}"), lines, caveats)]);
    }
    says(
        Target::Polly,
        &[(
            "trip.count_window = { size = 1, rate = 0.3, judged_on = 'any', slow = { longer_than = '1s', rate = 0.5 } }\nopen_for = '1s'",
            &["FailureRatio = 0.3,\n        MinimumThroughput = 2,"],
            &["slow calls do not open it", "not at the last 1", "never a single one", "after failures only"],
        )],
    );
    refuses(
        Target::Polly,
        &[
            (
                "trip.count_window = { size = 9, slow = { longer_than = '1s', rate = 0.5 } }\nopen_for = '1s'",
                "only slow calls",
            ),
            ("trip.time_window = { width = '60s', failures = 3 }\nopen_for = '1s'", "3 failures within 1m"),
        ],
    );
}

#[test]
fn envoy_says_outlier_detection() {
    let own = "changes.every = '10s'\nafter_open = 'closed'\nlate_results = 'record'\n";
    let host = "ejects a host";
    let cases: [(&str, &[&str], &[&str]); 4] = [
        (
            "trip.consecutive = 5\nopen_for = { backoff.linear = { first = '30s', step = '30s' }, cap_before_jitter = '300s', forgets = { one_every = '10s' } }",
            &[
                "consecutive_5xx: 5\n  enforcing_consecutive_5xx: 100\n  interval: 10s\n",
                "base_ejection_time: 30s\n  max_ejection_time: 300s\n",
            ],
            &[host],
        ),
        (
            "trip.consecutive = 5\nopen_for = '30s'\ncounts.only = { status = [502, 503, 504], timeout = true, connection_error = true }",
            &[
                "consecutive_gateway_failure: 5\n  enforcing_consecutive_gateway_failure: 100\n  enforcing_consecutive_5xx: 0\n",
                "base_ejection_time: 30s\n  max_ejection_time: 30s\n",
            ],
            &[host],
        ),
        (
            "trip.consecutive = 5\nopen_for = { backoff.exponential = { base = '1s' }, cap_before_jitter = '60s' }\ncounts = 'transient'",
            &["base_ejection_time: 1s\n  max_ejection_time: 60s\n"],
            &[
                host,
                "every 5xx counts, no 4xx",
                "grows by 1s with each ejection, up to 1m",
                "does not begin anew",
            ],
        ),
        (
            "trip.time_window = { width = '20s', minimum_calls = 50, percent = 12.5 }\nopen_for = '30s'",
            &[
                "failure_percentage_threshold: 13\n  enforcing_failure_percentage: 100\n  failure_percentage_minimum_hosts: 1\n  \
                 failure_percentage_request_volume: 50\n  enforcing_consecutive_5xx: 0\n  interval: 20s\n",
            ],
            &[
                host,
                "at the end of each 20s",
                "both the window and the time between checks",
                "13 in the place of 12.5",
            ],
        ),
    ];
    for (text, lines, caveats) in cases {
        says(Target::Envoy, &[(&format!("{own}{text}"), lines, caveats)]);
    }
    says(
        Target::Envoy,
        &[(
            "trip.consecutive = 5\nopen_for = '30s'\nposition = 'outside'",
            &[],
            &[host, "no half-open state", "around the retries"],
        )],
    );
    refuses(
        Target::Envoy,
        &[("trip.any = [{ consecutive = 3 }, { consecutive = 4 }]\nopen_for = '1s'", "any of 2 conditions")],
    );
}
