//! `resilience4j.circuitbreaker` in YAML: a share of failures or of slow calls among the last calls, or within whole seconds.
//!
//! It judges after every result, and its probes by the thresholds of the closed state. The open time is fixed or multiplied
//! each time; any other growth is an `IntervalFunction`, a bean in Java beside the YAML.
//! Source: resilience4j 2.4.0, commit af9e7c979, `CircuitBreakerStateMachine`, `CommonCircuitBreakerConfigurationProperties`.

use super::{MILLISECOND, spring};
use crate::breaker::{
    AfterOpen, Align, Arithmetic, Boundary, BreakerConfig, Changes, JudgedOn, ProbesCounted, Then,
    TimeWindow, Trip,
};
use crate::export::breaker::{
    Opens, SlowCalls, Span, half_open, one_probe, opens, others, outside, permitted, same_thresholds,
};
use crate::export::condition::Condition;
use crate::export::law::Growth;
use crate::export::open_time::{OpenTimes, Shape};
use crate::export::{Target, millis};
use crate::time::Interval;
use crate::units::Count;

const SECOND: Interval = Interval::from_secs(1);

/// A breaker as it is written below `resilience4j:`, and what it loses.
pub(super) struct Circuit {
    pub(super) text: String,
    pub(super) caveats: Vec<String>,
}

/// The breaker as an instance.
///
/// # Errors
/// If nothing comes near what opens it; the message says why.
pub(super) fn instance(config: &BreakerConfig) -> Result<Circuit, String> {
    let library = Target::Resilience4j.version();
    let opens = opens(config, library, Arithmetic::Single)?;
    let mut caveats = opens.caveats.clone();
    let mut lines = window(config, &opens, &mut caveats)?;
    let (open, code) = open_time(config, &mut caveats);
    lines.extend(open);
    lines.push(format!("permittedNumberOfCallsInHalfOpenState: {}", permitted(config)));
    probes(config, &opens, &mut caveats);
    match config.changes {
        Changes::OnCall => {}
        Changes::OnTime => lines.push("automaticTransitionFromOpenToHalfOpenEnabled: true".into()),
        Changes::Every(every) => caveats.push(format!(
            "breaker: it is half-open at once after its open time, not at a check every {every}"
        )),
    }
    if config.after_open == AfterOpen::Closed {
        caveats.push(
            "breaker: differently, it is half-open after the open time and lets probes through first".into(),
        );
    }
    if let Some(most) = config.half_open_for {
        lines.push(format!("maxWaitDurationInHalfOpenState: {}ms", millis(most.at_most)));
        lines
            .extend((most.then == Then::Closed).then(|| "transitionToStateAfterWaitDuration: CLOSED".into()));
    }
    if config.boundary != Boundary::After {
        caveats
            .push("breaker: a call at the very end of the open time is decided the other way round".into());
    }
    caveats.extend(others(config, library));
    caveats.extend(outside(config));
    let mut text = String::from("  circuitbreaker:\n    instances:\n      operation:\n");
    for line in lines {
        text += &format!("        {line}\n");
    }
    text += &recorded(config, &mut caveats);
    Ok(Circuit { text: text + &code, caveats })
}

/// The window and its thresholds.
fn window(config: &BreakerConfig, opens: &Opens, caveats: &mut Vec<String>) -> Result<Vec<String>, String> {
    let (kind, size) = match opens.span {
        Span::Row(size) | Span::Calls(size) => ("COUNT_BASED", size),
        Span::Time(width) => {
            let seconds = width.ceil_to_seconds().max(SECOND);
            if seconds != width {
                caveats
                    .push(format!("breaker: its window is whole seconds, {seconds} in the place of {width}"));
            }
            if !by_the_second(&config.trip) {
                caveats.push("breaker: differently, its window is cut at whole seconds of the clock".into());
            }
            ("TIME_BASED", seconds.as_nanos() / SECOND.as_nanos())
        }
    };
    if opens.failures.is_none() {
        caveats.push("breaker: it also opens when all calls have failed, slow or not".into());
    }
    let failures = opens.failures.map_or(100.0, |share| share.percent);
    let slow = opens.slow.map(|SlowCalls { longer_than, share }| (longer_than, share.percent));
    if failures == 0.0 || slow.is_some_and(|(_, percent)| percent == 0.0) {
        return Err("its thresholds are above 0 %; nearest is a small `percent`".into());
    }
    let decides_after_success =
        opens.slow.is_some() || opens.failures.is_some_and(|share| share.percent < 100.0);
    match opens.judged_on {
        JudgedOn::Any => {}
        JudgedOn::Failure if !decides_after_success => {}
        JudgedOn::Failure => {
            caveats.push(
                "breaker: differently, it is judged after every result, so that a success can open it".into(),
            );
        }
        JudgedOn::Tick => {
            caveats.push(
                "breaker: differently, it is judged after every result, not when a bucket is complete".into(),
            );
        }
    }
    let mut lines = vec![
        format!("slidingWindowType: {kind}"),
        format!("slidingWindowSize: {size}"),
        format!("minimumNumberOfCalls: {}", opens.minimum),
        format!("failureRateThreshold: {}", single(failures)),
    ];
    match slow {
        Some((longer_than, percent)) => {
            lines.push(format!("slowCallRateThreshold: {}", single(percent)));
            lines.push(format!("slowCallDurationThreshold: {}ms", millis(longer_than)));
        }
        // Otherwise calls of more than 60 s would count as slow.
        None => lines.push("slowCallDurationThreshold: 1d  # slow calls do not count".into()),
    }
    Ok(lines)
}

/// The threshold as the library keeps it.
const fn single(percent: f64) -> f32 {
    percent as f32
}

/// True if a window is cut as the library cuts it.
fn by_the_second(trip: &Trip) -> bool {
    match trip {
        Trip::TimeWindow(TimeWindow { width, buckets, bucket, align, .. }) => {
            let cut = match (bucket, buckets) {
                (Some(bucket), _) => *bucket == SECOND,
                (None, buckets) => width.as_nanos() == SECOND.as_nanos() * buckets.map_or(10, Count::get),
            };
            *align == Align::Clock && cut
        }
        Trip::Any(parts) => parts.iter().all(by_the_second),
        // Its own caveat says that it is no window at all.
        Trip::MovingAverage(_) | Trip::Consecutive(_) | Trip::CountWindow(_) => true,
    }
}

/// How long it stays open, as properties, or as code.
fn open_time(config: &BreakerConfig, caveats: &mut Vec<String>) -> (Vec<String>, String) {
    let times = OpenTimes::of(&config.open_for);
    caveats.extend(times.caveats(&config.open_for, Target::Resilience4j.version()));
    let wait = |first: Interval, caveats: &mut Vec<String>| {
        if first < MILLISECOND {
            caveats.push(format!("breaker: it stays open for 1 ms at least, not {first}"));
        }
        format!("waitDurationInOpenState: {}ms", millis(first.max(MILLISECOND)))
    };
    match times.shape {
        Shape::Fixed(length) => (vec![wait(length, caveats)], String::new()),
        Shape::Exponential(Growth { first, factor, cap }) => {
            let mut lines = vec![wait(first, caveats)];
            lines.push("enableExponentialBackoff: true".into());
            lines.push(format!("exponentialBackoffMultiplier: {factor}"));
            lines.extend(cap.map(|cap| format!("exponentialMaxWaitDurationInOpenState: {}ms", millis(cap))));
            (lines, String::new())
        }
        Shape::Linear { .. } | Shape::Listed => (Vec::new(), bean(&times)),
    }
}

/// The open time as a function of how often it opened in a row, from 1.
fn bean(times: &OpenTimes) -> String {
    let whole = |length: Interval| (length.as_nanos() / MILLISECOND.as_nanos()).max(1);
    let formula = match times.shape {
        Shape::Linear { first, step, most } => {
            let grown =
                format!("{}L + {}L * (attempt - 1)", whole(first), step.as_nanos() / MILLISECOND.as_nanos());
            most.map_or_else(|| grown.clone(), |most| format!("Math.min({}L, {grown})", whole(most)))
        }
        Shape::Fixed(_) | Shape::Exponential(_) | Shape::Listed => {
            let listed: Vec<String> =
                times.lengths.iter().map(|length| format!("{}L", whole(*length))).collect();
            format!("new long[] {{{}}}[Math.min(attempt, {}) - 1]", listed.join(", "), listed.len())
        }
    };
    format!(
        "# How long it stays open, in milliseconds, is code: a bean in Java.\n\
         #   @Bean\n\
         #   CircuitBreakerConfigCustomizer operationOpenTime() {{\n\
         #       return CircuitBreakerConfigCustomizer.of(\"operation\", builder -> builder\n\
         #           .waitIntervalFunctionInOpenState(attempt -> {formula}));\n\
         #   }}\n"
    )
}

/// Says how the judgement of probes differs, which is by the thresholds of the closed state.
fn probes(config: &BreakerConfig, opens: &Opens, caveats: &mut Vec<String>) {
    let permitted = permitted(config);
    let decides = opens.minimum.min(permitted);
    let rules = config.half_open;
    let same = rules.successes.is_none()
        && rules.ring.is_none()
        && (config.probes_counted == ProbesCounted::InAll || permitted == 1)
        && rules
            .rate
            .is_some_and(|rate| rate.after.get().min(permitted) == decides && same_thresholds(&rate, opens));
    if !one_probe(config) && !same {
        caveats.push(format!(
            "breaker: half-open differently, {permitted} probes in all, of which the first {decides} decide by the thresholds of \
             the closed state; here {}",
            half_open(config)
        ));
    }
}

/// Which exceptions are failures, if not all.
fn recorded(config: &BreakerConfig, caveats: &mut Vec<String>) -> String {
    let condition = Condition::of(&config.counts);
    if condition.every {
        return String::new();
    }
    let exceptions = spring::exceptions(&condition, "breaker.counts", caveats);
    if !exceptions.without.is_empty() {
        caveats
            .push("breaker: what is in ignoreExceptions does not count at all, not even as a success".into());
    }
    caveats.push("note: recordExceptions are those of Spring's RestClient and RestTemplate".into());
    exceptions.written("recordExceptions", "ignoreExceptions")
}
