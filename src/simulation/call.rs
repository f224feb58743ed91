//! Calls: attempts whose outcome is not known when they are sent, because the network takes its time, or because the service
//! decides while others come and go.
//!
//! A call is on its way, then with the service, then on its way back; meanwhile its client may stop waiting, which the service
//! does not know. It is kept until nothing scheduled names it any more.

use super::Simulation;
use super::event::{Class, Event, rank};
use super::nested::Asked;
use super::request::{Sake, Wait};
use crate::outcome::Outcome;
use crate::random::Luck;
use crate::service::{Answer, Fate, Reply};
use crate::time::{Instant, Interval};
use crate::verdict::Verdict;

/// An attempt between its client and its service.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "none follows from the others")]
pub(super) struct Call {
    /// The request, as long as its client waits.
    pub(super) slot: u32,
    /// Number of the request, and its place among those of its workload.
    pub(super) number: u64,
    pub(super) order: u64,
    client: u32,
    /// When it reached the service.
    arrived: Instant,
    /// Number of the attempt within the request, from 1.
    pub(super) attempt: u32,
    /// Number of the attempt among those of the request that reach the service, from 1.
    reached: u32,
    pub(super) workload: u16,
    /// How many scheduled events, and services, still name it.
    named: u8,
    /// True while its client waits for the answer.
    awaited: bool,
    /// True if its end was not known when it went in.
    inside: bool,
    /// True while it stays inside its service although that has done its own work.
    pub(super) kept: bool,
    /// True once its service has answered it, or let go of it.
    pub(super) over: bool,
    /// The answer, once there is one; before that, the one that it gets if it is served.
    pub(super) answer: Answer,
    /// How long the answer takes to its client.
    back: Interval,
    /// When its client stops waiting.
    pub(super) gives_up: Instant,
    /// What its service asks of others for its sake.
    pub(super) asked: Asked,
}

/// All calls, by index.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) calls: Vec<Call>,
    free: Vec<u32>,
}

impl Calls {
    fn insert(&mut self, call: Call) -> u32 {
        if let Some(index) = self.free.pop() {
            self.calls[index as usize] = call;
            return index;
        }
        self.calls.push(call);
        u32::try_from(self.calls.len() - 1).expect("fewer than 2^32 calls are under way at once")
    }

    /// When the client of a call stops waiting, if it is one whose deadline ends what is asked for its sake.
    #[inline]
    pub(super) fn deadline(&self, parent: u32) -> Instant {
        match self.calls.get(parent as usize) {
            Some(call) if call.asked.propagates => call.gives_up,
            _ => Instant::LAST,
        }
    }

    /// One thing less names the call, which is forgotten after the last.
    pub(super) fn release(&mut self, index: u32) -> Call {
        let call = &mut self.calls[index as usize];
        call.named -= 1;
        if call.named == 0 {
            self.free.push(index);
        }
        *call
    }
}

impl Simulation<'_> {
    /// An attempt leaves its client as a call.
    pub(super) fn call(&mut self, slot: u32) {
        let request = &self.requests[slot];
        let Sake { parent, order } = self.requests.sake(slot);
        let (workload, number) = (usize::from(request.workload), request.number);
        let (attempt, reached) = (request.attempts, request.reached);
        let clients = &self.clients[workload];
        let service = &self.services[clients.service];
        let [to, back] = service.ways(|| clients.network.block(number, 2 * u64::from(attempt)));
        let answer = Answer {
            outcome: Outcome::Timeout,
            latency: Interval::ZERO,
            retry_after: None,
            verdict: Verdict::Served,
        };
        let deadline = self.calls.deadline(parent);
        let gives_up = (self.now + clients.timeout).min(deadline).max(self.now);
        let waits = gives_up < self.horizon;
        let call = self.calls.insert(Call {
            slot,
            number,
            order,
            client: request.client,
            arrived: self.now,
            attempt,
            reached,
            workload: request.workload,
            named: 1 + u8::from(waits),
            awaited: true,
            inside: false,
            kept: false,
            over: false,
            answer,
            back,
            gives_up,
            asked: Asked::default(),
        });
        if waits {
            self.schedule_call(gives_up, Class::Timeout, call, Event::Timeout { call });
        }
        if to.is_zero() {
            self.reach(call);
        } else {
            self.schedule_call(self.now + to, Class::Begin, call, Event::Reach { call });
        }
    }

    /// A call reaches its service.
    pub(super) fn reach(&mut self, index: u32) {
        let now = self.now;
        self.calls.calls[index as usize].arrived = now;
        let (service, call) = self.as_seen(index);
        let reply = self.services[service].receive(now, &call);
        self.service_tallies[service].offered(now, call.retry);
        self.take_in(index, reply);
    }

    /// A call goes in that a limit has held.
    pub(super) fn go_in(&mut self, index: u32) {
        let (service, call) = self.as_seen(index);
        let reply = self.services[service].enter(self.now, &call);
        self.take_in(index, reply);
    }

    /// The service of a call, and the call as it sees it.
    fn as_seen(&self, index: u32) -> (usize, crate::service::Call) {
        let Call { number, client, attempt, arrived, reached, workload, gives_up, .. } =
            self.calls.calls[index as usize];
        let clients = &self.clients[usize::from(workload)];
        let service = &self.services[clients.service];
        let [first, second] = service.ways(|| clients.network.block(number, 2 * u64::from(attempt) + 1));
        let call = crate::service::Call {
            index,
            caller: clients.caller(number, client),
            arrived,
            reached,
            input: clients.input(number, service),
            luck: Luck::At { key: clients.luck, entity: number, index: attempt.into() },
            way: first + second,
            gives_up,
            retry: attempt > 1,
        };
        (clients.service, call)
    }

    /// What follows from the first reply of a service.
    fn take_in(&mut self, index: u32, reply: Reply) {
        match reply {
            Reply::Now(answer) => self.respond(index, answer),
            Reply::Held(held) => {
                self.schedule_call(self.now + held, Class::Begin, index, Event::Enter { call: index });
            }
            Reply::Later { served, pushed_out } => {
                let call = &mut self.calls.calls[index as usize];
                (call.answer, call.inside) = (served, true);
                if let Some(other) = pushed_out {
                    self.depart(other, Fate::PushedOut);
                }
            }
        }
    }

    /// Something happens inside a service; perhaps a call leaves it.
    pub(super) fn happen(&mut self, service: usize) {
        if let Some(departure) = self.services[service].step() {
            self.depart(departure.call, departure.fate);
        }
    }

    /// A call leaves the inside of its service.
    fn depart(&mut self, index: u32, fate: Fate) {
        let call = &mut self.calls.calls[index as usize];
        let service = self.clients[usize::from(call.workload)].service;
        call.kept = fate == Fate::Served && self.services[service].keeps_calls();
        if let Some(answer) = self.services[service].parting(fate, call.answer) {
            self.respond(index, answer);
        } else {
            self.let_go(index);
            self.calls.release(index);
        }
    }

    /// The service of a call will not answer it, because its client has stopped waiting.
    pub(super) fn let_go(&mut self, index: u32) {
        self.leave(index);
        let call = &mut self.calls.calls[index as usize];
        (call.over, call.answer.verdict) = (true, Verdict::Abandoned);
    }

    /// The service is done with a call after the latency of the answer, unless others have work to do for it.
    fn respond(&mut self, index: u32, answer: Answer) {
        let call = &mut self.calls.calls[index as usize];
        call.answer = answer;
        let service = self.clients[usize::from(call.workload)].service;
        if answer.verdict != Verdict::Served || self.callees[service].is_empty() {
            self.send_back(index, answer.latency);
        } else if answer.latency.is_zero() {
            call.inside = true;
            self.call_on(index);
        } else {
            call.inside = true;
            self.schedule_call(
                self.now + answer.latency,
                Class::Answer,
                index,
                Event::Worked { call: index },
            );
        }
    }

    /// The answer to a call leaves the service after so long.
    pub(super) fn send_back(&mut self, index: u32, latency: Interval) {
        let Call { workload, back, answer, awaited, .. } = self.calls.calls[index as usize];
        let workload = usize::from(workload);
        self.leave(index);
        self.judge(workload, self.now, answer.verdict);
        self.calls.calls[index as usize].over = true;
        self.tallies[workload].wasted += u64::from(!awaited && answer.verdict.is_work());
        let at = self.now + latency + back;
        // What waits for a nested request may be inside a service in which more happens at this instant: first all of that.
        if at == self.now && self.clients[workload].nested.is_none() {
            self.reply(index);
        } else {
            self.schedule_call(at, Class::Answer, index, Event::Reply { call: index });
        }
    }

    /// The service has no more to do with a call.
    fn leave(&mut self, index: u32) {
        let call = &mut self.calls.calls[index as usize];
        let kept = std::mem::take(&mut call.kept);
        let Call { number, client, arrived, workload, inside, .. } = *call;
        let clients = &self.clients[usize::from(workload)];
        let service = &mut self.services[clients.service];
        if inside {
            service.over(&clients.caller(number, client), arrived, self.now);
        }
        if kept {
            service.release(self.now, index);
        }
    }

    /// The answer to a call reaches its client, who may have stopped waiting.
    pub(super) fn reply(&mut self, index: u32) {
        let Call { slot, awaited, answer, .. } = self.calls.release(index);
        if !awaited {
            return;
        }
        self.calls.calls[index as usize].awaited = false;
        let request = &mut self.requests[slot];
        request.outcome = answer.outcome;
        request.retry_after = answer.retry_after.map(|header| header.wait(self.now)).into();
        self.conclude(slot, self.now);
    }

    /// A client stops waiting for the answer to a call, unless it has it.
    pub(super) fn give_up(&mut self, index: u32) {
        let Call { slot, awaited, workload, over, answer, .. } = self.calls.release(index);
        if awaited {
            self.calls.calls[index as usize].awaited = false;
            let tally = &mut self.tallies[usize::from(workload)];
            tally.timed_out(self.now);
            tally.wasted += u64::from(over && answer.verdict.is_work());
            self.abandon(index);
            let request = &mut self.requests[slot];
            (request.outcome, request.retry_after) = (Outcome::Timeout, Wait::NONE);
            self.conclude(slot, self.now);
        }
    }

    /// Schedules an event of a call. One that lies beyond the run names it no more.
    fn schedule_call(&mut self, at: Instant, class: Class, index: u32, event: Event) {
        if at < self.horizon {
            let Call { workload, order, .. } = self.calls.calls[index as usize];
            let rank = rank(class, self.clients[usize::from(workload)].tie, order);
            self.queue.push(at, rank, event);
        } else {
            self.calls.release(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn calls_that_are_never_answered_are_forgotten_when_their_clients_have_stopped_waiting() {
        for (trouble, timeout) in [
            (
                "faults = [{ random = { status = 'no_answer', probability = 1 } }]\nnetwork.constant = '1ms'",
                "5s",
            ),
            ("latency.constant = '3h'\nnetwork.constant = '1ms'", "5s"),
            ("capacity = { servers = 1, abandoned = 'cancelled' }\nlatency.constant = '1s'", "500ms"),
            (
                "capacity = { servers = 1, abandoned = 'cancelled' }\nincidents = [{ capacity = { from = '0s', lasts = '2h', share = 0 } }]",
                "5s",
            ),
        ] {
            let text = format!(
                "horizon = '1h'\n[services.api]\n{trouble}\n[workloads.calls]\nservice = 'api'\ntimeout = '{timeout}'\n\
                 arrivals.even = {{ rate = '1/s' }}\n[policies.p]\nretries = 0"
            );
            let scenario =
                Scenario::parse("calls", "calls", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
            let mut simulation = Simulation::new(&scenario, 0, 0, 0);
            simulation.play();
            assert!(simulation.tallies[0].timed_out > 3500, "{trouble}");
            let kept = simulation.calls.calls.len();
            assert!(kept <= 7, "{trouble}: {kept} calls at once, of which five or six are waited for");
        }
    }
}
