//! Envoy: the `retry_policy` of a route; what belongs to its cluster is in the next room.
//!
//! It can say full jitter on `min(base_interval * 2^(n-1), max_interval)` in whole milliseconds, and a Retry-After that is
//! obeyed times uniform from 1 to 1.5, up to a longest one. It cannot wait without luck, grow by another factor, or stop the
//! retries by time without cutting off the attempt under way.
//! Source: Envoy `jittered_exponential_backoff_strategy` and data-plane-api 84e84367, `route_components.proto`.

mod cluster;

use super::condition::{conditions, written};
use super::law::{Growth, Law, laws};
use super::{Aspect, Draft, Target, lost, luck, refuse_throttled, retries, seconds};
use crate::breaker::BreakerConfig;
use crate::policy::{ObeyWith, PolicyConfig, RetryAfterRule};
use crate::range::Multiples;
use crate::schedule::Rounding;
use crate::time::Interval;

pub(super) fn policy(config: &PolicyConfig) -> Result<Draft, String> {
    refuse_throttled(config, Target::Envoy)?;
    let mut caveats = lost(config, Target::Envoy, &[Aspect::RetryAfter, Aspect::Breaker, Aspect::Budget]);
    let count = retries(config);
    let mut body = String::from("# in a route: route.retry_policy\nretry_policy:\n");
    body += &format!("  num_retries: {}\n", count.unwrap_or(u64::from(u32::MAX)));
    if count != Some(0) {
        body += &condition(config, &mut caveats);
        let (growth, max) = growth(config, count, &mut caveats)?;
        body += &format!(
            "  retry_back_off:\n    base_interval: {}s\n    max_interval: {}s\n",
            seconds(growth.first),
            seconds(max)
        );
        body += &retry_after(&config.retry_after, &mut caveats);
        caveats.push("note: a route's timeout (15s if absent) covers all attempts".into());
    }
    let mut cluster = cluster::Cluster::default();
    if count != Some(0) {
        cluster = cluster::retries_at_a_time(config.budget.as_ref());
    }
    if let Some(breaker) = &config.breaker {
        match cluster::outlier_detection(breaker) {
            Ok(detection) => {
                cluster.text += &detection.text;
                cluster.caveats.extend(detection.caveats);
            }
            Err(why) => cluster.caveats.push(format!("breaker: not expressed: {why}")),
        }
    }
    caveats.extend(cluster.caveats);
    if !cluster.text.is_empty() {
        body += &format!("\n# in the cluster\n{}", cluster.text);
    }
    Ok(Draft { body, caveats, ..Draft::default() })
}

pub(super) fn breaker(config: &BreakerConfig) -> Result<Draft, String> {
    let cluster::Cluster { text, caveats } = cluster::outlier_detection(config)?;
    Ok(Draft { body: format!("# in the cluster\n{text}"), caveats, ..Draft::default() })
}

fn growth(
    config: &PolicyConfig,
    count: Option<u64>,
    caveats: &mut Vec<String>,
) -> Result<(Growth, Interval), String> {
    let schedule = config.schedule();
    let refused = || {
        format!(
            "its delays are uniform from 0 to min(base_interval * 2^(n-1), max_interval), nothing else; this policy has {}, or \
             another growth",
            luck(config)
        )
    };
    let mut highs = Vec::new();
    let mut as_envoy = true;
    for law in laws(&schedule, count) {
        let (law, round) = law.unrounded();
        let Law::Uniform {
            low: Interval::ZERO,
            high,
            cap: Interval::MAX,
            floor: Interval::ZERO,
            round: None,
        } = law
        else {
            return Err(refused());
        };
        as_envoy &= round == Some(Rounding::Down(Interval::from_millis(1)));
        highs.push(high);
    }
    let growth = Growth::of(&highs, &schedule).ok_or_else(refused)?;
    let longest = highs.last().copied().unwrap_or(growth.first);
    // One retry alone, or one that never grows, is a doubling that is capped at once.
    if growth.factor != 2.0 && longest != growth.first {
        return Err(refused());
    }
    if !as_envoy {
        caveats.push("delays: differently, Envoy rounds them down to whole milliseconds".into());
    }
    if growth.first < Interval::from_millis(1) {
        return Err("base_interval is at least 1 ms".into());
    }
    let max = if growth.factor == 2.0 { growth.cap.unwrap_or(longest) } else { longest };
    Ok((growth, max))
}

fn condition(config: &PolicyConfig, caveats: &mut Vec<String>) -> String {
    let (condition, _) = conditions(&config.retry_on);
    let whole_5xx = condition.statuses.iter().any(|&(low, high)| low <= 500 && high == 599);
    let both = condition.timeout && condition.connection_error;
    let mut names = Vec::new();
    if whole_5xx && both {
        names.push("5xx");
    } else if both && condition.statuses == [(502, 504)] {
        return "  retry_on: \"gateway-error\"\n".into();
    }
    let codes: Vec<u16> = condition
        .statuses
        .iter()
        .flat_map(|&(low, high)| low..=high)
        .filter(|&code| code >= 400 && (code < 500 || !(whole_5xx && both)))
        .collect();
    if condition.connection_error && !names.contains(&"5xx") {
        names.push("connect-failure");
    }
    if (condition.timeout || condition.connection_error) && !names.contains(&"5xx") {
        names.push("reset");
    }
    if condition.timeout != condition.connection_error {
        caveats.push(
            "retry_on: `reset` covers broken connections and timeouts: they cannot be told apart".into(),
        );
    }
    if !condition.with_header.is_empty() {
        caveats
            .push("retry_on.status_with_retry_after: not expressed, those statuses are not retried".into());
    }
    if !codes.is_empty() {
        names.push("retriable-status-codes");
    }
    let mut text = format!("  retry_on: \"{}\"\n", names.join(","));
    if !codes.is_empty() {
        let single: Vec<(u16, u16)> = codes.into_iter().map(|code| (code, code)).collect();
        let listed = written(&single, |code| code.to_string(), |low, _| low.to_string());
        text += &format!("  retriable_status_codes: [{}]\n", listed.join(", "));
    }
    text
}

fn retry_after(rule: &RetryAfterRule, caveats: &mut Vec<String>) -> String {
    let usual = Interval::from_secs(300);
    let longest = match rule {
        RetryAfterRule::Ignore => return String::new(),
        RetryAfterRule::ObeyWith(with) => {
            let limit = with.ignore_over;
            let scale = Some(Multiples { low: 1.0, high: 1.5 });
            let own = ObeyWith { scale, ignore_over: limit, ..ObeyWith::default() };
            if *with == own { limit } else { None }
        }
        RetryAfterRule::Obey
        | RetryAfterRule::AtLeast
        | RetryAfterRule::AtLeastBeforeJitter
        | RetryAfterRule::Within(_) => None,
    };
    if longest.is_none() {
        caveats.push(
            "Retry-After: differently, Envoy waits 1 to 1.5 times as long as asked, and by its backoff if more than 5 min is asked".into(),
        );
    }
    format!(
        "  rate_limited_retry_back_off:\n    reset_headers:\n    - name: retry-after\n      format: SECONDS\n    max_interval: {}s\n",
        seconds(longest.unwrap_or(usual))
    )
}
