//! Reports: one result, many thin writers. A chart draws nothing that is not in a CSV.

mod charts;
mod csv;
mod delays;
mod folder;
mod json;
mod manifest;
pub mod number;
mod presets;
mod terminal;
mod tune;
mod words;
mod wrap;

pub use self::charts::charts;
pub use self::csv::{attempts, replications, summary, time_series, time_to_success};
pub use delays::{delays_csv, delays_json, delays_table};
pub use folder::Folder;
pub use json::summary_json;
pub use manifest::{RESULTS_VERSION, manifest, sha256};
pub use presets::{preset_in_full, presets_csv, presets_json, presets_table};
pub use terminal::{legend, table, unserved, verdicts};
pub use tune::{
    best_practices_csv, best_practices_markdown, tuned_files, tuned_legend, tuned_scenario, tuned_table,
};
pub use words::{breaker_in_words, in_words};
pub use wrap::below;

use crate::experiment::Results;
use crate::scenario::Scenario;

/// Every file of a run (name, bytes), the manifest last.
pub fn files(scenario: &Scenario, results: &Results, traced: bool) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("scenario.toml".to_owned(), scenario.text.clone().into_bytes()),
        ("summary.csv".to_owned(), summary(scenario, results)),
        ("replications.csv".to_owned(), replications(scenario, results)),
        ("timeseries.csv".to_owned(), time_series(scenario, results)),
        ("time_to_success.csv".to_owned(), time_to_success(scenario, results)),
    ];
    if traced {
        files.push(("attempts.csv".to_owned(), attempts(scenario, results)));
    }
    files.extend(charts(scenario, results));
    let manifest = manifest(scenario, &files);
    files.push(("manifest.json".to_owned(), manifest));
    files
}
