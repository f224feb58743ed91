//! Operations: the kinds of request of one workload, and how often each is issued.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::Deserializer;

use crate::distribution::Weight;
use crate::random::unit;

/// Operations by name and weight: `{ read = 9, write = 1 }`. They are kept in the order of their names, so that the order of the
/// file does not matter.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(with = "BTreeMap<String, Weight>")]
pub struct Operations {
    names: Vec<String>,
    weights: Vec<f64>,
}

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let by_name = BTreeMap::<String, Weight>::deserialize(deserializer)?;
        let (names, weights) = by_name.into_iter().map(|(name, weight)| (name, weight.get())).unzip();
        Ok(Self { names, weights })
    }
}

impl Operations {
    /// What is wrong with them, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        if self.weights.iter().all(|&weight| weight == 0.0) {
            return Some(
                "no operation has a weight above 0: write for example { read = 9, write = 1 }".into(),
            );
        }
        (self.names.len() > 1000)
            .then(|| format!("there are {} operations, the limit is 1000: group them", self.names.len()))
    }

    /// Their names, sorted.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The weights of the first, the first two, ... of them, as shares of all.
    pub(super) fn cumulative_shares(&self) -> Vec<f64> {
        let total: f64 = self.weights.iter().sum();
        let mut sum = 0.0;
        let shares = self.weights.iter().map(|weight| {
            sum += weight;
            sum / total
        });
        shares.collect()
    }
}

/// The operation that these random bits choose, given [`Operations::cumulative_shares`].
pub(super) fn choose(shares: &[f64], bits: u64) -> usize {
    let luck = unit(bits);
    shares.partition_point(|&share| share <= luck).min(shares.len().saturating_sub(1))
}
