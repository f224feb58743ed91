//! What was measured: the law of a sample, or of quantiles read off a dashboard.
//!
//! Between two knots the inverse distribution function is a straight line. The knots of a sample of n sorted durations lie at
//! the probabilities 0, 1/(n-1), ..., 1: type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", The American
//! Statistician 50 (1996), the default of R and `NumPy`. All arithmetic is in whole numbers.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::schema::{Either, exactly_one};
use crate::table::{TableFile, duration};
use crate::time::Interval;

/// The law of a sample or of quantiles: `{ file = "latencies.csv", column = "latency" }` (seconds, or with a unit),
/// `{ values = ["12ms", "30ms"] }`, or `{ quantiles = [[0, "5ms"], [0.5, "20ms"], [0.99, "1s"], [1, "3s"]] }`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<String, Fields>")]
pub struct Empirical(Knots);

/// Where the inverse distribution function bends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knots {
    /// At the same distance from each other in probability.
    Even(Arc<[Interval]>),
    /// At these probabilities, in units of 2^-64; the last one stands for 1.
    Placed(Arc<[(u64, Interval)]>),
}

impl Empirical {
    /// The knots, of which there is at least one.
    pub const fn knots(&self) -> &Knots {
        &self.0
    }
}

/// The fields of a law that was measured: one of `file`, `values` and `quantiles`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EmpiricalFields", extend("oneOf" = exactly_one(&["file", "values", "quantiles"])))]
struct Fields {
    /// A CSV file with a sample.
    file: Option<TableFile>,
    /// The column of the file; `latency` if absent.
    column: Option<String>,
    /// A sample.
    values: Option<Vec<Interval>>,
    /// Quantiles as [probability, duration], from probability 0 to probability 1.
    quantiles: Option<Vec<(f64, Interval)>>,
}

impl<'de> Deserialize<'de> for Empirical {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        if fields.column.is_some() && fields.file.is_none() {
            return Err(D::Error::custom("`column` is one of a file: add `file`, or leave it out"));
        }
        let knots = match (fields.file, fields.values, fields.quantiles) {
            (Some(file), None, None) => sample(&file, fields.column.as_deref().unwrap_or("latency")),
            (None, Some(values), None) => Knots::of_sample(values),
            (None, None, Some(quantiles)) => Knots::of_quantiles(&quantiles),
            _ => Err("write one of `file`, `values` and `quantiles`".into()),
        };
        knots.map(Self).map_err(D::Error::custom)
    }
}

fn sample(file: &TableFile, column: &str) -> Result<Knots, String> {
    let mut values = Vec::new();
    file.read(&[column], |row| {
        values.push(duration(row.cell(0))?);
        Ok(())
    })?;
    Knots::of_sample(values)
}

impl Knots {
    fn of_sample(mut values: Vec<Interval>) -> Result<Self, String> {
        if values.is_empty() {
            return Err("there is no duration in `values`: write for example [\"12ms\", \"30ms\"]".into());
        }
        values.sort_unstable();
        Ok(Self::Even(values.into()))
    }

    fn of_quantiles(quantiles: &[(f64, Interval)]) -> Result<Self, String> {
        let example = "such as [[0, \"5ms\"], [0.5, \"20ms\"], [1, \"3s\"]]";
        let ends = (quantiles.first().map(|first| first.0), quantiles.last().map(|last| last.0));
        if ends != (Some(0.0), Some(1.0)) || quantiles.len() < 2 {
            return Err(format!("quantiles go from probability 0 to probability 1, {example}"));
        }
        if let Some(pair) =
            quantiles.windows(2).find(|pair| !(pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1))
        {
            let ((p, low), (q, high)) = (pair[0], pair[1]);
            return Err(format!(
                "[{q}, \"{high}\"] does not follow on [{p}, \"{low}\"]: quantiles rise, {example}"
            ));
        }
        // The cast saturates, so that 1 becomes the largest word.
        let place = |&(p, value): &(f64, Interval)| ((p * TWO_TO_64) as u64, value);
        Ok(Self::Placed(quantiles.iter().map(place).collect()))
    }

    /// The mean, in seconds: that of the straight lines.
    pub fn mean_seconds(&self) -> f64 {
        match self {
            Self::Even(values) => {
                let middle =
                    |pair: &[Interval]| u128::from(pair[0].as_nanos()) + u128::from(pair[1].as_nanos());
                match values.len() {
                    1 => values[0].as_secs_f64(),
                    n => values.windows(2).map(middle).sum::<u128>() as f64 / (2.0 * (n - 1) as f64) / 1e9,
                }
            }
            Self::Placed(knots) => {
                let line = |pair: &[(u64, Interval)]| {
                    (pair[1].0 - pair[0].0) as f64 / TWO_TO_64
                        * f64::midpoint(pair[0].1.as_secs_f64(), pair[1].1.as_secs_f64())
                };
                knots.windows(2).map(line).sum()
            }
        }
    }

    /// The duration at these random bits.
    pub(super) fn at(&self, bits: u64) -> Interval {
        match self {
            Self::Even(values) => {
                let place = u128::from(bits) * (values.len() as u128 - 1);
                let (index, rest) = ((place >> 64) as usize, place as u64);
                // The bits are below 1, so that another value follows, but for a sample of one.
                between(values[index], values.get(index + 1).copied().unwrap_or(values[index]), rest)
            }
            Self::Placed(knots) => {
                let next = knots.partition_point(|knot| knot.0 <= bits).clamp(1, knots.len() - 1);
                let ((low, from), (high, to)) = (knots[next - 1], knots[next]);
                let rest = (u128::from(bits - low) << 64) / u128::from(high - low).max(1);
                between(from, to, u64::try_from(rest).unwrap_or(u64::MAX))
            }
        }
    }
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

/// The point at `share` / 2^64 of the way, rounded to a nanosecond.
fn between(from: Interval, to: Interval, share: u64) -> Interval {
    let width = u128::from((to - from).as_nanos());
    from + Interval::from_nanos(((width * u128::from(share) + (1 << 63)) >> 64) as u64)
}
