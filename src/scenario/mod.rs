//! Scenarios: from a file to checked, typed objects. What gets through here can be run, and only the disk can fail.

mod assign;
mod axis;
mod condition;
mod document;
mod expectation;
mod explain;
mod file;
mod files;
mod overrides;
mod preset;
mod read;
mod rules;
mod schema;
mod sizes;
mod tune;

use std::collections::BTreeMap;
use std::path::Path;

pub use axis::{Axis, Range, Span, numbers};
pub use condition::{Comparison, Condition, Figure, Metric};
pub use expectation::Expectation;
pub use file::{MAX_FILE_BYTES, ScenarioFile};
pub use overrides::Override;
pub use preset::{Kind, Parameter, Preset, Unit};
pub use schema::{fields, schema};
pub use tune::{Addition, Knob, Objective, Tune, Tuned, Values};

use crate::breaker::BreakerConfig;
use crate::error::Error;
use crate::outcomes::Only;
use crate::policy::{PolicyConfig, RetryOn};
use crate::service::{Callers, Fault, Incident, ServiceConfig};
use crate::time::Interval;
use crate::workload::{Arrivals, WorkloadConfig};
use document::Source;

/// The most bins a time series may have.
pub const MAX_BINS: u64 = 20_000;
/// The most bins that the time series of all arms and workloads may have together.
pub const MAX_BINS_IN_ALL: u64 = 4_000_000;
/// The most requests that all arms and replications together may expect.
pub const MAX_REQUESTS: f64 = 1e10;

/// A checked scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The file's name without its folder and ending; that of its folder if it is called `scenario.toml`.
    pub name: String,
    /// What the scenario is, in a line.
    pub title: String,
    /// The question that it answers, if it says one.
    pub question: Option<String>,
    /// The root of all randomness.
    pub seed: u64,
    /// How many seeded runs each arm gets.
    pub replications: u32,
    /// Length of a run.
    pub horizon: Interval,
    /// Width of a bin of the time series.
    pub bin: Interval,
    /// Width of the sliding window in which peaks and herds are measured.
    pub window: Interval,
    /// What is called, in the order of the file.
    pub services: Vec<Named<ServiceConfig>>,
    /// Who calls, in the order of the file.
    pub workloads: Vec<Workload>,
    /// The policies, in the order of the file.
    pub policies: Vec<Named<PolicyConfig>>,
    /// What is compared, in the order of the file.
    pub arms: Vec<Arm>,
    /// Index of the arm that the others are held against.
    pub baseline: usize,
    /// What must be true of the result.
    pub expectations: Vec<Expectation>,
    /// What is to be tuned, in the order of the file.
    pub tunings: Vec<Tune>,
    /// The text that was read, overrides included: what it takes to run it again, with `files`.
    pub text: String,
    /// The files that it names, in the order of names.
    pub files: Vec<DataFile>,
}

/// A file that a scenario names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its path, as the scenario writes it.
    pub name: String,
    /// The SHA-256 of its content, as `sha256sum` prints it.
    pub sha256: String,
}

/// A part with the name that the file gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<C> {
    /// Its name.
    pub name: String,
    /// What it is.
    pub config: C,
}

/// A workload and the service it calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// What it is.
    pub config: WorkloadConfig,
    /// Index of its service.
    pub service: usize,
    /// Index of the service that issues its requests, if one does.
    pub within: Option<usize>,
    /// Place in the order of names, which settles ties whatever the order of the file.
    pub tie: u16,
}

/// One assignment of policies to workloads: the thing compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// Index of the policy of each workload.
    pub policies: Vec<usize>,
}

impl Scenario {
    /// Reads and checks the file at `path`, after replacing the fields in `overrides` (path, value).
    ///
    /// # Errors
    /// If the file cannot be read, or with every problem found in it.
    pub fn load(path: &Path, overrides: &[(String, String)]) -> Result<Self, Error> {
        ScenarioFile::open(path)?.with(&Override::set(overrides))
    }

    /// Reads and checks `text`, which is called `name` in reports and `file` in messages. It has no folder, so that it cannot
    /// name files; but it can contain them ([`crate::table`]).
    ///
    /// # Errors
    /// With every problem found in it.
    pub fn parse(name: &str, file: &str, text: &str, overrides: &[(String, String)]) -> Result<Self, Error> {
        let source = Source::new(file, text, &Override::set(overrides))?;
        read::read(name, &source, None)
    }

    /// The text to keep: run again under any name, it gives the same results and charts.
    pub fn kept(&self) -> String {
        self.titled(self.text.clone())
    }

    /// `text` with the title, if it says none: without it the title would be the name of the file that it is kept in.
    fn titled(&self, text: String) -> String {
        let says =
            text.parse::<toml_edit::DocumentMut>().is_ok_and(|document| document.contains_key("title"));
        if says {
            return text;
        }
        let title = toml_edit::Value::from(self.title.as_str());
        format!("title = {title}\n{}", text.trim_start_matches('\u{feff}'))
    }

    /// Reads one policy by itself: a preset with parameters and fields that replace its own, as TOML values by path.
    /// What is wrong with the fields taken together is not looked for ([`PolicyConfig::problems`]).
    ///
    /// # Errors
    /// If there is no such preset, or with every field that cannot be read.
    pub fn preset_policy(id: &str, fields: &[(String, String)]) -> Result<PolicyConfig, Error> {
        read::policy(&Source::new(
            &format!("preset {id}"),
            &format!("use = {id:?}\n"),
            &Override::set(fields),
        )?)
    }

    /// Reads one breaker by itself, as [`Scenario::preset_policy`] does a policy.
    ///
    /// # Errors
    /// If there is no such preset, or with every field that cannot be read.
    pub fn preset_breaker(id: &str, fields: &[(String, String)]) -> Result<BreakerConfig, Error> {
        let below = |(path, value): &(String, String)| (format!("breaker.{path}"), value.clone());
        let fields: Vec<_> = fields.iter().map(below).collect();
        let text = format!("retries = 0\n[breaker]\nuse = {id:?}\n");
        let source = Source {
            hidden: "breaker.",
            ..Source::new(&format!("preset {id}"), &text, &Override::set(&fields))?
        };
        let policy = read::policy(&source)?;
        policy.breaker.ok_or_else(|| Error::Usage(format!("preset {id} composes no breaker")))
    }

    /// The requests to expect in one replication of any arm; of those that a service issues, if no call is made twice.
    pub fn expected_requests(&self) -> f64 {
        self.requests(|_| 1.0).iter().sum()
    }

    /// The most attempts to expect in all replications of all arms; infinite if only time stops a policy.
    pub fn expected_attempts_bound(&self) -> f64 {
        let arms = (0..self.arms.len()).map(|arm| self.expected_attempts_bound_of(arm));
        arms.sum::<f64>() * f64::from(self.replications)
    }

    /// The most attempts to expect in one replication of the arm with this index; infinite if only time stops a policy.
    pub fn expected_attempts_bound_of(&self, arm: usize) -> f64 {
        let most = |workload: usize| {
            let policy = &self.policies[self.arms[arm].policies[workload]].config;
            policy.max_attempts().map_or(f64::INFINITY, |most| most as f64)
        };
        let requests = self.requests(most).into_iter().enumerate();
        requests.map(|(index, count)| if count == 0.0 { 0.0 } else { count * most(index) }).sum()
    }

    /// The indices of the service with the index `service` and of all that are called while it works on a call.
    pub fn reached_from(&self, service: usize) -> Vec<usize> {
        rules::reached(&self.workloads, service)
    }

    /// True if there is an incident to recover from.
    pub fn has_incidents(&self) -> bool {
        self.services.iter().any(|service| !service.config.incidents.is_empty())
    }

    /// True if luck strikes many requests of a replication at once: outages at random, bursts of faults or of arrivals. What one
    /// of them says is then not independent of what the others say.
    pub fn strikes_many(&self) -> bool {
        let services = self.services.iter().map(|service| &service.config);
        let bursts = |fault: &Fault| matches!(fault, Fault::Bursts(_));
        services.into_iter().any(|service| {
            service.incidents.iter().any(Incident::is_random) || service.faults.iter().any(bursts)
        }) || self.workloads.iter().any(|workload| matches!(workload.config.arrivals, Arrivals::Modulated(_)))
    }

    /// How many clients, workloads and accounts call the service with the index `service`.
    pub fn callers_of(&self, service: usize) -> Callers {
        let workloads = self.workloads.iter().filter(|workload| workload.service == service);
        let (mut clients, mut count, mut accounts) = (0, 0, BTreeMap::new());
        for Workload { name, config, .. } in workloads {
            count += 1;
            clients += config.clients.get();
            // Those with an account of the same name share it, and have as many as the one that has most.
            let shared = accounts.entry(config.account_name(name)).or_insert(0);
            *shared = config.accounts.get().max(*shared);
        }
        Callers { clients, workloads: count, accounts: accounts.values().sum() }
    }

    /// The requests to expect of each workload in one replication, if each makes so many attempts.
    fn requests(&self, attempts: impl Fn(usize) -> f64) -> Vec<f64> {
        let own = |workload: &Workload| {
            workload.config.arrivals.expected(workload.config.clients.get(), self.horizon)
        };
        let mut requests: Vec<f64> = self.workloads.iter().map(own).collect();
        // Calls go downwards, so after as many rounds as there are workloads all have been counted.
        for _ in 0..self.workloads.iter().filter(|workload| workload.within.is_some()).count() {
            for (index, workload) in self.workloads.iter().enumerate() {
                let (Some(service), Arrivals::CallsOf(calls)) = (workload.within, &workload.config.arrivals)
                else {
                    continue;
                };
                let callers =
                    self.workloads.iter().enumerate().filter(|(_, caller)| caller.service == service);
                let calls_in = callers.map(|(caller, _)| match requests[caller] {
                    0.0 => 0.0,
                    count => count * attempts(caller),
                });
                requests[index] = calls_in.sum::<f64>() * calls.fan_out.get() as f64;
            }
        }
        requests
    }

    /// What one may want to know before running it, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for arm in &self.arms {
            for (workload, &policy) in self.workloads.iter().zip(&arm.policies) {
                let policy = &self.policies[policy];
                let Some(wait) = policy.config.longest_wait() else { continue };
                if wait > self.horizon {
                    notes.push(format!(
                        "the retries of policy {} can last {wait}, longer than the horizon of {}: requests may stay unfinished \
                         in arm {}, workload {}",
                        policy.name, self.horizon, arm.name, workload.name
                    ));
                }
            }
        }
        for policy in &self.policies {
            let retries = policy.config.max_retries() != Some(0);
            let given = policy.config.retry_on != RetryOn::default();
            let nothing = policy.config.retry_on == RetryOn::Only(Only::default());
            if retries && nothing {
                notes
                    .push(format!("policy {} retries nothing: its `retry_on` lists no outcome", policy.name));
            } else if !retries && given {
                notes.push(format!("policy {} makes no retry: its `retry_on` does nothing", policy.name));
            }
        }
        let used = |policy: usize| self.arms.iter().any(|arm| arm.policies.contains(&policy));
        for (index, policy) in self.policies.iter().enumerate() {
            if !used(index) {
                notes.push(format!("policy {} is in no arm", policy.name));
            }
        }
        for Workload { name, config, .. } in &self.workloads {
            let patience = config.timeout.unwrap_or(self.horizon).min(self.horizon);
            let odd = config.arrivals.notes(self.horizon, config.replays().then_some(patience));
            notes.extend(odd.into_iter().map(|note| format!("workload {name}: {note}")));
        }
        for (index, service) in self.services.iter().enumerate() {
            notes.extend(
                service.config.notes().into_iter().map(|note| format!("service {}: {note}", service.name)),
            );
            let operations = rules::operations(&self.workloads, index);
            for limit in &service.config.rate_limit {
                let unknown: Vec<&str> =
                    limit.unknown_operations(&operations).into_iter().map(|(name, _)| name).collect();
                if !unknown.is_empty() {
                    notes.push(format!(
                        "a rate limit of service {} has a cost or refund for what no workload issues (`operations`): {}",
                        service.name,
                        unknown.join(", ")
                    ));
                }
            }
            if !self.workloads.iter().any(|workload| workload.service == index) {
                notes.push(format!("service {} is called by no workload", service.name));
            }
        }
        notes
    }
}
