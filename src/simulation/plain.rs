//! The life of a plain request: one that nothing stands in the way of.
//!
//! Where a workload has a single policy and no guard, slot, cache or deadline, and its service answers at once, most of what
//! `client.rs` asks has a known answer. Such a request is an event while it waits for a retry, and nothing before and after: an
//! attempt reaches the service, the outcome and what follows from it are known, and at most the next attempt is scheduled.
//!
//! It is the same life step by step, and a traced request always takes the long way: the two must come to the same.

use super::Simulation;
use super::at_once::Sent;
use super::chunks::Chunks;
use super::clients::Clients;
use super::event::{Class, Event, rank, ranked};
use crate::metrics::Ended;
use crate::outcome::{Ending, Outcome};
use crate::policy::{Decision, History, MAX_RETRIES, Memory};
use crate::random::Luck;
use crate::time::{Instant, Interval};
use crate::workload::Arrival;

/// A plain request.
#[derive(Debug, Clone, Copy)]
struct Plain {
    number: u64,
    arrived: Instant,
    client: u32,
    /// Attempts so far.
    attempts: u32,
    workload: u16,
}

/// How many attempts a plain request has made, in three bytes: its whole life between two attempts fits into an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempts([u8; 3]);

const _: () = assert!(MAX_RETRIES < 1 << 24 && size_of::<Event>() == 16);

impl Attempts {
    const fn new(count: u32) -> Self {
        let [a, b, c, _] = count.to_le_bytes();
        Self([a, b, c])
    }

    const fn get(self) -> u32 {
        let [a, b, c] = self.0;
        u32::from_le_bytes([a, b, c, 0])
    }
}

/// What policies remember of plain requests that wait for a retry, by slot, and whose they are.
#[derive(Debug, Default)]
pub(super) struct Memories {
    slots: Chunks<(u32, Memory)>,
    free: Vec<u32>,
}

impl Memories {
    fn put(&mut self, client: u32, memory: Memory) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = (client, memory);
            return slot;
        }
        self.slots.push((client, memory));
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 requests wait at once")
    }

    fn take(&mut self, slot: u32) -> (u32, Memory) {
        self.free.push(slot);
        self.slots[slot as usize]
    }
}

impl Clients {
    /// True if nothing can stand in the way of requests whose service `answers_at_once`.
    pub(super) fn are_plain(&self, answers_at_once: bool) -> bool {
        answers_at_once && self.layers.len() == 1 && !self.shares_outcomes
    }

    /// The luck of an attempt at the service. First attempts come mostly in the order of their numbers.
    #[inline]
    fn attempt_luck(&mut self, number: u64, attempt: u32) -> Luck {
        if attempt == 1 {
            Luck::Drawn(self.first_luck.at(number))
        } else {
            Luck::At { key: self.luck, entity: number, index: attempt.into() }
        }
    }

    /// What follows a failed attempt of a plain request.
    fn decide(&self, outcome: Outcome, retry_after: Option<Interval>, history: &History) -> Decision {
        let layer = &self.layers[0];
        let luck = |retry: u32| self.backoff.block(history.request, layer.luck(retry));
        let policy = layer.policy.as_ref().expect("a layer that guards nothing has a policy");
        policy.decide(outcome, retry_after, history, &luck)
    }
}

impl Simulation<'_> {
    /// A plain request arrives.
    pub(super) fn arrive_plain(&mut self, workload: usize, Arrival { at, number, client }: Arrival) {
        self.tallies[workload].arrived(at);
        let request = Plain { number, arrived: at, client, attempts: 0, workload: workload as u16 };
        self.attempt_plain(request, Memory::default());
    }

    /// The wait of the plain request with this rank is over.
    pub(super) fn retry_plain(&mut self, which: u64, arrived: Instant, client: u32, attempts: Attempts) {
        self.go_on_plain(which, (arrived, client, attempts), Memory::default());
    }

    /// The same of one that its policy remembers something of.
    pub(super) fn recall_plain(&mut self, which: u64, arrived: Instant, slot: u32, attempts: Attempts) {
        let (client, memory) = self.memories.take(slot);
        self.go_on_plain(which, (arrived, client, attempts), memory);
    }

    #[inline]
    fn go_on_plain(
        &mut self,
        which: u64,
        (arrived, client, attempts): (Instant, u32, Attempts),
        memory: Memory,
    ) {
        let (tie, number) = ranked(which);
        let workload = self.by_tie[usize::from(tie)];
        let index = usize::from(workload);
        self.tallies[index].retried(self.clients[index].layers[0].number);
        self.attempt_plain(Plain { number, arrived, client, attempts: attempts.get(), workload }, memory);
    }

    /// A plain request makes its next attempt, and ends or waits for another one.
    #[expect(
        clippy::inline_always,
        reason = "of a first attempt much is known, which makes two short functions of a long one"
    )]
    #[inline(always)]
    fn attempt_plain(&mut self, mut request: Plain, memory: Memory) {
        request.attempts += 1;
        let Plain { number, arrived, client, attempts, workload } = request;
        let (now, horizon, workload) = (self.now, self.horizon, usize::from(workload));
        let mut meeting = self.meeting(workload);
        let luck = meeting.clients.attempt_luck(number, attempts);
        let gives_up = now + meeting.clients.timeout;
        meeting.tally.sent(now, attempts);
        let sent = Sent { slot: 0, number, client, luck, attempt: attempts, reached: attempts, gives_up };
        let known = meeting.attempt(&sent);
        if known.at >= horizon {
            return meeting.tally.unfinished(1, horizon);
        }
        meeting.service_tally.answered(known.outcome);
        let age = known.at.since(arrived);
        let ending = if known.outcome.is_success() {
            Ending::Succeeded
        } else {
            let history = History { attempts, elapsed: age, request: number, memory };
            match meeting.clients.decide(known.outcome, known.retry_after, &history) {
                Decision::GiveUp(ending) => ending,
                Decision::Retry(delay) => {
                    return self.wait_plain(request, known.at + delay.wait, delay.memory);
                }
            }
        };
        meeting.tally.ended(Ended { ending, at: known.at, age });
        if meeting.clients.closed.is_some() {
            self.think(workload, client, known.at);
        }
    }

    /// A plain request waits for its next attempt.
    fn wait_plain(&mut self, request: Plain, until: Instant, memory: Memory) {
        let Plain { number, arrived, client, attempts, workload } = request;
        let (clients, attempts) = (&self.clients[usize::from(workload)], Attempts::new(attempts));
        if until >= self.horizon {
            return self.tallies[usize::from(workload)].unfinished(1, self.horizon);
        }
        let event = if clients.remembers {
            Event::Recall { arrived, slot: self.memories.put(client, memory), attempts }
        } else {
            Event::Retry { arrived, client, attempts }
        };
        self.queue.push(until, rank(Class::Begin, clients.tie, number), event);
    }
}
