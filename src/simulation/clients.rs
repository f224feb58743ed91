//! The clients of one workload, with all that they share: the layers of their policy, breakers, slots, the cache.

use std::collections::BTreeMap;

use super::calling::Calling;
use super::lanes::note_until;
use super::pool::{Places, Pool};
use crate::breaker::{Breaker, BreakerRules, Position};
use crate::budget::{Budget, BudgetConfig};
use crate::limiter::{Limiter, LimiterConfig};
use crate::metrics::WorkloadTally;
use crate::outcome::Outcome;
use crate::policy::{DuringBackoff, OnFailure, Policy, PolicyConfig};
use crate::random::{Consecutive, Key, Purpose};
use crate::scenario::{Named, Workload};
use crate::scope::Scope;
use crate::service::{Caller, Service};
use crate::time::{Instant, Interval};
use crate::usage::BreakerLanes;
use crate::workload::{Arrivals, CallDeadline, RequestDraws};

/// The clients of one workload.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether something has to be done at all")]
pub(super) struct Clients {
    /// Place among the workloads in the order of names, which settles ties.
    pub(super) tie: u16,
    pub(super) service: usize,
    /// The policies around an attempt, the innermost first.
    pub(super) layers: Vec<Layer>,
    pub(super) timeout: Interval,
    /// The pool of their slots in [`Guards`].
    pub(super) slots: Option<usize>,
    /// How a service calls, if one issues the requests.
    pub(super) nested: Option<Nested>,
    /// Whose turn it is, if they are a closed population.
    pub(super) closed: Option<Turns>,
    /// True if an outcome changes something that other requests can see before it is known: then it needs an event of its
    /// own. Otherwise nothing can tell whether it was handled when it was sent or when it came.
    pub(super) shares_outcomes: bool,
    /// True if nothing stands in the way of their requests.
    pub(super) plain: bool,
    /// True if a policy remembers anything of a request from one retry to the next.
    pub(super) remembers: bool,
    cache: Option<Cache>,
    swallows: bool,
    calling: Calling,
    pub(super) draws: RequestDraws,
    /// Where the inputs of this workload begin among those of all.
    inputs: u64,
    pub(super) luck: Key,
    /// That of first attempts.
    pub(super) first_luck: Consecutive,
    pub(super) network: Key,
    pub(super) backoff: Key,
    pub(super) limiter: Key,
    /// The numbers of what services ask of others for the sake of their attempts.
    pub(super) asks: Key,
}

/// The turns of a closed population.
#[derive(Debug)]
pub(super) struct Turns {
    /// Requests so far, by client.
    turns: Vec<u32>,
    /// From when on clients issue nothing.
    pub(super) until: Instant,
}

impl Turns {
    /// Number of the next request of a client. The n-th request of a client has the same number whatever the others do, so
    /// that its luck is its own.
    pub(super) fn next(&mut self, client: u32) -> u64 {
        let turn = &mut self.turns[client as usize];
        *turn += 1;
        self.last(client)
    }

    /// Number of the last request of a client.
    pub(super) fn last(&self, client: u32) -> u64 {
        u64::from(self.turns[client as usize] - 1) * self.turns.len() as u64 + u64::from(client)
    }

    /// How many clients there are.
    pub(super) fn clients(&self) -> u32 {
        self.turns.len() as u32
    }
}

/// How a service calls another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nested {
    /// Requests at once for each of its calls.
    pub(super) fan_out: u32,
    /// True if the deadline of a call ends what is asked for its sake.
    pub(super) propagates: bool,
    /// What it answers if one of them fails.
    pub(super) failure: Outcome,
    /// Requests so far.
    pub(super) issued: u64,
    /// How many clients issue them in turn.
    pub(super) clients: u64,
}

/// One policy of several around the same attempts, and what guards it.
#[derive(Debug)]
pub(super) struct Layer {
    /// What happens after a failure; a layer without a policy only guards, and passes failures on.
    pub(super) policy: Option<Policy>,
    /// How many policies are inside of it.
    pub(super) number: usize,
    /// True if a request gives up its slot while it waits for a retry of this layer.
    pub(super) frees_slot: bool,
    /// The pool of its breakers in [`Guards`].
    pub(super) breaker: Option<usize>,
    /// The pool of its budgets.
    pub(super) budget: Option<usize>,
    /// The pool of its limiters.
    pub(super) limiter: Option<usize>,
}

impl Layer {
    /// Where the luck of its retries is: each retry of each policy has its own, which does not depend on where the guards
    /// stand.
    pub(super) const fn luck(&self, retry: u32) -> u64 {
        (self.number as u64) << 32 | retry as u64
    }

    /// True if anything guards it.
    pub(super) const fn is_guarded(&self) -> bool {
        self.breaker.is_some() || self.budget.is_some() || self.limiter.is_some()
    }
}

/// What guards the attempts of all workloads. It is kept apart from the clients, because workloads can share.
#[derive(Debug, Default)]
pub(super) struct Guards<'a> {
    pub(super) breakers: Vec<Pool<BreakerRules, Breaker>>,
    /// What the breakers of each pool do in the course of time.
    pub(super) lanes: Vec<BreakerLanes>,
    pub(super) budgets: Vec<Pool<&'a BudgetConfig, Budget>>,
    pub(super) limiters: Vec<Pool<&'a LimiterConfig, Limiter>>,
    pub(super) slots: Vec<Pool<u32, Places>>,
    /// Which pools all workloads share, by kind of guard, policy, and depth of the layer in it.
    shared: BTreeMap<(&'static str, usize, usize), usize>,
}

/// Who asks for a pool: so many clients, for a layer at some depth of a policy.
#[derive(Debug, Clone, Copy)]
struct Asker {
    clients: usize,
    policy: usize,
    depth: usize,
}

/// Adds a pool to `pools`, unless one that all share is there already; its index.
fn pool<R, T: Clone>(
    pools: &mut Vec<Pool<R, T>>,
    shared: &mut BTreeMap<(&'static str, usize, usize), usize>,
    (kind, scope): (&'static str, Scope),
    asker: Asker,
    (rules, make): (R, fn(&R, u32) -> T),
) -> usize {
    let place = (kind, asker.policy, asker.depth);
    if scope == Scope::Global
        && let Some(&index) = shared.get(&place)
    {
        return index;
    }
    pools.push(Pool::new(rules, scope, asker.clients, make));
    if scope == Scope::Global {
        shared.insert(place, pools.len() - 1);
    }
    pools.len() - 1
}

impl<'a> Guards<'a> {
    /// Begins to note what breakers do, in bins of `bin` up to `horizon`, when all pools are there.
    pub(super) fn watch(&mut self, bin: Interval, horizon: Interval) {
        self.lanes = self.breakers.iter().map(|_| BreakerLanes::new(bin, horizon)).collect();
    }

    /// The layers of one policy of a chain: itself, and perhaps a breaker around it.
    fn layers(
        &mut self,
        config: &'a PolicyConfig,
        (idempotent, number): (bool, usize),
        asker: Asker,
        open_key: impl Fn(Scope) -> Key,
    ) -> Vec<Layer> {
        let Self { breakers, budgets, limiters, shared, .. } = self;
        let breaker = config.breaker.as_ref().map(|breaker| {
            let rules = BreakerRules::new(breaker, open_key(breaker.scope));
            pool(
                breakers,
                shared,
                ("breaker", breaker.scope),
                asker,
                (rules, |_, number| Breaker::new(number)),
            )
        });
        let budget = config.budget.as_ref().map(|budget| {
            pool(budgets, shared, ("budget", budget.scope), asker, (budget, |budget, _| Budget::new(budget)))
        });
        let limiter = config.limiter.as_ref().map(|limiter| {
            pool(
                limiters,
                shared,
                ("limiter", limiter.scope),
                asker,
                (limiter, |limiter, _| Limiter::new(limiter)),
            )
        });
        let is_outside = config.breaker.as_ref().is_some_and(|breaker| breaker.position == Position::Outside);
        let (outside, inside) = if is_outside { (breaker, None) } else { (None, breaker) };
        let around = outside.map(|breaker| Layer {
            policy: None,
            number,
            frees_slot: false,
            breaker: Some(breaker),
            budget: None,
            limiter: None,
        });
        let layer = Layer {
            policy: Some(Policy::new(config, idempotent)),
            number,
            frees_slot: config.slot_during_backoff == DuringBackoff::Freed,
            breaker: inside,
            budget,
            limiter,
        };
        around.into_iter().chain([layer]).collect()
    }
}

/// The luck of breakers that stay open for a drawn time: those of one workload, or of all that have the same policy. Which
/// workload comes first in the file must not matter. Breakers of policies further inside, at some depth, have luck of their
/// own.
pub fn breaker_key(
    (policy, workload): (&str, &str),
    scope: Scope,
    depth: usize,
    key: impl Fn(Purpose, &str) -> Key,
) -> Key {
    let name = if scope == Scope::Global { policy } else { workload };
    match depth {
        0 => key(Purpose::BreakerOpen, name),
        _ => key(Purpose::BreakerOpen, &format!("{name}.inner.{depth}")),
    }
}

/// Successes kept by input key.
#[derive(Debug)]
struct Cache {
    ttl: Interval,
    /// Until when each key's success is kept; `START` if there is none.
    kept_until: Vec<Instant>,
}

impl Clients {
    /// The clients of `workload` under `policy`, which is number `index` of the scenario.
    pub(super) fn new<'a>(
        workload: &Workload,
        calling: Calling,
        (policy, index): (&'a Named<PolicyConfig>, usize),
        guards: &mut Guards<'a>,
        key: impl Fn(Purpose, &str) -> Key,
    ) -> Self {
        let (policy_name, policy) = (&policy.name, &policy.config);
        let clients = workload.config.clients.get() as usize;
        let keys = workload.config.key_count();
        let cache = policy
            .cache
            .zip(keys)
            .map(|(cache, keys)| Cache { ttl: cache.ttl, kept_until: vec![Instant::START; keys as usize] });
        let policies = policy.layers().count();
        let mut layers = Vec::new();
        for (depth, config) in policy.layers().enumerate() {
            let asker = Asker { clients, policy: index, depth };
            let kind = (workload.config.idempotent, policies - 1 - depth);
            let open_key = |scope| breaker_key((policy_name, &workload.name), scope, depth, &key);
            layers.extend(guards.layers(config, kind, asker, open_key));
        }
        layers.reverse();
        let key = |purpose| key(purpose, &workload.name);
        let slots = workload.config.slots.map(|slots| {
            // All workloads share the global ones, whatever their policies.
            let asker = Asker { clients, policy: 0, depth: 0 };
            let limit = slots.limit.get_u32();
            pool(
                &mut guards.slots,
                &mut guards.shared,
                ("slots", slots.scope),
                asker,
                (limit, |&limit, _| Places::new(limit)),
            )
        });
        let nested = match &workload.config.arrivals {
            Arrivals::CallsOf(calls) => Some(Nested {
                fan_out: calls.fan_out.get_u32(),
                propagates: calls.deadline == CallDeadline::Propagated,
                failure: Outcome::Status(calls.status),
                issued: 0,
                clients: clients as u64,
            }),
            _ => None,
        };
        let shares_outcomes =
            nested.is_some() || cache.is_some() || slots.is_some() || layers.iter().any(Layer::is_guarded);
        let remembers = layers.iter().filter_map(|layer| layer.policy.as_ref()).any(Policy::remembers);
        Self {
            tie: workload.tie,
            service: workload.service,
            layers,
            timeout: workload.config.timeout.unwrap_or(Interval::MAX),
            slots,
            nested,
            closed: match &workload.config.arrivals {
                Arrivals::Closed(closed) => Some(Turns {
                    turns: vec![0; clients],
                    until: Instant::START + closed.until.unwrap_or(Interval::MAX),
                }),
                _ => None,
            },
            shares_outcomes,
            plain: false,
            remembers,
            cache,
            swallows: policy.on_failure == OnFailure::Swallow,
            calling,
            inputs: key(Purpose::InputKeys).block(0, 1)[0],
            draws: RequestDraws::new(&workload.config, key),
            luck: key(Purpose::Service),
            first_luck: Consecutive::new(key(Purpose::Service), 1),
            network: key(Purpose::Network),
            backoff: key(Purpose::Backoff),
            limiter: key(Purpose::Limiter),
            asks: key(Purpose::Asks),
        }
    }

    /// Who issues request `number`, and for what, as the service knows them.
    #[inline]
    pub(super) fn caller(&self, number: u64, client: u32) -> Caller {
        self.calling.caller(&self.draws, number, client)
    }

    /// Adds what the clients kept to the tally.
    pub(super) fn settle(&self, guards: &Guards<'_>, tally: &mut WorkloadTally, horizon: Instant) {
        tally.swallows = self.swallows;
        tally.layers = self.layers.iter().filter(|layer| layer.policy.is_some()).count();
        for index in self.layers.iter().filter_map(|layer| layer.breaker) {
            let mut lanes = guards.lanes[index].clone();
            tally.breakers += guards.breakers[index].count() as u64;
            // One that nobody has called has never opened.
            for breaker in guards.breakers[index].made() {
                note_until(&mut lanes, breaker.spell(guards.breakers[index].rules()), horizon);
                tally.breaker_trips += u64::from(breaker.trips());
                tally.breaker_open += breaker.time_open(horizon);
            }
            match &mut tally.lanes {
                Some(all) => all.add_all(&lanes),
                None => tally.lanes = Some(lanes),
            }
        }
    }

    /// What a service that tells inputs apart knows the input of a request by: no two workloads have one in common.
    #[inline]
    pub(super) fn input(&self, number: u64, service: &Service) -> u64 {
        if !service.tells_inputs_apart() {
            return 0;
        }
        let own = self.draws.input_key(number).map_or(number, u64::from);
        self.inputs.wrapping_add(own)
    }

    /// True if the answer to the request is in the cache.
    pub(super) fn cached(&self, number: u64, now: Instant) -> bool {
        let Some(cache) = &self.cache else { return false };
        let Some(input) = self.draws.input_key(number) else { return false };
        now < cache.kept_until[input as usize]
    }

    /// Keeps the success of a request.
    pub(super) fn keep(&mut self, number: u64, now: Instant) {
        let Some(cache) = &mut self.cache else { return };
        let Some(input) = self.draws.input_key(number) else { return };
        cache.kept_until[input as usize] = now + cache.ttl;
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;
    use crate::simulation::Simulation;
    use crate::time::Interval;

    /// A hundred clients, of whom three call, and each has a breaker that opens at its first failure and stays open.
    #[test]
    fn breakers_that_nobody_has_called_count_among_those_that_never_opened() {
        let text = "horizon = '1h'\n[services.api]\nfaults = [{ random = { status = 503, probability = 1 } }]\n\
                    [workloads.calls]\nservice = 'api'\nclients = 100\narrivals.even = { rate = '1/s', until = '3s' }\n\
                    [policies.p]\nretries = 0\n\
                    breaker = { trip.consecutive = 1, open_for = '1m', scope = 'client' }";
        let scenario =
            Scenario::parse("breakers", "breakers", text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let simulation = Simulation::new(&scenario, 0, 0, 0);
        assert_eq!(simulation.guards.breakers[0].made().count(), 0);
        let tally = &simulation.run().workloads[0];
        assert_eq!((tally.breakers, tally.breaker_trips), (100, 3));
        assert_eq!(tally.breaker_open, Interval::from_secs(3 * 60));
    }
}
