//! Fingerprints: what every arm of every shipped scenario comes to, in a table, so that a change of a single bit anywhere is seen, and
//! is the same for any number of threads, in any process and in whatever order a scenario declares its parts.
//!
//! `tests/golden.rs` holds whole runs against their digests; here it is arms, which a scenario may declare in any order.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use retrysim::experiment::{self, Options};
use retrysim::report::{RESULTS_VERSION, result_files, sha256};
use retrysim::scenario::Scenario;
use toml::{Table, Value};

/// How many requests of each workload are followed from their arrival to their end.
const FOLLOWED: usize = 5;
const REPLICATIONS: &str = "1";
/// Scenarios that take long, and as much of them as has something of everything in it.
const SHORTENED: [(&str, &str); 11] = [
    ("autoscaling-lag", "6m"),
    ("best-practices", "12m"),
    ("breaker-flapping", "10m"),
    ("cold-cache", "8m"),
    ("deadline-or-retries", "140s"),
    ("deploy-brownout", "6m"),
    ("layered-retries", "140s"),
    ("lifo-or-fifo", "3m"),
    ("outage-recovery-herd", "4m"),
    ("point-of-no-return", "80s"),
    ("slow-or-down", "6m"),
];
/// Files in which every row is of one arm, and of nothing that depends on other arms.
const FILES: [&str; 5] =
    ["summary.csv", "replications.csv", "timeseries.csv", "time_to_success.csv", "attempts.csv"];
/// The sections whose order says nothing.
const UNORDERED: [&str; 3] = ["services", "workloads", "policies"];

/// Digests by scenario and arm.
type Fingerprints = BTreeMap<(String, String), String>;

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(folder).expect("there are scenarios");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_stem().expect("a file has a name").to_string_lossy().into_owned()
}

/// The digest of each arm: of its rows, in the order of their bytes.
fn fingerprints(scenario: &str, files: &[(String, Vec<u8>)]) -> Fingerprints {
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in FILES {
        let (_, bytes) = files.iter().find(|(other, _)| other == name).expect("the file is written");
        let text = String::from_utf8_lossy(bytes);
        for row in text.lines().skip(1) {
            let (arm, _) = row.split_once(',').expect("a row has cells");
            rows.entry(arm.to_owned()).or_default().push(format!("{name},{row}\n"));
        }
    }
    let digest = |mut rows: Vec<String>| {
        rows.sort();
        sha256(rows.concat().as_bytes())[..32].to_owned()
    };
    rows.into_iter().map(|(arm, rows)| ((scenario.to_owned(), arm), digest(rows))).collect()
}

/// The fields in which what is run differs from what is shipped.
fn changes(name: &str) -> Vec<(String, String)> {
    let shortened = SHORTENED.iter().filter(|(long, _)| *long == name);
    let horizon = shortened.map(|(_, horizon)| ("horizon".to_owned(), (*horizon).to_owned()));
    horizon.chain([("replications".to_owned(), REPLICATIONS.to_owned())]).collect()
}

/// Those of a text, in this process.
fn here(name: &str, text: &str, jobs: usize) -> Fingerprints {
    let scenario =
        Scenario::parse(name, name, text, &changes(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let results = experiment::run(&scenario, Options { traced: FOLLOWED, jobs }, &|| ());
    fingerprints(name, &result_files(&scenario, &results, true))
}

/// Those of a shipped scenario, in a process of its own.
fn elsewhere(path: &Path, jobs: &str) -> Fingerprints {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
    command.current_dir(place.path()).arg("run").arg(path);
    command.args(["--out", "here", "--format", "quiet", "--jobs", jobs, "--trace", &FOLLOWED.to_string()]);
    for (field, value) in changes(&name(path)) {
        command.args(["--set", &format!("{field}={value}")]);
    }
    let output = command.output().expect("the binary runs");
    // With so few replications some findings are undecided.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}: {said}", path.display());
    let read = |file: &str| fs::read(place.path().join("here").join(file)).expect("the file is written");
    fingerprints(&name(path), &FILES.map(|file| (file.to_owned(), read(file))))
}

/// The same scenario with its parts in another order.
fn shuffled(text: &str) -> String {
    let mut document: Table = text.parse().expect("a shipped scenario is TOML");
    for section in UNORDERED {
        if let Some(Value::Table(parts)) = document.get_mut(section) {
            // The last two first, then the others from the front: no part stays where it was, of three or more none keeps its neighbours.
            let mut order: Vec<(String, Value)> = std::mem::take(parts).into_iter().collect();
            order.reverse();
            let odd = order.iter().skip(1).step_by(2).cloned().collect::<Vec<_>>();
            let even = order.into_iter().step_by(2);
            parts.extend(even.chain(odd));
        }
    }
    let sections: Vec<(String, Value)> = document.into_iter().collect();
    // Sections may come in any order as well; what is in none stands before all.
    let (sections, fields): (Vec<_>, Vec<_>) = sections.into_iter().partition(|(_, value)| value.is_table());
    let all: Table = fields.into_iter().chain(sections.into_iter().rev()).collect();
    toml::to_string(&all).expect("a table prints as TOML")
}

fn table(known: &Fingerprints) -> String {
    let rows = known.iter().map(|((scenario, arm), digest)| format!("{scenario},{arm},{digest}\n"));
    let rows: Vec<String> = rows.collect();
    format!("scenario,arm,results_version_{RESULTS_VERSION}\n{}", rows.concat())
}

#[test]
fn every_arm_has_its_known_fingerprint_on_any_number_of_threads_and_in_any_process() {
    let mut found = Fingerprints::new();
    for path in shipped() {
        let text = fs::read_to_string(&path).expect("a scenario can be read");
        let first = here(&name(&path), &text, 2);
        assert!(first == elsewhere(&path, "1"), "{}: another process on 1 thread", path.display());
        assert!(first == elsewhere(&path, "8"), "{}: another process on 8 threads", path.display());
        found.extend(first);
    }
    let (found, known) = (table(&found), include_str!("fingerprints.csv"));
    if found != known {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fingerprints.csv");
        fs::write(&new, &found).expect("a file can be written");
        let changed: Vec<&str> =
            found.lines().filter(|line| !known.lines().any(|other| other == *line)).collect();
        panic!(
            "results have changed: raise the results version, say so in CHANGELOG.md under *Results*, and take the table over from {}\n{}",
            new.display(),
            changed.join("\n")
        );
    }
}

#[test]
fn the_order_in_which_a_scenario_declares_its_parts_changes_no_arm() {
    for path in shipped() {
        let text = fs::read_to_string(&path).expect("a scenario can be read");
        let other = shuffled(&text);
        for ((scenario, arm), digest) in here(&name(&path), &other, 2) {
            let row = format!("\n{scenario},{arm},{digest}\n");
            assert!(
                include_str!("fingerprints.csv").contains(&row),
                "no {row} in fingerprints.csv, of\n{other}"
            );
        }
    }
}

#[test]
fn a_shuffled_scenario_has_another_order_and_the_same_parts() {
    let text = "horizon = '1m'\n[services]\na = 1\nb = 2\nc = 3\n[policies]\nd = 4\ne = 5\n";
    assert_eq!(
        shuffled(text),
        "horizon = \"1m\"\n\n[policies]\ne = 5\nd = 4\n\n[services]\nc = 3\na = 1\nb = 2\n"
    );
}

/// Two workloads whose requests come at the same instants to a service that lets half of them in: whoever goes first gets through.
const TIES: &str = "
horizon = '1m'
[services.api]
rate_limit.token_bucket = { rate = '1/h', burst = 5 }
[workloads.a]
service = 'api'
clients = 5
policy = 'again'
arrivals.burst = { at = '1s', every = '20s' }
[workloads.b]
service = 'api'
clients = 5
policy = 'once'
arrivals.burst = { at = '1s', every = '20s' }
[policies.once]
retries = 0
[policies.again]
retries = 1
backoff.fixed = '20s'
";

#[test]
fn who_goes_first_at_one_instant_does_not_depend_on_who_is_declared_first() {
    assert_eq!(here("ties", TIES, 1), here("ties", &shuffled(TIES), 1));
    // It matters: with room for one more, somebody else gets through.
    assert_ne!(here("ties", TIES, 1), here("ties", &TIES.replace("burst = 5", "burst = 6"), 1));
}
