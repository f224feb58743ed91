//! `retrysim run`: all arms of a scenario, under all replications.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::precise::Precision;
use super::{NOT_MET, assignments, export, print, progress};
use crate::error::Error;
use crate::experiment::{self, Options, Results, Verdict};
use crate::export::Target;
use crate::report::{self, File, Folder, Pictures};
use crate::scenario::{Override, Scenario, ScenarioFile};

/// Simulate every arm of a scenario and write the results.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim run scenarios/jitter-vs-fixed.toml")]
pub(super) struct Run {
    /// The scenario file; - for stdin.
    scenario: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// Threads to use; one per core if absent. The results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Folder to write; output/NAME if absent, where NAME is the scenario's, or output/NAME-run if another verb has written that. A
    /// folder of an earlier run is replaced.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    precision: Precision,
    /// Write what became of the expectations to this file, as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// What to print: a table, the rows of summary.csv as JSON or as they are, or nothing.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write every attempt of N sampled requests per arm and workload, in the first replication, to attempts.csv.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    trace: u32,
    /// Write each chart as PNG as well, at twice the size.
    #[arg(long)]
    png: bool,
    /// After the table, write the policy of the arm with the highest success rate as the configuration of this library:
    /// prefect, tenacity, urllib3, resilience4j, polly, envoy or grpc. If it cannot be written, that is said, and the best arm
    /// that can be is written instead; if no arm can be, nothing is run.
    #[arg(long, value_name = "LIBRARY", value_parser = export::target)]
    export: Option<Target>,
}

/// Ways to change a scenario without editing it.
#[derive(Debug, Args)]
pub(super) struct Overrides {
    /// Replace the seed.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,
    /// Replace the number of replications.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    replications: Option<u64>,
    /// Hold the other arms against this one; against the first of the file if absent.
    #[arg(long, value_name = "ARM")]
    baseline: Option<String>,
    /// Replace any field, such as workloads.campaign.clients=500; may be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
}

impl Overrides {
    /// The fields that they replace, in the order in which they apply.
    pub(super) fn fields(&self) -> Result<Vec<Override>, Error> {
        let mut fields = Override::set(&assignments(&self.set, "workloads.campaign.clients=500")?);
        for (option, path, value) in
            [("--seed", "seed", self.seed), ("--replications", "replications", self.replications)]
        {
            fields.extend(value.map(|value| Override::new(option, path, &value.to_string())));
        }
        // In quotes: a name is text, whatever it looks like.
        let baseline = self.baseline.as_ref().map(|name| format!("{name:?}"));
        fields.extend(baseline.map(|name| Override::new("--baseline", "baseline", &name)));
        Ok(fields)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table.
    Text,
    /// The rows as JSON.
    Json,
    /// The rows as CSV.
    Csv,
    /// Nothing.
    Quiet,
}

impl Run {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        if self.export.is_some() && self.format != Format::Text {
            return Err(Error::Usage(
                "--export prints below the table: leave --format out, or export with `retrysim presets FILE#POLICY --as LIBRARY`"
                    .into(),
            ));
        }
        let file = ScenarioFile::open(&self.scenario)?;
        let mut overrides = self.overrides.fields()?;
        let mut scenario = file.with(&overrides)?;
        let targets = self.precision.targets(&scenario)?;
        // Before anything is written: a refusal (exit 2) must leave nothing behind, and hide no verdict (exit 3).
        let export = self.export.map(|target| export::Written::of(&scenario, target)).transpose()?;
        let junit = self.junit.as_deref().map(|path| junit(path, &scenario)).transpose()?;
        let default = || Folder::default_target(&scenario.name, report::Verb::Run);
        let target = self.out.clone().unwrap_or_else(default);
        if let Some(path) = self.junit.as_ref().filter(|path| path.starts_with(&target)) {
            return Err(Error::Usage(format!(
                "--junit {}: {} is for what the run writes, and replaced by the next one: name a file outside it",
                path.display(),
                target.display()
            )));
        }
        let folder = Folder::prepare(&target, report::Verb::Run)?;
        if self.format != Format::Quiet {
            for note in scenario.notes() {
                anstream::eprintln!("note: {note}");
            }
        }
        let options = Options { traced: self.trace as usize, jobs: self.jobs.unwrap_or(0).into() };
        let mut precise = true;
        let results = if targets.is_empty() {
            simulate(&scenario, options)
        } else {
            let bar = progress::counted("replications");
            let reached = self.precision.run(&scenario, &targets, options, &|| bar.inc(1));
            bar.finish_and_clear();
            for line in reached.said {
                anstream::eprintln!("{line}");
            }
            precise = reached.all;
            // What is written is what a run gives that is asked for as many replications.
            overrides.push(Override::new(
                "--replications",
                "replications",
                &reached.replications.to_string(),
            ));
            scenario = file.with(&overrides)?;
            reached.results
        };
        let verdicts = experiment::judge(&scenario, &results);
        folder.write(&report::files(&scenario, &results, self.trace > 0, Pictures::with_png(self.png)))?;
        if let Some(file) = junit {
            file.write(&report::junit(&scenario, &verdicts))?;
        }
        match self.format {
            Format::Text => print(&text(&scenario, &results, &verdicts, &target))?,
            Format::Csv => print(&String::from_utf8_lossy(&report::summary(&scenario, &results)))?,
            Format::Json => print(&report::summary_json(&scenario, &results))?,
            Format::Quiet => {}
        }
        if let Some(export) = export {
            print(&export.winners(&scenario, &results))?;
        }
        let met = precise && verdicts.iter().all(Verdict::met);
        Ok(if met { ExitCode::SUCCESS } else { ExitCode::from(NOT_MET) })
    }
}

/// Reads a seed: clap's own words for one that is negative are about digits.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    let most = i64::MAX as u64;
    let read = text.parse::<u64>().ok().filter(|seed| *seed <= most);
    read.ok_or_else(|| format!("write a whole number from 0 to {most}"))
}

/// The file that the verdicts go to.
fn junit(path: &Path, scenario: &Scenario) -> Result<File, Error> {
    if scenario.expectations.is_empty() {
        return Err(Error::Usage(format!(
            "--junit {}: the scenario expects nothing; write conditions in its section [expect]",
            path.display()
        )));
    }
    // What somebody else wrote is not ours to replace.
    if std::fs::read(path).is_ok_and(|bytes| !bytes.is_empty() && !bytes.starts_with(b"<?xml")) {
        return Err(Error::Usage(format!(
            "--junit {}: it exists and is no XML: name another file",
            path.display()
        )));
    }
    File::prepare(path)
}

/// Runs it with a progress bar.
pub(super) fn simulate(scenario: &Scenario, options: Options) -> Results {
    let bar = progress::of(scenario.arms.len() as u64 * u64::from(scenario.replications), "replications");
    let results = experiment::run(scenario, options, &|| bar.inc(1));
    bar.finish_and_clear();
    results
}

fn text(scenario: &Scenario, results: &Results, verdicts: &[Verdict], target: &Path) -> String {
    let question = scenario.question.as_ref().map(|question| format!("{question}\n")).unwrap_or_default();
    [
        format!("{}\n{question}\n", scenario.title),
        report::overview(scenario, results, super::width()),
        report::unserved(scenario, results),
        format!("\n{}", report::legend(scenario)),
        report::standings(scenario, results),
        if verdicts.is_empty() { String::new() } else { format!("\n{}", report::verdicts(verdicts)) },
        format!("written to {}: report.html, tables as CSV, charts/*.svg\n", target.display()),
    ]
    .concat()
}
