//! A policy in a few cells: how often, after how long, how spread, with what around.

use crate::breaker::Trip;
use crate::policy::{PolicyConfig, RetryAfterRule};
use crate::report::words::delay_formula;
use crate::schedule::{Backoff, Jitter};
use crate::time::Interval;

/// The cells of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Brief {
    /// Retries at most.
    pub(super) retries: String,
    /// The delay before the first retry, and how it grows.
    pub(super) delay: String,
    /// The kind of jitter and its amount.
    pub(super) jitter: String,
    /// The breaker.
    pub(super) breaker: String,
    /// What else there is: a budget, a rule for Retry-After.
    pub(super) besides: String,
}

impl Brief {
    /// The cells of `policy`; of one that makes no retry, what would come before a retry is "-".
    pub(super) fn of(policy: &PolicyConfig) -> Self {
        let none = policy.max_retries() == Some(0);
        let idle = |text: String| if none { "-".to_owned() } else { text };
        Self {
            retries: policy.counted_retries().map_or("until stopped".into(), |retries| retries.to_string()),
            delay: idle(delay(policy)),
            jitter: idle(jitter(&policy.jitter)),
            breaker: breaker(policy),
            besides: idle(besides(policy)),
        }
    }
}

fn time(time: Interval) -> String {
    time.to_string()
}

fn delay(policy: &PolicyConfig) -> String {
    let mut text = match policy.backoff.as_ref() {
        None => return "-".into(),
        Some(Backoff::Fixed(delay)) => time(*delay),
        Some(Backoff::List(list)) if list.delays().len() == 1 => time(list.delays()[0]),
        Some(Backoff::Linear { first, step }) if first == step => format!("{}, linear", time(*first)),
        Some(Backoff::Exponential(e)) if e.exponent.get() == 0 && !e.zero_first && !e.minus_one => {
            let factor = e.factor.get();
            let by = if factor == 2.0 { String::new() } else { format!(" x {factor}") };
            format!("{}, exponential{by}", time(e.base))
        }
        Some(_) => return delay_formula(&policy.schedule()),
    };
    if policy.jitter == Jitter::Decorrelated {
        text = format!("from {text}");
    }
    for cap in [policy.cap_before_jitter, policy.cap_after_jitter].into_iter().flatten() {
        text += &format!(", at most {}", time(cap));
    }
    text
}

fn jitter(jitter: &Jitter) -> String {
    match jitter {
        Jitter::None => "none".into(),
        Jitter::Full => "full".into(),
        Jitter::Equal => "equal".into(),
        Jitter::Decorrelated => "decorrelated".into(),
        Jitter::Proportional(share) => format!("proportional {}", share.get()),
        Jitter::TruncatedExponential(amount) => format!("truncated exponential {}", amount.get()),
        _ => "of another kind".into(),
    }
}

fn breaker(policy: &PolicyConfig) -> String {
    let Some(breaker) = &policy.breaker else { return "none".into() };
    match (&breaker.trip, &breaker.open_for.schedule.backoff) {
        (Trip::Consecutive(trip), Backoff::Fixed(timeout)) => {
            format!("{} in a row, {}", trip.failures.get(), time(*timeout))
        }
        _ => "of another kind".into(),
    }
}

fn besides(policy: &PolicyConfig) -> String {
    let mut parts = Vec::new();
    if policy.budget.is_some() {
        parts.push("a budget".to_owned());
    }
    parts.extend(match policy.retry_after {
        RetryAfterRule::Ignore => None,
        RetryAfterRule::Obey => Some("obeys Retry-After".to_owned()),
        RetryAfterRule::AtLeast => Some("waits at least Retry-After".to_owned()),
        _ => Some("regards Retry-After".to_owned()),
    });
    if parts.is_empty() { "-".into() } else { parts.join(", ") }
}
