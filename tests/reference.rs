//! The reference tells the truth: every field that the parser knows is in it, and its examples can be read.

use retrysim::metrics::{SERVICE_MEASURES, WORKLOAD_MEASURES};
use retrysim::scenario::Scenario;

const REFERENCE: &str = include_str!("../REFERENCE.md");

/// What an example leaves out.
const BASE: &str = "
horizon = '1h'
[services.api]
[workloads.calls]
service = 'api'
arrivals.burst = {}
[policies.base]
retries = 0
[policies.fixed]
retries = 0
";

/// Puts `above` over `below`, table by table.
fn lay(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(inner)) if key != "arrivals" => {
                lay(there, inner);
            }
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

/// What is said about a scenario with these lines in it.
fn read(lines: &str) -> Result<Scenario, String> {
    let mut table: toml::Table = BASE.parse().expect("the base is TOML");
    lay(&mut table, lines.parse().unwrap_or_else(|error| panic!("{lines}: {error}")));
    let text = toml::to_string(&table).expect("a table prints as TOML");
    Scenario::parse("reference", "reference.toml", &text, &[]).map_err(|error| error.to_string())
}

#[test]
fn every_example_can_be_read() {
    let blocks: Vec<&str> = REFERENCE.split("```toml\n").skip(1).collect();
    assert!(blocks.len() > 5);
    for block in blocks {
        let example = block.split("```").next().unwrap_or_default();
        if let Err(error) = read(example) {
            panic!("{example}\n{error}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn every_field_that_the_parser_knows_is_described() {
    // Each place has something that nobody knows in it; what is known there is in the answer.
    let policy = |field: &str| format!("policies.base.{field}");
    let breaker =
        |field: &str| format!("policies.base.breaker = {{ trip.consecutive = 1, open_for = '1s', {field} }}");
    let trip = |field: &str| format!("policies.base.breaker = {{ open_for = '1s', trip.{field} }}");
    let mut places: Vec<String> = [
        "zzz = 1",
        "services.api.zzz = 1",
        "services.api.rate_limit.zzz = 1",
        "services.api.rate_limit.token_bucket = { rate = '1/s', burst = 1, zzz = 1 }",
        "services.api.rate_limit.fixed_window.zzz = 1",
        "services.api.rate_limit.token_bucket = { rate = '1/s', burst = 1, retry_after = 'zzz' }",
        "services.api.latency.zzz = 1",
        "services.api.latency.uniform.zzz = 1",
        "services.api.latency.lognormal.zzz = 1",
        "services.api.latency.normal.zzz = 1",
        "services.api.latency.gamma.zzz = 1",
        "services.api.latency.weibull.zzz = 1",
        "services.api.latency.pareto.zzz = 1",
        "services.api.latency.empirical.zzz = 1",
        "services.api.latency.shifted.zzz = 1",
        "services.api.contention.zzz = 1",
        "services.api.contention.channel.zzz = 1",
        "services.api.faults = [{ zzz = 1 }]",
        "services.api.faults = [{ random.zzz = 1 }]",
        "services.api.faults = [{ fails_first.zzz = 1 }]",
        "services.api.incidents = [{ zzz = 1 }]",
        "services.api.faults = [{ bursts.zzz = 1 }]",
        "services.api.faults = [{ overload.zzz = 1 }]",
        "services.api.faults = [{ poison.zzz = 1 }]",
        "services.api.faults = [{ expired_token.zzz = 1 }]",
        "services.api.faults = [{ slow.zzz = 1 }]",
        "services.api.incidents = [{ outage.zzz = 1 }]",
        "services.api.incidents = [{ brownout.zzz = 1 }]",
        "services.api.incidents = [{ latency.zzz = 1 }]",
        "services.api.incidents = [{ cold_cache.zzz = 1 }]",
        "services.api.incidents = [{ capacity.zzz = 1 }]",
        "services.api.incidents = [{ rate_limit.zzz = 1 }]",
        "services.api.incidents = [{ deploy.zzz = 1 }]",
        "services.api.incidents = [{ error_code.zzz = 1 }]",
        "workloads.calls.zzz = 1",
        "workloads.calls.slots.zzz = 1",
        "workloads.calls.slots.scope = 'zzz'",
        "workloads.calls.arrivals.zzz = 1",
        "workloads.calls.arrivals.burst.zzz = 1",
        "workloads.calls.arrivals.even.zzz = 1",
        "workloads.calls.arrivals.poisson.zzz = 1",
        "workloads.calls.arrivals.calls_of.zzz = 1",
        "workloads.calls.arrivals.calls_of = { service = 'api', deadline = 'zzz' }",
        "workloads.calls.arrivals.closed.zzz = 1",
        "workloads.calls.arrivals.renewal.zzz = 1",
        "workloads.calls.arrivals.modulated.zzz = 1",
        "workloads.calls.arrivals.steps = { zzz = 1 }",
        "workloads.calls.arrivals.ramp.zzz = 1",
        "workloads.calls.arrivals.diurnal.zzz = 1",
        "workloads.calls.arrivals.profile.zzz = 1",
        "workloads.calls.arrivals.cron.zzz = 1",
        "workloads.calls.arrivals.trace.zzz = 1",
        "workloads.calls.keys = { zzz = 1 }",
    ]
    .map(str::to_owned)
    .to_vec();
    places.extend(
        [
            "zzz = 1",
            "backoff.zzz = 1",
            "backoff.list.zzz = 1",
            "backoff.linear.zzz = 1",
            "backoff.exponential.zzz = 1",
            "backoff.polynomial.zzz = 1",
            "backoff.fibonacci.zzz = 1",
            "backoff.double_then_linear.zzz = 1",
            "backoff.iterated.zzz = 1",
            "backoff.iterated.arithmetic = 'zzz'",
            "jitter.zzz = 1",
            "jitter.scale_or_redraw.zzz = 1",
            "jitter.decorrelated_with.zzz = 1",
            "jitter.compounding.zzz = 1",
            "draws = 'zzz'",
            "round.zzz = 1",
            "throttled.zzz = 1",
            "deadline.zzz = 1",
            "deadline = { within = '1s', late = 'zzz' }",
            "deadline = { within = '1s', at_limit = 'zzz' }",
            "stop_when = 'zzz'",
            "retry_on.zzz = 1",
            "retry_on.only.zzz = 1",
            "retry_on.by_idempotence.zzz = 1",
            "retry_after.zzz = 1",
            "retry_after.obey_with.zzz = 1",
            "slot_during_backoff = 'zzz'",
            "inner.zzz = 1",
            "cache.zzz = 1",
            "on_failure = 'zzz'",
            "budget.zzz = 1",
            "budget.tokens.zzz = 1",
            "budget.tokens = { capacity = 1, cost.zzz = 1 }",
            "budget.tokens = { capacity = 1, cost = 1, refund = 'zzz' }",
            "budget.tokens = { capacity = 1, cost = 1, needs = 'zzz' }",
            "budget.throttle.zzz = 1",
            "budget.window.zzz = 1",
            "budget.concurrent.zzz = 1",
            "budget.failure_share.zzz = 1",
            "limiter.zzz = 1",
            "limiter.token_bucket.zzz = 1",
            "limiter.adaptive_throttle.zzz = 1",
        ]
        .map(policy),
    );
    places.extend(
        [
            "zzz = 1",
            "boundary = 'zzz'",
            "timer_from = 'zzz'",
            "changes = 'zzz'",
            "after_open = 'zzz'",
            "probes_counted = 'zzz'",
            "overflow = 'zzz'",
            "half_open.zzz = 1",
            "half_open.successes.zzz = 1",
            "half_open.rate.zzz = 1",
            "half_open.ring.zzz = 1",
            "half_open_for.zzz = 1",
            "probe_results = 'zzz'",
            "on_close = 'zzz'",
            "late_results = 'zzz'",
            "scope = 'zzz'",
            "counts = 'zzz'",
            "position = 'zzz'",
        ]
        .map(breaker),
    );
    places.extend(
        [
            "zzz = 1",
            "consecutive.zzz = 1",
            "count_window.zzz = 1",
            "count_window.slow.zzz = 1",
            "count_window.judged_on = 'zzz'",
            "count_window.arithmetic = 'zzz'",
            "time_window.zzz = 1",
            "time_window = { width = '1s', align = 'zzz' }",
            "time_window = { width = '1s', share_of = 'zzz' }",
            "moving_average.zzz = 1",
        ]
        .map(trip),
    );
    places.extend(
        ["zzz = 1", "backoff.zzz = 1", "jitter.zzz = 1", "round.zzz = 1", "forgets = 'zzz'", "grows = 'zzz'"]
            .map(|field| format!("policies.base.breaker = {{ trip.consecutive = 1, open_for.{field} }}")),
    );
    let mut missing = Vec::new();
    for place in places {
        let Err(answer) = read(&place) else { panic!("{place}: it is read") };
        let known = answer.lines().find_map(|line| line.split_once("known are: "));
        let (_, known) = known.unwrap_or_else(|| panic!("{place}: nothing is listed in\n{answer}"));
        for name in known.split(", ") {
            let described =
                [format!("`{name}`"), format!("`\"{name}\"`"), format!("{{ {name}"), format!(", {name}")];
            if !described.iter().any(|form| REFERENCE.contains(form.as_str())) {
                missing.push(format!("{name} ({place})"));
            }
        }
    }
    assert!(missing.is_empty(), "not in REFERENCE.md:\n{}", missing.join("\n"));
}

#[test]
fn every_metric_is_described_as_it_is_defined() {
    let workload = WORKLOAD_MEASURES.iter().map(|measure| (measure.name, measure.unit, measure.about));
    let service = SERVICE_MEASURES.iter().map(|measure| (measure.name, measure.unit, measure.about));
    for (name, unit, about) in workload.chain(service) {
        let row = format!("| `{name}` | {unit} | {about} |");
        assert!(REFERENCE.contains(&row), "not in REFERENCE.md: {row}");
    }
}
