//! Laws of random durations, each sampled by inversion from one address.
//!
//! Inversion keeps arms comparable (the same luck gives the same or a proportional duration) and uses exactly one word
//! per sample. The samplers are our own, on a pinned `libm`, because those of the usual crates change their bits with the
//! dependency graph and those of std with the platform.

use serde::Deserialize;

use crate::random::{unit, up_to};
use crate::time::Interval;

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

/// A distribution of durations, as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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
}

impl Distribution {
    /// What is wrong with the parameters taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        match *self {
            Self::Uniform { min, max } if min > max => {
                Some(format!("min {min} is above max {max}: swap them, or raise max"))
            }
            Self::Lognormal { median, .. } if median.is_zero() => Some(
                "a lognormal median of 0s is always 0s: write `constant = \"0s\"` or a longer median".into(),
            ),
            Self::Lognormal { median, p99 } if p99 < median => {
                Some(format!("p99 {p99} is below the median {median}: raise p99"))
            }
            _ => None,
        }
    }

    /// The mean of the distribution, in seconds.
    pub fn mean_seconds(&self) -> f64 {
        match *self {
            Self::Constant(value) => value.as_secs_f64(),
            Self::Uniform { min, max } => f64::midpoint(min.as_secs_f64(), max.as_secs_f64()),
            Self::Exponential { mean } => mean.as_secs_f64(),
            // Source: F. C. Leone, L. S. Nelson, R. B. Nottingham, "The folded normal distribution", Technometrics 3(4), 1961.
            Self::Normal { mean, sd } => {
                let (mean, sd) = (mean.as_secs_f64(), sd.as_secs_f64());
                if sd == 0.0 {
                    return mean;
                }
                let ratio = mean / sd;
                let inside = libm::erf(ratio / std::f64::consts::SQRT_2);
                sd * libm::sqrt(2.0 / std::f64::consts::PI) * libm::exp(-ratio * ratio / 2.0) + mean * inside
            }
            Self::Lognormal { median, p99 } => {
                let sigma = lognormal_sigma(median, p99);
                median.as_secs_f64() * libm::exp(sigma * sigma / 2.0)
            }
        }
    }

    /// Prepares the constants that each sample needs.
    pub fn sampler(&self) -> Sampler {
        match *self {
            Self::Constant(value) => Sampler::Constant(value),
            Self::Uniform { min, max } => Sampler::Uniform { min, width: max - min },
            Self::Exponential { mean } => Sampler::Exponential { mean_nanos: mean.as_nanos() as f64 },
            Self::Normal { mean, sd } => {
                Sampler::Normal { mean_nanos: mean.as_nanos() as f64, sd_nanos: sd.as_nanos() as f64 }
            }
            Self::Lognormal { median, p99 } => Sampler::Lognormal {
                median_nanos: median.as_nanos() as f64,
                sigma: lognormal_sigma(median, p99),
            },
        }
    }
}

fn lognormal_sigma(median: Interval, p99: Interval) -> f64 {
    libm::log(p99.as_nanos() as f64 / median.as_nanos() as f64) / NORMAL_P99
}

/// A [`Distribution`] ready to be sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
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
}

impl Sampler {
    /// The duration at these random bits, rounded to a nanosecond.
    #[inline]
    pub fn sample(&self, bits: u64) -> Interval {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform { min, width } => min + Interval::from_nanos(up_to(bits, width.as_nanos())),
            Self::Exponential { mean_nanos } => {
                Interval::from_nanos_f64(mean_nanos * standard_exponential(bits))
            }
            Self::Normal { mean_nanos, sd_nanos } => {
                Interval::from_nanos_f64(libm::fabs(mean_nanos + sd_nanos * standard_normal(bits)))
            }
            Self::Lognormal { median_nanos, sigma } => {
                Interval::from_nanos_f64(median_nanos * libm::exp(sigma * standard_normal(bits)))
            }
        }
    }
}

/// An exponential variate of mean 1, by inversion.
#[inline]
pub fn standard_exponential(bits: u64) -> f64 {
    -libm::log(1.0 - unit(bits))
}

/// A standard normal variate, by inversion. Never infinite: the bits stand for the middle of their cell, and the upper
/// half is the mirror image of the lower, because the middle of the last cell would round to 1.
#[inline]
pub fn standard_normal(bits: u64) -> f64 {
    let lower = |bits: u64| inverse_normal(unit(bits) + 0.5 / (1u64 << 53) as f64);
    if bits >> 63 == 0 { lower(bits) } else { -lower(!bits) }
}

/// The quantile function of the standard normal distribution, to about 16 digits.
///
/// Source: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37
/// (1988), routine PPND16.
#[expect(clippy::excessive_precision, reason = "the coefficients are given as published")]
pub fn inverse_normal(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_608_0,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083_0e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061_0e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561_0e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_90,
        5.769_497_221_460_691_405_50,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_40,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103_777_20,
        5.463_784_911_164_114_369_90,
        1.784_826_539_917_291_335_80,
        2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2,
        1.242_660_947_388_078_438_60e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_879_376_90e-1,
        1.369_298_809_227_358_053_10e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4,
        1.846_318_317_510_054_681_80e-5,
        1.421_511_758_316_445_888_70e-7,
        2.044_263_103_389_939_785_64e-15,
    ];
    fn ratio(numerator: &[f64; 8], denominator: &[f64; 8], x: f64) -> f64 {
        let evaluate = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
        evaluate(numerator) / evaluate(denominator)
    }

    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&A, &B, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let x = if r <= 5.0 { ratio(&C, &D, r - 1.6) } else { ratio(&E, &F, r - 5.0) };
    x.copysign(q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Purpose};

    fn seconds(text: &str) -> Interval {
        use crate::quantity::Quantity;
        Interval::parse(text).unwrap()
    }

    #[test]
    fn normal_quantiles_match_published_values() {
        // Wichura 1988, the check values of PPND16.
        for (p, z) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_814),
            (1e-20, -9.262_340_089_798_409),
        ] {
            assert!((inverse_normal(p) - z).abs() < 1e-14, "p = {p}");
        }
        assert!((inverse_normal(0.99) - NORMAL_P99).abs() < 1e-14);
    }

    #[test]
    fn every_law_has_its_mean_and_stays_in_its_range() {
        let laws = [
            (Distribution::Constant(seconds("2s")), 2.0, 0.0),
            (Distribution::Uniform { min: seconds("1s"), max: seconds("4s") }, 2.5, 3.0 / 12f64.sqrt()),
            (Distribution::Exponential { mean: seconds("3s") }, 3.0, 3.0),
            // sigma = ln(10)/2.3263; mean = exp(sigma^2/2); sd = mean sqrt(exp(sigma^2) - 1)
            (Distribution::Lognormal { median: seconds("1s"), p99: seconds("10s") }, 1.632_051_056, 2.105),
        ];
        let key = Key::derive(11, 0, Purpose::Service, "laws");
        for (law, mean, sd) in laws {
            let sampler = law.sampler();
            let n = 200_000u64;
            let total: f64 = (0..n).map(|e| sampler.sample(key.block(e, 0)[0]).as_secs_f64()).sum();
            let error = (total / n as f64 - mean).abs();
            assert!(error <= 4.0 * sd / (n as f64).sqrt() + 1e-9, "{law:?}: off by {error}");
            assert!((law.mean_seconds() - mean).abs() < 1e-6, "{law:?}");
        }
    }

    #[test]
    fn a_lognormal_has_the_median_and_the_p99_it_was_given() {
        let sampler = Distribution::Lognormal { median: seconds("180ms"), p99: seconds("1.2s") }.sampler();
        let at = |p: f64| sampler.sample((p * (1u64 << 53) as f64) as u64 * (1 << 11)).as_secs_f64();
        assert!((at(0.5) - 0.180).abs() < 1e-9);
        assert!((at(0.99) - 1.2).abs() < 1e-9);
    }

    #[test]
    fn the_extreme_bits_give_finite_durations() {
        for law in [
            Distribution::Exponential { mean: seconds("1s") },
            Distribution::Lognormal { median: seconds("1s"), p99: seconds("5s") },
            Distribution::Uniform { min: seconds("1s"), max: seconds("2s") },
        ] {
            let (low, high) = (law.sampler().sample(0), law.sampler().sample(u64::MAX));
            assert!(low < high && high < Interval::from_secs(3600), "{law:?}: {low} {high}");
        }
    }

    #[test]
    fn parameters_that_contradict_each_other_are_explained() {
        for law in [
            Distribution::Uniform { min: seconds("2s"), max: seconds("1s") },
            Distribution::Lognormal { median: seconds("2s"), p99: seconds("1s") },
            Distribution::Lognormal { median: seconds("0s"), p99: seconds("1s") },
        ] {
            assert!(law.problem().is_some(), "{law:?}");
        }
    }
}
