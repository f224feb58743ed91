//! Reports: one result, many thin writers. A chart draws nothing that is not in a CSV.

mod charts;
mod comparison;
mod csv;
mod delays;
mod file;
mod folder;
mod html;
mod json;
mod junit;
mod kept;
mod manifest;
mod markup;
pub mod number;
mod overview;
mod presets;
mod redraw;
mod reproduce;
mod story;
pub mod sweep;
mod tables;
mod terminal;
mod tipping;
mod tune;
mod words;
mod wrap;

pub use self::comparison::{comparison, standings};
pub use self::csv::{attempts, expectations, replications, summary, time_series, time_to_success};
pub use delays::{delays_csv, delays_json, delays_table};
pub use file::File;
pub use folder::Folder;
pub use json::{phase_json, summary_json, tipping_json};
pub use junit::junit;
pub use manifest::{RESULTS_VERSION, Verb, sha256};
use manifest::{manifest, of_run};
pub use overview::overview;
pub use presets::{preset_in_full, presets_csv, presets_json, presets_table};
pub use redraw::{Kept, charts_and_page, several};
pub use reproduce::{Compared, Original};
pub use story::{Among, Which, stories};
pub use terminal::{legend, table, unserved, verdicts};
pub use tipping::{phase_table, tipping_table};
pub use tune::{
    best_practices_csv, best_practices_markdown, tuned_files, tuned_legend, tuned_scenario, tuned_table,
};
pub use words::{breaker_in_words, in_words};
pub use wrap::below;

use crate::experiment::tipping::{PhaseMap, Question, Tipping, Varied};
use crate::experiment::{Results, judge};
use crate::scenario::Scenario;

/// Every file of a run (name, bytes), the manifest last.
pub fn files(scenario: &Scenario, results: &Results, traced: bool) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("scenario.toml".to_owned(), scenario.kept().into_bytes())];
    files.extend(result_files(scenario, results, traced));
    files.extend(charts_and_page(scenario, &files).expect("what has just been written can be read"));
    let manifest = of_run(scenario, results, &files);
    files.push(("manifest.json".to_owned(), manifest));
    files
}

/// The results of a run, in files (name, bytes).
pub fn result_files(scenario: &Scenario, results: &Results, traced: bool) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("summary.csv".to_owned(), summary(scenario, results)),
        ("comparison.csv".to_owned(), comparison(scenario, results)),
        ("replications.csv".to_owned(), replications(scenario, results)),
        ("timeseries.csv".to_owned(), time_series(scenario, results)),
        ("time_to_success.csv".to_owned(), time_to_success(scenario, results)),
        ("expectations.csv".to_owned(), expectations(&judge(scenario, results))),
    ];
    if scenario.arms.len() < 2 {
        files.retain(|(name, _)| name != "comparison.csv");
    }
    if scenario.expectations.is_empty() {
        files.retain(|(name, _)| name != "expectations.csv");
    }
    if traced {
        files.push(("attempts.csv".to_owned(), attempts(scenario, results)));
    }
    files
}

/// Every file of a search for tipping points (name, bytes), the manifest last.
pub fn tipping_files(
    scenario: &Scenario,
    varied: &Varied,
    question: &Question,
    points: &[Tipping],
) -> Vec<(String, Vec<u8>)> {
    with_manifest(
        Verb::Limits,
        scenario,
        vec![
            ("scenario.toml".to_owned(), scenario.kept().into_bytes()),
            ("limits.csv".to_owned(), tipping::tipping_csv(scenario, varied, question, points)),
            ("trials.csv".to_owned(), tipping::trials_csv(scenario, varied, points)),
            charts::tipping_chart(scenario, varied, question, points).svg(),
        ],
    )
}

/// Every file of a phase map (name, bytes), the manifest last.
pub fn phase_files(
    scenario: &Scenario,
    paths: [&str; 2],
    condition: &str,
    map: &PhaseMap,
) -> Vec<(String, Vec<u8>)> {
    with_manifest(
        Verb::Limits,
        scenario,
        vec![
            ("scenario.toml".to_owned(), scenario.kept().into_bytes()),
            ("phases.csv".to_owned(), tipping::phases_csv(scenario, paths, map)),
            charts::phase_chart(scenario, paths, condition, map).svg(),
        ],
    )
}

fn with_manifest(
    verb: Verb,
    scenario: &Scenario,
    mut files: Vec<(String, Vec<u8>)>,
) -> Vec<(String, Vec<u8>)> {
    let manifest = manifest(verb, scenario, &files);
    files.push(("manifest.json".to_owned(), manifest));
    files
}
