//! `retrysim report`: the page of a run made again from its folder alone, or one that holds several runs against each other.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::print;
use crate::error::Error;
use crate::report::{File, Folder, Kept, Verb, several};

/// What the page of several runs is called.
const SEVERAL: &str = "report.html";

/// Draw the charts and the page of a run again from its folder alone, or hold several runs against each other on one page.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: retrysim report output/circuit-breaker\n(after: retrysim run scenarios/circuit-breaker.toml)"
)]
pub(super) struct Report {
    /// The folder of a run; of several, one page is written that shows them below one another.
    #[arg(value_name = "RUN", required = true)]
    folders: Vec<PathBuf>,
    /// Where to write the page of several runs: report.html if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The folder of the data files that the scenario names, such as traces; the folder of the run if absent.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Report {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let runs: Vec<Kept> = self
            .folders
            .iter()
            .map(|folder| Kept::read(folder, self.data.as_deref()))
            .collect::<Result<_, _>>()?;
        if let ([folder], [run]) = (&self.folders[..], &runs[..]) {
            if self.out.is_some() {
                return Err(Error::Usage(
                    "--out is where the page of several runs goes: that of one run stands in its folder"
                        .into(),
                ));
            }
            Folder::prepare(folder, Verb::Run)?.write(&run.files()?)?;
            print(&format!("drawn again: {}\n", folder.join("report.html").display()))?;
        } else {
            let target = self.out.as_deref().unwrap_or(Path::new(SEVERAL));
            // What somebody else wrote is not ours to replace.
            if std::fs::read(target)
                .is_ok_and(|bytes| !bytes.is_empty() && !bytes.starts_with(b"<!DOCTYPE html>"))
            {
                return Err(Error::Usage(format!(
                    "--out {}: it exists and is no page: name another file",
                    target.display()
                )));
            }
            let file = File::prepare(target)?;
            file.write(&several(&runs)?)?;
            print(&format!("written: {}\n", target.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
