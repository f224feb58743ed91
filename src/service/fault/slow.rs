//! Slow attempts: a tail that the usual latency does not have.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::distribution::Distribution;
use crate::units::Probability;

/// Some attempts take another time than the others. It does not make them fail.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// How likely an attempt is slow.
    pub probability: Probability,
    /// How long it takes then, in place of the latency of the service. It does not make the attempt fail.
    pub latency: Distribution,
}
