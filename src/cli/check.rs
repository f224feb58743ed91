//! `retrysim check`: every problem of a scenario, without running it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::print;
use super::run::Overrides;
use crate::error::Error;
use crate::policy::PolicyConfig;
use crate::report::number::short;
use crate::scenario::Scenario;

/// Find every problem of scenario files without running them.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim check scenarios/*.toml")]
pub(super) struct Check {
    /// The scenario files.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
}

impl Check {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let overrides = self.overrides.paths()?;
        let mut sound = true;
        for path in &self.scenarios {
            match Scenario::load(path, &overrides) {
                Ok(scenario) => print(&describe(path, &scenario))?,
                Err(error) => {
                    sound = false;
                    anstream::eprintln!("{error}");
                }
            }
        }
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(2) })
    }
}

/// The most attempts of one request, as a product where policies are inside each other: `4 x 3 = 12`.
fn worst_case(policy: &PolicyConfig) -> String {
    let Some(most) = policy.max_attempts() else { return "unlimited".into() };
    let layers: Vec<String> = policy
        .layers()
        .filter_map(PolicyConfig::max_retries)
        .map(|retries| (retries + 1).to_string())
        .collect();
    if layers.len() > 1 { format!("{} = {most}", layers.join(" x ")) } else { most.to_string() }
}

fn describe(path: &std::path::Path, scenario: &Scenario) -> String {
    let arms: Vec<&str> = scenario.arms.iter().map(|arm| arm.name.as_str()).collect();
    let bound = scenario.expected_attempts_bound();
    let attempts = if bound.is_finite() {
        format!("at most about {} attempts", short(bound))
    } else {
        "as many attempts as time allows".into()
    };
    let mut text = format!(
        "{}: sound\n  arms: {}\n  {} replications of {}, about {} requests each; in all {attempts}\n",
        path.display(),
        arms.join(", "),
        scenario.replications,
        scenario.horizon,
        short(scenario.expected_requests()),
    );
    for policy in &scenario.policies {
        let attempts = worst_case(&policy.config);
        let wait = policy
            .config
            .longest_wait()
            .map_or("until time stops it".into(), |wait| format!("{wait} in all"));
        text += &format!("  policy {}: {attempts} attempts at most, waits {wait} at most\n", policy.name);
    }
    for note in scenario.notes() {
        text += &format!("  note: {note}\n");
    }
    text
}
