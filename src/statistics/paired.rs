//! Paired differences: two arms under the same luck, compared replication by replication.
//!
//! Arms share arrivals, keys and luck, so what a replication has in common cancels in its difference, and far fewer replications
//! show a difference than two independent samples need.

use super::median::{median, ranks, sign_test};
use super::student::{student_t, two_sided};

/// What the replications say of the difference between an arm and its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// The arm less its baseline; `None` if that is infinity less infinity.
    pub difference: Option<f64>,
    /// The confidence interval of the difference; `None` with too few replications.
    pub interval: Option<(f64, f64)>,
    /// The median over replications of arm / baseline; two zeros are equal.
    pub ratio: Option<f64>,
    /// The distribution-free confidence interval of the ratio.
    pub ratio_interval: Option<(f64, f64)>,
    /// The probability of such a difference or a larger one if there were none; `None` with too few replications.
    pub p: Option<f64>,
    /// Replications in which both were observed.
    pub pairs: usize,
}

impl Paired {
    /// By the mean of the differences, with an interval of Student's t of level 1 - `alpha`; values are (arm, baseline) and
    /// finite. `None` of no pairs.
    pub fn by_mean(pairs: &[(f64, f64)], alpha: f64) -> Option<Self> {
        let differences = differences(pairs);
        let (first, n) = (*differences.first()?, pairs.len() as f64);
        // Offsets from the first one: equal differences give exactly themselves and a width of exactly zero.
        let mean = first + differences.iter().map(|d| d - first).sum::<f64>() / n;
        let freedom = pairs.len() - 1;
        let error = (freedom > 0).then(|| {
            let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
            (squares / (n - 1.0) / n).sqrt()
        });
        let interval = error.map(|error| student_t(alpha, freedom) * error);
        let p = error.map(|error| match (mean, error) {
            (0.0, _) => 1.0,
            // All differences are alike: the sign test is what is left.
            (_, 0.0) => libm::exp2(1.0 - n),
            _ => two_sided(mean / error, freedom),
        });
        let interval = interval.map(|half| (mean - half, mean + half));
        Some(Self { difference: Some(mean), interval, p, ..Self::ratio(pairs, alpha) })
    }

    /// By the median of the differences, with an interval and a test that hold for any law ([`ranks`], [`sign_test`]); values
    /// are (arm, baseline) and may be infinite. `None` of no pairs.
    pub fn by_median(pairs: &[(f64, f64)], alpha: f64) -> Option<Self> {
        let differences = differences(pairs);
        (!differences.is_empty()).then(|| Self {
            difference: median(&differences),
            interval: interval(&differences, alpha),
            p: ranks(pairs.len(), alpha).map(|_| sign_test(&differences)),
            ..Self::ratio(pairs, alpha)
        })
    }

    fn ratio(pairs: &[(f64, f64)], alpha: f64) -> Self {
        let ratio = |&(arm, baseline): &(f64, f64)| if arm == baseline { 1.0 } else { arm / baseline };
        let ratios: Vec<f64> = pairs.iter().map(ratio).collect();
        Self {
            difference: None,
            interval: None,
            ratio: median(&ratios),
            ratio_interval: interval(&ratios, alpha),
            p: None,
            pairs: pairs.len(),
        }
    }
}

/// What takes for ever in both arms differs in nothing.
fn differences(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|&(arm, baseline)| if arm == baseline { 0.0 } else { arm - baseline }).collect()
}

/// The values that enclose the median with probability of at least 1 - `alpha`.
fn interval(values: &[f64], alpha: f64) -> Option<(f64, f64)> {
    let (low, high) = ranks(values.len(), alpha)?;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some((sorted[low], sorted[high]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_differences_has_the_interval_of_the_paired_t_test() {
        // W. S. Gosset, The Probable Error of a Mean, Biometrika 6, 1908: additional hours of sleep by two drugs. R:
        // t.test(extra ~ group, data = sleep, paired = TRUE): t = -4.0621, p = 0.002833, interval -2.4598858 to -0.7001142.
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let pairs: Vec<(f64, f64)> = first.into_iter().zip(second).collect();
        let found = Paired::by_mean(&pairs, 0.05).expect("there are pairs");
        let (low, high) = found.interval.expect("ten can tell");
        assert!((found.difference.expect("it is finite") + 1.58).abs() < 1e-9);
        assert!((low + 2.459_885_8).abs() < 1e-6 && (high + 0.700_114_2).abs() < 1e-6, "{low} {high}");
        assert!((found.p.expect("ten can tell") - 0.002_833).abs() < 1e-6);
    }

    #[test]
    fn what_is_the_same_in_both_is_no_difference_and_two_replications_prove_none() {
        let same = Paired::by_mean(&[(0.3, 0.3), (0.7, 0.7)], 0.05).expect("there are pairs");
        assert_eq!((same.difference, same.interval, same.p), (Some(0.0), Some((0.0, 0.0)), Some(1.0)));
        assert_eq!((same.ratio, same.ratio_interval), (Some(1.0), None));
        let apart = Paired::by_mean(&[(3.0, 1.0), (4.0, 2.0)], 0.05).expect("there are pairs");
        assert_eq!((apart.difference, apart.p), (Some(2.0), Some(0.5)));
        let alone = Paired::by_mean(&[(3.0, 1.0)], 0.05).expect("there is a pair");
        assert_eq!((alone.interval, alone.p, alone.pairs), (None, None, 1));
        assert_eq!(Paired::by_mean(&[], 0.05), None);
    }

    #[test]
    fn never_against_never_is_no_difference() {
        let inf = f64::INFINITY;
        let pairs = [(inf, inf), (5.0, inf), (inf, 2.0), (3.0, 2.0), (4.0, 2.0), (9.0, 2.0)];
        let found = Paired::by_median(&pairs, 0.05).expect("there are pairs");
        assert_eq!(found.difference, Some(1.5));
        assert_eq!(found.interval, Some((-inf, inf)));
        assert_eq!(found.ratio, Some(1.75));
    }
}
