//! Services that call others: what one asks of another for the sake of a call, and what comes of that.
//!
//! What is asked begins as all that begins: after everything that ends at the same instant. Each request is one of a workload
//! that the service issues, with a policy and guards of its own.

use super::Simulation;
use super::call::Call;
use super::clients::Nested;
use super::event::{Class, Event, rank};
use super::request::Sake;
use crate::time::Interval;
use crate::verdict::Verdict;
use crate::workload::Arrival;

/// What a service asks of others for the sake of one call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    /// Which of the workloads of the service is under way, from 1.
    pub(super) step: u16,
    /// The place of the first of its requests among all of it.
    pub(super) first: u64,
    /// Requests of it that have not ended.
    pub(super) waiting: u32,
    /// True if one of them has failed.
    pub(super) failed: bool,
    /// True if they know until when the client of the call waits.
    pub(super) propagates: bool,
}

impl Simulation<'_> {
    /// The service of a call asks the next one of others for its sake; it answers if there is none left.
    pub(super) fn call_on(&mut self, index: u32) {
        let call = &mut self.calls.calls[index as usize];
        let service = self.clients[usize::from(call.workload)].service;
        let Some(&callee) = self.callees[service].get(usize::from(call.asked.step)) else {
            return self.send_back(index, Interval::ZERO);
        };
        let nested =
            self.clients[usize::from(callee)].nested.as_mut().expect("a service issues its requests");
        let Nested { fan_out, propagates, failure, issued, .. } = *nested;
        if propagates && call.gives_up <= self.now {
            (call.answer.outcome, call.answer.verdict) = (failure, Verdict::Faulty);
            return self.send_back(index, Interval::ZERO);
        }
        nested.issued += u64::from(fan_out);
        call.asked =
            Asked { step: call.asked.step + 1, first: issued, waiting: fan_out, failed: false, propagates };
        let tie = self.clients[usize::from(callee)].tie;
        for place in 0..fan_out {
            let rank = rank(Class::Begin, tie, issued + u64::from(place));
            self.queue.push(self.now, rank, Event::Ask { call: index, place: place as u16 });
        }
    }

    /// A request begins for the sake of a call. Its number is a function of the attempt that has made the call and of its place
    /// among the requests at once, so that its luck is the same in every arm.
    pub(super) fn ask(&mut self, index: u32, place: u16) {
        let Call { number, attempt, workload, over, asked, .. } = self.calls.calls[index as usize];
        if over {
            return self.returned(index, false);
        }
        let asking = &self.clients[usize::from(workload)];
        let callee = usize::from(self.callees[asking.service][usize::from(asked.step) - 1]);
        let nested = self.clients[callee].nested.expect("a service issues its requests");
        let [number, _] = asking.asks.block(number, u64::from(attempt) << 32 | u64::from(place));
        let order = asked.first + u64::from(place);
        let arrival = Arrival { at: self.now, number, client: (order % nested.clients) as u32 };
        self.issue(callee, arrival, Sake { parent: index, order });
    }

    /// A request that was issued for the sake of a call has ended.
    pub(super) fn returned(&mut self, index: u32, succeeded: bool) {
        let call = &mut self.calls.calls[index as usize];
        call.asked.waiting -= 1;
        call.asked.failed |= !succeeded;
        if call.asked.waiting > 0 {
            return;
        }
        if call.over {
            self.calls.release(index);
            return;
        }
        if !call.asked.failed {
            return self.call_on(index);
        }
        let service = self.clients[usize::from(call.workload)].service;
        let callee = self.callees[service][usize::from(call.asked.step) - 1];
        let nested = self.clients[usize::from(callee)].nested.expect("a service issues its requests");
        (call.answer.outcome, call.answer.verdict) = (nested.failure, Verdict::Faulty);
        self.send_back(index, Interval::ZERO);
    }

    /// The client of a call has stopped waiting: a service that lets go of such calls does so although others still work for
    /// its sake.
    pub(super) fn abandon(&mut self, index: u32) {
        let Call { workload, kept, .. } = self.calls.calls[index as usize];
        let service = self.clients[usize::from(workload)].service;
        if kept && self.services[service].abandon(self.now, index) {
            self.calls.calls[index as usize].kept = false;
            self.let_go(index);
        }
    }
}
