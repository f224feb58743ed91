//! The engine beside `SimPy`, with the same workload, in turn: how many attempts each makes in a second, on one thread.
//!
//! Needs a Python with `SimPy`: the one that the environment variable `RETRYSIM_PYTHON` names, or `python3`. Without, it says how to get
//! it and ends well. Most of the ratio is that one is compiled and the other is not; `benches/engine.rs` holds the engine against
//! something that is.

mod ratio;
mod workload;

use std::path::Path;
use std::process::Command;

use ratio::{Ratios, is_whole, rounds, timed, turns};
use retrysim::simulation::Simulation;

const CLIENTS: u64 = 1_000;

/// What a run came to, and the seconds that it took.
#[derive(Debug, Clone, Copy)]
struct Run {
    requests: f64,
    attempts: f64,
    succeeded: f64,
    seconds: f64,
}

impl Run {
    fn per_attempt(self) -> f64 {
        self.seconds / self.attempts
    }
}

fn simpy(python: &str, seconds: u64, load: f64, seed: u32) -> Run {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/simpy_workload.py");
    let arguments = [CLIENTS.to_string(), seconds.to_string(), load.to_string(), seed.to_string()];
    let output = Command::new(python).arg(script).args(arguments).output().expect("it ran a moment ago");
    let said = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = said.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    let [requests, attempts, succeeded, seconds] = figures[..] else {
        panic!("SimPy gives four figures, not {said:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    Run { requests, attempts, succeeded, seconds }
}

fn engine(seconds: u64, load: f64, replication: u32) -> Run {
    let scenario = workload::scenario(CLIENTS, seconds, load);
    let (record, took) = timed(|| Simulation::new(&scenario, 0, replication, 0).run());
    let tally = &record.workloads[0];
    Run {
        requests: tally.requests as f64,
        attempts: tally.attempts as f64,
        succeeded: tally.succeeded() as f64,
        seconds: took,
    }
}

fn main() {
    let python = std::env::var("RETRYSIM_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import simpy; print(simpy.__version__)"]).output();
    let version = found.ok().filter(|output| output.status.success());
    let Some(version) = version else {
        println!(
            "{python} has no SimPy, so there is nothing to be held against: `pip install simpy==4.1.2`, or name another Python in \
             RETRYSIM_PYTHON"
        );
        for load in ["light", "overload"] {
            println!("ratio\tengine/simpy/{load}/1e3\tabsent");
        }
        return;
    };
    println!("SimPy {}", String::from_utf8_lossy(&version.stdout).trim());
    println!("{:<20}{:>16}{:>16}{:>10}", "attempts per second", "engine", "SimPy", "ratio");
    let mut ratios = Ratios::default();
    for (name, load, seconds) in [("light", 1.2, 2_000), ("overload", 0.5, 500)] {
        let seconds = if is_whole() { seconds } else { 10 };
        let shares = |run: Run| [run.attempts / run.requests, run.succeeded / run.requests];
        let (ours, theirs) = (shares(engine(seconds, load, 0)), shares(simpy(&python, seconds, load, 0)));
        let apart = [ours[0] - theirs[0], ours[1] - theirs[1]];
        assert!(
            !is_whole() || apart.iter().all(|apart| apart.abs() < 0.05),
            "the same workload: {ours:?}, {theirs:?}"
        );
        let python = &python;
        let least = turns(
            rounds(5),
            &mut [
                Box::new(move |round| engine(seconds, load, round).per_attempt()),
                Box::new(move |round| simpy(python, seconds, load, round).per_attempt()),
            ],
        );
        println!("{name:<20}{:>16.0}{:>16.0}{:>10.1}", 1.0 / least[0], 1.0 / least[1], least[1] / least[0]);
        ratios.timed(format!("engine/simpy/{name}/1e3"), least[1] / least[0]);
    }
    ratios.print();
}
