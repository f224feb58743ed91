//! What is drawn, or was recorded, of each request of one workload: looked up by the number of the request.

use std::sync::Arc;

use super::arrivals::{RecordedAnswer, Recording};
use super::keys::KeyLaw;
use super::operations::{Operations, choose};
use super::{Arrivals, WorkloadConfig};
use crate::distribution::Sampler;
use crate::random::{Key, Purpose};
use crate::time::Interval;

/// The requests of one workload in one replication, but for when they arrive. Every answer is a pure function of the number of
/// the request.
#[derive(Debug, Clone)]
pub struct RequestDraws {
    recording: Option<Arc<Recording>>,
    /// True if the first attempts come to what was recorded.
    replays: bool,
    keys: Option<KeyLaw>,
    /// Cumulative shares of the operations; empty if there is one.
    operations: Vec<f64>,
    think: Option<Sampler>,
    accounts: u64,
    input: Key,
    operation: Key,
    thinking: Key,
}

impl RequestDraws {
    /// The requests of the workload, with the luck under the key of each purpose.
    pub fn new(config: &WorkloadConfig, key: impl Fn(Purpose) -> Key) -> Self {
        let (recording, think) = match &config.arrivals {
            Arrivals::Trace(trace) => (Some(Arc::clone(&trace.recording)), None),
            Arrivals::Closed(closed) => (None, Some(closed.think.sampler())),
            _ => (None, None),
        };
        Self {
            recording,
            replays: config.replays(),
            keys: config.keys.map(KeyLaw::new),
            operations: config.operations.as_ref().map_or_else(Vec::new, Operations::cumulative_shares),
            think,
            accounts: config.accounts.get(),
            input: key(Purpose::InputKeys),
            operation: key(Purpose::Operations),
            thinking: key(Purpose::Think),
        }
    }

    /// The operation of request `number`, as an index into [`WorkloadConfig::operation_names`]; 0 if there is only one.
    pub fn operation(&self, number: u64) -> usize {
        let recorded = self.recording.as_ref().and_then(|recording| recording.operation(number));
        recorded.unwrap_or_else(|| match self.operations[..] {
            [] | [_] => 0,
            ref shares => choose(shares, self.operation.block(number, 0)[0]),
        })
    }

    /// The input key of request `number`, below [`WorkloadConfig::key_count`]; `None` if every request has its own.
    pub fn input_key(&self, number: u64) -> Option<u32> {
        let recorded = self.recording.as_ref().and_then(|recording| recording.key(number));
        recorded.or_else(|| Some(self.keys.as_ref()?.at(self.input.block(number, 0)[0])))
    }

    /// What the first attempt of request `number` comes to, if a trace says so.
    #[inline]
    pub fn recorded(&self, number: u64) -> Option<RecordedAnswer> {
        if self.replays { self.recording.as_ref()?.result(number) } else { None }
    }

    /// How long the client of a closed workload thinks before it issues request `number`; 0s for other workloads.
    #[inline]
    pub fn think(&self, number: u64) -> Interval {
        let think = |sampler: &Sampler| sampler.sample(self.thinking.block(number, 0)[0]);
        self.think.as_ref().map_or(Interval::ZERO, think)
    }

    /// The account of a client, below [`WorkloadConfig::accounts`].
    #[inline]
    pub fn account(&self, client: u32) -> u32 {
        if self.accounts == 1 { 0 } else { (u64::from(client) % self.accounts) as u32 }
    }
}
