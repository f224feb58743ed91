//! A policy in words: what its composition does, one sentence per aspect. The words come from the composition and from
//! nothing else, so that a preset cannot say one thing and do another.

mod delay;
mod guards;
mod outcomes;

pub(super) use delay::formula as delay_formula;
pub use guards::breaker_in_words;

use crate::policy::{
    AtLimit, Deadline, DuringBackoff, Late, ObeyWith, OnFailure, PolicyConfig, Retries, RetryAfterRule,
    StopWhen,
};
use crate::time::Interval;

/// What a policy does, one sentence per aspect; the policies inside it follow.
pub fn in_words(config: &PolicyConfig) -> Vec<String> {
    let mut said = vec![stops(config)];
    let retries = config.max_retries() != Some(0);
    if retries {
        said.extend(delay::sentences(&config.schedule(), config.throttled.as_ref()));
        said.push(outcomes::retried(&config.retry_on));
        said.push(retry_after(&config.retry_after));
        said.push(match config.slot_during_backoff {
            DuringBackoff::Held => "A request keeps its slot while it waits for a retry.".into(),
            DuringBackoff::Freed => "A request gives its slot away while it waits for a retry.".into(),
        });
    }
    said.extend(config.breaker.as_ref().map(breaker_in_words));
    said.extend(config.budget.as_ref().map(guards::budget_in_words));
    said.extend(config.limiter.as_ref().map(guards::limiter_in_words));
    if let Some(cache) = &config.cache {
        said.push(format!(
            "A success is kept for {} and answers requests with the same input.",
            length(cache.ttl)
        ));
    }
    match config.on_failure {
        OnFailure::Raise => {}
        OnFailure::Swallow => {
            said.push("A failed request tells nobody: the caller goes on as if it had worked.".into());
        }
    }
    if let Some(inner) = &config.inner {
        said.push("Each attempt is a whole life of another policy inside:".into());
        said.extend(in_words(inner).into_iter().map(|sentence| format!("Inside: {sentence}")));
    }
    said
}

fn stops(config: &PolicyConfig) -> String {
    let count = match (config.counted_retries(), config.retries) {
        (Some(0), _) => Some("no retry: 1 attempt".into()),
        (Some(retries), _) => Some(format!("{}: {} attempts at most", plural(retries, "retry"), retries + 1)),
        (None, Some(Retries::Unlimited)) => Some("retries until the run ends".into()),
        (None, Some(Retries::AtMost(_)) | None) => None,
    };
    let mut others = Vec::new();
    if let Some(limit) = config.max_elapsed {
        others.push(format!("a failure comes {} or more after the first attempt began", length(limit)));
    }
    let mut clips = String::new();
    if let Some(Deadline { within, at_limit, late }) = config.deadline {
        let at = match at_limit {
            AtLimit::InTime => "later than",
            AtLimit::Late => "at or later than",
        };
        match late {
            Late::GiveUp => {
                others.push(format!("the next attempt would start {at} {} after the first", length(within)));
            }
            Late::Clip => {
                others.push(format!("{} have passed since the first attempt", length(within)));
                clips = format!("; a delay that would end {at} that is cut to end just then");
            }
        }
    }
    if let Some(limit) = config.max_total_delay {
        others.push(format!("its delays would add up to more than {}", length(limit)));
    }
    let text = match (config.stop_when, count, &others[..]) {
        (_, Some(count), []) => count,
        (_, None, []) => "retries until its list of delays ends".into(),
        (StopWhen::Any, Some(count), others) => {
            format!("{count}; gives up when {}", others.join(", or when "))
        }
        (StopWhen::Any, None, others) => {
            format!("any number of retries; gives up when {}", others.join(", or when "))
        }
        (StopWhen::All, count, others) => {
            let mut all: Vec<String> =
                count.into_iter().map(|count| format!("it has used up {count}")).collect();
            all.extend(others.iter().cloned());
            format!("gives up only when all of this is true: {}", all.join(", and "))
        }
    };
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}{clips}.", letters.as_str())
}

fn retry_after(rule: &RetryAfterRule) -> String {
    match rule {
        RetryAfterRule::Ignore => "Retry-After is ignored.".into(),
        RetryAfterRule::Obey => "Retry-After is obeyed: it waits exactly as long as asked.".into(),
        RetryAfterRule::AtLeast => "Retry-After is a lower bound of the delay.".into(),
        RetryAfterRule::AtLeastBeforeJitter => {
            "Retry-After is a lower bound of the delay before its jitter.".into()
        }
        RetryAfterRule::Within(more) => {
            format!("Retry-After is a lower bound of the delay, but adds {} at most.", length(*more))
        }
        RetryAfterRule::ObeyWith(with) => obey_with(with),
    }
}

fn obey_with(with: &ObeyWith) -> String {
    let ObeyWith {
        cap,
        scale,
        add,
        truncated_exponential,
        give_up_over,
        ignore_over,
        ignore_zero,
        at_least_backoff,
        only_on,
        restarts_backoff,
    } = with;
    let mut text = String::from("Retry-After is obeyed");
    if let Some(statuses) = only_on {
        text += &format!(" after {}", list(&statuses.listed()));
    }
    let mut details = Vec::new();
    details.extend(scale.map(|by| format!("times a uniform number from {} to {}", by.low, by.high)));
    details
        .extend(add.map(|by| format!("plus a uniform time from {} to {}", length(by.low), length(by.high))));
    details.extend(truncated_exponential.map(|by| {
        format!(
            "times an exponential number of mean {} that is cut to [1, {}]",
            1.0 + by.get() / 2.0,
            1.0 + by.get()
        )
    }));
    details.extend(cap.map(|cap| format!("capped at {}", length(cap))));
    details.extend(give_up_over.map(|limit| format!("it gives up if more than {} is asked", length(limit))));
    details.extend(ignore_over.map(|limit| format!("ignored if more than {} is asked", length(limit))));
    details.extend(ignore_zero.then(|| "ignored if 0 s is asked".into()));
    details.extend(at_least_backoff.then(|| "never shorter than the backoff".into()));
    details.extend(restarts_backoff.then(|| "the backoff begins anew afterwards".into()));
    if !details.is_empty() {
        text += &format!(": {}", details.join("; "));
    }
    text + "."
}

/// `3 retries`, `1 retry`.
fn plural(count: u64, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "retry") => format!("{count} retries"),
        (_, "success") => format!("{count} successes"),
        _ => format!("{count} {noun}s"),
    }
}

/// `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => "nothing".into(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A length of time in the units that people say, exactly: `60 s`, `2 min`, `1 h 30 min`.
fn length(interval: Interval) -> String {
    if interval < Interval::from_secs(120) && interval >= Interval::from_secs(60) {
        return format!("{} s", interval.as_nanos() as f64 / 1e9);
    }
    let spaced = |part: &str| {
        let unit = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(part.len());
        let (number, unit) = part.split_at(unit);
        format!("{number} {}", if unit == "m" { "min" } else { unit })
    };
    interval.to_string().split(' ').map(spaced).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
