//! The files that a scenario names: read when the scenario is read, so that a run depends on nothing else on the disk.
//!
//! Wherever a law is `empirical` or arrivals are a `trace`, `file = "name.csv"` is replaced by the name and the content of the file
//! ([`crate::table::TableFile`]), before the part is read; a name alone, as in `arrivals.trace = "name.csv"`, stands for that field.
//! Names are relative to the folder of the scenario.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::DataFile;
use super::document::{Document, Value};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;
/// The most bytes of files that a scenario may have in all, each file as often as it is named: there is a table for each time.
const MAX_BYTES_IN_ALL: u64 = 256 << 20;
/// Under which keys a `file` names a file.
const OWNERS: [&str; 2] = ["empirical", "trace"];

/// Where files are looked for, and those that were read.
#[derive(Debug)]
pub(super) struct Files {
    folder: Option<PathBuf>,
    /// The text of each that was read, or why it could not be, and its digest, by name.
    read: BTreeMap<String, Result<(String, DataFile), String>>,
    /// Bytes so far, of each file as often as it was named.
    bytes: u64,
}

impl Files {
    /// Files relative to `folder`; none can be read without one.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        Self { folder: folder.map(Path::to_owned), read: BTreeMap::new(), bytes: 0 }
    }

    /// What was read, each file once, in the order of names.
    pub(super) fn into_read(self) -> Vec<DataFile> {
        self.read.into_values().flatten().map(|(_, file)| file).collect()
    }

    /// Puts contents in the place of names in `value`, which stands at `path`. False if a file could not be read, which has been
    /// reported then.
    pub(super) fn fill<'s>(
        &mut self,
        document: &mut Document<'s>,
        path: &str,
        value: &mut Value<'s>,
    ) -> bool {
        let mut problems = Vec::new();
        self.walk(path, "", value, &mut problems);
        let sound = problems.is_empty();
        for (path, message) in problems {
            document.problem(&path, message, None);
        }
        sound
    }

    fn walk(&mut self, path: &str, name: &str, value: &mut Value<'_>, problems: &mut Vec<(String, String)>) {
        match value.get_mut() {
            DeValue::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.walk(&format!("{path}.{index}"), "", item, problems);
                }
            }
            DeValue::Table(table) => {
                for (key, value) in table.iter_mut() {
                    let path = format!("{path}.{}", key.get_ref());
                    let span = value.span();
                    if OWNERS.contains(&key.get_ref().as_ref()) && value.get_ref().is_str() {
                        let name = std::mem::replace(value.get_mut(), DeValue::Table(DeTable::new()));
                        *value.get_mut() = table_at(&span, [("file", name)]);
                    }
                    match value.get_ref().as_str().map(str::to_owned) {
                        // Without a folder the reader of a table says what is missing.
                        Some(file)
                            if key.get_ref() == "file" && OWNERS.contains(&name) && self.folder.is_some() =>
                        {
                            match self.text(&file) {
                                Ok(text) => *value.get_mut() = content(&span, file, text),
                                Err(message) => problems.push((path, message)),
                            }
                        }
                        _ => self.walk(&path, key.get_ref(), value, problems),
                    }
                }
            }
            _ => {}
        }
    }

    /// The text of the file `name`, which is read when it is named first.
    fn text(&mut self, name: &str) -> Result<String, String> {
        let Self { folder, read, bytes } = self;
        if !read.contains_key(name) {
            read.insert(name.to_owned(), open(folder.as_deref().unwrap_or(Path::new("")), name));
        }
        let (text, _) = read[name].as_ref().map_err(Clone::clone)?;
        *bytes += text.len() as u64;
        if *bytes > MAX_BYTES_IN_ALL {
            return Err(format!(
                "with {name} here, all files have {bytes} bytes, each counted as often as it is named; the limit is \
                 {MAX_BYTES_IN_ALL}: shorten them, or name them less often"
            ));
        }
        Ok(text.clone())
    }
}

/// Reads the file `name` in `folder`.
fn open(folder: &Path, name: &str) -> Result<(String, DataFile), String> {
    let path = folder.join(name);
    let unreadable = |error: std::io::Error| {
        format!(
            "cannot read {}: {error}; write the path of a CSV file relative to the scenario",
            path.display()
        )
    };
    let metadata = std::fs::metadata(&path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(std::io::Error::other("it is not a regular file")));
    }
    let size = metadata.len();
    if size > MAX_BYTES {
        return Err(format!("{} has {size} bytes, the limit is {MAX_BYTES}: shorten it", path.display()));
    }
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    let mut sha256 = String::new();
    for byte in Sha256::digest(&bytes) {
        sha256 += &format!("{byte:02x}");
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + String::from_utf8_lossy(&error.as_bytes()[..valid]).matches('\n').count();
        format!("{name}, line {line}: this is not UTF-8; save the file as UTF-8")
    })?;
    Ok((text, DataFile { name: name.to_owned(), sha256 }))
}

/// The table that a reader of tables expects, where the name stood.
fn content<'s>(span: &Range<usize>, name: String, text: String) -> DeValue<'s> {
    let string = |text| DeValue::String(Cow::Owned(text));
    table_at(span, [("name", string(name)), ("text", string(text))])
}

/// A table whose every part stands at `span`.
fn table_at<'s, const N: usize>(
    span: &Range<usize>,
    fields: [(&'static str, DeValue<'s>); N],
) -> DeValue<'s> {
    let place =
        |(key, value)| (Spanned::new(span.clone(), Cow::Borrowed(key)), Spanned::new(span.clone(), value));
    DeValue::Table(fields.into_iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_and_counts_as_often_as_it_is_named() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("times.csv");
        std::fs::write(&path, "time\n").unwrap();
        let mut files = Files::new(Some(place.path()));
        assert_eq!(files.text("times.csv").as_deref(), Ok("time\n"));
        std::fs::write(&path, "another\n").unwrap();
        assert_eq!(files.text("times.csv").as_deref(), Ok("time\n"), "all parts have the same");
        // As large as a file may be, and one byte more.
        std::fs::File::create(place.path().join("large.csv")).unwrap().set_len(MAX_BYTES).unwrap();
        for _ in 0..3 {
            assert_eq!(files.text("large.csv").map(|text| text.len() as u64), Ok(MAX_BYTES));
        }
        let refusal = files.text("large.csv").unwrap_err();
        assert!(refusal.contains("all files have 268435466 bytes"), "{refusal}");
        std::fs::File::create(place.path().join("larger.csv")).unwrap().set_len(MAX_BYTES + 1).unwrap();
        for _ in 0..2 {
            assert!(files.text("larger.csv").unwrap_err().contains("the limit is 67108864: shorten it"));
        }
        let names: Vec<String> = files.into_read().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["large.csv", "times.csv"]);
    }
}
