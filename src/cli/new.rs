//! `retrysim new`: a commented scenario to start from, of several.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::print;
use crate::error::Error;
use crate::report::File;

/// Write a commented scenario to start from.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim new my-scenario.toml --template webhooks")]
pub(super) struct New {
    /// The file to write; - for stdout.
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// What the scenario is about.
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Template::Jitter)]
    template: Template,
    /// List the templates instead.
    #[arg(long, conflicts_with_all = ["file", "template", "force"])]
    list: bool,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
}

/// What a new scenario can be about; the comments are what `--list` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// A burst through a rate limit and an outage: a fixed delay against full jitter.
    Jitter,
    /// A Prefect task with retries=3, retry_delay_seconds=60, retry_jitter_factor=0.5.
    #[expect(clippy::doc_markdown, reason = "it is what --list prints")]
    PrefectTask,
    /// An API that allows 3 requests a second (Notion): obey its Retry-After, or not.
    RateLimit,
    /// Webhooks to a consumer that goes down, with a circuit breaker and without.
    Webhooks,
    /// A queue in front of a few servers, and clients that time out in it.
    Queue,
}

impl Template {
    const fn text(self) -> &'static str {
        match self {
            Self::Jitter => include_str!("templates/jitter.toml"),
            Self::PrefectTask => include_str!("templates/prefect-task.toml"),
            Self::RateLimit => include_str!("templates/rate-limit.toml"),
            Self::Webhooks => include_str!("templates/webhooks.toml"),
            Self::Queue => include_str!("templates/queue.toml"),
        }
    }
}

impl New {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let Some(path) = &self.file else {
            print(&list())?;
            return Ok(ExitCode::SUCCESS);
        };
        let text = self.template.text();
        if path.as_os_str() == "-" {
            print(text)?;
            return Ok(ExitCode::SUCCESS);
        }
        let shown = path.display();
        if path.exists() && !self.force {
            return Err(Error::Usage(format!(
                "{shown} exists: name another file, or replace it with --force"
            )));
        }
        File::prepare(path)?.write(text.as_bytes())?;
        print(&format!("wrote {shown}; now: retrysim run {shown}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A line per template: its name, and what it is about.
fn list() -> String {
    let values = Template::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let line = |value: clap::builder::PossibleValue| {
        let about = value.get_help().map(ToString::to_string).unwrap_or_default();
        format!("{:<14}{about}\n", value.get_name())
    };
    values.map(line).collect()
}
