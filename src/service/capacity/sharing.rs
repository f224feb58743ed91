//! Processor sharing: n calls in service get an equal part of the servers each, and at most one whole server.
//!
//! All calls are worked on at the same speed, so it suffices to know what a call that was always there would have been given: a
//! call ends when that has grown by its work. Ends are then in the order of (given at the start + work), whoever comes or goes
//! between: virtual time.
//!
//! # Rounding
//! Clock and virtual time have 64 binary places of a nanosecond, and n calls speed up the instant at which one ends, not at the
//! next nanosecond: errors are about 2^-64 ns per arrival or end. A call leaves at the first whole nanosecond that is not
//! before its end; one that is late by no more than 2^-20 ns counts as in time, so that thirds that add up to one do. Work that
//! ends within 2^-33 ns ends at once, in the order of arrival.
//!
//! Source: L. Kleinrock, "Queueing Systems", volume 2 (1976), section 4.4; the virtual time is that of Demers, Keshav, Shenker,
//! "Analysis and simulation of a fair queueing algorithm", SIGCOMM 1989.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::{Instant, Interval};

/// Binary places of a nanosecond.
const PLACES: u32 = 64;
const FRACTION: u128 = (1 << PLACES) - 1;
/// What an end may be late, 2^-20 ns.
const LATE: u128 = 1 << (PLACES - 20);
/// Ends are put in order by so many places fewer.
const COARSE: u32 = 32;

/// The calls in service. Times are in 2^-64 ns.
#[derive(Debug, Clone, Default)]
pub(super) struct Sharing {
    clock: u128,
    /// What a call that was always there would have been given.
    attained: u128,
    /// Calls in service; the heap may still hold some that are not.
    calls: u64,
    ends: BinaryHeap<Reverse<End>>,
}

/// The end of a call, in virtual time. Ordered by it, then by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    coarse: u128,
    order: u64,
    slot: u32,
    exact: u128,
}

impl Sharing {
    pub(super) const fn len(&self) -> u64 {
        self.calls
    }

    /// What a call has been given since `start`, rounded to a nanosecond.
    pub(super) fn given_since(&self, start: u128) -> Interval {
        let rounded = (self.attained - start).saturating_add(1 << (PLACES - 1)) >> PLACES;
        Interval::from_nanos(u64::try_from(rounded).unwrap_or(u64::MAX))
    }

    /// Lets time pass until `now`, before which no call ends.
    pub(super) fn advance(&mut self, now: Instant, servers: u32) {
        let now = u128::from(now.as_nanos()) << PLACES;
        if let Some(time) = now.checked_sub(self.clock) {
            self.attained += self.given_in(time, servers);
            self.clock = now;
        }
    }

    /// A call begins; returns what it counts from.
    pub(super) fn join(&mut self, slot: u32, order: u64, work: Interval) -> u128 {
        let exact = self.attained + (u128::from(work.as_nanos()) << PLACES);
        let coarse = (exact + (1 << (COARSE - 1))) >> COARSE;
        self.ends.push(Reverse(End { coarse, order, slot, exact }));
        self.calls += 1;
        self.attained
    }

    /// A call leaves before its end.
    pub(super) const fn quit(&mut self) {
        self.calls -= 1;
    }

    /// Forgets calls that have left from the front of the heap, and all of them when they are most of it.
    pub(super) fn forget(&mut self, is_here: impl Fn(u32, u64) -> bool) {
        while let Some(Reverse(end)) = self.ends.peek()
            && !is_here(end.slot, end.order)
        {
            self.ends.pop();
        }
        if self.ends.len() as u64 > 2 * self.calls + 64 {
            self.ends.retain(|Reverse(end)| is_here(end.slot, end.order));
        }
    }

    /// When the next call leaves.
    pub(super) fn next(&self, servers: u32) -> Option<Instant> {
        let end = self.next_end(servers)?;
        let nanos = (end >> PLACES) + u128::from(end & FRACTION > LATE);
        u64::try_from(nanos).ok().map(Instant::from_nanos)
    }

    /// Lets the next call end, and time pass until then.
    pub(super) fn end_next(&mut self, servers: u32) -> Option<u32> {
        self.clock = self.next_end(servers)?;
        let Reverse(end) = self.ends.pop()?;
        self.attained = self.attained.max(end.exact);
        self.calls -= 1;
        Some(end.slot)
    }

    /// The instant of the next end, rounded up.
    fn next_end(&self, servers: u32) -> Option<u128> {
        let Reverse(end) = self.ends.peek()?;
        let work = end.exact.saturating_sub(self.attained);
        let (calls, servers) = (u128::from(self.calls), u128::from(servers));
        if calls <= servers {
            return self.clock.checked_add(work);
        }
        // work * calls / servers, in two parts that fit: whole nanoseconds and the rest.
        let (whole, part) = ((work >> PLACES) * calls, (work & FRACTION) * calls);
        let (nanos, rest) = (whole.checked_div(servers)?, whole.checked_rem(servers)?);
        let rest = ((rest << PLACES) + part).div_ceil(servers);
        let nanos = if nanos >> PLACES == 0 { nanos << PLACES } else { return None };
        self.clock.checked_add(nanos.checked_add(rest)?)
    }

    /// What each call is given in `time`, rounded down.
    fn given_in(&self, time: u128, servers: u32) -> u128 {
        let (calls, servers) = (u128::from(self.calls), u128::from(servers));
        if calls <= servers {
            return time;
        }
        let (whole, part) = ((time >> PLACES) * servers, (time & FRACTION) * servers);
        ((whole / calls) << PLACES) + (((whole % calls) << PLACES) + part) / calls
    }
}
