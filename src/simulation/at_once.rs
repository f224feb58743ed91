//! Attempts that a service answers at once: their outcome is known when they are sent, and when their client will know it.

use super::Simulation;
use super::event::Class;
use crate::outcome::Outcome;
use crate::random::Block;
use crate::service::{Answer, Call, Reply};
use crate::time::{Instant, Interval};

/// An attempt on its way to a service that answers at once.
#[derive(Debug)]
pub(super) struct Sent {
    /// What the service names it by.
    pub(super) slot: u32,
    /// Number of its request.
    pub(super) number: u64,
    pub(super) client: u32,
    pub(super) bits: Block,
    /// Its number within the request, from 1.
    pub(super) attempt: u32,
    /// Its number among those of the request that reach the service, from 1.
    pub(super) reached: u32,
    pub(super) gives_up: Instant,
}

/// What a client comes to know of its attempt, and when.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) at: Instant,
    pub(super) class: Class,
    pub(super) outcome: Outcome,
    /// How long it is asked to wait.
    pub(super) retry_after: Option<Interval>,
}

impl Simulation<'_> {
    /// What a service that answers at once makes of an attempt.
    #[inline]
    pub(super) fn answer(&mut self, workload: usize, sent: &Sent) -> Answer {
        let now = self.now;
        let clients = &self.clients[workload];
        let service = &mut self.services[clients.service];
        let call = Call {
            index: sent.slot,
            caller: clients.caller(sent.number, sent.client),
            arrived: now,
            reached: sent.reached,
            input: clients.input(sent.number, service),
            bits: sent.bits,
            way: Interval::ZERO,
            gives_up: sent.gives_up,
            retry: sent.attempt > 1,
        };
        let Reply::Now(mut answer) = service.receive(now, &call) else {
            unreachable!("only a service that defers takes calls in");
        };
        if sent.attempt == 1
            && let Some(recorded) = clients.draws.recorded(sent.number)
        {
            answer = Answer::recorded(recorded.outcome, recorded.latency, recorded.retry_after);
        }
        self.service_tallies[clients.service].offered(now, sent.attempt > 1);
        self.judge(workload, now, answer.verdict);
        answer
    }

    /// What a client comes to know that waits for an answer until it gives up.
    #[inline]
    pub(super) fn awaited(&mut self, workload: usize, answer: Answer, gives_up: Instant) -> Known {
        if answer.latency <= gives_up.since(self.now) {
            let at = self.now + answer.latency;
            let retry_after = answer.retry_after.map(|header| header.wait(at));
            return Known { at, class: Class::Answer, outcome: answer.outcome, retry_after };
        }
        if gives_up < self.horizon {
            self.tallies[workload].timed_out(gives_up);
            self.tallies[workload].wasted += u64::from(answer.verdict.is_work());
        }
        Known { at: gives_up, class: Class::Timeout, outcome: Outcome::Timeout, retry_after: None }
    }
}
