//! Laws of random durations, each sampled by inversion from one address.
//!
//! Inversion keeps arms comparable (the same luck gives the same or a proportional duration) and uses exactly one word
//! per sample. The samplers are our own, on a pinned `libm`, because those of the usual crates change their bits with the
//! dependency graph and those of std with the platform.

mod beside;
mod empirical;
mod exponential;
mod gamma;
mod normal;
mod parametric;
mod sampler;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;

pub use beside::{Part, Shifted, Weight};
pub use empirical::{Empirical, Knots};
pub use exponential::standard_exponential;
pub use gamma::{incomplete_gamma, inverse_gamma};
pub use normal::{inverse_normal, standard_normal};
pub use parametric::{Gamma, Pareto, Shape, Weibull};
pub use sampler::{Parts, Sampler};

use crate::time::Interval;
use normal::NORMAL_P99;

/// A distribution of durations, as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// Always the same duration.
    Constant(Interval),
    /// Uniform on [`min`, `max`], both included.
    Uniform {
        /// The shortest duration.
        min: Interval,
        /// The longest duration.
        max: Interval,
    },
    /// Exponential.
    Exponential {
        /// The mean.
        mean: Interval,
    },
    /// The distance from zero of a normal variate: for a standard deviation well below the mean, a normal law.
    Normal {
        /// The mean of the normal law.
        mean: Interval,
        /// Its standard deviation.
        sd: Interval,
    },
    /// Lognormal, given by what a dashboard shows: `median` and 99th percentile.
    Lognormal {
        /// The median, above zero.
        median: Interval,
        /// The 99th percentile, at least the median.
        p99: Interval,
    },
    /// Gamma; with a whole `shape`, the sum of so many exponentials (Erlang).
    Gamma(Gamma),
    /// Weibull: exponential for shape 1, with a heavier tail below it.
    Weibull(Weibull),
    /// Pareto: a tail that falls by a power law, cut or not.
    Pareto(Pareto),
    /// What was measured: durations, or quantiles of them.
    Empirical(Empirical),
    /// One of several laws, by weight: of exponentials, a hyperexponential law.
    Mixture(Vec<Part>),
    /// Another law, that much longer.
    Shifted(Box<Shifted>),
}

impl Distribution {
    /// What is wrong with the parameters taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Uniform { min, max } if min > max => {
                Some(format!("min {min} is above max {max}: swap them, or raise max"))
            }
            Self::Lognormal { median, .. } if median.is_zero() => Some(
                "a lognormal median of 0s is always 0s: write `constant = \"0s\"` or a longer median".into(),
            ),
            Self::Lognormal { median, p99 } if p99 < median => {
                Some(format!("p99 {p99} is below the median {median}: raise p99"))
            }
            Self::Weibull(weibull) => weibull.problem(),
            Self::Pareto(pareto) => pareto.problem(),
            Self::Mixture(parts) if parts.iter().all(|part| part.weight.get() == 0.0) => Some(
                "a mixture needs a law with a weight above 0, such as \
                 `mixture = [{ weight = 1, constant = \"1s\" }]`"
                    .into(),
            ),
            Self::Mixture(parts) => parts.iter().enumerate().find_map(|(index, part)| {
                part.law.problem().map(|message| format!("law {index} of the mixture: {message}"))
            }),
            Self::Shifted(shifted) => shifted.law.problem(),
            _ => None,
        }
    }

    /// The mean of the distribution, in seconds.
    pub fn mean_seconds(&self) -> f64 {
        match self {
            Self::Constant(value) => value.as_secs_f64(),
            Self::Uniform { min, max } => f64::midpoint(min.as_secs_f64(), max.as_secs_f64()),
            Self::Exponential { mean } => mean.as_secs_f64(),
            Self::Normal { mean, sd } => folded_mean(mean.as_secs_f64(), sd.as_secs_f64()),
            Self::Lognormal { median, p99 } => {
                let sigma = lognormal_sigma(*median, *p99);
                median.as_secs_f64() * libm::exp(sigma * sigma / 2.0)
            }
            Self::Gamma(gamma) => gamma.mean.as_secs_f64(),
            Self::Weibull(weibull) => weibull.mean_seconds(),
            Self::Pareto(pareto) => pareto.mean_seconds(),
            Self::Empirical(empirical) => empirical.knots().mean_seconds(),
            Self::Mixture(parts) => {
                let total: f64 = parts.iter().map(|part| part.weight.get()).sum();
                parts.iter().map(|part| part.weight.get() / total * part.law.mean_seconds()).sum()
            }
            Self::Shifted(shifted) => shifted.by.as_secs_f64() + shifted.law.mean_seconds(),
        }
    }

    /// Prepares the constants that each sample needs.
    pub fn sampler(&self) -> Sampler {
        match self {
            Self::Constant(value) => Sampler::Constant(*value),
            Self::Uniform { min, max } => Sampler::Uniform { min: *min, width: *max - *min },
            Self::Exponential { mean } => Sampler::Exponential { mean_nanos: mean.as_nanos() as f64 },
            Self::Normal { mean, sd } => {
                Sampler::Normal { mean_nanos: mean.as_nanos() as f64, sd_nanos: sd.as_nanos() as f64 }
            }
            Self::Lognormal { median, p99 } => Sampler::Lognormal {
                median_nanos: median.as_nanos() as f64,
                sigma: lognormal_sigma(*median, *p99),
            },
            Self::Gamma(gamma) => gamma.sampler(),
            Self::Weibull(weibull) => weibull.sampler(),
            Self::Pareto(pareto) => pareto.sampler(),
            Self::Empirical(empirical) => Sampler::Empirical(empirical.knots().clone()),
            Self::Mixture(parts) => Sampler::Mixture(Parts::new(parts)),
            Self::Shifted(shifted) => {
                Sampler::Shifted { by: shifted.by, law: Box::new(shifted.law.sampler()) }
            }
        }
    }
}

/// The mean of the absolute value of a normal variate.
///
/// Source: F. C. Leone, L. S. Nelson, R. B. Nottingham, "The folded normal distribution", Technometrics 3(4), 1961.
fn folded_mean(mean: f64, sd: f64) -> f64 {
    if sd == 0.0 {
        return mean;
    }
    let ratio = mean / sd;
    let inside = libm::erf(ratio / std::f64::consts::SQRT_2);
    sd * libm::sqrt(2.0 / std::f64::consts::PI) * libm::exp(-ratio * ratio / 2.0) + mean * inside
}

fn lognormal_sigma(median: Interval, p99: Interval) -> f64 {
    libm::log(p99.as_nanos() as f64 / median.as_nanos() as f64) / NORMAL_P99
}
