//! Overload: a service that fails the more often the more it is asked.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::outcome::Failure;
use crate::time::{Instant, Interval};
use crate::units::{Probability, Rate};

/// The most attempts that are remembered.
const MAX_REMEMBERED: u64 = 1_000_000;

/// No attempt fails up to the rate `from`; from there to the rate `to` the probability grows evenly up to `probability`, and
/// no further. The rate is that of the attempts that come past incidents and the rate limit, this one included, within the
/// last `over`; one that came exactly so long ago is no longer counted.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overload {
    /// What a failing attempt comes to.
    pub status: Failure,
    /// The rate from which attempts fail.
    pub from: Rate,
    /// The rate from which they fail with the full probability, above `from`.
    pub to: Rate,
    /// The full probability; 1 if absent.
    pub probability: Option<Probability>,
    /// How long attempts are counted, above 0s; 1s if absent. One that came exactly so long ago is no longer counted.
    #[serde(default = "one_second")]
    pub over: Interval,
}

const fn one_second() -> Interval {
    Interval::from_secs(1)
}

impl Overload {
    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        if self.over.is_zero() {
            return Some("`over` must be longer than 0s, such as \"1s\"".into());
        }
        let (low, high) = (self.count(self.from), self.count(self.to));
        if low >= high {
            let (from, to) = (self.from, self.to);
            return Some(format!("`to` {to} is not above `from` {from}: raise it"));
        }
        (high > MAX_REMEMBERED as f64).then(|| {
            format!(
                "`to` is {high:.0} attempts within {}, the limit is {MAX_REMEMBERED}: shorten `over`",
                self.over
            )
        })
    }

    /// Attempts at `rate` within `over`; exact if whole.
    fn count(&self, rate: Rate) -> f64 {
        let (events, per) =
            (u128::from(rate.count()) * u128::from(self.over.as_nanos()), u128::from(rate.per().as_nanos()));
        (events / per) as f64 + (events % per) as f64 / per as f64
    }
}

/// The attempts of late.
#[derive(Debug, Clone)]
pub(super) struct Load {
    over: Interval,
    low: f64,
    high: f64,
    full: f64,
    /// When they came, no more of them than make the probability full.
    came: VecDeque<Instant>,
    most: usize,
}

impl Load {
    pub(super) fn new(config: &Overload) -> Self {
        let (low, high) = (config.count(config.from), config.count(config.to));
        let most = libm::ceil(high) as usize;
        let full = config.probability.map_or(1.0, Probability::get);
        Self { over: config.over, low, high, full, came: VecDeque::new(), most }
    }

    /// Counts an attempt at `now`; how likely it fails.
    pub(super) fn chance(&mut self, now: Instant) -> f64 {
        while self.came.front().is_some_and(|&came| came + self.over <= now) {
            self.came.pop_front();
        }
        if self.came.len() == self.most {
            self.came.pop_front();
        }
        self.came.push_back(now);
        let count = self.came.len() as f64;
        self.full * ((count - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overload(fields: &str) -> Overload {
        toml::from_str(&format!("status = 503\n{fields}")).unwrap()
    }

    fn at(millis: u64) -> Instant {
        Instant::START + Interval::from_millis(millis)
    }

    #[test]
    fn the_chance_grows_evenly_from_one_rate_to_the_other() {
        let mut load = Load::new(&overload("from = '2/s'\nto = '6/s'\nprobability = 0.5"));
        let chances: Vec<f64> = (0..9).map(|_| load.chance(at(0))).collect();
        assert_eq!(chances, [0.0, 0.0, 0.125, 0.25, 0.375, 0.5, 0.5, 0.5, 0.5]);
        assert_eq!(load.came.len(), 6, "no more are remembered than matter");
    }

    #[test]
    fn an_attempt_is_counted_until_it_is_exactly_so_old() {
        let chance = |then: u64, now: u64| {
            let mut load = Load::new(&overload("from = '1/s'\nto = '2/s'\nover = '1s'"));
            load.chance(Instant::from_nanos(then));
            load.chance(Instant::from_nanos(now))
        };
        assert_eq!(chance(5, 1_000_000_004), 1.0);
        assert_eq!(chance(5, 1_000_000_005), 0.0);
    }

    #[test]
    fn what_was_forgotten_at_once_is_missed_by_nobody() {
        // Against a count of everything, at a rate around the one at which memory ends.
        let config = overload("from = '3/s'\nto = '20/2s'\nover = '700ms'");
        let mut load = Load::new(&config);
        let all: Vec<u64> = (0..500).map(|n| n * 150 + (n * n * 7919) % 149).collect();
        for (index, &now) in all.iter().enumerate() {
            let count = all[..=index].iter().filter(|&&came| came + 700 > now).count() as f64;
            let expected = ((count - 2.1) / (7.0 - 2.1)).clamp(0.0, 1.0);
            assert!((load.chance(at(now)) - expected).abs() < 1e-12, "{now} ms");
        }
    }

    #[test]
    fn rates_that_cannot_be_counted_are_explained() {
        for (fields, word) in [
            ("from = '2/s'\nto = '2/s'", "above"),
            ("from = '1/s'\nto = '2/s'\nover = '0s'", "longer"),
            ("from = '1/s'\nto = '2000/s'\nover = '1h'", "shorten"),
        ] {
            assert!(overload(fields).problem().unwrap().contains(word), "{fields}");
        }
        assert_eq!(overload("from = '999999/s'\nto = '1000000/s'").problem(), None);
    }
}
