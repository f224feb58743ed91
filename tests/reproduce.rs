//! `retrysim reproduce`: a run comes out again, and what does not is named.

mod common;

use std::fs;
use std::process::Output;

use common::Place;

const SCENARIO: &str = "
seed = 3
replications = 3
horizon = '10m'
[services.api]
latency.exponential = { mean = '100ms' }
faults = [{ random = { status = 503, probability = 0.3 } }]
[workloads.calls]
service = 'api'
clients = 5
arrivals.poisson = { rate = '1/s' }
[policies.slow]
retries = 2
backoff.fixed = '9s'
[policies.quick]
retries = 2
backoff.fixed = '1s'
jitter = 'full'
[expect]
'slow.success_rate' = '> 0.1'
";

/// A run of this scenario in the folder `here`.
fn run_of(scenario: &str, options: &[&str]) -> Place {
    let place = Place::new();
    place.write("s.toml", scenario);
    let command = [&["run", "s.toml", "--out", "here", "--format", "quiet"], options].concat();
    let output = place.run(&command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place
}

/// What is said of `here`, which must not be touched, and the exit code.
fn again(place: &Place, options: &[&str]) -> (i32, String) {
    let before = common::files(&place.path(""));
    let Output { status, stdout, stderr } = place.run(&[&["reproduce", "here"], options].concat());
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    assert!(common::files(&place.path("")) == before, "nothing is written");
    (status.code().expect("it ends by itself"), String::from_utf8_lossy(&stdout).into_owned())
}

fn edit(place: &Place, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(place.path(name)).expect("the file is there");
    assert!(text.contains(from), "no {from} in {name}");
    place.write(name, text.replacen(from, to, 1));
}

#[test]
fn a_run_comes_out_again() {
    let place = run_of(SCENARIO, &["--seed", "8", "--set", "workloads.calls.clients=6"]);
    fs::remove_file(place.path("s.toml")).expect("it was there");
    let said = "here: seed 8, 3 replications, 2 arms\n  same     scenario.toml\n  same     summary.csv\n  same     comparison.csv\n  same     winners.csv\n  \
                same     replications.csv\n  same     timeseries.csv\n  same     time_to_success.csv\n  same     expectations.csv\n\
                all 8 files agree\n";
    for options in [&[][..], &["--jobs", "1"], &["--jobs", "3"]] {
        assert_eq!(again(&place, options), (0, said.to_owned()));
    }
}

#[test]
fn as_many_requests_are_followed_again() {
    let place = run_of(SCENARIO, &["--trace", "7"]);
    let (code, said) = again(&place, &[]);
    assert!(
        code == 0 && said.contains("7 requests followed") && said.contains("same     attempts.csv"),
        "{said}"
    );
    // What is drawn anew remembers it.
    assert!(place.run(&["report", "here"]).status.success());
    assert_eq!(again(&place, &[]).0, 0);
}

#[test]
fn as_many_replications_are_run_again_as_a_precision_took() {
    let place = run_of(SCENARIO, &["--until-precise", "success_rate=2%"]);
    let (code, said) = again(&place, &[]);
    assert!(code == 0 && !said.contains(" 3 replications"), "{said}");
}

#[test]
fn what_was_changed_since_is_named_with_its_place() {
    let place = run_of(SCENARIO, &[]);
    let summary = fs::read_to_string(place.path("here/summary.csv")).expect("there is one");
    let row: Vec<&str> = summary.lines().nth(4).expect("it has rows").split(',').collect();
    edit(&place, "here/summary.csv", &row.join(","), &row.join(",").replace(row[5], "12345"));
    let (code, said) = again(&place, &[]);
    let place_of_it = format!(
        "differs  summary.csv: it was changed since the run: line 5, column mean: \"12345\" in the folder, \"{}\" now",
        row[5]
    );
    assert!(code == 3 && said.contains(&place_of_it) && said.ends_with("1 of 8 files differ\n"), "{said}");

    // With a manifest to match, as if another program had written it: the numbers still do not come out.
    let changed = fs::read(place.path("here/summary.csv")).expect("there is one");
    let digest = |bytes: &[u8]| retrysim::report::sha256(bytes);
    edit(&place, "here/manifest.json", &digest(summary.as_bytes()), &digest(&changed));
    let (code, said) = again(&place, &[]);
    assert!(code == 3 && said.contains("differs  summary.csv: line 5, column mean: \"12345\""), "{said}");
    place.write("here/summary.csv", &summary);
    let (code, said) = again(&place, &[]);
    assert!(code == 3 && said.contains("what comes out now, the manifest another digest"), "{said}");
    fs::remove_file(place.path("here/timeseries.csv")).expect("it was there");
    let (code, said) = again(&place, &[]);
    assert!(code == 3 && said.contains("differs  timeseries.csv: it is gone from the folder"), "{said}");
}

#[test]
fn another_scenario_gives_other_results() {
    let place = run_of(SCENARIO, &[]);
    edit(&place, "here/scenario.toml", "backoff.fixed = '1s'", "backoff.fixed = '2s'");
    let (code, said) = again(&place, &[]);
    assert_eq!(code, 3);
    assert!(said.contains("differs  scenario.toml: it was changed since the run"), "{said}");
    assert!(said.contains("differs  replications.csv: line "), "{said}");
    assert!(said.contains("same     expectations.csv"), "the arm that it speaks of is as it was: {said}");
    edit(&place, "here/scenario.toml", "retries = 2", "retires = 2");
    place.refuses(&["reproduce", "here"], &["retires", "here/scenario.toml"]);
}

#[test]
fn another_results_version_is_said() {
    let place = run_of(SCENARIO, &[]);
    let version = |version: u32| format!("\"results_version\": {version}");
    edit(&place, "here/manifest.json", &version(retrysim::report::RESULTS_VERSION), &version(1));
    let (code, said) = again(&place, &[]);
    assert!(code == 0 && said.contains("note: the run has results version 1, this program "), "{said}");
    assert!(said.contains("so digests need not agree"), "{said}");
    edit(&place, "here/manifest.json", "\"timeseries.csv\": \"", "\"timeseries.csv\": \"0");
    assert_eq!(again(&place, &[]).0, 3);
}

#[test]
fn data_files_are_those_of_the_run() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("a folder can be made");
    place.write("data/trace.csv", "time\n1\n2\n");
    place.write(
        "data/s.toml",
        SCENARIO.replace("arrivals.poisson = { rate = '1/s' }", "arrivals.trace = 'trace.csv'"),
    );
    assert!(place.run(&["run", "data/s.toml", "--out", "here", "--format", "quiet"]).status.code().is_some());
    place.refuses(&["reproduce", "here"], &["trace.csv", "--data"]);
    let (code, said) = again(&place, &["--data", "data"]);
    assert!(code == 0 && said.contains("same     trace.csv"), "{said}");
    place.write("data/trace.csv", "time\n1\n200\n");
    let (code, said) = again(&place, &["--data", "data"]);
    assert!(
        code == 3 && said.contains("differs  trace.csv: it is not the file that the run has read"),
        "{said}"
    );
    assert!(said.contains("differs  timeseries.csv"), "{said}");
}

#[test]
fn what_is_no_run_is_refused_before_anything_is_run() {
    let place = run_of(SCENARIO, &[]);
    let sweep =
        ["sweep", "s.toml", "-L", "workloads.calls.clients=1,2", "--out", "swept", "--format", "quiet"];
    assert!(place.run(&sweep).status.success());
    place.refuses(
        &["reproduce", "here", "swept"],
        &["swept: it is what sweep has written: only a run can be reproduced"],
    );
    place.refuses(&["reproduce", "here", "nowhere"], &["nowhere: there is no manifest.json in it"]);
    place.refuses(&["reproduce"], &["RUN", "Usage: "]);
    place.write("here/manifest.json", "{}");
    place.refuses(&["reproduce", "here"], &["it is what something else has written"]);
}
