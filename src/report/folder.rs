//! The folder of a run: it appears whole or not at all.
//!
//! Everything is written into a hidden folder beside the target, which then takes the target's place in one rename. A
//! folder that is not the work of an earlier run is never replaced.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::manifest::{PROGRAM, Verb};
use crate::error::Error;

/// The file that says what a run wrote.
const MANIFEST: &str = "manifest.json";
/// How often it is tried to take a place that others take at the same time.
const MOST_TRIES: usize = 20;

/// A folder that is going to be written.
#[derive(Debug)]
pub struct Folder {
    target: PathBuf,
    parent: PathBuf,
    verb: Verb,
}

impl Folder {
    /// Makes sure that `verb` can write `target`, before anything is computed. Leaves nothing behind but the folders above it.
    ///
    /// # Errors
    /// If its parent cannot be created or written, or if something that is not the work of this verb stands in its place.
    pub fn prepare(target: &Path, verb: Verb) -> Result<Self, Error> {
        let refuse = |why: String| Error::Usage(format!("cannot write to {}: {why}", target.display()));
        check_replaceable(target, verb)
            .map_err(|why| refuse(format!("{why}, or name another folder with --out")))?;
        let parent = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let unwritable =
            |error: std::io::Error| refuse(format!("{error}; name a folder that you may write with --out"));
        fs::create_dir_all(parent).map_err(unwritable)?;
        // Dropped at once: a run that is interrupted must not leave it behind.
        staging(parent).map_err(unwritable)?;
        Ok(Self { target: target.to_owned(), parent: parent.to_owned(), verb })
    }

    /// Where `verb` writes the results of what is called `name` if nothing is said: `output/NAME`, or `output/NAME-VERB` where another
    /// verb has written that, as if the `scenario.toml` of its folder is run.
    pub fn default_target(name: &str, verb: Verb) -> PathBuf {
        let target = Path::new("output").join(name);
        let taken = manifest_in(&target).is_some_and(|manifest| other_verb(&manifest, verb).is_some());
        if taken { Path::new("output").join(format!("{name}-{}", verb.name())) } else { target }
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
        check_replaceable(&self.target, self.verb).map_err(|why| {
            let target = self.target.display();
            Error::Usage(format!("cannot write to {target}: something appeared there during the run: {why}"))
        })?;
        let aside = staging.path().with_extension("old");
        let staged = staging.keep();
        let mut placed = self.take_place(&staged, &aside);
        for _ in 1..MOST_TRIES {
            // Another run may have put its folder there between the two renames.
            if placed.is_ok() {
                break;
            }
            placed = self.take_place(&staged, &aside);
        }
        if placed.is_err() {
            fs::remove_dir_all(&staged).ok();
            if self.target.exists() {
                fs::remove_dir_all(&aside).ok();
            }
        }
        placed
    }

    /// Moves what is in the place of the target aside, and the staged folder there.
    fn take_place(&self, staged: &Path, aside: &Path) -> Result<(), Error> {
        if aside.exists() && self.target.exists() {
            fs::remove_dir_all(aside).ok();
        }
        match fs::rename(&self.target, aside) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::disk("replace", &self.target, error));
            }
            _ => {}
        }
        if let Err(error) = fs::rename(staged, &self.target) {
            // Back, unless there is a newer one by now.
            fs::rename(aside, &self.target).ok();
            return Err(Error::disk("create", &self.target, error));
        }
        if aside.exists() {
            fs::remove_dir_all(aside).map_err(|error| Error::disk("remove", aside, error))?;
        }
        Ok(())
    }
}

fn staging(parent: &Path) -> std::io::Result<TempDir> {
    tempfile::Builder::new().prefix(".retrysim-").tempdir_in(parent)
}

/// What does not exist can be replaced, an empty folder, and the folder of an earlier run of the same verb with nothing in it but
/// what the run wrote, which its manifest tells; else the reason why not.
fn check_replaceable(path: &Path, verb: Verb) -> Result<(), String> {
    let mut checked = check_once(path, verb);
    // Of a folder that another run replaces at this moment, half may be that of the one and half of the other.
    for _ in 1..MOST_TRIES {
        if checked.is_ok() {
            break;
        }
        checked = check_once(path, verb);
    }
    checked
}

fn check_once(path: &Path, verb: Verb) -> Result<(), String> {
    if !path.exists() || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()) {
        return Ok(());
    }
    let Some(manifest) = manifest_in(path) else {
        return Err("it exists and is not a folder of an earlier run: move it".into());
    };
    if let Some(other) = other_verb(&manifest, verb) {
        return Err(format!(
            "it holds what `{PROGRAM} {other}` has written, which `{PROGRAM} {}` does not replace: move it",
            verb.name()
        ));
    }
    let files = manifest["files"].as_object();
    let written: Vec<&str> =
        files.into_iter().flat_map(|files| files.keys()).map(String::as_str).chain([MANIFEST]).collect();
    match foreign(path, "", &written) {
        None => Ok(()),
        Some(name) => Err(format!(
            "{} is in the way: no run wrote it, and a new run replaces the whole folder; move it",
            path.join(name).display()
        )),
    }
}

/// The manifest of a folder that a verb of this program has written.
fn manifest_in(path: &Path) -> Option<serde_json::Value> {
    let manifest = serde_json::from_slice::<serde_json::Value>(&fs::read(path.join(MANIFEST)).ok()?).ok()?;
    (manifest["program"] == PROGRAM).then_some(manifest)
}

/// The verb that has written a folder, if it is another one.
fn other_verb(manifest: &serde_json::Value, verb: Verb) -> Option<&str> {
    manifest["verb"].as_str().filter(|other| *other != verb.name())
}

/// Something in `folder`, which is `below` the top, that is not on the list.
fn foreign(folder: &Path, below: &str, written: &[&str]) -> Option<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .map(|entry| {
            entry.map_or_else(|_| "?".into(), |entry| entry.file_name().to_string_lossy().into_owned())
        })
        .collect();
    names.sort();
    names.into_iter().find_map(|name| {
        let (path, name) = (folder.join(&name), format!("{below}{name}"));
        let inside = format!("{name}/");
        // A link is what it is, wherever it leads.
        let is_folder = path.symlink_metadata().is_ok_and(|data| data.is_dir());
        if is_folder && written.iter().any(|file| file.starts_with(&inside)) {
            foreign(&path, &inside, written)
        } else {
            (is_folder || !written.contains(&name.as_str())).then_some(name)
        }
    })
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
            (
                "manifest.json".into(),
                format!(
                    "{{\"program\": \"retrysim\", \"x\": \"{content}\", \"files\": {{\"charts/a.svg\": \"\"}}}}"
                )
                .into(),
            ),
        ]
    }

    #[test]
    fn a_run_replaces_an_earlier_run_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("deep/run");
        Folder::prepare(&target, Verb::Run).unwrap().write(&files("one")).unwrap();
        assert_eq!(fs::read_to_string(target.join("charts/a.svg")).unwrap(), "one");
        for (folder, name) in [("", "notes.txt"), ("charts/", "mine.svg"), ("more/", "notes.txt")] {
            fs::create_dir_all(target.join(folder)).unwrap();
            fs::write(target.join(folder).join(name), "mine").unwrap();
            let error = Folder::prepare(&target, Verb::Run).unwrap_err();
            assert!(error.to_string().contains(if folder == "more/" { "run/more" } else { name }), "{error}");
            assert_eq!(error.exit_code(), 2);
            assert_eq!(fs::read_to_string(target.join("charts/a.svg")).unwrap(), "one", "nothing is removed");
            fs::remove_file(target.join(folder).join(name)).unwrap();
        }
        fs::remove_dir(target.join("more")).unwrap();
        Folder::prepare(&target, Verb::Run).unwrap().write(&files("two")).unwrap();
        assert!(fs::read_to_string(target.join("manifest.json")).unwrap().contains("two"));
        let beside: Vec<_> = fs::read_dir(root.path().join("deep")).unwrap().collect();
        assert_eq!(beside.len(), 1, "no staging folder is left");

        let precious = root.path().join("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("thesis.txt"), "mine").unwrap();
        fs::write(precious.join("manifest.json"), "{\"name\": \"somebody else's\"}").unwrap();
        let error = Folder::prepare(&precious, Verb::Run).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(fs::read_to_string(precious.join("thesis.txt")).unwrap(), "mine");
    }

    #[test]
    fn a_run_that_is_not_written_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        drop(Folder::prepare(&root.path().join("run"), Verb::Run).unwrap());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn runs_that_end_at_once_replace_each_other_whole() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("run");
        std::thread::scope(|scope| {
            for name in ["one", "two", "three"] {
                let target = &target;
                scope.spawn(move || {
                    for _ in 0..40 {
                        Folder::prepare(target, Verb::Run).unwrap().write(&files(name)).unwrap();
                    }
                });
            }
        });
        let chart = fs::read_to_string(target.join("charts/a.svg")).unwrap();
        assert!(fs::read_to_string(target.join("manifest.json")).unwrap().contains(&chart), "of one run");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
