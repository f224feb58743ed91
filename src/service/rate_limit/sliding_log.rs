//! The sliding log: every call is remembered for the length of the window, and forgotten the instant it is that old.

use std::collections::VecDeque;

use super::meter::{Meter, Scale};
use crate::time::{Instant, Interval};

/// The log's numbers.
#[derive(Debug, Clone)]
pub(super) struct SlidingLog {
    limit: u64,
    window: Interval,
}

/// The calls of the last window, the oldest first; those of one instant are one entry.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    calls: VecDeque<(Instant, u64)>,
    /// Their costs together.
    total: u64,
}

impl SlidingLog {
    /// `limit` within any half-open span of the length `window`, above 0s.
    pub(super) const fn new(limit: u64, window: Interval) -> Self {
        Self { limit, window }
    }

    fn forget(&self, entries: &mut Entries, now: Instant) {
        while let Some(&(at, cost)) = entries.calls.front()
            && now >= at + self.window
        {
            entries.calls.pop_front();
            entries.total -= cost;
        }
    }

    fn add(entries: &mut Entries, now: Instant, cost: u64) {
        match entries.calls.back_mut() {
            Some((at, sum)) if *at == now => *sum += cost,
            _ => entries.calls.push_back((now, cost)),
        }
        entries.total += cost;
    }
}

impl Meter for SlidingLog {
    type State = Entries;

    fn fresh(&self) -> Entries {
        Entries { calls: VecDeque::new(), total: 0 }
    }

    fn check(&self, entries: &mut Entries, now: Instant, cost: u64) -> Result<Interval, Option<Interval>> {
        self.forget(entries, now);
        let mut excess = (entries.total + cost).saturating_sub(self.limit);
        if excess == 0 {
            return Ok(Interval::ZERO);
        }
        let mut wait = Interval::ZERO;
        for &(at, freed) in &entries.calls {
            wait = (at + self.window).since(now);
            excess = excess.saturating_sub(freed);
            if excess == 0 {
                break;
            }
        }
        Err(Some(wait))
    }

    fn take(&self, entries: &mut Entries, now: Instant, cost: u64) {
        Self::add(entries, now, cost);
    }

    /// What is older than the newest entries that fill the limit never decides again, and is dropped.
    fn count(&self, entries: &mut Entries, now: Instant, cost: u64) {
        self.forget(entries, now);
        Self::add(entries, now, cost);
        while let Some(&(_, oldest)) = entries.calls.front()
            && entries.total - oldest >= self.limit
        {
            entries.calls.pop_front();
            entries.total -= oldest;
        }
    }

    fn reset(&self, entries: &mut Entries, now: Instant) -> Option<Interval> {
        Some(entries.calls.back().map_or(Interval::ZERO, |&(at, _)| (at + self.window).since(now)))
    }

    fn scaled(&self, by: Scale) -> Self {
        Self { limit: by.count(self.limit), ..self.clone() }
    }
}
