//! Tuning: policies are found rather than compared. Each workload in turn, the others as in the first arm: a search on common
//! random numbers (`search`), then a confirmation of what it found on luck that it has not seen (`confirm`).

mod aims;
mod confirm;
mod front;
mod race;
mod search;
#[cfg(test)]
mod tests;
mod trials;
mod why;

pub use aims::Met;
pub use confirm::{Confirmed, estimate, is_optimistic};
pub use race::Stage;
pub use search::{Candidate, Found};
pub use why::{Effect, Variant};

use super::observe::Row;
use super::pooled::Whole;
use crate::metrics::Better;
use crate::random::{Key, Purpose};
use crate::scenario::{Condition, Figure, Metric, Scenario, Tune};
use aims::Aims;
use race::Field;
use search::Search;
use trials::Trials;

/// The fewest replications that a workload can be tuned with.
pub const LEAST_EVALUATIONS: u64 = 300;
/// Replications of each policy in the confirmation, at least and at most.
const HELD_OUT: (u64, u64) = (10, 200);
/// Points of the front that are confirmed, at most.
const MOST_ON_FRONT: usize = 10;

/// What tuning found.
#[derive(Debug)]
pub struct Tuning {
    /// The seed of the confirmation.
    pub held_out_seed: u64,
    /// By tuned workload, in the order of the scenario's tunings.
    pub workloads: Vec<TunedWorkload>,
}

/// What was found for one workload.
#[derive(Debug)]
pub struct TunedWorkload {
    /// What rows have in each place: the objectives, the constraints, then what every table shows.
    pub figures: Vec<Figure>,
    /// All that was tried; the first is what tuning started from.
    pub candidates: Vec<Candidate>,
    /// What the search saw of each candidate, by replication.
    pub searched: Vec<Vec<Row>>,
    /// How sure the search is of each candidate that it meets the constraints.
    pub candidates_met: Vec<Met>,
    /// What became of each candidate.
    pub stages: Vec<Stage>,
    /// The candidate to take: the one that violates least if none meets the constraints.
    pub chosen: usize,
    /// How sure the search is that it meets them; that is no proof.
    pub met: Met,
    /// What the confirmation saw, of the start, of the chosen one and of the front; by candidate.
    pub confirmed: Vec<(usize, Confirmed)>,
    /// The front by what the confirmation saw, by the first objective.
    pub front: Vec<usize>,
    /// The candidate at the knee of the front, if it has one.
    pub knee: Option<usize>,
    /// The requests of all replications of the confirmation, with the chosen policy.
    pub requests: u64,
    /// The chosen policy with parts replaced.
    pub variants: Vec<Variant>,
    /// What the confirmation saw of each variant.
    pub varied: Vec<Confirmed>,
    /// What that changes.
    pub effects: Vec<Effect>,
}

impl TunedWorkload {
    /// What the confirmation saw of a candidate.
    ///
    /// # Panics
    /// If it was not confirmed.
    pub fn confirmed(&self, candidate: usize) -> &Confirmed {
        let found = self.confirmed.iter().find(|(known, _)| *known == candidate);
        &found.expect("the start, the chosen candidate and the front are confirmed").1
    }

    /// True if the confirmation shows that the chosen policy meets the constraints. What the search saw proves nothing: the policy
    /// was chosen by it.
    pub fn is_met(&self) -> bool {
        self.confirmed(self.chosen).met() == Met::Yes
    }

    /// The column of a metric of the tuned workload, or of its service.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.figures.iter().rposition(|figure| figure.metric.name() == name)
    }

    /// How many columns are those of objectives and constraints; they come first.
    pub fn asked(&self, tune: &Tune) -> usize {
        let asked = |figure: &&Figure| {
            tune.objectives.iter().any(|objective| objective.figure == **figure)
                || tune.constraints.iter().any(|constraint| constraint.figure == **figure)
        };
        self.figures.iter().filter(asked).count()
    }

    /// What is better of the figure in a column, as far as this tuning is concerned.
    pub fn better(&self, column: usize, tune: &Tune) -> Better {
        let figure = self.figures[column];
        let objective = tune.objectives.iter().find(|objective| objective.figure == figure);
        objective.map_or(figure.metric.sense().better, |objective| objective.better)
    }
}

/// Tunes every workload that the scenario says how to tune, with about so many replications in all. It computes on the threads
/// that it is called on; `progress` is called after each replication.
pub fn tune(scenario: &Scenario, evaluations: u64, progress: &(dyn Fn() + Sync)) -> Tuning {
    let each = evaluations / scenario.tunings.len().max(1) as u64;
    let workloads: Vec<usize> = scenario.tunings.iter().map(|tune| tune.workload).collect();
    let (_, names) = scenario.tuned_names(&workloads);
    let tuned = |(tune, name): (&Tune, &String)| tune_workload(scenario, tune, name, each, progress);
    Tuning {
        held_out_seed: confirm::held_out_seed(scenario.seed),
        workloads: scenario.tunings.iter().zip(&names).map(tuned).collect(),
    }
}

/// Objectives, constraints, and what every table shows.
fn figures(scenario: &Scenario, tune: &Tune) -> Vec<Figure> {
    let service = scenario.workloads[tune.workload].service;
    let limited =
        scenario.services[service].config.allowance(scenario.window, scenario.callers_of(service)).is_some();
    let peak = if limited { "peak_to_limit" } else { "offered_load_peak" };
    let shown = ["success_rate", "attempts_per_request", "time_to_success_p99", "time_to_give_up_max", peak];
    let shown = shown.into_iter().filter_map(|name| {
        let metric = Metric::named(name)?;
        let subject = if matches!(metric, Metric::Service(_)) { service } else { tune.workload };
        Some(Figure { metric, subject })
    });
    let asked = tune.objectives.iter().map(|objective| objective.figure);
    let mut figures: Vec<Figure> = Vec::new();
    for figure in asked.chain(tune.constraints.iter().map(|constraint| constraint.figure)).chain(shown) {
        if !figures.contains(&figure) {
            figures.push(figure);
        }
    }
    figures
}

/// How many requests a workload has.
fn requests(workload: usize) -> Option<Figure> {
    Metric::named("requests").map(|metric| Figure { metric, subject: workload })
}

/// The figures, and after them what has to be known besides: whether anything succeeded, of how many a figure is a share, and how
/// many requests there were.
fn with_telling(scenario: &Scenario, figures: &[Figure], tune: &Tune) -> Vec<Figure> {
    let mut watched = figures.to_vec();
    let whole = |condition: &Condition| Whole::of(scenario, condition.figure).map(|whole| whole.counts);
    let telling = tune.constraints.iter().flat_map(|condition| [aims::telling(condition), whole(condition)]);
    for figure in telling.chain([requests(tune.workload)]).flatten() {
        if !watched.contains(&figure) {
            watched.push(figure);
        }
    }
    watched
}

fn tune_workload(
    scenario: &Scenario,
    tune: &Tune,
    name: &str,
    evaluations: u64,
    progress: &(dyn Fn() + Sync),
) -> TunedWorkload {
    let figures = figures(scenario, tune);
    let watched = with_telling(scenario, &figures, tune);
    let aims = Aims::new(scenario, (&tune.objectives, &tune.constraints), &watched);
    let trials = Trials::new(scenario, tune, name, &watched, progress);
    let field = Field { track: trials, aims, rows: Vec::new(), stages: Vec::new(), left: 0 };
    let mut search = Search { tune, field, candidates: Vec::new() };
    let key = Key::derive(scenario.seed, 0, Purpose::Tuning, &scenario.workloads[tune.workload].name);
    let held_out = evaluations / 3;
    let found = search.search(key, evaluations - held_out);
    let (_, chosen) = found.expect("the hypercube has candidates, and the first round is paid for");
    let Search { field: Field { track: trials, aims, rows: searched, stages, .. }, candidates, .. } = search;
    let met = aims.met(&searched[chosen]);

    let variants = why::variants(tune, &candidates[chosen]);
    let most = (held_out / HELD_OUT.0) as usize;
    let promising = promising(
        &aims,
        &searched,
        chosen,
        MOST_ON_FRONT.min(most.saturating_sub(2 + variants.len()).max(3)),
    );
    let policies = promising.iter().map(|&candidate| &candidates[candidate].policy);
    let policies: Vec<_> = policies
        .chain(variants.iter().map(|variant| &variant.policy))
        .map(|tuned| tuned.config.clone())
        .collect();
    let replications = (held_out / policies.len() as u64).clamp(HELD_OUT.0, HELD_OUT.1) as u32;
    let mut seen = confirm::confirm(&trials, scenario.seed, &policies, replications, &aims);
    let varied = seen.split_off(promising.len());
    let confirmed: Vec<(usize, Confirmed)> = promising.into_iter().zip(seen).collect();
    let counted = watched.iter().position(|figure| Some(*figure) == requests(tune.workload));

    let (front, knee) = confirmed_front(&aims, &confirmed);
    let mut found = TunedWorkload {
        figures,
        candidates,
        candidates_met: searched.iter().map(|rows| aims.met(rows)).collect(),
        searched,
        stages,
        chosen,
        met,
        confirmed,
        front,
        knee,
        requests: 0,
        variants,
        varied,
        effects: Vec::new(),
    };
    let requests = |row: &Row| counted.and_then(|column| row[column]).unwrap_or(0.0) as u64;
    found.requests = found.confirmed(chosen).rows.iter().map(requests).sum();
    found.effects = why::effects(found.confirmed(chosen), &found.varied, &found.figures);
    found
}

/// The start, the chosen candidate, and the front by what the search saw: of those that meet the constraints if any does.
fn promising(aims: &Aims, searched: &[Vec<Row>], chosen: usize, most: usize) -> Vec<usize> {
    let tried: Vec<usize> =
        (1..searched.len()).filter(|&candidate| !searched[candidate].is_empty()).collect();
    let meets = |&candidate: &usize| aims.met(&searched[candidate]).by_mean();
    let meeting: Vec<usize> = tried.iter().copied().filter(meets).collect();
    let eligible = if meeting.is_empty() { tried } else { meeting };
    let costs: Vec<Vec<f64>> =
        eligible.iter().map(|&candidate| front::costs(aims, &searched[candidate])).collect();
    let ordered: Vec<usize> = front::front(&costs).into_iter().map(|index| eligible[index]).collect();
    let mut promising = vec![0, chosen];
    promising.extend(front::thin(&ordered, most).into_iter().filter(|&candidate| candidate != chosen));
    promising
}

/// The front of what was confirmed, without the start unless it lies on it, and its knee.
fn confirmed_front(aims: &Aims, confirmed: &[(usize, Confirmed)]) -> (Vec<usize>, Option<usize>) {
    let meets = |(_, seen): &&(usize, Confirmed)| seen.met().by_mean();
    let any = confirmed.iter().skip(1).any(|seen| meets(&seen));
    let eligible: Vec<&(usize, Confirmed)> =
        confirmed.iter().skip(1).filter(|seen| !any || meets(seen)).collect();
    let costs: Vec<Vec<f64>> = eligible.iter().map(|(_, seen)| front::costs(aims, &seen.rows)).collect();
    let ordered = front::front(&costs);
    let along: Vec<Vec<f64>> = ordered.iter().map(|&index| costs[index].clone()).collect();
    let knee = front::knee(&along).map(|index| eligible[ordered[index]].0);
    (ordered.into_iter().map(|index| eligible[index].0).collect(), knee)
}
