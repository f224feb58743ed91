//! Failures in a row that are forgotten bucket by bucket.

use crate::time::{Instant, Interval};

/// A run of failures in a window of buckets. Source: gobreaker 2, `windowCounts` and `toNewBucket`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunUntil {
    /// Failures in a row.
    pub(super) failures: u32,
    /// All failures in the window.
    total: u32,
    buckets: Vec<Bucket>,
    current: usize,
    /// How many buckets have been dropped since it was made.
    dropped: usize,
    /// When the next one is.
    pub(super) until: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Bucket {
    /// All failures.
    total: u32,
    /// Those since the last success.
    run: u32,
}

impl RunUntil {
    pub(super) fn new(buckets: u32, until: Instant) -> Self {
        let buckets = vec![Bucket::default(); buckets as usize];
        Self { failures: 0, total: 0, buckets, current: 0, dropped: 0, until }
    }

    pub(super) fn record(&mut self, success: bool) {
        let bucket = &mut self.buckets[self.current];
        if success {
            bucket.run = 0;
            self.failures = 0;
        } else {
            bucket.run = bucket.run.saturating_add(1);
            bucket.total = bucket.total.saturating_add(1);
            self.failures = self.failures.saturating_add(1);
            self.total = self.total.saturating_add(1);
        }
    }

    /// Drops the oldest bucket; true if all have been dropped now for the first time.
    pub(super) fn rotate(&mut self, every: Interval) -> bool {
        self.current = (self.current + 1) % self.buckets.len();
        let old = std::mem::take(&mut self.buckets[self.current]);
        // As there: with a success within the window the run is not shortened.
        if self.failures == self.total {
            self.failures = self.failures.saturating_sub(old.run);
        }
        self.total = self.total.saturating_sub(old.total);
        self.until = self.until + every;
        self.dropped = self.dropped.saturating_add(1);
        self.dropped == self.buckets.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Failures in a row after each step: S or F, or | where a bucket is dropped.
    fn runs(buckets: u32, steps: &str) -> Vec<u32> {
        let mut run = RunUntil::new(buckets, Instant::START);
        let step = |step| {
            match step {
                '|' => drop(run.rotate(Interval::from_secs(1))),
                result => run.record(result == 'S'),
            }
            run.failures
        };
        steps.chars().map(step).collect()
    }

    #[test]
    fn a_run_is_dropped_as_gobreaker_does_it() {
        let cases: [(u32, &str, &[u32]); 5] = [
            (1, "FFF|F", &[1, 2, 3, 0, 1]),
            // The success in between makes 2 in a row of 3 in all: the run stays, and stays on.
            (1, "FSFF|F|F", &[1, 0, 1, 2, 2, 3, 3, 4]),
            (1, "FSFF|SFF|", &[1, 0, 1, 2, 2, 0, 1, 2, 0]),
            (3, "FF|F|F|F|", &[1, 2, 2, 3, 3, 4, 2, 3, 2]),
            (2, "FSF|F|", &[1, 0, 1, 1, 2, 2]),
        ];
        for (buckets, steps, expected) in cases {
            assert_eq!(runs(buckets, steps), expected, "{buckets} buckets, {steps}");
        }
    }

    #[test]
    fn calls_become_late_only_once() {
        let mut run = RunUntil::new(2, Instant::START);
        let late: Vec<bool> = (0..4).map(|_| run.rotate(Interval::from_secs(1))).collect();
        assert_eq!(late, [false, true, false, false]);
    }
}
