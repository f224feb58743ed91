//! Schedules: the delay before each retry, as a formula with luck in it.
//!
//! Libraries make a delay in the same few steps and differ in which they take, so each step has its own name: the
//! backoff ([`Backoff`]) gives the deterministic delay of the n-th retry; `cap_before_jitter`; the jitter ([`Jitter`]);
//! `cap_after_jitter` and `floor`; the rounding ([`Rounding`]). Retry policies wait by a schedule, and so do breakers that
//! stay open longer each time.
//!
//! A schedule is pure. What a random walk remembers from one delay to the next is handed in and out.

mod backoff;
mod jitter;
mod rounding;

use serde::Deserialize;

pub use backoff::{Arithmetic, Backoff, DelayList, Exponential, Iterated};
pub use jitter::{
    Begins, Compounding, DecorrelatedWith, Jitter, Lower, ScaleOrRedraw, WholeMultiples, truncation,
    whole_percents,
};
pub use rounding::Rounding;

use crate::random::{Block, fork};
use crate::time::Interval;
use jitter::{Given, Jitterer};

/// A schedule as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// The delay of each retry before jitter.
    pub backoff: Backoff,
    /// How the delay is randomised; not at all if absent.
    #[serde(default)]
    pub jitter: Jitter,
    /// How often luck is drawn; for each delay if absent.
    #[serde(default)]
    pub draws: Draws,
    /// Upper bound of the delay before jitter.
    pub cap_before_jitter: Option<Interval>,
    /// Upper bound of the delay after jitter.
    pub cap_after_jitter: Option<Interval>,
    /// Lower bound of the delay after jitter and cap.
    pub floor: Option<Interval>,
    /// To which multiples the delay is rounded after all that.
    pub round: Option<Rounding>,
}

/// How the luck of the delays of one request belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draws {
    /// A draw for each delay.
    #[default]
    Each,
    /// One draw for all delays of a request (tokio-retry2's `jitter_range`).
    Once,
    /// A draw for each delay, made at the start and sorted, so that delays never shrink (retry, async-retry).
    Sorted,
}

/// The most delays that can be sorted.
pub const MAX_SORTED: u64 = 128;

/// How many delays are computed ahead.
const AHEAD: u32 = 32;

impl ScheduleConfig {
    /// A schedule of this backoff alone.
    pub fn plain(backoff: Backoff) -> Self {
        Self {
            backoff,
            jitter: Jitter::None,
            draws: Draws::Each,
            cap_before_jitter: None,
            cap_after_jitter: None,
            floor: None,
            round: None,
        }
    }

    /// The upper bound of the delay before jitter, wherever it is written.
    pub fn cap_of_backoff(&self) -> Option<Interval> {
        match &self.backoff {
            Backoff::Iterated(Iterated { cap: Some(cap), .. }) => {
                Some(self.cap_before_jitter.unwrap_or(Interval::MAX).min(*cap))
            }
            _ => self.cap_before_jitter,
        }
    }

    /// What is wrong with the fields taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        let walks_from_nothing = || {
            let first = self.backoff.delay(1).unwrap_or(Interval::ZERO);
            (self.jitter.is_walk() && first.is_zero()).then(|| {
                "this jitter grows from the first delay, which is 0s: give a backoff above 0s".into()
            })
        };
        let sorted_walk = || {
            (self.jitter.is_walk() && self.draws == Draws::Sorted)
                .then(|| "a jitter that walks from one delay to the next cannot be sorted".into())
        };
        let too_low = || {
            let cap = self.cap_after_jitter?;
            (self.floor? > cap).then(|| format!("the floor is above the cap of {cap}"))
        };
        self.backoff
            .problem()
            .or_else(|| self.round.and_then(Rounding::problem))
            .or_else(walks_from_nothing)
            .or_else(sorted_walk)
            .or_else(too_low)
    }

    /// The longest that the delay before retry `n` can be, when the one before was at most `previous`; `None` if the
    /// schedule has ended.
    pub fn longest(&self, n: u32, previous: Interval) -> Option<Interval> {
        let parts = self.backoff.parts();
        let part = |part: &Self| part.longest(n, Interval::ZERO);
        let x = match &self.backoff {
            Backoff::Chain(_) => part(&parts[(n as usize - 1).min(parts.len() - 1)])?,
            Backoff::Sum(_) => parts.iter().map(part).try_fold(Interval::ZERO, |sum, x| Some(sum + x?))?,
            Backoff::Max(_) => {
                parts.iter().map(part).try_fold(Interval::ZERO, |most, x| Some(most.max(x?)))?
            }
            plain => plain.delay(n)?,
        };
        let first = self.backoff.delay(1)?.min(self.cap_before_jitter.unwrap_or(Interval::MAX));
        let x = x.min(self.cap_before_jitter.unwrap_or(Interval::MAX));
        let jittered =
            self.jitter.longest(n, x, first, previous).min(self.cap_after_jitter.unwrap_or(Interval::MAX));
        let delay = jittered.max(self.floor.unwrap_or(Interval::ZERO));
        Some(self.round.map_or(delay, |rounding| rounding.apply(delay).max(delay)))
    }
}

/// A [`ScheduleConfig`] ready to give delays.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    shape: Shape,
    jitter: Jitterer,
    draws: Draws,
    /// How many delays there are, if they are sorted.
    sorted: u32,
    cap_before: Interval,
    cap_after: Interval,
    floor: Interval,
    rounding: Option<Rounding>,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// The first delays, computed ahead, and the formula of the others.
    Formula(Vec<Option<Interval>>, Backoff),
    Chain(Vec<Schedule>),
    Sum(Vec<Schedule>),
    Max(Vec<Schedule>),
}

/// A delay, and what a random walk remembers of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The delay.
    pub delay: Interval,
    /// To be handed in for the next delay.
    pub walk: Interval,
}

impl Schedule {
    /// Prepares the delays of a request that makes at most `retries` retries.
    pub fn new(config: &ScheduleConfig, retries: u32) -> Self {
        let parts = || config.backoff.parts().iter().map(|part| Self::new(part, retries)).collect();
        let shape = match &config.backoff {
            Backoff::Chain(_) => Shape::Chain(parts()),
            Backoff::Sum(_) => Shape::Sum(parts()),
            Backoff::Max(_) => Shape::Max(parts()),
            formula => {
                let ahead = if matches!(formula, Backoff::Iterated(_)) { backoff::ITERATIONS } else { AHEAD };
                let ahead = ahead.min(retries.max(1));
                Shape::Formula((1..=ahead).map(|n| formula.delay(n)).collect(), formula.clone())
            }
        };
        Self {
            shape,
            jitter: config.jitter.prepare(),
            draws: config.draws,
            sorted: retries.min(MAX_SORTED as u32),
            cap_before: config.cap_before_jitter.unwrap_or(Interval::MAX),
            cap_after: config.cap_after_jitter.unwrap_or(Interval::MAX),
            floor: config.floor.unwrap_or(Interval::ZERO),
            rounding: config.round,
        }
    }

    /// True if a delay needs random bits.
    pub fn is_random(&self) -> bool {
        let parts = match &self.shape {
            Shape::Formula(..) => &[][..],
            Shape::Chain(parts) | Shape::Sum(parts) | Shape::Max(parts) => parts,
        };
        self.jitter.is_random() || parts.iter().any(Self::is_random)
    }

    /// The delay before retry `n` of request number `request`; `None` if the schedule has ended. `walk` is what the
    /// step before gave, zero before the first retry; `bits` are the random bits addressed to a retry by its number.
    pub fn step(&self, n: u32, walk: Interval, request: u64, bits: &dyn Fn(u32) -> Block) -> Option<Step> {
        match self.draws {
            Draws::Each => self.drawn(n, walk, request, &|| bits(n)[0], Interval::ZERO),
            Draws::Once => self.drawn(n, walk, request, &|| bits(1)[0], Interval::ZERO),
            Draws::Sorted => self.in_order(n, request, bits),
        }
    }

    /// As [`Schedule::step`], of a delay that is at least `least` before it is randomised (axios-retry obeys Retry-After so).
    pub fn step_from(
        &self,
        n: u32,
        request: u64,
        bits: &dyn Fn(u32) -> Block,
        least: Interval,
    ) -> Option<Step> {
        self.drawn(n, Interval::ZERO, request, &|| bits(n)[0], least)
    }

    fn drawn(
        &self,
        n: u32,
        walk: Interval,
        request: u64,
        bits: &dyn Fn() -> u64,
        least: Interval,
    ) -> Option<Step> {
        let x = self.before_jitter(n, request, bits)?.max(least);
        let first = match &self.shape {
            Shape::Formula(ahead, _) => ahead[0]?.min(self.cap_before),
            _ => x,
        };
        let given = Given { n, x, first, walk, request, rounding: self.rounding };
        let luck = if self.jitter.is_random() { bits() } else { 0 };
        let (jittered, remembered) = self.jitter.apply(&given, luck);
        let capped = jittered.min(self.cap_after).max(self.floor);
        let delay = self.rounding.map_or(capped, |rounding| rounding.apply(capped));
        Some(Step { delay, walk: remembered.unwrap_or(delay) })
    }

    /// The deterministic part, between both caps; `None` if the schedule has ended.
    fn before_jitter(&self, n: u32, request: u64, bits: &dyn Fn() -> u64) -> Option<Interval> {
        // Parts have luck of their own, each from its own share of the bits.
        let part = |index: usize, part: &Self| {
            let own = || fork(bits(), index as u64 + 1);
            part.drawn(n, Interval::ZERO, request, &own, Interval::ZERO).map(|step| step.delay)
        };
        let x = match &self.shape {
            Shape::Formula(ahead, formula) => match ahead.get(n as usize - 1) {
                Some(&delay) => delay?,
                None if matches!(formula, Backoff::Iterated(_)) => (*ahead.last()?)?,
                None => formula.delay(n)?,
            },
            Shape::Chain(parts) => {
                let index = (n as usize - 1).min(parts.len() - 1);
                part(index, &parts[index])?
            }
            Shape::Sum(parts) => {
                let delays = parts.iter().enumerate().map(|(index, schedule)| part(index, schedule));
                delays.into_iter().try_fold(Interval::ZERO, |sum, delay| Some(sum + delay?))?
            }
            Shape::Max(parts) => {
                let delays = parts.iter().enumerate().map(|(index, schedule)| part(index, schedule));
                delays.into_iter().try_fold(Interval::ZERO, |most, delay| Some(most.max(delay?)))?
            }
        };
        Some(x.min(self.cap_before))
    }

    /// The n-th shortest of all delays that the request could come to need.
    fn in_order(&self, n: u32, request: u64, bits: &dyn Fn(u32) -> Block) -> Option<Step> {
        let mut delays = [Interval::MAX; MAX_SORTED as usize];
        let count = self.sorted.max(n).min(MAX_SORTED as u32);
        for retry in 1..=count {
            let step = self.drawn(retry, Interval::ZERO, request, &|| bits(retry)[0], Interval::ZERO)?;
            delays[retry as usize - 1] = step.delay;
        }
        let delays = &mut delays[..count as usize];
        delays.sort_unstable();
        let delay = *delays.get(n as usize - 1).or(delays.last())?;
        Some(Step { delay, walk: delay })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: u64 = 1 << 63;

    fn delays(text: &str, retries: u32, bits: &dyn Fn(u32) -> Block) -> Vec<u64> {
        let config: ScheduleConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(config.problem(), None, "{text}");
        let schedule = Schedule::new(&config, retries);
        let mut walk = Interval::ZERO;
        let mut delays = Vec::new();
        for n in 1..=retries {
            let Some(step) = schedule.step(n, walk, 0, bits) else { break };
            walk = step.walk;
            // Halves of an odd number of nanoseconds are not worth a test.
            delays.push((step.delay.as_nanos() + 1) / 1_000_000);
        }
        delays
    }

    #[test]
    fn a_delay_is_capped_jittered_capped_raised_and_rounded_in_this_order() {
        let cases: [(&str, &[u64]); 12] = [
            (
                "backoff.exponential = { base = '8s' }\njitter = 'full'\ncap_before_jitter = '20s'",
                &[4000, 8000, 10_000],
            ),
            (
                "backoff.exponential = { base = '8s' }\njitter = 'full'\ncap_after_jitter = '10s'",
                &[4000, 8000, 10_000],
            ),
            ("backoff.exponential = { base = '1s' }\njitter = 'full'\nfloor = '700ms'", &[700, 1000, 2000]),
            ("backoff.fixed = '2501ms'\njitter = 'full'\nround.down = '1s'", &[1000, 1000, 1000]),
            ("backoff.fixed = '3s'\njitter = 'full'\nround.nearest = '1s'", &[2000, 2000, 2000]),
            ("backoff.fixed = '2500ms'\njitter = 'full'\nround.up = '1s'", &[2000, 2000, 2000]),
            // Decorrelated: the middle of [10, 30], of [10, 60], of [10, 105] cut at 50.
            (
                "backoff.fixed = '10s'\njitter = 'decorrelated'\ncap_after_jitter = '50s'",
                &[20_000, 35_000, 50_000],
            ),
            // Finagle: 10, the middle of [10, 30], of [20, 40] whose end is capped.
            (
                "backoff.fixed = '10s'\njitter.decorrelated_with = { lower = 'previous', begins = 'exact', cap = '40s' }",
                &[10_000, 20_000, 30_000],
            ),
            // Finagle: 1, the middle of [0, 2], of [0, 4].
            ("backoff.fixed = '1s'\njitter.compounding = { cap = '1h' }", &[1000, 1000, 2000]),
            (
                "backoff.chain = [{ backoff.fixed = '1s' }, { backoff.fixed = '8s', jitter = 'full', cap_after_jitter = '1ms' }]",
                &[1000, 1, 1],
            ),
            (
                "backoff.sum = [{ backoff.fixed = '1s' }, { backoff.linear = { first = '2s', step = '2s' } }]",
                &[3000, 5000, 7000],
            ),
            (
                "backoff.max = [{ backoff.fixed = '3s' }, { backoff.linear = { first = '2s', step = '2s' } }]",
                &[3000, 4000, 6000],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(delays(text, 3, &|_| [HALF; 2]), expected, "{text}");
        }
    }

    #[test]
    fn luck_is_drawn_each_time_once_or_in_order() {
        let luck = |n: u32| [u64::MAX / 8 * u64::from(9 - 2 * n), 0];
        let schedule = |draws: &str| {
            format!("backoff.fixed = '8s'\njitter = 'full'\ndraws = '{draws}'\nround.nearest = '1s'")
        };
        assert_eq!(delays(&schedule("each"), 4, &luck), [7000, 5000, 3000, 1000]);
        assert_eq!(delays(&schedule("once"), 4, &luck), [7000, 7000, 7000, 7000]);
        assert_eq!(delays(&schedule("sorted"), 4, &luck), [1000, 3000, 5000, 7000]);
    }

    #[test]
    fn parts_of_a_sum_have_luck_of_their_own() {
        let key = crate::random::Key::derive(1, 0, crate::random::Purpose::Backoff, "sum");
        let config: ScheduleConfig = toml::from_str(
            "backoff.sum = [{ backoff.fixed = '1s', jitter = 'full' }, { backoff.fixed = '1s', jitter = 'full' }]",
        )
        .unwrap();
        let schedule = Schedule::new(&config, 1);
        let n = 20_000u64;
        let draw = |e| schedule.step(1, Interval::ZERO, 0, &|_| key.block(e, 1)).unwrap().delay.as_secs_f64();
        let variance: f64 = (0..n).map(|e| (draw(e) - 1.0) * (draw(e) - 1.0)).sum::<f64>() / n as f64;
        // Two independent uniforms have variance 1/6 (one doubled would have 1/3); the standard error of a variance here
        // is 1/6 sqrt((kurtosis - 1) / n) with kurtosis 2.4.
        assert!((variance - 1.0 / 6.0).abs() < 4.5 / 6.0 * (1.4 / n as f64).sqrt(), "{variance}");
    }

    #[test]
    fn the_longest_delay_bounds_every_draw() {
        let key = crate::random::Key::derive(1, 0, crate::random::Purpose::Backoff, "longest");
        for jitter in [
            "'full'",
            "'equal'",
            "{ proportional = 0.5 }",
            "{ scale = [1, 2] }",
            "{ scale_or_redraw = { scale = [1, 2], above = '30s', redraw = [0.5, 1] } }",
            "{ add = '3s' }",
            "{ add_per_retry = '3s' }",
            "{ plus_minus = '3s' }",
            "{ between = '9s' }",
            "{ truncated_exponential = 0.5 }",
            "{ truncated_seconds = 2.5 }",
            "{ whole_multiples = [1, 3] }",
            "{ whole_percent = 0.3 }",
            "{ hash = 'k{request}' }",
            "'decorrelated'",
            "{ decorrelated_with = { lower = 'previous' } }",
            "'decorrelated_v2'",
            "{ compounding = { cap = '1m' } }",
        ] {
            let config: ScheduleConfig =
                toml::from_str(&format!("backoff.exponential = {{ base = '5s' }}\njitter = {jitter}"))
                    .unwrap();
            let schedule = Schedule::new(&config, 5);
            for request in 0..2000 {
                let (mut walk, mut longest) = (Interval::ZERO, Interval::ZERO);
                for n in 1..=5 {
                    let step = schedule.step(n, walk, request, &|n| key.block(request, n.into())).unwrap();
                    longest = config.longest(n, longest).unwrap();
                    assert!(
                        step.delay <= longest + Interval::from_nanos(9),
                        "{jitter}, retry {n}: {}",
                        step.delay
                    );
                    walk = step.walk;
                }
            }
        }
    }

    #[test]
    fn fields_that_contradict_each_other_are_explained() {
        for text in [
            "backoff.fixed = '0s'\njitter = 'decorrelated'",
            "backoff.fixed = '1s'\njitter = 'decorrelated'\ndraws = 'sorted'",
            "backoff.fixed = '1s'\nround.down = '0s'",
            "backoff.fixed = '1s'\ncap_after_jitter = '1s'\nfloor = '2s'",
            "backoff.list = []",
        ] {
            let config: ScheduleConfig = toml::from_str(text).unwrap();
            assert!(config.problem().is_some(), "{text}");
        }
    }
}
