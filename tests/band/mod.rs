//! How far a family of figures may lie from its references, when some of the figures share their luck.
//!
//! Were n scores z independent and normal, the sum of z^2 would be chi-square with n degrees of freedom, and rms(z) had to lie
//! between the roots of its 1e-4 and 1 - 1e-4 quantiles over n. Two corrections, neither of which looks at the z themselves:
//! - For normal variables with correlations r the variance of the sum of squares is 2 * sum of r^2 over all pairs, so that the sum
//!   behaves like a chi-square of n^2 / sum r^2 degrees of freedom.
//! - A t has the second moment d / (d - 2) and fourth moment 3 d^2 / ((d - 2)(d - 4)) for d degrees of freedom, in place of
//!   1 and 3.
//!
//! The quantiles are those of Wilson and Hilferty (1931). Few degrees of freedom make them err to the wide side: at three the
//! upper bound of rms(z) is 2 % too high, and the lower one is 0.

/// Normal quantile of 1 - 1e-4.
const QUANTILE: f64 = 3.719_016_485_455_709;

/// Between what rms(z) lies with probability 1 - 2e-4, for scores with these degrees of freedom, of which the squares of all
/// correlations (each with itself, and each pair twice) add up to `squares`.
pub(crate) fn between(freedoms: &[f64], squares: f64) -> (f64, f64) {
    let rows = freedoms.len() as f64;
    let (mut second, mut spread) = (0.0, 0.0);
    for d in freedoms {
        second += d / (d - 2.0) / rows;
        spread += (3.0 * (d - 2.0) / (d - 4.0) - 1.0) / rows;
    }
    let freedom = 2.0 / spread * rows * rows / squares;
    let quantile = |z: f64| {
        let part = 2.0 / (9.0 * freedom);
        let root = (1.0 - part + z * part.sqrt()).max(0.0);
        (second * root * root * root).sqrt()
    };
    (quantile(-QUANTILE), quantile(QUANTILE))
}
