//! The command line as its users meet it: what it prints, what it writes, and what it says about bad input.

mod common;

use std::fs;
use std::process::Output;

use common::Place;

/// A scenario that runs in no time.
const SMALL: &str = r#"
title = "Small"
question = "Does it run?"
horizon = "1m"
replications = 2
[services.api]
rate_limit.token_bucket = { rate = "2/s", burst = 1 }
[workloads.calls]
service = "api"
arrivals.even = { rate = "1/s", requests = 5 }
[policies.fixed]
use = "prefect@3"
retries = 3
retry_delay_seconds = 1
[policies.none]
retries = 0
"#;

impl Place {
    /// Runs a scenario that is wrong: exit 2, every needle in the message, nothing written.
    fn refuses_scenario(&self, text: &str, needles: &[&str]) {
        self.write("bad.toml", text);
        self.refuses(&["run", "bad.toml"], needles);
    }
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

#[test]
fn run_prints_a_line_per_arm_and_writes_the_folder() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let text = stdout(&place.run(&["run", "small.toml"]));
    for needle in ["Small\nDoes it run?\n", "\nfixed ", "\nnone ", "means of 2 replications", "output/small"]
    {
        assert!(text.contains(needle), "no \"{needle}\" in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "a line is too long:\n{text}");
    let folder = place.path("output/small");
    for name in [
        "manifest.json",
        "summary.csv",
        "replications.csv",
        "timeseries.csv",
        "time_to_success.csv",
        "scenario.toml",
    ] {
        assert!(folder.join(name).is_file(), "{name} is not written");
    }
    for name in ["load", "success", "herd", "amplification", "differences"] {
        let chart =
            fs::read_to_string(folder.join(format!("charts/{name}.svg"))).expect("the chart is written");
        assert!(chart.contains("</svg>"), "{name}");
    }
    assert!(!folder.join("attempts.csv").exists(), "attempts are written only on request");
}

#[test]
fn the_manifest_digests_every_file_and_nothing_else_is_in_the_folder() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    stdout(&place.run(&["run", "small.toml", "--trace", "2", "--out", "here"]));
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("here/manifest.json")).expect("there is a manifest"))
            .expect("it is JSON");
    let files = manifest["files"].as_object().expect("it lists files");
    for (name, digest) in files {
        let bytes = fs::read(place.path("here").join(name)).expect("a listed file is there");
        assert_eq!(digest.as_str(), Some(retrysim::report::sha256(&bytes).as_str()), "{name}");
    }
    assert_eq!(
        files.len() + 1,
        common::files(&place.path("here")).len(),
        "every file is listed but the manifest itself"
    );
    assert_eq!(manifest["seed"], 1);
    assert_eq!(manifest["arms"], serde_json::json!(["fixed", "none"]));
}

#[test]
fn two_runs_write_the_same_bytes_whatever_the_number_of_jobs() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    for (jobs, out) in [("1", "a"), ("2", "b")] {
        stdout(&place.run(&["run", "small.toml", "--jobs", jobs, "--out", out, "--format", "quiet"]));
    }
    for name in [
        "manifest.json",
        "summary.csv",
        "timeseries.csv",
        "charts/load.svg",
        "charts/success.svg",
        "charts/herd.svg",
    ] {
        let read = |folder: &str| fs::read(place.path(folder).join(name)).expect("the file is written");
        assert_eq!(read("a"), read("b"), "{name}");
    }
}

#[test]
fn what_is_written_runs_again_to_the_same_bytes() {
    let place = Place::new();
    // Without a title, so that the name of the file is all that it has.
    place.write("small.toml", SMALL.replace("title = \"Small\"\n", ""));
    let again = "output/small/scenario.toml";
    for (scenario, out) in [("small.toml", "output/small"), (again, "elsewhere/small"), (again, "third")] {
        let output = place.run(&["run", scenario, "--set", "workloads.calls.clients=3", "--out", out]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    fs::create_dir(place.path("renamed")).expect("a folder can be made");
    fs::copy(place.path(again), place.path("renamed/scenario.toml")).expect("a file can be copied");
    assert!(place.run(&["run", "renamed/scenario.toml", "--out", "fourth"]).status.success());
    let files = |folder: &str| common::files(&place.path(folder));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let first = files("output/small");
    assert!(first.len() > 8);
    assert_eq!(first, files("elsewhere/small"));
    assert_eq!(first, files("third"));
    // Under another name only the manifest differs, which says that name.
    let renamed = files("fourth");
    assert_eq!(names(&first), names(&renamed));
    for ((name, bytes), (_, other)) in first.iter().zip(&renamed) {
        if name.ends_with("manifest.json") {
            let other =
                String::from_utf8_lossy(other).replace("\"name\": \"renamed\"", "\"name\": \"small\"");
            assert_eq!(String::from_utf8_lossy(bytes), other);
        } else {
            assert!(bytes == other, "{name}");
        }
    }
}

#[test]
fn medians_that_too_few_replications_cannot_tell_are_said_once() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let said = |replications: &str| {
        let text = stdout(&place.run(&["run", "small.toml", "--replications", replications]));
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        flat.matches("left out where too few replications observed them").count()
    };
    assert_eq!((said("2"), said("5"), said("6")), (1, 1, 0));
}

#[test]
fn a_scenario_can_be_changed_without_editing_it() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let changed = [
        "run",
        "small.toml",
        "--seed",
        "9",
        "--replications",
        "3",
        "--set",
        "workloads.calls.arrivals.even.requests=7",
        "--format",
        "csv",
    ];
    let text = stdout(&place.run(&changed));
    assert!(text.contains("fixed,calls,api,requests,1,7,7,7,7,7,3"), "{text}");
    let kept = fs::read_to_string(place.path("output/small/scenario.toml")).expect("the scenario is kept");
    assert!(kept.contains("requests = 7") && kept.contains("seed = 9"), "what was run is kept:\n{kept}");
    // A unit needs no quotes inside quotes, and a new field can be added.
    stdout(&place.run(&[
        "run",
        "small.toml",
        "--set",
        "horizon=30s",
        "--set",
        "services.api.latency.constant=50ms",
    ]));
    // The kept scenario gives the same results again.
    stdout(&place.run(&changed));
    let again =
        stdout(&place.run(&["run", "output/small/scenario.toml", "--format", "csv", "--out", "again"]));
    assert_eq!(again, text);
}

#[test]
fn formats_are_for_people_and_for_machines() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let csv = stdout(&place.run(&["run", "small.toml", "--format", "csv"]));
    assert!(
        csv.starts_with("arm,workload,service,metric,unit,mean,ci95_low,ci95_high,min,max,replications\n")
    );
    assert_eq!(csv.as_bytes(), fs::read(place.path("output/small/summary.csv")).expect("it is written"));
    let json = stdout(&place.run(&["run", "small.toml", "--format", "json"]));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(rows.len() + 1, csv.lines().count());
    assert_eq!(rows[1]["metric"], "success_rate");
    assert_eq!(rows[1]["mean"], 1);
    assert_eq!(stdout(&place.run(&["run", "small.toml", "--format", "quiet"])), "");
}

#[test]
fn a_trace_holds_every_attempt_with_its_reason() {
    let place = Place::new();
    let text = SMALL.replace("requests = 5", "requests = 4").replace("rate = \"1/s\"", "rate = \"4/s\"");
    place.write("small.toml", text);
    stdout(&place.run(&["run", "small.toml", "--trace", "10"]));
    let trace = fs::read_to_string(place.path("output/small/attempts.csv")).expect("the trace is written");
    let expected = "\
arm,workload,replication,request,client,arrived_s,attempt,sent_s,known_s,outcome,retry_after_s,decision,delay_s,reason,layer
fixed,calls,0,0,0,0,1,0,0,200,,end,,succeeded,
fixed,calls,0,1,0,0.25,1,0.25,0.25,429,1,retry,1,backoff,1
fixed,calls,0,1,0,0.25,2,1.25,1.25,200,,end,,succeeded,
fixed,calls,0,2,0,0.5,1,0.5,0.5,200,,end,,succeeded,
fixed,calls,0,3,0,0.75,1,0.75,0.75,429,1,retry,1,backoff,1
fixed,calls,0,3,0,0.75,2,1.75,1.75,200,,end,,succeeded,
none,calls,0,0,0,0,1,0,0,200,,end,,succeeded,
none,calls,0,1,0,0.25,1,0.25,0.25,429,1,end,,exhausted,
none,calls,0,2,0,0.5,1,0.5,0.5,200,,end,,succeeded,
none,calls,0,3,0,0.75,1,0.75,0.75,429,1,end,,exhausted,
";
    assert_eq!(trace, expected);
}

#[test]
fn delays_are_printed_for_people_and_for_machines() {
    let place = Place::new();
    let prefect = ["delays", "prefect@3", "--set", "retries=2", "--set", "retry_delay_seconds=[1, 2.5]"];
    let csv = stdout(&place.run(&[&prefect[..], &["--samples", "3", "--format", "csv"]].concat()));
    let header = "retry_index,n,min,max,mean,std,q05,q25,q50,q75,q95";
    assert_eq!(csv, format!("{header}\n1,3,1,1,1,0,1,1,1,1,1\n2,3,2.5,2.5,2.5,0,2.5,2.5,2.5,2.5,2.5\n"));
    let json = stdout(&place.run(&[&prefect[..], &["--format", "json"]].concat()));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!((rows.len(), rows[1]["mean"].as_f64()), (2, Some(2.5)));
    let text = stdout(&place.run(&[&prefect[..], &["--retries", "4"]].concat()));
    assert_eq!(text.lines().count(), 5, "{text}");
    // The same seed draws the same delays, another one others.
    let drawn =
        |seed| stdout(&place.run(&["delays", "google-api-core@2", "--samples", "50", "--seed", seed]));
    assert_eq!(drawn("1"), drawn("1"));
    assert_ne!(drawn("1"), drawn("2"));
    // After throttling, or with a header, some wait differently; a policy of a scenario can be shown as well.
    let slow = stdout(&place.run(&["delays", "botocore@1.44", "--outcome", "429", "--format", "csv"]));
    let max: f64 = slow
        .lines()
        .nth(1)
        .and_then(|row| row.split(',').nth(3))
        .and_then(|x| x.parse().ok())
        .expect("a row");
    assert!((0.9..=1.0).contains(&max), "{slow}");
    let asked = stdout(&place.run(&[
        "delays",
        "go-retryablehttp@0.7",
        "--outcome",
        "429",
        "--retry-after",
        "7s",
        "--format",
        "csv",
    ]));
    assert!(asked.contains("\n1,10000,7,7,7,0,"), "{asked}");
    place.write("small.toml", SMALL);
    assert!(
        stdout(&place.run(&["delays", "small.toml#fixed", "--format", "csv"])).contains("\n1,10000,1,1,1,0,")
    );
}

#[test]
fn charts_are_written_as_png_as_well_on_request() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    stdout(&place.run(&["run", "small.toml", "--replications", "2", "--png", "--out", "here"]));
    let manifest = fs::read_to_string(place.path("here/manifest.json")).expect("there is a manifest");
    for name in ["load", "success", "herd", "amplification", "differences"] {
        let png =
            fs::read(place.path("here").join(format!("charts/{name}.png"))).expect("the chart is written");
        assert!(png.starts_with(b"\x89PNG") && manifest.contains(&format!("charts/{name}.png")), "{name}");
    }
}

#[test]
fn delays_of_several_policies_are_drawn_above_one_another() {
    let place = Place::new();
    let drawn = ["delays", "prefect@3", "google-api-core@2", "--retries", "3", "--chart", "d.svg", "--png"];
    let text = stdout(&place.run(&drawn));
    assert!(text.contains("prefect@3\n") && text.contains("google-api-core@2\n"), "{text}");
    let svg = fs::read_to_string(place.path("d.svg")).expect("the chart is written");
    assert!(svg.contains("prefect@3") && svg.contains("10000 requests drawn · d.csv"), "{svg}");
    assert!(fs::read(place.path("d.png")).expect("the chart is written").starts_with(b"\x89PNG"));
    let csv = fs::read_to_string(place.path("d.csv")).expect("its numbers are written");
    assert_eq!(csv.lines().count(), 7, "{csv}");
    assert!(
        csv.starts_with("policy,retry_index,n,min,max,q05,q25,q50,q75,q95\nprefect@3,1,10000,0,0,"),
        "{csv}"
    );
    // What is there is replaced only if it is of the same kind.
    stdout(&place.run(&drawn));
    place.write("other.csv", "mine");
    for (arguments, needle) in [
        (&["delays", "prefect@3", "google-api-core@2"][..], "--chart FILE.svg"),
        (&["delays", "prefect@3", "google-api-core@2", "--chart", "e.svg", "--format", "csv"], "--format"),
        (&["delays", "prefect@3", "google-api-core@2", "--chart", "e.svg", "--set", "retries=2"], "--set"),
        (&["delays", "prefect@3", "--chart", "e.pdf"], "ends in .svg"),
        (&["delays", "prefect@3", "--chart", "other.svg"], "other.csv is no such file"),
        (&["delays", "prefect@3", "--chart", "nowhere/e.svg"], "no folder"),
        (&["delays", "prefect@3", "--png"], "--chart"),
    ] {
        let output = place.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(needle), "{arguments:?}: {said}");
    }
    assert!(!place.path("e.svg").exists(), "a refusal leaves nothing behind");
}

#[test]
fn delays_that_cannot_be_shown_are_refused_with_a_remedy() {
    let place = Place::new();
    for (arguments, needle) in [
        (&["delays", "prefetc@3"][..], "did you mean"),
        (&["delays", "textbook:breaker"], "is a breaker preset"),
        (&["delays", "prefect@3", "--set", "retries"], "NAME=VALUE"),
        (&["delays", "prefect@3", "--set", "retry_delay_seconds=soon"], "write a number of seconds"),
        (&["delays", "botocore@1.44", "--set", "max_attempts=nan"], "this is not a number"),
        (&["delays", "grpc@1", "--set", "maxAttempts=0"], "out of range"),
        (&["delays", "retry@0.13", "--outcome", "200"], "300 to 599"),
        (&["delays", "notion-client@3", "--outcome", "404"], "does not retry 404"),
        (&["delays", "prefect@3", "--retry-after", "5"], "no unit"),
        (&["delays", "missing.toml#p"], "cannot read"),
    ] {
        let output = place.run(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(needle), "{arguments:?}: no \"{needle}\" in\n{text}");
    }
}

#[test]
fn an_expectation_that_is_not_met_exits_with_3_and_still_writes() {
    let place = Place::new();
    place.write(
        "small.toml",
        format!("{SMALL}[expect]\n\"fixed.success_rate\" = \">= 0.5\"\n\"none.success_rate\" = \"< 0.5\"\n"),
    );
    let output = place.run(&["run", "small.toml"]);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("met      fixed.success_rate >= 0.5 (1)"), "{text}");
    assert!(text.contains("NOT MET  none.success_rate < 0.5 (1)"), "{text}");
    assert!(place.path("output/small/manifest.json").is_file());
}

#[test]
fn check_finds_every_problem_and_runs_nothing() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let text = stdout(&place.run(&["check", "small.toml"]));
    for needle in [
        "small.toml: sound",
        "arms: fixed, none",
        "at most about 50",
        "policy fixed: 4 attempts at most, waits 3s",
    ] {
        assert!(text.contains(needle), "no \"{needle}\" in\n{text}");
    }
    let bad = SMALL
        .replace("horizon = \"1m\"", "horizon = 60")
        .replace("\"2/s\"", "\"2\"")
        .replace("retries = 0", "retires = 0");
    place.write("bad.toml", bad);
    place.refuses(
        &["check", "bad.toml"],
        &["60 has no unit", "\"2\" is not a rate", "did you mean `retries`?", "3 problems", "bad.toml:4:"],
    );
    assert!(!place.path("output").exists());
}

#[test]
fn new_writes_a_scenario_that_runs_as_written() {
    let place = Place::new();
    let text = stdout(&place.run(&["new", "first.toml"]));
    assert!(text.contains("retrysim run first.toml"), "{text}");
    assert!(stdout(&place.run(&["run", "first.toml"])).contains("met "));
    place.refuses(&["new", "first.toml"], &["first.toml exists", "--force"]);
    stdout(&place.run(&["new", "first.toml", "--force"]));
    assert_eq!(
        stdout(&place.run(&["new", "-"])),
        fs::read_to_string(place.path("first.toml")).expect("it is there")
    );
    place.refuses(&["new", "no/such/folder/x.toml"], &["cannot write", "name another file"]);
}

#[test]
fn every_template_runs_as_written() {
    let place = Place::new();
    let list = stdout(&place.run(&["new", "--list"]));
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["jitter", "prefect-task", "rate-limit", "webhooks", "queue"]);
    for (name, line) in names.iter().zip(list.lines()) {
        assert!((40..100).contains(&line.len()), "{line}");
        let file = format!("{name}.toml");
        stdout(&place.run(&["new", &file, "--template", name]));
        let text = fs::read_to_string(place.path(&file)).expect("it is there");
        for field in ["# ", "\ntitle = \"", "\nquestion = \""] {
            assert!(text.contains(field), "{name} has no {field:?}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 140), "{name} has long lines");
        // Two replications prove nothing of an expectation, which is then undecided.
        let few = if text.contains("\n[expect]") { "10" } else { "2" };
        stdout(&place.run(&["run", &file, "--replications", few]));
        stdout(&place.run(&["check", &file]));
    }
    let present = stdout(&place.run(&["new", "-"]));
    assert_eq!(present, fs::read_to_string(place.path("jitter.toml")).expect("it is there"));
}

#[test]
fn a_template_that_is_not_there_is_refused_with_those_that_are() {
    let place = Place::new();
    place.refuses(
        &["new", "x.toml", "--template", "webhook"],
        &[
            "'webhook'",
            "jitter, prefect-task, rate-limit, webhooks, queue",
            "similar value exists: 'webhooks'",
        ],
    );
    place.refuses(&["new", "x.toml", "--list"], &["--list"]);
    place.refuses(&["new"], &["FILE"]);
}

#[test]
fn presets_are_listed_and_shown() {
    let place = Place::new();
    let list = stdout(&place.run(&["presets"]));
    for id in [
        "prefect@3",
        "prefect@3:exponential-backoff",
        "guide:exponential-jitter",
        "guide:breaker",
        "textbook:breaker",
    ] {
        assert!(list.contains(id), "{id}");
        let shown = stdout(&place.run(&["presets", id]));
        assert!(shown.contains("composition") && shown.contains("source:"), "{shown}");
    }
    place
        .refuses(&["presets", "prefect3"], &["there is no preset \"prefect3\"", "did you mean `prefect@3`?"]);
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let place = Place::new();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("retrysim"))
        .args(["presets"])
        .current_dir(place.path(""))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}

#[test]
fn a_file_that_is_no_scenario_is_refused() {
    let place = Place::new();
    place.refuses(&["run", "missing.toml"], &["missing.toml", "No such file", "retrysim new"]);
    place.refuses(&["run", "."], &["Is a directory", "name a file"]);
    place.refuses_scenario(
        "",
        &["`horizon` is missing", "there is no service", "there is no workload", "there is no policy"],
    );
    place.refuses_scenario("hello {{{", &["bad.toml:1:", "not valid TOML"]);
    place.write("garbage.toml", vec![0xC3u8; 10_000_000]);
    place.refuses(&["run", "garbage.toml"], &["10000000 bytes", "the limit is 1048576"]);
    place.write("binary.toml", [0xff, 0xfe, 0x00, 0x01]);
    place.refuses(&["run", "binary.toml"], &["byte 0 is not UTF-8"]);
    place.refuses_scenario(&"[".repeat(100_000), &["not valid TOML"]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn bad_fields_are_named_with_their_place_and_a_remedy() {
    // (what to replace, with what, what the message must say)
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "retries = 0",
            "retires = 0",
            &["policies.none.retires", "unknown field", "did you mean `retries`?", "bad.toml:16:1"],
        ),
        (
            "retries = 0",
            "retries = -1",
            &["policies.none.retries", "-1 is out of range", "from 0 to 1000000"],
        ),
        ("retries = 3", "retries = -1", &["policies.fixed.retries", "-1 is out of range"]),
        ("retries = 0", "retries = \"many\"", &["policies.none.retries", "a whole number from 0 to 1000000"]),
        ("retries = 0", "retries = 1.5", &["1.5 is not a whole number"]),
        ("retries = 0", "retries = 5.0", &["write 5"]),
        ("retries = 0", "retries = 99999999999999999999", &["policies.none.retries"]),
        (
            "retries = 0",
            "retries = 1\nbackoff.fixed = 60",
            &["policies.none.backoff.fixed", "60 has no unit", "\"60s\""],
        ),
        ("retries = 0", "retries = 1\nbackoff.fixed = \"60\"", &["60 has no unit"]),
        ("retries = 0", "retries = 1\nbackoff.fixed = nan", &["nan is not a duration"]),
        ("retries = 0", "retries = 1\nbackoff.fixed = \"-5s\"", &["negative"]),
        (
            "retries = 0",
            "retries = 1\nbackoff.fixed = \"300000000h\"",
            &["policies.none.backoff.fixed", "is not a duration"],
        ),
        ("retries = 0", "retries = 1", &["policies.none", "no backoff", "backoff.fixed"]),
        ("retries = 0", "backoff.fixed = \"1s\"", &["never stops", "`retries`, `max_elapsed` or `deadline`"]),
        ("retries = 0", "deadline = \"1s\"\nbackoff.fixed = \"0s\"", &["retry for ever"]),
        (
            "retries = 0",
            "retries = 1\nbackoff.exponential = { base = \"1s\", factor = inf }",
            &["inf is out of range", "from 1 to 1000"],
        ),
        ("retries = 0", "retries = 0\njitter.proportional = 2.0", &["2 is out of range", "from 0 to 1"]),
        ("retries = 0", "retries = 0\njitter = \"fulll\"", &["policies.none.jitter", "did you mean `full`?"]),
        (
            "retries = 0",
            "retries = 0\ncache = { ttl = \"1h\" }",
            &["caches successes by input", "keys = 1000"],
        ),
        (
            "retries = 0",
            "retries = 0\nbreaker = { use = \"guide:braker\" }",
            &["policies.none.breaker.use", "did you mean `guide:breaker`?"],
        ),
        (
            "retries = 0",
            "retries = 0\nbreaker = { trip.consecutive = 0, open_for = \"1s\" }",
            &["policies.none.breaker.trip.consecutive", "0 is out of range"],
        ),
        (
            "\"prefect@3\"",
            "\"prefect@4\"",
            &["policies.fixed.use", "there is no policy preset", "did you mean `prefect@3`?"],
        ),
        ("retry_delay_seconds = 1", "retry_delay_second = 1", &["did you mean `retry_delay_seconds`?"]),
        (
            "retry_delay_seconds = 1",
            "retry_delay_seconds = nan",
            &["policies.fixed.retry_delay_seconds", "nan is not a time"],
        ),
        (
            "retry_delay_seconds = 1",
            "retry_delay_seconds = \"soon\"",
            &["a number of seconds", "a list of them"],
        ),
        (
            "retry_delay_seconds = 1",
            "retry_delay_seconds = inf",
            &["retry_delay_seconds", "inf is not a time"],
        ),
        (
            "service = \"api\"",
            "service = \"apy\"",
            &["workloads.calls.service", "there is no service \"apy\"", "did you mean `api`?"],
        ),
        ("service = \"api\"", "", &["workloads.calls", "`service` is missing"]),
        ("requests = 5", "requests = 0", &["workloads.calls.arrivals.even.requests", "0 is out of range"]),
        (
            "requests = 5",
            "from = \"20s\", until = \"10s\"",
            &["workloads.calls.arrivals", "end (10s) before they start (20s)"],
        ),
        ("rate = \"1/s\"", "rate = 1", &["workloads.calls.arrivals.even.rate", "write \"1/s\""]),
        ("rate = \"1/s\"", "rate = \"0/s\"", &["above zero"]),
        ("burst = 1", "burst = 0", &["services.api.rate_limit.token_bucket.burst", "0 is out of range"]),
        ("burst = 1", "burst = 1e300", &["is not a whole number"]),
        ("horizon = \"1m\"", "horizon = \"0s\"", &["horizon", "a run of 0s"]),
        ("horizon = \"1m\"", "horizon = \"10000y\"", &["horizon", "is not a duration"]),
        ("horizon = \"1m\"", "horizon = \"1m\"\nbin = \"1ns\"", &["bin", "the limit is 20000"]),
        ("horizon = \"1m\"", "horizon = \"1m\"\nwindow = \"2m\"", &["window", "the horizon of 1m"]),
        ("replications = 2", "replications = 0", &["replications", "0 is out of range", "from 1"]),
        ("replications = 2", "replications = 2\nseed = -1", &["seed", "-1 is out of range"]),
        ("title = \"Small\"", "titel = \"Small\"", &["titel", "did you mean `title`?"]),
        ("[policies.none]", "[policies.fixed]", &["duplicate key", "rename one of them"]),
        ("[policies.none]", "[policies.\"a.b\"]", &["is not a name"]),
        (
            "[policies.none]",
            "[arms.x]\ncalls = \"fixd\"\n[policies.none]",
            &["arms.x.calls", "there is no policy \"fixd\"", "did you mean `fixed`?"],
        ),
        (
            "[policies.none]",
            "[arms.x]\ncall = \"fixed\"\n[policies.none]",
            &["there is no workload \"call\"", "did you mean `calls`?"],
        ),
        (
            "[policies.none]",
            "[expect]\n\"fixed.succes_rate\" = \"> 0\"\n[policies.none]",
            &["did you mean `success_rate`?"],
        ),
        (
            "[policies.none]",
            "[expect]\n\"fixed.success_rate\" = \"good\"\n[policies.none]",
            &["is not a condition"],
        ),
        (
            "[workloads.calls]",
            "[[services.api.incidents]]\noutage = { from = \"2m\", lasts = \"1m\" }\n[workloads.calls]",
            &["services.api.incidents.0", "when the run of 1m is over"],
        ),
        (
            "[workloads.calls]",
            "[[services.api.faults]]\nrandom = { status = 99, probability = 0.5 }\n[workloads.calls]",
            &["services.api.faults.0.random.status", "99 is out of range"],
        ),
        (
            "[workloads.calls]",
            "[[services.api.faults]]\nrandom = { status = 500, probability = nan }\n[workloads.calls]",
            &["probability", "NaN is out of range"],
        ),
    ];
    let place = Place::new();
    for (from, to, needles) in cases {
        assert!(SMALL.contains(from), "{from}");
        place.refuses_scenario(&SMALL.replacen(from, to, 1), needles);
    }
}

#[test]
fn bad_options_are_refused() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    place.refuses(&["run", "small.toml", "--set", "workloads"], &["NAME=VALUE"]);
    place.refuses(
        &["run", "small.toml", "--set", "workloads.calls.clients=-5"],
        &["-5 is out of range", "command line", "--> --set workloads.calls.clients=-5"],
    );
    place.refuses(&["run", "small.toml", "--set", "title.x=1"], &["--set title.x=1"]);
    place.refuses(&["run", "small.toml", "--replications", "0"], &["0 is out of range"]);
    place.refuses(&["run", "small.toml", "--seed", "-1"], &["--seed"]);
    place.refuses(&["run", "small.toml", "--jobs", "0"], &["--jobs"]);
    place.refuses(&["run", "small.toml", "--format", "xml"], &["possible values"]);
    place.refuses(&["rum", "small.toml"], &["'run'"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_anything_is_run() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    place.write("a-file", "");
    place.refuses(&["run", "small.toml", "--out", "a-file/run"], &["cannot write to a-file/run", "--out"]);
    fs::create_dir(place.path("precious")).expect("a folder can be made");
    place.write("precious/thesis.txt", "mine");
    place.refuses(&["run", "small.toml", "--out", "precious"], &["not a folder of an earlier run", "--out"]);
    place.refuses(
        &["run", "small.toml", "--out", "/proc/nowhere/run"],
        &["cannot write to /proc/nowhere/run"],
    );
}

#[test]
fn what_another_verb_has_written_is_not_replaced() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let vary = ["-P", "workloads.calls.clients=1..3:1"];
    assert!(place.run(&[&["sweep", "small.toml", "--out", "kept"][..], &vary].concat()).status.success());
    assert!(place.run(&["run", "small.toml", "--out", "run"]).status.success());
    place
        .refuses(&["run", "small.toml", "--out", "kept"], &["kept", "`retrysim sweep` has written", "--out"]);
    place.refuses(
        &[
            "limits",
            "small.toml",
            "--vary",
            "workloads.calls.clients=1..3",
            "--until",
            "success_rate > 0.5",
            "--out",
            "kept",
        ],
        &["`retrysim sweep` has written"],
    );
    place.refuses(
        &[&["sweep", "small.toml", "--out", "run"][..], &vary].concat(),
        &["`retrysim run` has written"],
    );
    // A file in the place of a folder is named as what it is.
    place.refuses(
        &[&["sweep", "small.toml", "--out", "small.toml/x"][..], &vary].concat(),
        &["cannot write to small.toml/x:"],
    );
}

#[test]
fn an_expectation_can_be_set_by_its_quoted_key() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let output = place.run(&["run", "small.toml", "--set", "expect.\"fixed.success_rate\"=< 0.1"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).to_lowercase().contains("not met"), "{output:?}");
}
