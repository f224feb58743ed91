//! The future event list.
//!
//! Contract: events come out by (instant, rank), a total order that the caller spells; the queue adds nothing of its own
//! to it, so the order says nothing about memory layout or about when an event was scheduled. Time never goes back: it
//! panics if an event is scheduled before the last one that came out, which would be a bug in the simulation.
//!
//! A 4-ary implicit heap: half as deep as a binary one, and the four children share a cache line or two.

use crate::time::Instant;

const ARITY: usize = 4;

/// A priority queue of future events with payload `P`.
#[derive(Debug, Clone)]
pub struct EventQueue<P> {
    heap: Vec<Entry<P>>,
    now: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Entry<P> {
    at: Instant,
    rank: u64,
    payload: P,
}

impl<P> Entry<P> {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.rank)
    }
}

impl<P: Copy> Default for EventQueue<P> {
    fn default() -> Self {
        Self { heap: Vec::new(), now: Instant::START }
    }
}

impl<P: Copy> EventQueue<P> {
    /// An empty queue at the start of time.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of events waiting.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// True if nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Instant and rank of the next event.
    pub fn peek(&self) -> Option<(Instant, u64)> {
        self.heap.first().map(Entry::key)
    }

    /// Schedules `payload` at `at`; at one instant, lower ranks come out first.
    ///
    /// # Panics
    /// If `at` lies before the last event that came out.
    pub fn push(&mut self, at: Instant, rank: u64, payload: P) {
        assert!(at >= self.now, "an event was scheduled in the past: {at:?} before {:?}", self.now);
        self.heap.push(Entry { at, rank, payload });
        self.sift_up(self.heap.len() - 1);
    }

    /// Takes the next event out.
    pub fn pop(&mut self) -> Option<(Instant, P)> {
        let last = self.heap.pop()?;
        let first = if self.heap.is_empty() {
            last
        } else {
            let first = std::mem::replace(&mut self.heap[0], last);
            self.sift_down();
            first
        };
        self.now = first.at;
        Some((first.at, first.payload))
    }

    /// The payloads still scheduled, in no particular order.
    pub fn payloads(&self) -> impl Iterator<Item = P> {
        self.heap.iter().map(|entry| entry.payload)
    }

    fn sift_up(&mut self, mut position: usize) {
        let entry = self.heap[position];
        while position > 0 {
            let parent = (position - 1) / ARITY;
            if self.heap[parent].key() <= entry.key() {
                break;
            }
            self.heap[position] = self.heap[parent];
            position = parent;
        }
        self.heap[position] = entry;
    }

    fn sift_down(&mut self) {
        let entry = self.heap[0];
        let mut position = 0;
        loop {
            let first_child = position * ARITY + 1;
            let children = first_child..(first_child + ARITY).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child].key()) else { break };
            if entry.key() <= self.heap[least].key() {
                break;
            }
            self.heap[position] = self.heap[least];
            position = least;
        }
        self.heap[position] = entry;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::random::{Key, Purpose, up_to};

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn events_come_out_by_instant_and_then_by_rank() {
        let mut queue = EventQueue::new();
        for (time, rank, name) in [(5, 1, "d"), (3, 9, "c"), (3, 2, "b"), (5, 7, "e"), (0, 0, "a")] {
            queue.push(at(time), rank, name);
        }
        assert_eq!(queue.peek(), Some((at(0), 0)));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, name)| name).collect();
        assert_eq!(order, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn the_order_is_that_of_a_sorted_set_under_any_mix_of_pushes_and_pops() {
        // Few distinct delays make many ties; some delays are zero, some far away.
        let key = Key::derive(5, 0, Purpose::Trace, "queue");
        let mut queue = EventQueue::new();
        let mut oracle = BTreeSet::new();
        let mut now = 0;
        for step in 0..300_000u64 {
            let [what, delay] = key.block(step, 0);
            if what % 100 < 55 {
                let delay = [0, 0, 1, 7, 1000, 1 << 40][up_to(delay, 5) as usize];
                queue.push(at(now + delay), step, step as u32);
                oracle.insert((now + delay, step));
            } else {
                let expected = oracle.pop_first();
                assert_eq!(queue.pop(), expected.map(|(time, rank)| (at(time), rank as u32)));
                now = expected.map_or(now, |(time, _)| time);
            }
            assert_eq!(queue.len(), oracle.len());
        }
    }

    #[test]
    #[should_panic(expected = "scheduled in the past")]
    fn time_never_goes_back() {
        let mut queue = EventQueue::new();
        queue.push(at(10), 0, ());
        queue.pop();
        queue.push(at(9), 0, ());
    }
}
