//! Workloads end to end: every kind of arrivals runs, files are read beside the scenario, and what is wrong with them is said.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use retrysim::experiment::{self, Options};
use retrysim::scenario::Scenario;
use tempfile::TempDir;

/// A scenario with these fields of a workload and of a service.
fn scenario(workload: &str, service: &str) -> String {
    format!(
        "horizon = '10m'\nreplications = 3\n[services.api]\n{service}\n[workloads.calls]\nservice = 'api'\nclients = 20\n\
         {workload}\n[policies.three]\nretries = 3\nbackoff.fixed = '2s'\n[policies.none]\nretries = 0\n"
    )
}

/// A folder of its own for each test.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("a file can be written");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut binary = Command::cargo_bin("retrysim").expect("the binary is built");
        binary.current_dir(self.0.path()).args(arguments).output().expect("it runs")
    }

    /// The means of a measure by arm.
    fn measure(&self, file: &str, name: &str) -> Vec<f64> {
        measure(&Scenario::load(&self.path(file), &[]).unwrap_or_else(|error| panic!("{error}")), name)
    }

    /// Checks a scenario that is wrong: exit 2, every needle in the message.
    fn refuses(&self, text: &str, needles: &[&str]) {
        self.write("bad.toml", text);
        let output = self.run(&["check", "bad.toml"]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}: {message}");
        for needle in needles {
            assert!(message.contains(needle), "no \"{needle}\" in\n{message}");
        }
    }
}

fn measure(scenario: &Scenario, name: &str) -> Vec<f64> {
    let results = experiment::run(scenario, Options::default(), &|| ());
    let arms = results.arms.iter();
    arms.map(|arm| arm.workloads[0].named(name).unwrap_or_else(|| panic!("no {name}")).mean).collect()
}

const KINDS: [&str; 11] = [
    "arrivals.burst = { every = '1m', spread = '10s', until = '5m' }",
    "arrivals.even = { rate = '1/s', until = '5m' }",
    "arrivals.poisson = { rate = '1/s', until = '5m' }",
    "arrivals.renewal = { gap.weibull = { median = '1s', shape = 0.7 }, until = '5m' }",
    "arrivals.modulated = { quiet = '1/s', busy = '20/s', quiet_lasts = '1m', busy_lasts = '10s', until = '5m' }",
    "arrivals.steps = { steps = [{ at = '1m', rate = '2/s' }, { at = '4m', rate = '0/s' }], until = '5m' }",
    "arrivals.ramp = { from_rate = '0/s', to_rate = '4/s', over = '3m', until = '5m' }",
    "arrivals.diurnal = { mean = '2/s', peak_to_trough = 4, peak_at = '1m', period = '3m', until = '5m' }",
    "arrivals.profile = { rates = ['2/s', '1/s'], every = '1m', repeat = true, until = '5m' }",
    "arrivals.cron = { schedule = '* * * * *', starts = '2026-01-05T08:30:10', spread = '10s', until = '5m' }",
    "arrivals.trace = { file = { name = 't', text = \"time\\n0\\n200\\n299\\n300\\n\" }, until = '5m' }",
];

#[test]
fn every_open_kind_runs_and_drains_after_its_end() {
    for arrivals in KINDS {
        let text = scenario(arrivals, "faults = [{ random = { status = 503, probability = 0.5 } }]");
        let scenario =
            Scenario::parse("kind", "kind.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let requests = measure(&scenario, "requests");
        assert!(
            requests[0] >= 3.0 && requests[0] == requests[1],
            "{arrivals}: {requests:?}, the same in both arms"
        );
        let unfinished = measure(&scenario, "ended_unfinished");
        assert_eq!(
            unfinished,
            [0.0, 0.0],
            "{arrivals}: everything ends in the five minutes after the last arrival"
        );
    }
}

#[test]
fn files_are_read_beside_the_scenario_and_digested_in_the_manifest() {
    let place = Place::new();
    fs::create_dir(place.path("scenarios")).expect("a folder can be made");
    // A name alone stands for `file`.
    let arrivals = "arrivals.trace = 'data/trace.csv'";
    let law = "latency.mixture = [{ weight = 1, empirical = { file = 'latencies.csv' } }]";
    let caching = "[policies.caching]\nretries = 0\ncache = { ttl = '1h' }\n";
    place.write("scenarios/s.toml", scenario(arrivals, law) + caching);
    fs::create_dir(place.path("scenarios/data")).expect("a folder can be made");
    let trace = "time,key\n2026-01-05T08:30:00Z,a\n2026-01-05T08:31:00Z,b\n2026-01-05T08:32:00Z,a\n";
    place.write("scenarios/data/trace.csv", trace);
    place.write("scenarios/latencies.csv", "latency\n0.5\n");
    let output = place.run(&["run", "scenarios/s.toml", "--out", "here", "--format", "quiet"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = fs::read(place.path("here/manifest.json")).expect("there is a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("it is JSON");
    let digests = serde_json::json!({
        "data/trace.csv": retrysim::report::sha256(trace.as_bytes()),
        "latencies.csv": retrysim::report::sha256(b"latency\n0.5\n"),
    });
    assert_eq!(manifest["scenario"]["files"], digests);
    assert!(
        !place.path("here/latencies.csv").exists() && !place.path("here/data").exists(),
        "nothing is copied"
    );
    assert_eq!(place.measure("scenarios/s.toml", "requests"), [3.0, 3.0, 3.0]);
    assert_eq!(
        place.measure("scenarios/s.toml", "ended_cached"),
        [0.0, 0.0, 1.0],
        "the second `a` finds the first one's success"
    );
    assert_eq!(place.measure("scenarios/s.toml", "time_to_success_max"), [0.5, 0.5, 0.5]);
}

#[test]
fn a_scenario_without_files_says_nothing_of_them_in_its_manifest() {
    let place = Place::new();
    place.write("s.toml", scenario("arrivals.burst = {}", ""));
    assert!(place.run(&["run", "s.toml", "--out", "here", "--format", "quiet"]).status.success());
    let manifest = fs::read_to_string(place.path("here/manifest.json")).expect("there is a manifest");
    assert_eq!(manifest.matches("\"files\"").count(), 1, "{manifest}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line_and_place() {
    let place = Place::new();
    let arrivals = "arrivals.trace = { file = 'trace.csv' }";
    let text = scenario(arrivals, "latency.empirical = 'latencies.csv'");
    place.write("latencies.csv", "latency\n0.5\nslow\n");
    place.refuses(
        &text,
        &[
            "workloads.calls.arrivals.trace.file: cannot read trace.csv",
            "relative to the scenario",
            "bad.toml:8",
            "services.api.latency",
            "latencies.csv, line 3: \"slow\" is no duration",
            "2 problems",
        ],
    );
    place.write("latencies.csv", "latency\n0.5\n");
    place.write("trace.csv", b"time\n1\n\xff\n");
    place.refuses(&text, &["trace.csv, line 3: this is not UTF-8", "1 problem"]);
    place.write("trace.csv", format!("time\n{}", "1\n".repeat(1_000_001)));
    place.refuses(&text, &["trace.csv, line 1000002: a table may have 1000000 rows at most"]);
    place.refuses(&text.replace("trace.csv", "."), &["not a regular file"]);
    let file = fs::File::create(place.path("trace.csv")).expect("a file can be made");
    file.set_len((64 << 20) + 1).expect("a file can grow");
    place.refuses(&text, &["trace.csv has 67108865 bytes, the limit is 67108864"]);
}

#[test]
fn a_scenario_without_a_folder_says_how_to_do_without_files() {
    for arrivals in ["arrivals.trace = { file = 'trace.csv' }", "arrivals.trace = 'trace.csv'"] {
        let text = scenario(arrivals, "");
        let error = Scenario::parse("text", "text", &text, &[]).expect_err("there is no folder").to_string();
        assert!(
            error.contains("without a folder") && error.contains("{ name = \"trace.csv\", text ="),
            "{error}"
        );
    }
}

#[test]
fn problems_of_workloads_are_found_with_all_others() {
    let place = Place::new();
    let workload =
        "accounts = 21\naccount = 'a.b'\noperations = { read = 0 }\narrivals.renewal.gap.constant = '1ns'";
    place.refuses(
        &scenario(workload, "latency.pareto = { min = '1s', alpha = 1 }"),
        &[
            "workloads.calls.accounts: 21 accounts for 20 clients",
            "workloads.calls.account: \"a.b\" is not a name",
            "workloads.calls.operations: no operation has a weight",
            "workloads.calls.arrivals: a mean gap below 100ns",
            "services.api.latency: the mean of a Pareto law",
            "5 problems",
        ],
    );
    place.refuses(
        &scenario("arrivals.diurnal = { mean = '1/s', peak_to_trouhg = 3, peak_at = '1h' }", ""),
        &["did you mean `peak_to_trough`?"],
    );
}

/// What is said about a sound scenario with these arrivals of the trace `t.csv`.
fn notes(rows: &str, fields: &str) -> String {
    let place = Place::new();
    place.write("t.csv", rows);
    place.write("s.toml", scenario(&format!("arrivals.trace = {{ file = 't.csv'{fields} }}"), ""));
    let output = place.run(&["check", "s.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn rows_of_a_trace_that_do_not_come_are_counted() {
    let rows = "time\n0\n1\n2\n700\n800\n";
    let note =
        "left out of t.csv: 2 of 5 rows, which come after the run of 10m; the last comes after 13m 20s";
    assert!(notes(rows, "").contains(note), "{}", notes(rows, ""));
    let found = notes(rows, ", starts = '2'");
    assert!(found.contains("left out of t.csv: 2 of 5 rows, which come before `starts`"), "{found}");
    // Those that are left out on purpose are not worth a word.
    for fields in [", until = '5m'", ", requests = 3"] {
        assert!(!notes(rows, fields).contains("left out"), "{fields}");
    }
    let slow = notes("time,status,latency\n0,200,250\n1,200,650\n2,timeout,650\n", "");
    assert!(
        slow.contains("longer than the run of 10m in t.csv: 1 of 3 recorded latencies, up to 10m 50s"),
        "{slow}"
    );
}

#[test]
fn arrivals_of_which_none_comes_within_the_run_are_refused() {
    let place = Place::new();
    place.write("t.csv", "time\n700\n800\n");
    let late = "it begins when the run of 10m is over";
    for (arrivals, field, why) in [
        ("trace = { file = 't.csv', starts = '0' }", "trace", late),
        (
            "trace = { file = 't.csv', starts = '200', until = '500s' }",
            "arrivals",
            "end (8m 20s) before they start (8m 20s)",
        ),
        ("cron = { schedule = '0 0 * * *', starts = '2026-01-05T08:30:00' }", "cron", late),
    ] {
        place.refuses(&scenario(&format!("arrivals.{arrivals}"), ""), &[field, why]);
    }
}

#[test]
fn who_obeys_waits_as_long_as_a_recorded_answer_asked() {
    let place = Place::new();
    place.write("t.csv", "time,status,latency,retry_after\n0,429,1,20\n5,200,1,\n");
    place.write(
        "s.toml",
        scenario("arrivals.trace = 't.csv'", "").replace("'2s'", "'2s'\nretry_after = 'obey'"),
    );
    // 1 s to the refusal, 20 s of waiting, and an answer at once.
    assert_eq!(place.measure("s.toml", "time_to_success_max"), [21.0, 1.0]);
}
