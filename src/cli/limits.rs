//! `retrysim limits`: how far a field can go before a condition fails.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::precise::check_most;
use super::run::{Format, Overrides};
use super::{print, progress};
use crate::error::{Error, suggestion};
use crate::experiment::tipping::{Question, Varied, phase_map, tipping_points, with_fractions};
use crate::experiment::{covers, threads};
use crate::report::{self, Folder, Pictures};
use crate::scenario::{Axis, Override, Scenario, ScenarioFile, Span};

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
    /// The condition, such as "success_rate >= 0.99" or "sends.recovery_time < 5m and peak_to_limit <= 2". All that are joined by
    /// "and" must hold.
    #[arg(long, value_name = "CONDITION")]
    until: String,
    /// In what share of the replications the condition must hold, such as 0.95. If absent: on average, and peaks, quantiles and
    /// recoveries in half of the replications.
    #[arg(long, value_name = "SHARE")]
    share: Option<f64>,
    /// The arms to look at; all if absent. May be given several times.
    #[arg(long, value_name = "ARM")]
    arm: Vec<String>,
    /// How finely, in percent of the range; 1 if absent.
    #[arg(long, value_name = "PERCENT")]
    resolution: Option<f64>,
    /// The most replications of a value that is near the tipping point; 480 if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_replications: Option<u32>,
    #[command(flatten)]
    overrides: Overrides,
    /// Threads to use; one per core if absent. The results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Folder to write; output/NAME-limits if absent, where NAME is the scenario's. A folder of an earlier run is replaced.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write each chart as PNG as well, at twice the size.
    #[arg(long)]
    png: bool,
    /// What to print: a sentence per arm (of two fields a map), the rows of limits.csv (phases.csv) as JSON or as they are, or
    /// nothing.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How finely, in percent of the range, and how often a value is run, if nothing else is said.
const RESOLUTION: f64 = 1.0;
const MOST_REPLICATIONS: u32 = 480;

impl Limits {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let varied: Vec<Axis> = self.vary.iter().map(|text| axis(text)).collect::<Result<_, _>>()?;
        let overrides = self.overrides.fields()?;
        check_varied(&varied, &overrides)?;
        self.check_options(&varied)?;
        let file = ScenarioFile::open(&self.scenario)?;
        let scenario = file.with(&overrides)?;
        let conditions = Question::conditions(&scenario, &self.until)?;
        let arms = arms(&scenario, &self.arm)?;
        check_most(self.max_replications, &scenario)?;
        let most = self.max_replications.unwrap_or(MOST_REPLICATIONS).max(scenario.replications);
        let question = Question { file, overrides, conditions, share: self.share, most };
        let target = self
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from("output").join(format!("{}-limits", scenario.name)));
        let folder = Folder::prepare(&target, report::Verb::Limits)?;
        let threads = threads(self.jobs.unwrap_or(0).into());
        let (files, table) = match &varied[..] {
            [axis] => threads.install(|| self.points(&scenario, &question, axis, &arms))?,
            [across, up, ..] => threads.install(|| self.map(&scenario, &question, [across, up]))?,
            [] => unreachable!("one is required"),
        };
        folder.write(&files)?;
        let rows =
            |name: &str| files.iter().find(|(file, _)| file == name).map(|(_, bytes)| bytes.as_slice());
        match (self.format, rows("limits.csv"), rows("phases.csv")) {
            (Format::Text, ..) => print(&text(&scenario, &table, &target))?,
            (Format::Csv, Some(rows), _) | (Format::Csv, None, Some(rows)) => {
                print(&String::from_utf8_lossy(rows))?;
            }
            (Format::Json, Some(limits), _) => print(&report::tipping_json(limits))?,
            (Format::Json, None, Some(phases)) => print(&report::phase_json(phases))?,
            (Format::Quiet, ..) | (_, None, None) => {}
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What does not go with so many fields is refused, and not passed over.
    fn check_options(&self, varied: &[Axis]) -> Result<(), Error> {
        let refuse = |why: String| Err(Error::Usage(why));
        if let Some(share) = self.share.filter(|share| !(*share > 0.0 && *share < 1.0)) {
            return refuse(format!("--share {share}: write a share between 0 and 1, such as 0.95"));
        }
        if let Some(resolution) = self.resolution.filter(|percent| !(*percent > 0.0 && *percent <= 50.0)) {
            return refuse(format!(
                "--resolution {resolution}: write a percentage above 0 and at most 50, such as 1"
            ));
        }
        if let [Axis { path, span: Span::Range(range) }] = varied {
            return if range.has_step() {
                let (low, high) = (range.low(), range.high());
                refuse(format!(
                    "--vary {path}: one field is bisected, so that a step is not used: write {path}={low}..{high}, and how finely \
                     as --resolution; with a second --vary both need a step"
                ))
            } else {
                Ok(())
            };
        }
        let given = [
            (!self.arm.is_empty(), "--arm", "shows all arms"),
            (self.share.is_some(), "--share", "shows what most replications do"),
            (self.resolution.is_some(), "--resolution", "has the values that the steps of --vary say"),
            (
                self.max_replications.is_some(),
                "--max-replications",
                "has the replications of the scenario at each pair of values (--replications)",
            ),
        ];
        match given.into_iter().find(|(given, ..)| *given) {
            Some((_, option, why)) => {
                refuse(format!("{option}: a map over two fields {why}: leave it out, or vary one field"))
            }
            None => Ok(()),
        }
    }

    /// The files and the sentences of tipping points of one field.
    fn points(
        &self,
        scenario: &Scenario,
        question: &Question,
        axis: &Axis,
        arms: &[usize],
    ) -> Result<Written, Error> {
        let Span::Range(range) = &axis.span else { unreachable!("a range was read") };
        let resolution = self.resolution.unwrap_or(RESOLUTION) / 100.0;
        let field = Varied { path: axis.path.clone(), range: range.clone(), resolution };
        let field = with_fractions(question, field);
        let bar = progress::counted("values");
        let points = tipping_points(question, &field, arms, &|| bar.inc(1))?;
        bar.finish_and_clear();
        let table = report::tipping_table(scenario, &field, question, &points);
        Ok((report::tipping_files(scenario, &field, question, &points, Pictures::with_png(self.png)), table))
    }

    /// The files and the maps of two fields.
    fn map(&self, scenario: &Scenario, question: &Question, axes: [&Axis; 2]) -> Result<Written, Error> {
        let pairs: usize = axes.iter().map(|axis| axis.values().map_or(0, |values| values.len())).product();
        let bar = progress::of(pairs as u64, "pairs of values");
        let map = phase_map(question, axes, &|| bar.inc(1))?;
        bar.finish_and_clear();
        let paths = axes.map(|axis| axis.path.as_str());
        let table = report::phase_table(scenario, paths, &self.until, &map);
        Ok((report::phase_files(scenario, paths, &self.until, &map, Pictures::with_png(self.png)), table))
    }
}

/// Files to write, and what is printed.
type Written = (Vec<(String, Vec<u8>)>, String);

fn axis(text: &str) -> Result<Axis, Error> {
    Axis::range(text).map_err(|why| Error::Usage(format!("--vary {why}")))
}

/// Refuses what cannot be varied, what is varied twice, and what is set to one value as well.
fn check_varied(varied: &[Axis], overrides: &[Override]) -> Result<(), Error> {
    let refuse = |path: &str, why: String| Err(Error::Usage(format!("--vary {path}: {why}")));
    if varied.len() > 2 {
        let count = varied.len();
        return Err(Error::Usage(format!("--vary is there {count} times: vary one field, or two for a map")));
    }
    for (index, Axis { path, .. }) in varied.iter().enumerate() {
        match path.as_str() {
            "seed" => {
                return refuse(
                    path,
                    "it is the luck, of which no value is a limit: leave it to --seed".into(),
                );
            }
            "replications" => {
                return refuse(
                    path,
                    "it changes how well is measured, not what: leave it to --replications and --max-replications".into(),
                );
            }
            _ => {}
        }
        if let Some(other) = varied[..index].iter().find(|other| covers(&other.path, path)) {
            return if other.path == *path {
                refuse(path, "it is there twice: vary another field for a map, or leave one out".into())
            } else {
                refuse(
                    path,
                    format!("{} is varied too, and one is inside the other: leave one out", other.path),
                )
            };
        }
        if let Some(other) = overrides.iter().find(|other| covers(&other.path, path)) {
            let Override { path: set, value, .. } = other;
            return refuse(path, format!("it is set to one value as well: leave out --set {set}={value}"));
        }
    }
    Ok(())
}

/// The indices of the arms with these names; of all, if none is named.
fn arms(scenario: &Scenario, names: &[String]) -> Result<Vec<usize>, Error> {
    let known = || scenario.arms.iter().map(|arm| arm.name.as_str());
    let index = |name: &String| {
        known().position(|arm| arm == name).ok_or_else(|| {
            Error::Usage(format!("--arm {name}: there is no such arm; {}", suggestion(name, known())))
        })
    };
    if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(Error::Usage(format!("--arm {twice} is there twice: leave one out")));
    }
    if names.is_empty() { Ok((0..scenario.arms.len()).collect()) } else { names.iter().map(index).collect() }
}

fn text(scenario: &Scenario, table: &str, target: &Path) -> String {
    let question = scenario.question.as_ref().map(|question| format!("{question}\n")).unwrap_or_default();
    format!("{}\n{question}\n{table}written to {}\n", scenario.title, target.display())
}
