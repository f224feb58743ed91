//! `--until-precise`: as many replications as it takes.

use clap::Args;

use crate::error::Error;
use crate::experiment::{Experiment, Options, Results, Short, Target, threads, until_precise};
use crate::report::number::short;
use crate::scenario::{MAX_REQUESTS, Scenario};

/// How precise the results shall be.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is what --help prints")]
pub(super) struct Precision {
    /// Add replications until the 95 % interval of this metric is so narrow in every arm: half its width in percent of the mean, or
    /// in the unit of the metric. Such as success_rate=1% or email.time_to_success_p99=5s; may be given several times.
    #[arg(long, value_name = "METRIC=WIDTH")]
    until_precise: Vec<String>,
    /// With --until-precise, how many replications there may be at most.
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "until_precise",
          value_parser = clap::value_parser!(u32).range(2..=100_000))]
    max_replications: u32,
}

impl Precision {
    /// What was asked for; nothing, if nothing was.
    pub(super) fn targets(&self, scenario: &Scenario) -> Result<Vec<Target>, Error> {
        self.until_precise.iter().map(|text| Target::parse(text, scenario)).collect()
    }

    /// Runs the scenario until it is precise. Returns the results, how many replications that took, and notes on what is not as
    /// precise as asked. `progress` is called after each replication.
    pub(super) fn run(
        &self,
        scenario: &Scenario,
        targets: &[Target],
        options: Options,
        progress: &(dyn Fn() + Sync),
    ) -> (Results, u32, Vec<String>) {
        // What a scenario may not ask for at once, it may not get bit by bit.
        let affordable = MAX_REQUESTS / (scenario.expected_requests() * scenario.arms.len() as f64).max(1.0);
        let most = self.max_replications.min(affordable.min(f64::from(u32::MAX)) as u32);
        // What the scenario asks for is never cut short.
        let most = most.max(scenario.replications);
        threads(options.jobs).install(|| {
            let mut experiment = Experiment::new(scenario, options.traced);
            let (replications, short) = until_precise(&mut experiment, scenario, targets, most, progress);
            let notes = short.iter().map(|short| note(scenario, short, replications)).collect();
            (experiment.into_results(), replications, notes)
        })
    }
}

fn note(scenario: &Scenario, narrow: &Short, replications: u32) -> String {
    let arm = &scenario.arms[narrow.arm].name;
    let figure = scenario.shown(narrow.figure);
    let (wanted, reached) = narrow.half;
    match reached {
        Some(reached) => format!(
            "{arm}.{figure} is not as precise as asked after {replications} replications: +- {} instead of +- {}; allow more with \
             --max-replications",
            short(reached),
            short(wanted)
        ),
        None => format!(
            "{arm}.{figure} has no interval after {replications} replications: it was infinite, or seen less than twice"
        ),
    }
}
