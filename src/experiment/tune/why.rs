//! Why: what each part of the chosen policy does, measured by leaving it out under the luck of the confirmation.

use super::confirm::Confirmed;
use super::search::Candidate;
use crate::scenario::{Figure, Knob, Tune, Tuned};
use crate::statistics::{Estimate, holm};

/// The chosen policy with one part replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The part.
    pub knob: Knob,
    /// What the chosen policy has.
    pub own: String,
    /// What the variant has instead.
    pub other: String,
    /// The variant.
    pub policy: Tuned,
}

/// What replacing a part changes in one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Index of the variant.
    pub variant: usize,
    /// The figure's place in rows.
    pub column: usize,
    /// The chosen policy's figure.
    pub own: Estimate,
    /// The variant's.
    pub other: Estimate,
    /// In how many replications both were observed.
    pub pairs: usize,
    /// The probability of such a difference if there were none, adjusted for all comparisons of the workload (Holm).
    pub p: f64,
}

/// The variants of what was chosen: without its jitter, its breaker, its budget, its obedience; one retry less and more; the delay
/// and the shape of the start.
pub(super) fn variants(tune: &Tune, chosen: &Candidate) -> Vec<Variant> {
    let mut variants = Vec::new();
    let mut add = |knob: Knob, other: Option<String>| {
        let own = tune.get(&chosen.values, knob).map(str::to_owned);
        let (Some(own), Some(other)) = (own, other) else { return };
        if own == other {
            return;
        }
        if let Some(policy) = tune.instead(&chosen.indices, knob, &other) {
            variants.push(Variant { knob, own, other, policy });
        }
    };
    let retries: Option<u64> = tune.get(&chosen.values, Knob::Retries).and_then(|text| text.parse().ok());
    add(Knob::Retries, retries.and_then(|retries| retries.checked_sub(1)).map(|fewer| fewer.to_string()));
    add(Knob::Retries, retries.map(|retries| (retries + 1).to_string()));
    let jitter = tune.get(&chosen.values, Knob::Jitter);
    add(Knob::Jitter, Some(if jitter == Some("none") { "full" } else { "none" }.to_owned()));
    add(Knob::Delay, tune.own(Knob::Delay));
    add(Knob::Shape, tune.own(Knob::Shape));
    add(Knob::Breaker, Some("none".to_owned()));
    add(Knob::Budget, Some("none".to_owned()));
    add(Knob::RetryAfter, Some("ignore".to_owned()));
    variants
}

/// What the variants change, over the replications in which both observed a figure.
pub(super) fn effects(chosen: &Confirmed, variants: &[Confirmed], figures: &[Figure]) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut p = Vec::new();
    for (variant, other) in variants.iter().enumerate() {
        for (column, figure) in figures.iter().enumerate() {
            let estimates = chosen.estimate(column).zip(other.estimate(column));
            let Some((own, estimate)) = estimates else { continue };
            let difference = chosen.less(other, column, *figure);
            p.push(difference.and_then(|difference| difference.p));
            let pairs = difference.map_or(0, |difference| difference.pairs);
            effects.push(Effect { variant, column, own, other: estimate, pairs, p: 1.0 });
        }
    }
    for (effect, adjusted) in effects.iter_mut().zip(holm(&p)) {
        effect.p = adjusted.unwrap_or(1.0);
    }
    effects
}
