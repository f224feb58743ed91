//! Student's t distribution with whole degrees of freedom, whose distribution function is a finite sum (Abramowitz and Stegun,
//! Handbook of Mathematical Functions, 26.7.3 and 26.7.4).

/// Degrees of freedom beyond which the quantile is that of its expansion about the normal one, which differs by less than 1e-9.
const MANY: usize = 2_000;

/// The t that |T| exceeds with probability `alpha`, for `freedom` degrees of freedom: the half width, in standard errors, of a
/// confidence interval of level 1 - `alpha`.
///
/// # Panics
/// If there is no degree of freedom, or `alpha` is not between 0 and 1.
pub fn student_t(alpha: f64, freedom: usize) -> f64 {
    assert!(freedom > 0, "a t quantile needs at least one degree of freedom");
    assert!(alpha > 0.0 && alpha < 1.0, "a level is between 0 and 1");
    if freedom > MANY {
        let z = exceeded(alpha, |z| libm::erfc(z / std::f64::consts::SQRT_2));
        cornish_fisher(z, freedom as f64)
    } else {
        exceeded(alpha, |t| two_sided(t, freedom))
    }
}

/// P(|T| > `t`) for `freedom` degrees of freedom; what is below 1e-12 is noise.
pub fn two_sided(t: f64, freedom: usize) -> f64 {
    if t.is_infinite() { 0.0 } else { (1.0 - central(t.abs(), freedom)).max(0.0) }
}

/// Where a falling function of positive numbers comes down to `alpha`.
fn exceeded(alpha: f64, tail: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while tail(high) > alpha {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if tail(middle) > alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// P(|T| < t) for `n` degrees of freedom.
fn central(t: f64, n: usize) -> f64 {
    let theta = libm::atan(t / (n as f64).sqrt());
    let (sin, cos) = (libm::sin(theta), libm::cos(theta));
    let series = |first: f64, start: usize| {
        let (mut term, mut sum, mut k) = (first, 0.0, start);
        while k <= n.saturating_sub(1) {
            sum += term;
            term *= cos * cos * k as f64 / (k + 1) as f64;
            k += 2;
        }
        sum
    };
    if n == 1 {
        theta * 2.0 / std::f64::consts::PI
    } else if n % 2 == 1 {
        (theta + sin * series(cos, 2)) * 2.0 / std::f64::consts::PI
    } else {
        sin * series(1.0, 1)
    }
}

/// The t quantile about the normal one (Abramowitz and Stegun 26.7.5).
fn cornish_fisher(z: f64, n: f64) -> f64 {
    let (z3, z5) = (z * z * z, z * z * z * z * z);
    z + (z3 + z) / (4.0 * n) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_quantiles_match_the_published_table() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2, column 0.975; 1000 and beyond: R qt().
        for (n, t) in [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (9, 2.262),
            (29, 2.045),
            (30, 2.042),
            (100, 1.984),
            (1000, 1.962),
        ] {
            assert!((student_t(0.05, n) - t).abs() < 6e-4, "{n}: {}", student_t(0.05, n));
        }
    }

    #[test]
    fn the_two_methods_meet() {
        // SciPy 1.17.1, scipy.stats.t.isf(5e-7, freedom).
        for (freedom, t) in [(MANY, 4.906_922_365_432_6), (MANY + 1, 4.906_914_706_552_5)] {
            assert!((student_t(1e-6, freedom) - t).abs() < 1e-6, "{freedom}: {}", student_t(1e-6, freedom));
        }
    }

    #[test]
    fn a_quantile_is_the_inverse_of_its_probability() {
        // SciPy 1.17.1, 2 * scipy.stats.t.sf(t, freedom).
        for (t, freedom, p) in
            [(4.0, 29, 0.000_400_063_945_65), (2.5, 3, 0.087_706_647_008), (63.656_741, 1, 0.010_000_000_026)]
        {
            assert!((two_sided(t, freedom) / p - 1.0).abs() < 1e-9, "{}", two_sided(t, freedom));
            assert!((student_t(two_sided(t, freedom), freedom) / t - 1.0).abs() < 1e-9);
        }
        assert_eq!(two_sided(f64::INFINITY, 5), 0.0);
    }
}
