//! What `presets --as` and `run --export` share: a policy found by its name, or by its success, as a configuration.

use super::delays::{fields, policy};
use crate::error::{Error, suggestion};
use crate::experiment::{Results, winner};
use crate::export::{Target, export, export_breaker};
use crate::scenario::{Kind, Preset, Scenario};

/// Reads the name of a target.
pub(super) fn target(text: &str) -> Result<Target, String> {
    let known = Target::ALL.into_iter().find(|target| target.name() == text);
    known.ok_or_else(|| {
        let names = suggestion(text, Target::ALL.iter().map(|target| target.name()));
        format!("nothing can be written for \"{text}\": {names}")
    })
}

/// The preset or FILE#POLICY called `name` as the configuration of `target`.
pub(super) fn exported(name: &str, set: &[String], target: Target) -> Result<String, Error> {
    let breaker = Preset::all().iter().any(|preset| preset.id == name && preset.kind() == Kind::Breaker);
    let written = if breaker {
        export_breaker(name, &Scenario::preset_breaker(name, &fields(set)?)?, target)
    } else {
        let config = policy(name, set)?;
        if let Some((field, message)) = config.problems().first() {
            let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
            return Err(Error::Usage(format!("{name}: {field}{message}")));
        }
        export(name, &config, target)
    };
    written.map(|export| export.text).map_err(Error::Usage)
}

/// The policies of the arms that won, a block per workload, and why some could not be written.
pub(super) fn winners(scenario: &Scenario, results: &Results, target: Target) -> (String, Vec<String>) {
    let (mut text, mut refusals) = (String::new(), Vec::new());
    for (index, workload) in scenario.workloads.iter().enumerate() {
        let won = winner(scenario, results, index);
        let arm = &scenario.arms[won.arm];
        let policy = &scenario.policies[arm.policies[index]];
        text += &format!("\nworkload {}: arm {} won ({})\n", workload.name, arm.name, won.why);
        match export(&format!("policy {}", policy.name), &policy.config, target) {
            Ok(export) => text += &format!("\n{}", export.text),
            Err(why) => {
                text += &format!("not written: {why}\n");
                refusals.push(why);
            }
        }
    }
    (text, refusals)
}
