//! Expectations held against the results, with the intervals of the means taken into account.

use super::compare::ALPHA;
use super::evidence::Evidence;
use super::pooled::pooled;
use super::replicate::{ArmResult, Results};
use super::stopping::ALIKE;
use crate::metrics::WORKLOAD_MEASURES;
use crate::scenario::{Condition, Expectation, Figure, Metric, Scenario};
use crate::statistics::Estimate;

/// What became of one expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The expectation as written.
    pub text: String,
    /// What was measured; `None` if it could not be observed.
    pub measured: Option<Estimate>,
    /// Whether the condition holds.
    pub held: Held,
    /// The number of replications, if the verdict rests on nothing but that all of those which observed the figure were alike, and
    /// they are too few to tell what is rare: fewer than [`ALIKE`], though more than one were asked for.
    pub few_alike: Option<u32>,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The whole 95 % interval of the mean meets it.
    Met,
    /// No part of the interval meets it.
    NotMet,
    /// The bound lies inside the interval: more replications may tell.
    Undecided,
    /// The share was the same in every replication, of so many requests (or attempts) in all, which are too few for their
    /// interval to lie on one side of the bound; and how many would be enough, if any number were.
    TooFewAlike(u64, Option<u64>),
    /// The share was the same in every replication; but outages or bursts at random strike all requests of one at once, and so few
    /// replications may have been spared.
    TooFewSpared(u32),
    /// Nothing was observed, which neither meets a condition nor breaks it.
    NotObserved,
    /// It bounds how long successes take where, in so many replications, there was none.
    NothingSucceeded(usize),
}

impl Verdict {
    /// True if the condition is known to hold.
    pub fn met(&self) -> bool {
        self.held == Held::Met
    }
}

/// Holds each expectation of the scenario against the results.
pub fn judge(scenario: &Scenario, results: &Results) -> Vec<Verdict> {
    let judge = |expectation: &Expectation| {
        let (arm, condition) = (&results.arms[expectation.arm], &expectation.condition);
        let (measured, held) = held(scenario, condition, arm);
        let decided = matches!(held, Held::Met | Held::NotMet);
        let few_alike = (decided && few_alike(scenario, condition, arm)).then_some(scenario.replications);
        Verdict { text: condition.text.clone(), measured, held, few_alike }
    };
    scenario.expectations.iter().map(judge).collect()
}

/// Holds a condition against what was found of an arm.
fn held(scenario: &Scenario, condition: &Condition, arm: &ArmResult) -> (Option<Estimate>, Held) {
    let Condition { figure, comparison, bound, .. } = *condition;
    let measured = arm.estimate(figure);
    let estimate = match evidence(condition, arm) {
        Evidence::Unobserved => return (None, Held::NotObserved),
        Evidence::NothingSucceeded(barren) => return (measured, Held::NothingSucceeded(barren)),
        Evidence::Seen(estimate) => estimate,
    };
    let (low, high) = (estimate.low().unwrap_or(estimate.mean), estimate.high().unwrap_or(estimate.mean));
    if estimate.mean.is_infinite() && estimate.min.is_finite() {
        return (measured, Held::Undecided);
    }
    if let Some(pooled) = pooled(scenario, arm, figure).filter(|pooled| !pooled.decides(condition, ALPHA)) {
        let held = match (pooled.needed(condition, ALPHA), pooled.too_few()) {
            (Some(_), Some(replications)) => Held::TooFewSpared(replications),
            (needed, _) => Held::TooFewAlike(pooled.of, needed),
        };
        return (measured, held);
    }
    let held = match (comparison.holds(low, bound), comparison.holds(high, bound)) {
        (true, true) => Held::Met,
        (false, false) => Held::NotMet,
        _ => Held::Undecided,
    };
    (measured, held)
}

/// True if the replications that observed a figure were alike, are too few to tell what is rare, and have no requests to count instead.
fn few_alike(scenario: &Scenario, condition: &Condition, arm: &ArmResult) -> bool {
    let alike = |estimate: Estimate| estimate.min == estimate.max && estimate.observations < ALIKE as usize;
    scenario.replications > 1
        && arm.estimate(condition.figure).is_some_and(alike)
        && pooled(scenario, arm, condition.figure).is_none()
}

/// What an arm says of a condition.
pub(super) fn evidence(condition: &Condition, arm: &ArmResult) -> Evidence {
    Evidence::of(condition, observed(condition, arm).into_iter())
}

/// What each replication of an arm observed of a condition's figure, and whether anything succeeded in it.
pub(super) fn observed(condition: &Condition, arm: &ArmResult) -> Vec<(Option<f64>, bool)> {
    let Figure { metric, subject } = condition.figure;
    let served: Vec<bool> = match metric {
        Metric::Workload(_) => {
            arm.observations(goodput(subject)).map(|goodput| goodput.is_some_and(|g| g > 0.0)).collect()
        }
        Metric::Service(_) => vec![true; arm.replications() as usize],
    };
    arm.observations(condition.figure).zip(served).collect()
}

/// How much of a workload succeeds.
pub(super) fn goodput(workload: usize) -> Figure {
    let measure = WORKLOAD_MEASURES.iter().position(|measure| measure.name == "goodput");
    Figure { metric: Metric::Workload(measure.expect("it is measured")), subject: workload }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Options, run};

    fn verdicts(service: &str, expect: &str, replications: u32) -> Vec<(Held, bool)> {
        let text = format!(
            "horizon = '1m'\nreplications = {replications}\n[services.api]\nlatency.constant = '1s'\n{service}\n\
             [workloads.calls]\nservice = 'api'\narrivals.even = {{ rate = '1/s', requests = 20 }}\n\
             [policies.none]\nretries = 0\n[expect]\n{expect}\n"
        );
        let scenario = Scenario::parse("test", "test", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let results = run(&scenario, Options::default(), &|| ());
        judge(&scenario, &results).iter().map(|verdict| (verdict.held, verdict.met())).collect()
    }

    #[test]
    fn a_bound_inside_the_interval_is_undecided() {
        let half = "faults = [{ random = { status = 503, probability = 0.5 } }]";
        let expect = "'none.success_rate' = '> 0.5'";
        assert_eq!(verdicts(half, expect, 100), [(Held::Undecided, false)]);
        assert_eq!(verdicts(half, "'none.success_rate' = '> 0.3'", 100), [(Held::Met, true)]);
        assert_eq!(verdicts(half, "'none.success_rate' = '> 0.7'", 100), [(Held::NotMet, false)]);
        assert_eq!(verdicts(half, "'none.success_rate' = '> 0.01'", 1), [(Held::Met, true)], "no interval");
    }

    #[test]
    fn what_is_rare_may_not_have_come_yet() {
        // 30 replications of 20 requests, none of which failed: SciPy 1.17.1, binomtest(600, 600).proportion_ci(0.95, "exact") is
        // 0.99387 to 1. A bound of 0.999 takes 3,688 of them: 3,687 give 0.99899999, 3,688 give 0.99900026.
        let rare = "faults = [{ random = { status = 503, probability = 1e-6 } }]";
        let held = |expect: &str, replications| verdicts(rare, expect, replications)[0];
        let few = |needed| (Held::TooFewAlike(600, needed), false);
        assert_eq!(held("'none.success_rate' = '> 0.99'", 30), (Held::Met, true));
        assert_eq!(held("'none.success_rate' = '> 0.999'", 30), few(Some(3688)));
        assert_eq!(held("'none.success_rate' = '< 0.999'", 30), few(Some(3688)));
        assert_eq!(held("'none.success_rate' = '> 0.999'", 185), (Held::Met, true), "3,700 requests");
        assert_eq!(held("'none.success_rate' = '< 0.99'", 30), (Held::NotMet, false));
        assert_eq!(
            held("'none.success_rate' = '>= 1'", 30),
            few(None),
            "that none ever fails is never shown"
        );
        assert_eq!(held("'none.success_rate' = '>= 0'", 30), (Held::Met, true), "it cannot be otherwise");
        // The same at the other end.
        let down = "faults = [{ random = { status = 503, probability = 0.999999 } }]";
        assert_eq!(verdicts(down, "'none.success_rate' = '< 0.01'", 30)[0], (Held::Met, true));
        assert_eq!(verdicts(down, "'none.success_rate' = '<= 0.001'", 30)[0], few(Some(3688)));
        // An outage in one of 100 replications takes all of its requests.
        let outages = "[[services.api.incidents]]\noutage = { mtbf = '1000s', mttr = '1s' }\n";
        assert_eq!(verdicts(outages, "'none.success_rate' = '> 0.9'", 3)[0], (Held::TooFewSpared(3), false));
        // Of attempts, none of which the limit turned away.
        let limited = "rate_limit.token_bucket = { rate = '10/s', burst = 10 }";
        assert_eq!(verdicts(limited, "'none.overshoot' = '<= 0.001'", 30)[0], few(Some(3688)));
        assert_eq!(verdicts(limited, "'none.overshoot' = '<= 0.01'", 30)[0], (Held::Met, true));
    }

    #[test]
    fn where_nothing_succeeds_nothing_is_fast() {
        let down = "faults = [{ random = { status = 503, probability = 1 } }]";
        let held = |expect: &str| verdicts(down, expect, 3)[0].0;
        assert_eq!(held("'none.time_to_success_p99' = '< 1h'"), Held::NothingSucceeded(3));
        assert_eq!(held("'none.time_to_success_p99' = '> 1h'"), Held::NotObserved);
        assert_eq!(held("'none.honest_p99' = '< 1h'"), Held::NothingSucceeded(3));
        assert_eq!(held("'none.honest_p99' = '> 1h'"), Held::Met, "for ever is long");
        assert_eq!(held("'none.time_to_give_up_p99' = '< 1h'"), Held::Met, "failures are known soon");
        // One request in twenty succeeds: where none does, those of other replications do not speak for it.
        let rare = "faults = [{ random = { status = 503, probability = 0.95 } }]";
        let (held, _) = verdicts(rare, "'none.time_to_success_max' = '< 1h'", 30)[0];
        assert!(matches!(held, Held::NothingSucceeded(1..30)), "{held:?}");
    }
}
