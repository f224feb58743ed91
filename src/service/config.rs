//! A service as written in a scenario.

use schemars::JsonSchema;
use serde::Deserialize;

use super::capacity::CapacityConfig;
use super::contention::ContentionConfig;
use super::fault::Fault;
use super::incident::{Incident, IncidentKind};
use super::rate_limit::{self, Callers, RateLimitConfig};
use crate::distribution::Distribution;
use crate::outcome::StatusCode;
use crate::schema::Either;
use crate::time::Interval;
use crate::units::Count;

/// A service as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// The rate limits, one table or a list; none if absent. The first that refuses an attempt answers it.
    #[serde(default, deserialize_with = "rate_limit::one_or_more")]
    #[schemars(with = "Either<RateLimitConfig, Vec<RateLimitConfig>>")]
    pub rate_limit: Vec<RateLimitConfig>,
    /// How long an attempt takes that the service works on, whether it succeeds or fails; 0s if absent.
    #[serde(default = "at_once")]
    #[schemars(extend("default" = { "constant": "0s" }))]
    pub latency: Distribution,
    /// How long it takes to be turned away, by the rate limit or by an outage; 0s if absent.
    #[serde(default = "at_once")]
    #[schemars(extend("default" = { "constant": "0s" }))]
    pub rejection_latency: Distribution,
    /// How long the way through the network takes, drawn for each way of each attempt; 0s if absent.
    pub network: Option<Distribution>,
    /// How much it can do at once, and what becomes of the rest; without limit if absent. Then `latency` is the time that a
    /// server works on a call.
    pub capacity: Option<CapacityConfig>,
    /// What calls contend for; nothing if absent. Not together with `capacity` or `latency`.
    pub contention: Option<ContentionConfig>,
    /// What calls are answered that another one was in the way of; 409 if absent.
    #[serde(default = "conflict")]
    pub collision_status: StatusCode,
    /// Ways of failing that are always there.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Faults with a time window.
    #[serde(default)]
    pub incidents: Vec<Incident>,
}

const fn at_once() -> Distribution {
    Distribution::Constant(Interval::ZERO)
}

const fn conflict() -> StatusCode {
    StatusCode::of(409)
}

impl ServiceConfig {
    /// What is wrong with the fields taken together: (path below the service, message) for each problem.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let laws = [("latency", &self.latency), ("rejection_latency", &self.rejection_latency)];
        for (field, law) in laws.into_iter().chain(self.network.iter().map(|law| ("network", law))) {
            problems.extend(law.problem().map(|message| (field.to_owned(), message)));
        }
        let contention = self.contention.and_then(|contention| contention.problem());
        problems.extend(contention.map(|message| ("contention".to_owned(), message)));
        if self.contention.is_some() && self.latency != at_once() {
            let message = "with `contention` calls take the time that they contend for: leave `latency` out, or write `network`";
            problems.push(("latency".into(), message.into()));
        }
        let capacity = self.capacity.iter().flat_map(CapacityConfig::problems);
        problems.extend(capacity.map(|(field, message)| (format!("capacity.{field}"), message)));
        if self.contention.is_some() && self.capacity.is_some() {
            let message = "calls either contend for one thing or queue for servers: leave out `contention` or `capacity`";
            problems.push(("contention".into(), message.into()));
        }
        if self.collision_status.is_success() {
            let message = format!(
                "status {} is a success, not a failure: write for example 409",
                self.collision_status.get()
            );
            problems.push(("collision_status".into(), message));
        }
        for (index, fault) in self.faults.iter().enumerate() {
            problems.extend(fault.problem().map(|message| (format!("faults.{index}"), message)));
        }
        for (index, limit) in self.rate_limit.iter().enumerate() {
            let path =
                if self.rate_limit.len() == 1 { "rate_limit".into() } else { format!("rate_limit.{index}") };
            problems.extend(limit.problem().map(|message| (path, message)));
        }
        let total: f64 = self.faults.iter().map(Fault::probability).sum();
        if total > 1.0 {
            problems.push((
                "faults".into(),
                format!("the probabilities of the random faults add up to {total}: they must stay within 1"),
            ));
        }
        for (index, incident) in self.incidents.iter().enumerate() {
            let message = incident.problem().or_else(|| self.in_vain(incident));
            problems.extend(message.map(|message| (format!("incidents.{index}"), message)));
        }
        problems
    }

    /// The paths below the service of what begins when a run of `horizon` is over.
    pub fn begins_after(&self, horizon: Interval) -> Vec<String> {
        let incidents = self.incidents.iter().enumerate();
        let late = incidents.filter(|(_, incident)| incident.begins() >= horizon);
        late.map(|(index, _)| format!("incidents.{index}")).collect()
    }

    /// Why an incident could not do to this service what it says, if so.
    fn in_vain(&self, incident: &Incident) -> Option<String> {
        let servers = self.capacity.and_then(|capacity| capacity.most_servers());
        match incident.kind {
            IncidentKind::Capacity(_) | IncidentKind::ServersLost(_) if servers.is_none() => {
                Some("there are no servers that it could take away: give `capacity.servers`".into())
            }
            IncidentKind::ServersLost(lost) if servers.is_some_and(|servers| lost > servers) => {
                Some(format!(
                    "it takes away {lost} servers of {}: write that many at most, or an `outage`",
                    servers.unwrap_or_default()
                ))
            }
            IncidentKind::RateLimit(_) if self.rate_limit.is_empty() => {
                Some("there is no limit that it could change: give the service a `rate_limit`".into())
            }
            IncidentKind::Deploy { outcome: None, .. } if servers.is_none() => Some(
                "nothing happens in it: say what attempts come to whose instance is away, such as \
                 `status = \"connection_error\"`, or give `capacity.servers`, of which it takes a part"
                    .into(),
            ),
            _ => None,
        }
    }

    /// What one may not expect of its incidents, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let constant = self.capacity.filter(|capacity| capacity.autoscale.is_none());
        let Some(servers) = constant.and_then(|capacity| capacity.servers).map(Count::get_u32) else {
            return Vec::new();
        };
        let left = |share: f64| libm::round(f64::from(servers) * share) as u32;
        let note = |incident: &Incident| match incident.kind {
            IncidentKind::Capacity(share) if share.get() > 0.0 && left(share.get()) == 0 => Some(format!(
                "a share of {} of {servers} servers is rounded to none: nothing is worked on in that incident",
                share.get()
            )),
            IncidentKind::Capacity(share) if share.get() < 1.0 && left(share.get()) == servers => {
                Some(format!(
                    "a share of {} of {servers} servers is rounded to all of them: that incident changes nothing",
                    share.get()
                ))
            }
            IncidentKind::Deploy { instances, outcome: None }
                if left(1.0 - 1.0 / f64::from(instances)) == servers =>
            {
                Some(format!(
                    "one of {instances} instances is less than half of one of {servers} servers: that deploy changes nothing"
                ))
            }
            _ => None,
        };
        self.incidents.iter().filter_map(note).collect()
    }

    /// What else is wrong with the fields in a run of `horizon`, as [`ServiceConfig::problems`].
    pub fn problems_within(&self, horizon: Interval) -> Vec<(String, String)> {
        let faults =
            self.faults.iter().enumerate().filter_map(|(index, fault)| {
                Some((format!("faults.{index}"), fault.problem_within(horizon)?))
            });
        let incidents = self.incidents.iter().enumerate().filter_map(|(index, incident)| {
            Some((format!("incidents.{index}"), incident.problem_within(horizon)?))
        });
        let autoscale = self.capacity.and_then(|capacity| capacity.autoscale?.problem_within(horizon));
        let autoscale = autoscale.map(|message| ("capacity.autoscale".to_owned(), message));
        faults.chain(incidents).chain(autoscale).collect()
    }

    fn has_servers(&self) -> bool {
        self.capacity.is_some_and(|capacity| capacity.servers.is_some() || capacity.autoscale.is_some())
    }

    /// True if incidents take servers away.
    pub(super) fn loses_servers(&self) -> bool {
        let takes = |incident: &Incident| {
            let kind = &incident.kind;
            matches!(
                kind,
                IncidentKind::Capacity(_) | IncidentKind::ServersLost(_) | IncidentKind::Deploy { .. }
            )
        };
        self.has_servers() && self.incidents.iter().any(takes)
    }

    /// True if a call that a limit holds meets another service when it goes in than on its arrival: others may be inside by
    /// then, or incidents and faults have begun or ended.
    pub fn holds_outside(&self) -> bool {
        let changes = self.capacity.is_some() || self.contention.is_some();
        let changes = changes || !self.incidents.is_empty() || !self.faults.is_empty();
        changes && self.rate_limit.iter().any(|limit| limit.kind.holds())
    }

    /// The tightest limit in attempts per second of all clients together, for reports.
    pub fn limit_per_second(&self, callers: Callers) -> Option<f64> {
        rate_limit::per_second(&self.rate_limit, callers)
    }

    /// The most attempts of all `callers` together that pass within `window`, for reports; `None` if no limit bounds them.
    pub fn allowance(&self, window: Interval, callers: Callers) -> Option<f64> {
        rate_limit::allowance(&self.rate_limit, window, callers)
    }
}
