//! Laws with a shape: gamma, Weibull and Pareto.

use schemars::JsonSchema;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use super::Sampler;
use crate::time::Interval;
use crate::units::bounded;

/// The shape of a law: 0.05 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Shape(#[schemars(range(min = 0.05, max = 1000))] pub(super) f64);

impl Shape {
    /// The shape as a number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 0.05, 1000.0, "a shape").map(Self)
    }
}

/// A gamma law of this mean; its variance is mean^2 / shape.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gamma {
    /// The mean.
    pub mean: Interval,
    /// The shape: 1 is exponential, a whole number an Erlang law of so many phases.
    pub shape: Shape,
}

impl Gamma {
    pub(super) fn sampler(&self) -> Sampler {
        let shape = self.shape.0;
        Sampler::Gamma { scale_nanos: self.mean.as_nanos() as f64 / shape, shape }
    }
}

/// A Weibull law: P(longer than t) = exp(-(t / scale)^shape).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weibull {
    /// The median; either it or `scale`.
    pub median: Option<Interval>,
    /// The scale, which 63.2 % of all durations are within; either it or `median`.
    pub scale: Option<Interval>,
    /// The shape: 1 is exponential, below 1 the tail is heavier.
    pub shape: Shape,
}

impl Weibull {
    pub(super) fn problem(&self) -> Option<String> {
        (self.median.is_some() == self.scale.is_some())
            .then(|| "a Weibull law needs either `median` or `scale`: write one of the two".into())
    }

    fn scale_nanos(&self) -> f64 {
        let median = |median: Interval| {
            median.as_nanos() as f64 * libm::pow(std::f64::consts::LN_2, -1.0 / self.shape.0)
        };
        self.scale.map(|scale| scale.as_nanos() as f64).or(self.median.map(median)).unwrap_or(0.0)
    }

    pub(super) fn mean_seconds(&self) -> f64 {
        self.scale_nanos() / 1e9 * libm::tgamma(1.0 + 1.0 / self.shape.0)
    }

    pub(super) fn sampler(&self) -> Sampler {
        Sampler::Weibull { scale_nanos: self.scale_nanos(), exponent: 1.0 / self.shape.0 }
    }
}

/// A Pareto law: P(longer than t) = (min / t)^alpha from `min` on; with `max`, given that it is not longer than that.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pareto {
    /// The shortest duration, above zero.
    pub min: Interval,
    /// The power by which the tail falls. Without `max`, the mean is infinite up to 1, the variance up to 2.
    pub alpha: Shape,
    /// The longest duration; none if absent.
    pub max: Option<Interval>,
}

impl Pareto {
    pub(super) fn problem(&self) -> Option<String> {
        let Self { min, alpha: Shape(alpha), max } = *self;
        match max {
            _ if min.is_zero() => {
                Some("a Pareto law from 0s is always 0s: give `min` a length, such as \"10ms\"".into())
            }
            Some(max) if max <= min => {
                Some(format!("max {max} is not above min {min}: raise max, or leave it out"))
            }
            None if alpha <= 1.0 => Some(format!(
                "the mean of a Pareto law with alpha {alpha} is infinite: raise alpha above 1, or say with `max` what \
                 the longest duration is"
            )),
            _ => None,
        }
    }

    pub(super) fn mean_seconds(&self) -> f64 {
        let (min, alpha) = (self.min.as_secs_f64(), self.alpha.0);
        let Some(max) = self.max else { return min * alpha / (alpha - 1.0) };
        // min alpha integral of t^-alpha from 1 to max/min, over P(T <= max); (e^x - 1)/x is 1 at 0.
        let width = libm::log(max.as_secs_f64() / min);
        let x = (1.0 - alpha) * width;
        let integral = if x == 0.0 { width } else { width * libm::expm1(x) / x };
        min * alpha * integral / -libm::expm1(-alpha * width)
    }

    pub(super) fn sampler(&self) -> Sampler {
        let width = |max: Interval| libm::log(max.as_nanos() as f64 / self.min.as_nanos() as f64);
        let within = self.max.map_or(1.0, |max| -libm::expm1(-self.alpha.0 * width(max)));
        Sampler::Pareto { min_nanos: self.min.as_nanos() as f64, exponent: -1.0 / self.alpha.0, within }
    }
}
