//! Polly 8: `RetryStrategyOptions` and `CircuitBreakerStrategyOptions`, in C#.
//!
//! By itself it can say a constant delay, one that grows by itself each time, or one that doubles, at most `MaxDelay`; its jitter
//! is +-25 % of the first two and a decorrelated walk of the third, and the cap comes after it. A `DelayGenerator` can say any
//! function of the attempt: here tables. It cannot stop by time without cutting off the attempt under way, and its breaker
//! is in the next room. Source: Polly 8.7.0, commit 173d6d1d, `RetryHelper.cs`.

mod circuit;

use super::condition::{Condition, conditions, written};
use super::law::{Law, Table, laws};
use super::{Aspect, Draft, Target, lost, luck, refuse_throttled, retries, seconds};
use crate::breaker::{BreakerConfig, Position};
use crate::policy::{PolicyConfig, RetryAfterRule};
use crate::schedule::{Draws, Jitter, Rounding, ScheduleConfig};
use crate::time::Interval;

/// The delay of retry n, from the first one.
type Growing = fn(Interval, u32) -> Interval;

/// What a `TimeSpan` is made of.
const TICK: Interval = Interval::from_nanos(100);

/// The longest `Delay` and `MaxDelay` that Polly accepts.
const DAY: Interval = Interval::from_secs(86_400);

pub(super) fn policy(config: &PolicyConfig) -> Result<Draft, String> {
    refuse_throttled(config, Target::Polly)?;
    let mut caveats = lost(config, Target::Polly, &[Aspect::RetryAfter, Aspect::Breaker]);
    let count = retries(config);
    let mut strategies = String::new();
    if count != Some(0) {
        strategies += &retry(config, count, &mut caveats)?;
    }
    if let Some(breaker) = &config.breaker {
        match circuit::strategy(breaker) {
            Ok(circuit) => {
                caveats.extend(circuit.caveats);
                // The strategy that is added later is inside.
                strategies = match breaker.position {
                    Position::Inside => strategies + &circuit.text,
                    Position::Outside => circuit.text + &strategies,
                };
            }
            Err(why) => caveats.push(format!("breaker: not expressed: {why}")),
        }
    }
    Ok(Draft { body: pipeline(&strategies), caveats, ..Draft::default() })
}

pub(super) fn breaker(config: &BreakerConfig) -> Result<Draft, String> {
    let circuit::Circuit { text, mut caveats } = circuit::strategy(config)?;
    if config.position == Position::Outside {
        caveats
            .push("note: add it before the retry, so that it goes around all attempts (`position`)".into());
    }
    Ok(Draft { body: pipeline(&text), caveats, ..Draft::default() })
}

fn pipeline(strategies: &str) -> String {
    format!(
        "var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()\n{strategies}    .Build();\n"
    )
}

fn time(interval: Interval) -> String {
    format!("TimeSpan.FromSeconds({})", seconds(interval))
}

fn retry(config: &PolicyConfig, count: Option<u64>, caveats: &mut Vec<String>) -> Result<String, String> {
    let mut lines = vec![match count {
        Some(count) => format!("MaxRetryAttempts = {count}"),
        None => "MaxRetryAttempts = int.MaxValue".into(),
    }];
    let schedule = config.schedule();
    let generated = match own(&schedule, count) {
        Some(own) => {
            lines.extend(own);
            "null".to_owned()
        }
        None => generator(config, count, caveats)?,
    };
    let asked = match &config.retry_after {
        RetryAfterRule::Ignore => None,
        rule @ (RetryAfterRule::Obey
        | RetryAfterRule::AtLeast
        | RetryAfterRule::AtLeastBeforeJitter
        | RetryAfterRule::Within(_)
        | RetryAfterRule::ObeyWith(_)) => {
            if *rule != RetryAfterRule::Obey {
                caveats.push("Retry-After: differently, it is obeyed exactly; the refinements of the policy are not written".into());
            }
            caveats.push("note: a Retry-After that is a date is not read".into());
            Some("args.Outcome.Result?.Headers.RetryAfter?.Delta")
        }
    };
    let delay = match (asked, generated.as_str()) {
        (None, "null") => None,
        (None, generated) => Some(generated.to_owned()),
        (Some(asked), "null") => Some(asked.to_owned()),
        (Some(asked), generated) => Some(format!("{asked} ?? {generated}")),
    };
    lines.extend(delay.map(|delay| {
        format!("DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(\n            {delay})")
    }));
    lines.push(handled(&conditions(&config.retry_on).0, config.breaker.is_some(), caveats));
    let body: Vec<String> = lines.iter().map(|line| format!("        {line},\n")).collect();
    let body = body.concat();
    Ok(format!("    .AddRetry(new RetryStrategyOptions<HttpResponseMessage>\n    {{\n{body}    }})\n"))
}

/// Polly's own delays, if these are they.
fn own(schedule: &ScheduleConfig, count: Option<u64>) -> Option<Vec<String>> {
    let first = schedule.backoff.delay(1)?;
    let cap = |cap: Option<Interval>| cap.map(|cap| format!("MaxDelay = {}", time(cap)));
    if schedule.jitter == Jitter::DecorrelatedV2 {
        let plain = ScheduleConfig {
            cap_after_jitter: schedule.cap_after_jitter,
            round: schedule.round.filter(|&round| is_fine(round)),
            ..ScheduleConfig::plain(schedule.backoff.clone())
        };
        let whole = ScheduleConfig { jitter: Jitter::DecorrelatedV2, ..plain };
        let fits = *schedule == whole && schedule.draws == Draws::Each && first <= DAY;
        let mut lines =
            vec![format!("Delay = {}", time(first)), "BackoffType = DelayBackoffType.Exponential".into()];
        lines.push("UseJitter = true".into());
        lines.extend(cap(schedule.cap_after_jitter));
        return fits.then_some(lines);
    }
    let mut laws = laws(schedule, count);
    for law in &mut laws {
        let (unrounded, round) = law.unrounded();
        if round.is_some_and(is_fine) {
            *law = unrounded;
        }
    }
    let (first, jitter) = match laws.first()? {
        Law::Exactly(delay) => (*delay, false),
        Law::Uniform { low, high, .. } => ((*low + *high).scale(0.5), true),
        Law::Truncated { .. } | Law::Other => return None,
    };
    let longest = laws.iter().map(Law::longest).fold(Interval::ZERO, Interval::max);
    let given = schedule.cap_after_jitter.or(schedule.cap_before_jitter.filter(|_| !jitter));
    let types: [(&str, Growing); 3] = [
        ("Constant", |first, _| first),
        ("Linear", |first, n| first.times(n.into())),
        ("Exponential", |first, n| first.scale(libm::exp2(f64::from(n - 1)))),
    ];
    for (name, delay) in types {
        // The jitter of an exponential delay is another one: the walk above.
        if jitter && name == "Exponential" {
            continue;
        }
        for max in [given, None, Some(longest)] {
            let share = if jitter { 0.25 } else { 0.0 };
            let fits = laws.iter().enumerate().all(|(index, law)| {
                let x = delay(first, index as u32 + 1);
                let own =
                    Law::uniform(x.scale(1.0 - share), x.scale(1.0 + share), max.unwrap_or(Interval::MAX));
                law.is_near(&own, Interval::from_nanos(100))
            });
            if fits && first <= DAY && max.is_none_or(|max| max <= DAY) {
                let mut lines = vec![format!("Delay = {}", time(first))];
                lines.push(format!("BackoffType = DelayBackoffType.{name}"));
                lines.extend(jitter.then(|| "UseJitter = true".into()));
                lines.extend(cap(max));
                return Some(lines);
            }
        }
    }
    None
}

/// True of what Polly does anyway: a `TimeSpan` is whole ticks.
fn is_fine(round: Rounding) -> bool {
    round == Rounding::Down(TICK)
}

/// The delays as a table, as an expression of the attempt.
fn generator(config: &PolicyConfig, count: Option<u64>, caveats: &mut Vec<String>) -> Result<String, String> {
    let laws = laws(&config.schedule(), count);
    let table = Table::of(&laws, count).ok_or_else(|| {
        format!(
            "a DelayGenerator knows only the number of the attempt; this policy has {}, which no table of ranges says",
            luck(config)
        )
    })?;
    let array = |delays: &[Interval]| {
        let seconds: Vec<String> = delays.iter().map(|delay| seconds(*delay)).collect();
        format!("new double[] {{ {} }}", seconds.join(", "))
    };
    let row = format!("[Math.Min(args.AttemptNumber, {})]", table.low.len() - 1);
    if !table.is_random() {
        return Ok(format!("TimeSpan.FromSeconds({}{row})", array(&table.low)));
    }
    let rounded = laws.iter().any(|law| law.unrounded().1.is_some_and(|round| !is_fine(round)));
    if rounded {
        caveats.push("delays: differently, they are not rounded to whole milliseconds".into());
    }
    let widths: Vec<Interval> = table.high.iter().zip(&table.low).map(|(high, low)| *high - *low).collect();
    let draw = format!("{}{row} + Random.Shared.NextDouble() * {}{row}", array(&table.low), array(&widths));
    let draw = table.cap.map_or_else(|| draw.clone(), |cap| format!("Math.Min({}, {draw})", seconds(cap)));
    let draw =
        if table.floor.is_zero() { draw } else { format!("Math.Max({}, {draw})", seconds(table.floor)) };
    Ok(format!("TimeSpan.FromSeconds({draw})"))
}

fn handled(condition: &Condition, breaks: bool, caveats: &mut Vec<String>) -> String {
    let mut builder = String::from("ShouldHandle = new PredicateBuilder<HttpResponseMessage>()");
    let indent = "\n            ";
    if condition.every {
        return format!(
            "{builder}{indent}.Handle<Exception>(error => error is not OperationCanceledException){indent}.HandleResult(response \
             => !response.IsSuccessStatusCode)"
        );
    }
    let patterns = |ranges: &[(u16, u16)]| {
        let patterns =
            written(ranges, |code| code.to_string(), |low, high| format!("(>= {low} and <= {high})"));
        patterns.join(" or ")
    };
    if !condition.statuses.is_empty() {
        builder += &format!(
            "{indent}.HandleResult(response => (int)response.StatusCode is {})",
            patterns(&condition.statuses)
        );
    }
    if !condition.with_header.is_empty() {
        builder += &format!(
            "{indent}.HandleResult(response => response.Headers.RetryAfter != null && (int)response.StatusCode is {})",
            patterns(&condition.with_header)
        );
    }
    if condition.timeout {
        builder += &format!("{indent}.Handle<TimeoutRejectedException>()");
        caveats.push(
            "note: timeouts are those of a Polly timeout inside this pipeline (AddTimeout after AddRetry)"
                .into(),
        );
    }
    if condition.connection_error {
        builder += &format!("{indent}.Handle<HttpRequestException>()");
    }
    if condition.breaker_open && breaks {
        builder += &format!("{indent}.Handle<BrokenCircuitException>()");
    }
    if condition.is_empty() {
        builder += &format!("{indent}.HandleResult(_ => false)");
    }
    builder
}
