//! The same scenario and seed give the same bytes: twice, on any number of threads, whatever else is in the file.

use retrysim::experiment::{self, Options, Results};
use retrysim::report;
use retrysim::scenario::Scenario;
use retrysim::simulation::Simulation;

/// Everything that can differ is in it: several workloads and arms, a breaker, a cache, random arrivals and latencies.
const RICH: &str = r#"
seed = 5
replications = 6
horizon = "5m"

[services.api]
rate_limit.token_bucket = { rate = "8/s", burst = 4 }
latency.lognormal = { median = "200ms", p99 = "3s" }
[[services.api.faults]]
random = { status = 503, probability = 0.1 }
[[services.api.incidents]]
outage = { from = "1m", lasts = "30s" }

[services.log]
latency.exponential = { mean = "50ms" }

[workloads.calls]
service = "api"
clients = 20
keys = 50
arrivals.poisson = { rate = "6/s" }
timeout = "2s"

[workloads.herd]
service = "api"
clients = 30
arrivals.burst = { at = "10s", every = "1m", spread = "5s" }

[workloads.events]
service = "log"
arrivals.even = { rate = "3/s" }
policy = "plain"

[policies.plain]
retries = 3
backoff.exponential = { base = "1s" }
jitter = "full"

[policies.guarded]
retries = 4
backoff.fixed = "2s"
jitter = "decorrelated"
cap_after_jitter = "20s"
retry_after.obey_with = { add = "1s" }
breaker = { use = "guide:breaker", timeout = 10, scope = "client" }
cache = { ttl = "30s" }

[arms.plain]
calls = "plain"
herd = "plain"
[arms.guarded]
calls = "guarded"
herd = "plain"
"#;

fn run(text: &str, jobs: usize) -> (Scenario, Results) {
    let scenario = Scenario::parse("rich", "rich.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let results = experiment::run(&scenario, Options { traced: 5, jobs }, &|| ());
    (scenario, results)
}

fn files(text: &str, jobs: usize) -> Vec<(String, Vec<u8>)> {
    let (scenario, results) = run(text, jobs);
    report::files(&scenario, &results, true, report::Pictures::Svg)
}

/// The lines of a CSV file that begin with one of the given prefixes.
fn rows(files: &[(String, Vec<u8>)], file: &str, prefix: &str) -> Vec<String> {
    let bytes = &files.iter().find(|(name, _)| name == file).expect("the file is written").1;
    let text = String::from_utf8(bytes.clone()).expect("CSV is text");
    text.lines().filter(|line| line.starts_with(prefix)).map(str::to_owned).collect()
}

#[test]
fn two_runs_give_the_same_bytes() {
    assert_eq!(files(RICH, 2), files(RICH, 2));
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let one = files(RICH, 1);
    for jobs in [2, 3, 8] {
        assert_eq!(one, files(RICH, jobs), "{jobs} threads");
    }
}

/// A request that nothing stands in the way of is simulated on a shorter way, unless it is traced.
#[test]
fn following_requests_changes_nothing_about_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let paths = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("so is the entry").path());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
        let scenario = Scenario::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
        for arm in 0..scenario.arms.len() {
            let tallies = |traced| {
                let record = Simulation::new(&scenario, arm, 0, traced).run();
                let workloads = record.workloads.iter().map(|tally| {
                    let attempts = (tally.attempts, tally.sent, tally.retries, tally.timed_out, tally.wasted);
                    let judged = (tally.limited, tally.failed, tally.overloaded, tally.refused, tally.shed);
                    let times = (&tally.time_to_success, &tally.time_to_give_up, tally.quiet);
                    (tally.requests, tally.endings, attempts, judged, times, &tally.series)
                });
                let services = record.services.iter().map(|tally| {
                    let peaks = (tally.load.peak(), tally.retry_load.peak(), &tally.retry_dispersion);
                    (tally.offered, tally.retries, tally.limited, tally.goodput, peaks, &tally.usage)
                });
                format!("{:?} {:?}", workloads.collect::<Vec<_>>(), services.collect::<Vec<_>>())
            };
            assert!(tallies(0) == tallies(1), "{} in arm {}", path.display(), scenario.arms[arm].name);
        }
    }
}

#[test]
fn another_seed_gives_other_results() {
    let other = RICH.replace("seed = 5", "seed = 6");
    assert_ne!(
        rows(&files(RICH, 0), "summary.csv", "plain,calls"),
        rows(&files(&other, 0), "summary.csv", "plain,calls")
    );
}

#[test]
fn more_replications_leave_the_first_ones_as_they_were() {
    let more = files(&RICH.replace("replications = 6", "replications = 9"), 0);
    let fewer = files(RICH, 0);
    for replication in 0..6 {
        let prefix = format!("guarded,calls,api,{replication},");
        assert_eq!(rows(&more, "replications.csv", &prefix), rows(&fewer, "replications.csv", &prefix));
    }
}

#[test]
fn an_arm_more_changes_no_other_arm() {
    let without = RICH.split("[arms.guarded]").next().expect("split gives a first part");
    let (with, without) = (files(RICH, 0), files(without, 0));
    for file in ["summary.csv", "replications.csv", "timeseries.csv", "time_to_success.csv", "attempts.csv"] {
        assert_eq!(rows(&with, file, "plain,"), rows(&without, file, "plain,"), "{file}");
    }
}

#[test]
fn a_workload_on_another_service_changes_nothing() {
    let more = RICH.replace(
        "[policies.plain]",
        "[workloads.another]\nservice = \"other\"\narrivals.poisson = { rate = \"5/s\" }\npolicy = \"plain\"\n\
         [services.other]\n[policies.plain]",
    );
    let (with, without) = (files(&more, 0), files(RICH, 0));
    for workload in ["calls", "herd", "events"] {
        let prefix = format!("guarded,{workload},");
        assert_eq!(rows(&with, "summary.csv", &prefix), rows(&without, "summary.csv", &prefix), "{workload}");
    }
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    order_does_not_matter(RICH);
    // Two workloads share everything that can be shared, and the luck of one breaker.
    let shared = "breaker = { trip.consecutive = 3, open_for = { backoff.fixed = \"10s\", jitter = \"equal\" }, scope = \"global\" }\n\
                  budget = { tokens = { capacity = 9, cost = 1, per_success = 1 }, scope = \"global\" }\n\
                  limiter = { token_bucket = { rate = \"20/s\" }, scope = \"global\" }";
    let rich = RICH
        .replace("breaker = { use = \"guide:breaker\", timeout = 10, scope = \"client\" }", shared)
        .replace("cache = { ttl = \"30s\" }", "")
        .replace("calls = \"guarded\"\nherd = \"plain\"", "calls = \"guarded\"\nherd = \"guarded\"")
        .replace("clients = 20", "clients = 20\nslots = { limit = 40, scope = \"global\" }")
        .replace("clients = 30", "clients = 30\nslots = { limit = 40, scope = \"global\" }");
    order_does_not_matter(&rich);
}

fn order_does_not_matter(text: &str) {
    let (before, rest) = text.split_once("[workloads.calls]").expect("it is there");
    let (calls, rest) = rest.split_once("[workloads.herd]").expect("it is there");
    let (herd, after) = rest.split_once("[workloads.events]").expect("it is there");
    let shuffled = format!("{before}[workloads.herd]{herd}[workloads.calls]{calls}[workloads.events]{after}");
    let (shuffled, straight) = (files(&shuffled, 0), files(text, 0));
    for workload in ["calls", "herd", "events"] {
        for file in ["summary.csv", "replications.csv", "timeseries.csv"] {
            let prefix = format!("guarded,{workload},");
            assert_eq!(rows(&shuffled, file, &prefix), rows(&straight, file, &prefix), "{file}, {workload}");
        }
    }
}

#[test]
fn a_request_has_the_same_luck_in_every_arm() {
    // Two policies that differ only in their delays meet the same arrivals, and the same first attempts.
    let text = r#"
        horizon = "10m"
        replications = 2
        [services.api]
        latency.exponential = { mean = "100ms" }
        faults = [{ random = { status = 503, probability = 0.3 } }]
        [workloads.calls]
        service = "api"
        clients = 7
        arrivals.poisson = { rate = "1/s" }
        [policies.slow]
        retries = 2
        backoff.fixed = "9s"
        [policies.quick]
        retries = 2
        backoff.fixed = "1s"
        jitter = "full"
    "#;
    let (_, results) = run(text, 0);
    let [slow, quick] = &results.arms[..] else { panic!("there are two arms") };
    assert_eq!(slow.traces[0].len(), 5);
    for (slow, quick) in slow.traces[0].iter().zip(&quick.traces[0]) {
        assert_eq!((slow.number, slow.client, slow.arrived), (quick.number, quick.client, quick.arrived));
        for (slow, quick) in slow.steps.iter().zip(&quick.steps) {
            let slow_took = slow.known.since(slow.sent);
            assert_eq!((slow.outcome, slow_took), (quick.outcome, quick.known.since(quick.sent)));
        }
    }
}

#[test]
fn a_guard_that_never_binds_is_no_guard() {
    // With a guard every outcome is an event of its own; without one it is handled when the attempt is sent. Nobody can tell
    // the difference.
    let plain = RICH.replace(
        "breaker = { use = \"guide:breaker\", timeout = 10, scope = \"client\" }\ncache = { ttl = \"30s\" }",
        "",
    );
    let bare = files(&plain, 0);
    for guard in [
        "breaker = { trip.consecutive = 1000000000, open_for = \"1s\" }",
        "breaker = { trip.consecutive = 1000000000, open_for = \"1s\", position = \"outside\" }",
        "budget.tokens = { capacity = 1000000, cost = 1 }",
        "budget.window = { min_per_second = 100000 }",
        "limiter.concurrency = 1000000000",
        "limiter = { token_bucket = { rate = \"1000000/s\", burst = 1000000 }, scope = \"client\" }",
    ] {
        let obey = "retry_after.obey_with = { add = \"1s\" }";
        let idle = plain.replace(obey, &format!("{obey}\n{guard}"));
        assert_ne!(plain, idle);
        let idle = files(&idle, 0);
        for file in ["timeseries.csv", "time_to_success.csv", "attempts.csv"] {
            assert!(rows(&bare, file, "guarded,") == rows(&idle, file, "guarded,"), "{file} with {guard}");
        }
    }
}
