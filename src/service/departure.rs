//! Departures: what becomes of calls on which a service decides later than on their arrival.

/// A call leaves the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// Which one, as it was named when it came.
    pub call: u32,
    /// What became of it.
    pub fate: Fate,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The service has worked on it to the end.
    Served,
    /// Another call was in its way.
    Collided,
}
