//! What a run costs beside the simulation: reading the scenario, CSV files, charts, the folder, the table on the terminal.
//!
//! Of one arm that makes about a million attempts, and of the quick start as it ships, on one thread, where the share of what is
//! written is smallest, and on as many as there are cores, as a user runs it: what is written is written by one thread.

mod ratio;
mod workload;

use std::path::Path;

use ratio::{Ratios, is_whole, rounds, timed, turns};
use retrysim::experiment::{self, Options, Results};
use retrysim::report::{self, Folder, Verb};
use retrysim::scenario::Scenario;

/// One arm, one replication, about a million attempts.
fn million(whole: bool) -> Scenario {
    let mut scenario = workload::scenario(10_000, if whole { 900 } else { 9 }, 1.2);
    scenario.replications = 1;
    scenario
}

fn quick_start(whole: bool) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/jitter-vs-fixed.toml");
    let mut scenario = Scenario::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
    if !whole {
        scenario.replications = 2;
    }
    scenario
}

/// What stands on the terminal.
fn said(scenario: &Scenario, results: &Results) -> String {
    let verdicts = experiment::judge(scenario, results);
    [
        report::table(scenario, results),
        report::legend(scenario),
        report::standings(scenario, results),
        report::verdicts(&verdicts),
    ]
    .concat()
}

fn main() {
    let mut ratios = Ratios::default();
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let target = place.path().join("run");
    println!(
        "{:<14}{:>10}{:>10}{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "milliseconds", "attempts", "read", "run, 1 job", "run, all", "CSV", "charts", "folder", "terminal"
    );
    for (name, scenario) in [("million", million(is_whole())), ("quick-start", quick_start(is_whole()))] {
        let run = |jobs| experiment::run(&scenario, Options { traced: 0, jobs }, &|| ());
        let results = run(0);
        let attempts: u64 = results
            .arms
            .iter()
            .flat_map(|arm| &arm.workloads)
            .map(|workload| {
                let per_request =
                    workload.named("attempts_per_request").map_or(0.0, |estimate| estimate.mean);
                (workload.requests as f64 * per_request) as u64
            })
            .sum();
        let files = report::files(&scenario, &results, false, report::Pictures::Svg);
        let (scenario, results, files, target, run) = (&scenario, &results, &files, &target, &run);
        let csv = move || {
            let tables = [
                report::summary(scenario, results),
                report::replications(scenario, results),
                report::time_series(scenario, results),
                report::time_to_success(scenario, results),
            ];
            if scenario.arms.len() > 1 {
                (tables, report::comparison(scenario, results))
            } else {
                (tables, Vec::new())
            }
        };
        let write = move || {
            let folder = Folder::prepare(target, Verb::Run).unwrap_or_else(|error| panic!("{error}"));
            folder.write(files).unwrap_or_else(|error| panic!("{error}"));
        };
        let read = move || Scenario::parse(&scenario.name, "bench.toml", &scenario.text, &[]).map(|_| ());
        let least = turns(
            rounds(9),
            &mut [
                Box::new(move |_| timed(read).1),
                Box::new(move |_| timed(|| run(1)).1),
                Box::new(move |_| timed(|| run(0)).1),
                Box::new(move |_| timed(csv).1),
                Box::new(move |_| {
                    timed(|| report::charts_and_page(scenario, files, report::Pictures::Svg)).1
                }),
                Box::new(move |_| timed(write).1),
                Box::new(move |_| timed(|| said(scenario, results)).1),
            ],
        );
        print!("{name:<14}{attempts:>10}");
        for (seconds, width) in least.iter().zip([10, 12, 10, 10, 10, 10, 10]) {
            print!("{:>width$.2}", seconds * 1e3);
        }
        println!();
        let output: f64 = least[3..].iter().sum();
        for (jobs, run) in [("one-thread", least[1]), ("all-cores", least[2])] {
            ratios.timed(format!("output/{name}/share-{jobs}"), output / (least[0] + run + output));
        }
    }
    ratios.print();
}
