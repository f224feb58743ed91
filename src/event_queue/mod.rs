//! The future event list.
//!
//! Contract: events come out by (instant, rank), a total order that the caller spells; the queue adds nothing of its own
//! to it, so the order says nothing about memory layout or about when an event was scheduled. Time never goes back: it
//! panics if an event is scheduled before the last one that came out, which would be a bug in the simulation.
//!
//! What is near and what is far is kept apart. The near events are a sorted run and a small heap (`heap.rs`) of those that
//! came after it was sorted; the far ones hang on a ladder (`ladder.rs`) until they are next. An event costs about the same
//! whether thousands wait or millions. Few events are all near.

mod entry;
mod heap;
mod ladder;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use crate::time::Instant;
use entry::{Entry, key, split};
use heap::Heap;
use ladder::Ladder;

/// A run that is shorter takes what comes late by insertion; a longer one leaves it to the heap.
const SHORT: usize = ladder::CHUNK / 4;

/// The most events in the heap that a ladder would not serve better. A ladder that holds no more is emptied at once, so that
/// none goes to and fro.
const FEW: usize = ladder::CHUNK;

/// A priority queue of future events with payload `P`.
#[derive(Debug, Clone)]
pub struct EventQueue<P> {
    now: Instant,
    /// Instant and rank of the next event: asked for more often than they change.
    first: Option<(Instant, u64)>,
    /// Events with a lesser key are near: in the run or in the heap. All others are on the ladder.
    reach: u128,
    /// What came from the ladder last, the earliest at the end.
    run: Vec<Entry<P>>,
    heap: Heap<P>,
    ladder: Ladder<P>,
}

impl<P: Copy> Default for EventQueue<P> {
    fn default() -> Self {
        Self {
            now: Instant::START,
            first: None,
            reach: u128::MAX,
            run: Vec::new(),
            heap: Heap::new(),
            ladder: Ladder::new(),
        }
    }
}

impl<P: Copy> EventQueue<P> {
    /// An empty queue at the start of time.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of events waiting.
    pub fn len(&self) -> usize {
        self.run.len() + self.heap.len() + self.ladder.len()
    }

    /// True if nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Instant and rank of the next event.
    #[inline]
    pub const fn peek(&self) -> Option<(Instant, u64)> {
        self.first
    }

    /// Schedules `payload` at `at`; at one instant, lower ranks come out first.
    ///
    /// # Panics
    /// If `at` lies before the last event that came out.
    #[inline]
    pub fn push(&mut self, at: Instant, rank: u64, payload: P) {
        assert!(at >= self.now, "an event was scheduled in the past: {at:?} before {:?}", self.now);
        let entry = Entry { at, rank, payload };
        if self.first.is_none_or(|first| entry.pair() < first) {
            self.first = Some(entry.pair());
        }
        if entry.key() >= self.reach {
            self.ladder.push(entry);
            return;
        }
        if self.run.len() < SHORT {
            let later = self.run.iter().rposition(|other| other.pair() > entry.pair());
            self.run.insert(later.map_or(0, |last| last + 1), entry);
            return;
        }
        self.heap.push(entry);
        if self.heap.len() > FEW && self.reach > self.ladder.floor() {
            self.hand_over();
        }
    }

    /// Takes the next event out.
    #[inline]
    pub fn pop(&mut self) -> Option<(Instant, P)> {
        if self.run.is_empty() && self.heap.is_empty() {
            self.look_further();
        }
        let from_run = match (self.run.last(), self.heap.first()) {
            (Some(run), Some(heap)) => run.pair() < heap.pair(),
            (run, _) => run.is_some(),
        };
        let entry = if from_run { self.run.pop()? } else { self.heap.pop()? };
        self.now = entry.at;
        self.first = self.look_up_first();
        Some((entry.at, entry.payload))
    }

    fn look_up_first(&self) -> Option<(Instant, u64)> {
        match (self.run.last(), self.heap.first()) {
            (Some(run), Some(heap)) => Some(run.pair().min(heap.pair())),
            (Some(near), None) | (None, Some(near)) => Some(near.pair()),
            // Events may still come that are earlier than this one, so it stays where it is until it is taken.
            (None, None) => self.ladder.first().map(split),
        }
    }

    /// The payloads still scheduled, in no particular order.
    pub fn payloads(&self) -> impl Iterator<Item = P> {
        self.run.iter().chain(self.heap.iter()).chain(self.ladder.iter()).map(|entry| entry.payload)
    }

    /// Makes the first of the far events the run.
    #[inline(never)]
    fn look_further(&mut self) {
        self.reach = self.ladder.take_first(&mut self.run);
        self.run.sort_unstable_by_key(|entry| Reverse(entry.key()));
    }

    /// Hangs the near events on the ladder, as they have become many. What is below its floor stays: events at the present instant
    /// with lower ranks than one that came out. With the reach at the floor nothing else joins them before they are gone.
    #[cold]
    fn hand_over(&mut self) {
        if self.ladder.len() == 0 {
            self.ladder.stand_on(key(self.now, 0));
        }
        self.reach = self.ladder.floor();
        let near: Vec<_> = self.run.drain(..).chain(self.heap.drain()).collect();
        for entry in near {
            if entry.key() < self.reach {
                self.heap.push(entry);
            } else {
                self.ladder.push(entry);
            }
        }
    }
}
