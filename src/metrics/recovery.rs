//! Recovery: how long after an incident things are as good as before it.
//!
//! The level before is the mean goodput from the start of the run, or from the end of the incident before, to the start
//! of this one. The workload has recovered at the first moment from which the goodput reaches 95 % of that level on
//! average over a stretch as long as the incident (at least a minute), and over the first tenth of that stretch as well.
//! A stretch and not every moment to come, because counts fluctuate: a healthy Poisson stream of 10/s stays below 95 % in
//! every second second. Where all requests have ended before the stretch is over, the part until then is what counts; if
//! that is less than a tenth of it, there was nothing left to recover.

use std::ops::Range;

use crate::time::{Instant, Interval};

/// Steps at most, so that the memory is bounded.
const MAX_STEPS: u64 = 100_000;

/// Successes per step of time, finer than the time series.
#[derive(Debug, Clone)]
pub struct Goodput {
    step: u64,
    successes: Vec<u32>,
}

impl Goodput {
    /// Steps of `step` over `horizon`, a whole multiple of it if there would be more than 100,000.
    pub fn new(step: Interval, horizon: Interval) -> Self {
        let step = step.as_nanos().max(1);
        let step = step * horizon.as_nanos().div_ceil(step).div_ceil(MAX_STEPS);
        Self { step, successes: vec![0; horizon.as_nanos().div_ceil(step) as usize] }
    }

    /// Counts a success at `at`, which lies within the horizon.
    pub fn record(&mut self, at: Instant) {
        self.successes[(at.as_nanos() / self.step) as usize] += 1;
    }

    /// Mean successes per step.
    fn mean(&self, steps: Range<usize>) -> f64 {
        let width = steps.len() as f64;
        self.successes[steps].iter().map(|&count| u64::from(count)).sum::<u64>() as f64 / width
    }
}

/// What became of a workload after an incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recovery {
    /// Goodput was back so many seconds after the end of the incident.
    After(f64),
    /// Goodput never came back within the run.
    Never,
    /// There was nothing to recover: no goodput before, or no request left after.
    NotObserved,
}

impl Recovery {
    /// The recovery of the workload with this `goodput` from an incident in the window `incident`, when the incident before
    /// it was over at `earlier` and the last request ended at `quiet`.
    pub fn of(goodput: &Goodput, incident: (Instant, Instant), earlier: Instant, quiet: Instant) -> Self {
        let step = goodput.step;
        let first_step = |at: Instant| at.as_nanos().div_ceil(step) as usize;
        let (from, begins, over) =
            (first_step(earlier), (incident.0.as_nanos() / step) as usize, first_step(incident.1));
        let end = first_step(quiet).min(goodput.successes.len());
        if begins <= from || over >= end {
            return Self::NotObserved;
        }
        let level = goodput.mean(from..begins);
        let stretch =
            incident.1.since(incident.0).max(Interval::from_secs(60)).as_nanos().div_ceil(step) as usize;
        // A stretch may be cut short where the work is done, but not where only the run is over.
        let done = first_step(quiet) < goodput.successes.len();
        let least = if done { stretch.div_ceil(10) } else { stretch };
        if level == 0.0 || over + least > end {
            return Self::NotObserved;
        }
        let reaches =
            |start: usize, steps: usize| goodput.mean(start..(start + steps).min(end)) >= 0.95 * level;
        let recovered = (over..=end - least)
            .find(|&start| reaches(start, stretch.div_ceil(10)) && reaches(start, stretch));
        match recovered {
            Some(start) => {
                let at = Instant::from_nanos(start as u64 * step);
                Self::After(at.since(incident.1).as_secs_f64())
            }
            None => Self::Never,
        }
    }

    /// The recovery time in seconds; infinite for never, `None` if not observed.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::After(seconds) => Some(seconds),
            Self::Never => Some(f64::INFINITY),
            Self::NotObserved => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::START + Interval::from_secs(seconds)
    }

    /// Steps of ten seconds with the given successes.
    fn series(successes: &[u64]) -> Goodput {
        let mut goodput =
            Goodput::new(Interval::from_secs(10), Interval::from_secs(10 * successes.len() as u64));
        for (step, &count) in successes.iter().enumerate() {
            for _ in 0..count {
                goodput.record(at(10 * step as u64));
            }
        }
        goodput
    }

    /// Healthy at 100 per step for 10 steps, an incident of a minute, then `after`.
    fn after(after: &[u64]) -> Recovery {
        let mut successes = vec![100; 10];
        successes.extend([0; 6]);
        successes.extend(after);
        let end = at(10 * successes.len() as u64);
        Recovery::of(&series(&successes), (at(100), at(160)), Instant::START, end)
    }

    #[test]
    fn recovery_is_timed_from_the_end_of_the_incident() {
        assert_eq!(after(&[100; 20]), Recovery::After(0.0));
        assert_eq!(after(&[[0; 3].as_slice(), &[100; 20]].concat()), Recovery::After(30.0));
        // A backlog that drains faster than the load came in does not date the recovery back.
        assert_eq!(after(&[[0; 3].as_slice(), &[200; 20]].concat()), Recovery::After(30.0));
        // One good step is not a recovery.
        assert_eq!(after(&[[0, 100, 0, 0].as_slice(), &[100; 20]].concat()), Recovery::After(40.0));
    }

    #[test]
    fn noise_does_not_hide_a_recovery_and_a_collapse_is_never() {
        assert_eq!(after(&[90, 110, 95, 105, 92, 108, 97, 103, 91, 109, 98, 102]), Recovery::After(10.0));
        assert_eq!(after(&[40; 30]), Recovery::Never);
        // A lucky last step does not make a recovery of a collapse.
        assert_eq!(after(&[[40; 29].as_slice(), &[120]].concat()), Recovery::Never);
    }

    #[test]
    fn nothing_before_or_nothing_after_is_not_a_recovery() {
        let successes = [100; 30];
        assert_eq!(Recovery::of(&series(&successes), (at(0), at(60)), at(0), at(300)), Recovery::NotObserved);
        assert_eq!(
            Recovery::of(&series(&successes), (at(100), at(160)), at(0), at(150)),
            Recovery::NotObserved
        );
        assert_eq!(
            Recovery::of(&series(&[0; 30]), (at(100), at(160)), at(0), at(300)),
            Recovery::NotObserved
        );
    }
}
