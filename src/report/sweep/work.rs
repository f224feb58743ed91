//! A sweep under way: its finished points are kept in a folder beside the one that will hold the results, so that it can be
//! stopped at any moment and goes on where it was.

use std::fs;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::point::{self, Found};
use crate::error::Error;
use crate::report::Folder;

/// The file that says which sweep it is.
pub(super) const PLAN: &str = "sweep.json";
/// What is added to the name of the folder while the sweep is unfinished.
const UNFINISHED: &str = ".unfinished";

/// Where a sweep is kept, before and after it is finished.
#[derive(Debug)]
pub struct Work {
    target: Folder,
    finished: PathBuf,
    unfinished: PathBuf,
}

/// The folder in which the finished points of the sweep that will be in `target` are kept.
pub(super) fn unfinished(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(UNFINISHED);
    target.with_file_name(name)
}

/// The sweep in a folder, if it is one.
pub(super) fn plan_in(folder: &Path) -> Option<Plan> {
    Plan::read(&fs::read(folder.join(PLAN)).ok()?)
}

impl Work {
    /// Makes sure that the sweep can be written to `target`, before anything is computed, and begins it or takes it up again.
    ///
    /// # Errors
    /// If another sweep is there, finished or not, if something else is in its place, or if the disk refuses.
    pub fn begin(target: &Path, plan: &Plan) -> Result<Self, Error> {
        let unfinished = unfinished(target);
        if let Some(other) = plan_in(target).filter(|other| other != plan) {
            return Err(Error::Usage(format!(
                "{} holds another sweep, {}: {}; remove it, or name another folder with --out",
                target.display(),
                called(&other),
                difference(&other, plan),
            )));
        }
        check_unfinished(&unfinished, plan)?;
        let folder = Folder::prepare(target)?;
        let points = unfinished.join(point::FOLDER);
        fs::create_dir_all(&unfinished)
            .map_err(|error| Error::disk("create the folder", &unfinished, error))?;
        if !unfinished.join(PLAN).exists() {
            point::write_whole(&unfinished.join(PLAN), &plan.bytes())?;
        }
        fs::create_dir_all(&points).map_err(|error| Error::disk("create the folder", &points, error))?;
        Ok(Self { target: folder, finished: target.to_owned(), unfinished })
    }

    /// The point with this key, if it was finished before.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn find(&self, key: &str) -> Result<Found, Error> {
        match point::find(&self.unfinished, key)? {
            Found::Missing => point::find(&self.finished, key),
            found => Ok(found),
        }
    }

    /// Keeps the rows of a point.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn keep(&self, key: &str, rows: &[u8]) -> Result<(), Error> {
        point::keep(&self.unfinished, key, rows)
    }

    /// Puts the finished folder in its place; what was kept is in it.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn finish(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        self.target.write(files)?;
        fs::remove_dir_all(&self.unfinished).map_err(|error| Error::disk("remove", &self.unfinished, error))
    }
}

/// Refuses what is in the way of the kept points.
fn check_unfinished(folder: &Path, plan: &Plan) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(folder) else {
        return if folder.exists() {
            Err(Error::Usage(format!("{} is in the way: move it, or use --out", folder.display())))
        } else {
            Ok(())
        };
    };
    match plan_in(folder) {
        Some(other) if other == *plan => Ok(()),
        Some(other) => Err(Error::Usage(format!(
            "{} holds the finished points of another sweep, {}: {}; finish that one with its own command, remove the folder, \
             or name another one with --out",
            folder.display(),
            called(&other),
            difference(&other, plan),
        ))),
        None => {
            let mut names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            match names.find(|name| !name.starts_with(point::UNFINISHED)) {
                None => Ok(()),
                Some(name) => Err(Error::Usage(format!(
                    "{} is in the way: no sweep wrote it, and a sweep keeps its points in that folder; move it, or name another \
                     folder with --out",
                    folder.join(name).display()
                ))),
            }
        }
    }
}

fn called(plan: &Plan) -> String {
    let shard = plan.shard().map(|shard| format!(", shard {shard}")).unwrap_or_default();
    format!("of {} over {}{shard}", plan.name, plan.axes.join(", "))
}

fn difference(other: &Plan, plan: &Plan) -> String {
    other.difference(plan).unwrap_or_else(|| match plan.shard() {
        Some(shard) => format!("it is not shard {shard}"),
        None => "it is a shard".into(),
    })
}
