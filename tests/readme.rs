//! The README tells the truth: its commands print what it shows, and its scenario is sound.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use retrysim::scenario::Scenario;

const README: &str = include_str!("../README.md");

/// The fenced blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    README.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A folder with the shipped scenarios in it.
fn checkout() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let scenarios = place.path().join("scenarios");
    fs::create_dir(&scenarios).expect("a folder can be made");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for entry in fs::read_dir(shipped).expect("there are scenarios") {
        let path = entry.expect("an entry can be read").path();
        fs::copy(&path, scenarios.join(path.file_name().expect("a file has a name")))
            .expect("a file can be copied");
    }
    place
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    let blocks = blocks("console");
    assert!(!blocks.is_empty());
    for block in blocks {
        let (command, shown) = block.split_once('\n').expect("a command and its output");
        let command = command.strip_prefix("$ ").expect("a command begins with $");
        let arguments =
            command.trim_start_matches("cargo run --release --locked -- ").trim_start_matches("retrysim ");
        let place = checkout();
        let mut binary = Command::cargo_bin("retrysim").expect("the binary is built");
        let output = binary.current_dir(place.path()).args(arguments.split(' ')).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "{command}");
    }
}

#[test]
fn the_scenario_in_the_readme_is_sound() {
    for block in blocks("toml") {
        Scenario::parse("readme", "README.md", &block, &[]).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_run_that_the_readme_shows_is_the_run_of_its_command() {
    let place = checkout();
    let mut binary = Command::cargo_bin("retrysim").expect("the binary is built");
    binary
        .current_dir(place.path())
        .args(["run", "scenarios/jitter-vs-fixed.toml", "--format", "quiet"])
        .assert()
        .success();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("output/jitter-vs-fixed");
    for name in ["manifest.json", "summary.csv", "timeseries.csv", "charts/load.svg"] {
        let read =
            |folder: &Path| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            read(&kept) == read(&place.path().join("output/jitter-vs-fixed")),
            "output/jitter-vs-fixed/{name} is out of date"
        );
    }
}
