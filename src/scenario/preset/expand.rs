//! Putting a preset where a scenario says `use`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::expression::{self, evaluate};
use super::{Kind, Parameter, Preset};
use crate::error::suggestion;
use crate::scenario::document::{Document, Value};
use crate::time::Interval;

/// A part after its `use` has been replaced.
pub(in crate::scenario) struct Expanded<'s> {
    /// What there is to read.
    pub(in crate::scenario) value: Value<'s>,
    /// The parameters of the preset, which the user could have given besides the fields of the grammar.
    pub(in crate::scenario) parameters: Vec<String>,
}

impl<'s> Expanded<'s> {
    /// A part without `use`.
    pub(in crate::scenario) fn as_written(value: Value<'s>) -> Self {
        Self { value, parameters: Vec::new() }
    }
}

/// Replaces `use = "ID"` in the table at `path` by the preset's composition. Problems go to the document; then there is
/// nothing to go on with.
pub(in crate::scenario) fn expand<'s>(
    document: &mut Document<'s>,
    path: &str,
    kind: Kind,
    mut value: Value<'s>,
) -> Option<Expanded<'s>> {
    let span = value.span();
    let DeValue::Table(table) = value.get_mut() else { return Some(Expanded::as_written(value)) };
    let Some((_, used)) = table.remove_entry("use") else { return Some(Expanded::as_written(value)) };
    let of_kind = Preset::all().iter().filter(|preset| preset.kind() == kind);
    let id = used.get_ref().as_str().unwrap_or_default();
    let Some(preset) = of_kind.clone().find(|preset| preset.id == id) else {
        let help = suggestion(id, of_kind.map(|preset| preset.id.as_str()));
        let other = Preset::all().iter().find(|preset| preset.id == id).map(|preset| preset.kind().name());
        let message = match other {
            Some(other) => format!("\"{id}\" is a {other} preset, and a {} stands here", kind.name()),
            None => format!("there is no {} preset \"{id}\" (`retrysim presets` lists them)", kind.name()),
        };
        document.problem(&below(path, "use"), message, help);
        return None;
    };
    let given = Given::take(document, path, preset, table)?;
    let mut template = preset.template();
    for (name, parameter) in &preset.parameters {
        let mut add = |path: &[&str]| {
            let fields = preset.part(path).and_then(|fields| fields.into_inner().as_table().cloned());
            merge(&mut template, fields.unwrap_or_default());
        };
        if let Some(chosen) = given.chosen(name, parameter) {
            add(&["parameters", name, "values", &chosen]);
        }
        if given.values.contains_key(name.as_str()) {
            add(&["parameters", name, "adds"]);
        }
    }
    given.fill(&mut template);
    for (key, own) in std::mem::take(table) {
        template.insert(key, own);
    }
    let parameters = preset.parameters.keys().cloned().collect();
    Some(Expanded { value: Spanned::new(span, DeValue::Table(template)), parameters })
}

/// The path of a field.
fn below(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// The parameters of a preset with the values that they have here.
struct Given<'p, 's> {
    /// As the grammar expects them.
    values: BTreeMap<&'p str, Value<'s>>,
    /// As numbers in the library's unit, of those that are numbers.
    numbers: BTreeMap<&'p str, f64>,
}

impl<'p, 's> Given<'p, 's> {
    /// Takes the preset's parameters out of the user's table, with their defaults where they are not given.
    fn take(
        document: &mut Document<'s>,
        path: &str,
        preset: &'p Preset,
        table: &mut DeTable<'s>,
    ) -> Option<Self> {
        let mut given = Self { values: BTreeMap::new(), numbers: BTreeMap::new() };
        let mut sound = true;
        for (name, parameter) in &preset.parameters {
            let own = table.remove_entry(name.as_str()).map(|(_, value)| value);
            let Some(value) = own.or_else(|| preset.default_of(name)) else { continue };
            if parameter.unit.time().is_none() && number(&value).is_some_and(f64::is_nan) {
                let message = "this is not a number: write one, or leave the parameter out";
                document.problem(&below(path, name), message, None);
                sound = false;
                continue;
            }
            given.numbers.extend(number(&value).map(|number| (name.as_str(), number)));
            let converted = match parameter.unit.time() {
                None => known(value, parameter),
                Some((unit, nanos)) => duration(value, unit, nanos),
            };
            match converted {
                Ok(value) => drop(given.values.insert(name, value)),
                Err(message) => {
                    document.problem(&below(path, name), message, None);
                    sound = false;
                }
            }
        }
        sound.then_some(given)
    }

    /// Which of the parameter's values was chosen, if it has a list of them.
    fn chosen(&self, name: &str, parameter: &Parameter) -> Option<String> {
        if parameter.values.is_empty() {
            return None;
        }
        self.values.get(name).map(|value| shown(value.get_ref()))
    }

    /// Puts the parameters into the template; fields whose parameter was not given are left out.
    fn fill(&self, table: &mut DeTable<'s>) {
        let mut filled = DeTable::new();
        for (key, value) in std::mem::take(table) {
            if let Some(value) = self.filled(value) {
                filled.insert(key, value);
            }
        }
        *table = filled;
    }

    fn filled(&self, value: Value<'s>) -> Option<Value<'s>> {
        let span = value.span();
        let filled = match value.into_inner() {
            DeValue::Table(mut inner) => {
                let was_empty = inner.is_empty();
                self.fill(&mut inner);
                if inner.is_empty() && !was_empty {
                    return None;
                }
                DeValue::Table(inner)
            }
            DeValue::Array(items) => {
                let mut array = DeArray::new();
                for item in items {
                    array.push(self.filled(item)?);
                }
                DeValue::Array(array)
            }
            DeValue::String(text) => {
                if let Some(name) = text.strip_prefix('$') {
                    return self.values.get(name).cloned();
                }
                match text.strip_prefix('=') {
                    None => DeValue::String(text),
                    Some(expression) => written(
                        evaluate(expression, &self.numbers)
                            .unwrap_or_else(|message| panic!("a preset is not valid: {message}"))?,
                    ),
                }
            }
            plain => plain,
        };
        Some(Spanned::new(span, filled))
    }
}

/// Lays the fields of one table over those of another.
fn merge<'s>(below: &mut DeTable<'s>, above: DeTable<'s>) {
    for (key, mut value) in above {
        if let DeValue::Table(inner) = value.get_mut()
            && let Some(DeValue::Table(there)) = below.get_mut(&**key.get_ref()).map(Spanned::get_mut)
        {
            merge(there, std::mem::take(inner));
        } else {
            below.insert(key, value);
        }
    }
}

/// A plain value, which must be one of those that the parameter can have.
fn known<'s>(value: Value<'s>, parameter: &Parameter) -> Result<Value<'s>, String> {
    let text = shown(value.get_ref());
    if parameter.values.is_empty() || parameter.values.contains_key(&text) {
        return Ok(value);
    }
    let known: Vec<&str> = parameter.values.keys().map(String::as_str).collect();
    Err(format!("\"{text}\" is not one of its values: {}", known.join(", ")))
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(integer) => integer.as_str().to_owned(),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Boolean(boolean) => boolean.to_string(),
        other => other.type_str().to_owned(),
    }
}

/// A count without end: arithmetic leaves it as it is, so that `"= $max_attempts - 1"` of it is unlimited as well.
const UNLIMITED: &str = "unlimited";

fn number(value: &Value<'_>) -> Option<f64> {
    match value.get_ref() {
        DeValue::String(text) if text == UNLIMITED => Some(f64::INFINITY),
        DeValue::Integer(_) | DeValue::Float(_) => shown(value.get_ref()).replace('_', "").parse().ok(),
        _ => None,
    }
}

/// A computed value as the grammar writes it.
fn written<'s>(value: expression::Value) -> DeValue<'s> {
    match value {
        // Infinity less infinity and the like: the field that it was meant for refuses the word.
        expression::Value::Number(number) if number.is_nan() => {
            DeValue::String(Cow::Borrowed("not a number"))
        }
        // A rate is an exact fraction, and 1000 / 333 per s is none as a decimal: then it is one event in so many ns.
        expression::Value::PerSecond(rate) if libm::trunc(rate) == rate => {
            DeValue::String(Cow::Owned(format!("{rate}/s")))
        }
        expression::Value::PerSecond(rate) => {
            DeValue::String(Cow::Owned(format!("1/{:.0}ns", libm::round(1e9 / rate))))
        }
        expression::Value::Seconds(seconds) => nanos(seconds * 1e9),
        expression::Value::Number(number) if number == f64::INFINITY => {
            DeValue::String(Cow::Borrowed(UNLIMITED))
        }
        expression::Value::Number(number) => {
            let text =
                if libm::trunc(number) == number { format!("{number:.0}") } else { format!("{number}") };
            // The parser's numbers borrow their text. It is a few bytes and as long-lived as the presets themselves.
            let parsed = DeValue::parse(Box::leak(text.into_boxed_str()));
            parsed.expect("a number is valid TOML").into_inner()
        }
    }
}

fn nanos<'s>(nanos: f64) -> DeValue<'s> {
    DeValue::String(Cow::Owned(format!("{}ns", Interval::from_nanos_f64(nanos).as_nanos())))
}

/// A number of some unit of time as the grammar's durations.
fn duration<'s>(value: Value<'s>, unit: &str, length: f64) -> Result<Value<'s>, String> {
    let span = value.span();
    let expected = format!("write a number of {unit}, or a list of them");
    let number = |text: &str| match text.replace('_', "").parse::<f64>() {
        // JavaScript libraries write Infinity where there is no limit; no interval is longer than this one.
        Ok(f64::INFINITY) => Ok(nanos(f64::INFINITY)),
        Ok(number) if (0.0..=Interval::MAX.as_secs_f64()).contains(&(number * length / 1e9)) => {
            Ok(nanos(number * length))
        }
        _ => Err(format!(
            "{text} is not a time: {expected} from 0 to {:.0}",
            Interval::MAX.as_secs_f64() / length * 1e9
        )),
    };
    let converted = match value.into_inner() {
        DeValue::Integer(integer) => number(integer.as_str())?,
        DeValue::Float(float) => number(float.as_str())?,
        DeValue::Array(items) => {
            let mut array = DeArray::new();
            for item in items {
                array.push(duration(item, unit, length)?);
            }
            DeValue::Array(array)
        }
        other => return Err(format!("this is a {}, not a time: {expected}", other.type_str())),
    };
    Ok(Spanned::new(span, converted))
}
