//! Tables as JSON: the rows of a CSV file, numbers as numbers.

use serde_json::{Map, Value};

use super::csv::summary;
use crate::experiment::Results;
use crate::scenario::Scenario;

/// How many columns of `summary.csv` are names.
const NAMES: usize = 5;

/// The rows of `summary.csv` as a JSON array of objects. What was not observed is null; what never happens is "inf".
pub fn summary_json(scenario: &Scenario, results: &Results) -> String {
    records(&summary(scenario, results), |column| column < NAMES)
}

/// The rows of `limits.csv` as a JSON array of objects.
pub fn tipping_json(limits: &[u8]) -> String {
    records(limits, |column| [0, 1, 2, 4, 8].contains(&column))
}

/// The rows of `phases.csv` as a JSON array of objects: the values of the fields are texts, as they were given.
pub fn phase_json(phases: &[u8]) -> String {
    records(phases, |column| [0, 1, 2, 6].contains(&column))
}

/// The rows of a table as a JSON array of objects: the columns that are names as texts, the others as numbers.
pub(super) fn records(table: &[u8], is_name: impl Fn(usize) -> bool) -> String {
    let mut reader = csv::Reader::from_reader(table);
    let header = reader.headers().expect("a table has a header").clone();
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.expect("a table is sound CSV");
        let cells = header
            .iter()
            .zip(&row)
            .enumerate()
            .map(|(column, (name, cell))| (name.to_owned(), value(is_name(column), cell)));
        rows.push(Value::Object(cells.collect::<Map<_, _>>()));
    }
    serde_json::to_string_pretty(&rows).expect("rows are plain JSON") + "\n"
}

fn value(is_name: bool, cell: &str) -> Value {
    match cell {
        _ if is_name => Value::String(cell.to_owned()),
        "" => Value::Null,
        _ => serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned())),
    }
}
