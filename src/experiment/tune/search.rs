//! The search: a Latin hypercube, a race among what it gives, then races among the neighbours of the best so far.

use super::race::{Field, Track};
use super::trials::Trials;
use crate::random::{Key, unit};
use crate::scenario::{Knob, Tune, Tuned, Values};

/// Replications of a candidate in the first round.
pub(super) const FIRST: u32 = 4;
/// Candidates that the hypercube has at least and at most.
const SAMPLED: (u64, u64) = (8, 256);

/// The part of the budget that is kept for finding out which retries are needed.
const RESERVE: u64 = 6;
/// How often candidates race again that were dropped for the sake of one that does not meet the constraints after all.
const SECOND_CHANCES: u32 = 4;

/// A policy that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Indices of its values among those of the knobs; empty for the policy that tuning starts from.
    pub indices: Vec<usize>,
    /// The values of its knobs; empty for the policy that tuning starts from.
    pub values: Values,
    /// The policy.
    pub policy: Tuned,
    /// How it was found.
    pub found: Found,
}

/// How a candidate was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The policy that tuning starts from.
    Start,
    /// The combination of values that is nearest to it.
    NearStart,
    /// One of all combinations, because there are few.
    Everything,
    /// By the Latin hypercube.
    Hypercube,
    /// As a neighbour of the best so far.
    Neighbour,
}

/// What can run candidates that are entered as policies.
pub(super) trait Entry: Track {
    fn enter(&mut self, candidate: &Candidate);
}

impl Entry for Trials<'_> {
    fn enter(&mut self, candidate: &Candidate) {
        Trials::enter(self, candidate.policy.config.clone());
    }
}

/// A search under way.
pub(super) struct Search<'s, T> {
    pub(super) tune: &'s Tune,
    pub(super) field: Field<T>,
    pub(super) candidates: Vec<Candidate>,
}

impl<T: Entry> Search<'_, T> {
    /// Searches with at most `budget` replications, and gives the candidates that are left and the one to take of them. The draws
    /// of the hypercube are those of `key`.
    pub(super) fn search(&mut self, key: Key, budget: u64) -> Option<(Vec<usize>, usize)> {
        self.field.left = budget;
        self.enter_start();
        self.field.advance(&[0], FIRST);
        let sampling = budget * 2 / 3;
        let count = (sampling / 3 / u64::from(FIRST)).clamp(SAMPLED.0, SAMPLED.1);
        let entered = self.sample(key, count as usize);
        let left = self.field.race(&entered, FIRST, sampling);
        let (mut left, mut best) = self.settle(left)?;
        loop {
            let neighbours = self.neighbours(best);
            let free = self.field.left.saturating_sub(budget / RESERVE);
            if neighbours.is_empty() || free == 0 {
                break;
            }
            let mut entrants = left.clone();
            entrants.extend(neighbours);
            // What is left after that is for the neighbours of what is found there.
            left = self.field.race(&entrants, 2 * FIRST, free.div_ceil(2));
            (left, best) = self.settle(left)?;
        }
        self.simplify(left, best)
    }

    /// The one to take with the fewest retries that are not clearly worse: retries that are never needed cost nothing, so that
    /// nothing else speaks against them.
    fn simplify(&mut self, left: Vec<usize>, best: usize) -> Option<(Vec<usize>, usize)> {
        let Some(place) = self.tune.place(Knob::Retries) else { return Some((left, best)) };
        let indices = self.candidates[best].indices.clone();
        let mut entrants = vec![best];
        for retries in 0..indices[place] {
            let mut fewer = indices.clone();
            fewer[place] = retries;
            let values = self.tune.values(&fewer);
            let known = (1..self.candidates.len()).find(|&index| self.candidates[index].values == values);
            entrants.extend(known.or_else(|| self.enter(fewer, Found::Neighbour)));
        }
        let left = self.field.race(&entrants, 2 * FIRST, self.field.left);
        self.settle(left)
    }

    /// The one to take of what a race left. If it turns out not to meet the constraints, what was dropped for its sake races again.
    fn settle(&mut self, mut left: Vec<usize>) -> Option<(Vec<usize>, usize)> {
        let mut best = self.choose(&left)?;
        for _ in 0..SECOND_CHANCES {
            let meets = |candidate: usize| {
                let rows = &self.field.rows[candidate];
                !rows.is_empty() && self.field.aims.met(rows).by_mean()
            };
            let others: Vec<usize> =
                (1..self.candidates.len()).filter(|&candidate| meets(candidate)).collect();
            if meets(best) || others.is_empty() {
                break;
            }
            let budget = self.field.left.div_ceil(2);
            left = self.field.race(&others, FIRST, budget);
            best = self.choose(&left)?;
        }
        Some((left, best))
    }

    /// The one to take: of what cannot be told apart the one with the fewest retries, then the one with the fewest parts.
    fn choose(&self, left: &[usize]) -> Option<usize> {
        self.field.choose(left, |candidate| {
            let policy = &self.candidates[candidate].policy.config;
            let parts =
                [policy.breaker.is_some(), policy.budget.is_some()].into_iter().filter(|part| *part).count();
            (policy.counted_retries().unwrap_or(u64::MAX), 1000 * parts + candidate.min(999))
        })
    }

    fn enter_start(&mut self) {
        let policy = self.tune.started();
        let start = Candidate { indices: Vec::new(), values: Vec::new(), policy, found: Found::Start };
        self.field.enter();
        self.field.track.enter(&start);
        self.candidates.push(start);
    }

    /// Enters the values with these indices, unless no policy can have them together, or it has been entered already.
    fn enter(&mut self, indices: Vec<usize>, found: Found) -> Option<usize> {
        let values = self.tune.values(&indices);
        if self.candidates.iter().skip(1).any(|known| known.values == values) {
            return None;
        }
        let policy = self.tune.policy(&values).ok()?;
        let candidate = Candidate { indices, values, policy, found };
        self.field.track.enter(&candidate);
        self.candidates.push(candidate);
        Some(self.field.enter())
    }

    /// Where the start would be, and all combinations if they are no more than `count`, else a Latin hypercube of so many.
    fn sample(&mut self, key: Key, count: usize) -> Vec<usize> {
        let near = self.tune.start();
        let mut entered: Vec<usize> = self.enter(near, Found::NearStart).into_iter().collect();
        let levels: Vec<usize> = self.tune.knobs.iter().map(|(_, values)| values.len()).collect();
        let (all, found) = if self.tune.combinations() <= count as f64 {
            (everything(&levels), Found::Everything)
        } else {
            (hypercube(&levels, count, key), Found::Hypercube)
        };
        entered.extend(all.into_iter().filter_map(|indices| self.enter(indices, found)));
        entered
    }

    /// Enters what differs from a candidate in one knob by one step, or in a knob without order by anything.
    fn neighbours(&mut self, of: usize) -> Vec<usize> {
        let ways = self.around(of);
        ways.into_iter().filter_map(|indices| self.enter(indices, Found::Neighbour)).collect()
    }

    fn around(&self, of: usize) -> Vec<Vec<usize>> {
        let here = &self.candidates[of].indices;
        let mut ways = Vec::new();
        for (place, (knob, values)) in self.tune.knobs.iter().enumerate() {
            let at = here[place];
            let others: Vec<usize> = (0..values.len())
                .filter(|&other| other != at && (!Knob::is_ordered(*knob) || other.abs_diff(at) == 1))
                .collect();
            for other in others {
                let mut indices = here.clone();
                indices[place] = other;
                ways.push(indices);
            }
        }
        ways
    }
}

/// All combinations of so many values.
fn everything(levels: &[usize]) -> Vec<Vec<usize>> {
    levels.iter().fold(vec![Vec::new()], |ways, &count| {
        let longer = |way: &Vec<usize>| -> Vec<Vec<usize>> {
            (0..count).map(|index| way.iter().copied().chain([index]).collect()).collect()
        };
        ways.iter().flat_map(longer).collect()
    })
}

/// A Latin hypercube: of the `count` strata of every knob each is hit once (M. D. `McKay`, R. J. Beckman, W. J. Conover, A comparison
/// of three methods for selecting values of input variables, Technometrics 21, 1979).
fn hypercube(levels: &[usize], count: usize, key: Key) -> Vec<Vec<usize>> {
    let column = |(knob, &values): (usize, &usize)| -> Vec<usize> {
        let draw = |point: usize| key.block(point as u64, knob as u64);
        let mut strata: Vec<usize> = (0..count).collect();
        strata.sort_by_key(|&point| (draw(point)[0], point));
        let place = |(point, &stratum): (usize, &usize)| {
            let share = (stratum as f64 + unit(draw(point)[1])) / count as f64;
            ((share * values as f64) as usize).min(values - 1)
        };
        strata.iter().enumerate().map(place).collect()
    };
    let columns: Vec<Vec<usize>> = levels.iter().enumerate().map(column).collect();
    (0..count).map(|point| columns.iter().map(|column| column[point]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn a_hypercube_hits_every_stratum_of_every_knob_once() {
        let key = Key::derive(1, 0, Purpose::Tuning, "email");
        for count in [8, 60] {
            // As many values as strata: each is there once; with fewer, each as often as the strata that it covers.
            let points = hypercube(&[count, 4, 1], count, key);
            for (knob, values) in [count, 4, 1].into_iter().enumerate() {
                let mut hits = vec![0; values];
                for point in &points {
                    hits[point[knob]] += 1;
                }
                assert!(hits.iter().all(|&hit| hit == count / values), "{hits:?}");
            }
            let columns = |knob: usize| points.iter().map(move |point| point[knob]);
            assert!(!columns(0).eq(columns(0).rev()) && !columns(0).is_sorted(), "the order is drawn");
        }
        let other = Key::derive(2, 0, Purpose::Tuning, "email");
        assert_ne!(hypercube(&[9, 9], 9, key), hypercube(&[9, 9], 9, other));
        assert_eq!(hypercube(&[9, 9], 9, key), hypercube(&[9, 9], 9, key));
    }

    #[test]
    fn few_combinations_are_all_there() {
        assert_eq!(everything(&[2, 1, 2]), [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]]);
    }
}
