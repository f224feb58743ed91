//! Scopes: who shares one breaker, one budget, one limiter, one set of slots.

use serde::Deserialize;

/// Who shares one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All clients of the workload.
    #[default]
    Workload,
    /// Nobody: each client has its own.
    Client,
    /// All clients of all workloads that use the policy.
    Global,
}
