//! Experiments: arms times replications, run on all cores and folded in a fixed order.

mod delays;
mod design;
mod expect;
mod replicate;
mod shard;
mod sweep;
mod winner;

pub use delays::{DelaySummary, Drawing, QUANTILES, delays};
pub use design::{Design, MOST_POINTS, Values, covers};
pub use expect::{Verdict, judge};
pub use replicate::{ArmResult, Experiment, Options, Results, ServiceResult, WorkloadResult, run, threads};
pub use shard::Shard;
pub use sweep::Sweep;
pub use winner::{Winner, winner};
