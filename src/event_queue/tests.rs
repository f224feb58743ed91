//! The queue against the standard library's heap, under all that a simulation may do to it, and more.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;
use crate::random::{Key, Purpose, up_to};

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// A queue and its oracle, which are asked the same and have to answer the same. Payloads count pushes.
struct Pair {
    queue: EventQueue<u32>,
    oracle: BinaryHeap<Reverse<(Instant, u64, u32)>>,
    luck: Key,
    draws: u64,
    now: u64,
    pushed: u32,
}

impl Pair {
    fn new(name: &str) -> Self {
        let luck = Key::derive(5, 0, Purpose::Trace, name);
        Self { queue: EventQueue::new(), oracle: BinaryHeap::new(), luck, draws: 0, now: 0, pushed: 0 }
    }

    /// A draw from 0 to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        self.draws += 1;
        up_to(self.luck.block(self.draws, 0)[0], most)
    }

    /// A rank with `high` on top that no other event has.
    fn rank(&self, high: u64) -> u64 {
        high << 32 | u64::from(self.pushed)
    }

    fn push(&mut self, delay: u64, rank: u64) {
        let at = at(self.now.saturating_add(delay));
        self.queue.push(at, rank, self.pushed);
        self.oracle.push(Reverse((at, rank, self.pushed)));
        self.pushed += 1;
    }

    /// Pops from both; false if they were empty.
    fn pop(&mut self) -> bool {
        let expected = self.oracle.pop().map(|Reverse(event)| event);
        assert_eq!(self.queue.peek(), expected.map(|(at, rank, _)| (at, rank)));
        assert_eq!(self.queue.pop(), expected.map(|(at, _, payload)| (at, payload)));
        assert_eq!(self.queue.len(), self.oracle.len());
        self.now = expected.map_or(self.now, |(at, ..)| at.as_nanos());
        expected.is_some()
    }

    fn empty(&mut self) {
        while self.pop() {}
        assert!(self.queue.is_empty());
    }

    /// The hold model with so many events waiting, for so many holds.
    fn hold(&mut self, pending: usize, holds: usize, mut event: impl FnMut(&mut Self) -> (u64, u64)) {
        for hold in 0..pending + holds {
            if hold >= pending {
                self.pop();
            }
            let (delay, rank) = event(self);
            self.push(delay, rank);
        }
        self.empty();
    }
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
fn holds_of_every_scale_of_time_come_out_in_order() {
    for pending in [1, 15, 17, 64, 65, 80, 200, 3_000, 30_000] {
        for bits in [0, 3, 12, 30, 50] {
            Pair::new("scales").hold(pending, 8_000, |pair| (pair.up_to(1 << bits), pair.rank(0)));
        }
        // Delays of all scales at once.
        Pair::new("mixed").hold(pending, 20_000, |pair| {
            let bits = pair.up_to(45);
            (pair.up_to(1 << bits), pair.rank(0))
        });
    }
}

#[test]
fn of_many_events_few_are_near() {
    for bits in [0, 12, 40] {
        Pair::new("near").hold(5_000, 20_000, |pair| {
            assert!(pair.queue.run.len() <= ladder::CHUNK && pair.queue.heap.len() <= FEW);
            (pair.up_to(1 << bits), pair.rank(0))
        });
    }
}

#[test]
fn ties_come_out_by_rank_whatever_the_order_of_pushes() {
    for pending in [10, 100, 20_000] {
        Pair::new("fixed").hold(pending, 40_000, |pair| (1_000_000_000, pair.rank(0)));
        Pair::new("shuffled").hold(pending, 40_000, |pair| {
            let high = pair.up_to(u64::from(u32::MAX));
            (1_000_000_000, pair.rank(high))
        });
        // Ranks as the simulation's: a class on top, then a workload.
        Pair::new("classes").hold(pending, 40_000, |pair| {
            let high = pair.up_to(3) << 30 | pair.up_to(2) << 16;
            (pair.up_to(3) * 500, pair.rank(high))
        });
    }
}

#[test]
fn events_of_the_present_instant_take_their_places_among_those_that_wait() {
    for pending in [3, 50, 1_000, 30_000] {
        let mut pair = Pair::new("present");
        pair.hold(pending, 60_000, |pair| {
            let high = pair.up_to(u64::from(u32::MAX));
            let delay = if pair.up_to(9) < 9 { 0 } else { 1_000 };
            (delay, pair.rank(high))
        });
    }
}

#[test]
fn many_lower_ranks_than_what_came_out_are_no_problem() {
    let mut pair = Pair::new("lower");
    for round in 0..40 {
        for _ in 0..2_000 {
            let high = (1 << 31) + pair.up_to(1 << 20);
            pair.push(5, pair.rank(high));
        }
        for _ in 0..round {
            pair.pop();
        }
        for _ in 0..1_000 {
            let high = pair.up_to(1 << 31);
            let delay = pair.up_to(1) * 2;
            pair.push(delay, pair.rank(high));
        }
        for _ in 0..2_900 {
            pair.pop();
        }
    }
    pair.empty();
}

#[test]
fn the_end_of_time_can_be_reached() {
    let mut pair = Pair::new("far");
    for _ in 0..30_000 {
        let bits = pair.up_to(63);
        let delay = u64::MAX >> bits;
        let short_of = pair.up_to(delay.min(2));
        let rank = if pair.up_to(20) == 0 { u64::MAX - u64::from(pair.pushed) } else { pair.rank(bits) };
        pair.push(delay - short_of, rank);
        if pair.up_to(2) == 0 && pair.queue.peek().is_some_and(|(at, _)| at < Instant::from_nanos(1 << 63)) {
            pair.pop();
        }
    }
    pair.empty();
    // Nothing is left of time, and still events come and go.
    assert_eq!(pair.now, Instant::LAST.as_nanos());
    pair.push(0, u64::MAX);
    pair.hold(300, 3_000, |pair| (pair.up_to(1), pair.rank(7)));
}

#[test]
fn bursts_come_and_go() {
    let mut pair = Pair::new("bursts");
    for round in 0..60 {
        for _ in 0..pair.up_to(8_000) {
            let delay = [0, 1, 60_000_000_000, 3_600_000_000_000][pair.up_to(3) as usize] + pair.up_to(round);
            pair.push(delay, pair.rank(0));
        }
        for _ in 0..pair.up_to(10_000) {
            pair.pop();
        }
        if round % 10 == 0 {
            pair.empty();
        }
    }
    pair.empty();
}

#[test]
fn events_may_come_that_are_earlier_than_one_that_was_seen() {
    // As in a simulation: arrivals from elsewhere are earlier than the first event, and schedule what is earlier too.
    let mut pair = Pair::new("earlier");
    for round in 0..2_000 {
        if round % 200 == 0 {
            for _ in 0..2_000 {
                let later = pair.up_to(1_000);
                pair.push(60_000_000_000 + later, pair.rank(0));
            }
        }
        assert_eq!(pair.queue.peek().map(|(at, _)| at), pair.oracle.peek().map(|Reverse((at, ..))| *at));
        for _ in 0..pair.up_to(200) {
            let delay = pair.up_to(5_000_000);
            pair.push(delay, pair.rank(0));
        }
        for _ in 0..pair.up_to(200) {
            pair.pop();
        }
    }
    pair.empty();
}

#[test]
fn what_lies_at_the_edge_of_a_bucket_falls_on_the_right_side() {
    let mut pair = Pair::new("edges");
    for round in 0..4_000 {
        for _ in 0..60 {
            // One before, at, and one after a power of two from now, and from the start of time.
            let width = 1 << pair.up_to(40);
            let edge = if pair.up_to(1) == 0 { width } else { width - pair.now % width };
            let delay = edge + pair.up_to(2) - 1;
            pair.push(delay, pair.rank(0));
        }
        for _ in 0..55 + round % 11 {
            pair.pop();
        }
    }
    pair.empty();
}

#[test]
fn a_copy_goes_on_as_the_original_and_names_the_same_payloads() {
    let mut pair = Pair::new("copy");
    for _ in 0..5_000 {
        let delay = pair.up_to(1_000_000);
        pair.push(delay, pair.rank(0));
    }
    for _ in 0..1_000 {
        pair.pop();
    }
    let mut payloads: Vec<u32> = pair.queue.payloads().collect();
    let mut expected: Vec<u32> = pair.oracle.iter().map(|Reverse((.., payload))| *payload).collect();
    payloads.sort_unstable();
    expected.sort_unstable();
    assert_eq!(payloads, expected);
    pair.queue = pair.queue.clone();
    pair.hold(100, 20_000, |pair| (pair.up_to(1_000_000), pair.rank(0)));
}

#[test]
#[should_panic(expected = "scheduled in the past")]
fn time_never_goes_back() {
    let mut queue = EventQueue::new();
    queue.push(at(10), 0, ());
    queue.pop();
    queue.push(at(9), 0, ());
}
