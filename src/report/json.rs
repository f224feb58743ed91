//! The summary as JSON: the rows of `summary.csv`, numbers as numbers.

use serde_json::{Map, Value};

use super::csv::summary;
use crate::experiment::Results;
use crate::scenario::Scenario;

/// The rows of `summary.csv` as a JSON array of objects. What was not observed is null; what never happens is "inf".
pub fn summary_json(scenario: &Scenario, results: &Results) -> String {
    let bytes = summary(scenario, results);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers().expect("the summary has a header").clone();
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.expect("the summary is sound CSV");
        let cells = header
            .iter()
            .zip(&row)
            .enumerate()
            .map(|(column, (name, cell))| (name.to_owned(), value(column, cell)));
        rows.push(Value::Object(cells.collect::<Map<_, _>>()));
    }
    serde_json::to_string_pretty(&rows).expect("rows are plain JSON") + "\n"
}

/// The first five columns are names, the others numbers.
fn value(column: usize, cell: &str) -> Value {
    match cell {
        "" if column >= 5 => Value::Null,
        _ if column < 5 => Value::String(cell.to_owned()),
        _ => serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned())),
    }
}
