//! The generic cell rate algorithm: a virtual clock of theoretical arrival times, equal to a token bucket in every decision.
//! Source: ITU-T I.371, with the arrival time moved on before it is compared.

use super::bucket::convert;
use super::meter::{Meter, Scale, nanos};
use crate::time::{Instant, Interval};
use crate::units::Rate;

/// The algorithm's numbers. Time counts in units of which each nanosecond has a whole number.
#[derive(Debug, Clone)]
pub(super) struct Gcra {
    /// Units of one nanosecond.
    nanosecond: u128,
    /// Units between two calls at the steady rate.
    spacing: u128,
    /// Calls that may come at once.
    burst: u64,
}

impl Gcra {
    /// `rate` calls in the long run, `burst` at once.
    pub(super) fn new(rate: Rate, burst: u64) -> Self {
        Self { nanosecond: u128::from(rate.count()), spacing: u128::from(rate.per().as_nanos()), burst }
    }

    fn units(&self, at: Instant) -> u128 {
        u128::from(at.as_nanos()) * self.nanosecond
    }

    /// How far the arrival times may run ahead of the clock.
    fn tolerance(&self) -> u128 {
        u128::from(self.burst) * self.spacing
    }

    fn after(&self, arrival: u128, now: Instant, cost: u64) -> u128 {
        arrival.max(self.units(now)) + u128::from(cost) * self.spacing
    }
}

impl Meter for Gcra {
    /// The theoretical arrival time of the next call, in units since the start.
    type State = u128;

    fn fresh(&self) -> u128 {
        0
    }

    fn check(&self, arrival: &mut u128, now: Instant, cost: u64) -> Result<Interval, Option<Interval>> {
        let early = self.after(*arrival, now, cost).saturating_sub(self.units(now) + self.tolerance());
        if early == 0 { Ok(Interval::ZERO) } else { Err(Some(nanos(early.div_ceil(self.nanosecond)))) }
    }

    fn take(&self, arrival: &mut u128, now: Instant, cost: u64) {
        *arrival = self.after(*arrival, now, cost);
    }

    fn count(&self, arrival: &mut u128, now: Instant, cost: u64) {
        *arrival = self.after(*arrival, now, cost).min(self.units(now) + self.tolerance());
    }

    fn reset(&self, arrival: &mut u128, now: Instant) -> Option<Interval> {
        Some(nanos(arrival.saturating_sub(self.units(now)).div_ceil(self.nanosecond)))
    }

    fn give_back(&self, arrival: &mut u128, at: Instant, amount: u64) {
        *arrival = (*arrival).max(self.units(at)).saturating_sub(u128::from(amount) * self.spacing);
    }

    fn scaled(&self, by: Scale) -> Self {
        let (nanosecond, spacing) = by.rate(self.nanosecond, self.spacing);
        Self { nanosecond, spacing, burst: by.count(self.burst) }
    }

    fn hand_over(&self, next: &Self, arrival: &mut u128, now: Instant) {
        let ahead = arrival.saturating_sub(self.units(now));
        let left = convert(self.tolerance().saturating_sub(ahead), self.spacing, next.spacing);
        *arrival = next.units(now) + next.tolerance() - left.min(next.tolerance());
    }
}
