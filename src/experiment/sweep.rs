//! Sweeps: one scenario at many points, each with all of its arms and replications. All points have the seed in common, so that
//! they share their luck as arms do.

use rayon::prelude::*;

use super::design::Values;
use super::replicate::{Experiment, Results};
use crate::error::Error;
use crate::scenario::{Override, Scenario, ScenarioFile};

/// How many points whose scenarios are wrong are shown.
const MOST_SHOWN: usize = 3;
/// How many points are under way at once, for each thread.
const POINTS_PER_THREAD: usize = 4;

/// A scenario and the points at which it is to be run.
#[derive(Debug)]
pub struct Sweep {
    /// The scenario as it is read.
    pub file: ScenarioFile,
    /// The fields that are replaced at all points.
    pub overrides: Vec<Override>,
    /// The axes: the option that asks for each, and its path.
    pub axes: Vec<(&'static str, String)>,
    /// The values of the axes at each point.
    pub points: Vec<Values>,
}

impl Sweep {
    /// The scenario at the point with this index.
    ///
    /// # Errors
    /// With every problem found in it.
    pub fn scenario(&self, point: usize) -> Result<Scenario, Error> {
        let axes = self.axes.iter().zip(&self.points[point]);
        let axes = axes.map(|((option, path), value)| Override::new(option, path, value));
        self.file.with(&self.overrides.iter().cloned().chain(axes).collect::<Vec<_>>())
    }

    /// Reads the scenarios of all points, and what `of` makes of each. It computes on the threads that it is called on.
    ///
    /// # Errors
    /// With the problems of the first points that have some, each with its values.
    pub fn check<T: Send>(&self, of: impl Fn(&Scenario) -> T + Sync) -> Result<Vec<T>, Error> {
        let read = |point| self.scenario(point).map(|scenario| of(&scenario));
        let read: Vec<Result<T, Error>> = (0..self.points.len()).into_par_iter().map(read).collect();
        let wrong: Vec<String> = read
            .iter()
            .enumerate()
            .filter_map(|(point, read)| Some(format!("{}:\n{}", self.describe(point), read.as_ref().err()?)))
            .collect();
        if wrong.is_empty() {
            return read.into_iter().collect();
        }
        let mut message = wrong[..wrong.len().min(MOST_SHOWN)].join("\n\n");
        if wrong.len() > MOST_SHOWN {
            let more = wrong.len() - MOST_SHOWN;
            message += &format!("\n\n{more} more of the {} points have problems", self.points.len());
        }
        Err(Error::Scenario(message))
    }

    /// Runs the points with these indices and gives each to `finished`, in any order, as soon as it is done. `progress` is called
    /// after each replication. It computes on the threads that it is called on.
    ///
    /// # Errors
    /// The first of `finished`, or if a scenario can no longer be read.
    pub fn run(
        &self,
        points: &[usize],
        progress: &(dyn Fn() + Sync),
        finished: &(dyn Fn(usize, &Scenario, &Results) -> Result<(), Error> + Sync),
    ) -> Result<(), Error> {
        let run = |&point: &usize| {
            let scenario = self.scenario(point)?;
            let arms: Vec<usize> = (0..scenario.arms.len()).collect();
            let mut experiment = Experiment::new(&scenario, 0);
            experiment.advance(&arms, scenario.replications, progress);
            finished(point, &scenario, experiment.results())
        };
        // A thread that waits for a replication begins another point meanwhile, which is kept in memory.
        let at_once = POINTS_PER_THREAD * rayon::current_num_threads();
        points.chunks(at_once).try_for_each(|points| points.par_iter().try_for_each(run))
    }

    /// `point 3 of 12 (workloads.sends.clients=500)`.
    fn describe(&self, point: usize) -> String {
        let values: Vec<String> = self
            .axes
            .iter()
            .zip(&self.points[point])
            .map(|((_, axis), value)| format!("{axis}={value}"))
            .collect();
        format!("point {} of {} ({})", point + 1, self.points.len(), values.join(", "))
    }
}
