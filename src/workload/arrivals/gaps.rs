//! Independent gaps, each before an arrival from a client drawn at random.

use crate::distribution::Sampler;
use crate::random::{Block, Key, up_to};
use crate::time::Interval;

/// How many gaps are drawn at a time: as none waits for another, a processor works on several at once.
const AT_ONCE: usize = 16;

/// The gaps of a renewal process, looked up in the order of the requests.
#[derive(Debug, Clone)]
pub(super) struct Gaps {
    law: Sampler,
    clients: u64,
    key: Key,
    /// Gap and client of the requests from a multiple of [`AT_ONCE`] on.
    drawn: [(Interval, u64); AT_ONCE],
}

impl Gaps {
    /// Gaps of this law between the requests of so many clients; `key` is that of the arrivals.
    pub(super) fn new(law: Sampler, clients: u64, key: Key) -> Self {
        Self { law, clients, key, drawn: [(Interval::ZERO, 0); AT_ONCE] }
    }

    /// The gap before request `number`, and the client that issues it. Requests are looked up one after the other, from 0.
    #[inline]
    pub(super) fn before(&mut self, number: u64) -> (Interval, u64) {
        let place = number as usize % AT_ONCE;
        if place == 0 {
            self.draw(number);
        }
        self.drawn[place]
    }

    fn draw(&mut self, first: u64) {
        let luck: [Block; AT_ONCE] = std::array::from_fn(|ahead| self.key.block(first + ahead as u64, 0));
        for (drawn, [gap, client]) in self.drawn.iter_mut().zip(luck) {
            *drawn = (self.law.sample(gap), up_to(client, self.clients - 1));
        }
    }
}
