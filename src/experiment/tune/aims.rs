//! Aims: what makes one candidate better than another, and when it is clear that it is not.

use std::cmp::Ordering;

use crate::experiment::evidence::Evidence;
use crate::experiment::expect::goodput;
use crate::experiment::observe::Row;
use crate::experiment::pooled::Whole;
use crate::metrics::{Better, Centre};
use crate::scenario::{Condition, Figure, Metric, Objective, Scenario};
use crate::statistics::{Estimate, Paired, student_t};

/// What counts of the figures in a row.
#[derive(Debug, Clone)]
pub(super) struct Aims {
    /// What is better; the first counts first.
    pub(super) objectives: Vec<Aim>,
    /// What must hold of means.
    pub(super) bounds: Vec<Bound>,
    /// What each figure counts as where it was not observed, if it counts at all.
    absent: Vec<Option<f64>>,
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
#[derive(Debug, Clone)]
pub(super) struct Bound {
    condition: Condition,
    /// The figure's place in a row.
    column: usize,
    /// The place of what tells whether anything succeeded, if the figure is that of a workload.
    served: Option<usize>,
    /// What the figure is a share of, if it is one, and the place of the figure that counts it.
    whole: Option<(Whole, usize)>,
}

/// How sure it is that constraints are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// The 95 % interval of a mean lies beyond its bound, or success was to be quick and there was none.
    No,
    /// A mean lies beyond its bound, by less than its interval.
    PerhapsNot,
    /// All means lie within their bounds, one by less than its interval.
    Perhaps,
    /// A figure was not observed in any replication.
    Unobserved,
    /// All intervals lie within their bounds.
    Yes,
}

impl Met {
    /// True unless a mean lies beyond its bound.
    pub fn by_mean(self) -> bool {
        self >= Self::Perhaps
    }

    /// What can be said of it: `met`, `not met` or `undecided`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "met",
            Self::No => "not met",
            Self::PerhapsNot | Self::Perhaps | Self::Unobserved => "undecided",
        }
    }
}

/// How a candidate stands by its means alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    /// By how much bounds are passed, in bounds; 0 if none is.
    pub(super) violation: f64,
    /// The mean of each objective, so that less is better; infinite if it was not observed.
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
    pub(super) fn new(
        scenario: &Scenario,
        (objectives, constraints): (&[Objective], &[Condition]),
        figures: &[Figure],
    ) -> Self {
        let place = |figure: Figure| figures.iter().position(|known| *known == figure);
        let column = |figure: Figure| place(figure).unwrap_or(0);
        let aim = |objective: &Objective| Aim {
            column: column(objective.figure),
            more: objective.better == Better::More,
            centre: objective.figure.metric.sense().centre,
        };
        let bound = |condition: &Condition| Bound {
            condition: condition.clone(),
            column: column(condition.figure),
            served: telling(condition).and_then(place),
            whole: Whole::of(scenario, condition.figure)
                .and_then(|whole| Some((whole, place(whole.counts)?))),
        };
        // Where nothing succeeded, success takes for ever; what else did not happen says nothing.
        let never = |figure: &Figure| figure.metric.name().starts_with("time_to_success");
        Self {
            objectives: objectives.iter().map(aim).collect(),
            bounds: constraints.iter().map(bound).collect(),
            absent: figures.iter().map(|figure| never(figure).then_some(f64::INFINITY)).collect(),
        }
    }

    /// How many tests may tell that a candidate is worse.
    pub(super) fn tests(&self) -> usize {
        self.objectives.len() + self.bounds.len()
    }

    fn value(&self, row: &Row, column: usize) -> Option<f64> {
        row[column].or(self.absent[column])
    }

    /// The mean of an objective, so that less is better. What was not observed is not shown to be good: its cost is infinite.
    pub(super) fn cost(&self, rows: &[Row], aim: Aim) -> f64 {
        let mean = Estimate::of(rows.iter().filter_map(|row| self.value(row, aim.column)));
        mean.map_or(f64::INFINITY, |mean| if aim.more { -mean.mean } else { mean.mean })
    }

    pub(super) fn standing(&self, rows: &[Row]) -> Standing {
        Standing {
            violation: self.bounds.iter().map(|bound| bound.excess(rows)).sum(),
            objectives: self.objectives.iter().map(|aim| self.cost(rows, *aim)).collect(),
        }
    }

    /// How sure it is of each constraint that it is met.
    pub(super) fn each_met(&self, rows: &[Row]) -> Vec<Met> {
        self.bounds.iter().map(|bound| bound.met(rows, 0.05)).collect()
    }

    /// The same where it is the last word, and held to what `[expect]` is held to: that all requests seen were alike says little of
    /// what is rare.
    pub(super) fn each_confirmed(&self, rows: &[Row]) -> Vec<Met> {
        let confirmed = |bound: &Bound| match bound.met(rows, 0.05) {
            Met::Yes if !bound.has_enough(rows) => Met::Perhaps,
            Met::No if !bound.has_enough(rows) => Met::PerhapsNot,
            met => met,
        };
        self.bounds.iter().map(confirmed).collect()
    }

    /// How sure it is that the constraints are met.
    pub(super) fn met(&self, rows: &[Row]) -> Met {
        self.each_met(rows).into_iter().min().unwrap_or(Met::Yes)
    }

    /// The same as far as it tells candidates apart: a constraint on what was not observed speaks for none and against none, or
    /// who never gives up would have to yield to who gives up in time.
    pub(super) fn met_where_seen(&self, rows: &[Row]) -> Met {
        let seen = self.each_met(rows).into_iter().filter(|met| *met != Met::Unobserved);
        seen.min().unwrap_or(Met::Yes)
    }

    /// True if it is clear at this level that a constraint is not met.
    pub(super) fn clearly_breaks(&self, rows: &[Row], alpha: f64) -> bool {
        self.bounds.iter().any(|bound| bound.met(rows, alpha) == Met::No)
    }

    /// True if it is clear at this level that constraints are further from being met than for `other`.
    pub(super) fn clearly_further(&self, rows: &[Row], other: &[Row], alpha: f64) -> bool {
        let violation = |row: &Row| -> f64 {
            self.bounds.iter().map(|bound| bound.excess(std::slice::from_ref(row))).sum()
        };
        let pairs: Vec<(f64, f64)> =
            rows.iter().zip(other).map(|(a, b)| (violation(a), violation(b))).collect();
        clearly_more(&pairs, Centre::Mean, alpha)
    }

    /// True if it is clear at this level that `rows` are worse than `other` in the first objective. A `last` look goes on to the
    /// next one where the means of those before are no better. An earlier look must not: few replications can have that wrong, and
    /// then what is truly best, at a price, would go for its price.
    pub(super) fn clearly_worse(&self, rows: &[Row], other: &[Row], alpha: f64, last: bool) -> bool {
        let n = rows.len().min(other.len());
        let (rows, other) = (&rows[..n], &other[..n]);
        let looked_at = if last { self.objectives.len() } else { 1 };
        for aim in self.objectives.iter().take(looked_at) {
            if self.worse_in(rows, other, *aim, alpha) {
                return true;
            }
            if self.cost(rows, *aim) < self.cost(other, *aim) {
                return false;
            }
        }
        false
    }

    /// True if it is clear at this level that `rows` are worse than `other` in one objective, over the replications in which both
    /// observed it.
    pub(super) fn worse_in(&self, rows: &[Row], other: &[Row], aim: Aim, alpha: f64) -> bool {
        let sign = if aim.more { -1.0 } else { 1.0 };
        let value = |row: &Row| self.value(row, aim.column).map(|value| sign * value);
        let pairs: Vec<(f64, f64)> =
            rows.iter().zip(other).filter_map(|(a, b)| value(a).zip(value(b))).collect();
        clearly_more(&pairs, aim.centre, alpha)
    }
}

/// What tells whether anything succeeded, for a condition on a workload.
pub(super) fn telling(condition: &Condition) -> Option<Figure> {
    matches!(condition.figure.metric, Metric::Workload(_)).then(|| goodput(condition.figure.subject))
}

impl Bound {
    fn evidence(&self, rows: &[Row]) -> Evidence {
        let served =
            |row: &Row| self.served.is_none_or(|place| row[place].is_some_and(|goodput| goodput > 0.0));
        Evidence::of(&self.condition, rows.iter().map(|row| (row[self.column], served(row))))
    }

    /// False if the figure is a share that was 0 or 1 in every row, of too few to tell on which side of the bound it is.
    fn has_enough(&self, rows: &[Row]) -> bool {
        let Some((whole, place)) = self.whole else { return true };
        let estimate = Estimate::of(rows.iter().filter_map(|row| row[self.column]));
        let counts = rows.iter().filter_map(|row| row[place]);
        let pooled = estimate.and_then(|estimate| whole.pooled(&estimate, counts));
        pooled.is_none_or(|pooled| pooled.decides(&self.condition, 0.05))
    }

    /// By how much the bound is passed, in bounds; 0 if it is not, or if nothing was observed.
    fn excess(&self, rows: &[Row]) -> f64 {
        let (comparison, limit) = (self.condition.comparison, self.condition.bound);
        let mean = match self.evidence(rows) {
            Evidence::Unobserved => return 0.0,
            Evidence::NothingSucceeded(_) => return f64::INFINITY,
            Evidence::Seen(estimate) => estimate.mean,
        };
        if comparison.holds(mean, limit) {
            return 0.0;
        }
        let scale = if limit == 0.0 { 1.0 } else { limit.abs() };
        // A bound that is missed by nothing at all, as "< 1" by 1, is missed.
        ((mean - limit).abs() / scale).max(1e-9)
    }

    fn met(&self, rows: &[Row], alpha: f64) -> Met {
        let estimate = match self.evidence(rows) {
            Evidence::Unobserved => return Met::Unobserved,
            Evidence::NothingSucceeded(_) => return Met::No,
            Evidence::Seen(estimate) => estimate,
        };
        let holds = |value: f64| self.condition.comparison.holds(value, self.condition.bound);
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
