//! What a run prints: which arm won, how the load went, and colours only where they are wanted.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use retrysim::experiment::{Options, run};
use retrysim::report;
use retrysim::scenario::Scenario;

/// Half of all attempts fail; who retries has more successes.
const CLEAR: &str = "
title = 'Half of all attempts fail'
horizon = '10m'
replications = 8
[services.api]
faults = [{ random = { status = 503, probability = 0.5 } }]
[workloads.calls]
service = 'api'
clients = 50
arrivals.burst = { at = '0s' }
[policies.none]
retries = 0
[policies.three]
retries = 3
backoff.fixed = '1m'
[expect]
'none.success_rate' = '> 0.9'
'three.success_rate' = '> 0.8'
";

/// The same policy under two names.
fn equals() -> String {
    CLEAR.replace("retries = 0", "retries = 3\nbackoff.fixed = '1m'")
}

fn overview(text: &str, width: usize) -> String {
    let scenario =
        Scenario::parse("terminal", "terminal.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    report::overview(&scenario, &run(&scenario, Options::default(), &|| ()), width)
}

fn retrysim(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
    command.current_dir(place).args(arguments);
    command
}

/// What is printed into a pipe in this environment.
fn piped(text: &str, environment: &[(&str, &str)], arguments: &[&str]) -> (String, String) {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(place.path().join("s.toml"), text).expect("a file can be written");
    let mut command = retrysim(place.path(), &[&["run", "s.toml"], arguments].concat());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    let output = command.envs(environment.iter().copied()).output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (text(output.stdout), text(output.stderr))
}

#[test]
fn the_arm_that_won_is_marked_and_the_mark_explained() {
    let (printed, _) = piped(CLEAR, &[], &["--export", "tenacity"]);
    assert!(printed.contains("\nthree *  "), "{printed}");
    assert!(!printed.contains("none *"), "{printed}");
    // By the rule of --export.
    let (_, why) = printed.split_once("workload calls: arm three won (").expect("it is exported");
    let why = why.lines().next().unwrap_or_default();
    let said: String = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("* three won ({why}")), "{printed}");
}

#[test]
fn where_no_arm_is_clearly_better_none_is_marked() {
    let text = overview(&equals(), 80);
    assert!(!text.contains('*'), "{text}");
    assert!(text.contains("no clear winner: none is first ("), "{text}");
    // One replication tells nothing.
    let text = overview(&CLEAR.replace("replications = 8", "replications = 1"), 80);
    assert!(!text.contains('*') && text.contains("no clear winner"), "{text}");
    let (alone, _) = CLEAR.split_once("[policies.three]").expect("it is there");
    let text = overview(alone, 80);
    assert!(!text.contains('*') && !text.contains("winner"), "{text}");
}

#[test]
fn with_as_many_successes_the_fewest_attempts_win() {
    // Down for 90 s: who comes every minute succeeds with the third attempt, who comes every half minute with the fourth.
    let text = CLEAR
        .replace(
            "faults = [{ random = { status = 503, probability = 0.5 } }]",
            "incidents = [{ outage = { from = '0s', lasts = '90s' } }]",
        )
        .replace("retries = 0", "retries = 3\nbackoff.fixed = '30s'");
    let found = overview(&text, 80);
    assert!(found.contains("three *") && !found.contains("none *"), "{found}");
    let said = found.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = "* three won (2 arms have the highest success rate, 100.00 %; it makes the fewest attempts per request, 3.000)";
    assert!(said.contains(why), "{found}");
}

#[test]
fn the_load_is_drawn_to_one_scale() {
    // 50 calls within the first second's bin, then about half of them a minute later, and so on.
    let text = overview(CLEAR, 80);
    let (_, load) = text.split_once("\nload: attempts per second").expect("there is a load");
    let load = load.lines().skip_while(|line| !line.starts_with("none"));
    let rows: Vec<&str> = load.take(2).collect();
    assert!(rows[0].starts_with("none   \u{2588}") && rows[0].matches('\u{2588}').count() == 1, "{text}");
    let blocks: Vec<char> =
        rows[1].trim_start_matches("three").trim().chars().filter(|block| *block != ' ').collect();
    assert_eq!(blocks.len(), 4, "four waves: {text}");
    assert!(blocks.windows(2).all(|pair| pair[0] > pair[1]), "each about half of the one before: {text}");
    // 25 of 50 are four eighths, perhaps a step more or less; 12.5 are two, 6.25 are one.
    assert!(('\u{2583}'..='\u{2586}').contains(&blocks[1]) && blocks[3] <= '\u{2582}', "{text}");
}

#[test]
fn the_load_is_a_column_where_there_is_room_for_it() {
    for (width, column) in [(80, false), (99, false), (100, true), (160, true)] {
        let text = overview(CLEAR, width);
        assert_eq!(
            text.lines().next().is_some_and(|head| head.ends_with("load")),
            column,
            "{width}:\n{text}"
        );
        let widest = text
            .lines()
            .map(|line| line.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "").chars().count())
            .max();
        assert!(widest <= Some(width), "{width}:\n{text}");
        assert!(text.contains('\u{2588}'), "{text}");
    }
}

#[test]
fn colours_are_for_terminals_and_for_who_asks_for_them() {
    let plain = piped(CLEAR, &[], &[]);
    assert!(!plain.0.contains('\u{1b}') && plain.1.is_empty(), "{plain:?}");
    for environment in
        [&[("TERM", "dumb")][..], &[("NO_COLOR", "1")], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]]
    {
        assert_eq!(piped(CLEAR, environment, &[]), plain, "{environment:?}");
    }
    let (forced, said) = piped(CLEAR, &[("CLICOLOR_FORCE", "1")], &[]);
    assert!(forced.contains("\u{1b}[1mthree *"), "{forced}");
    assert!(forced.contains("\u{1b}[32mmet") && forced.contains("\u{1b}[31mNOT MET"), "{forced}");
    let bare = ["\u{1b}[1m", "\u{1b}[0m", "\u{1b}[31m", "\u{1b}[32m"];
    assert_eq!(bare.iter().fold(forced.clone(), |text, code| text.replace(code, "")), plain.0);
    assert!(said.is_empty(), "progress is for terminals: {said}");
}

#[test]
fn no_progress_goes_into_a_pipe() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let tuned = format!("{CLEAR}\n[tune.calls]\nretries = '0..2'\nobjective = 'maximise success_rate'\n");
    fs::write(place.path().join("s.toml"), tuned).expect("a file can be written");
    for arguments in [
        &["sweep", "s.toml", "-L", "policies.three.retries=1,2"][..],
        &[
            "limits",
            "s.toml",
            "--vary",
            "workloads.calls.clients=10..20",
            "--until",
            "success_rate < 0.9",
            "--max-replications",
            "8",
        ],
        &["tune", "s.toml", "--evaluations", "1500"],
        &["run", "s.toml", "--until-precise", "success_rate=10%", "--format", "quiet"],
    ] {
        let output = retrysim(place.path(), arguments).output().expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !said.contains(" left") && !said.contains('\r') && !said.contains('\u{1b}'),
            "{arguments:?}: {said}"
        );
    }
}
