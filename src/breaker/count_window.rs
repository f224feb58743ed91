//! The last N results, whenever they came: a ring that the trip and the half-open state share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rate::{Arithmetic, Compare, Limit, Minimum, Percent, Slow, SlowConfig, Tally, TooMuch};
use crate::time::Interval;
use crate::units::{Count, Probability};

/// Opens by the last `size` results (resilience4j 2 `COUNT_BASED`, cockatiel 3 `CountBreaker`, recloser 1, Failsafe 3
/// `withFailureThreshold(failures, size)`).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountWindow {
    /// How many results are kept, 1 to 1,000,000; as many as `failures` if absent.
    pub size: Option<Count<1, 1_000_000>>,
    /// With fewer results than this nothing is judged; `size` if absent, and never more than `size`.
    pub minimum_calls: Option<Minimum>,
    /// The share of failures that is too much, 0 to 1.
    pub rate: Option<Probability>,
    /// The same in percent, 0 to 100.
    pub percent: Option<Percent>,
    /// The number of failures that is too much, beside the rate or instead of it.
    pub failures: Option<Count<1, 1_000_000>>,
    /// Whether the limit itself is too much.
    #[serde(default)]
    pub compare: Compare,
    /// How the share is computed.
    #[serde(default)]
    pub arithmetic: Arithmetic,
    /// After which results it is judged.
    #[serde(default)]
    pub judged_on: JudgedOn,
    /// The ring says nothing until it was full before the result at hand, so that it takes `size` + 1 (recloser 1).
    #[serde(default)]
    pub full_before: bool,
    /// Slow calls as a second reason.
    pub slow: Option<SlowConfig>,
}

/// After which results a window is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JudgedOn {
    /// After failures only (Polly 8, cockatiel 3, opossum 9).
    #[default]
    Failure,
    /// After every result: a success can open it (resilience4j 2, recloser 1, Failsafe 3).
    Any,
    /// Not after results but whenever a bucket is complete (Hystrix 1, every 500 ms).
    Tick,
}

impl CountWindow {
    pub(super) fn problem(&self) -> Option<String> {
        let limit = self.limit();
        if self.failures.is_none() && limit.threshold().is_none() && self.slow.is_none() {
            return Some("nothing says when it opens: give `rate`, `percent` or `failures`".into());
        }
        let Some(size) = self.size.or(self.failures) else {
            return Some("nothing says how many results are kept: give `size`".into());
        };
        if self.failures.is_some_and(|failures| failures > size) {
            return Some(format!("{} results cannot hold so many failures: raise `size`", size.get()));
        }
        if self.judged_on == JudgedOn::Tick {
            return Some("results that are counted know no ticks: judge it on \"failure\" or \"any\"".into());
        }
        limit.problem().or_else(|| slow_problem(self.slow))
    }

    /// How many results are kept.
    pub fn kept(&self) -> u32 {
        // `problem` has seen to it that there is one.
        self.size.or(self.failures).map_or(1, Count::get_u32)
    }

    /// With fewer results than this nothing is judged; it need not be whole.
    pub fn minimum(&self) -> f64 {
        let kept = f64::from(self.kept());
        self.minimum_calls.map_or(kept, Minimum::get).min(kept)
    }

    fn limit(&self) -> Limit {
        let Self { rate, percent, compare, arithmetic, .. } = *self;
        Limit { rate, percent, compare, arithmetic }
    }
}

/// What is wrong with the rule about slow calls, if anything.
pub(super) fn slow_problem(slow: Option<SlowConfig>) -> Option<String> {
    let slow = slow?;
    match (slow.rate, slow.percent) {
        (None, None) => Some("nothing says how many slow calls are too many: give `slow.rate`".into()),
        (Some(_), Some(_)) => Some("`slow.rate` and `slow.percent` say the same thing: give one".into()),
        _ => None,
    }
}

/// A [`CountWindow`], compiled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CountRules {
    pub(super) size: u32,
    full_before: bool,
    on_any: bool,
    too_much: TooMuch,
}

impl CountRules {
    pub(super) fn new(config: &CountWindow) -> Self {
        Self {
            size: config.kept(),
            full_before: config.full_before,
            on_any: config.judged_on == JudgedOn::Any,
            too_much: TooMuch {
                minimum: config.minimum(),
                failures: config.failures.map(Count::get_u32),
                threshold: config.limit().threshold(),
                slow: config.slow.and_then(|slow| Slow::new(slow, config.arithmetic)),
            },
        }
    }

    /// Takes a result; true if the breaker opens.
    pub(super) fn record(&self, ring: &mut Ring, success: bool, took: Interval) -> bool {
        let was_full = ring.is_full(self.size);
        ring.push(self.size, success, self.too_much.is_slow(took));
        (self.on_any || !success) && (was_full || !self.full_before) && self.too_much.reached(ring.tally)
    }
}

/// The last results, one byte each; it grows with them and never beyond its size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ring {
    results: Vec<u8>,
    next: u32,
    pub(super) tally: Tally,
}

const FAILED: u8 = 1;
const SLOW: u8 = 2;

impl Ring {
    pub(super) fn is_full(&self, size: u32) -> bool {
        self.results.len() == size as usize
    }

    /// Keeps a result, in the place of the oldest if there is no other.
    pub(super) fn push(&mut self, size: u32, success: bool, slow: bool) {
        let result = if success { 0 } else { FAILED } | if slow { SLOW } else { 0 };
        if self.is_full(size) {
            let oldest = std::mem::replace(&mut self.results[self.next as usize], result);
            self.tally.take(Tally::of(oldest & FAILED == 0, oldest & SLOW != 0));
        } else {
            self.results.push(result);
        }
        self.next = (self.next + 1) % size;
        self.tally.add(Tally::of(success, slow));
    }

    pub(super) fn clear(&mut self) {
        *self = Self { results: std::mem::take(&mut self.results), ..Self::default() };
        self.results.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_forgets_the_oldest_result() {
        let mut ring = Ring::default();
        for success in [false, true, true, false, true] {
            ring.push(3, success, success);
        }
        assert_eq!(ring.tally, Tally { total: 3, failures: 1, slow: 2 });
        ring.clear();
        ring.push(3, false, false);
        assert_eq!(ring.tally, Tally { total: 1, failures: 1, slow: 0 });
    }
}
