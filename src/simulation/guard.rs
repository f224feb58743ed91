//! The guards of a layer, from the side of a request: leave to go, waiting for it, and the news of how it went.

use super::Simulation;
use super::event::{Class as Turn, Event};
use super::lanes;
use super::request::Stage;
use crate::breaker;
use crate::budget::{Class, Grant};
use crate::limiter::Admission;
use crate::outcome::Outcome;
use crate::time::Instant;

/// What the guards of a layer make of an attempt.
pub(super) enum Passage {
    /// It goes on.
    Through,
    /// It fails with this outcome.
    Refused(Outcome),
    /// It goes on later, by an event of its own.
    Later,
}

impl Simulation<'_> {
    /// Asks the guards of a layer for leave.
    #[inline]
    pub(super) fn guard(&mut self, slot: u32, layer: usize) -> Passage {
        let request = &self.requests[slot];
        if self.clients[usize::from(request.workload)].layers[layer].is_guarded() {
            self.ask_guards(slot, layer)
        } else {
            Passage::Through
        }
    }

    fn ask_guards(&mut self, slot: u32, layer: usize) -> Passage {
        let request = &self.requests[slot];
        let stage = if layer == usize::from(request.enters) { request.stage } else { Stage::New };
        if stage == Stage::Through {
            return Passage::Through;
        }
        let (client, number, attempts) = (request.client, request.number, request.attempts);
        let clients = &self.clients[usize::from(request.workload)];
        let guards = &clients.layers[layer];
        if let Some(index) = guards.breaker {
            let breakers = &mut self.guards.breakers[index];
            let (rules, breaker) = breakers.of(client);
            let before = breaker.spell(rules);
            let admission = breaker.try_acquire(rules, self.now);
            lanes::note(&mut self.guards.lanes[index], before, breaker.spell(rules));
            let passes = self.requests.passes(slot, layer);
            (passes.permit, passes.since) = (admission.permit(), self.now);
            match admission {
                breaker::Admission::Granted(_) => {}
                breaker::Admission::Refused => return Passage::Refused(Outcome::BreakerOpen),
                breaker::Admission::Wait => {
                    breakers.wait(client, slot);
                    self.go_on(slot, layer, Stage::AtBreaker);
                    return Passage::Later;
                }
            }
        }
        let Some(index) = guards.limiter else { return Passage::Through };
        let bits = clients.limiter.block(number, (guards.number as u64) << 32 | u64::from(attempts))[0];
        let limiters = &mut self.guards.limiters[index];
        let (rules, limiter) = limiters.of(client);
        let admission = limiter.acquire(rules, self.now, bits);
        self.requests.passes(slot, layer).limited = matches!(admission, Admission::Now | Admission::After(_));
        match admission {
            Admission::Now => Passage::Through,
            Admission::Shed => Passage::Refused(Outcome::Shed),
            Admission::After(wait) => {
                self.go_on(slot, layer, Stage::Through);
                self.wake(slot, self.now + wait);
                Passage::Later
            }
            Admission::Queue => {
                limiters.wait(client, slot);
                self.go_on(slot, layer, Stage::Through);
                Passage::Later
            }
        }
    }

    /// When the attempt goes on, it does so at this stage of `layer`.
    fn go_on(&mut self, slot: u32, layer: usize, stage: Stage) {
        let request = &mut self.requests[slot];
        (request.enters, request.stage) = (layer as u8, stage);
    }

    /// The guards of a layer that let the attempt through learn its outcome.
    #[inline]
    pub(super) fn inform(&mut self, slot: u32, at: Instant, layer: usize) {
        let request = &self.requests[slot];
        if self.clients[usize::from(request.workload)].layers[layer].is_guarded() {
            self.tell_guards(slot, at, layer);
        }
    }

    fn tell_guards(&mut self, slot: u32, at: Instant, layer: usize) {
        let request = &self.requests[slot];
        let (client, outcome, asked) = (request.client, request.outcome, request.retry_after.get().is_some());
        let guards = &self.clients[usize::from(request.workload)].layers[layer];
        let success = outcome.is_success();
        if let Some(index) = guards.budget {
            let (rules, budget) = self.guards.budgets[index].of(client);
            if success {
                budget.on_success(rules, at, *self.requests.grant(slot, layer));
            } else {
                let retryable =
                    guards.policy.as_ref().is_some_and(|policy| policy.would_retry(outcome, asked));
                budget.on_failure(rules, retryable);
            }
            if std::mem::take(&mut self.requests.passes(slot, layer).retrying) {
                budget.on_retry_end();
            }
        }
        let passes = self.requests.passes(slot, layer);
        let took = at.since(passes.since);
        let limiter = guards.limiter.filter(|_| std::mem::take(&mut passes.limited));
        if let Some(index) = guards.breaker
            && let Some(permit) = passes.permit.take()
        {
            let breakers = &mut self.guards.breakers[index];
            let (rules, breaker) = breakers.of(client);
            let failed = rules.is_failure(outcome, asked);
            let before = breaker.spell(rules);
            // What the client itself refused says nothing about the service, unless the breaker is told to count it.
            let asks_again = if outcome.was_sent() || failed {
                breaker.record(rules, at, permit, !failed, took)
            } else {
                breaker.release(rules, at, permit)
            };
            lanes::note(&mut self.guards.lanes[index], before, breaker.spell(rules));
            if asks_again {
                let waiting: Vec<u32> = std::iter::from_fn(|| breakers.next(client)).collect();
                for next in waiting {
                    self.wake(next, at);
                }
            }
        }
        if let Some(index) = limiter {
            let limiters = &mut self.guards.limiters[index];
            let (rules, limiter) = limiters.of(client);
            limiter.on_outcome(rules, at, !outcome.blames_service(), outcome.is_throttling());
            limiter.release();
            // The place goes to the one that has waited longest, before anyone who comes now.
            if let Some(next) = limiters.next(client) {
                let (rules, limiter) = limiters.of(client);
                limiter.acquire(rules, at, 0);
                self.requests.passes(next, layer).limited = true;
                self.wake(next, at);
            }
        }
    }

    /// A request that has waited goes on.
    fn wake(&mut self, slot: u32, at: Instant) {
        self.schedule(at, Turn::Begin, slot, Event::Resume { slot });
    }

    /// A layer begins its first attempt of a request, or a retry that the budget has granted.
    pub(super) fn count_in_budget(&mut self, slot: u32, layer: usize) {
        let request = &self.requests[slot];
        if let Some(index) = self.clients[usize::from(request.workload)].layers[layer].budget {
            let (rules, budget) = self.guards.budgets[index].of(request.client);
            match self.requests.layer(slot, layer).attempts {
                1 => budget.on_request(rules, self.now),
                _ => budget.on_retry(rules),
            }
        }
    }

    /// True if the budget of a layer has a retry left. Some are asked at the decision, some when the retry begins.
    pub(super) fn affords(&mut self, slot: u32, at: Instant, layer: usize, begins: bool) -> bool {
        let request = &self.requests[slot];
        let Some(index) = self.clients[usize::from(request.workload)].layers[layer].budget else {
            return true;
        };
        let (rules, budget) = self.guards.budgets[index].of(request.client);
        if rules.asks_at_start() != begins {
            return true;
        }
        let class = match request.outcome {
            outcome if outcome.is_throttling() => Class::Throttled,
            Outcome::Timeout => Class::Timeout,
            _ => Class::Transient,
        };
        let grant: Option<Grant> = budget.try_retry(rules, at, class);
        self.requests.passes(slot, layer).retrying = grant.is_some();
        if grant.is_some() {
            *self.requests.grant(slot, layer) = grant;
        }
        grant.is_some()
    }

    /// A layer has done with a request.
    pub(super) fn leave_budget(&mut self, slot: u32, layer: usize) {
        let request = &self.requests[slot];
        if let Some(index) = self.clients[usize::from(request.workload)].layers[layer].budget {
            let (rules, budget) = self.guards.budgets[index].of(request.client);
            budget.on_request_end(rules);
        }
    }
}
