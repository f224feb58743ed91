//! Calls that a service asks others for the sake of: they stay in its system until these have answered.
//!
//! Each keeps the server busy that has worked on it. Where all servers work on all calls it takes nothing of them meanwhile, as a
//! process that waits for the network takes nothing of a processor.

use super::config::Abandoned;
use super::line::Held;
use super::station::Station;
use crate::service::departure::{Departure, Fate};
use crate::time::Instant;

impl Station {
    /// With `keeps`, each call whose work is done stays in the system until it is released.
    pub const fn keeping_calls(mut self, keeps: bool) -> Self {
        self.keeps = keeps;
        self
    }

    /// The work on the call in `slot` is done, and it stays in the system.
    pub(super) fn keep(&mut self, slot: u32) -> Departure {
        let at = self.now;
        let held = self.let_go(slot, at);
        self.kept.insert(held.job.call, held);
        Departure { call: held.job.call, at, fate: Fate::Served }
    }

    /// A call that was kept leaves at `now`.
    ///
    /// # Panics
    /// If it is not kept.
    pub fn release(&mut self, now: Instant, call: u32) {
        self.leave_kept(now, call, true);
    }

    /// The client of a call that is kept stops waiting at `now`: true if the call leaves.
    ///
    /// # Panics
    /// If it is not kept.
    pub fn abandon(&mut self, now: Instant, call: u32) -> bool {
        let lets_go = self.abandoned == Abandoned::Cancelled;
        if lets_go {
            self.leave_kept(now, call, false);
        }
        lets_go
    }

    fn leave_kept(&mut self, now: Instant, call: u32, done: bool) {
        self.advance(now);
        let mut held: Held = self.kept.remove(&call).expect("the call is kept");
        held.finishes = done;
        if !self.crew.is_shared() {
            self.busy -= 1;
        }
        self.count_out(&held, now);
        self.fill();
        self.forget();
    }
}
