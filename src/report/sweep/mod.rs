//! Sweeps as files: the plan, the finished points, one table of all of them, and charts of it.

mod merge;
mod plan;
mod point;
mod rows;
mod terminal;
mod work;

pub use merge::{Merged, merge};
pub use plan::{Part, Plan, Point, point_key};
pub use point::{Found, Tables, seal as sealed};
pub use rows::{Row, as_json, comparisons, table};
pub use terminal::sweep_table;
pub(super) use terminal::{Subject, shown, subjects};
pub use work::Work;

use super::charts::Pictures;
use crate::scenario::Metric;

/// The metrics that charts show if none are named.
pub const SHOWN: [&str; 3] = ["success_rate", "attempts_per_request", "offered_load_peak"];

/// Every file of a sweep, or of a shard of it, which has neither table nor charts; the manifest last. `scenario` is the text without
/// the axes, `points` the tables of all points that belong to it, in their order.
///
/// `None` if a table is none.
pub fn files(
    plan: &Plan,
    scenario: &str,
    points: &[(usize, Tables)],
    metrics: &[Metric],
    pictures: Pictures,
) -> Option<Vec<(String, Vec<u8>)>> {
    let mut files = vec![
        ("scenario.toml".to_owned(), scenario.as_bytes().to_vec()),
        (work::PLAN.to_owned(), plan.bytes()),
    ];
    if plan.shard.is_none() {
        files.push(("sweep.csv".to_owned(), table(plan, points)?));
        if points.iter().any(|(_, tables)| !tables.comparison.is_empty()) {
            files.push(("comparison.csv".to_owned(), comparisons(plan, points)?));
        }
        let charts = super::charts::sweep_charts(plan, &seen(points, metrics)?, metrics);
        files.extend(charts.iter().flat_map(|chart| chart.files(pictures)));
    }
    for (index, tables) in points {
        let key = &plan.points[*index].key;
        files.push((point::name(key), point::seal(key, tables)));
    }
    // Points with the same scenario share a file.
    let mut names = std::collections::BTreeSet::new();
    files.retain(|(name, _)| names.insert(name.clone()));
    let manifest = super::manifest::of_sweep(plan, &files);
    files.push(("manifest.json".to_owned(), manifest));
    Some(files)
}

/// The rows of `metrics` at each point.
pub(super) fn seen(points: &[(usize, Tables)], metrics: &[Metric]) -> Option<Vec<Vec<Row>>> {
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
    points.iter().map(|(_, tables)| rows::rows(&tables.summary, &names)).collect()
}
