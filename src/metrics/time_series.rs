//! Counts per bin of time: one row of counters per bin, so that one attempt touches one cache line.

use super::ruler::Ruler;
use crate::time::{Instant, Interval};

/// What is counted per bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Column {
    /// Requests that arrived.
    Requests,
    /// First attempts sent to the service.
    Attempt1,
    /// Second attempts, which are first retries.
    Attempt2,
    /// Third attempts.
    Attempt3,
    /// Fourth attempts.
    Attempt4,
    /// Fifth attempts.
    Attempt5,
    /// All later attempts.
    Attempt6Plus,
    /// Attempts that the rate limit turned away, when it did.
    Limited,
    /// Attempts that a fault, an incident or another attempt failed, when the service answered.
    Failed,
    /// Attempts that found no place in the service, or that it shed, when it turned them away.
    Overloaded,
    /// Attempts that ran into the client's timeout, when it expired.
    TimedOut,
    /// Attempts that a breaker or the client's own limiter did not let out.
    Refused,
    /// Requests that succeeded, when the client knew.
    Succeeded,
    /// Requests given up, when the client did.
    GaveUp,
}

/// The columns of sent attempts by number.
pub const ATTEMPT_COLUMNS: [Column; 6] = [
    Column::Attempt1,
    Column::Attempt2,
    Column::Attempt3,
    Column::Attempt4,
    Column::Attempt5,
    Column::Attempt6Plus,
];

impl Column {
    /// All columns, in the order of the CSV.
    pub const ALL: [Self; 14] = [
        Self::Requests,
        Self::Attempt1,
        Self::Attempt2,
        Self::Attempt3,
        Self::Attempt4,
        Self::Attempt5,
        Self::Attempt6Plus,
        Self::Limited,
        Self::Failed,
        Self::Overloaded,
        Self::TimedOut,
        Self::Refused,
        Self::Succeeded,
        Self::GaveUp,
    ];

    /// The name in CSV files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Attempt1 => "attempt_1",
            Self::Attempt2 => "attempt_2",
            Self::Attempt3 => "attempt_3",
            Self::Attempt4 => "attempt_4",
            Self::Attempt5 => "attempt_5",
            Self::Attempt6Plus => "attempt_6_plus",
            Self::Limited => "limited",
            Self::Failed => "failed",
            Self::Overloaded => "overloaded",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
            Self::Succeeded => "succeeded",
            Self::GaveUp => "gave_up",
        }
    }

    /// The column of the `number`-th attempt, from 1.
    pub const fn of_attempt(number: u32) -> Self {
        ATTEMPT_COLUMNS[if number > 6 { 5 } else { number as usize - 1 }]
    }
}

type Row = [u64; Column::ALL.len()];

/// Counts per bin and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSeries {
    ruler: Ruler,
    rows: Vec<Row>,
}

impl TimeSeries {
    /// Bins of `bin` that cover `horizon`.
    pub fn new(bin: Interval, horizon: Interval) -> Self {
        let bins = horizon.as_nanos().div_ceil(bin.as_nanos());
        Self { ruler: Ruler::new(bin), rows: vec![[0; Column::ALL.len()]; bins as usize] }
    }

    /// Counts one in the bin of `at`, which lies within the horizon.
    #[inline]
    pub fn record(&mut self, at: Instant, column: Column) {
        self.rows[self.ruler.step_of(at) as usize][column as usize] += 1;
    }

    /// Adds another series of the same shape.
    pub fn add(&mut self, other: &Self) {
        debug_assert_eq!((&self.ruler, self.rows.len()), (&other.ruler, other.rows.len()));
        for (row, other) in self.rows.iter_mut().zip(&other.rows) {
            for (cell, other) in row.iter_mut().zip(other) {
                *cell += other;
            }
        }
    }

    /// The number of bins.
    pub fn bins(&self) -> usize {
        self.rows.len()
    }

    /// The width of a bin.
    pub fn bin(&self) -> Interval {
        Interval::from_nanos(self.ruler.width())
    }

    /// The count in one cell.
    pub fn get(&self, bin: usize, column: Column) -> u64 {
        self.rows[bin][column as usize]
    }

    /// Attempts sent in a bin.
    pub fn attempts(&self, bin: usize) -> u64 {
        ATTEMPT_COLUMNS.iter().map(|&column| self.get(bin, column)).sum()
    }

    /// The last bin in which anything was counted.
    pub fn last_active(&self) -> Option<usize> {
        self.rows.iter().rposition(|row| row.iter().any(|&count| count > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_begins_with_its_first_instant() {
        let mut series = TimeSeries::new(Interval::from_secs(10), Interval::from_secs(25));
        assert_eq!(series.bins(), 3);
        for nanos in [0, 9_999_999_999, 10_000_000_000, 24_999_999_999] {
            series.record(Instant::from_nanos(nanos), Column::Attempt1);
        }
        series.record(Instant::from_nanos(5), Column::of_attempt(9));
        let counts: Vec<_> = (0..3).map(|bin| series.attempts(bin)).collect();
        assert_eq!(counts, [3, 1, 1]);
        assert_eq!(series.get(0, Column::Attempt6Plus), 1);
        assert_eq!(series.last_active(), Some(2));
    }

    #[test]
    fn columns_stand_in_their_own_order() {
        for (index, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, index, "{}", column.name());
        }
    }
}
