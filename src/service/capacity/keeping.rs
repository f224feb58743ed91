//! Servers that wait: a service that asks others for the sake of a call keeps a server busy until they have answered.

use super::station::Station;
use crate::time::Instant;

impl Station {
    /// With `keeps`, each server that has done its work on a call stays busy until it is released.
    pub const fn keeping_servers(mut self, keeps: bool) -> Self {
        self.keeps = keeps;
        self
    }

    /// A server that was kept is free from `now` on.
    ///
    /// # Panics
    /// If none is kept.
    pub fn release(&mut self, now: Instant) {
        self.advance(now);
        self.kept = self.kept.checked_sub(1).expect("a server is kept");
        self.busy -= 1;
        self.fill();
        self.forget();
    }
}
