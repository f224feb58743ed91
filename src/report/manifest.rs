//! The manifest: what was run and what came out, so that anyone can run it again and compare. Nothing in it varies between
//! identical runs.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::sweep::Plan;
use crate::experiment::Results;
use crate::scenario::Scenario;

/// The version of the results: it changes with every change that gives a scenario other numbers.
pub const RESULTS_VERSION: u32 = 5;

/// What the manifest says wrote the folder.
pub(super) const PROGRAM: &str = "retrysim";

/// What has written a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// The version of the program.
    pub(super) program: String,
    /// The version of the results.
    pub(super) results: u64,
}

impl Version {
    /// That of this program.
    pub(super) fn this() -> Self {
        Self { program: env!("CARGO_PKG_VERSION").to_owned(), results: RESULTS_VERSION.into() }
    }
}

/// What a folder is the work of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `run`.
    Run,
    /// `sweep`, or `merge`, which gives what a sweep gives.
    Sweep,
    /// `limits`.
    Limits,
    /// `tune`.
    Tune,
}

impl Verb {
    /// As it is written on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Sweep => "sweep",
            Self::Limits => "limits",
            Self::Tune => "tune",
        }
    }
}

/// `manifest.json`, for a `verb` that wrote `files` (name, bytes).
pub(super) fn manifest(verb: Verb, scenario: &Scenario, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    written(&described(verb, scenario, files))
}

/// `manifest.json` of a run: what it has followed is asked for on the command line, and no part of the scenario.
pub(super) fn of_run(scenario: &Scenario, results: &Results, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut manifest = described(Verb::Run, scenario, files);
    if results.traced > 0 {
        manifest["trace"] = results.traced.into();
    }
    written(&manifest)
}

fn described(verb: Verb, scenario: &Scenario, files: &[(String, Vec<u8>)]) -> Value {
    let mut manifest = json!({
        "program": PROGRAM,
        "verb": verb.name(),
        "version": env!("CARGO_PKG_VERSION"),
        "results_version": RESULTS_VERSION,
        "scenario": { "name": scenario.name, "title": scenario.title, "sha256": sha256(scenario.kept().as_bytes()) },
        "seed": scenario.seed,
        "replications": scenario.replications,
        "arms": scenario.arms.iter().map(|arm| &arm.name).collect::<Vec<_>>(),
        "digest": digest(files),
        "files": digests(files),
    });
    if !scenario.files.is_empty() {
        let names = scenario.files.iter().map(|file| (file.name.clone(), Value::String(file.sha256.clone())));
        manifest["scenario"]["files"] = Value::Object(names.collect());
    }
    manifest
}

/// `manifest.json` of a sweep, or of a shard of it, that wrote `files`.
pub(super) fn of_sweep(plan: &Plan, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut manifest = json!({
        "program": PROGRAM,
        "verb": Verb::Sweep.name(),
        "version": env!("CARGO_PKG_VERSION"),
        "results_version": RESULTS_VERSION,
        "scenario": { "name": plan.name, "title": plan.title, "sha256": plan.scenario },
        "seed": plan.seed,
        "replications": plan.replications,
        "arms": plan.arms,
        "axes": plan.axes,
        "points": plan.points.len(),
        "digest": digest(files),
        "files": digests(files),
    });
    if let Some(shard) = plan.shard() {
        manifest["shard"] = Value::String(shard.to_string());
    }
    written(&manifest)
}

pub(super) fn written(manifest: &Value) -> Vec<u8> {
    let mut text = serde_json::to_string_pretty(manifest).expect("a manifest is plain JSON");
    text.push('\n');
    text.into_bytes()
}

/// The digest of each file.
pub(super) fn digests(files: &[(String, Vec<u8>)]) -> Map<String, Value> {
    files.iter().map(|(name, bytes)| (name.clone(), Value::String(sha256(bytes)))).collect()
}

/// The digest of all results.
pub(super) fn digest(files: &[(String, Vec<u8>)]) -> String {
    let mut all = Sha256::new();
    for (name, bytes) in files.iter().filter(|(name, _)| is_result(name)) {
        all.update(name);
        all.update(sha256(bytes));
    }
    hex(&all.finalize())
}

/// Results are the numbers: charts may change their looks without the results having changed.
pub(super) fn is_result(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "csv")
}

/// The SHA-256 of `bytes`, as `sha256sum` prints it.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string");
        text
    })
}
