//! A policy as it is written: the fields, what they default to, and which of them contradict each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stop::{Deadline, Retries, StopWhen};
use super::{MAX_LAYERS, MAX_RETRIES, RetryAfterRule};
use crate::breaker::BreakerConfig;
use crate::budget::BudgetConfig;
use crate::limiter::LimiterConfig;
use crate::outcomes::Outcomes;
use crate::schedule::{Backoff, Draws, Jitter, MAX_SORTED, Rounding, Schedule, ScheduleConfig};
use crate::time::Interval;
use crate::units::Count;

/// A policy as written in a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// How many retries at most; `retries = 3` means up to 4 attempts. If this and `attempts` are absent, time must stop the
    /// policy; a request makes at most a million retries in any case.
    pub retries: Option<Retries>,
    /// How many attempts at most, for those who count the first one too. Not together with `retries`.
    pub attempts: Option<Count<1, { MAX_RETRIES + 1 }>>,
    /// The delay of each retry before jitter. Required unless there is no retry.
    pub backoff: Option<Backoff>,
    /// How the delay is randomised; not at all if absent.
    #[serde(default)]
    #[schemars(extend("default" = "none"))]
    pub jitter: Jitter,
    /// How often luck is drawn; for each delay if absent.
    #[serde(default)]
    pub draws: Draws,
    /// Upper bound of the delay before jitter.
    pub cap_before_jitter: Option<Interval>,
    /// Upper bound of the delay after jitter and before rounding.
    pub cap_after_jitter: Option<Interval>,
    /// Lower bound of the delay after jitter and cap, and before rounding.
    pub floor: Option<Interval>,
    /// To which multiples the delay is rounded after all that: a cap or floor that is no such multiple may be passed by less
    /// than one of them.
    pub round: Option<Rounding>,
    /// The schedule after a 429, if it is another one (AWS SDKs).
    pub throttled: Option<ScheduleConfig>,
    /// Give up after a failure if at least this long has passed since the first attempt. The last delay may carry the
    /// request past it (tenacity's `stop_after_delay`).
    pub max_elapsed: Option<Interval>,
    /// Give up if the next attempt would start later than this after the first one (google-api-core's `timeout`), or make
    /// it just then.
    pub deadline: Option<Deadline>,
    /// Give up if the delays of the request would add up to more than this (backon).
    pub max_total_delay: Option<Interval>,
    /// Whether one of the stops is enough; it is if absent.
    #[serde(default)]
    pub stop_when: StopWhen,
    /// Which outcomes are retried; transient ones if absent.
    #[serde(default)]
    #[schemars(extend("default" = "transient"))]
    pub retry_on: RetryOn,
    /// What a Retry-After header does; ignored if absent.
    #[serde(default)]
    #[schemars(extend("default" = "ignore"))]
    pub retry_after: RetryAfterRule,
    /// A circuit breaker around each attempt, or around the request.
    pub breaker: Option<BreakerConfig>,
    /// An allowance for retries that requests share; without one, every request that may retry does.
    pub budget: Option<BudgetConfig>,
    /// A limit that clients put on all that they send.
    pub limiter: Option<LimiterConfig>,
    /// Whether a request keeps its slot while it waits for a retry, if the slots of its workload are limited.
    #[serde(default)]
    pub slot_during_backoff: DuringBackoff,
    /// A policy inside this one: what this one tries again is a whole life of the inner one (a task around an SDK's call).
    pub inner: Option<Box<Self>>,
    /// Keep successes and answer later requests with the same input key from them.
    pub cache: Option<CacheConfig>,
    /// What a failed request does to its caller; raised if absent.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// Which outcomes are retried: a set of outcomes, or two by whether the operation is idempotent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetryOn {
    /// Statuses 429, 500, 502, 503, 504, timeouts, connection errors, refusals of an open breaker.
    #[default]
    Transient,
    /// Every failure.
    AnyFailure,
    /// Exactly what is listed.
    Only(crate::outcomes::Only),
    /// One set for idempotent operations, another for the others.
    ByIdempotence(ByIdempotence),
}

/// What is retried of idempotent operations (GET, PUT, DELETE), and of others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByIdempotence {
    /// Of operations that may be done twice.
    pub idempotent: Outcomes,
    /// Of operations that may not.
    pub other: Outcomes,
}

impl RetryOn {
    /// The outcomes that are retried of an operation.
    pub fn outcomes(&self, idempotent: bool) -> Outcomes {
        match self {
            Self::Transient => Outcomes::Transient,
            Self::AnyFailure => Outcomes::AnyFailure,
            Self::Only(only) => Outcomes::Only(only.clone()),
            Self::ByIdempotence(by) => if idempotent { &by.idempotent } else { &by.other }.clone(),
        }
    }
}

/// What becomes of a slot while its request waits for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DuringBackoff {
    /// The request keeps it: it sleeps where it runs (a Prefect 3 task, and every library that sleeps in the caller).
    #[default]
    Held,
    /// Another request can have it; the retry has to get one again (queues: Celery, Sidekiq, SQS).
    Freed,
}

/// Caching of successes by input key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    /// How long a success is kept, counted from the moment it was received.
    pub ttl: Interval,
}

/// What a request that ends without success does to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The caller sees the failure.
    #[default]
    Raise,
    /// The caller goes on as if nothing had happened: the work is lost, silently.
    Swallow,
}

impl PolicyConfig {
    /// The most retries of one request; `None` if only time stops it.
    pub fn max_retries(&self) -> Option<u64> {
        if self.stop_when == StopWhen::All && self.other_stops() {
            return None;
        }
        self.counted_retries()
    }

    /// The retries that `retries` or `attempts` allow, whatever else must be reached as well.
    pub fn counted_retries(&self) -> Option<u64> {
        match (self.retries, self.attempts) {
            (Some(Retries::AtMost(retries)), _) => Some(retries.get()),
            (_, Some(attempts)) => Some(attempts.get() - 1),
            _ => None,
        }
    }

    /// Replaces whatever says how many retries there are.
    pub fn set_retries(&mut self, retries: Count<0, MAX_RETRIES>) {
        self.retries = Some(Retries::AtMost(retries));
        self.attempts = None;
    }

    /// This policy and those inside it, the outermost first.
    pub fn layers(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |policy| policy.inner.as_deref())
    }

    /// The number of attempts one request can make at most, with those of all policies inside; `None` if only time stops
    /// it.
    pub fn max_attempts(&self) -> Option<u64> {
        self.layers()
            .try_fold(1u64, |attempts, layer| Some(attempts.saturating_mul(layer.max_retries()? + 1)))
    }

    fn other_stops(&self) -> bool {
        self.max_elapsed.is_some() || self.deadline.is_some() || self.max_total_delay.is_some()
    }

    /// The schedule of its delays.
    pub fn schedule(&self) -> ScheduleConfig {
        ScheduleConfig {
            backoff: self.backoff.clone().unwrap_or(Backoff::Fixed(Interval::ZERO)),
            jitter: self.jitter.clone(),
            draws: self.draws,
            cap_before_jitter: self.cap_before_jitter,
            cap_after_jitter: self.cap_after_jitter,
            floor: self.floor,
            round: self.round,
        }
    }

    /// The longest that all delays of one request can last together, without Retry-After; `None` if only time stops it.
    pub fn longest_wait(&self) -> Option<Interval> {
        let inner = self.inner.as_ref().map_or(Some(Interval::ZERO), |inner| inner.longest_wait())?;
        Some(self.longest_own_wait()? + inner.times(self.max_retries()? + 1))
    }

    fn longest_own_wait(&self) -> Option<Interval> {
        let retries = self.max_retries()? as u32;
        let schedule = Schedule::new(&self.schedule(), retries);
        let throttled = self.throttled.as_ref().map(|other| Schedule::new(other, retries));
        let (mut total, mut previous) = (Interval::ZERO, Interval::ZERO);
        for retry in 1..=retries {
            let usual = schedule.longest(retry, previous);
            let other = throttled.as_ref().and_then(|other| other.longest(retry, previous));
            let Some(longest) = other.max(usual) else {
                break;
            };
            total += longest;
            if total == Interval::MAX {
                break;
            }
            previous = longest;
        }
        Some(total)
    }

    /// What is wrong with the fields taken together: (field, message) for each problem.
    pub fn problems(&self) -> Vec<(String, String)> {
        let own = self.own_problems().into_iter().map(|(field, message)| (field.to_owned(), message));
        let mut problems: Vec<_> = own.collect();
        if let Some(inner) = &self.inner {
            let below = |(field, message): (String, String)| {
                (format!("inner.{field}").trim_end_matches('.').to_owned(), message)
            };
            problems.extend(inner.problems().into_iter().map(below));
            for (field, given) in
                [("cache", inner.cache.is_some()), ("on_failure", inner.on_failure != OnFailure::Raise)]
            {
                if given {
                    problems.push((
                        format!("inner.{field}"),
                        format!("only the outermost policy can have `{field}`"),
                    ));
                }
            }
        }
        if self.layers().count() > MAX_LAYERS {
            problems.push((
                "inner".into(),
                format!("more than {MAX_LAYERS} policies inside each other: leave some out"),
            ));
        }
        problems
    }

    fn own_problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let never_retries = self.max_retries() == Some(0);
        if self.backoff.is_none() && !never_retries {
            problems.push((
                "",
                "no backoff is given: write for example `backoff.fixed = \"60s\"`, or `retries = 0` for no retry".into(),
            ));
        }
        if self.retries.is_some() && self.attempts.is_some() {
            problems.push(("attempts", "attempts and retries say the same: give one of them".into()));
        }
        let schedule = self.schedule();
        if self.backoff.is_some() {
            problems.extend(schedule.problem().map(|message| (self.blamed(), message)));
        }
        problems.extend(
            self.throttled.as_ref().and_then(ScheduleConfig::problem).map(|message| ("throttled", message)),
        );
        problems.extend(self.retry_after.problem().map(|message| ("retry_after", message)));
        if let Some(breaker) = &self.breaker {
            let path = |field: &str| match field {
                "trip" => "breaker.trip",
                "open_for" => "breaker.open_for",
                "half_open" => "breaker.half_open",
                "half_open_for" => "breaker.half_open_for",
                "probes" => "breaker.probes",
                _ => "breaker",
            };
            problems.extend(breaker.problems().into_iter().map(|(field, message)| (path(field), message)));
        }
        problems.extend(self.budget.and_then(|budget| budget.problem()).map(|message| ("budget", message)));
        problems
            .extend(self.limiter.and_then(|limiter| limiter.problem()).map(|message| ("limiter", message)));
        self.endless(&schedule, &mut problems);
        if self.stop_when == StopWhen::All && !self.other_stops() {
            problems.push((
                "stop_when",
                "there is only one stop: give `max_elapsed`, `deadline` or `max_total_delay` as well, or leave it out".into(),
            ));
        }
        let throttled = self.throttled.as_ref();
        let sorts = |schedule: &ScheduleConfig| schedule.draws == Draws::Sorted;
        let too_many = self.max_retries().is_none_or(|retries| retries > MAX_SORTED);
        for (field, sorted) in [("draws", sorts(&schedule)), ("throttled", throttled.is_some_and(sorts))] {
            if sorted && too_many {
                problems.push((
                    field,
                    format!("delays are sorted before the first one: give at most {MAX_SORTED} retries"),
                ));
            }
        }
        if self.retry_after == RetryAfterRule::AtLeastBeforeJitter
            && [Some(&schedule), throttled]
                .into_iter()
                .flatten()
                .any(|other| other.jitter.is_walk() || sorts(other))
        {
            problems.push((
                "retry_after",
                "\"at_least_before_jitter\" raises one delay and then randomises it: delays that walk from one to the next or \
                 are sorted before the first have none to raise. Give \"at_least\", or another jitter"
                    .into(),
            ));
        }
        problems
    }

    /// The field to blame for a problem of the schedule.
    fn blamed(&self) -> &'static str {
        let backoff_alone = ScheduleConfig::plain(self.schedule().backoff);
        if backoff_alone.problem().is_some() {
            "backoff"
        } else if self.round.is_some_and(|round| round.problem().is_some()) {
            "round"
        } else if self.floor > self.cap_after_jitter && self.cap_after_jitter.is_some() {
            "floor"
        } else {
            "jitter"
        }
    }

    fn endless(&self, schedule: &ScheduleConfig, problems: &mut Vec<(&'static str, String)>) {
        if self.max_retries().is_some() || self.backoff.is_none() || schedule.problem().is_some() {
            return;
        }
        if self.retries != Some(Retries::Unlimited)
            && !self.other_stops()
            && schedule.longest(100_000, Interval::ZERO).is_some()
        {
            problems.push((
                "",
                "this policy never stops: give `retries`, `max_elapsed` or `deadline`; or `retries = \"unlimited\"`, and it stops \
                 with the run"
                    .into(),
            ));
        } else if !self.budget.is_some_and(|budget| budget.runs_dry())
            && schedule.longest(100_000, Interval::from_secs(1)).is_some_and(Interval::is_zero)
        {
            problems.push((
                "",
                "without a delay and without a number of `retries` this policy would retry for ever at one instant: give \
                 `retries`, or a backoff above 0s"
                    .into(),
            ));
        }
    }
}
