//! Attempts that a service answers at once: their outcome is known when they are sent, and when their client will know it.

use super::Simulation;
use super::clients::Clients;
use super::event::Class;
use crate::metrics::{ServiceTally, WorkloadTally};
use crate::outcome::Outcome;
use crate::random::Luck;
use crate::service::{Answer, Call, Reply, Service};
use crate::time::{Instant, Interval};

/// An attempt on its way to a service that answers at once.
#[derive(Debug)]
pub(super) struct Sent {
    /// What the service names it by.
    pub(super) slot: u32,
    /// Number of its request.
    pub(super) number: u64,
    pub(super) client: u32,
    pub(super) luck: Luck,
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

/// The clients of one workload and the service that they call, with what is counted of both.
#[derive(Debug)]
pub(super) struct Meeting<'a> {
    now: Instant,
    horizon: Instant,
    pub(super) clients: &'a mut Clients,
    service: &'a mut Service,
    pub(super) tally: &'a mut WorkloadTally,
    pub(super) service_tally: &'a mut ServiceTally,
}

impl Simulation<'_> {
    /// Where the clients of a workload meet their service.
    #[inline]
    pub(super) fn meeting(&mut self, workload: usize) -> Meeting<'_> {
        let clients = &mut self.clients[workload];
        Meeting {
            now: self.now,
            horizon: self.horizon,
            service: &mut self.services[clients.service],
            service_tally: &mut self.service_tallies[clients.service],
            tally: &mut self.tallies[workload],
            clients,
        }
    }
}

impl Meeting<'_> {
    /// What a client comes to know of an attempt that its service answers at once, if it waits until it gives up.
    #[expect(
        clippy::inline_always,
        reason = "taking it apart and putting it together again costs as much as the attempt"
    )]
    #[inline(always)]
    pub(super) fn attempt(&mut self, sent: &Sent) -> Known {
        let answer = self.answer(sent);
        self.tally.judged(self.now, answer.verdict);
        self.service_tally.judged(answer.verdict);
        if answer.latency <= sent.gives_up.since(self.now) {
            let at = self.now + answer.latency;
            let retry_after = answer.retry_after.map(|header| header.wait(at));
            return Known { at, class: Class::Answer, outcome: answer.outcome, retry_after };
        }
        if sent.gives_up < self.horizon {
            self.tally.timed_out(sent.gives_up);
            self.tally.wasted += u64::from(answer.verdict.is_work());
        }
        Known { at: sent.gives_up, class: Class::Timeout, outcome: Outcome::Timeout, retry_after: None }
    }

    /// What a service that answers at once makes of an attempt.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn answer(&mut self, sent: &Sent) -> Answer {
        let Self { now, ref clients, .. } = *self;
        let call = Call {
            index: sent.slot,
            caller: clients.caller(sent.number, sent.client),
            arrived: now,
            reached: sent.reached,
            input: clients.input(sent.number, self.service),
            luck: sent.luck,
            way: Interval::ZERO,
            gives_up: sent.gives_up,
            retry: sent.attempt > 1,
        };
        self.service_tally.offered(now, sent.attempt > 1);
        let Reply::Now(answer) = self.service.receive(now, &call) else {
            unreachable!("only a service that defers takes calls in");
        };
        if sent.attempt == 1
            && let Some(recorded) = clients.draws.recorded(sent.number)
        {
            return Answer::recorded(recorded.outcome, recorded.latency, recorded.retry_after);
        }
        answer
    }
}
