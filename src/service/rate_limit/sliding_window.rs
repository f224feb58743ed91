//! The sliding window of two counters: the last window's count is taken to have been spread evenly.
//! Source: Cloudflare, "How we built rate limiting capable of scaling to millions of domains" (2017).

use super::meter::{Meter, Scale, nanos};
use crate::time::{Instant, Interval};

/// The window's numbers.
#[derive(Debug, Clone)]
pub(super) struct SlidingWindow {
    limit: u64,
    /// Nanoseconds.
    window: u64,
}

/// The counts of this window and the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    /// Number of this window.
    index: u64,
    previous: u64,
    current: u64,
}

impl SlidingWindow {
    /// At most `limit` estimated in a span of the length `window`, above 0s.
    pub(super) const fn new(limit: u64, window: Interval) -> Self {
        Self { limit, window: window.as_nanos() }
    }

    fn roll(&self, counts: &mut Counts, now: Instant) {
        let index = now.as_nanos() / self.window;
        if index != counts.index {
            let previous = if index == counts.index + 1 { counts.current } else { 0 };
            *counts = Counts { index, previous, current: 0 };
        }
    }

    /// Nanoseconds of this window that are still to come.
    fn rest(&self, now: Instant) -> u64 {
        self.window - now.as_nanos() % self.window
    }
}

impl Meter for SlidingWindow {
    type State = Counts;

    fn fresh(&self) -> Counts {
        Counts { index: 0, previous: 0, current: 0 }
    }

    /// The estimate and the limit are compared as whole numbers, multiplied by the length of the window.
    fn check(&self, counts: &mut Counts, now: Instant, cost: u64) -> Result<Interval, Option<Interval>> {
        self.roll(counts, now);
        let wide = u128::from;
        let (window, limit, rest) = (wide(self.window), wide(self.limit), wide(self.rest(now)));
        let (previous, current, cost) = (wide(counts.previous), wide(counts.current), wide(cost));
        if current + cost <= limit {
            let excess = (previous * rest + (current + cost) * window).saturating_sub(limit * window);
            if excess == 0 {
                return Ok(Interval::ZERO);
            }
            return Err(Some(nanos(excess.div_ceil(previous))));
        }
        // This window is full: in the next one its count fades until there is room.
        let room = (limit.saturating_sub(cost) * window).checked_div(current).unwrap_or(0);
        Err(Some(nanos(rest + window - room)))
    }

    fn take(&self, counts: &mut Counts, _now: Instant, cost: u64) {
        counts.current = counts.current.saturating_add(cost);
    }

    fn count(&self, counts: &mut Counts, now: Instant, cost: u64) {
        self.roll(counts, now);
        counts.current = counts.current.saturating_add(cost).min(self.limit).max(counts.current);
    }

    fn reset(&self, counts: &mut Counts, now: Instant) -> Option<Interval> {
        self.roll(counts, now);
        let rest = self.rest(now);
        Some(Interval::from_nanos(match counts {
            Counts { current: 1.., .. } => rest + self.window,
            Counts { previous: 1.., .. } => rest,
            _ => 0,
        }))
    }

    fn scaled(&self, by: Scale) -> Self {
        Self { limit: by.count(self.limit), ..self.clone() }
    }
}
