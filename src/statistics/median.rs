//! The median, and what signs alone tell of it: intervals and a test that hold whatever the law of the values is.
//!
//! Of n independent values the number below their median is binomial with probability 1/2, so that the interval from the k-th
//! smallest to the k-th largest misses it with probability 2 P(B < k): the sign test turned round (J. D. Gibbons, S. Chakraborti,
//! Nonparametric Statistical Inference, 5.4). Values may be infinite, and values that are equal only make it safer.

/// The median of `values`, the mean of the middle two of an even number; `None` of none. Infinite values count as such.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let upper = *sorted.get(n / 2)?;
    if n % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted[n / 2 - 1];
    // Half of an infinite distance is infinite; of two opposite infinities nothing is the middle.
    Some(if lower == upper { lower } else { f64::midpoint(lower, upper) }).filter(|middle| !middle.is_nan())
}

/// The ranks, from 0, of the values in order that enclose the median with probability of at least 1 - `alpha`; `None` if `n`
/// values cannot tell.
pub fn ranks(n: usize, alpha: f64) -> Option<(usize, usize)> {
    let mut below = None;
    for (k, tail) in tails(n).enumerate() {
        if 2.0 * tail > alpha {
            break;
        }
        below = Some(k);
    }
    below.map(|k| (k, n - 1 - k))
}

/// The probability, if the median were 0, of values at least as much on one side of it. Values that are 0 count for the
/// weaker side.
pub fn sign_test(values: &[f64]) -> f64 {
    let count = |above: fn(f64) -> bool| values.iter().filter(|&&x| above(x)).count();
    let weaker = values.len() - count(|x| x > 0.0).max(count(|x| x < 0.0));
    if 2 * weaker >= values.len() {
        return 1.0;
    }
    tails(values.len()).nth(weaker).map_or(1.0, |tail| (2.0 * tail).min(1.0))
}

/// P(B <= k) for k = 0, 1, ... of a binomial variable of `n` trials with probability 1/2.
fn tails(n: usize) -> impl Iterator<Item = f64> {
    let mut log = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = 0.0;
    (0..=n).map(move |k| {
        if k > 0 {
            log += libm::log((n - k + 1) as f64 / k as f64);
        }
        sum += libm::exp(log);
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_binomial_quantiles() {
        // SciPy 1.17.1, scipy.stats.binom.ppf(0.025, n, 0.5) - 1.
        for (n, expected) in [
            (5, None),
            (6, Some((0, 5))),
            (10, Some((1, 8))),
            (20, Some((5, 14))),
            (30, Some((9, 20))),
            (100, Some((39, 60))),
        ] {
            assert_eq!(ranks(n, 0.05), expected, "{n}");
        }
        let (low, high) = ranks(100_000, 0.05).expect("so many can tell");
        assert!((low as f64 - (50_000.0 - 1.96 * 158.11)).abs() < 3.0, "{low} {high}");
    }

    #[test]
    fn signs_are_counted_and_zeros_speak_for_nobody() {
        assert!((sign_test(&[1.0, 2.0, 3.0, 4.0, f64::INFINITY, 6.0]) - 0.03125).abs() < 1e-12);
        assert!((sign_test(&[-1.0, 2.0, -3.0, -4.0]) - 0.625).abs() < 1e-12);
        assert_eq!(sign_test(&[0.0; 8]), 1.0);
        assert_eq!(sign_test(&[]), 1.0);
        // The interval and the test agree.
        for n in 6..40_usize {
            for positive in 0..=n {
                let values: Vec<f64> = (0..n).map(|i| if i < positive { 1.0 } else { -1.0 }).collect();
                let (low, high) = ranks(n, 0.05).expect("six can tell");
                let mut sorted = values.clone();
                sorted.sort_by(f64::total_cmp);
                let clear = sorted[low] > 0.0 || sorted[high] < 0.0;
                assert_eq!(clear, sign_test(&values) <= 0.05, "{positive} of {n}");
            }
        }
    }

    #[test]
    fn a_median_may_be_infinite_and_is_never_a_guess() {
        let inf = f64::INFINITY;
        for (values, expected) in [
            (&[][..], None),
            (&[3.0, 1.0, 2.0][..], Some(2.0)),
            (&[4.0, 1.0][..], Some(2.5)),
            (&[1.0, inf][..], Some(inf)),
            (&[inf, inf][..], Some(inf)),
            (&[-inf, inf][..], None),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }
}
