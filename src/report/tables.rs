//! The tables of a run, read back from their bytes: what charts and pages are made of, so that they show nothing that is not in a
//! CSV, and can be made again from a folder alone.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::metrics::{ATTEMPT_COLUMNS, Column};
use crate::scenario::Scenario;

/// The bytes of a file of the run, by its name.
pub(super) type Lookup<'a> = dyn Fn(&str) -> Option<&'a [u8]> + 'a;

/// What the tables of a run say.
#[derive(Debug)]
pub(super) struct Tables {
    /// The rows of `summary.csv`.
    pub(super) summary: Vec<SummaryRow>,
    /// The rows of `comparison.csv`; none if there is but one arm.
    pub(super) comparison: Vec<ComparisonRow>,
    /// The rows of `winners.csv`; none if there is but one arm.
    pub(super) winners: Vec<WinnerRow>,
    /// The rows of `expectations.csv`; none if nothing is expected.
    pub(super) expectations: Vec<ExpectationRow>,
    /// What `timeseries.csv`, `time_to_success.csv`, `lanes.csv` and `replications.csv` say, by arm and then by workload, in the order
    /// of the scenario.
    pub(super) arms: Vec<Vec<Course>>,
}

/// A row of `summary.csv`. What was not observed is absent.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SummaryRow {
    pub(super) arm: String,
    pub(super) workload: String,
    pub(super) service: String,
    pub(super) metric: String,
    pub(super) unit: String,
    pub(super) mean: Option<f64>,
    pub(super) ci95_low: Option<f64>,
    pub(super) ci95_high: Option<f64>,
}

/// A row of `comparison.csv`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ComparisonRow {
    pub(super) arm: String,
    pub(super) workload: String,
    pub(super) service: String,
    pub(super) metric: String,
    pub(super) difference: Option<f64>,
    pub(super) ci95_low: Option<f64>,
    pub(super) ci95_high: Option<f64>,
    pub(super) verdict: String,
}

/// A row of `winners.csv`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WinnerRow {
    pub(super) workload: String,
    pub(super) arm: String,
    pub(super) verdict: String,
    pub(super) why: String,
    pub(super) not_clearly_before: String,
}

/// A row of `expectations.csv`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ExpectationRow {
    pub(super) expectation: String,
    pub(super) verdict: String,
    pub(super) why: String,
}

/// What is read of a row of `replications.csv`.
#[derive(Debug, Clone, Deserialize)]
struct ReplicationRow {
    arm: String,
    workload: String,
    recovery_time: Option<f64>,
}

/// What became of a workload in an arm in the course of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Course {
    /// Mean counts per replication, by bin and then by column, in the order of [`Column::ALL`].
    pub(super) bins: Vec<[f64; Column::ALL.len()]>,
    /// Seconds since arrival, and the share of all requests that had succeeded by then.
    pub(super) success: Vec<(f64, f64)>,
    /// Shares of breakers that are open and half-open, calls that wait and servers at work, by bin; none without either.
    pub(super) lanes: Vec<[Option<f64>; 4]>,
    /// The recovery time of each replication in seconds, infinite for never, absent if not observed.
    pub(super) recoveries: Vec<Option<f64>>,
}

impl Course {
    /// The mean count of a column in a bin.
    pub(super) fn get(&self, bin: usize, column: Column) -> f64 {
        self.bins[bin][column as usize]
    }

    /// Attempts sent in a bin.
    pub(super) fn attempts(&self, bin: usize) -> f64 {
        ATTEMPT_COLUMNS.iter().map(|&column| self.get(bin, column)).sum()
    }

    /// True if any request arrived.
    pub(super) fn had_requests(&self) -> bool {
        self.bins.iter().any(|bin| bin[Column::Requests as usize] > 0.0)
    }
}

impl Tables {
    /// Reads the tables of a run of `scenario` from its files.
    ///
    /// # Errors
    /// In words, if a file is missing or is not what a run of the scenario writes.
    pub(super) fn read(scenario: &Scenario, files: &Lookup<'_>) -> Result<Self, String> {
        let mut arms = vec![vec![Course::default(); scenario.workloads.len()]; scenario.arms.len()];
        let course = |file: &str, arm: &str, workload: &str| {
            let arm = scenario.arms.iter().position(|known| known.name == arm);
            let workload = scenario.workloads.iter().position(|known| known.name == workload);
            match (arm, workload) {
                (Some(arm), Some(workload)) => Ok((arm, workload)),
                _ => Err(format!("{file} speaks of an arm or a workload that scenario.toml does not have")),
            }
        };
        // As they are written: names of the arm, the workload and the service, the time, and a count for each column.
        for row in rows::<(String, String, String, f64, [f64; Column::ALL.len()])>("timeseries.csv", files)? {
            let (arm, workload) = course("timeseries.csv", &row.0, &row.1)?;
            arms[arm][workload].bins.push(row.4);
        }
        for row in rows::<(String, String, f64, f64)>("time_to_success.csv", files)? {
            let (arm, workload) = course("time_to_success.csv", &row.0, &row.1)?;
            arms[arm][workload].success.push((row.2, row.3));
        }
        if files("lanes.csv").is_some() {
            for row in rows::<(String, String, String, f64, [Option<f64>; 4])>("lanes.csv", files)? {
                let (arm, workload) = course("lanes.csv", &row.0, &row.1)?;
                arms[arm][workload].lanes.push(row.4);
            }
            if arms.iter().flatten().any(|course| course.lanes.len() != course.bins.len()) {
                return Err("lanes.csv does not have the bins of timeseries.csv".into());
            }
        }
        for row in rows::<ReplicationRow>("replications.csv", files)? {
            let (arm, workload) = course("replications.csv", &row.arm, &row.workload)?;
            arms[arm][workload].recoveries.push(row.recovery_time);
        }
        let bins = arms.iter().flatten().map(|course| course.bins.len());
        if bins.clone().min() != bins.clone().max() || bins.min() == Some(0) {
            return Err("timeseries.csv does not have the same bins for every arm and workload".into());
        }
        let alone = scenario.arms.len() < 2;
        let comparison = if alone { Vec::new() } else { rows("comparison.csv", files)? };
        let winners = if alone { Vec::new() } else { rows("winners.csv", files)? };
        let expectations =
            if scenario.expectations.is_empty() { Vec::new() } else { rows("expectations.csv", files)? };
        Ok(Self { summary: rows("summary.csv", files)?, comparison, winners, expectations, arms })
    }

    /// The row of a metric in `summary.csv`; `workload` is empty for one of a service.
    pub(super) fn summed_up(
        &self,
        arm: &str,
        workload: &str,
        service: &str,
        metric: &str,
    ) -> Option<&SummaryRow> {
        let is_it = |row: &&SummaryRow| {
            (row.arm.as_str(), row.workload.as_str(), row.service.as_str(), row.metric.as_str())
                == (arm, workload, service, metric)
        };
        self.summary.iter().find(is_it)
    }
}

/// The rows of a file.
fn rows<T: DeserializeOwned>(name: &str, files: &Lookup<'_>) -> Result<Vec<T>, String> {
    let bytes = files(name).ok_or_else(|| format!("there is no {name}"))?;
    let rows = csv::Reader::from_reader(bytes).into_deserialize();
    rows.collect::<Result<_, _>>().map_err(|error| format!("{name}: {error}"))
}
