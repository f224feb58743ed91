//! Comparison: every arm held against the baseline, replication by replication, under the same luck.
//!
//! Each figure is a family of its own: with many arms the chance of calling any difference that is none stays below 5 %
//! ([`holm`]). The interval of a difference is that of this difference alone.

use super::replicate::Results;
use crate::metrics::{Better, Centre, SERVICE_MEASURES, WORKLOAD_MEASURES};
use crate::scenario::{Figure, Metric, Scenario};
use crate::statistics::{Paired, holm};

/// The chance of an error that is accepted: of a family of verdicts, and of an interval that misses.
pub const ALPHA: f64 = 0.05;

/// An arm held against the baseline in one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Index of the arm.
    pub arm: usize,
    /// What is compared.
    pub figure: Figure,
    /// The difference; `None` if no replication observed the figure in both arms.
    pub paired: Option<Paired>,
    /// The probability of such a difference if there were none, adjusted for the number of arms.
    pub p: Option<f64>,
    /// What may be said of it.
    pub standing: Standing,
}

/// How an arm stands against the baseline in one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// It has more, of which neither more nor less is better.
    Higher,
    /// It has less, of which neither more nor less is better.
    Lower,
    /// The difference may be none.
    Unclear,
    /// There are too few replications to tell, or the figure was not observed.
    Untold,
}

impl Standing {
    /// Its name in CSV files; empty if nothing can be told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Unclear => "no clear difference",
            Self::Untold => "",
        }
    }

    /// Of a difference, whose p-value is adjusted for a family of so many.
    fn of(paired: &Paired, p: Option<f64>, (better, centre): (Better, Centre), family: usize) -> Self {
        let Some(p) = p else { return Self::Untold };
        // The sign test of n pairs gives no p-value below 2 / 2^n: where even that would not tell, nothing can be told.
        let least = 2.0 * libm::exp2(-(paired.pairs as f64)) * family as f64;
        if centre == Centre::Median && p > ALPHA && least > ALPHA {
            return Self::Untold;
        }
        // An infinity less an infinity tells no size, but the ratio tells the side.
        let more = paired.difference.map_or(paired.ratio.is_some_and(|ratio| ratio > 1.0), |d| d > 0.0);
        match (p <= ALPHA, better, more) {
            (false, ..) => Self::Unclear,
            (true, Better::Neither, true) => Self::Higher,
            (true, Better::Neither, false) => Self::Lower,
            (true, Better::More, true) | (true, Better::Less, false) => Self::Better,
            (true, Better::More, false) | (true, Better::Less, true) => Self::Worse,
        }
    }
}

/// Holds every arm but the baseline against it in every figure: by arm, then by workload and service, then by measure.
pub fn compare(scenario: &Scenario, results: &Results) -> Vec<Contrast> {
    let arms: Vec<usize> = (0..results.arms.len()).filter(|&arm| arm != scenario.baseline).collect();
    let families: Vec<Vec<Contrast>> =
        figures(scenario).map(|figure| family(results, scenario.baseline, &arms, figure)).collect();
    (0..arms.len()).flat_map(|place| families.iter().map(move |family| family[place])).collect()
}

/// Every metric of every workload, then of every service.
pub fn figures(scenario: &Scenario) -> impl Iterator<Item = Figure> {
    let of_workloads = (0..scenario.workloads.len()).flat_map(|subject| {
        (0..WORKLOAD_MEASURES.len()).map(move |measure| Figure { metric: Metric::Workload(measure), subject })
    });
    let of_services = (0..scenario.services.len()).flat_map(|subject| {
        (0..SERVICE_MEASURES.len()).map(move |measure| Figure { metric: Metric::Service(measure), subject })
    });
    of_workloads.chain(of_services)
}

/// Some arms held against the baseline in one figure.
pub fn family(results: &Results, baseline: usize, arms: &[usize], figure: Figure) -> Vec<Contrast> {
    let sense = figure.metric.sense();
    let found: Vec<Option<Paired>> = arms
        .iter()
        .map(|&arm| {
            let pairs = pairs(results, arm, baseline, figure);
            match sense.centre {
                Centre::Mean => Paired::by_mean(&pairs, ALPHA),
                Centre::Median => Paired::by_median(&pairs, ALPHA),
            }
        })
        .collect();
    let size = found.iter().flatten().filter(|paired| paired.p.is_some()).count();
    let adjusted =
        holm(&found.iter().map(|paired| paired.as_ref().and_then(|paired| paired.p)).collect::<Vec<_>>());
    let contrasts = arms.iter().zip(found).zip(adjusted);
    contrasts
        .map(|((&arm, paired), p)| {
            let told = |paired: &Paired| Standing::of(paired, p, (sense.better, sense.centre), size);
            let standing = paired.as_ref().map_or(Standing::Untold, told);
            Contrast { arm, figure, paired, p, standing }
        })
        .collect()
}

/// What the replications that observed a figure in both arms saw of it.
pub fn pairs(results: &Results, arm: usize, baseline: usize, figure: Figure) -> Vec<(f64, f64)> {
    let arms = results.arms[arm].observations(figure).zip(results.arms[baseline].observations(figure));
    arms.filter_map(|(arm, baseline)| Some((arm?, baseline?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paired(pairs: &[(f64, f64)]) -> Paired {
        Paired::by_median(pairs, ALPHA).expect("there are pairs")
    }

    #[test]
    fn the_side_of_a_difference_is_told_by_what_is_better() {
        let less = paired(&[(1.0, 2.0); 8]);
        for (better, p, standing) in [
            (Better::Less, Some(0.01), Standing::Better),
            (Better::More, Some(0.01), Standing::Worse),
            (Better::Neither, Some(0.01), Standing::Lower),
            (Better::Less, Some(0.06), Standing::Unclear),
            (Better::Less, None, Standing::Untold),
        ] {
            assert_eq!(Standing::of(&less, p, (better, Centre::Median), 1), standing);
        }
        let never = paired(&[(f64::INFINITY, 2.0); 8]);
        assert_eq!(Standing::of(&never, never.p, (Better::Less, Centre::Median), 1), Standing::Worse);
    }

    #[test]
    fn what_no_sign_test_could_tell_is_not_called_unclear() {
        // Six pairs: the least p-value is 2/64, which two arms bring above 0.05.
        let six = paired(&[(1.0, 2.0); 6]);
        let told = |family, p| Standing::of(&six, Some(p), (Better::Less, Centre::Median), family);
        assert_eq!(
            [told(1, 0.031_25), told(2, 0.0625), told(11, 0.343_75)],
            [Standing::Better, Standing::Untold, Standing::Untold]
        );
        let mixed = paired(&[(1.0, 2.0), (2.0, 1.0), (1.0, 2.0), (2.0, 1.0), (1.0, 2.0), (2.0, 1.0)]);
        assert_eq!(Standing::of(&mixed, mixed.p, (Better::Less, Centre::Median), 1), Standing::Unclear);
    }
}
