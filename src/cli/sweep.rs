//! `retrysim sweep`: a scenario at many points, resumable and in shards.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Args;

use super::run::{Format, Overrides};
use super::{print, progress};
use crate::error::{Error, suggestion};
use crate::experiment::{Design, Results, Shard, Sweep as Points, covers, threads};
use crate::report::{
    self,
    sweep::{Found, Plan, SHOWN, Tables, Work, as_json, point_key, sweep_table, table},
};
use crate::scenario::{Axis, Metric, Override, Scenario, ScenarioFile, Span};

/// Run a scenario at many values of its fields: every value with every other, or --points of them.
///
/// All arms and replications are run at each point; the scenario's [expect] is about one point, and is not judged. What is finished
/// is kept: a sweep that was stopped goes on where it was when the same command is given again.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is what --help prints")]
#[command(after_help = "Examples:
  retrysim sweep scenarios/how-many-at-once.toml -P 'workloads.sends.clients=25..3200:*2'
  retrysim sweep scenarios/jitter-vs-fixed.toml \\
    -P policies.full-jitter.retries=1..5:1 -L policies.full-jitter.jitter=none,full
  retrysim sweep scenarios/notion-queries.toml --points 20 \\
    -P workloads.polls.clients=10..500 -P services.notion.faults.0.random.probability=0..0.5
  retrysim sweep scenarios/how-many-at-once.toml -P 'workloads.sends.clients=25..3200:*2' --shard 3/8")]
pub(super) struct Sweep {
    /// The scenario file; - for stdin.
    scenario: PathBuf,
    /// A field and its values from A to B by STEP, or by a factor: 1..10:1, 0..1:0.25, 10s..5m:*2, 5/s..50/s:5; without a step
    /// with --points. May be given several times; the last axis changes fastest, and those of -L come after those of -P.
    #[arg(short = 'P', long = "range", value_name = "PATH=A..B:STEP")]
    ranges: Vec<String>,
    /// A field and a list of its values. May be given several times.
    #[arg(short = 'L', long = "list", value_name = "PATH=X,Y,Z")]
    lists: Vec<String>,
    /// Sample so many points of the axes (Latin hypercube) instead of all: each of N equal parts of every axis is hit once.
    #[arg(long, value_name = "N")]
    points: Option<usize>,
    #[command(flatten)]
    overrides: Overrides,
    /// A metric to draw, such as honest_p99; may be given several times. If absent success_rate, attempts_per_request and
    /// offered_load_peak. sweep.csv has all metrics. Shards draw nothing: there it is an option of merge.
    #[arg(long, value_name = "NAME")]
    metric: Vec<String>,
    /// Write each chart as PNG as well, at twice the size. Shards draw nothing: there it is an option of merge.
    #[arg(long)]
    png: bool,
    /// Run only the I-th of N parts, I from 1 to N; retrysim merge puts them together. auto takes I and N from a Slurm array
    /// (SLURM_ARRAY_TASK_ID, ..._MIN, ..._COUNT), auto/N takes I from there or from an indexed job of Kubernetes
    /// (JOB_COMPLETION_INDEX, from 0).
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    shard: Option<String>,
    /// Threads to use; one per core if absent. The results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Folder to write; output/NAME-sweep if absent, where NAME is the scenario's, with -I-of-N for a shard. Another sweep is
    /// never replaced.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to print: a table, the rows of sweep.csv as JSON or as they are, or nothing.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Sweep {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let variable = |name: &str| std::env::var(name).ok();
        let shard = self.shard.as_deref().map(|text| Shard::parse(text, &variable)).transpose()?;
        let drawn = [("--metric", !self.metric.is_empty()), ("--png", self.png)];
        if let Some((option, _)) = drawn.into_iter().find(|(_, given)| shard.is_some() && *given) {
            return Err(Error::Usage(format!(
                "{option}: a shard draws no charts: leave it out, and give it to `retrysim merge`"
            )));
        }
        let metrics = metrics(&self.metric)?;
        let axes = self.axes()?;
        let overrides = self.overrides.fields()?;
        check_free(&axes, &overrides)?;
        let file = ScenarioFile::open(&self.scenario)?;
        let base = file.with(&overrides)?;
        let design = self.points.map_or(Design::Grid, Design::LatinHypercube);
        let points = design.points(&axes, base.seed)?;
        check_shard(shard, points.len())?;
        if let Some(name) = Shard::offered(&variable).filter(|_| shard.is_none()) {
            anstream::eprintln!(
                "note: {name} is set, as in an array of jobs, but this one runs all {} points: share them out with --shard",
                points.len()
            );
        }
        let option = |axis: &Axis| if matches!(axis.span, Span::List(_)) { "-L" } else { "-P" };
        let axes: Vec<(&str, String)> = axes.into_iter().map(|axis| (option(&axis), axis.path)).collect();
        let sweep = Points { file, overrides, axes, points };
        threads(self.jobs.unwrap_or(0).into())
            .install(|| self.run(&sweep, &base, design, shard, &metrics))?;
        Ok(ExitCode::SUCCESS)
    }

    fn axes(&self) -> Result<Vec<Axis>, Error> {
        let ranges =
            self.ranges.iter().map(|text| Axis::range(text).map_err(|why| Error::Usage(format!("-P {why}"))));
        let lists =
            self.lists.iter().map(|text| Axis::list(text).map_err(|why| Error::Usage(format!("-L {why}"))));
        ranges.chain(lists).collect()
    }

    fn run(
        &self,
        sweep: &Points,
        base: &Scenario,
        design: Design,
        shard: Option<Shard>,
        metrics: &[Metric],
    ) -> Result<(), Error> {
        let checked = sweep.check(|scenario| {
            (point_key(scenario), scenario.arms.len() as u64 * u64::from(scenario.replications))
        })?;
        let (keys, steps): (Vec<String>, Vec<u64>) = checked.into_iter().unzip();
        let points = sweep.points.iter().cloned().zip(keys).collect();
        let paths: Vec<String> = sweep.axes.iter().map(|(_, path)| path.clone()).collect();
        let plan = Plan::new(base, design.name(), &paths, points, shard);
        let target = self.out.clone().unwrap_or_else(|| default_folder(&plan));
        let work = Work::begin(&target, &plan)?;
        let (kept, missing) = kept(&work, &plan)?;
        if !kept.is_empty() {
            anstream::eprintln!("{} of {} points were finished before", kept.len(), plan.own().len());
        }
        let bar = progress::of(missing.iter().map(|&point| steps[point]).sum(), "replications");
        let done = Mutex::new(kept);
        sweep.run(&missing, &|| bar.inc(1), &|point, scenario, results| {
            let key = &plan.points[point].key;
            if point_key(scenario) != *key {
                return Err(Error::Usage(format!(
                    "point {}: a file that the scenario names was changed during the sweep: begin again",
                    point + 1
                )));
            }
            let tables = tables(scenario, results);
            work.keep(key, &tables)?;
            done.lock().expect("no thread has panicked").push((point, tables));
            Ok(())
        })?;
        bar.finish_and_clear();
        let mut points = done.into_inner().expect("no thread has panicked");
        points.sort_by_key(|(point, _)| *point);
        let pictures = report::Pictures::with_png(self.png);
        let files = report::sweep::files(&plan, &base.kept(), &points, metrics, pictures)
            .expect("rows were written here");
        work.finish(&files)?;
        show(&plan, &points, metrics, self.format, &target)
    }
}

/// What a run would write of the results at a point.
fn tables(scenario: &Scenario, results: &Results) -> Tables {
    let compared = scenario.arms.len() > 1;
    Tables {
        summary: report::summary(scenario, results),
        comparison: if compared { report::comparison(scenario, results) } else { Vec::new() },
    }
}

/// The tables of points that are there, and the indices of those to be computed.
type Kept = (Vec<(usize, Tables)>, Vec<usize>);

/// What was finished before. What was damaged since is named.
fn kept(work: &Work, plan: &Plan) -> Result<Kept, Error> {
    let (mut kept, mut missing) = (Vec::new(), Vec::new());
    for point in plan.own() {
        match work.find(&plan.points[point].key)? {
            Found::Sound(tables) => kept.push((point, tables)),
            Found::Missing => missing.push(point),
            Found::Damaged(path) => {
                anstream::eprintln!("{} is damaged: point {} is computed again", path.display(), point + 1);
                missing.push(point);
            }
        }
    }
    Ok((kept, missing))
}

/// Prints what was found.
pub(super) fn show(
    plan: &Plan,
    points: &[(usize, Tables)],
    metrics: &[Metric],
    format: Format,
    target: &Path,
) -> Result<(), Error> {
    let rows = || table(plan, points).expect("rows were read before");
    match format {
        Format::Quiet => Ok(()),
        Format::Csv => print(&String::from_utf8_lossy(&rows())),
        Format::Json => print(&as_json(plan, &rows())),
        Format::Text => {
            let question = plan.question.as_ref().map(|question| format!("{question}\n")).unwrap_or_default();
            let table = sweep_table(plan, points, metrics).expect("rows were read before");
            let written = match plan.shard() {
                None if plan.arms.len() > 1 => {
                    format!("written to {}: sweep.csv, comparison.csv, charts/*.svg", target.display())
                }
                None => format!("written to {}: sweep.csv, charts/*.svg", target.display()),
                Some(shard) => format!(
                    "shard {shard}, {} of {} points, written to {}; put the shards together with `retrysim merge`",
                    points.len(),
                    plan.points.len(),
                    target.display()
                ),
            };
            let runs = match plan.replications {
                1 => "one replication".to_owned(),
                many => format!("means of {many} replications"),
            };
            let varied = plan.axes.iter().any(|axis| axis == "seed");
            let seed = if varied { String::new() } else { format!(", seed {}", plan.seed) };
            print(&format!(
                "{}\n{question}\n{table}\n{runs}{seed}; intervals in sweep.csv\n{written}\n",
                plan.title
            ))
        }
    }
}

/// Where a sweep is written if nothing is said.
pub(super) fn default_folder(plan: &Plan) -> PathBuf {
    let part = plan.shard().map(|shard| format!("-{}-of-{}", shard.index, shard.of)).unwrap_or_default();
    PathBuf::from("output").join(format!("{}-sweep{part}", plan.name))
}

/// The metrics to draw.
pub(super) fn metrics(names: &[String]) -> Result<Vec<Metric>, Error> {
    if names.is_empty() {
        return Ok(SHOWN.iter().filter_map(|name| Metric::named(name)).collect());
    }
    let mut metrics = Vec::new();
    for name in names {
        let unknown = || {
            Error::Usage(format!(
                "--metric {name}: there is no such metric: {}",
                suggestion(name, Metric::names())
            ))
        };
        let metric = Metric::named(name).ok_or_else(unknown)?;
        if metrics.contains(&metric) {
            return Err(Error::Usage(format!("--metric {name} is there twice")));
        }
        metrics.push(metric);
    }
    Ok(metrics)
}

/// Refuses an axis on a field that is also set to one value.
fn check_free(axes: &[Axis], overrides: &[Override]) -> Result<(), Error> {
    for Axis { path, .. } in axes {
        if let Some(field) = overrides.iter().find(|field| covers(&field.path, path)) {
            return Err(Error::Usage(format!(
                "{path} is an axis, and is set to one value as well: leave out its {}",
                field.option
            )));
        }
    }
    Ok(())
}

fn check_shard(shard: Option<Shard>, points: usize) -> Result<(), Error> {
    match shard {
        Some(shard) if shard.of > points => Err(Error::Usage(format!(
            "--shard {shard}: the sweep has {points} points, so it can have {points} shards at most"
        ))),
        _ => Ok(()),
    }
}
