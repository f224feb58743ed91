//! wip
pub mod breaker;
pub mod distribution;
pub mod error;
pub mod event_queue;
pub mod metrics;
pub mod outcome;
pub mod policy;
pub mod random;
pub mod scenario;
pub mod service;
pub mod simulation;
pub mod statistics;
pub mod time;
pub mod units;
pub mod workload;
