//! What belongs to a cluster of Envoy: outlier detection in the place of a breaker, and the circuit breaker of retries in the
//! place of a budget.
//!
//! A host is ejected after failures in a row, or for its share of failures in each `interval`; ejections grow by
//! `base_ejection_time` up to `max_ejection_time`. There is no half-open state, and only 5xx, broken connections and timeouts
//! are failures. Source: data-plane-api 84e84367, `outlier_detection.proto`, `circuit_breaker.proto`.

use crate::breaker::{AfterOpen, Arithmetic, BreakerConfig, Changes, Forgets, JudgedOn, Overflow};
use crate::budget::{BudgetConfig, BudgetKind, ConcurrentConfig, ConcurrentLike, ONE};
use crate::export::breaker::{Opens, Span, opens, others, outside};
use crate::export::condition::Condition;
use crate::export::open_time::{OpenTimes, Shape};
use crate::export::{Target, seconds};
use crate::scope::Scope;
use crate::time::Interval;

/// How often Envoy looks at its hosts unless it is told otherwise.
const USUAL_INTERVAL: Interval = Interval::from_secs(10);

/// Fields of a cluster, and what they lose.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    pub(super) text: String,
    pub(super) caveats: Vec<String>,
}

/// The breaker as outlier detection.
///
/// # Errors
/// If nothing comes near what opens it; the message says why.
pub(super) fn outlier_detection(config: &BreakerConfig) -> Result<Cluster, String> {
    let library = Target::Envoy.version();
    let opens = opens(config, library, Arithmetic::Quotient)?;
    let mut caveats = vec![
        "breaker: differently, outlier detection ejects a host, for all clients of this Envoy, and what it counts are 5xx, broken \
         connections and timeouts"
            .to_owned(),
    ];
    caveats.extend(opens.caveats.iter().cloned());
    let checks = match config.changes {
        Changes::Every(every) => Some(every),
        Changes::OnCall | Changes::OnTime => None,
    };
    let mut lines = match opens.span {
        Span::Row(failures) => in_a_row(config, failures, checks, &mut caveats),
        Span::Calls(_) | Span::Time(_) => share(&opens, checks, &mut caveats)?,
    };
    lines.push("enforcing_success_rate: 0".into());
    lines.extend(ejection(config, checks.unwrap_or(USUAL_INTERVAL), &mut caveats));
    lines.push("max_ejection_percent: 100".into());
    if config.after_open == AfterOpen::HalfOpen || checks.is_none() {
        caveats.push(
            "breaker: differently, there is no half-open state: the host gets all its load back at the first check (`interval`) \
             after the open time"
                .into(),
        );
    }
    // Where there are no probes, nobody waits for one.
    let probeless = BreakerConfig { overflow: Overflow::Reject, ..config.clone() };
    caveats.extend(others(&probeless, library));
    caveats.extend(outside(config));
    let lines: Vec<String> = lines.iter().map(|line| format!("  {line}\n")).collect();
    // With one host, the usual threshold of panic would send everything to it although it is ejected.
    let text = format!(
        "outlier_detection:\n{}common_lb_config:\n  healthy_panic_threshold:\n    value: 0\n",
        lines.concat()
    );
    Ok(Cluster { text, caveats })
}

/// Failures in a row: of the gateway, if those are what the breaker counts, or all 5xx.
fn in_a_row(
    config: &BreakerConfig,
    failures: u64,
    checks: Option<Interval>,
    caveats: &mut Vec<String>,
) -> Vec<String> {
    let counts = Condition::of(&config.counts);
    let broken = counts.timeout && counts.connection_error;
    let gateway = broken && counts.statuses == [(502, 504)] && counts.with_header.is_empty();
    let all_5xx = broken && counts.statuses == [(500, 599)] && counts.with_header.is_empty();
    if !gateway && !all_5xx && !counts.every {
        caveats.push(
            "breaker: what counts as a failure is not written (`counts`); every 5xx counts, no 4xx does"
                .into(),
        );
    }
    let mut lines = if gateway {
        vec![
            format!("consecutive_gateway_failure: {failures}"),
            "enforcing_consecutive_gateway_failure: 100".into(),
            "enforcing_consecutive_5xx: 0".into(),
        ]
    } else {
        vec![format!("consecutive_5xx: {failures}"), "enforcing_consecutive_5xx: 100".into()]
    };
    lines.extend(checks.map(|every| format!("interval: {}s", seconds(every))));
    lines
}

/// A share of failures, which Envoy takes once at the end of each interval.
fn share(opens: &Opens, checks: Option<Interval>, caveats: &mut Vec<String>) -> Result<Vec<String>, String> {
    let Some(failures) = opens.failures else {
        return Err("only slow calls open it, and outlier detection does not know how long a call took; nearest is a timeout \
                    of the route and a `rate` of failures"
            .into());
    };
    if opens.slow.is_some() {
        caveats.push(
            "breaker: slow calls do not open it; nearest is a timeout of the route, since timeouts count"
                .into(),
        );
    }
    let interval = match opens.span {
        Span::Time(width) => width,
        Span::Row(_) | Span::Calls(_) => USUAL_INTERVAL,
    };
    caveats.push(format!(
        "breaker: differently, the share is taken at the end of each {interval}, of what came in it, not after each call{}",
        match opens.span {
            Span::Calls(calls) => format!(" and of the last {calls}"),
            Span::Row(_) | Span::Time(_) => String::new(),
        }
    ));
    if checks.is_some_and(|every| every != interval) {
        caveats
            .push(format!("breaker: `interval` is both the window and the time between checks: {interval}"));
    }
    if opens.judged_on == JudgedOn::Tick {
        caveats.push("breaker: it is judged once per interval, not when each bucket is complete".into());
    }
    let percent = libm::ceil(failures.percent);
    if percent != failures.percent {
        caveats.push(format!(
            "breaker: the threshold is a whole number of percent, {percent} in the place of {}",
            failures.percent
        ));
    }
    Ok(vec![
        format!("failure_percentage_threshold: {percent}"),
        "enforcing_failure_percentage: 100".into(),
        "failure_percentage_minimum_hosts: 1".into(),
        format!("failure_percentage_request_volume: {}", opens.minimum),
        "enforcing_consecutive_5xx: 0".into(),
        format!("interval: {}s", seconds(interval)),
    ])
}

/// How long an ejection lasts: the base times the number of ejections, at most the longest.
fn ejection(config: &BreakerConfig, checks: Interval, caveats: &mut Vec<String>) -> Vec<String> {
    let open = &config.open_for;
    let times = OpenTimes::of(open);
    let (first, longest) = (times.first(), times.longest());
    let grows_alike = match times.shape {
        Shape::Fixed(_) => true,
        Shape::Linear { first, step, .. } => first == step,
        Shape::Exponential(_) | Shape::Listed => false,
    };
    if !grows_alike {
        caveats.push(format!(
            "breaker: differently, the open time grows by {first} with each ejection, up to {longest} (`open_for`)"
        ));
    }
    let grows = first != longest;
    if grows && open.forgets != Forgets::OneEvery(checks) {
        caveats.push(
            "breaker: differently, the open time does not begin anew when the host is back; each check in good health takes one \
             ejection off"
                .into(),
        );
    }
    if let Some(instead) = times.drawn() {
        caveats.push(format!(
            "breaker: the open time is not randomised here, it is {instead}; nearest is max_ejection_time_jitter"
        ));
    }
    let shortest = Interval::from_nanos(1);
    let (first, longest) = (first.max(shortest), longest.max(shortest));
    vec![
        format!("base_ejection_time: {}s", seconds(first)),
        format!("max_ejection_time: {}s", seconds(longest.max(first))),
    ]
}

/// The budget as the circuit breaker of retries. Without one, three retries at a time are the default, so that is lifted.
pub(super) fn retries_at_a_time(budget: Option<&BudgetConfig>) -> Cluster {
    let unlimited = format!("    max_retries: {}\n", u32::MAX);
    let (threshold, caveats) = match budget {
        None => (unlimited, Vec::new()),
        Some(budget) => match &budget.kind {
            BudgetKind::Concurrent(concurrent) => concurrently(concurrent, budget.scope),
            BudgetKind::Tokens(_)
            | BudgetKind::Throttle(_)
            | BudgetKind::Window(_)
            | BudgetKind::FailureShare(_) => (
                unlimited,
                vec![
                    "budget: not expressed, Envoy limits only how many retries are under way; nearest is `budget.concurrent`"
                        .into(),
                ],
            ),
        },
    };
    let text = format!("circuit_breakers:\n  thresholds:\n  - priority: DEFAULT\n{threshold}");
    Cluster { text, caveats }
}

fn concurrently(config: &ConcurrentConfig, scope: Scope) -> (String, Vec<String>) {
    let ConcurrentConfig { at_least, share, like } = config;
    let mut caveats = Vec::new();
    if *like == ConcurrentLike::FailsafeGo {
        caveats.push(
            "budget: differently, Envoy asks when a retry is decided, and its backoff counts as under way"
                .into(),
        );
    }
    if scope == Scope::Client {
        caveats.push("budget: differently, all clients of one Envoy share it (`scope`)".into());
    }
    let text = if share.get() == 0 {
        format!("    max_retries: {}\n", at_least.get())
    } else {
        let percent = share.get() as f64 * 100.0 / ONE as f64;
        format!(
            "    retry_budget:\n      budget_percent:\n        value: {percent}\n      min_retry_concurrency: {}\n",
            at_least.get()
        )
    };
    (text, caveats)
}
