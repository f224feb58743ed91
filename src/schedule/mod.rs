//! Schedules: the delay before each retry, as a formula with luck in it.
//!
//! Libraries make a delay in the same few steps and differ in which they take, so each step has its own name: the
//! backoff ([`Backoff`]) gives the deterministic delay of the n-th retry; `cap_before_jitter`; the jitter ([`Jitter`]);
//! `cap_after_jitter` and `floor`; the rounding ([`Rounding`]). Retry policies wait by a schedule, and so do breakers that
//! stay open longer each time. The rounding comes last, as in libraries that count in whole units: 15 s rounded up to
//! multiples of 10 s is 20 s, whatever the cap.
//!
//! A schedule is pure. What a random walk remembers from one delay to the next is handed in and out.

mod backoff;
mod jitter;
mod rounding;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use backoff::{Arithmetic, Backoff, DelayList, Exponential, Iterated};
pub use jitter::{
    Begins, Compounding, DecorrelatedWith, Jitter, Lower, ScaleOrRedraw, WholeMultiples, truncation,
    whole_percents,
};
pub use rounding::Rounding;

use crate::random::{Block, fork};
use crate::time::Interval;
use backoff::Table;
use jitter::{Given, Jitterer};

/// A schedule as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// The delay of each retry before jitter.
    pub backoff: Backoff,
    /// How the delay is randomised; not at all if absent.
    #[serde(default)]
    #[schemars(extend("default" = "none"))]
    pub jitter: Jitter,
    /// How often luck is drawn; for each delay if absent.
    #[serde(default)]
    pub draws: Draws,
    /// Upper bound of the delay before jitter.
    pub cap_before_jitter: Option<Interval>,
    /// Upper bound of the delay after jitter and before rounding.
    pub cap_after_jitter: Option<Interval>,
    /// Lower bound of the delay after jitter and cap, and before rounding.
    pub floor: Option<Interval>,
    /// To which multiples the delay is rounded after all that: a cap or floor that is no such multiple may be passed by less
    /// than one of them.
    pub round: Option<Rounding>,
}

/// How the luck of the delays of one request belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
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
            if !self.jitter.is_walk() {
                return None;
            }
            if !self.backoff.parts().is_empty() {
                return Some(
                    "this jitter walks from the first delay of a formula, and a chain, sum or maximum is none: give one such \
                     as `backoff.fixed = \"1s\"`, or a jitter that does not walk"
                        .into(),
                );
            }
            self.backoff.delay(1).unwrap_or(Interval::ZERO).is_zero().then(|| {
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

    /// What is wrong with it as a part of a chain, sum or maximum, if anything.
    fn problem_as_part(&self) -> Option<String> {
        if self.jitter.is_walk() {
            return Some(
                "a jitter that walks from one delay to the next cannot be part of a chain, sum or maximum"
                    .into(),
            );
        }
        (self.draws != Draws::Each).then(|| {
            "`draws` says how the luck of a whole request belongs together: write it beside the backoff, not inside its parts"
                .into()
        })
    }

    /// The longest that the delay before retry `n` can be, when the one before was at most `previous`; `None` if the
    /// schedule has ended. For many retries of one schedule, [`Schedule::longest`] computes less.
    pub fn longest(&self, n: u32, previous: Interval) -> Option<Interval> {
        Schedule::new(self, n).longest(n, previous)
    }
}

/// A [`ScheduleConfig`] ready to give delays.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    shape: Shape,
    jitter: Jitterer,
    /// The jitter as it is written.
    written: Jitter,
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
    Formula(Table),
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
    /// True if it is longer for the sake of the least that it had to be.
    pub raised: bool,
}

impl Schedule {
    /// Prepares the delays of a request that makes at most `retries` retries.
    pub fn new(config: &ScheduleConfig, retries: u32) -> Self {
        let parts = || config.backoff.parts().iter().map(|part| Self::new(part, retries)).collect();
        let shape = match &config.backoff {
            Backoff::Chain(_) => Shape::Chain(parts()),
            Backoff::Sum(_) => Shape::Sum(parts()),
            Backoff::Max(_) => Shape::Max(parts()),
            formula => Shape::Formula(Table::new(formula, retries)),
        };
        Self {
            shape,
            jitter: config.jitter.prepare(),
            written: config.jitter.clone(),
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
            Shape::Formula(_) => &[][..],
            Shape::Chain(parts) | Shape::Sum(parts) | Shape::Max(parts) => parts,
        };
        self.jitter.is_random() || parts.iter().any(Self::is_random)
    }

    /// True if a delay depends on the one before.
    pub const fn walks(&self) -> bool {
        self.written.is_walk()
    }

    /// The delay before retry `n` of request number `request`; `None` if the schedule has ended. `walk` is what the
    /// step before gave, zero before the first retry; `bits` are the random bits addressed to a retry by its number. Before it
    /// is randomised the delay is at least `least`, which is for jitters that do not walk and delays that are not sorted.
    #[inline]
    pub fn step(
        &self,
        n: u32,
        walk: Interval,
        request: u64,
        bits: &dyn Fn(u32) -> Block,
        least: Interval,
    ) -> Option<Step> {
        match (self.draws, &self.shape) {
            (Draws::Each, Shape::Formula(table)) => {
                let backoff = table.delay(n)?.min(self.cap_before);
                self.randomised((n, walk, request), backoff, || bits(n)[0], least)
            }
            (Draws::Each, _) => self.drawn(n, walk, request, &|| bits(n)[0], least),
            (Draws::Once, _) => self.drawn(n, walk, request, &|| bits(1)[0], least),
            (Draws::Sorted, _) => self.in_order(n, request, bits),
        }
    }

    /// The longest that the delay before retry `n` can be, when the one before was at most `previous`; `None` if the
    /// schedule has ended.
    pub fn longest(&self, n: u32, previous: Interval) -> Option<Interval> {
        let part = |part: &Self| part.longest(n, Interval::ZERO);
        let (x, first) = match &self.shape {
            Shape::Formula(table) => (table.delay(n)?, table.delay(1)?.min(self.cap_before)),
            // Without a first delay of their own: no jitter that needs one can be around them.
            shape => (shape.combine(n, |_, schedule| part(schedule))?, Interval::ZERO),
        };
        let jittered = self.written.longest(n, x.min(self.cap_before), first, previous);
        let delay = jittered.min(self.cap_after).max(self.floor);
        Some(self.rounding.map_or(delay, |rounding| rounding.apply(delay).max(delay)))
    }

    fn drawn(
        &self,
        n: u32,
        walk: Interval,
        request: u64,
        bits: &dyn Fn() -> u64,
        least: Interval,
    ) -> Option<Step> {
        let backoff = self.before_jitter(n, request, bits)?;
        self.randomised((n, walk, request), backoff, bits, least)
    }

    /// The delay before retry `n` of a request whose backoff is known.
    #[inline]
    fn randomised(
        &self,
        (n, walk, request): (u32, Interval, u64),
        backoff: Interval,
        luck: impl FnOnce() -> u64,
        least: Interval,
    ) -> Option<Step> {
        let x = backoff.max(least);
        let first = match &self.shape {
            Shape::Formula(table) => table.delay(1)?.min(self.cap_before),
            _ => x,
        };
        let luck = if self.jitter.is_random() { luck() } else { 0 };
        let given = Given { n, x, first, walk, request, rounding: self.rounding };
        let (jittered, remembered) = self.jitter.apply(&given, luck);
        let capped = jittered.min(self.cap_after).max(self.floor);
        let delay = self.rounding.map_or(capped, |rounding| rounding.apply(capped));
        Some(Step { delay, walk: remembered.unwrap_or(delay), raised: least > backoff })
    }

    /// The deterministic part, between both caps; `None` if the schedule has ended.
    fn before_jitter(&self, n: u32, request: u64, bits: &dyn Fn() -> u64) -> Option<Interval> {
        // Parts have luck of their own, each from its own share of the bits.
        let part = |index, part: &Self| {
            let own = || fork(bits(), index as u64 + 1);
            part.drawn(n, Interval::ZERO, request, &own, Interval::ZERO).map(|step| step.delay)
        };
        Some(self.shape.combine(n, part)?.min(self.cap_before))
    }

    /// The n-th shortest of all delays that the request could come to need.
    fn in_order(&self, n: u32, request: u64, bits: &dyn Fn(u32) -> Block) -> Option<Step> {
        let mut delays = [Interval::MAX; MAX_SORTED as usize];
        let most = self.sorted.max(n).min(MAX_SORTED as u32);
        let drawn = |retry| self.drawn(retry, Interval::ZERO, request, &|| bits(retry)[0], Interval::ZERO);
        let mut count = 0;
        // A list may end before the retries do.
        for step in (1..=most).map_while(drawn) {
            delays[count] = step.delay;
            count += 1;
        }
        let ended = count < most as usize;
        let delays = &mut delays[..count];
        delays.sort_unstable();
        let delay = *delays.get(n as usize - 1).or(delays.last().filter(|_| !ended))?;
        Some(Step { delay, walk: delay, raised: false })
    }
}

impl Shape {
    /// The deterministic delay of retry `n`, where `part` gives the delay of a part by its index; `None` if it has ended.
    fn combine(&self, n: u32, part: impl Fn(usize, &Schedule) -> Option<Interval>) -> Option<Interval> {
        let each = |parts| std::iter::zip(0.., parts).map(|(index, schedule)| part(index, schedule));
        match self {
            Self::Formula(table) => table.delay(n),
            Self::Chain(parts) => {
                let index = (n as usize - 1).min(parts.len() - 1);
                part(index, &parts[index])
            }
            Self::Sum(parts) => each(parts).try_fold(Interval::ZERO, |sum, delay| Some(sum + delay?)),
            Self::Max(parts) => each(parts).try_fold(Interval::ZERO, |most, delay| Some(most.max(delay?))),
        }
    }
}

#[cfg(test)]
mod tests;
