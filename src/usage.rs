//! Usage: what a service's capacity was used for, in the words that services and metrics share.

use crate::time::{Instant, Interval};

/// Counts and times from the start to a horizon. offered = served + turned away + shed + pushed out + dropped + cancelled +
/// left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Calls that came.
    pub offered: u64,
    /// Calls whose work was done by the horizon, that of other services for their sake included.
    pub served: u64,
    /// Calls that found every place taken.
    pub turned_away: u64,
    /// Calls that were shed although there was a place.
    pub shed: u64,
    /// Retries that had to make room for a first try.
    pub pushed_out: u64,
    /// Calls that had waited too long for `CoDel`.
    pub dropped: u64,
    /// Calls that left because their clients stopped waiting.
    pub cancelled: u64,
    /// Calls in the system at the horizon: waiting, in service, or waiting for other services.
    pub left: u64,
    /// Calls whose work was begun by the horizon.
    pub begun: u64,
    /// Server-nanoseconds of work up to the horizon, done or given up.
    pub busy: u128,
    /// Call-nanoseconds without service up to the horizon. Time in the system is `busy` + `waiting`; in processor sharing
    /// that makes `waiting` what others got, and calls that wait for other services count in neither.
    pub waiting: u128,
    /// Nanoseconds that the calls in `begun` waited.
    pub waits: u128,
    /// The longest of those waits.
    pub longest_wait: Interval,
    /// The most calls that waited at once.
    pub longest_queue: u64,
    /// Server-nanoseconds that were there up to the horizon; none if servers are unlimited.
    pub provided: Option<u128>,
}

impl Usage {
    /// Counts the time in the system of a call that came at `arrived`, began at `began` if it has, was in the system until
    /// `until` and had so much of a server.
    pub fn count_stay(&mut self, arrived: Instant, began: Option<Instant>, until: Instant, worked: Interval) {
        self.busy += u128::from(worked.as_nanos());
        self.waiting += u128::from((until.since(arrived) - worked).as_nanos());
        if let Some(began) = began {
            let wait = began.since(arrived);
            self.begun += 1;
            self.waits += u128::from(wait.as_nanos());
            self.longest_wait = self.longest_wait.max(wait);
        }
    }

    /// Counts so many that wait at once.
    pub fn count_queue(&mut self, waiting: u64) {
        self.longest_queue = self.longest_queue.max(waiting);
    }
}
