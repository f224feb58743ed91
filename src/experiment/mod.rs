//! Experiments: arms times replications, run on all cores and folded in a fixed order.

mod compare;
mod delays;
mod expect;
mod precise;
mod replicate;
pub mod tipping;
mod winner;

pub use compare::{ALPHA, Contrast, Standing, compare, family, figures, pairs};
pub use delays::{DelaySummary, Drawing, QUANTILES, delays};
pub use expect::{Held, Verdict, held, judge};
pub use precise::{Short, Target, Width, until_precise};
pub use replicate::{ArmResult, Experiment, Options, Results, ServiceResult, WorkloadResult, run, threads};
pub use winner::{Winner, winner};
