//! `retrysim limits`: how far a field can go before a condition fails.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::run::Overrides;
use super::{print, progress};
use crate::error::{Error, suggestion};
use crate::experiment::threads;
use crate::experiment::tipping::{Question, Varied, phase_map, tipping_points, with_fractions};
use crate::report::{self, Folder};
use crate::scenario::{Axis, Scenario, ScenarioFile, Span};

/// Find the largest (or smallest) value of a field at which a condition still holds, for each arm: the longest outage that a policy
/// survives, the highest load before collapse, the most clients that a limit carries.
///
/// With two fields to vary, draw a map: where the condition holds, where it fails and goodput recovers, where it never does.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is what --help prints")]
#[command(
    after_help = "Example: retrysim limits scenarios/longest-outage.toml \\\n  --vary services.api.incidents.0.outage.lasts=1s..40m --until \"success_rate >= 0.99\""
)]
pub(super) struct Limits {
    /// The scenario file; - for stdin.
    scenario: PathBuf,
    /// The field to vary and the ends of its range, such as services.api.incidents.0.outage.lasts=10s..20m. Given twice, each with a
    /// step (a..b:step), a map over both is drawn.
    #[arg(long, value_name = "PATH=A..B", required = true)]
    vary: Vec<String>,
    /// The condition, such as "success_rate >= 0.99" or "sends.recovery_time < 5m and peak_to_limit <= 2".
    #[arg(long, value_name = "CONDITION")]
    until: String,
    /// In what share of the replications the condition must hold, such as 0.95. If absent: on average, and peaks, quantiles and
    /// recoveries in half of the replications.
    #[arg(long, value_name = "SHARE")]
    share: Option<f64>,
    /// The arms to look at; all if absent. May be given several times.
    #[arg(long, value_name = "ARM")]
    arm: Vec<String>,
    /// How finely, in percent of the range.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0)]
    resolution: f64,
    /// The most replications of a value that is near the tipping point.
    #[arg(long, value_name = "N", default_value_t = 480, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_replications: u32,
    #[command(flatten)]
    overrides: Overrides,
    /// Threads to use; one per core if absent. The results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Folder to write; output/NAME-limits if absent, where NAME is the scenario's. A folder of an earlier run is replaced.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Limits {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let overrides = self.overrides.fields()?;
        let file = ScenarioFile::open(&self.scenario)?;
        let scenario = file.with(&overrides)?;
        let varied: Vec<Axis> = self.vary.iter().map(|text| axis(text)).collect::<Result<_, _>>()?;
        let conditions = Question::conditions(&scenario, &self.until)?;
        if let Some(share) = self.share.filter(|share| !(*share > 0.0 && *share < 1.0)) {
            return Err(Error::Usage(format!(
                "--share {share}: write a share between 0 and 1, such as 0.95"
            )));
        }
        if !(self.resolution > 0.0 && self.resolution <= 50.0) {
            return Err(Error::Usage(format!(
                "--resolution {}: write a percentage above 0 and at most 50, such as 1",
                self.resolution
            )));
        }
        let arms = arms(&scenario, &self.arm)?;
        let most = self.max_replications.max(scenario.replications);
        let question = Question { file, overrides, conditions, share: self.share, most };
        let target = self
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from("output").join(format!("{}-limits", scenario.name)));
        let folder = Folder::prepare(&target)?;
        let threads = threads(self.jobs.unwrap_or(0).into());
        match &varied[..] {
            [axis] => {
                let Span::Range(range) = &axis.span else { unreachable!("a range was read") };
                let resolution = self.resolution / 100.0;
                let field = Varied { path: axis.path.clone(), range: range.clone(), resolution };
                let field = with_fractions(&question, field);
                let bar = progress::counted("values");
                let points = threads.install(|| tipping_points(&question, &field, &arms, &|| bar.inc(1)))?;
                bar.finish_and_clear();
                folder.write(&report::tipping_files(&scenario, &field, &self.until, &points))?;
                let table = report::tipping_table(&scenario, &field, &self.until, &points);
                print(&text(&scenario, &table, &target))?;
            }
            [across, up] => {
                if !self.arm.is_empty() || self.share.is_some() {
                    let option = if self.share.is_some() { "--share" } else { "--arm" };
                    return Err(Error::Usage(format!(
                        "{option}: a map shows all arms, and what most replications do: leave it out, or vary one field"
                    )));
                }
                let bar = progress::counted("pairs of values");
                let map = threads.install(|| phase_map(&question, [across, up], &|| bar.inc(1)))?;
                bar.finish_and_clear();
                let paths = [across.path.as_str(), up.path.as_str()];
                folder.write(&report::phase_files(&scenario, paths, &self.until, &map))?;
                let table = report::phase_table(&scenario, paths, &self.until, &map);
                print(&text(&scenario, &table, &target))?;
            }
            more => {
                let count = more.len();
                return Err(Error::Usage(format!(
                    "--vary is there {count} times: vary one field, or two for a map"
                )));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn axis(text: &str) -> Result<Axis, Error> {
    Axis::range(text).map_err(|why| Error::Usage(format!("--vary {why}")))
}

/// The indices of the arms with these names; of all, if none is named.
fn arms(scenario: &Scenario, names: &[String]) -> Result<Vec<usize>, Error> {
    let known = || scenario.arms.iter().map(|arm| arm.name.as_str());
    let index = |name: &String| {
        known().position(|arm| arm == name).ok_or_else(|| {
            Error::Usage(format!("--arm {name}: there is no such arm; {}", suggestion(name, known())))
        })
    };
    if names.is_empty() { Ok((0..scenario.arms.len()).collect()) } else { names.iter().map(index).collect() }
}

fn text(scenario: &Scenario, table: &str, target: &Path) -> String {
    let question = scenario.question.as_ref().map(|question| format!("{question}\n")).unwrap_or_default();
    format!("{}\n{question}\n{table}written to {}\n", scenario.title, target.display())
}
