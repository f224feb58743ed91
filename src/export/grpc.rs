//! gRPC: the `retryPolicy` of a service config.
//!
//! It can say `min(initialBackoff * backoffMultiplier^(n-1), maxBackoff)`, times uniform from 0.8 to 1.2, and at most 5 attempts.
//! A server's pushback is obeyed and restarts the backoff. `retryThrottling`
//! is the only budget. It cannot say any other jitter, stop by time, or break.
//! Source: gRFC A6, grpc-go 4793ad047.

use serde_json::{Map, Value, json};

use super::condition::{Condition, conditions};
use super::law::{Growth, Law, laws};
use super::{Aspect, Draft, Target, lost, luck, refuse_throttled, retries, seconds};
use crate::budget::{BudgetConfig, BudgetKind, ONE, ThrottleConfig};
use crate::policy::{ObeyWith, PolicyConfig, RetryAfterRule};
use crate::scope::Scope;
use crate::time::Interval;

/// The most attempts, whatever the config says.
const MAX_ATTEMPTS: u64 = 5;

/// HTTP statuses as gRPC's codes (google.rpc.Code).
const CODES: [(u16, &str); 14] = [
    (400, "INVALID_ARGUMENT"),
    (401, "UNAUTHENTICATED"),
    (403, "PERMISSION_DENIED"),
    (404, "NOT_FOUND"),
    (408, "DEADLINE_EXCEEDED"),
    (409, "ABORTED"),
    (412, "FAILED_PRECONDITION"),
    (429, "RESOURCE_EXHAUSTED"),
    (499, "CANCELLED"),
    (500, "INTERNAL"),
    (501, "UNIMPLEMENTED"),
    (502, "UNAVAILABLE"),
    (503, "UNAVAILABLE"),
    (504, "DEADLINE_EXCEEDED"),
];

/// The statuses that gRPC maps to UNAVAILABLE by itself (http-grpc-status-mapping.md), as ranges.
const UNAVAILABLE: [(u16, u16); 2] = [(429, 429), (502, 504)];

/// The codes that no status of HTTP has.
const OTHERS: [&str; 4] = ["ALREADY_EXISTS", "DATA_LOSS", "OUT_OF_RANGE", "UNKNOWN"];

pub(super) fn policy(config: &PolicyConfig) -> Result<Draft, String> {
    refuse_throttled(config, Target::Grpc)?;
    let mut caveats = lost(config, Target::Grpc, &[Aspect::RetryAfter, Aspect::Budget]);
    let count = retries(config);
    let mut method = Map::new();
    method.insert("name".into(), json!([{}]));
    if count != Some(0) {
        let attempts = count.map(|count| count + 1);
        if attempts.is_none_or(|attempts| attempts > MAX_ATTEMPTS) {
            let made = attempts.map_or_else(|| "as many as fit".into(), |attempts| attempts.to_string());
            caveats.push(format!("attempts: gRPC makes {MAX_ATTEMPTS} at most, the policy {made}"));
        }
        let made = attempts.unwrap_or(MAX_ATTEMPTS).min(MAX_ATTEMPTS);
        let growth = growth(config, made - 1)?;
        let max = growth.cap.unwrap_or_else(|| growth.delay(made as u32 - 1));
        if !idempotent_codes(config).is_empty() {
            method.insert(
                "retryPolicy".into(),
                json!({
                    "maxAttempts": made,
                    "initialBackoff": format!("{}s", seconds(growth.first)),
                    "maxBackoff": format!("{}s", seconds(max)),
                    "backoffMultiplier": growth.factor,
                    "retryableStatusCodes": idempotent_codes(config),
                }),
            );
        }
        caveats.push(
            if is_unavailable(config) {
                "note: 429, 502, 503, 504 and broken connections are UNAVAILABLE, as gRPC maps them"
            } else {
                "note: statuses are written as google.rpc.Code has them, broken connections as UNAVAILABLE"
            }
            .into(),
        );
        if conditions(&config.retry_on).0.timeout {
            caveats.push(
                "timeouts: differently, a call's deadline covers all its attempts; DEADLINE_EXCEEDED is retried only if the server \
                 says it"
                    .into(),
            );
        }
        if !conditions(&config.retry_on).0.with_header.is_empty() {
            caveats.push(
                "retry_on.status_with_retry_after: not expressed, those statuses are not retried".into(),
            );
        }
        let pushback = RetryAfterRule::ObeyWith(ObeyWith { restarts_backoff: true, ..ObeyWith::default() });
        if config.retry_after != pushback {
            caveats.push(
                "Retry-After: differently, gRPC obeys the trailer grpc-retry-pushback-ms exactly and begins its backoff anew".into(),
            );
        }
    }
    let mut service = Map::new();
    service.insert("methodConfig".into(), json!([Value::Object(method)]));
    if let Some(budget) = config.budget.as_ref().filter(|_| count != Some(0)) {
        match throttling(budget, &mut caveats) {
            Some(throttling) => {
                service.insert("retryThrottling".into(), throttling);
            }
            None => caveats.push(
                "budget: not expressed, gRPC has only retryThrottling, which failures drain; nearest is `budget.throttle`".into(),
            ),
        }
    }
    let body =
        serde_json::to_string_pretty(&Value::Object(service)).map_err(|error| error.to_string())? + "\n";
    if !caveats.is_empty() {
        caveats.push("JSON has no comments: leave these lines out".into());
    }
    Ok(Draft { body, caveats, ..Draft::default() })
}

/// The budget as `retryThrottling`, if it is one.
fn throttling(budget: &BudgetConfig, caveats: &mut Vec<String>) -> Option<Value> {
    let BudgetKind::Throttle(ThrottleConfig { max_tokens, token_ratio }) = &budget.kind else { return None };
    if budget.scope != Scope::Client {
        caveats.push(
            "budget: differently, each client has a throttle of its own, one per server (`scope`)".into(),
        );
    }
    // maxTokens is a whole number, and of tokenRatio three decimals count.
    let tokens = max_tokens.get().div_ceil(ONE);
    let thousandths = (token_ratio.get() / (ONE / 1000)).max(1);
    if tokens * ONE != max_tokens.get() {
        caveats.push(format!("budget: maxTokens is a whole number, rounded up to {tokens}"));
    }
    let ratio = thousandths as f64 / 1000.0;
    if thousandths * (ONE / 1000) != token_ratio.get() {
        caveats.push(format!("budget: of tokenRatio three decimals count: {ratio}"));
    }
    Some(json!({ "maxTokens": tokens, "tokenRatio": ratio }))
}

fn growth(config: &PolicyConfig, retries: u64) -> Result<Growth, String> {
    let schedule = config.schedule();
    let refused = || {
        format!(
            "its delays are min(initialBackoff * backoffMultiplier^(n-1), maxBackoff), times a uniform number from 0.8 to 1.2; this \
             policy has {}, or another growth",
            luck(config)
        )
    };
    let mut middles = Vec::new();
    for law in laws(&schedule, Some(retries)) {
        let Law::Uniform { low, high, cap: Interval::MAX, floor: Interval::ZERO, round: None } = law else {
            return Err(refused());
        };
        let middle = (low + high).scale(0.5);
        let own = Law::uniform(middle.scale(0.8), middle.scale(1.2), Interval::MAX);
        if !own.is_near(&law, Interval::from_nanos(4)) {
            return Err(refused());
        }
        middles.push(middle);
    }
    Growth::of(&middles, &schedule).ok_or_else(refused)
}

/// True if what is retried is what gRPC itself makes one code of.
fn is_unavailable(config: &PolicyConfig) -> bool {
    let (condition, _) = conditions(&config.retry_on);
    condition.statuses == UNAVAILABLE && condition.connection_error && !condition.timeout
}

fn idempotent_codes(config: &PolicyConfig) -> Vec<&'static str> {
    let (condition, _) = conditions(&config.retry_on);
    let Condition { every, statuses, with_header: _, timeout, connection_error, breaker_open: _ } = condition;
    let listed = |code: u16| statuses.iter().any(|&(low, high)| low <= code && code <= high);
    if is_unavailable(config) {
        return vec!["UNAVAILABLE"];
    }
    let mut codes: Vec<&str> =
        CODES.iter().filter(|(code, _)| listed(*code)).map(|(_, name)| *name).collect();
    codes.extend(timeout.then_some("DEADLINE_EXCEEDED"));
    codes.extend(connection_error.then_some("UNAVAILABLE"));
    if every {
        codes.extend(OTHERS);
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}
