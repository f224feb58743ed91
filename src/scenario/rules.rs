//! The rules that one field alone cannot break.

use std::ops::Range;

use super::document::Document;
use super::{Arm, MAX_BINS, Named, Workload};
use crate::policy::PolicyConfig;
use crate::scope::Scope;
use crate::service::ServiceConfig;
use crate::time::Interval;
use crate::workload::WorkloadConfig;

/// Names go into file names, CSV cells and charts, and dots separate them in paths.
pub(super) fn check_name(document: &mut Document<'_>, section: &str, name: &str, place: Range<usize>) {
    let sound = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.chars().count() > 64 || !name.chars().all(sound) {
        let message = format!("\"{name}\" is not a name: use up to 64 letters, digits, - and _");
        // At its place, not by its path, which its dots could lead astray.
        document.problem_at(place, format!("{section}: {message}"));
    }
}

/// The rules inside one part.
pub(super) fn check_parts(
    document: &mut Document<'_>,
    services: &[Named<ServiceConfig>],
    workloads: &[Named<WorkloadConfig>],
    policies: &[Named<PolicyConfig>],
) {
    let join = |section: &str, name: &str, field: &str| {
        let path = format!("{section}.{name}.{field}");
        path.trim_end_matches('.').to_owned()
    };
    for service in services {
        for (field, message) in service.config.problems() {
            document.problem(&join("services", &service.name, &field), message, None);
        }
    }
    for workload in workloads {
        for (field, message) in workload.config.problems() {
            document.problem(&join("workloads", &workload.name, field), message, None);
        }
        if let Some(account) = &workload.config.account {
            let path = join("workloads", &workload.name, "account");
            let (start, end) = document.place(&path);
            check_name(document, &path, account, start..end);
        }
    }
    for policy in policies {
        for (field, message) in policy.config.problems() {
            document.problem(&join("policies", &policy.name, &field), message, None);
        }
    }
}

/// A cache needs input keys, or no request would ever find the success of another.
pub(super) fn check_caches(
    document: &mut Document<'_>,
    workloads: &[Workload],
    policies: &[Named<PolicyConfig>],
    arms: &[Arm],
) {
    for (index, workload) in workloads.iter().enumerate() {
        let mut caches = arms.iter().filter_map(|arm| policies.get(*arm.policies.get(index)?));
        if workload.config.key_count().is_none()
            && let Some(policy) = caches.find(|policy| policy.config.cache.is_some())
        {
            document.problem(
                &format!("workloads.{}", workload.name),
                format!(
                    "policy \"{}\" caches successes by input, but every request of this workload has its own",
                    policy.name
                ),
                "say how many different inputs there are: `keys = 1000`".to_owned(),
            );
        }
    }
}

/// What was recorded of first attempts cannot be held together with a service in which calls are in each other's way.
pub(super) fn check_replays(
    document: &mut Document<'_>,
    workloads: &[Workload],
    services: &[Named<ServiceConfig>],
) {
    for workload in workloads.iter().filter(|workload| workload.config.replays()) {
        let Some(service) = services.get(workload.service) else { continue };
        let calls_others = workloads.iter().any(|other| other.within == Some(workload.service));
        let ServiceConfig { network, capacity, contention, .. } = &service.config;
        let waits = network.is_some() || capacity.is_some() || contention.is_some();
        if waits || calls_others || service.config.holds_outside() {
            document.problem(
                &format!("workloads.{}.arrivals.trace", workload.name),
                format!(
                    "the trace says how first attempts went, which service \"{}\" decides as others come and go",
                    service.name
                ),
                "write `first_attempts = \"simulated\"`, or a service without network, capacity, contention, calls to others, and a leaky_queue beside faults or incidents"
                    .to_owned(),
            );
        }
    }
}

/// The names of the operations that are asked of a service.
pub(super) fn operations(workloads: &[Workload], service: usize) -> Vec<String> {
    let callers = workloads.iter().filter(|workload| workload.service == service);
    callers.flat_map(|workload| workload.config.operation_names()).cloned().collect()
}

/// A cost or refund for an operation that nobody issues may stand in a preset; for a typo of one that somebody issues it does not.
pub(super) fn check_costs(
    document: &mut Document<'_>,
    workloads: &[Workload],
    services: &[Named<ServiceConfig>],
) {
    for (index, service) in services.iter().enumerate() {
        let operations = operations(workloads, index);
        for limit in &service.config.rate_limit {
            for (name, meant) in limit.unknown_operations(&operations) {
                if let Some(meant) = meant {
                    document.problem(
                        &format!("services.{}.rate_limit", service.name),
                        format!("a cost or refund is for operation \"{name}\", which no workload issues"),
                        format!("did you mean `{meant}`?"),
                    );
                }
            }
        }
    }
}

/// The service, and all that it calls directly or through others.
pub(super) fn reached(workloads: &[Workload], service: usize) -> Vec<usize> {
    let calls: Vec<(usize, usize)> =
        workloads.iter().filter_map(|workload| Some((workload.within?, workload.service))).collect();
    let mut reached = vec![service];
    let mut next = 0;
    while let Some(&service) = reached.get(next) {
        for &(_, to) in calls.iter().filter(|&&(from, _)| from == service) {
            if !reached.contains(&to) {
                reached.push(to);
            }
        }
        next += 1;
    }
    reached
}

/// A service cannot wait for itself, nor for one that waits for it.
pub(super) fn check_calls(document: &mut Document<'_>, workloads: &[Workload]) {
    for workload in workloads {
        let Some(caller) = workload.within else { continue };
        if reached(workloads, workload.service).contains(&caller) {
            document.problem(
                &format!("workloads.{}.arrivals.calls_of", workload.name),
                "the service would call itself, directly or through others, without end",
                "calls between services must not go in circles".to_owned(),
            );
        }
    }
}

/// Workloads that share one pool of slots must agree how many there are.
pub(super) fn check_slots(document: &mut Document<'_>, workloads: &[Workload]) {
    let shared = |workload: &&Workload| workload.config.slots.filter(|slots| slots.scope == Scope::Global);
    let mut sharing =
        workloads.iter().filter_map(|workload| shared(&workload).map(|slots| (workload, slots)));
    let Some((first, common)) = sharing.next() else { return };
    for (workload, slots) in sharing.filter(|(_, slots)| slots.limit != common.limit) {
        document.problem(
            &format!("workloads.{}.slots", workload.name),
            format!(
                "all global slots are one pool: {} here, but {} in workload \"{}\"",
                slots.limit.get(),
                common.limit.get(),
                first.name
            ),
            "give both the same limit, or another scope".to_owned(),
        );
    }
}

/// The rules about time.
pub(super) fn check_times(
    document: &mut Document<'_>,
    horizon: Interval,
    window: Interval,
    bin: Interval,
    services: &[Named<ServiceConfig>],
    workloads: &[Workload],
) {
    if horizon.is_zero() {
        document.problem("horizon", "a run of 0s shows nothing: give it a length, such as \"2h\"", None);
        return;
    }
    if bin.is_zero() || bin > horizon {
        let help = "write for example `bin = \"1s\"`, or leave it out".to_owned();
        document.problem("bin", format!("{bin} is not between 0s and the horizon of {horizon}"), help);
    } else if horizon.as_nanos().div_ceil(bin.as_nanos()) > MAX_BINS {
        let bins = horizon.as_nanos().div_ceil(bin.as_nanos());
        document.problem("bin", format!("this makes {bins} bins, the limit is {MAX_BINS}: widen it"), None);
    }
    if window.as_nanos() < 10 || window > horizon {
        document.problem(
            "window",
            format!("{window} is not between 10ns and the horizon of {horizon}"),
            "write for example `window = \"1s\"`, or leave it out".to_owned(),
        );
    }
    let late = format!("it begins when the run of {horizon} is over");
    let help = "begin it earlier, or lengthen `horizon`".to_owned();
    for workload in workloads {
        let (field, begins) = workload.config.arrivals.begins();
        if begins >= horizon {
            let path = format!("workloads.{}.arrivals.{field}", workload.name);
            document.problem(&path, late.clone(), help.clone());
        }
        if let Some((field, message)) = workload.config.arrivals.problem_within(horizon) {
            document.problem(&format!("workloads.{}.arrivals.{field}", workload.name), message, None);
        }
    }
    for service in services {
        for field in service.config.begins_after(horizon) {
            document.problem(&format!("services.{}.{field}", service.name), late.clone(), help.clone());
        }
        for (field, message) in service.config.problems_within(horizon) {
            document.problem(&format!("services.{}.{field}", service.name), message, None);
        }
    }
}
