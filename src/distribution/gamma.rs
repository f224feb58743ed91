//! The gamma distribution: its distribution function and the inverse of it.
//!
//! # Sources
//! P(a, x) below a + 1 is the power series (Abramowitz and Stegun, Handbook of Mathematical Functions, 6.5.29), Q(a, x) above
//! it the continued fraction (6.5.31) by Lentz's method (Press et al., Numerical Recipes, third edition, 5.2 and 6.2).
//!
//! The inverse is Newton's method on ln P(a, e^y), or on ln Q(a, e^y) in the upper half. The density of ln X is log-concave for
//! every shape, so both are concave in y, and Newton's method on a concave function comes nearer from one side only after at
//! most one step too far. The first guess is near enough that the slope there is no rounding.

use super::normal::inverse_normal;

/// A step this small, relative to the quantile, is rounding.
const SMALLEST_STEP: f64 = 1e-15;
/// Below this step the next one is smaller than rounding, because the method converges quadratically.
const LAST_STEP: f64 = 1e-9;

/// The regularised incomplete gamma functions (P, Q) of shape `a` at `x`, of which the smaller is exact to about 1e-13, at
/// shape 1000 to 2e-12: P is the probability below x, Q the one above.
pub fn incomplete_gamma(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    let scale = libm::exp(log_scale(a, x, libm::log(x)));
    if x < a + 1.0 {
        let lower = scale * series(a, x) / a;
        (lower, 1.0 - lower)
    } else {
        let upper = scale * fraction(a, x);
        (1.0 - upper, upper)
    }
}

/// The quantile of shape `a` and scale 1 at which the probability is `lower` below and `upper` above; both are given because
/// the smaller one of them carries the digits. 0 where it is too small for a number.
pub fn inverse_gamma(a: f64, lower: f64, upper: f64) -> f64 {
    if lower <= 0.0 {
        return 0.0;
    }
    let left = lower <= 0.5;
    let target = libm::log(if left { lower } else { upper });
    let mut y = first_guess(a, lower, upper);
    for _ in 0..100 {
        let x = libm::exp(y);
        if x == 0.0 {
            return 0.0;
        }
        let log_density = log_scale(a, x, y); // of y, that is x times the density of x
        let log_probability = log_tail(a, x, log_density, left);
        let slope = libm::exp(log_density - log_probability);
        let step = (target - log_probability) / if left { slope } else { -slope };
        y += step;
        if step.abs() < LAST_STEP.max(SMALLEST_STEP * y.abs()) {
            break;
        }
    }
    libm::exp(y)
}

/// The logarithm of x^a e^-x / gamma(a), where y = ln x.
fn log_scale(a: f64, x: f64, y: f64) -> f64 {
    a * y - x - libm::lgamma(a)
}

/// ln P if `left`, else ln Q, given [`log_scale`]: in logarithms, so that no tail is too thin.
fn log_tail(a: f64, x: f64, log_scale: f64, left: bool) -> f64 {
    if x < a + 1.0 {
        let log_lower = log_scale + libm::log(series(a, x) / a);
        if left { log_lower } else { libm::log1p(-libm::exp(log_lower)) }
    } else {
        let log_upper = log_scale + libm::log(fraction(a, x));
        if left { libm::log1p(-libm::exp(log_upper)) } else { log_upper }
    }
}

/// The logarithm of a quantile nearby: the approximation of Wilson and Hilferty (1931) where it holds, else the leading term
/// of P, x^a / gamma(a + 1), which is never too small a power.
fn first_guess(a: f64, lower: f64, upper: f64) -> f64 {
    let z = if lower <= 0.5 { inverse_normal(lower) } else { -inverse_normal(upper) };
    let root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
    let leading = (libm::log(lower) + libm::lgamma(a + 1.0)) / a;
    if a >= 0.5 && root > 0.1 { libm::log(a) + 3.0 * libm::log(root) } else { leading }
}

/// 1 + x/(a+1) + x^2/((a+1)(a+2)) + ...
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut divisor) = (1.0, 1.0, a);
    while term > sum * 1e-17 {
        divisor += 1.0;
        term *= x / divisor;
        sum += term;
    }
    sum
}

/// 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...))) by the modified method of Lentz.
fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut term = x + 1.0 - a;
    let mut above = 1.0 / TINY;
    let mut below = 1.0 / term;
    let mut value = below;
    for index in 1..10_000 {
        let index = f64::from(index);
        let numerator = -index * (index - a);
        term += 2.0;
        below = 1.0 / away(numerator * below + term);
        above = away(term + numerator / above);
        value *= below * above;
        if (below * above - 1.0).abs() < 2e-16 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/data/gamma_quantiles.csv`: shape, lower, upper, quantile.
    fn reference() -> Vec<[f64; 4]> {
        let rows = include_str!("../../tests/data/gamma_quantiles.csv").lines().skip(1);
        let number = |cell: &str| cell.parse::<f64>().unwrap();
        rows.map(|row| {
            let cells: Vec<f64> = row.split(',').map(number).collect();
            [cells[0], cells[1], cells[2], cells[3]]
        })
        .collect()
    }

    #[test]
    fn quantiles_match_the_reference_to_ten_digits() {
        let rows = reference();
        assert_eq!(rows.len(), 144);
        for [a, lower, upper, quantile] in rows {
            let found = inverse_gamma(a, lower, upper);
            if quantile < f64::MIN_POSITIVE {
                assert!(
                    found < f64::MIN_POSITIVE,
                    "a = {a}, p = {lower}: {found} is not too small for a number"
                );
                continue;
            }
            assert!((found / quantile - 1.0).abs() < 1e-10, "a = {a}, p = {lower}: {found}, not {quantile}");
        }
    }

    #[test]
    fn probabilities_match_the_reference_in_both_tails() {
        for [a, lower, upper, quantile] in reference().into_iter().filter(|row| row[3] >= f64::MIN_POSITIVE) {
            let (p, q) = incomplete_gamma(a, quantile);
            let (found, expected) = if lower <= 0.5 { (p, lower) } else { (q, upper) };
            // A quantile given to 16 digits leaves open its logarithmic slope times 2^-53; the terms of the exponent, theirs.
            let slope = libm::exp(log_scale(a, quantile, libm::log(quantile))) / expected;
            let terms = a * libm::log(quantile).abs() + quantile + libm::lgamma(a).abs();
            let allowed = (slope + terms + 900.0) / (1u64 << 53) as f64;
            assert!((found / expected - 1.0).abs() < allowed, "a = {a}, p = {lower}: {found}");
        }
    }

    #[test]
    fn the_inverse_is_one_for_every_shape_and_every_luck() {
        let shapes = (0..60).map(|i| 0.05 * libm::pow(20_000.0, f64::from(i) / 59.0));
        let tails: Vec<f64> = (1..=53).map(|bits| libm::exp2(-f64::from(bits))).collect();
        for a in shapes {
            for &p in &tails {
                let (low, high) = (inverse_gamma(a, p, 1.0 - p), inverse_gamma(a, 1.0 - p, p));
                assert!(low <= high && high < 1e4, "a = {a}, p = {p}: {low}, {high}");
                // Where the quantile is too small for a number, so is the difference.
                let lower = if low < f64::MIN_POSITIVE { p } else { incomplete_gamma(a, low).0 };
                let upper = incomplete_gamma(a, high).1;
                assert!((lower / p - 1.0).abs() < 1e-11, "a = {a}, lower p = {p}: {lower}");
                assert!((upper / p - 1.0).abs() < 1e-11, "a = {a}, upper p = {p}: {upper}");
            }
        }
    }

    #[test]
    fn integer_shapes_are_sums_of_exponentials() {
        // Q(3, x) = e^-x (1 + x + x^2/2).
        for x in [0.1, 1.0, 3.9, 4.1, 10.0, 50.0] {
            let exact = libm::exp(-x) * (1.0 + x + x * x / 2.0);
            assert!((incomplete_gamma(3.0, x).1 / exact - 1.0).abs() < 1e-13, "{x}");
        }
    }
}
