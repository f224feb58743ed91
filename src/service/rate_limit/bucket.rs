//! The token bucket, and the leaky bucket that is read as a meter: what is free in one is what is held in the other.
//!
//! A bucket of 3 tokens per second never rounds a third of a second: its level is kept in units in which one token is as
//! many as the rate's period has nanoseconds, so that each nanosecond adds a whole number.

use super::meter::{Meter, Scale, nanos};
use crate::time::{Instant, Interval};
use crate::units::{Rate, gcd};

/// A bucket that starts full.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// Units that flow in per nanosecond.
    inflow: u128,
    /// Units of one token.
    token: u128,
    /// Tokens that fit.
    burst: u64,
    /// Units that fit.
    capacity: u128,
    /// Nanoseconds between two refills; `None` if tokens flow in continuously.
    refill: Option<u64>,
}

/// What a bucket holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    units: u128,
    updated: Instant,
}

impl Bucket {
    /// `rate` tokens flow in, continuously or at the multiples of an interval above 0s; `burst` fit.
    pub(super) fn new(rate: Rate, burst: u64, refill: Option<Interval>) -> Self {
        let (inflow, token) = (u128::from(rate.count()), u128::from(rate.per().as_nanos()));
        Self {
            inflow,
            token,
            burst,
            capacity: u128::from(burst) * token,
            refill: refill.map(Interval::as_nanos),
        }
    }

    #[inline]
    fn refresh(&self, level: &mut Level, now: Instant) {
        let elapsed = match self.refill {
            None => now.since(level.updated).as_nanos(),
            Some(interval) => (now.as_nanos() / interval - level.updated.as_nanos() / interval) * interval,
        };
        level.units = (level.units + u128::from(elapsed) * self.inflow).min(self.capacity);
        level.updated = now;
    }

    /// The time until so many units have flowed in.
    fn time_to(&self, units: u128, now: Instant) -> Interval {
        match self.refill {
            None => nanos(units.div_ceil(self.inflow)),
            Some(interval) => {
                let interval = u128::from(interval);
                let refills = units.div_ceil(interval * self.inflow);
                let now = u128::from(now.as_nanos());
                nanos(if refills == 0 { 0 } else { (now / interval + refills) * interval - now })
            }
        }
    }
}

impl Meter for Bucket {
    type State = Level;

    fn fresh(&self) -> Level {
        Level { units: self.capacity, updated: Instant::START }
    }

    fn check(&self, level: &mut Level, now: Instant, cost: u64) -> Result<Interval, Option<Interval>> {
        self.passes(level, now, cost).ok_or_else(|| self.wait(level, now, cost))
    }

    fn wait(&self, level: &mut Level, now: Instant, cost: u64) -> Option<Interval> {
        Some(self.time_to((u128::from(cost) * self.token).saturating_sub(level.units), now))
    }

    #[inline]
    fn passes(&self, level: &mut Level, now: Instant, cost: u64) -> Option<Interval> {
        self.refresh(level, now);
        (level.units >= u128::from(cost) * self.token).then_some(Interval::ZERO)
    }

    #[inline]
    fn take(&self, level: &mut Level, _now: Instant, cost: u64) {
        level.units -= u128::from(cost) * self.token;
    }

    fn count(&self, level: &mut Level, _now: Instant, cost: u64) {
        level.units = level.units.saturating_sub(u128::from(cost) * self.token);
    }

    fn reset(&self, level: &mut Level, now: Instant) -> Option<Interval> {
        self.refresh(level, now);
        Some(self.time_to(self.capacity - level.units, now))
    }

    fn give_back(&self, level: &mut Level, at: Instant, amount: u64) {
        self.refresh(level, at);
        level.units = (level.units + u128::from(amount) * self.token).min(self.capacity);
    }

    fn scaled(&self, by: Scale) -> Self {
        let (inflow, token) = by.rate(self.inflow, self.token);
        let burst = by.count(self.burst);
        Self { inflow, token, burst, capacity: u128::from(burst) * token, refill: self.refill }
    }

    /// The units change with the scale; what is no whole unit, less than one part in `token` of a token, is lost.
    fn hand_over(&self, next: &Self, level: &mut Level, now: Instant) {
        self.refresh(level, now);
        level.units = convert(level.units, self.token, next.token).min(next.capacity);
    }
}

/// So many units of which `from` are a token, in units of which `to` are, rounded down.
pub(super) fn convert(units: u128, from: u128, to: u128) -> u128 {
    // Whole tokens first: the product would not fit.
    units / from * to + scaled_rest(units % from, from, to)
}

/// `rest * to / from` for `rest < from`, rounded down, without leaving 128 bits: both are multiples of the period.
fn scaled_rest(rest: u128, from: u128, to: u128) -> u128 {
    let divisor = gcd(from, to);
    let (from, to) = (from / divisor, to / divisor);
    rest.checked_mul(to).map_or_else(|| rest / from * to, |product| product / from)
}
