//! The folder of a run: it appears whole or not at all.
//!
//! Everything is written into a hidden folder beside the target, which then takes the target's place in one rename. A
//! folder that is not the work of an earlier run is never replaced.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;

/// A folder that is going to be written.
#[derive(Debug)]
pub struct Folder {
    target: PathBuf,
    parent: PathBuf,
}

impl Folder {
    /// Makes sure that `target` can be written, before anything is computed. Leaves nothing behind but the folders above it.
    ///
    /// # Errors
    /// If its parent cannot be created or written, or if something that is not a run stands in its place.
    pub fn prepare(target: &Path) -> Result<Self, Error> {
        let refuse = |why: String| Error::Usage(format!("cannot write to {}: {why}", target.display()));
        if !is_replaceable(target) {
            return Err(refuse(
                "it exists and is not a folder of an earlier run; name another one with --out".into(),
            ));
        }
        let parent = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let unwritable =
            |error: std::io::Error| refuse(format!("{error}; name a folder that you may write with --out"));
        fs::create_dir_all(parent).map_err(unwritable)?;
        // Dropped at once: a run that is interrupted must not leave it behind.
        staging(parent).map_err(unwritable)?;
        Ok(Self { target: target.to_owned(), parent: parent.to_owned() })
    }

    /// Writes the files (name with forward slashes, bytes) and puts the folder in its place.
    ///
    /// # Errors
    /// If the disk refuses; then the folder is as it was before.
    pub fn write(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        let staging = staging(&self.parent).map_err(|error| Error::disk("write in", &self.parent, error))?;
        for (name, bytes) in files {
            let path = staging.path().join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)
                    .map_err(|error| Error::disk("create the folder", folder, error))?;
            }
            fs::write(&path, bytes).map_err(|error| Error::disk("write", &path, error))?;
        }
        self.replace(staging)
    }

    fn replace(&self, staging: TempDir) -> Result<(), Error> {
        make_readable(staging.path())?;
        if !is_replaceable(&self.target) {
            let why = format!(
                "cannot write to {}: something else appeared there during the run",
                self.target.display()
            );
            return Err(Error::Usage(why));
        }
        let aside = staging.path().with_extension("old");
        let replaced = self.target.exists();
        if replaced {
            fs::rename(&self.target, &aside).map_err(|error| Error::disk("replace", &self.target, error))?;
        }
        let staged = staging.keep();
        if let Err(error) = fs::rename(&staged, &self.target) {
            if replaced {
                fs::rename(&aside, &self.target).ok();
            }
            fs::remove_dir_all(&staged).ok();
            return Err(Error::disk("create", &self.target, error));
        }
        if replaced {
            fs::remove_dir_all(&aside).map_err(|error| Error::disk("remove", &aside, error))?;
        }
        Ok(())
    }
}

fn staging(parent: &Path) -> std::io::Result<TempDir> {
    tempfile::Builder::new().prefix(".retrysim-").tempdir_in(parent)
}

/// True for what does not exist, for an empty folder, and for the folder of an earlier run, which its manifest tells.
fn is_replaceable(path: &Path) -> bool {
    if !path.exists() {
        return true;
    }
    let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    let manifest = fs::read(path.join("manifest.json")).ok();
    let manifest = manifest.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    empty || manifest.is_some_and(|manifest| manifest["program"] == super::manifest::PROGRAM)
}

/// A temporary folder is for its owner alone; a result is for everybody.
#[cfg(unix)]
fn make_readable(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(|error| Error::disk("open up", path, error))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(content: &str) -> Vec<(String, Vec<u8>)> {
        vec![
            ("charts/a.svg".into(), content.into()),
            ("manifest.json".into(), format!("{{\"program\": \"retrysim\", \"x\": \"{content}\"}}").into()),
        ]
    }

    #[test]
    fn a_run_replaces_an_earlier_run_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("deep/run");
        Folder::prepare(&target).unwrap().write(&files("one")).unwrap();
        assert_eq!(fs::read_to_string(target.join("charts/a.svg")).unwrap(), "one");
        fs::write(target.join("stale.csv"), "old").unwrap();
        Folder::prepare(&target).unwrap().write(&files("two")).unwrap();
        assert!(fs::read_to_string(target.join("manifest.json")).unwrap().contains("two"));
        assert!(!target.join("stale.csv").exists(), "nothing of the earlier run is left");
        let beside: Vec<_> = fs::read_dir(root.path().join("deep")).unwrap().collect();
        assert_eq!(beside.len(), 1, "no staging folder is left");

        let precious = root.path().join("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("thesis.txt"), "mine").unwrap();
        fs::write(precious.join("manifest.json"), "{\"name\": \"somebody else's\"}").unwrap();
        let error = Folder::prepare(&precious).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(fs::read_to_string(precious.join("thesis.txt")).unwrap(), "mine");
    }

    #[test]
    fn a_run_that_is_not_written_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        drop(Folder::prepare(&root.path().join("run")).unwrap());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
