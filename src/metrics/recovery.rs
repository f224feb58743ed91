//! Recovery: how long after an incident things are as good as before it.
//!
//! The level before is the mean goodput from the start of the run, or from the end of the incident before, to the start
//! of this one. The workload has recovered at the first moment from which the goodput reaches 95 % of that level on
//! average over a stretch as long as the incident (at least a minute), and over the first tenth of that stretch as well.
//! A stretch and not every moment to come, because counts fluctuate: a healthy Poisson stream of 10/s stays below 95 % in
//! every second second. Where all requests have ended before the stretch is over, the part until then is what counts; if
//! that is less than a tenth of it, there was nothing left to recover. A stretch may end where the next incident begins as
//! well, but then a workload that has not recovered by then is followed further. Incidents that overlap, or that follow each
//! other within a tenth of the stretch, are one.

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

    /// The sums that many recoveries can be told from.
    pub fn summed(&self) -> Summed {
        let mut sum = 0;
        let later = self.successes.iter().map(|&count| {
            sum += u64::from(count);
            sum
        });
        Summed { step: self.step, before: [0].into_iter().chain(later).collect() }
    }
}

/// Successes before each step.
#[derive(Debug, Clone)]
pub struct Summed {
    step: u64,
    before: Vec<u64>,
}

impl Summed {
    const fn steps(&self) -> usize {
        self.before.len() - 1
    }

    /// Mean successes per step.
    fn mean(&self, steps: Range<usize>) -> f64 {
        (self.before[steps.end] - self.before[steps.start]) as f64 / steps.len() as f64
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
    /// The recoveries of the workload with this `goodput` from incidents in these windows, in order of time, when the last
    /// request ended at `quiet`.
    pub fn of_all(goodput: &Summed, windows: &[(Instant, Instant)], quiet: Instant) -> Vec<Self> {
        let mut incidents: Vec<(Instant, Instant)> = Vec::new();
        for &(begins, over) in windows {
            match incidents.last_mut() {
                Some(last) if begins <= last.1 || begins.since(last.1) < stretch(*last).scale(0.1) => {
                    last.1 = last.1.max(over);
                }
                _ => incidents.push((begins, over)),
            }
        }
        let mut earlier = Instant::START;
        let recovery = |(index, &incident): (usize, &(Instant, Instant))| {
            let next = incidents.get(index + 1).map(|next| next.0);
            let recovery = Self::of(goodput, incident, (earlier, next), quiet);
            earlier = incident.1;
            recovery
        };
        incidents.iter().enumerate().map(recovery).collect()
    }

    /// The recovery of the workload with this `goodput` from an incident in the window `incident`, when the incident before
    /// it was over at `earlier`, the one behind it begins at `next` and the last request ended at `quiet`.
    fn of(
        goodput: &Summed,
        incident: (Instant, Instant),
        (earlier, next): (Instant, Option<Instant>),
        quiet: Instant,
    ) -> Self {
        let step = goodput.step;
        let first_step = |at: Instant| at.as_nanos().div_ceil(step) as usize;
        let (from, begins, over) =
            (first_step(earlier), (incident.0.as_nanos() / step) as usize, first_step(incident.1));
        let end = first_step(quiet).min(goodput.steps());
        if begins <= from || over >= end {
            return Self::NotObserved;
        }
        let level = goodput.mean(from..begins);
        let stretch = stretch(incident).as_nanos().div_ceil(step) as usize;
        let tenth = stretch.div_ceil(10);
        // A stretch may be cut short where the work is done, but not where only the run is over.
        let done = first_step(quiet) < goodput.steps();
        let least = if done { tenth } else { stretch };
        if level == 0.0 {
            return Self::NotObserved;
        }
        // The first start of a stretch of at least so many steps, before `end`, on which all is well.
        let first = |least: usize, end: usize| {
            let reaches =
                |start: usize, steps: usize| goodput.mean(start..(start + steps).min(end)) >= 0.95 * level;
            (over..(end + 1).saturating_sub(least))
                .find(|&start| reaches(start, tenth) && reaches(start, stretch))
        };
        let before_next = next.and_then(|next| first(tenth, end.min((next.as_nanos() / step) as usize)));
        if before_next.is_none() && over + least > end {
            return Self::NotObserved;
        }
        match before_next.or_else(|| first(least, end)) {
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

/// On what stretch goodput must be back.
fn stretch(incident: (Instant, Instant)) -> Interval {
    incident.1.since(incident.0).max(Interval::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::START + Interval::from_secs(seconds)
    }

    /// Steps of ten seconds with the given successes.
    fn series(successes: &[u64]) -> Summed {
        let mut goodput =
            Goodput::new(Interval::from_secs(10), Interval::from_secs(10 * successes.len() as u64));
        for (step, &count) in successes.iter().enumerate() {
            for _ in 0..count {
                goodput.record(at(10 * step as u64));
            }
        }
        goodput.summed()
    }

    /// Healthy at 100 per step for 10 steps, an incident of a minute, then `after`.
    fn after(after: &[u64]) -> Recovery {
        let mut successes = vec![100; 10];
        successes.extend([0; 6]);
        successes.extend(after);
        let end = at(10 * successes.len() as u64);
        Recovery::of(&series(&successes), (at(100), at(160)), (Instant::START, None), end)
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
        assert_eq!(
            Recovery::of(&series(&successes), (at(0), at(60)), (at(0), None), at(300)),
            Recovery::NotObserved
        );
        assert_eq!(
            Recovery::of(&series(&successes), (at(100), at(160)), (at(0), None), at(150)),
            Recovery::NotObserved
        );
        assert_eq!(
            Recovery::of(&series(&[0; 30]), (at(100), at(160)), (at(0), None), at(300)),
            Recovery::NotObserved
        );
    }

    #[test]
    fn the_next_incident_ends_what_is_looked_at_and_those_close_together_are_one() {
        let healthy = [100; 10];
        let (down, two) = ([0; 6], [100; 2]);
        let recoveries = |parts: &[&[u64]], windows: &[(u64, u64)]| {
            let successes = parts.concat();
            let windows: Vec<_> = windows.iter().map(|&(from, to)| (at(from), at(to))).collect();
            Recovery::of_all(&series(&successes), &windows, at(10 * successes.len() as u64))
        };
        // Two steps between two incidents are less than a stretch, but all is well on them.
        let parts: [&[u64]; 5] = [&healthy, &down, &two, &down, &healthy];
        assert_eq!(
            recoveries(&parts, &[(100, 160), (180, 240)]),
            [Recovery::After(0.0), Recovery::After(0.0)]
        );
        // A run that ends soon after the second one does not make the first one last for ever.
        let parts: [&[u64]; 5] = [&healthy, &down, &two, &down, &two];
        assert_eq!(recoveries(&parts, &[(100, 160), (180, 240)])[0], Recovery::After(0.0));
        // What has not recovered by then is followed further: here for ever, and here to the end of the second.
        let collapsed = [40; 10];
        let parts: [&[u64]; 5] = [&healthy, &down, &collapsed[..2], &down, &collapsed];
        assert_eq!(recoveries(&parts, &[(100, 160), (180, 240)])[0], Recovery::Never);
        let parts: [&[u64]; 5] = [&healthy, &down, &collapsed[..2], &down, &healthy];
        assert_eq!(recoveries(&parts, &[(100, 160), (180, 240)])[0], Recovery::After(80.0));
        // Overlapping, or less than 6 s apart.
        let parts: [&[u64]; 5] = [&healthy, &down, &down, &healthy, &healthy];
        for second in [130, 160, 165] {
            assert_eq!(recoveries(&parts, &[(100, 160), (second, 220)]), [Recovery::After(0.0)]);
        }
        assert_eq!(recoveries(&parts, &[(100, 160), (166, 220)]).len(), 2);
    }
}
