//! `--until-precise`: as many replications as it takes.

use clap::Args;

use crate::error::Error;
use crate::experiment::{ALIKE, Experiment, Lack, Options, Remark, Results, Target, threads, until_precise};
use crate::report::number::short;
use crate::scenario::{MAX_REQUESTS, Scenario};

/// How precise the results shall be.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is what --help prints")]
pub(super) struct Precision {
    /// Add replications until the 95 % interval of this metric is so narrow in every arm: half its width in percent of the mean, or
    /// in the unit of the metric. Such as success_rate=1% or email.time_to_success_p99=5s; may be given several times. If it cannot
    /// be reached that is said, and the exit code is 3; the results are written all the same.
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

    /// Runs the scenario until it is precise. `progress` is called after each replication.
    pub(super) fn run(
        &self,
        scenario: &Scenario,
        targets: &[Target],
        options: Options,
        progress: &(dyn Fn() + Sync),
    ) -> Reached {
        // What a scenario may not ask for at once, it may not get bit by bit.
        let affordable = MAX_REQUESTS / (scenario.expected_requests() * scenario.arms.len() as f64).max(1.0);
        let most = self.max_replications.min(affordable.min(f64::from(u32::MAX)) as u32);
        // What the scenario asks for is never cut short.
        let most = most.max(scenario.replications);
        threads(options.jobs).install(|| {
            let mut experiment = Experiment::new(scenario, options.traced);
            let found = until_precise(&mut experiment, scenario, targets, most, progress);
            let mut said: Vec<String> = found
                .alike
                .iter()
                .map(|alike| format!("note: {}", alike_in_words(scenario, alike)))
                .collect();
            said.extend(found.short.iter().map(|short| short_in_words(scenario, short, found.replications)));
            Reached {
                results: experiment.into_results(),
                replications: found.replications,
                all: found.short.is_empty(),
                said,
            }
        })
    }
}

/// What came of it.
pub(super) struct Reached {
    pub(super) results: Results,
    pub(super) replications: u32,
    /// True if all is as precise as asked.
    pub(super) all: bool,
    /// Lines on what is not, and on what the precision of the rest rests on.
    pub(super) said: Vec<String>,
}

fn name<T>(scenario: &Scenario, remark: &Remark<T>) -> String {
    format!("{}.{}", scenario.arms[remark.arm].name, scenario.shown(remark.figure))
}

fn alike_in_words(scenario: &Scenario, alike: &Remark<usize>) -> String {
    let all = alike.what;
    // Clopper and Pearson, one-sided: nothing in so many.
    let chance = 100.0 * (1.0 - libm::pow(0.05, 1.0 / all as f64));
    format!(
        "{} was the same in all {all} replications that observed it, which is taken for precise: one that differs has a \
         probability below {} %, with 95 % confidence",
        name(scenario, alike),
        short(chance)
    )
}

fn short_in_words(scenario: &Scenario, lacking: &Remark<Lack>, replications: u32) -> String {
    let why = match lacking.what {
        Lack::Unobserved => "it was never observed".to_owned(),
        Lack::Infinite => "it was infinite, so that its mean has no interval".to_owned(),
        Lack::Once => "it was observed only once".to_owned(),
        Lack::FewAlike(alike) => format!(
            "it was the same in all {alike} replications that observed it, which tells nothing of what is rare before there are \
             {ALIKE} of them; allow more with --max-replications"
        ),
        Lack::Skewed(wanted) => format!(
            "its law is so skewed that an interval counts from about {wanted} replications on; allow more with \
             --max-replications"
        ),
        Lack::Wide(_, wanted) if wanted <= 0.0 => {
            "its mean is 0, of which no width is a share: ask for one in its unit".to_owned()
        }
        Lack::Wide(reached, wanted) if reached <= wanted => {
            "the spread of the first replications calls for more; allow them with --max-replications"
                .to_owned()
        }
        Lack::Wide(reached, wanted) => format!(
            "+- {} instead of +- {}; allow more with --max-replications",
            short(reached),
            short(wanted)
        ),
    };
    format!("{} is not as precise as asked after {replications} replications: {why}", name(scenario, lacking))
}
