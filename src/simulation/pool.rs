//! Pools: the states that clients share, one for each of those who do not, and who waits for what.

use std::collections::{BTreeMap, VecDeque};

use crate::scope::Scope;

/// The states of one breaker, budget, limiter or set of slots, by who shares them, with the rules that they all obey.
#[derive(Debug)]
pub(super) struct Pool<R, T> {
    rules: R,
    scope: Scope,
    states: Vec<T>,
    /// Who waits for a state to change, first come first served, by the index of the state.
    waiting: BTreeMap<usize, VecDeque<u32>>,
}

impl<R, T> Pool<R, T> {
    /// As many states as `scope` has it, of so many clients; `state` makes each by its number.
    pub(super) fn new(rules: R, scope: Scope, clients: usize, state: impl Fn(&R, u32) -> T) -> Self {
        let count = if scope == Scope::Client { clients as u32 } else { 1 };
        let states = (0..count).map(|number| state(&rules, number)).collect();
        Self { rules, scope, states, waiting: BTreeMap::new() }
    }

    fn index(&self, client: u32) -> usize {
        if self.scope == Scope::Client { client as usize } else { 0 }
    }

    /// The state that belongs to a client, and its rules.
    #[inline]
    pub(super) fn of(&mut self, client: u32) -> (&R, &mut T) {
        let index = self.index(client);
        (&self.rules, &mut self.states[index])
    }

    /// The request in `slot` waits for the state of its client to change.
    pub(super) fn wait(&mut self, client: u32, slot: u32) {
        self.waiting.entry(self.index(client)).or_default().push_back(slot);
    }

    /// The request that has waited longest for the state of a client; it waits no more.
    pub(super) fn next(&mut self, client: u32) -> Option<u32> {
        if self.waiting.is_empty() {
            return None;
        }
        self.waiting.get_mut(&self.index(client))?.pop_front()
    }

    /// The rules that all states obey.
    pub(super) fn rules(&self) -> &R {
        &self.rules
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
            let mut pool = Pool::new((), scope, 3, |&(), _| 0);
            *pool.of(2).1 += 1;
            assert_eq!(pool.states().len(), states);
            assert_eq!(*pool.of(0).1, i32::from(scope != Scope::Client), "{scope:?}");
        }
    }

    #[test]
    fn those_who_wait_for_one_client_do_not_wait_for_another() {
        let mut pool = Pool::new((), Scope::Client, 3, |&(), _| 0);
        pool.wait(1, 7);
        pool.wait(1, 8);
        assert_eq!([pool.next(2), pool.next(1), pool.next(1), pool.next(1)], [None, Some(7), Some(8), None]);
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
