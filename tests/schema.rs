//! The schema accepts what the reader accepts, and refuses what is misspelt; the page of fields is current.

#[path = "common/json_schema.rs"]
mod json_schema;

use std::fs;
use std::path::{Path, PathBuf};

use json_schema::{matches, problems};
use retrysim::scenario::{self, Preset, Scenario};
use retrysim::time::Interval;
use serde_json::Value;

fn schema() -> Value {
    serde_json::from_str(&scenario::schema()).expect("it is JSON")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A scenario as JSON, as an editor hands it to the schema: infinity, which JSON has not, becomes null.
fn json(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{text}\n{error}"));
    serde_json::to_value(table).expect("TOML without dates is JSON")
}

fn toml_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    assert!(files.len() > 3, "{folder}");
    files
}

#[test]
fn every_scenario_that_ships_is_valid() {
    let schema = schema();
    for path in toml_files("scenarios").into_iter().chain(toml_files("src/cli/templates")) {
        let wrong = problems(&schema, &json(&fs::read_to_string(&path).expect("it can be read")));
        assert!(wrong.is_empty(), "{}:\n{}", path.display(), wrong.join("\n"));
    }
}

/// What an example of the reference leaves out.
const BASE: &str = "
horizon = '1h'
[services.api]
[workloads.calls]
service = 'api'
arrivals.burst = {}
[policies.base]
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

/// The base with these lines over it.
fn over_base(lines: &str) -> String {
    let mut table: toml::Table = BASE.parse().expect("the base is TOML");
    lay(&mut table, lines.parse().unwrap_or_else(|error| panic!("{lines}: {error}")));
    toml::to_string(&table).expect("a table prints as TOML")
}

#[test]
fn every_example_of_the_documents_is_valid() {
    let schema = schema();
    let mut examples = 0;
    for name in ["README.md", "REFERENCE.md"] {
        let text = fs::read_to_string(root().join(name)).expect("it can be read");
        for block in text.split("```toml\n").skip(1) {
            let example = block.split("```").next().unwrap_or_default();
            let wrong = problems(&schema, &json(&over_base(example)));
            assert!(wrong.is_empty(), "{name}:\n{example}\n{}", wrong.join("\n"));
            examples += 1;
        }
    }
    assert!(examples > 15, "{examples}");
}

/// A preset with all of its parameters at their defaults, in a scenario.
fn with_preset(preset: &Preset) -> String {
    let mut part = toml::Table::new();
    part.insert("use".into(), preset.id.as_str().into());
    for (name, parameter) in &preset.parameters {
        part.extend(parameter.default.clone().map(|default| (name.clone(), default)));
    }
    let part: toml::Value = part.into();
    let mut lines = toml::Table::new();
    let mut put = |path: &[&str]| {
        let wrapped = path
            .iter()
            .rev()
            .fold(part.clone(), |value, key| toml::Table::from_iter([((*key).to_owned(), value)]).into());
        lines.extend(wrapped.as_table().cloned().unwrap_or_default());
    };
    match preset.kind().name() {
        "policy" => put(&["policies", "preset"]),
        "breaker" => put(&["policies", "base", "breaker"]),
        _ => put(&["services", "preset"]),
    }
    toml::to_string(&lines).expect("a table prints as TOML")
}

#[test]
fn every_preset_is_valid_with_its_parameters_and_with_no_others() {
    let schema = schema();
    for preset in Preset::all() {
        let lines = with_preset(preset);
        let wrong = problems(&schema, &json(&over_base(&lines)));
        assert!(wrong.is_empty(), "{}:\n{lines}\n{}", preset.id, wrong.join("\n"));
        let misspelt = lines.replacen("use = ", "parameter_of_nobody = 1\nuse = ", 1);
        assert!(!problems(&schema, &json(&over_base(&misspelt))).is_empty(), "{}", preset.id);
    }
}

#[test]
fn what_the_reader_takes_in_another_form_is_valid() {
    let schema = schema();
    for lines in [
        "policies.base = { retries = 'unlimited', max_elapsed = '1h', backoff.list = '1s' }",
        "policies.base = { retries = 3, backoff.list = { delays = ['1s', '2s'], then = 'give_up' }, deadline = '1m' }",
        "policies.base = { retries = 3, backoff.fixed = '1s', deadline = { within = '1m', late = 'clip' } }",
        "policies.base = { retries = 3, backoff.fixed = '1s', jitter.add = ['0s', '1s'], inner = { use = 'prefect@3', retries = 1 } }",
        "policies.base = { retries = 3, backoff.chain = [{ backoff.fixed = '1s' }, { backoff.fixed = '2s', jitter = 'full' }] }",
        "policies.base = { retries = 2, backoff.fixed = '1s', breaker = { use = 'guide:breaker' } }",
        "policies.base = { retries = 2, backoff.fixed = '1s', breaker = { trip.consecutive = 3, open_for = '1m', probes = 'unlimited' } }",
        "policies.base = { retries = 2, backoff.fixed = '1s', retry_on.only = { status = [429, '5xx', 'error_606'], timeout = true } }",
        "services.api = { rate_limit = [{ gcra = { rate = '10/s', burst = 5 } }, { concurrency = { limit = 3 } }] }",
        "services.api.latency.mixture = [{ weight = 9, constant = '10ms' }, { exponential = { mean = '1s' }, weight = 1 }]",
        "services.api.latency.shifted = { by = '5ms', lognormal = { median = '20ms', p99 = '90ms' } }",
        "services.api.latency.empirical = { values = ['12ms', '30ms'] }",
        "services.api.latency.empirical.quantiles = [[0, '5ms'], [0.5, '20ms'], [1, '3s']]",
        "services.api.faults = [{ fails_first = 2 }, { random.statuses = { 500 = 0.01, no_answer = 0.02 } }]",
        "services.api.incidents = [{ outage = { mtbf = '1h', mttr = '1m', status = 'connection_error' } }]",
        "workloads.calls = { keys = { count = 9, zipf = 1.1 }, slots = 3, operations = { read = 9, write = 1 } }",
        "workloads.calls.arrivals = { steps = [{ at = '0s', rate = '0/s' }, { at = '1m', rate = '10/s' }] }",
        "workloads.calls.arrivals.cron = { schedule = '0 9 * * 1-5', starts = '2026-01-05T08:30:00' }",
        "expect.'base.success_rate' = '> 0.5'",
        "tune.calls = { retries = '0..8', delay = ['1s', '5s'], jitter = 'full', objective = 'maximise success_rate' }",
    ] {
        let text = over_base(lines);
        Scenario::parse("schema", "schema.toml", &text, &[])
            .unwrap_or_else(|error| panic!("{lines}\n{error}"));
        let wrong = problems(&schema, &json(&text));
        assert!(wrong.is_empty(), "{lines}\n{}", wrong.join("\n"));
    }
    // The reader puts the file in the place of its name.
    for lines in
        ["workloads.calls.arrivals.trace = 'trace.csv'", "services.api.latency.empirical = 'latencies.csv'"]
    {
        let wrong = problems(&schema, &json(&over_base(lines)));
        assert!(wrong.is_empty(), "{lines}\n{}", wrong.join("\n"));
    }
}

#[test]
fn what_is_misspelt_is_refused() {
    let schema = schema();
    for lines in [
        "horizn = '1h'",
        "horizon = 3600",
        "horizon = '1 fortnight'",
        "seed = -1",
        "seed = 'seven'",
        "replications = 0",
        "replications = 2.5",
        "service.api = {}",
        "services.api.rate_limits = {}",
        "services.api.rate_limit = { token_bucket = { rate = 10, burst = 5 } }",
        "services.api.rate_limit = { token_bucket = { rate = '10', burst = 5 } }",
        "services.api.rate_limit = { scope = 'all' }",
        "services.api.rate_limit = { gcra = { rate = '1/s', burst = 5 }, concurrency = { limit = 3 } }",
        "services.api.latency.lognormal = { median = '1s' }",
        "services.api.latency.lognormall = { median = '1s', p99 = '2s' }",
        "services.api.latency.mixture = [{ constant = '10ms' }]",
        "services.api.faults = [{ random = { status = 503, probability = 1.5 } }]",
        "services.api.faults = [{ random = { status = 99, probability = 0.5 } }]",
        "services.api.faults = [{ random = { status = 503 } }]",
        "services.api.incidents = [{ outage = { from = '1m', last = '2m' } }]",
        "services.api.use = 'notion@1900'",
        "services.api.capacity.discipline = 'filo'",
        "workloads.calls.client = 3",
        "workloads.calls.clients = 0",
        "workloads.calls.arrivals = { burst = {}, even = { rate = '1/s' } }",
        "workloads.calls.arrivals.poisson = {}",
        "workloads.calls.slots = { limit = 3, scope = 'all' }",
        "policies.base.retry = 3",
        "policies.base.retries = -1",
        "policies.base.retries = 'endless'",
        "policies.base.jitter = 'ful'",
        "policies.base.jitter = true",
        "policies.base.backoff = '1s'",
        "policies.base.backoff.fixed = 60",
        "policies.base.backoff.exponential = { base = '1s', factor = 0.5 }",
        "policies.base.retry_after = 'obeys'",
        "policies.base.retry_on.only.status = ['6xx']",
        "policies.base.breaker = { trip.consecutive = 3 }",
        "policies.base.breaker = { trip.consecutive = 3, open_for = '1m', scope = 'everybody' }",
        "policies.base.breaker = { use = 'prefect@3' }",
        "policies.base.budget = { scope = 'client' }",
        "policies.base.budget.window = { percentage = 0.2 }",
        "policies.base.inner = { retry = 3 }",
        "policies.base = { use = 'prefect@3', max_attempts = 3 }",
        "policies.base = { use = 'prefect@3', retry_delay_seconds = true }",
        "policies.base = { use = 'again@0.1:fixed', jitter = 'full' }",
        "policies.base = { retry_delay_seconds = 60 }",
        "arms.one.calls = 3",
        "expect.'base.success_rate' = 0.5",
        "expect.'base.success_rate' = '0.5'",
        "tune.calls = { retries = '0..8' }",
        "tune.calls = { jitter = ['full', 'fulll'], objective = 'maximise success_rate' }",
        "tune.calls = { retry = '0..8', objective = 'maximise success_rate' }",
    ] {
        let text = over_base(lines);
        assert!(!problems(&schema, &json(&text)).is_empty(), "{lines} is valid");
        assert!(
            Scenario::parse("schema", "schema.toml", &text, &[]).is_err(),
            "{lines}: the reader takes it"
        );
    }
    for part in ["services", "workloads", "policies", "horizon"] {
        let mut table: toml::Table = BASE.parse().expect("it is TOML");
        table.remove(part);
        assert!(!problems(&schema, &json(&table.to_string())).is_empty(), "without {part}");
    }
}

fn interval(text: &str) -> Result<Interval, toml::de::Error> {
    let table = toml::Table::from_iter([("d".to_owned(), text.into())]);
    table
        .try_into::<std::collections::BTreeMap<String, Interval>>()
        .map(|mut read| read.remove("d").expect("it is there"))
}

#[test]
fn durations_and_rates_are_those_of_the_reader() {
    let schema = schema();
    let duration =
        |text: &str| matches(schema["$defs"]["Duration"]["pattern"].as_str().expect("it has one"), text);
    for text in [
        "0s", "250ms", "1m30s", "1m 30s", "1.5h", "36525d", "1h, 30m", "2 hours", "PT1H", "90 min", "1us",
        "1\u{b5}s", "01:30:00",
    ] {
        assert!(interval(text).is_ok() && duration(text), "{text}");
    }
    for text in ["", "60", "soon", "5 parsecs", "-1s", "1y", "1 month", "s", "1.s.", "1e3s"] {
        assert!(interval(text).is_err() && !duration(text), "{text}");
    }
    let rate = |text: &str| matches(schema["$defs"]["Rate"]["pattern"].as_str().expect("it has one"), text);
    for text in ["10/s", "180/60s", "600/min", "2.5/s", "1 / 1m30s", "3/ 2 h"] {
        assert!(rate(text), "{text}");
    }
    for text in ["10", "x/s", "10/", "10/soon", "-1/s", "1e9/s"] {
        assert!(!rate(text), "{text}");
    }
}

#[test]
fn the_page_of_fields_is_current() {
    let kept = fs::read_to_string(root().join("docs/fields.md")).unwrap_or_default();
    assert!(
        kept == scenario::fields(),
        "docs/fields.md is out of date; make it new with: cargo run --locked -- schema --as markdown > docs/fields.md"
    );
}

#[test]
fn every_link_of_the_page_leads_somewhere() {
    let page = scenario::fields();
    let slug = |heading: &str| heading.to_lowercase().replace(' ', "-");
    let mut headings: Vec<String> =
        page.lines().filter_map(|line| line.strip_prefix("## ")).map(slug).collect();
    for link in page.split("](#").skip(1) {
        let place = link.split(')').next().unwrap_or_default();
        assert!(headings.iter().any(|heading| heading == place), "#{place}");
    }
    let all = headings.len();
    headings.sort();
    headings.dedup();
    assert_eq!(headings.len(), all, "two sections of one name");
    assert!(all > 60, "{all}");
}

#[test]
fn every_field_of_the_page_is_explained() {
    for line in scenario::fields().lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        assert!(cells.last().is_some_and(|meaning| meaning.trim().len() >= 3), "{line}");
    }
}
