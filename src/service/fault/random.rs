//! Random faults: each attempt fails on its own, whatever became of the others.

use std::collections::BTreeMap;

use schemars::{JsonSchema, json_schema};
use serde::Deserialize;
use serde::de::value::{I64Deserializer, StrDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer};

use crate::outcome::Failure;
use crate::units::Probability;

/// Each attempt fails with the same probability, independently of all others: `random = { status = 503, probability = 0.01 }`,
/// or with several outcomes that exclude each other, `random = { statuses = { "500" = 0.01, "503" = 0.02 } }`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(with = "Fields")]
pub struct RandomFault {
    /// What failing attempts come to, and how likely each of it is.
    pub parts: Vec<(Failure, Probability)>,
}

/// The fields as they stand in the file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [json_schema!({ "required": ["status", "probability"] }), json_schema!({ "required": ["statuses"] })]))]
struct Fields {
    /// What failing attempts come to; with `probability`.
    status: Option<Failure>,
    /// How likely an attempt fails; with `status`.
    probability: Option<Probability>,
    /// Several failures that exclude each other, and how likely each is: `{ "500" = 0.01, no_answer = 0.001 }`.
    statuses: Option<BTreeMap<String, Probability>>,
}

impl<'de> Deserialize<'de> for RandomFault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Fields::deserialize(deserializer)? {
            Fields { status: Some(status), probability: Some(probability), statuses: None } => {
                Ok(Self { parts: vec![(status, probability)] })
            }
            Fields { status: None, probability: None, statuses: Some(statuses) } if !statuses.is_empty() => {
                let part = |(name, probability): (&String, &Probability)| Ok((failure(name)?, *probability));
                Ok(Self { parts: statuses.iter().map(part).collect::<Result<_, D::Error>>()? })
            }
            Fields { status: Some(_), probability: None, statuses: None } => {
                Err(D::Error::missing_field("probability"))
            }
            Fields { status: None, probability: Some(_), statuses: None } => {
                Err(D::Error::missing_field("status"))
            }
            _ => Err(D::Error::custom(
                "say how attempts fail: either `status` and `probability`, or `statuses`, such as \
                 `statuses = { \"500\" = 0.01, \"503\" = 0.02 }`",
            )),
        }
    }
}

/// A failure that stands where a name does.
fn failure<E: Error>(name: &str) -> Result<Failure, E> {
    if let Ok(code) = name.parse() {
        let code: I64Deserializer<E> = i64::into_deserializer(code);
        return Failure::deserialize(code);
    }
    let word: StrDeserializer<'_, E> = name.into_deserializer();
    Failure::deserialize(word)
}
