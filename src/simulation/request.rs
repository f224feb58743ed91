//! Requests that are alive: one slot each, used again when the request has ended.

use std::ops::{Index, IndexMut};

use super::chunks::Chunks;
use super::clients::{Clients, Layer};
use crate::breaker::Permit;
use crate::budget::Grant;
use crate::outcome::Outcome;
use crate::policy::Memory;
use crate::time::{Instant, Interval};

/// Stands for the call of a request that no service issued.
pub(super) const NO_CALL: u32 = u32::MAX;

/// Stands for the slot that was freed before the first.
const NO_SLOT: u32 = u32::MAX;

/// A request that has arrived and not ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// Its number, at which its luck is looked up.
    pub(super) number: u64,
    pub(super) arrived: Instant,
    /// The outcome of the attempt under way.
    pub(super) outcome: Outcome,
    /// What the attempt under way will ask its client to wait.
    pub(super) retry_after: Wait,
    /// Who issued it; of a slot that is free, the one that was freed before it.
    pub(super) client: u32,
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

/// What a client is asked to wait, if anything: an option in the room of an interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait(u64);

impl Wait {
    /// No wait has been asked for. No interval is as long.
    pub(super) const NONE: Self = Self(u64::MAX);

    pub(super) fn get(self) -> Option<Interval> {
        (self.0 != Self::NONE.0).then(|| Interval::from_nanos(self.0))
    }
}

impl From<Option<Interval>> for Wait {
    fn from(wait: Option<Interval>) -> Self {
        wait.map_or(Self::NONE, |wait| Self(wait.as_nanos()))
    }
}

/// Whose sake a request is issued for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sake {
    /// The call for which a service issued it; [`NO_CALL`] if a client did.
    pub(super) parent: u32,
    /// Its place among those of its workload, which settles ties: its number too, unless a service issued it.
    pub(super) order: u64,
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
}

/// What the guards of one layer gave a request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passes {
    /// When the breaker gave leave.
    pub(super) since: Instant,
    /// Leave of the breaker.
    pub(super) permit: Option<Permit>,
    /// True while a retry that the budget granted is waited for or under way.
    pub(super) retrying: bool,
    /// True while the limiter counts the attempt.
    pub(super) limited: bool,
}

/// What the requests of an arm need: so many values of a kind for each of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    layers: usize,
    memories: usize,
    passes: usize,
    grants: usize,
    /// True if services issue some of them.
    nested: bool,
}

impl Needs {
    /// What the requests of these clients need.
    pub(super) fn of(clients: &[Clients]) -> Self {
        let layers = clients.iter().map(|clients| clients.layers.len()).max().unwrap_or(1);
        let layers_if = |needed| if needed { layers } else { 0 };
        let any = |needs: fn(&Layer) -> bool| clients.iter().flat_map(|clients| &clients.layers).any(needs);
        Self {
            layers,
            memories: layers_if(clients.iter().any(|clients| clients.remembers)),
            passes: layers_if(any(Layer::is_guarded)),
            grants: layers_if(any(|layer| layer.budget.is_some())),
            nested: clients.iter().any(|clients| clients.nested.is_some()),
        }
    }
}

/// All requests alive, by slot. What few arms need is kept apart, so that the others do not pay for it.
#[derive(Debug)]
pub(super) struct Requests {
    slots: Chunks<Request>,
    /// The slot that was freed last, which is the first to be used again.
    free: u32,
    /// Whose sake they are issued for; nothing if all are issued by clients.
    sakes: Chunks<Sake>,
    nested: bool,
    /// The layers around the innermost one.
    outer: Beside<Layered>,
    /// What policies remember.
    memories: Beside<Memory>,
    /// What guards gave.
    passes: Beside<Passes>,
    /// The last leaves of budgets.
    grants: Beside<Option<Grant>>,
}

/// Values beside each slot, as many as there are layers that need one.
#[derive(Debug)]
struct Beside<T> {
    values: Chunks<T>,
    each: usize,
}

impl<T: Copy + Default> Beside<T> {
    const fn new(each: usize) -> Self {
        Self { values: Chunks::new(), each }
    }

    fn at(&mut self, slot: u32, layer: usize) -> &mut T {
        &mut self.values[slot as usize * self.each + layer]
    }

    /// Another slot.
    fn push(&mut self) {
        for _ in 0..self.each {
            self.values.push(T::default());
        }
    }

    /// What a slot has for the layers below `end` is as if it were new.
    #[inline]
    fn clear(&mut self, slot: u32, end: usize) {
        for layer in 0..end.min(self.each) {
            *self.at(slot, layer) = T::default();
        }
    }
}

impl Requests {
    /// No request yet.
    pub(super) const fn new(needs: Needs) -> Self {
        Self {
            slots: Chunks::new(),
            free: NO_SLOT,
            sakes: Chunks::new(),
            nested: needs.nested,
            outer: Beside::new(needs.layers - 1),
            memories: Beside::new(needs.memories),
            passes: Beside::new(needs.passes),
            grants: Beside::new(needs.grants),
        }
    }

    /// Gives the request a slot.
    #[inline]
    pub(super) fn insert(&mut self, request: Request, sake: Sake) -> u32 {
        if self.free == NO_SLOT {
            return self.push(request, sake);
        }
        let slot = self.free;
        self.free = self[slot].client;
        self[slot] = request;
        if self.nested {
            self.sakes[slot as usize] = sake;
        }
        let all = usize::MAX;
        self.outer.clear(slot, all);
        self.memories.clear(slot, all);
        self.passes.clear(slot, all);
        self.grants.clear(slot, all);
        slot
    }

    /// Gives it a new slot.
    fn push(&mut self, request: Request, sake: Sake) -> u32 {
        self.slots.push(request);
        if self.nested {
            self.sakes.push(sake);
        }
        self.outer.push();
        self.memories.push();
        self.passes.push();
        self.grants.push();
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 requests are alive at once")
    }

    /// For whose sake a request was issued.
    #[inline]
    pub(super) fn sake(&self, slot: u32) -> Sake {
        match self.sakes.get(slot as usize) {
            Some(&sake) => sake,
            None => Sake { parent: NO_CALL, order: self[slot].number },
        }
    }

    /// What a layer knows of a request.
    #[inline]
    pub(super) fn layer(&mut self, slot: u32, layer: usize) -> &mut Layered {
        match layer {
            0 => &mut self[slot].innermost,
            outer => self.outer.at(slot, outer - 1),
        }
    }

    /// What the policy of a layer remembers of a request.
    pub(super) fn memory(&mut self, slot: u32, layer: usize) -> Memory {
        if self.memories.each > 0 { *self.memories.at(slot, layer) } else { Memory::default() }
    }

    /// The policy of a layer will remember this of a request, if it remembers anything.
    pub(super) fn remember(&mut self, slot: u32, layer: usize, memory: Memory) {
        if self.memories.each > 0 {
            *self.memories.at(slot, layer) = memory;
        }
    }

    /// What the guards of a layer gave a request; only if anything is guarded at all.
    pub(super) fn passes(&mut self, slot: u32, layer: usize) -> &mut Passes {
        self.passes.at(slot, layer)
    }

    /// The last leave that the budget of a layer gave a request; only if there are budgets at all.
    pub(super) fn grant(&mut self, slot: u32, layer: usize) -> &mut Option<Grant> {
        self.grants.at(slot, layer)
    }

    /// The layers inside `end` begin anew, after `base` attempts of the request.
    pub(super) fn restart(&mut self, slot: u32, end: usize, base: u32) {
        for layer in 0..end {
            *self.layer(slot, layer) = Layered { base, ..Layered::default() };
        }
        self.memories.clear(slot, end);
        self.passes.clear(slot, end);
        self.grants.clear(slot, end);
    }

    /// Frees the slot of a request that has ended.
    pub(super) fn remove(&mut self, slot: u32) {
        let before = std::mem::replace(&mut self.free, slot);
        let request = &mut self[slot];
        (request.alive, request.client) = (false, before);
    }

    /// The requests that have not ended.
    pub(super) fn alive(&self) -> impl Iterator<Item = &Request> {
        self.slots.iter().filter(|request| request.alive)
    }
}

impl Index<u32> for Requests {
    type Output = Request;
    #[inline]
    fn index(&self, slot: u32) -> &Request {
        &self.slots[slot as usize]
    }
}

impl IndexMut<u32> for Requests {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Request {
        &mut self.slots[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: u64) -> Request {
        Request {
            number,
            arrived: Instant::START,
            outcome: Outcome::Timeout,
            retry_after: Wait::NONE,
            client: 7,
            attempts: 0,
            reached: 0,
            workload: 0,
            maker: 1,
            enters: 1,
            stage: Stage::New,
            alive: true,
            traced: false,
            placed: false,
            innermost: Layered::default(),
        }
    }

    const SAKE: Sake = Sake { parent: 3, order: 5 };

    #[test]
    fn a_request_is_small() {
        assert_eq!([size_of::<Request>(), size_of::<Layered>(), size_of::<Passes>()], [72, 16, 16]);
        assert_eq!([size_of::<Sake>(), size_of::<Memory>(), size_of::<Option<Grant>>()], [16, 24, 8]);
    }

    #[test]
    fn a_wait_is_what_it_was_made_of() {
        for wait in [None, Some(Interval::ZERO), Some(Interval::from_nanos(7)), Some(Interval::MAX)] {
            assert_eq!(Wait::from(wait).get(), wait);
        }
    }

    #[test]
    fn slots_are_used_again_the_last_first_and_know_nothing_of_those_before() {
        let needs = Needs { layers: 2, memories: 2, passes: 2, grants: 2, nested: true };
        let mut requests = Requests::new(needs);
        let slots = [0, 1, 2].map(|number| requests.insert(request(number), SAKE));
        assert_eq!(slots, [0, 1, 2]);
        for layer in 0..2 {
            requests.layer(1, layer).attempts = 4;
            requests.passes(1, layer).limited = true;
        }
        for slot in [2, 1] {
            requests.remove(slot);
        }
        assert!(requests.alive().map(|request| request.number).eq([0]));
        let again = [3, 4, 5].map(|number| requests.insert(request(number), Sake { order: number, ..SAKE }));
        assert_eq!(again, [1, 2, 3]);
        assert!(requests.alive().map(|request| request.number).eq([0, 3, 4, 5]));
        for layer in 0..2 {
            assert_eq!(requests.layer(1, layer).attempts, 0);
            assert!(!requests.passes(1, layer).limited);
        }
        assert_eq!([0, 1, 2, 3].map(|slot| requests.sake(slot).order), [5, 3, 4, 5]);
        assert_eq!(requests.sake(3).parent, 3);
    }

    #[test]
    fn those_that_clients_issue_are_issued_for_no_call_in_the_order_of_their_numbers() {
        let needs = Needs { layers: 1, memories: 0, passes: 0, grants: 0, nested: false };
        let mut requests = Requests::new(needs);
        let slot = requests.insert(request(9), Sake { parent: NO_CALL, order: 9 });
        let Sake { parent, order } = requests.sake(slot);
        assert_eq!((parent, order), (NO_CALL, 9));
    }

    #[test]
    fn only_the_layers_inside_begin_anew() {
        let needs = Needs { layers: 2, memories: 2, passes: 2, grants: 2, nested: false };
        let mut requests = Requests::new(needs);
        let slot = requests.insert(request(0), Sake { parent: NO_CALL, order: 0 });
        for layer in 0..2 {
            *requests.layer(slot, layer) = Layered { began: Instant::from_nanos(1), base: 0, attempts: 6 };
            requests.passes(slot, layer).retrying = true;
        }
        requests.restart(slot, 1, 8);
        let layers =
            [0, 1].map(|layer| (requests.layer(slot, layer).base, requests.layer(slot, layer).attempts));
        assert_eq!(layers, [(8, 0), (0, 6)]);
        assert_eq!([0, 1].map(|layer| requests.passes(slot, layer).retrying), [false, true]);
    }
}
