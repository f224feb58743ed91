//! Sweeps as their users meet them: grids and samples, stopped and taken up again, in shards and merged.

mod common;

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use common::{Place, files};
use retrysim::report::sweep::{Tables, sealed};

/// Fixed delays against a bucket: of n clients that come at once, `burst` pass in each wave, as long as the bucket fills between.
const SMALL: &str = r#"
title = "Small"
question = "How many get through?"
horizon = "5m"
replications = 2
[services.api]
rate_limit.token_bucket = { rate = "10/s", burst = 10 }
[workloads.calls]
service = "api"
clients = 20
arrivals.burst = { at = "0s" }
[policies.fixed]
retries = 2
backoff.fixed = "10s"
[policies.spread]
retries = 2
backoff.fixed = "10s"
jitter = "full"
"#;

const CLIENTS: [&str; 2] = ["-P", "workloads.calls.clients=10..50:10"];

/// A folder with the small scenario in it.
fn small() -> Place {
    let place = Place::new();
    place.write("small.toml", SMALL);
    place
}

impl Place {
    /// Sweeps quietly into `out`, with more arguments; gives what was said on stderr.
    fn sweep(&self, out: &str, more: &[&str]) -> String {
        let arguments = [&["sweep", "small.toml", "--format", "quiet", "--out", out], more].concat();
        let output = self.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }

    fn merge(&self, out: &str, shards: &[&str]) {
        let output = self.run(&[&["merge", "--format", "quiet", "--out", out], shards].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        files(&self.path(folder))
    }
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with("points/")).collect()
}

/// The rows of sweep.csv as maps would be: (column, cell).
fn rows(table: &[u8]) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(table);
    let header = reader.headers().expect("there is a header").clone();
    let named = |row: csv::StringRecord| {
        header.iter().zip(&row).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
    };
    reader.records().map(|row| named(row.expect("a sound row"))).collect()
}

fn cell<'r>(row: &'r [(String, String)], column: &str) -> &'r str {
    &row.iter().find(|(name, _)| name == column).unwrap_or_else(|| panic!("no column {column}")).1
}

#[test]
fn a_grid_is_one_tidy_table_of_what_run_says_at_each_point() {
    let place = small();
    let output =
        place.run(&[&["sweep", "small.toml"][..], &CLIENTS, &["-L", "policies.fixed.retries=0,2"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("written to output/small-sweep") && said.contains("How many get through?"),
        "{said}"
    );
    let written = place.files("output/small-sweep");
    assert_eq!(
        names(&written),
        [
            "charts/heatmap-attempts_per_request.svg",
            "charts/heatmap-offered_load_peak.svg",
            "charts/heatmap-success_rate.svg",
            "comparison.csv",
            "manifest.json",
            "scenario.toml",
            "sweep.csv",
            "sweep.json"
        ]
    );
    let table = fs::read(place.path("output/small-sweep/sweep.csv")).expect("a table");
    let header = String::from_utf8_lossy(&table).lines().next().expect("a header").to_owned();
    assert_eq!(
        header,
        "point,workloads.calls.clients,policies.fixed.retries,arm,workload,service,metric,unit,mean,ci95_low,ci95_high,min,max,\
         replications"
    );
    // The closed form: ten pass in each wave.
    let mut seen = 0;
    for row in
        rows(&table).iter().filter(|row| cell(row, "metric") == "success_rate" && cell(row, "arm") == "fixed")
    {
        let number = |column| cell(row, column).parse::<f64>().expect("a number");
        let waves = number("policies.fixed.retries") + 1.0;
        let expected = (10.0 * waves / number("workloads.calls.clients")).min(1.0);
        assert!((number("mean") - expected).abs() < 1e-8, "{row:?}");
        seen += 1;
    }
    assert_eq!(seen, 10);
    // And the rows of a point are those of a run with the same values.
    place.run(&[
        "run",
        "small.toml",
        "--set",
        "workloads.calls.clients=30",
        "--set",
        "policies.fixed.retries=0",
        "--out",
        "one",
    ]);
    let one = fs::read_to_string(place.path("one/summary.csv")).expect("a summary");
    let text = String::from_utf8(table).expect("text");
    let point: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("5,30,0,")).collect();
    assert_eq!(point, one.lines().skip(1).collect::<Vec<_>>());
    // So are those of its comparison.
    let read = |name: &str| fs::read_to_string(place.path(name)).expect("a comparison");
    let (one, all) = (read("one/comparison.csv"), read("output/small-sweep/comparison.csv"));
    let head = format!(
        "point,workloads.calls.clients,policies.fixed.retries,{}",
        one.lines().next().expect("a header")
    );
    assert_eq!(all.lines().next(), Some(head.as_str()));
    let point: Vec<&str> = all.lines().filter_map(|line| line.strip_prefix("5,30,0,")).collect();
    assert!(!point.is_empty() && point == one.lines().skip(1).collect::<Vec<_>>());
}

#[test]
fn the_arms_are_held_against_the_baseline_at_every_point() {
    let place = small();
    place.sweep("first", &CLIENTS);
    place.sweep("other", &[&CLIENTS[..], &["--baseline", "spread"]].concat());
    let compared = |folder: &str| {
        let table = fs::read(place.path(folder).join("comparison.csv")).expect("a comparison");
        let rows = rows(&table).into_iter().filter(|row| cell(row, "metric") == "success_rate");
        let of = |row: &Vec<(String, String)>| {
            let difference: f64 = cell(row, "difference").parse().expect("a number");
            (
                cell(row, "point").to_owned(),
                format!("{}/{}", cell(row, "arm"), cell(row, "baseline")),
                difference,
            )
        };
        rows.map(|row| of(&row)).collect::<Vec<_>>()
    };
    let (first, other) = (compared("first"), compared("other"));
    assert_eq!(first.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
    for (one, another) in first.iter().zip(&other) {
        assert_eq!((one.1.as_str(), another.1.as_str()), ("spread/fixed", "fixed/spread"));
        assert!((one.2 + another.2).abs() < 1e-12, "{one:?} {another:?}");
    }
    // With one arm there is nothing to compare.
    place.write("alone.toml", SMALL.split("[policies.spread]").next().expect("it has a first part"));
    assert!(place.run(&[&["sweep", "alone.toml", "--out", "alone"][..], &CLIENTS].concat()).status.success());
    assert!(!place.path("alone/comparison.csv").exists() && place.path("alone/sweep.csv").exists());
}

#[test]
fn two_sweeps_at_once_into_one_folder_give_what_one_gives() {
    let place = small();
    let arguments = ["-P", "workloads.calls.clients=5..60:5", "--jobs", "1"];
    place.sweep("whole", &arguments);
    for round in 0..6 {
        let out = format!("both-{}", round / 2); // every other one finds a finished folder
        let children: Vec<_> = (0..3)
            .map(|_| {
                let binary = assert_cmd::cargo::cargo_bin("retrysim");
                let mut command = std::process::Command::new(binary);
                command.current_dir(place.path("")).args([
                    "sweep",
                    "small.toml",
                    "--format",
                    "quiet",
                    "--out",
                    &out,
                ]);
                command.args(arguments).stderr(Stdio::piped()).spawn().expect("the binary runs")
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().expect("it ends");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(place.files(&out) == place.files("whole"), "{round}");
        assert!(!place.path(&format!("{out}.unfinished")).exists(), "{round}");
    }
    let left: Vec<String> = fs::read_dir(place.path(""))
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn two_different_sweeps_at_once_into_one_folder_do_not_both_succeed() {
    let place = small();
    for round in 0..6 {
        let out = format!("other-{round}");
        let start = |axis: &str| {
            let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("retrysim"));
            command.current_dir(place.path("")).args([
                "sweep",
                "small.toml",
                "--out",
                &out,
                "--jobs",
                "1",
                "-P",
                axis,
            ]);
            command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the binary runs")
        };
        let children = [start("workloads.calls.clients=5..60:5"), start("workloads.calls.clients=5..60:6")];
        let outputs = children.map(|child| child.wait_with_output().expect("it ends"));
        let said = outputs.each_ref().map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(
            outputs.iter().any(|output| !output.status.success()),
            "{round}: one took the place of the other"
        );
        assert!(said.iter().any(|said| said.contains("another sweep")), "{round}: {said:?}");
    }
}

#[test]
fn a_sweep_in_an_array_of_jobs_says_that_it_is_no_part() {
    let place = small();
    for (variable, value) in [("SLURM_ARRAY_TASK_ID", "3"), ("JOB_COMPLETION_INDEX", "0")] {
        let mut command = place.command(&["sweep", "small.toml", "--format", "quiet"]);
        let output = command.args(CLIENTS).env(variable, value).output().expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success());
        assert!(said.contains(&format!("note: {variable} is set")) && said.contains("--shard"), "{said}");
    }
}

#[test]
fn the_bytes_are_the_same_for_any_number_of_jobs_and_formats_tell_the_same() {
    let place = small();
    let sampled =
        ["-P", "workloads.calls.clients=10..90", "-L", "policies.spread.jitter=full,equal", "--points", "7"];
    place.sweep("one", &[&sampled[..], &["--jobs", "1"]].concat());
    place.sweep("two", &[&sampled[..], &["--jobs", "2"]].concat());
    assert!(place.files("one") == place.files("two"));
    assert!(names(&place.files("one")).contains(&"charts/dots-success_rate.svg"));
    let printed = |format: &str| {
        let arguments = [&["sweep", "small.toml", "--out", "one", "--format", format][..], &sampled].concat();
        place.run(&arguments).stdout
    };
    let table = fs::read(place.path("one/sweep.csv")).expect("a table");
    assert_eq!(printed("csv"), table);
    let json: serde_json::Value = serde_json::from_slice(&printed("json")).expect("JSON");
    let (first, row) = (&json[0], &rows(&table)[0]);
    assert_eq!(first["point"], 1);
    assert_eq!(first["workloads.calls.clients"], cell(row, "workloads.calls.clients"), "as it was written");
    assert_eq!(first["mean"].as_f64(), cell(row, "mean").parse().ok());
    assert_eq!(json.as_array().map(Vec::len), Some(rows(&table).len()));
    // Another seed lays the points elsewhere.
    place.sweep("other", &[&sampled[..], &["--seed", "2"]].concat());
    let clients = |folder: &str| {
        let table = fs::read(place.path(folder).join("sweep.csv")).expect("a table");
        rows(&table).iter().map(|row| cell(row, "workloads.calls.clients").to_owned()).collect::<Vec<_>>()
    };
    assert_ne!(clients("one"), clients("other"));
}

#[test]
fn a_sweep_that_is_killed_goes_on_where_it_was() {
    let place = small();
    // Long enough to be caught, and on one thread, so that points are finished one after the other.
    let arguments = ["-P", "workloads.calls.clients=200..2000:200", "--replications", "40", "--jobs", "1"];
    place.sweep("whole", &arguments);
    let all = fs::read_dir(place.path("whole/points")).expect("points").count();
    let binary = assert_cmd::cargo::cargo_bin("retrysim");
    let mut child = std::process::Command::new(binary)
        .current_dir(place.path(""))
        .args(["sweep", "small.toml", "--format", "quiet", "--out", "killed"])
        .args(arguments)
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let kept = || {
        let entries = fs::read_dir(place.path("killed.unfinished/points")).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "point")).count()
    };
    for _ in 0..20_000 {
        if kept() >= 2 || child.try_wait().expect("it can be asked").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let before = kept();
    assert!((2..all).contains(&before), "{before} of {all} points were finished: nothing to be seen");
    assert!(!place.path("killed").exists(), "the folder appears whole or not at all");

    // One of them is damaged, as by a disk: it is named and computed again.
    let damaged = fs::read_dir(place.path("killed.unfinished/points"))
        .expect("points")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "point"))
        .expect("a point");
    let mut bytes = fs::read(&damaged).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, bytes).expect("writable");
    // Another sweep does not touch what is there.
    let other = ["sweep", "small.toml", "--out", "killed", "-P", "workloads.calls.clients=1..2:1"];
    place.refuses(
        &other,
        &[
            "killed.unfinished holds the finished points of another sweep",
            "number of points is 10, not 2",
            "--out",
        ],
    );
    let said = place.sweep("killed", &arguments);
    let name = damaged.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(said.contains(&name) && said.contains("is damaged"), "{said}");
    assert!(said.contains(&format!("{} of {all} points were finished before", before - 1)), "{said}");
    assert!(place.files("killed") == place.files("whole"));
    assert!(!place.path("killed.unfinished").exists());
}

#[test]
fn a_finished_sweep_is_not_computed_again_and_not_replaced_by_another() {
    let place = small();
    place.sweep("out", &CLIENTS);
    let before = place.files("out");
    let said =
        place.sweep("out", &[&CLIENTS[..], &["--metric", "honest_p99", "--metric", "herd_share"]].concat());
    assert!(said.contains("5 of 5 points were finished before"), "{said}");
    assert_ne!(place.files("out"), before, "the chart shows something else");
    assert_eq!(said.lines().count(), 1, "{said}");
    place.sweep("out", &CLIENTS);
    assert!(place.files("out") == before);
    for more in [&["--seed", "9"][..], &["--set", "horizon=6m"], &["--shard", "1/2"]] {
        let arguments = [&["sweep", "small.toml", "--out", "out"][..], &CLIENTS, more].concat();
        place.refuses(&arguments, &["out holds another sweep", "--out"]);
    }
    // What was changed by hand is seen, also in a finished folder.
    let point = before.iter().find(|(name, _)| name.starts_with("points/")).expect("a point").0.clone();
    fs::write(place.path("out").join(&point), "nothing").expect("writable");
    let said = place.sweep("out", &CLIENTS);
    assert!(said.contains(&point) && said.contains("is damaged"), "{said}");
    assert!(place.files("out") == before);
    // A thing of somebody else is left alone.
    place.write("out/notes.txt", "mine");
    place.refuses(&[&["sweep", "small.toml", "--out", "out"][..], &CLIENTS].concat(), &["notes.txt"]);
}

#[test]
fn shards_merge_to_the_bytes_of_the_whole() {
    let place = small();
    place.sweep("whole", &CLIENTS);
    for shard in ["1", "2", "3"] {
        place.sweep(&format!("part-{shard}"), &[&CLIENTS[..], &["--shard", &format!("{shard}/3")]].concat());
    }
    let points = |folder: &str| fs::read_dir(place.path(folder).join("points")).expect("points").count();
    assert_eq!(["part-1", "part-2", "part-3", "whole"].map(points), [2, 2, 1, 5]);
    place.merge("merged", &["part-3", "part-1", "part-2"]);
    assert!(place.files("merged") == place.files("whole"));
    assert!(!place.path("merged.unfinished").exists());
    // The same shard twice is no harm.
    place.merge("merged", &["part-3", "part-1", "part-2", "part-1"]);
    assert!(place.files("merged") == place.files("whole"));
    // Schedulers name the shard.
    let auto = |variables: &[(&str, &str)], shard: &str| {
        let mut command = place.command(&["sweep", "small.toml", "--format", "quiet", "--shard", shard]);
        command.args(CLIENTS).envs(variables.iter().copied()).assert().success();
    };
    auto(
        &[("SLURM_ARRAY_TASK_ID", "7"), ("SLURM_ARRAY_TASK_MIN", "5"), ("SLURM_ARRAY_TASK_COUNT", "3")],
        "auto",
    );
    auto(&[("JOB_COMPLETION_INDEX", "0")], "auto/3");
    assert!(place.files("output/small-sweep-3-of-3") == place.files("part-3"));
    assert!(place.files("output/small-sweep-1-of-3") == place.files("part-1"));
}

#[test]
fn shards_that_do_not_belong_together_are_refused_by_name() {
    let place = small();
    let shard = |out: &str, shard: &str, more: &[&str]| {
        place.sweep(out, &[&CLIENTS[..], &["--shard", shard], more].concat());
    };
    for (out, index) in [("a", "1/3"), ("b", "2/3"), ("c", "3/3"), ("half", "2/2")] {
        shard(out, index, &[]);
    }
    shard("seeded", "2/3", &["--seed", "9"]);
    place.sweep("whole", &CLIENTS);
    fs::create_dir(place.path("empty")).expect("a folder can be made");
    let refused = |shards: &[&str], needles: &[&str]| {
        place.refuses(&[&["merge", "--out", "m"], shards].concat(), needles);
    };
    refused(&["a", "c"], &["shard 2/3 is missing"]);
    refused(&["b"], &["shards 1/3, 3/3 are missing"]);
    refused(&["a", "seeded", "c"], &["seeded is of another sweep than a", "scenario"]);
    refused(&["a", "half", "c"], &["half is one of 2 shards, a one of 3"]);
    refused(&["a", "b", "whole"], &["whole: it is a whole sweep"]);
    refused(&["a", "b", "empty"], &["empty: it is no shard"]);
    refused(&["a", "b", "nowhere"], &["nowhere: there is no such folder"]);
    // Of another results version.
    let plan = fs::read_to_string(place.path("b/sweep.json")).expect("a plan");
    let version = format!("\"results_version\": {}", retrysim::report::RESULTS_VERSION);
    place.write("b/sweep.json", plan.replace(&version, "\"results_version\": 1"));
    refused(&["a", "b", "c"], &["b: its results version is 1"]);
    place.write("b/sweep.json", "{");
    refused(&["a", "b", "c"], &["b: its sweep.json is damaged"]);
    place.write("b/sweep.json", &plan);
    // Damaged, missing, and there twice with different results.
    let files = place.files("b");
    let (name, sound) = files.iter().find(|(name, _)| name.starts_with("points/")).expect("a point");
    let path = format!("b/{name}");
    place.write(&path, &sound[..sound.len() - 3]);
    refused(&["a", "b", "c"], &[name, "is damaged", "run shard 2/3 again"]);
    fs::remove_file(place.path(&path)).expect("it can be removed");
    refused(&["a", "b", "c"], &[name, "is missing", "run shard 2/3 again"]);
    place.write(&path, sound);
    shard("d", "2/3", &[]);
    let rows = String::from_utf8(sound.clone()).expect("text");
    let (_, rows) = rows.split_once('\n').expect("a head and rows");
    let (summary, comparison) = rows.split_at(rows.find("baseline,arm,").expect("two tables"));
    let (key, other) = (&name[7..71], summary.replacen(",1,", ",0.5,", 1));
    assert_ne!(summary, other);
    let tables = Tables { summary: other.into_bytes(), comparison: comparison.into() };
    place.write(&format!("d/{name}"), sealed(key, &tables));
    refused(&["a", "b", "c", "d"], &["is in b and in d, with different results"]);
    place.write("b/scenario.toml", "horizon = '1s'");
    refused(&["b", "a", "c"], &["b/scenario.toml is damaged"]);
}

#[test]
fn what_makes_no_sweep_is_refused_before_anything_is_written() {
    let place = small();
    let refused =
        |more: &[&str], needles: &[&str]| place.refuses(&[&["sweep", "small.toml"], more].concat(), needles);
    refused(&[], &["a sweep needs an axis"]);
    refused(&["-P", "workloads.calls.clients=1..5"], &["has no step", "--points"]);
    refused(&["-P", "workloads.calls.clients=5..1:1"], &["-P", "the smaller end first"]);
    refused(&["-L", "policies.fixed.jitter=full,"], &["-L", "value 2 is empty"]);
    refused(&[&CLIENTS[..], &["-L", "workloads.calls.clients=1,2"]].concat(), &["an axis twice"]);
    refused(&[&CLIENTS[..], &["--set", "workloads.calls.clients=1"]].concat(), &["is an axis, and is set"]);
    refused(&["-P", "seed=1..3:1", "--seed", "1"], &["seed is an axis"]);
    refused(&["-P", "replications=1..3:1"], &["--replications"]);
    refused(
        &["-P", "workloads.call.clients=1..2:1"],
        &["point 1 of 2 (workloads.call.clients=1)", "did you mean `calls`?"],
    );
    refused(&["-P", "workloads.calls.cliens=1..2:1"], &["point 1 of 2", "did you mean `clients`?"]);
    // Every point is checked, and the first ones that are wrong are shown.
    refused(
        &["-L", "policies.fixed.jitter=full,fuller,fullest"],
        &["point 2 of 3 (policies.fixed.jitter=fuller)", "point 3 of 3 (policies.fixed.jitter=fullest)"],
    );
    refused(&["-P", "workloads.calls.clients=0..9:1"], &["point 1 of 10 (workloads.calls.clients=0)"]);
    refused(
        &["-P", "workloads.calls.clients=1..200:1", "-P", "policies.fixed.retries=0..99:1"],
        &["200 x 100 = 20000 points, the limit is 10000"],
    );
    refused(&[&CLIENTS[..], &["--points", "0"]].concat(), &["from 1 to 10000"]);
    refused(&[&CLIENTS[..], &["--metric", "sucess_rate"]].concat(), &["did you mean `success_rate`?"]);
    refused(
        &[&CLIENTS[..], &["--metric", "success_rate", "--shard", "1/2"]].concat(),
        &["give it to `retrysim merge`"],
    );
    for (shard, why) in [
        ("0/3", "the first is 1/3"),
        ("4/3", "the last is 3/3"),
        ("1/0", "no number of shards"),
        ("a/b", "no number of shards"),
        ("-1/3", "no number"),
        ("1/6", "5 shards at most"),
        ("auto", "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX"),
    ] {
        refused(&[&CLIENTS[..], &["--shard", shard]].concat(), &[why]);
    }
    place.write("output", "a file");
    let output = place.run(&[&["sweep", "small.toml"][..], &CLIENTS].concat());
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
