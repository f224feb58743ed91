//! `retrysim man`: what `--help` says, as pages of the manual.

use std::io;
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, roman};

use super::{Arguments, print};
use crate::error::{Error, suggestion};

/// Print the man page of retrysim, or of one verb.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim man run > retrysim-run.1     # then: man ./retrysim-run.1")]
pub(super) struct Man {
    /// The verb; without one the page is about retrysim as a whole.
    verb: Option<String>,
}

impl Man {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        // What `retrysim help` does is no verb with a page of its own.
        let mut whole = Arguments::command()
            .disable_help_subcommand(true)
            .subcommand_value_name("VERB")
            .subcommand_help_heading("VERBS");
        whole.build();
        let command = match &self.verb {
            None => whole,
            Some(verb) => whole.find_subcommand(verb).cloned().ok_or_else(|| unknown(verb, &whole))?,
        };
        let page = page(command).map_err(|error| Error::disk("write", "the man page", error))?;
        print(&String::from_utf8_lossy(&page))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn unknown(verb: &str, whole: &Command) -> Error {
    let known = whole.get_subcommands().map(Command::get_name);
    Error::Usage(format!("there is no verb \"{verb}\": {}", suggestion(verb, known)))
}

/// The page of a command, in roff. Its examples come last and keep their lines, which would flow into each other otherwise.
fn page(command: Command) -> io::Result<Vec<u8>> {
    let examples = command.get_after_help().map(ToString::to_string);
    let mut page = Vec::new();
    Page::new(command.after_help(Resettable::Reset))
        // A page has no date of its own; one of no width would not be quoted, and what follows would stand in its place.
        .date(" ")
        .source(concat!("retrysim ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    if let Some(examples) = examples {
        let mut roff = Roff::new();
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for line in examples.lines() {
            let line = line.strip_prefix("Example: ").unwrap_or(line);
            if !["Example:", "Examples:"].contains(&line) {
                roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
            }
        }
        roff.control("fi", []);
        roff.to_writer(&mut page)?;
    }
    Ok(page)
}
