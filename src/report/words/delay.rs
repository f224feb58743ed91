//! The delay before retry n as a formula that can be read aloud: each step of the schedule adds its own words, in the order
//! in which it is taken.

use super::length;
use crate::schedule::{
    Arithmetic, Backoff, Begins, DecorrelatedWith, Draws, Exponential, Iterated, Jitter, Lower, Rounding,
    ScheduleConfig, truncation, whole_percents,
};
use crate::time::Interval;

/// The delay before retry n, such as "min(60 s, 1 s * 2^(n-1)), times a uniform number from 0 to 1".
pub(in crate::report) fn formula(schedule: &ScheduleConfig) -> String {
    let ScheduleConfig { backoff, jitter: luck, draws, cap_before_jitter, cap_after_jitter, floor, round } =
        schedule;
    let shape = shape(backoff);
    let capped = match limit(*cap_before_jitter) {
        Some(cap) => format!("min({}, {shape})", length(cap)),
        None => shape,
    };
    let mut text = jitter(&capped, luck);
    text += match draws {
        Draws::Each => "",
        Draws::Once => ", drawn once for all retries of a request",
        Draws::Sorted => ", drawn for all retries at the start and sorted so that delays never shrink",
    };
    if let Some(cap) = limit(*cap_after_jitter) {
        text += &format!(", capped at {}", length(cap));
    }
    if let Some(floor) = floor {
        text += &format!(", at least {}", length(*floor));
    }
    text + &round.map(rounding).unwrap_or_default()
}

/// A cap that can be reached: the longest interval stands for none.
fn limit(cap: Option<Interval>) -> Option<Interval> {
    cap.filter(|cap| *cap < Interval::MAX)
}

fn shape(backoff: &Backoff) -> String {
    match backoff {
        Backoff::Fixed(delay) => length(*delay),
        Backoff::List(delays) => {
            let all: Vec<String> = delays.delays().iter().map(|delay| length(*delay)).collect();
            match (&all[..], delays.ends()) {
                ([only], false) => only.clone(),
                (_, false) => format!("the n-th of {} (the last one repeats)", all.join(", ")),
                (_, true) => format!("the n-th of {} (no retry after the last one)", all.join(", ")),
            }
        }
        Backoff::Linear { first, step } if first == step => format!("n * {}", length(*step)),
        Backoff::Linear { first, step } => format!("{} + (n-1) * {}", length(*first), length(*step)),
        Backoff::Exponential(exponential) => exponential_shape(exponential),
        Backoff::Polynomial { unit, power, offset, plus } => {
            let n = counted(offset.get());
            let plus = if plus.is_zero() { String::new() } else { format!(" + {}", length(*plus)) };
            format!("{} * {n}^{}{plus}", length(*unit), power.get())
        }
        Backoff::Fibonacci { base, stays_from } => {
            let stays = stays_from.map(|from| format!(", repeated once it is {} or more", length(from)));
            format!("{} times the n-th of 1, 1, 2, 3, 5, 8, ...{}", length(*base), stays.unwrap_or_default())
        }
        Backoff::DoubleThenLinear { base, doublings } => format!(
            "{} * 2^(n-1) for {} doublings, then {} more each time",
            length(*base),
            doublings.get(),
            length(base.times(1 << doublings.get()))
        ),
        Backoff::Iterated(Iterated { first, factor, whole, cap, arithmetic }) => format!(
            "{}, then each time {} times the one before{}, rounded {}to {}{}",
            length(*first),
            factor.get(),
            if *arithmetic == Arithmetic::Double { "" } else { " in single precision" },
            if *arithmetic == Arithmetic::SingleSeconds { "" } else { "down " },
            multiples(*whole),
            cap.map(|cap| format!(", at most {}", length(cap))).unwrap_or_default()
        ),
        Backoff::Chain(parts) => {
            let parts = bracketed(parts);
            format!("the n-th of {} (the last one goes on)", parts.join(", "))
        }
        Backoff::Sum(parts) => bracketed(parts).join(" + "),
        Backoff::Max(parts) => format!("the longest of {}", bracketed(parts).join(", ")),
    }
}

fn bracketed(parts: &[ScheduleConfig]) -> Vec<String> {
    parts.iter().map(|part| format!("[{}]", formula(part))).collect()
}

fn exponential_shape(exponential: &Exponential) -> String {
    let Exponential { base, factor, exponent, zero_first, minus_one } = exponential;
    let power = format!("{}^{}", factor.get(), counted(exponent.get() - 1));
    let grown = if *minus_one {
        format!("{} * ({power} - 1)", length(*base))
    } else {
        format!("{} * {power}", length(*base))
    };
    if *zero_first { format!("0 s before the first retry, then {grown}") } else { grown }
}

/// n plus an offset, as it is written in a formula.
fn counted(offset: i32) -> String {
    match offset {
        0 => "n".into(),
        1.. => format!("(n+{offset})"),
        _ => format!("(n{offset})"),
    }
}

fn jitter(x: &str, jitter: &Jitter) -> String {
    let times = |low: f64, high: f64| format!("{x}, times a uniform number from {low} to {high}");
    let exactly = |number: f64| (number * 1e9).round() / 1e9;
    match jitter {
        Jitter::None => x.to_owned(),
        Jitter::Full => times(0.0, 1.0),
        Jitter::Equal => times(0.5, 1.0),
        Jitter::Proportional(share) => times(exactly(1.0 - share.get()), exactly(1.0 + share.get())),
        Jitter::Scale(range) => times(range.low, range.high),
        Jitter::ScaleOrRedraw(with) => format!(
            "{}; above {1} instead {1}, times a uniform number from {2} to {3}",
            times(with.scale.low, with.scale.high),
            length(with.above),
            with.redraw.low,
            with.redraw.high
        ),
        Jitter::Add(span) => {
            format!("{x}, plus a uniform time from {} to {}", length(span.low), length(span.high))
        }
        Jitter::AddPerRetry(width) => format!("{x}, plus a uniform time from 0 s to n * {}", length(*width)),
        Jitter::PlusMinus(width) => {
            format!("{x}, plus or minus a uniform time of up to {}, never below 0 s", length(*width))
        }
        Jitter::Between(floor) => format!("a uniform time between {} and {x}", length(*floor)),
        Jitter::TruncatedExponential(amount) if amount.get() == 0.0 => x.to_owned(),
        Jitter::TruncatedExponential(amount) => {
            let (low, high) = truncation(amount.get());
            format!("{x}, times an exponential number of mean 1 that is cut to [{low:.3}, {high}]")
        }
        Jitter::WholeMultiples(range) => {
            format!("{x}, times a random whole number from {} to {}", range.low.get(), range.high.get())
        }
        Jitter::TruncatedSeconds(share) => format!(
            "{x}, plus a uniform share of it from 0 to {}, cut to whole seconds and, of its fraction, to whole nanoseconds",
            share.get()
        ),
        Jitter::WholePercent(share) => format!(
            "{x}, less a whole percentage below {0} % half of the time, else plus half of one from {0} %",
            whole_percents(*share)
        ),
        Jitter::Hash(key) => {
            format!("{x} in whole seconds, plus a part of it that SHA-1 of `{key}#n` decides, without luck")
        }
        Jitter::Decorrelated => {
            format!("a walk: uniform from the first delay ({x}) to 3 times the delay before")
        }
        Jitter::DecorrelatedWith(with) => decorrelated(x, with),
        Jitter::DecorrelatedV2 => {
            format!(
                "a walk: first delay ({x}) / 1.4 times the growth of 2^t * tanh(sqrt(4 t)) to a random t in n-1 to n"
            )
        }
        Jitter::Compounding(with) => format!(
            "a walk: the first delay ({x}), then uniform from 0 s to 2^(n-1) times the delay before, at most {}",
            length(with.cap)
        ),
    }
}

fn decorrelated(x: &str, with: &DecorrelatedWith) -> String {
    let DecorrelatedWith { lower, begins, factor, cap } = with;
    let low = match lower {
        Lower::First => format!("the first delay ({x})"),
        Lower::Previous => "the delay before".into(),
    };
    let begin = match begins {
        Begins::Drawn => String::new(),
        Begins::Exact => format!("exactly {x} first, then "),
    };
    let times = format!("{} times the delay before", factor.get());
    let high = limit(*cap).map_or_else(|| times.clone(), |cap| format!("min({}, {times})", length(cap)));
    format!("a walk: {begin}uniform from {low} to {high}")
}

fn rounding(rounding: Rounding) -> String {
    match rounding {
        Rounding::Down(unit) => format!(", rounded down to {}", multiples(unit)),
        Rounding::Nearest(unit) => format!(", rounded to {}", multiples(unit)),
        Rounding::Up(unit) => format!(", rounded up to {}", multiples(unit)),
        Rounding::Inclusive(unit) => format!(", drawn in {}, both ends included", multiples(unit)),
    }
}

fn multiples(unit: Interval) -> String {
    match unit.as_nanos() {
        1 => "whole nanoseconds".into(),
        1_000 => "whole microseconds".into(),
        1_000_000 => "whole milliseconds".into(),
        1_000_000_000 => "whole seconds".into(),
        _ => format!("multiples of {}", length(unit)),
    }
}

/// What a policy waits, as a sentence; a second one if a 429 has delays of its own.
pub(super) fn sentences(usual: &ScheduleConfig, throttled: Option<&ScheduleConfig>) -> Vec<String> {
    let mut said = vec![format!("Before retry n it waits {}.", formula(usual))];
    if let Some(throttled) = throttled {
        said.push(format!("After a 429 it waits {} instead.", formula(throttled)));
    }
    said
}
