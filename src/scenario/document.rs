//! The text of a scenario: parsed with positions, overridden from the command line, and pointed at by problems.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use super::explain::{Misread, explain, python};
use super::overrides::{Override, set};
use crate::error::Error;

/// A value with positions.
pub(super) type Value<'s> = Spanned<DeValue<'s>>;

/// The text of a scenario and where it came from.
#[derive(Debug)]
pub(super) struct Source {
    /// The file, and what was overridden in it.
    pub(super) name: String,
    /// The text as it is run, overrides included.
    pub(super) text: String,
    /// What was overridden.
    pub(super) overrides: Vec<Override>,
    /// What stands before every path and is nothing that the reader wrote.
    pub(super) hidden: &'static str,
}

/// The parameters of the preset that the part at `path` uses.
#[derive(Debug, Clone)]
pub(super) struct Parameters {
    /// Where the part is.
    pub(super) path: String,
    /// The names.
    pub(super) names: Vec<String>,
    /// What the preset computes of a value of the reader: its place, and what to say of it.
    pub(super) computed: Vec<(Range<usize>, String)>,
}

/// A parsed text and what is wrong with it so far.
#[derive(Debug)]
pub(super) struct Document<'s> {
    source: &'s Source,
    root: DeTable<'s>,
    problems: Vec<Problem>,
    /// Whether the problems are all that there are: of a part that cannot be read, only the first is known.
    complete: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    place: (usize, usize),
    /// Of the field, if it is known.
    path: String,
    message: String,
    help: Option<String>,
}

impl Source {
    /// The text of the file `name`, with the fields in `overrides` replaced.
    pub(super) fn new(name: &str, text: &str, overrides: &[Override]) -> Result<Self, Error> {
        let plain = Self { name: name.to_owned(), text: text.to_owned(), overrides: Vec::new(), hidden: "" };
        if overrides.is_empty() {
            return Ok(plain);
        }
        Document::parse(&plain)?;
        let mut edited: toml_edit::DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| Error::Usage(error.to_string()))?;
        for field in overrides {
            set(name, &mut edited, field)?;
        }
        let name = format!("{name} (as changed on the command line)");
        Ok(Self { name, text: edited.to_string(), overrides: overrides.to_vec(), hidden: "" })
    }

    /// The override that wrote what stands at `path`.
    fn overridden(&self, path: &str) -> Option<&Override> {
        let covers = |above: &str| {
            path.strip_prefix(above).is_some_and(|rest| matches!(rest.get(..1), None | Some(".")))
        };
        self.overrides.iter().rev().find(|field| covers(&field.path))
    }
}

impl<'s> Document<'s> {
    /// Parses the text.
    pub(super) fn parse(source: &'s Source) -> Result<Self, Error> {
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        let mut document = Self { source, root: root.into_inner(), problems: Vec::new(), complete: true };
        for error in &errors {
            let place = error.span().map_or((0, 0), |span| (span.start, span.end));
            let duplicate = error.message().contains("duplicate key");
            let word = source.text.get(place.0..).unwrap_or_default();
            let word: String = word.chars().take_while(char::is_ascii_alphanumeric).collect();
            document.problems.push(Problem {
                place,
                path: String::new(),
                message: format!("not valid TOML: {}", error.message()),
                help: python(&word).or_else(|| {
                    duplicate.then(|| "two things of one name: rename one of them, or delete it".to_owned())
                }),
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
        let message = self.headed(path, &message.into());
        self.problems.push(Problem { place, path: path.to_owned(), message, help: help.into() });
    }

    /// The message with the path before it, as the reader knows it.
    fn headed(&self, path: &str, message: &str) -> String {
        let path = path.strip_prefix(self.source.hidden).unwrap_or(path);
        if path.is_empty() { message.to_owned() } else { format!("{path}: {message}") }
    }

    /// Reports a problem with what stands at `span`.
    pub(super) fn problem_at(&mut self, span: Range<usize>, message: String) {
        let (place, path) = ((span.start, span.end), String::new());
        self.problems.push(Problem { place, path, message, help: None });
    }

    /// Reports that something is missing, which cannot be pointed at.
    pub(super) fn missing(&mut self, message: impl Into<String>, help: impl Into<Option<String>>) {
        let end = self.source.text.len();
        let (place, path) = ((end, end), String::new());
        self.problems.push(Problem { place, path, message: message.into(), help: help.into() });
    }

    /// Reads `value`, which stands at `path`, or reports why it cannot be read. `presets` are those that it uses.
    pub(super) fn read<T: DeserializeOwned>(
        &mut self,
        path: &str,
        value: Value<'s>,
        presets: &[Parameters],
    ) -> Option<T> {
        let place = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(read) => Some(read),
            Err(error) => {
                self.complete = false;
                let place = error.span().filter(|span| !span.is_empty()).unwrap_or(place);
                let path = self.path_at(&place).unwrap_or_else(|| path.to_owned());
                let above = path.rsplit_once('.').map_or("", |(above, _)| above);
                let used = presets.iter().find(|used| used.path == above);
                let parameters = used.map_or(&[][..], |used| &used.names[..]);
                let misread = Misread {
                    message: error.message(),
                    path: &path,
                    written: self.at(&path, &place),
                    parameters,
                };
                let (message, mut help) = explain(&misread);
                let computed = presets.iter().flat_map(|used| &used.computed);
                if let Some((_, how)) = computed.into_iter().find(|(span, _)| *span == place) {
                    help = Some(how.clone());
                }
                let (place, message) = ((place.start, place.end), self.headed(&path, &message));
                self.problems.push(Problem { place, path, message, help });
                None
            }
        }
    }

    /// What the file has at `path`; of a list the entry that `span` belongs to.
    fn at(&self, path: &str, span: &Range<usize>) -> Option<&DeValue<'s>> {
        let mut parts = path.split('.');
        let mut found = entry(&self.root, parts.next()?).map(|(_, value)| value);
        for part in parts {
            let value = found?.get_ref();
            found = match (value, part.parse::<usize>()) {
                (DeValue::Array(items), Ok(index)) => items.get(index),
                _ => value.as_table().and_then(|table| entry(table, part)).map(|(_, value)| value),
            };
        }
        let items = found?.get_ref().as_array();
        let item = items.and_then(|items| items.iter().find(|item| item.span() == *span));
        item.or(found).map(Spanned::get_ref)
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

    /// Where the thing at `path` stands, or the nearest thing above it that is written.
    pub(super) fn place(&self, path: &str) -> (usize, usize) {
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
            let group = Level::ERROR.primary_title(&problem.message);
            let argument =
                self.source.overridden(&problem.path).map(|field| field.as_argument(self.source.hidden));
            let mut group = match &argument {
                // The line is in no file: what the reader wrote is the argument.
                Some(argument) => group.element(Origin::path(argument)),
                None => group.element(
                    Snippet::source(&self.source.text)
                        .path(&self.source.name)
                        .annotation(AnnotationKind::Primary.span(clip(&self.source.text, problem.place))),
                ),
            };
            if let Some(help) = &problem.help {
                group = group.element(Level::HELP.message(help));
            }
            message.push_str(renderer.render(&[group]).trim_end());
            message.push_str("\n\n");
        }
        let count = self.problems.len();
        let plural = if count == 1 { "problem" } else { "problems" };
        // Of a part that cannot be read, only the first problem is known.
        let more = if self.complete { "" } else { "; more may show once these are mended" };
        let more = if count == 1 { more.replace("these are", "this is") } else { more.to_owned() };
        write!(message, "{}: {count} {plural}; nothing was run or written{more}", self.source.name)
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
