//! Finding presets, and policies as the configurations of libraries, as the users of the command line meet them.

use std::fs;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

const SCENARIO: &str = r#"
horizon = "1m"
replications = 2
[services.api]
faults = [{ random = { status = 503, probability = 0.3 } }]
[workloads.calls]
service = "api"
arrivals.even = { rate = "1/s", requests = 20 }
[workloads.others]
service = "api"
arrivals.even = { rate = "1/s", requests = 20 }
[policies.none]
retries = 0
[policies.full]
retries = 9
backoff.exponential = { base = "10ms" }
jitter = "full"
[arms.without]
calls = "none"
others = "none"
[arms.with]
calls = "full"
others = "full"
[arms.again]
calls = "full"
others = "full"
"#;

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
    command.current_dir(folder.path()).args(arguments).output().expect("the binary runs")
}

fn place() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder can be made");
    fs::write(folder.path().join("small.toml"), SCENARIO).expect("a file can be written");
    folder
}

fn prints(arguments: &[&str], needles: &[&str]) -> String {
    let output = run(&place(), arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    for needle in needles {
        assert!(text.contains(needle), "{arguments:?} lacks {needle}:\n{text}");
    }
    text
}

fn refuses(arguments: &[&str], needles: &[&str]) {
    let output = run(&place(), arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    for needle in needles {
        assert!(text.contains(needle), "{arguments:?} lacks {needle}:\n{text}");
    }
}

#[test]
fn presets_are_found_by_words() {
    let all = prints(&["presets"], &["prefect@3 ", "guide:breaker", "\n    breaker: "]);
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
    let found = prints(&["presets", "PREFECT", "jitter"], &["prefect@3 "]);
    assert!(!found.contains("textbook:breaker"), "{found}");
    refuses(&["presets", "prefetc"], &["\"prefetc\"", "`prefect@3`"]);
    refuses(&["presets", "--set", "retries=3"], &["name it"]);
    let json = prints(&["presets", "breaker", "--format", "json"], &[]);
    let values: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert!(values.as_array().is_some_and(|all| all.iter().any(|preset| preset["kind"] == "breaker")));
    prints(&["presets", "--format", "csv"], &["id,kind,library,version,summary,source\n"]);
}

#[test]
fn a_preset_is_shown_in_full() {
    prints(
        &["presets", "prefect@3"],
        &[
            "library: Prefect 3, @task, version 3.9.1",
            "retry_delay_seconds = 0, in seconds",
            "in words, with its defaults",
            "No retry: 1 attempt.",
            "surprises",
        ],
    );
    prints(&["presets", "prefect@3", "--set", "retries=3"], &["3 retries: 4 attempts at most."]);
    prints(&["presets", "guide:breaker"], &["A breaker around each attempt"]);
    prints(&["presets", "small.toml#full"], &["10 ms * 2^(n-1), times a uniform number from 0 to 1"]);
}

#[test]
fn a_preset_of_a_library_is_the_call_of_that_library() {
    let set = ["--set", "retries=3", "--set", "retry_delay_seconds=60", "--set", "retry_jitter_factor=0.5"];
    let arguments = [&["presets", "prefect@3", "--as", "prefect"][..], &set].concat();
    prints(&arguments, &["\n@task(retries=3, retry_delay_seconds=60, retry_jitter_factor=0.5)\n"]);
    let set = ["--set", "retries=4", "--set", "backoff_factor=10"];
    let arguments = [&["presets", "prefect@3:exponential-backoff", "--as", "prefect"][..], &set].concat();
    prints(&arguments, &["@task(retries=4, retry_delay_seconds=exponential_backoff(backoff_factor=10))"]);
}

#[test]
fn what_a_library_cannot_wait_is_refused() {
    prints(
        &["presets", "small.toml#full", "--as", "tenacity"],
        &["wait_random_exponential(multiplier=0.01)"],
    );
    refuses(&["presets", "small.toml#full", "--as", "prefect"], &["jitter `full`", "cannot be written"]);
    refuses(&["presets", "small.toml#full", "--as", "tenacty"], &["did you mean `tenacity`?"]);
    refuses(&["presets", "--as", "tenacity"], &["name a preset"]);
    refuses(&["presets", "guide:breaker", "--as", "grpc"], &["is a breaker"]);
    prints(&["presets", "guide:breaker", "--as", "resilience4j"], &["slidingWindowType: COUNT_BASED"]);
}

#[test]
fn a_run_ends_with_the_policy_of_the_winner() {
    let text = prints(
        &["run", "small.toml", "--export", "tenacity"],
        &[
            "\nworkload calls: arm with won (2 arms have the highest success rate",
            "it is the first in the file",
            "\nworkload others: arm with won",
            "# policy full for tenacity 9.2",
        ],
    );
    assert_eq!(text.matches("wait_random_exponential(multiplier=0.01)").count(), 2, "{text}");
    refuses(&["run", "small.toml", "--export", "tenacity", "--format", "csv"], &["leave --format out"]);
}

/// With a Python at hand, what is written in Python must at least be Python.
#[test]
fn python_compiles() {
    let Ok(version) = std::process::Command::new("python3").arg("--version").output() else { return };
    if !version.status.success() {
        return;
    }
    let policies = [
        "backoff.fixed = '1s'\njitter = 'decorrelated'\ndeadline = { within = '1m', late = 'clip' }",
        "backoff.fixed = '1s'\njitter = 'full'\ndraws = 'sorted'\nround.inclusive = '1s'",
        "backoff.exponential = { base = '1s', minus_one = true, exponent = 1 }\njitter.plus_minus = '1s'\ndraws = 'once'",
        "backoff.fixed = '1s'\njitter.hash = 'a{b'\nretry_after = 'at_least_before_jitter'",
        "backoff.max = [{ backoff.fixed = '1s', jitter = 'full' }, { backoff.polynomial = { unit = '1s', power = 2 } }]",
        "backoff.fixed = '1s'\njitter.compounding = { cap = '1m' }\nretry_on.only = { status_with_retry_after = [413], status = ['5xx'], except = [501] }",
        "backoff.fixed = '1s'\njitter.decorrelated_with = { begins = 'exact', lower = 'previous' }",
        "backoff.fixed = '1s'\njitter = 'decorrelated_v2'\nretry_on.by_idempotence = { idempotent = 'any_failure', other.only = {} }",
        "backoff.fixed = '1s'\njitter.whole_percent = 0.3\nretry_after.obey_with = { add = '1s', cap = '1m', at_least_backoff = true, ignore_over = '5m', only_on = [429] }",
        "backoff.fixed = '1600ms'\njitter.truncated_seconds = 0.99\nthrottled = { backoff.fixed = '5s', jitter = 'full' }",
        "backoff.list = ['0s', '1s', '2s']",
    ];
    let folder = TempDir::new().expect("a temporary folder can be made");
    let path = folder.path().join("policies.toml");
    for (index, policy) in policies.iter().enumerate() {
        let head = SCENARIO.split("[policies.none]").next().expect("split gives a first part");
        let text =
            format!("{head}[policies.it]\nretries = 4\n{policy}\n[arms.a]\ncalls = 'it'\nothers = 'it'\n");
        fs::write(&path, text).expect("a file can be written");
        for library in ["tenacity", "prefect", "urllib3"] {
            let output = run(&folder, &["presets", "policies.toml#it", "--as", library]);
            let error = String::from_utf8_lossy(&output.stderr);
            if !output.status.success() {
                assert!(library != "tenacity" && error.contains("cannot be written"), "{policy}: {error}");
                continue;
            }
            let module = folder.path().join(format!("{library}_{index}.py"));
            fs::write(&module, &output.stdout).expect("a file can be written");
            let compiled =
                std::process::Command::new("python3").args(["-m", "py_compile"]).arg(&module).output();
            let compiled = compiled.expect("python3 runs");
            assert!(compiled.status.success(), "{policy}: {}", String::from_utf8_lossy(&compiled.stderr));
        }
    }
}

/// A library, a preset of it with parameters, and lines of the configuration that the library takes for them.
const OWN: &[(&str, &str, &[&str])] = &[
    ("prefect", "prefect@3 retries=3 retry_delay_seconds=60", &["@task(retries=3, retry_delay_seconds=60)"]),
    (
        "prefect",
        "prefect@3 retries=3 retry_delay_seconds=[1,10,60] retry_jitter_factor=0.5",
        &["@task(retries=3, retry_delay_seconds=[1, 10, 60], retry_jitter_factor=0.5)"],
    ),
    ("prefect", "prefect@3:flow retries=2 retry_delay_seconds=30", &["retries=2, retry_delay_seconds=30)"]),
    (
        "prefect",
        "prefect@3:exponential-backoff retries=4 backoff_factor=10",
        &["@task(retries=4, retry_delay_seconds=exponential_backoff(backoff_factor=10))"],
    ),
    ("tenacity", "tenacity@9 stop_after_attempt=3", &["stop=stop_after_attempt(3)", "wait=wait_fixed(0)"]),
    (
        "tenacity",
        "tenacity@9:wait_none stop_after_attempt=3",
        &["stop=stop_after_attempt(3)", "wait=wait_fixed(0)"],
    ),
    ("tenacity", "tenacity@9:wait_fixed", &["@retry(stop=stop_never, wait=", "wait=wait_fixed(1))"]),
    (
        "tenacity",
        "tenacity@9:wait_fixed stop_after_delay=30",
        &["@retry(stop=stop_after_delay(30), wait=wait_fixed(1))"],
    ),
    (
        "tenacity",
        "tenacity@9:wait_fixed stop_before_delay=30",
        &["@retry(stop=stop_before_delay(30), wait=wait_fixed(1))"],
    ),
    (
        "tenacity",
        "tenacity@9:wait_fixed stop_after_attempt=5 stop_after_delay=30",
        &["stop=stop_any(stop_after_attempt(5), stop_after_delay(30))"],
    ),
    ("tenacity", "tenacity@9:wait_chain", &["wait=wait_chain(wait_fixed(1), wait_fixed(2), wait_fixed(5)))"]),
    (
        "tenacity",
        "tenacity@9:wait_combine",
        &["wait=wait_combine(wait_fixed(3), wait_random(min=0, max=2)))"],
    ),
    ("tenacity", "tenacity@9:wait_random min=1 max=4", &["wait=wait_random(min=1, max=4))"]),
    ("tenacity", "tenacity@9:wait_incrementing", &["wait=wait_incrementing(start=0, increment=100))"]),
    (
        "tenacity",
        "tenacity@9:wait_incrementing max=300",
        &["wait=wait_incrementing(start=0, increment=100, max=300))"],
    ),
    ("tenacity", "tenacity@9:wait_exponential", &["wait=wait_exponential(multiplier=1))"]),
    (
        "tenacity",
        "tenacity@9:wait_exponential multiplier=2 exp_base=3 min=4 max=60",
        &["wait=wait_exponential(multiplier=2, exp_base=3, max=60, min=4))"],
    ),
    (
        "tenacity",
        "tenacity@9:wait_exponential_jitter initial=2 max=60 jitter=3",
        &["wait=wait_exponential_jitter(multiplier=2, max=60, jitter=3))"],
    ),
    ("tenacity", "tenacity@9:wait_random_exponential", &["wait=wait_random_exponential(multiplier=1))"]),
    (
        "tenacity",
        "tenacity@9:wait_random_exponential multiplier=1 max=60 min=3",
        &["wait=wait_random_exponential(multiplier=1, max=60, min=3))"],
    ),
    ("tenacity", "tenacity@9:wait_exception", &["headers.get(\"Retry-After\")", "x = max(60, least)"]),
    ("urllib3", "urllib3@2", &["retries = Retry(total=10, backoff_factor=0)\n"]),
    (
        "urllib3",
        "urllib3@2 total=5 backoff_factor=0.5 backoff_jitter=1 backoff_max=60 status_forcelist=[502,503] retry_after_max=60",
        &[
            "total=5,",
            "backoff_factor=0.5,",
            "backoff_max=60,",
            "backoff_jitter=1,",
            "status_forcelist=[502, 503],",
            "retry_after_max=60,",
        ],
    ),
    (
        "urllib3",
        "urllib3@2 respect_retry_after_header=false",
        &["Retry(total=10, backoff_factor=0, respect_retry_after_header=False)"],
    ),
    ("resilience4j", "resilience4j@2", &["maxAttempts: 3\n        waitDuration: 500ms\n"]),
    (
        "resilience4j",
        "resilience4j@2:exponential maxAttempts=5 multiplier=2 maxInterval=3000",
        &[
            "maxAttempts: 5\n        waitDuration: 500ms\n        enableExponentialBackoff: true\n",
            "exponentialBackoffMultiplier: 2\n        exponentialMaxWaitDuration: 3000ms\n",
        ],
    ),
    (
        "resilience4j",
        "resilience4j@2:randomized",
        &["waitDuration: 500ms\n        enableRandomizedWait: true\n        randomizedWaitFactor: 0.5\n"],
    ),
    (
        "resilience4j",
        "resilience4j@2:exponential-random maxInterval=3000",
        &[
            "exponentialBackoffMultiplier: 1.5",
            "exponentialMaxWaitDuration: 3000ms",
            "randomizedWaitFactor: 0.5",
        ],
    ),
    (
        "resilience4j",
        "resilience4j@2:count-based slidingWindowSize=50 minimumNumberOfCalls=20 slowCallDurationThreshold=2 slowCallRateThreshold=80",
        &[
            "slidingWindowType: COUNT_BASED\n        slidingWindowSize: 50\n        minimumNumberOfCalls: 20\n        \
                 failureRateThreshold: 50\n        slowCallRateThreshold: 80\n        slowCallDurationThreshold: 2000ms\n        \
                 waitDurationInOpenState: 60000ms\n        permittedNumberOfCallsInHalfOpenState: 10\n",
        ],
    ),
    (
        "resilience4j",
        "resilience4j@2:time-based slidingWindowSize=60 maxWaitDurationInHalfOpenState=9 transitionToStateAfterWaitDuration=\"closed\"",
        &[
            "slidingWindowType: TIME_BASED\n        slidingWindowSize: 60\n        minimumNumberOfCalls: 100\n",
            "maxWaitDurationInHalfOpenState: 9000ms\n        transitionToStateAfterWaitDuration: CLOSED\n",
        ],
    ),
    (
        "polly",
        "polly@8 Delay=1 UseJitter=true",
        &["MaxRetryAttempts = 3", "FromSeconds(1)", "Type.Constant", "UseJitter = true"],
    ),
    (
        "polly",
        "polly@8:linear MaxDelay=5",
        &["Delay = TimeSpan.FromSeconds(2)", "Type.Linear", "MaxDelay = TimeSpan.FromSeconds(5)"],
    ),
    ("polly", "polly@8:linear UseJitter=true", &["Type.Linear", "UseJitter = true"]),
    ("polly", "polly@8:exponential", &["Delay = TimeSpan.FromSeconds(2)", "Type.Exponential"]),
    (
        "polly",
        "polly@8:exponential-jitter MaxDelay=60",
        &["Type.Exponential", "UseJitter = true", "MaxDelay = TimeSpan.FromSeconds(60)"],
    ),
    (
        "polly",
        "polly@8:http-standard",
        &["Type.Exponential", "UseJitter = true", "Headers.RetryAfter?.Delta", "is 408 or 429 or (>= 500"],
    ),
    (
        "polly",
        "polly@8:breaker",
        &[
            "FailureRatio = 0.1,\n        MinimumThroughput = 100,\n        SamplingDuration = TimeSpan.FromSeconds(30),\n        \
                 BreakDuration = TimeSpan.FromSeconds(5),\n",
        ],
    ),
    (
        "envoy",
        "envoy@1",
        &[
            "num_retries: 1\n  retry_on: \"5xx\"\n  retry_back_off:\n    base_interval: 0.025s\n    max_interval: 0.25s\n",
            "    max_retries: 3\n",
        ],
    ),
    (
        "envoy",
        "envoy@1 retryOn=\"gateway-error\" budget_percent=20",
        &["retry_on: \"gateway-error\"", "value: 20\n      min_retry_concurrency: 3\n"],
    ),
    (
        "envoy",
        "envoy@1:rate-limited rate_limited_max_interval=60",
        &["retry_on: \"retriable-status-codes\"", "rate_limited_retry_back_off:", "    max_interval: 60s\n"],
    ),
    (
        "envoy",
        "envoy@1:outlier-detection consecutive_5xx=7 interval=5",
        &[
            "consecutive_5xx: 7\n  enforcing_consecutive_5xx: 100\n  interval: 5s\n",
            "base_ejection_time: 30s\n  max_ejection_time: 300s\n",
        ],
    ),
    (
        "grpc",
        "grpc@1 maxTokens=10",
        &[
            "\"maxAttempts\": 4",
            "\"initialBackoff\": \"0.1s\"",
            "\"maxBackoff\": \"1s\"",
            "\"backoffMultiplier\": 2.0",
            "\"retryableStatusCodes\": [\n          \"UNAVAILABLE\"\n        ]",
            "\"maxTokens\": 10",
            "\"tokenRatio\": 0.1",
        ],
    ),
];

#[test]
fn a_preset_exported_to_its_own_library_is_the_configuration_of_that_library() {
    for (library, preset, lines) in OWN {
        let mut words = preset.split(' ');
        let mut arguments = vec!["presets", words.next().expect("split gives a first part"), "--as", library];
        for word in words {
            arguments.extend(["--set", word]);
        }
        prints(&arguments, lines);
    }
}

/// Each preset of the seven libraries says what its own library cannot be told, or there is nothing to say.
#[test]
fn every_preset_of_a_library_is_written_for_it_or_says_why_not() {
    let stated = [
        ("envoy@1", "note: a route's timeout"),
        ("envoy@1:rate-limited", "note: a route's timeout"),
        ("envoy@1:outlier-detection", "breaker: differently, outlier detection ejects a host"),
        ("grpc@1", "note: 429, 502, 503, 504"),
        ("polly@8:http-standard", "note: a Retry-After that is a date"),
        ("prefect@2:client", "Retry-After: not expressed"),
        ("prefect@3:client", "Retry-After: not expressed"),
        ("tenacity@9:wait_exception", "note: Retry-After is read"),
    ];
    let refused = [
        ("grpc@1:connection-backoff", "cannot be written for gRPC"),
        ("tenacity@9", "give `retries`"),
        ("tenacity@9:wait_none", "give `retries`"),
    ];
    let said = |list: &[(&str, &'static str)], id: &str| {
        list.iter().find(|(known, _)| *known == id).map(|(_, why)| *why)
    };
    let all = prints(&["presets", "--format", "csv"], &[]);
    let mut seen = 0;
    for line in all.lines().skip(1) {
        let id = line.split(',').next().expect("split gives a first part").trim_matches('"');
        let library = id.split('@').next().expect("split gives a first part");
        if !["prefect", "tenacity", "urllib3", "resilience4j", "polly", "envoy", "grpc"].contains(&library) {
            continue;
        }
        seen += 1;
        let arguments = ["presets", id, "--as", library];
        if let Some(why) = said(&refused, id) {
            refuses(&arguments, &[why]);
            continue;
        }
        let text = prints(&arguments, &[]);
        let caveats: Vec<&str> =
            text.lines().filter(|line| line.starts_with("# - ") || line.starts_with("// - ")).collect();
        match said(&stated, id) {
            Some(why) => {
                assert!(
                    caveats.iter().any(|caveat| caveat.contains(why)),
                    "{id} does not say {why}:\n{text}"
                );
            }
            None => assert!(caveats.is_empty(), "{id} has caveats that nobody expects:\n{text}"),
        }
    }
    assert!(seen > 30, "only {seen} presets were looked at");
}

#[test]
fn a_run_says_why_the_winner_cannot_be_written_and_writes_the_best_that_can_be() {
    let text = prints(
        &["run", "small.toml", "--export", "prefect"],
        &[
            "workload calls: arm with won",
            "not written: policy full cannot be written for Prefect 3.9",
            "of the arms that can be written for prefect, without is best (it is the only one)",
            "\n@task(retries=0)\n",
        ],
    );
    assert!(!text.contains("error"), "{text}");
}

#[test]
fn an_export_that_can_only_fail_is_refused_before_the_run() {
    let folder = place();
    let scenario =
        SCENARIO.replace("retries = 0\n", "retries = 2\nbackoff.fixed = \"1s\"\njitter = \"equal\"\n");
    fs::write(folder.path().join("none.toml"), scenario).expect("a file can be written");
    let output = run(&folder, &["run", "none.toml", "--export", "prefect"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    for needle in [
        "--export prefect: workload calls has no arm that can be written",
        "arm without: policy none cannot be written for Prefect 3.9",
        "arm with: policy full cannot be written",
        "export to another library",
    ] {
        assert!(error.contains(needle), "{needle}\n{error}");
    }
    assert!(output.stdout.is_empty() && !folder.path().join("output").exists(), "something was written");
}

#[test]
fn an_export_hides_no_verdict() {
    let folder = place();
    let unmet = format!("{SCENARIO}[expect]\n\"without.calls.success_rate\" = \"> 0.999\"\n");
    fs::write(folder.path().join("unmet.toml"), unmet).expect("a file can be written");
    for library in ["tenacity", "prefect"] {
        let output = run(&folder, &["run", "unmet.toml", "--export", library]);
        assert_eq!(output.status.code(), Some(3), "{library}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(folder.path().join("output/unmet/summary.csv").exists());
    }
}
