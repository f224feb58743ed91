//! The words between a breaker and its callers: its states, its answer to a call, and the leave that comes back with the
//! result.

use crate::time::Instant;

/// The three states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// Probes pass.
    HalfOpen,
}

impl State {
    /// The state's name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// A time that a breaker spends in one state, as far as its callers have seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    pub(super) phase: Permit,
    /// When it began.
    pub since: Instant,
    /// When it is over by the passing of time alone: behind that, an open breaker keeps nobody out.
    pub until: Instant,
    /// True if a breaker that was open is half-open then, whether anybody calls or not.
    pub half_open_next: bool,
}

impl Spell {
    /// The state.
    pub const fn state(self) -> State {
        self.phase.state()
    }

    /// True if `other` is the same spell, later.
    pub fn is(self, other: Self) -> bool {
        self.phase == other.phase
    }
}

/// Leave to call, to be handed back with the result. It knows the state in which the call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permit(u32);

impl Permit {
    pub(super) const fn state(self) -> State {
        match self.0 % 4 {
            0 => State::Closed,
            1 => State::Open,
            _ => State::HalfOpen,
        }
    }

    /// The next number, with another state.
    pub(super) const fn next(self, state: State) -> Self {
        let place = match state {
            State::Closed => 0,
            State::Open => 1,
            State::HalfOpen => 2,
        };
        Self((self.0 / 4 * 4).wrapping_add(4) + place)
    }

    /// The number after so many changes that end in the same state.
    pub(super) const fn later(self, changes: u64) -> Self {
        Self(self.0.wrapping_add((changes as u32).wrapping_mul(4)))
    }
}

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may go; its result is to be recorded.
    Granted(Permit),
    /// It may not.
    Refused,
    /// It is to ask again when [`Breaker::record`](super::Breaker::record) says that a probe has ended.
    Wait,
}

impl Admission {
    /// The permit, if there is one.
    pub const fn permit(self) -> Option<Permit> {
        match self {
            Self::Granted(permit) => Some(permit),
            Self::Refused | Self::Wait => None,
        }
    }
}
