//! Shares that were 0 or 1 in every replication: their replications have no spread, and what is left to judge by is how many
//! requests there were in all.

use super::replicate::ArmResult;
use crate::metrics::{SERVICE_MEASURES, WORKLOAD_MEASURES};
use crate::scenario::{Condition, Figure, Metric, Scenario};
use crate::statistics::none_in;

/// A share that was the same in every replication, at one of its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pooled {
    /// 0 or 1.
    share: f64,
    /// The requests of all replications, or the attempts.
    pub(super) of: u64,
}

/// The share of this figure, if it is one of requests or attempts and was 0 or 1 wherever it was observed.
pub(super) fn pooled(scenario: &Scenario, arm: &ArmResult, figure: Figure) -> Option<Pooled> {
    let (counts, factor) = whole(scenario, figure)?;
    let estimate = arm.estimate(figure)?;
    let share = estimate.mean;
    let at_an_end = estimate.min == estimate.max && (share == 0.0 || share == 1.0);
    let of = arm.observations(counts).flatten().map(|count| libm::round(count * factor) as u64).sum();
    at_an_end.then_some(Pooled { share, of })
}

/// What a figure is a share of: the figure that counts it, and by what that is multiplied.
fn whole(scenario: &Scenario, figure: Figure) -> Option<(Figure, f64)> {
    let (name, factor) = match figure.metric.name() {
        "success_rate" => ("requests", 1.0),
        "overshoot" => ("offered_load_mean", scenario.horizon.as_secs_f64()),
        _ => return None,
    };
    let metric = match figure.metric {
        Metric::Workload(_) => Metric::Workload(WORKLOAD_MEASURES.iter().position(|m| m.name == name)?),
        Metric::Service(_) => Metric::Service(SERVICE_MEASURES.iter().position(|m| m.name == name)?),
    };
    Some((Figure { metric, ..figure }, factor))
}

impl Pooled {
    /// True if the Clopper-Pearson interval of level 1 - `alpha` lies on one side of the condition's bound.
    pub(super) fn decides(self, condition: &Condition, alpha: f64) -> bool {
        let end = (self.share - none_in(self.of as f64, alpha)).abs();
        let holds = |share| condition.comparison.holds(share, condition.bound);
        holds(end) == holds(self.share)
    }

    /// How many of them it would take, all alike, for that; `None` if no number would do, because the bound is the share itself.
    pub(super) fn needed(self, condition: &Condition, alpha: f64) -> Option<u64> {
        let apart = (self.share - condition.bound).abs();
        let enough = libm::ceil(libm::log(alpha / 2.0) / libm::log1p(-apart)) as u64;
        // Where the interval ends at the bound, it depends on the comparison.
        let one_more = !Self { of: enough, ..self }.decides(condition, alpha);
        (apart > 0.0 && apart < 1.0).then(|| enough + u64::from(one_more))
    }
}
