//! Presets: the policies and breakers of libraries, and real services, as data in the grammar that users write.
//!
//! A preset is a TOML fragment with parameters under the library's own names. `use = "prefect@3"` puts the fragment where
//! the user wrote it: first the parameters are filled in, then the user's own fields of the grammar replace the preset's.
//! A field whose parameter was not given, and has no default, is left out.

mod expand;
mod expression;
mod value;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Value, entry};
pub(super) use expand::{Expanded, expand};
pub(super) use value::{UNLIMITED, unlimited};

/// Every preset, compiled in: the binary stands alone. `build.rs` lists the files.
const TEXTS: &[&str] = include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// A preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its id, such as `prefect@3`.
    pub id: String,
    /// The library or the service, and the part of it.
    pub library: String,
    /// The version that was read or run; of a service, the day of which its figures are.
    pub version: String,
    /// Where its semantics come from.
    pub source: String,
    /// How sure the figures of a service are, in words.
    pub confidence: Option<String>,
    /// What it does, in one line.
    pub summary: String,
    /// What surprises people.
    #[serde(default)]
    pub surprises: Vec<String>,
    /// Parameters by the library's own names.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// The composition of a policy, with `$name` where a parameter goes.
    policy: Option<toml::Table>,
    /// The composition of a breaker, with `$name` where a parameter goes.
    breaker: Option<toml::Table>,
    /// The composition of a service, with `$name` where a parameter goes.
    service: Option<toml::Table>,
    #[serde(skip)]
    text: &'static str,
}

/// A parameter of a preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it means.
    pub about: String,
    /// How its values are written; as the grammar's field expects if absent.
    #[serde(default)]
    pub unit: Unit,
    /// Its value when it is not given; the library does without it if there is none.
    pub default: Option<toml::Value>,
    /// The values that it can have, and which fields each adds to the composition; any value if absent.
    #[serde(default)]
    pub values: BTreeMap<String, toml::Table>,
    /// Fields that the composition has only if this parameter has a value, such as a deadline with its boundary.
    #[serde(default)]
    pub adds: toml::Table,
}

/// How the values of a parameter are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// As the grammar's field expects.
    #[default]
    Plain,
    /// A number of seconds, or a list of them; `inf` is no limit.
    Seconds,
    /// A number of milliseconds, or a list of them; `inf` is no limit.
    Milliseconds,
    /// A number of minutes, or a list of them; `inf` is no limit.
    Minutes,
}

impl Unit {
    /// Its name, and how long one is in nanoseconds; nothing if values have no unit.
    pub const fn time(self) -> Option<(&'static str, f64)> {
        match self {
            Self::Plain => None,
            Self::Seconds => Some(("seconds", 1e9)),
            Self::Milliseconds => Some(("milliseconds", 1e6)),
            Self::Minutes => Some(("minutes", 60e9)),
        }
    }
}

/// What a preset composes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A retry policy.
    Policy,
    /// A circuit breaker.
    Breaker,
    /// A service.
    Service,
}

impl Kind {
    /// The kind's name, which is also the name of the table in the preset.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Breaker => "breaker",
            Self::Service => "service",
        }
    }
}

impl Preset {
    /// All presets, by id.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Preset>> = OnceLock::new();
        ALL.get_or_init(|| {
            let mut presets: Vec<Self> = TEXTS.iter().map(|text| Self::parse(text)).collect();
            presets.sort_by(|a, b| a.id.cmp(&b.id));
            presets
        })
    }

    fn parse(text: &'static str) -> Self {
        let preset: Self =
            toml::from_str(text).unwrap_or_else(|error| panic!("a preset is not valid: {error}\n{text}"));
        Self { text, ..preset }
    }

    /// What it composes.
    pub const fn kind(&self) -> Kind {
        match (&self.policy, &self.breaker) {
            (Some(_), _) => Kind::Policy,
            (None, Some(_)) => Kind::Breaker,
            (None, None) => Kind::Service,
        }
    }

    /// The composition as TOML, with `$name` where a parameter goes.
    pub fn composition(&self) -> String {
        let table = self.policy.as_ref().or(self.breaker.as_ref()).or(self.service.as_ref());
        table.map(|table| toml::to_string(table).expect("a table prints as TOML")).unwrap_or_default()
    }

    /// The composition as the document's kind of table.
    fn template(&self) -> DeTable<'static> {
        let table = self.part(&[self.kind().name()]).and_then(|value| value.into_inner().as_table().cloned());
        table.expect("a preset composes something")
    }

    /// Whether the values of a parameter may also be lists: where the composition has a list of delays.
    pub(super) fn takes_list(&self, parameter: &str) -> bool {
        let composition = self.composition();
        ["list", "delays"].iter().any(|field| composition.contains(&format!("{field} = \"${parameter}\"")))
    }

    fn default_of(&self, parameter: &str) -> Option<Value<'static>> {
        self.part(&["parameters", parameter, "default"])
    }

    fn part(&self, path: &[&str]) -> Option<Value<'static>> {
        let root = DeTable::parse(self.text).expect("the preset was parsed before");
        let span = root.span();
        path.iter().try_fold(Spanned::new(span, DeValue::Table(root.into_inner())), |value, part| {
            entry(value.get_ref().as_table()?, part).map(|(_, value)| value.clone())
        })
    }
}
