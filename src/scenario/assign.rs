//! Who calls what under which policy: names turned into indices.

use super::document::{Document, entry};
use super::rules::check_name;
use super::{Arm, Named, Workload};
use crate::error::suggestion;
use crate::policy::PolicyConfig;
use crate::service::ServiceConfig;
use crate::workload::{Arrivals, WorkloadConfig};

/// Finds the service of each workload.
pub(super) fn connect(
    document: &mut Document<'_>,
    workloads: Vec<Named<WorkloadConfig>>,
    services: &[Named<ServiceConfig>],
) -> Vec<Workload> {
    let declared = document.declared("services");
    let mut names: Vec<String> = workloads.iter().map(|workload| workload.name.clone()).collect();
    names.sort();
    let mut connected = Vec::new();
    for Named { name, config } in workloads {
        let service = services.iter().position(|service| service.name == config.service);
        if !declared.contains(&config.service) {
            let help = suggestion(&config.service, declared.iter().map(String::as_str));
            let message = format!("there is no service \"{}\"", config.service);
            document.problem(&format!("workloads.{name}.service"), message, help);
        }
        let within = match &config.arrivals {
            Arrivals::CallsOf(calls) => {
                let path = format!("workloads.{name}.arrivals.calls_of.service");
                let found = services.iter().position(|service| service.name == calls.service);
                if !declared.contains(&calls.service) {
                    let help = suggestion(&calls.service, declared.iter().map(String::as_str));
                    document.problem(&path, format!("there is no service \"{}\"", calls.service), help);
                }
                found
            }
            _ => None,
        };
        // Of a service that cannot be read nothing more is said.
        let within = service.and(within);
        let tie = names.binary_search(&name).expect("the name is in the list") as u16;
        connected.push(Workload { name, config, service: service.unwrap_or(0), within, tie });
    }
    if connected.len() > 1000 {
        let message = format!("there are {} workloads, the limit is 1000", connected.len());
        document.problem("workloads", message, None);
    }
    connected
}

/// Assigns policies to workloads: as `[arms]` says, else one arm per policy for a single workload.
pub(super) fn assign(
    document: &mut Document<'_>,
    workloads: &[Workload],
    policies: &[Named<PolicyConfig>],
) -> Vec<Arm> {
    let declared = document.declared("policies");
    let find = |document: &mut Document<'_>, path: &str, name: &str| {
        let found = policies.iter().position(|policy| policy.name == name);
        if !declared.iter().any(|policy| policy == name) {
            let help = suggestion(name, declared.iter().map(String::as_str));
            document.problem(path, format!("there is no policy \"{name}\""), help);
        }
        found
    };
    let mut defaults = Vec::new();
    for workload in workloads {
        let path = format!("workloads.{}.policy", workload.name);
        defaults.push(workload.config.policy.as_ref().and_then(|name| find(document, &path, name)));
    }
    let Some((_, arms)) = entry(document.root(), "arms") else {
        return arms_without_section(document, workloads, policies, &defaults);
    };
    let Some(arms) = arms.get_ref().as_table().cloned() else {
        document.problem(
            "arms",
            "this must be a table",
            "write `[arms.NAME]` and below `workload = \"policy\"`".to_owned(),
        );
        return Vec::new();
    };
    if arms.is_empty() {
        document.problem(
            "arms",
            "there is no arm in it",
            "write `[arms.NAME]`, or leave the section out".to_owned(),
        );
    }
    let mut assigned = Vec::new();
    for (name, value) in arms {
        let place = name.span();
        let name = name.into_inner().into_owned();
        let path = format!("arms.{name}");
        check_name(document, "arms", &name, place);
        let mut chosen = defaults.clone();
        let Some(table) = value.get_ref().as_table() else {
            document.problem(
                &path,
                "this must be a table",
                format!("write `[{path}]` and below `workload = \"policy\"`"),
            );
            continue;
        };
        for (workload, policy) in table {
            let path = format!("{path}.{}", workload.get_ref());
            let Some(index) = workloads.iter().position(|known| known.name == *workload.get_ref()) else {
                let declared = document.declared("workloads");
                if !declared.iter().any(|name| name == workload.get_ref()) {
                    let help = suggestion(workload.get_ref(), declared.iter().map(String::as_str));
                    document.problem(&path, format!("there is no workload \"{}\"", workload.get_ref()), help);
                }
                continue;
            };
            match policy.get_ref().as_str() {
                Some(policy) => chosen[index] = find(document, &path, policy),
                None => document.problem(&path, "this must be the name of a policy", None),
            }
        }
        for (workload, policy) in workloads.iter().zip(&chosen) {
            if policy.is_none() && workload.config.policy.is_none() && entry(table, &workload.name).is_none()
            {
                let help = format!(
                    "add `{} = \"POLICY\"`, or give the workload a `policy` of its own",
                    workload.name
                );
                document.problem(
                    &path,
                    format!("workload \"{}\" has no policy in this arm", workload.name),
                    help,
                );
            }
        }
        assigned.push(Arm { name, policies: chosen.into_iter().map(Option::unwrap_or_default).collect() });
    }
    assigned
}

fn arms_without_section(
    document: &mut Document<'_>,
    workloads: &[Workload],
    policies: &[Named<PolicyConfig>],
    defaults: &[Option<usize>],
) -> Vec<Arm> {
    if let [workload] = workloads
        && workload.config.policy.is_none()
    {
        return (0..policies.len())
            .map(|policy| Arm { name: policies[policy].name.clone(), policies: vec![policy] })
            .collect();
    }
    for workload in workloads.iter().filter(|workload| workload.config.policy.is_none()) {
        document.problem(
            &format!("workloads.{}", workload.name),
            "with several workloads it is not clear which policy this one uses",
            "write `policy = \"NAME\"` here, or assign policies in `[arms.NAME]` sections".to_owned(),
        );
    }
    vec![Arm {
        name: "as-written".into(),
        policies: defaults.iter().map(|policy| policy.unwrap_or(0)).collect(),
    }]
}
