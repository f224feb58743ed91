//! Arrivals at set times: bursts, and evenly spaced requests.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Requests;
use crate::random::unit;
use crate::time::{Instant, Interval};
use crate::units::{Count, Rate};

/// Every client issues one request, at `at` and then again at every multiple of `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// The first burst; at the start of the run if absent.
    #[serde(default)]
    pub at: Interval,
    /// Time from one burst to the next (top of the hour: "1h"); a single burst if absent.
    pub every: Option<Interval>,
    /// How many bursts; as many as begin within the horizon if absent.
    pub times: Option<Count<1, 1_000_000_000>>,
    /// Each client starts at its own moment, uniform over this long from the burst's instant; all at once if absent.
    #[serde(default)]
    pub spread: Interval,
    /// When arrivals stop (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
}

/// `rate` requests per time over all clients, the first at `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Even {
    /// Requests per time.
    pub rate: Rate,
    /// When it begins; at the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// When it stops (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
}

impl Burst {
    pub(super) fn problem(&self) -> Option<String> {
        match *self {
            Self { every: Some(every), .. } if every.is_zero() => {
                Some("bursts every 0s never end: give `every` a length, such as \"1h\"".into())
            }
            Self { every: Some(every), spread, .. } if spread > every => {
                Some(format!("the spread {spread} is longer than the {every} to the next burst: shorten it"))
            }
            Self { every: None, times: Some(times), .. } if times.get() > 1 => {
                Some("several bursts need the time between them: give `every`, such as \"1h\"".into())
            }
            _ => None,
        }
    }

    pub(super) fn expected(&self, clients: u64, end: Interval) -> f64 {
        let window = end - self.at;
        let bursts = match self.every {
            _ if window.is_zero() => 0,
            Some(every) => window.as_nanos().div_ceil(every.as_nanos()),
            None => 1,
        };
        bursts.min(self.times.map_or(u64::MAX, Count::get)) as f64 * clients as f64
    }

    /// When the burst with this number (from 0) begins, if there is one.
    pub(super) fn begins(&self, occurrence: u64) -> Option<Instant> {
        if occurrence >= self.times.map_or(u64::MAX, Count::get) || (occurrence > 0 && self.every.is_none()) {
            return None;
        }
        let every = self.every.unwrap_or(Interval::ZERO).as_nanos();
        let begins = occurrence.saturating_mul(every).saturating_add(self.at.as_nanos());
        Some(Instant::START + Interval::from_nanos(begins))
    }
}

impl Even {
    pub(super) fn at(&self, number: u64) -> Option<Instant> {
        Some(Instant::START + self.from + self.rate.spacing(number)?)
    }
}

/// The order statistics of uniform draws, one after the other: given that n - i draws are still to come in the share `rest`,
/// the next one leaves rest * V^(1/(n-i)) behind. (Luc Devroye, Non-Uniform Random Variate Generation, 1986, V.3.)
#[derive(Debug, Clone)]
pub(super) struct Spread {
    rest: f64,
}

impl Spread {
    pub(super) const fn new() -> Self {
        Self { rest: 1.0 }
    }

    /// How long after the beginning the client at `position` (from 0) of `clients` comes.
    pub(super) fn next(&mut self, spread: Interval, (position, clients): (u64, u64), bits: u64) -> Interval {
        let before = if position == 0 { 1.0 } else { self.rest };
        let remaining = (clients - position) as f64;
        let survivor = 1.0 - unit(bits);
        self.rest = before * libm::exp(libm::log(survivor) / remaining);
        spread.scale(1.0 - self.rest)
    }
}
