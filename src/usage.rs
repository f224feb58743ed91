//! Usage: what a service's capacity was used for, and what breakers did, in the words that they share with metrics.

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

/// How many of something there were in the course of time, added up bin by bin.
///
/// What lasts through whole bins is noted where it begins and where it ends, so a stay costs the same however long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupancy {
    bin: u64,
    horizon: u64,
    /// Nanoseconds in bins that are not filled from end to end.
    parts: Vec<u128>,
    /// By how many the number grows that fills bins from this one on.
    whole: Vec<i64>,
}

impl Occupancy {
    /// Nothing yet, in bins of `bin` (above 0s) that cover `horizon`.
    pub fn new(bin: Interval, horizon: Interval) -> Self {
        let bins = horizon.as_nanos().div_ceil(bin.as_nanos()) as usize;
        let (bin, horizon) = (bin.as_nanos(), horizon.as_nanos());
        Self { bin, horizon, parts: vec![0; bins], whole: vec![0; bins + 1] }
    }

    /// So many were there from one instant to another; what lies beyond the horizon does not count.
    pub fn add(&mut self, from: Instant, to: Instant, count: u64) {
        let (from, to) = (from.as_nanos(), to.as_nanos().min(self.horizon));
        if count == 0 || from >= to {
            return;
        }
        let (first, last) = ((from / self.bin) as usize, (to / self.bin) as usize);
        let begins = |index: usize| self.bin * index as u64;
        if first == last {
            self.parts[first] += u128::from(to - from) * u128::from(count);
            return;
        }
        self.parts[first] += u128::from(begins(first + 1) - from) * u128::from(count);
        if to > begins(last) {
            self.parts[last] += u128::from(to - begins(last)) * u128::from(count);
        }
        self.whole[first + 1] += count.cast_signed();
        self.whole[last] -= count.cast_signed();
    }

    /// Adds another one of the same shape.
    pub fn add_all(&mut self, other: &Self) {
        debug_assert_eq!((self.bin, self.horizon), (other.bin, other.horizon));
        self.parts.iter_mut().zip(&other.parts).for_each(|(part, other)| *part += other);
        self.whole.iter_mut().zip(&other.whole).for_each(|(whole, other)| *whole += other);
    }

    /// How many there were in each bin, on average over it.
    pub fn means(&self) -> Vec<f64> {
        let mut through = 0;
        let mean = |(index, (part, whole)): (usize, (&u128, &i64))| {
            through += whole;
            let begins = self.bin * index as u64;
            let width = self.bin.min(self.horizon - begins);
            (*part + through as u128 * u128::from(self.bin)) as f64 / width as f64
        };
        self.parts.iter().zip(&self.whole).enumerate().map(mean).collect()
    }
}

/// What a service's servers are used for in the course of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLanes {
    /// Calls that wait for a server.
    pub waiting: Occupancy,
    /// Servers at work.
    pub busy: Occupancy,
}

impl ServerLanes {
    /// Nothing yet, in bins of `bin` (above 0s) that cover `horizon`.
    pub fn new(bin: Interval, horizon: Interval) -> Self {
        let none = Occupancy::new(bin, horizon);
        Self { waiting: none.clone(), busy: none }
    }

    /// Adds others of the same shape.
    pub fn add_all(&mut self, other: &Self) {
        self.waiting.add_all(&other.waiting);
        self.busy.add_all(&other.busy);
    }
}

/// What breakers do in the course of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerLanes {
    /// Breakers that keep calls out.
    pub open: Occupancy,
    /// Breakers that let probes through.
    pub half_open: Occupancy,
}

impl BreakerLanes {
    /// Nothing yet, in bins of `bin` (above 0s) that cover `horizon`.
    pub fn new(bin: Interval, horizon: Interval) -> Self {
        let none = Occupancy::new(bin, horizon);
        Self { open: none.clone(), half_open: none }
    }

    /// Adds others of the same shape.
    pub fn add_all(&mut self, other: &Self) {
        self.open.add_all(&other.open);
        self.half_open.add_all(&other.half_open);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_are_split_over_bins_to_the_nanosecond() {
        let at = |seconds: u64| Instant::START + Interval::from_secs(seconds);
        let mut seen = Occupancy::new(Interval::from_secs(10), Interval::from_secs(35));
        // Bin by bin: 5 of 10 s, all of it, all of it, all that there is of it.
        seen.add(at(5), at(100), 1);
        assert_eq!(seen.means(), [0.5, 1.0, 1.0, 1.0]);
        seen.add(at(12), at(14), 5);
        seen.add(at(10), at(20), 2);
        seen.add(at(7), at(7), 9);
        seen.add(at(40), at(50), 9);
        assert_eq!(seen.means(), [0.5, 4.0, 1.0, 1.0]);
        let mut both = seen.clone();
        both.add_all(&seen);
        assert_eq!(both.means(), [1.0, 8.0, 2.0, 2.0]);
    }
}
