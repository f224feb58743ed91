//! Experiments: arms times replications, run on all cores and folded in a fixed order.

mod compare;
mod delays;
mod design;
mod evidence;
mod expect;
mod hand_out;
mod observe;
mod pooled;
mod precise;
mod replicate;
mod shard;
mod simulate;
mod stopping;
mod sweep;
pub mod tipping;
pub mod tune;
mod winner;

pub use compare::{ALPHA, Contrast, Standing, compare, family, figures, pairs};
pub use delays::{DelaySummary, Drawing, QUANTILES, delays};
pub use design::{Design, MOST_POINTS, Values, covers};
pub use evidence::Evidence;
pub use expect::{Held, Verdict, judge};
pub use observe::Row;
pub use precise::{Precise, Remark, Target, until_precise};
pub use replicate::{ArmResult, Experiment, Options, Results, ServiceResult, WorkloadResult, run, threads};
pub use shard::Shard;
pub use simulate::{Impossible, conserved};
pub use stopping::{ALIKE, FIRST, Lack, Reached, Width, look, next};
pub use sweep::Sweep;
pub use winner::{Winner, winner};
