//! Phase maps: over two fields, where a condition holds, where it fails for a while, and where for good. Replications that did
//! not observe a figure say nothing of it, as in `[expect]`.

use rayon::prelude::*;

use super::Question;
use super::decide::met;
use crate::error::Error;
use crate::experiment::design::MOST_POINTS;
use crate::experiment::replicate::{ArmResult, Experiment};
use crate::metrics::WORKLOAD_MEASURES;
use crate::scenario::{Axis, Figure, Metric, Scenario};

/// What most replications do, of those that tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// All conditions hold.
    Stable,
    /// They do not, but goodput comes back after the incident.
    Recovers,
    /// Goodput never comes back; or there was no incident to come back from.
    Never,
    /// No replication tells whether all conditions hold: none observed their figures.
    Unobserved,
}

impl Phase {
    /// What a replication can do, the best first.
    pub const OF_ONE: [Self; 3] = [Self::Stable, Self::Recovers, Self::Never];

    /// Its name in CSV files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Recovers => "recovers",
            Self::Never => "never recovers",
            Self::Unobserved => "not observed",
        }
    }
}

/// The phases of all arms over two fields.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseMap {
    /// The values of the first field.
    pub across: Vec<String>,
    /// The values of the second field.
    pub up: Vec<String>,
    /// The cells: by arm, then by value of the second field, then of the first.
    pub cells: Vec<Vec<Vec<Cell>>>,
}

/// An arm at a pair of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// How many replications were in each of [`Phase::OF_ONE`]; those that do not tell are left out.
    pub counts: [u32; 3],
}

impl Cell {
    /// How many replications tell.
    pub fn replications(self) -> u32 {
        self.counts.iter().sum()
    }

    /// What most of them do; of equals the worse.
    pub fn phase(self) -> Phase {
        let most = self.counts.into_iter().max().filter(|&most| most > 0);
        let worst = most.and_then(|most| (0..3).rev().find(|&index| self.counts[index] == most));
        worst.map_or(Phase::Unobserved, |index| Phase::OF_ONE[index])
    }

    /// What share of them is in each of [`Phase::OF_ONE`]; `None` if there are none.
    pub fn shares(self) -> Option<[f64; 3]> {
        let all = self.replications();
        (all > 0).then(|| self.counts.map(|count| f64::from(count) / f64::from(all)))
    }
}

/// Runs all arms at every pair of values, each with the scenario's replications. `progress` is called after each pair.
///
/// # Errors
/// If an axis has no number of values, or the scenario is not sound at one of them.
pub fn phase_map(
    question: &Question,
    axes: [&Axis; 2],
    progress: &(dyn Fn() + Sync),
) -> Result<PhaseMap, Error> {
    let values = |axis: &Axis| {
        axis.values().ok_or_else(|| {
            let path = &axis.path;
            Error::Usage(format!("--vary {path}: a map needs steps, such as {path}=a..b:step"))
        })
    };
    let (across, up) = (values(axes[0])?, values(axes[1])?);
    let pairs = across.len() * up.len();
    if pairs > MOST_POINTS {
        return Err(Error::Usage(format!(
            "{pairs} pairs of values, the limit is {MOST_POINTS}: widen a step"
        )));
    }
    let cells: Vec<(&String, &String)> =
        up.iter().flat_map(|second| across.iter().map(move |first| (first, second))).collect();
    let scenario = |(first, second): &(&String, &String)| {
        question.at(&[(&axes[0].path, first), (&axes[1].path, second)])
    };
    // Before anything is run: all of them are sound.
    for cell in &cells {
        scenario(cell)?;
    }
    let cell = |cell: &(&String, &String)| {
        let scenario = scenario(cell)?;
        let arms: Vec<usize> = (0..scenario.arms.len()).collect();
        let mut experiment = Experiment::new(&scenario, 0);
        experiment.advance(&arms, scenario.replications, &|| ());
        progress();
        let found = experiment.results().arms.iter();
        Ok(found.map(|arm| counted(question, &scenario, arm)).collect::<Vec<_>>())
    };
    let found: Vec<Vec<Cell>> = cells.par_iter().map(cell).collect::<Result<_, Error>>()?;
    let arms = found.first().map_or(0, Vec::len);
    let rows = |arm: usize| {
        found.chunks(across.len()).map(|row| row.iter().map(|cell| cell[arm]).collect()).collect()
    };
    Ok(PhaseMap { cells: (0..arms).map(rows).collect(), across, up })
}

/// In how many of its replications an arm is in each phase.
fn counted(question: &Question, scenario: &Scenario, arm: &ArmResult) -> Cell {
    let n = arm.replications() as usize;
    let holds = met(&question.conditions, arm);
    let measure = WORKLOAD_MEASURES.iter().position(|measure| measure.name == "recovery_time");
    let metric = Metric::Workload(measure.expect("it is measured"));
    let mut recovers = vec![true; n];
    let mut seen = vec![false; n];
    for subject in 0..scenario.workloads.len() {
        for (index, value) in arm.observations(Figure { metric, subject }).enumerate() {
            seen[index] |= value.is_some();
            recovers[index] &= value.is_none_or(f64::is_finite);
        }
    }
    let mut counts = [0; 3];
    for index in 0..n {
        let phase = match (holds[index], seen[index] && recovers[index]) {
            (None, _) => continue,
            (Some(true), _) => 0,
            (Some(false), true) => 1,
            (Some(false), false) => 2,
        };
        counts[phase] += 1;
    }
    Cell { counts }
}
