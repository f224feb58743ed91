//! What the servers of a station are used for in the course of time, for those who watch it.

use super::crew::Crew;
use super::station::Station;
use crate::time::{Instant, Interval};
use crate::usage::ServerLanes;

impl Station {
    /// From now on, what the servers are used for is noted in bins of `bin` up to `horizon`.
    pub fn watch(&mut self, bin: Interval, horizon: Interval) {
        self.lanes = Some(Box::new(ServerLanes::new(bin, horizon)));
    }

    /// What the servers were used for up to `horizon`, bin by bin; nothing if that was not watched.
    pub fn lanes(&self, horizon: Instant) -> Option<ServerLanes> {
        self.lanes.as_ref()?;
        let mut end = self.clone();
        end.advance(horizon);
        end.lanes.map(|lanes| *lanes)
    }

    /// Servers that work, or are kept.
    pub(super) fn at_work(&self) -> u64 {
        match &self.crew {
            Crew::Each(_) => u64::from(self.busy),
            Crew::Shared(sharing) => sharing.len().min(u64::from(self.servers)),
        }
    }

    /// Notes that until `now` all was as it is.
    pub(super) fn note(&mut self, now: Instant) {
        let (waiting, busy) = (self.waiting(), self.at_work());
        if let Some(lanes) = &mut self.lanes {
            lanes.waiting.add(self.now, now, waiting);
            lanes.busy.add(self.now, now, busy);
        }
    }
}
