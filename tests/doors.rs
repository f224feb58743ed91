//! What the verbs say of themselves holds: the examples of their help run as written, shells complete what there is, and the
//! pages of the manual leave nothing out.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::Place;

const BINARY: &str = env!("CARGO_BIN_EXE_retrysim");
const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

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

/// The options that the help of a verb explains: `--set`, `-P`.
fn options(help: &str) -> BTreeSet<String> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    lines
        .flat_map(|line| line.split(", ").map(|part| part.split_whitespace().next().unwrap_or_default()))
        .filter(|word| word.starts_with('-') && word.len() > 1)
        .map(str::to_owned)
        .collect()
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
    for folder in
        ["scenarios", ".zfunc", ".config/fish/completions", ".local/share/bash-completion/completions"]
    {
        fs::create_dir_all(place.path(folder)).expect("a folder can be made");
    }
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
    // The run that the examples of `explain`, `report` and `reproduce` tell of.
    let followed = [
        "run",
        "scenarios/circuit-breaker.toml",
        "--trace",
        "20",
        "--replications",
        "2",
        "--format",
        "quiet",
    ];
    place.run(&followed);
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
    for verb in
        ["run", "sweep", "merge", "tune", "limits", "new", "import", "reproduce", "completions", "man"]
    {
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
fn a_shell_completes_every_verb_and_option() {
    let place = Place::new();
    let bash = stdout(&place.run(&["completions", "bash"]));
    let case = |name: &str| {
        let (_, after) =
            bash.split_once(&format!("\n        {name})\n")).unwrap_or_else(|| panic!("no {name}"));
        let (_, words) = after.split_once("opts=\"").expect("options are listed");
        let (words, _) = words.split_once('"').expect("the list ends");
        words.split_whitespace().map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let top = case("retrysim");
    for verb in verbs() {
        assert!(top.contains(&verb), "{verb} is not among {top:?}");
        let words = case(&format!("retrysim__subcmd__{verb}"));
        let options = options(&help(&verb));
        assert!(options.contains("--help"), "{verb}: {options:?}");
        let missing: Vec<&String> = options.difference(&words).collect();
        assert!(missing.is_empty(), "{verb}: {missing:?} not among {words:?}");
    }
    assert!(case("retrysim__subcmd__sweep").contains("-P"));
    assert!(bash.contains("jitter prefect-task rate-limit webhooks queue"), "values are completed as well");
    for shell in SHELLS {
        let script = stdout(&place.run(&["completions", shell]));
        assert!(verbs().iter().all(|verb| script.contains(verb.as_str())), "{shell}");
    }
    place.refuses(&["completions", "tcsh"], &["'tcsh'", "bash, elvish, fish, powershell, zsh"]);
    place.refuses(&["completions"], &["SHELL"]);
}

/// The text of a page, without what roff needs to print it.
fn plain(page: &str) -> String {
    ["\\fB", "\\fI", "\\fR", "\\&"]
        .iter()
        .fold(page.to_owned(), |text, mark| text.replace(mark, ""))
        .replace("\\-", "-")
        .replace("\\*(Aq", "'")
        .replace("\\\\", "\\")
}

#[test]
fn the_page_of_every_verb_has_its_options_and_its_examples() {
    let place = Place::new();
    let whole = stdout(&place.run(&["man"]));
    for verb in verbs() {
        assert!(plain(&whole).contains(&format!("retrysim-{verb}(1)")), "{verb} is not in\n{whole}");
        let page = stdout(&place.run(&["man", &verb]));
        let title = format!(".TH retrysim-{verb} 1 \" \" \"retrysim {}\"", env!("CARGO_PKG_VERSION"));
        assert!(page.contains(&title), "no {title} in\n{page}");
        let page = plain(&page);
        let (before, shown) = page.split_once(".SH EXAMPLES\n").expect("there are examples");
        let explained: BTreeSet<&str> =
            before.split(".SH OPTIONS").nth(1).expect("there are options").split([' ', ',', '\n']).collect();
        let help = help(&verb);
        for option in options(&help) {
            assert!(explained.contains(option.as_str()), "{verb}: no {option} in\n{before}");
        }
        let shown = shown.replace("\\\n", " ");
        let shown: Vec<String> =
            shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for example in examples(&help) {
            assert!(shown.contains(&example), "{verb}: no {example} in\n{shown:?}");
        }
    }
    place.refuses(&["man", "nothing"], &["there is no verb \"nothing\"", "known are: run, sweep, merge"]);
    place.refuses(&["man", "swep"], &["did you mean `sweep`?"]);
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    for arguments in [&["completions", "zsh"][..], &["man", "run"], &["new", "--list"]] {
        let mut child = Command::new(BINARY)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{arguments:?}: {said}");
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
