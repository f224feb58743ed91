//! Events: what can happen, and in which order at one instant.

/// What happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// The next request of a workload arrives.
    Arrival { workload: usize },
    /// A request begins its next attempt.
    Attempt { slot: u32 },
    /// A client learns the outcome of an attempt.
    Outcome { slot: u32 },
}

/// Classes of events: at one instant what ends comes before what begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    /// The answer of a service.
    Answer = 0,
    /// The end of a client's patience.
    Timeout = 1,
    /// An arrival or a retry.
    Begin = 2,
}

/// The rank of an event among those at the same instant: class, then workload, then request.
pub(super) const fn rank(class: Class, workload: u16, request: u64) -> u64 {
    (class as u64) << 62 | (workload as u64) << 48 | request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_comes_before_what_begins_and_first_come_goes_first() {
        let order = [
            rank(Class::Answer, 0, 7),
            rank(Class::Answer, 1, 3),
            rank(Class::Timeout, 0, 0),
            rank(Class::Begin, 0, 0),
            rank(Class::Begin, 0, 1),
            rank(Class::Begin, 0, (1 << 48) - 1),
            rank(Class::Begin, 1, 0),
        ];
        assert!(order.is_sorted());
    }
}
