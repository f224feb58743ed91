//! Prefect 3: `@task(retries, retry_delay_seconds, retry_jitter_factor, retry_condition_fn)`.
//!
//! It can say a list of at most 50 delays, of which the last one repeats, and one kind of luck: an exponential truncated to
//! [x log2(2^k / (2^k - 1)), x k], k = 1 + factor. It cannot say any other jitter, stop by time or read Retry-After, and it has
//! no breaker. Source: Prefect 3.9.1, `prefect/tasks.py`, `prefect/task_engine.py`, `prefect/utilities/math.py`.

use super::condition::conditions;
use super::law::{Law, laws};
use super::python::{self, Raised};
use super::{Aspect, Draft, Target, lost, luck, refuse_throttled, retries, seconds};
use crate::policy::PolicyConfig;
use crate::schedule::Backoff;
use crate::time::Interval;

/// The most entries of `retry_delay_seconds`.
const MAX_DELAYS: usize = 50;

pub(super) fn policy(config: &PolicyConfig) -> Result<Draft, String> {
    refuse_throttled(config, Target::Prefect)?;
    let count = retries(config).ok_or("a task needs a number of retries, and only time stops this policy")?;
    let mut caveats = lost(config, Target::Prefect, &[Aspect::Cache, Aspect::Idempotence]);
    let mut imports = vec!["from prefect import task"];
    let mut arguments = vec![format!("retries={count}")];
    let mut functions = String::new();
    if count > 0 {
        let (delays, factor) = delays(config, count)?;
        let (text, import) = written(config, &delays, count)?;
        imports.extend(import);
        arguments.push(format!("retry_delay_seconds={text}"));
        if factor != 0.0 {
            arguments.push(format!("retry_jitter_factor={factor}"));
        }
        let (idempotent, other) = conditions(&config.retry_on);
        if !idempotent.every || other.is_some() {
            arguments.push("retry_condition_fn=is_retried".into());
            functions += &python::condition(Raised::ByState, &idempotent, other.as_ref());
            imports.push("import httpx");
            caveats.push(python::ASSUMES_HTTPX.into());
        }
    }
    if let Some(cache) = &config.cache {
        imports.extend(["from datetime import timedelta", "from prefect.cache_policies import INPUTS"]);
        arguments.push("cache_policy=INPUTS".into());
        arguments.push(format!("cache_expiration=timedelta(seconds={})", seconds(cache.ttl)));
        arguments.push("persist_result=True".into());
    }
    let decorator = python::call("@task", &arguments);
    Ok(Draft { body: python::module(&imports, &functions, &decorator, ""), caveats, ..Draft::default() })
}

/// The delays before jitter, and the factor of the jitter; 0 if there is none.
fn delays(config: &PolicyConfig, count: u64) -> Result<(Vec<Interval>, f64), String> {
    let refused = || {
        format!(
            "the only luck of a task is retry_jitter_factor, an exponential that is truncated on both sides; this policy has \
             {}{}",
            luck(config),
            if matches!(config.jitter, crate::schedule::Jitter::TruncatedExponential(_)) {
                ", but with a cap, a floor or a rounding after it"
            } else {
                ""
            }
        )
    };
    let mut delays = Vec::new();
    let mut factors = Vec::new();
    for law in laws(&config.schedule(), Some(count)) {
        match law {
            Law::Exactly(delay) => {
                delays.push(delay);
                // A task does not randomise what is 0.
                factors.extend((!delay.is_zero()).then_some(0.0));
            }
            Law::Truncated { mean, factor, cap: Interval::MAX, floor: Interval::ZERO, round: None } => {
                delays.push(mean);
                factors.push(factor);
            }
            Law::Truncated { .. } | Law::Uniform { .. } | Law::Other => return Err(refused()),
        }
    }
    let factor = factors.first().copied().unwrap_or(0.0);
    if factors.iter().any(|&other| other != factor) {
        return Err("all delays of a task have the same jitter; here some have another than others".into());
    }
    Ok((delays, factor))
}

/// The delays as Python, and what must be imported for it.
fn written(
    config: &PolicyConfig,
    delays: &[Interval],
    count: u64,
) -> Result<(String, Option<&'static str>), String> {
    let first = delays.first().copied().unwrap_or(Interval::ZERO);
    if delays.iter().all(|&delay| delay == first) {
        return Ok((seconds(first), None));
    }
    let doubles = delays.iter().enumerate().all(|(index, delay)| *delay == first.times(1 << index.min(62)));
    if doubles && count as usize <= MAX_DELAYS && matches!(config.backoff, Some(Backoff::Exponential(_))) {
        let call = format!("exponential_backoff(backoff_factor={})", seconds(first));
        return Ok((call, Some("from prefect.tasks import exponential_backoff")));
    }
    let last = delays[delays.len().min(MAX_DELAYS) - 1];
    if delays.iter().skip(MAX_DELAYS).any(|&delay| delay != last) {
        return Err(format!(
            "a task has at most {MAX_DELAYS} different delays, this policy makes {count} retries"
        ));
    }
    let mut listed = delays[..delays.len().min(MAX_DELAYS)].to_vec();
    // The last one repeats by itself.
    while listed.len() > 1 && listed[listed.len() - 2] == last {
        listed.pop();
    }
    let listed: Vec<String> = listed.into_iter().map(seconds).collect();
    Ok((format!("[{}]", listed.join(", ")), None))
}
