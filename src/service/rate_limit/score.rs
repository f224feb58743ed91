//! The score that decays: calls add to it, and whoever brings it to the maximum is blocked for a time in which it goes on
//! decaying. Source: Meta Marketing API, "Rate Limiting" (score of an ad account).

use super::meter::{Meter, Scale, nanos};
use crate::time::{Instant, Interval};

/// The score's numbers. It is kept in units of which the decay takes a whole number per nanosecond.
#[derive(Debug, Clone)]
pub(super) struct Score {
    max: u64,
    /// Units of one point: the nanoseconds in which a full score decays.
    point: u64,
    blocked: Interval,
}

/// The score of one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Points {
    units: u128,
    updated: Instant,
    blocked_until: Instant,
}

impl Score {
    /// A score that falls by `max` in `decays_over`, above 0s; who reaches it is `blocked`.
    pub(super) const fn new(max: u64, decays_over: Interval, blocked: Interval) -> Self {
        Self { max, point: decays_over.as_nanos(), blocked }
    }

    fn full(&self) -> u128 {
        u128::from(self.max) * u128::from(self.point)
    }

    fn refresh(&self, points: &mut Points, now: Instant) {
        let elapsed = u128::from(now.since(points.updated).as_nanos());
        points.units = points.units.saturating_sub(elapsed * u128::from(self.max));
        points.updated = now;
    }
}

impl Meter for Score {
    type State = Points;

    fn fresh(&self) -> Points {
        Points { units: 0, updated: Instant::START, blocked_until: Instant::START }
    }

    /// What a call costs does not matter for whether it passes.
    fn check(&self, points: &mut Points, now: Instant, _cost: u64) -> Result<Interval, Option<Interval>> {
        self.refresh(points, now);
        let blocked = points.blocked_until.since(now);
        // A score still at its maximum after the block must fall below it.
        let above = points.units.checked_sub(self.full());
        let decays = above.map_or(Interval::ZERO, |above| nanos(above / u128::from(self.max) + 1));
        let wait = blocked.max(decays);
        if wait.is_zero() { Ok(Interval::ZERO) } else { Err(Some(wait)) }
    }

    fn take(&self, points: &mut Points, now: Instant, cost: u64) {
        points.units += u128::from(cost) * u128::from(self.point);
        if points.units >= self.full() {
            points.blocked_until = now + self.blocked;
        }
    }

    /// Adds to the score up to its maximum, but does not block again.
    fn count(&self, points: &mut Points, now: Instant, cost: u64) {
        self.refresh(points, now);
        let more = points.units + u128::from(cost) * u128::from(self.point);
        points.units = more.min(self.full()).max(points.units);
    }

    fn reset(&self, points: &mut Points, now: Instant) -> Option<Interval> {
        self.refresh(points, now);
        Some(nanos(points.units.div_ceil(u128::from(self.max))).max(points.blocked_until.since(now)))
    }

    fn scaled(&self, by: Scale) -> Self {
        Self { max: by.share(self.max), ..self.clone() }
    }

    fn hand_over(&self, _next: &Self, points: &mut Points, now: Instant) {
        self.refresh(points, now);
    }
}
