//! Who comes, and how they leave.

use crate::time::{Instant, Interval};

/// A call that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Whose departure is told by this number.
    pub call: u32,
    /// Its service time.
    pub work: Interval,
    /// When its client stops waiting; far away if never.
    pub gives_up: Instant,
    /// True unless it is the first attempt of its request.
    pub retry: bool,
}

/// What becomes of a call at its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It is let in; its departure follows.
    Accepted,
    /// It is let in, and a call that waited has left for it: this one has no departure any more.
    PushedOut(u32),
    /// It is turned away.
    Full,
}
