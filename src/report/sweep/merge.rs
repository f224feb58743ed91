//! Shards put together again: only if they are all there, of one sweep, and as they were written.

use std::fs;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::point::{self, Found, Tables};
use super::work::{PLAN, plan_in, unfinished};
use crate::error::Error;
use crate::report::manifest::{RESULTS_VERSION, sha256};

/// A whole sweep.
#[derive(Debug)]
pub struct Merged {
    /// Its plan.
    pub plan: Plan,
    /// The scenario without the axes.
    pub scenario: String,
    /// The tables of each point.
    pub points: Vec<(usize, Tables)>,
}

struct Read {
    folder: PathBuf,
    plan: Plan,
}

/// Puts the shards in `folders` together.
///
/// # Errors
/// If a folder is no shard, or one of another sweep; if one is missing, was damaged, or is there twice with other content; each
/// with its name.
pub fn merge(folders: &[PathBuf]) -> Result<Merged, Error> {
    let shards = folders.iter().map(|folder| read(folder)).collect::<Result<Vec<_>, _>>()?;
    let first = shards.first().ok_or_else(|| Error::Usage("name the folders of the shards".into()))?;
    check_alike(first, &shards)?;
    check_complete(first, &shards)?;
    let plan = first.plan.whole();
    let mut points: Vec<Option<(Tables, &Path)>> = vec![None; plan.points.len()];
    for shard in &shards {
        for index in shard.plan.own() {
            let rows = point_of(shard, index)?;
            match &points[index] {
                Some((before, folder)) if *before != rows => {
                    return Err(Error::Usage(format!(
                        "point {} is in {} and in {}, with different results: one of them was changed; run that shard again",
                        index + 1,
                        folder.display(),
                        shard.folder.display()
                    )));
                }
                Some(_) => {}
                None => points[index] = Some((rows, &shard.folder)),
            }
        }
    }
    let points = points.into_iter().enumerate();
    let points = points.map(|(index, found)| Some((index, found?.0))).collect::<Option<Vec<_>>>();
    let points = points.expect("all shards together have all points");
    let scenario = scenario_of(first)?;
    Ok(Merged { plan, scenario, points })
}

fn read(folder: &Path) -> Result<Read, Error> {
    let refuse = |why: &str| Err(Error::Usage(format!("{}: {why}", folder.display())));
    let again = "it is unfinished: run its command again, which goes on where it stopped";
    if folder.extension().is_some_and(|extension| extension == "unfinished") {
        return refuse(again);
    }
    match plan_in(folder) {
        Some(plan) if plan.results_version != RESULTS_VERSION => refuse(&format!(
            "its results version is {}, that of this program {RESULTS_VERSION}: run the shards again with one version",
            plan.results_version
        )),
        Some(plan) if plan.shard.is_none() => {
            refuse("it is a whole sweep, not a shard: there is nothing to merge")
        }
        Some(plan) => Ok(Read { folder: folder.to_owned(), plan }),
        None if unfinished(folder).exists() => refuse(again),
        None if !folder.exists() => refuse("there is no such folder"),
        None if folder.join(PLAN).exists() => {
            refuse(&format!("its {PLAN} is damaged: remove the folder and run the shard again"))
        }
        None => refuse("it is no shard: name the folders that `retrysim sweep --shard` wrote"),
    }
}

/// Refuses shards of different sweeps, or of a different division.
fn check_alike(first: &Read, shards: &[Read]) -> Result<(), Error> {
    for shard in shards {
        let (one, another) = (shard.folder.display(), first.folder.display());
        if let Some(difference) = shard.plan.difference(&first.plan) {
            return Err(Error::Usage(format!("{one} is of another sweep than {another}: {difference}")));
        }
        let of = |shard: &Read| shard.plan.shard().map_or(0, |shard| shard.of);
        if of(shard) != of(first) {
            return Err(Error::Usage(format!(
                "{one} is one of {} shards, {another} one of {}: merge those of one division",
                of(shard),
                of(first)
            )));
        }
    }
    Ok(())
}

fn check_complete(first: &Read, shards: &[Read]) -> Result<(), Error> {
    let of = first.plan.shard().map_or(0, |shard| shard.of);
    let there =
        |index| shards.iter().any(|shard| shard.plan.shard().is_some_and(|shard| shard.index == index));
    let missing: Vec<String> =
        (1..=of).filter(|&index| !there(index)).map(|index| format!("{index}/{of}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (plural, verb) = if missing.len() == 1 { ("", "is") } else { ("s", "are") };
    Err(Error::Usage(format!(
        "shard{plural} {} {verb} missing: run what is missing with --shard, then merge all",
        missing.join(", ")
    )))
}

fn point_of(shard: &Read, index: usize) -> Result<Tables, Error> {
    let key = &shard.plan.points[index].key;
    let number = shard.plan.shard().map(|shard| shard.to_string()).unwrap_or_default();
    match point::find(&shard.folder, key)? {
        Found::Sound(rows) => Ok(rows),
        Found::Damaged(path) => Err(Error::Usage(format!(
            "{} is damaged: run shard {number} again, which computes only what is wrong",
            path.display()
        ))),
        Found::Missing => Err(Error::Usage(format!(
            "{} is missing: run shard {number} again, which computes only what is missing",
            shard.folder.join(point::name(key)).display()
        ))),
    }
}

fn scenario_of(shard: &Read) -> Result<String, Error> {
    let path = shard.folder.join("scenario.toml");
    let bytes = fs::read(&path).map_err(|error| Error::disk("read", &path, error))?;
    let text = String::from_utf8(bytes).ok().filter(|text| sha256(text.as_bytes()) == shard.plan.scenario);
    text.ok_or_else(|| Error::Usage(format!("{} is damaged: run that shard again", path.display())))
}
