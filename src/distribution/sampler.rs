//! From random bits to a duration.

use super::beside::Part;
use super::empirical::Knots;
use super::exponential::standard_exponential;
use super::gamma::inverse_gamma;
use super::normal::standard_normal;
use crate::random::{unit, up_to};
use crate::time::Interval;

/// A [`super::Distribution`] ready to be sampled.
#[derive(Debug, Clone, PartialEq)]
pub enum Sampler {
    /// Always the same.
    Constant(Interval),
    /// Uniform on `min ..= min + width`.
    Uniform {
        /// Shortest.
        min: Interval,
        /// Longest minus shortest.
        width: Interval,
    },
    /// Exponential.
    Exponential {
        /// Mean in nanoseconds.
        mean_nanos: f64,
    },
    /// Folded normal.
    Normal {
        /// Mean before folding, in nanoseconds.
        mean_nanos: f64,
        /// Standard deviation before folding, in nanoseconds.
        sd_nanos: f64,
    },
    /// Lognormal.
    Lognormal {
        /// Median in nanoseconds.
        median_nanos: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Gamma.
    Gamma {
        /// Mean over shape, in nanoseconds.
        scale_nanos: f64,
        /// The shape.
        shape: f64,
    },
    /// Weibull.
    Weibull {
        /// Scale in nanoseconds.
        scale_nanos: f64,
        /// 1 over the shape.
        exponent: f64,
    },
    /// Pareto.
    Pareto {
        /// Shortest, in nanoseconds.
        min_nanos: f64,
        /// -1 over alpha.
        exponent: f64,
        /// How much of the law without a maximum lies within it; 1 if there is none.
        within: f64,
    },
    /// Straight lines between measured quantiles.
    Empirical(Knots),
    /// One of several laws.
    Mixture(Parts),
    /// Another law, longer.
    Shifted {
        /// How much longer.
        by: Interval,
        /// Than what.
        law: Box<Sampler>,
    },
}

impl Sampler {
    /// The duration at these random bits, rounded to a nanosecond.
    #[inline]
    pub fn sample(&self, bits: u64) -> Interval {
        self.sample_with(|| bits)
    }

    /// The duration at the random bits that `luck` draws if it takes any.
    #[inline]
    pub fn sample_with(&self, luck: impl FnOnce() -> u64) -> Interval {
        match *self {
            Self::Constant(value) => value,
            _ => self.at(luck()),
        }
    }

    /// The durations at several random bits, one for each: the law is looked at once.
    pub fn sample_all(&self, bits: &[u64], durations: &mut [Interval]) {
        let pairs = durations.iter_mut().zip(bits);
        if let Self::Exponential { mean_nanos } = *self {
            pairs.for_each(|(duration, &bits)| *duration = exponential(mean_nanos, bits));
        } else {
            pairs.for_each(|(duration, &bits)| *duration = self.sample(bits));
        }
    }

    /// The duration where it takes some arithmetic, which would be done ahead of need where it stood in a loop.
    #[inline(never)]
    fn at(&self, bits: u64) -> Interval {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform { min, width } => min + Interval::from_nanos(up_to(bits, width.as_nanos())),
            Self::Exponential { mean_nanos } => exponential(mean_nanos, bits),
            Self::Normal { mean_nanos, sd_nanos } => {
                Interval::from_nanos_f64(libm::fabs(mean_nanos + sd_nanos * standard_normal(bits)))
            }
            Self::Lognormal { median_nanos, sigma } => {
                Interval::from_nanos_f64(median_nanos * libm::exp(sigma * standard_normal(bits)))
            }
            Self::Gamma { scale_nanos, shape } => {
                let lower = unit(bits);
                Interval::from_nanos_f64(scale_nanos * inverse_gamma(shape, lower, 1.0 - lower))
            }
            Self::Weibull { scale_nanos, exponent } => {
                Interval::from_nanos_f64(scale_nanos * libm::pow(standard_exponential(bits), exponent))
            }
            Self::Pareto { min_nanos, exponent, within } => {
                Interval::from_nanos_f64(min_nanos * libm::pow(1.0 - within * unit(bits), exponent))
            }
            Self::Empirical(ref knots) => knots.at(bits),
            Self::Mixture(ref parts) => parts.sample(bits),
            Self::Shifted { by, ref law } => by + law.sample(bits),
        }
    }
}

#[inline]
fn exponential(mean_nanos: f64, bits: u64) -> Interval {
    Interval::from_nanos_f64(mean_nanos * standard_exponential(bits))
}

/// The laws of a mixture, side by side over the random words: each has a stretch of them in proportion to its weight, and a
/// word's place within its stretch is the luck under that law. One word is enough, and luck is monotone within a law.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts(Vec<(u64, Sampler)>);

impl Parts {
    /// The laws with a weight above zero, of which there is at least one.
    pub(super) fn new(parts: &[Part]) -> Self {
        let total: f64 = parts.iter().map(|part| part.weight.get()).sum();
        let mut laid = 0.0;
        let mut stretches: Vec<(u64, Sampler)> = Vec::new();
        for part in parts.iter().filter(|part| part.weight.get() > 0.0) {
            laid += part.weight.get();
            // The last word of the stretch. The casts saturate: 2^64 becomes the largest word.
            let last = ((laid / total * 18_446_744_073_709_551_616.0) as u64).saturating_sub(1);
            // A weight too small for a single word has no stretch.
            if stretches.last().is_none_or(|&(before, _)| before < last) {
                stretches.push((last, part.law.sampler()));
            }
        }
        if let Some(stretch) = stretches.last_mut() {
            stretch.0 = u64::MAX;
        }
        Self(stretches)
    }

    fn sample(&self, bits: u64) -> Interval {
        let index = self.0.partition_point(|stretch| stretch.0 < bits);
        let first = index.checked_sub(1).map_or(0, |before| self.0[before].0 + 1);
        let (last, law) = &self.0[index];
        let width = u128::from(last - first) + 1;
        law.sample(((u128::from(bits - first) << 64) / width) as u64)
    }
}
