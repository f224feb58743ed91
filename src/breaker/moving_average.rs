//! The success rate as a moving average that forgets exponentially: no window at all, so that the last results weigh most.

use schemars::JsonSchema;
use serde::Deserialize;

use super::rate::Tally;
use super::time_window::{Align, Buckets, Cut};
use crate::time::{Instant, Interval};
use crate::units::{Count, Probability};

/// Opens when the average success rate is below `success_rate` (failsafe-rs 1 `success_rate_over_time_window`). The average
/// takes each result with weight 1 - exp(-time since the last / window), in whole milliseconds as there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MovingAverage {
    /// The success rate below which it opens, 0 to 1.
    pub success_rate: SuccessRate,
    /// How fast the average forgets, and how long after it closed nothing is judged. Whole milliseconds, at least 5 ms.
    pub window: Interval,
    /// With fewer results than this within `window`, counted in five slices, nothing is judged.
    #[serde(default = "none")]
    pub minimum_calls: Count<0, 1_000_000_000>,
}

const fn none() -> Count<0, 1_000_000_000> {
    Count::of(0)
}

/// A share that is compared and never computed with.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SuccessRate(Probability);

impl Eq for SuccessRate {}

impl SuccessRate {
    /// The share, 0 to 1.
    pub const fn get(self) -> f64 {
        self.0.get()
    }
}

impl MovingAverage {
    pub(super) fn problem(&self) -> Option<String> {
        (self.window < Interval::from_millis(5))
            .then(|| format!("a window of {} is too short: give at least 5ms", self.window))
    }

    fn slices(&self) -> Cut {
        let bucket = Interval::from_millis(self.window.as_nanos() / 1_000_000 / 5);
        Cut { align: Align::Drifting, buckets: 5, bucket, width: self.window }
    }

    /// Takes a result; true if the breaker opens.
    pub(super) fn record(&self, average: &mut Average, now: Instant, success: bool) -> bool {
        let millis = now.since(average.since).as_nanos() / 1_000_000;
        let window = self.window.as_nanos() / 1_000_000;
        let value = if success { 1.0 } else { 0.0 };
        // As there, an average that was last touched within the first millisecond counts as untouched.
        if average.millis == 0 {
            average.rate = value;
        } else {
            let kept = libm::exp(-((millis - average.millis) as f64) / window as f64);
            average.rate = value * (1.0 - kept) + average.rate * kept;
        }
        average.millis = millis;
        average.calls.add(&self.slices(), now, Tally::of(success, false));
        !success
            && millis >= window
            && average.rate < self.success_rate.get()
            && u64::from(average.calls.tally.total) >= self.minimum_calls.get()
    }
}

/// The average as it stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Average {
    since: Instant,
    /// Milliseconds from `since` to the last result.
    millis: u64,
    rate: f64,
    pub(super) calls: Buckets,
}

impl Average {
    /// Begins anew at `now`.
    pub(super) fn clear(&mut self, now: Instant) {
        self.since = now;
        self.millis = 0;
        self.rate = 0.0;
        self.calls.clear(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> MovingAverage {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_average_falls_below_one_half_when_the_half_life_is_over() {
        // failsafe-rs, src/failure_policy.rs, test `fractional_success_rate`: 100 successes, then failures, one per second;
        // with a window of 100 s the 70th failure is the first below 0.5.
        let config = config("success_rate = 0.5\nwindow = '100s'");
        let mut average = Average::default();
        let opens = |average: &mut Average, second: u64, success| {
            config.record(average, Instant::from_nanos(second * 1_000_000_000), success)
        };
        for second in 1..=100 {
            assert!(!opens(&mut average, second, true));
        }
        for second in 101..=169 {
            assert!(!opens(&mut average, second, false), "{second}");
        }
        assert!(opens(&mut average, 170, false));
    }

    #[test]
    fn nothing_is_judged_within_the_first_window_or_on_too_few_calls() {
        let config = config("success_rate = 0.5\nwindow = '30s'\nminimum_calls = 2");
        let mut average = Average::default();
        let at = |seconds: u64| Instant::from_nanos(seconds * 1_000_000_000);
        assert!(!config.record(&mut average, at(29), false));
        assert!(config.record(&mut average, at(30), false));
        assert!(!config.record(&mut average, at(100), false));
        assert!(config.record(&mut average, at(101), false));
        average.clear(at(101));
        assert!(!config.record(&mut average, at(102), false));
    }
}
