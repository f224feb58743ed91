//! `retrysim tune` as its users meet it: what it finds, what it writes, and what it says about bad input.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use retrysim::scenario::Scenario;
use retrysim::{experiment, report};
use tempfile::TempDir;

/// Sixty calls at once through 2/s, and a policy that sends them all back together.
const HERD: &str = r#"
title = "A herd"
horizon = "10m"
[services.api]
rate_limit.token_bucket = { rate = "2/s", burst = 2 }
[workloads.calls]
service = "api"
clients = 60
arrivals.burst = { at = "10s" }
[policies.fixed]
use = "prefect@3"
retries = 3
retry_delay_seconds = 20
[tune.calls]
retries = "1..4"
delay = "10s..1m"
jitter = ["none", "full"]
objective = ["maximise success_rate", "minimise retry_load_peak"]
constraints = ["time_to_success_p99 <= 5m"]
"#;

/// A folder of its own for each test.
struct Place(TempDir);

impl Place {
    fn with(text: &str) -> Self {
        let place = Self(TempDir::new().expect("a temporary folder can be made"));
        fs::write(place.path("herd.toml"), text).expect("a file can be written");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
        command.current_dir(self.0.path()).args(arguments).output().expect("the binary runs")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The files of a folder with their bytes, in order.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).expect("a file can be read");
            found.push((path.strip_prefix(folder).expect("it is inside").to_owned(), bytes));
        }
    }
    found.sort();
    found
}

#[test]
fn a_herd_is_spread_and_all_of_it_is_written_down() {
    let place = Place::with(HERD);
    let output = place.run(&["tune", "herd.toml", "--evaluations", "600"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    // Four waves of the same instant let eight or so through; spread retries let nearly all of them.
    for needle in [
        "operation",
        "calls",
        "full",
        "why: jitter full instead of none raises success",
        "-> ",
        "better",
        "constraints: met",
        " policies tried in ",
    ] {
        assert!(text.contains(needle), "no \"{needle}\" in\n{text}");
    }
    let document = place.read("output/herd-tune/best-practices.md");
    assert!(!document.contains("**"), "nothing is marked where all is met: {document}");
    for needle in [
        "# A herd\n",
        "with seed 1.",
        "- calls: `maximise success_rate`, then `minimise retry_load_peak`; under `time_to_success_p99 <= 5m` (met)\n",
        "has no limit, the attempts per second then",
        "| operation | replications | requests | success |",
    ] {
        assert!(document.contains(needle), "no \"{needle}\" in\n{document}");
    }
    let rests_on = document.lines().last().unwrap_or_default();
    let cells: Vec<&str> = rests_on.split(" | ").collect();
    let count =
        |cell: usize| cells[cell].parse::<u32>().unwrap_or_else(|error| panic!("{error}: {rests_on}"));
    assert_eq!(count(2), 60 * count(1), "sixty requests in each replication");
    let table = table_of(&document);
    assert_eq!(table.lines().count(), 3);
    assert!(!text.contains(".0 policies tried"), "policies are whole: {text}");
    assert!(table.lines().all(|line| line.matches('|').count() == 10), "{table}");
    for (name, least) in [
        ("candidates.csv", 20),
        ("front.csv", 10),
        ("chosen.csv", 6),
        ("effects.csv", 10),
        ("best-practices.csv", 2),
    ] {
        let rows = place.read(&format!("output/herd-tune/{name}"));
        assert!(rows.lines().count() >= least, "{name}: {rows}");
    }
    let chart = place.read("output/herd-tune/charts/front-calls.svg");
    assert!(chart.contains("chosen") && chart.contains("success rate") && !chart.contains("NaN"), "{chart}");
    let manifest: serde_json::Value =
        serde_json::from_str(&place.read("output/herd-tune/manifest.json")).expect("it is JSON");
    assert!(manifest["files"]["front.csv"].is_string());
}

#[test]
fn the_scenario_that_is_written_runs_and_shows_what_was_found() {
    let place = Place::with(HERD);
    assert!(place.run(&["tune", "herd.toml", "--evaluations", "300", "--format", "quiet"]).status.success());
    let output = place.run(&["run", "output/herd-tune/scenario.toml", "--format", "csv"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let success = |arm: &str| {
        let text = stdout(&output);
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("{arm},calls,api,success_rate,")))
            .map(str::to_owned);
        let row = row.unwrap_or_else(|| panic!("no arm {arm} in\n{text}"));
        row.split(',').nth(5).and_then(|mean| mean.parse::<f64>().ok()).expect("a mean")
    };
    assert!(success("tuned") > 2.0 * success("fixed"));
    assert!(place.path("output/herd-tune-run/summary.csv").exists(), "what tune wrote stays");
    let text = place.read("output/herd-tune/scenario.toml");
    let tuned = text.split("[policies.tuned]").nth(1).expect("there is a tuned policy");
    let tuned = tuned.split("\n[").next().unwrap_or_default();
    assert!(tuned.contains("jitter = \"full\"") && !tuned.contains("retry_delay_seconds"), "{tuned}");
}

#[test]
fn several_workloads_get_an_arm_beside_the_first_one() {
    let two = HERD.replace(
        "[policies.fixed]",
        "policy = \"fixed\"\n[workloads.others]\nservice = \"api\"\npolicy = \"fixed\"\narrivals.even = { rate = \"1/10s\" }\n[policies.fixed]",
    );
    let place = Place::with(&two);
    assert!(place.run(&["tune", "herd.toml", "--evaluations", "300", "--format", "csv"]).status.success());
    let scenario = Scenario::load(&place.path("output/herd-tune/scenario.toml"), &[])
        .unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = scenario.arms.iter().map(|arm| arm.name.as_str()).collect();
    assert_eq!(names, ["as-written", "tuned"]);
    let policy =
        |arm: usize, workload: usize| scenario.policies[scenario.arms[arm].policies[workload]].name.as_str();
    assert_eq!(
        [policy(0, 0), policy(0, 1), policy(1, 0), policy(1, 1)],
        ["fixed", "fixed", "tuned-calls", "fixed"]
    );
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let place = Place::with(HERD);
    for jobs in ["1", "3"] {
        let out = format!("with-{jobs}");
        let arguments =
            ["tune", "herd.toml", "--evaluations", "300", "--jobs", jobs, "--out", &out, "--format", "quiet"];
        assert!(place.run(&arguments).status.success());
    }
    assert!(files(&place.path("with-1")) == files(&place.path("with-3")));
    let other =
        ["tune", "herd.toml", "--evaluations", "300", "--seed", "2", "--out", "other", "--format", "quiet"];
    assert!(place.run(&other).status.success());
    assert!(files(&place.path("with-1")) != files(&place.path("other")), "the seed is what it depends on");
}

#[test]
fn what_cannot_be_met_is_said_and_exits_with_3() {
    let place = Place::with(&HERD.replace("time_to_success_p99 <= 5m", "time_to_success_p99 <= 1s"));
    let output = place.run(&["tune", "herd.toml", "--evaluations", "300"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = stdout(&output);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("constraints: NOT MET; not met: time_to_success_p99 <= 1s ("), "{text}");
    assert!(flat.contains("no candidate meets the constraints of calls"), "{text}");
    // The same words everywhere, and the row is marked with what is broken.
    let table = place.read("output/herd-tune/best-practices.md");
    assert!(table.contains("| **not met: time_to_success_p99 <= 1s ("), "{table}");
    let rows = place.read("output/herd-tune/best-practices.csv");
    assert!(rows.contains(",not met,") && rows.contains("not met: time_to_success_p99 <= 1s ("), "{rows}");
    assert!(place.path("output/herd-tune/manifest.json").is_file(), "the one that violates least is written");
}

#[test]
fn what_was_never_observed_is_undecided_and_said_so() {
    // A limit that nobody meets: no attempt fails, and nobody gives up.
    let calm = HERD
        .replace("rate = \"2/s\", burst = 2", "rate = \"2/s\", burst = 200")
        .replace("time_to_success_p99 <= 5m", "time_to_give_up_max <= 5m");
    let place = Place::with(&calm.replace("minimise retry_load_peak", "minimise time_to_give_up_max"));
    let output = place.run(&["tune", "herd.toml", "--evaluations", "300"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = stdout(&output);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("constraints: UNDECIDED; undecided: time_to_give_up_max <= 5m (observed in none of "),
        "{text}"
    );
    assert!(flat.contains("minimise time_to_give_up_max (observed in none of "), "an objective too: {text}");
    assert!(
        place
            .read("output/herd-tune/best-practices.md")
            .contains("| **undecided: time_to_give_up_max <= 5m (")
    );
    assert!(place.read("output/herd-tune/best-practices.csv").contains(",undecided,"));
    // `run` and `limits` say the same of it.
    let expect = format!("{calm}[expect]\n\"fixed.time_to_give_up_max\" = \"<= 5m\"\n");
    fs::write(place.path("herd.toml"), expect).expect("a file can be written");
    let output = place.run(&["run", "herd.toml"]);
    assert_eq!(output.status.code(), Some(3));
    let text = stdout(&output);
    assert!(
        text.contains("UNDECIDED  fixed.time_to_give_up_max <= 5m (not observed in any replication)"),
        "{text}"
    );
    let vary = ["--vary", "workloads.calls.clients=60..100", "--until", "time_to_give_up_max <= 5m"];
    let output = place.run(&[&["limits", "herd.toml", "--max-replications", "60"], &vary[..]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let trials = place.read("output/herd-limits/trials.csv");
    assert!(trials.lines().skip(1).all(|line| line.contains("seems to fail")), "{trials}");
}

#[test]
fn what_a_figure_rests_on_is_said() {
    // One call in a hundred fails twice, and there are fifty: in six of ten replications nobody gives up.
    let rare = "horizon = '10m'\n[services.api]\nfaults = [{ random = { status = 503, probability = 0.1 } }]\n\
        [workloads.calls]\nservice = 'api'\narrivals.even = { rate = '1/s', requests = 50 }\n\
        [policies.start]\nretries = 1\nbackoff.fixed = '1s'\n\
        [tune.calls]\ndelay = '1s..5s'\nobjective = 'maximise success_rate'\nconstraints = 'time_to_give_up_max <= 1m'\n";
    let place = Place::with(rare);
    let text = stdout(&place.run(&["tune", "herd.toml", "--evaluations", "300"]));
    let line =
        text.lines().find(|line| line.contains("time_to_give_up_max:")).unwrap_or_else(|| panic!("{text}"));
    let seen = line.split(" in ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    assert!(seen.is_some_and(|seen| (1..30).contains(&seen)), "{text}");
}

#[test]
fn a_constraint_that_decided_is_named() {
    // One call in ten fails: a retry takes success from 0.9 to 0.99, at 1.1 attempts per request.
    let dear = "horizon = '10m'\n[services.api]\nfaults = [{ random = { status = 503, probability = 0.1 } }]\n\
        [workloads.calls]\nservice = 'api'\narrivals.even = { rate = '10/s', requests = 1000 }\n\
        [policies.start]\nretries = 0\nbackoff.fixed = '1s'\n\
        [tune.calls]\nretries = '0..2'\nobjective = 'maximise success_rate'\nconstraints = 'attempts_per_request <= 1.05'\n";
    let place = Place::with(dear);
    assert!(place.run(&["tune", "herd.toml", "--evaluations", "300"]).status.success());
    let rows = place.read("output/herd-tune/best-practices.csv");
    let near =
        |text: &str, truth: f64, by: f64| text.parse::<f64>().is_ok_and(|value| (value - truth).abs() <= by);
    let why = rows.split("a 1st retry would raise success from ").nth(1).unwrap_or_else(|| panic!("{rows}"));
    let words: Vec<&str> = why.split_whitespace().collect();
    // A thousand requests in each of ten replications or more: a standard error of 0.3 points at most.
    assert!(near(words[0], 90.0, 1.2) && near(words[3], 99.0, 0.4), "{rows}");
    let broken = why.split(" %, but break attempts_per_request <= 1.05 (").nth(1);
    let dearer = broken.and_then(|broken| broken.split_once(" instead of 1.00)")).map(|(dearer, _)| dearer);
    assert!(dearer.is_some_and(|dearer| near(dearer, 1.1, 0.012)), "{rows}");
}

#[test]
fn that_nothing_asked_for_depends_on_it_is_said() {
    // Whatever the policy, what never fails succeeds: the delay changes nothing.
    let calm = "horizon = '10m'\n[services.api]\n[workloads.calls]\nservice = 'api'\n\
        arrivals.even = { rate = '1/s', requests = 50 }\n[policies.start]\nretries = 1\nbackoff.fixed = '1s'\n\
        [tune.calls]\ndelay = '1s..5s'\njitter = ['none', 'full']\nobjective = 'maximise success_rate'\n";
    let place = Place::with(calm);
    assert!(place.run(&["tune", "herd.toml", "--evaluations", "300"]).status.success());
    let document = place.read("output/herd-tune/best-practices.md");
    assert!(
        document.contains("| no clear difference in what was asked for: the one alternative "),
        "{document}"
    );
    assert!(document.contains("- calls: `maximise success_rate`; no constraints\n"), "{document}");
}

#[test]
fn what_is_wrong_with_a_tuning_is_said_at_its_place_and_nothing_is_written() {
    for (field, needles) in [
        ("retries = \"8..0\"", &["tune.calls", "the smaller end first"][..]),
        ("retries = []", &["tune.calls.retries", "there is no value", "retries = \"0..8\""]),
        ("retires = 3", &["unknown field `retires`", "did you mean `retries`?"]),
        ("delay = \"0s..1m\"", &["tune.calls.delay", "logarithmic"]),
        ("delay = 5", &["tune.calls.delay", "5 is no duration"]),
        ("jitter = \"proportional\"", &["tune.calls.jitter", "jitter_amount"]),
        ("jitter_amount = 0.5", &["tune.calls.jitter_amount", "no jitter here takes an amount"]),
        ("breaker = \"consecutive\"", &["tune.calls.breaker", "breaker_threshold"]),
        ("breaker_timeout = \"10s\"", &["tune.calls.breaker_timeout", "there is no breaker"]),
        ("budget = \"window\"", &["tune.calls.budget", "budget_ratio"]),
        ("from = \"fixd\"", &["tune.calls.from", "did you mean `fixed`?"]),
        (
            "objective = []",
            &["tune.calls.objective", "there is nothing in objective", "maximise success_rate"],
        ),
        ("objective = 5", &["tune.calls.objective", "neither text nor a list"]),
        (
            "objective = \"success_rate\"",
            &["tune.calls.objective", "write for example \"maximise success_rate\""],
        ),
        ("objective = \"minimise success_rate\"", &["more of success_rate is better: maximise it"]),
        ("objective = \"maximise sucess_rate\"", &["did you mean `success_rate`?"]),
        ("objective = [\"maximise goodput\", \"maximise goodput\"]", &["twice"]),
        (
            "constraints = []",
            &["tune.calls.constraints", "there is nothing in constraints", "success_rate >= 0.95"],
        ),
        ("constraints = \"success_rate\"", &["is not a condition"]),
        ("constraints = \"success_rate >= 95%\"", &["95% is 0.95, write that"]),
        ("constraints = \"other.success_rate >= 0.9\"", &["there is no workload \"other\""]),
    ] {
        let name = field.split(' ').next().unwrap_or_default();
        let kept: Vec<&str> = HERD.lines().filter(|line| !line.starts_with(&format!("{name} "))).collect();
        let place = Place::with(&format!("{}\n{field}\n", kept.join("\n")));
        for verb in ["tune", "run", "check"] {
            let output = place.run(&[verb, "herd.toml"]);
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{field}: {message}");
            for needle in needles {
                assert!(message.contains(needle), "{field}: no \"{needle}\" in\n{message}");
            }
            assert!(!message.contains("panicked") && !place.path("output").exists(), "{message}");
        }
    }
    let without_limit = HERD.replace("rate_limit.token_bucket = { rate = \"2/s\", burst = 2 }", "");
    let place = Place::with(&without_limit.replace("minimise retry_load_peak", "minimise peak_to_limit"));
    assert!(stderr(&place.run(&["tune", "herd.toml"])).contains("has no rate limit"));
    let place = Place::with(&HERD.replace("[tune.calls]", "[tune.cals]"));
    assert!(stderr(&place.run(&["tune", "herd.toml"])).contains("did you mean `calls`?"));
    let nothing = HERD
        .replace("\"1..4\"", "3")
        .replace("\"10s..1m\"", "\"10s\"")
        .replace("[\"none\", \"full\"]", "\"full\"");
    assert!(stderr(&Place::with(&nothing).run(&["tune", "herd.toml"])).contains("nothing is free to move"));
}

#[test]
fn a_scenario_without_a_tuning_and_too_few_evaluations_are_refused() {
    let place = Place::with(HERD.split("[tune.calls]").next().unwrap_or_default());
    let output = place.run(&["tune", "herd.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("[tune.calls]\nretries = \"0..8\""), "{}", stderr(&output));
    let place = Place::with(HERD);
    let output = place.run(&["tune", "herd.toml", "--evaluations", "20"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("needs at least 300"), "{}", stderr(&output));
    let least = format!("at least {} for each tuned workload", experiment::tune::LEAST_EVALUATIONS);
    let help = stdout(&place.run(&["tune", "--help"])).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains(&least) && include_str!("../README.md").contains(&least), "{help}");
    fs::create_dir_all(place.path("output/herd-tune")).expect("a folder can be made");
    fs::write(place.path("output/herd-tune/thesis.txt"), "mine").expect("a file can be written");
    let output = place.run(&["tune", "herd.toml", "--evaluations", "300"]);
    assert_eq!(output.status.code(), Some(2), "what is not ours is not replaced");
    assert_eq!(place.read("output/herd-tune/thesis.txt"), "mine");
}

/// The first table of a Markdown document.
fn table_of(document: &str) -> String {
    let rows = document.split_inclusive('\n').skip_while(|line| !line.starts_with('|'));
    rows.take_while(|line| line.starts_with('|')).collect()
}

/// The table of the shipped study, for the workloads that `kept` names.
fn study(kept: impl Fn(&str) -> bool) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/best-practices.toml");
    let mut scenario = Scenario::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<String> = scenario.workloads.iter().map(|workload| workload.name.clone()).collect();
    scenario.tunings.retain(|tune| kept(&names[tune.workload]));
    let evaluations = 3000 * scenario.tunings.len() as u64;
    let tuning = experiment::threads(0).install(|| experiment::tune::tune(&scenario, evaluations, &|| ()));
    table_of(&report::best_practices_markdown(&scenario, &tuning))
}

const SCENARIOS: &str = include_str!("../scenarios/README.md");

#[test]
fn a_row_of_the_shown_table_is_what_tuning_gives() {
    let table = study(|name| name == "heavy-api");
    assert!(SCENARIOS.contains(&table.lines().last().unwrap_or_default().to_owned()), "{table}");
}

#[test]
#[ignore = "it takes minutes: five workloads of 3000 replications each"]
fn the_shown_table_is_what_tuning_gives() {
    let table = study(|_| true);
    assert!(SCENARIOS.contains(&table), "{table}");
}
