//! Recovery: how long after an incident things are as good as before it.
//!
//! The level before is the mean goodput from the start of the run, or from the end of the incident before, to the start
//! of this one. The workload has recovered at the first bin that reaches 95 % of that level and begins a stretch, as long
//! as the incident (at least a minute, at least one bin), that reaches it on average. It is a stretch and not every bin
//! to come because counts fluctuate: a healthy Poisson stream of 10/s stays below 95 % in every third ten-second bin.
//! Where all requests have ended before the stretch is over, the part until then is what is averaged.

use super::time_series::{Column, TimeSeries};
use crate::time::{Instant, Interval};

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
    /// The recovery of the workload with this `series` from an incident in the window `incident`, when the incident before
    /// it was over at `earlier` and the last request ended at `quiet`.
    pub fn of(series: &TimeSeries, incident: (Instant, Instant), earlier: Instant, quiet: Instant) -> Self {
        let bin = series.bin().as_nanos();
        let first_bin = |at: Instant| at.as_nanos().div_ceil(bin) as usize;
        let (from, begins, over) =
            (first_bin(earlier), (incident.0.as_nanos() / bin) as usize, first_bin(incident.1));
        let end = first_bin(quiet).min(series.bins());
        if begins <= from || over >= end {
            return Self::NotObserved;
        }
        let goodput = |bins: std::ops::Range<usize>| {
            let width = bins.len() as f64;
            bins.map(|bin| series.get(bin, Column::Succeeded)).sum::<u64>() as f64 / width
        };
        let level = goodput(from..begins);
        if level == 0.0 {
            return Self::NotObserved;
        }
        let stretch =
            incident.1.since(incident.0).max(Interval::from_secs(60)).as_nanos().div_ceil(bin) as usize;
        let enough = |bins| goodput(bins) >= 0.95 * level;
        let recovered =
            (over..end).find(|&start| enough(start..start + 1) && enough(start..(start + stretch).min(end)));
        match recovered {
            Some(start) => {
                let at = Instant::from_nanos(start as u64 * bin);
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

    /// A series of ten-second bins with the given successes.
    fn series(successes: &[u64]) -> TimeSeries {
        let mut series =
            TimeSeries::new(Interval::from_secs(10), Interval::from_secs(10 * successes.len() as u64));
        for (bin, &count) in successes.iter().enumerate() {
            for _ in 0..count {
                series.record(at(10 * bin as u64), Column::Succeeded);
            }
        }
        series
    }

    /// Healthy at 100 per bin for 10 bins, an incident of a minute, then `after`.
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
        // One good bin is not a recovery.
        assert_eq!(after(&[[0, 100, 0, 0].as_slice(), &[100; 20]].concat()), Recovery::After(40.0));
    }

    #[test]
    fn noise_does_not_hide_a_recovery_and_a_collapse_is_never() {
        assert_eq!(after(&[90, 110, 95, 105, 92, 108, 97, 103, 91, 109, 98, 102]), Recovery::After(10.0));
        assert_eq!(after(&[40; 30]), Recovery::Never);
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
