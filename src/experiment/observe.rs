//! Observations: what single replications of single arms show of some figures, without the time series that a report needs.

use rayon::prelude::*;

use super::replicate::{felt, frames, with_incidents};
use super::simulate::simulate;
use crate::metrics::{Frame, SERVICE_MEASURES, WORKLOAD_MEASURES};
use crate::scenario::{Figure, Metric, Scenario};
use crate::simulation::Record;

/// What one replication observed of each figure.
pub type Row = Vec<Option<f64>>;

/// Runs each task, a replication of an arm by their indices, and gives what it observed, in the order of the tasks. It computes
/// on the threads that it is called on; `progress` is called after each.
pub(super) fn observe(
    scenario: &Scenario,
    tasks: &[(usize, u32)],
    figures: &[Figure],
    progress: &(dyn Fn() + Sync),
) -> Vec<Row> {
    let frames = frames(scenario);
    let run = |&(arm, replication): &(usize, u32)| {
        let record = simulate(scenario, arm, replication, 0);
        progress();
        row(&record, &frames, scenario, figures)
    };
    // Each by itself: a large one keeps none of the others waiting.
    tasks.par_iter().with_max_len(1).map(run).collect()
}

fn row(record: &Record, frames: &[Frame], scenario: &Scenario, figures: &[Figure]) -> Row {
    let frames = with_incidents(frames, &record.incidents);
    let value = |figure: &Figure| match figure.metric {
        Metric::Workload(measure) => {
            let frame = felt(scenario, &frames, scenario.workloads[figure.subject].service);
            (WORKLOAD_MEASURES[measure].of)(&record.workloads[figure.subject], &frame)
        }
        Metric::Service(measure) => {
            (SERVICE_MEASURES[measure].of)(&record.services[figure.subject], &frames[figure.subject])
        }
    };
    figures.iter().map(value).collect()
}
