//! Recorded traffic as real tools write it becomes a trace and a scenario that runs as written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use retrysim::import::{Format, import};
use retrysim::scenario::Scenario;
use tempfile::TempDir;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import").join(name)
}

fn retrysim(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
    command.current_dir(folder).args(arguments).output().expect("the binary runs")
}

fn place() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

/// Imports a file of the test data into the folder `out`: trace, scenario, what was printed.
fn imported(name: &str) -> (String, String, String) {
    let place = place();
    let file = data(name).display().to_string();
    let output = retrysim(place.path(), &["import", &file, "--out", "out"]);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let read = |file: &str| fs::read_to_string(place.path().join("out").join(file)).unwrap_or_default();
    let scenario = place.path().join("out/scenario.toml");
    Scenario::load(&scenario, &[])
        .unwrap_or_else(|error| panic!("{name}: {error}\n{}", read("scenario.toml")));
    (read("trace.csv"), read("scenario.toml"), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Requests per status of a trace, as its column says.
fn statuses(trace: &str) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for row in trace.lines().skip(1) {
        *counts.entry(row.split(',').nth(3).unwrap_or_default().to_owned()).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn counted(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    expected.iter().map(|(status, count)| ((*status).to_owned(), *count)).collect()
}

#[test]
fn formats_are_guessed_from_real_files() {
    for (name, format) in [
        ("nginx-combined.log", Format::Combined),
        ("nginx-timed.log", Format::Combined),
        ("apache-common.log", Format::Clf),
        ("chromium.har", Format::Har),
        ("k6.csv", Format::K6),
        ("k6-published.csv", Format::K6),
        ("k6-published.jsonl", Format::K6Json),
        ("vegeta-encoded.csv", Format::Vegeta),
        ("vegeta-encoded.jsonl", Format::VegetaJson),
        ("k6.jsonl", Format::K6Json),
        ("vegeta.csv", Format::Vegeta),
        ("vegeta.jsonl", Format::VegetaJson),
        ("locust_stats.csv", Format::Locust),
        ("locust_stats_history.csv", Format::Locust),
        ("otlp.json", Format::Otlp),
    ] {
        let bytes = fs::read(data(name)).expect("the file is there");
        assert_eq!(Format::guess(&bytes[..bytes.len().min(65_536)]), Ok(format), "{name}");
    }
}

#[test]
fn every_recording_becomes_a_scenario_that_runs() {
    for name in ["nginx-timed.log", "chromium.har", "otlp.json", "locust_stats_history.csv"] {
        let place = place();
        let file = data(name).display().to_string();
        assert!(retrysim(place.path(), &["import", &file, "--out", "in"]).status.success());
        let run = ["run", "in/scenario.toml", "--replications", "2", "--out", "out", "--format", "csv"];
        let output = retrysim(place.path(), &run);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(table.contains("full-jitter,recorded"), "{name}: {table}");
    }
}

#[test]
fn a_log_of_nginx_tells_what_the_server_did() {
    let (trace, scenario, printed) = imported("nginx-timed.log");
    assert!(
        printed.starts_with("read 189 requests from an access log (Combined Log Format)\n4 operations"),
        "{printed}"
    );
    // As counted by awk.
    assert_eq!(statuses(&trace), counted(&[("200", 111), ("429", 21), ("500", 21), ("502", 4), ("503", 32)]));
    let rows: Vec<&str> = trace.lines().take(3).collect();
    assert_eq!(rows[0], "time,operation,key,status,latency");
    assert_eq!(rows[1], "0,GET /v1/users/{id},0,200,0.026");
    assert!(rows[2].ends_with(",GET /v1/orders/{id}/items,1,200,0.032"), "{}", rows[2]);
    // The server was down for three seconds, the log has whole seconds: each end may be off by one.
    let outage = scenario.lines().find(|line| line.starts_with("outage = ")).expect("the outage is found");
    let number = |key: &str| {
        let text = outage.split(&format!("{key} = \"")).nth(1).and_then(|rest| rest.split('s').next());
        text.and_then(|text| text.parse::<f64>().ok()).expect("it is in seconds")
    };
    assert!((number("from") - 8.0).abs() < 1.0 && (number("lasts") - 3.0).abs() < 1.0, "{outage}");
    assert!(outage.contains("status = 503") && scenario.matches("outage = ").count() == 1, "{outage}");
    // The server admits 12 a second; where the clock of the log is a whole second, one may slip into the next.
    assert!(scenario.contains("rate_limit.fixed_window = { limit = 13, window = \"1s\" }"), "{scenario}");
    assert!(scenario.contains("in whole seconds"), "{scenario}");
    let (common, scenario, _) = imported("apache-common.log");
    assert!(
        common.starts_with("time,operation,key,recorded_status\n0,GET /v1/users/{id},0,200\n"),
        "{common}"
    );
    assert!(
        scenario.contains("limit = 12, window = \"1s\"")
            && scenario.contains("no latencies: this is a guess")
    );
    let (combined, _, _) = imported("nginx-combined.log");
    assert_eq!(statuses(&combined), statuses(&trace));
}

#[test]
fn load_generators_tell_the_same_of_the_same_requests() {
    let (csv, _, _) = imported("vegeta.csv");
    let (json, _, _) = imported("vegeta.jsonl");
    assert_eq!(csv, json);
    let (k6, scenario, _) = imported("k6.jsonl");
    assert_eq!(statuses(&k6), statuses(&csv));
    assert_eq!(k6.lines().count(), csv.lines().count());
    let of = |trace: &str| {
        let row = trace.lines().nth(1).expect("there is a row");
        row.split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(&k6), of(&csv), "the end minus the duration is the start");
    let (seconds, _, _) = imported("k6.csv");
    assert_eq!(statuses(&seconds), statuses(&csv), "whole seconds change the order and no count");
    // The server fails with probability 1/12 and is down for three seconds.
    let line = scenario.lines().find(|line| line.contains("status = 500")).expect("there is a fault");
    let probability = line.split("probability = ").nth(1).and_then(|text| text.split(' ').next());
    let probability: f64 = probability.and_then(|text| text.parse().ok()).expect("it is a number");
    // Four standard errors of a share of about 100.
    assert!((probability - 1.0 / 12.0).abs() < 4.0 * (1.0f64 / 12.0 * 11.0 / 12.0 / 100.0).sqrt(), "{line}");
}

#[test]
fn what_the_load_generators_themselves_wrote_is_read() {
    let (csv, _, _) = imported("vegeta-encoded.csv");
    let (json, _, _) = imported("vegeta-encoded.jsonl");
    for trace in [&csv, &json] {
        let all = [("200", 2), ("404", 1), ("500", 1), ("connection_error", 1)];
        assert_eq!(statuses(trace), counted(&all), "{trace}");
    }
    // A millisecond after each other, with the latencies of the file.
    let column = |trace: &str, index: usize| -> Vec<String> {
        trace.lines().skip(1).map(|row| row.split(',').nth(index).unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(column(&csv, 0), ["0", "0.001", "0.002", "0.003", "0.004"]);
    assert_eq!(column(&csv, 4), ["0.0015", "0.0003", "0.025", "0.007", "0.000999"]);
    assert_eq!(column(&json, 4), column(&csv, 4));
    for (name, latency) in [("k6-published.csv", "0.114365"), ("k6-published.jsonl", "0.11896")] {
        let (trace, _, _) = imported(name);
        assert_eq!(statuses(&trace), counted(&[("200", 1)]), "{name}");
        assert_eq!(column(&trace, 4), [latency], "{name}");
    }
}

#[test]
fn a_browser_tells_of_answers_and_of_connections_that_broke() {
    let (trace, scenario, printed) = imported("chromium.har");
    assert!(printed.starts_with("read 49 requests"), "{printed}");
    assert!(statuses(&trace).contains(&("connection_error".to_owned(), 3)), "{:?}", statuses(&trace));
    assert!(scenario.contains("status = \"connection_error\""));
}

#[test]
fn retries_that_spans_tell_of_are_counted_and_left_out() {
    let (trace, scenario, printed) = imported("otlp.json");
    let text = fs::read_to_string(data("otlp.json")).expect("it is there");
    let resent = text.matches("\"http.request.resend_count\"").count();
    let clients = text.matches("\"SPAN_KIND_CLIENT\"").count();
    assert!(resent > 10 && printed.contains(&format!("{resent} recorded retries")), "{printed}");
    assert_eq!(trace.lines().count() - 1, clients - resent);
    assert!(scenario.contains(&format!("# {resent} recorded retries")), "{scenario}");
}

#[test]
fn tables_of_locust_have_no_trace() {
    let (trace, scenario, printed) = imported("locust_stats.csv");
    assert!(trace.is_empty() && printed.contains("there is no trace"), "{printed}");
    assert!(scenario.contains("arrivals.poisson = { rate = \"348/19s\", until = \"19s\" }"), "{scenario}");
    assert!(scenario.contains("[0.999, \"280ms\"]"), "{scenario}");
    let (_, history, _) = imported("locust_stats_history.csv");
    let steps: u64 = history
        .lines()
        .filter_map(|line| line.split("rate = \"").nth(1)?.split("/1s").next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(steps, 348, "{history}");
    assert!(history.contains("clients = 10"));
}

#[test]
fn an_import_replaces_an_import_that_nobody_touched_and_nothing_else() {
    let place = place();
    let file = data("vegeta.csv").display().to_string();
    let import = |out: &[&str]| retrysim(place.path(), &[&["import", file.as_str()], out].concat());
    assert!(import(&[]).status.success());
    let folder = place.path().join("imported-vegeta");
    assert!(folder.join("trace.csv").is_file() && folder.join("scenario.toml").is_file());
    assert!(import(&[]).status.success(), "what nobody touched is replaced");
    let refused = |needle: &str| {
        let output = import(&[]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(needle) && output.stdout.is_empty(), "{message}");
    };
    fs::write(folder.join("notes.txt"), "mine").expect("it can be written");
    refused("notes.txt is in the way");
    fs::remove_file(folder.join("notes.txt")).expect("it is there");
    let edited = fs::read_to_string(folder.join("scenario.toml")).expect("it is there") + "# mine\n";
    fs::write(folder.join("scenario.toml"), &edited).expect("it can be written");
    refused("scenario.toml was changed since");
    assert_eq!(fs::read_to_string(folder.join("scenario.toml")).expect("it is there"), edited);
    fs::create_dir(place.path().join("other")).expect("it can be made");
    fs::write(place.path().join("other/thesis.txt"), "mine").expect("it can be written");
    let output = import(&["--out", "other"]);
    assert_eq!(output.status.code(), Some(2));
    // A run does not take the place of an import either.
    let run = ["run", "imported-vegeta/scenario.toml", "--out", "imported-vegeta"];
    assert_eq!(retrysim(place.path(), &run).status.code(), Some(2));
}

#[test]
fn what_cannot_be_imported_is_refused_and_nothing_is_written() {
    let place = place();
    let line = r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5"#;
    let half = format!("{line}\nx\nx\n");
    let deep = format!("{{\"log\": {{\"entries\": {}", "[".repeat(100_000));
    let cases: &[(&str, &[u8], &[&str])] = &[
        ("access.log.gz", b"\x1f\x8b\x08\x00\x00", &["compressed with gzip", "gunzip -c"]),
        ("empty.log", b"", &["--format", "combined"]),
        ("binary", &[0xff; 5000], &["--format"]),
        ("half.log", half.as_bytes(), &["2 of 3 lines cannot be read", "line 2: there is no [time]"]),
        ("deep.har", deep.as_bytes(), &["no JSON: recursion limit"]),
        ("list.json", b"[1, 2]", &["--format"]),
        ("cut.har", b"{\"log\": {\"version\": \"1.2\", \"entries\": [{\"time\": 1", &["EOF"]),
        ("none.har", b"{\"log\": {\"entries\": []}}", &["there is no request in it"]),
    ];
    for (name, bytes, needles) in cases {
        fs::write(place.path().join(name), bytes).expect("it can be written");
        let output = retrysim(place.path(), &["import", name]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}: {message}");
        for needle in [name].into_iter().chain(*needles) {
            assert!(message.contains(needle), "{name}: no \"{needle}\" in\n{message}");
        }
        assert!(
            output.stdout.is_empty()
                && fs::read_dir(place.path())
                    .expect("it is there")
                    .all(|entry| entry.is_ok_and(|entry| entry.path().is_file())),
            "{name}"
        );
    }
    for (arguments, needle) in [
        (["import", "missing.log"].as_slice(), "No such file"),
        (&["import", "."], "it is a folder"),
        (&["import", "half.log", "--format", "vegata"], "did you mean `vegeta`?"),
        (&["import", "half.log", "--format", "k6"], "no column `metric_name`"),
    ] {
        let output = retrysim(place.path(), arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && message.contains(needle), "{arguments:?}: {message}");
    }
}

#[test]
fn bad_lines_are_counted_and_the_first_few_named() {
    let line = r#"h - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 5"#;
    let mut bytes = format!("{line}\n").repeat(20).into_bytes();
    for bad in [&b"\xff\xfe\n"[..], b"x\n", b"\"\n", b"[\n", b"h - - [\n", b"1,2\n", b"{}\n"] {
        bytes.extend(bad);
    }
    let imported = import("odd\n\"name\".log", &bytes[..], None).expect("most of it is sound");
    for needle in
        ["read 20 requests", "7 lines could not be read:", "line 21: not UTF-8", "line 25: ", "and 2 more"]
    {
        assert!(imported.report.contains(needle), "no \"{needle}\" in\n{}", imported.report);
    }
    let files: Vec<&str> = imported.files.iter().map(|file| file.0.as_str()).collect();
    assert_eq!(files, ["trace.csv", "scenario.toml", "import.json"]);
    // What stands in a file name or a path stays in its text.
    let scenario = String::from_utf8_lossy(&imported.files[1].1).into_owned();
    assert!(scenario.parse::<toml::Table>().is_ok(), "{scenario}");
}

#[test]
fn an_outage_is_written_as_what_was_recorded_of_it() {
    for (code, error, latency, status, timeout) in [
        ("503", "503 Service Unavailable", 1_000_000, "503", false),
        ("0", "connection refused", 1_000_000, "\"connection_error\"", false),
        ("0", "context deadline exceeded", 2_000_000_000, "\"no_answer\"", true),
        ("0", "context deadline exceeded", 0, "503", false),
    ] {
        let mut rows = String::new();
        for tick in 0..300u64 {
            let at = 1_795_613_762_000_000_000 + tick * 100_000_000;
            let (code, latency, error) =
                if (100..150).contains(&tick) { (code, latency, error) } else { ("200", 20_000_000, "") };
            rows += &format!("{at},{code},{latency},0,11,{error},,,{tick},GET,http://a/x,\n");
        }
        let imported = import("results.csv", rows.as_bytes(), None).expect("it is sound");
        let place = place();
        for (name, bytes) in &imported.files {
            fs::write(place.path().join(name), bytes).expect("it can be written");
        }
        let path = place.path().join("scenario.toml");
        let text = fs::read_to_string(&path).expect("it was written");
        Scenario::load(&path, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(
            text.contains(&format!("lasts = \"4.901s\", status = {status} }}")),
            "{code} {error}: {text}"
        );
        assert_eq!(text.contains("\ntimeout = \"2s\"\n"), timeout, "{text}");
        assert_eq!(text.contains("# Recorded as timeouts, and not after how long."), latency == 0, "{text}");
    }
}

#[test]
fn names_in_a_recording_cannot_get_out_of_their_text() {
    let table = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,\
                 Max Response Time,Average Content Size,Requests/s,Failures/s,50%,99%,100%\n\
                 GET,\"a\"\" = 1 }\u{1b} # '''\",1,0,1,1,1,1,1,1,0,1,1,1\n,Aggregated,1,0,1,1,1,1,1,1,0,1,1,1\n";
    let imported = import("x", table.as_bytes(), None).expect("it is sound");
    let scenario = String::from_utf8_lossy(&imported.files[0].1).into_owned();
    let parsed: toml::Table = scenario.parse().expect("it is TOML");
    let operations = parsed["workloads"]["recorded"]["operations"].as_table().expect("it has operations");
    assert_eq!(operations.keys().map(String::as_str).collect::<Vec<_>>(), ["GET a\"_=_1_}__#_'''"]);
    assert!(Scenario::parse("x", "x", &scenario, &[]).is_ok(), "{scenario}");
}

#[test]
fn results_of_imports_have_the_names_of_their_folders() {
    let place = place();
    for (name, out) in [("vegeta.csv", "monday"), ("k6.csv", "tuesday")] {
        let file = data(name).display().to_string();
        assert!(retrysim(place.path(), &["import", &file, "--out", out]).status.success());
        let run = ["run", &format!("{out}/scenario.toml"), "--replications", "1", "--format", "quiet"];
        assert!(retrysim(place.path(), &run).status.success());
    }
    let kept = |name: &str| {
        fs::read_to_string(place.path().join("output").join(name).join("scenario.toml")).unwrap_or_default()
    };
    assert!(kept("monday").contains("vegeta.csv") && kept("tuesday").contains("k6.csv"));
    // What it is told to do next works as it stands.
    let file = data("vegeta.csv").display().to_string();
    let printed = retrysim(place.path(), &["import", &file]);
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    let next: Vec<&str> =
        printed.trim().rsplit("now: retrysim ").next().unwrap_or_default().split(' ').collect();
    assert!(retrysim(place.path(), &next).status.success(), "{next:?}");
    assert!(place.path().join("output/imported-vegeta/summary.csv").is_file());
}

#[test]
fn what_answers_asked_to_wait_is_in_the_trace() {
    let (trace, _, _) = imported("chromium.har");
    assert!(trace.starts_with("time,operation,key,status,latency,retry_after\n"), "{trace}");
    // grep counts 14 headers `Retry-After: 1` in the file.
    assert_eq!(trace.lines().filter(|row| row.ends_with(",1")).count(), 14);
    let date = r#"{"log":{"entries":[{"startedDateTime":"2015-10-21T07:27:50Z","time":2000,"request":{"method":"GET","url":"https://h/a"},
        "response":{"status":503,"headers":[{"name":"x","value":"9"},{"name":"retry-after","value":"Wed, 21 Oct 2015 07:28:00 GMT"}]}}]}}"#;
    let spans = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":3,"startTimeUnixNano":"0","endTimeUnixNano":"2000000000","attributes":[
        {"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"http.response.status_code","value":{"intValue":"429"}},
        {"key":"http.response.header.retry-after","value":{"arrayValue":{"values":[{"stringValue":"8"}]}}}]}]}]}]}"#;
    let line = r#"{"attack":"a","seq":0,"code":429,"timestamp":"2026-01-05T08:30:00Z","latency":2000000000,"error":"429","method":"GET","url":"http://h/a","headers":{"Date":["x"],"Retry-After":["8"]}}"#;
    for text in [date, spans, line] {
        let imported = import("x", text.as_bytes(), None).expect("it is sound");
        let trace = String::from_utf8_lossy(&imported.files[0].1).into_owned();
        assert!(trace.ends_with(",2,8\n"), "{trace}");
    }
}
