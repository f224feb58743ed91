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
    let missing: Vec<String> = places.iter().flat_map(|place| unmentioned(place, REFERENCE)).collect();
    assert!(missing.is_empty(), "not in REFERENCE.md:\n{}", missing.join("\n"));
}

/// What is known at a place with something unknown in it, and not mentioned in this part of the reference.
fn unmentioned(place: &str, reference: &str) -> Vec<String> {
    let Err(answer) = read(place) else { panic!("{place}: it is read") };
    let known = answer.lines().find_map(|line| line.split_once("known are: "));
    let (_, known) = known.unwrap_or_else(|| panic!("{place}: nothing is listed in\n{answer}"));
    let mentioned = |name: &str| {
        let forms = [format!("`{name}`"), format!("`\"{name}\"`"), format!("{{ {name}"), format!(", {name}")];
        forms.iter().any(|form| reference.contains(form.as_str()))
    };
    known.split(", ").filter(|name| !mentioned(name)).map(|name| format!("{name} ({place})")).collect()
}

/// What the tables of a section say about a kind in it, and about all of its kinds; the whole section if no kind is given. A kind
/// has a row in a table of kinds, and perhaps a table of its own below a paragraph that begins with its name.
fn section(name: &str, kind: Option<&str>) -> String {
    let (_, section) = REFERENCE
        .split_once(&format!("\n### {name}\n"))
        .unwrap_or_else(|| panic!("REFERENCE.md has no section \"{name}\""));
    let section = section.split("\n##").next().unwrap_or_default();
    let Some(kind) = kind else { return section.to_owned() };
    let without_examples: String = section.split("```").step_by(2).collect();
    let (mut about, mut relevant) = (String::new(), true);
    for block in without_examples.split("\n\n").map(str::trim) {
        if block.starts_with("| kind |") {
            let row = format!("| `{kind}` |");
            about.extend(block.lines().filter(|line| line.starts_with(&row)));
        } else if !block.starts_with('|') {
            let subject = block.split([':', ';', ',']).next().unwrap_or_default();
            relevant = !block.starts_with('`') || subject.contains(&format!("`{kind}`"));
        } else if relevant {
            about += block;
        }
    }
    about
}

#[test]
fn every_field_and_word_of_a_tuning_is_described_with_it() {
    let (_, section) = REFERENCE.split_once("\n## tune.WORKLOAD\n").expect("it has a section");
    let section = section.split("\n## ").next().unwrap_or_default().replace("```", "");
    let missing = unmentioned("tune.calls.zzz = 1", &section);
    assert!(missing.is_empty(), "{missing:?}");
    for knob in ["shape", "jitter", "breaker", "budget", "retry_after"] {
        let objective = "tune.calls.objective = 'maximise success_rate'";
        let Err(answer) = read(&format!("tune.calls.{knob} = 'z'\n{objective}")) else {
            panic!("{knob}: it is read")
        };
        let (_, known) = answer.split_once("known are: ").unwrap_or_else(|| panic!("{knob}: {answer}"));
        let known = known.split(':').next().unwrap_or_default();
        let mentioned = |word: &&str| section.contains(&format!("`\"{}\"`", word.trim()));
        assert!(known.split(", ").all(|word| mentioned(&word)), "{knob}: {known}");
    }
}

/// A kind, if the place is inside one, and the place.
type Place<'a> = (Option<&'a str>, &'a str);

#[test]
fn every_field_of_a_kind_in_a_service_is_described_with_that_kind() {
    // The section, and at which places in a service what is known belongs to which kind.
    let places: [(&str, &[Place]); 5] = [
        (
            "rate_limit",
            &[
                (None, "rate_limit.zzz = 1"),
                (None, "rate_limit = [{ zzz = 1 }]"),
                (Some("token_bucket"), "rate_limit.token_bucket.zzz = 1"),
                (Some("leaky_bucket"), "rate_limit.leaky_bucket.zzz = 1"),
                (Some("leaky_queue"), "rate_limit.leaky_queue.zzz = 1"),
                (Some("gcra"), "rate_limit.gcra.zzz = 1"),
                (Some("fixed_window"), "rate_limit.fixed_window.zzz = 1"),
                (Some("fixed_window"), "rate_limit.fixed_window.aligned = 'zzz'"),
                (Some("sliding_log"), "rate_limit.sliding_log.zzz = 1"),
                (Some("sliding_window"), "rate_limit.sliding_window.zzz = 1"),
                (Some("concurrency"), "rate_limit.concurrency.zzz = 1"),
                (Some("score"), "rate_limit.score.zzz = 1"),
                (Some(""), "rate_limit.scope = 'zzz'"),
                (Some(""), "rate_limit.rejected = 'zzz'"),
                (Some("lockout"), "rate_limit.lockout.zzz = 1"),
                (Some("lockout"), "rate_limit.lockout.calls_during = 'zzz'"),
            ],
        ),
        (
            "hints",
            &[
                (None, "rate_limit.retry_after = 'zzz'"),
                (None, "rate_limit.retry_after.zzz = 1"),
                (Some("wrong"), "rate_limit.retry_after.wrong.zzz = 1"),
            ],
        ),
        (
            "capacity",
            &[
                (Some(""), "capacity.zzz = 1"),
                (None, "capacity.discipline = 'zzz'"),
                (None, "capacity.discipline.zzz = 1"),
                (Some("adaptive_lifo"), "capacity.discipline.adaptive_lifo.zzz = 1"),
                (Some("codel"), "capacity.discipline.codel.zzz = 1"),
                (Some(""), "capacity.abandoned = 'zzz'"),
                (Some(""), "capacity.priority = 'zzz'"),
                (None, "capacity.shedding.zzz = 1"),
                (Some("gradient"), "capacity.shedding.gradient.zzz = 1"),
                (Some("autoscale"), "capacity.autoscale.zzz = 1"),
            ],
        ),
        (
            "faults",
            &[
                (None, "faults = [{ zzz = 1 }]"),
                (Some("random"), "faults = [{ random.zzz = 1 }]"),
                (Some("fails_first"), "faults = [{ fails_first.zzz = 1 }]"),
                (Some("bursts"), "faults = [{ bursts.zzz = 1 }]"),
                (Some("overload"), "faults = [{ overload.zzz = 1 }]"),
                (Some("poison"), "faults = [{ poison.zzz = 1 }]"),
                (Some("expired_token"), "faults = [{ expired_token.zzz = 1 }]"),
                (Some("slow"), "faults = [{ slow.zzz = 1 }]"),
            ],
        ),
        (
            "incidents",
            &[
                (None, "incidents = [{ zzz = 1 }]"),
                (Some("outage"), "incidents = [{ outage.zzz = 1 }]"),
                (Some("brownout"), "incidents = [{ brownout.zzz = 1 }]"),
                (Some("latency"), "incidents = [{ latency.zzz = 1 }]"),
                (Some("cold_cache"), "incidents = [{ cold_cache.zzz = 1 }]"),
                (Some("capacity"), "incidents = [{ capacity.zzz = 1 }]"),
                (Some("rate_limit"), "incidents = [{ rate_limit.zzz = 1 }]"),
                (Some("deploy"), "incidents = [{ deploy.zzz = 1 }]"),
                (Some("error_code"), "incidents = [{ error_code.zzz = 1 }]"),
            ],
        ),
    ];
    let missing = places.iter().flat_map(|&(name, places)| {
        places.iter().flat_map(move |&(kind, place)| {
            unmentioned(&format!("services.api.{place}"), &section(name, kind))
        })
    });
    let missing: Vec<String> = missing.collect();
    assert!(missing.is_empty(), "not where it belongs in REFERENCE.md:\n{}", missing.join("\n"));
}

#[test]
fn every_word_for_a_failure_is_described() {
    for word in ["connection_error", "no_answer", "error_606"] {
        let fields = ["faults = [{ random = { probability = 0.1, STATUS } }]", "capacity = { STATUS }"];
        for field in fields {
            let field = field.replace("STATUS", &format!("status = '{word}'"));
            assert!(read(&format!("services.api.{field}")).is_ok(), "{field}");
        }
        let row = REFERENCE.lines().find(|line| line.starts_with("| failure |")).unwrap_or_default();
        assert!(row.contains(&format!("`\"{word}\"`")), "not in REFERENCE.md: {word}");
    }
    assert!(read("policies.fixed.retry_on.only.status = [429, '5xx', 'error_606']").is_ok());
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
