//! Figures over replications: means, 95 % confidence intervals, extremes, paired differences; always folded in the order of
//! replications, so that the bits do not depend on threads.

mod binomial;
mod holm;
mod median;
mod paired;
mod skewness;
mod student;

pub use binomial::{ONE_SIDED, at_least, at_most, none_in};
pub use holm::holm;
pub use median::{median, ranks, sign_test};
pub use paired::Paired;
pub use skewness::{cochran, skewness};
pub use student::{student_t, two_sided};

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
            student_t(0.05, values.len() - 1) * standard_error
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

#[cfg(test)]
mod tests {
    use super::*;

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
