//! Independent gaps, each before an arrival from a client drawn at random.

use crate::distribution::Sampler;
use crate::random::{AT_ONCE, Key, up_to};
use crate::time::Interval;

/// The gaps of a renewal process, looked up in the order of the requests.
#[derive(Debug, Clone)]
pub(super) struct Gaps {
    law: Sampler,
    clients: u64,
    key: Key,
    /// The gaps before the requests from a multiple of [`AT_ONCE`] on, and who issues them.
    drawn: [Interval; AT_ONCE],
    callers: [u64; AT_ONCE],
}

impl Gaps {
    /// Gaps of this law between the requests of so many clients; `key` is that of the arrivals.
    pub(super) fn new(law: Sampler, clients: u64, key: Key) -> Self {
        Self { law, clients, key, drawn: [Interval::ZERO; AT_ONCE], callers: [0; AT_ONCE] }
    }

    /// The gap before request `number`, and the client that issues it. Requests are looked up one after the other, from 0.
    #[inline]
    pub(super) fn before(&mut self, number: u64) -> (Interval, u64) {
        let place = number as usize % AT_ONCE;
        if place == 0 {
            self.draw(number);
        }
        (self.drawn[place], self.callers[place])
    }

    fn draw(&mut self, first: u64) {
        let [gaps, callers] = self.key.blocks(first, 0);
        self.law.sample_all(&gaps, &mut self.drawn);
        for (caller, luck) in self.callers.iter_mut().zip(callers) {
            *caller = up_to(luck, self.clients - 1);
        }
    }
}
