//! `retrysim explain`: the life of one request as a story.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::print;
use crate::error::Error;
use crate::report::{Among, Which, stories};

/// Tell the life of one request that a run has followed: its attempts, with times and reasons.
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("which").required(true).args(["request", "worst"]),
    after_help = "Example: retrysim explain output/circuit-breaker --worst latency\n(after: retrysim run scenarios/circuit-breaker.toml --trace 20)"
)]
pub(super) struct Explain {
    /// The folder of a run that has followed requests (run --trace N).
    #[arg(value_name = "RUN")]
    folder: PathBuf,
    /// The number of the request, as in attempts.csv; its story is told under every arm.
    #[arg(long, value_name = "N")]
    request: Option<u64>,
    /// The request that fared worst, of those that were followed.
    #[arg(long, value_enum, value_name = "BY")]
    worst: Option<Worst>,
    /// Only under this arm.
    #[arg(long, value_name = "NAME")]
    arm: Option<String>,
    /// Only of this workload.
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Worst {
    /// From arrival to its end it took longest.
    Latency,
    /// It made most attempts; of several, the one that took longest.
    Attempts,
}

impl Explain {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let which = match (self.request, self.worst) {
            (Some(number), _) => Which::Numbered(number),
            (None, Some(Worst::Attempts)) => Which::Busiest,
            (None, _) => Which::Slowest,
        };
        let among = Among { arm: self.arm.as_deref(), workload: self.workload.as_deref() };
        print(&stories(&self.folder, which, among)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
