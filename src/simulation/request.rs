//! Requests that are alive: one slot each, used again when the request has ended.

use std::ops::{Index, IndexMut};

use crate::breaker::Permit;
use crate::budget::Grant;
use crate::outcome::Outcome;
use crate::policy::Memory;
use crate::time::{Instant, Interval};

/// Stands for the call of a request that no service issued.
pub(super) const NO_CALL: u32 = u32::MAX;

/// A request that has arrived and not ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// Its number, at which its luck is looked up.
    pub(super) number: u64,
    /// Its place among those of its workload, which settles ties: its number too, unless a service issued it.
    pub(super) order: u64,
    pub(super) arrived: Instant,
    /// When the attempt under way was sent.
    pub(super) sent: Instant,
    /// What the attempt under way will ask its client to wait.
    pub(super) retry_after: Option<Interval>,
    /// The outcome of the attempt under way.
    pub(super) outcome: Outcome,
    pub(super) client: u32,
    /// The call for whose sake a service issued it; [`NO_CALL`] if a client did.
    pub(super) parent: u32,
    /// Attempts begun.
    pub(super) attempts: u32,
    /// Attempts that reached the service.
    pub(super) reached: u32,
    pub(super) workload: u16,
    /// The layer that makes the attempt: 0 is the innermost.
    pub(super) maker: u8,
    /// The layer at which the attempt goes on: the one that makes it, or one at whose guards it has waited.
    pub(super) enters: u8,
    /// How far into that layer the attempt has got.
    pub(super) stage: Stage,
    pub(super) alive: bool,
    pub(super) traced: bool,
    /// True while it has a place among the slots of its workload, if those are limited.
    pub(super) placed: bool,
    /// The innermost layer.
    pub(super) innermost: Layered,
}

/// How far an attempt has got into the layer at which it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not begun.
    New,
    /// It has waited at the breaker.
    AtBreaker,
    /// It is past the breaker and the limiter.
    Through,
    /// It never begins: a budget has denied it.
    Denied,
}

/// What one layer of policies knows of a request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layered {
    /// When its first attempt began.
    pub(super) began: Instant,
    /// Attempts of the whole request before that.
    pub(super) base: u32,
    /// Attempts of this layer.
    pub(super) attempts: u32,
    pub(super) memory: Memory,
}

/// What the guards of one layer gave a request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passes {
    /// When the breaker gave leave.
    pub(super) since: Instant,
    /// Leave of the breaker.
    pub(super) permit: Option<Permit>,
    /// The last leave of the budget.
    pub(super) grant: Option<Grant>,
    /// True while a retry that the budget granted is waited for or under way.
    pub(super) retrying: bool,
    /// True while the limiter counts the attempt.
    pub(super) limited: bool,
}

/// All requests alive, by slot. What few arms need is kept apart, so that the others do not pay for it.
#[derive(Debug)]
pub(super) struct Requests {
    slots: Vec<Request>,
    /// The layers around the innermost one, `outer` for each slot.
    layers: Vec<Layered>,
    outer: usize,
    /// What the guards gave, `guarded` layers for each slot.
    passes: Vec<Passes>,
    guarded: usize,
    free: Vec<u32>,
}

impl Requests {
    /// No request yet; each has at most `layers` layers of policies, which are `guarded` or not.
    pub(super) fn new(layers: usize, guarded: bool) -> Self {
        let (slots, outside, passes, free) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let guarded = if guarded { layers } else { 0 };
        Self { slots, layers: outside, outer: layers - 1, passes, guarded, free }
    }

    /// Gives the request a slot.
    #[inline]
    pub(super) fn insert(&mut self, request: Request) -> u32 {
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = request;
            slot
        } else {
            self.slots.push(request);
            self.layers.resize(self.slots.len() * self.outer, Layered::default());
            self.passes.resize(self.slots.len() * self.guarded, Passes::default());
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 requests are alive at once")
        };
        for layer in 1..=self.outer {
            *self.layer(slot, layer) = Layered::default();
        }
        for layer in 0..self.guarded {
            *self.passes(slot, layer) = Passes::default();
        }
        slot
    }

    /// What a layer knows of a request.
    #[inline]
    pub(super) fn layer(&mut self, slot: u32, layer: usize) -> &mut Layered {
        match layer {
            0 => &mut self.slots[slot as usize].innermost,
            outer => &mut self.layers[slot as usize * self.outer + outer - 1],
        }
    }

    /// What the guards of a layer gave a request; only if anything is guarded at all.
    pub(super) fn passes(&mut self, slot: u32, layer: usize) -> &mut Passes {
        &mut self.passes[slot as usize * self.guarded + layer]
    }

    /// The layer begins anew, after `base` attempts of the request.
    pub(super) fn restart(&mut self, slot: u32, layer: usize, base: u32) {
        *self.layer(slot, layer) = Layered { base, ..Layered::default() };
        if self.guarded > 0 {
            *self.passes(slot, layer) = Passes::default();
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
