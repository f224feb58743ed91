//! The AWS SDKs' adaptive mode: after the first throttling a client sends no faster than a rate, and finds it as TCP does.
//!
//! A throttling cuts the rate to 0.7 of what was measured; then it grows along a cubic curve, slowly near the rate that
//! failed and fast beyond it, and never above twice the measured rate. Rates are calls per second.
//!
//! The real client sleeps until a token is there and looks again; here a call reserves its token when it asks, so that calls
//! go in the order in which they came. A change of the rate moves the later calls, not those that already wait.
//!
//! Source: botocore 1.44.5, `retries/adaptive.py`, `bucket.py`, `throttling.py` (the same in @smithy/core and
//! aws-smithy-runtime).

use schemars::JsonSchema;
use serde::Deserialize;

use super::Admission;
use crate::time::{Instant, Interval};

/// Weight of the newest measurement.
const SMOOTHING: f64 = 0.8;
/// A measurement takes a multiple of this.
const BUCKET: Interval = Interval::from_millis(500);
/// What a throttling leaves of the rate.
const BETA: f64 = 0.7;
/// Steepness of the curve.
const SCALE: f64 = 0.4;
/// The slowest rate.
const MIN_RATE: f64 = 0.5;
/// How far the rate may exceed the measured one.
const MAX_RATE_ADJUST_SCALE: f64 = 2.0;

/// The adaptive mode as written in a scenario: it has no parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveRateConfig {}

/// The limiter's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveRate {
    enabled: bool,
    /// Tokens; negative while attempts wait.
    balance: f64,
    fill_rate: f64,
    capacity: f64,
    updated: Instant,
    measured_rate: f64,
    count: u64,
    /// Number of the half second up to which was measured.
    measured_to: u64,
    /// The rate at the last throttling.
    w_max: f64,
    /// Seconds after which the curve is back at `w_max`.
    k: f64,
    last_throttle: Instant,
}

impl AdaptiveRate {
    pub(super) const fn new() -> Self {
        Self {
            enabled: false,
            balance: 0.0,
            fill_rate: 1.0,
            capacity: 1.0,
            updated: Instant::START,
            measured_rate: 0.0,
            count: 0,
            measured_to: 0,
            w_max: 0.0,
            k: 0.0,
            last_throttle: Instant::START,
        }
    }

    /// False until the first throttling.
    pub const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Calls per second that outcomes came in at.
    pub const fn measured_rate(&self) -> f64 {
        self.measured_rate
    }

    /// Calls per second that may be sent.
    pub const fn fill_rate(&self) -> f64 {
        self.fill_rate
    }

    /// Attempts that could be sent at once, as of the last call; negative while some wait.
    pub const fn balance(&self) -> f64 {
        self.balance
    }

    pub(super) fn acquire(&mut self, now: Instant) -> Admission {
        if !self.enabled {
            return Admission::Now;
        }
        self.refill(now);
        self.balance -= 1.0;
        if self.balance >= 0.0 {
            Admission::Now
        } else {
            Admission::After(Interval::from_nanos_f64(libm::ceil(-self.balance / self.fill_rate * 1e9)))
        }
    }

    pub(super) fn on_outcome(&mut self, now: Instant, throttled: bool) {
        self.measure(now);
        let rate = if throttled {
            self.w_max =
                if self.enabled { self.measured_rate.min(self.fill_rate) } else { self.measured_rate };
            self.k = libm::cbrt(self.w_max * (1.0 - BETA) / SCALE);
            self.last_throttle = now;
            self.enabled = true;
            self.w_max * BETA
        } else {
            let ahead = now.since(self.last_throttle).as_secs_f64() - self.k;
            SCALE * ahead * ahead * ahead + self.w_max
        };
        self.refill(now);
        let rate = rate.min(MAX_RATE_ADJUST_SCALE * self.measured_rate);
        self.fill_rate = rate.max(MIN_RATE);
        self.capacity = rate.max(1.0);
        self.balance = self.balance.min(self.capacity);
    }

    fn measure(&mut self, now: Instant) {
        self.count += 1;
        let bucket = now.as_nanos() / BUCKET.as_nanos();
        if bucket > self.measured_to {
            let seconds = (bucket - self.measured_to) as f64 * BUCKET.as_secs_f64();
            let newest = self.count as f64 / seconds;
            self.measured_rate = newest * SMOOTHING + self.measured_rate * (1.0 - SMOOTHING);
            self.count = 0;
            self.measured_to = bucket;
        }
    }

    fn refill(&mut self, now: Instant) {
        let inflow = now.since(self.updated).as_secs_f64() * self.fill_rate;
        self.balance = (self.balance + inflow).min(self.capacity);
        self.updated = now;
    }
}
