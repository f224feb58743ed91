//! Skewness: how lopsided values are, and how many of them it takes for their mean to be near normal all the same.

/// The skewness g1 = m3 / m2^1.5 of `values`, of their central moments; `None` if all are alike, or one is infinite.
pub fn skewness(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    let n = values.len() as f64;
    // Offsets from the first value, as for means: of values that are alike nothing is left but zeros.
    let mean = first + values.iter().map(|x| x - first).sum::<f64>() / n;
    let m2 = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let m3 = values.iter().map(|x| (x - mean) * (x - mean) * (x - mean)).sum::<f64>() / n;
    (m2 > 0.0 && m2.is_finite()).then(|| m3 / (m2 * m2.sqrt()))
}

/// How many values of this skewness g1 it takes for their mean to be near normal: 25 g1^2 (W. G. Cochran, Sampling Techniques,
/// 3rd edition, 1977, p. 42).
pub fn cochran(skewness: f64) -> f64 {
    25.0 * skewness * skewness
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_third_moment_in_units_of_the_second() {
        // SciPy 1.17.1, scipy.stats.skew.
        let rare = [vec![0.0; 99], vec![1.0]].concat();
        for (values, expected) in [
            (&[2.0, 8.0, 0.0, 4.0, 1.0, 9.0, 9.0, 0.0][..], 0.265_055_412_269_857),
            (&rare, 9.849_370_589_540),
        ] {
            let found = skewness(values).expect("they differ");
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
        assert!(skewness(&[1.0, 2.0, 3.0]).expect("they differ").abs() < 1e-15);
        assert_eq!(
            (skewness(&[0.1; 30]), skewness(&[]), skewness(&[1.0, f64::INFINITY])),
            (None, None, None)
        );
        // Once in a hundred: 25 (1 - 2p)^2 / (p (1 - p)), so that about 25 have to be seen.
        assert!((cochran(9.849_370_589_540) - 2425.25).abs() < 0.01);
    }
}
