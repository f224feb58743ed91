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
    /// Attempts per second that were neither turned away by the limit nor for want of room.
    pub(super) accepted: f64,
    /// Successes per second.
    pub(super) succeeded: f64,
}

impl Bar {
    /// Attempts per second.
    pub(super) fn offered(&self) -> f64 {
        self.attempts.iter().sum()
    }

    /// Up to which number there are attempts; 0 if there are none.
    pub(super) fn numbers(&self) -> usize {
        self.attempts.iter().rposition(|&rate| rate > 0.0).map_or(0, |last| last + 1)
    }

    /// True if attempts were turned away.
    pub(super) fn is_cut(&self) -> bool {
        self.accepted < self.offered()
    }

    /// The share of the attempts up to this number, from 0; 0 if there are none.
    pub(super) fn share(&self, number: usize) -> f64 {
        let offered = self.offered();
        if offered > 0.0 { self.attempts[..=number].iter().sum::<f64>() / offered } else { 0.0 }
    }

    /// The fullest of these bars, from where the first begins to where the last ends; what is accepted and what succeeds are means
    /// over that time.
    fn merged(bars: &[Self]) -> Self {
        let fullest = |fuller: Self, bar: &Self| if bar.offered() > fuller.offered() { *bar } else { fuller };
        let (first, last) = (bars[0], bars[bars.len() - 1]);
        let mean = |of: fn(&Self) -> f64| {
            let counts = bars.iter().map(|bar| of(bar) * (bar.to - bar.from));
            counts.sum::<f64>() / (last.to - first.from)
        };
        let (accepted, succeeded) = (mean(|bar| bar.accepted), mean(|bar| bar.succeeded));
        Self { from: first.from, to: last.to, accepted, succeeded, ..bars[1..].iter().fold(first, fullest) }
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
        let attempts = ATTEMPT_COLUMNS.map(rate);
        // Counted when they were turned away, which may be in a later bin than that in which they were sent.
        let turned_away = rate(Column::Limited) + rate(Column::Overloaded);
        let accepted = (attempts.iter().sum::<f64>() - turned_away).max(0.0);
        Bar { from, to, at: from, attempts, accepted, succeeded: rate(Column::Succeeded) }
    };
    let bins: Vec<Bar> = (0..bins).map(bar).collect();
    let per_bar = bins.len().div_ceil(most).max(1);
    bins.chunks(per_bar).map(Bar::merged).collect()
}

/// When the attempts with one number are sent.
pub(super) struct Ridge {
    /// From where to where in seconds, and attempts per second in the fullest of the bins there.
    pub(super) columns: Vec<(f64, f64, f64)>,
    /// The most per second, and when; none if there are no such attempts.
    pub(super) peak: Option<(f64, f64)>,
}

/// The first `bins` bins of a column of attempts, in at most `most` columns.
pub(super) fn ridge(scenario: &Scenario, course: &Course, bins: usize, most: usize, of: Column) -> Ridge {
    let column = |bin: usize| {
        let (from, to) = (span(scenario, bin), span(scenario, bin + 1));
        (from, to, course.get(bin, of) / (to - from))
    };
    let bins: Vec<(f64, f64, f64)> = (0..bins).map(column).collect();
    let mut peak: Option<(f64, f64)> = None;
    for &(from, _, rate) in &bins {
        if rate > peak.map_or(0.0, |(highest, _)| highest) {
            peak = Some((rate, from));
        }
    }
    let fullest = |group: &[(f64, f64, f64)]| {
        let rate = group.iter().map(|column| column.2).fold(0.0, f64::max);
        (group[0].0, group[group.len() - 1].1, rate)
    };
    let columns = bins.chunks(bins.len().div_ceil(most).max(1)).map(fullest).collect();
    Ridge { columns, peak }
}

/// Up to which number attempts were sent, of six that are told apart.
pub(super) fn attempts_of(course: &Course) -> usize {
    let sent = |&column: &Column| course.bins.iter().any(|bin| bin[column as usize] > 0.0);
    ATTEMPT_COLUMNS.iter().rposition(sent).map_or(0, |last| last + 1)
}

/// The same in any arm and workload; 1 at least.
pub(super) fn attempt_numbers(tables: &Tables) -> usize {
    tables.arms.iter().flatten().map(attempts_of).max().unwrap_or(0).max(1)
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
        let attempts = [first, retries, 0.0, 0.0, 0.0, 0.0];
        Bar { from, to: from + 1.0, at: from, attempts, accepted: first, succeeded }
    }

    #[test]
    fn bars_that_share_a_pixel_show_the_fullest_bin() {
        let merged = Bar::merged(&[bar(0.0, 1.0, 0.0, 3.0), bar(1.0, 0.0, 2.0, 1.0)]);
        assert_eq!((merged.from, merged.to, merged.at), (0.0, 2.0, 1.0));
        assert_eq!((merged.offered(), merged.accepted, merged.succeeded), (2.0, 0.5, 2.0));
        assert_eq!((merged.share(0), merged.share(1)), (0.0, 1.0));
    }

    #[test]
    fn stragglers_do_not_squeeze_the_rest_into_a_corner() {
        let mut course = Course { bins: vec![[0.0; Column::ALL.len()]; 100], ..Course::default() };
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
        assert_eq!(peak(&bars, Bar::offered), Some((2.0, 1.0)));
        assert_eq!(peak(&bars, |bar| bar.succeeded), None);
    }
}
