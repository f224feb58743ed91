//! When a mean is precise enough: the rule by which replications are added, on what was observed so far and nothing else.
//!
//! It begins as that of C. Stein (A Two-Sample Test for a Linear Hypothesis Whose Power is Independent of the Variance, Annals of
//! Mathematical Statistics 16, 1945). The first n0 replications give a standard deviation s; N = (t s / h)^2 replications, with t
//! of n0 - 1 degrees of freedom, make mean +- h an interval of 95 % of normal observations: whatever s came out as, and unlike
//! rules that stop at the first interval which happens to be narrow. Then replications are added, a tenth at a time, until the
//! interval of all of them is no wider either.
//!
//! Observations of a simulation need not be normal, so two more things are asked for. The interval of a skewed law counts only from
//! as many observations on as Cochran's rule says ([`cochran`]). And where all observations are alike, which says nothing of what
//! is rare, there must be [`ALIKE`] of them.
//!
//! A width in the unit of the figure makes the number of replications depend on spreads, and only through them on where a mean
//! lies; a width in percent is one of the mean so far, so that it depends on both. The skewness is that of what was seen: of a law
//! whose extremes have not come yet it is too small, and then the interval misses more often than it says. `tests/comparison.rs`
//! measures how often.

use crate::statistics::{Estimate, cochran, skewness};

/// Observations before a spread is believed.
pub const FIRST: u32 = 30;

/// How many observations that are all alike are believed: what would differ then has, with 95 % confidence, a probability below
/// 1 - 0.05^(1/299), which is 1 % (the upper end of the interval of C. J. Clopper and E. S. Pearson, Biometrika 26, 1934).
pub const ALIKE: u32 = 299;

/// Half the width of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// In the unit of the figure.
    Absolute(f64),
    /// As a share of the mean.
    Relative(f64),
}

impl Width {
    fn of(self, mean: f64) -> f64 {
        match self {
            Self::Absolute(half) => half,
            Self::Relative(share) => share * mean.abs(),
        }
    }
}

/// What is said of the precision of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reached {
    /// Its interval is as narrow as asked.
    Narrow,
    /// All observations are alike, and there are [`ALIKE`] of them.
    Alike,
    /// It is not as precise as asked.
    Short(Lack),
}

/// Why a mean is not as precise as asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lack {
    /// No replication observed it.
    Unobserved,
    /// It has no interval, and gets none: it was infinite.
    Infinite,
    /// It was observed once.
    Once,
    /// All observations are alike, but there are so few of them.
    FewAlike(usize),
    /// The observations are so skewed that it takes so many of them before an interval counts.
    Skewed(f64),
    /// Half the width of its interval, and half the width that was asked for, or what the first observations call for.
    Wide(f64, f64),
}

/// Holds what replications observed against the width that was asked for; the first `pilot` of them plan. Returns how it stands,
/// and how many replications that calls for, if more can help.
pub fn look(observed: &[Option<f64>], pilot: usize, width: Width) -> (Reached, Option<u32>) {
    let values: Vec<f64> = observed.iter().copied().flatten().collect();
    // What is seldom observed takes so many more replications to be observed that often.
    let replications = |observations: f64| {
        let seldom = observed.len() as f64 / values.len().max(1) as f64;
        Some((observations * seldom).ceil().min(f64::from(u32::MAX)) as u32)
    };
    let short = |lack, observations| (Reached::Short(lack), replications(observations));
    let Some(now) = Estimate::of(values.iter().copied()) else {
        let wanted = Some(ALIKE).filter(|&alike| observed.len() < alike as usize);
        return (Reached::Short(Lack::Unobserved), wanted);
    };
    let n = now.observations as f64;
    match now.half_width {
        None if now.mean.is_infinite() => return (Reached::Short(Lack::Infinite), None),
        None => return short(Lack::Once, f64::from(FIRST)),
        Some(_) if now.min == now.max && n < f64::from(ALIKE) => {
            return short(Lack::FewAlike(now.observations), f64::from(ALIKE));
        }
        Some(_) if now.min == now.max => return (Reached::Alike, None),
        Some(_) => {}
    }
    let (reached, half) = (now.half_width.unwrap_or(f64::INFINITY), width.of(now.mean));
    let planned = planned(Estimate::of(observed.iter().take(pilot).copied().flatten()), half);
    let normal = skewness(&values).map_or(0.0, cochran);
    if n < normal {
        return short(Lack::Skewed(normal.ceil()), normal.max(planned.unwrap_or(0.0)));
    }
    match planned {
        Some(planned) if n >= planned && reached <= half => (Reached::Narrow, None),
        Some(planned) => short(Lack::Wide(reached, half), planned),
        // No number of observations makes the interval of a mean of 0 a share of it.
        None => (Reached::Short(Lack::Wide(reached, half)), None),
    }
}

/// How many replications come after so many, of which so many are wanted: a tenth more at least, and no more than `most`.
pub fn next(replications: u32, wanted: u32, most: u32) -> u32 {
    let step = replications.saturating_add(replications.div_ceil(10));
    wanted.max(step).min(most)
}

/// How many observations the first ones call for; `None` if no number would do.
fn planned(first: Option<Estimate>, half: f64) -> Option<f64> {
    if half <= 0.0 {
        return None;
    }
    // Where the first ones tell nothing, those that follow decide.
    let Some((first, reached)) = first.and_then(|first| Some((first, first.half_width?))) else {
        return Some(0.0);
    };
    let ratio = reached / half;
    Some((first.observations as f64 * ratio * ratio).ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn the_first_replications_call_for_so_many() {
        let estimate = |values: &[f64]| Estimate::of(values.iter().copied());
        // t(3) = 3.182446 and s = 1.290994 ask for (3.182446 * 1.290994 / 0.5)^2 = 67.5.
        assert_eq!(planned(estimate(&[1.0, 2.0, 3.0, 4.0]), 0.5), Some(68.0));
        assert_eq!(planned(estimate(&[1.0, 2.0]), 0.0), None, "no number is enough");
        assert_eq!(planned(estimate(&[1.0]), 0.5), Some(0.0));
        assert_eq!(next(30, 68, 1_000), 68);
        assert_eq!((next(100, 68, 1_000), next(100, 200, 150)), (110, 150));
    }

    #[test]
    fn what_is_alike_is_believed_when_what_differs_would_be_rare() {
        let alike = |n: usize| look(&seen(&vec![1.0; n]), 30, Width::Relative(0.01));
        assert_eq!(alike(30), (Reached::Short(Lack::FewAlike(30)), Some(299)));
        assert_eq!(alike(298), (Reached::Short(Lack::FewAlike(298)), Some(299)));
        assert_eq!(alike(299), (Reached::Alike, None));
        // The chance of what was not seen in 299 replications is below 1 % with 95 % confidence, and in 298 not.
        let chance = |n: u32| 1.0 - libm::pow(0.05, 1.0 / f64::from(n));
        assert!(chance(ALIKE) < 0.01 && chance(ALIKE - 1) > 0.01, "{} {}", chance(298), chance(299));
        // Seen in every third replication, it takes three times as many.
        let third: Vec<Option<f64>> = (0..30).map(|index| (index % 3 == 0).then_some(2.0)).collect();
        assert_eq!(look(&third, 30, Width::Absolute(1.0)), (Reached::Short(Lack::FewAlike(10)), Some(897)));
    }

    #[test]
    fn what_is_skewed_counts_later() {
        let rare = [vec![1.0; 99], vec![0.0]].concat();
        let (reached, wanted) = look(&seen(&rare), 30, Width::Absolute(0.5));
        // 25 * 9.8494^2, however wide the interval may be.
        assert_eq!((reached, wanted), (Reached::Short(Lack::Skewed(2426.0)), Some(2426)));
        let even: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(look(&seen(&even), 30, Width::Absolute(50.0)), (Reached::Narrow, None));
    }

    #[test]
    fn what_has_no_interval_is_not_precise() {
        let of = |values: &[Option<f64>]| look(values, 30, Width::Relative(0.01));
        assert_eq!(of(&[None; 30]), (Reached::Short(Lack::Unobserved), Some(299)));
        assert_eq!(of(&[None; 299]), (Reached::Short(Lack::Unobserved), None));
        assert_eq!(of(&[Some(1.0), None]), (Reached::Short(Lack::Once), Some(60)));
        assert_eq!(of(&[Some(1.0), Some(f64::INFINITY)]), (Reached::Short(Lack::Infinite), None));
        // A share of a mean of 0 is no width.
        let balanced = seen(&[-1.0, 1.0].repeat(50));
        assert!(matches!(of(&balanced), (Reached::Short(Lack::Wide(_, 0.0)), None)));
    }
}
