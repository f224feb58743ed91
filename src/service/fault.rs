//! Faults: ways in which a service fails while it is up.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::outcome::{Failure, Outcome, StatusCode};
use crate::random::unit;
use crate::units::{Count, Probability};

/// A way of failing that is always there.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Any attempt may fail, each on its own.
    Random(RandomFault),
    /// The first attempts of every request that reach the service fail, the later ones do not.
    FailsFirst(FailsFirst),
}

/// Each attempt fails with the same probability, independently of all others.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFault {
    /// What a failing attempt comes to: a status code, or a word such as "`connection_error`".
    pub status: Failure,
    /// How likely an attempt fails this way.
    pub probability: Probability,
}

/// The first N attempts of every request fail: `fails_first = 2`, or `fails_first = { attempts = 2, status = 503 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailsFirst {
    /// How many attempts fail.
    pub attempts: u32,
    /// What they are answered; 500 if absent.
    pub status: StatusCode,
}

type Attempts = Count<0, 1_000_000>;

impl<'de> Deserialize<'de> for FailsFirst {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            attempts: Attempts,
            status: Option<StatusCode>,
        }
        struct NumberOrTable;
        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of attempts, or { attempts = 2, status = 503 }")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Fields, E> {
                let attempts = Attempts::deserialize(serde::de::value::I64Deserializer::<E>::new(number))?;
                Ok(Fields { attempts, status: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let fields = deserializer.deserialize_any(NumberOrTable)?;
        let status = fields.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(Self { attempts: fields.attempts.get_u32(), status })
    }
}

impl Fault {
    /// What an attempt comes to that it strikes.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Random(fault) => fault.status.outcome(),
            Self::FailsFirst(fault) => Outcome::Status(fault.status),
        }
    }

    /// How likely this fault strikes at random; 0 for the ones that do not.
    pub fn probability(&self) -> f64 {
        match self {
            Self::Random(fault) => fault.probability.get(),
            Self::FailsFirst(_) => 0.0,
        }
    }
}

/// What the first fault that strikes makes of the `attempt`-th attempt (from 1) at these random bits. Random faults exclude
/// each other: one draw is laid over their probabilities side by side.
pub(super) fn first_to_strike(faults: &[Fault], attempt: u32, bits: u64) -> Option<Outcome> {
    let luck = unit(bits);
    let mut laid = 0.0;
    for fault in faults {
        match fault {
            Fault::FailsFirst(fault) if attempt <= fault.attempts => {
                return Some(Outcome::Status(fault.status));
            }
            Fault::FailsFirst(_) => {}
            Fault::Random(fault) => {
                laid += fault.probability.get();
                if luck < laid {
                    return Some(fault.status.outcome());
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<Fault> {
        #[derive(Deserialize)]
        struct Wrapper {
            faults: Vec<Fault>,
        }
        toml::from_str::<Wrapper>(text).unwrap().faults
    }

    fn bits(probability: f64) -> u64 {
        ((probability * (1u64 << 53) as f64) as u64) << 11
    }

    #[test]
    fn random_faults_share_one_draw() {
        let faults = faults(
            "[[faults]]\nrandom = { status = 500, probability = 0.1 }\n[[faults]]\nrandom = { status = 503, probability = 0.2 }",
        );
        for (luck, status) in
            [(0.0, Some(500)), (0.0999, Some(500)), (0.101, Some(503)), (0.2999, Some(503)), (0.301, None)]
        {
            assert_eq!(
                first_to_strike(&faults, 1, bits(luck)).map(|o| o.to_string()),
                status.map(|s: u16| s.to_string()),
                "{luck}"
            );
        }
    }

    #[test]
    fn the_first_attempts_fail_and_the_next_one_does_not() {
        for text in [
            "fails_first = 2",
            "fails_first = { attempts = 2, status = 500 }",
            "fails_first = { attempts = 2 }",
        ] {
            let faults = faults(&format!("[[faults]]\n{text}"));
            let strikes: Vec<_> = (1..=4)
                .map(|attempt| first_to_strike(&faults, attempt, bits(0.5)).map(|o| o.to_string()))
                .collect();
            assert_eq!(strikes, [Some("500".to_owned()), Some("500".to_owned()), None, None], "{text}");
        }
    }
}
