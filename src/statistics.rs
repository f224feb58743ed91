//! Figures over replications: mean, 95 % confidence interval, extremes; always folded in the order of replications, so
//! that the bits do not depend on threads.

/// What replications say about one quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean over the replications in which the quantity was observed; infinite if it was infinite in any of them.
    pub mean: f64,
    /// Half the width of the 95 % confidence interval of the mean (Student t); `None` with fewer than two observations or
    /// an infinite mean.
    pub half_width: Option<f64>,
    /// The smallest observation.
    pub min: f64,
    /// The largest observation.
    pub max: f64,
    /// How many replications observed the quantity.
    pub observations: usize,
}

impl Estimate {
    /// Summarises `values`; `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let first = *values.first()?;
        let (min, max) = values.iter().fold((first, first), |(low, high), &x| (low.min(x), high.max(x)));
        let n = values.len() as f64;
        if max.is_infinite() {
            return Some(Self {
                mean: f64::INFINITY,
                half_width: None,
                min,
                max,
                observations: values.len(),
            });
        }
        // Offsets from the first value: equal observations give exactly themselves and a width of exactly zero.
        let mean = first + values.iter().map(|x| x - first).sum::<f64>() / n;
        let half_width = (values.len() > 1).then(|| {
            let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
            let standard_error = (squares / (n - 1.0) / n).sqrt();
            student_t_975(values.len() - 1) * standard_error
        });
        Some(Self { mean, half_width, min, max, observations: values.len() })
    }

    /// Lower end of the 95 % confidence interval.
    pub fn low(&self) -> Option<f64> {
        self.half_width.map(|half| self.mean - half)
    }

    /// Upper end of the 95 % confidence interval.
    pub fn high(&self) -> Option<f64> {
        self.half_width.map(|half| self.mean + half)
    }
}

/// The 0.975 quantile of Student's t distribution.
///
/// Found by bisection on the distribution function, which for whole degrees of freedom is a finite sum (Abramowitz and
/// Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4).
pub fn student_t_975(degrees_of_freedom: usize) -> f64 {
    assert!(degrees_of_freedom > 0, "a t quantile needs at least one degree of freedom");
    // Beyond this the finite sum gains nothing: t differs from its expansion by less than 1e-9.
    if degrees_of_freedom > 2_000 {
        return cornish_fisher_975(degrees_of_freedom as f64);
    }
    let (mut low, mut high) = (1.9, 13.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if central_t_probability(middle, degrees_of_freedom) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// P(|T| < t) for `n` degrees of freedom.
fn central_t_probability(t: f64, n: usize) -> f64 {
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

/// The expansion of the t quantile about the normal one (Abramowitz and Stegun 26.7.5).
fn cornish_fisher_975(n: f64) -> f64 {
    let z = 1.959_963_984_540_054;
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
            assert!((student_t_975(n) - t).abs() < 6e-4, "{n}: {}", student_t_975(n));
        }
        let jump = student_t_975(2_000) - student_t_975(2_001);
        assert!((0.0..1e-6).contains(&jump), "the two methods meet: {jump}");
    }

    #[test]
    fn a_mean_comes_with_its_interval() {
        let estimate = Estimate::of([1.0, 2.0, 3.0, 4.0]).unwrap();
        // s = 1.2909944, s/sqrt(4) = 0.6454972, t(3) = 3.1824463
        assert!((estimate.mean - 2.5).abs() < 1e-12);
        assert!((estimate.half_width.unwrap() - 2.054_260).abs() < 1e-5);
        assert_eq!((estimate.min, estimate.max, estimate.observations), (1.0, 4.0, 4));
    }

    #[test]
    fn what_was_not_observed_is_not_estimated() {
        assert_eq!(Estimate::of([]), None);
        assert_eq!(Estimate::of([5.0]).unwrap().half_width, None);
        let never = Estimate::of([1.0, f64::INFINITY]).unwrap();
        assert_eq!((never.mean, never.half_width, never.min), (f64::INFINITY, None, 1.0));
    }

    #[test]
    fn equal_observations_have_an_interval_of_no_width() {
        let estimate = Estimate::of([0.1, 0.1, 0.1]).unwrap();
        assert_eq!((estimate.mean, estimate.half_width), (0.1, Some(0.0)));
    }
}
