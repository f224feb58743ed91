//! Circuit breakers: stop calling a service that keeps failing, and find out when it works again.
//!
//! Closed lets everything through and counts consecutive failures; open refuses everything; half-open lets probes
//! through and judges by them. Every outcome that is no success counts as a failure, whatever its status. The real ones differ in every detail (from when the open time counts, whether its end is
//! included, how many probes may run, how many failures re-open), so each detail is a field. The breaker is pure state:
//! it is told the time and never asks for it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::outcomes::Outcomes;
use crate::scope::Scope;
use crate::time::{Instant, Interval};
use crate::units::Count;

/// A breaker as written in a scenario. The defaults are those of a textbook breaker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerConfig {
    /// Consecutive failures that open the breaker.
    pub threshold: Count<1, 1_000_000_000>,
    /// How long it stays open before probes are let through.
    pub open_for: Interval,
    /// Whether the open time ends `at` its last instant or strictly `after` it.
    #[serde(default)]
    pub boundary: Boundary,
    /// From when the open time counts.
    #[serde(default)]
    pub timer_from: TimerFrom,
    /// How many probes may be under way at once while half-open: a number, or "unlimited".
    #[serde(default)]
    pub probes: Probes,
    /// Failures while half-open that open it again.
    #[serde(default = "one")]
    pub reopens_after: Count<1, 1_000_000_000>,
    /// Successes while half-open that close it.
    #[serde(default = "one")]
    pub closes_after: Count<1, 1_000_000_000>,
    /// What becomes of a result whose call began before the last change of state.
    #[serde(default)]
    pub late_results: LateResults,
    /// Who shares one breaker.
    #[serde(default)]
    pub scope: Scope,
    /// Which outcomes are failures to it; everything that is no success if absent. What is no failure counts as a success.
    #[serde(default = "any_failure")]
    pub counts: Outcomes,
    /// Whether it guards each attempt, or the request with all its retries.
    #[serde(default)]
    pub position: Position,
}

const fn any_failure() -> Outcomes {
    Outcomes::AnyFailure
}

/// What a breaker guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Each attempt: the retry is around the breaker, and a refusal is a failed attempt that can be retried.
    #[default]
    Inside,
    /// The request with all its retries: only the last outcome counts, and a refusal is not retried.
    Outside,
}

const fn one() -> Count<1, 1_000_000_000> {
    Count::of(1)
}

/// Whether the end of the open time belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// A call at exactly the end is let through (`>=`).
    #[default]
    At,
    /// A call at exactly the end is refused (strict `>`).
    After,
}

/// From when the open time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerFrom {
    /// From the moment it opened.
    #[default]
    Trip,
    /// From the last failure seen, even one that came in while it was open.
    LastFailure,
}

/// What becomes of results of calls that began in an earlier state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateResults {
    /// They are ignored.
    #[default]
    Ignore,
    /// They count as if the call had begun now: a late success closes an open breaker.
    Count,
}

/// How many probes may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probes(u32);

impl Probes {
    /// The number; `None` if it is unlimited.
    pub const fn limit(self) -> Option<u32> {
        if self.0 == u32::MAX { None } else { Some(self.0) }
    }
}

impl Default for Probes {
    fn default() -> Self {
        Self(1)
    }
}

impl<'de> Deserialize<'de> for Probes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = u32;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1, or \"unlimited\"")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<u32, E> {
                u32::try_from(number).ok().filter(|&n| n > 0).ok_or_else(|| {
                    E::custom(format!(
                        "{number} probes make no sense: write a whole number from 1, or \"unlimited\""
                    ))
                })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<u32, E> {
                if text == "unlimited" {
                    Ok(u32::MAX)
                } else {
                    Err(E::custom(format!(
                        "\"{text}\" is not a number of probes: write a whole number from 1, or \"unlimited\""
                    )))
                }
            }
        }
        deserializer.deserialize_any(Number).map(Self)
    }
}

/// One breaker's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    failures: u32,
    successes: u32,
    under_way: u32,
    /// Changes with every change of state, so that late results can be told apart.
    generation: u32,
    timer: Instant,
    opened: Instant,
    /// When the open time is over: a breaker that nobody calls stays open in name, but keeps nobody out.
    over: Instant,
    time_open: Interval,
    trips: u32,
}

/// The three states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// Probes pass.
    HalfOpen,
}

/// Leave to call, to be handed back with the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permit(u32);

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

impl Breaker {
    /// A closed breaker that has seen nothing.
    pub const fn new() -> Self {
        Self {
            state: State::Closed,
            failures: 0,
            successes: 0,
            under_way: 0,
            generation: 0,
            timer: Instant::START,
            opened: Instant::START,
            over: Instant::START,
            time_open: Interval::ZERO,
            trips: 0,
        }
    }

    /// The state as of the last call or result.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Failures counted towards the next change of state.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// How often it opened.
    pub const fn trips(&self) -> u32 {
        self.trips
    }

    /// How long it kept calls out in all, up to `now`.
    pub fn time_open(&self, now: Instant) -> Interval {
        if self.state == State::Open {
            self.time_open + now.min(self.over).since(self.opened)
        } else {
            self.time_open
        }
    }

    /// Asks for leave to call at `now`; `None` is a refusal.
    pub fn try_acquire(&mut self, config: &BreakerConfig, now: Instant) -> Option<Permit> {
        if self.state == State::Open {
            let passed = now.since(self.timer);
            let over = match config.boundary {
                Boundary::At => passed >= config.open_for,
                Boundary::After => passed > config.open_for,
            };
            if !over {
                return None;
            }
            self.time_open = self.time_open(now);
            self.enter(State::HalfOpen);
        }
        if self.state == State::HalfOpen {
            if self.under_way >= config.probes.0 {
                return None;
            }
            self.under_way += 1;
        }
        Some(Permit(self.generation))
    }

    /// Takes the result of a call that was let through with `permit`.
    pub fn record(&mut self, config: &BreakerConfig, now: Instant, permit: Permit, success: bool) {
        if !success && self.state == State::Open && config.timer_from == TimerFrom::LastFailure {
            self.set_timer(config, now);
        }
        let late = permit.0 != self.generation;
        if late && config.late_results == LateResults::Ignore {
            return;
        }
        if !late && self.state == State::HalfOpen {
            self.under_way -= 1;
        }
        if success { self.succeeded(config, now) } else { self.failed(config, now) }
    }

    fn succeeded(&mut self, config: &BreakerConfig, now: Instant) {
        match self.state {
            State::Closed => self.failures = 0,
            State::HalfOpen => {
                self.successes += 1;
                if u64::from(self.successes) >= config.closes_after.get() {
                    self.enter(State::Closed);
                }
            }
            // Only a late success that counts gets here.
            State::Open => {
                self.time_open = self.time_open(now);
                self.enter(State::Closed);
            }
        }
    }

    fn failed(&mut self, config: &BreakerConfig, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if config.timer_from == TimerFrom::LastFailure {
            self.set_timer(config, now);
        }
        let limit = match self.state {
            State::Closed => config.threshold,
            State::HalfOpen => config.reopens_after,
            State::Open => return,
        };
        if u64::from(self.failures) >= limit.get() {
            let failures = self.failures;
            self.enter(State::Open);
            self.failures = failures;
            self.trips += 1;
            self.opened = now;
            self.set_timer(config, now);
        }
    }

    fn set_timer(&mut self, config: &BreakerConfig, now: Instant) {
        self.timer = now;
        self.over = now + config.open_for;
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.failures = 0;
        self.successes = 0;
        self.under_way = 0;
        self.generation = self.generation.wrapping_add(1);
    }
}
