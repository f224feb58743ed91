//! Races: candidates under common luck, replications doubled from round to round, and what is clearly worse than the best so far
//! dropped (O. Maron, A. W. Moore, Hoeffding races, NIPS 6, 1993, with paired t and sign tests; K. Jamieson, A. Talwalkar,
//! Non-stochastic best arm identification and hyperparameter optimization, AISTATS 2016, for the doubling).
//!
//! The level of each test is that of the race divided by all the tests that the truly best candidate has to pass: against each of
//! the others, in each round, on each aim. So a race drops what is truly best in the first objective with at most the probability
//! [`LEVEL`], whatever the others are, before its last round. There, with [`MOST`] replications, a later objective decides between
//! what the means of the earlier ones cannot tell apart.
//! What the budget cannot pay for is set aside, the lowest ranks first; that is no verdict.

use super::aims::{Aims, Met};
use crate::experiment::observe::Row;

/// The probability that a race drops the truly best of its candidates by the first objective, at most.
pub(super) const LEVEL: f64 = 0.05;
/// The most replications of a candidate in a search.
pub(super) const MOST: u32 = 64;

/// Where candidates run.
pub(super) trait Track {
    /// What replications observe; each task is (candidate, replication).
    fn run(&mut self, tasks: &[(usize, u32)]) -> Vec<Row>;
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not raced: what tuning starts from.
    Started,
    /// In the race to its end.
    Finished,
    /// Dropped in this round of its race, because it was clearly worse.
    Dropped(u32),
    /// Set aside in this round of its race, because others promised more.
    SetAside(u32),
}

/// All candidates and what they have shown.
#[derive(Debug)]
pub(super) struct Field<T> {
    pub(super) track: T,
    pub(super) aims: Aims,
    /// By candidate and replication.
    pub(super) rows: Vec<Vec<Row>>,
    pub(super) stages: Vec<Stage>,
    /// Replications that may still be run.
    pub(super) left: u64,
}

impl<T: Track> Field<T> {
    /// A candidate more; its index.
    pub(super) fn enter(&mut self) -> usize {
        self.rows.push(Vec::new());
        self.stages.push(Stage::Started);
        self.rows.len() - 1
    }

    /// Runs these candidates until each has had so many replications.
    pub(super) fn advance(&mut self, candidates: &[usize], replications: u32) {
        let missing = |&candidate: &usize| {
            let had = self.rows[candidate].len() as u32;
            (had..replications).map(move |replication| (candidate, replication))
        };
        let tasks: Vec<(usize, u32)> = candidates.iter().flat_map(missing).collect();
        self.left = self.left.saturating_sub(tasks.len() as u64);
        for ((candidate, _), row) in tasks.iter().zip(self.track.run(&tasks)) {
            self.rows[*candidate].push(row);
        }
    }

    fn cost(&self, candidate: usize, replications: u32) -> u64 {
        u64::from(replications).saturating_sub(self.rows[candidate].len() as u64)
    }

    /// The first replications of a candidate.
    fn first(&self, candidate: usize, replications: usize) -> &[Row] {
        let rows = &self.rows[candidate];
        &rows[..replications.min(rows.len())]
    }

    /// Best first, by means of the replications that all of them have had.
    pub(super) fn ranked(&self, candidates: &[usize]) -> Vec<usize> {
        let common = candidates.iter().map(|&candidate| self.rows[candidate].len()).min().unwrap_or(0);
        let stand = |&candidate: &usize| (candidate, self.aims.standing(self.first(candidate, common)));
        let mut standings: Vec<_> = candidates.iter().map(stand).collect();
        standings.sort_by(|(a, one), (b, other)| one.order(other).then(a.cmp(b)));
        standings.into_iter().map(|(candidate, _)| candidate).collect()
    }

    /// Races these candidates from `first` replications on for at most `budget` more in all, and gives those that are left, which
    /// have had the same number of replications.
    pub(super) fn race(&mut self, candidates: &[usize], first: u32, budget: u64) -> Vec<usize> {
        self.race_at(candidates, first, budget, LEVEL)
    }

    /// The same at another level.
    pub(super) fn race_at(
        &mut self,
        candidates: &[usize],
        first: u32,
        budget: u64,
        level: f64,
    ) -> Vec<usize> {
        let rounds = rounds(first);
        let others = candidates.len().saturating_sub(1).max(1) as f64;
        let level = level / (f64::from(rounds) * others * self.aims.tests() as f64);
        let ends = self.left.saturating_sub(budget);
        let mut alive = candidates.to_vec();
        let mut replications = first;
        for round in 1..=rounds {
            let rest = self.left.saturating_sub(ends);
            // The first round takes all; later ones leave half of the rest to those that come after them.
            let share = if round == 1 { rest } else { rest.div_ceil(2) };
            let Some(paid) = self.affordable(&alive, replications, share, rest) else { break };
            for &candidate in alive.iter().filter(|candidate| !paid.contains(candidate)) {
                self.stages[candidate] = Stage::SetAside(round);
            }
            self.advance(&paid, replications);
            let dropped = self.clearly_worse(&paid, level, replications >= MOST);
            for &candidate in &dropped {
                self.stages[candidate] = Stage::Dropped(round);
            }
            alive = paid.into_iter().filter(|candidate| !dropped.contains(candidate)).collect();
            if alive.len() < 2 || replications >= MOST {
                break;
            }
            replications = (2 * replications).min(MOST);
        }
        alive.retain(|&candidate| !self.rows[candidate].is_empty());
        for &candidate in &alive {
            self.stages[candidate] = Stage::Finished;
        }
        alive
    }

    /// The best ranks that `share` pays for; two at least if `rest` can pay for them, else nothing.
    fn affordable(&self, alive: &[usize], replications: u32, share: u64, rest: u64) -> Option<Vec<usize>> {
        let mut ranked = self.ranked(alive);
        let mut total = 0;
        let costs: Vec<u64> = ranked
            .iter()
            .map(|&candidate| {
                total += self.cost(candidate, replications);
                total
            })
            .collect();
        let fits = costs.iter().take_while(|&&cost| cost <= share).count();
        let two = costs.get(1).or(costs.first()).is_some_and(|&cost| cost <= rest);
        let kept = if fits < 2 && two { 2.min(ranked.len()) } else { fits };
        (kept >= 2 || kept == ranked.len()).then(|| {
            ranked.truncate(kept);
            ranked
        })
    }

    /// Those that are clearly worse than the best of those that clearly meet the constraints.
    fn clearly_worse(&self, candidates: &[usize], level: f64, last: bool) -> Vec<usize> {
        let ranked = self.ranked(candidates);
        let rows = |candidate: usize| self.rows[candidate].as_slice();
        let common = candidates.iter().map(|&candidate| self.rows[candidate].len()).min().unwrap_or(0);
        let sound = |&&candidate: &&usize| self.aims.met_where_seen(rows(candidate)) == Met::Yes;
        let met_by_mean = |&candidate: &usize| self.aims.met(rows(candidate)).by_mean();
        let reference = ranked.iter().find(sound).copied();
        let worse = |&candidate: &usize| match reference {
            Some(best) => {
                candidate != best
                    && (self.aims.clearly_breaks(rows(candidate), level)
                        || self.aims.clearly_worse(
                            self.first(candidate, common),
                            self.first(best, common),
                            level,
                            last,
                        ))
            }
            None if ranked.iter().any(met_by_mean) => self.aims.clearly_breaks(rows(candidate), level),
            None => {
                self.aims.clearly_further(self.first(candidate, common), self.first(ranked[0], common), level)
            }
        };
        ranked.iter().copied().filter(|candidate| worse(candidate)).collect()
    }

    /// The one to take of candidates that have had the same replications: of those that meet the constraints, the best in the
    /// first objective and those that are not clearly worse than it; of these the same in the next; of what is left the first in
    /// the order of `simpler`.
    pub(super) fn choose(
        &self,
        candidates: &[usize],
        simpler: impl Fn(usize) -> (u64, usize),
    ) -> Option<usize> {
        let common = candidates.iter().map(|&candidate| self.rows[candidate].len()).min()?;
        let rows = |candidate: usize| self.first(candidate, common);
        let met = |&candidate: &usize| self.aims.met_where_seen(rows(candidate));
        let surest = candidates.iter().map(met).max()?;
        let mut left: Vec<usize> =
            candidates.iter().copied().filter(|candidate| met(candidate) == surest).collect();
        if !surest.by_mean() {
            return self.ranked(candidates).first().copied();
        }
        for aim in &self.aims.objectives {
            let cost = |candidate: usize| self.aims.cost(rows(candidate), *aim);
            let best = left.iter().copied().min_by(|&a, &b| cost(a).total_cmp(&cost(b)))?;
            left.retain(|&candidate| !self.aims.worse_in(rows(candidate), rows(best), *aim, LEVEL));
        }
        left.into_iter().min_by_key(|&candidate| simpler(candidate))
    }
}

/// How many rounds a race can have that begins with so many replications.
fn rounds(first: u32) -> u32 {
    1 + (0..u32::BITS).filter(|&doublings| u64::from(first) << doublings < u64::from(MOST)).count() as u32
}
