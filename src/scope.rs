//! Who shares one piece of state on the clients' side: a budget, a limiter, a breaker.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who shares one state. The narrower the scope, the less each state sees: a budget per client hardly ever denies anything
/// if a client makes three requests a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Nobody: each client of the workload has its own, as each process has in production.
    Client,
    /// All clients of the workload: one process with many workers, or a proxy in front of them.
    #[default]
    Workload,
    /// All workloads that use the same policy: a proxy in front of everything.
    Global,
}
