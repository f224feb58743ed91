//! The limit on calls in progress. It frees when a call ends, so it lets through limit / mean time of a call (Little's law).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::meter::{Meter, Scale};
use crate::time::{Instant, Interval};

/// The limit's numbers.
#[derive(Debug, Clone)]
pub(super) struct Concurrency {
    limit: u64,
    /// The age from which on a call counts.
    counts_from: Interval,
}

/// The calls in progress.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    /// Those too young to count, the oldest first.
    young: VecDeque<Young>,
    /// What those that count cost together.
    counted: u64,
    /// When they end, as far as that is known, and what each costs.
    ends: BinaryHeap<Reverse<(Instant, u64)>>,
}

#[derive(Debug, Clone, Copy)]
struct Young {
    began: Instant,
    cost: u64,
    ends: Option<Instant>,
}

impl Concurrency {
    /// At most `limit` calls of at least the age `counts_from`.
    pub(super) const fn new(limit: u64, counts_from: Interval) -> Self {
        Self { limit, counts_from }
    }

    /// Lets the calls grow older, and ends those whose end has come.
    fn refresh(&self, calls: &mut Calls, now: Instant) {
        while let Some(&Young { began, cost, ends }) = calls.young.front()
            && began + self.counts_from <= now
        {
            calls.young.pop_front();
            if ends.is_none_or(|ends| ends > now) {
                calls.counted += cost;
                calls.ends.extend(ends.map(|ends| Reverse((ends, cost))));
            }
        }
        while let Some(&Reverse((ends, cost))) = calls.ends.peek()
            && ends <= now
        {
            calls.ends.pop();
            calls.counted -= cost;
        }
    }

    /// A young call of which only the beginning is known. Two that began together and cost the same are the same.
    fn find(calls: &mut Calls, began: Instant, cost: u64) -> Option<&mut Young> {
        let first = calls.young.partition_point(|young| young.began < began);
        let mut alike = calls.young.range_mut(first..).take_while(|young| young.began == began);
        alike.find(|young| young.cost == cost && young.ends.is_none())
    }
}

impl Meter for Concurrency {
    type State = Calls;

    fn fresh(&self) -> Calls {
        Calls::default()
    }

    fn check(&self, calls: &mut Calls, now: Instant, cost: u64) -> Result<Interval, Option<Interval>> {
        self.refresh(calls, now);
        if calls.counted + cost <= self.limit { Ok(Interval::ZERO) } else { Err(None) }
    }

    fn take(&self, calls: &mut Calls, now: Instant, cost: u64) {
        if self.counts_from.is_zero() {
            calls.counted += cost;
        } else {
            calls.young.push_back(Young { began: now, cost, ends: None });
        }
    }

    fn count(&self, _: &mut Calls, _now: Instant, _cost: u64) {}

    fn reset(&self, calls: &mut Calls, now: Instant) -> Option<Interval> {
        self.refresh(calls, now);
        (calls.counted == 0).then_some(Interval::ZERO)
    }

    fn ends_at(&self, calls: &mut Calls, began: Instant, ends: Instant, cost: u64) {
        if self.counts_from.is_zero() {
            calls.ends.push(Reverse((ends, cost)));
        } else if let Some(young) = Self::find(calls, began, cost) {
            young.ends = Some(ends);
        }
    }

    fn ended(&self, calls: &mut Calls, began: Instant, now: Instant, cost: u64) {
        self.refresh(calls, now);
        if began + self.counts_from <= now {
            calls.counted = calls.counted.saturating_sub(cost);
        } else if let Some(young) = Self::find(calls, began, cost) {
            young.ends = Some(now);
        }
    }

    fn scaled(&self, by: Scale) -> Self {
        Self { limit: by.count(self.limit), ..self.clone() }
    }
}
