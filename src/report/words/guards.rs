//! What guards attempts, in words: breakers, budgets and limiters.

use super::delay::formula;
use super::outcomes;
use super::{length, list, plural};
use crate::breaker::{
    AfterOpen, Boundary, BreakerConfig, Changes, Compare, HalfOpenConfig, JudgedOn, LateResults, OnClose,
    OpenFor, Overflow, Percent, Position, ProbeResults, ProbesCounted, SlowConfig, TimerFrom, Trip,
};
use crate::budget::{BudgetConfig, BudgetKind, ConcurrentLike, Needs, Refund, Tokens, TokensConfig};
use crate::limiter::{LimiterConfig, LimiterKind};
use crate::scope::Scope;
use crate::units::{Count, Probability};

fn shared(scope: Scope) -> &'static str {
    match scope {
        Scope::Workload => "one for all clients of a workload",
        Scope::Client => "one per client",
        Scope::Global => "one for everybody who uses the policy",
    }
}

/// What a breaker does, in a sentence.
pub fn breaker_in_words(config: &BreakerConfig) -> String {
    let guards = match config.position {
        Position::Inside => "each attempt",
        Position::Outside => "the request with all its retries",
    };
    let timer = match config.timer_from {
        TimerFrom::Trip => "it opened",
        TimerFrom::LastFailure => "the last failure",
    };
    let end = match config.boundary {
        Boundary::At => "",
        Boundary::After => ", that instant not included",
    };
    let checks = match config.changes {
        Changes::OnCall | Changes::OnTime => String::new(),
        Changes::Every(every) => format!(" and the next check, every {}", length(every)),
    };
    let then = match config.after_open {
        AfterOpen::Closed => "then everything passes again".to_owned(),
        AfterOpen::HalfOpen => half_open(config),
    };
    let late = match config.late_results {
        LateResults::Ignore => "are ignored",
        LateResults::Count => "count",
        LateResults::Record => "are remembered and change nothing",
        LateResults::RecordSuccesses => "are remembered if they are successes, and change nothing",
        LateResults::AsBegun => "count by the rules of the state in which the call began",
        LateResults::AsBegunUnlessOpen => {
            "count by the rules of the state in which the call began, but leave an open one open"
        }
    };
    let memory = match config.on_close {
        OnClose::Forget => "",
        OnClose::ForgetButLast => "; once closed it remembers the last success alone",
        OnClose::Remember => "; once closed it remembers what it had seen",
    };
    format!(
        "A breaker around {guards}, {}, opens {} ({}), stays open until {} after {timer}{end}{checks}, {then}; results of calls \
         from before the last change {late}{memory}.",
        shared(config.scope),
        trip(&config.trip),
        list(&outcomes::named(&config.counts)),
        open_for(&config.open_for),
    )
}

fn trip(trip: &Trip) -> String {
    match trip {
        Trip::Consecutive(consecutive) => {
            let forgets =
                consecutive.forgets_every.map(|every| format!(", forgotten every {}", length(every)));
            let failures = plural(consecutive.failures.get(), "failure");
            format!("after {failures} in a row{}", forgets.unwrap_or_default())
        }
        Trip::CountWindow(window) => {
            let size = window
                .size
                .map_or_else(|| "the last results".into(), |size| format!("the last {} results", size.get()));
            let full = if window.full_before { ", once that many had been seen before," } else { "" };
            let reasons = reasons(
                share(window.rate, window.percent),
                window.failures.map(Count::get),
                window.compare,
                window.slow.as_ref(),
            );
            let least = window.minimum_calls.map_or_else(String::new, |least| at_least(least.get()));
            format!("{} when of {size}{least}{full} {reasons}", judged(window.judged_on))
        }
        Trip::TimeWindow(window) => {
            let reasons = reasons(
                share(window.rate, window.percent),
                window.failures.map(Count::get),
                window.compare,
                window.slow.as_ref(),
            );
            let least = window.minimum_calls.map_or_else(String::new, |least| at_least(least.get()));
            let pace = window
                .minimum_rate
                .map(|rate| format!(", if there are {} or more of them per second,", rate.get()));
            format!(
                "{} when of the results of the last {}{least}{} {reasons}",
                judged(window.judged_on),
                length(window.width),
                pace.unwrap_or_default()
            )
        }
        Trip::MovingAverage(average) => format!(
            "when the success rate, averaged over about {} and at least {}, falls below its limit",
            length(average.window),
            plural(average.minimum_calls.get(), "result")
        ),
        Trip::Any(parts) => parts.iter().map(self::trip).collect::<Vec<_>>().join(", or "),
    }
}

/// How many results there must be before a share of them means anything.
fn at_least(least: f64) -> String {
    format!(", if there are {least} or more of them,")
}

const fn judged(on: JudgedOn) -> &'static str {
    match on {
        JudgedOn::Failure => "at a failure",
        JudgedOn::Any => "at any result",
        JudgedOn::Tick => "at the end of a bucket",
    }
}

fn share(rate: Option<Probability>, percent: Option<Percent>) -> Option<f64> {
    rate.map(|rate| rate.get() * 100.0).or(percent.map(Percent::get))
}

fn reasons(
    percent: Option<f64>,
    failures: Option<u64>,
    compare: Compare,
    slow: Option<&SlowConfig>,
) -> String {
    let enough = |limit: String| match compare {
        Compare::At => format!("{limit} or more have failed"),
        Compare::Above => format!("more than {limit} have failed"),
    };
    let mut reasons = Vec::new();
    reasons.extend(percent.map(|percent| enough(format!("{percent} %"))));
    reasons.extend(failures.map(|failures| enough(failures.to_string())));
    reasons.extend(slow.map(|slow| format!("too many took longer than {}", length(slow.longer_than))));
    reasons.join(" or ")
}

fn open_for(open: &OpenFor) -> String {
    open.fixed()
        .map_or_else(|| format!("a time ({} for the n-th opening in a row)", formula(&open.schedule)), length)
}

fn half_open(config: &BreakerConfig) -> String {
    let counted = match config.probes_counted {
        ProbesCounted::UnderWay => "at a time",
        ProbesCounted::InAll => "in all",
    };
    let probes = match config.probes {
        None => "as many probes through as it takes to decide".to_owned(),
        Some(probes) => match probes.limit() {
            None => "any number of probes through".into(),
            Some(limit) => format!("{} through {counted}", plural(limit.into(), "probe")),
        },
    };
    let overflow = match config.overflow {
        Overflow::Reject => "",
        Overflow::Wait => " while the others wait",
    };
    let remembered = match config.probe_results {
        ProbeResults::Apart => "",
        ProbeResults::Remembered => ", and remembers their results",
    };
    let limit = config.half_open_for.map(|most| format!(", for {} at most", length(most.at_most)));
    let HalfOpenConfig { successes, failures, rate, ring } = config.half_open;
    let judged = if let Some(ring) = ring {
        format!("it decides by the share of failures among {} of them", ring.size.get())
    } else if let Some(enough) = successes {
        format!("it closes after {}", plural(enough.enough.get(), "success"))
    } else if let Some(rate) = rate {
        format!("it decides by the share of failures among the first {}", plural(rate.after.get(), "result"))
    } else if let Some(enough) = failures {
        format!("it opens again after {}", plural(enough.enough.get(), "failure"))
    } else {
        format!(
            "it closes after {} and opens again after {}",
            plural(config.closes_after.get(), "success"),
            plural(config.reopens_after.get(), "failure")
        )
    };
    format!("then lets {probes}{overflow}{}{remembered}; {judged}", limit.unwrap_or_default())
}

/// What a budget allows, in a sentence.
pub(super) fn budget_in_words(config: &BudgetConfig) -> String {
    let whose = shared(config.scope);
    let what = match &config.kind {
        BudgetKind::Tokens(tokens) => self::tokens(tokens),
        BudgetKind::Throttle(throttle) => format!(
            "no retry while a bucket of {} tokens, of which each failure takes one, is at half or below; a success gives {}",
            throttle.max_tokens, throttle.token_ratio
        ),
        BudgetKind::Window(window) => format!(
            "retries may be {} of the requests of the last {}, and {} per second besides",
            window.percent,
            length(window.ttl),
            window.min_per_second.get()
        ),
        BudgetKind::Concurrent(concurrent) => {
            let share = (concurrent.share.get() > 0)
                .then(|| format!(", or {} of what is under way if that is more", concurrent.share));
            let counted = match concurrent.like {
                ConcurrentLike::Envoy => "waiting included",
                ConcurrentLike::FailsafeGo => "waiting not included",
            };
            format!(
                "{} retries at a time ({counted}){}",
                concurrent.at_least.get(),
                share.unwrap_or_default()
            )
        }
        BudgetKind::FailureShare(share) => {
            format!("no retry while more than {} of the requests have failed so far", share.at_most)
        }
    };
    format!("A budget, {whose}: {what}.")
}

/// A bucket of tokens: what a retry costs, and what fills it.
fn tokens(config: &TokensConfig) -> String {
    let TokensConfig {
        capacity, initial, cost, refund, reward, per_request, per_success, refill, needs, ..
    } = config;
    let [transient, throttled, timeout] = cost.amounts();
    let mut costs = format!("a retry costs {transient}");
    for (other, after) in [(throttled, "a 429"), (timeout, "a timeout")] {
        if other != transient {
            costs += &format!(", after {after} {other}");
        }
    }
    if *needs == Needs::MoreThan {
        costs += " and needs more than that";
    }
    let mut earns = Vec::new();
    if *refund == Refund::Last {
        earns.push("a success after retries gives back what the last one took".to_owned());
    }
    for (amount, whence) in [
        (reward, "a success at the first attempt"),
        (per_success, "every success"),
        (per_request, "every request"),
    ] {
        if *amount != Tokens::default() {
            earns.push(format!("{whence} gives {amount}"));
        }
    }
    earns.extend(refill.map(|rate| format!("{rate} come back with time")));
    if earns.is_empty() {
        earns.push("nothing fills it again".into());
    }
    let start = initial.map(|initial| format!(", of which {initial} at the start")).unwrap_or_default();
    format!("retries are paid for from a bucket of {capacity} tokens{start}: {costs}; {}", earns.join(", "))
}

/// What a limiter does, in a sentence.
pub(super) fn limiter_in_words(config: &LimiterConfig) -> String {
    let what = match &config.kind {
        LimiterKind::AdaptiveThrottle(throttle) => format!(
            "attempts are shed by chance, the more the fewer of the last {} were accepted",
            length(throttle.window)
        ),
        LimiterKind::AdaptiveRate(_) => {
            "from the first 429 on, attempts wait for a rate that follows what is accepted".into()
        }
        LimiterKind::TokenBucket(bucket) => format!("attempts wait for a rate of {}", bucket.rate),
        LimiterKind::Concurrency(most) => {
            format!("{} at a time, the others wait in order", plural(most.get(), "attempt"))
        }
    };
    format!("A limiter, {}: {what}.", shared(config.scope))
}
