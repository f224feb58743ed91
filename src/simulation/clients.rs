//! The clients of one workload, with all that they share: the layers of their policy, breakers, slots, the cache.

use super::pool::{Places, Pool};
use crate::breaker::{Breaker, BreakerConfig, Position};
use crate::metrics::WorkloadTally;
use crate::policy::{DuringBackoff, OnFailure, Policy, PolicyConfig};
use crate::random::{Key, Purpose};
use crate::scenario::Workload;
use crate::scope::Scope;
use crate::time::{Instant, Interval};
use crate::workload::input_key;

/// The clients of one workload.
#[derive(Debug)]
pub(super) struct Clients<'a> {
    /// Place among the workloads in the order of names, which settles ties.
    pub(super) tie: u16,
    pub(super) service: usize,
    /// The policies around an attempt, the innermost first.
    pub(super) layers: Vec<Layer<'a>>,
    pub(super) timeout: Interval,
    pub(super) slots: Option<Pool<Places>>,
    cache: Option<Cache>,
    keys: Option<u64>,
    swallows: bool,
    input: Key,
    pub(super) luck: Key,
    pub(super) backoff: Key,
}

/// One policy of several around the same attempts, and what guards it.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    /// What happens after a failure; a layer without a policy only guards, and passes failures on.
    pub(super) policy: Option<Policy>,
    /// How many policies are inside of it.
    pub(super) number: usize,
    /// True if a request gives up its slot while it waits for a retry of this layer.
    pub(super) frees_slot: bool,
    pub(super) breaker: Option<(&'a BreakerConfig, usize)>,
}

/// What guards the attempts of all workloads, by index. They are kept apart from the clients, because workloads can share.
#[derive(Debug, Default)]
pub(super) struct Guards {
    pub(super) breakers: Vec<Pool<Breaker>>,
    /// Which pool stands for a layer (from the outermost) of a policy, if all workloads share it.
    shared: Vec<((usize, usize), usize)>,
}

impl Guards {
    /// The index of the pool of breakers of a layer; `policy` and `depth` say which layer it is.
    fn breaker(&mut self, scope: Scope, clients: usize, policy: usize, depth: usize) -> usize {
        let known = self.shared.iter().find(|(layer, _)| *layer == (policy, depth)).map(|&(_, index)| index);
        if let (Scope::Global, Some(index)) = (scope, known) {
            return index;
        }
        self.breakers.push(Pool::new(scope, clients, Breaker::new()));
        let index = self.breakers.len() - 1;
        if scope == Scope::Global {
            self.shared.push(((policy, depth), index));
        }
        index
    }
}

/// Successes kept by input key.
#[derive(Debug)]
struct Cache {
    ttl: Interval,
    /// Until when each key's success is kept; `START` if there is none.
    kept_until: Vec<Instant>,
}

impl<'a> Clients<'a> {
    /// The clients of `workload` under `policy`, which is number `index` of the scenario.
    pub(super) fn new(
        workload: &Workload,
        (policy, index): (&'a PolicyConfig, usize),
        guards: &mut Guards,
        key: impl Fn(Purpose) -> Key,
    ) -> Self {
        let clients = workload.config.clients.get() as usize;
        let keys = workload.config.keys.map(crate::units::Count::get);
        let cache = policy
            .cache
            .zip(keys)
            .map(|(cache, keys)| Cache { ttl: cache.ttl, kept_until: vec![Instant::START; keys as usize] });
        let mut layers = Vec::new();
        let policies = policy.layers().count();
        for (depth, config) in policy.layers().enumerate() {
            let number = policies - 1 - depth;
            let breaker = config
                .breaker
                .as_ref()
                .map(|breaker| (breaker, guards.breaker(breaker.scope, clients, index, depth)));
            let outside = breaker.filter(|(breaker, _)| breaker.position == Position::Outside);
            layers.extend(outside.map(|breaker| Layer {
                policy: None,
                number,
                frees_slot: false,
                breaker: Some(breaker),
            }));
            layers.push(Layer {
                policy: Some(Policy::new(config, workload.config.idempotent)),
                number,
                frees_slot: config.slot_during_backoff == DuringBackoff::Freed,
                breaker: breaker.filter(|_| outside.is_none()),
            });
        }
        layers.reverse();
        Self {
            tie: workload.tie,
            service: workload.service,
            layers,
            timeout: workload.config.timeout.unwrap_or(Interval::MAX),
            slots: workload
                .config
                .slots
                .map(|slots| Pool::new(slots.scope, clients, Places::new(slots.limit.get_u32()))),
            cache,
            keys,
            swallows: policy.on_failure == OnFailure::Swallow,
            input: key(Purpose::InputKeys),
            luck: key(Purpose::Service),
            backoff: key(Purpose::Backoff),
        }
    }

    /// True if an outcome changes something that other requests can see before it is known: then it needs an event of its
    /// own. Otherwise nothing can tell whether it was handled when it was sent or when it came.
    pub(super) fn share_outcomes(&self) -> bool {
        self.cache.is_some()
            || self.slots.is_some()
            || self.layers.iter().any(|layer| layer.breaker.is_some())
    }

    /// Adds what the clients kept to the tally.
    pub(super) fn settle(&self, guards: &Guards, tally: &mut WorkloadTally, horizon: Instant) {
        tally.swallows = self.swallows;
        tally.layers = self.layers.iter().filter(|layer| layer.policy.is_some()).count();
        for index in self.layers.iter().filter_map(|layer| Some(layer.breaker?.1)) {
            for breaker in guards.breakers[index].states() {
                tally.breakers += 1;
                tally.breaker_trips += u64::from(breaker.trips());
                tally.breaker_open += breaker.time_open(horizon);
            }
        }
    }

    /// True if the answer to the request is in the cache.
    pub(super) fn cached(&self, number: u64, now: Instant) -> bool {
        let (Some(cache), Some(keys)) = (&self.cache, self.keys) else { return false };
        now < cache.kept_until[input_key(self.input, number, keys) as usize]
    }

    /// Keeps the success of a request.
    pub(super) fn keep(&mut self, number: u64, now: Instant) {
        let (Some(cache), Some(keys)) = (&mut self.cache, self.keys) else { return };
        cache.kept_until[input_key(self.input, number, keys) as usize] = now + cache.ttl;
    }
}
