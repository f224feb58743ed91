//! What timeseries.csv says, per second: mean counts per replication over the width of a bin.

use crate::metrics::{ATTEMPT_COLUMNS, Column};
use crate::report::tables::{Course, Tables};
use crate::scenario::Scenario;

/// One column of a chart: a bin, or the fullest of several bins that share a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bar {
    /// Where it begins and ends, in seconds.
    pub(super) from: f64,
    pub(super) to: f64,
    /// When its fullest bin begins, in seconds.
    pub(super) at: f64,
    /// Attempts per second by their number.
    pub(super) attempts: [f64; ATTEMPT_COLUMNS.len()],
    /// Successes per second.
    pub(super) succeeded: f64,
}

impl Bar {
    /// Attempts per second.
    pub(super) fn offered(&self) -> f64 {
        self.attempts.iter().sum()
    }

    /// Attempts per second that are not first ones.
    pub(super) fn retries(&self) -> f64 {
        self.attempts[1..].iter().sum()
    }

    /// This bar or `other`, whichever is fuller, from where this begins to where `other` ends.
    fn merge(self, other: &Self) -> Self {
        let fuller = if other.offered() > self.offered() { *other } else { self };
        Self { from: self.from, to: other.to, succeeded: self.succeeded.max(other.succeeded), ..fuller }
    }
}

/// The share of what happens in an arm that is drawn: the last few stragglers would squeeze all the rest into a corner.
pub(super) const SHOWN: f64 = 0.999;

/// How many bins of a run are drawn: those in which [`SHOWN`] of the attempts and successes of every arm and workload
/// happen, and a little more. All of them if nothing happens.
pub(super) fn bins_to_show(tables: &Tables) -> usize {
    let courses = || tables.arms.iter().flatten();
    let all = courses().map(|course| course.bins.len()).max().unwrap_or(1);
    let busy = courses().filter_map(busy_bins).max().unwrap_or(all);
    (busy + busy.div_ceil(20)).min(all)
}

/// How many bins hold [`SHOWN`] of what happens; `None` if nothing does.
fn busy_bins(course: &Course) -> Option<usize> {
    let happened = |bin: usize| course.attempts(bin) + course.get(bin, Column::Succeeded);
    let bins = 0..course.bins.len();
    let total: f64 = bins.clone().map(happened).sum();
    let mut seen = 0.0;
    bins.into_iter()
        .find(|&bin| {
            seen += happened(bin);
            total > 0.0 && seen >= total * SHOWN
        })
        .map(|last| last + 1)
}

/// The time that `bins` bins cover, in seconds: the last one ends with the run.
pub(super) fn span(scenario: &Scenario, bins: usize) -> f64 {
    (scenario.bin.as_secs_f64() * bins as f64).min(scenario.horizon.as_secs_f64())
}

/// The first `bins` bins of a workload, in at most `most` bars.
pub(super) fn bars(scenario: &Scenario, course: &Course, bins: usize, most: usize) -> Vec<Bar> {
    let bar = |bin: usize| {
        let (from, to) = (span(scenario, bin), span(scenario, bin + 1));
        let rate = |column| course.get(bin, column) / (to - from);
        Bar { from, to, at: from, attempts: ATTEMPT_COLUMNS.map(rate), succeeded: rate(Column::Succeeded) }
    };
    let bins: Vec<Bar> = (0..bins).map(bar).collect();
    let per_bar = bins.len().div_ceil(most).max(1);
    bins.chunks(per_bar).map(|group| group[1..].iter().fold(group[0], Bar::merge)).collect()
}

/// The fullest bar by some measure: (per second, when). None if it is empty.
pub(super) fn peak(bars: &[Bar], of: fn(&Bar) -> f64) -> Option<(f64, f64)> {
    let mut peak: Option<(f64, f64)> = None;
    for bar in bars {
        let rate = of(bar);
        if rate > peak.map_or(0.0, |(highest, _)| highest) {
            peak = Some((rate, bar.at));
        }
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(from: f64, first: f64, retries: f64, succeeded: f64) -> Bar {
        Bar { from, to: from + 1.0, at: from, attempts: [first, retries, 0.0, 0.0, 0.0, 0.0], succeeded }
    }

    #[test]
    fn bars_that_share_a_pixel_show_the_fullest_bin() {
        let merged = bar(0.0, 1.0, 0.0, 3.0).merge(&bar(1.0, 0.0, 2.0, 1.0));
        assert_eq!((merged.from, merged.to, merged.at), (0.0, 2.0, 1.0));
        assert_eq!((merged.offered(), merged.retries(), merged.succeeded), (2.0, 2.0, 3.0));
    }

    #[test]
    fn stragglers_do_not_squeeze_the_rest_into_a_corner() {
        let mut course = Course { bins: vec![[0.0; Column::ALL.len()]; 100], success: Vec::new() };
        assert_eq!(busy_bins(&course), None);
        let mut record = |bin: usize, column: Column, count: f64| {
            course.bins[bin][column as usize] = count;
            busy_bins(&course)
        };
        record(3, Column::Attempt1, 2000.0);
        assert_eq!(record(90, Column::Attempt1, 1.0), Some(4));
        record(91, Column::Attempt2, 1.0);
        assert_eq!(record(92, Column::Attempt2, 1.0), Some(91));
    }

    #[test]
    fn the_peak_is_the_first_of_the_highest() {
        let bars = [bar(0.0, 1.0, 0.0, 0.0), bar(1.0, 0.0, 2.0, 0.0), bar(2.0, 0.0, 2.0, 0.0)];
        assert_eq!(peak(&bars, Bar::retries), Some((2.0, 1.0)));
        assert_eq!(peak(&bars, Bar::offered), Some((2.0, 1.0)));
        assert_eq!(peak(&bars, |bar| bar.succeeded), None);
    }
}
