//! What the verbs say of themselves holds: the examples of their help run as written.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::Place;

const BINARY: &str = env!("CARGO_BIN_EXE_retrysim");

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

fn help(verb: &str) -> String {
    stdout(&Place::new().run(&[verb, "--help"]))
}

/// The verbs that `--help` lists, but for its own.
fn verbs() -> Vec<String> {
    let help = stdout(&Place::new().run(&["--help"]));
    let (_, commands) = help.split_once("Commands:\n").expect("verbs are listed");
    let lines = commands.lines().take_while(|line| !line.is_empty());
    // What a verb is about may go on below it, further to the right.
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
    let names: Vec<String> =
        names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    names.into_iter().filter(|name| name != "help").collect()
}

/// The commands at the end of a help, with the lines that a backslash joins put together.
fn examples(help: &str) -> Vec<String> {
    let (_, end) = help.split_once("\nExample").unwrap_or_else(|| panic!("no example in\n{help}"));
    let end = end.trim_start_matches(['s', ':']).replace("\\\n", " ");
    let lines = end.lines().map(str::trim).filter(|line| line.starts_with("retrysim "));
    let found: Vec<String> =
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(!found.is_empty(), "no command in the examples of\n{help}");
    found
}

/// A folder with what the examples speak of.
fn checkout(breaker_help: &str) -> Place {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Place::new();
    fs::create_dir(place.path("scenarios")).expect("a folder can be made");
    for entry in fs::read_dir(root.join("scenarios")).expect("there are scenarios") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().expect("a file has a name");
        fs::copy(&path, place.path("scenarios").join(name)).expect("a file can be copied");
    }
    fs::copy(root.join("tests/data/import/nginx-combined.log"), place.path("access.log"))
        .expect("a file can be copied");
    let (_, calls) = breaker_help.split_once("A calls.csv:").expect("the trace is shown");
    let lines = calls.lines().map(str::trim).filter(|line| !line.is_empty());
    place.write("calls.csv", lines.fold(String::new(), |text, line| text + line + "\n"));
    place
}

/// What is added to a command so that it does not take long.
fn in_short(verb: &str) -> &'static str {
    match verb {
        "run" | "sweep" => "--replications 2",
        "limits" => "--replications 2 --max-replications 2 --resolution 20",
        "tune" => "--evaluations 1500 --set horizon=15m",
        _ => "",
    }
}

/// Runs a command in a shell, as a user would: exit 0, or 3 if an expectation or a constraint is not known to hold.
fn run_as_written(place: &Place, verb: &str, example: &str) {
    let name = format!("retrysim {verb}");
    let rest = example.strip_prefix(&name).unwrap_or_else(|| panic!("{example} is none of {verb}"));
    let mut path = Path::new(BINARY).parent().expect("it lies in a folder").as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    let output = Command::new("sh")
        .args(["-c", &format!("{name} {}{rest}", in_short(verb))])
        .current_dir(place.path(""))
        .env("PATH", path)
        .env("HOME", place.path(""))
        .env_remove("SLURM_ARRAY_TASK_ID")
        .env_remove("JOB_COMPLETION_INDEX")
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{example}: {said}");
    let judges = ["run", "tune"].contains(&verb);
    assert!(judges || output.status.success(), "{example} judges nothing: {said}");
}

#[test]
fn the_examples_of_every_verb_run_as_written() {
    let verbs = verbs();
    for verb in ["run", "sweep", "merge", "tune", "limits", "new", "import"] {
        assert!(verbs.iter().any(|listed| listed == verb), "{verb} is not among {verbs:?}");
    }
    let breaker = help("breaker");
    for verb in &verbs {
        let help = help(verb);
        assert!(!help.contains('`'), "marks of documentation in\n{help}");
        let place = checkout(&breaker);
        if verb == "merge" {
            // It puts together what the last example of sweep is a part of.
            let shards = examples(&self::help("sweep")).pop().expect("there is one");
            assert!(shards.contains("--shard 3/8"), "{shards}");
            for shard in 1..=8 {
                run_as_written(&place, "sweep", &shards.replace("3/8", &format!("{shard}/8")));
            }
        }
        for (number, example) in examples(&help).iter().enumerate() {
            // Sweeps of one scenario over other axes do not replace each other, so each has a folder of its own.
            let fresh = (number > 0 && verb == "sweep").then(|| checkout(&breaker));
            run_as_written(fresh.as_ref().unwrap_or(&place), verb, example);
        }
    }
}

#[test]
fn a_verb_without_what_it_needs_says_what_that_is() {
    let place = Place::new();
    for (verb, needed) in [("run", "SCENARIO"), ("breaker", "--trace"), ("merge", "DIR"), ("import", "FILE")]
    {
        place.refuses(&[verb], &[needed, "Usage: "]);
    }
}
