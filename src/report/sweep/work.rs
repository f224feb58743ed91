//! A sweep under way: its finished points are kept in a folder beside the one that will hold the results, so that it can be
//! stopped at any moment and goes on where it was.
//!
//! There is no lock, which a sweep that is killed would leave behind. Two runs of the same sweep may be under way at once: every
//! file has its name only when it is whole, both write the same bytes under it, and a folder comes and goes in one rename. What one
//! of them clears away the other makes again if it still needs it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::point::{self, Found, Tables};
use crate::error::Error;
use crate::report::{Folder, Verb};

/// The file that says which sweep it is.
pub(super) const PLAN: &str = "sweep.json";
/// What is added to the name of the folder while the sweep is unfinished.
const UNFINISHED: &str = ".unfinished";
/// How often the folder of the kept points is made again, if others clear it away.
const MOST_TRIES: usize = 20;

/// Where a sweep is kept, before and after it is finished.
#[derive(Debug)]
pub struct Work {
    plan: Plan,
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
        check_finished(target, plan)?;
        let folder = Folder::prepare(target, Verb::Sweep)?;
        check_unfinished(&unfinished, plan)?;
        let work = Self { plan: plan.clone(), target: folder, finished: target.to_owned(), unfinished };
        work.insist(|| Ok(()))?;
        Ok(work)
    }

    /// Does something in the folder of the kept points: again, if others have cleared it away meanwhile.
    fn insist(&self, act: impl Fn() -> Result<(), Error>) -> Result<(), Error> {
        let points = self.unfinished.join(point::FOLDER);
        let mut done = self.make(&points).and_then(|()| act());
        for _ in 1..MOST_TRIES {
            if done.is_ok() {
                break;
            }
            done = self.make(&points).and_then(|()| act());
        }
        done
    }

    /// Makes the folder of the kept points, where it is not there. What it belongs to is written before the first point.
    fn make(&self, points: &Path) -> Result<(), Error> {
        let (folder, plan) = (&self.unfinished, self.unfinished.join(PLAN));
        fs::create_dir_all(folder).map_err(|error| Error::disk("create the folder", folder, error))?;
        if !point::write_new(&plan, &self.plan.bytes())? {
            check_unfinished(folder, &self.plan)?;
        }
        fs::create_dir_all(points).map_err(|error| Error::disk("create the folder", points, error))
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

    /// Keeps the tables of a point.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn keep(&self, key: &str, tables: &Tables) -> Result<(), Error> {
        self.insist(|| point::keep(&self.unfinished, key, tables))
    }

    /// Puts the finished folder in its place; what was kept is in it.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn finish(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        // Another sweep may have begun and ended since this one began.
        check_finished(&self.finished, &self.plan)?;
        self.target.write(files)?;
        // Out of the way in one step: nobody finds half of it.
        let refuse = |error| Error::disk("remove", &self.unfinished, error);
        let folder = self.unfinished.parent().filter(|folder| *folder != Path::new(""));
        let aside = tempfile::Builder::new()
            .prefix(point::UNFINISHED)
            .tempdir_in(folder.unwrap_or(Path::new(".")))
            .map_err(refuse)?;
        match fs::rename(&self.unfinished, aside.path().join("done")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(refuse(error)),
            _ => aside.close().map_err(refuse),
        }
    }
}

/// Refuses another sweep in the place of this one.
fn check_finished(target: &Path, plan: &Plan) -> Result<(), Error> {
    match plan_in(target) {
        Some(other) if other != *plan => Err(Error::Usage(format!(
            "{} holds another sweep, {}: {}; remove it, or name another folder with --out",
            target.display(),
            called(&other),
            difference(&other, plan),
        ))),
        _ => Ok(()),
    }
}

/// Refuses what is in the way of the kept points.
fn check_unfinished(folder: &Path, plan: &Plan) -> Result<(), Error> {
    let names: Vec<String> = match fs::read_dir(folder) {
        Ok(entries) => {
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(_) => {
            return Err(Error::Usage(format!("{} is in the way: move it, or use --out", folder.display())));
        }
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
            let foreign = |name: &String| !name.starts_with(point::UNFINISHED) && folder.join(name).exists();
            match names.into_iter().find(foreign) {
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
