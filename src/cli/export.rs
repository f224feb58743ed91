//! What `presets --as` and `run --export` share: a policy found by its name, or by its success, as a configuration.

use super::delays::{fields, policy};
use crate::error::{Error, suggestion};
use crate::experiment::{Results, winner};
use crate::export::{Target, export, export_breaker};
use crate::scenario::{Arm, Kind, Preset, Scenario};

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

/// What each arm has of each workload, written for one target: by workload, then by arm.
pub(super) struct Written {
    target: Target,
    policies: Vec<Vec<Result<String, String>>>,
}

impl Written {
    /// Writes the policies of all arms, before anything is run: which arm wins is known only afterwards.
    ///
    /// # Errors
    /// If a workload has no arm whose policy can be written, so that the export could only fail.
    pub(super) fn of(scenario: &Scenario, target: Target) -> Result<Self, Error> {
        let mut policies = Vec::new();
        for (index, workload) in scenario.workloads.iter().enumerate() {
            let written = |arm: &Arm| {
                let policy = &scenario.policies[arm.policies[index]];
                export(&format!("policy {}", policy.name), &policy.config, target).map(|export| export.text)
            };
            let arms: Vec<Result<String, String>> = scenario.arms.iter().map(written).collect();
            if arms.iter().all(Result::is_err) {
                return Err(Error::Usage(refusal(scenario, &workload.name, &arms, target)));
            }
            policies.push(arms);
        }
        Ok(Self { target, policies })
    }

    /// The policies of the arms that won, a block per workload. Where the winner cannot be written, that is said, and the best
    /// of those that can stands in its place.
    pub(super) fn winners(&self, scenario: &Scenario, results: &Results) -> String {
        let mut text = String::new();
        let all: Vec<usize> = (0..scenario.arms.len()).collect();
        for (index, (workload, arms)) in scenario.workloads.iter().zip(&self.policies).enumerate() {
            let Some(won) = winner(results, index, &all) else { continue };
            let name = |arm: usize| &scenario.arms[arm].name;
            text += &format!("\nworkload {}: arm {} won ({})\n", workload.name, name(won.arm), won.why);
            match &arms[won.arm] {
                Ok(policy) => text += &format!("\n{policy}"),
                Err(why) => {
                    text += &format!("not written: {why}\n");
                    let writable: Vec<usize> = all.iter().copied().filter(|&arm| arms[arm].is_ok()).collect();
                    let best = winner(results, index, &writable);
                    if let Some((best, Ok(policy))) = best.map(|best| (best.clone(), &arms[best.arm])) {
                        text += &format!(
                            "of the arms that can be written for {}, {} is best ({})\n\n{policy}",
                            self.target.name(),
                            name(best.arm),
                            best.why
                        );
                    }
                }
            }
        }
        text
    }
}

fn refusal(scenario: &Scenario, workload: &str, arms: &[Result<String, String>], target: Target) -> String {
    let mut text = format!(
        "--export {}: workload {workload} has no arm that can be written, so nothing was run",
        target.name()
    );
    for (arm, written) in scenario.arms.iter().zip(arms) {
        if let Err(why) = written {
            text += &format!("\n  arm {}: {why}", arm.name);
        }
    }
    text + "\nexport to another library, change a policy so that it can be written, or run without --export"
}
