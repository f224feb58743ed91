//! The command line: verbs, options, exit codes. Each verb is a room of its own that parses, calls and prints.

mod breaker;
mod breaker_trace;
mod check;
mod completions;
mod delays;
mod explain;
mod export;
mod import;
mod limits;
mod man;
mod merge;
mod new;
mod precise;
mod presets;
mod progress;
mod report;
mod reproduce;
mod run;
mod schema;
mod sweep;
mod tune;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::experiment::Impossible;

/// What does this retry policy do to my success rate, and to the service it calls?
///
/// A scenario file describes services, workloads and the policies to compare; a deterministic simulation replays them.
#[derive(Debug, Parser)]
#[command(name = "retrysim", version, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Run),
    Sweep(sweep::Sweep),
    Merge(merge::Merge),
    Tune(tune::Tune),
    Check(check::Check),
    Limits(limits::Limits),
    New(new::New),
    Import(import::Import),
    Report(report::Report),
    Reproduce(reproduce::Reproduce),
    Explain(explain::Explain),
    Delays(delays::Delays),
    Presets(presets::Presets),
    Breaker(breaker::Replay),
    Completions(completions::Completions),
    Schema(schema::Schema),
    Man(man::Man),
}

/// The exit code when an expectation is not known to be met, a precision is not reached, or a run does not come out again.
const NOT_MET: u8 = 3;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let verb = Arguments::parse().verb;
    match unless_impossible(|| execute(verb)) {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(verb: Verb) -> Result<ExitCode, Error> {
    match verb {
        Verb::Run(verb) => verb.execute(),
        Verb::Sweep(verb) => verb.execute(),
        Verb::Merge(verb) => verb.execute(),
        Verb::Tune(verb) => verb.execute(),
        Verb::Check(verb) => verb.execute(),
        Verb::Limits(verb) => verb.execute(),
        Verb::New(verb) => verb.execute(),
        Verb::Import(verb) => verb.execute(),
        Verb::Report(verb) => verb.execute(),
        Verb::Reproduce(verb) => verb.execute(),
        Verb::Explain(verb) => verb.execute(),
        Verb::Delays(verb) => verb.execute(),
        Verb::Presets(verb) => verb.execute(),
        Verb::Breaker(verb) => verb.execute(),
        Verb::Completions(verb) => verb.execute(),
        Verb::Schema(verb) => verb.execute(),
        Verb::Man(verb) => verb.execute(),
    }
}

/// What `work` comes to; an error if it ends with a replication in which something does not add up.
fn unless_impossible<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| match payload.downcast::<Impossible>() {
        Ok(impossible) => Err(Error::Bug(impossible.to_string())),
        Err(payload) => resume_unwind(payload),
    })
}

/// Prints to stdout. A reader that has gone away (`| head`) is no error.
fn print(text: &str) -> Result<(), Error> {
    match anstream::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::disk("write to", "stdout", error))
        }
        _ => Ok(()),
    }
}

/// How many columns stdout has; 80 if it is no terminal, so that what goes into a pipe is always the same.
fn width() -> usize {
    console::Term::stdout().size_checked().map_or(80, |(_, columns)| columns.into())
}

/// What was given to `--set`, as (name, value).
fn assignments(set: &[String], example: &str) -> Result<Vec<(String, String)>, Error> {
    let split = |text: &String| match text.split_once('=') {
        None => Err(Error::Usage(format!("--set {text}: write NAME=VALUE, such as --set {example}"))),
        Some((name, _)) if name.trim().is_empty() => Err(Error::Usage(format!(
            "--set {text}: there is no name before the =: write NAME=VALUE, such as --set {example}"
        ))),
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
    };
    set.iter().map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::conservation::Breach;

    #[test]
    fn what_cannot_be_is_an_error_with_its_figures_and_not_a_panic() {
        let breach = Breach {
            law: "every request ends exactly once",
            figures: vec![("requests", 3), ("succeeded", 2)],
        };
        let (arm, part) = ("fixed".to_owned(), "workload calls".to_owned());
        let impossible = Impossible { arm, replication: 4, seed: 7, part, breach };
        let error = unless_impossible::<ExitCode>(|| resume_unwind(Box::new(impossible))).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let said = error.to_string();
        for words in [
            "error: this is a bug of retrysim, and not of the scenario",
            "arm fixed, replication 4, seed 7, workload calls",
            "every request ends exactly once (requests 3, succeeded 2)",
            "Please report",
        ] {
            assert!(said.contains(words), "{said}");
        }
        let other = catch_unwind(AssertUnwindSafe(|| {
            unless_impossible::<ExitCode>(|| resume_unwind(Box::new("other")))
        }));
        assert_eq!(other.unwrap_err().downcast_ref(), Some(&"other"), "any other panic stays one");
    }
}
