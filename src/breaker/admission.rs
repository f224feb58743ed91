//! The words between a breaker and its callers: its states, its answer to a call, and the leave that comes back with the
//! result.

use std::num::NonZeroU32;

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
///
/// A count of changes of state with the state in the lowest two bits, which are never both 0: so none at all takes no room either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit(NonZeroU32);

impl Default for Permit {
    fn default() -> Self {
        Self(Self::CLOSED)
    }
}

impl Permit {
    const CLOSED: NonZeroU32 = NonZeroU32::MIN;
    const OPEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
    const HALF_OPEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

    pub(super) const fn state(self) -> State {
        match self.0.get() % 4 {
            1 => State::Closed,
            2 => State::Open,
            _ => State::HalfOpen,
        }
    }

    /// The next number, with another state.
    pub(super) fn next(self, state: State) -> Self {
        self.after(1, state)
    }

    /// The number after so many changes that end in the same state.
    pub(super) fn later(self, changes: u64) -> Self {
        self.after(changes as u32, self.state())
    }

    fn after(self, changes: u32, state: State) -> Self {
        let place = match state {
            State::Closed => Self::CLOSED,
            State::Open => Self::OPEN,
            State::HalfOpen => Self::HALF_OPEN,
        };
        Self(place | (self.0.get() / 4).wrapping_add(changes) << 2)
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
