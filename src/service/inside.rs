//! What is inside a service and stands in the way of calls: nothing, servers and a queue, or something to contend for.

use super::Call;
use super::capacity::{Full, Job, Offer, Servers, Station};
use super::config::ServiceConfig;
use super::contention::Contention;
use super::departure::Departure;
use crate::time::{Instant, Interval};
use crate::usage::{ServerLanes, Usage};

/// What is inside a service and stands in the way of calls.
#[derive(Debug, Clone)]
pub(super) enum Inside {
    /// Nothing.
    Nothing,
    /// Servers and a queue that decide on arrival.
    Servers(Box<Servers>),
    /// Servers and a queue that decide as time goes on.
    Station(Box<Station>),
    /// Something to contend for.
    Contention(Contention),
}

impl Inside {
    /// What is inside at the start of a run.
    pub(super) fn new(config: &ServiceConfig, calls_others: bool) -> Self {
        match (&config.capacity, &config.contention) {
            (Some(capacity), _) if capacity.needs_station() || calls_others || config.loses_servers() => {
                Self::Station(Box::new(Station::new(capacity).keeping_calls(calls_others)))
            }
            (Some(capacity), _) => Self::Servers(Box::new(Servers::new(capacity))),
            (None, Some(contention)) => Self::Contention(Contention::new(contention)),
            (None, None) => Self::Nothing,
        }
    }

    /// True if it decides on calls later than when they come.
    pub(super) const fn decides_later(&self) -> bool {
        matches!(self, Self::Station(_) | Self::Contention(_))
    }

    /// A call with so much work comes at `now`.
    #[inline]
    pub(super) fn offer(&mut self, now: Instant, call: &Call, work: Interval) -> Stay {
        let Call { index, gives_up, retry, way, .. } = *call;
        match self {
            Self::Nothing => Stay::Until(now + work),
            Self::Servers(servers) => match servers.offer(now, work, gives_up) {
                Ok(stay) if stay.done => Stay::Until(stay.ends),
                Ok(stay) => Stay::LetGo(stay.ends),
                Err(Full) => Stay::TurnedAway,
            },
            Self::Station(station) => match station.offer(now, Job { call: index, work, gives_up, retry }) {
                Offer::Accepted => Stay::Unknown(None),
                Offer::PushedOut(other) => Stay::Unknown(Some(other)),
                Offer::Full => Stay::TurnedAway,
            },
            Self::Contention(contention) => {
                contention.offer(now, index, way);
                Stay::Unknown(None)
            }
        }
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Option<Instant> {
        match self {
            Self::Nothing | Self::Servers(_) => None,
            Self::Station(station) => station.next(),
            Self::Contention(contention) => contention.next(),
        }
    }

    /// Goes on to [`next`](Inside::next); the call that leaves then, if one does.
    pub(super) fn step(&mut self) -> Option<Departure> {
        match self {
            Self::Nothing | Self::Servers(_) => None,
            Self::Station(station) => station.step(),
            Self::Contention(contention) => contention.step(),
        }
    }

    /// From now on, what its servers are used for is noted in bins of `bin` up to `horizon`.
    pub(super) fn watch(&mut self, bin: Interval, horizon: Interval) {
        match self {
            Self::Nothing | Self::Contention(_) => {}
            Self::Servers(servers) => servers.watch(bin, horizon),
            Self::Station(station) => station.watch(bin, horizon),
        }
    }

    /// What its servers were used for up to `horizon`, bin by bin; nothing if it has none, or that was not watched.
    pub(super) fn lanes(&self, horizon: Instant) -> Option<ServerLanes> {
        match self {
            Self::Nothing | Self::Contention(_) => None,
            Self::Servers(servers) => servers.lanes(),
            Self::Station(station) => station.lanes(horizon),
        }
    }

    /// What its servers were used for up to `horizon`; nothing if it has none.
    pub(super) fn usage(&self, horizon: Instant) -> Option<Usage> {
        match self {
            Self::Nothing | Self::Contention(_) => None,
            Self::Servers(servers) => Some(servers.usage(horizon)),
            Self::Station(station) => Some(station.usage(horizon)),
        }
    }
}

/// How long a call is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// Until its work is done.
    Until(Instant),
    /// Until its client stops waiting.
    LetGo(Instant),
    /// It will turn out; the other call that has left for it, if one has.
    Unknown(Option<u32>),
    /// It is not let in.
    TurnedAway,
}
