//! The capacity of a service: its servers, who waits for them, in which order, and who is turned away.
//!
//! A *call* is an attempt that has come in. It finds a server free and is worked on, or waits, or is turned away; its
//! *work* is its service time, drawn before. Two parts answer the same question and agree where both can:
//!
//! - [`Servers`] says at its arrival when a call will begin and end. Nothing that comes later can change that in the order
//!   of arrival with a constant number of servers.
//! - [`Station`] says it as time goes on: for every other discipline, and when the number of servers changes.
//!
//! Neither has a clock: who calls them brings the instant, and time never goes back.
//!
//! # One instant
//! What ends comes before what begins. At one instant calls end first, in the order in which they arrived; then new servers
//! come; then free servers take from the queue, one call after the other; then those leave the queue whose clients stop
//! waiting; then the autoscaler judges; then calls arrive. So who would begin at the very instant at which its client stops
//! waiting begins, and who would end at it is served.

mod autoscale;
mod away;
mod call;
mod codel;
mod config;
mod crew;

mod happening;
mod keeping;
mod line;
mod servers;
mod sharing;
mod shedding;
mod station;
#[cfg(test)]
mod tests;
mod watching;

pub use autoscale::AutoscaleConfig;
pub use away::Away;
pub use call::{Job, Offer};
pub use codel::CodelConfig;
pub use config::{Abandoned, AdaptiveLifo, CapacityConfig, Discipline, Priority};
pub use servers::{Served, Servers};
pub use shedding::{GradientConfig, SheddingConfig};
pub use station::Station;

use crate::time::{Instant, Interval};

/// A call was turned away: every place was taken, or it was shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// What one is in billionths, the grain of shares in exact arithmetic.
const ONE: u128 = 1_000_000_000;

/// `share` in billionths, to the nearest.
fn billionths(share: f64) -> u128 {
    // `as` saturates and sends NaN to 0.
    libm::round(share * ONE as f64) as u128
}

/// `work` when `in_service` calls share the machine, that one included: work times
/// 1 + slowdown times calls, with `slowdown` in billionths, to the nearest nanosecond and cut at [`Interval::MAX`].
fn slowed(work: Interval, slowdown: u128, in_service: u64) -> Interval {
    let more = u128::from(work.as_nanos()).saturating_mul(slowdown * u128::from(in_service));
    let more = more.saturating_add(ONE / 2) / ONE;
    work + Interval::from_nanos(u64::try_from(more).unwrap_or(u64::MAX))
}

/// `interval` after `instant`, or the end of the clock: an overloaded queue may promise that.
fn after(instant: Instant, interval: Interval) -> Instant {
    Instant::from_nanos(instant.as_nanos().saturating_add(interval.as_nanos()))
}
