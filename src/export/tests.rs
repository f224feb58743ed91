//! Compositions, targets, and what must be in what is written; what must be said of what is lost; and what is refused.

use super::{Export, Target, export, export_breaker};
use crate::policy::PolicyConfig;

fn written(text: &str, target: Target) -> Result<Export, String> {
    let config: PolicyConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(config.problems(), [], "{text}");
    export("it", &config, target)
}

/// Each line: the composition, and what the configuration must contain.
fn says(target: Target, cases: &[(&str, &[&str])]) {
    for (text, needles) in cases {
        let export = written(text, target).unwrap_or_else(|why| panic!("{text}: {why}"));
        for needle in *needles {
            assert!(export.text.contains(needle), "{text}\nlacks: {needle}\n{}", export.text);
        }
    }
}

/// Each line: the composition, and what the refusal must say.
fn refuses(target: Target, cases: &[(&str, &str)]) {
    for (text, needle) in cases {
        let why = written(text, target).expect_err(text);
        assert!(why.contains(needle), "{text}: {why}");
    }
}

const ANY: &str = "retry_on = 'any_failure'";

#[test]
fn prefect_says_lists_and_its_own_jitter() {
    let any = |text: &str| format!("{text}\n{ANY}");
    let cases = [
        (
            "retries = 3\nbackoff.list = '60s'\njitter.truncated_exponential = 0.5",
            "\n@task(retries=3, retry_delay_seconds=60, retry_jitter_factor=0.5)\n",
        ),
        ("retries = 3\nbackoff.list = ['1s', '10s']", "@task(retries=3, retry_delay_seconds=[1, 10])"),
        (
            "retries = 4\nbackoff.exponential = { base = '10s' }",
            "@task(retries=4, retry_delay_seconds=exponential_backoff(backoff_factor=10))",
        ),
        (
            "retries = 4\nbackoff.exponential = { base = '10s' }\ncap_before_jitter = '30s'",
            "@task(retries=4, retry_delay_seconds=[10, 20, 30])",
        ),
        (
            "retries = 9\nbackoff.list = { delays = ['1s', '2s'], then = 'give_up' }",
            "@task(retries=2, retry_delay_seconds=[1, 2])",
        ),
        ("retries = 2\nbackoff.fixed = '0s'\njitter.truncated_exponential = 0.5", "retry_delay_seconds=0)"),
        ("retries = 0", "@task(retries=0)"),
        (
            "retries = 1\nbackoff.fixed = '1s'\ncache.ttl = '1h'",
            "cache_policy=INPUTS,\n    cache_expiration=timedelta(seconds=3600),\n    persist_result=True",
        ),
    ];
    for (text, needle) in cases {
        says(Target::Prefect, &[(&any(text), &[needle])]);
    }
    says(
        Target::Prefect,
        &[(
            "retries = 1\nbackoff.fixed = '1s'",
            &["retry_condition_fn=is_retried", "429, 500, 502, 503, 504"],
        )],
    );
    refuses(
        Target::Prefect,
        &[
            ("retries = 3\nbackoff.exponential = { base = '1s' }\njitter = 'full'", "jitter `full`"),
            (
                "retries = 3\nbackoff.fixed = '1s'\njitter.truncated_exponential = 0.5\ncap_after_jitter = '1s'",
                "with a cap",
            ),
            ("backoff.fixed = '1s'\ndeadline = '1m'", "needs a number of retries"),
            ("retries = 60\nbackoff.linear = { first = '1s', step = '1s' }", "at most 50 different delays"),
            ("retries = 3\nbackoff.fixed = '1s'\nthrottled.backoff.fixed = '5s'", "after a 429"),
        ],
    );
}

#[test]
fn tenacity_says_its_own_strategies() {
    let cases: [(&str, &[&str]); 14] = [
        ("backoff.fixed = '2s'", &["wait=wait_fixed(2)", "stop=stop_after_attempt(4)"]),
        ("backoff.fixed = '2s'\njitter = 'equal'", &["wait_random(min=1, max=2)"]),
        ("backoff.fixed = '3s'\njitter.add = '2s'", &["wait_combine(wait_fixed(3), wait_random(0, 2))"]),
        ("backoff.list = ['1s', '5s']", &["wait_chain(wait_fixed(1), wait_fixed(5))"]),
        (
            "backoff.linear = { first = '1s', step = '2s' }\ncap_before_jitter = '4s'",
            &["wait_incrementing(start=1, increment=2, max=4)"],
        ),
        (
            "backoff.exponential = { base = '1s', factor = 3 }\ncap_before_jitter = '60s'\nfloor = '2s'",
            &["wait_exponential(multiplier=1, exp_base=3, max=60, min=2)"],
        ),
        (
            "backoff.exponential = { base = '1s', exponent = 1 }\ncap_before_jitter = '60s'\njitter = 'full'",
            &["wait_random_exponential(multiplier=2, max=60)"],
        ),
        (
            "backoff.exponential = { base = '2s' }\ncap_before_jitter = '60s'\njitter.between = '1s'",
            &["wait_random_exponential(multiplier=2, max=60, min=1)"],
        ),
        (
            "backoff.exponential = { base = '1s' }\ncap_after_jitter = '60s'\njitter.add = '1s'",
            &["wait_exponential_jitter(multiplier=1, max=60, jitter=1)"],
        ),
        (
            "backoff.sum = [{ backoff.fixed = '3s' }, { backoff.fixed = '2s', jitter = 'full' }]",
            &["wait_combine(wait_fixed(3), wait_random(min=0, max=2))"],
        ),
        ("backoff.fibonacci = { base = '1s' }", &["wait_chain(wait_fixed(1), wait_fixed(1), wait_fixed(2))"]),
        // Between the floor and less than it: not what `min` does.
        (
            "backoff.exponential = { base = '1s' }\njitter.between = '2s'",
            &["x = luck.uniform(min(x, 2), max(x, 2))"],
        ),
        (
            "backoff.fixed = '1s'\njitter = 'decorrelated'",
            &["previous = 1 if n == 1 else memory[\"previous\"]"],
        ),
        (
            "backoff.fixed = '1s'\nthrottled.backoff.fixed = '5s'",
            &["(delay_throttled if throttled else delay)(n, random, memory, 0)"],
        ),
    ];
    for (text, needles) in cases {
        says(Target::Tenacity, &[(&format!("retries = 3\n{text}"), needles)]);
    }
}

#[test]
fn tenacity_says_stops_and_retry_after() {
    let cases: [(&str, &[&str]); 9] = [
        (
            "retries = 'unlimited'",
            &["stop=stop_never", "import retry, retry_if_exception, stop_never, wait_fixed"],
        ),
        ("max_elapsed = '45s'", &["stop=stop_after_delay(45)"]),
        ("deadline = { within = '45s', at_limit = 'late' }", &["stop=stop_before_delay(45)"]),
        ("deadline = '45s'", &["stop=lambda state: state.seconds_since_start + state.upcoming_sleep > 45"]),
        (
            "deadline = { within = '45s', late = 'clip' }",
            &["stop=stop_after_delay(45)", "min(seconds, max(45 - state.seconds_since_start, 0))"],
        ),
        (
            "retries = 3\nmax_elapsed = '45s'\nstop_when = 'all'",
            &["stop_all(stop_after_attempt(4), stop_after_delay(45))"],
        ),
        (
            "retries = 3\nretry_after = 'at_least'",
            &["seconds = wait_fixed(1)(state)", "seconds = max(seconds, header)"],
        ),
        (
            "retries = 3\nretry_after.obey_with = { give_up_over = '1m', restarts_backoff = true, only_on = [429, '5xx'] }",
            &["asks_too_much)", "memory[\"restarted\"] = state.attempt_number", "== 429", "// 100 == 5"],
        ),
        (
            "retries = 3\nmax_total_delay = '30s'",
            &["lambda state: state.idle_for + state.upcoming_sleep > 30"],
        ),
    ];
    for (text, needles) in cases {
        says(Target::Tenacity, &[(&format!("backoff.fixed = '1s'\n{text}"), needles)]);
    }
    refuses(
        Target::Tenacity,
        &[("retries = 2\nbackoff.fixed = '1s'\njitter.hash = '{request}'", "number of the request")],
    );
}

#[test]
fn urllib3_says_what_begins_without_a_delay() {
    says(
        Target::Urllib3,
        &[
            (
                "retries = 5\nbackoff.exponential = { base = '500ms', zero_first = true }\ncap_after_jitter = '60s'",
                &["total=5", "backoff_factor=0.5", "backoff_max=60", "respect_retry_after_header=False"],
            ),
            (
                "retries = 3\nbackoff.chain = [{ backoff.fixed = '0s' }, { backoff.exponential = { base = '1s' }, \
                 jitter.add = '1s', cap_after_jitter = '120s' }]\nretry_after.obey_with = { cap = '10m', ignore_zero = true }",
                &["backoff_factor=1", "backoff_jitter=1", "retry_after_max=600"],
            ),
            (
                "retries = 3\nbackoff.fixed = '0s'\nretry_on.only = { status = [429, '5xx'] }",
                &["backoff_factor=0", "status_forcelist=[429, *range(500, 600)]", "connect=0", "read=0"],
            ),
        ],
    );
    refuses(
        Target::Urllib3,
        &[
            (
                "retries = 3\nbackoff.exponential = { base = '1s' }",
                "first retry always comes without a delay",
            ),
            ("retries = 3\nbackoff.list = ['0s', '1s', '3s']", "can only double"),
            ("retries = 'unlimited'\nbackoff.fixed = '1s'", "needs a number of retries"),
        ],
    );
}

#[test]
fn resilience4j_says_yaml_and_where_it_cannot_java() {
    let own = "attempts = 4\nbackoff.iterated = { first = '500ms', factor = 1.5, whole = '1ms' }\n\
               jitter.proportional = 0.5\ncap_after_jitter = '10s'\nround.inclusive = '1ms'\nretry_on = 'any_failure'";
    says(
        Target::Resilience4j,
        &[
            (
                own,
                &[
                    "maxAttempts: 4\n",
                    "waitDuration: 500ms\n",
                    "exponentialBackoffMultiplier: 1.5\n",
                    "exponentialMaxWaitDuration: 10000ms\n",
                    "randomizedWaitFactor: 0.5\n",
                ],
            ),
            (
                "retries = 2\nbackoff.fixed = '500ms'",
                &["waitDuration: 500ms", "HttpClientErrorException$TooManyRequests"],
            ),
            (
                "retries = 2\nbackoff.fixed = '1s'\njitter = 'full'\nround.down = '1ms'",
                &[
                    "long[] high = {1000};",
                    ".nextLong(low[Math.min(attempt, 1) - 1], high[Math.min(attempt, 1) - 1])",
                ],
            ),
            ("retries = 3\nbackoff.list = ['1s', '5s']", &["long[] delay = {1000, 5000};"]),
        ],
    );
    assert_eq!(written(own, Target::Resilience4j).unwrap().caveats, [""; 0]);
    refuses(
        Target::Resilience4j,
        &[("retries = 2\nbackoff.fixed = '1s'\njitter = 'decorrelated'", "jitter `decorrelated`")],
    );
}

#[test]
fn caps_that_a_target_has_no_place_for_are_not_dropped() {
    // Without growth resilience4j has no cap, so it is written in Java.
    let capped = "retries = 2\nbackoff.fixed = '1s'\njitter.proportional = 0.5\ncap_after_jitter = '1200ms'";
    says(Target::Resilience4j, &[(capped, &["Math.min(1200L, "])]);
    // Envoy doubles up to max_interval, whatever the cap of a policy that never grows.
    let fixed = "retries = 3\nbackoff.fixed = '1s'\ncap_before_jitter = '60s'\njitter = 'full'";
    says(Target::Envoy, &[(fixed, &["base_interval: 1s\n    max_interval: 1s\n"])]);
    // The cap of one part must not cut another.
    let mixed = "retries = 2\nbackoff.chain = [{ backoff.fixed = '60s' }, { backoff.fixed = '8s', jitter = 'full', \
                 cap_after_jitter = '5s' }]";
    refuses(Target::Resilience4j, &[(mixed, "no table of ranges")]);
    refuses(Target::Polly, &[(mixed, "no table of ranges")]);
    let gives_up = "backoff.fixed = '1s'\nretries = 'unlimited'\nretry_after.obey_with.give_up_over = '1m'";
    says(Target::Tenacity, &[(gives_up, &["stop=stop_any(stop_never, asks_too_much)"])]);
}

#[test]
fn polly_says_its_three_types_and_tables() {
    says(
        Target::Polly,
        &[
            ("retries = 3\nbackoff.fixed = '2s'", &["MaxRetryAttempts = 3", "DelayBackoffType.Constant"]),
            (
                "retries = 3\nbackoff.linear = { first = '2s', step = '2s' }\njitter.proportional = 0.25\ncap_after_jitter = '5s'",
                &["DelayBackoffType.Linear", "UseJitter = true", "MaxDelay = TimeSpan.FromSeconds(5)"],
            ),
            ("retries = 3\nbackoff.exponential = { base = '2s' }", &["DelayBackoffType.Exponential"]),
            (
                "retries = 3\nbackoff.fixed = '2s'\njitter = 'decorrelated_v2'",
                &["DelayBackoffType.Exponential", "UseJitter"],
            ),
            (
                "retries = 2\nbackoff.exponential = { base = '2s' }\njitter = 'equal'\nretry_after = 'obey'",
                &["RetryAfter?.Delta ?? ", "new double[] { 1, 2 }"],
            ),
            (
                "retries = 2\nbackoff.fixed = '2s'\nbreaker = { trip.consecutive = 5, open_for = '30s' }",
                &["BrokenCircuitException", "MinimumThroughput = 5", "not after 5 failures in a row"],
            ),
        ],
    );
    refuses(
        Target::Polly,
        &[("retries = 2\nbackoff.fixed = '1s'\njitter = 'decorrelated'", "jitter `decorrelated`")],
    );
}

#[test]
fn envoy_says_full_jitter() {
    says(
        Target::Envoy,
        &[(
            "retries = 2\nbackoff.exponential = { base = '25ms' }\ncap_before_jitter = '250ms'\njitter = 'full'\nround.down = '1ms'\n\
             retry_after.obey_with = { scale = [1, 1.5], ignore_over = '1m' }\nbreaker = { trip.consecutive = 5, open_for = '30s' }",
            &[
                "num_retries: 2",
                "base_interval: 0.025s",
                "max_interval: 0.25s",
                "max_interval: 60s",
                "retriable_status_codes: [429, 500, 502, 503, 504]",
                "consecutive_5xx: 5",
                "no half-open state",
            ],
        )],
    );
    refuses(
        Target::Envoy,
        &[
            ("retries = 2\nbackoff.fixed = '1s'", "jitter `none`"),
            (
                "retries = 3\nbackoff.exponential = { base = '1s', factor = 3 }\njitter = 'full'",
                "another growth",
            ),
        ],
    );
}

#[test]
fn grpc_says_a_service_config() {
    let text = "attempts = 4\nbackoff.exponential = { base = '100ms', factor = 1.6 }\ncap_before_jitter = '1s'\n\
                jitter.scale = [0.8, 1.2]\nretry_on.only = { status = [503, 429] }\nretry_after.obey_with.restarts_backoff = true";
    let export = written(text, Target::Grpc).unwrap();
    let lines = export.text.lines().filter(|line| !line.starts_with("//"));
    let config: serde_json::Value = serde_json::from_str(&lines.collect::<String>()).unwrap();
    assert_eq!(
        config,
        serde_json::json!({"methodConfig": [{"name": [{}], "retryPolicy": {
            "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 1.6,
            "retryableStatusCodes": ["RESOURCE_EXHAUSTED", "UNAVAILABLE"],
        }}]})
    );
    says(
        Target::Grpc,
        &[(
            "retries = 9\nbackoff.fixed = '1s'\njitter.proportional = 0.2",
            &["gRPC makes 5 at most, the policy 10", "\"maxAttempts\": 5", "grpc-retry-pushback-ms"],
        )],
    );
    refuses(Target::Grpc, &[("retries = 2\nbackoff.fixed = '1s'\njitter = 'full'", "jitter `full`")]);
}

#[test]
fn what_is_lost_is_said_at_the_top() {
    let text = "retries = 2\nbackoff.fixed = '1s'\njitter.truncated_exponential = 0.5\ndeadline = '1m'\nmax_elapsed = '2m'\n\
                max_total_delay = '30s'\nretry_after = 'obey'\nslot_during_backoff = 'freed'\non_failure = 'swallow'\n\
                breaker = { trip.consecutive = 5, open_for = '30s' }\ninner = { retries = 0 }";
    let export = written(text, Target::Prefect).unwrap();
    for needle in [
        "# - deadline of 1m: not expressed",
        "# - max_elapsed = \"2m\": not expressed",
        "# - max_total_delay = \"30s\": not expressed",
        "# - Retry-After: not expressed",
        "# - slot_during_backoff",
        "# - on_failure",
        "# - breaker: not expressed",
        "# - inner: not part",
    ] {
        assert!(export.text.contains(needle), "{needle}\n{}", export.text);
    }
    assert!(export.text.starts_with("# it for Prefect 3.9\n# - "));
}

#[test]
fn breakers_go_where_there_are_breakers() {
    let exact = toml::from_str("trip.consecutive = 5\nopen_for = '30s'\nboundary = 'after'").unwrap();
    let export = export_breaker("it", &exact, Target::Resilience4j).unwrap();
    assert!(export.caveats.is_empty() && export.text.contains("slidingWindowSize: 5"), "{}", export.text);
    let odd = toml::from_str(
        "trip.consecutive = 3\nopen_for = '30s'\ntimer_from = 'last_failure'\nprobes = 'unlimited'",
    )
    .unwrap();
    for target in [Target::Resilience4j, Target::Polly, Target::Envoy] {
        let export = export_breaker("it", &odd, target).unwrap();
        assert!(export.text.contains("not from the last failure"), "{}", export.text);
    }
    assert!(export_breaker("it", &odd, Target::Grpc).unwrap_err().contains("resilience4j, polly or envoy"));
}

#[test]
fn budgets_go_where_there_are_budgets() {
    let envoy = "retries = 1\nbackoff.exponential = { base = '25ms' }\njitter = 'full'\nround.down = '1ms'\n";
    let cases: [(&str, &[&str]); 5] = [
        ("", &["max_retries: 4294967295"]),
        (
            "budget.concurrent = { at_least = 7 }",
            &["thresholds:\n  - priority: DEFAULT\n    max_retries: 7\n"],
        ),
        (
            "budget.concurrent = { at_least = 7, share = 0.25 }",
            &["retry_budget:\n      budget_percent:\n        value: 25\n      min_retry_concurrency: 7\n"],
        ),
        (
            "budget = { concurrent = { like = 'failsafe_go' }, scope = 'client' }",
            &["asks when", "all clients of one Envoy"],
        ),
        (
            "budget.throttle = { max_tokens = 10, token_ratio = 0.1 }",
            &["nearest is `budget.concurrent`", "4294967295"],
        ),
    ];
    for (text, needles) in cases {
        says(Target::Envoy, &[(&format!("{envoy}{text}"), needles)]);
    }
    let grpc = "retries = 1\nbackoff.fixed = '1s'\njitter.proportional = 0.2\n";
    let cases: [(&str, &[&str]); 3] = [
        (
            "budget = { throttle = { max_tokens = 10, token_ratio = 0.1 }, scope = 'client' }",
            &["\"maxTokens\": 10", "\"tokenRatio\": 0.1"],
        ),
        (
            "budget.throttle = { max_tokens = 9.5, token_ratio = 0.0123 }",
            &[
                "\"maxTokens\": 10",
                "\"tokenRatio\": 0.012",
                "throttle of its own",
                "rounded up to 10",
                "three decimals",
            ],
        ),
        ("budget.concurrent = {}", &["nearest is `budget.throttle`"]),
    ];
    for (text, needles) in cases {
        says(Target::Grpc, &[(&format!("{grpc}{text}"), needles)]);
    }
}

#[test]
fn a_breaker_that_nothing_comes_near_to_is_a_caveat_of_its_policy() {
    let rest =
        "retries = 1\nbreaker = { trip.time_window = { width = '60s', failures = 3 }, open_for = '1s' }";
    for (target, delays) in [
        (Target::Resilience4j, "backoff.fixed = '1s'"),
        (Target::Polly, "backoff.fixed = '1s'"),
        (Target::Envoy, "backoff.fixed = '1s'\njitter = 'full'"),
    ] {
        says(
            target,
            &[(&format!("{delays}\n{rest}"), &["breaker: not expressed: 3 failures within 1m", "nearest"])],
        );
    }
    // Polly's order of strategies says what is around what.
    let outside = "retries = 1\nbackoff.fixed = '1s'\nbreaker = { trip.consecutive = 5, open_for = '30s', position = 'outside' }";
    let text = written(outside, Target::Polly).unwrap().text;
    assert!(text.find(".AddCircuitBreaker(").unwrap() < text.find(".AddRetry(").unwrap(), "{text}");
    assert!(!text.contains("`position`"), "{text}");
}
