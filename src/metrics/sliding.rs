//! How many attempts come close together: the two faces of a herd.

use super::ruler::Ruler;
use crate::time::{Instant, Interval};

/// Steps per window: a sliding window moves by a tenth of its width.
const STEPS: usize = 10;

/// The most events in any window, where windows start at every tenth of their width. Fixed memory, whatever the load.
#[derive(Debug, Clone)]
pub struct SlidingCount {
    ruler: Ruler,
    ring: [u64; STEPS],
    newest: u64,
    /// Where the newest step is in the ring.
    place: usize,
    within: u64,
    peak: u64,
}

impl SlidingCount {
    /// Windows of `window`, at least ten nanoseconds.
    pub fn new(window: Interval) -> Self {
        Self {
            ruler: Ruler::new(Interval::from_nanos(window.as_nanos() / STEPS as u64)),
            ring: [0; STEPS],
            newest: 0,
            place: 0,
            within: 0,
            peak: 0,
        }
    }

    /// Counts an event. Events come in order of time.
    #[inline]
    pub fn record(&mut self, at: Instant) {
        let step = self.ruler.step_of(at);
        if step != self.newest {
            self.slide(step);
        }
        self.ring[self.place] += 1;
        self.within += 1;
        self.peak = self.peak.max(self.within);
    }

    /// The window ends with a later step.
    fn slide(&mut self, step: u64) {
        debug_assert!(step >= self.newest, "events come in order of time");
        if step - self.newest >= STEPS as u64 {
            self.ring = [0; STEPS];
            self.within = 0;
        } else {
            for passed in self.newest + 1..=step {
                self.within -= std::mem::take(&mut self.ring[(passed % STEPS as u64) as usize]);
            }
        }
        (self.newest, self.place) = (step, (step % STEPS as u64) as usize);
    }

    /// The most events that any window held.
    pub const fn peak(&self) -> u64 {
        self.peak
    }
}

/// The variance-to-mean ratio of counts in adjoining windows: 1 for a Poisson stream, 0 for an even one, large for herds.
///
/// Source: D. R. Cox and P. A. W. Lewis, The Statistical Analysis of Series of Events, 1966, 4.5 (index of dispersion).
#[derive(Debug, Clone)]
pub struct Dispersion {
    ruler: Ruler,
    current: u64,
    within: u64,
    total: u64,
    sum_of_squares: u128,
}

impl Dispersion {
    /// Windows of `window`, above zero.
    pub fn new(window: Interval) -> Self {
        Self { ruler: Ruler::new(window), current: 0, within: 0, total: 0, sum_of_squares: 0 }
    }

    /// Counts an event. Events come in order of time.
    pub fn record(&mut self, at: Instant) {
        let index = self.ruler.step_of(at);
        if index != self.current {
            self.sum_of_squares += u128::from(self.within) * u128::from(self.within);
            (self.current, self.within) = (index, 0);
        }
        self.within += 1;
        self.total += 1;
    }

    /// The ratio over all windows of a run that lasted `horizon`, empty ones included; `None` without events.
    pub fn ratio(&self, horizon: Interval) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let windows = horizon.as_nanos().div_ceil(self.ruler.width()) as f64;
        let squares = (self.sum_of_squares + u128::from(self.within) * u128::from(self.within)) as f64;
        let mean = self.total as f64 / windows;
        Some(squares / windows / mean - mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::standard_exponential;
    use crate::random::{Key, Purpose};

    fn count(millis: &[u64]) -> u64 {
        let mut sliding = SlidingCount::new(Interval::from_secs(1));
        for &at in millis {
            sliding.record(Instant::from_nanos(at * 1_000_000));
        }
        sliding.peak()
    }

    #[test]
    fn a_window_slides_over_the_boundary_of_a_second() {
        assert_eq!(count(&[900, 950, 1000, 1050]), 4);
        assert_eq!(count(&[0, 999, 1000]), 2, "1000 ms is outside the window that began at 0");
        assert_eq!(count(&[0, 5_000, 50_000]), 1);
        assert_eq!(count(&[]), 0);
    }

    #[test]
    fn even_streams_poisson_streams_and_herds_are_told_apart() {
        let window = Interval::from_secs(1);
        let horizon = Interval::from_secs(10_000);
        let mut even = Dispersion::new(window);
        for i in 0..100_000u64 {
            even.record(Instant::from_nanos(i * 100_000_000));
        }
        assert!(even.ratio(horizon).unwrap().abs() < 1e-9);

        let key = Key::derive(2, 0, Purpose::Arrivals, "dispersion");
        let mut poisson = Dispersion::new(window);
        let (mut at, mut number) = (0.0, 0);
        while at < 10_000.0 {
            poisson.record(Instant::from_nanos((at * 1e9) as u64));
            at += standard_exponential(key.block(number, 0)[0]) / 10.0;
            number += 1;
        }
        // The standard error of the ratio over n windows is sqrt(2/n).
        let ratio = poisson.ratio(horizon).unwrap();
        assert!((ratio - 1.0).abs() < 4.0 * (2.0f64 / 10_000.0).sqrt(), "{ratio}");

        let mut herd = Dispersion::new(window);
        for _ in 0..5_000 {
            herd.record(Instant::from_nanos(60_000_000_000));
        }
        assert_eq!(herd.ratio(horizon), Some(5_000.0 - 0.5));
        assert_eq!(Dispersion::new(window).ratio(horizon), None);
    }
}
