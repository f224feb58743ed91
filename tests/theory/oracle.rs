//! The reference results: rows of `tests/data/oracles.csv`, grouped into cases.

use std::str::FromStr;

use retrysim::scenario::Scenario;
use serde::Deserialize;
use serde_json::Value;

/// One reference result.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) params: String,
    pub(crate) metric: String,
    /// As written: a number, or several results joined by slashes.
    pub(crate) value: String,
    pub(crate) tol_type: String,
    pub(crate) tol: String,
    pub(crate) n_for_tol: String,
}

/// The rows of one id: one thing to simulate, several results of it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    params: Value,
    pub(crate) rows: Vec<Row>,
}

impl Row {
    /// The result as a number.
    pub(crate) fn number(&self) -> f64 {
        parse(&self.value, self)
    }

    /// The row whose result is the square of this one's.
    pub(crate) fn squared(&self) -> Self {
        let value = (self.number() * self.number()).to_string();
        Self { metric: format!("{} (squared)", self.metric), value, ..self.clone() }
    }

    /// The tolerance that comes with the row, for `n` requests (or replications, where the row counts those): four standard
    /// errors for the `n_for_tol` it was computed for, and standard errors shrink with the root of the number.
    pub(crate) fn tolerance(&self, n: f64) -> f64 {
        let scale = if self.tol_type == "rel" { self.number().abs() } else { 1.0 };
        parse::<f64>(&self.tol, self) * scale * (parse::<f64>(&self.n_for_tol, self) / n).sqrt()
    }
}

impl Case {
    /// A parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> f64 {
        self.params[name].as_f64().unwrap_or_else(|| panic!("{}: no number {name}", self.id))
    }

    /// A parameter that is a whole number.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.params[name].as_u64().unwrap_or_else(|| panic!("{}: no count {name}", self.id))
    }

    /// A parameter that is text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.params[name].as_str().unwrap_or_else(|| panic!("{}: no text {name}", self.id))
    }

    /// The row of a metric that every case of the family has.
    pub(crate) fn row(&self, metric: &str) -> &Row {
        let found = self.rows.iter().find(|row| row.metric.starts_with(metric));
        found.unwrap_or_else(|| panic!("{}: no row {metric}", self.id))
    }

    /// A scenario of this case: `body` under the case's own seed, so that no two cases share their luck.
    pub(crate) fn scenario(&self, replications: u32, body: &str) -> Scenario {
        let text = format!("seed = {}\nreplications = {replications}\n{body}", seed(&self.id));
        Scenario::parse(&self.id, &self.id, &text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// A seed of its own for every case. `THEORY_SALT` in the environment changes them all, to see whether a verdict depends
/// on the luck of one set of seeds.
pub(crate) fn seed(id: &str) -> u64 {
    let salt = std::env::var("THEORY_SALT").unwrap_or_default();
    let bytes = id.bytes().chain(salt.bytes());
    // FNV-1a; a seed fits an i64.
    bytes
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
        >> 1
}

fn parse<T: FromStr>(text: &str, row: &Row) -> T {
    text.parse().unwrap_or_else(|_| panic!("{} {}: {text:?} is not a number", row.id, row.metric))
}

/// Every reference result.
pub(crate) fn rows() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(include_bytes!("../data/oracles.csv").as_slice());
    reader.deserialize().map(|row| row.expect("the data is a well-formed CSV")).collect()
}

/// The cases whose id begins with `prefix`, in the order of the file; there must be `expected` of them with `results`
/// rows, so that nothing goes missing unseen.
pub(crate) fn cases(prefix: &str, expected: usize, results: usize) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut found = 0;
    for row in rows().into_iter().filter(|row| row.id.starts_with(prefix)) {
        found += 1;
        if let Some(case) = cases.iter_mut().find(|case| case.id == row.id) {
            case.rows.push(row);
        } else {
            // Some rows say all in words.
            let params = if row.params.is_empty() { "{}" } else { &row.params };
            let params = serde_json::from_str(params).expect("parameters are JSON");
            cases.push(Case { id: row.id.clone(), params, rows: vec![row] });
        }
    }
    assert_eq!((cases.len(), found), (expected, results), "cases and rows of {prefix}");
    cases
}
