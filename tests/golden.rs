//! The shipped scenarios give the numbers that they gave before, and their findings are true.
//!
//! Each snapshot holds the table and a digest of every CSV. A change here is a change of results: it needs a results
//! version and a line in the changelog.

use std::path::{Path, PathBuf};

use retrysim::experiment::{self, Options};
use retrysim::report;
use retrysim::scenario::Scenario;

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("there are scenarios")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_shipped_scenario_gives_its_known_results_and_its_finding_holds() {
    for path in shipped() {
        let scenario = Scenario::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
        let results = experiment::run(&scenario, Options::default(), &|| ());
        let verdicts = experiment::judge(&scenario, &results);
        assert!(!verdicts.is_empty(), "{}: its finding is not written as conditions", path.display());
        assert!(
            verdicts.iter().all(experiment::Verdict::met),
            "{}\n{}",
            path.display(),
            report::verdicts(&verdicts)
        );
        let files = report::files(&scenario, &results, false, report::Pictures::Svg);
        let digests: Vec<String> = files
            .iter()
            .filter(|(name, _)| {
                !name.starts_with("charts/")
                    && !["manifest.json", "scenario.toml", "report.html"].contains(&name.as_str())
            })
            .map(|(name, bytes)| format!("{name} {}", &report::sha256(bytes)[..16]))
            .collect();
        let table = report::table(&scenario, &results);
        insta::assert_snapshot!(scenario.name.as_str(), format!("{table}\n{}", digests.join("\n")));
    }
}

#[test]
fn every_shipped_scenario_opens_with_its_question_and_its_finding() {
    for path in shipped() {
        let text = std::fs::read_to_string(&path).expect("a scenario can be read");
        assert!(text.starts_with("# Question: "), "{}", path.display());
        let finding = text.split_once("\n# Finding:  ").map(|(_, rest)| rest.trim_start());
        let finding = finding.unwrap_or_else(|| panic!("{}: no finding", path.display()));
        assert!(finding.len() > 40, "{}: the finding is empty", path.display());
        assert!(text.contains("\n# Sources:  "), "{}: no sources", path.display());
        assert!(text.contains("\nquestion = "), "{}: no question for the report", path.display());
    }
}

#[test]
fn the_readme_of_the_scenarios_names_each_of_them() {
    let readme = include_str!("../scenarios/README.md");
    for path in shipped() {
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        assert!(readme.contains(&format!("({name})")), "scenarios/README.md does not name {name}");
    }
}
