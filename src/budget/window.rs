//! A budget over a sliding window: each request of the last seconds allows a fraction of a retry.
//!
//! Requests deposit, retries withdraw, and both are forgotten when their slot of the window expires: a withdrawal is a
//! negative entry, so a budget that was used up is whole again one window later. A reserve, as if a few requests per second
//! had always come, is part of the sum. Slots are not aligned to the clock: each lasts until the first call at least a tenth
//! of the window after it began, so a quiet budget forgets later than the window says.
//!
//! Sources: tower 0.5.3 `retry/budget/tps_budget.rs` (linkerd2-proxy uses it); Finagle 24.5 `RetryBudget`, `TokenBucket`,
//! `WindowedAdder`, with the clock taken in nanoseconds instead of milliseconds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Grant;
use super::amount::{Millionths, ONE};
use crate::time::{Instant, Interval};
use crate::units::Count;

/// Slots that a window is divided into.
const SLOTS: u64 = 10;

/// A window as written in a scenario. The defaults are those of tower, Finagle and Linkerd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// How long a request or a retry counts: 1 s to 60 s.
    #[serde(default = "ten_seconds")]
    pub ttl: Interval,
    /// Retries per second that are allowed without any request: the reserve is this times the whole seconds of `ttl`.
    #[serde(default = "ten")]
    pub min_per_second: Count<0, 1_000_000_000>,
    /// Retries that each request allows: 0.2 is one retry for five requests. 0 to 1000.
    #[serde(default = "a_fifth")]
    pub percent: Millionths<0, 1_000_000_000>,
    /// Whose arithmetic it is.
    #[serde(default)]
    pub like: WindowLike,
}

const fn ten_seconds() -> Interval {
    Interval::from_secs(10)
}

const fn ten() -> Count<0, 1_000_000_000> {
    Count::of(10)
}

const fn a_fifth() -> Millionths<0, 1_000_000_000> {
    Millionths::of(200_000)
}

/// Whose arithmetic a window follows. They differ in how a fraction of a retry is rounded, and in when a slot expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowLike {
    /// tower and Linkerd: `percent = 0.3` is a third (a retry takes `floor(1 / percent)` requests); ten closed slots and
    /// the open one.
    #[default]
    Tower,
    /// Finagle: to a thousandth of a request; nine closed slots and the open one.
    Finagle,
}

impl WindowConfig {
    pub(super) fn problem(&self) -> Option<String> {
        let seconds = Interval::from_secs(1)..=Interval::from_secs(60);
        (!seconds.contains(&self.ttl)).then(|| {
            format!("a ttl of {} is out of range: write a duration from \"1s\" to \"60s\"", self.ttl)
        })
    }

    /// What a request deposits and what a retry withdraws.
    const fn prices(&self) -> (i64, i64) {
        let percent = self.percent.get();
        if percent == 0 {
            return (0, 1);
        }
        let deposit: u64 = match self.like {
            WindowLike::Tower if percent <= ONE => 1,
            _ => 1000,
        };
        (deposit.cast_signed(), (deposit * ONE / percent).cast_signed())
    }

    const fn reserve(&self) -> i64 {
        let seconds = self.ttl.as_nanos() / 1_000_000_000;
        let retries = self.min_per_second.get().cast_signed().saturating_mul(seconds.cast_signed());
        retries.saturating_mul(self.prices().1)
    }

    const fn closed_slots(&self) -> u64 {
        match self.like {
            WindowLike::Tower => SLOTS,
            WindowLike::Finagle => SLOTS - 1,
        }
    }
}

/// A window's state; nothing is allocated before the first request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WindowState(Option<Box<Slots>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slots {
    closed: [i64; SLOTS as usize],
    /// The open slot's sum.
    open: i64,
    /// When the open slot began.
    since: Instant,
    /// Where the open slot's sum goes when it closes.
    index: u64,
}

impl WindowState {
    pub(super) fn on_request(&mut self, config: &WindowConfig, now: Instant) {
        let slots = self.at(config, now);
        slots.open = slots.open.saturating_add(config.prices().0);
    }

    pub(super) fn try_retry(&mut self, config: &WindowConfig, now: Instant) -> Option<Grant> {
        let slots = self.at(config, now);
        let cost = config.prices().1;
        let sum = slots.closed.iter().fold(slots.open, |sum, &slot| sum.saturating_add(slot));
        (sum.saturating_add(config.reserve()) >= cost).then(|| {
            slots.open = slots.open.saturating_sub(cost);
            Grant::FREE
        })
    }

    fn at(&mut self, config: &WindowConfig, now: Instant) -> &mut Slots {
        let slots = self.0.get_or_insert_with(|| {
            Box::new(Slots { closed: [0; SLOTS as usize], open: 0, since: Instant::START, index: 0 })
        });
        slots.expire(config, now);
        slots
    }
}

impl Slots {
    fn expire(&mut self, config: &WindowConfig, now: Instant) {
        let width = config.ttl.as_nanos() / SLOTS;
        let passed = now.since(self.since).as_nanos();
        if passed < width {
            return;
        }
        let slots = config.closed_slots();
        self.closed[self.index as usize] = self.open;
        self.open = 0;
        // Slots in which nothing was called. A slot that ends just now is one of them for tower, not for Finagle.
        let skipped = match config.like {
            WindowLike::Tower => (passed - 1) / width,
            WindowLike::Finagle => passed / width - 1,
        };
        for skip in 1..=skipped.min(slots) {
            self.closed[((self.index + skip) % slots) as usize] = 0;
        }
        self.index = (self.index + 1 + skipped) % slots;
        self.since = now;
    }
}
