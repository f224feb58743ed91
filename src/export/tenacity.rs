//! tenacity: `@retry(stop, wait, retry)`.
//!
//! It can say nearly all: its own strategies where they fit, and where they do not a function of the state of the call, which
//! may keep what it needs on that state. It cannot see the number of a request, and it has no breaker.
//! Source: tenacity 9.2.1, `wait.py`, `stop.py`, `__init__.py` (the wait is computed before the stops are asked).

mod custom;
mod native;

use super::condition::conditions;
use super::python::{self, Raised};
use super::{Aspect, Draft, Target, law, lost, retries, seconds};
use crate::policy::{AtLimit, Late, ObeyWith, PolicyConfig, RetryAfterRule, StopWhen};

/// The names of tenacity that may appear in what is written.
const NAMES: [&str; 14] = [
    "retry_if_exception",
    "stop_after_attempt",
    "stop_after_delay",
    "stop_all",
    "stop_any",
    "stop_before_delay",
    "wait_chain",
    "wait_combine",
    "wait_exponential",
    "wait_exponential_jitter",
    "wait_fixed",
    "wait_incrementing",
    "wait_random",
    "wait_random_exponential",
];

pub(super) fn policy(config: &PolicyConfig) -> Result<Draft, String> {
    let handled = [Aspect::TimeStops, Aspect::RetryAfter, Aspect::Idempotence];
    let mut caveats = lost(config, Target::Tenacity, &handled);
    let mut functions = String::new();
    let mut arguments = vec![format!("stop={}", stop(config))];
    if retries(config) != Some(0) {
        let (wait, helpers) = wait(config)?;
        functions += &helpers;
        arguments.push(format!("wait={wait}"));
        let (idempotent, other) = conditions(&config.retry_on);
        if !idempotent.every || other.is_some() {
            arguments.push("retry=retry_if_exception(is_retried)".into());
            functions += &python::condition(Raised::Directly, &idempotent, other.as_ref());
            caveats.push(python::ASSUMES_HTTPX.into());
        }
    }
    if config.retry_after != RetryAfterRule::Ignore {
        caveats.push("note: Retry-After is read from the exceptions of httpx".into());
    }
    let decorator = python::call("@retry", &arguments);
    let code = format!("{functions}{decorator}");
    let names: Vec<&str> = NAMES.into_iter().filter(|name| code.contains(&format!("{name}("))).collect();
    let never = code.contains("stop_never").then_some("stop_never");
    let mut names: Vec<&str> = ["retry"].into_iter().chain(names).chain(never).collect();
    names.sort_unstable();
    let tenacity = format!("from tenacity import {}", names.join(", "));
    let uses = ["email.utils", "hashlib", "httpx", "math", "random", "time"];
    let modules: Vec<String> = uses
        .into_iter()
        .filter(|module| code.contains(&format!("{module}.")) || code.contains(&format!(" {module},")))
        .map(|module| format!("import {module}"))
        .collect();
    let mut imports: Vec<&str> = modules.iter().map(String::as_str).collect();
    imports.push(&tenacity);
    Ok(Draft { body: python::module(&imports, &functions, &decorator, ""), caveats, ..Draft::default() })
}

fn stop(config: &PolicyConfig) -> String {
    let attempts = |retries: u64| format!("stop_after_attempt({})", retries + 1);
    let mut stops: Vec<String> = Vec::new();
    let all = config.stop_when == StopWhen::All;
    let counted = if all { config.counted_retries() } else { retries(config) };
    stops.extend(counted.map(attempts));
    stops.extend(config.max_elapsed.map(|limit| format!("stop_after_delay({})", seconds(limit))));
    if let Some(deadline) = config.deadline {
        let within = seconds(deadline.within);
        stops.push(match (all, deadline.late, deadline.at_limit) {
            // The wait has been cut already: see `waited`.
            (false, Late::Clip, _) | (true, _, AtLimit::Late) => format!("stop_after_delay({within})"),
            (false, Late::GiveUp, AtLimit::Late) => format!("stop_before_delay({within})"),
            (false, Late::GiveUp, AtLimit::InTime) => {
                format!("lambda state: state.seconds_since_start + state.upcoming_sleep > {within}")
            }
            (true, _, AtLimit::InTime) => format!("lambda state: state.seconds_since_start > {within}"),
        });
    }
    stops.extend(config.max_total_delay.map(|limit| {
        let upcoming = if all { "" } else { " + state.upcoming_sleep" };
        format!("lambda state: state.idle_for{upcoming} > {}", seconds(limit))
    }));
    let mut stop = match (&stops[..], all) {
        ([], _) => "stop_never".into(),
        ([only], _) => only.clone(),
        (_, false) => format!("stop_any({})", stops.join(", ")),
        (_, true) => format!("stop_all({})", stops.join(", ")),
    };
    if all {
        stop = ends(config, stop);
    }
    if let RetryAfterRule::ObeyWith(ObeyWith { give_up_over: Some(_), .. }) = &config.retry_after {
        stop = format!("stop_any({stop}, asks_too_much)");
    }
    stop
}

/// The stop, or the end of the list of delays.
fn ends(config: &PolicyConfig, stop: String) -> String {
    match law::ends_after(&config.schedule(), None) {
        Some(end) => format!("stop_any({stop}, stop_after_attempt({}))", end + 1),
        None => stop,
    }
}

/// What goes behind `wait=`, and the functions that it needs.
fn wait(config: &PolicyConfig) -> Result<(String, String), String> {
    let schedule = config.schedule();
    let clips = config.deadline.is_some_and(|deadline| deadline.late == Late::Clip)
        && config.stop_when == StopWhen::Any;
    let plain = !clips && config.throttled.is_none() && config.retry_after == RetryAfterRule::Ignore;
    let native = native::wait(&schedule, retries(config));
    match native {
        Some(wait) if plain => Ok((wait, String::new())),
        native => {
            let functions = custom::functions(config, native.as_deref(), clips)?;
            Ok(("wait".into(), functions))
        }
    }
}
