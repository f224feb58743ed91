//! `--until-precise`: as many replications as it takes.

use clap::Args;

use crate::error::Error;
use crate::experiment::{ALIKE, Experiment, Lack, Options, Remark, Results, Target, threads, until_precise};
use crate::report::number::short;
use crate::scenario::{MAX_REQUESTS, Scenario};
use crate::statistics::{ONE_SIDED, none_in};

/// How precise the results shall be.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is what --help prints")]
pub(super) struct Precision {
    /// Add replications until the 95 % interval of this metric is so narrow in every arm: half its width in percent of the mean, or
    /// in the unit of the metric. Such as success_rate=1% or email.time_to_success_p99=5s; may be given several times. If it cannot
    /// be reached that is said, and the exit code is 3; the results are written all the same.
    #[arg(long, value_name = "METRIC=WIDTH")]
    until_precise: Vec<String>,
    /// With --until-precise, how many replications there may be at most; 10000 if absent.
    #[arg(long, value_name = "N", requires = "until_precise",
          value_parser = clap::value_parser!(u32).range(2..=i64::from(MOST)))]
    max_replications: Option<u32>,
}

/// The most replications that can be asked for, and how many there are at most if nothing is said.
const MOST: u32 = 100_000;
const MOST_IF_ABSENT: u32 = 10_000;

/// Refuses a maximum below the replications that there are to begin with, which are never cut short.
pub(super) fn check_most(most: Option<u32>, scenario: &Scenario) -> Result<(), Error> {
    let first = scenario.replications;
    match most.filter(|&most| most < first) {
        Some(most) => Err(Error::Usage(format!(
            "--max-replications {most}: there are {first} replications to begin with: raise it to {first} or more, or begin with \
             fewer (--replications {most})"
        ))),
        None => Ok(()),
    }
}

impl Precision {
    /// What was asked for; nothing, if nothing was.
    pub(super) fn targets(&self, scenario: &Scenario) -> Result<Vec<Target>, Error> {
        check_most(self.max_replications, scenario)?;
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
        let (most, bound) = self.most(scenario);
        threads(options.jobs).install(|| {
            let mut experiment = Experiment::new(scenario, options.traced);
            let found = until_precise(&mut experiment, scenario, targets, most, progress);
            let mut said: Vec<String> = found
                .alike
                .iter()
                .map(|alike| format!("note: {}", alike_in_words(scenario, alike)))
                .collect();
            let words = |short| short_in_words(scenario, short, found.replications, bound);
            said.extend(found.short.iter().map(words));
            Reached {
                results: experiment.into_results(),
                replications: found.replications,
                all: found.short.is_empty(),
                said,
            }
        })
    }

    /// The most replications, and what stands in the way of more.
    fn most(&self, scenario: &Scenario) -> (u32, Bound) {
        let asked = self.max_replications.unwrap_or(MOST_IF_ABSENT).max(scenario.replications);
        // What a scenario may not ask for at once, it may not get bit by bit.
        let affordable = MAX_REQUESTS / (scenario.expected_requests() * scenario.arms.len() as f64).max(1.0);
        match affordable {
            few if few < f64::from(asked) + 1.0 => ((few as u32).max(scenario.replications), Bound::Requests),
            _ if asked >= MOST => (asked, Bound::Ever),
            _ => (asked, Bound::Asked),
        }
    }
}

/// What stands in the way of more replications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// The maximum that was asked for, or is if nothing is said.
    Asked,
    /// The largest maximum that can be asked for.
    Ever,
    /// How many requests a scenario may have in all.
    Requests,
}

impl Bound {
    /// What to do about it for a figure that lacks more replications.
    fn remedy(self, scenario: &Scenario, lack: Lack) -> String {
        let wide = matches!(lack, Lack::Wide(..));
        match self {
            Self::Asked => "allow more with --max-replications".to_owned(),
            Self::Ever => {
                let width = if wide { ", or ask for a wider interval" } else { "" };
                format!(
                    "no run has more than {MOST}: give each of them more requests (a longer horizon, a higher rate){width}"
                )
            }
            Self::Requests => {
                let arms = if scenario.arms.len() > 1 { ", or leave out arms" } else { "" };
                // The mean over so many requests is as good, however they are dealt out.
                let mend = if wide {
                    "ask for a wider interval"
                } else {
                    "give each of them fewer requests (a shorter horizon, a lower rate, fewer clients)"
                };
                format!(
                    "more would come to over {MAX_REQUESTS:.0} requests, the limit of a scenario: {mend}{arms}"
                )
            }
        }
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
    let chance = 100.0 * none_in(all as f64, ONE_SIDED);
    format!(
        "{} was the same in all {all} replications that observed it, which is taken for precise: one that differs has a \
         probability below {} %, with 95 % confidence",
        name(scenario, alike),
        short(chance)
    )
}

fn short_in_words(scenario: &Scenario, lacking: &Remark<Lack>, replications: u32, bound: Bound) -> String {
    let more = bound.remedy(scenario, lacking.what);
    let why = match lacking.what {
        Lack::Unobserved if replications < ALIKE => format!("it was never observed; {more}"),
        Lack::Unobserved => {
            "it was never observed; leave it out, or change the scenario so that it happens more often".to_owned()
        }
        Lack::Infinite => "it was infinite, so that its mean has no interval; ask for a figure that is always finite, such as \
                           success_rate, or see whether a longer horizon makes it finite"
            .to_owned(),
        Lack::Once => format!("it was observed only once; {more}"),
        Lack::FewAlike(alike) => format!(
            "it was the same in all {alike} replications that observed it, which tells nothing of what is rare before there are \
             {ALIKE} of them; {more}"
        ),
        Lack::Skewed(wanted) => format!(
            "its law is so skewed that an interval counts from about {wanted} replications on; {more}"
        ),
        Lack::Wide(_, wanted) if wanted <= 0.0 => {
            "its mean is 0, of which no width is a share: ask for one in its unit".to_owned()
        }
        Lack::Wide(reached, wanted) if reached <= wanted => {
            format!("the spread of the first replications calls for more of them; {more}")
        }
        Lack::Wide(reached, wanted) => {
            format!("+- {} instead of +- {}; {more}", short(reached), short(wanted))
        }
    };
    format!("{} is not as precise as asked after {replications} replications: {why}", name(scenario, lacking))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_has_a_remedy_that_can_help() {
        let text = "replications = 2\nhorizon = '1m'\n[services.api]\nlatency.constant = '1s'\n[workloads.calls]\nservice = 'api'\n\
                    arrivals.even = { rate = '1000/s' }\n[policies.one]\nretries = 0\n[policies.two]\nretries = 0\n";
        let scenario = Scenario::parse("test", "test", text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let most = |max_replications| Precision { until_precise: vec![], max_replications }.most(&scenario);
        // 60,000 requests in each of two arms: 1e10 are enough for 83,333 replications.
        assert_eq!(most(None), (10_000, Bound::Asked));
        assert_eq!(most(Some(83_332)), (83_332, Bound::Asked));
        assert_eq!(most(Some(83_333)), (83_333, Bound::Requests));
        assert_eq!(most(Some(100_000)), (83_333, Bound::Requests));
        let fewer = text.replace("1000/s", "1/s");
        let scenario = Scenario::parse("test", "test", &fewer, &[]).unwrap_or_else(|error| panic!("{error}"));
        let precision = Precision { until_precise: vec![], max_replications: Some(MOST) };
        assert_eq!(precision.most(&scenario), (MOST, Bound::Ever));
        let figure = scenario.figure("success_rate").expect("it is measured");
        let said = |what, bound| short_in_words(&scenario, &Remark { arm: 0, figure, what }, 60, bound);
        let wide = Lack::Wide(2.0, 1.0);
        for (lack, bound, remedy) in [
            (Lack::Once, Bound::Asked, "observed only once; allow more with --max-replications"),
            (Lack::Unobserved, Bound::Asked, "never observed; allow more with --max-replications"),
            (Lack::Infinite, Bound::Asked, "ask for a figure that is always finite"),
            (wide, Bound::Asked, "+- 2.00 instead of +- 1.00; allow more with --max-replications"),
            (
                wide,
                Bound::Ever,
                "more requests (a longer horizon, a higher rate), or ask for a wider interval",
            ),
            (
                Lack::FewAlike(3),
                Bound::Ever,
                "give each of them more requests (a longer horizon, a higher rate)",
            ),
            (wide, Bound::Requests, "ask for a wider interval, or leave out arms"),
            (Lack::Skewed(9.0), Bound::Requests, "a lower rate, fewer clients), or leave out arms"),
        ] {
            let said = said(lack, bound);
            assert!(said.ends_with(remedy) || (lack == Lack::Infinite && said.contains(remedy)), "{said}");
        }
    }
}
