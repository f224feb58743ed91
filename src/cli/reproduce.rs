//! `retrysim reproduce`: a run made again from its folder alone, and held against what that has kept.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::run::simulate;
use super::{NOT_MET, print};
use crate::error::Error;
use crate::experiment::Options;
use crate::report::{Original, result_files};

/// Run the scenario that a run has kept in its folder again, and compare every result with the digests of its manifest. Writes nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0 if all agree, 3 if something differs.\n\nExample: retrysim reproduce output/circuit-breaker\n(after: retrysim run scenarios/circuit-breaker.toml)"
)]
pub(super) struct Reproduce {
    /// The folder of a run; of several, one after the other is run again.
    #[arg(value_name = "RUN", required = true)]
    folders: Vec<PathBuf>,
    /// The folder of the data files that the scenario names, such as traces; the folder of the run if absent.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Threads to use; one per core if absent. The results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Reproduce {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        // All are read before the first is run: a wrong path must not cost the time of the others.
        let read = |folder: &PathBuf| Original::read(folder, self.data.as_deref());
        let runs: Vec<Original> = self.folders.iter().map(read).collect::<Result<_, _>>()?;
        let mut agree = true;
        for (folder, run) in self.folders.iter().zip(&runs) {
            print(&format!("{}: {}\n", folder.display(), described(run)))?;
            agree &= self.again(run)?;
        }
        Ok(if agree { ExitCode::SUCCESS } else { ExitCode::from(NOT_MET) })
    }

    /// Runs one again and prints how it compares; true if all agrees.
    fn again(&self, run: &Original) -> Result<bool, Error> {
        let options = Options { traced: run.traced as usize, jobs: self.jobs.unwrap_or(0).into() };
        let results = simulate(&run.scenario, options);
        let compared = run.against(&result_files(&run.scenario, &results, run.traced > 0));
        let mut text = String::new();
        for file in &compared {
            text += &match &file.difference {
                None => format!("  same     {}\n", file.name),
                Some(difference) => format!("  differs  {}: {difference}\n", file.name),
            };
        }
        let (all, differ) =
            (compared.len(), compared.iter().filter(|file| file.difference.is_some()).count());
        text += &match differ {
            0 => format!("all {all} files agree\n"),
            _ => format!("{differ} of {all} files differ\n"),
        };
        print(&text)?;
        Ok(differ == 0)
    }
}

/// What is run again, and by which rules.
fn described(run: &Original) -> String {
    let scenario = &run.scenario;
    let (seed, replications, arms) = (scenario.seed, scenario.replications, scenario.arms.len());
    let traced = if run.traced > 0 { format!(", {} requests followed", run.traced) } else { String::new() };
    let note = run.note().map(|note| format!("\n  note: {note}")).unwrap_or_default();
    format!("seed {seed}, {replications} replications, {arms} arms{traced}{note}")
}
