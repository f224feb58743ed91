//! `retrysim tune`: policies found for the workloads of a scenario.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{NOT_MET, assignments, print, progress, run};
use crate::error::Error;
use crate::experiment;
use crate::experiment::tune::{LEAST_EVALUATIONS, TunedWorkload, Tuning};
use crate::report::{self, Folder};
use crate::scenario::{Override, Scenario, ScenarioFile};

/// What is run if nothing is said, for each tuned workload.
const USUAL_EVALUATIONS: u64 = 3_000;

/// Find the policies of a scenario's workloads that meet given constraints best.
///
/// The scenario says what may move, what is better and what must hold, in a section [tune.WORKLOAD] for each workload. What is
/// found is confirmed on luck that the search has not seen.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim tune scenarios/best-practices.toml")]
pub(super) struct Tune {
    /// The scenario file; - for stdin.
    scenario: PathBuf,
    /// Replications to simulate in all, those of the confirmation included; at least 300 for each tuned workload, 3000 if absent.
    #[arg(long, value_name = "N")]
    evaluations: Option<u64>,
    /// Replace the seed.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = run::seed)]
    seed: Option<u64>,
    /// Replace any field, such as tune.email.retries=0..5; may be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Threads to use; one per core if absent. The results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Folder to write; output/NAME-tune if absent, where NAME is the scenario's. A folder of an earlier run is replaced.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write each chart as PNG as well, at twice the size.
    #[arg(long)]
    png: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, what changed, and why.
    Text,
    /// best-practices.md.
    Markdown,
    /// best-practices.csv.
    Csv,
    /// Nothing.
    Quiet,
}

impl Tune {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let mut overrides = Override::set(&assignments(&self.set, "tune.email.retries=0..5")?);
        overrides.extend(self.seed.map(|seed| Override::new("--seed", "seed", &seed.to_string())));
        let scenario = ScenarioFile::open(&self.scenario)?.with(&overrides)?;
        let evaluations = self.evaluations(&scenario)?;
        let named = || PathBuf::from("output").join(format!("{}-tune", scenario.name));
        let target = self.out.clone().unwrap_or_else(named);
        let folder = Folder::prepare(&target, report::Verb::Tune)?;
        let tuning = tune(&scenario, evaluations, self.jobs.unwrap_or(0).into());
        folder.write(&report::tuned_files(&scenario, &tuning, report::Pictures::with_png(self.png)))?;
        match self.format {
            Format::Text => print(&text(&scenario, &tuning, &target))?,
            Format::Markdown => print(&report::best_practices_markdown(&scenario, &tuning))?,
            Format::Csv => print(&String::from_utf8_lossy(&report::best_practices_csv(&scenario, &tuning)))?,
            Format::Quiet => {}
        }
        let met = tuning.workloads.iter().all(TunedWorkload::is_met);
        Ok(if met { ExitCode::SUCCESS } else { ExitCode::from(NOT_MET) })
    }

    /// How many replications to run, if there is something to tune.
    fn evaluations(&self, scenario: &Scenario) -> Result<u64, Error> {
        let count = scenario.tunings.len() as u64;
        if count == 0 {
            return Err(Error::Usage(format!(
                "{} says nothing of what to tune: add for example\n\n[tune.{}]\nretries = \"0..8\"\ndelay = \"5s..5m\"\njitter = \
                 [\"none\", \"full\"]\nobjective = [\"maximise success_rate\", \"minimise attempts_per_request\"]\nconstraints = \
                 [\"time_to_success_max <= 10m\"]\n",
                self.scenario.display(),
                scenario.workloads[0].name
            )));
        }
        let least = LEAST_EVALUATIONS * count;
        match self.evaluations {
            Some(few) if few < least => Err(Error::Usage(format!(
                "--evaluations {few}: {count} tuned workload{} at least {least}, {LEAST_EVALUATIONS} each",
                if count == 1 { " needs" } else { "s need" }
            ))),
            Some(many) if many > 1_000_000_000 => {
                Err(Error::Usage(format!("--evaluations {many}: the limit is 1000000000")))
            }
            given => Ok(given.unwrap_or(USUAL_EVALUATIONS * count)),
        }
    }
}

/// Tunes with a progress bar on stderr, if that is a terminal.
fn tune(scenario: &Scenario, evaluations: u64, jobs: usize) -> Tuning {
    let bar = progress::at_most(evaluations, "replications");
    let threads = experiment::threads(jobs);
    let tuning = threads.install(|| experiment::tune::tune(scenario, evaluations, &|| bar.inc(1)));
    bar.finish_and_clear();
    tuning
}

fn text(scenario: &Scenario, tuning: &Tuning, target: &std::path::Path) -> String {
    [
        format!("{}\n\n", scenario.title),
        report::tuned_table(scenario, tuning),
        format!("\n{}", report::tuned_legend(scenario, tuning)),
        format!(
            "written to {}: scenario.toml with the tuned policies as an arm, tables as CSV\n",
            target.display()
        ),
    ]
    .concat()
}
