//! Measures: the figures of a run and their definitions, which are part of the public contract.
//!
//! A measure that could not be observed is `None`, never 0; one that would take for ever is infinite.

use super::recovery::Recovery;
use super::tally::{ServiceTally, WorkloadTally};
use crate::outcome::Ending;
use crate::time::{Instant, Interval};

/// What a measure needs to know of the run besides the tally.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Length of the run.
    pub horizon: Interval,
    /// Width of the sliding window of peaks.
    pub window: Interval,
    /// The most attempts that the service's rate limit lets through within `window`, if it has one.
    pub allowance: Option<f64>,
    /// Windows of the incidents of the service and, for those who call it, of all that it calls, in order of time.
    pub incidents: Vec<(Instant, Instant)>,
}

/// One figure of a tally `T`.
#[derive(Debug, Clone, Copy)]
pub struct Measure<T> {
    /// The name in CSV files.
    pub name: &'static str,
    /// The unit in CSV files; "1" for pure numbers.
    pub unit: &'static str,
    /// What is better, and by what replications are compared.
    pub sense: Sense,
    /// The definition, in a sentence.
    pub about: &'static str,
    /// Computes it.
    pub of: fn(&T, &Frame) -> Option<f64>,
}

/// What is better of a figure, and by what two arms are compared in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sense {
    /// What is better.
    pub better: Better,
    /// By what replications are summed up when arms are compared.
    pub centre: Centre,
}

/// What is better of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More of it.
    More,
    /// Less of it.
    Less,
    /// Neither: it tells what happened, not how good it is.
    Neither,
}

/// By what replications are summed up when arms are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centre {
    /// The mean: of figures that are sums or averages over many requests, so that Student's t applies.
    Mean,
    /// The median: of quantiles, extremes and peaks, whose law is nobody's guess and which may be infinite.
    Median,
}

const MORE: Sense = Sense { better: Better::More, centre: Centre::Mean };
const LESS: Sense = Sense { better: Better::Less, centre: Centre::Mean };
const LESS_MEDIAN: Sense = Sense { better: Better::Less, centre: Centre::Median };
const NEITHER: Sense = Sense { better: Better::Neither, centre: Centre::Mean };

const fn measure<T>(
    name: &'static str,
    unit: &'static str,
    sense: Sense,
    about: &'static str,
    of: fn(&T, &Frame) -> Option<f64>,
) -> Measure<T> {
    Measure { name, unit, sense, about, of }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Retries made by one of the policies around each other, if there is such a one.
fn retries(tally: &WorkloadTally, layer: usize) -> Option<f64> {
    (layer < tally.layers).then(|| tally.retries[layer] as f64)
}

/// The figures of a workload.
pub const WORKLOAD_MEASURES: &[Measure<WorkloadTally>] = &[
    measure("requests", "1", NEITHER, "requests that arrived", |t, _| Some(t.requests as f64)),
    measure(
        "success_rate",
        "1",
        MORE,
        "requests that succeeded or were answered from the cache / requests",
        |t, _| share(t.succeeded(), t.requests),
    ),
    measure(
        "attempts_per_request",
        "1",
        LESS,
        "attempts, those included that a breaker or limiter refused / requests",
        |t, _| share(t.attempts, t.requests),
    ),
    measure("amplification", "1", LESS, "attempts sent to the service / requests", |t, _| {
        share(t.sent, t.requests)
    }),
    measure(
        "time_to_success_mean",
        "s",
        LESS,
        "mean time from arrival to success, of requests that succeeded",
        |t, _| t.time_to_success.mean_seconds(),
    ),
    measure("time_to_success_p50", "s", LESS_MEDIAN, "median of the same", |t, _| {
        t.time_to_success.quantile_seconds(0.5)
    }),
    measure("time_to_success_p90", "s", LESS_MEDIAN, "90th percentile of the same", |t, _| {
        t.time_to_success.quantile_seconds(0.9)
    }),
    measure("time_to_success_p99", "s", LESS_MEDIAN, "99th percentile of the same", |t, _| {
        t.time_to_success.quantile_seconds(0.99)
    }),
    measure("time_to_success_max", "s", LESS_MEDIAN, "longest of the same", |t, _| {
        t.time_to_success.max().map(Interval::as_secs_f64)
    }),
    measure(
        "honest_p50",
        "s",
        LESS_MEDIAN,
        "median time to success over all requests, those that never succeeded counting as infinite",
        |t, _| t.time_to_success.quantile_among(0.5, t.requests),
    ),
    measure("honest_p90", "s", LESS_MEDIAN, "90th percentile of the same", |t, _| {
        t.time_to_success.quantile_among(0.9, t.requests)
    }),
    measure("honest_p99", "s", LESS_MEDIAN, "99th percentile of the same", |t, _| {
        t.time_to_success.quantile_among(0.99, t.requests)
    }),
    measure(
        "time_to_give_up_mean",
        "s",
        LESS,
        "mean time from arrival to giving up, of requests given up",
        |t, _| t.time_to_give_up.mean_seconds(),
    ),
    measure("time_to_give_up_p50", "s", LESS_MEDIAN, "median of the same", |t, _| {
        t.time_to_give_up.quantile_seconds(0.5)
    }),
    measure("time_to_give_up_p99", "s", LESS_MEDIAN, "99th percentile of the same", |t, _| {
        t.time_to_give_up.quantile_seconds(0.99)
    }),
    measure("time_to_give_up_max", "s", LESS_MEDIAN, "longest of the same", |t, _| {
        t.time_to_give_up.max().map(Interval::as_secs_f64)
    }),
    measure("attempts_limited", "1", LESS, "attempts that the rate limit turned away", |t, _| {
        Some(t.limited as f64)
    }),
    measure(
        "attempts_failed",
        "1",
        LESS,
        "attempts that a fault, an incident or another attempt failed",
        |t, _| Some(t.failed as f64),
    ),
    measure(
        "attempts_overloaded",
        "1",
        LESS,
        "attempts that found no place in the service, or that it shed",
        |t, _| Some(t.overloaded as f64),
    ),
    measure("attempts_timed_out", "1", LESS, "attempts that ran into the client's timeout", |t, _| {
        Some(t.timed_out as f64)
    }),
    measure("attempts_refused", "1", NEITHER, "attempts that a breaker refused to send", |t, _| {
        Some(t.refused as f64)
    }),
    measure(
        "attempts_shed",
        "1",
        NEITHER,
        "attempts that the client's own limiter refused to send",
        |t, _| Some(t.shed as f64),
    ),
    measure(
        "attempts_wasted",
        "1",
        LESS,
        "attempts that the service worked on for a client that had stopped waiting",
        |t, _| Some(t.wasted as f64),
    ),
    measure("goodput", "1/s", MORE, "requests that succeeded / length of the run", |t, f| {
        Some(t.succeeded() as f64 / f.horizon.as_secs_f64())
    }),
    measure(
        "recovery_time",
        "s",
        LESS_MEDIAN,
        "time from the end of an incident, of the service or one that it calls, to the success from which on goodput is back at 95 % of what it was before, or of what arrived if that was less; inf if never; of several incidents the longest",
        recovery_time,
    ),
    measure("breaker_trips", "1", NEITHER, "how often breakers opened", |t, _| {
        (t.breakers > 0).then_some(t.breaker_trips as f64)
    }),
    measure(
        "breaker_time_open",
        "s",
        NEITHER,
        "how long a breaker was open, on average over the breakers",
        |t, _| (t.breakers > 0).then(|| t.breaker_open.as_secs_f64() / t.breakers as f64),
    ),
    measure("retries_layer_1", "1", LESS, "retries made by the innermost policy", |t, _| retries(t, 0)),
    measure("retries_layer_2", "1", LESS, "retries made by the policy around it", |t, _| retries(t, 1)),
    measure("retries_layer_3", "1", LESS, "retries made by the policy around that", |t, _| retries(t, 2)),
    measure("retries_layer_4", "1", LESS, "retries made by the outermost of four policies", |t, _| {
        retries(t, 3)
    }),
    measure("failures_swallowed", "1", LESS, "requests whose failure was hidden from the caller", |t, _| {
        t.swallows.then(|| t.time_to_give_up.count() as f64)
    }),
    measure("ended_succeeded", "1", MORE, "requests that ended with an attempt that succeeded", |t, _| {
        Some(t.ended_as(Ending::Succeeded) as f64)
    }),
    measure("ended_cached", "1", NEITHER, "requests answered from the cache", |t, _| {
        Some(t.ended_as(Ending::Cached) as f64)
    }),
    measure("ended_exhausted", "1", LESS, "requests that used up their retries", |t, _| {
        Some(t.ended_as(Ending::Exhausted) as f64)
    }),
    measure("ended_not_retryable", "1", LESS, "requests whose outcome the policy does not retry", |t, _| {
        Some(t.ended_as(Ending::NotRetryable) as f64)
    }),
    measure(
        "ended_deadline_exceeded",
        "1",
        LESS,
        "requests whose time was up: elapsed time, deadline, total delay or too long a Retry-After",
        |t, _| Some(t.ended_as(Ending::DeadlineExceeded) as f64),
    ),
    measure("ended_breaker_rejected", "1", LESS, "requests whose last attempt a breaker refused", |t, _| {
        Some(t.ended_as(Ending::BreakerRejected) as f64)
    }),
    measure("ended_budget_denied", "1", LESS, "requests that a budget allowed no retry", |t, _| {
        Some(t.ended_as(Ending::BudgetDenied) as f64)
    }),
    measure(
        "ended_shed_by_client",
        "1",
        LESS,
        "requests whose last attempt the client's own limiter refused",
        |t, _| Some(t.ended_as(Ending::ShedByClient) as f64),
    ),
    measure("ended_unfinished", "1", LESS, "requests still alive when the run ended", |t, _| {
        Some(t.ended_as(Ending::Unfinished) as f64)
    }),
];

/// The figures of a service, over all workloads that call it.
pub const SERVICE_MEASURES: &[Measure<ServiceTally>] = &[
    measure("offered_load_mean", "1/s", LESS, "attempts / length of the run", |t, f| {
        Some(t.offered as f64 / f.horizon.as_secs_f64())
    }),
    measure(
        "offered_load_peak",
        "1/s",
        LESS_MEDIAN,
        "most attempts in any window / its width (windows start at every tenth of it)",
        |t, f| Some(t.load.peak() as f64 / f.window.as_secs_f64()),
    ),
    measure("retry_load_peak", "1/s", LESS_MEDIAN, "the same of retries alone", |t, f| {
        Some(t.retry_load.peak() as f64 / f.window.as_secs_f64())
    }),
    measure(
        "peak_to_limit",
        "1",
        LESS_MEDIAN,
        "most attempts in any window / the most that the rate limit lets through in one, at its rate or at once after a rest; of a limit with a scope that for each client, account or workload that calls the service, of several limits the smallest",
        |t, f| f.allowance.map(|allowance| t.load.peak() as f64 / allowance),
    ),
    measure(
        "herd_dispersion",
        "1",
        LESS_MEDIAN,
        "variance / mean of the number of retries per window; 1 for a Poisson stream",
        |t, f| t.retry_dispersion.ratio(f.horizon),
    ),
    measure("herd_share", "1", LESS_MEDIAN, "largest share of all retries inside one window", |t, _| {
        share(t.retry_load.peak(), t.retries)
    }),
    measure("overshoot", "1", LESS, "attempts that the rate limit turned away / attempts", |t, f| {
        f.allowance.and_then(|_| share(t.limited, t.offered))
    }),
    measure(
        "service_goodput",
        "1/s",
        MORE,
        "attempts that succeeded and were waited for / length of the run",
        |t, f| Some(t.goodput as f64 / f.horizon.as_secs_f64()),
    ),
    measure(
        "utilisation",
        "1",
        NEITHER,
        "work / what its servers could have done, until the end of the run",
        |t, _| {
            let usage = t.usage?;
            usage
                .provided
                .filter(|&provided| provided > 0)
                .map(|provided| usage.busy as f64 / provided as f64)
        },
    ),
    measure("queue_mean", "1", LESS, "calls that wait for a server, on average over time", |t, f| {
        t.usage.map(|usage| usage.waiting as f64 / f.horizon.as_nanos() as f64)
    }),
    measure("queue_max", "1", LESS_MEDIAN, "most calls that waited for a server at once", |t, _| {
        t.usage.map(|usage| usage.longest_queue as f64)
    }),
    measure(
        "queue_wait_mean",
        "s",
        LESS,
        "mean time that calls waited for a server, of those that got one",
        |t, _| {
            let usage = t.usage.filter(|usage| usage.begun > 0)?;
            Some(usage.waits as f64 / 1e9 / usage.begun as f64)
        },
    ),
    measure("queue_wait_max", "s", LESS_MEDIAN, "longest of the same", |t, _| {
        t.usage.filter(|usage| usage.begun > 0).map(|usage| usage.longest_wait.as_secs_f64())
    }),
];

fn recovery_time(tally: &WorkloadTally, frame: &Frame) -> Option<f64> {
    if frame.incidents.is_empty() {
        return None;
    }
    let recoveries = Recovery::of_all(&tally.goodput.summed(), &frame.incidents, tally.quiet);
    recoveries.into_iter().filter_map(Recovery::seconds).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_has_a_name_of_its_own() {
        let mut names: Vec<_> = WORKLOAD_MEASURES.iter().map(|m| m.name).collect();
        names.extend(SERVICE_MEASURES.iter().map(|m| m.name));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn what_was_not_observed_is_empty() {
        let frame = Frame {
            horizon: Interval::from_secs(10),
            window: Interval::from_secs(1),
            allowance: None,
            incidents: vec![],
        };
        let tally = WorkloadTally::new(Interval::from_secs(1), frame.window, frame.horizon);
        for name in [
            "success_rate",
            "time_to_success_p50",
            "honest_p99",
            "time_to_give_up_max",
            "recovery_time",
            "breaker_trips",
        ] {
            let measure = WORKLOAD_MEASURES.iter().find(|m| m.name == name).unwrap();
            assert_eq!((measure.of)(&tally, &frame), None, "{name}");
        }
        let tally = ServiceTally::new(frame.window);
        for name in ["peak_to_limit", "herd_dispersion", "herd_share", "overshoot"] {
            let measure = SERVICE_MEASURES.iter().find(|m| m.name == name).unwrap();
            assert_eq!((measure.of)(&tally, &frame), None, "{name}");
        }
    }
}
