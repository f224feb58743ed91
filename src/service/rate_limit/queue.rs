//! The leaky bucket as a queue: what comes too early is held back, what no longer fits is refused.
//! Source: nginx, `ngx_http_limit_req_module.c`, in its integers: milliseconds and thousandths of a request.

use super::meter::{Meter, Scale, nanos};
use crate::time::{Instant, Interval};
use crate::units::Rate;

const MILLISECOND: u64 = 1_000_000;

/// The queue's numbers.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    /// Thousandths of a request per second.
    rate: u64,
    /// Requests that may wait.
    burst: u64,
    /// Thousandths of a request that go on at once.
    free: u64,
}

/// What waits in a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Excess {
    /// Thousandths of a request above the rate; `None` before the first.
    thousandths: Option<u64>,
    /// Millisecond of the last request that passed.
    last: u64,
}

/// The rate in thousandths of a request per second, rounded down.
pub(super) fn thousandths(rate: Rate) -> u64 {
    let per_second = u128::from(rate.count()) * 1_000_000_000_000 / u128::from(rate.per().as_nanos());
    u64::try_from(per_second).unwrap_or(u64::MAX)
}

impl Queue {
    /// `rate` requests leave; `burst` may wait, of which `free` need not.
    pub(super) fn new(rate: Rate, burst: u64, free: Option<u64>) -> Self {
        Self {
            rate: thousandths(rate).max(1),
            burst,
            free: free.map_or(u64::MAX, |free| free.saturating_mul(1000)),
        }
    }

    fn room(&self) -> u64 {
        self.burst * 1000
    }

    /// The excess if a request of this cost came now.
    fn excess(&self, queue: &Excess, now: Instant, cost: u64) -> u64 {
        match queue.thousandths {
            None => (cost - 1) * 1000,
            Some(excess) => {
                let elapsed = now.as_nanos() / MILLISECOND - queue.last;
                let drained = u128::from(self.rate) * u128::from(elapsed) / 1000;
                (u128::from(excess) + u128::from(cost) * 1000).saturating_sub(drained) as u64
            }
        }
    }

    /// The time until so many thousandths have left since the last request.
    fn time_to(&self, thousandths: u64, queue: &Excess, now: Instant) -> Interval {
        let millis = (u128::from(thousandths) * 1000).div_ceil(u128::from(self.rate));
        let at = (u128::from(queue.last) + millis) * u128::from(MILLISECOND);
        nanos(at.saturating_sub(u128::from(now.as_nanos())))
    }
}

impl Meter for Queue {
    type State = Excess;

    fn fresh(&self) -> Excess {
        Excess { thousandths: None, last: 0 }
    }

    fn check(&self, queue: &mut Excess, now: Instant, cost: u64) -> Result<Interval, Option<Interval>> {
        let excess = self.excess(queue, now, cost);
        if excess > self.room() {
            let all = queue.thousandths.unwrap_or(0) + cost * 1000;
            return Err(Some(self.time_to(all - self.room(), queue, now)));
        }
        Ok(Interval::from_millis(excess.saturating_sub(self.free) * 1000 / self.rate))
    }

    fn take(&self, queue: &mut Excess, now: Instant, cost: u64) {
        queue.thousandths = Some(self.excess(queue, now, cost));
        queue.last = now.as_nanos() / MILLISECOND;
    }

    fn count(&self, queue: &mut Excess, now: Instant, cost: u64) {
        queue.thousandths = Some(self.excess(queue, now, cost).min(self.room()));
        queue.last = now.as_nanos() / MILLISECOND;
    }

    fn reset(&self, queue: &mut Excess, now: Instant) -> Option<Interval> {
        Some(queue.thousandths.map_or(Interval::ZERO, |excess| self.time_to(excess + 1000, queue, now)))
    }

    fn scaled(&self, by: Scale) -> Self {
        Self { rate: by.share(self.rate), burst: by.count(self.burst + 1) - 1, free: self.free }
    }

    fn hand_over(&self, next: &Self, queue: &mut Excess, now: Instant) {
        if let Some(excess) = queue.thousandths {
            let elapsed = now.as_nanos() / MILLISECOND - queue.last;
            let drained = u128::from(self.rate) * u128::from(elapsed) / 1000;
            let left = u128::from(excess).saturating_sub(drained) as u64;
            queue.thousandths = Some(left.min(next.room()));
            queue.last = now.as_nanos() / MILLISECOND;
        }
    }
}
