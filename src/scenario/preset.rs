//! Presets: library policies and breakers as data, in the grammar that users write.
//!
//! A preset is a TOML fragment with parameters under the library's own names. `use = "prefect@3"` puts the fragment where
//! the user wrote it: first the parameters are filled in, then the user's own fields of the grammar replace the preset's.
//! A field whose parameter was not given, and has no default, is left out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::document::{Document, Value, entry};
use crate::error::suggestion;
use crate::time::Interval;

/// Every preset, compiled in: the binary stands alone.
const TEXTS: &[&str] = &[
    include_str!("../../presets/aiobreaker-1.toml"),
    include_str!("../../presets/circuitbreaker-2.toml"),
    include_str!("../../presets/cockatiel-3-consecutive.toml"),
    include_str!("../../presets/cockatiel-3-count.toml"),
    include_str!("../../presets/cockatiel-3-sampling.toml"),
    include_str!("../../presets/envoy-1-outlier-detection.toml"),
    include_str!("../../presets/failsafe-3-breaker-time.toml"),
    include_str!("../../presets/failsafe-3-breaker.toml"),
    include_str!("../../presets/failsafe-rs-1-consecutive.toml"),
    include_str!("../../presets/failsafe-rs-1-success-rate.toml"),
    include_str!("../../presets/failsafe-rs-1.toml"),
    include_str!("../../presets/gobreaker-2.toml"),
    include_str!("../../presets/guide-breaker.toml"),
    include_str!("../../presets/guide-exponential-jitter.toml"),
    include_str!("../../presets/hystrix-1.toml"),
    include_str!("../../presets/opossum-9.toml"),
    include_str!("../../presets/polly-8-breaker.toml"),
    include_str!("../../presets/prefect-3-exponential-backoff.toml"),
    include_str!("../../presets/prefect-3.toml"),
    include_str!("../../presets/purgatory-3.toml"),
    include_str!("../../presets/pybreaker-1.toml"),
    include_str!("../../presets/recloser-1.toml"),
    include_str!("../../presets/resilience4j-2-count-based.toml"),
    include_str!("../../presets/resilience4j-2-time-based.toml"),
    include_str!("../../presets/textbook-breaker.toml"),
];

/// A preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its id, such as `prefect@3`.
    pub id: String,
    /// The library, and the part of it.
    pub library: String,
    /// The version that was read or run.
    pub version: String,
    /// Where its semantics come from.
    pub source: String,
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
    #[serde(skip)]
    text: &'static str,
}

/// A parameter of a preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it means.
    pub about: String,
    /// How its values are written.
    pub unit: Unit,
    /// Its value when it is not given; the library does without it if there is none.
    pub default: Option<toml::Value>,
}

/// How the values of a parameter are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// As the grammar's field expects.
    Plain,
    /// A number of seconds, or a list of them.
    Seconds,
    /// A number of milliseconds, or a list of them.
    Milliseconds,
}

/// What a preset composes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A retry policy.
    Policy,
    /// A circuit breaker.
    Breaker,
}

impl Kind {
    /// The kind's name, which is also the name of the table in the preset.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Breaker => "breaker",
        }
    }
}

impl Preset {
    /// All presets, by id.
    pub fn all() -> Vec<Self> {
        let mut presets: Vec<Self> = TEXTS.iter().map(|text| Self::parse(text)).collect();
        presets.sort_by(|a, b| a.id.cmp(&b.id));
        presets
    }

    fn parse(text: &'static str) -> Self {
        let preset: Self =
            toml::from_str(text).unwrap_or_else(|error| panic!("a preset is not valid: {error}\n{text}"));
        Self { text, ..preset }
    }

    /// Whether it composes a policy or a breaker.
    pub fn kind(&self) -> Kind {
        if self.policy.is_some() { Kind::Policy } else { Kind::Breaker }
    }

    /// The composition as TOML, with `$name` where a parameter goes.
    pub fn composition(&self) -> String {
        let table = self.policy.as_ref().or(self.breaker.as_ref());
        table.map(|table| toml::to_string(table).expect("a table prints as TOML")).unwrap_or_default()
    }

    /// The composition as the document's kind of table.
    fn template(&self) -> DeTable<'static> {
        let table = self.part(&[self.kind().name()]).and_then(|value| value.into_inner().as_table().cloned());
        table.expect("a preset composes something")
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

/// A part after its `use` has been replaced.
pub(super) struct Expanded<'s> {
    /// What there is to read.
    pub(super) value: Value<'s>,
    /// The parameters of the preset, which the user could have given besides the fields of the grammar.
    pub(super) parameters: Vec<String>,
}

impl<'s> Expanded<'s> {
    /// A part without `use`.
    pub(super) fn as_written(value: Value<'s>) -> Self {
        Self { value, parameters: Vec::new() }
    }
}

/// Replaces `use = "ID"` in the table at `path` by the preset's composition. Problems go to the document; then there is
/// nothing to go on with.
pub(super) fn expand<'s>(
    document: &mut Document<'s>,
    path: &str,
    kind: Kind,
    mut value: Value<'s>,
) -> Option<Expanded<'s>> {
    let span = value.span();
    let DeValue::Table(table) = value.get_mut() else { return Some(Expanded::as_written(value)) };
    let Some((_, used)) = table.remove_entry("use") else { return Some(Expanded::as_written(value)) };
    let presets = Preset::all();
    let of_kind = presets.iter().filter(|preset| preset.kind() == kind);
    let id = used.get_ref().as_str().unwrap_or_default();
    let Some(preset) = of_kind.clone().find(|preset| preset.id == id) else {
        let help = suggestion(id, of_kind.map(|preset| preset.id.as_str()));
        let message = format!("there is no {} preset \"{id}\" (`retrysim presets` lists them)", kind.name());
        document.problem(&format!("{path}.use"), message, help);
        return None;
    };
    let given = parameters(document, path, preset, table)?;
    let mut template = preset.template();
    fill(&mut template, &given);
    for (key, own) in std::mem::take(table) {
        template.insert(key, own);
    }
    let parameters = preset.parameters.keys().cloned().collect();
    Some(Expanded { value: Spanned::new(span, DeValue::Table(template)), parameters })
}

/// Takes the preset's parameters out of the user's table, with their defaults where they are not given.
fn parameters<'s, 'p>(
    document: &mut Document<'s>,
    path: &str,
    preset: &'p Preset,
    table: &mut DeTable<'s>,
) -> Option<BTreeMap<&'p str, Value<'s>>> {
    let mut given = BTreeMap::new();
    let mut sound = true;
    for (name, parameter) in &preset.parameters {
        let value =
            table.remove_entry(name.as_str()).map(|(_, value)| value).or_else(|| preset.default_of(name));
        let Some(value) = value else { continue };
        let converted = match parameter.unit {
            Unit::Plain => Ok(value),
            Unit::Seconds => time(value, "seconds", 1e9),
            Unit::Milliseconds => time(value, "milliseconds", 1e6),
        };
        match converted {
            Ok(value) => drop(given.insert(name.as_str(), value)),
            Err(message) => {
                document.problem(&format!("{path}.{name}"), message, None);
                sound = false;
            }
        }
    }
    sound.then_some(given)
}

/// Puts the parameters into the template; fields whose parameter was not given are left out.
fn fill<'s>(table: &mut DeTable<'s>, given: &BTreeMap<&str, Value<'s>>) {
    let mut filled = DeTable::new();
    for (key, mut value) in std::mem::take(table) {
        if let DeValue::Table(inner) = value.get_mut() {
            fill(inner, given);
            if inner.is_empty() {
                continue;
            }
        } else if let DeValue::Array(items) = value.get_mut() {
            for item in items.iter_mut() {
                if let DeValue::Table(inner) = item.get_mut() {
                    fill(inner, given);
                }
            }
        }
        let parameter = value.get_ref().as_str().and_then(|text| text.strip_prefix('$'));
        match parameter.map(|name| given.get(name)) {
            Some(Some(given)) => drop(filled.insert(key, given.clone())),
            Some(None) => {}
            None => drop(filled.insert(key, value)),
        }
    }
    *table = filled;
}

/// A number of `unit`s, of so many nanoseconds each, as the grammar's durations.
fn time<'s>(value: Value<'s>, unit: &str, nanos: f64) -> Result<Value<'s>, String> {
    let span = value.span();
    let expected = format!("write a number of {unit}, or a list of them");
    let number = |text: &str| match text.replace('_', "").parse::<f64>() {
        Ok(number) if (0.0..=Interval::MAX.as_secs_f64() * 1e9 / nanos).contains(&number) => {
            let nanos = Interval::from_nanos_f64(number * nanos).as_nanos();
            Ok(DeValue::String(Cow::Owned(format!("{nanos}ns"))))
        }
        _ => {
            let most = Interval::MAX.as_secs_f64() * 1e9 / nanos;
            Err(format!("{text} is not a time: {expected} from 0 to {most}"))
        }
    };
    let converted = match value.into_inner() {
        DeValue::Integer(integer) => number(integer.as_str())?,
        DeValue::Float(float) => number(float.as_str())?,
        DeValue::Array(items) => {
            let mut array = DeArray::new();
            for item in items {
                array.push(time(item, unit, nanos)?);
            }
            DeValue::Array(array)
        }
        other => return Err(format!("this is a {}, not a time: {expected}", other.type_str())),
    };
    Ok(Spanned::new(span, converted))
}
