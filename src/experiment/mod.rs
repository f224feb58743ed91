//! Experiments: arms times replications, run on all cores and folded in a fixed order.

mod delays;
mod expect;
mod observe;
mod replicate;
pub mod tune;
mod winner;

pub use delays::{DelaySummary, Drawing, QUANTILES, delays};
pub use expect::{Verdict, judge};
pub use observe::Row;
pub use replicate::{ArmResult, Experiment, Options, Results, ServiceResult, WorkloadResult, run, threads};
pub use winner::{Winner, winner};
