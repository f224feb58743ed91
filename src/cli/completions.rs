//! `retrysim completions`: what a shell needs to complete verbs and options.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Arguments, print};
use crate::error::Error;

/// Print the script by which a shell completes verbs, options and their values.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  retrysim completions bash > ~/.local/share/bash-completion/completions/retrysim
  retrysim completions zsh > ~/.zfunc/_retrysim     # with ~/.zfunc in fpath
  retrysim completions fish > ~/.config/fish/completions/retrysim.fish")]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let mut command = Arguments::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        print(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
