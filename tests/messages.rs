//! What the binary says when something is not as it should be, and what it offers instead: tables of what is written and
//! what must be answered.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// A sound scenario, which the tables spoil.
const SOUND: &str = r#"
horizon = "1m"
replications = 2
[services.api]
rate_limit.token_bucket = { rate = "2/s", burst = 1 }
[workloads.calls]
service = "api"
arrivals.even = { rate = "1/s", requests = 5 }
[policies.guarded]
use = "prefect@3"
retries = 1
[policies.none]
retries = 0
"#;

fn place() -> TempDir {
    let place = TempDir::new().expect("a temporary folder can be made");
    fs::write(place.path().join("a.toml"), SOUND).expect("a file can be written");
    place
}

fn run(place: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
    command.current_dir(place).args(arguments).output().expect("the binary runs")
}

/// Both streams, one after the other.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Holds what is said against what must be and what must not be (with a `!`) in it.
fn check(what: &str, said: &str, needles: &[&str]) {
    for needle in needles {
        match needle.strip_prefix('!') {
            Some(needle) => assert!(!said.contains(needle), "{what}: \"{needle}\" in\n{said}"),
            None => assert!(said.contains(needle), "{what}: no \"{needle}\" in\n{said}"),
        }
    }
    assert!(!said.contains("panicked"), "{what}: {said}");
}

#[test]
fn a_name_that_the_file_does_not_have_is_no_new_part() {
    let place = place();
    for (path, needles) in [
        ("policies.guardd.retries=0", &["there is no policy \"guardd\"", "did you mean `guarded`?"][..]),
        ("policies.quick={ use = 'prefect@3' }", &["there is no policy \"quick\"", "guarded, none"]),
        ("services.apy.latency.constant=1s", &["there is no service \"apy\"", "did you mean `api`?"]),
        ("workloads.call.clients=5", &["there is no workload \"call\"", "did you mean `calls`?"]),
        ("arms.x.calls=none", &["there is no arm \"x\""]),
        ("policies.none.retires=1", &["did you mean `retries`?", "--> --set policies.none.retires=1"]),
        ("=3", &["--set =3", "no name before the ="]),
        ("policies..retries=3", &["names with dots between them"]),
        ("workloads.calls.clients=None", &["\"None\"", "leave the field out"]),
        ("workloads.calls.idempotent=True", &["write true"]),
        ("policies.guarded.retry_delay_seconds=inf", &["inf is not a time"]),
    ] {
        for verb in ["run", "check"] {
            let output = run(place.path(), &[verb, "a.toml", "--set", path]);
            assert_eq!(output.status.code(), Some(2), "{path}");
            check(path, &said(&output), needles);
        }
    }
    // A field that can be there is added, also below one that is not written.
    for path in ["services.api.latency.constant=50ms", "policies.guarded.breaker.use=textbook:breaker"] {
        assert!(run(place.path(), &["check", "a.toml", "--set", path]).status.success(), "{path}");
    }
}

#[test]
fn the_option_that_was_used_is_named() {
    let place = place();
    let faulty = SOUND.replace(
        "[workloads.calls]",
        "faults = [{ random = { status = 503, probability = 0.1 } }]\n[workloads.calls]",
    );
    fs::write(place.path().join("b.toml"), faulty).expect("a file can be written");
    let until = ["--until", "success_rate >= 0.5"];
    for (arguments, needles) in [
        (&["run", "b.toml", "--baseline", "nobody"][..], &["--> --baseline nobody", "!--set"][..]),
        (&["check", "b.toml", "--replications", "0"], &["--> --replications 0", "!--set"]),
        (
            &["sweep", "b.toml", "-P", "policies.none.retires=0..3:1"],
            &["--> -P policies.none.retires=0", "!--set"],
        ),
        (
            &["sweep", "b.toml", "-L", "policies.none.jitter=none,fool"],
            &["--> -L policies.none.jitter=fool", "!--set"],
        ),
        (
            &["sweep", "b.toml", "-P", "policies.nobody.retries=0..3:1"],
            &["-P policies.nobody.retries=0: ", "!--set"],
        ),
        (&["sweep", "b.toml", "-P", "seed=1..3:1", "--seed", "2"], &["leave out its --seed", "!--set"]),
        (
            &["limits", "b.toml", "--vary", "policies.nobody.retries=0..3", until[0], until[1]],
            &["--vary policies.nobody.retries=0: ", "!--set"],
        ),
        // A list has entries: which, in what file, and how the last one is named.
        (
            &["sweep", "b.toml", "-P", "services.api.faults.1.random.probability=0..0.5:0.1"],
            &[
                "-P services.api.faults.1.random.probability=0.0: there is no entry 1",
                "services.api.faults has 1 entry, which is 0, in b.toml",
                "write services.api.faults.0.random.probability",
            ],
        ),
        (
            &["run", "b.toml", "--set", "services.api.faults.7.random.probability=0.2"],
            &[
                "--set services.api.faults.7.random.probability=0.2: there is no entry 7",
                "write services.api.faults.0.",
            ],
        ),
    ] {
        let output = run(place.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        check(&format!("{arguments:?}"), &said(&output), needles);
    }
}

#[test]
fn what_cannot_be_read_is_explained_in_words_of_the_grammar() {
    let place = place();
    for (line, needles) in [
        ("breaker = \"textbook:breaker\"", &["write `breaker = { use = \"textbook:breaker\" }`"][..]),
        ("retry_on = { only = 5 }", &["5 stands where a table of fields belongs"]),
        ("retry_on = \"only\"", &["\"only\" needs a value of its own", "retry_on.only = {"]),
        ("jitter = { full = true }", &["\"full\" takes no value", "write `jitter = \"full\"`"]),
        ("jitter = 5", &["5 is no kind of `jitter`"]),
        ("jitter = { add = \"1s\", full = 1 }", &["2 kinds of `jitter` are given (add, full)", "keep one"]),
        ("jitter = {}", &["no kind of `jitter` is given"]),
        ("backoff = \"1s\"", &["write `backoff.fixed = \"1s\"`"]),
        ("on_failure = true", &["true is no kind of `on_failure`"]),
        ("cache = \"1h\"", &["write for example `cache = { ttl = \"1h\" }`"]),
        ("attempts = 99999999999999999999", &["99999999999999999999 is not a whole number"]),
        ("max_elapsed = [1]", &["a list is not a duration"]),
        ("[policies.\"../x\"]\nretries = 0", &["\"../x\" is not a name", "b.toml:14:"]),
        ("[services.x]\nfaults = { random = 1 }", &["write `[[services.x.faults]]`"]),
        ("[services.x]\nlatency = \"1s\"", &["write `latency.constant = \"1s\"`"]),
        ("title = None", &["leave the field out"]),
        ("[policies.p]\nuse = 3", &["3 is no id of a preset"]),
        (
            "[policies.p]\nuse = \"resilience4j\"",
            &["known are: resilience4j@2, resilience4j@2:exp", "!tenacity"],
        ),
        ("[policies.p]\nuse = \"nothing\"", &["`retrysim presets` lists them", "!help"]),
        (
            "[policies.p]\nuse = \"prefect@3\"\nfoo = 3",
            &["has the parameters retries, retry_delay_seconds", "!did you"],
        ),
        (
            "[policies.p]\nuse = \"temporal@1\"\nMaximumAttempts = -1",
            &[
                "policies.p.MaximumAttempts: -2",
                "temporal@1 computes max($MaximumAttempts - 1",
                "write \"unlimited\"",
            ],
        ),
    ] {
        fs::write(place.path().join("b.toml"), format!("{SOUND}{line}\n")).expect("a file can be written");
        let output = run(place.path(), &["check", "b.toml"]);
        assert_eq!(output.status.code(), Some(2), "{line}");
        let needles = [needles, &["!struct ", "!variant", "!i128", "!element", "!invalid type"]].concat();
        check(line, &said(&output), &needles);
    }
    // A section by a wrong name is one problem, not two.
    let text =
        SOUND.replace("[policies.guarded]", "[policy.guarded]").replace("[policies.none]", "[policy.none]");
    fs::write(place.path().join("b.toml"), text).expect("a file can be written");
    check(
        "[policy.p]",
        &said(&run(place.path(), &["check", "b.toml"])),
        &["did you mean `policies`?", "1 problem;"],
    );
}

#[test]
fn parameters_are_times_in_the_unit_of_the_library_or_in_their_own() {
    let place = place();
    let delays = |set: &str| {
        run(place.path(), &["delays", "prefect@3", "--set", "retries=1", "--set", set, "--format", "csv"])
    };
    for (set, delay) in [("2", "2"), ("2s", "2"), ("250ms", "0.25"), ("['1s', 2]", "1"), ("1m30s", "90")] {
        let output = delays(&format!("retry_delay_seconds={set}"));
        check(set, &said(&output), &[&format!("\n1,10000,{delay},{delay},")]);
    }
    for set in ["inf", "1e300", "nan", "soon", "-1"] {
        let output = delays(&format!("retry_delay_seconds={set}"));
        assert_eq!(output.status.code(), Some(2), "{set}");
        check(set, &said(&output), &["is not a time"]);
    }
    // Where a library has no limit, there may be none.
    let arguments = ["delays", "backon@1", "--set", "max_delay=inf", "--format", "csv"];
    assert!(run(place.path(), &arguments).status.success());
}

#[test]
fn what_a_user_keeps_in_a_results_folder_is_never_removed() {
    let place = place();
    let arguments = ["run", "a.toml", "--out", "results"];
    assert!(run(place.path(), &arguments).status.success());
    assert!(run(place.path(), &arguments).status.success(), "an earlier run is replaced");
    for name in ["notes.md", "charts/mine.png", "a-folder/notes.md"] {
        let path = place.path().join("results").join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(&path, "mine").expect("a file can be written");
        let output = run(place.path(), &arguments);
        assert_eq!(output.status.code(), Some(2));
        let first = if name.starts_with("a-folder") { "results/a-folder" } else { name };
        check(name, &said(&output), &[first, "is in the way", "--out"]);
        assert_eq!(fs::read_to_string(&path).expect("it is still there"), "mine");
        assert!(place.path().join("results/manifest.json").exists(), "nothing is removed");
        fs::remove_file(&path).expect("a file can be removed");
    }
}

#[test]
fn the_table_says_what_became_of_requests_that_no_column_shows() {
    let place = place();
    let text = "
horizon = '1m'
replications = 1
services.api.incidents = [{ outage = { from = '0s', lasts = '1m' } }]
[workloads.calls]
service = 'api'
clients = 1200
arrivals.burst = { at = '0s' }
[policies.slow]
retries = 1
backoff.fixed = '2m'
[policies.poor]
retries = 5
backoff.fixed = '1s'
budget.tokens = { capacity = 500, cost = 5 }
[policies.broken]
retries = 2
backoff.fixed = '1s'
breaker = { trip.consecutive = 5, open_for = '30s' }
";
    fs::write(place.path().join("b.toml"), text).expect("a file can be written");
    let output = run(place.path(), &["run", "b.toml"]);
    let needles = [
        "one replication, seed",
        "slow: 1200 of 1200 requests were still unfinished at the horizon",
        "poor: 1200 of 1200 requests were denied a retry by a budget",
        "broken: 1200 of 1200 requests were rejected by a breaker",
        "note: the retries of policy slow can last 2m",
    ];
    check("b.toml", &said(&output), &needles);
    let quiet = run(place.path(), &["run", "b.toml", "--format", "quiet"]);
    assert_eq!(said(&quiet), "");
}

#[test]
fn a_script_of_calls_is_refused_with_a_remedy() {
    let place = place();
    let replay = |text: &str| {
        fs::write(place.path().join("calls.csv"), text).expect("a file can be written");
        run(place.path(), &["breaker", "textbook:breaker", "--trace", "calls.csv"])
    };
    for (text, needles) in [
        ("time_s,event,outcme\n0,call,S\n", &["calls.csv:1", "`outcme`", "did you mean `outcome`?"][..]),
        ("time_s,event,outcome,colour\n0,call,S,x\n", &["there is no column `colour`", "known are: time_s"]),
        ("time_s,event,outcome,event\n0,call,S,call\n", &["`event` is there twice"]),
        ("time_s,event,outcome\n", &["no row below the first line"]),
        ("time_s,event,outcome\n0,call,\"S\n1,call,S\n", &["a quote is opened and not closed"]),
        ("time_s,event,outcome\n0,call,\"S\n", &["a quote is opened and not closed"]),
        ("time_s;event;outcome\n0;call;S\n", &["commas"]),
        ("time_s,event,outcome\n0,call,f\n", &["calls.csv:2", "write it large, F"]),
        ("time_s,event,outcome\n0,cal,F\n", &["did you mean `call`?"]),
    ] {
        let output = replay(text);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(output.stdout.is_empty(), "{text}");
        check(text, &said(&output), needles);
    }
    let named = said(&replay("time_s,event,outcome,call\n0,start,,first\n1,end,S,first\n"));
    check("names", &named, &["event  call      outcome", "start  first"]);
    check("no names", &said(&replay("time_s,event,outcome\n0,call,S\n")), &["event  outcome"]);
    let bad = ["breaker", "textbook:breaker", "--trace", "calls.csv", "--set", "threshold=0"];
    let output = run(place.path(), &bad);
    check(
        "threshold=0",
        &said(&output),
        &["error: threshold: 0 is out of range", "--> --set threshold=0", "!policies"],
    );
}

#[test]
fn delays_say_what_they_do_not_show() {
    let place = place();
    let text = SOUND.replace(
        "retries = 1",
        "retries = 1\nretry_delay_seconds = 5\ninner = { retries = 2, backoff.fixed = '3s' }",
    );
    fs::write(place.path().join("b.toml"), text).expect("a file can be written");
    for (arguments, needles) in [
        (&["b.toml#guarded"][..], &["the outermost of 2 policies", "--layer N", "5.00 s"][..]),
        (&["b.toml#guarded", "--layer", "2"], &["number 2 of 2 policies", "3.00 s"]),
        (&["b.toml#guarded", "--layer", "3"], &["has 2 in all"]),
        (&["b.toml"], &["b.toml is a file: name a policy of it, b.toml#guarded, b.toml#none"]),
        (&["temporal@1"], &["any number of retries, of which the first 20 are shown"]),
        (&["urllib3@2"], &["every delay is 0 s"]),
        (&["urllib3@2", "--outcome", "502"], &["does not retry 502, but ", "try `--outcome"]),
        (&["prefect@3", "--set", "retries=0"], &["makes no retry"]),
    ] {
        check(&arguments.join(" "), &said(&run(place.path(), &[&["delays"], arguments].concat())), needles);
    }
    // The remedy is one.
    let refused = said(&run(place.path(), &["delays", "urllib3@2", "--outcome", "502"]));
    let remedy = refused.split('`').nth(1).expect("a remedy stands between backticks");
    let remedy: Vec<&str> = remedy.split(' ').collect();
    let output = run(place.path(), &[&["delays", "urllib3@2", "--set", "total=3"], &remedy[..]].concat());
    assert!(output.status.success(), "{}", said(&output));
    let presets = said(&run(place.path(), &["presets", "urllib3", "--set", "total=3"]));
    check("presets urllib3 --set", &presets, &["write its whole id, such as `urllib3@2`"]);
}

#[test]
fn expectations_have_the_unit_of_their_metric() {
    let place = place();
    for (line, needles) in [
        ("\"none.requests\" = \"< 5s\"", &["requests is a number: 5s is a time"][..]),
        ("\"none.success_rate\" = \"> 95\"", &["between 0 and 1"]),
        ("\"none.success_rate\" = \"> 95%\"", &["95% is 0.95"]),
        ("\"none.honest_p99\" = \"< 5\"", &["write 5s for seconds"]),
        ("none.success_rate = \">0\"", &["quote the whole key: \"none.success_rate\" = \">0\""]),
        ("\"none.apy.peak_to_limit\" = \"< 5\"", &["no service or workload \"apy\"", "did you mean `api`?"]),
        ("\"none.api.success_rate\" = \"< 5\"", &["no workload \"api\""]),
    ] {
        fs::write(place.path().join("b.toml"), format!("{SOUND}[expect]\n{line}\n"))
            .expect("a file can be written");
        let output = run(place.path(), &["check", "b.toml"]);
        assert_eq!(output.status.code(), Some(2), "{line}");
        check(line, &said(&output), needles);
    }
    for line in [
        "\"none.api.peak_to_limit\" = \"< 5\"",
        "\"none.calls.peak_to_limit\" = \"< 5\"",
        "\"none.peak_to_limit\" = \"< 5\"",
    ] {
        fs::write(place.path().join("b.toml"), format!("{SOUND}[expect]\n{line}\n"))
            .expect("a file can be written");
        assert!(run(place.path(), &["run", "b.toml"]).status.success(), "{line}");
    }
}

#[test]
fn what_comes_to_nothing_is_said() {
    let place = place();
    for (from, to, code, needles) in [
        (
            "rate = \"1/s\", requests = 5",
            "rate = \"1/s\", from = \"2m\"",
            2,
            &["arrivals.even.from: it begins when the run of 1m"][..],
        ),
        (
            "even = { rate = \"1/s\", requests = 5 }",
            "burst = { at = \"1m\" }",
            2,
            &["arrivals.burst.at: it begins when"],
        ),
        ("retries = 1", "retries = 1\nretry_on.only = {}", 0, &["note: policy guarded retries nothing"]),
        ("retries = 0", "retries = 0\nretry_on = \"any_failure\"", 0, &["note: policy none makes no retry"]),
        (
            "retries = 0",
            "retries = \"x\"",
            2,
            &["1 problem; nothing was run or written; more may show once this is mended"],
        ),
        ("\"1m\"", "\"0s\"", 2, &["a run of 0s", "!more may show"]),
    ] {
        fs::write(place.path().join("b.toml"), SOUND.replacen(from, to, 1)).expect("a file can be written");
        let output = run(place.path(), &["check", "b.toml"]);
        assert_eq!(output.status.code(), Some(code), "{to}: {}", said(&output));
        check(to, &said(&output), needles);
    }
}

#[test]
fn what_would_never_end_or_not_fit_is_refused_before_it_begins() {
    let place = place();
    let long = "\nhorizon = \"36525d\"\nbin = \"100d\"\nreplications = 1";
    let even = "even = { rate = \"1/s\", requests = 5 }";
    let scaled = |every: &str| {
        format!("capacity.autoscale = {{ min = 1, max = 2, target = 0.5, every = \"{every}\" }}")
    };
    let limit = "rate_limit.token_bucket = { rate = \"2/s\", burst = 1 }";
    let by_client = "rate_limit = { token_bucket = { rate = \"2/s\", burst = 1 }, scope = \"client\" }";
    let crowds = |count: usize, size: u64| {
        let crowd = |n| {
            format!(
                "[workloads.c{n}]\nservice = \"api\"\nclients = {size}\naccounts = {size}\npolicy = \"none\"\narrivals.{even}\n"
            )
        };
        (0..count).map(crowd).collect::<String>() + "[workloads.calls]\npolicy = \"none\""
    };
    let per_client = "breaker = { use = \"textbook:breaker\", scope = \"client\" }\nbudget = { tokens = { capacity = 5, cost = 1 }, scope = \"client\" }";
    for (changes, refused) in [
        (vec![(limit, scaled("1ns"))], Some("autoscale: it would judge 60000000000 times")),
        (vec![(limit, scaled("6us"))], None),
        (vec![(limit, scaled("5999ns"))], Some("the limit is 10000000: lengthen `every`, which is 5.999us")),
        (vec![("\nhorizon = \"1m\"\nreplications = 2", long.into()), (limit, scaled("15s"))], Some("autoscale")),
        (
            vec![
                ("\nhorizon = \"1m\"\nreplications = 2", long.into()),
                (even, "profile = { rates = [\"1/36525d\"], every = \"1ms\", repeat = true }".into()),
            ],
            Some("arrivals.profile: the rate would change about 3155760000000 times"),
        ),
        (
            vec![
                ("\nhorizon = \"1m\"\nreplications = 2", long.into()),
                (even, "profile = { rates = [\"1/36525d\"], every = \"1ms\" }".into()),
            ],
            None,
        ),
        (
            vec![
                ("\nhorizon = \"1m\"\nreplications = 2", long.into()),
                (even, "diurnal = { mean = \"1/36525d\", peak_to_trough = 2, peak_at = \"0s\", period = \"1ms\", until = \"10000s\" }".into()),
            ],
            None,
        ),
        (
            vec![
                ("\nhorizon = \"1m\"\nreplications = 2", long.into()),
                (even, "diurnal = { mean = \"1/36525d\", peak_to_trough = 2, peak_at = \"0s\", period = \"1ms\" }".into()),
            ],
            Some("arrivals.diurnal: the rate would change"),
        ),
        (
            vec![
                ("\nhorizon = \"1m\"\nreplications = 2", long.into()),
                (even, "modulated = { quiet = \"0/s\", busy = \"1/36525d\", quiet_lasts = \"1ms\", busy_lasts = \"1ms\" }".into()),
            ],
            Some("arrivals.modulated: the rate would change"),
        ),
        (vec![("[workloads.calls]", crowds(3, 10_000_000))], None),
        (vec![("[workloads.calls]", crowds(3, 10_000_000)), (limit, by_client.into())], Some("keeps 30000001 states")),
        (
            vec![("[workloads.calls]", crowds(3, 10_000_000)), (limit, by_client.replace("client", "account"))],
            Some("keeps 30000001 states"),
        ),
        (vec![("[workloads.calls]", crowds(11, 10_000_000))], Some("110000001 clients in all workloads, the limit is 100000000")),
        (vec![("[workloads.calls]", crowds(1, 10_000_000)), ("retries = 0", format!("retries = 0\n{per_client}"))], Some("keeps 20000003 states")),
        (vec![("[workloads.calls]", crowds(1, 9_000_000)), ("retries = 0", format!("retries = 0\n{per_client}"))], None),
    ] {
        let text = changes.iter().fold(SOUND.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        fs::write(place.path().join("b.toml"), text).expect("a file can be written");
        let output = run(place.path(), &["check", "b.toml"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(if refused.is_some() { 2 } else { 0 }), "{changes:?}: {said}");
        check(&format!("{changes:?}"), &said, &[refused.unwrap_or("")]);
    }
}

#[test]
fn a_text_on_stdin_is_read_whole_or_refused() {
    let place = place();
    // What is cut off may be a sound scenario as well: with other policies.
    for (bytes, code) in [(1 << 20, 0), ((1 << 20) + 1, 2), (2 << 20, 2)] {
        let text = format!("{SOUND}#{}\n", "x".repeat(bytes - SOUND.len() - 2));
        assert_eq!(text.len(), bytes);
        let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
        let output = command.current_dir(place.path()).args(["check", "-"]).write_stdin(text).output();
        let output = output.expect("the binary runs");
        assert_eq!(output.status.code(), Some(code), "{bytes}: {}", said(&output));
        check("stdin", &said(&output), &[if code == 0 { "guarded" } else { "more than 1048576 bytes" }]);
    }
}

#[test]
fn small_things_are_said_plainly() {
    let place = place();
    for (arguments, needles) in [
        (
            &["run", "a.toml", "--seed", "-1"][..],
            &["--seed", "write a whole number from 0 to 9223372036854775807"][..],
        ),
        (&["run", "a.toml", "--set", "horizon=inf"], &["horizon: inf is not a duration", "!infs"]),
        (
            &["run", "a.toml", "--set", "horizon=soon"],
            &["\"soon\" is not a duration (it takes numbers with units", "!friendly"],
        ),
        (&["new", "no/such/x.toml"], &["there is no folder no/such", "!.tmp"]),
    ] {
        let output = run(place.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        check(&arguments.join(" "), &said(&output), needles);
    }
    for verb in ["run", "check"] {
        let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
        let output = command.current_dir(place.path()).args([verb, "-"]).write_stdin(SOUND).output();
        check(verb, &said(&output.expect("the binary runs")), &["guarded"]);
    }
    assert!(place.path().join("output/stdin/manifest.json").exists());
    let list = said(&run(place.path(), &["presets"]));
    assert!(
        !list.lines().any(|line| !line.starts_with(' ') && line.ends_with("...")),
        "what is piped is whole"
    );
}
