//! Departures: what becomes of calls on which a service decides later than on their arrival.

use crate::time::Instant;

/// A call leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// The number that it came with.
    pub call: u32,
    /// When it leaves.
    pub at: Instant,
    /// Why.
    pub fate: Fate,
}

/// Why a call leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its work is done.
    Served,
    /// Its client has stopped waiting.
    Cancelled,
    /// It had waited too long for `CoDel`.
    Dropped,
    /// It had to make room for a first try.
    PushedOut,
    /// Another call was in its way.
    Collided,
}
