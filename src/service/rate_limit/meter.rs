//! What all kinds of rate limits have in common: they measure what has passed, one measure per key.

use std::fmt::Debug;

use crate::time::{Instant, Interval};
use crate::units::gcd;

/// A kind of rate limit with its numbers. Costs are at least 1; instants never go back.
pub(super) trait Meter: Debug + Clone {
    /// What is remembered of the calls of one key.
    type State: Debug + Clone;

    /// The state of a key that has not called yet.
    fn fresh(&self) -> Self::State;

    /// Whether a call at `now` passes: how long it is held before it goes on, mostly not at all.
    ///
    /// # Errors
    /// It does not: the wait until it would if nobody else called, `None` if that cannot be known.
    fn check(&self, state: &mut Self::State, now: Instant, cost: u64) -> Result<Interval, Option<Interval>>;

    /// How long a call at `now` is held if it passes: what [`check`](Meter::check) says, and nothing of the wait of one that does not.
    fn passes(&self, state: &mut Self::State, now: Instant, cost: u64) -> Option<Interval> {
        self.check(state, now, cost).ok()
    }

    /// How long until a call passes, as [`check`](Meter::check) says it, which was refused by [`passes`](Meter::passes) or a lockout at
    /// the same instant: zero if it passes by then, `None` if that cannot be known.
    fn wait(&self, state: &mut Self::State, now: Instant, cost: u64) -> Option<Interval> {
        self.check(state, now, cost).map_or_else(|wait| wait, |_| Some(Interval::ZERO))
    }

    /// Takes the cost of a call that [`check`](Meter::check) has let pass at the same instant.
    fn take(&self, state: &mut Self::State, now: Instant, cost: u64);

    /// Counts a call that was refused, as far as there is room.
    fn count(&self, state: &mut Self::State, now: Instant, cost: u64);

    /// The time until the state is as good as new if nobody calls; `None` if that cannot be known.
    fn reset(&self, state: &mut Self::State, now: Instant) -> Option<Interval>;

    /// Gives back a part of what a call has cost that ended at `at`.
    fn give_back(&self, _: &mut Self::State, _at: Instant, _amount: u64) {}

    /// The end of a call is known that began at `began`.
    fn ends_at(&self, _: &mut Self::State, _began: Instant, _ends: Instant, _cost: u64) {}

    /// A call ends at `now` that began at `began`, and of which it was not known.
    fn ended(&self, _: &mut Self::State, _began: Instant, _now: Instant, _cost: u64) {}

    /// The same kind with all it lets through multiplied by a share.
    fn scaled(&self, by: Scale) -> Self;

    /// Goes over from `self` to `next`, another scale of the same limit. Where a rate refills what calls take, what is left to take
    /// stays, as far as it fits; where calls are counted, those counted stay, and what is left is the new limit less them.
    fn hand_over(&self, _next: &Self, _: &mut Self::State, _now: Instant) {}
}

/// A share by which a limit is multiplied, in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    numerator: u32,
    denominator: u32,
    /// The smallest size of a limit, so that the dearest operation can still pass alone.
    least: u64,
}

impl Scale {
    /// `numerator / denominator`, each cut to 1 to 10^6.
    pub(super) fn new(numerator: u32, denominator: u32, least: u64) -> Self {
        let (numerator, denominator) = (numerator.clamp(1, 1_000_000), denominator.clamp(1, 1_000_000));
        let divisor = gcd(numerator.into(), denominator.into()) as u32;
        Self { numerator: numerator / divisor, denominator: denominator / divisor, least }
    }

    /// A whole number of calls, rounded down, but not below the dearest operation.
    pub(super) fn count(self, count: u64) -> u64 {
        self.share(count).max(self.least)
    }

    /// A whole number, rounded down, but at least 1.
    pub(super) fn share(self, number: u64) -> u64 {
        let scaled = u128::from(number) * u128::from(self.numerator) / u128::from(self.denominator);
        u64::try_from(scaled).unwrap_or(u64::MAX).max(1)
    }

    /// A rate as (numerator, denominator), exactly.
    pub(super) fn rate(self, count: u128, per: u128) -> (u128, u128) {
        (count * u128::from(self.numerator), per * u128::from(self.denominator))
    }
}

/// So many nanoseconds, cut at [`Interval::MAX`].
pub(super) fn nanos(nanos: u128) -> Interval {
    u64::try_from(nanos).map_or(Interval::MAX, Interval::from_nanos)
}
