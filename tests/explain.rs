//! `retrysim explain`: stories of requests that a run has followed.

use std::path::Path;

use assert_cmd::Command;

fn retrysim() -> Command {
    let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// A run that follows requests: a service that is down for about a minute, and two policies.
fn run(folder: &Path) {
    let scenario = folder.join("down.toml");
    let text = "horizon = '10m'\nreplications = 2\n\
                [services.api]\nlatency.constant = '50ms'\n\
                incidents = [{ outage = { from = '1m', lasts = '61s' } }]\n\
                [workloads.calls]\nservice = 'api'\nclients = 3\narrivals.even = { rate = '1/s' }\n\
                [policies.patient]\nretries = 9\nbackoff.fixed = '10s'\n\
                [policies.hasty]\nretries = 1\nbackoff.fixed = '1s'\n";
    std::fs::write(&scenario, text).expect("a file can be written");
    let mut command = retrysim();
    command
        .arg("run")
        .arg(&scenario)
        .args(["--trace", "600", "--format", "quiet", "--out"])
        .arg(folder.join("run"));
    command.assert().success();
}

fn explain(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = retrysim().arg("explain").arg(folder).args(arguments).output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it ends by itself"), String::from_utf8(said).expect("it is text"))
}

#[test]
fn a_request_has_a_story_in_each_arm_with_times_and_reasons() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    run(place.path());
    let folder = place.path().join("run");
    // Request 75 arrives at 1:15; the service is back at 2:01.
    let (code, said) = explain(&folder, &["--request", "75"]);
    assert_eq!(code, 0, "{said}");
    let expected = "\
request 75 of calls, from client 0, under patient

      1:15.000  it arrives
      1:15.000  attempt 1: 503 at once; waits 10.0 s, as the backoff says
      1:25.000  attempt 2: 503 at once; waits 10.0 s, as the backoff says
      1:35.000  attempt 3: 503 at once; waits 10.0 s, as the backoff says
      1:45.000  attempt 4: 503 at once; waits 10.0 s, as the backoff says
      1:55.000  attempt 5: 503 at once; waits 10.0 s, as the backoff says
      2:05.050  attempt 6: 200 after 50.0 ms

it succeeds after 6 attempts, 50.0 s after it arrived

request 75 of calls, from client 0, under hasty

      1:15.000  it arrives
      1:15.000  attempt 1: 503 at once; waits 1.00 s, as the backoff says
      1:16.000  attempt 2: 503 at once; no retry is left

it fails after 2 attempts, 1.00 s after it arrived
";
    assert_eq!(said, expected);
    let (code, said) = explain(&folder, &["--request", "3"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("request 3 of calls, from client 0, under patient, hasty\n"), "alike: {said}");
}

#[test]
fn the_worst_is_found_and_held_against_the_other_arms() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    run(place.path());
    let folder = place.path().join("run");
    for by in ["latency", "attempts"] {
        // The first that finds the service down waits longest.
        let (code, said) = explain(&folder, &["--worst", by]);
        assert_eq!(code, 0, "{said}");
        assert!(said.starts_with("request 60 of calls, from client 0, under patient\n"), "{said}");
        assert!(
            said.ends_with("under hasty: it fails after 2 attempts, 1.00 s after it arrived\n"),
            "{said}"
        );
    }
    let (code, said) = explain(&folder, &["--worst", "latency", "--arm", "hasty"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("under hasty\n") && !said.contains("patient"), "{said}");
}

#[test]
fn what_cannot_be_told_is_said_with_what_can() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    run(place.path());
    let folder = place.path().join("run");
    for (arguments, says) in [
        (&["--request", "600"][..], "request 600 was not followed; those that were are 0, 1, 2"),
        (&["--worst", "latency", "--arm", "hasti"], "did you mean `hasty`?"),
        (&["--worst", "latency", "--workload", "mail"], "known are: calls"),
        (&[], "--request <N>|--worst <BY>"),
    ] {
        let (code, said) = explain(&folder, arguments);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(says), "{said}");
    }
    let (code, said) = explain(place.path(), &["--worst", "latency"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("attempts.csv") && said.contains("--trace 20"), "{said}");
    std::fs::write(folder.join("attempts.csv"), "arm,workload\na,b\n").expect("a file can be written");
    let (code, said) = explain(&folder, &["--worst", "latency"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("missing field") && said.contains("--trace 20"), "{said}");
}
