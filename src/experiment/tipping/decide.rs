//! One value, one arm: does the condition hold there?

use super::Question;
use crate::experiment::compare::ALPHA;
use crate::experiment::evidence::{Evidence, holds_in};
use crate::experiment::expect::{evidence, observed};
use crate::experiment::pooled::pooled;
use crate::experiment::replicate::{ArmResult, Experiment};
use crate::experiment::stopping::ALIKE;
use crate::metrics::Centre;
use crate::scenario::{Condition, Scenario};
use crate::statistics::{Estimate, at_least, at_most, student_t};

/// What became of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The value, as it is written.
    pub value: String,
    /// How many replications it got.
    pub replications: u32,
    /// Whether the condition holds there.
    pub decision: Decision,
    /// In what share of the replications all conditions held.
    pub share: f64,
    /// The mean of the first condition's figure; `None` if it was not observed.
    pub mean: Option<f64>,
}

/// Whether a condition holds, and whether that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is shown to hold.
    Holds,
    /// It looks as if it held, but that is not shown.
    SeemsToHold,
    /// It looks as if it failed, but that is not shown.
    SeemsToFail,
    /// It is shown to fail.
    Fails,
}

impl Decision {
    /// What it looks like.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Holds | Self::SeemsToHold)
    }

    /// What all of several conditions come to: a failure of one is a failure.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fails, _) | (_, Self::Fails) => Self::Fails,
            (Self::SeemsToFail, _) | (_, Self::SeemsToFail) => Self::SeemsToFail,
            (Self::SeemsToHold, _) | (_, Self::SeemsToHold) => Self::SeemsToHold,
            (Self::Holds, Self::Holds) => Self::Holds,
        }
    }
}

/// Runs an arm with more and more replications until it is shown whether the conditions hold, at a level of `ALPHA` shared out over
/// `values` values.
pub(super) fn decide(question: &Question, scenario: &Scenario, arm: usize, values: f64) -> Trial {
    let mut replications = scenario.replications.min(question.most);
    let looks = 1.0 + libm::ceil(libm::log2(f64::from(question.most) / f64::from(replications)));
    let alpha = ALPHA / values / looks / question.conditions.len() as f64;
    let mut experiment = Experiment::new(scenario, 0);
    loop {
        experiment.advance(&[arm], replications, &|| ());
        let found = &experiment.results().arms[arm];
        let last = replications == question.most;
        let each = |condition: &Condition| match (question.share, condition.figure.metric.sense().centre) {
            (None, Centre::Mean) => on_average(scenario, condition, found, alpha, last),
            (share, _) => in_share(share.unwrap_or(0.5), condition, found, alpha),
        };
        let decision = question.conditions.iter().map(each).reduce(Decision::and).unwrap_or(Decision::Holds);
        let shown = matches!(decision, Decision::Holds | Decision::Fails);
        if shown || replications == question.most {
            return Trial {
                value: String::new(),
                replications,
                decision,
                share: share(&question.conditions, found),
                mean: found.estimate(question.conditions[0].figure).map(|estimate| estimate.mean),
            };
        }
        replications = replications.saturating_mul(2).min(question.most);
    }
}

/// By the interval of the mean. That replications are all alike proves nothing as long as more can be had: what is rare may not
/// have happened yet. When no more can be had, their number must speak, or that of all requests.
fn on_average(
    scenario: &Scenario,
    condition: &Condition,
    arm: &ArmResult,
    alpha: f64,
    last: bool,
) -> Decision {
    let estimate = match evidence(condition, arm) {
        Evidence::Unobserved => return Decision::SeemsToFail,
        Evidence::NothingSucceeded(_) => return Decision::Fails,
        Evidence::Seen(estimate) => estimate,
    };
    let half = half_width(&estimate, alpha);
    let holds = |value: f64| condition.comparison.holds(value, condition.bound);
    let many = || match pooled(scenario, arm, condition.figure) {
        Some(pooled) => estimate.observations > 1 && pooled.decides(condition, alpha),
        None => estimate.observations >= ALIKE as usize,
    };
    let shown = half > 0.0 || (last && many());
    match (holds(estimate.mean - half), holds(estimate.mean), holds(estimate.mean + half)) {
        (true, _, true) if shown => Decision::Holds,
        (false, _, false) if shown => Decision::Fails,
        (_, true, _) => Decision::SeemsToHold,
        (_, false, _) => Decision::SeemsToFail,
    }
}

/// Half the width of the interval of level 1 - `alpha`; none of what has no interval, which is decided on as it is.
fn half_width(estimate: &Estimate, alpha: f64) -> f64 {
    let freedom = estimate.observations.saturating_sub(1);
    estimate.half_width.map_or(0.0, |half| half * student_t(alpha, freedom) / student_t(ALPHA, freedom))
}

/// By how many of the replications that observed it meet it.
fn in_share(share: f64, condition: &Condition, arm: &ArmResult, alpha: f64) -> Decision {
    let observed = observed(condition, arm);
    let held = observed.iter().filter_map(|&(value, served)| holds_in(condition, value, served));
    let (met, n) = held.fold((0, 0), |(met, n), held| (met + usize::from(held), n + 1));
    if n == 0 {
        Decision::SeemsToFail
    } else if 2.0 * at_least(met, n, share) <= alpha {
        Decision::Holds
    } else if 2.0 * at_most(met, n, share) <= alpha {
        Decision::Fails
    } else if met as f64 >= share * n as f64 {
        Decision::SeemsToHold
    } else {
        Decision::SeemsToFail
    }
}

/// In which replications all conditions are seen to hold.
pub(super) fn met(conditions: &[Condition], arm: &ArmResult) -> Vec<bool> {
    let mut all = vec![true; arm.replications() as usize];
    for condition in conditions {
        for (met, (value, served)) in all.iter_mut().zip(observed(condition, arm)) {
            *met &= holds_in(condition, value, served) == Some(true);
        }
    }
    all
}

fn share(conditions: &[Condition], arm: &ArmResult) -> f64 {
    let met = met(conditions, arm);
    met.iter().filter(|met| **met).count() as f64 / met.len() as f64
}
