//! Jitter: how a delay is randomised. "Jitter" alone means eleven different things, so every kind has its full name.

use serde::Deserialize;

use crate::random::{unit, up_to};
use crate::time::Interval;
use crate::units::{Amount, Share};

/// How the delay x of a retry is randomised.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// x itself.
    #[default]
    None,
    /// Uniform on [0, x]. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    Full,
    /// x/2 plus uniform on [0, x/2]. Source: as `full`.
    Equal,
    /// Uniform on [first delay, 3 * previous delay]; before the first retry the previous delay is the first delay. The
    /// backoff gives only the first delay. Source: as `full`.
    Decorrelated,
    /// Uniform on [x (1 - p), x (1 + p)].
    Proportional(Share),
    /// Exponential with mean x, truncated to [x log2(2^k / (2^k - 1)), x k] with k = 1 + f: what Prefect's
    /// `retry_jitter_factor = f` draws. For f = 0.5 that is [0.629 x, 1.5 x], skewed, not +-50 %. f = 0 is no jitter.
    /// Source: Prefect 3.9.1, `prefect/utilities/math.py`, `clamped_poisson_interval`.
    TruncatedExponential(Amount),
}

impl Jitter {
    pub(super) fn prepare(self) -> Jitterer {
        match self {
            Self::TruncatedExponential(amount) if amount.get() == 0.0 => Jitterer::Plain(Self::None),
            Self::TruncatedExponential(amount) => {
                let (low, high) = truncation(amount.get());
                let probability = |x: f64| 1.0 - libm::exp(-x);
                Jitterer::TruncatedExponential { from: probability(low), to: probability(high) }
            }
            other => Jitterer::Plain(other),
        }
    }

    /// The longest delay this jitter can make of `x`, when the previous delay was `previous`.
    pub fn longest(self, x: Interval, previous: Interval) -> Interval {
        match self {
            Self::None | Self::Full | Self::Equal => x,
            Self::Decorrelated => previous.scale(3.0),
            Self::Proportional(share) => x.scale(1.0 + share.get()),
            Self::TruncatedExponential(amount) => x.scale(truncation(amount.get()).1),
        }
    }
}

/// The bounds of Prefect's jitter as multiples of the delay.
fn truncation(factor: f64) -> (f64, f64) {
    let k = 1.0 + factor;
    // From k = 50 on, Prefect takes 0 instead of a logarithm that is 0 to all digits.
    let low = if k >= 50.0 { 0.0 } else { libm::log2(libm::exp2(k) / (libm::exp2(k) - 1.0)) };
    (low, k)
}

/// A [`Jitter`] with its constants computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Jitterer {
    Plain(Jitter),
    TruncatedExponential { from: f64, to: f64 },
}

impl Jitterer {
    pub(super) fn is_random(self) -> bool {
        self != Self::Plain(Jitter::None)
    }

    /// Randomises `x` with `bits`; `first` is the first delay of the policy, `previous` the one before this.
    #[inline]
    pub(super) fn apply(self, x: Interval, first: Interval, previous: Interval, bits: u64) -> Interval {
        match self {
            Self::Plain(Jitter::Full) => uniform(Interval::ZERO, x, bits),
            Self::Plain(Jitter::Equal) => uniform(x - x.scale(0.5), x, bits),
            Self::Plain(Jitter::Decorrelated) => uniform(first, previous.scale(3.0), bits),
            Self::Plain(Jitter::Proportional(share)) => {
                uniform(x.scale(1.0 - share.get()), x.scale(1.0 + share.get()), bits)
            }
            Self::TruncatedExponential { from, to } => {
                let probability = from + (to - from) * unit(bits);
                x.scale(-libm::log((1.0 - probability).max(1e-10)))
            }
            Self::Plain(_) => x,
        }
    }
}

/// Uniform on [low, high]; `low` if they are the wrong way round.
fn uniform(low: Interval, high: Interval, bits: u64) -> Interval {
    low + Interval::from_nanos(up_to(bits, (high - low).as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Purpose};

    const X: f64 = 60.0;

    fn draws(jitter: Jitter, n: u64) -> Vec<f64> {
        let key = Key::derive(3, 0, Purpose::Backoff, "jitter");
        let x = Interval::from_secs(60);
        (0..n).map(|e| jitter.prepare().apply(x, x, x, key.block(e, 1)[0]).as_secs_f64()).collect()
    }

    /// Bounds, mean and standard deviation of each kind for a delay of 60 s (first and previous delay 60 s as well).
    #[test]
    fn every_kind_has_its_bounds_and_its_mean() {
        // Truncated exponential, f = 0.5: the catalogue's closed form, lo = 0.6294, hi = 1.5, mean 1.0023, std 0.2467.
        let cases = [
            (Jitter::None, 60.0, 60.0, 60.0, 0.0),
            (Jitter::Full, 0.0, 60.0, 30.0, X / 12f64.sqrt()),
            (Jitter::Equal, 30.0, 60.0, 45.0, X / 2.0 / 12f64.sqrt()),
            (Jitter::Decorrelated, 60.0, 180.0, 120.0, 2.0 * X / 12f64.sqrt()),
            (Jitter::Proportional(Share(0.5)), 30.0, 90.0, 60.0, X / 12f64.sqrt()),
            (Jitter::TruncatedExponential(Amount(0.5)), 37.762, 90.0, truncated_mean(0.5), 14.80),
            (Jitter::TruncatedExponential(Amount(0.0)), 60.0, 60.0, 60.0, 0.0),
        ];
        for (jitter, low, high, mean, std) in cases {
            let draws = draws(jitter, 50_000);
            let (least, most) = draws.iter().fold((f64::MAX, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
            assert!(least >= low - 1e-3 && most <= high + 1e-3, "{jitter:?}: {least} to {most}");
            // The extremes are reached: fewer than 1e-4 of the range is missed by 50,000 draws, but for the tail.
            assert!(least <= low + 0.01 && most >= high - 0.05, "{jitter:?}: {least} to {most}");
            let measured = draws.iter().sum::<f64>() / draws.len() as f64;
            assert!(
                (measured - mean).abs() <= 4.0 * std / (draws.len() as f64).sqrt() + 1e-9,
                "{jitter:?}: {measured}"
            );
        }
    }

    /// mean/d = [(lo+1)e^-lo - (hi+1)e^-hi] / (e^-lo - e^-hi), for d = 60 s.
    fn truncated_mean(factor: f64) -> f64 {
        let (low, high) = truncation(factor);
        let e = |x: f64| libm::exp(-x);
        X * ((low + 1.0) * e(low) - (high + 1.0) * e(high)) / (e(low) - e(high))
    }

    #[test]
    fn prefects_bounds_are_those_of_its_table() {
        for (factor, low, high) in [
            (0.1, 0.9065, 1.1),
            (0.2, 0.8244, 1.2),
            (0.3, 0.7518, 1.3),
            (0.5, 0.6294, 1.5),
            (1.0, 0.4150, 2.0),
            (2.0, 0.1926, 3.0),
        ] {
            let (l, h) = truncation(factor);
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 1e-12, "{factor}: {l} {h}");
        }
        assert_eq!(truncation(60.0).0, 0.0);
    }
}
