//! Putting a preset where a scenario says `use`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::expression::evaluate;
use super::value::{UNLIMITED, converted, shown, unlimited, written};
use super::{Kind, Parameter, Preset};
use crate::error::{nearest, suggestion};
use crate::scenario::document::{Document, Parameters, Value};

/// A part after its `use` has been replaced.
pub(in crate::scenario) struct Expanded<'s> {
    /// What there is to read.
    pub(in crate::scenario) value: Value<'s>,
    /// The parameters of the presets, which the user could have given besides the fields of the grammar.
    pub(in crate::scenario) parameters: Vec<Parameters>,
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
        let help = alike(id, of_kind.map(|preset| preset.id.as_str()));
        let other = Preset::all().iter().find(|preset| preset.id == id).map(|preset| preset.kind().name());
        let message = match other {
            Some(other) => format!("\"{id}\" is a {other} preset, and a {} stands here", kind.name()),
            None if used.get_ref().as_str().is_none() => {
                format!(
                    "{} is no id of a preset: write it as text, such as \"prefect@3\"",
                    shown(used.get_ref())
                )
            }
            None => format!("there is no {} preset \"{id}\" (`retrysim presets` lists them)", kind.name()),
        };
        document.problem(&below(path, "use"), message, help);
        return None;
    };
    let given = Given::take(document, path, preset, table)?;
    // What the preset says stands nowhere in the file: the place to point at is the `use`.
    let home = used.span();
    let mut template = moved(preset.template(), &home);
    for (name, parameter) in &preset.parameters {
        let mut add = |path: &[&str]| {
            let fields = preset.part(path).and_then(|fields| fields.into_inner().as_table().cloned());
            merge(&mut template, moved(fields.unwrap_or_default(), &home));
        };
        if let Some(chosen) = given.chosen(name, parameter) {
            add(&["parameters", name, "values", &chosen]);
        }
        if given.values.contains_key(name.as_str()) {
            add(&["parameters", name, "adds"]);
        }
    }
    let mut computed = Vec::new();
    given.fill(&mut template, &mut computed);
    for (key, own) in std::mem::take(table) {
        template.insert(key, own);
    }
    let names = preset.parameters.keys().cloned().collect();
    let parameters = vec![Parameters { path: path.to_owned(), names, computed }];
    Some(Expanded { value: Spanned::new(span, DeValue::Table(template)), parameters })
}

/// "did you mean", or what begins alike; nothing where nothing is alike.
fn alike<'a>(unknown: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let alike: Vec<&str> = known
        .clone()
        .filter(|id| !unknown.is_empty() && id.split(['@', ':']).next() == Some(unknown))
        .collect();
    if !alike.is_empty() {
        return Some(format!("known are: {}", alike.join(", ")));
    }
    let begins: String = unknown.chars().take_while(|c| c.is_alphanumeric()).collect();
    let near = nearest(unknown, known.clone()).is_some();
    let any = !begins.is_empty() && known.clone().any(|id| id.starts_with(&begins));
    (near || any).then(|| suggestion(unknown, known))
}

/// The same table, all of it standing at one place.
fn moved<'s>(table: DeTable<'s>, place: &Range<usize>) -> DeTable<'s> {
    let entry = |(key, value): (Spanned<Cow<'s, str>>, Value<'s>)| {
        (Spanned::new(place.clone(), key.into_inner()), moved_value(value, place))
    };
    table.into_iter().map(entry).collect()
}

fn moved_value<'s>(value: Value<'s>, place: &Range<usize>) -> Value<'s> {
    let inner = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved(table, place)),
        DeValue::Array(items) => {
            let mut array = DeArray::new();
            for item in items {
                array.push(moved_value(item, place));
            }
            DeValue::Array(array)
        }
        plain => plain,
    };
    Spanned::new(place.clone(), inner)
}

/// The path of a field.
fn below(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// The parameters of a preset with the values that they have here.
struct Given<'p, 's> {
    preset: &'p Preset,
    /// As the grammar expects them.
    values: BTreeMap<&'p str, Value<'s>>,
    /// As numbers in the library's unit, of those that are numbers.
    numbers: BTreeMap<&'p str, f64>,
    /// Where those stand that the user gave.
    places: BTreeMap<&'p str, Range<usize>>,
}

impl<'p, 's> Given<'p, 's> {
    /// Takes the preset's parameters out of the user's table, with their defaults where they are not given.
    fn take(
        document: &mut Document<'s>,
        path: &str,
        preset: &'p Preset,
        table: &mut DeTable<'s>,
    ) -> Option<Self> {
        let (values, numbers, places) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut given = Self { preset, values, numbers, places };
        let mut sound = true;
        for (name, parameter) in &preset.parameters {
            let own = table.remove_entry(name.as_str()).map(|(_, value)| value);
            given.places.extend(own.iter().map(|value| (name.as_str(), value.span())));
            let Some(value) = own.or_else(|| preset.default_of(name)) else { continue };
            match converted(value, preset, name, parameter) {
                Ok((value, number)) => {
                    given.numbers.extend(number.map(|number| (name.as_str(), number)));
                    given.values.insert(name, value);
                }
                Err(message) => {
                    document.problem(&below(path, name), message, None);
                    sound = false;
                }
            }
        }
        sound.then_some(given)
    }

    /// Where a value stands that is computed of parameters, and what to say if it cannot be: at the first parameter that the
    /// user gave.
    fn blame(&self, expression: &str) -> Option<(Range<usize>, String)> {
        let mut names = expression.split('$').skip(1).map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            &rest[..end]
        });
        let (name, place) = names.find_map(|name| Some((name, self.places.get(name)?)))?;
        let unlimited = self.preset.parameters.get(name).is_some_and(unlimited);
        let advice = if unlimited { format!("; for no limit write \"{UNLIMITED}\"") } else { String::new() };
        let how = format!("{} computes {} of it{advice}", self.preset.id, expression.trim());
        Some((place.clone(), how))
    }

    /// Which of the parameter's values was chosen, if it has a list of them.
    fn chosen(&self, name: &str, parameter: &Parameter) -> Option<String> {
        if parameter.values.is_empty() {
            return None;
        }
        self.values.get(name).map(|value| shown(value.get_ref()))
    }

    /// Puts the parameters into the template; fields whose parameter was not given are left out. What is computed of a
    /// parameter is added to `computed`.
    fn fill(&self, table: &mut DeTable<'s>, computed: &mut Vec<(Range<usize>, String)>) {
        let mut filled = DeTable::new();
        for (key, value) in std::mem::take(table) {
            if let Some(value) = self.filled(value, computed) {
                filled.insert(key, value);
            }
        }
        *table = filled;
    }

    fn filled(&self, value: Value<'s>, computed: &mut Vec<(Range<usize>, String)>) -> Option<Value<'s>> {
        let mut span = value.span();
        let filled = match value.into_inner() {
            DeValue::Table(mut inner) => {
                let was_empty = inner.is_empty();
                self.fill(&mut inner, computed);
                if inner.is_empty() && !was_empty {
                    return None;
                }
                DeValue::Table(inner)
            }
            DeValue::Array(items) => {
                let mut array = DeArray::new();
                for item in items {
                    array.push(self.filled(item, computed)?);
                }
                DeValue::Array(array)
            }
            DeValue::String(text) => {
                if let Some(name) = text.strip_prefix('$') {
                    let value = self.values.get(name).cloned()?;
                    // A default stands in the preset, not in the file.
                    return Some(if self.places.contains_key(name) {
                        value
                    } else {
                        moved_value(value, &span)
                    });
                }
                match text.strip_prefix('=') {
                    None => DeValue::String(text),
                    Some(expression) => {
                        if let Some((place, how)) = self.blame(expression) {
                            span = place.clone();
                            computed.push((place, how));
                        }
                        written(
                            evaluate(expression, &self.numbers)
                                .unwrap_or_else(|message| panic!("a preset is not valid: {message}"))?,
                        )
                    }
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
