//! Budgets and limiters agree with the libraries they stand for, call by call (`tests/data/budget_traces.csv`), with exact
//! Markov chains (`tests/data/budget_oracles.csv`) and with a published simulation (`tests/data/independent_failures.csv`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rayon::prelude::*;
use retrysim::budget::{Budget, BudgetConfig, Class, Grant, ONE};
use retrysim::limiter::{Admission, Limiter, LimiterConfig};
use retrysim::random::{Key, Purpose, unit};
use retrysim::time::{Instant, Interval};
use serde::Deserialize;

type Row = BTreeMap<String, String>;

fn rows(text: &'static str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("the data is sound CSV")).collect()
}

/// The rows of one script, in order.
fn traces(script: &str) -> Vec<Row> {
    let rows = rows(include_str!("data/budget_traces.csv"));
    rows.into_iter().filter(|row| row["script"] == script).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?} is not a number"))
}

fn at(seconds: f64) -> Instant {
    Instant::START + Interval::from_nanos_f64(seconds * 1e9)
}

#[derive(Deserialize)]
struct Wrapper {
    budget: Option<BudgetConfig>,
    limiter: Option<LimiterConfig>,
}

fn budget(text: &str) -> BudgetConfig {
    toml::from_str::<Wrapper>(text).unwrap_or_else(|error| panic!("{error}")).budget.expect("it is a budget")
}

fn limiter(text: &str) -> LimiterConfig {
    toml::from_str::<Wrapper>(text)
        .unwrap_or_else(|error| panic!("{error}"))
        .limiter
        .expect("it is a limiter")
}

const BOTOCORE_1_44: &str = "budget.tokens = { capacity = 500, cost = { transient = 14, throttled = 5 }, refund = 'last', reward = 1 }";
const BOTOCORE_1_34: &str =
    "budget.tokens = { capacity = 500, cost = { transient = 5, timeout = 10 }, refund = 'last', reward = 1 }";
const PUBLISHED_BUCKET: &str =
    "budget.tokens = { capacity = 5, cost = 1, per_request = 0.1, needs = 'more_than' }";
/// The program that was published counts in floats, and its figures show it.
const PUBLISHED_PROGRAM: &str = "budget.tokens = { capacity = 5, cost = 1, per_request = 0.1, needs = 'more_than', arithmetic = 'double' }";
const PUBLISHED_BREAKER: &str = "budget.failure_share.at_most = 0.1";

/// How many retries are granted before one is refused.
fn drain(budget: &mut Budget, config: &BudgetConfig, now: Instant, class: Class) -> usize {
    (0..100_000).take_while(|_| budget.try_retry(config, now, class).is_some()).count()
}

#[test]
fn buckets_pay_as_those_of_the_aws_libraries_did() {
    let mut steps = 0;
    let mut state = None;
    for row in traces("quota") {
        let config = budget(if row["version"] == "1.34.162" { BOTOCORE_1_34 } else { BOTOCORE_1_44 });
        let class = match row["params"].to_lowercase() {
            params if params.contains("throttling") => Class::Throttled,
            params if params.contains("timeout") => Class::Timeout,
            params if params.contains("transient") => Class::Transient,
            params => panic!("{params} is no class"),
        };
        let now = at(number(&row, "time_s"));
        let tokens = |budget: &Budget| budget.level().expect("it has tokens") / ONE;
        match row["step"].as_str() {
            "1" => {
                let mut budget = Budget::new(&config);
                assert_eq!(tokens(&budget), 500, "{row:?}");
                assert_eq!(drain(&mut budget, &config, now, class).to_string(), row["admitted"], "{row:?}");
                state = Some(budget);
            }
            "2" => {
                let budget = state.as_mut().expect("step 1 came before");
                (0..20).for_each(|_| budget.on_success(&config, now, None));
            }
            _ => {
                let budget = state.as_mut().expect("step 1 came before");
                let grant = budget.try_retry(&config, now, class);
                assert_eq!(u8::from(grant.is_some()).to_string(), row["admitted"], "{row:?}");
                assert_eq!(tokens(budget).to_string(), row["state_before"], "{row:?}");
                budget.on_success(&config, now, grant);
            }
        }
        let left = tokens(state.as_ref().expect("step 1 came before"));
        assert_eq!(left.to_string(), row["state_after"], "{row:?}");
        steps += 1;
    }
    assert_eq!(steps, 10);
}

#[test]
fn windows_grant_as_tower_did() {
    let mut steps = 0;
    let mut state = None;
    for row in traces("budget") {
        let config = budget(match row["params"].as_str() {
            "ttl=10s min_per_sec=10 retry_percent=0.2" => "budget.window = {}",
            "ttl=10s min_per_sec=0 retry_percent=0.5" => {
                "budget.window = { min_per_second = 0, percent = 0.5 }"
            }
            other => panic!("no budget stands for {other}"),
        });
        if row["step"] == "1" {
            state = Some(Budget::new(&config));
        }
        let budget = state.as_mut().expect("step 1 came first");
        let seconds = number(&row, "time_s");
        let deposited = match row["event"].as_str() {
            "withdraw until denied" => None,
            "100 deposits then withdraw until denied" => Some(seconds),
            "100 deposits; 5 s later withdraw until denied" => Some(seconds - 5.0),
            "100 deposits; 10.9 s later withdraw until denied" => Some(seconds - 10.9),
            other => panic!("{other} is no event"),
        };
        if let Some(deposited) = deposited {
            (0..100).for_each(|_| budget.on_request(&config, at(deposited)));
        }
        let granted = drain(budget, &config, at(seconds), Class::Transient);
        assert_eq!(granted.to_string(), row["admitted"], "{row:?}");
        steps += 1;
    }
    assert_eq!(steps, 16);
}

#[test]
fn the_adaptive_rate_is_botocores_after_every_response() {
    let config = limiter("limiter.adaptive_rate = {}");
    let mut limiter = Limiter::new(&config);
    let rows = traces("cubic");
    for row in &rows {
        let throttled = row["outcome"] == "THROTTLE";
        limiter.on_outcome(&config, at(number(row, "time_s")), !throttled, throttled);
        let Limiter::AdaptiveRate(state) = &limiter else { panic!("it is another kind") };
        let detail: BTreeMap<_, _> =
            row["detail"].split(' ').map(|pair| pair.split_once('=').expect("a pair")).collect();
        assert_eq!(state.is_enabled(), detail["enabled"] == "True", "{row:?}");
        for (what, ours, theirs) in [
            ("measured rate", state.measured_rate(), detail["measured_rate"]),
            ("fill rate", state.fill_rate(), row["state_after"].as_str()),
            ("tokens", state.balance(), detail["cap"]),
        ] {
            let theirs: f64 = theirs.parse().expect("a number");
            assert!((ours - theirs).abs() <= 1e-6 * theirs, "{what}: {ours} instead of {theirs}, {row:?}");
        }
    }
    assert_eq!(rows.len(), 120);
}

/// One serial client that makes requests whose attempts fail with probability `p` and take no time.
struct Serial<'a> {
    config: &'a BudgetConfig,
    budget: Budget,
    retries: u64,
    p: f64,
    key: Key,
}

impl Serial<'_> {
    /// (attempts, success) of one request.
    fn request(&mut self, number: u64) -> (u64, bool) {
        let (config, now) = (self.config, Instant::START);
        self.budget.on_request(config, now);
        let mut last: Option<Grant> = None;
        for attempt in 1.. {
            if unit(self.key.block(number, attempt)[0]) >= self.p {
                self.budget.on_success(config, now, last);
                return (attempt, true);
            }
            self.budget.on_failure(config, true);
            if attempt > self.retries {
                return (attempt, false);
            }
            let Some(grant) = self.budget.try_retry(config, now, Class::Transient) else {
                return (attempt, false);
            };
            last = Some(grant);
        }
        unreachable!("the loop ends by a return")
    }
}

/// The budget of a row of the oracles, and how many retries its policy makes at most.
fn oracle_policy(policy: &str) -> (BudgetConfig, u64) {
    match policy.split(' ').next().expect("split gives a first part") {
        "bucket" => (budget(PUBLISHED_BUCKET), u64::MAX),
        "gRPC" => (budget("budget.throttle = { max_tokens = 10, token_ratio = 0.1 }"), 3),
        "500" => (budget(BOTOCORE_1_34), 2),
        _ => panic!("no budget stands for {policy}"),
    }
}

fn oracles(family: &str) -> BTreeMap<String, Vec<Row>> {
    let mut cases: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows(include_str!("data/budget_oracles.csv")) {
        if row["id"].starts_with(family) {
            cases.entry(row["id"].clone()).or_default().push(row);
        }
    }
    cases
}

fn params(row: &Row) -> serde_json::Value {
    serde_json::from_str(&row["params"]).expect("parameters are JSON")
}

#[test]
fn budgets_of_one_client_settle_as_their_markov_chains_do() {
    let cases: Vec<_> = oracles("Budget-").into_iter().collect();
    cases.par_iter().for_each(|(id, rows)| {
        let params = params(&rows[0]);
        let (config, retries) = oracle_policy(params["policy"].as_str().expect("a policy"));
        let p = params["p"].as_f64().expect("a probability");
        let key = Key::derive(2026, 0, Purpose::Service, id);
        let mut client = Serial { config: &config, budget: Budget::new(&config), retries, p, key };
        let (warm_up, n) = (100_000, 1_000_000);
        let (mut attempts, mut successes) = (0, 0u64);
        for number in 0..warm_up + n {
            let (made, success) = client.request(number);
            if number >= warm_up {
                attempts += made;
                successes += u64::from(success);
            }
        }
        for row in rows {
            let ours = match row["metric"].as_str() {
                "attempts per call" => attempts as f64 / n as f64,
                "success rate" => successes as f64 / n as f64,
                other => panic!("{other} is no metric"),
            };
            let (value, tolerance) = (number(row, "value"), number(row, "tol"));
            assert!((ours - value).abs() <= tolerance, "{id}: {} {ours} instead of {value}", row["metric"]);
        }
    });
    assert_eq!(cases.iter().map(|(_, rows)| rows.len()).sum::<usize>(), 60);
}

#[test]
fn budgets_run_dry_after_exactly_so_many_retries() {
    for (id, rows) in oracles("BudgetDrain") {
        let config =
            budget(&format!("budget.tokens = {{ capacity = 500, cost = {} }}", params(&rows[0])["cost"]));
        let mut client = Serial {
            config: &config,
            budget: Budget::new(&config),
            retries: 2,
            p: 1.0,
            key: Key::derive(2026, 0, Purpose::Service, &id),
        };
        let retries: u64 = (0..200).map(|number| client.request(number).0 - 1).sum();
        let left = client.budget.level().expect("it has tokens") / ONE;
        assert_eq!(format!("{retries}/{left}"), rows[0]["value"], "{id}");
    }
    let (config, retries) = oracle_policy("gRPC");
    let key = Key::derive(2026, 0, Purpose::Service, "drain");
    let mut client = Serial { config: &config, budget: Budget::new(&config), retries, p: 1.0, key };
    let attempts: Vec<_> = (0..20).map(|number| client.request(number).0.to_string()).collect();
    assert_eq!(attempts[..3].join(","), oracles("gRPCdrain")["gRPCdrain"][0]["value"]);
    assert!(attempts[3..].iter().all(|attempts| attempts == "1"), "{attempts:?}");
}

#[test]
fn adaptive_throttles_settle_where_the_fluid_model_does() {
    let mut checked = 0;
    for (id, rows) in oracles("SRE-") {
        let params = params(&rows[0]);
        let get = |name: &str| params[name].as_f64().expect("a number");
        let config = limiter(&format!(
            "limiter.adaptive_throttle = {{ k = {}, window = '{}s', buckets = 120 }}",
            params["K"], params["window_s"]
        ));
        let (warm_up, seconds) = (600.0, 1200.0);
        let mut limiter = Limiter::new(&config);
        let (gaps, luck) =
            (Key::derive(2026, 0, Purpose::Arrivals, &id), Key::derive(2026, 0, Purpose::Service, &id));
        let (mut calls, mut sent, mut accepted) = (0u64, 0u64, 0u64);
        let (mut now, mut second, mut left) = (0.0, 0, get("C") as u64);
        for number in 0.. {
            now -= libm::log(1.0 - unit(gaps.block(number, 0)[0])) / get("lambda");
            if now >= warm_up + seconds {
                break;
            }
            if now as u64 != second {
                (second, left) = (now as u64, get("C") as u64);
            }
            let goes = limiter.acquire(&config, at(now), luck.block(number, 0)[0]) == Admission::Now;
            let served = goes && left > 0;
            if goes {
                left -= u64::from(served);
                limiter.on_outcome(&config, at(now), served, !served);
            }
            if now >= warm_up {
                calls += 1;
                sent += u64::from(goes);
                accepted += u64::from(served);
            }
        }
        for row in &rows {
            let ours = match row["metric"].as_str() {
                "local reject fraction" => 1.0 - sent as f64 / calls as f64,
                "sent per s" => sent as f64 / seconds,
                "accepted per s" => accepted as f64 / seconds,
                other => panic!("{other} is no metric"),
            };
            let (value, tolerance) = (number(row, "value"), number(row, "tol"));
            assert!((ours - value).abs() <= tolerance, "{id}: {} {ours} instead of {value}", row["metric"]);
            checked += 1;
        }
    }
    assert_eq!(checked, 15);
}

/// Mean of an exponential hop, in seconds.
const HOP: f64 = 0.01;
const CLIENTS: u32 = 100;
/// Calls per second and client.
const RATE: f64 = 10.0;
/// Until when calls begin, in seconds.
const END: f64 = 10.0;

fn exponential(bits: u64, mean: f64) -> f64 {
    -mean * libm::log(1.0 - unit(bits))
}

/// (success rate, attempts per call) of one run of the published simulation.
fn published(strategy: &str, p: f64, run: u32) -> (f64, f64) {
    let (retries, config) = match strategy {
        "no_retries" => (0, None),
        "three_retries" => (3, None),
        "adaptive_10pct" => (u64::MAX, Some(budget(PUBLISHED_PROGRAM))),
        "breaker_10pct" => (3, Some(budget(PUBLISHED_BREAKER))),
        other => panic!("{other} is no strategy"),
    };
    let key = |purpose, what: &str| Key::derive(2026, run, purpose, &format!("{strategy} {p} {what}"));
    let (starts, luck) = (key(Purpose::Arrivals, "starts"), key(Purpose::Service, "luck"));
    let (first_hop, hops) = (key(Purpose::Arrivals, "first"), key(Purpose::Service, "hops"));

    // (time in seconds as ordered bits, client, call, attempt); attempt 0 is the start of the call.
    let mut events = BinaryHeap::new();
    let time = |seconds: f64| Reverse((at(seconds).as_nanos(), seconds.to_bits()));
    let mut budgets = Vec::new();
    for client in 0..CLIENTS {
        budgets.push(config.as_ref().map(Budget::new));
        events.push((time(exponential(first_hop.block(client.into(), 0)[0], HOP)), client, 0u64, 0u64));
    }
    let (mut calls, mut attempts, mut successes) = (0u64, 0u64, 0u64);
    while let Some((Reverse((nanos, bits)), client, call, attempt)) = events.pop() {
        let (now, seconds) = (Instant::from_nanos(nanos), f64::from_bits(bits));
        let entity = u64::from(client) << 32 | call;
        let mut budget = config.as_ref().zip(budgets[client as usize].as_mut());
        let sends = if attempt == 0 {
            calls += 1;
            if let Some((config, budget)) = &mut budget {
                budget.on_request(config, now);
            }
            let next = seconds + exponential(starts.block(entity, 0)[0], 1.0 / RATE);
            if next < END {
                events.push((time(next), client, call + 1, 0));
            }
            true
        } else if unit(luck.block(entity, attempt)[0]) >= p {
            successes += 1;
            if let Some((config, budget)) = &mut budget {
                budget.on_success(config, now, None);
            }
            false
        } else {
            let granted = budget.is_none_or(|(config, budget)| {
                budget.on_failure(config, true);
                attempt <= retries && budget.try_retry(config, now, Class::Transient).is_some()
            });
            granted && attempt <= retries
        };
        if sends {
            attempts += 1;
            let [out, back] = hops.block(entity, attempt + 1);
            let known = seconds + exponential(out, HOP) + exponential(back, HOP);
            events.push((time(known), client, call, attempt + 1));
        }
    }
    (successes as f64 / calls as f64, attempts as f64 / calls as f64)
}

#[test]
fn the_published_simulation_of_independent_failures_is_reproduced() {
    let rows = rows(include_str!("data/independent_failures.csv"));
    let runs = 10;
    let scores: Vec<f64> = rows
        .par_iter()
        .flat_map_iter(|row| {
            let p = number(row, "failure_rate");
            let results: Vec<_> = (0..runs).map(|run| published(&row["name"], p, run)).collect();
            let successes: Vec<_> = results.iter().map(|result| result.0).collect();
            let loads: Vec<_> = results.iter().map(|result| result.1).collect();
            [("success_rate", successes), ("load_factor", loads)].map(|(metric, ours)| {
                let mean = ours.iter().sum::<f64>() / f64::from(runs);
                let variance =
                    ours.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(runs - 1);
                let reference = number(row, &format!("{metric}_mean"));
                let sd = number(row, &format!("{metric}_sd"));
                let error = (sd * sd / number(row, "seeds") + variance / f64::from(runs)).sqrt();
                // The file shows means to six or five places.
                let distance = ((mean - reference).abs() - 5e-6).max(0.0);
                let z = if distance == 0.0 { 0.0 } else { distance / error };
                assert!(z < 4.0, "{} at {p}: {metric} {mean} instead of {reference}, z = {z}", row["name"]);
                z
            })
        })
        .collect();
    let rms = (scores.iter().map(|z| z * z).sum::<f64>() / scores.len() as f64).sqrt();
    println!(
        "{} figures, rms of z {rms:.3}, largest {:.3}",
        scores.len(),
        scores.iter().copied().fold(0.0, f64::max)
    );
    assert_eq!(scores.len(), 2 * 68);
    assert!(rms < 1.2, "rms of z = {rms}");
}
