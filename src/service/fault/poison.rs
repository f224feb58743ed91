//! Poison: inputs that fail however often they are tried.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::outcome::Failure;
use crate::outcome::{Outcome, StatusCode};
use crate::random::{Key, unit};
use crate::units::Share;

/// A share of the inputs always fails: of the keys of a workload that has keys, of the requests of one that has not.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poison {
    /// What attempts with a poisoned input are answered; 400 if absent.
    pub status: Option<Failure>,
    /// The share of the inputs that are poisoned, each drawn on its own: of the `keys` of a workload that has them, of the requests
    /// of one that has not.
    pub share: Share,
}

impl Poison {
    /// What an attempt with a poisoned input comes to.
    pub(super) fn outcome(&self) -> Outcome {
        self.status.map_or(Outcome::Status(StatusCode::of(400)), Failure::outcome)
    }
}

/// Where the draws of inputs begin, above the stays of bursts.
const INPUTS: u64 = 1 << 63;

/// True if the fault at `place` has poisoned `input`.
pub(super) fn is_poisoned(key: Key, place: u64, input: u64, share: f64) -> bool {
    unit(key.block(input, INPUTS | place)[0]) < share
}
