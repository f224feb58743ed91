//! The fixed window: a counter that starts anew with each window.

use super::meter::{Meter, Scale};
use crate::time::{Instant, Interval};

/// The window's numbers.
#[derive(Debug, Clone)]
pub(super) struct Window {
    limit: u64,
    /// Nanoseconds.
    length: u64,
    /// Where a window begins on the clock; `None` if it begins with the first call.
    origin: Option<u64>,
}

/// What one window has let through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter {
    ends: Instant,
    count: u64,
}

impl Window {
    /// `limit` per `window`, above 0s; windows begin `origin` after the multiples of their length, or with the first call.
    pub(super) fn new(limit: u64, window: Interval, origin: Option<Interval>) -> Self {
        let length = window.as_nanos();
        Self { limit, length, origin: origin.map(|origin| origin.as_nanos() % length) }
    }

    /// The end of a window that a call at `now` opens.
    fn end(&self, now: Instant) -> Instant {
        let now = now.as_nanos();
        Instant::from_nanos(match self.origin {
            None => now + self.length,
            Some(origin) => (now + self.length - origin) / self.length * self.length + origin,
        })
    }

    /// Opens a window if none is open.
    fn open(&self, counter: &mut Counter, now: Instant) {
        if now >= counter.ends {
            *counter = Counter { ends: self.end(now), count: 0 };
        }
    }
}

impl Meter for Window {
    type State = Counter;

    fn fresh(&self) -> Counter {
        Counter { ends: Instant::START, count: 0 }
    }

    fn check(&self, counter: &mut Counter, now: Instant, cost: u64) -> Result<Interval, Option<Interval>> {
        if now >= counter.ends || counter.count.saturating_add(cost) <= self.limit {
            return Ok(Interval::ZERO);
        }
        Err(Some(counter.ends.since(now)))
    }

    fn take(&self, counter: &mut Counter, now: Instant, cost: u64) {
        self.open(counter, now);
        counter.count = counter.count.saturating_add(cost);
    }

    fn count(&self, counter: &mut Counter, now: Instant, cost: u64) {
        self.open(counter, now);
        counter.count = counter.count.saturating_add(cost).min(self.limit).max(counter.count);
    }

    fn reset(&self, counter: &mut Counter, now: Instant) -> Option<Interval> {
        Some(counter.ends.since(now))
    }

    fn scaled(&self, by: Scale) -> Self {
        Self { limit: by.count(self.limit), ..self.clone() }
    }
}
