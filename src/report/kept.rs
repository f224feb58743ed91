//! The folder of a run, read back: its manifest, and the scenario that it has kept.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::manifest::Verb;
use crate::error::Error;
use crate::scenario::{Scenario, ScenarioFile};

/// What a run keeps its scenario in.
pub(super) const SCENARIO: &str = "scenario.toml";

/// The manifest of the folder of a run.
///
/// # Errors
/// If there is none, or if another verb has written it, with `only_runs`: what only runs are fit for.
pub(super) fn manifest_of_run(folder: &Path, only_runs: &str) -> Result<Value, Error> {
    let unfit = |why: String| Error::Usage(format!("{}: {why}", folder.display()));
    let bytes = part(folder, "manifest.json")?.ok_or_else(|| missing(folder, "manifest.json"))?;
    let manifest: Value = serde_json::from_slice(&bytes)
        .map_err(|error| unfit(format!("manifest.json is no manifest ({error}): run the scenario again")))?;
    if manifest["verb"] != Verb::Run.name() {
        let verb = manifest["verb"].as_str().unwrap_or("something else");
        return Err(unfit(format!("it is what {verb} has written: {only_runs}")));
    }
    Ok(manifest)
}

/// The scenario that the folder of a run has kept; files that it names are looked for in `data`, or in the folder if that is absent.
///
/// # Errors
/// If it cannot be read, or with every problem found in it.
pub(super) fn scenario_of_run(
    folder: &Path,
    manifest: &Value,
    data: Option<&Path>,
) -> Result<Scenario, Error> {
    let named = manifest["scenario"]["files"].as_object().into_iter().flat_map(|files| files.keys());
    if let (None, Some(name)) = (data, named.into_iter().find(|name| !folder.join(name).exists())) {
        let folder = folder.display();
        return Err(Error::Usage(format!(
            "{folder}: its scenario names the file {name}, which is not in it: name the folder of such files with --data"
        )));
    }
    let name = manifest["scenario"]["name"].as_str().unwrap_or("scenario");
    ScenarioFile::open(&folder.join(SCENARIO))?.named(name).beside(data.unwrap_or(folder)).with(&[])
}

/// The bytes of a file of the folder; `None` if there is no such file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn part(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(folder.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => Ok(None),
        Err(error) => Err(Error::disk("read", folder.join(name), error)),
    }
}

/// What to say of a folder without this file.
pub(super) fn missing(folder: &Path, name: &str) -> Error {
    let folder = folder.display();
    Error::Usage(format!("{folder}: there is no {name} in it: name the folder of a run, such as output/NAME"))
}
