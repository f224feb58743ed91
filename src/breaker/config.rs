//! A breaker as it is written in a scenario, and the same compiled for all who share the rules.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::half_open::{HalfOpenConfig, Judge};
use super::open_time::{OpenFor, OpenTime};
use super::trip::{Trip, TripRules};
use crate::outcome::Outcome;
use crate::outcomes::Outcomes;
use crate::random::Key;
use crate::schema::{Either, Unlimited};
use crate::scope::Scope;
use crate::time::Interval;
use crate::units::Count;

/// A breaker as written in a scenario. The defaults are those of a textbook breaker.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakerConfig {
    /// What opens it when it is closed.
    pub trip: Trip,
    /// How long it stays open.
    pub open_for: OpenFor,
    /// Whether the open time ends `at` its last instant or strictly `after` it.
    #[serde(default)]
    pub boundary: Boundary,
    /// From when the open time counts.
    #[serde(default)]
    pub timer_from: TimerFrom,
    /// What it takes, beside the end of the open time, to leave the open state.
    #[serde(default)]
    #[schemars(extend("default" = "on_call"))]
    pub changes: Changes,
    /// What comes after the open time.
    #[serde(default)]
    pub after_open: AfterOpen,
    /// How many probes are let through while half-open: a number, or "unlimited". If absent, as many as `half_open` needs,
    /// or 1.
    pub probes: Option<Probes>,
    /// Whether that is how many may be `under_way` at once, or how many there are `in_all`.
    #[serde(default)]
    pub probes_counted: ProbesCounted,
    /// What becomes of callers for whom there is no probe left.
    #[serde(default)]
    pub overflow: Overflow,
    /// How probes are judged; by the next two fields if absent.
    #[serde(default)]
    pub half_open: HalfOpenConfig,
    /// Failures while half-open that open it again.
    #[serde(default = "one")]
    pub reopens_after: Count<1, 1_000_000_000>,
    /// Successes while half-open that close it.
    #[serde(default = "one")]
    pub closes_after: Count<1, 1_000_000_000>,
    /// How long it stays half-open at most; for ever if absent (resilience4j 2 `maxWaitDurationInHalfOpenState`).
    pub half_open_for: Option<HalfOpenFor>,
    /// Whether results of probes also enter what the trip condition remembers.
    #[serde(default)]
    pub probe_results: ProbeResults,
    /// What the trip condition still remembers once it has closed.
    #[serde(default)]
    pub on_close: OnClose,
    /// What becomes of a result whose call began before the last change of state.
    #[serde(default)]
    pub late_results: LateResults,
    /// Who shares one breaker.
    #[serde(default)]
    pub scope: Scope,
    /// Which outcomes are failures to it; everything that is no success if absent. What is no failure counts as a success.
    #[serde(default = "any_failure")]
    #[schemars(extend("default" = "any_failure"))]
    pub counts: Outcomes,
    /// Whether it guards each attempt, or the request with all its retries.
    #[serde(default)]
    pub position: Position,
}

const fn any_failure() -> Outcomes {
    Outcomes::AnyFailure
}

const fn one() -> Count<1, 1_000_000_000> {
    Count::of(1)
}

/// Whether the end of the open time belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// A call at exactly the end is let through (`>=`).
    #[default]
    At,
    /// A call at exactly the end is refused (strict `>`).
    After,
}

/// From when the open time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimerFrom {
    /// From the moment it opened.
    #[default]
    Trip,
    /// From the last failure seen, even one that came in while it was open; with `late_results = "as_begun"`, the last one
    /// that would have opened it.
    LastFailure,
}

/// What it takes to leave the open state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Changes {
    /// A call: until the next one it is open by name.
    #[default]
    OnCall,
    /// Nothing: it changes at the end of the open time (opossum 9, gobreaker 2, circuitbreaker 2).
    OnTime,
    /// A check that is made at every multiple of this time (Envoy's `interval`).
    Every(Interval),
}

/// What comes after the open time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterOpen {
    /// Probes.
    #[default]
    HalfOpen,
    /// Everything passes again (Envoy).
    Closed,
}

/// How probes are counted against their limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbesCounted {
    /// Those whose result is not known yet.
    #[default]
    UnderWay,
    /// All since it became half-open (gobreaker 2, resilience4j 2).
    InAll,
}

/// What becomes of callers for whom there is no probe left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// They are refused.
    #[default]
    Reject,
    /// They wait for a probe to end, and then do as the new state says (cockatiel 3).
    Wait,
}

/// How long it stays half-open at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfOpenFor {
    /// The longest time; at least 1 ms.
    pub at_most: Interval,
    /// What it becomes then.
    #[serde(default)]
    pub then: Then,
}

/// What a breaker becomes that was half-open for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Open.
    #[default]
    Open,
    /// Closed.
    Closed,
}

/// Where results of probes go, beside the judgement on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeResults {
    /// Nowhere; the trip condition forgets everything when the breaker becomes half-open, unless `on_close = "remember"`.
    #[default]
    Apart,
    /// Into what the trip condition remembers (pybreaker 1, circuitbreaker 2, cockatiel 3, failsafe-rs 1, opossum 9).
    Remembered,
}

/// What the trip condition remembers once the breaker has closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnClose {
    /// Nothing.
    #[default]
    Forget,
    /// Nothing but the success that closed it (cockatiel 3, failsafe-rs 1).
    ForgetButLast,
    /// Everything (opossum 9).
    Remember,
}

/// What becomes of results of calls that began in an earlier state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LateResults {
    /// They are ignored (gobreaker 2).
    #[default]
    Ignore,
    /// They count as if the call had begun now: a late success closes an open breaker (circuitbreaker 2).
    Count,
    /// They count as if the call had begun now, but an open breaker only remembers them (resilience4j 2, Polly 8).
    Record,
    /// The same, but an open breaker only remembers successes (failsafe-rs 1).
    RecordSuccesses,
    /// They are judged by the rules of the state in which the call began, whatever it is now (pybreaker 1, aiobreaker 1).
    AsBegun,
    /// The same, but a breaker that has opened stays open (cockatiel 3).
    AsBegunUnlessOpen,
}

/// What a breaker guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Each attempt: the retry is around the breaker, and a refusal is a failed attempt that can be retried.
    #[default]
    Inside,
    /// The request with all its retries: only the last outcome counts, and a refusal is not retried.
    Outside,
}

/// How many probes are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Count<1, { u32::MAX as u64 }>, Unlimited>", inline)]
pub struct Probes(u32);

impl Probes {
    /// The number; `None` if it is unlimited.
    pub const fn limit(self) -> Option<u32> {
        if self.0 == u32::MAX { None } else { Some(self.0) }
    }
}

impl<'de> Deserialize<'de> for Probes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = u32;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1, or \"unlimited\"")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<u32, E> {
                u32::try_from(number).ok().filter(|&n| n > 0).ok_or_else(|| {
                    E::custom(format!(
                        "{number} probes make no sense: write a whole number from 1, or \"unlimited\""
                    ))
                })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<u32, E> {
                if text == "unlimited" {
                    Ok(u32::MAX)
                } else {
                    Err(E::custom(format!(
                        "\"{text}\" is not a number of probes: write a whole number from 1, or \"unlimited\""
                    )))
                }
            }
        }
        deserializer.deserialize_any(Number).map(Self)
    }
}

impl BreakerConfig {
    /// What is wrong with the fields taken together: (field, message) for each problem.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        problems.extend(self.trip.problem().map(|message| ("trip", message)));
        problems.extend(self.open_for.problem().map(|message| ("open_for", message)));
        problems.extend(self.half_open.problem().map(|message| ("half_open", message)));
        if self.changes == Changes::Every(Interval::ZERO) {
            problems.push(("changes", "a check needs a time between two of them, above 0s".into()));
        }
        if self.half_open_for.is_some_and(|most| most.at_most < Interval::from_millis(1)) {
            problems.push(("half_open_for", "it must be half-open for at least 1ms".into()));
        }
        if self.after_open == AfterOpen::HalfOpen && problems.is_empty() {
            problems.extend(self.stuck().map(|message| ("probes", message)));
            problems.extend(self.restless().map(|message| ("half_open_for", message)));
        }
        problems
    }

    /// A half-open breaker with so few probes in all that their results may leave it half-open for ever.
    fn stuck(&self) -> Option<String> {
        let probes = self.probes();
        let limited = self.probes_counted == ProbesCounted::InAll && probes < u32::MAX;
        let needs = self.judge(probes).needs();
        (limited && needs > probes && self.half_open_for.is_none()).then(|| {
            format!(
                "it takes up to {needs} probes to close it or to open it again, and only {probes} {} let through in all: it \
                 would stay half-open for ever. Give `probes = {needs}`, `probes_counted = \"under_way\"`, or a limit such as \
                 `half_open_for.at_most = \"60s\"`",
                if probes == 1 { "is" } else { "are" }
            )
        })
    }

    /// A breaker that opens and becomes half-open by itself for ever, each time for another length: what it is after a year
    /// in which nobody calls can only be found by going through all its openings.
    fn restless(&self) -> Option<String> {
        let reopens = self.half_open_for.is_some_and(|most| most.then == Then::Open);
        (reopens && self.changes != Changes::OnCall && OpenTime::new(&self.open_for).draws_each_opening()).then(|| {
            "a breaker that goes on opening by itself cannot draw how long each time: leave out `open_for.jitter`, or give \
             `changes = \"on_call\"` or `half_open_for.then = \"closed\"`"
                .into()
        })
    }

    fn judge(&self, probes: u32) -> Judge {
        let counts = (self.reopens_after.get_u32(), self.closes_after.get_u32());
        Judge::new(&self.half_open, counts, probes)
    }

    /// How many probes are let through; `u32::MAX` if all are.
    pub fn probes(&self) -> u32 {
        self.probes.map_or_else(|| self.half_open.probes().unwrap_or(1), |Probes(probes)| probes)
    }
}

/// A [`BreakerConfig`], compiled: what all breakers with the same rules share.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerRules {
    pub(super) trip: TripRules,
    pub(super) open_for: OpenTime,
    pub(super) boundary: Boundary,
    pub(super) timer_from: TimerFrom,
    pub(super) changes: Changes,
    pub(super) after_open: AfterOpen,
    pub(super) probes: u32,
    pub(super) probes_counted: ProbesCounted,
    pub(super) overflow: Overflow,
    pub(super) judge: Judge,
    pub(super) half_open_for: Option<HalfOpenFor>,
    pub(super) probe_results: ProbeResults,
    pub(super) on_close: OnClose,
    pub(super) late_results: LateResults,
    pub(super) key: Key,
    counts: Outcomes,
}

impl BreakerRules {
    /// The rules of `config`; `key` is for open times that are drawn.
    pub fn new(config: &BreakerConfig, key: Key) -> Self {
        let probes = config.probes();
        Self {
            trip: TripRules::new(&config.trip),
            open_for: OpenTime::new(&config.open_for),
            boundary: config.boundary,
            timer_from: config.timer_from,
            changes: config.changes,
            after_open: config.after_open,
            probes,
            probes_counted: config.probes_counted,
            overflow: config.overflow,
            judge: config.judge(probes),
            half_open_for: config.half_open_for,
            probe_results: config.probe_results,
            on_close: config.on_close,
            late_results: config.late_results,
            key,
            counts: config.counts.clone(),
        }
    }

    /// True if an outcome is a failure to the breaker; `header` says whether the answer carried a Retry-After header.
    pub fn is_failure(&self, outcome: Outcome, header: bool) -> bool {
        self.counts.includes(outcome, header)
    }
}
