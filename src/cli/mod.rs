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
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;

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
    let done = match Arguments::parse().verb {
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
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
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
