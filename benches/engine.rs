//! The engine, with all of its metrics on, against the idealised loop of the same shape: the retry workload at three sizes, with
//! enough capacity and with half of it. Prints ratios; both are run in turn, and the fastest run of each counts.

mod ideal;
mod ratio;
mod workload;

use ratio::{Ratios, is_whole, timed};
use retrysim::simulation::Simulation;

/// Attempts in a run, about.
const ATTEMPTS: f64 = 2e6;

fn main() {
    // Under `cargo test` everything runs once, and small.
    let (rounds, attempts) = if is_whole() { (9, ATTEMPTS) } else { (1, 1e4) };
    let mut ratios = Ratios::default();
    println!("{:<28}{:>12}{:>12}{:>8}", "ns per attempt", "engine", "ideal", "ratio");
    for (name, load, tries) in [("light, 1.2x", 1.2, 1.11), ("overload, 0.5x", 0.5, 4.44)] {
        let mut first = None;
        for clients in [1_000u64, 100_000, 1_000_000] {
            let seconds = ((attempts / (clients as f64 * 0.1 * tries)) as u64).max(10);
            let scenario = workload::scenario(clients, seconds, load);
            let (mut engine, mut ideal) = (f64::INFINITY, f64::INFINITY);
            for round in 0..rounds {
                let (record, took) = timed(|| Simulation::new(&scenario, 0, round, 0).run());
                engine = engine.min(took * 1e9 / record.workloads[0].attempts as f64);
                let rate = clients as f64 * 0.1;
                let (counts, took) = timed(|| ideal::run(seconds, rate, rate * load, u64::from(round) + 1));
                ideal = ideal.min(took * 1e9 / counts.attempts as f64);
                let (ours, theirs) = (&record.workloads[0], counts);
                let shares = [
                    ours.attempts as f64 / ours.requests as f64
                        - theirs.attempts as f64 / theirs.requests as f64,
                    ours.succeeded() as f64 / ours.requests as f64
                        - theirs.succeeded as f64 / theirs.requests as f64,
                ];
                assert!(
                    attempts < 1e6 || shares.iter().all(|apart| apart.abs() < 0.05),
                    "the same workload: {shares:?}"
                );
            }
            println!(
                "{:<28}{engine:>12.1}{ideal:>12.1}{:>8.2}",
                format!("{name}, {clients} clients"),
                engine / ideal
            );
            let short = name.split(',').next().expect("it has a first part");
            ratios.timed(format!("engine/ideal/{short}/{clients:e}"), engine / ideal);
            let first = *first.get_or_insert(engine);
            if clients == 1_000_000 {
                println!("{:<28}{:>12.3}", format!("{name}, exponent"), libm::log10(engine / first) / 3.0);
                ratios.timed(format!("engine/growth/{short}"), engine / first);
            }
        }
    }
    ratios.print();
}
