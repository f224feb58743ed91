//! Pools: the states that clients share, one for each of those who do not, and who waits for what.

use std::collections::VecDeque;

use crate::scope::Scope;

/// The states of one breaker, budget, limiter or set of slots, by who shares them.
#[derive(Debug)]
pub(super) struct Pool<T> {
    scope: Scope,
    states: Vec<T>,
}

impl<T: Clone> Pool<T> {
    /// As many copies of `state` as `scope` has it, of so many clients.
    pub(super) fn new(scope: Scope, clients: usize, state: T) -> Self {
        Self { scope, states: vec![state; if scope == Scope::Client { clients } else { 1 }] }
    }

    /// The state that belongs to a client.
    #[inline]
    pub(super) fn of(&mut self, client: u32) -> &mut T {
        &mut self.states[if self.scope == Scope::Client { client as usize } else { 0 }]
    }

    /// All states.
    pub(super) fn states(&self) -> &[T] {
        &self.states
    }
}

/// A number of places, and the requests that wait for one, first come first served.
#[derive(Debug, Clone)]
pub(super) struct Places {
    free: u32,
    waiting: VecDeque<u32>,
}

impl Places {
    pub(super) const fn new(free: u32) -> Self {
        Self { free, waiting: VecDeque::new() }
    }

    /// Takes a place for the request in `slot`, or has it wait for one.
    pub(super) fn take(&mut self, slot: u32) -> bool {
        if self.free == 0 {
            self.waiting.push_back(slot);
            return false;
        }
        self.free -= 1;
        true
    }

    /// Gives a place back; the request that gets it now, if one waits.
    pub(super) fn give_back(&mut self) -> Option<u32> {
        let next = self.waiting.pop_front();
        self.free += u32::from(next.is_none());
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_shared_as_the_scope_says() {
        for (scope, states) in [(Scope::Client, 3), (Scope::Workload, 1), (Scope::Global, 1)] {
            let mut pool = Pool::new(scope, 3, 0);
            *pool.of(2) += 1;
            assert_eq!(pool.states().len(), states);
            assert_eq!(*pool.of(0), i32::from(scope != Scope::Client), "{scope:?}");
        }
    }

    #[test]
    fn who_came_first_gets_the_place() {
        let mut places = Places::new(1);
        assert!(places.take(7));
        assert!(!places.take(8) && !places.take(9));
        assert_eq!([places.give_back(), places.give_back(), places.give_back()], [Some(8), Some(9), None]);
        assert!(places.take(1), "the place is free again");
    }
}
