//! Jitter: how a delay is randomised. "Jitter" alone means something else in every library, so each kind has its full name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::rounding::Rounding;
use crate::random::{fork, unit, up_to};
use crate::range::{Multiples, Span};
use crate::time::Interval;
use crate::units::{Amount, Count, Share};

/// How the delay x of a retry is randomised.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// x itself.
    #[default]
    None,
    /// Uniform on [0, x]. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    Full,
    /// x/2 plus uniform on [0, x/2]. Source: as `full`.
    Equal,
    /// Uniform on [x (1 - p), x (1 + p)].
    Proportional(Share),
    /// Uniform on [low x, high x]: backon [1, 2], gRPC [0.8, 1.2], stripe [0.5, 1].
    Scale(Multiples),
    /// As `scale`, but a result (rounded) above a limit is drawn anew from a range below it.
    ScaleOrRedraw(ScaleOrRedraw),
    /// x times a whole number, each from low to high with the same probability: [1, 3] is x, 2 x or 3 x. Source: tokio-retry2
    /// 0.9.1, `jitter_range`, which draws once for all delays (`draws = "once"`).
    WholeMultiples(WholeMultiples),
    /// x plus uniform on [low, high]; one duration is [0s, high] (urllib3, tenacity, ioredis).
    Add(Span),
    /// x plus uniform on [0, n width] before retry n (Sidekiq: 10 s).
    AddPerRetry(Interval),
    /// x plus uniform on [-width, width], never below 0 (Dagster's `PLUS_MINUS`: the width does not grow).
    PlusMinus(Interval),
    /// Uniform between this floor and x, whichever way round (tenacity's `wait_random_exponential(min=...)`).
    Between(Interval),
    /// Exponential with mean x, truncated to [x log2(2^k / (2^k - 1)), x k] with k = 1 + f: what Prefect's
    /// `retry_jitter_factor = f` draws. For f = 0.5 that is [0.629 x, 1.5 x], skewed, not +-50 %. f = 0 is no jitter.
    /// Source: Prefect 3.9.1, `prefect/utilities/math.py`, `clamped_poisson_interval`.
    TruncatedExponential(Amount),
    /// x plus r s, where r is uniform on [0, amount], s the seconds of x, and the whole seconds and the fraction of a
    /// second are multiplied and cut to whole units separately: 1.6 s becomes 1.6 to 2.19 s, not to 3.18 s.
    /// Source: tower 0.5.3, `retry/backoff.rs`; Linkerd 2 has the same.
    TruncatedSeconds(Amount),
    /// A draw r from the whole percents 0 to 2 j - 1: below j it takes r % away, otherwise it adds r/2 %, rounded down. A
    /// gap and double weights included. j is cut to a whole percent. Source: Rust crate exponential-backoff 2.1.1.
    WholePercent(Share),
    /// M + (h mod M) whole seconds, where M is x rounded up (at least 1 s) and h the SHA-1 of `key#n`. In the key,
    /// `{request}` stands for the number of the request. No luck in it: the same key waits as long in every run, and all
    /// that share a key and a retry wait together. Source: Airflow 2.11.2 and 3.3.2, `models/taskinstance.py`.
    Hash(String),
    /// A walk: uniform on [first delay, 3 * previous delay]; before the first retry the previous delay is the first delay.
    /// The backoff gives only the first delay. Source: as `full`.
    Decorrelated,
    /// The same with other bounds.
    DecorrelatedWith(DecorrelatedWith),
    /// A walk: (g(n - 1 + U) - g of the retry before) * first delay / 1.4, with g(t) = 2^t tanh(sqrt(4 t)). The backoff
    /// gives only the first delay. Source: Polly 8.7, `RetryHelper.DecorrelatedJitterBackoffV2`; cockatiel 3.2.1.
    DecorrelatedV2,
    /// A walk: the first delay as it is, then uniform on [0, previous delay * 2^(n - 1)]; as soon as that end reaches the
    /// cap, the cap itself. Source: Finagle 24.5, `Backoff.exponentialJittered`.
    Compounding(Compounding),
}

/// What a delay may be multiplied with: `[1, 3]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "[Count<0, 1_000_000>; 2]")]
#[schemars(with = "[Count<0, 1_000_000>; 2]")]
pub struct WholeMultiples {
    /// The smallest number.
    pub low: Count<0, 1_000_000>,
    /// The largest one, which is drawn too.
    pub high: Count<0, 1_000_000>,
}

impl TryFrom<[Count<0, 1_000_000>; 2]> for WholeMultiples {
    type Error = &'static str;

    fn try_from([low, high]: [Count<0, 1_000_000>; 2]) -> Result<Self, Self::Error> {
        if low > high {
            return Err("the range goes downwards: write the smaller number first");
        }
        Ok(Self { low, high })
    }
}

/// Scaling with a limit that is not a cap: no delay repeats it. Source: dramatiq 2.2.1, `common.py`, `compute_backoff`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleOrRedraw {
    /// Uniform on [low x, high x].
    pub scale: Multiples,
    /// The limit.
    pub above: Interval,
    /// What a result above the limit becomes: uniform on [low limit, high limit].
    pub redraw: Multiples,
}

/// Bounds of a decorrelated walk.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecorrelatedWith {
    /// What the lower end is.
    #[serde(default)]
    pub lower: Lower,
    /// How the walk begins.
    #[serde(default)]
    pub begins: Begins,
    /// The upper end is so many times the previous delay; 3 if absent.
    #[serde(default = "three")]
    pub factor: Amount,
    /// The upper end is never above this. (A cap after jitter would cut the result instead, and repeat the cap.)
    pub cap: Option<Interval>,
}

const fn three() -> Amount {
    Amount(3.0)
}

/// The lower end of a decorrelated walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lower {
    /// The first delay (AWS, redis-py).
    #[default]
    First,
    /// The previous delay, so that delays never shrink (Finagle).
    Previous,
}

/// The first delay of a decorrelated walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Begins {
    /// Drawn as all others, from the first delay on (AWS).
    #[default]
    Drawn,
    /// The first delay as the backoff gives it (redis-py, Finagle).
    Exact,
}

/// The end of a compounding walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compounding {
    /// The longest delay.
    pub cap: Interval,
}

/// What a jitter may know of a delay that it randomises.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    /// Which retry, from 1.
    pub(super) n: u32,
    /// Its delay as the backoff gave it.
    pub(super) x: Interval,
    /// The first delay of the schedule as the backoff gave it.
    pub(super) first: Interval,
    /// What the walk remembers: the previous delay, or its level.
    pub(super) walk: Interval,
    /// The number of the request.
    pub(super) request: u64,
    /// Rounding to come.
    pub(super) rounding: Option<Rounding>,
}

impl Given {
    /// Uniform on [low, high], ready to be rounded; `low` if they are the wrong way round.
    fn uniform(&self, low: Interval, high: Interval, bits: u64) -> Interval {
        let (low, high) = (low.as_nanos(), high.as_nanos());
        let last = Rounding::widen(self.rounding, low, high);
        Interval::from_nanos(low.saturating_add(up_to(bits, last.saturating_sub(low))))
    }
}

impl Jitter {
    pub(super) fn prepare(&self) -> Jitterer {
        let scale = |low, high| Jitterer::Scale(low, high);
        match self {
            Self::None => Jitterer::None,
            Self::Full => scale(0.0, 1.0),
            Self::Equal => scale(0.5, 1.0),
            Self::Proportional(share) => scale(1.0 - share.get(), 1.0 + share.get()),
            Self::Scale(multiples) => scale(multiples.low, multiples.high),
            Self::TruncatedExponential(amount) if amount.get() == 0.0 => Jitterer::None,
            Self::TruncatedExponential(amount) => {
                let (low, high) = truncation(amount.get());
                let probability = |x: f64| 1.0 - libm::exp(-x);
                Jitterer::TruncatedExponential { from: probability(low), to: probability(high) }
            }
            other => Jitterer::AsWritten(other.clone()),
        }
    }

    /// True if each delay depends on the one before.
    pub const fn is_walk(&self) -> bool {
        matches!(
            self,
            Self::Decorrelated | Self::DecorrelatedWith(_) | Self::DecorrelatedV2 | Self::Compounding(_)
        )
    }

    /// The longest delay this jitter can make of `x` before retry `n`, when the previous delay was at most `previous`
    /// and the first delay is `first`.
    pub(super) fn longest(&self, n: u32, x: Interval, first: Interval, previous: Interval) -> Interval {
        match self {
            Self::None | Self::Full | Self::Equal => x,
            Self::Proportional(share) | Self::WholePercent(share) => x.scale(1.0 + share.get()),
            Self::TruncatedSeconds(amount) => x.scale(1.0 + amount.get()),
            Self::WholeMultiples(multiples) => x.times(multiples.high.get()),
            Self::Scale(multiples) => x.scale(multiples.high),
            Self::ScaleOrRedraw(ScaleOrRedraw { scale, above, redraw }) => {
                let scaled = x.scale(scale.high);
                if scaled <= *above { scaled } else { (*above).max(above.scale(redraw.high)) }
            }
            Self::Add(span) => x + span.high,
            Self::AddPerRetry(width) => x + width.times(n.into()),
            Self::PlusMinus(width) => x + *width,
            Self::Between(floor) => x.max(*floor),
            Self::TruncatedExponential(amount) => x.scale(truncation(amount.get()).1),
            Self::Hash(_) => x.ceil_to_seconds().max(Interval::from_secs(1)).times(2),
            Self::Decorrelated => previous.max(first).scale(3.0),
            Self::DecorrelatedWith(with) => {
                let high = previous.max(first).scale(with.factor.get());
                if n == 1 && with.begins == Begins::Exact {
                    first
                } else {
                    high.min(with.cap.unwrap_or(high))
                }
            }
            // g(t) - g(t - 1) or more: the least that the walk can have climbed before is g(n - 2).
            // Where the level saturates, so does the delay.
            Self::DecorrelatedV2 => match level(first, f64::from(n)) {
                Interval::MAX => Interval::MAX,
                most => most - level(first, (f64::from(n) - 2.0).max(0.0)),
            },
            Self::Compounding(with) => with.cap.max(first),
        }
    }
}

/// The bounds of Prefect's jitter ([`Jitter::TruncatedExponential`]) as multiples of the delay.
pub fn truncation(factor: f64) -> (f64, f64) {
    let k = 1.0 + factor;
    // From k = 50 on, Prefect takes 0 instead of a logarithm that is 0 to all digits.
    let low = if k >= 50.0 { 0.0 } else { libm::log2(libm::exp2(k) / (libm::exp2(k) - 1.0)) };
    (low, k)
}

/// How far Polly's walk has climbed at `t`.
fn level(first: Interval, t: f64) -> Interval {
    first.scale(libm::exp2(t) * libm::tanh(libm::sqrt(4.0 * t)) / 1.4)
}

/// A [`Jitter`] with its constants computed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Jitterer {
    None,
    Scale(f64, f64),
    TruncatedExponential { from: f64, to: f64 },
    AsWritten(Jitter),
}

impl Jitterer {
    pub(super) fn is_random(&self) -> bool {
        !matches!(self, Self::None | Self::AsWritten(Jitter::Hash(_)))
    }

    /// Randomises a delay with `bits`. The second result is what the walk remembers; the delay itself where it is absent.
    #[inline]
    pub(super) fn apply(&self, given: &Given, bits: u64) -> (Interval, Option<Interval>) {
        let x = given.x;
        match self {
            Self::None => (x, None),
            Self::Scale(low, high) => (given.uniform(x.scale(*low), x.scale(*high), bits), None),
            Self::TruncatedExponential { from, to } => {
                let probability = from + (to - from) * unit(bits);
                (x.scale(-libm::log((1.0 - probability).max(1e-10))), None)
            }
            Self::AsWritten(jitter) => jitter.draw(given, bits),
        }
    }
}

impl Jitter {
    /// The kinds that need no preparation.
    fn draw(&self, given: &Given, bits: u64) -> (Interval, Option<Interval>) {
        let Given { n, x, first, walk, request, .. } = *given;
        let delay = match self {
            Self::ScaleOrRedraw(ScaleOrRedraw { scale, above, redraw }) => {
                let scaled = given.uniform(x.scale(scale.low), x.scale(scale.high), bits);
                if given.rounding.map_or(scaled, |rounding| rounding.apply(scaled)) <= *above {
                    scaled
                } else {
                    given.uniform(above.scale(redraw.low), above.scale(redraw.high), fork(bits, 1))
                }
            }
            Self::Add(span) => given.uniform(x + span.low, x + span.high, bits),
            Self::AddPerRetry(width) => given.uniform(x, x + width.times(n.into()), bits),
            Self::PlusMinus(width) => given.uniform(x, x + width.times(2), bits) - *width,
            Self::Between(floor) => given.uniform(x.min(*floor), x.max(*floor), bits),
            Self::WholeMultiples(WholeMultiples { low, high }) => {
                x.times(low.get() + up_to(bits, high.get() - low.get()))
            }
            Self::TruncatedSeconds(amount) => {
                let r = amount.get() * unit(bits);
                let (seconds, fraction) = (x.as_nanos() / 1_000_000_000, x.as_nanos() % 1_000_000_000);
                let part = |units: u64| (units as f64 * r) as u64;
                x + Interval::from_secs(part(seconds)) + Interval::from_nanos(part(fraction))
            }
            Self::WholePercent(share) => {
                let whole = whole_percents(*share);
                let r = up_to(bits, (2 * whole).saturating_sub(1));
                x.scale(if r < whole { 100.0 - r as f64 } else { 100.0 + (r / 2) as f64 } / 100.0)
            }
            Self::Hash(key) => hashed(key, request, n, x),
            Self::Decorrelated => {
                let previous = if n == 1 { first } else { walk };
                given.uniform(first, previous.scale(3.0), bits)
            }
            Self::DecorrelatedWith(with) => {
                if n == 1 && with.begins == Begins::Exact {
                    first
                } else {
                    let previous = if n == 1 { first } else { walk };
                    let low = if with.lower == Lower::First { first } else { previous };
                    let high = previous.scale(with.factor.get()).max(first);
                    given.uniform(low, high.min(with.cap.unwrap_or(high)), bits)
                }
            }
            Self::DecorrelatedV2 => {
                let climbed = level(first, f64::from(n - 1) + unit(bits));
                let delay = if climbed == Interval::MAX { climbed } else { climbed - walk };
                return (delay, Some(climbed));
            }
            Self::Compounding(with) => {
                let high = walk.scale(libm::exp2(f64::from(n - 1)));
                match n {
                    1 => first.min(with.cap),
                    _ if high >= with.cap => with.cap,
                    _ => given.uniform(Interval::ZERO, high, bits),
                }
            }
            // Prepared before: see `Jitter::prepare`.
            Self::None
            | Self::Full
            | Self::Equal
            | Self::Proportional(_)
            | Self::Scale(_)
            | Self::TruncatedExponential(_) => x,
        };
        (delay, None)
    }
}

/// A share as whole percents, cut in single precision as exponential-backoff does it.
pub fn whole_percents(share: Share) -> u64 {
    (share.get() as f32 * 100.0) as u64
}

fn hashed(key: &str, request: u64, n: u32, x: Interval) -> Interval {
    let text = format!("{}#{n}", key.replace("{request}", &request.to_string()));
    let seconds = (x.ceil_to_seconds().as_nanos() / 1_000_000_000).max(1);
    let hash = Sha1::digest(text.as_bytes());
    let rest = hash.iter().fold(0, |rest, &byte| (rest * 256 + u128::from(byte)) % u128::from(seconds));
    Interval::from_secs(seconds + rest as u64)
}

#[cfg(test)]
mod tests;
