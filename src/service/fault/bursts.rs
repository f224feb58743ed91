//! Bursts: failures that come in episodes, as most transient ones do.
//!
//! Source: E. N. Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal 39 (1960); E. O. Elliott,
//! "Estimates of error rates for codes on burst-noise channels", 42 (1963); here in continuous time.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::distribution::standard_exponential;
use crate::outcome::Failure;
use crate::random::{Key, unit};
use crate::time::{Instant, Interval};
use crate::units::Probability;

/// The service is good or bad by turns, each for an exponential time, and fails with one probability or the other. It
/// starts in the stationary state: bad with probability `bad` / (`good` + `bad`).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// What a failing attempt comes to.
    pub status: Failure,
    /// How long the service stays good, on average, above 0s.
    pub good: Interval,
    /// How long it stays bad, on average, above 0s.
    pub bad: Interval,
    /// How likely an attempt fails while it is bad; 1 if absent.
    pub probability: Option<Probability>,
    /// How likely an attempt fails while it is good; 0 if absent.
    pub probability_when_good: Option<Probability>,
}

impl Bursts {
    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let zero = [("good", self.good), ("bad", self.bad)].into_iter().find(|(_, mean)| mean.is_zero());
        zero.map(|(field, _)| format!("`{field}` must be longer than 0s, such as \"30s\""))
    }

    /// How many changes to expect within `horizon`.
    pub(super) fn changes_within(&self, horizon: Interval) -> f64 {
        2.0 * horizon.as_secs_f64() / (self.good.as_secs_f64() + self.bad.as_secs_f64())
    }
}

/// The path between good and bad. It is drawn by address, so it is the same whoever looks at it, and when; what is not
/// looked at costs nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    key: Key,
    place: u64,
    /// How long it stays good, and bad, on average, in nanoseconds.
    means: [f64; 2],
    /// How likely an attempt fails while it is good, and bad.
    chances: [f64; 2],
    bad: bool,
    /// The first instant of the next stay.
    until: Instant,
    stays: u64,
}

impl Path {
    /// The path of the fault at `place`.
    pub(super) fn new(config: &Bursts, key: Key, place: u64) -> Self {
        let means = [config.good.as_nanos() as f64, config.bad.as_nanos() as f64];
        let chances = [
            config.probability_when_good.map_or(0.0, Probability::get),
            config.probability.map_or(1.0, Probability::get),
        ];
        let [state, stay] = key.block(place, 0);
        let bad = unit(state) < means[1] / (means[0] + means[1]);
        let mut path = Self { key, place, means, chances, bad, until: Instant::START, stays: 0 };
        path.stay(stay);
        path
    }

    /// How likely an attempt at `now` fails. Time does not go back.
    pub(super) fn chance(&mut self, now: Instant) -> f64 {
        while self.until <= now {
            self.bad = !self.bad;
            self.stays += 1;
            self.stay(self.key.block(self.place, self.stays)[1]);
        }
        self.chances[usize::from(self.bad)]
    }

    fn stay(&mut self, bits: u64) {
        let mean = self.means[usize::from(self.bad)];
        self.until = self.until + Interval::from_nanos_f64(mean * standard_exponential(bits));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    /// Good for 90 s, bad for 30 s, on average.
    fn bursts() -> Bursts {
        toml::from_str("status = 503\ngood = '90s'\nbad = '30s'").unwrap()
    }

    fn key(replication: u32) -> Key {
        Key::derive(3, replication, Purpose::Faults, "bursts")
    }

    #[test]
    fn it_starts_in_the_stationary_state() {
        let runs = 40_000;
        let bad = (0..runs).filter(|&run| Path::new(&bursts(), key(run), 0).bad).count() as f64;
        let (n, p) = (f64::from(runs), 0.25);
        let z = (bad - n * p) / (n * p * (1.0 - p)).sqrt();
        assert!(z.abs() < 4.5, "z = {z}");
    }

    #[test]
    fn stays_are_exponential_with_their_means() {
        // Of n exponential stays of mean m, the mean has standard error m / sqrt(n), and the mean of squares, which is 2 m^2,
        // m^2 sqrt(20 / n).
        let mut path = Path::new(&bursts(), key(0), 1);
        let mut stays = [Vec::new(), Vec::new()];
        let mut from = Instant::START;
        for _ in 0..40_000 {
            let (bad, until) = (path.bad, path.until);
            stays[usize::from(bad)].push(until.since(from).as_secs_f64());
            from = until;
            path.chance(until);
            assert_eq!(path.bad, !bad, "a stay is over at its last instant");
        }
        for (stays, mean) in stays.iter().zip([90.0, 30.0]) {
            let n = stays.len() as f64;
            let z = (stays.iter().sum::<f64>() / n - mean) / mean * n.sqrt();
            assert!(z.abs() < 4.5, "mean {mean}: z = {z}");
            let squares = stays.iter().map(|stay| stay * stay).sum::<f64>() / n;
            let z = (squares / (mean * mean) - 2.0) * (n / 20.0).sqrt();
            assert!(z.abs() < 4.5, "squares of mean {mean}: z = {z}");
        }
    }

    #[test]
    fn how_often_one_looks_changes_nothing() {
        let (mut often, mut seldom) = (Path::new(&bursts(), key(1), 0), Path::new(&bursts(), key(1), 0));
        for second in 0..10_000 {
            let now = Instant::START + Interval::from_secs(second);
            let seen = often.chance(now);
            if second % 97 == 0 {
                assert_eq!(seldom.chance(now), seen, "{second} s");
            }
        }
        let mut other = Path::new(&bursts(), key(1), 1);
        assert_ne!(other.chance(Instant::START + Interval::from_secs(10_000)), 2.0);
        assert_ne!(other.until, often.until, "the fault at another place has a path of its own");
    }
}
