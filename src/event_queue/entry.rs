//! An event that waits, and what it is ordered by.

use crate::time::Instant;

/// An event that waits for its instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<P> {
    pub(super) at: Instant,
    pub(super) rank: u64,
    pub(super) payload: P,
}

impl<P> Entry<P> {
    /// Instant and rank as one number.
    pub(super) fn key(&self) -> u128 {
        key(self.at, self.rank)
    }

    /// Instant and rank, for comparisons of two entries: these come out faster than on keys.
    pub(super) fn pair(&self) -> (Instant, u64) {
        (self.at, self.rank)
    }
}

/// Instant and rank as one number: its order is theirs.
pub(super) fn key(at: Instant, rank: u64) -> u128 {
    u128::from(at.as_nanos()) << 64 | u128::from(rank)
}

/// The instant and the rank of which a key was made.
pub(super) fn split(key: u128) -> (Instant, u64) {
    (Instant::from_nanos((key >> 64) as u64), key as u64)
}
