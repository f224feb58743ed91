//! The text of a scenario: parsed with positions, overridden from the command line, and pointed at by problems.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use crate::error::{Error, nearest};

/// A value with positions.
pub(super) type Value<'s> = Spanned<DeValue<'s>>;

/// The text of a scenario and where it came from.
#[derive(Debug)]
pub(super) struct Source {
    /// The file, and what was overridden in it.
    pub(super) name: String,
    /// The text as it is run, overrides included.
    pub(super) text: String,
}

/// A parsed text and what is wrong with it so far.
#[derive(Debug)]
pub(super) struct Document<'s> {
    source: &'s Source,
    root: DeTable<'s>,
    problems: Vec<Problem>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    place: (usize, usize),
    message: String,
    help: Option<String>,
}

impl Source {
    /// The text of the file `name`, with the fields in `overrides` (path, value) replaced.
    pub(super) fn new(name: &str, text: &str, overrides: &[(String, String)]) -> Result<Self, Error> {
        let plain = Self { name: name.to_owned(), text: text.to_owned() };
        if overrides.is_empty() {
            return Ok(plain);
        }
        Document::parse(&plain)?;
        let mut edited: toml_edit::DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| Error::Usage(error.to_string()))?;
        for (path, value) in overrides {
            set(&mut edited, path, value)?;
        }
        Ok(Self { name: format!("{name} (as changed on the command line)"), text: edited.to_string() })
    }
}

impl<'s> Document<'s> {
    /// Parses the text.
    pub(super) fn parse(source: &'s Source) -> Result<Self, Error> {
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        let mut document = Self { source, root: root.into_inner(), problems: Vec::new() };
        for error in &errors {
            let duplicate = error.message().contains("duplicate key");
            document.problems.push(Problem {
                place: error.span().map_or((0, 0), |span| (span.start, span.end)),
                message: format!("not valid TOML: {}", error.message()),
                help: duplicate
                    .then(|| "two things of one name: rename one of them, or delete it".to_owned()),
            });
        }
        document.check()?;
        Ok(document)
    }

    pub(super) fn root(&self) -> &DeTable<'s> {
        &self.root
    }

    /// Reports a problem at a path such as `workloads.campaign.clients`, or at the nearest thing above it that is written.
    pub(super) fn problem(
        &mut self,
        path: &str,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let place = self.place(path);
        self.problems.push(Problem {
            place,
            message: format!("{path}: {}", message.into()),
            help: help.into(),
        });
    }

    /// Reports a problem with what stands at `span`.
    pub(super) fn problem_at(&mut self, span: Range<usize>, message: String) {
        self.problems.push(Problem { place: (span.start, span.end), message, help: None });
    }

    /// Reports that something is missing, which cannot be pointed at.
    pub(super) fn missing(&mut self, message: impl Into<String>, help: impl Into<Option<String>>) {
        let end = self.source.text.len();
        self.problems.push(Problem { place: (end, end), message: message.into(), help: help.into() });
    }

    /// Reads `value`, which stands at `path`, or reports why it cannot be read. `names` are fields that are known here
    /// besides those of `T`, for suggestions.
    pub(super) fn read<T: DeserializeOwned>(
        &mut self,
        path: &str,
        value: Value<'s>,
        names: &[String],
    ) -> Option<T> {
        let place = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(read) => Some(read),
            Err(error) => {
                let place = error.span().filter(|span| !span.is_empty()).unwrap_or(place);
                let (message, help) = explain(error.message(), names);
                let path = self.path_at(&place).unwrap_or_else(|| path.to_owned());
                let message = if path.is_empty() { message } else { format!("{path}: {message}") };
                self.problems.push(Problem { place: (place.start, place.end), message, help });
                None
            }
        }
    }

    /// All problems so far as one error, or nothing.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.complain()) }
    }

    /// The names that a section declares, whether what they name can be read or not.
    pub(super) fn declared(&self, section: &str) -> Vec<String> {
        let table = entry(&self.root, section).and_then(|(_, value)| value.get_ref().as_table());
        table.iter().flat_map(|table| table.keys()).map(|key| key.get_ref().to_string()).collect()
    }

    /// The path of the field that `span` belongs to: of all keys and values around it, the narrowest.
    fn path_at(&self, span: &Range<usize>) -> Option<String> {
        fn search(table: &DeTable<'_>, above: &str, span: &Range<usize>, best: &mut Option<(usize, String)>) {
            for (key, value) in table {
                let path = if above.is_empty() {
                    key.get_ref().to_string()
                } else {
                    format!("{above}.{}", key.get_ref())
                };
                for around in [key.span(), value.span()] {
                    let narrower = best.as_ref().is_none_or(|(width, _)| around.len() <= *width);
                    if around.start <= span.start && span.end <= around.end && narrower {
                        *best = Some((around.len(), path.clone()));
                    }
                }
                let tables = value.get_ref().as_array().into_iter().flat_map(|items| items.iter());
                for (index, table) in
                    tables.enumerate().filter_map(|(i, item)| Some((i, item.get_ref().as_table()?)))
                {
                    search(table, &format!("{path}.{index}"), span, best);
                }
                if let Some(table) = value.get_ref().as_table() {
                    search(table, &path, span, best);
                }
            }
        }
        let mut best = None;
        search(&self.root, "", span, &mut best);
        best.map(|(_, path)| path)
    }

    fn place(&self, path: &str) -> (usize, usize) {
        let mut place = 0..0;
        let mut table = Some(&self.root);
        let mut array: Option<&DeArray<'_>> = None;
        for part in path.split('.') {
            let value = if let Some(items) = array {
                part.parse::<usize>().ok().and_then(|index| items.get(index))
            } else {
                let Some((key, value)) = table.and_then(|table| entry(table, part)) else { break };
                place = key.span();
                Some(value)
            };
            let Some(value) = value else { break };
            if !value.span().is_empty() && (value.get_ref().as_table().is_none() || array.is_some()) {
                place = value.span();
            }
            table = value.get_ref().as_table();
            array = value.get_ref().as_array();
        }
        (place.start, place.end)
    }

    fn complain(&mut self) -> Error {
        self.problems.sort();
        self.problems.dedup();
        let renderer = Renderer::plain();
        let mut message = String::new();
        for problem in &self.problems {
            let place = clip(&self.source.text, problem.place);
            let snippet = Snippet::source(&self.source.text)
                .path(&self.source.name)
                .annotation(AnnotationKind::Primary.span(place));
            let mut group = Level::ERROR.primary_title(&problem.message).element(snippet);
            if let Some(help) = &problem.help {
                group = group.element(Level::HELP.message(help));
            }
            message.push_str(renderer.render(&[group]).trim_end());
            message.push_str("\n\n");
        }
        let count = self.problems.len();
        let plural = if count == 1 { "problem" } else { "problems" };
        write!(message, "{}: {count} {plural}; nothing was run or written", self.source.name)
            .expect("writing to a string");
        Error::Scenario(message)
    }
}

/// A span inside the text and on one line, so that a table's problem does not quote the whole table.
fn clip(text: &str, (start, end): (usize, usize)) -> Range<usize> {
    let start = start.min(text.len());
    let line_end = text[start..].find('\n').map_or(text.len(), |offset| start + offset);
    start..end.clamp(start, line_end)
}

/// The entry of a table by name.
pub(super) fn entry<'a, 's>(
    table: &'a DeTable<'s>,
    name: &str,
) -> Option<(&'a Spanned<Cow<'s, str>>, &'a Value<'s>)> {
    table.iter().find(|(key, _)| key.get_ref() == name)
}

/// Turns serde's message into ours: what is wrong, and separately how to mend it.
fn explain(message: &str, names: &[String]) -> (String, Option<String>) {
    let message = message.trim();
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return (format!("`{field}` is missing"), Some(format!("add `{field} = ...`")));
    }
    let help = ["unknown field `", "unknown variant `"].iter().find_map(|start| {
        let (unknown, rest) = message.strip_prefix(start)?.split_once('`')?;
        let known = rest.split('`').skip(1).step_by(2).chain(names.iter().map(String::as_str));
        nearest(unknown, known).map(|name| format!("did you mean `{name}`?"))
    });
    (message.to_owned(), help)
}

/// Replaces one field, or adds it where its table exists or can be made.
fn set(document: &mut toml_edit::DocumentMut, path: &str, value: &str) -> Result<(), Error> {
    let refuse = |why: &str| Error::Usage(format!("--set {path}={value}: {why}"));
    let parts: Vec<&str> = path.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(refuse(
            "the path must be names with dots between them, such as workloads.campaign.clients",
        ));
    }
    // What is not TOML by itself is taken as a string, so that 60s needs no quotes inside quotes.
    let value = value.parse::<toml_edit::Value>().unwrap_or_else(|_| toml_edit::Value::from(value));
    let (last, tables) = parts.split_last().expect("split gives at least one part");
    let mut item = document.as_item_mut();
    for part in tables {
        item = match part.parse::<usize>() {
            Ok(index) if item.is_array_of_tables() || item.is_array() => {
                item.get_mut(index).ok_or_else(|| refuse(&format!("there is no entry {index}")))?
            }
            _ => {
                let table = item
                    .as_table_like_mut()
                    .ok_or_else(|| refuse(&format!("`{part}` is not inside a table")))?;
                if !table.contains_key(part) {
                    table.insert(part, toml_edit::Item::Table(toml_edit::Table::new()));
                }
                table.get_mut(part).expect("it was inserted a moment ago")
            }
        };
    }
    let table =
        item.as_table_like_mut().ok_or_else(|| refuse("what stands before the last dot is not a table"))?;
    table.insert(last, toml_edit::Item::Value(value));
    Ok(())
}
