//! The report of a tuning: tables of what was tried, of the front and of what was chosen, charts of the front, and the scenario
//! with what was found.

mod brief;
mod constraints;
mod csv;
mod markdown;
mod table;
mod why;
mod words;

pub use self::csv::best_practices_csv;
pub use markdown::best_practices_markdown;
pub use table::{tuned_legend, tuned_table};

use super::charts::{Pictures, front_charts};
use super::manifest::{Verb, manifest};
use crate::experiment::tune::Tuning;
use crate::scenario::{Addition, Scenario};

/// Every file of a tuning (name, bytes), the manifest last.
pub fn tuned_files(scenario: &Scenario, tuning: &Tuning, pictures: Pictures) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("scenario.toml".to_owned(), tuned_scenario(scenario, tuning).into_bytes()),
        ("best-practices.csv".to_owned(), best_practices_csv(scenario, tuning)),
        ("best-practices.md".to_owned(), best_practices_markdown(scenario, tuning).into_bytes()),
        ("chosen.csv".to_owned(), csv::chosen(scenario, tuning)),
        ("front.csv".to_owned(), csv::front(scenario, tuning)),
        ("candidates.csv".to_owned(), csv::candidates(scenario, tuning)),
        ("effects.csv".to_owned(), csv::effects(scenario, tuning)),
    ];
    files.extend(front_charts(scenario, tuning).iter().flat_map(|chart| chart.files(pictures)));
    let manifest = manifest(Verb::Tune, scenario, &files);
    files.push(("manifest.json".to_owned(), manifest));
    files
}

/// The text of the scenario with the tuned policies and an arm that uses them.
pub fn tuned_scenario(scenario: &Scenario, tuning: &Tuning) -> String {
    let addition = |(tune, found): (&crate::scenario::Tune, &crate::experiment::tune::TunedWorkload)| {
        Addition { workload: tune.workload, text: tune.tidied(&found.candidates[found.chosen].values) }
    };
    let additions: Vec<Addition> = scenario.tunings.iter().zip(&tuning.workloads).map(addition).collect();
    scenario.with_tuned(&additions)
}
