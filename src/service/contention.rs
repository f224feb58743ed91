//! Contention: services on which calls spoil each other, because they touch the same thing at the same time.
//!
//! Whether an attempt succeeds depends on what others do while it is under way, so nothing is decided when it arrives.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use schemars::JsonSchema;
use serde::Deserialize;

use super::departure::{Departure, Fate};
use crate::time::{Instant, Interval};

/// What calls contend for, as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ContentionConfig {
    /// One row with a version, written under optimistic concurrency control: an attempt reads the version when it reaches the
    /// service, takes the answer back and sends its write (two more ways through the network), and fails if the version has
    /// changed in between. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    VersionedRow {},
    /// A channel in slots: an attempt is sent in the slot in which it reaches the service, or in the next one if it comes after
    /// the slot's first instant; it succeeds, at the end of the slot, if no other was sent in the same slot. Source: L. G.
    /// Roberts, "ALOHA packet system with and without slots and capture", 1975; R. M. Metcalfe and D. R. Boggs, "Ethernet:
    /// distributed packet switching for local computer networks", CACM 19(7), 1976.
    Channel {
        /// Length of a slot, above 0s (51.2 us for Ethernet at 10 Mbit/s).
        slot: Interval,
    },
}

impl ContentionConfig {
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Channel { slot } if slot.is_zero() => {
                Some("`slot` must be longer than 0s, such as \"1ms\"".into())
            }
            _ => None,
        }
    }
}

/// What calls contend for, during a run.
#[derive(Debug, Clone)]
pub enum Contention {
    /// A versioned row.
    VersionedRow(VersionedRow),
    /// A slotted channel.
    Channel(Channel),
}

/// A row, its version, and the writes on their way to it.
#[derive(Debug, Clone, Default)]
pub struct VersionedRow {
    version: u64,
    taken: u64,
    /// By the instant at which they reach the row, then by the order of reading.
    writes: BinaryHeap<Reverse<Write>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Write {
    at: Instant,
    order: u64,
    version: u64,
    call: u32,
}

/// A channel and what is sent in its current slot.
#[derive(Debug, Clone)]
pub struct Channel {
    slot: u64,
    /// Those that are sent in the slot that ends first, and in the one behind it.
    sent: [VecDeque<u32>; 2],
    /// When the slot of each is over.
    ends: [Instant; 2],
    /// True while those of the first slot leave, because they have collided.
    collided: bool,
}

impl Contention {
    /// Nobody has come yet.
    pub fn new(config: &ContentionConfig) -> Self {
        match *config {
            ContentionConfig::VersionedRow {} => Self::VersionedRow(VersionedRow::default()),
            ContentionConfig::Channel { slot } => Self::Channel(Channel {
                slot: slot.as_nanos(),
                sent: [VecDeque::new(), VecDeque::new()],
                ends: [Instant::START; 2],
                collided: false,
            }),
        }
    }

    /// Takes in a call that arrives at `now`; `way` is how long its answer and then its write take on their ways.
    pub fn offer(&mut self, now: Instant, call: u32, way: Interval) {
        match self {
            Self::VersionedRow(row) => {
                row.taken += 1;
                let write = Write { at: now + way, order: row.taken, version: row.version, call };
                row.writes.push(Reverse(write));
            }
            Self::Channel(channel) => channel.offer(now, call),
        }
    }

    /// When the next call leaves.
    pub fn next(&self) -> Option<Instant> {
        match self {
            Self::VersionedRow(row) => row.writes.peek().map(|Reverse(write)| write.at),
            Self::Channel(channel) => (!channel.sent[0].is_empty()).then_some(channel.ends[0]),
        }
    }

    /// The next call that leaves, at [`Contention::next`].
    pub fn step(&mut self) -> Option<Departure> {
        match self {
            Self::VersionedRow(row) => {
                let Reverse(Write { at, version, call, .. }) = row.writes.pop()?;
                let matches = version == row.version;
                row.version += u64::from(matches);
                Some(Departure { call, at, fate: if matches { Fate::Served } else { Fate::Collided } })
            }
            Self::Channel(channel) => channel.step(),
        }
    }
}

impl Channel {
    fn offer(&mut self, now: Instant, call: u32) {
        let begins = now.as_nanos().div_ceil(self.slot) * self.slot;
        let ends = Instant::from_nanos(begins + self.slot);
        let which = usize::from(!self.sent[0].is_empty() && self.ends[0] != ends);
        self.ends[which] = ends;
        self.sent[which].push_back(call);
    }

    fn step(&mut self) -> Option<Departure> {
        self.collided |= self.sent[0].len() > 1;
        let (call, at) = (self.sent[0].pop_front()?, self.ends[0]);
        let fate = if self.collided { Fate::Collided } else { Fate::Served };
        if self.sent[0].is_empty() {
            self.collided = false;
            self.sent.swap(0, 1);
            self.ends.swap(0, 1);
        }
        Some(Departure { call, at, fate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    /// Offers calls 0, 1, 2, … at (arrival, way) and gives (when, who, served) of all that leave.
    fn run(config: ContentionConfig, offers: &[(u64, u64)]) -> Vec<(u64, u32, bool)> {
        let mut contention = Contention::new(&config);
        let mut left = Vec::new();
        let mut leave = |contention: &mut Contention, until: Instant| {
            while let Some(when) = contention.next().filter(|&when| when <= until) {
                let Departure { call, fate, .. } = contention.step().unwrap();
                left.push((when.as_nanos(), call, fate == Fate::Served));
            }
        };
        for (call, &(now, way)) in offers.iter().enumerate() {
            leave(&mut contention, at(now));
            contention.offer(at(now), call as u32, Interval::from_nanos(way));
        }
        leave(&mut contention, at(u64::MAX));
        left
    }

    #[test]
    fn a_write_succeeds_if_nobody_has_written_since_it_read() {
        let row = ContentionConfig::VersionedRow {};
        // The second reads before the first has written, the third at the instant of the write, which comes first.
        let left = run(row, &[(0, 10), (5, 10), (10, 10), (30, 1)]);
        assert_eq!(left, [(10, 0, true), (15, 1, false), (20, 2, true), (31, 3, true)]);
        // A failed write changes no version; of two that arrive together the one that read first wins.
        assert_eq!(run(row, &[(0, 10), (0, 10)]), [(10, 0, true), (10, 1, false)]);
    }

    #[test]
    fn a_slot_carries_one_call() {
        let channel = ContentionConfig::Channel { slot: Interval::from_nanos(10) };
        assert_eq!(run(channel, &[(0, 0)]), [(10, 0, true)]);
        // Exactly at its first instant a slot can still be used, after it only the next one.
        assert_eq!(run(channel, &[(10, 0), (11, 0)]), [(20, 0, true), (30, 1, true)]);
        assert_eq!(
            run(channel, &[(1, 0), (10, 0), (12, 0)]),
            [(20, 0, false), (20, 1, false), (30, 2, true)]
        );
        let three = run(channel, &[(0, 0), (0, 0), (0, 0)]);
        assert!(three.iter().all(|&(when, _, served)| when == 10 && !served), "{three:?}");
    }
}
