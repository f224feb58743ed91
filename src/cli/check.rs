//! `retrysim check`: every problem of a scenario, without running it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::print;
use super::run::Overrides;
use crate::error::Error;
use crate::policy::PolicyConfig;
use crate::report::number::count;
use crate::scenario::{Scenario, ScenarioFile};

/// Find every problem of scenario files without running them.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim check scenarios/*.toml")]
pub(super) struct Check {
    /// The scenario files; - for stdin.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
}

impl Check {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let overrides = self.overrides.fields()?;
        let mut sound = true;
        for path in &self.scenarios {
            match ScenarioFile::open(path).and_then(|file| file.with(&overrides)) {
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

/// The most attempts of one request, as a product where policies are inside each other: `4 x 3 = 12 attempts at most`.
fn worst_case(policy: &PolicyConfig) -> String {
    let Some(most) = policy.max_attempts() else { return "any number of attempts".into() };
    let layers: Vec<String> = policy
        .layers()
        .filter_map(PolicyConfig::max_retries)
        .map(|retries| (retries + 1).to_string())
        .collect();
    let product = if layers.len() > 1 { format!("{} = ", layers.join(" x ")) } else { String::new() };
    let plural = if most == 1 { "" } else { "s" };
    format!("{product}{most} attempt{plural} at most")
}

/// `1 request`, `2.50 requests`; whole numbers without a point.
fn counted(number: f64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1.0 { "" } else { "s" })
}

fn describe(path: &std::path::Path, scenario: &Scenario) -> String {
    let arms: Vec<&str> = scenario.arms.iter().map(|arm| arm.name.as_str()).collect();
    let bound = scenario.expected_attempts_bound();
    let attempts = if bound.is_finite() {
        format!("at most about {}", counted(bound, "attempt"))
    } else {
        "as many attempts as time allows".into()
    };
    let mut text = format!(
        "{}: sound\n  arms: {}\n  {} of {}, about {} each; in all {attempts}\n",
        path.display(),
        arms.join(", "),
        counted(f64::from(scenario.replications), "replication"),
        scenario.horizon,
        counted(scenario.expected_requests(), "request"),
    );
    for policy in &scenario.policies {
        let attempts = worst_case(&policy.config);
        let wait = policy
            .config
            .longest_wait()
            .map_or("waits until time stops it".into(), |wait| format!("waits {wait} in all at most"));
        let turn = if policy.config.limiter.is_some() { ", and for its limiter" } else { "" };
        text += &format!("  policy {}: {attempts}, {wait}{turn}\n", policy.name);
    }
    for note in scenario.notes() {
        text += &format!("  note: {note}\n");
    }
    text
}
