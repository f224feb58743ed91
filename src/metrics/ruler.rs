//! A ruler: time laid out in equal steps, so that what happens can be counted step by step.
//!
//! What happens next mostly happens in the step of what happened last, and a division costs more than the count that it is for:
//! the ruler divides only where time has left the step that it looked up last.

use crate::time::{Instant, Interval};

/// Steps of equal width from the start of a run.
#[derive(Clone)]
pub(super) struct Ruler {
    width: u64,
    /// The step that was looked up last, and when it begins and ends, in nanoseconds.
    step: u64,
    begins: u64,
    ends: u64,
}

impl Ruler {
    /// Steps of `width`, of a nanosecond at least.
    pub(super) fn new(width: Interval) -> Self {
        let width = width.as_nanos().max(1);
        Self { width, step: 0, begins: 0, ends: width }
    }

    /// How wide a step is, in nanoseconds.
    pub(super) const fn width(&self) -> u64 {
        self.width
    }

    /// The step in which `at` lies, from 0.
    #[inline]
    pub(super) fn step_of(&mut self, at: Instant) -> u64 {
        let at = at.as_nanos();
        if !(self.begins..self.ends).contains(&at) {
            self.step = at / self.width;
            self.begins = self.step * self.width;
            self.ends = self.begins.saturating_add(self.width);
        }
        self.step
    }
}

/// Where it was held last says nothing about what was counted.
impl std::fmt::Debug for Ruler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ruler").field(&self.width).finish()
    }
}

/// Rulers are alike if they measure alike, wherever they were held last.
impl PartialEq for Ruler {
    fn eq(&self, other: &Self) -> bool {
        self.width == other.width
    }
}

impl Eq for Ruler {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_begins_with_its_first_instant_whichever_was_looked_up_before() {
        let mut ruler = Ruler::new(Interval::from_nanos(10));
        for (at, step) in
            [(0, 0), (9, 0), (10, 1), (9, 0), (35, 3), (30, 3), (29, 2), (u64::MAX, u64::MAX / 10), (3, 0)]
        {
            assert_eq!(ruler.step_of(Instant::from_nanos(at)), step, "{at}");
        }
    }
}
