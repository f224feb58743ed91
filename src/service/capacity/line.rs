//! The calls in a station, and the line of those that wait.
//!
//! Slots are used again, and the line is a chain through them: who leaves from its middle is not looked for.

use super::call::Job;
use crate::time::{Instant, Interval};

/// No slot.
const NONE: u32 = u32::MAX;

/// A call in the system.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) job: Job,
    /// The how-manieth call of all that came: tells it from others that had the slot. [`u64::MAX`] if the slot is free.
    pub(super) order: u64,
    pub(super) arrived: Instant,
    /// When its service began; none while it waits.
    pub(super) began: Option<Instant>,
    /// Its work as its servers feel it, once it has begun.
    pub(super) work: Interval,
    /// False if it will be cancelled in service.
    pub(super) finishes: bool,
    /// Calls in the system when it came, itself included.
    pub(super) in_system: u64,
    /// What a call in processor sharing had been given when this one began.
    pub(super) attained: u128,
    /// Neighbours in the line.
    older: u32,
    newer: u32,
}

/// The calls in the system, each in a slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    slots: Vec<Held>,
    free: Vec<u32>,
}

impl Calls {
    /// Takes a call in, with which so many are in the system.
    pub(super) fn insert(&mut self, job: Job, order: u64, arrived: Instant, in_system: u64) -> u32 {
        let held = Held {
            job,
            order,
            arrived,
            began: None,
            work: job.work,
            finishes: true,
            in_system,
            attained: 0,
            older: NONE,
            newer: NONE,
        };
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = held;
            return slot;
        }
        self.slots.push(held);
        self.slots.len() as u32 - 1
    }

    /// Lets the call in `slot` go.
    pub(super) fn remove(&mut self, slot: u32) -> Held {
        let held = self.slots[slot as usize];
        self.slots[slot as usize].order = u64::MAX;
        self.free.push(slot);
        held
    }

    pub(super) fn get(&self, slot: u32) -> &Held {
        &self.slots[slot as usize]
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Held {
        &mut self.slots[slot as usize]
    }

    /// True if `slot` still holds the call that came as the `order`-th.
    pub(super) fn holds(&self, slot: u32, order: u64) -> bool {
        self.get(slot).order == order
    }

    pub(super) fn len(&self) -> u64 {
        (self.slots.len() - self.free.len()) as u64
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.slots.iter().filter(|held| held.order != u64::MAX)
    }
}

/// A chain in the order of arrival.
#[derive(Debug, Clone, Copy)]
struct Chain {
    oldest: u32,
    newest: u32,
}

/// Who waits: those who go first, and retries behind them if first tries have priority.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The second is only used if retries stand behind.
    chains: [Chain; 2],
    retries_behind: bool,
    waiting: u64,
}

impl Line {
    pub(super) const fn new(retries_behind: bool) -> Self {
        Self { chains: [Chain { oldest: NONE, newest: NONE }; 2], retries_behind, waiting: 0 }
    }

    pub(super) const fn len(&self) -> u64 {
        self.waiting
    }

    /// The call in `slot` joins as the newest of its chain.
    pub(super) fn push(&mut self, calls: &mut Calls, slot: u32) {
        let chain = self.chain(calls, slot);
        let last = chain.newest;
        chain.newest = slot;
        if last == NONE {
            chain.oldest = slot;
        } else {
            calls.get_mut(last).newer = slot;
        }
        calls.get_mut(slot).older = last;
        self.waiting += 1;
    }

    /// The call in `slot`, which waits, leaves the line.
    pub(super) fn remove(&mut self, calls: &mut Calls, slot: u32) {
        let Held { older, newer, .. } = *calls.get(slot);
        let chain = self.chain(calls, slot);
        if older == NONE {
            chain.oldest = newer;
        }
        if newer == NONE {
            chain.newest = older;
        }
        if older != NONE {
            calls.get_mut(older).newer = newer;
        }
        if newer != NONE {
            calls.get_mut(newer).older = older;
        }
        self.waiting -= 1;
    }

    /// Whose turn it is.
    pub(super) fn first(&self, newest_first: bool) -> Option<u32> {
        let end = |chain: &Chain| if newest_first { chain.newest } else { chain.oldest };
        self.chains.iter().map(end).find(|slot| *slot != NONE)
    }

    /// The retry behind all others that came last.
    pub(super) fn last_retry(&self) -> Option<u32> {
        Some(self.chains[1].newest).filter(|slot| *slot != NONE)
    }

    fn chain(&mut self, calls: &Calls, slot: u32) -> &mut Chain {
        &mut self.chains[usize::from(self.retries_behind && calls.get(slot).job.retry)]
    }
}
