//! Servers that take calls in the order of arrival: all is known when a call arrives.
//!
//! A call begins when the first server is free of those who came before it: the recurrence of Kiefer and Wolfowitz, "On the
//! theory of queues with many servers", Transactions of the AMS 78 (1955), kept as a heap of the instants at which servers
//! become free.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::config::{Abandoned, CapacityConfig};
use super::shedding::SheddingConfig;
use super::{Full, after, billionths, slowed};
use crate::time::{Instant, Interval};
use crate::units::Count;
use crate::usage::{ServerLanes, Usage};

/// A constant number of servers, or as many as there are calls, with a queue in the order of arrival.
#[derive(Debug, Clone)]
pub struct Servers {
    number: u64,
    /// Calls that fit into the system, and calls that are let in.
    places: u64,
    limit: u64,
    abandoned: Abandoned,
    slowdown: u128,
    /// When each server becomes free that ever worked; stays empty if servers are unlimited.
    free: BinaryHeap<Reverse<Instant>>,
    /// Calls in the system, the next to leave first.
    present: BinaryHeap<Reverse<Stay>>,
    /// Servers that become free together, while they are counted.
    ties: Vec<Reverse<Instant>>,
    /// Of calls that have left.
    usage: Usage,
    lanes: Option<Box<ServerLanes>>,
}

/// The life of a call here. Ordered by its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stay {
    ends: Instant,
    arrived: Instant,
    /// None if it leaves before that.
    begins: Option<Instant>,
    done: bool,
}

/// What becomes of a call that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// When a server begins with it; when it leaves, if it leaves before that.
    pub begins: Instant,
    /// When it leaves.
    pub ends: Instant,
    /// False if it was cancelled.
    pub done: bool,
}

impl Servers {
    /// The servers at the start of a run, all free. Discipline, priority, autoscaling and a limit that moves are not theirs:
    /// see [`CapacityConfig::needs_station`].
    pub fn new(config: &CapacityConfig) -> Self {
        let number = config.servers.map_or(u64::MAX, Count::get);
        let limit = match config.shedding {
            Some(SheddingConfig::Fixed(limit)) => limit.get(),
            Some(SheddingConfig::Gradient(_)) | None => u64::MAX,
        };
        Self {
            number,
            places: config.queue.map_or(u64::MAX, |queue| number.saturating_add(queue.get())),
            limit,
            abandoned: config.abandoned,
            slowdown: billionths(config.slowdown.get()),
            free: BinaryHeap::new(),
            present: BinaryHeap::new(),
            ties: Vec::new(),
            usage: Usage::default(),
            lanes: None,
        }
    }

    /// From now on, what the servers are used for is noted in bins of `bin` up to `horizon`.
    pub fn watch(&mut self, bin: Interval, horizon: Interval) {
        self.lanes = Some(Box::new(ServerLanes::new(bin, horizon)));
    }

    /// What the servers were used for, bin by bin; nothing if that was not watched.
    pub fn lanes(&self) -> Option<ServerLanes> {
        let mut lanes = self.lanes.as_deref().cloned()?;
        self.present.iter().for_each(|Reverse(stay)| stay.note(&mut lanes));
        Some(lanes)
    }

    /// A call arrives at `now` with so much work, and its client waits until `gives_up`.
    ///
    /// # Errors
    /// If every place is taken, or it is shed.
    pub fn offer(&mut self, now: Instant, work: Interval, gives_up: Instant) -> Result<Served, Full> {
        let present = self.present(now);
        self.usage.offered += 1;
        if present >= self.limit {
            self.usage.shed += 1;
            return Err(Full);
        }
        if present >= self.places {
            self.usage.turned_away += 1;
            return Err(Full);
        }
        let begins = self.earliest(now);
        let stay = if self.abandoned != Abandoned::Served && gives_up < begins {
            Stay { ends: gives_up.max(now), arrived: now, begins: None, done: false }
        } else {
            let ends = after(begins, slowed(work, self.slowdown, self.in_service_at(begins, now, present)));
            let done = self.abandoned != Abandoned::Cancelled || ends <= gives_up;
            Stay {
                ends: if done { ends } else { gives_up.max(now) },
                arrived: now,
                begins: Some(begins),
                done,
            }
        };
        if stay.begins.is_some() && self.number < u64::MAX {
            if self.free.len() as u64 >= self.number {
                self.free.pop();
            }
            self.free.push(Reverse(stay.ends));
        }
        self.present.push(Reverse(stay));
        self.usage.count_queue((present + 1).saturating_sub(self.number));
        Ok(Served { begins: stay.begins.unwrap_or(stay.ends), ends: stay.ends, done: stay.done })
    }

    /// Calls in the system at `now`, those that leave at `now` no more.
    pub fn present(&mut self, now: Instant) -> u64 {
        while let Some(Reverse(stay)) = self.present.peek()
            && stay.ends <= now
        {
            stay.count(&mut self.usage);
            if let Some(lanes) = &mut self.lanes {
                stay.note(lanes);
            }
            self.present.pop();
        }
        self.present.len() as u64
    }

    /// What was used up to `horizon`, which no call was offered after.
    pub fn usage(&self, horizon: Instant) -> Usage {
        let mut usage = self.usage;
        for Reverse(stay) in &self.present {
            if stay.ends <= horizon {
                stay.count(&mut usage);
            } else {
                let begun = stay.begins.filter(|begins| *begins <= horizon);
                let worked = begun.map_or(Interval::ZERO, |begins| horizon.since(begins));
                usage.count_stay(stay.arrived, begun, horizon, worked);
                usage.left += 1;
            }
        }
        let provided = u128::from(self.number) * u128::from(horizon.as_nanos());
        usage.provided = (self.number < u64::MAX).then_some(provided);
        usage
    }

    /// The earliest instant from `now` on at which a server is free.
    fn earliest(&self, now: Instant) -> Instant {
        match self.free.peek() {
            Some(Reverse(free)) if self.free.len() as u64 >= self.number => now.max(*free),
            _ => now,
        }
    }

    /// Calls in service at `begins`, the one included that arrives at `now` and begins then.
    fn in_service_at(&mut self, begins: Instant, now: Instant, present: u64) -> u64 {
        if self.slowdown == 0 {
            return 1;
        }
        if begins <= now {
            // A server is free, so nobody waits.
            return present + 1;
        }
        // Until then all servers are busy. Those that become free together have ended, all but the one that begins.
        while self.free.peek().is_some_and(|Reverse(free)| *free == begins) {
            self.ties.extend(self.free.pop());
        }
        let ended = self.ties.len() as u64;
        self.free.extend(self.ties.drain(..));
        self.number - ended + 1
    }
}

impl Stay {
    /// Notes when a call waits and when it is worked on.
    fn note(&self, lanes: &mut ServerLanes) {
        lanes.waiting.add(self.arrived, self.begins.unwrap_or(self.ends), 1);
        if let Some(begins) = self.begins {
            lanes.busy.add(begins, self.ends, 1);
        }
    }

    /// Counts a call that has left.
    fn count(&self, usage: &mut Usage) {
        let worked = self.begins.map_or(Interval::ZERO, |begins| self.ends.since(begins));
        usage.count_stay(self.arrived, self.begins, self.ends, worked);
        if self.done {
            usage.served += 1;
        } else {
            usage.cancelled += 1;
        }
    }
}
