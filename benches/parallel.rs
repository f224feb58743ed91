//! Two threads against one: what replications gain by a second core, where all are alike and where one arm is ten times as much as
//! each of the others. What comes out must be the same bytes.

mod ratio;
mod workload;

use ratio::{Ratios, is_whole, rounds, timed, turns};
use retrysim::experiment::{self, Options};
use retrysim::report;
use retrysim::scenario::Scenario;

/// One arm of many replications.
fn even(whole: bool) -> Scenario {
    let mut scenario = workload::scenario(1_000, if whole { 100 } else { 20 }, 0.5);
    scenario.replications = if whole { 64 } else { 4 };
    scenario
}

/// Seven arms that do next to nothing, and after them, in the file, one that calls a service that is down again and again.
fn uneven(whole: bool) -> Scenario {
    let mut text = format!(
        "horizon = '{}s'\n\
         replications = 4\n\
         [services.api]\n\
         faults = [{{ random = {{ status = 503, probability = 0.9 }} }}]\n\
         [workloads.calls]\n\
         service = 'api'\n\
         arrivals.poisson = {{ rate = '500/s' }}\n",
        if whole { 200 } else { 4 }
    );
    for arm in 1..8 {
        text += &format!("[policies.small{arm}]\nretries = 0\n");
    }
    text += "[policies.large]\nretries = 20\nbackoff.fixed = '1s'\njitter = 'full'\n";
    Scenario::parse("uneven", "uneven.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 {
        println!("this machine has one core: two threads can gain nothing here");
    }
    let whole = is_whole();
    println!("{:<20}{:>16}{:>16}{:>12}", "seconds", "one thread", "two threads", "speed-up");
    let mut ratios = Ratios::default();
    for (name, scenario) in [("even", even(whole)), ("uneven", uneven(whole))] {
        let run = |jobs| experiment::run(&scenario, Options { traced: 0, jobs }, &|| ());
        let [one, two] =
            [1, 2].map(|jobs| report::files(&scenario, &run(jobs), false, report::Pictures::Svg));
        assert!(one == two, "{name}: two threads give other bytes than one");
        let run = &run;
        let least = turns(
            rounds(3),
            &mut [Box::new(move |_| timed(|| run(1)).1), Box::new(move |_| timed(|| run(2)).1)],
        );
        println!("{name:<20}{:>16.3}{:>16.3}{:>12.2}", least[0], least[1], least[0] / least[1]);
        ratios.timed(format!("parallel/{name}/speed-up"), least[0] / least[1]);
    }
    ratios.print();
}
