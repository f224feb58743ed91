//! Reading a scenario: each part by itself, so that every problem of a file is found at once, then the rules that need
//! two parts.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use toml::Spanned;
use toml::de::DeValue;

use super::document::{Document, Source, Value, entry};
use super::expectation::{Expectation, Metric, parse_condition};
use super::preset::{Kind, expand};
use super::{Arm, MAX_ATTEMPTS, MAX_BINS, Named, Scenario, Workload};
use crate::error::{Error, suggestion};
use crate::policy::PolicyConfig;
use crate::service::ServiceConfig;
use crate::time::Interval;
use crate::units::Count;
use crate::workload::WorkloadConfig;

/// The fields at the top of a scenario; the sections are read one by one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    title: Option<String>,
    question: Option<String>,
    #[serde(default = "one_seed")]
    seed: Count<0, { i64::MAX as u64 }>,
    #[serde(default = "thirty")]
    replications: Count<1, 100_000>,
    horizon: Interval,
    bin: Option<Interval>,
    #[serde(default = "one_second")]
    window: Interval,
    #[serde(rename = "services")]
    _services: Option<IgnoredAny>,
    #[serde(rename = "workloads")]
    _workloads: Option<IgnoredAny>,
    #[serde(rename = "policies")]
    _policies: Option<IgnoredAny>,
    #[serde(rename = "arms")]
    _arms: Option<IgnoredAny>,
    #[serde(rename = "expect")]
    _expect: Option<IgnoredAny>,
}

const fn one_seed() -> Count<0, { i64::MAX as u64 }> {
    Count::of(1)
}

const fn thirty() -> Count<1, 100_000> {
    Count::of(30)
}

const fn one_second() -> Interval {
    Interval::from_secs(1)
}

/// Reads and checks a whole scenario.
pub(super) fn read(name: &str, source: &Source) -> Result<Scenario, Error> {
    let mut document = Document::parse(source)?;
    let root = Spanned::new(0..source.text.len(), DeValue::Table(document.root().clone()));
    let header: Option<Header> = document.read("", root);

    let services: Vec<Named<ServiceConfig>> = section(&mut document, "services", |_, _, value| value);
    let workloads: Vec<Named<WorkloadConfig>> = section(&mut document, "workloads", |_, _, value| value);
    let policies: Vec<Named<PolicyConfig>> = section(&mut document, "policies", expand_policy);

    check_parts(&mut document, &services, &workloads, &policies);
    let workloads = connect(&mut document, workloads, &services);
    let arms = assign(&mut document, &workloads, &policies);
    check_caches(&mut document, &workloads, &policies, &arms);
    let expectations = expect(&mut document, &workloads, &arms);
    let Some(header) = header else { return Err(document.check().expect_err("the header has a problem")) };
    let bin = header.bin.unwrap_or_else(|| default_bin(header.horizon));
    check_times(&mut document, &header, bin, &services);
    document.check()?;

    let scenario = Scenario {
        name: name.to_owned(),
        title: header.title.unwrap_or_else(|| name.to_owned()),
        question: header.question,
        seed: header.seed.get(),
        replications: header.replications.get_u32(),
        horizon: header.horizon,
        bin,
        window: header.window,
        services,
        workloads,
        policies,
        arms,
        expectations,
        text: source.text.clone(),
    };
    let attempts =
        scenario.expected_requests() * scenario.arms.len() as f64 * f64::from(scenario.replications);
    if attempts > MAX_ATTEMPTS {
        let message =
            format!("{attempts:.0} requests over all arms and replications, the limit is {MAX_ATTEMPTS:.0}");
        document.problem(
            "replications",
            message,
            "fewer replications, a shorter horizon or a lower rate".to_owned(),
        );
        document.check()?;
    }
    Ok(scenario)
}

/// Reads the entries of one section, each by itself, after `prepare` has had its way with it.
fn section<'s, C: DeserializeOwned>(
    document: &mut Document<'s>,
    name: &str,
    prepare: fn(&mut Document<'s>, &str, Value<'s>) -> Value<'s>,
) -> Vec<Named<C>> {
    let singular = if name == "policies" { "policy" } else { name.trim_end_matches('s') };
    let Some((_, value)) = entry(document.root(), name) else {
        let example = format!("write for example `[{name}.NAME]` and its fields below");
        document.missing(format!("there is no {singular}"), example);
        return Vec::new();
    };
    let Some(table) = value.get_ref().as_table().cloned() else {
        document.problem(name, "this must be a table", format!("write `[{name}.NAME]` and its fields below"));
        return Vec::new();
    };
    if table.is_empty() {
        document.problem(name, format!("there is no {singular} in it"), format!("write `[{name}.NAME]`"));
    }
    let mut parts = Vec::new();
    for (key, value) in table {
        let key = key.into_inner().into_owned();
        let path = format!("{name}.{key}");
        check_name(document, &path, &key);
        let value = prepare(document, &path, value);
        if let Some(config) = document.read(&path, value) {
            parts.push(Named { name: key, config });
        }
    }
    parts
}

/// Names go into file names, CSV cells and charts, and dots separate them in paths.
fn check_name(document: &mut Document<'_>, path: &str, name: &str) {
    let sound = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.chars().count() > 64 || !name.chars().all(sound) {
        let message = format!("\"{name}\" is not a name: use up to 64 letters, digits, - and _");
        document.problem(path, message, None);
    }
}

fn expand_policy<'s>(document: &mut Document<'s>, path: &str, value: Value<'s>) -> Value<'s> {
    let mut value = expand(document, path, Kind::Policy, value);
    if let DeValue::Table(table) = value.get_mut()
        && let Some((key, breaker)) = table.remove_entry("breaker")
    {
        let breaker = expand(document, &format!("{path}.breaker"), Kind::Breaker, breaker);
        table.insert(key, breaker);
    }
    value
}

/// The rules inside one part.
fn check_parts(
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
    }
    for policy in policies {
        for (field, message) in policy.config.problems() {
            document.problem(&join("policies", &policy.name, field), message, None);
        }
    }
}

/// Finds the service of each workload.
fn connect(
    document: &mut Document<'_>,
    workloads: Vec<Named<WorkloadConfig>>,
    services: &[Named<ServiceConfig>],
) -> Vec<Workload> {
    let mut names: Vec<String> = workloads.iter().map(|workload| workload.name.clone()).collect();
    names.sort();
    let mut connected = Vec::new();
    for Named { name, config } in workloads {
        let service = services.iter().position(|service| service.name == config.service);
        if service.is_none() {
            let help = suggestion(&config.service, services.iter().map(|service| service.name.as_str()));
            let message = format!("there is no service \"{}\"", config.service);
            document.problem(&format!("workloads.{name}.service"), message, help);
        }
        let tie = names.binary_search(&name).expect("the name is in the list") as u16;
        connected.push(Workload { name, config, service: service.unwrap_or(0), tie });
    }
    if connected.len() > 1000 {
        let message = format!("there are {} workloads, the limit is 1000", connected.len());
        document.problem("workloads", message, None);
    }
    connected
}

/// Assigns policies to workloads: as `[arms]` says, else one arm per policy for a single workload.
fn assign(document: &mut Document<'_>, workloads: &[Workload], policies: &[Named<PolicyConfig>]) -> Vec<Arm> {
    let find = |document: &mut Document<'_>, path: &str, name: &str| {
        let found = policies.iter().position(|policy| policy.name == name);
        if found.is_none() {
            let help = suggestion(name, policies.iter().map(|policy| policy.name.as_str()));
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
        let name = name.into_inner().into_owned();
        let path = format!("arms.{name}");
        check_name(document, &path, &name);
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
                let help = suggestion(workload.get_ref(), workloads.iter().map(|known| known.name.as_str()));
                document.problem(&path, format!("there is no workload \"{}\"", workload.get_ref()), help);
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

/// A cache needs input keys, or no request would ever find the success of another.
fn check_caches(
    document: &mut Document<'_>,
    workloads: &[Workload],
    policies: &[Named<PolicyConfig>],
    arms: &[Arm],
) {
    for (index, workload) in workloads.iter().enumerate() {
        let mut caches = arms.iter().filter_map(|arm| policies.get(*arm.policies.get(index)?));
        if workload.config.keys.is_none()
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

/// The rules about time.
fn check_times(
    document: &mut Document<'_>,
    header: &Header,
    bin: Interval,
    services: &[Named<ServiceConfig>],
) {
    if header.horizon.is_zero() {
        document.problem("horizon", "a run of 0s shows nothing: give it a length, such as \"2h\"", None);
        return;
    }
    if bin.is_zero() || bin > header.horizon {
        document.problem(
            "bin",
            format!("{bin} is not between 0s and the horizon of {}", header.horizon),
            None,
        );
    } else if header.horizon.as_nanos().div_ceil(bin.as_nanos()) > MAX_BINS {
        let bins = header.horizon.as_nanos().div_ceil(bin.as_nanos());
        document.problem("bin", format!("this makes {bins} bins, the limit is {MAX_BINS}: widen it"), None);
    }
    if header.window.as_nanos() < 10 || header.window > header.horizon {
        document.problem(
            "window",
            format!("{} is not between 10ns and the horizon of {}", header.window, header.horizon),
            None,
        );
    }
    for service in services {
        for (index, incident) in service.config.incidents.iter().enumerate() {
            let begins = incident.window().0.as_secs_f64();
            if begins >= header.horizon.as_secs_f64() {
                let path = format!("services.{}.incidents.{index}", service.name);
                let message = format!("it begins when the run of {} is over", header.horizon);
                document.problem(&path, message, "begin it earlier, or lengthen `horizon`".to_owned());
            }
        }
    }
}

/// The narrowest round bin that makes at most 600 of them.
fn default_bin(horizon: Interval) -> Interval {
    let round = [1, 2, 5, 10, 20, 50, 100, 200, 500].into_iter().map(Interval::from_millis);
    let seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400, 604_800];
    let mut bins = round.chain(seconds.into_iter().map(Interval::from_secs));
    let fits = |bin: &Interval| horizon.as_nanos().div_ceil(bin.as_nanos()) <= 600;
    let bin = bins.find(fits).unwrap_or_else(|| Interval::from_nanos(horizon.as_nanos().div_ceil(600)));
    bin.min(horizon).max(Interval::from_nanos(1))
}

/// Reads `[expect]`: "arm.metric" or "arm.workload.metric" = "condition".
fn expect(document: &mut Document<'_>, workloads: &[Workload], arms: &[Arm]) -> Vec<Expectation> {
    let Some((_, value)) = entry(document.root(), "expect") else { return Vec::new() };
    let Some(table) = value.get_ref().as_table().cloned() else {
        document.problem("expect", "this must be a table of \"arm.metric\" = \"condition\"", None);
        return Vec::new();
    };
    let mut expectations = Vec::new();
    for (key, value) in table {
        let key = key.into_inner().into_owned();
        match expectation(&key, &value, workloads, arms) {
            Ok(expectation) => expectations.push(expectation),
            Err(message) => document.problem_at(value.span(), format!("expect.\"{key}\": {message}")),
        }
    }
    expectations
}

fn expectation(
    key: &str,
    value: &Value<'_>,
    workloads: &[Workload],
    arms: &[Arm],
) -> Result<Expectation, String> {
    let condition = value.get_ref().as_str().ok_or("write the condition as text, such as \">= 0.95\"")?;
    let (comparison, bound) = parse_condition(condition)?;
    let parts: Vec<&str> = key.split('.').collect();
    let (arm, workload, metric) = match parts[..] {
        [arm, metric] => (arm, None, metric),
        [arm, workload, metric] => (arm, Some(workload), metric),
        _ => return Err("write the key as \"arm.metric\" or \"arm.workload.metric\"".into()),
    };
    let arm = arms.iter().position(|known| known.name == arm).ok_or_else(|| {
        format!(
            "there is no arm \"{arm}\"; {}",
            suggestion(arm, arms.iter().map(|known| known.name.as_str()))
        )
    })?;
    let workload = match workload {
        None if workloads.len() == 1 => 0,
        None => return Err("there are several workloads: write \"arm.workload.metric\"".into()),
        Some(name) => workloads.iter().position(|known| known.name == name).ok_or_else(|| {
            let known = workloads.iter().map(|known| known.name.as_str());
            format!("there is no workload \"{name}\"; {}", suggestion(name, known))
        })?,
    };
    let name = metric;
    let metric = Metric::named(name)
        .ok_or_else(|| format!("there is no metric \"{name}\"; {}", suggestion(name, Metric::names())))?;
    let subject = match metric {
        Metric::Workload(_) => workload,
        Metric::Service(_) => workloads[workload].service,
    };
    Ok(Expectation { arm, subject, metric, comparison, bound, text: format!("{key} {condition}") })
}
