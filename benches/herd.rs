//! Ten million clients and an outage of ten minutes: each wants one thing, none gets it before the outage ends, and all come back. How
//! long that takes on one thread, and how much memory.

mod ratio;

use ratio::{Ratios, is_whole, timed};
use retrysim::scenario::Scenario;
use retrysim::simulation::Simulation;

/// Goals for ten million clients: seconds, and bytes.
const GOAL: (f64, f64) = (60.0, 1.5e9);

fn outage(clients: u64) -> Scenario {
    let text = format!(
        "horizon = '30m'\n\
         [services.api]\n\
         latency.constant = '50ms'\n\
         [[services.api.incidents]]\n\
         outage = {{ from = '0s', lasts = '10m' }}\n\
         [workloads.calls]\n\
         service = 'api'\n\
         clients = {clients}\n\
         arrivals.burst = {{ spread = '5m' }}\n\
         [policies.patient]\n\
         retries = 30\n\
         backoff.exponential = {{ base = '10s' }}\n\
         cap_before_jitter = '2m'\n\
         jitter = 'equal'\n"
    );
    Scenario::parse("herd", "herd.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The most memory that this process has had, in bytes; only Linux says.
fn most_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok().map(|kilobytes: f64| kilobytes * 1024.0)
}

fn main() {
    let clients: u64 = if is_whole() { 10_000_000 } else { 10_000 };
    let scenario = outage(clients);
    let (record, seconds) = timed(|| Simulation::new(&scenario, 0, 0, 0).run());
    let tally = &record.workloads[0];
    assert_eq!((tally.requests, tally.succeeded()), (clients, clients), "all come back");
    let attempts = tally.attempts as f64;
    println!(
        "{clients} clients, {attempts} attempts: {seconds:.1} s, {:.1} ns per attempt",
        seconds * 1e9 / attempts
    );
    let mut ratios = Ratios::default();
    ratios.counted("herd/events-per-attempt", events_per_attempt());
    if is_whole() {
        ratios.timed("herd/1e7/time-of-goal", seconds / GOAL.0);
        if let Some(bytes) = most_memory() {
            println!("at most {:.2} GB, {:.0} bytes per client", bytes * 1e-9, bytes / clients as f64);
            ratios.timed("herd/1e7/memory-of-goal", bytes / GOAL.1);
        }
    }
    ratios.print();
}

/// Of a thousandth of them, so that it is the same in every kind of run.
fn events_per_attempt() -> f64 {
    let scenario = outage(10_000);
    let record = Simulation::new(&scenario, 0, 0, 0).run();
    record.events as f64 / record.workloads[0].attempts as f64
}
