//! Events: what can happen, and in which order at one instant.

use super::plain::Attempts;
use crate::time::Instant;

/// What has been scheduled to happen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A client of a closed population issues its next request.
    Issue { workload: u16, client: u32 },
    /// A plain request begins its next attempt; the rank says which.
    Retry { arrived: Instant, client: u32, attempts: Attempts },
    /// The same of one that its policy remembers something of.
    Recall { arrived: Instant, slot: u32, attempts: Attempts },
    /// A request begins its next attempt.
    Attempt { slot: u32 },
    /// A request goes on that has waited for a slot, or at a guard.
    Resume { slot: u32 },
    /// A service issues a request for the sake of a call: which one of those at once.
    Ask { call: u32, place: u16 },
    /// A client learns the outcome of an attempt that was decided when it was sent.
    Outcome { slot: u32 },
    /// A call reaches its service.
    Reach { call: u32 },
    /// A call goes in that a limit has held.
    Enter { call: u32 },
    /// A service is done with its own work on a call.
    Worked { call: u32 },
    /// The answer to a call reaches its client.
    Reply { call: u32 },
    /// A client stops waiting for the answer to a call.
    Timeout { call: u32 },
}

/// Classes of events: at one instant what ends comes before what begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    /// What happens inside a service.
    Happening = 0,
    /// The answer of a service.
    Answer = 1,
    /// The end of a client's patience.
    Timeout = 2,
    /// An arrival, a request that a service issues, a retry, or a call that reaches its service.
    Begin = 3,
}

/// The rank of an event among those at the same instant: class, then workload, then request; of what happens inside
/// services, the service in the place of the workload.
pub(super) const fn rank(class: Class, workload: u16, request: u64) -> u64 {
    debug_assert!(workload < 1 << 14 && request < 1 << 48, "each has its bits");
    (class as u64) << 62 | (workload as u64) << 48 | request
}

/// The workload, by its place among them, and the request that a rank was made of.
pub(super) const fn ranked(rank: u64) -> (u16, u64) {
    ((rank >> 48) as u16 & 0x3fff, rank & ((1 << 48) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_comes_before_what_begins_and_first_come_goes_first() {
        let order = [
            rank(Class::Happening, 1, 0),
            rank(Class::Answer, 0, 7),
            rank(Class::Answer, 1, 3),
            rank(Class::Timeout, 0, 0),
            rank(Class::Begin, 0, 0),
            rank(Class::Begin, 0, 1),
            rank(Class::Begin, 0, (1 << 48) - 1),
            rank(Class::Begin, 1, 0),
        ];
        assert!(order.is_sorted());
        assert_eq!(ranked(rank(Class::Begin, 0x3fff, (1 << 48) - 1)), (0x3fff, (1 << 48) - 1));
        assert_eq!(ranked(rank(Class::Timeout, 7, 12)), (7, 12));
    }
}
