//! Breakers do what the real ones did, call by call: every row of `tests/data/breaker_traces.csv`, through the presets with
//! the parameters of the row. Then the command that replays such traces, as its users meet it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Output;

use assert_cmd::Command;
use retrysim::breaker::{Admission, Breaker, BreakerRules, State};
use retrysim::outcome::Outcome;
use retrysim::random::{Key, Purpose};
use retrysim::scenario::{Kind, Preset, Scenario};
use retrysim::simulation::Simulation;
use retrysim::time::{Instant, Interval};
use tempfile::TempDir;

/// What the data has: no row is left out.
const ROWS: usize = 577;

struct Row {
    cells: BTreeMap<String, String>,
}

impl Row {
    fn get(&self, column: &str) -> &str {
        &self.cells[column]
    }

    fn now(&self) -> Instant {
        let seconds: f64 = self.get("time_s").parse().expect("a time is a number");
        at(seconds)
    }

    fn is(&self, script: &str) -> bool {
        self.get("script") == script
    }

    fn trace(&self) -> [&str; 4] {
        [self.get("library"), self.get("policy"), self.get("params"), self.get("script")]
    }

    fn place(&self) -> String {
        format!("{:?}, step {} at {} s", self.trace(), self.get("step"), self.get("time_s"))
    }
}

fn at(seconds: f64) -> Instant {
    Instant::from_nanos((seconds * 1e9).round() as u64)
}

/// All traces, each with its rows. The rows of S2-nested and S2-overlap are a trace each.
fn traces(script: &str) -> Vec<Vec<Row>> {
    let mut reader = csv::Reader::from_reader(include_str!("data/breaker_traces.csv").as_bytes());
    let mut traces: Vec<Vec<Row>> = Vec::new();
    for row in reader.deserialize() {
        let row = Row { cells: row.expect("the data is sound CSV") };
        let goes_on = traces.last().is_some_and(|trace| trace[0].trace() == row.trace());
        match traces.last_mut() {
            Some(trace) if goes_on && !row.get("script").starts_with("S2") => trace.push(row),
            _ => traces.push(vec![row]),
        }
    }
    traces.retain(|trace| trace[0].is(script));
    traces
}

/// The preset that stands for a trace, in the words of a scenario.
fn preset(row: &Row) -> &'static str {
    let [library, policy, params, _] = row.trace();
    match (library, policy, params) {
        ("seed-guide", _, "failure_threshold=3 timeout=10") => {
            "use = 'guide:breaker', failure_threshold = 3, timeout = 10"
        }
        // Which error the caller sees does not change the breaker.
        (
            "pybreaker",
            _,
            "fail_max=3 reset_timeout=10 throw_new_error_on_trip=False" | "fail_max=3 reset_timeout=10",
        ) => "use = 'pybreaker@1', fail_max = 3, reset_timeout = 10",
        ("pybreaker", _, "fail_max=3 reset_timeout=10 success_threshold=2") => {
            "use = 'pybreaker@1', fail_max = 3, reset_timeout = 10, success_threshold = 2"
        }
        ("circuitbreaker", _, "failure_threshold=3 recovery_timeout=10") => {
            "use = 'circuitbreaker@2', failure_threshold = 3, recovery_timeout = 10"
        }
        ("cockatiel", "ConsecutiveBreaker", "threshold=3 halfOpenAfter=10s" | "threshold 3 / 10 s") => {
            "use = 'cockatiel@3:consecutive', threshold = 3, halfOpenAfter = 10000"
        }
        (
            "cockatiel",
            "ConsecutiveBreaker",
            "threshold=3 halfOpenAfter=ExponentialBackoff(noJitter initial 5s)",
        ) => {
            "use = 'cockatiel@3:consecutive', threshold = 3, generator = 'noJitterGenerator', initialDelay = 5000"
        }
        ("cockatiel", "CountBreaker", "threshold=0.5 size=4 minimumNumberOfCalls=4 halfOpenAfter=10s") => {
            "use = 'cockatiel@3:count', threshold = 0.5, size = 4, minimumNumberOfCalls = 4, halfOpenAfter = 10000"
        }
        ("cockatiel", "SamplingBreaker", "threshold=0.2 duration=10s minimumRps=5 halfOpenAfter=2s") => {
            "use = 'cockatiel@3:sampling', threshold = 0.2, duration = 10000, minimumRps = 5, halfOpenAfter = 2000"
        }
        ("resilience4j", "COUNT_BASED", "size=4 minCalls=4 failureRate=50 wait=10s halfOpenCalls=2") => {
            "use = 'resilience4j@2:count-based', slidingWindowSize = 4, minimumNumberOfCalls = 4, \
             failureRateThreshold = 50, waitDurationInOpenState = 10, permittedNumberOfCallsInHalfOpenState = 2"
        }
        ("resilience4j", "COUNT_BASED", "size=10 minCalls=3 failureRate=60 wait=10s halfOpenCalls=1") => {
            "use = 'resilience4j@2:count-based', slidingWindowSize = 10, minimumNumberOfCalls = 3, \
             failureRateThreshold = 60, waitDurationInOpenState = 10, permittedNumberOfCallsInHalfOpenState = 1"
        }
        ("resilience4j", "TIME_BASED", "size=5s minCalls=3 failureRate=60 wait=10s halfOpenCalls=1") => {
            "use = 'resilience4j@2:time-based', slidingWindowSize = 5, minimumNumberOfCalls = 3, \
             failureRateThreshold = 60, waitDurationInOpenState = 10, permittedNumberOfCallsInHalfOpenState = 1"
        }
        (
            "resilience4j",
            "COUNT_BASED slow calls",
            "size=6 minCalls=6 slowRate=50 slowDur=2s wait=5s halfOpenCalls=2",
        ) => {
            "use = 'resilience4j@2:count-based', slidingWindowSize = 6, minimumNumberOfCalls = 6, \
             slowCallRateThreshold = 50, slowCallDurationThreshold = 2, waitDurationInOpenState = 5, \
             permittedNumberOfCallsInHalfOpenState = 2"
        }
        ("resilience4j", "TIME_BASED", "size=10s minCalls=20 failureRate=20 wait=2s halfOpenCalls=5") => {
            "use = 'resilience4j@2:time-based', slidingWindowSize = 10, minimumNumberOfCalls = 20, \
             failureRateThreshold = 20, waitDurationInOpenState = 2, permittedNumberOfCallsInHalfOpenState = 5"
        }
        // The row does not say what opened it: one failure here.
        ("resilience4j", "COUNT_BASED", "halfOpenCalls=2 wait=10s") => {
            "use = 'resilience4j@2:count-based', slidingWindowSize = 1, waitDurationInOpenState = 10, \
             permittedNumberOfCallsInHalfOpenState = 2"
        }
        ("gobreaker", _, "MaxRequests=1 Timeout=10 ReadyToTrip=ConsecutiveFailures>=3") => {
            "use = 'gobreaker@2', MaxRequests = 1, Timeout = 10, ReadyToTrip = 3"
        }
        ("gobreaker", _, "MaxRequests=2 Timeout=10 ReadyToTrip=ConsecutiveFailures>=3") => {
            "use = 'gobreaker@2', MaxRequests = 2, Timeout = 10, ReadyToTrip = 3"
        }
        other => panic!("no preset stands for {other:?}"),
    }
}

fn rules(breaker: &str) -> BreakerRules {
    let text = format!(
        "horizon = '1h'\n[services.s]\n[workloads.w]\nservice = 's'\narrivals.burst = {{}}\n[policies.p]\nretries = 0\n\
         breaker = {{ {breaker} }}\n"
    );
    let scenario =
        Scenario::parse("breakers", "breakers.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let config = scenario.policies[0].config.breaker.as_ref().expect("the policy has a breaker");
    BreakerRules::new(config, Key::derive(1, 0, Purpose::BreakerOpen, "breakers"))
}

/// A state as a row has it, `open/failures=3`, and its counter if it has one.
fn expected(state: &str) -> (State, Option<u32>) {
    let (name, count) = state.split_once('/').unwrap_or((state, ""));
    let state = match name {
        "closed" | "CLOSED" => State::Closed,
        "open" | "OPEN" => State::Open,
        "half-open" | "half_open" | "HALF_OPEN" => State::HalfOpen,
        other => panic!("{other} is no state"),
    };
    (state, count.split_once('=').map(|(_, count)| count.parse().expect("a counter is a number")))
}

/// A number of the row's detail, such as `buffered=3`.
fn detail(row: &Row, name: &str) -> u32 {
    let rest = row.get("detail").split_once(&format!("{name}=")).expect("the detail is there").1;
    rest.split(' ').next().expect("split gives a first part").parse().expect("it is a number")
}

/// Compares all that the row shows.
fn compare(row: &Row, rules: &BreakerRules, breaker: &Breaker, admission: Admission) {
    let place = row.place();
    assert_eq!(u32::from(admission.permit().is_some()).to_string(), row.get("admitted"), "{place}");
    let (state, count) = expected(row.get("state_after"));
    assert_eq!(breaker.state(), state, "{place}");
    // The guide's, pybreaker's and circuitbreaker's counters, which go on counting in every state.
    if let Some(count) = count {
        assert_eq!(breaker.failures(), count, "{place}");
    }
    match row.get("library") {
        "resilience4j" => {
            let tally = breaker.tally(rules, row.now());
            let counted = [tally.total, tally.failures, tally.slow];
            assert_eq!(counted, ["buffered", "failed", "slow"].map(|name| detail(row, name)), "{place}");
        }
        // It drops its counts whenever its state changes; ours still knows how many failures opened it.
        "gobreaker" if state != State::Open => assert_eq!(breaker.failures(), detail(row, "cf"), "{place}"),
        // cockatiel shows no counters.
        _ => {}
    }
}

/// A call that ends at once.
fn call(
    breaker: &mut Breaker,
    rules: &BreakerRules,
    now: Instant,
    success: bool,
    took: Interval,
) -> Admission {
    let admission = breaker.try_acquire(rules, now);
    if let Admission::Granted(permit) = admission {
        breaker.record(rules, now, permit, success, took);
    }
    admission
}

#[test]
fn scripted_calls_go_as_they_went() {
    let mut rows = 0;
    for trace in ["S1", "S1-scaled", "S4-slow"].into_iter().flat_map(traces) {
        let rules = rules(preset(&trace[0]));
        let mut breaker = Breaker::default();
        let mut slow = 0;
        for row in &trace {
            let (before, _) = expected(row.get("state_before"));
            assert_eq!(breaker.state_at(&rules, row.now()), before, "{}", row.place());
            // S4-slow does not say how long a call took, only how many were slow by then: 3 s stand for those, 1 s for others.
            let is_slow = row.is("S4-slow") && row.get("admitted") == "1" && detail(row, "slow") > slow;
            slow = if row.is("S4-slow") { detail(row, "slow") } else { 0 };
            let took = Interval::from_secs(if is_slow { 3 } else { 1 });
            let admission = call(&mut breaker, &rules, row.now(), row.get("outcome") == "S", took);
            compare(row, &rules, &breaker, admission);
            rows += 1;
        }
    }
    assert_eq!(rows, 33 * 11 + 24 * 2 + 24);
}

#[test]
fn overlapping_probes_end_as_they_ended() {
    let traces = traces("S2-nested");
    for row in traces.iter().map(|trace| &trace[0]) {
        let rules = rules(preset(row));
        let mut breaker = Breaker::default();
        // The rows begin with an open breaker; any time that is long enough ago gives one.
        for _ in 0..3 {
            call(&mut breaker, &rules, at(5.0), false, Interval::ZERO);
        }
        let (before, failures) = expected(row.get("state_before"));
        assert_eq!(breaker.state_at(&rules, row.now()), before, "{}", row.place());
        assert_eq!(Some(breaker.failures()), failures, "{}", row.place());
        let outcome = |name: &str| row.get("outcome").contains(&format!("{name}=S"));
        let [outer, inner] = ["A", "B"].map(|_| breaker.try_acquire(&rules, row.now()));
        let permit = |admission: Admission| admission.permit().expect("both ran");
        breaker.record(&rules, row.now(), permit(inner), outcome("B"), Interval::ZERO);
        let after = row.get("detail").split_once("state after B=").expect("the row says so").1;
        let (state, failures) = expected(after);
        assert_eq!((breaker.state(), Some(breaker.failures())), (state, failures), "{}", row.place());
        breaker.record(&rules, row.now(), permit(outer), outcome("A"), Interval::ZERO);
        compare(row, &rules, &breaker, outer);
    }
    assert_eq!(traces.len(), 12);
}

#[test]
fn callers_wait_for_the_probe_of_cockatiel() {
    let traces: Vec<_> =
        traces("S2-overlap").into_iter().filter(|t| t[0].get("library") == "cockatiel").collect();
    for row in traces.iter().map(|trace| &trace[0]) {
        let rules = rules(preset(row));
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            call(&mut breaker, &rules, at(5.0), false, Interval::ZERO);
        }
        assert_eq!(breaker.state_at(&rules, row.now()), State::Open);
        let outcome = |name: &str| row.get("outcome").contains(&format!("{name}=S"));
        let first = breaker.try_acquire(&rules, row.now()).permit().expect("the probe goes");
        assert_eq!(breaker.state(), State::HalfOpen, "while A in flight=half-open");
        let second = breaker.try_acquire(&rules, row.now());
        assert_eq!((second, breaker.state()), (Admission::Wait, State::HalfOpen), "after B=half-open");
        assert!(breaker.record(&rules, row.now(), first, outcome("A"), Interval::ZERO), "B is woken");
        let again = call(&mut breaker, &rules, row.now(), outcome("B"), Interval::ZERO);
        let ran = row.get("detail").contains("B ran at all=true");
        assert_eq!(again.permit().is_some(), ran, "{}", row.place());
        // `admitted` is that of B when it started.
        compare(row, &rules, &breaker, second);
    }
    assert_eq!(traces.len(), 4);
}

#[test]
fn resilience4j_grants_its_permits_strictly_after_the_open_time() {
    let traces: Vec<_> =
        traces("S2-overlap").into_iter().filter(|t| t[0].get("library") == "resilience4j").collect();
    let row = &traces[0][0];
    let rules = rules(preset(row));
    let mut breaker = Breaker::default();
    call(&mut breaker, &rules, at(0.0), false, Interval::ZERO);
    assert_eq!(
        breaker.try_acquire(&rules, at(10.0)),
        Admission::Refused,
        "exactly at t=10.000s granted=false"
    );
    assert_eq!(breaker.state(), expected(row.get("state_before")).0);
    let granted = (0..4).filter(|_| breaker.try_acquire(&rules, row.now()).permit().is_some()).count();
    assert_eq!(granted.to_string(), row.get("admitted"));
    assert_eq!(breaker.state(), expected(row.get("state_after")).0);
    assert_eq!(traces.len(), 1);
}

#[test]
fn a_steady_load_trips_sampling_breakers_when_it_did() {
    let mut rows = 0;
    for trace in traces("S3-changes") {
        let rules = rules(preset(&trace[0]));
        let mut breaker = Breaker::default();
        let listed: BTreeMap<u32, &Row> =
            trace.iter().map(|row| (row.get("step").parse().expect("a step is a number"), row)).collect();
        let last = *listed.keys().last().expect("there are rows");
        for step in 1..=last {
            // What is listed shows the pattern: within [2 s, 5 s) the first three of five calls fail. It gives the 12 failures
            // of 58 that resilience4j counts at step 58.
            let call_number = step - 1;
            let fails = (40..100).contains(&call_number) && call_number % 5 < 3;
            let now = Instant::from_nanos(u64::from(call_number) * 50_000_000);
            let before = breaker.state();
            let admission = call(&mut breaker, &rules, now, !fails, Interval::ZERO);
            let Some(row) = listed.get(&step) else {
                // Neither a change nor a refusal: that is all, but that is checked.
                assert!(admission.permit().is_some(), "{:?}, step {step}", trace[0].trace());
                assert_eq!(breaker.state(), before, "{:?}, step {step}", trace[0].trace());
                continue;
            };
            assert_eq!((row.now(), row.get("outcome") == "F"), (now, fails), "{}", row.place());
            assert_eq!(before, expected(row.get("state_before")).0, "{}", row.place());
            compare(row, &rules, &breaker, admission);
            rows += 1;
        }
    }
    assert_eq!(rows, 81 + 44);
}

#[test]
fn every_row_is_replayed() {
    let scripts = ["S1", "S1-scaled", "S2-nested", "S2-overlap", "S3-changes", "S4-slow"];
    let rows: usize = scripts.into_iter().flat_map(traces).map(|trace| trace.len()).sum();
    assert_eq!(rows, ROWS);
    assert_eq!(include_str!("data/breaker_traces.csv").lines().count(), ROWS + 1);
}

/// Calls that end at once, 1 s apart, all with the same outcome, until the state is `state`; how many it took.
fn calls_until(breaker: &mut Breaker, rules: &BreakerRules, from: u64, success: bool, state: State) -> u64 {
    let mut calls = 0;
    while breaker.state() != state {
        assert!(calls < 1_000, "it never becomes {state:?}");
        call(breaker, rules, Instant::from_nanos((from + calls) * 1_000_000_000), success, Interval::ZERO);
        calls += 1;
    }
    calls
}

#[test]
fn every_breaker_preset_opens_after_its_own_number_of_failures_and_closes_after_its_own_of_successes() {
    // Failures 1 s apart until it is open, then successes 1 s apart from 2000 s on. Polly's 100 calls never come within its
    // 30 s here, nor Hystrix's 20 within 10 s; cockatiel's window of 30 s wants 750 calls.
    let expected = [
        ("aiobreaker@1", "", 5, 1),
        ("circuitbreaker@2", "", 5, 1),
        ("cockatiel@3:consecutive", "", 5, 1),
        ("cockatiel@3:count", "", 100, 1),
        ("cockatiel@3:sampling", ", minimumRps = 0.5", 15, 1),
        ("envoy@1:outlier-detection", "", 5, 1),
        ("failsafe-rs@1", "", 5, 1),
        ("failsafe-rs@1:consecutive", "", 5, 1),
        ("failsafe-rs@1:success-rate", "", 31, 1),
        ("failsafe@3:breaker", "", 1, 1),
        ("failsafe@3:breaker-time", "", 5, 1),
        ("gobreaker@2", "", 6, 1),
        ("guide:breaker", "", 5, 1),
        ("hystrix@1", ", requestVolumeThreshold = 5", 6, 1),
        ("opossum@9", "", 1, 1),
        ("polly@8:breaker", ", MinimumThroughput = 10", 10, 1),
        ("purgatory@3", "", 5, 1),
        ("pybreaker@1", "", 5, 1),
        ("recloser@1", "", 101, 11),
        ("resilience4j@2:count-based", "", 100, 10),
        ("resilience4j@2:time-based", "", 100, 10),
        ("textbook:breaker", "", 5, 1),
    ];
    for (id, more, failures, successes) in expected {
        let rules = rules(&format!("use = '{id}'{more}"));
        let mut breaker = Breaker::default();
        let opened = calls_until(&mut breaker, &rules, 0, false, State::Open);
        let closed = calls_until(&mut breaker, &rules, 2_000, true, State::Closed);
        assert_eq!((opened, closed), (failures, successes), "{id}");
    }
    let presets = Preset::all();
    let known: Vec<&str> = presets
        .iter()
        .filter(|preset| preset.kind() == Kind::Breaker)
        .map(|preset| preset.id.as_str())
        .collect();
    assert_eq!(expected.map(|(id, ..)| id).to_vec(), known);
}

/// Runs `retrysim breaker` on a trace, next to a scenario; returns the exit code and what was printed.
fn replay(arguments: &[&str], trace: &str) -> (i32, String, String) {
    let scenario = "horizon = '1h'\n[services.s]\n[workloads.w]\nservice = 's'\narrivals.burst = {}\n[policies.none]\n\
                    retries = 0\n[policies.shared]\nretries = 0\nbreaker = { use = 'pybreaker@1', fail_max = 2 }\n";
    replay_beside(scenario, arguments, trace)
}

/// The same next to another scenario.
fn replay_beside(scenario: &str, arguments: &[&str], trace: &str) -> (i32, String, String) {
    let place = TempDir::new().expect("a temporary folder can be made");
    fs::write(place.path().join("calls.csv"), trace).expect("a file can be written");
    fs::write(place.path().join("scenario.toml"), scenario).expect("a file can be written");
    let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
    let Output { status, stdout, stderr } = command
        .current_dir(place.path())
        .arg("breaker")
        .args(arguments)
        .args(["--trace", "calls.csv"])
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text");
    (status.code().expect("it ended by itself"), text(stdout), text(stderr))
}

#[test]
fn the_command_replays_a_real_trace_to_the_letter() {
    for trace in traces("S1") {
        let row = &trace[0];
        let [library, _, params, _] = row.trace();
        let (preset, set) = match (library, params) {
            ("seed-guide", _) => ("guide:breaker", ["failure_threshold=3", "timeout=10"]),
            ("pybreaker", "fail_max=3 reset_timeout=10") => {
                ("pybreaker@1", ["fail_max=3", "reset_timeout=10"])
            }
            ("circuitbreaker", _) => ("circuitbreaker@2", ["failure_threshold=3", "recovery_timeout=10"]),
            _ => continue,
        };
        let cells =
            |row: &Row| ["time_s", "event", "outcome"].map(|column| row.get(column).to_owned()).join(",");
        let script: Vec<String> = trace.iter().map(cells).collect();
        let csv = format!("time_s,event,outcome\n{}\n", script.join("\n"));
        let arguments = [preset, "--set", set[0], "--set", set[1], "--format", "csv"];
        let (code, stdout, stderr) = replay(&arguments, &csv);
        assert_eq!((code, stderr.as_str()), (0, ""));
        let mut lines = stdout.lines();
        assert_eq!(
            lines.next(),
            Some("step,time_s,event,outcome,admitted,state_before,state_after,failures")
        );
        for row in &trace {
            let [(before, _), (after, failures)] =
                ["state_before", "state_after"].map(|column| expected(row.get(column)));
            let line = format!(
                "{},{},{},{},{},{}",
                row.get("step"),
                cells(row),
                row.get("admitted"),
                before.name(),
                after.name(),
                failures.expect("the row has a counter")
            );
            assert_eq!(lines.next(), Some(line.as_str()), "{}", row.place());
        }
        assert_eq!(lines.next(), None);
    }
}

#[test]
fn the_command_lets_calls_overlap_and_wait() {
    let trace = "time_s,event,outcome,call,took_s\n0,call,503,,\n20,start,,A,\n20,start,,B,\n20.5,call,S,,\n21,end,F,B,\n\
                 22,end,200,A,\n";
    let arguments = ["cockatiel@3:consecutive", "--set", "threshold=1", "--format", "csv"];
    let (code, stdout, _) = replay(&arguments, trace);
    let lines: Vec<&str> = stdout.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "1,0,call,503,1,closed,open,1",
            "2,20,start,,1,open,half-open,1",
            "3,20,start,,waits,half-open,half-open,1",
            "4,20.5,call,S,waits,half-open,half-open,1",
            "5,21,end,F,waits,half-open,half-open,1",
            "6,22,end,200,1,half-open,closed,0",
            "3,22,woken,F,1,closed,open,1",
            "4,22,woken,S,0,open,open,1",
        ]
    );
    assert_eq!(code, 0);
}

#[test]
fn the_command_knows_slow_calls_policies_of_scenarios_and_text() {
    let slow = "time_s,event,outcome,call,took_s\n0,call,S,,3\n10,start,,A,\n12,start,,B,\n13,end,S,A,\n";
    let sets = ["slidingWindowSize=2", "slowCallDurationThreshold=2", "slowCallRateThreshold=100"];
    let arguments = ["resilience4j@2:count-based", "--set", sets[0], "--set", sets[1], "--set", sets[2]];
    let (code, stdout, _) = replay(&arguments, slow);
    assert_eq!(
        (code, stdout.lines().last()),
        (
            0,
            Some(
                "     4            13  end    A         S               1  closed        open                0"
            )
        )
    );
    let two = "time_s,event,outcome\n0,call,F\n1,call,failure\n2,call,success\n";
    let (code, stdout, _) = replay(&["scenario.toml#shared", "--format", "csv"], two);
    assert_eq!((code, stdout.lines().last()), (0, Some("3,2,call,success,0,open,open,2")));
    let (_, again, _) = replay(&["scenario.toml#shared", "--format", "csv", "--set", "fail_max=3"], two);
    assert_eq!(again.lines().last(), Some("3,2,call,success,1,closed,closed,0"));
}

#[test]
fn a_trace_with_a_mistake_names_file_line_field_and_remedy() {
    let header = "time_s,event,outcome,call,took_s\n";
    let cases = [
        (
            "pybreaker@1",
            "time_s,outcome\n0,S\n".to_owned(),
            &["calls.csv:1", "`event`", "begin the file with"][..],
        ),
        (
            "pybreaker@1",
            format!("{header}1,call,S,,\n0,call,S,,\n"),
            &["calls.csv:3", "`time_s`", "sort the rows"],
        ),
        (
            "pybreaker@1",
            format!("{header}soon,call,S,,\n"),
            &["calls.csv:2", "`time_s`", "a number of seconds"],
        ),
        (
            "pybreaker@1",
            format!("{header}NaN,call,S,,\n"),
            &["calls.csv:2", "`time_s`", "a number of seconds"],
        ),
        ("pybreaker@1", format!("{header}1,cal,S,,\n"), &["calls.csv:2", "`event`", "did you mean `call`?"]),
        ("pybreaker@1", format!("{header}1,call,maybe,,\n"), &["calls.csv:2", "`outcome`", "S or success"]),
        ("pybreaker@1", format!("{header}1,call,,,\n"), &["calls.csv:2", "`outcome`", "S or success"]),
        (
            "pybreaker@1",
            format!("{header}1,call,S,,-1\n"),
            &["calls.csv:2", "`took_s`", "a number of seconds"],
        ),
        ("pybreaker@1", format!("{header}1,start,,,\n"), &["calls.csv:2", "`call`", "give it a name"]),
        ("pybreaker@1", format!("{header}1,end,S,A,\n"), &["calls.csv:2", "`call`", "add its \"start\""]),
        (
            "pybreaker@1",
            format!("{header}1,start,,A,\n2,start,,A,\n"),
            &["calls.csv:3", "`call`", "end it first"],
        ),
        ("pybreaker@1", format!("{header}1,call\n"), &["calls.csv:2", "2 fields, the header 5"]),
        ("pybreker@1", header.to_owned(), &["pybreker@1", "did you mean `pybreaker@1`?"]),
        ("scenario.toml#share", header.to_owned(), &["\"share\"", "did you mean `shared`?"]),
        ("scenario.toml#none", header.to_owned(), &["\"none\" has no breaker"]),
    ];
    for (breaker, trace, needles) in cases {
        let (code, stdout, stderr) = replay(&[breaker], &trace);
        assert_eq!((code, stdout.as_str()), (2, ""), "{trace}");
        for needle in needles {
            assert!(stderr.contains(needle), "{trace}: no {needle:?} in\n{stderr}");
        }
    }
    let (code, _, stderr) = replay(&["pybreaker@1", "--set", "fail_mx=3"], header);
    assert!(code == 2 && stderr.contains("did you mean `fail_max`?"), "{stderr}");
}

/// A breaker of a scenario is replayed with the luck of its run, and counts what it counts there.
#[test]
fn the_command_does_what_the_run_does() {
    let drawn = "trip.consecutive = 1, open_for = { backoff.fixed = '5s', jitter = 'full' }, \
                 counts.only = { status = ['5xx'] }";
    let of = |policy: &str| {
        format!(
            "horizon = '10m'\nseed = 11\n[services.s]\nfaults = [{{ random = {{ status = 503, probability = 0.4 }} }}, \
             {{ random = {{ status = 404, probability = 0.4 }} }}]\n[workloads.others]\nservice = 's'\narrivals.burst = {{}}\n\
             policy = 'plain'\n[workloads.calls]\nservice = 's'\narrivals.even = {{ rate = '1/s' }}\n[policies.plain]\n\
             retries = 0\n[policies.guarded]\nretries = 0\n{policy}\n[arms.one]\ncalls = 'guarded'\n"
        )
    };
    let mut seen = Vec::new();
    for (policy, layer) in [
        (format!("breaker = {{ {drawn} }}"), "1"),
        (format!("breaker = {{ {drawn}, scope = 'global' }}"), "1"),
        (format!("breaker = {{ {drawn}, scope = 'client', position = 'outside' }}"), "1"),
        (format!("inner = {{ retries = 0, breaker = {{ {drawn} }} }}"), "2"),
    ] {
        let text = of(&policy);
        let scenario =
            Scenario::parse("same", "same.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let calls = scenario.workloads.iter().position(|workload| workload.name == "calls").unwrap();
        let traces = Simulation::new(&scenario, 0, 0, 600).run().traces;
        let (mut trace, mut admitted) = ("time_s,event,outcome\n".to_owned(), Vec::new());
        for step in traces[calls].iter().flat_map(|request| &request.steps) {
            let outcome = match step.outcome {
                Some(Outcome::Status(code)) => code.get().to_string(),
                _ => "F".to_owned(),
            };
            trace += &format!("{},call,{outcome}\n", step.sent.as_secs_f64());
            admitted.push(if step.outcome == Some(Outcome::BreakerOpen) { "0" } else { "1" });
        }
        let arguments = ["scenario.toml#guarded", "--layer", layer, "--format", "csv"];
        let (code, stdout, stderr) = replay_beside(&text, &arguments, &trace);
        assert_eq!((code, stderr.as_str()), (0, ""), "{policy}");
        let replayed: Vec<&str> = stdout.lines().skip(1).filter_map(|line| line.split(',').nth(4)).collect();
        assert!(admitted.iter().filter(|&&admitted| admitted == "0").count() > 100, "{policy}");
        assert_eq!(replayed, admitted, "{policy}");
        seen.push(stdout);
    }
    assert_ne!(seen[0], seen[1], "a global breaker has luck of its own");
    assert_ne!(seen[0], seen[3], "an inner breaker has luck of its own");
    let (code, _, stderr) = replay_beside(
        &of(&format!("inner = {{ retries = 0, breaker = {{ {drawn} }} }}")),
        &["scenario.toml#guarded"],
        "",
    );
    assert!(code == 2 && stderr.contains("--layer 2"), "{stderr}");
}

#[test]
fn requests_wait_for_the_probe_in_a_simulation() {
    // Ten clients meet an outage, whose first failure opens the breaker for the nine others, and come again 10 s later: one of
    // them is the probe, the nine others are refused, or wait and go when it has succeeded.
    for (overflow, succeeded, refused) in [("reject", 1, 18), ("wait", 10, 9)] {
        let text = format!(
            "horizon = '1m'\n[services.s]\nlatency.constant = '1s'\n[[services.s.incidents]]\n\
             outage = {{ from = '0s', lasts = '5s' }}\n[workloads.w]\nservice = 's'\nclients = 10\n\
             arrivals.burst = {{ every = '10s', times = 2 }}\n[policies.p]\nretries = 0\n\
             breaker = {{ trip.consecutive = 1, open_for = '5s', overflow = '{overflow}' }}\n"
        );
        let scenario =
            Scenario::parse("waits", "waits.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let record = Simulation::new(&scenario, 0, 0, 0).run();
        let tally = &record.workloads[0];
        assert_eq!(
            (tally.succeeded(), tally.refused, tally.attempts),
            (succeeded, refused, 20),
            "{overflow}"
        );
    }
}
