//! The guards of a layer, from the side of a request: leave to go, waiting for it, and the news of how it went.

use super::Simulation;
use super::event::{Class as Turn, Event};
use super::request::Stage;
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
    pub(super) fn guard(&mut self, slot: u32, layer: usize) -> Passage {
        let request = &self.requests[slot];
        let stage = if layer == usize::from(request.enters) { request.stage } else { Stage::New };
        if stage == Stage::Through {
            return Passage::Through;
        }
        let (client, number, attempts) = (request.client, request.number, request.attempts);
        let clients = &self.clients[usize::from(request.workload)];
        let guards = &clients.layers[layer];
        if let Some((config, index)) = guards.breaker {
            let permit = self.guards.breakers[index].of(client).try_acquire(config, self.now);
            self.requests.layer(slot, layer).permit = permit;
            if permit.is_none() {
                return Passage::Refused(Outcome::BreakerOpen);
            }
        }
        let Some((config, index)) = guards.limiter else { return Passage::Through };
        let bits = clients.limiter.block(number, (layer as u64) << 32 | u64::from(attempts))[0];
        let limiters = &mut self.guards.limiters[index];
        let admission = limiters.of(client).acquire(config, self.now, bits);
        self.requests.layer(slot, layer).limited = matches!(admission, Admission::Now | Admission::After(_));
        match admission {
            Admission::Now => Passage::Through,
            Admission::Shed => Passage::Refused(Outcome::Shed),
            Admission::After(wait) => {
                self.go_on(slot, layer, Stage::Through, Some(self.now + wait));
                Passage::Later
            }
            Admission::Queue => {
                limiters.wait(client, slot);
                self.go_on(slot, layer, Stage::Through, None);
                Passage::Later
            }
        }
    }

    /// The attempt goes on at `layer`, at an instant that may not be known yet.
    fn go_on(&mut self, slot: u32, layer: usize, stage: Stage, at: Option<Instant>) {
        let request = &mut self.requests[slot];
        (request.enters, request.stage) = (layer as u8, stage);
        if let Some(at) = at {
            self.schedule(at, Turn::Begin, slot, Event::Attempt { slot });
        }
    }

    /// The guards of a layer that let the attempt through learn its outcome.
    pub(super) fn inform(&mut self, slot: u32, at: Instant, layer: usize) {
        let request = &self.requests[slot];
        let (client, outcome, asked) = (request.client, request.outcome, request.retry_after.is_some());
        let guards = &self.clients[usize::from(request.workload)].layers[layer];
        if guards.breaker.is_none() && guards.limiter.is_none() && guards.budget.is_none() {
            return;
        }
        let success = outcome.is_success();
        let layered = self.requests.layer(slot, layer);
        if let Some((config, index)) = guards.breaker
            && let Some(permit) = layered.permit.take()
        {
            let failed = config.counts.includes(outcome, asked);
            self.guards.breakers[index].of(client).record(config, at, permit, !failed);
        }
        if let Some((config, index)) = guards.budget {
            let budget = self.guards.budgets[index].of(client);
            if success {
                budget.on_success(config, at, layered.grant);
            } else {
                let retryable =
                    guards.policy.as_ref().is_some_and(|policy| policy.would_retry(outcome, asked));
                budget.on_failure(config, retryable);
            }
            if std::mem::take(&mut layered.retrying) {
                budget.on_retry_end();
            }
        }
        if let Some((config, index)) = guards.limiter
            && std::mem::take(&mut layered.limited)
        {
            let limiters = &mut self.guards.limiters[index];
            let limiter = limiters.of(client);
            limiter.on_outcome(config, at, success, outcome.is_throttling());
            limiter.release();
            // The place goes to the one that has waited longest, before anyone who comes now.
            if let Some(next) = limiters.next(client) {
                limiters.of(client).acquire(config, at, 0);
                self.requests.layer(next, layer).limited = true;
                self.schedule(at, Turn::Begin, next, Event::Attempt { slot: next });
            }
        }
    }

    /// A layer begins its first attempt of a request, or a retry that the budget has granted.
    pub(super) fn count_in_budget(&mut self, slot: u32, layer: usize) {
        let request = &self.requests[slot];
        if let Some((config, index)) = self.clients[usize::from(request.workload)].layers[layer].budget {
            let budget = self.guards.budgets[index].of(request.client);
            match self.requests.layer(slot, layer).attempts {
                1 => budget.on_request(config, self.now),
                _ => budget.on_retry(config),
            }
        }
    }

    /// True if the budget of a layer has a retry left. Some are asked at the decision, some when the retry begins.
    pub(super) fn affords(&mut self, slot: u32, at: Instant, layer: usize, begins: bool) -> bool {
        let request = &self.requests[slot];
        let Some((config, index)) = self.clients[usize::from(request.workload)].layers[layer].budget else {
            return true;
        };
        if config.asks_at_start() != begins {
            return true;
        }
        let class = match request.outcome {
            outcome if outcome.is_throttling() => Class::Throttled,
            Outcome::Timeout => Class::Timeout,
            _ => Class::Transient,
        };
        let grant: Option<Grant> = self.guards.budgets[index].of(request.client).try_retry(config, at, class);
        let layered = self.requests.layer(slot, layer);
        layered.retrying = grant.is_some();
        layered.grant = grant.or(layered.grant);
        grant.is_some()
    }

    /// A layer has done with a request.
    pub(super) fn leave_budget(&mut self, slot: u32, layer: usize) {
        let request = &self.requests[slot];
        if let Some((config, index)) = self.clients[usize::from(request.workload)].layers[layer].budget {
            self.guards.budgets[index].of(request.client).on_request_end(config);
        }
    }
}
