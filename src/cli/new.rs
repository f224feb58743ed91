//! `retrysim new`: a commented scenario to start from.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::print;
use crate::error::Error;
use crate::report::File;

/// What is written.
const TEMPLATE: &str = include_str!("template.toml");

/// Write a commented scenario to start from.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim new my-scenario.toml")]
pub(super) struct New {
    /// The file to write; - for stdout.
    file: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
}

impl New {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        if self.file.as_os_str() == "-" {
            print(TEMPLATE)?;
            return Ok(ExitCode::SUCCESS);
        }
        let shown = self.file.display();
        if self.file.exists() && !self.force {
            return Err(Error::Usage(format!(
                "{shown} exists: name another file, or replace it with --force"
            )));
        }
        File::prepare(&self.file)?.write(TEMPLATE.as_bytes())?;
        print(&format!("wrote {shown}; now: retrysim run {shown}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
