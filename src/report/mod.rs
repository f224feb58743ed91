//! Reports: one result, many thin writers. A chart draws nothing that is not in a CSV.

mod best;
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

pub use self::best::winners;
pub use self::comparison::{comparison, standings};
pub use self::csv::{attempts, expectations, lanes, replications, summary, time_series, time_to_success};
pub use charts::Pictures;
pub use delays::{delays_csv, delays_json, delays_table, passed_csv};
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
use crate::experiment::{DelaySummary, Results, judge};
use crate::scenario::Scenario;

/// Every file of a run (name, bytes), the manifest last.
pub fn files(
    scenario: &Scenario,
    results: &Results,
    traced: bool,
    pictures: Pictures,
) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("scenario.toml".to_owned(), scenario.kept().into_bytes())];
    files.extend(result_files(scenario, results, traced));
    files
        .extend(charts_and_page(scenario, &files, pictures).expect("what has just been written can be read"));
    let manifest = of_run(scenario, results, &files);
    files.push(("manifest.json".to_owned(), manifest));
    files
}

/// The results of a run, in files (name, bytes).
pub fn result_files(scenario: &Scenario, results: &Results, traced: bool) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("summary.csv".to_owned(), summary(scenario, results)),
        ("comparison.csv".to_owned(), comparison(scenario, results)),
        ("winners.csv".to_owned(), winners(scenario, results)),
        ("replications.csv".to_owned(), replications(scenario, results)),
        ("timeseries.csv".to_owned(), time_series(scenario, results)),
        ("time_to_success.csv".to_owned(), time_to_success(scenario, results)),
        ("expectations.csv".to_owned(), expectations(&judge(scenario, results))),
    ];
    if scenario.arms.len() < 2 {
        files.retain(|(name, _)| !["comparison.csv", "winners.csv"].contains(&name.as_str()));
    }
    if scenario.expectations.is_empty() {
        files.retain(|(name, _)| name != "expectations.csv");
    }
    files.extend(lanes(scenario, results).map(|lanes| ("lanes.csv".to_owned(), lanes)));
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
    pictures: Pictures,
) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("scenario.toml".to_owned(), scenario.kept().into_bytes()),
        ("limits.csv".to_owned(), tipping::tipping_csv(scenario, varied, question, points)),
        ("trials.csv".to_owned(), tipping::trials_csv(scenario, varied, points)),
    ];
    files.extend(charts::tipping_chart(scenario, varied, question, points).files(pictures));
    with_manifest(Verb::Limits, scenario, files)
}

/// Every file of a phase map (name, bytes), the manifest last.
pub fn phase_files(
    scenario: &Scenario,
    paths: [&str; 2],
    condition: &str,
    map: &PhaseMap,
    pictures: Pictures,
) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("scenario.toml".to_owned(), scenario.kept().into_bytes()),
        ("phases.csv".to_owned(), tipping::phases_csv(scenario, paths, map)),
    ];
    files.extend(charts::phase_chart(scenario, paths, condition, map).files(pictures));
    with_manifest(Verb::Limits, scenario, files)
}

/// When the retries of policies (name, retries) come, as a chart: its bytes as SVG, and as PNG if that is asked for. `file` is what
/// it is drawn from ([`passed_csv`]), of requests drawn so often with this seed.
pub fn delays_picture(
    policies: &[(String, Vec<DelaySummary>)],
    (seed, samples): (u64, u32),
    file: &str,
    pictures: Pictures,
) -> (Vec<u8>, Option<Vec<u8>>) {
    let chart = charts::delays_chart(policies, (seed, samples), file);
    (chart.svg(), (pictures == Pictures::SvgAndPng).then(|| chart.png()))
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
