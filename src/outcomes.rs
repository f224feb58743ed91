//! Sets of outcomes: what a policy retries and what a breaker counts are both said by listing outcomes.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::outcome::{NamedError, Outcome, StatusCode, named_error};
use crate::schema::Either;

/// A set of outcomes, as written in a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcomes {
    /// Status 429, 500, 502, 503 and 504, timeouts, connection errors, and refusals of an open breaker.
    #[default]
    Transient,
    /// Every failure, whatever it is (what raising inside a Prefect task does).
    AnyFailure,
    /// Exactly what is listed.
    Only(Only),
}

/// A list of outcomes; what is absent is not in the set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an outcome that is listed or not")]
pub struct Only {
    /// Status codes, and errors that a body names.
    #[serde(default)]
    pub status: Statuses,
    /// Status codes that are not in the set although `status` lists their class.
    #[serde(default)]
    pub except: Statuses,
    /// Status codes that are in the set if the answer carries a Retry-After header.
    #[serde(default)]
    pub status_with_retry_after: Statuses,
    /// Timeouts of the client, which are all that it sees of `"no_answer"`.
    #[serde(default)]
    pub timeout: bool,
    /// Connections that could not be made or broke.
    #[serde(default)]
    pub connection_error: bool,
    /// Refusals of an open breaker.
    #[serde(default)]
    pub breaker_open: bool,
    /// Refusals of the client's own limiter.
    #[serde(default)]
    pub shed: bool,
}

impl Outcomes {
    /// True if `outcome` is in the set; `header` says whether the answer carried a Retry-After header. A success never is.
    pub fn includes(&self, outcome: Outcome, header: bool) -> bool {
        match (self, outcome) {
            (_, outcome) if outcome.is_success() => false,
            (Self::AnyFailure, _) => true,
            (Self::Transient, Outcome::Status(code)) => matches!(code.get(), 429 | 500 | 502..=504),
            (Self::Transient, outcome) => !matches!(outcome, Outcome::Shed | Outcome::Error(_)),
            (Self::Only(only), Outcome::Status(_) | Outcome::Error(_)) => {
                (only.status.contains(outcome) && !only.except.contains(outcome))
                    || (header && only.status_with_retry_after.contains(outcome))
            }
            (Self::Only(only), Outcome::Timeout) => only.timeout,
            (Self::Only(only), Outcome::ConnectionError) => only.connection_error,
            (Self::Only(only), Outcome::BreakerOpen) => only.breaker_open,
            (Self::Only(only), Outcome::Shed) => only.shed,
        }
    }
}

impl Outcomes {
    /// True if it lists an error that a body names: only who reads bodies can tell it.
    pub fn names_errors(&self) -> bool {
        match self {
            Self::Only(only) => only.status.names_errors() || only.status_with_retry_after.names_errors(),
            Self::Transient | Self::AnyFailure => false,
        }
    }
}

/// Status codes, one by one (`503`) or by class (`"5xx"`), and errors that a body names (`"error_606"`).
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema)]
#[schemars(with = "Vec<Either<StatusCode, Either<Class, NamedError>>>")]
pub struct Statuses(Vec<Listed>);

/// The status codes of one hundred.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", inline, extend("pattern" = "^[1-5]xx$"))]
struct Class;

/// What a list of statuses may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    Code(StatusCode),
    /// The hundreds.
    Class(u16),
    Error(u32),
}

impl Statuses {
    /// True if the status, its class, or the error in the body is listed; other outcomes never are.
    pub fn contains(&self, outcome: Outcome) -> bool {
        self.0.iter().any(|&listed| match (listed, outcome) {
            (Listed::Code(listed), Outcome::Status(code)) => listed == code,
            (Listed::Class(class), Outcome::Status(code)) => class == code.get() / 100,
            (Listed::Error(listed), Outcome::Error(code)) => listed == code,
            _ => false,
        })
    }

    /// True if an error that a body names is listed.
    pub fn names_errors(&self) -> bool {
        self.0.iter().any(|listed| matches!(listed, Listed::Error(_)))
    }

    /// The codes, classes and errors as they are written, in this order.
    pub fn listed(&self) -> Vec<String> {
        let mut sorted = self.0.clone();
        sorted.sort_by_key(|listed| match listed {
            Listed::Code(_) => 0,
            Listed::Class(_) => 1,
            Listed::Error(_) => 2,
        });
        let shown = sorted.into_iter().map(|listed| match listed {
            Listed::Code(code) => code.get().to_string(),
            Listed::Class(class) => format!("{class}xx"),
            Listed::Error(code) => Outcome::Error(code).to_string(),
        });
        shown.collect()
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Item(Listed);
        impl<'de> Deserialize<'de> for Item {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct CodeOrClass;
                impl Visitor<'_> for CodeOrClass {
                    type Value = Item;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a status code such as 503, a class such as \"5xx\", or an error such as \"error_606\"")
                    }
                    fn visit_i64<E: Error>(self, number: i64) -> Result<Item, E> {
                        StatusCode::deserialize(serde::de::value::I64Deserializer::new(number))
                            .map(|code| Item(Listed::Code(code)))
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<Item, E> {
                        let class = text.strip_suffix("xx").and_then(|class| class.parse().ok());
                        let class = class
                            .filter(|class| (1..=5).contains(class))
                            .map(|class| Item(Listed::Class(class)));
                        class.or_else(|| named_error(text).map(|code| Item(Listed::Error(code)))).ok_or_else(|| {
                            E::custom(format!(
                                "\"{text}\" is no class of status codes: write for example \"5xx\", 503, or \
                                 \"error_606\" for an error that the body names"
                            ))
                        })
                    }
                }
                deserializer.deserialize_any(CodeOrClass)
            }
        }
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Statuses;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of status codes, such as [429, \"5xx\"]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Statuses, A::Error> {
                let items = Vec::<Item>::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(Statuses(items.into_iter().map(|item| item.0).collect()))
            }
        }
        deserializer.deserialize_any(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: i64) -> Outcome {
        Outcome::Status(toml::Value::Integer(code).try_into().unwrap())
    }

    #[test]
    fn transient_is_the_selective_retry_of_the_guide() {
        for code in [429, 500, 502, 503, 504] {
            assert!(Outcomes::Transient.includes(status(code), false), "{code}");
        }
        for code in [200, 204, 400, 401, 403, 404, 501] {
            assert!(!Outcomes::Transient.includes(status(code), true), "{code}");
        }
        for (outcome, retried) in [
            (Outcome::Timeout, true),
            (Outcome::ConnectionError, true),
            (Outcome::BreakerOpen, true),
            (Outcome::Shed, false),
            (Outcome::Error(606), false),
        ] {
            assert_eq!(Outcomes::Transient.includes(outcome, false), retried, "{outcome}");
        }
    }

    #[test]
    fn any_failure_includes_even_what_can_never_work() {
        assert!(Outcomes::AnyFailure.includes(status(400), false));
        assert!(!Outcomes::AnyFailure.includes(status(201), false));
    }

    #[test]
    fn a_list_includes_exactly_what_it_lists() {
        let only: Only = toml::from_str(
            "status = [409, '5xx', 'error_606']\nexcept = [501]\nstatus_with_retry_after = [413, 'error_17']\ntimeout = true\nshed = true",
        )
        .unwrap();
        let set = Outcomes::Only(only);
        for (outcome, header, included) in [
            (status(409), false, true),
            (status(503), false, true),
            (status(501), false, false),
            (status(400), true, false),
            (status(413), false, false),
            (status(413), true, true),
            (Outcome::Error(606), false, true),
            (Outcome::Error(607), true, false),
            (Outcome::Error(17), false, false),
            (Outcome::Error(17), true, true),
            (Outcome::Timeout, false, true),
            (Outcome::ConnectionError, false, false),
            (Outcome::BreakerOpen, false, false),
            (Outcome::Shed, false, true),
        ] {
            assert_eq!(set.includes(outcome, header), included, "{outcome}, header {header}");
        }
    }

    #[test]
    fn a_bad_status_says_what_to_write() {
        for text in
            ["status = ['6xx']", "status = ['error_x']", "status = ['soon']", "status = [99]", "status = 503"]
        {
            let message = toml::from_str::<Only>(text).expect_err(text).to_string();
            assert!(message.contains("5xx") || message.contains("from 100 to 599"), "{text}: {message}");
        }
    }
}
