//! The lanes of breakers: how many are open or half-open, as their callers find them.
//!
//! Of the spells that come and go by themselves between two calls, which nobody sees, only the first is noted.

use crate::breaker::{Spell, State};
use crate::time::Instant;
use crate::usage::BreakerLanes;

/// Notes what lies behind a breaker that was in one spell and is in another.
#[inline]
pub(super) fn note(lanes: &mut BreakerLanes, before: Spell, after: Spell) {
    if !before.is(after) {
        note_until(lanes, before, after.since);
    }
}

/// Notes a spell, and what follows it by itself, up to an instant.
pub(super) fn note_until(lanes: &mut BreakerLanes, spell: Spell, until: Instant) {
    let over = spell.until.min(until);
    match spell.state() {
        State::Closed => {}
        State::Open => {
            lanes.open.add(spell.since, over, 1);
            if spell.half_open_next {
                lanes.half_open.add(over, until, 1);
            }
        }
        State::HalfOpen => lanes.half_open.add(spell.since, over, 1),
    }
}
