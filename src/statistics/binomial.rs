//! The binomial distribution function, for tests of shares.

/// P(B <= `k`) of a binomial variable of `n` trials with probability `p`, which lies between 0 and 1 and is neither.
pub fn at_most(k: usize, n: usize, p: f64) -> f64 {
    let mut log = n as f64 * libm::log1p(-p);
    let mut sum = libm::exp(log);
    for i in 1..=k.min(n) {
        log += libm::log((n - i + 1) as f64 / i as f64 * p / (1.0 - p));
        sum += libm::exp(log);
    }
    sum.min(1.0)
}

/// P(B >= `k`) of the same; small ones are as exact as large ones.
pub fn at_least(k: usize, n: usize, p: f64) -> f64 {
    if k == 0 { 1.0 } else { at_most(n.saturating_sub(k), n, 1.0 - p) }
}

/// The upper end of the Clopper-Pearson interval of level 1 - `alpha` for the probability of what did not happen in `n` trials; what
/// always happened has 1 less that as its lower end (C. J. Clopper, E. S. Pearson, The Use of Confidence or Fiducial Limits
/// Illustrated in the Case of the Binomial, Biometrika 26, 1934). With [`ONE_SIDED`] it is the upper bound of level 95 %.
pub fn none_in(n: f64, alpha: f64) -> f64 {
    if n > 0.0 { -libm::expm1(libm::log(alpha / 2.0) / n) } else { 1.0 }
}

/// The `alpha` of which half is 5 %: for a bound on one side at a level of 95 %, where only that side is asked about.
pub const ONE_SIDED: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_of_its_terms() {
        // By hand: of four coins, 1/16, 5/16, 11/16, 15/16, 1.
        for (k, expected) in [(0, 1.0), (1, 5.0), (2, 11.0), (3, 15.0), (4, 16.0)] {
            assert!((at_most(k, 4, 0.5) - expected / 16.0).abs() < 1e-15, "{k}");
        }
        assert!((at_least(4, 4, 0.5) - 1.0 / 16.0).abs() < 1e-15);
        assert_eq!(at_least(0, 4, 0.3), 1.0);
        // 0.9^30, far below what 1 - P could tell.
        assert!((at_least(30, 30, 0.1) / 1e-30 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_did_not_happen_may_still_happen_so_often() {
        // SciPy 1.17.1, scipy.stats.binomtest(0, 4000).proportion_ci(0.95, "exact"), and binomtest(30, 30).
        assert!((none_in(4000.0, 0.05) - 0.000_921_794_749_606).abs() < 1e-12);
        assert!((1.0 - none_in(30.0, 0.05) - 0.884_296_691_777_972_5).abs() < 1e-12);
        assert_eq!(none_in(0.0, 0.05), 1.0);
        // SciPy 1.17.1, binomtest(0, 20, alternative="less").proportion_ci(0.95, "exact"), and by the formula.
        assert!((none_in(20.0, ONE_SIDED) - 0.139_108_340_668_375_3).abs() < 1e-12);
        assert!((none_in(20.0, ONE_SIDED) - (1.0 - libm::pow(0.05, 1.0 / 20.0))).abs() < 1e-15);
    }
}
