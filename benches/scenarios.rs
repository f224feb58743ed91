//! Real questions: what the engine makes of the scenarios that ship, arm by arm on one thread, against the plain workload of the
//! bench `engine` in the same run. Setting up a replication is measured apart from running it.

mod ratio;
mod workload;

use std::hint::black_box;
use std::path::Path;

use ratio::{Ratios, is_whole, rounds, timed, turns};
use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};

/// The quick start, the table of best practices, limits with herds, queues that collapse under timeouts, layers, caches, breakers
/// shared and per client, budgets, slots.
const SCENARIOS: &[&str] = &[
    "jitter-vs-fixed",
    "best-practices",
    "retry-after-lockstep",
    "metastable-storm",
    "layered-retries",
    "cold-cache",
    "breaker-flapping",
    "leaky-budgets",
    "slow-or-down",
];

/// Those that the command line names, as for a profile of one; all if it names none.
fn chosen() -> Vec<&'static str> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let asked = |name: &&str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let unknown = arguments.iter().find(|argument| !SCENARIOS.contains(&argument.as_str()));
    assert!(
        unknown.is_none(),
        "there is no {unknown:?} here: name some of {SCENARIOS:?}, or none for all of them"
    );
    SCENARIOS.iter().copied().filter(asked).collect()
}

fn load(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml"));
    Scenario::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// What happened in a replication, added up over workloads and arms.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    events: u64,
    attempts: u64,
}

impl Counts {
    fn of(record: &Record) -> Self {
        let attempts = record.workloads.iter().map(|tally| tally.attempts).sum();
        Self { events: record.events, attempts }
    }

    fn plus(self, other: Self) -> Self {
        Self { events: self.events + other.events, attempts: self.attempts + other.attempts }
    }
}

/// The seconds that it takes to set up replication 0 of an arm, and those that it takes to run it.
fn work(scenario: &Scenario, arm: usize) -> [Box<dyn FnMut(u32) -> f64 + '_>; 2] {
    [
        Box::new(move |_| timed(|| black_box(Simulation::new(scenario, arm, 0, 0))).1),
        Box::new(move |_| {
            let simulation = Simulation::new(scenario, arm, 0, 0);
            timed(|| black_box(simulation.run())).1
        }),
    ]
}

fn row(name: &str, counts: Counts, setup: f64, run: f64) {
    let Counts { events, attempts } = counts;
    println!(
        "{name:<40}{:>10}{:>10}{:>8.2}{:>12.3}{:>10.1}{:>10.1}{:>10.1}",
        attempts,
        events,
        events as f64 / attempts as f64,
        setup * 1e3,
        run * 1e9 / attempts as f64,
        run * 1e9 / events as f64,
        events as f64 / run * 1e-6,
    );
}

fn main() {
    let plain = workload::scenario(100_000, if is_whole() { 45 } else { 2 }, 1.2);
    let named = chosen();
    let scenarios: Vec<(&str, Scenario)> = named.iter().map(|&name| (name, load(name))).collect();
    let all: Vec<(&str, &Scenario, usize)> = std::iter::once(("plain", &plain, 0))
        .chain(
            scenarios
                .iter()
                .flat_map(|(name, scenario)| (0..scenario.arms.len()).map(move |arm| (*name, scenario, arm))),
        )
        .collect();
    let counts: Vec<Counts> = all
        .iter()
        .map(|&(_, scenario, arm)| Counts::of(&Simulation::new(scenario, arm, 0, 0).run()))
        .collect();
    let mut work: Vec<_> = all.iter().flat_map(|&(_, scenario, arm)| work(scenario, arm)).collect();
    let least = turns(rounds(7), &mut work);

    println!(
        "{:<40}{:>10}{:>10}{:>8}{:>12}{:>10}{:>10}{:>10}",
        "one replication", "attempts", "events", "per att", "setup, ms", "ns/att", "ns/event", "M ev/s"
    );
    let mut ratios = Ratios::default();
    let plain_per_event = least[1] / counts[0].events as f64;
    row("plain", counts[0], least[0], least[1]);
    for name in named {
        let mut total = (Counts::default(), 0.0, 0.0);
        for (index, (_, scenario, arm)) in all.iter().enumerate().filter(|(_, (of, ..))| *of == name) {
            let (setup, run) = (least[2 * index], least[2 * index + 1]);
            row(&format!("{name}, {}", scenario.arms[*arm].name), counts[index], setup, run);
            total = (total.0.plus(counts[index]), total.1 + setup, total.2 + run);
        }
        let (counts, setup, run) = total;
        row(&format!("{name}, all arms"), counts, setup, run);
        ratios.timed(format!("scenario/{name}/rate-to-plain"), plain_per_event * counts.events as f64 / run);
        ratios.counted(
            format!("scenario/{name}/events-per-attempt"),
            counts.events as f64 / counts.attempts as f64,
        );
    }
    ratios.print();
}
