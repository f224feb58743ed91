//! Rounding: libraries that count in whole seconds or milliseconds. It matters for herds: half of all first retries of
//! Celery's jittered backoff fire at once, because a random whole number of seconds from 0 to 1 is 0 half of the time.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::time::Interval;

/// To which multiples a delay is rounded after its jitter, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Down: `floor(random() * x)`. A uniform jitter never gives its upper end then (cockatiel, smithy, Envoy).
    Down(Interval),
    /// To the nearest, halves up (retry, p-retry, exponential-backoff).
    Nearest(Interval),
    /// Up.
    Up(Interval),
    /// A uniform jitter draws each multiple between its ends with the same probability, both ends included
    /// (`randrange(x + 1)`: Celery, resilience4j). A delay without jitter is rounded down.
    Inclusive(Interval),
}

impl Rounding {
    const fn unit(self) -> Interval {
        match self {
            Self::Down(unit) | Self::Nearest(unit) | Self::Up(unit) | Self::Inclusive(unit) => unit,
        }
    }

    /// Rounds.
    pub fn apply(self, delay: Interval) -> Interval {
        let unit = self.unit().as_nanos();
        let nanos = delay.as_nanos();
        let multiples = match self {
            Self::Down(_) | Self::Inclusive(_) => nanos / unit,
            Self::Nearest(_) => (nanos + unit / 2) / unit,
            Self::Up(_) => nanos.div_ceil(unit),
        };
        Interval::from_nanos(multiples.saturating_mul(unit))
    }

    /// The last nanosecond of a range [low, high] from which a uniform jitter draws, so that the rounded result is uniform
    /// over the multiples that the library draws from.
    pub(super) fn widen(this: Option<Self>, low: u64, high: u64) -> u64 {
        match this {
            None | Some(Self::Nearest(_) | Self::Up(_)) => high,
            Some(Self::Down(_)) => high.saturating_sub(1).max(low),
            Some(Self::Inclusive(unit)) => high.saturating_add(unit.as_nanos() - 1),
        }
    }

    /// What is wrong with it, if anything.
    pub fn problem(self) -> Option<String> {
        self.unit().is_zero().then(|| "nothing is a multiple of 0s: round to \"1ms\" or \"1s\"".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_rounded_to_multiples() {
        let second = Interval::from_secs(1);
        let cases = [
            (Rounding::Down(second), [(0, 0), (999, 0), (1000, 1000), (1999, 1000)]),
            (Rounding::Inclusive(second), [(0, 0), (999, 0), (1000, 1000), (1999, 1000)]),
            (Rounding::Nearest(second), [(499, 0), (500, 1000), (1499, 1000), (1500, 2000)]),
            (Rounding::Up(second), [(0, 0), (1, 1000), (1000, 1000), (1001, 2000)]),
        ];
        for (rounding, table) in cases {
            for (millis, expected) in table {
                let rounded = rounding.apply(Interval::from_millis(millis));
                assert_eq!(rounded, Interval::from_millis(expected), "{rounding:?} of {millis} ms");
            }
        }
    }
}
