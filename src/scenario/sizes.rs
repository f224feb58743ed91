//! How much a run would have to keep at once: looked at before it begins, because memory that runs out ends it without a word.

use super::document::Document;
use super::{Arm, Named, Workload};
use crate::policy::PolicyConfig;
use crate::scope::Scope;
use crate::service::{LimitScope, ServiceConfig};
use crate::workload::Arrivals;

/// The most clients that all workloads may have together: each has a number, and so has its account.
const MAX_CLIENTS: u64 = 100_000_000;
/// The most states that one run may keep for single clients, accounts and inputs.
const MAX_STATES: u64 = 20_000_000;

/// The rules about the sizes of all parts together.
pub(super) fn check_sizes(
    document: &mut Document<'_>,
    services: &[Named<ServiceConfig>],
    workloads: &[Workload],
    policies: &[Named<PolicyConfig>],
    arms: &[Arm],
) {
    let clients: u64 = workloads.iter().map(|workload| workload.config.clients.get()).sum();
    if clients > MAX_CLIENTS {
        let message = format!("{clients} clients in all workloads, the limit is {MAX_CLIENTS}: have fewer");
        document.problem("workloads", message, None);
    }
    let limits: u64 =
        services.iter().enumerate().map(|(index, service)| keys(index, service, workloads)).sum();
    for arm in arms {
        let guards = workloads.iter().zip(&arm.policies).filter_map(|(workload, &policy)| {
            policies.get(policy).map(|policy| guards(workload, &policy.config))
        });
        let states = limits.saturating_add(guards.sum());
        if states > MAX_STATES {
            let message = format!(
                "arm \"{}\" keeps {states} states for single clients, accounts and inputs (rate limits, breakers, budgets, \
                 limiters, slots, caches), the limit is {MAX_STATES}",
                arm.name
            );
            let help = "have fewer clients, or share with `scope = \"workload\"`".to_owned();
            document.problem("workloads", message, help);
            return;
        }
    }
}

/// The keys that the rate limits of a service tell apart.
fn keys(index: usize, service: &Named<ServiceConfig>, workloads: &[Workload]) -> u64 {
    let callers = || workloads.iter().filter(|workload| workload.service == index);
    let of = |scope| match scope {
        LimitScope::All => 1,
        LimitScope::Workload => callers().count() as u64,
        LimitScope::Account => callers().map(|workload| workload.config.accounts.get()).sum(),
        LimitScope::Client => callers().map(|workload| workload.config.clients.get()).sum(),
    };
    service.config.rate_limit.iter().map(|limit| of(limit.scope)).sum()
}

/// What a workload keeps under a policy for each of its clients and inputs.
fn guards(workload: &Workload, policy: &PolicyConfig) -> u64 {
    let clients = workload.config.clients.get();
    let inputs = workload.config.key_count().filter(|_| policy.cache.is_some());
    let scopes = policy.layers().flat_map(|layer| {
        let breaker = layer.breaker.as_ref().map(|breaker| breaker.scope);
        let budget = layer.budget.as_ref().map(|budget| budget.scope);
        [breaker, budget, layer.limiter.as_ref().map(|limiter| limiter.scope)]
    });
    let scopes = scopes.chain([workload.config.slots.map(|slots| slots.scope)]);
    let each = scopes.filter(|scope| *scope == Some(Scope::Client)).count() as u64
        + u64::from(matches!(workload.config.arrivals, Arrivals::Closed(_)));
    clients.saturating_mul(each).saturating_add(inputs.unwrap_or(0))
}
