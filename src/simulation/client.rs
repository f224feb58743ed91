//! The life of a request, seen from its client: arrival -> cache? -> slot? -> breaker? -> attempt -> outcome -> decision.
//!
//! Policies nest: an attempt of the outer one is a whole life of the inner one. An attempt goes down through the layers, past
//! their guards; a failure climbs up, until a layer retries it or none is left.

use super::Simulation;
use super::at_once::Sent;
use super::clients::Layer;
use super::event::{Class, Event, rank};
use super::guard::Passage;
use super::request::{Layered, NO_CALL, Request, Sake, Stage, Wait};
use super::trace::{Next, Step};
use crate::metrics::Ended;
use crate::outcome::{Ending, Outcome};
use crate::policy::{Decision, Delay, History};
use crate::random::Luck;
use crate::time::Instant;
use crate::verdict::Verdict;
use crate::workload::Arrival;

impl Simulation<'_> {
    /// A request arrives, and the next one of its workload is looked up.
    pub(super) fn arrive(&mut self, workload: usize) {
        let arrivals = &mut self.arrivals[workload];
        let arrival = arrivals.next.expect("the arrival was seen a moment ago");
        arrivals.next = arrivals.stream.next();
        self.look_up_first();
        self.begin(workload, arrival);
    }

    /// A request begins that a client issues.
    #[inline]
    fn begin(&mut self, workload: usize, arrival: Arrival) {
        if self.clients[workload].plain {
            self.arrive_plain(workload, arrival);
        } else {
            self.issue(workload, arrival, Sake { parent: NO_CALL, order: arrival.number });
        }
    }

    /// A client of a closed population thinks from `at` on, until it issues its next request.
    pub(super) fn think(&mut self, workload: usize, client: u32, at: Instant) {
        let clients = &mut self.clients[workload];
        if let Some(closed) = &mut clients.closed {
            let number = closed.next(client);
            let issues = at + clients.draws.think(number);
            if issues < self.horizon.min(closed.until) {
                let rank = rank(Class::Begin, clients.tie, number);
                self.queue.push(issues, rank, Event::Issue { workload: workload as u16, client });
            }
        }
    }

    /// A client of a closed population has thought.
    pub(super) fn thought(&mut self, workload: usize, client: u32) {
        let closed = self.clients[workload].closed.as_ref().expect("only those of a closed population think");
        let arrival = Arrival { at: self.now, number: closed.last(client), client };
        self.begin(workload, arrival);
    }

    /// A request begins.
    pub(super) fn issue(&mut self, workload: usize, arrival: Arrival, sake: Sake) {
        let Arrival { at, number, client } = arrival;
        self.tallies[workload].arrived(at);
        let outermost = self.clients[workload].layers.len() as u8 - 1;
        let request = Request {
            number,
            arrived: at,
            outcome: Outcome::Timeout,
            retry_after: Wait::NONE,
            client,
            attempts: 0,
            reached: 0,
            workload: workload as u16,
            maker: outermost,
            enters: outermost,
            stage: Stage::New,
            alive: true,
            traced: self.tracers[workload].follows((number, sake.order), client, at),
            placed: false,
            innermost: Layered::default(),
        };
        let slot = self.requests.insert(request, sake);
        if self.clients[workload].cached(number, at) {
            self.end(slot, at, Ending::Cached);
        } else {
            self.attempt(slot);
        }
    }

    /// A request begins its next attempt, or goes on with it: if it has a slot and no guard stops it, the service answers.
    pub(super) fn attempt(&mut self, slot: u32) {
        if !self.take_place(slot) {
            return;
        }
        let (now, maker) = (self.now, usize::from(self.requests[slot].maker));
        if self.requests[slot].stage == Stage::New {
            let retries = self.requests.layer(slot, maker).attempts > 0;
            if retries && !self.affords(slot, now, maker, true) {
                self.leave_budget(slot, maker);
                let request = &mut self.requests[slot];
                request.attempts += 1;
                (request.retry_after, request.stage) = (Wait::NONE, Stage::Denied);
                self.note_sent(slot);
                return self.climb(slot, now, maker + 1, Ending::BudgetDenied);
            }
            self.count_attempt(slot);
        }
        let Request { enters, stage, .. } = self.requests[slot];
        let enters = usize::from(enters);
        for layer in (0..=enters).rev() {
            if layer < enters || stage == Stage::New {
                self.enter(slot, layer);
            }
            match self.guard(slot, layer) {
                Passage::Through => {}
                Passage::Refused(refusal) => return self.refuse(slot, layer, refusal),
                Passage::Later => return,
            }
        }
        self.send(slot);
    }

    /// A request goes on that has waited for a slot or at a guard, unless what it was issued for has been given up meanwhile.
    pub(super) fn resume(&mut self, slot: u32) {
        if self.now < self.calls.deadline(self.requests.sake(slot).parent) {
            return self.attempt(slot);
        }
        // An attempt that is not sent: the guards that have let it through learn that it says nothing about the service.
        self.note_sent(slot);
        let request = &mut self.requests[slot];
        request.attempts += u32::from(request.stage == Stage::New);
        (request.retry_after, request.stage) = (Wait::NONE, Stage::Denied);
        request.outcome = Outcome::Shed;
        let (workload, enters) = (usize::from(request.workload), usize::from(request.enters));
        for layer in enters..self.clients[workload].layers.len() {
            if self.requests.layer(slot, layer).attempts > 0 {
                self.inform(slot, self.now, layer);
                self.leave_budget(slot, layer);
            }
        }
        self.end(slot, self.now, Ending::DeadlineExceeded);
    }

    /// The attempt reaches its service.
    fn send(&mut self, slot: u32) {
        let now = self.now;
        self.count_retry(slot);
        self.note_sent(slot);
        let request = &mut self.requests[slot];
        request.reached += 1;
        let Request { number, client, attempts: attempt, reached, .. } = *request;
        let workload = usize::from(request.workload);
        let clients = &self.clients[workload];
        self.tallies[workload].sent(now, attempt);
        if self.deferred[clients.service] {
            return self.call(slot);
        }
        let gives_up = (now + clients.timeout).min(self.calls.deadline(self.requests.sake(slot).parent));
        let shares_outcomes = clients.shares_outcomes;
        let luck = Luck::At { key: clients.luck, entity: number, index: attempt.into() };
        let sent = Sent { slot, number, client, luck, attempt, reached, gives_up };
        let known = self.meeting(workload).attempt(&sent);
        let request = &mut self.requests[slot];
        (request.outcome, request.retry_after) = (known.outcome, known.retry_after.into());
        if shares_outcomes {
            self.schedule(known.at, known.class, slot, Event::Outcome { slot });
        } else {
            self.conclude(slot, known.at);
        }
    }

    /// Counts what a service has made of an attempt.
    pub(super) fn judge(&mut self, workload: usize, at: Instant, verdict: Verdict) {
        self.tallies[workload].judged(at, verdict);
        self.service_tallies[self.clients[workload].service].judged(verdict);
    }

    /// A guard does not let the attempt out.
    fn refuse(&mut self, slot: u32, layer: usize, refusal: Outcome) {
        let now = self.now;
        self.count_retry(slot);
        self.note_sent(slot);
        let request = &mut self.requests[slot];
        request.outcome = refusal;
        let tally = &mut self.tallies[usize::from(request.workload)];
        let ending = if refusal == Outcome::Shed {
            tally.shed(now);
            Ending::ShedByClient
        } else {
            tally.refused(now);
            Ending::BreakerRejected
        };
        self.climb(slot, now, layer, ending);
    }

    /// Tells a retry from a first attempt, and which policy has made it.
    #[inline]
    fn count_retry(&mut self, slot: u32) {
        let request = &self.requests[slot];
        if request.attempts > 1 {
            let workload = usize::from(request.workload);
            let layer = &self.clients[workload].layers[usize::from(request.maker)];
            self.tallies[workload].retried(layer.number);
        }
    }

    /// Takes one of the slots of the workload for a request, if they are limited; false if it has to wait for one.
    fn take_place(&mut self, slot: u32) -> bool {
        let request = &mut self.requests[slot];
        if !request.placed
            && let Some(slots) = self.clients[usize::from(request.workload)].slots
        {
            request.placed = self.guards.slots[slots].of(request.client).1.take(slot);
            return request.placed;
        }
        true
    }

    /// Gives the request's slot to the one that has waited longest.
    fn give_place(&mut self, slot: u32, at: Instant) {
        let request = &mut self.requests[slot];
        if request.placed
            && let Some(slots) = self.clients[usize::from(request.workload)].slots
        {
            request.placed = false;
            if let Some(next) = self.guards.slots[slots].of(request.client).1.give_back() {
                self.requests[next].placed = true;
                self.schedule(at, Class::Begin, next, Event::Resume { slot: next });
            }
        }
    }

    /// Counts the attempt; all layers inside the one that makes it begin anew.
    fn count_attempt(&mut self, slot: u32) {
        let request = &mut self.requests[slot];
        let (maker, base) = (usize::from(request.maker), request.attempts);
        request.attempts += 1;
        request.retry_after = Wait::NONE;
        if maker > 0 {
            self.requests.restart(slot, maker, base);
        }
    }

    /// The attempt comes to a layer, which knows nothing of those that a guard further out has stopped.
    fn enter(&mut self, slot: u32, layer: usize) {
        let now = self.now;
        let layered = self.requests.layer(slot, layer);
        layered.attempts += 1;
        if layered.attempts == 1 {
            layered.began = now;
        }
        self.count_in_budget(slot, layer);
    }

    /// The client learns the outcome of its attempt at `at`, which may lie ahead of the clock (see
    /// [`Clients::shares_outcomes`](super::clients::Clients::shares_outcomes)).
    pub(super) fn conclude(&mut self, slot: u32, at: Instant) {
        if at < self.horizon {
            let Request { workload, outcome, .. } = self.requests[slot];
            self.service_tallies[self.clients[usize::from(workload)].service].answered(outcome);
            let ending = if outcome.is_success() { Ending::Succeeded } else { Ending::Exhausted };
            self.climb(slot, at, 0, ending);
        }
    }

    /// The outcome goes up through the layers from `from` on: their guards learn it, and their policies decide about a
    /// failure, until one retries it. `ending` is how the request ends if none does, and none gives another reason.
    fn climb(&mut self, slot: u32, at: Instant, from: usize, mut ending: Ending) {
        let workload = usize::from(self.requests[slot].workload);
        for layer in from..self.clients[workload].layers.len() {
            self.inform(slot, at, layer);
            if ending != Ending::Succeeded {
                match self.decide(slot, at, layer) {
                    Some(Decision::Retry(delay))
                        if at + delay.wait >= self.calls.deadline(self.requests.sake(slot).parent) =>
                    {
                        ending = Ending::DeadlineExceeded;
                    }
                    Some(Decision::Retry(delay)) if self.affords(slot, at, layer, false) => {
                        return self.retry(slot, at, layer, delay);
                    }
                    Some(Decision::Retry(_)) => ending = Ending::BudgetDenied,
                    Some(Decision::GiveUp(reason)) => ending = reason,
                    None => {}
                }
            }
            self.leave_budget(slot, layer);
        }
        if ending == Ending::Succeeded {
            let number = self.requests[slot].number;
            self.clients[workload].keep(number, at);
        }
        self.end(slot, at, ending);
    }

    /// A layer tries again after a delay.
    fn retry(&mut self, slot: u32, at: Instant, layer: usize, delay: Delay) {
        self.requests.remember(slot, layer, delay.memory);
        let workload = usize::from(self.requests[slot].workload);
        let Layer { number, frees_slot, .. } = self.clients[workload].layers[layer];
        self.trace(slot, at, Next::Retry { delay, layer: number });
        let request = &mut self.requests[slot];
        (request.maker, request.enters, request.stage) = (layer as u8, layer as u8, Stage::New);
        if frees_slot {
            self.give_place(slot, at);
        }
        self.schedule(at + delay.wait, Class::Begin, slot, Event::Attempt { slot });
    }

    /// What the policy of a layer makes of a failure; nothing if the layer has none.
    fn decide(&mut self, slot: u32, at: Instant, layer: usize) -> Option<Decision> {
        let Layered { began, base, attempts } = *self.requests.layer(slot, layer);
        let memory = self.requests.memory(slot, layer);
        let request = &self.requests[slot];
        let clients = &self.clients[usize::from(request.workload)];
        let history = History { attempts, elapsed: at.since(began), request: request.number, memory };
        // Each retry of each policy has luck of its own, which does not depend on where the guards stand.
        let luck = |retry| clients.backoff.block(request.number, clients.layers[layer].luck(base + retry));
        let policy = clients.layers[layer].policy.as_ref()?;
        Some(policy.decide(request.outcome, request.retry_after.get(), &history, &luck))
    }

    /// The request ends.
    fn end(&mut self, slot: u32, at: Instant, ending: Ending) {
        self.trace(slot, at, Next::End(ending));
        self.give_place(slot, at);
        let parent = self.requests.sake(slot).parent;
        let request = &self.requests[slot];
        let age = at.since(request.arrived);
        let (workload, client) = (usize::from(request.workload), request.client);
        self.tallies[workload].ended(Ended { ending, at, age });
        self.requests.remove(slot);
        if parent != NO_CALL {
            self.returned(parent, ending.is_success());
        }
        self.think(workload, client, at);
    }

    /// The attempt is sent now, or refused: what is traced remembers that.
    #[inline]
    fn note_sent(&mut self, slot: u32) {
        let request = &self.requests[slot];
        if request.traced {
            let order = self.requests.sake(slot).order;
            self.tracers[usize::from(request.workload)].send((request.number, order), self.now);
        }
    }

    fn trace(&mut self, slot: u32, at: Instant, next: Next) {
        let request = &self.requests[slot];
        if request.traced {
            let answered = request.stage != Stage::Denied && !matches!(next, Next::End(Ending::Cached));
            let step = |sent| Step {
                attempt: request.attempts,
                sent,
                known: at,
                outcome: answered.then_some(request.outcome),
                retry_after: request.retry_after.get(),
                next,
            };
            let order = self.requests.sake(slot).order;
            self.tracers[usize::from(request.workload)].record((request.number, order), step);
        }
    }
}
