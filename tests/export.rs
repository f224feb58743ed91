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
    refuses(&["run", "small.toml", "--export", "prefect"], &["policy full cannot be written for Prefect"]);
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
