//! Exports: a policy as the configuration of a real library.
//!
//! A target says what it can and names what it cannot: every aspect that is lost is a line at the top of what is written. If
//! the law of the delays itself is beyond a target, there is no export: a configuration that waits differently is worse than
//! none. Each target is a room of its own, with what it can say and the source that was read.

mod breaker;
mod condition;
mod envoy;
mod grpc;
mod law;
mod open_time;
mod polly;
mod prefect;
mod python;
mod resilience4j;
mod tenacity;
mod urllib3;

use crate::breaker::BreakerConfig;
use crate::policy::{DuringBackoff, OnFailure, PolicyConfig, RetryAfterRule, StopWhen};
use crate::time::Interval;

/// A library that a policy can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Prefect 3: the decorator of a task, in Python.
    Prefect,
    /// tenacity: a decorator, in Python.
    Tenacity,
    /// urllib3, and with it requests: a `Retry`, in Python.
    Urllib3,
    /// resilience4j: YAML for Spring Boot, or Java where YAML cannot say it.
    Resilience4j,
    /// Polly 8: C#.
    Polly,
    /// Envoy: YAML of a route and its cluster.
    Envoy,
    /// gRPC: a service config, in JSON.
    Grpc,
}

/// What was written, and what it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The configuration; the caveats stand at its top as comments.
    pub text: String,
    /// What the target cannot express or does differently, a line each.
    pub caveats: Vec<String>,
}

impl Target {
    /// All targets.
    pub const ALL: [Self; 7] = [
        Self::Prefect,
        Self::Tenacity,
        Self::Urllib3,
        Self::Resilience4j,
        Self::Polly,
        Self::Envoy,
        Self::Grpc,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prefect => "prefect",
            Self::Tenacity => "tenacity",
            Self::Urllib3 => "urllib3",
            Self::Resilience4j => "resilience4j",
            Self::Polly => "polly",
            Self::Envoy => "envoy",
            Self::Grpc => "grpc",
        }
    }

    /// The version whose semantics were read.
    const fn version(self) -> &'static str {
        match self {
            Self::Prefect => "Prefect 3.9",
            Self::Tenacity => "tenacity 9.2",
            Self::Urllib3 => "urllib3 2.8",
            Self::Resilience4j => "resilience4j 2.4",
            Self::Polly => "Polly 8.7",
            Self::Envoy => "Envoy (API v3)",
            Self::Grpc => "gRPC (A6)",
        }
    }

    const fn comment(self) -> &'static str {
        match self {
            Self::Prefect | Self::Tenacity | Self::Urllib3 | Self::Resilience4j | Self::Envoy => "#",
            Self::Polly | Self::Grpc => "//",
        }
    }
}

/// What a room hands back: the configuration, what it loses, and how comments begin if not as usual.
#[derive(Debug, Default)]
struct Draft {
    body: String,
    caveats: Vec<String>,
    comment: Option<&'static str>,
}

/// Writes the policy called `name` for `target`.
///
/// # Errors
/// If the target cannot wait as the policy does; the message says why.
pub fn export(name: &str, config: &PolicyConfig, target: Target) -> Result<Export, String> {
    Ok(finish(name, draft(name, config, target)?, target))
}

fn draft(name: &str, config: &PolicyConfig, target: Target) -> Result<Draft, String> {
    let draft = match target {
        Target::Prefect => prefect::policy(config),
        Target::Tenacity => tenacity::policy(config),
        Target::Urllib3 => urllib3::policy(config),
        Target::Resilience4j => resilience4j::policy(config),
        Target::Polly => polly::policy(config),
        Target::Envoy => envoy::policy(config),
        Target::Grpc => grpc::policy(config),
    };
    draft.map_err(|why| unwritable(name, target, &why))
}

/// Writes the breaker called `name` for `target`.
///
/// # Errors
/// If the target has no breaker, or nothing that comes near to what opens this one; the message says why.
pub fn export_breaker(name: &str, config: &BreakerConfig, target: Target) -> Result<Export, String> {
    let draft = match target {
        Target::Resilience4j => resilience4j::breaker(config),
        Target::Polly => polly::breaker(config),
        Target::Envoy => envoy::breaker(config),
        Target::Prefect | Target::Tenacity | Target::Urllib3 | Target::Grpc => {
            return Err(format!(
                "{name} is a breaker, and {} has none: write it for resilience4j, polly or envoy",
                target.version()
            ));
        }
    };
    let draft = draft.map_err(|why| unwritable(name, target, &why))?;
    Ok(finish(name, draft, target))
}

fn unwritable(name: &str, target: Target, why: &str) -> String {
    format!("{name} cannot be written for {}: {why}", target.version())
}

fn finish(name: &str, draft: Draft, target: Target) -> Export {
    let comment = draft.comment.unwrap_or_else(|| target.comment());
    let mut text = format!("{comment} {name} for {}\n", target.version());
    let mut caveats: Vec<String> = Vec::new();
    for caveat in draft.caveats {
        // The retry and its breaker may have said the same.
        if !caveats.contains(&caveat) {
            caveats.push(caveat);
        }
    }
    for caveat in &caveats {
        text += &format!("{comment} - {caveat}\n");
    }
    Export { text: text + "\n" + &draft.body, caveats }
}

/// What a target takes care of itself; of everything else that a policy says, [`lost`] makes a caveat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aspect {
    TimeStops,
    RetryAfter,
    Breaker,
    Budget,
    Idempotence,
    Cache,
}

/// A caveat for each aspect of the policy that the target neither takes care of nor lacks harmlessly.
fn lost(config: &PolicyConfig, target: Target, handled: &[Aspect]) -> Vec<String> {
    // Field by field: a new field of the grammar must be given its caveat here.
    let PolicyConfig {
        retries: _,
        attempts: _,
        backoff: _,
        jitter: _,
        draws: _,
        cap_before_jitter: _,
        cap_after_jitter: _,
        floor: _,
        round: _,
        throttled: _,
        retry_on,
        max_elapsed,
        deadline,
        max_total_delay,
        stop_when,
        retry_after,
        breaker,
        budget,
        limiter,
        slot_during_backoff,
        inner,
        cache,
        on_failure,
    } = config;
    let library = target.version();
    let mut lost = Vec::new();
    if config.max_retries() != Some(0) {
        if !handled.contains(&Aspect::TimeStops) {
            let never = format!("not expressed, {library} counts only retries");
            lost.extend(max_elapsed.map(|limit| format!("max_elapsed = \"{limit}\": {never}")));
            lost.extend(deadline.map(|deadline| format!("deadline of {}: {never}", deadline.within)));
            lost.extend(max_total_delay.map(|limit| format!("max_total_delay = \"{limit}\": {never}")));
            if *stop_when == StopWhen::All {
                lost.push("stop_when = \"all\": not expressed, the number of retries stops it alone".into());
            }
        }
        if !handled.contains(&Aspect::RetryAfter) && *retry_after != RetryAfterRule::Ignore {
            lost.push(format!("Retry-After: not expressed, {library} does not read it here"));
        }
        if *slot_during_backoff == DuringBackoff::Freed {
            lost.push(
                "slot_during_backoff = \"freed\": not expressed, the caller waits where it runs and keeps its slot".into(),
            );
        }
        if !handled.contains(&Aspect::Idempotence) && condition::conditions(&config.retry_on).1.is_some() {
            lost.push("retry_on.by_idempotence: only the set of idempotent operations is written".into());
        }
    }
    if [true, false].iter().any(|&idempotent| retry_on.outcomes(idempotent).names_errors()) {
        lost.push(format!("retry_on: not expressed for {library} are errors that only the body names"));
    }
    if !handled.contains(&Aspect::Breaker) && breaker.is_some() {
        lost.push(format!("breaker: not expressed, {library} has none; without it every retry is sent"));
    }
    if !handled.contains(&Aspect::Budget) && budget.is_some() {
        lost.push(format!("budget: not expressed for {library}; without it every request retries"));
    }
    if limiter.is_some() {
        let beside = match target {
            Target::Prefect => {
                "; in Prefect, rate_limit(NAME) of prefect.concurrency.sync with a global concurrency limit that decays"
            }
            _ => "",
        };
        lost.push(format!(
            "limiter: not expressed for {library}: without one beside it everything is sent at once, and the figures of its arm \
             do not hold{beside}"
        ));
    }
    if inner.is_some() {
        lost.push("inner: not part of this; only the outermost policy is written".into());
    }
    if !handled.contains(&Aspect::Cache)
        && let Some(cache) = cache
    {
        lost.push(format!("cache of {}: not expressed, every request is sent", cache.ttl));
    }
    match on_failure {
        OnFailure::Raise => {}
        OnFailure::Swallow => {
            lost.push("on_failure = \"swallow\": not expressed, the caller sees the last failure".into());
        }
    }
    lost
}

/// Refuses a policy that waits differently after a 429.
fn refuse_throttled(config: &PolicyConfig, target: Target) -> Result<(), String> {
    match &config.throttled {
        Some(throttled) if *throttled != config.schedule() => Err(format!(
            "its delays after a 429 are others (`throttled`), and {} has one schedule; tenacity can",
            target.version()
        )),
        _ => Ok(()),
    }
}

/// How many retries the policy makes: what it counts, or where its list of delays ends. `None` if only time stops it.
fn retries(config: &PolicyConfig) -> Option<u64> {
    let counted = config.max_retries();
    if counted == Some(0) {
        return counted;
    }
    law::ends_after(&config.schedule(), counted).or(counted)
}

/// Seconds as a number that reads back exactly: `60`, `0.25`.
fn seconds(interval: Interval) -> String {
    format!("{}", interval.as_secs_f64())
}

/// Milliseconds as a number.
fn millis(interval: Interval) -> String {
    format!("{}", interval.as_nanos() as f64 / 1e6)
}

/// What kind of luck a schedule has, for a refusal.
fn luck(config: &PolicyConfig) -> String {
    let text = format!("{:?}", config.jitter);
    let name: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.push(letter.to_ascii_lowercase());
    }
    format!("jitter `{words}`")
}

#[cfg(test)]
mod tests;
