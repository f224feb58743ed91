//! `retrysim schema`: what may stand in a scenario, for editors and for readers.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::print;
use crate::error::Error;
use crate::scenario;

/// Print the JSON Schema of scenario files, by which editors complete and check them.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim schema > scenario.schema.json

Then begin a scenario with the line
#:schema ./scenario.schema.json
for taplo, and for editors that use it, such as VS Code with Even Better TOML.")]
pub(super) struct Schema {
    /// How to print it.
    #[arg(long = "as", value_enum, default_value_t = Form::Json)]
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// JSON Schema, draft 2020-12.
    Json,
    /// A table of fields per table of the file.
    Markdown,
}

impl Schema {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        print(&match self.form {
            Form::Json => scenario::schema(),
            Form::Markdown => scenario::fields(),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
