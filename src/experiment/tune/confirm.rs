//! Confirmation: what was chosen, what it started from and the front again, on seeds that the search has not seen. A figure by
//! which something was chosen is likely to be too good; these are not.

use super::aims::{Aims, Met, paired};
use super::race::Track;
use super::trials::Trials;
use crate::experiment::observe::Row;
use crate::metrics::Better;
use crate::policy::PolicyConfig;
use crate::random::{Key, Purpose};
use crate::scenario::Figure;
use crate::statistics::{Estimate, Paired};

/// The seed of the confirmation, which no draw of a search has anything to do with.
pub(super) fn held_out_seed(seed: u64) -> u64 {
    // Seeds are positive whole numbers of TOML.
    Key::derive(seed, 0, Purpose::Tuning, "").block(0, 0)[0] >> 1
}

/// What the confirmation saw of one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// By replication and figure.
    pub rows: Vec<Row>,
    /// How sure it is of each constraint that it is met.
    pub constraints: Vec<Met>,
}

impl Confirmed {
    /// How sure it is that the constraints are met.
    pub fn met(&self) -> Met {
        self.constraints.iter().copied().min().unwrap_or(Met::Yes)
    }

    /// The estimate of the figure in this column.
    pub fn estimate(&self, column: usize) -> Option<Estimate> {
        estimate(&self.rows, column)
    }

    /// In how many replications the figure in this column was observed.
    pub fn observations(&self, column: usize) -> usize {
        self.rows.iter().filter(|row| row[column].is_some()).count()
    }

    /// The paired difference of a figure to another policy, over the replications in which both observed it.
    pub fn less(&self, other: &Self, column: usize, figure: Figure) -> Option<Paired> {
        let pairs = self.rows.iter().zip(&other.rows).filter_map(|(a, b)| Some((a[column]?, b[column]?)));
        paired(&pairs.collect::<Vec<_>>(), figure.metric.sense().centre)
    }
}

/// The estimate of the figure in a column.
pub fn estimate(rows: &[Row], column: usize) -> Option<Estimate> {
    Estimate::of(rows.iter().filter_map(|row| row[column]))
}

/// True if what the search saw is better than the interval of what the confirmation saw.
pub fn is_optimistic(searched: Option<Estimate>, held_out: Option<Estimate>, better: Better) -> bool {
    let (Some(searched), Some(held_out)) = (searched, held_out) else { return false };
    // Without an interval, because it is infinite or alone, the mean stands for it.
    let (low, high) = (held_out.low().unwrap_or(held_out.mean), held_out.high().unwrap_or(held_out.mean));
    match better {
        Better::More => searched.mean > high,
        Better::Less => searched.mean < low,
        Better::Neither => false,
    }
}

/// Runs these policies for so many replications each.
pub(super) fn confirm(
    trials: &Trials<'_>,
    seed: u64,
    policies: &[PolicyConfig],
    replications: u32,
    aims: &Aims,
) -> Vec<Confirmed> {
    let mut held_out = trials.under(held_out_seed(seed));
    for policy in policies {
        held_out.enter(policy.clone());
    }
    let each = |policy| (0..replications).map(move |replication| (policy, replication));
    let tasks: Vec<(usize, u32)> = (0..policies.len()).flat_map(each).collect();
    let rows = held_out.run(&tasks);
    let confirmed = |rows: &[Row]| Confirmed { constraints: aims.each_confirmed(rows), rows: rows.to_vec() };
    rows.chunks(replications as usize).map(confirmed).collect()
}
