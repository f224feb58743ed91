//! Requests that are alive: one slot each, used again when the request has ended.

use std::ops::{Index, IndexMut};

use crate::breaker::Permit;
use crate::outcome::Outcome;
use crate::policy::Memory;
use crate::time::{Instant, Interval};

/// A request that has arrived and not ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) arrived: Instant,
    /// When the attempt under way was sent.
    pub(super) sent: Instant,
    /// What the policy remembers of it.
    pub(super) memory: Memory,
    /// What the attempt under way will ask its client to wait.
    pub(super) retry_after: Option<Interval>,
    /// The outcome of the attempt under way.
    pub(super) outcome: Outcome,
    pub(super) permit: Permit,
    pub(super) client: u32,
    /// Attempts begun.
    pub(super) attempts: u32,
    pub(super) workload: u16,
    pub(super) alive: bool,
    pub(super) traced: bool,
}

/// All requests alive, by slot.
#[derive(Debug, Default)]
pub(super) struct Requests {
    slots: Vec<Request>,
    free: Vec<u32>,
}

impl Requests {
    /// Gives the request a slot.
    pub(super) fn insert(&mut self, request: Request) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = request;
            slot
        } else {
            self.slots.push(request);
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 requests are alive at once")
        }
    }

    /// Frees the slot of a request that has ended.
    pub(super) fn remove(&mut self, slot: u32) {
        self.slots[slot as usize].alive = false;
        self.free.push(slot);
    }

    /// The requests that have not ended.
    pub(super) fn alive(&self) -> impl Iterator<Item = &Request> {
        self.slots.iter().filter(|request| request.alive)
    }
}

impl Index<u32> for Requests {
    type Output = Request;
    fn index(&self, slot: u32) -> &Request {
        &self.slots[slot as usize]
    }
}

impl IndexMut<u32> for Requests {
    fn index_mut(&mut self, slot: u32) -> &mut Request {
        &mut self.slots[slot as usize]
    }
}
