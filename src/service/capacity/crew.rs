//! How servers work on calls: each on one, or all on all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::line::Held;
use super::sharing::Sharing;
use crate::time::{Instant, Interval};

/// How servers work on calls.
#[derive(Debug, Clone)]
pub(super) enum Crew {
    /// Each on one; when calls end, by instant and then by arrival, with their slots.
    Each(BinaryHeap<Reverse<(Instant, u64, u32)>>),
    /// All on all.
    Shared(Sharing),
}

impl Crew {
    /// Nobody is in service yet.
    pub(super) fn new(is_shared: bool) -> Self {
        if is_shared { Self::Shared(Sharing::default()) } else { Self::Each(BinaryHeap::new()) }
    }

    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// When the next call in service ends.
    pub(super) fn next_end(&self, servers: u32) -> Option<Instant> {
        match self {
            Self::Each(ends) => ends.peek().map(|Reverse((at, _, _))| *at),
            Self::Shared(sharing) => sharing.next(servers),
        }
    }

    /// What a call has had of a server by `at`.
    pub(super) fn worked(&self, held: &Held, at: Instant) -> Interval {
        match (self, held.began) {
            (_, None) => Interval::ZERO,
            (Self::Each(_), Some(began)) => at.since(began),
            (Self::Shared(sharing), Some(_)) => sharing.given_since(held.attained).min(held.work),
        }
    }
}
