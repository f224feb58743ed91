//! The rows of a sweep: those of the `summary.csv` and `comparison.csv` of each point, with the point and its values before them.

use super::plan::Plan;
use super::point::Tables;

/// What precedes the numbers in a row of `summary.csv`.
const NAMES: usize = 5;
/// How many columns `summary.csv` has.
const COLUMNS: usize = 11;
/// How many columns `comparison.csv` has.
const COMPARED: usize = 16;

/// What was seen of one figure at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The arm.
    pub arm: String,
    /// The workload; empty of figures of a service.
    pub workload: String,
    /// The service.
    pub service: String,
    /// The metric.
    pub metric: String,
    /// Its mean, if it was observed; infinite for what never happens.
    pub mean: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<(f64, f64)>,
}

/// `sweep.csv`: one row per point, arm, workload or service, and metric. `points` are those with these indices. `None` if a summary
/// is none.
pub fn table(plan: &Plan, points: &[(usize, Tables)]) -> Option<Vec<u8>> {
    let summaries = points.iter().map(|(index, tables)| (*index, tables.summary.as_slice()));
    joined(plan, summaries, COLUMNS)
}

/// `comparison.csv`: one row per point, arm other than the baseline, workload or service, and metric. `None` if a comparison is
/// none.
pub fn comparisons(plan: &Plan, points: &[(usize, Tables)]) -> Option<Vec<u8>> {
    let comparisons = points.iter().map(|(index, tables)| (*index, tables.comparison.as_slice()));
    joined(plan, comparisons.filter(|(_, comparison)| !comparison.is_empty()), COMPARED)
}

/// The rows of a table of so many columns at each point, with the point and its values before them.
fn joined<'a>(
    plan: &Plan,
    tables: impl Iterator<Item = (usize, &'a [u8])>,
    columns: usize,
) -> Option<Vec<u8>> {
    let mut joined = csv::Writer::from_writer(Vec::new());
    for (place, (index, table)) in tables.enumerate() {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
        let mut records = reader.records();
        let header = records.next()?.ok().filter(|header| header.len() == columns)?;
        if place == 0 {
            let axes = plan.axes.iter().map(String::as_str);
            joined.write_record(std::iter::once("point").chain(axes).chain(&header)).ok()?;
        }
        let number = (index + 1).to_string();
        let values = &plan.points.get(index)?.values;
        for record in records {
            let record = record.ok()?;
            let before = std::iter::once(number.as_str()).chain(values.iter().map(String::as_str));
            joined.write_record(before.chain(&record)).ok()?;
        }
    }
    joined.into_inner().ok()
}

/// The rows of `metrics` in the summary of a point; `None` if it is none.
pub(super) fn rows(summary: &[u8], metrics: &[&str]) -> Option<Vec<Row>> {
    let mut reader = csv::Reader::from_reader(summary);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.ok()?;
        let cell = |column: usize| record.get(column);
        let number =
            |column: usize| Some(cell(column)?.parse::<f64>().ok().filter(|number| !number.is_nan()));
        if !metrics.contains(&cell(3)?) {
            continue;
        }
        let [arm, workload, service, metric] = [cell(0)?, cell(1)?, cell(2)?, cell(3)?].map(str::to_owned);
        let (mean, low, high) = (number(NAMES)?, number(NAMES + 1)?, number(NAMES + 2)?);
        rows.push(Row { arm, workload, service, metric, mean, interval: low.zip(high) });
    }
    Some(rows)
}

/// `sweep.csv` as a JSON array of objects, as `summary.csv` is written: the number of the point and the figures are numbers, the
/// values of axes are texts, as they were given.
pub fn as_json(plan: &Plan, table: &[u8]) -> String {
    let names = 1..1 + plan.axes.len() + NAMES;
    crate::report::json::records(table, |column| names.contains(&column))
}
