//! Reading a scenario: each part by itself, so that every problem of a file is found at once, then the rules that need
//! two parts.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use toml::Spanned;
use toml::de::DeValue;

use super::assign::{assign, connect};
use super::document::{Document, Source, Value, entry};
use super::expectation::expect;
use super::files::Files;
use super::preset::{Expanded, Kind, expand};
use super::rules::{
    check_caches, check_calls, check_costs, check_name, check_parts, check_replays, check_slots, check_times,
};
use super::schema::{Bound, Parts};
use super::sizes::check_sizes;
use super::tune::{Tuning, tunings};
use super::{Arm, MAX_BINS_IN_ALL, MAX_REQUESTS, Named, Scenario};
use crate::error::{Error, nearest, suggestion};
use crate::policy::PolicyConfig;
use crate::service::ServiceConfig;
use crate::time::Interval;
use crate::units::Count;
use crate::workload::WorkloadConfig;

/// The fields at the top of a scenario; the sections are read one by one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    rename = "Scenario",
    title = "A scenario of retrysim",
    description = "What is called, who calls, and the policies to compare."
)]
pub(super) struct Header {
    /// What the scenario is, in a line; its file name if absent.
    title: Option<String>,
    /// The question that it answers.
    question: Option<String>,
    /// The root of all randomness.
    #[serde(default = "one_seed")]
    seed: Count<0, { i64::MAX as u64 }>,
    /// How many seeded runs each arm gets.
    #[serde(default = "thirty")]
    replications: Count<1, 100_000>,
    /// Length of a run, above 0s.
    horizon: Interval,
    /// Width of a bin of the time series, above 0s; the narrowest round one that makes at most 600 of them if absent.
    bin: Option<Interval>,
    /// Width of the window in which peaks and herds are measured, above 0s and up to `horizon`; 1s if absent.
    window: Option<Interval>,
    /// The arm that the others are held against; the first if absent.
    baseline: Option<String>,
    /// What is called, by name.
    #[serde(rename = "services")]
    #[schemars(with = "Parts<ServiceConfig>")]
    _services: Option<IgnoredAny>,
    /// Who calls, by name.
    #[serde(rename = "workloads")]
    #[schemars(with = "Parts<WorkloadConfig>")]
    _workloads: Option<IgnoredAny>,
    /// What clients do after a failure, by name. With one workload and no `arms`, each policy is an arm.
    #[serde(rename = "policies")]
    #[schemars(with = "Parts<PolicyConfig>")]
    _policies: Option<IgnoredAny>,
    /// What is compared, by name: which workload has which policy, as `workload = "policy"`. What an arm does not say is as the
    /// workload's `policy` says.
    #[serde(rename = "arms")]
    #[schemars(with = "Option<Parts<BTreeMap<String, String>>>")]
    _arms: Option<IgnoredAny>,
    /// What must be true of the results, as `"arm.metric" = "condition"` or `"arm.workload.metric" = "condition"`, such as
    /// `"jittered.success_rate" = ">= 0.95"`. The key stands in quotes.
    #[serde(rename = "expect")]
    #[schemars(with = "Option<BTreeMap<String, Bound>>", extend("minProperties" = 1))]
    _expect: Option<IgnoredAny>,
    /// What `retrysim tune` may move, by workload.
    #[serde(rename = "tune")]
    #[schemars(with = "Option<Parts<Tuning>>")]
    _tune: Option<IgnoredAny>,
}

const fn one_seed() -> Count<0, { i64::MAX as u64 }> {
    Count::of(1)
}

const fn thirty() -> Count<1, 100_000> {
    Count::of(30)
}

/// Reads and checks a whole scenario, with the files that it names below `folder`.
pub(super) fn read(name: &str, source: &Source, folder: Option<&Path>) -> Result<Scenario, Error> {
    let mut document = Document::parse(source)?;
    let root = Spanned::new(0..source.text.len(), DeValue::Table(document.root().clone()));
    let header: Option<Header> = document.read("", root, &[]);

    let mut files = Files::new(folder);
    let services: Vec<Named<ServiceConfig>> = section(&mut document, "services", &mut files, expand_service);
    let workloads: Vec<Named<WorkloadConfig>> = section(&mut document, "workloads", &mut files, as_written);
    let policies: Vec<Named<PolicyConfig>> = section(&mut document, "policies", &mut files, expand_policy);

    check_parts(&mut document, &services, &workloads, &policies);
    let workloads = connect(&mut document, workloads, &services);
    let arms = assign(&mut document, &workloads, &policies);
    check_slots(&mut document, &workloads);
    check_calls(&mut document, &workloads);
    check_replays(&mut document, &workloads, &services);
    check_costs(&mut document, &workloads, &services);
    check_caches(&mut document, &workloads, &policies, &arms);
    check_sizes(&mut document, &services, &workloads, &policies, &arms);
    let Some(header) = header else { return Err(document.check().expect_err("the header has a problem")) };
    let bin = header.bin.unwrap_or_else(|| default_bin(header.horizon));
    let window = header.window.unwrap_or_else(|| Interval::from_secs(1).min(header.horizon));
    check_times(&mut document, header.horizon, window, bin, &services, &workloads);
    document.check()?;
    // Only now: after another problem an arm may be missing for no fault of its own.
    let baseline = baseline(&mut document, header.baseline.as_deref(), &arms);
    let expectations = expect(&mut document, &workloads, &services, &arms);
    document.check()?;

    let mut scenario = Scenario {
        name: name.to_owned(),
        title: header.title.unwrap_or_else(|| name.to_owned()),
        question: header.question,
        seed: header.seed.get(),
        replications: header.replications.get_u32(),
        horizon: header.horizon,
        bin,
        window,
        services,
        workloads,
        policies,
        arms,
        baseline,
        expectations,
        tunings: Vec::new(),
        text: source.text.clone(),
        files: files.into_read(),
    };
    scenario.tunings = tunings(&mut document, &scenario);
    document.check()?;
    let bins = scenario.horizon.as_nanos().div_ceil(scenario.bin.as_nanos());
    let bins = bins * scenario.arms.len() as u64 * scenario.workloads.len() as u64;
    if bins > MAX_BINS_IN_ALL {
        let message =
            format!("{bins} bins over all arms and workloads, the limit is {MAX_BINS_IN_ALL}: widen it");
        document.problem("bin", message, None);
        document.check()?;
    }
    let requests =
        scenario.expected_requests() * scenario.arms.len() as f64 * f64::from(scenario.replications);
    if requests > MAX_REQUESTS {
        let message =
            format!("{requests:.0} requests over all arms and replications, the limit is {MAX_REQUESTS:.0}");
        let help = "fewer replications, a shorter horizon or a lower rate".to_owned();
        document.problem("replications", message, help);
        document.check()?;
    }
    Ok(scenario)
}

/// Index of the arm that the others are held against: the first, if none is named.
fn baseline(document: &mut Document<'_>, name: Option<&str>, arms: &[Arm]) -> usize {
    let Some(name) = name else { return 0 };
    arms.iter().position(|arm| arm.name == name).unwrap_or_else(|| {
        let known = suggestion(name, arms.iter().map(|arm| arm.name.as_str()));
        document.problem("baseline", format!("there is no arm \"{name}\"; {known}"), None);
        0
    })
}

/// Reads a policy that stands alone: the text is that of a section `[policies.NAME]`, without its head.
pub(super) fn policy(source: &Source) -> Result<PolicyConfig, Error> {
    let mut document = Document::parse(source)?;
    let root = Spanned::new(0..source.text.len(), DeValue::Table(document.root().clone()));
    let policy = expand_policy(&mut document, "", root)
        .and_then(|Expanded { value, parameters }| document.read("", value, &parameters));
    document.check()?;
    Ok(policy.expect("what cannot be read is a problem"))
}

/// Reads the entries of one section, each by itself, after its files have been read and `prepare` has had its way with it.
fn section<'s, C: DeserializeOwned>(
    document: &mut Document<'s>,
    name: &str,
    files: &mut Files,
    prepare: fn(&mut Document<'s>, &str, Value<'s>) -> Option<Expanded<'s>>,
) -> Vec<Named<C>> {
    let singular = if name == "policies" { "policy" } else { name.trim_end_matches('s') };
    let Some((_, value)) = entry(document.root(), name) else {
        // Under a misspelt name there may be one, and that is reported already.
        let misspelt = |key: &str| nearest(key, [name]).or_else(|| nearest(key, [singular])).is_some();
        if document.root().keys().any(|key| misspelt(key.get_ref())) {
            return Vec::new();
        }
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
    for (key, mut value) in table {
        let place = key.span();
        let key = key.into_inner().into_owned();
        let path = format!("{name}.{key}");
        check_name(document, name, &key, place);
        if files.fill(document, &path, &mut value)
            && let Some(Expanded { value, parameters }) = prepare(document, &path, value)
            && let Some(config) = document.read(&path, value, &parameters)
        {
            parts.push(Named { name: key, config });
        }
    }
    parts
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where others can fail")]
fn as_written<'s>(_: &mut Document<'s>, _: &str, value: Value<'s>) -> Option<Expanded<'s>> {
    Some(Expanded::as_written(value))
}

/// Puts a preset in the place of the service's `use`.
fn expand_service<'s>(document: &mut Document<'s>, path: &str, value: Value<'s>) -> Option<Expanded<'s>> {
    expand(document, path, Kind::Service, value)
}

/// Puts presets in the place of `use`, for the policy and for its breaker.
fn expand_policy<'s>(document: &mut Document<'s>, path: &str, value: Value<'s>) -> Option<Expanded<'s>> {
    let mut policy = expand(document, path, Kind::Policy, value)?;
    if let DeValue::Table(table) = policy.value.get_mut()
        && let Some((key, breaker)) = table.remove_entry("breaker")
    {
        let path = if path.is_empty() { "breaker".to_owned() } else { format!("{path}.breaker") };
        let breaker = expand(document, &path, Kind::Breaker, breaker)?;
        table.insert(key, breaker.value);
        policy.parameters.extend(breaker.parameters);
    }
    if let DeValue::Table(table) = policy.value.get_mut()
        && let Some((key, inner)) = table.remove_entry("inner")
    {
        let path = if path.is_empty() { "inner".to_owned() } else { format!("{path}.inner") };
        let inner = expand_policy(document, &path, inner)?;
        table.insert(key, inner.value);
        policy.parameters.extend(inner.parameters);
    }
    Some(policy)
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
