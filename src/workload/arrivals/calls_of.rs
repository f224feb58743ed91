//! Arrivals that a service causes: what it asks of another one for each of its own calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outcome::StatusCode;
use crate::units::Count;

/// What a service asks of another one for each of its own calls, once its own work on it is done. It answers when all that it
/// has asked for has ended; several workloads of one service follow each other, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallsOf {
    /// Name of the service that calls.
    pub service: String,
    /// How many requests at once for each of its calls; 1 if absent.
    #[serde(default = "one")]
    pub fan_out: Count<1, 1000>,
    /// Whether the deadline of the call ends what is asked for its sake.
    #[serde(default)]
    pub deadline: CallDeadline,
    /// What the service answers if a request fails; 502 if absent.
    #[serde(default = "bad_gateway")]
    pub status: StatusCode,
}

const fn one() -> Count<1, 1000> {
    Count::of(1)
}

const fn bad_gateway() -> StatusCode {
    StatusCode::of(502)
}

/// Whether what is done for a call knows until when its client waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallDeadline {
    /// It does not: it goes on after the client has given up.
    #[default]
    Unknown,
    /// It does: no attempt begins or lasts longer than the client waits, nor is one sent that has waited for a slot or a limiter until
    /// then.
    Propagated,
}

impl CallsOf {
    pub(super) fn problem(&self) -> Option<String> {
        self.status.is_success().then(|| {
            format!("status {} is a success, not a failure: write for example 502", self.status.get())
        })
    }
}
