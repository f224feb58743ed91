//! urllib3's `Retry`, which requests takes as well (`HTTPAdapter(max_retries=...)`).
//!
//! It can say one law: no delay before the first retry, then `backoff_factor * 2^(n-1)` plus uniform up to `backoff_jitter`, at
//! most `backoff_max`. It obeys Retry-After exactly or not at all. It cannot stop by time, wait before the first retry, or
//! draw otherwise. Source: urllib3 2.8.0, `util/retry.py`.

use super::condition::{Condition, conditions};
use super::law::{Law, laws};
use super::{Aspect, Draft, Target, lost, luck, python, refuse_throttled, retries, seconds};
use crate::policy::{ObeyWith, PolicyConfig, RetryAfterRule};
use crate::time::Interval;

const USUAL_MAX: Interval = Interval::from_secs(120);

pub(super) fn policy(config: &PolicyConfig) -> Result<Draft, String> {
    refuse_throttled(config, Target::Urllib3)?;
    let count =
        retries(config).ok_or("a Retry needs a number of retries, and only time stops this policy")?;
    let mut caveats = lost(config, Target::Urllib3, &[Aspect::RetryAfter, Aspect::Idempotence]);
    let mut arguments = vec![format!("total={count}")];
    if count > 0 {
        arguments.extend(backoff(config, count)?);
        condition(config, &mut arguments, &mut caveats);
        retry_after(config, &mut arguments, &mut caveats);
    }
    let body = python::module(
        &["from urllib3.util import Retry"],
        "",
        "",
        &python::call("retries = Retry", &arguments),
    );
    Ok(Draft { body, caveats, ..Draft::default() })
}

fn backoff(config: &PolicyConfig, count: u64) -> Result<Vec<String>, String> {
    let schedule = config.schedule();
    let laws = laws(&schedule, Some(count));
    if laws.first() != Some(&Law::Exactly(Interval::ZERO)) {
        return Err("its first retry always comes without a delay; this policy waits before it".into());
    }
    let (low, high) = match laws.get(1) {
        None => (Interval::ZERO, Interval::ZERO),
        Some(Law::Exactly(delay)) => (*delay, *delay),
        Some(Law::Uniform { low, high, .. }) => (*low, *high),
        Some(Law::Truncated { .. } | Law::Other) => (Interval::MAX, Interval::ZERO),
    };
    let spread = high - low;
    let longest = laws.iter().map(Law::longest).fold(Interval::ZERO, Interval::max);
    // Caps are written in a part of a chain as well; what is reached is a cap too.
    let part = schedule.backoff.parts().last().unwrap_or(&schedule);
    let given = part.cap_after_jitter.or(part.cap_before_jitter).filter(|cap| *cap >= longest);
    let max = given.unwrap_or_else(|| if longest > USUAL_MAX { longest } else { USUAL_MAX });
    let fits = |max: Interval| {
        laws.iter().enumerate().skip(1).all(|(index, law)| {
            let x = low.scale(libm::exp2(index as f64 - 1.0));
            law.is_near(&Law::uniform(x, x + spread, max), Interval::ZERO)
        })
    };
    let max = [max, longest].into_iter().find(|max| fits(*max)).ok_or_else(|| {
        format!(
            "it can only double, with at most a uniform time added; this policy has {} and another growth",
            luck(config)
        )
    })?;
    let mut arguments = vec![format!("backoff_factor={}", seconds(low.scale(0.5)))];
    arguments.extend((max != USUAL_MAX).then(|| format!("backoff_max={}", seconds(max))));
    arguments.extend((!spread.is_zero()).then(|| format!("backoff_jitter={}", seconds(spread))));
    Ok(arguments)
}

fn condition(config: &PolicyConfig, arguments: &mut Vec<String>, caveats: &mut Vec<String>) {
    let (idempotent, other) = conditions(&config.retry_on);
    // Redirects are followed, not retried, and what is below is no answer.
    let statuses: Vec<(u16, u16)> = idempotent
        .statuses
        .iter()
        .filter(|range| range.1 >= 400)
        .map(|range| (range.0.max(400), range.1))
        .collect();
    let codes = super::condition::written(
        &statuses,
        |code| code.to_string(),
        |low, high| format!("*range({low}, {})", high + 1),
    );
    if !codes.is_empty() {
        arguments.push(format!("status_forcelist=[{}]", codes.join(", ")));
    }
    match other {
        None => arguments.push("allowed_methods=None".into()),
        Some(other) if other.is_empty() || only_unsent(&other) => {}
        Some(_) => caveats.push(
            "retry_on.by_idempotence: what is retried of other methods is not written; urllib3 retries only connection \
             errors of them"
                .into(),
        ),
    }
    let of_itself = |&(low, high): &(u16, u16)| (low..=high).all(|code| matches!(code, 413 | 429 | 503));
    let obeys = config.retry_after != RetryAfterRule::Ignore;
    let covered =
        idempotent.with_header.is_empty() || (obeys && idempotent.with_header.iter().all(of_itself));
    if !covered {
        caveats
            .push("retry_on.status_with_retry_after: not expressed, those statuses are not retried".into());
    }
    if !idempotent.connection_error {
        arguments.push("connect=0".into());
    }
    if !idempotent.timeout {
        arguments.push("read=0".into());
    }
    if idempotent.timeout != idempotent.connection_error {
        caveats.push("retry_on: a broken connection counts as a read error, as a timeout does: they cannot be told apart".into());
    }
}

/// True of what urllib3 retries of methods that are not allowed: connections that could not be made.
fn only_unsent(other: &Condition) -> bool {
    other.connection_error && !other.timeout && other.statuses.is_empty() && other.with_header.is_empty()
}

fn retry_after(config: &PolicyConfig, arguments: &mut Vec<String>, caveats: &mut Vec<String>) {
    let usual = ObeyWith { cap: Some(Interval::from_secs(21_600)), ignore_zero: true, ..ObeyWith::default() };
    let obeyed = match &config.retry_after {
        RetryAfterRule::Ignore => {
            arguments.push("respect_retry_after_header=False".into());
            return;
        }
        RetryAfterRule::ObeyWith(with) => {
            let own = ObeyWith { cap: with.cap, ..usual.clone() };
            if *with == own { with.cap } else { None }
        }
        RetryAfterRule::Obey
        | RetryAfterRule::AtLeast
        | RetryAfterRule::AtLeastBeforeJitter
        | RetryAfterRule::Within(_) => None,
    };
    match obeyed {
        Some(cap) if Some(cap) == usual.cap => {}
        Some(cap) => arguments.push(format!("retry_after_max={}", seconds(cap))),
        None => caveats.push(
            "Retry-After: differently, urllib3 waits exactly as long as asked, at most 6 h, and by its backoff if 0 s is asked".into(),
        ),
    }
    let (condition, _) = conditions(&config.retry_on);
    let retried = |code: u16| {
        let ranges = condition.statuses.iter().chain(&condition.with_header);
        ranges.into_iter().any(|&(low, high)| low <= code && code <= high)
    };
    if [413, 429, 503].into_iter().all(retried) {
        return;
    }
    caveats.push("note: with a Retry-After header urllib3 also retries 413, 429 and 503 that are not in status_forcelist".into());
}
