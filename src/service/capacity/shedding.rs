//! Shedding: calls are turned away although there is a place, because more than a limit are in the system.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::time::Interval;
use crate::units::{Count, Factor, Share};

/// A limit on calls in the system, as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SheddingConfig {
    /// Always the same limit on calls in the system: waiting, in service, or waiting for other services.
    Fixed(Count<1, 1_000_000_000>),
    /// A limit that follows the times that calls spend in the system.
    Gradient(GradientConfig),
}

/// A limit that shrinks when calls take longer than they used to, and grows otherwise.
///
/// After each call served: limit = (1 - smoothing) * limit + smoothing * (gradient * limit + queue), kept within `min` and
/// `max`, where gradient = tolerance * long / latest, kept within 0.5 and 1; `latest` is the time that this call spent here and
/// `long` their exponential average over `window` calls (the plain one over the first 10). When the average is more than
/// twice the latest, it is cut by 5 %. A limit of which less than half was in use when the call came stays as it is.
///
/// Source: Netflix concurrency-limits, `Gradient2Limit` and `ExpAvgMeasurement`. Calls that are dropped, pushed out or
/// cancelled are no measurements here.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradientConfig {
    /// The lowest limit, 20 if absent.
    #[serde(default = "twenty")]
    pub min: Count<1, 1_000_000_000>,
    /// The highest limit, 200 if absent.
    #[serde(default = "two_hundred")]
    pub max: Count<1, 1_000_000_000>,
    /// The limit at the start; `min` if absent.
    pub initial: Option<Count<1, 1_000_000_000>>,
    /// Weight of the newest estimate: 0 to 1, 0.2 if absent.
    #[serde(default = "a_fifth")]
    pub smoothing: Share,
    /// By how much the limit may grow, which is the queue that it tolerates; 4 if absent.
    #[serde(default = "four")]
    pub queue: Count<0, 1_000_000_000>,
    /// How many times the average a call may take before the limit shrinks: 1 to 1000, 1.5 if absent.
    #[serde(default = "one_and_a_half")]
    pub tolerance: Factor,
    /// Over how many calls the average reaches back; 600 if absent.
    #[serde(default = "six_hundred")]
    pub window: Count<1, 1_000_000_000>,
}

const fn twenty() -> Count<1, 1_000_000_000> {
    Count::of(20)
}

const fn two_hundred() -> Count<1, 1_000_000_000> {
    Count::of(200)
}

const fn six_hundred() -> Count<1, 1_000_000_000> {
    Count::of(600)
}

const fn four() -> Count<0, 1_000_000_000> {
    Count::of(4)
}

const fn a_fifth() -> Share {
    Share(0.2)
}

const fn one_and_a_half() -> Factor {
    Factor(1.5)
}

/// Calls of which the average is the plain one.
const WARM_UP: u32 = 10;

impl SheddingConfig {
    /// What is wrong with the fields taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        let Self::Gradient(GradientConfig { min, max, initial, .. }) = self else { return None };
        let (min, max) = (min.get(), max.get());
        if min > max {
            return Some(format!("min {min} is above max {max}: swap them, or raise max (200 if absent)"));
        }
        let initial = initial.map(Count::get).filter(|initial| !(min..=max).contains(initial))?;
        Some(format!("the initial limit {initial} is not within {min} and {max}: move it between them"))
    }
}

/// A limit's state.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shedding {
    Fixed(u64),
    Gradient(Gradient),
}

/// The state of a limit that follows the times in the system, which are in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gradient {
    config: GradientConfig,
    pub(super) limit: f64,
    long: f64,
    sum: f64,
    measured: u32,
}

impl Shedding {
    pub(super) fn new(config: &SheddingConfig) -> Self {
        match *config {
            SheddingConfig::Fixed(limit) => Self::Fixed(limit.get()),
            SheddingConfig::Gradient(config) => Self::Gradient(Gradient {
                config,
                limit: config.initial.unwrap_or(config.min).get() as f64,
                long: 0.0,
                sum: 0.0,
                measured: 0,
            }),
        }
    }

    /// So many calls may be in the system.
    pub(super) const fn limit(&self) -> u64 {
        match self {
            Self::Fixed(limit) => *limit,
            Self::Gradient(gradient) => gradient.limit as u64,
        }
    }

    /// A call was served that spent `latest` here, and when it came they were `in_system`, itself included.
    pub(super) fn on_served(&mut self, latest: Interval, in_system: u64) {
        if let Self::Gradient(gradient) = self {
            gradient.on_served(latest.as_nanos() as f64, in_system);
        }
    }
}

impl Gradient {
    fn on_served(&mut self, latest: f64, in_system: u64) {
        let long = self.average(latest);
        if long > 2.0 * latest {
            self.long *= 0.95;
        }
        if (in_system as f64) < self.limit / 2.0 {
            return;
        }
        let GradientConfig { min, max, smoothing, queue, tolerance, .. } = self.config;
        // A call that took no time was not slow.
        let gradient = if latest > 0.0 { (tolerance.get() * long / latest).clamp(0.5, 1.0) } else { 1.0 };
        let estimate = self.limit * gradient + queue.get() as f64;
        let limit = self.limit * (1.0 - smoothing.get()) + estimate * smoothing.get();
        self.limit = limit.clamp(min.get() as f64, max.get() as f64);
    }

    fn average(&mut self, latest: f64) -> f64 {
        if self.measured < WARM_UP {
            self.measured += 1;
            self.sum += latest;
            self.long = self.sum / f64::from(self.measured);
        } else {
            let weight = 2.0 / (self.config.window.get() as f64 + 1.0);
            self.long = self.long * (1.0 - weight) + latest * weight;
        }
        self.long
    }
}
