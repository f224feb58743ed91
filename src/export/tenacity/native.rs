//! Schedules that are tenacity's own strategies.

use crate::export::law::{Law, exact, laws};
use crate::export::seconds;
use crate::schedule::{Backoff, Draws, Exponential, Jitter, ScheduleConfig};
use crate::time::Interval;

/// The most delays that are listed one by one.
const MAX_LISTED: u64 = 50;

/// The strategy that waits exactly so, if there is one.
pub(super) fn wait(schedule: &ScheduleConfig, retries: Option<u64>) -> Option<String> {
    own(schedule).or_else(|| tabulated(schedule, retries))
}

fn own(schedule: &ScheduleConfig) -> Option<String> {
    let ScheduleConfig { backoff, jitter, draws, cap_before_jitter, cap_after_jitter, floor, round } =
        schedule;
    if *draws != Draws::Each || round.is_some() {
        return None;
    }
    let uncapped = cap_before_jitter.is_none() && cap_after_jitter.is_none() && floor.is_none();
    let parts = |parts: &[ScheduleConfig]| -> Option<String> {
        let strategies: Option<Vec<String>> = parts.iter().map(own).collect();
        (uncapped && *jitter == Jitter::None).then_some(strategies?.join(", "))
    };
    match backoff {
        Backoff::Fixed(delay) => fixed(*delay, schedule),
        Backoff::List(list) => match (list.delays(), list.ends()) {
            ([delay], false) => fixed(*delay, schedule),
            (delays, _) if uncapped && *jitter == Jitter::None => Some(chain(delays)),
            _ => None,
        },
        Backoff::Linear { first, step } => {
            let capped = cap_before_jitter.or(*cap_after_jitter);
            let plain = *jitter == Jitter::None && floor.is_none();
            let single = cap_before_jitter.is_none() || cap_after_jitter.is_none();
            let max = capped.map(|cap| format!(", max={}", seconds(cap))).unwrap_or_default();
            (plain && single).then(|| {
                format!("wait_incrementing(start={}, increment={}{max})", seconds(*first), seconds(*step))
            })
        }
        Backoff::Exponential(exponential) => grows(exponential, schedule),
        Backoff::Chain(all) => parts(all).map(|all| format!("wait_chain({all})")),
        Backoff::Sum(all) => parts(all).map(|all| format!("wait_combine({all})")),
        Backoff::Max(parts) => at_least(parts, schedule),
        Backoff::Polynomial { .. }
        | Backoff::Fibonacci { .. }
        | Backoff::DoubleThenLinear { .. }
        | Backoff::Iterated(_) => None,
    }
}

/// The same delay each time, or a uniform one.
fn fixed(delay: Interval, schedule: &ScheduleConfig) -> Option<String> {
    if matches!(schedule.jitter, Jitter::AddPerRetry(_)) {
        return None;
    }
    match laws(schedule, Some(1)).first()? {
        Law::Exactly(delay) => Some(format!("wait_fixed({})", seconds(*delay))),
        Law::Uniform { low, high, cap: Interval::MAX, floor: Interval::ZERO, round: None } => {
            match schedule.jitter {
                Jitter::Add(_) if *low == delay && !delay.is_zero() => Some(format!(
                    "wait_combine(wait_fixed({}), wait_random(0, {}))",
                    seconds(delay),
                    seconds(*high - *low)
                )),
                _ => Some(format!("wait_random(min={}, max={})", seconds(*low), seconds(*high))),
            }
        }
        Law::Uniform { .. } | Law::Truncated { .. } | Law::Other => None,
    }
}

fn grows(exponential: &Exponential, schedule: &ScheduleConfig) -> Option<String> {
    let Exponential { base, factor, exponent, zero_first, minus_one } = exponential;
    if *zero_first || *minus_one {
        return None;
    }
    let ScheduleConfig { jitter, cap_before_jitter, cap_after_jitter, floor, .. } = schedule;
    let multiplier = base.as_secs_f64() * libm::pow(factor.get(), f64::from(exponent.get()));
    let mut arguments = vec![format!("multiplier={multiplier}")];
    arguments.extend((factor.get() != 2.0).then(|| format!("exp_base={}", factor.get())));
    let argument = |name: &str, value: Interval| format!("{name}={}", seconds(value));
    let name = match jitter {
        Jitter::None => {
            let caps = [*cap_before_jitter, *cap_after_jitter];
            let cap = caps.into_iter().flatten().reduce(Interval::min);
            arguments.extend(cap.map(|cap| argument("max", cap)));
            arguments.extend(floor.filter(|floor| !floor.is_zero()).map(|floor| argument("min", floor)));
            "wait_exponential"
        }
        Jitter::Full if cap_after_jitter.is_none() && floor.is_none() => {
            arguments.extend(cap_before_jitter.map(|cap| argument("max", cap)));
            "wait_random_exponential"
        }
        // Below its floor tenacity waits exactly the floor, and `between` draws below it.
        Jitter::Between(least)
            if cap_after_jitter.is_none()
                && floor.is_none()
                && Interval::from_nanos_f64(multiplier * 1e9) >= *least
                && cap_before_jitter.is_none_or(|cap| cap >= *least) =>
        {
            arguments.extend(cap_before_jitter.map(|cap| argument("max", cap)));
            arguments.extend((!least.is_zero()).then(|| argument("min", *least)));
            "wait_random_exponential"
        }
        Jitter::Add(span) if span.low.is_zero() && cap_before_jitter.is_none() => {
            arguments.extend(cap_after_jitter.map(|cap| argument("max", cap)));
            arguments.push(argument("jitter", span.high));
            arguments.extend(floor.filter(|floor| !floor.is_zero()).map(|floor| argument("min", floor)));
            "wait_exponential_jitter"
        }
        _ => return None,
    };
    Some(format!("{name}({})", arguments.join(", ")))
}

/// Uniform from `min` to an exponential that is `min` while it is less: `wait_random_exponential` with its `min`.
fn at_least(parts: &[ScheduleConfig], schedule: &ScheduleConfig) -> Option<String> {
    let [grown, least] = parts else { return None };
    let (Backoff::Exponential(exponential), Backoff::Fixed(min)) = (&grown.backoff, &least.backoff) else {
        return None;
    };
    let capped = ScheduleConfig {
        cap_before_jitter: grown.cap_before_jitter,
        ..ScheduleConfig::plain(grown.backoff.clone())
    };
    let whole =
        ScheduleConfig { jitter: Jitter::Between(*min), ..ScheduleConfig::plain(schedule.backoff.clone()) };
    if *grown != capped || *least != ScheduleConfig::plain(least.backoff.clone()) || *schedule != whole {
        return None;
    }
    let full = ScheduleConfig { jitter: Jitter::Full, ..capped };
    let wait = grows(exponential, &full)?;
    if min.is_zero() {
        return Some(wait);
    }
    wait.strip_suffix(')').map(|begun| format!("{begun}, min={})", seconds(*min)))
}

fn chain(delays: &[Interval]) -> String {
    let waits: Vec<String> = delays.iter().map(|delay| format!("wait_fixed({})", seconds(*delay))).collect();
    match &waits[..] {
        [only] => only.clone(),
        _ => format!("wait_chain({})", waits.join(", ")),
    }
}

/// All delays one by one, if they are few and there is no luck in them.
fn tabulated(schedule: &ScheduleConfig, retries: Option<u64>) -> Option<String> {
    let count = retries.filter(|&count| count <= MAX_LISTED)?;
    exact(&laws(schedule, Some(count))).filter(|delays| !delays.is_empty()).map(|delays| chain(&delays))
}
