//! resilience4j: `resilience4j.retry` and `resilience4j.circuitbreaker` of Spring Boot in YAML; Java where YAML cannot say it.
//!
//! In YAML it can say a fixed delay, or one that is multiplied each time and cut to whole milliseconds, either one randomised by
//! a share of itself, with a cap after that. In Java any function of the attempt: here tables of delays, or of the ends of a
//! uniform draw. It cannot remember the delay before (walks), stop by time or read Retry-After.
//! Source: resilience4j 2.4.0, commit af9e7c979, `IntervalFunction`, `CommonRetryConfigurationProperties`.

mod circuit;
mod spring;

use super::condition::{Condition, conditions, written};
use super::law::{Growth, Law, laws};
use super::{Aspect, Draft, Target, lost, luck, millis, refuse_throttled, retries};
use crate::breaker::BreakerConfig;
use crate::policy::PolicyConfig;
use crate::schedule::{Rounding, ScheduleConfig};
use crate::time::Interval;

const MILLISECOND: Interval = Interval::from_millis(1);

pub(super) fn policy(config: &PolicyConfig) -> Result<Draft, String> {
    refuse_throttled(config, Target::Resilience4j)?;
    let mut caveats = lost(config, Target::Resilience4j, &[Aspect::Breaker]);
    let count = retries(config);
    let attempts = count.map_or(u64::from(i32::MAX as u32), |count| count + 1);
    let mut breaker = String::new();
    if let Some(own) = &config.breaker {
        match circuit::instance(own) {
            Ok(circuit) => {
                caveats.extend(circuit.caveats);
                breaker = circuit.text;
            }
            Err(why) => caveats.push(format!("breaker: not expressed: {why}")),
        }
    }
    let mut draft = if count == Some(0) {
        yaml(attempts, "")
    } else {
        match properties(config, count, &mut caveats) {
            Some(delays) => {
                let mut draft = yaml(attempts, &delays);
                draft.body += &retried(config, &mut caveats);
                draft
            }
            None => java(config, count, attempts, &mut caveats)?,
        }
    };
    if draft.comment.is_none() {
        draft.body += &breaker;
    } else if !breaker.is_empty() {
        draft.body += &format!("\n/* The breaker, in YAML:\nresilience4j:\n{breaker}*/\n");
    }
    draft.caveats = caveats;
    Ok(draft)
}

pub(super) fn breaker(config: &BreakerConfig) -> Result<Draft, String> {
    let circuit::Circuit { text, caveats } = circuit::instance(config)?;
    Ok(Draft { body: format!("resilience4j:\n{text}"), caveats, ..Draft::default() })
}

fn yaml(attempts: u64, delays: &str) -> Draft {
    let body = format!(
        "resilience4j:\n  retry:\n    instances:\n      operation:\n        maxAttempts: {attempts}\n{delays}"
    );
    Draft { body, ..Draft::default() }
}

/// The delays as properties, if they are those that the library computes, to 1 % or a millisecond.
fn properties(config: &PolicyConfig, count: Option<u64>, caveats: &mut Vec<String>) -> Option<String> {
    let schedule = config.schedule();
    let laws: Vec<(Law, Option<Rounding>)> = laws(&schedule, count).into_iter().map(Law::unrounded).collect();
    let share = laws.iter().find_map(|(law, _)| match law {
        Law::Uniform { low, high, .. } => {
            let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
            Some(libm::round((high - low) / (high + low) * 1e9) / 1e9)
        }
        Law::Exactly(_) | Law::Truncated { .. } | Law::Other => None,
    });
    let share = share.unwrap_or(0.0);
    if share >= 1.0 {
        return None;
    }
    let own = Own::of(&laws, &schedule, share)?;
    let (mut step, mut largest) = (own.first, Interval::ZERO);
    for (law, _) in &laws {
        let predicted =
            Law::uniform(step.scale(1.0 - share), step.scale(1.0 + share), own.cap.unwrap_or(Interval::MAX));
        let tolerance = MILLISECOND.max(step.scale(0.01));
        if !law.is_near(&predicted, tolerance) {
            return None;
        }
        let (here, there) = (law.longest(), predicted.longest());
        largest = largest.max((here - there).max(there - here));
        step = MILLISECOND.times((step.as_nanos() as f64 / 1e6 * own.factor) as u64);
    }
    if largest > Interval::from_nanos(2) {
        caveats.push(format!(
            "delays: differently, each is made from the one before in whole milliseconds; here up to {largest} off"
        ));
    }
    let as_library = |round: &Option<Rounding>| *round == Some(Rounding::Inclusive(MILLISECOND));
    if share > 0.0 && !laws.iter().all(|(law, round)| matches!(law, Law::Exactly(_)) || as_library(round)) {
        caveats.push(
            "delays: differently, drawn in whole milliseconds, both ends included, at least 1 ms".into(),
        );
    }
    Some(own.written(share))
}

/// The parameters of the library's own delays.
struct Own {
    first: Interval,
    factor: f64,
    cap: Option<Interval>,
}

impl Own {
    fn of(laws: &[(Law, Option<Rounding>)], schedule: &ScheduleConfig, share: f64) -> Option<Self> {
        let middle = |(law, _): &(Law, Option<Rounding>)| match law {
            Law::Exactly(delay) => Some(*delay),
            Law::Uniform { low, high, .. } => Some((*low + *high).scale(0.5)),
            Law::Truncated { .. } | Law::Other => None,
        };
        let middles: Vec<Interval> = laws.iter().map(middle).collect::<Option<_>>()?;
        let first = *middles.first()?;
        if first.as_nanos() % MILLISECOND.as_nanos() != 0 {
            return None;
        }
        // A cap before jitter is one after it only where there is no jitter.
        let before = schedule.cap_of_backoff().filter(|_| share == 0.0);
        let cap = schedule.cap_after_jitter.or(before).filter(|cap| *cap >= first);
        let factor = match &schedule.backoff {
            crate::schedule::Backoff::Iterated(iterated) => iterated.factor.get(),
            _ => match Growth::of(&middles, schedule) {
                Some(growth) => growth.factor,
                None => middles.get(1)?.as_nanos() as f64 / first.as_nanos().max(1) as f64,
            },
        };
        // Only what grows has a cap.
        Some(Self { first, factor, cap: cap.filter(|_| factor != 1.0) })
    }

    fn written(&self, share: f64) -> String {
        let mut text = format!("        waitDuration: {}ms\n", millis(self.first));
        if self.factor != 1.0 {
            text += "        enableExponentialBackoff: true\n";
            text += &format!("        exponentialBackoffMultiplier: {}\n", self.factor);
            if let Some(cap) = self.cap {
                text += &format!("        exponentialMaxWaitDuration: {}ms\n", millis(cap));
            }
        }
        if share > 0.0 {
            text += "        enableRandomizedWait: true\n";
            text += &format!("        randomizedWaitFactor: {share}\n");
        }
        text
    }
}

/// Spring's exceptions for what is retried.
fn retried(config: &PolicyConfig, caveats: &mut Vec<String>) -> String {
    let (condition, _) = conditions(&config.retry_on);
    if condition.every {
        return String::new();
    }
    let mut exceptions = spring::exceptions(&condition, "retry_on", caveats);
    if condition.breaker_open && config.breaker.is_some() {
        exceptions.within.push("io.github.resilience4j.circuitbreaker.CallNotPermittedException".into());
    }
    caveats.push("note: retryExceptions are those of Spring's RestClient and RestTemplate".into());
    exceptions.written("retryExceptions", "ignoreExceptions")
}

/// The retry in Java, its delays as tables.
fn java(
    config: &PolicyConfig,
    count: Option<u64>,
    attempts: u64,
    caveats: &mut Vec<String>,
) -> Result<Draft, String> {
    let refused = || {
        format!(
            "an IntervalFunction knows only the number of the attempt; this policy has {}, which no table of ranges says",
            luck(config)
        )
    };
    let laws = laws(&config.schedule(), count);
    let table = super::law::Table::of(&laws, count).ok_or_else(refused)?;
    if table.coarse {
        caveats.push("delays: differently, drawn in whole milliseconds".into());
    }
    let whole = |interval: &Interval| (interval.as_nanos() / MILLISECOND.as_nanos()).to_string();
    let array = |delays: &[Interval]| delays.iter().map(whole).collect::<Vec<_>>().join(", ");
    let row = format!("Math.min(attempt, {}) - 1", table.low.len());
    let mut body = String::from("import io.github.resilience4j.retry.RetryConfig;\n");
    if table.is_random() {
        body += "import java.util.concurrent.ThreadLocalRandom;\n";
    }
    let (condition, _) = conditions(&config.retry_on);
    if !condition.every {
        body += "import org.springframework.web.client.ResourceAccessException;\n";
        body += "import org.springframework.web.client.RestClientResponseException;\n";
        caveats.push("note: the exceptions are those of Spring's RestClient and RestTemplate".into());
    }
    body += "\n// milliseconds before each retry; the last one repeats\n";
    let delay = if table.is_random() {
        body +=
            &format!("long[] low = {{{}}};\nlong[] high = {{{}}};\n", array(&table.low), array(&table.high));
        let draw = format!(
            "low[{row}] == high[{row}] ? low[{row}] : ThreadLocalRandom.current().nextLong(low[{row}], high[{row}]{})",
            if table.inclusive { " + 1" } else { "" }
        );
        let draw =
            table.cap.map_or_else(|| draw.clone(), |cap| format!("Math.min({}L, {draw})", whole(&cap)));
        if table.floor.is_zero() { draw } else { format!("Math.max({}L, {draw})", whole(&table.floor)) }
    } else {
        body += &format!("long[] delay = {{{}}};\n", array(&table.low));
        format!("delay[{row}]")
    };
    body += &format!(
        "RetryConfig retry = RetryConfig.custom()\n    .maxAttempts({attempts})\n    .intervalFunction(attempt -> {delay})\n"
    );
    body += &predicate(&condition, config.breaker.is_some(), caveats);
    body += "    .build();\n";
    Ok(Draft { body, comment: Some("//"), ..Draft::default() })
}

fn predicate(condition: &Condition, breaks: bool, caveats: &mut Vec<String>) -> String {
    if condition.every {
        return String::new();
    }
    let codes = written(
        &condition.statuses,
        |code| format!("error.getStatusCode().value() == {code}"),
        |low, high| {
            format!("(error.getStatusCode().value() >= {low} && error.getStatusCode().value() <= {high})")
        },
    );
    let mut tests = Vec::new();
    if !codes.is_empty() {
        tests.push(format!(
            "failure instanceof RestClientResponseException error && ({})",
            codes.join(" || ")
        ));
    }
    if condition.timeout || condition.connection_error {
        tests.push("failure instanceof ResourceAccessException".into());
    }
    if condition.timeout != condition.connection_error {
        caveats.push(
            "retry_on: Spring raises one exception for timeouts and broken connections: both are retried"
                .into(),
        );
    }
    if !condition.with_header.is_empty() {
        caveats
            .push("retry_on.status_with_retry_after: not expressed, those statuses are not retried".into());
    }
    if condition.breaker_open && breaks {
        tests.push(
            "failure instanceof io.github.resilience4j.circuitbreaker.CallNotPermittedException".into(),
        );
    }
    let tests = if tests.is_empty() { "false".into() } else { tests.join("\n        || ") };
    format!("    .retryOnException(failure -> {tests})\n")
}
