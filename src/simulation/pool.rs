//! Pools: the states that clients share, one for each of those who do not, and who waits for what.

use std::collections::{BTreeMap, VecDeque};

use super::chunks::Chunks;
use crate::scope::Scope;

/// The states of one breaker, budget, limiter or set of slots, by who shares them, with the rules that they all obey.
#[derive(Debug)]
pub(super) struct Pool<R, T> {
    rules: R,
    /// Makes a state by its number.
    make: fn(&R, u32) -> T,
    states: States<T>,
    /// Who waits for a state to change, first come first served, by the number of the state.
    waiting: BTreeMap<u32, VecDeque<u32>>,
}

#[derive(Debug)]
enum States<T> {
    /// All clients share one.
    Shared(T),
    /// Each client has its own. It is made when the client first calls for it: until then it has nothing to remember, and takes
    /// four bytes.
    Own {
        /// Where that of a client is among those made, or [`UNMADE`].
        places: Vec<u32>,
        made: Chunks<T>,
    },
}

/// The place of a state that its client has not called for yet.
const UNMADE: u32 = u32::MAX;

impl<R, T: Clone> Pool<R, T> {
    /// As many states as `scope` has it, of so many clients; `make` makes each by its number.
    pub(super) fn new(rules: R, scope: Scope, clients: usize, make: fn(&R, u32) -> T) -> Self {
        let states = if scope == Scope::Client {
            States::Own { places: vec![UNMADE; clients], made: Chunks::new() }
        } else {
            States::Shared(make(&rules, 0))
        };
        Self { rules, make, states, waiting: BTreeMap::new() }
    }

    /// The number of the state that belongs to a client.
    const fn number(&self, client: u32) -> u32 {
        match self.states {
            States::Shared(_) => 0,
            States::Own { .. } => client,
        }
    }

    /// The state that belongs to a client, and its rules.
    #[inline]
    pub(super) fn of(&mut self, client: u32) -> (&R, &mut T) {
        let state = match &mut self.states {
            States::Shared(state) => state,
            States::Own { places, made } => {
                let place = &mut places[client as usize];
                if *place == UNMADE {
                    *place = made.len() as u32;
                    made.push((self.make)(&self.rules, client));
                }
                &mut made[*place as usize]
            }
        };
        (&self.rules, state)
    }

    /// The request in `slot` waits for the state of its client to change.
    pub(super) fn wait(&mut self, client: u32, slot: u32) {
        self.waiting.entry(self.number(client)).or_default().push_back(slot);
    }

    /// The request that has waited longest for the state of a client; it waits no more.
    pub(super) fn next(&mut self, client: u32) -> Option<u32> {
        if self.waiting.is_empty() {
            return None;
        }
        self.waiting.get_mut(&self.number(client))?.pop_front()
    }

    /// The rules that all states obey.
    pub(super) const fn rules(&self) -> &R {
        &self.rules
    }

    /// How many states there are, made or not.
    pub(super) const fn count(&self) -> usize {
        match &self.states {
            States::Shared(_) => 1,
            States::Own { places, .. } => places.len(),
        }
    }

    /// Those that have been called for, or that are shared.
    pub(super) fn made(&self) -> impl Iterator<Item = &T> {
        let (shared, own) = match &self.states {
            States::Shared(state) => (Some(state), None),
            States::Own { made, .. } => (None, Some(made.iter())),
        };
        shared.into_iter().chain(own.into_iter().flatten())
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
            assert_eq!(pool.count(), states);
            assert_eq!(*pool.of(0).1, i32::from(scope != Scope::Client), "{scope:?}");
            assert_eq!(*pool.of(2).1, 1);
        }
    }

    #[test]
    fn a_state_of_ones_own_is_made_once_and_by_its_number() {
        let mut pool = Pool::new(70, Scope::Client, 3, |&tens, number| tens + number);
        assert_eq!((pool.count(), pool.made().count()), (3, 0));
        for client in [2, 0, 2] {
            assert_eq!(pool.of(client), (&70, &mut (70 + client)));
        }
        assert!(pool.made().eq(&[72, 70]));
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
