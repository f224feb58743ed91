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
    /// Those too young to count, the oldest first. Two that began together and cost the same are the same.
    young: VecDeque<Young>,
    /// What those that count cost together.
    counted: u64,
    /// When they end, as far as that is known, and what each costs.
    ends: BinaryHeap<Reverse<(Instant, u64)>>,
}

/// Calls that began at the same instant, cost the same, and will grow old enough to count unless they end before that.
#[derive(Debug, Clone)]
struct Young {
    began: Instant,
    cost: u64,
    /// How many there are of which only the beginning is known.
    open: u64,
    /// When the others end.
    ends: Vec<Instant>,
}

impl Concurrency {
    /// At most `limit` calls of at least the age `counts_from`.
    pub(super) const fn new(limit: u64, counts_from: Interval) -> Self {
        Self { limit, counts_from }
    }

    /// Lets the calls grow older, and ends those whose end has come.
    fn refresh(&self, calls: &mut Calls, now: Instant) {
        while let Some(Young { began, cost, open, ends }) = calls.young.front()
            && *began + self.counts_from <= now
        {
            calls.counted += cost * (open + ends.len() as u64);
            calls.ends.extend(ends.iter().map(|&ends| Reverse((ends, *cost))));
            calls.young.pop_front();
        }
        while let Some(&Reverse((ends, cost))) = calls.ends.peek()
            && ends <= now
        {
            calls.ends.pop();
            calls.counted -= cost;
        }
    }

    /// The young calls that began then and cost so much.
    fn alike(calls: &mut Calls, began: Instant, cost: u64) -> Option<&mut Young> {
        let first = calls.young.partition_point(|young| young.began < began);
        let mut together = calls.young.range_mut(first..).take_while(|young| young.began == began);
        together.find(|young| young.cost == cost)
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
            match Self::alike(calls, now, cost) {
                Some(young) => young.open += 1,
                None => calls.young.push_back(Young { began: now, cost, open: 1, ends: Vec::new() }),
            }
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
        } else if let Some(young) = Self::alike(calls, began, cost) {
            young.open = young.open.saturating_sub(1);
            if ends > began + self.counts_from {
                young.ends.push(ends);
            }
        }
    }

    fn ended(&self, calls: &mut Calls, began: Instant, now: Instant, cost: u64) {
        self.refresh(calls, now);
        if began + self.counts_from <= now {
            calls.counted = calls.counted.saturating_sub(cost);
        } else if let Some(young) = Self::alike(calls, began, cost) {
            young.open = young.open.saturating_sub(1);
        }
    }

    fn scaled(&self, by: Scale) -> Self {
        Self { limit: by.count(self.limit), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Purpose};

    #[test]
    fn calls_are_counted_as_if_each_was_looked_at() {
        let age = Interval::from_nanos(20);
        let limit = Concurrency::new(u64::MAX, age);
        let (mut calls, mut each) = (limit.fresh(), Vec::<(Instant, u64, Option<Instant>)>::new());
        let key = Key::derive(3, 0, Purpose::Service, "calls");
        for step in 0..3000 {
            let [luck, more] = key.block(step, 0);
            // Several things at most instants.
            let now = Instant::from_nanos(step / 4);
            match luck % 3 {
                0 => {
                    let cost = 1 + more % 2;
                    limit.take(&mut calls, now, cost);
                    each.push((now, cost, None));
                }
                1 => {
                    let (cost, ends) = (1 + more % 2, now + Interval::from_nanos(more / 2 % 40));
                    limit.take(&mut calls, now, cost);
                    limit.ends_at(&mut calls, now, ends, cost);
                    each.push((now, cost, Some(ends)));
                }
                _ => {
                    let open: Vec<usize> = (0..each.len()).filter(|&call| each[call].2.is_none()).collect();
                    if !open.is_empty() {
                        let (began, cost, ends) = &mut each[open[more as usize % open.len()]];
                        *ends = Some(now);
                        limit.ended(&mut calls, *began, now, *cost);
                    }
                }
            }
            limit.refresh(&mut calls, now);
            let counts = |call: &&(Instant, u64, Option<Instant>)| {
                call.0 + age <= now && call.2.is_none_or(|ends| ends > now)
            };
            let expected: u64 = each.iter().filter(counts).map(|call| call.1).sum();
            assert_eq!(calls.counted, expected, "step {step}");
        }
    }

    #[test]
    fn a_burst_of_young_calls_is_not_gone_through_call_by_call() {
        let limit = Concurrency::new(1, Interval::from_secs(20));
        let mut calls = limit.fresh();
        for _ in 0..1000 {
            limit.take(&mut calls, Instant::START, 1);
            limit.ends_at(&mut calls, Instant::START, Instant::from_nanos(5), 1);
            limit.take(&mut calls, Instant::START, 2);
        }
        assert_eq!(calls.young.len(), 2, "one entry for each cost");
        assert!(calls.young[0].ends.is_empty(), "these never count");
    }
}
