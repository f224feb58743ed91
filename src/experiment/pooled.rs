//! Shares that were 0 or 1 in every replication: their replications have no spread, and what is left to judge by is how many
//! requests there were in all. Where outages or bursts at random strike all requests of a replication at once, its requests are not
//! as many trials, and the replications must be many as well.

use super::replicate::ArmResult;
use super::stopping::ALIKE;
use crate::metrics::{SERVICE_MEASURES, WORKLOAD_MEASURES};
use crate::scenario::{Condition, Figure, Metric, Scenario};
use crate::statistics::{Estimate, none_in};

/// A share that was the same in every replication, at one of its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pooled {
    /// 0 or 1.
    share: f64,
    /// The requests of all replications, or the attempts.
    pub(super) of: u64,
    /// The replications, if their number counts as well.
    replications: Option<u32>,
}

/// What a figure is a share of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Whole {
    /// The figure that counts it, if multiplied by a factor.
    pub(super) counts: Figure,
    factor: f64,
    /// True if all requests of a replication have some luck in common: then they are not as many trials.
    in_common: bool,
}

/// The share of this figure, if it is one of requests or attempts and was 0 or 1 wherever it was observed.
pub(super) fn pooled(scenario: &Scenario, arm: &ArmResult, figure: Figure) -> Option<Pooled> {
    let whole = Whole::of(scenario, figure)?;
    whole.pooled(&arm.estimate(figure)?, arm.observations(whole.counts).flatten())
}

impl Whole {
    /// What a figure is a share of, if it is one of requests or attempts.
    pub(super) fn of(scenario: &Scenario, figure: Figure) -> Option<Self> {
        let (name, factor) = match figure.metric.name() {
            "success_rate" => ("requests", 1.0),
            "overshoot" => ("offered_load_mean", scenario.horizon.as_secs_f64()),
            _ => return None,
        };
        let metric = match figure.metric {
            Metric::Workload(_) => Metric::Workload(WORKLOAD_MEASURES.iter().position(|m| m.name == name)?),
            Metric::Service(_) => Metric::Service(SERVICE_MEASURES.iter().position(|m| m.name == name)?),
        };
        Some(Self { counts: Figure { metric, ..figure }, factor, in_common: scenario.strikes_many() })
    }

    /// The share with this estimate, if it was 0 or 1 wherever it was observed, and what was counted there.
    pub(super) fn pooled(&self, estimate: &Estimate, counts: impl Iterator<Item = f64>) -> Option<Pooled> {
        let share = estimate.mean;
        let at_an_end = estimate.min == estimate.max && (share == 0.0 || share == 1.0);
        let of = counts.map(|count| libm::round(count * self.factor) as u64).sum();
        let replications = self.in_common.then_some(estimate.observations as u32);
        at_an_end.then_some(Pooled { share, of, replications })
    }
}

impl Pooled {
    /// The replications, if they are too few to tell what strikes one of them as a whole, whatever its requests say.
    pub(super) fn too_few(self) -> Option<u32> {
        self.replications.filter(|&replications| replications < ALIKE)
    }

    /// True if the Clopper-Pearson interval of level 1 - `alpha` lies on one side of the condition's bound, and the replications
    /// are not too few.
    pub(super) fn decides(self, condition: &Condition, alpha: f64) -> bool {
        self.too_few().is_none() && self.is_beyond(condition, alpha)
    }

    fn is_beyond(self, condition: &Condition, alpha: f64) -> bool {
        let end = (self.share - none_in(self.of as f64, alpha)).abs();
        let holds = |share| condition.comparison.holds(share, condition.bound);
        holds(end) == holds(self.share)
    }

    /// How many of them it would take, all alike, for that; `None` if no number would do, because the bound is the share itself.
    pub(super) fn needed(self, condition: &Condition, alpha: f64) -> Option<u64> {
        let apart = (self.share - condition.bound).abs();
        let enough = libm::ceil(libm::log(alpha / 2.0) / libm::log1p(-apart)) as u64;
        // Where the interval ends at the bound, it depends on the comparison.
        let one_more = !Self { of: enough, ..self }.is_beyond(condition, alpha);
        (apart > 0.0 && apart < 1.0).then(|| enough + u64::from(one_more))
    }
}
