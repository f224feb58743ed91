//! `CircuitBreakerStrategyOptions`, in C#: a share of failures among the calls within some time, then one probe.
//!
//! A `BreakDurationGenerator` can say any growth of the open time. It cannot count calls instead of time, mind slow calls, or
//! let several probes through.
//! Source: Polly 8.7.0, commit 173d6d1d, `CircuitStateController.cs`, `RollingHealthMetrics.cs`; `HalfOpenAttempts` is 0 at the
//! first opening, and again once it has closed.

use super::{DAY, handled, time};
use crate::breaker::{
    AfterOpen, Align, Arithmetic, Boundary, BreakerConfig, Changes, JudgedOn, TimeWindow, Trip,
};
use crate::export::breaker::{Opens, Span, half_open, one_probe, opens, others};
use crate::export::condition::Condition;
use crate::export::open_time::{OpenTimes, Shape};
use crate::export::{Target, seconds};
use crate::time::Interval;

/// The shortest `SamplingDuration` and `BreakDuration` that Polly accepts; the longest is a day.
const SHORTEST: Interval = Interval::from_millis(500);

/// Over how long calls are counted where the policy counts them by number; Polly's default.
const USUAL_SAMPLING: Interval = Interval::from_secs(30);

/// The fewest calls that Polly accepts as `MinimumThroughput`.
const FEWEST: u64 = 2;

/// A breaker as a strategy of a pipeline, and what it loses.
pub(super) struct Circuit {
    pub(super) text: String,
    pub(super) caveats: Vec<String>,
}

/// The breaker as a strategy.
///
/// # Errors
/// If nothing comes near what opens it; the message says why.
pub(super) fn strategy(config: &BreakerConfig) -> Result<Circuit, String> {
    let library = Target::Polly.version();
    let opens = opens(config, library, Arithmetic::Quotient)?;
    let mut caveats = opens.caveats.clone();
    let mut lines = sampling(config, &opens, &mut caveats)?;
    lines.push(break_duration(config, &mut caveats));
    lines.push(handled(&Condition::of(&config.counts), false, &mut caveats));
    if !one_probe(config) {
        caveats.push(format!(
            "breaker: {library} lets one probe through and decides by it; here {}",
            half_open(config)
        ));
    }
    if let Changes::Every(every) = config.changes {
        caveats.push(format!(
            "breaker: it is half-open at once after its open time, not at a check every {every}"
        ));
    }
    if config.after_open == AfterOpen::Closed {
        caveats.push(
            "breaker: differently, it is half-open after the open time and lets one probe through first"
                .into(),
        );
    }
    if config.half_open_for.is_some() {
        caveats.push(
            "breaker: differently, it stays half-open until the probe has ended (`half_open_for`)".into(),
        );
    }
    if config.boundary != Boundary::At {
        caveats
            .push("breaker: a call at the very end of the open time is decided the other way round".into());
    }
    caveats.extend(others(config, library));
    let body: Vec<String> = lines.iter().map(|line| format!("        {line},\n")).collect();
    let text = format!(
        "    .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>\n    {{\n{}    }})\n",
        body.concat()
    );
    Ok(Circuit { text, caveats })
}

/// What opens it.
fn sampling(config: &BreakerConfig, opens: &Opens, caveats: &mut Vec<String>) -> Result<Vec<String>, String> {
    let Some(share) = opens.failures else {
        return Err(
            "only slow calls open it, and Polly does not know how long a call took; nearest is a timeout \
                    inside the breaker and a `rate` of failures"
                .into(),
        );
    };
    if opens.slow.is_some() {
        caveats.push("breaker: slow calls do not open it, Polly does not know how long a call took; nearest is a timeout inside it".into());
    }
    let minimum = opens.minimum.max(FEWEST);
    let width = match opens.span {
        Span::Row(failures) => {
            caveats.push(format!(
                "breaker: differently, Polly opens when all of at least {minimum} calls within 30 s have failed, not after \
                 {failures} failures in a row"
            ));
            USUAL_SAMPLING
        }
        Span::Calls(calls) => {
            caveats.push(format!(
                "breaker: differently, Polly looks at the calls of the last 30 s, not at the last {calls}"
            ));
            USUAL_SAMPLING
        }
        Span::Time(width) => {
            let sampled = width.max(SHORTEST).min(DAY);
            if sampled != width {
                caveats.push(format!(
                    "breaker: Polly's SamplingDuration is 0.5 s to 1 day, the policy's {width}"
                ));
            }
            if !cut_as_there(&config.trip) {
                caveats.push(
                    "breaker: differently, the window is cut into 10 parts, each of which begins with the first call after the last one"
                        .into(),
                );
            }
            sampled
        }
    };
    if opens.minimum < FEWEST && !matches!(opens.span, Span::Row(_)) {
        caveats.push("breaker: Polly judges 2 calls or more, never a single one".into());
    }
    match opens.judged_on {
        JudgedOn::Failure => {}
        JudgedOn::Any => caveats.push("breaker: differently, it is judged after failures only".into()),
        JudgedOn::Tick => {
            caveats.push(
                "breaker: differently, it is judged after failures, not when a bucket is complete".into(),
            );
        }
    }
    Ok(vec![
        format!("FailureRatio = {}", share.rate),
        format!("MinimumThroughput = {minimum}"),
        format!("SamplingDuration = {}", time(width)),
    ])
}

/// True if a window is cut as Polly cuts it.
fn cut_as_there(trip: &Trip) -> bool {
    match trip {
        Trip::TimeWindow(TimeWindow { buckets, bucket, align, .. }) => {
            *align == Align::FirstEvent
                && buckets.is_none_or(|buckets| buckets.get() == 10)
                && bucket.is_none()
        }
        Trip::Any(parts) => parts.iter().all(cut_as_there),
        // Their own caveats say that they are cut otherwise.
        Trip::MovingAverage(_) | Trip::Consecutive(_) | Trip::CountWindow(_) => true,
    }
}

/// How long it stays open: a duration if Polly accepts it, else a function.
fn break_duration(config: &BreakerConfig, caveats: &mut Vec<String>) -> String {
    let times = OpenTimes::of(&config.open_for);
    let most = |most: Option<Interval>| seconds(most.unwrap_or(Interval::MAX));
    let length = match times.shape {
        Shape::Fixed(length) if length >= SHORTEST && length <= DAY => {
            caveats.extend(times.caveats(&config.open_for, Target::Polly.version()));
            return format!("BreakDuration = {}", time(length));
        }
        Shape::Fixed(length) => seconds(length),
        Shape::Exponential(growth) => {
            let apart = |(n, length): (u32, &Interval)| {
                Interval::from_nanos(growth.delay(n).as_nanos().abs_diff(length.as_nanos()))
            };
            let largest = (1..).zip(&times.lengths).map(apart).max().unwrap_or(Interval::ZERO);
            // Numbers with 9 digits say no more.
            if largest.as_nanos() > times.longest().as_nanos() / 1_000_000_000 + 2 {
                caveats.push(format!(
                    "breaker: differently, no open time is made from the one before; here up to {largest} off"
                ));
            }
            let first = seconds(growth.first);
            format!(
                "Math.Min({}, {first} * Math.Pow({}, args.HalfOpenAttempts))",
                most(growth.cap),
                growth.factor
            )
        }
        Shape::Linear { first, step, most: cap } => {
            format!("Math.Min({}, {} + {} * args.HalfOpenAttempts)", most(cap), seconds(first), seconds(step))
        }
        Shape::Listed => {
            let listed: Vec<String> = times.lengths.iter().map(|length| seconds(*length)).collect();
            let end = listed.len().saturating_sub(1);
            format!("new double[] {{ {} }}[Math.Min(args.HalfOpenAttempts, {end})]", listed.join(", "))
        }
    };
    caveats.extend(times.caveats(&config.open_for, Target::Polly.version()));
    format!("BreakDurationGenerator = args => ValueTask.FromResult(TimeSpan.FromSeconds({length}))")
}
