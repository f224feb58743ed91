//! What can happen inside a station, and in which order at one instant.

/// What happens inside a station. At one instant the earlier happens first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    Drop,
    End,
    ServersCome,
    Leave,
    Judge,
}
