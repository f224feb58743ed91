//! `retrysim`: what will this retry policy do to my success rate, and to the service it calls?
//!
//! A scenario describes services (rate limits, faults, outages), workloads (clients and when their requests arrive) and
//! the retry policies to compare. A deterministic discrete-event simulation replays them on a virtual clock, and the
//! answer comes as a table, CSV files and charts that anyone can reproduce byte for byte.
//!
//! # The route of a scenario
//! file -> [`scenario`] (checked, typed) -> [`experiment`] (arms times replications, on all cores) -> [`simulation`] (one
//! replication; the parts [`policy`], [`breaker`], [`service`], [`workload`] decide) -> [`metrics`] (integer counts) ->
//! [`statistics`] (intervals) -> [`report`] (CSV, and charts of the same rows).
//!
//! # Words
//! A *request* is one unit of work a client wants done, an *attempt* one try at it, a *retry* an attempt after the first:
//! `retries = 3` means at most 4 attempts. A *policy* decides after every *outcome*: retry after a delay, or give up. An
//! *arm* is one assignment of policies to workloads, the thing compared; a *replication* one seeded run of one arm.
//!
//! # Promises
//! The same scenario, seed and results version give the same bytes for any number of threads. Time is an integer, the
//! order of events is total ([`simulation`]), draws are addressed and not consumed ([`random`]), and nothing that reaches
//! a result uses the platform's floating-point functions, a hash map's order or the wall clock. Once a [`scenario`] has
//! been read, only the disk can fail.
//!
//! # Example
//! ```
//! use retrysim::experiment::{Options, run};
//! use retrysim::scenario::Scenario;
//!
//! let text = r#"
//!     horizon = "10m"
//!     replications = 4
//!     [services.api]
//!     faults = [{ random = { status = 503, probability = 0.5 } }]
//!     [workloads.calls]
//!     service = "api"
//!     arrivals.poisson = { rate = "10/s" }
//!     [policies.three-retries]
//!     retries = 3
//!     backoff.fixed = "1s"
//! "#;
//! let scenario = Scenario::parse("example", "example.toml", text, &[])?;
//! let results = run(&scenario, Options::default(), &|| ());
//! let success = results.arms[0].workloads[0].named("success_rate").unwrap();
//! assert!((success.mean - (1.0 - 0.5f64 * 0.5 * 0.5 * 0.5)).abs() < 0.01);
//! # Ok::<(), retrysim::error::Error>(())
//! ```

pub mod breaker;
pub mod budget;
pub mod cli;
pub mod distribution;
pub mod error;
pub mod event_queue;
pub mod experiment;
pub mod export;
pub mod import;
pub mod limiter;
pub mod metrics;
pub mod outcome;
pub mod outcomes;
pub mod policy;
mod quantity;
pub mod random;
pub mod range;
pub mod report;
pub mod scenario;
pub mod schedule;
mod schema;
pub mod scope;
pub mod service;
pub mod simulation;
pub mod statistics;
pub mod table;
pub mod time;
pub mod units;
pub mod usage;
pub mod verdict;
pub mod workload;
