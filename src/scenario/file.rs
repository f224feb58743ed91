//! The file of a scenario: read once, so that any number of variants of it can be made that differ in the fields asked for.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::document::Source;
use super::{Override, Scenario, read};
use crate::error::Error;

/// The largest scenario file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// The name of a scenario among others in its folder, where it says nothing.
const DEFAULT_NAME: &str = "scenario";

/// The text of a scenario as it was read, and where it stands.
#[derive(Debug, Clone)]
pub struct ScenarioFile {
    name: String,
    shown: String,
    folder: Option<PathBuf>,
    text: String,
}

impl ScenarioFile {
    /// Reads the file at `path`; `-` is stdin.
    ///
    /// # Errors
    /// If it cannot be read, is too large, or is no text.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| {
            let advice = match error.kind() {
                std::io::ErrorKind::NotFound => "check the path, or write a first one with `retrysim new`",
                std::io::ErrorKind::IsADirectory => "name a file inside it",
                _ => "check that it is a file you may read",
            };
            Error::Usage(format!("cannot read the scenario {shown}: {error}; {advice}"))
        };
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            // One byte more than may come tells a text that is too large from one that is not.
            std::io::stdin().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
            if bytes.len() as u64 > MAX_FILE_BYTES {
                return Err(Error::Usage(format!(
                    "the scenario stdin has more than {MAX_FILE_BYTES} bytes, which is the limit: is it the right text?"
                )));
            }
            let text = readable("stdin", bytes)?;
            return Ok(Self { name: "stdin".into(), shown: "stdin".into(), folder: None, text });
        }
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_FILE_BYTES {
            return Err(Error::Usage(format!(
                "the scenario {shown} has {size} bytes, the limit is {MAX_FILE_BYTES}: is it the right file?"
            )));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let text = readable(&shown.to_string(), bytes)?;
        let folder = Some(path.parent().unwrap_or(Path::new("")).to_owned());
        Ok(Self { name: name_of(path), shown: shown.to_string(), folder, text })
    }

    /// A text that is called `name`, and has no folder: it cannot name files.
    pub fn of(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), shown: name.to_owned(), folder: None, text: text.to_owned() }
    }

    /// The same file under another name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// The same file, with those that it names in `folder`.
    #[must_use]
    pub fn beside(self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self }
    }

    /// Its name without its folder and ending; that of its folder if it is called `scenario.toml`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads and checks the scenario, after replacing the fields in `overrides`, the last word being the last.
    ///
    /// # Errors
    /// With every problem found in it.
    pub fn with(&self, overrides: &[Override]) -> Result<Scenario, Error> {
        let source = Source::new(&self.shown, &self.text, overrides)?;
        read::read(&self.name, &source, self.folder.as_deref())
    }
}

/// What tells a scenario from others: the file's name, or that of its folder where every folder has a `scenario.toml`.
fn name_of(path: &Path) -> String {
    let text = |name: &OsStr| name.to_string_lossy().into_owned();
    match path.file_stem() {
        Some(stem) if stem == DEFAULT_NAME => {
            path.parent().and_then(Path::file_name).map_or_else(|| DEFAULT_NAME.to_owned(), text)
        }
        stem => stem.map_or_else(|| DEFAULT_NAME.to_owned(), text),
    }
}

/// The text of a file, if it is text.
fn readable(shown: &str, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::Usage(format!("the scenario {shown} is not text: byte {at} is not UTF-8; save it as UTF-8"))
    })
}
