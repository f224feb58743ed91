//! `retrysim merge`: the shards of a sweep, put together.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::run::Format;
use super::sweep::{default_folder, metrics, show};
use crate::error::Error;
use crate::report::Pictures;
use crate::report::sweep::{Work, files, merge};

/// Put the shards of a sweep together: the same bytes as if it had been run in one piece.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim merge output/how-many-at-once-sweep-*-of-8")]
pub(super) struct Merge {
    /// The folders of all shards.
    #[arg(required = true, value_name = "DIR")]
    shards: Vec<PathBuf>,
    /// Folder to write; output/NAME-sweep if absent, where NAME is the scenario's. Another sweep is never replaced.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A metric to draw; as with retrysim sweep.
    #[arg(long, value_name = "NAME")]
    metric: Vec<String>,
    /// Write each chart as PNG as well, at twice the size.
    #[arg(long)]
    png: bool,
    /// What to print: a table, the rows of sweep.csv as JSON or as they are, or nothing.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Merge {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let metrics = metrics(&self.metric)?;
        let merged = merge(&self.shards)?;
        let target = self.out.clone().unwrap_or_else(|| default_folder(&merged.plan));
        let files =
            files(&merged.plan, &merged.scenario, &merged.points, &metrics, Pictures::with_png(self.png));
        let files = files
            .ok_or_else(|| Error::Usage("the rows of a point are no summary: run its shard again".into()))?;
        Work::begin(&target, &merged.plan)?.finish(&files)?;
        show(&merged.plan, &merged.points, &metrics, self.format, &target)?;
        Ok(ExitCode::SUCCESS)
    }
}
