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
use crate::statistics::{Estimate, at_least, at_most, cochran, skewness, student_t};

/// What became of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The value, as it is written.
    pub value: String,
    /// How many replications it got.
    pub replications: u32,
    /// Whether the condition holds there.
    pub decision: Decision,
    /// In what share of the replications that tell it all conditions held; `None` if none tells.
    pub share: Option<f64>,
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

    /// True if that is shown.
    pub const fn is_shown(self) -> bool {
        matches!(self, Self::Holds | Self::Fails)
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
        if decision.is_shown() || last {
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

/// By the interval of the mean, which counts from as many observations on as Cochran's rule says ([`cochran`]). That replications are
/// all alike proves nothing as long as more can be had: what is rare may not have happened yet. When no more can be had, their number
/// must speak, or that of all requests.
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
    let normal = || {
        let seen: Vec<f64> = arm.observations(condition.figure).flatten().collect();
        seen.len() as f64 >= skewness(&seen).map_or(0.0, cochran)
    };
    let shown = if half > 0.0 { normal() } else { last && many() };
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

/// Of each replication, whether all conditions are seen to hold in it: one that is broken is enough to say no. `None` of a
/// replication that did not observe the figure of one of them, while the others hold: it says nothing.
pub(super) fn met(conditions: &[Condition], arm: &ArmResult) -> Vec<Option<bool>> {
    let mut all = vec![Some(true); arm.replications() as usize];
    for condition in conditions {
        for (met, (value, served)) in all.iter_mut().zip(observed(condition, arm)) {
            *met = match (*met, holds_in(condition, value, served)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, _) | (_, None) => None,
                (Some(true), Some(true)) => Some(true),
            };
        }
    }
    all
}

fn share(conditions: &[Condition], arm: &ArmResult) -> Option<f64> {
    let told: Vec<bool> = met(conditions, arm).into_iter().flatten().collect();
    let met = told.iter().filter(|met| **met).count();
    (!told.is_empty()).then(|| met as f64 / told.len() as f64)
}
