//! Verdicts: what a service made of an attempt, in the words that services and metrics share.

/// What a service made of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Worked on, and it succeeded.
    Served,
    /// Worked on, and a fault spoiled it.
    Faulty,
    /// Turned away by the rate limit.
    Limited,
    /// Turned away by an incident.
    Down,
    /// Turned away because every place was taken, or shed to protect the service.
    Overloaded,
    /// Spoiled by another call.
    Collided,
    /// Let go because its client had stopped waiting.
    Abandoned,
}

impl Verdict {
    /// True if the service spent work on the attempt.
    pub const fn is_work(self) -> bool {
        matches!(self, Self::Served | Self::Faulty | Self::Collided)
    }
}
