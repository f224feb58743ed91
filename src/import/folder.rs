//! The folder of an import: it appears whole or not at all, and replaces nothing but an earlier import that nobody has touched.

use std::fs;
use std::path::{Path, PathBuf};

use super::{MANIFEST, PROGRAM};
use crate::error::Error;
use crate::report::sha256;

/// A folder that is going to be written.
#[derive(Debug)]
pub struct Folder {
    target: PathBuf,
    parent: PathBuf,
}

impl Folder {
    /// Makes sure that `target` may be written, before anything is read.
    ///
    /// # Errors
    /// If something stands in its place that an import did not write, or that was changed since.
    pub fn prepare(target: &Path) -> Result<Self, Error> {
        check_replaceable(target).map_err(|why| {
            Error::Usage(format!(
                "cannot write to {}: {why}; or name another folder with --out",
                target.display()
            ))
        })?;
        let parent = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        Ok(Self { target: target.to_owned(), parent: parent.to_owned() })
    }

    /// Writes the files (name, bytes) and puts the folder in its place.
    ///
    /// # Errors
    /// If the disk refuses; then the folder is as it was before.
    pub fn write(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        let refuse = |error: std::io::Error| {
            Error::Usage(format!(
                "cannot write to {}: {error}; name a folder that you may write with --out",
                self.target.display()
            ))
        };
        fs::create_dir_all(&self.parent).map_err(refuse)?;
        let staging =
            tempfile::Builder::new().prefix(".retrysim-").tempdir_in(&self.parent).map_err(refuse)?;
        let new = staging.path().join("new");
        fs::create_dir(&new).map_err(|error| Error::disk("create", &new, error))?;
        for (name, bytes) in files {
            let path = new.join(name);
            fs::write(&path, bytes).map_err(|error| Error::disk("write", &path, error))?;
        }
        let (target, old) = (&self.target, staging.path().join("old"));
        check_replaceable(target)
            .map_err(|why| Error::Usage(format!("cannot write to {}: {why}", target.display())))?;
        let replaced = target.exists();
        if replaced {
            fs::rename(target, &old).map_err(|error| Error::disk("replace", target, error))?;
        }
        if let Err(error) = fs::rename(&new, target) {
            if replaced {
                fs::rename(&old, target).ok();
            }
            return Err(Error::disk("create", target, error));
        }
        Ok(())
    }
}

/// What does not exist can be replaced, an empty folder, and one that has only the files of an import, each as it was written.
fn check_replaceable(path: &Path) -> Result<(), String> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(|_| "it exists and is no folder: move it".to_owned())?;
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry.map_or_else(|_| "?".into(), |entry| entry.file_name().to_string_lossy().into_owned())
        })
        .collect();
    names.sort();
    if names.is_empty() {
        return Ok(());
    }
    let manifest = fs::read(path.join(MANIFEST)).ok();
    let manifest = manifest.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let Some(manifest) = manifest.filter(|manifest| manifest["program"] == PROGRAM) else {
        return Err("it exists and is not the folder of an import: move it".into());
    };
    for name in names.iter().filter(|name| *name != MANIFEST) {
        let shown = path.join(name);
        let Some(digest) = manifest["files"][name].as_str() else {
            return Err(format!("{} is in the way: no import wrote it; move it", shown.display()));
        };
        if fs::read(&shown).ok().is_none_or(|bytes| sha256(&bytes) != digest) {
            return Err(format!(
                "{} was changed since it was imported: move or rename the folder",
                shown.display()
            ));
        }
    }
    Ok(())
}
