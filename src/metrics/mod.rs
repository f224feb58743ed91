//! Metrics: what is counted while a run goes on, and what is computed from it afterwards.
//!
//! Everything counted is an integer, so the order of counting cannot matter and results of any number of threads add up
//! to the same bytes. Nothing here grows with the number of requests.

pub mod conservation;
mod histogram;
mod measure;
mod recovery;
mod ruler;
mod sliding;
mod tally;
mod time_series;

pub use histogram::{Histogram, Outline};
pub use measure::{Better, Centre, Frame, Measure, SERVICE_MEASURES, Sense, WORKLOAD_MEASURES};
pub use recovery::{Goodput, Recovery, Summed};
pub use sliding::{Dispersion, SlidingCount};
pub use tally::{Ended, ServiceTally, WorkloadTally};
pub use time_series::{ATTEMPT_COLUMNS, Column, TimeSeries};
