//! A single file: it appears whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A file that is going to be written.
#[derive(Debug)]
pub struct File {
    target: PathBuf,
    folder: PathBuf,
}

impl File {
    /// Makes sure that `target` can be written, before anything is computed. Leaves nothing behind. Whether a file of this name may
    /// be replaced is up to the caller.
    ///
    /// # Errors
    /// If its folder cannot be written, or a folder stands in its place.
    pub fn prepare(target: &Path) -> Result<Self, Error> {
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let file = Self { target: target.to_owned(), folder: folder.to_owned() };
        if target.is_dir() {
            return Err(file.refuse("it is a folder"));
        }
        file.staged().map(|_| file)
    }

    /// Writes `bytes` and puts the file in its place.
    ///
    /// # Errors
    /// If the disk refuses; then the file is as it was before.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut staged = self.staged()?;
        let disk = |error| Error::disk("write", &self.target, error);
        staged.write_all(bytes).map_err(disk)?;
        staged.persist(&self.target).map(|_| ()).map_err(|error| disk(error.error))
    }

    fn staged(&self) -> Result<tempfile::NamedTempFile, Error> {
        // The file that is written first has a name that nobody gave: only the kind of error is told.
        tempfile::Builder::new().permissions(permissions()).tempfile_in(&self.folder).map_err(|error| {
            let folder = self.folder.display();
            match error.kind() {
                std::io::ErrorKind::NotFound => self.refuse(&format!("there is no folder {folder}")),
                std::io::ErrorKind::PermissionDenied => {
                    self.refuse(&format!("you may not write in {folder}"))
                }
                kind => self.refuse(&kind.to_string()),
            }
        })
    }

    fn refuse(&self, why: &str) -> Error {
        Error::Usage(format!("cannot write {}: {why}; name another file", self.target.display()))
    }
}

#[cfg(unix)]
fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o644)
}

#[cfg(not(unix))]
fn permissions() -> std::fs::Permissions {
    tempfile::tempfile().and_then(|file| file.metadata()).expect("a temporary file can be made").permissions()
}
