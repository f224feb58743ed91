//! What a run has kept in its folder, and its charts and its page made of that: when it is run, and again from the folder alone.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::charts::{FINEST, Pictures, charts};
use super::html::{Provenance, page, several as page_of_several};
use super::kept::{manifest_of_run, missing, part, scenario_of_run};
use super::manifest::{Version, digest, digests, is_result, sha256, written};
use super::tables::Tables;
use crate::error::Error;
use crate::scenario::Scenario;

/// A file: its name, with forward slashes, and its bytes.
type Named = (String, Vec<u8>);

/// The folder of a run, read back.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    scenario: Scenario,
    /// What is not drawn: the scenario and the tables.
    files: Vec<Named>,
    manifest: Value,
}

impl Kept {
    /// Reads the folder of a run; files that its scenario names are looked for in `data`, or in the folder if that is absent.
    ///
    /// # Errors
    /// If it is not the folder of a run, or if its scenario or its tables are not as the run has written them.
    pub fn read(folder: &Path, data: Option<&Path>) -> Result<Self, Error> {
        let unfit = |why: String| Error::Usage(format!("{}: {why}", folder.display()));
        let manifest = manifest_of_run(folder, "only a run has a report")?;
        let mut files = Vec::new();
        for (name, known) in manifest["files"].as_object().into_iter().flatten() {
            if is_result(name) || name == "scenario.toml" {
                let bytes = part(folder, name)?.ok_or_else(|| missing(folder, name))?;
                if known.as_str() != Some(sha256(&bytes).as_str()) {
                    return Err(unfit(format!("{name} was changed since the run: run the scenario again")));
                }
                files.push((name.clone(), bytes));
            }
        }
        let scenario = scenario_of_run(folder, &manifest, data)?;
        Ok(Self { folder: folder.to_owned(), scenario, files, manifest })
    }

    /// All files of the folder, its charts and its page made anew.
    ///
    /// # Errors
    /// If its tables are not those of its scenario.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut files = self.files.clone();
        let png =
            self.manifest["files"].as_object().is_some_and(|files| files.contains_key("charts/load.png"));
        let drawn = pictures(&self.scenario, &self.files, &self.version(), Pictures::with_png(png));
        files.extend(drawn.map_err(|why| self.unfit(&why))?);
        let mut manifest = self.manifest.clone();
        manifest["files"] = Value::Object(digests(&files));
        files.push(("manifest.json".to_owned(), written(&manifest)));
        Ok(files)
    }

    fn version(&self) -> Version {
        let results = self.manifest["results_version"].as_u64().unwrap_or_default();
        Version { program: self.manifest["version"].as_str().unwrap_or_default().to_owned(), results }
    }

    fn unfit(&self, why: &str) -> Error {
        Error::Usage(format!("{}: {why}: run the scenario again", self.folder.display()))
    }
}

/// The charts and the page of a run of this version that has these files, which are its scenario and its tables.
///
/// # Errors
/// In words, if its tables are not those of the scenario.
pub fn charts_and_page(
    scenario: &Scenario,
    files: &[(String, Vec<u8>)],
    drawn: Pictures,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    pictures(scenario, files, &Version::this(), drawn)
}

/// The same of a run of any version.
fn pictures(
    scenario: &Scenario,
    files: &[Named],
    by: &Version,
    drawn: Pictures,
) -> Result<Vec<Named>, String> {
    let tables = tables(scenario, files)?;
    let mut pictures: Vec<Named> =
        charts(scenario, &tables, FINEST).iter().flat_map(|chart| chart.files(drawn)).collect();
    let names = files.iter().chain(&pictures).map(|(name, _)| name.clone()).collect();
    let provenance = provenance(files, by, names);
    pictures.push(("report.html".to_owned(), page(scenario, &tables, &provenance)));
    Ok(pictures)
}

/// One page that holds several runs against each other.
///
/// # Errors
/// If the tables of one are not those of its scenario.
pub fn several(runs: &[Kept]) -> Result<Vec<u8>, Error> {
    let mut read = Vec::new();
    for run in runs {
        let tables = tables(&run.scenario, &run.files).map_err(|why| run.unfit(&why))?;
        let provenance = provenance(&run.files, &run.version(), Vec::new());
        read.push((run.folder.display().to_string(), &run.scenario, tables, provenance));
    }
    Ok(page_of_several(&read))
}

fn tables(scenario: &Scenario, files: &[Named]) -> Result<Tables, String> {
    let lookup = |name: &str| Some(&files.iter().find(|(known, _)| known == name)?.1[..]);
    Tables::read(scenario, &lookup)
}

fn provenance(files: &[Named], by: &Version, names: Vec<String>) -> Provenance {
    Provenance {
        version: by.program.clone(),
        results_version: by.results,
        digest: digest(files),
        files: names,
    }
}
