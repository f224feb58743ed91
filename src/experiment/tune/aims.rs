//! Aims: what makes one candidate better than another, and when it is clear that it is not.

use std::cmp::Ordering;

use crate::experiment::observe::Row;
use crate::metrics::{Better, Centre};
use crate::scenario::{Comparison, Condition, Figure, Objective};
use crate::statistics::{Estimate, Paired, student_t};

/// What counts of the figures in a row.
#[derive(Debug, Clone)]
pub(super) struct Aims {
    /// What is better; the first counts first.
    pub(super) objectives: Vec<Aim>,
    /// What must hold of means.
    pub(super) bounds: Vec<Bound>,
    /// What each figure counts as where it could not be observed.
    absent: Vec<f64>,
}

/// More or less of one figure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    /// The figure's place in a row.
    pub(super) column: usize,
    more: bool,
    centre: Centre,
}

/// What the mean of one figure must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    column: usize,
    comparison: Comparison,
    limit: f64,
}

/// How sure it is that constraints are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// The 95 % interval of a mean lies beyond its bound.
    No,
    /// A mean lies beyond its bound, by less than its interval.
    PerhapsNot,
    /// All means lie within their bounds, one by less than its interval.
    Perhaps,
    /// All intervals lie within their bounds.
    Yes,
}

impl Met {
    /// True if all means lie within their bounds.
    pub fn by_mean(self) -> bool {
        self >= Self::Perhaps
    }
}

/// How a candidate stands by its means alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    /// By how much bounds are passed, in bounds; 0 if none is.
    pub(super) violation: f64,
    /// The mean of each objective, so that less is better.
    objectives: Vec<f64>,
}

impl Standing {
    /// `Less` if this is better.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let objectives = self.objectives.iter().zip(&other.objectives);
        let first = objectives.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        self.violation.total_cmp(&other.violation).then(first.unwrap_or(Ordering::Equal))
    }
}

impl Aims {
    /// The aims of a tuning, where `figures` are the columns of rows.
    pub(super) fn new(objectives: &[Objective], constraints: &[Condition], figures: &[Figure]) -> Self {
        let column = |figure: Figure| figures.iter().position(|known| *known == figure).unwrap_or(0);
        let aim = |objective: &Objective| Aim {
            column: column(objective.figure),
            more: objective.better == Better::More,
            centre: objective.figure.metric.sense().centre,
        };
        let bound = |condition: &Condition| Bound {
            column: column(condition.figure),
            comparison: condition.comparison,
            limit: condition.bound,
        };
        // Where nothing succeeded, success takes for ever; of what else did not happen there is none.
        let never = |figure: &Figure| figure.metric.name().starts_with("time_to_success");
        Self {
            objectives: objectives.iter().map(aim).collect(),
            bounds: constraints.iter().map(bound).collect(),
            absent: figures.iter().map(|figure| if never(figure) { f64::INFINITY } else { 0.0 }).collect(),
        }
    }

    /// How many tests may tell that a candidate is worse.
    pub(super) fn tests(&self) -> usize {
        self.objectives.len() + self.bounds.len()
    }

    fn value(&self, row: &Row, column: usize) -> f64 {
        row[column].unwrap_or(self.absent[column])
    }

    /// The mean of a column, what could not be observed counting as it does.
    pub(super) fn mean(&self, rows: &[Row], column: usize) -> f64 {
        let values = rows.iter().map(|row| self.value(row, column));
        Estimate::of(values).map_or(self.absent[column], |estimate| estimate.mean)
    }

    /// The mean of an objective, so that less is better.
    pub(super) fn cost(&self, rows: &[Row], aim: Aim) -> f64 {
        let mean = self.mean(rows, aim.column);
        if aim.more { -mean } else { mean }
    }

    pub(super) fn standing(&self, rows: &[Row]) -> Standing {
        Standing {
            violation: self.bounds.iter().map(|bound| self.excess(rows, *bound)).sum(),
            objectives: self.objectives.iter().map(|aim| self.cost(rows, *aim)).collect(),
        }
    }

    /// What is known of a bounded figure: what was never observed breaks no bound, unless it would take for ever.
    fn observed(&self, rows: &[Row], bound: Bound) -> Option<Estimate> {
        let never = self.absent[bound.column].is_infinite();
        let values = rows.iter().filter_map(|row| row[bound.column].or(never.then_some(f64::INFINITY)));
        Estimate::of(values)
    }

    fn excess(&self, rows: &[Row], bound: Bound) -> f64 {
        let Some(estimate) = self.observed(rows, bound) else { return 0.0 };
        if bound.comparison.holds(estimate.mean, bound.limit) {
            return 0.0;
        }
        let scale = if bound.limit == 0.0 { 1.0 } else { bound.limit.abs() };
        // A bound that is missed by nothing at all, as "< 1" by 1, is missed.
        ((estimate.mean - bound.limit).abs() / scale).max(1e-9)
    }

    /// How sure it is that the constraints are met.
    pub(super) fn met(&self, rows: &[Row]) -> Met {
        let bounds = self.bounds.iter();
        bounds.map(|bound| self.bound_met(rows, *bound, 0.05)).min().unwrap_or(Met::Yes)
    }

    fn bound_met(&self, rows: &[Row], bound: Bound, alpha: f64) -> Met {
        let Some(estimate) = self.observed(rows, bound) else { return Met::Yes };
        let holds = |value: f64| bound.comparison.holds(value, bound.limit);
        let freedom = estimate.observations.saturating_sub(1);
        let half = match estimate.half_width {
            // Values that are all the same have no spread to judge by: so few of them could be chance.
            Some(0.0) if libm::pow(0.5, freedom as f64) <= alpha => 0.0,
            Some(half) if half > 0.0 => half / student_t(0.05, freedom) * student_t(alpha, freedom),
            _ => return if holds(estimate.mean) { Met::Perhaps } else { Met::PerhapsNot },
        };
        match (holds(estimate.mean), holds(estimate.mean - half) && holds(estimate.mean + half)) {
            (true, true) => Met::Yes,
            (true, false) => Met::Perhaps,
            (false, _) if holds(estimate.mean - half) || holds(estimate.mean + half) => Met::PerhapsNot,
            (false, _) => Met::No,
        }
    }

    /// True if it is clear at this level that a constraint is not met.
    pub(super) fn clearly_breaks(&self, rows: &[Row], alpha: f64) -> bool {
        self.bounds.iter().any(|bound| self.bound_met(rows, *bound, alpha) == Met::No)
    }

    /// True if it is clear at this level that constraints are further from being met than for `other`.
    pub(super) fn clearly_further(&self, rows: &[Row], other: &[Row], alpha: f64) -> bool {
        let violation = |row: &Row| -> f64 {
            self.bounds.iter().map(|bound| self.excess(std::slice::from_ref(row), *bound)).sum()
        };
        let pairs: Vec<(f64, f64)> =
            rows.iter().zip(other).map(|(a, b)| (violation(a), violation(b))).collect();
        clearly_more(&pairs, Centre::Mean, alpha)
    }

    /// True if it is clear at this level that `rows` are worse than `other` in the first objective, or in a later one while they
    /// are not better in those before.
    pub(super) fn clearly_worse(&self, rows: &[Row], other: &[Row], alpha: f64) -> bool {
        let n = rows.len().min(other.len());
        let (rows, other) = (&rows[..n], &other[..n]);
        for aim in &self.objectives {
            if self.worse_in(rows, other, *aim, alpha) {
                return true;
            }
            if self.cost(rows, *aim) < self.cost(other, *aim) {
                return false;
            }
        }
        false
    }

    /// True if it is clear at this level that `rows` are worse than `other` in one objective.
    pub(super) fn worse_in(&self, rows: &[Row], other: &[Row], aim: Aim, alpha: f64) -> bool {
        let sign = if aim.more { -1.0 } else { 1.0 };
        let value = |row: &Row| sign * self.value(row, aim.column);
        let pairs: Vec<(f64, f64)> = rows.iter().zip(other).map(|(a, b)| (value(a), value(b))).collect();
        clearly_more(&pairs, aim.centre, alpha)
    }
}

/// True if the first of each pair is clearly more.
fn clearly_more(pairs: &[(f64, f64)], centre: Centre, alpha: f64) -> bool {
    let Some(paired) = paired(pairs, centre) else { return false };
    // Differences that are all the same have no spread to judge by: so few of them could be chance.
    let least = libm::pow(0.5, pairs.len().saturating_sub(1) as f64);
    let p = paired.p.map(|p| if p == 0.0 { least } else { p });
    paired.difference.is_some_and(|difference| difference > 0.0) && p.is_some_and(|p| p <= alpha)
}

/// The paired difference by the centre of the figure; by the median if something takes for ever.
pub(super) fn paired(pairs: &[(f64, f64)], centre: Centre) -> Option<Paired> {
    let finite = pairs.iter().all(|(a, b)| a.is_finite() && b.is_finite());
    if centre == Centre::Mean && finite {
        Paired::by_mean(pairs, 0.05)
    } else {
        Paired::by_median(pairs, 0.05)
    }
}
