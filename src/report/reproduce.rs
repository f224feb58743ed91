//! Whether a run comes out again: what its folder has kept, held against what its scenario gives now.

use std::path::Path;

use csv::ByteRecord;
use serde_json::Value;

use super::kept::{SCENARIO, manifest_of_run, missing, part, scenario_of_run};
use super::manifest::{RESULTS_VERSION, is_result, sha256};
use crate::error::Error;
use crate::scenario::Scenario;

/// How much is shown of a value, in characters.
const MOST_SHOWN: usize = 60;

/// The folder of a run, as it lies there now.
#[derive(Debug)]
pub struct Original {
    /// The scenario that it has kept.
    pub scenario: Scenario,
    /// How many requests per workload it has followed.
    pub traced: u32,
    manifest: Value,
    /// Its scenario and its results, as far as they are there.
    files: Vec<(String, Vec<u8>)>,
}

/// A file of the run, held against what comes out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What differs, in words; `None` if nothing does.
    pub difference: Option<String>,
}

impl Original {
    /// Reads the folder of a run; files that its scenario names are looked for in `data`, or in the folder if that is absent.
    ///
    /// # Errors
    /// If it is not the folder of a run, or if its scenario can no longer be run.
    pub fn read(folder: &Path, data: Option<&Path>) -> Result<Self, Error> {
        let manifest = manifest_of_run(folder, "only a run can be reproduced")?;
        let mut files = Vec::new();
        let results = manifest["files"].as_object().into_iter().flat_map(|files| files.keys());
        // A manifest that names what lies elsewhere is not one that a run has written.
        for name in results.filter(|name| *name == SCENARIO || is_result(name) && !name.contains(['/', '\\']))
        {
            match part(folder, name)? {
                Some(bytes) => files.push((name.clone(), bytes)),
                None if name == SCENARIO => return Err(missing(folder, name)),
                None => {}
            }
        }
        let scenario = scenario_of_run(folder, &manifest, data)?;
        let traced = manifest["trace"].as_u64().and_then(|traced| traced.try_into().ok()).unwrap_or(0);
        Ok(Self { scenario, traced, manifest, files })
    }

    /// What is to be known before its files are compared: another results version.
    pub fn note(&self) -> Option<String> {
        let (theirs, ours) = (&self.manifest["results_version"], RESULTS_VERSION);
        (*theirs != ours).then(|| {
            format!(
                "the run has results version {theirs}, this program {ours}: scenarios may give other numbers since then, so \
                 digests need not agree"
            )
        })
    }

    /// Holds the scenario, the files that it names and every result against the manifest and `again`, the results that come out
    /// now (name, bytes).
    pub fn against(&self, again: &[(String, Vec<u8>)]) -> Vec<Compared> {
        let mut compared = vec![self.scenario_itself()];
        compared.extend(self.data_files());
        let known = self.manifest["files"].as_object().into_iter().flat_map(|files| files.keys());
        let known: Vec<&String> = known.filter(|name| is_result(name)).collect();
        let more = again.iter().map(|(name, _)| name).filter(|name| !known.contains(name));
        compared.extend(known.iter().copied().chain(more).map(|name| {
            let new = again.iter().find(|(other, _)| other == name).map(|(_, bytes)| &bytes[..]);
            Compared { name: name.clone(), difference: self.difference(name, new) }
        }));
        compared
    }

    fn known(&self, name: &str) -> Option<&str> {
        self.manifest["files"][name].as_str()
    }

    fn kept(&self, name: &str) -> Option<&[u8]> {
        self.files.iter().find(|(known, _)| known == name).map(|(_, bytes)| &bytes[..])
    }

    fn scenario_itself(&self) -> Compared {
        let digest = self.kept(SCENARIO).map(sha256);
        let changed = digest.as_deref() != self.known(SCENARIO);
        let difference = "it was changed since the run, and what follows is what it gives now";
        Compared { name: SCENARIO.to_owned(), difference: changed.then(|| difference.to_owned()) }
    }

    /// The files that the scenario names.
    fn data_files(&self) -> impl Iterator<Item = Compared> {
        let known = &self.manifest["scenario"]["files"];
        self.scenario.files.iter().map(|file| {
            let differs = known[&file.name].as_str() != Some(file.sha256.as_str());
            let difference =
                "it is not the file that the run has read: name the folder of that one with --data";
            Compared { name: file.name.clone(), difference: differs.then(|| difference.to_owned()) }
        })
    }

    /// What differs between a result as the manifest and the folder have it, and as it comes out now.
    fn difference(&self, name: &str, new: Option<&[u8]>) -> Option<String> {
        let Some(known) = self.known(name) else {
            return Some("the run has not written it".to_owned());
        };
        let Some(new) = new else {
            return Some("it does not come out again".to_owned());
        };
        let agrees = sha256(new) == known;
        match self.kept(name) {
            None if agrees => {
                Some("it is gone from the folder; what comes out now has its digest".to_owned())
            }
            None => Some("it is gone from the folder, and what comes out now has another digest".to_owned()),
            Some(kept) if kept == new => {
                (!agrees).then(|| "the folder has what comes out now, the manifest another digest".to_owned())
            }
            Some(kept) if sha256(kept) == known => Some(first_difference(kept, new)),
            Some(kept) => Some(format!("it was changed since the run: {}", first_difference(kept, new))),
        }
    }
}

/// Where two CSV files differ first, in words.
fn first_difference(kept: &[u8], new: &[u8]) -> String {
    let (kept, new) = (records(kept), records(new));
    let header = kept.first().or(new.first()).cloned().unwrap_or_default();
    for (old, new) in kept.iter().zip(&new) {
        let line = old.position().map_or(0, csv::Position::line);
        let cells = old.len().max(new.len());
        if let Some(column) = (0..cells).find(|&column| old.get(column) != new.get(column)) {
            let name = header.get(column).map_or_else(|| (column + 1).to_string(), shown);
            let value = |record: &ByteRecord| record.get(column).map_or_else(|| "nothing".into(), quoted);
            return format!("line {line}, column {name}: {} in the folder, {} now", value(old), value(new));
        }
    }
    let (kept, new) = (kept.len(), new.len());
    match kept.cmp(&new) {
        std::cmp::Ordering::Equal => "all cells agree, but not how they are written".to_owned(),
        _ => format!("{kept} lines in the folder, {new} now, of which the first {} agree", kept.min(new)),
    }
}

fn records(bytes: &[u8]) -> Vec<ByteRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    reader.byte_records().map_while(Result::ok).collect()
}

fn shown(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).escape_debug().take(MOST_SHOWN).collect()
}

fn quoted(cell: &[u8]) -> String {
    format!("\"{}\"", shown(cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found() {
        let kept = b"arm,value\na,1\nb,2\n";
        for (new, said) in [
            (&b"arm,value\na,1\nb,3\n"[..], "line 3, column value: \"2\" in the folder, \"3\" now"),
            (b"arm,value\nc,1\nb,3\n", "line 2, column arm: \"a\" in the folder, \"c\" now"),
            (b"arm,value\na,1\n", "3 lines in the folder, 2 now, of which the first 2 agree"),
            (b"arm,value,more\na,1\nb,2\n", "line 1, column 3: nothing in the folder, \"more\" now"),
            (b"arm,value\r\na,1\nb,\"2\"\n", "all cells agree, but not how they are written"),
            (b"", "3 lines in the folder, 0 now, of which the first 0 agree"),
        ] {
            assert_eq!(first_difference(kept, new), said);
        }
        let escaped = first_difference(b"a\n\x1b[2J\n", b"a\nb\n");
        assert!(!escaped.contains('\x1b'), "a terminal is told nothing: {escaped}");
    }
}
