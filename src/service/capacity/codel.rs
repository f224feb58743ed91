//! Controlled delay: calls are dropped when the shortest wait stays too long, the faster the longer it stays so.
//!
//! Bytes become calls: where the RFC never drops while no more than one packet is left behind, one call is.
//!
//! Source: RFC 8289, "Controlled Delay Active Queue Management", sections 5.5 and 5.6.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::time::{Instant, Interval};

/// How long a wait may be, as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodelConfig {
    /// A wait that is acceptable for ever, above 0s; 5ms in the RFC.
    #[serde(default = "five_milliseconds")]
    pub target: Interval,
    /// For how long waits may be longer, at least the target; 100ms in the RFC.
    #[serde(default = "hundred_milliseconds")]
    pub interval: Interval,
}

const fn five_milliseconds() -> Interval {
    Interval::from_millis(5)
}

const fn hundred_milliseconds() -> Interval {
    Interval::from_millis(100)
}

impl CodelConfig {
    /// What is wrong with the fields taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        let Self { target, interval } = *self;
        if target.is_zero() {
            Some("a target of 0s calls every wait too long: give one, such as \"5ms\"".into())
        } else if interval < target {
            Some(format!(
                "the interval {interval} is shorter than the target {target}: give about twenty times the target"
            ))
        } else {
            None
        }
    }
}

/// The control law's state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codel {
    config: CodelConfig,
    /// When waits will have been above the target for a whole interval.
    first_above: Option<Instant>,
    dropping: bool,
    drop_next: Instant,
    /// Drops since it began to drop, and what they were when it last began.
    count: u64,
    last_count: u64,
}

/// How far one server is in finding its next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Search {
    /// It looks at its first.
    #[default]
    First,
    /// It has dropped one that began a time of dropping; the next is served.
    Began,
    /// It has dropped one in a time of dropping.
    Dropped,
}

impl Codel {
    pub(super) const fn new(config: CodelConfig) -> Self {
        Self {
            config,
            first_above: None,
            dropping: false,
            drop_next: Instant::START,
            count: 0,
            last_count: 0,
        }
    }

    /// True if the call taken at `now`, which has `waited` and leaves `behind` others waiting, is dropped.
    pub(super) fn drops(&mut self, search: &mut Search, now: Instant, waited: Interval, behind: u64) -> bool {
        let may_drop = self.may_drop(now, waited, behind);
        match *search {
            Search::Began => return false,
            Search::First if !self.dropping => {
                if may_drop {
                    self.begin_to_drop(now);
                    *search = Search::Began;
                }
                return may_drop;
            }
            Search::Dropped if may_drop => self.drop_next = self.law(self.drop_next),
            Search::First | Search::Dropped => {}
        }
        if !may_drop {
            self.dropping = false;
            return false;
        }
        if now < self.drop_next {
            return false;
        }
        self.count += 1;
        *search = Search::Dropped;
        true
    }

    /// A server found nobody waiting.
    pub(super) fn found_empty(&mut self, search: Search) {
        self.first_above = None;
        if search != Search::Began {
            self.dropping = false;
        }
    }

    fn may_drop(&mut self, now: Instant, waited: Interval, behind: u64) -> bool {
        if waited < self.config.target || behind <= 1 {
            self.first_above = None;
            return false;
        }
        let first_above = *self.first_above.get_or_insert_with(|| super::after(now, self.config.interval));
        now >= first_above
    }

    /// Where it left off, if that was not long ago.
    fn begin_to_drop(&mut self, now: Instant) {
        self.dropping = true;
        let delta = self.count - self.last_count;
        let recent = now < super::after(self.drop_next, self.config.interval.times(16));
        self.count = if delta > 1 && recent { delta } else { 1 };
        self.drop_next = self.law(now);
        self.last_count = self.count;
    }

    /// The next drop, an interval / sqrt(count) after `from`, rounded down to a nanosecond.
    fn law(&self, from: Instant) -> Instant {
        let interval = u128::from(self.config.interval.as_nanos());
        let gap = (interval * interval / u128::from(self.count)).isqrt();
        super::after(from, Interval::from_nanos(u64::try_from(gap).unwrap_or(u64::MAX)))
    }
}
