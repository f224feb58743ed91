//! Whatever is written into a scenario, into a file that it names or behind `--set`, the reader says what is wrong or the run ends within
//! what was announced: never a panic, and never a wait.
//!
//! Sound scenarios are damaged at random, with the same luck each time.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use retrysim::experiment::{self, Options, conserved};
use retrysim::report;
use retrysim::scenario::Scenario;
use retrysim::simulation::Simulation;
use toml::{Table, Value};

/// How many cases each test goes through.
const CASES: usize = 1000;
/// The most attempts, as announced, of what is run.
const MOST_ATTEMPTS: f64 = 20_000.0;
/// How long a case may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is written in the place of a number.
const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "-0.0",
    "-1",
    "1",
    "2",
    "7",
    "0.5",
    "0.01",
    "1e308",
    "-1e308",
    "1e-308",
    "5e-324",
    "inf",
    "-inf",
    "nan",
    "255",
    "65536",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e19",
    "100000",
];
/// What is written in the place of a duration or a rate.
const TIMES: [&str; 22] = [
    "'1ns'",
    "'0s'",
    "'1us'",
    "'3s'",
    "'7m'",
    "'2h'",
    "'100000h'",
    "'9223372036s'",
    "'9223372037s'",
    "'18446744073s'",
    "'584y'",
    "'1e308h'",
    "'-1s'",
    "'1/h'",
    "'3/m'",
    "'2/s'",
    "'1e308/s'",
    "'1/1ns'",
    "'1000000000/s'",
    "'1/100000h'",
    "'0/s'",
    "'1e-9/s'",
];
/// What is written in the place of anything else.
const VALUES: [&str; 20] = [
    "''",
    "'\u{1F980}'",
    "true",
    "[]",
    "{}",
    "[[]]",
    "'full'",
    "'equal'",
    "'decorrelated'",
    "'client'",
    "'global'",
    "'nan'",
    "'inf'",
    "1979-05-27",
    "'obey'",
    "'any_failure'",
    "'unlimited'",
    "'connection_error'",
    "'no_answer'",
    "'=cmd()'",
];
/// What is written over a byte.
const BYTES: &[u8] = b"\"'[]{}=.,#\n\\ 0e-/s\xff\x00";

/// A stream of luck: splitmix64.
struct Luck(u64);

impl Luck {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is above 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// The shipped scenarios and templates, with fewer clients that call less often, so that much of what is sound can be run.
fn sound() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.join("scenarios"), root.join("src/cli/templates")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("the folder is there"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().map(|path| smaller(&std::fs::read_to_string(path).expect("it can be read"))).collect()
}

fn smaller(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        _ if line.starts_with('#') => String::new(),
        Some(("clients ", _)) => "clients = 9\n".to_owned(),
        Some(("replications ", _)) => "replications = 1\n".to_owned(),
        Some((field, _)) if field.starts_with("arrivals") => line.replace("/s\"", "/m\"") + "\n",
        _ => line.to_owned() + "\n",
    };
    text.lines().map(line).collect()
}

/// A value in the place of another, mostly of its kind.
fn instead(value: &str, luck: &mut Luck) -> String {
    let value = value.trim();
    let quoted = value.strip_prefix(['"', '\'']).and_then(|rest| rest.chars().next());
    let kind = match luck.below(8) {
        0 => luck.below(3),
        _ if quoted.is_some_and(|c| c.is_ascii_digit()) => 1,
        _ => {
            if value.parse::<f64>().is_ok() {
                0
            } else {
                2
            }
        }
    };
    [&NUMBERS[..], &TIMES, &VALUES].map(|values| luck.one(values))[kind].to_owned()
}

/// Where numbers stand in a text.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, c.is_ascii_digit() || c == '.') {
            (None, true) if c != '.' => start = Some(at),
            (Some(from), false) => {
                found.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Damages a text in one to three places.
fn damaged(text: &str, luck: &mut Luck) -> String {
    let mut text = text.to_owned();
    for _ in 0..=luck.below(3) {
        text = damaged_once(&text, luck);
    }
    text
}

fn damaged_once(text: &str, luck: &mut Luck) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return "\n".to_owned();
    }
    let at = luck.below(lines.len());
    match luck.below(10) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => {
            let other = luck.below(lines.len());
            lines.swap(at, other);
        }
        3 => lines.truncate(at),
        4 => {
            let mut bytes = text.as_bytes().to_vec();
            let at = luck.below(bytes.len());
            bytes[at] = if luck.below(2) == 0 {
                BYTES[luck.below(BYTES.len())]
            } else {
                bytes[at] ^ 1 << luck.below(8)
            };
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        5 | 6 => {
            if let Some((field, value)) = lines[at].split_once('=') {
                lines[at] = format!("{field}= {}", instead(value, luck));
            }
        }
        _ => {
            let found = numbers(text);
            if !found.is_empty() {
                let (from, to) = found[luck.below(found.len())];
                return format!("{}{}{}", &text[..from], luck.one(&NUMBERS), &text[to..]);
            }
        }
    }
    lines.join("\n")
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Refused,
    TooLarge,
    Run,
}

/// Reads a scenario, and runs it if it is announced to be small.
fn lived_through(text: &str, set: &[(String, String)]) -> End {
    let Ok(scenario) = Scenario::parse("fuzz", "fuzz.toml", text, set) else { return End::Refused };
    let _ = (scenario.notes(), scenario.kept());
    if scenario.expected_attempts_bound() > MOST_ATTEMPTS {
        return End::TooLarge;
    }
    for arm in 0..scenario.arms.len() {
        let record = Simulation::new(&scenario, arm, 0, 1).run();
        assert_eq!(conserved(&scenario, &record), Ok(()));
        let attempts: u64 = record.workloads.iter().map(|tally| tally.attempts).sum();
        // What is announced is what is expected; arrivals are random.
        let announced = scenario.expected_attempts_bound_of(arm);
        assert!(attempts as f64 <= 2.0 * announced + 200.0, "{attempts} attempts, {announced} announced");
    }
    // The whole of what `run` does, of as many as there is time for.
    if text.len().is_multiple_of(4) {
        let results = experiment::run(&scenario, Options { traced: 1, jobs: 1 }, &|| ());
        let verdicts = experiment::judge(&scenario, &results);
        let _ = (
            report::overview(&scenario, &results, 80),
            report::legend(&scenario),
            report::standings(&scenario, &results),
        );
        let _ =
            (report::verdicts(&verdicts), report::files(&scenario, &results, true, report::Pictures::Svg));
    }
    End::Run
}

/// Runs a case where it can be waited for; what went wrong, in words.
fn outcome(text: &str, set: &[(String, String)]) -> Result<End, String> {
    let (says, hears) = mpsc::channel();
    let case = (text.to_owned(), set.to_vec());
    std::thread::spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| lived_through(&case.0, &case.1)));
        let words = |payload: Box<dyn std::any::Any + Send>| {
            let text = payload.downcast_ref::<String>().cloned();
            text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        };
        says.send(ended.map_err(words)).ok();
    });
    hears.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(format!("not done after {PATIENCE:?}")))
}

/// Goes through so many cases, and names those that went wrong. Of all, at least one in thirty must have been run.
fn go_through(cases: usize, mut case: impl FnMut(&mut Luck) -> (String, Vec<(String, String)>)) {
    let (mut wrong, mut run) = (String::new(), 0);
    for number in 0..cases {
        let (text, set) = case(&mut Luck(number as u64));
        match outcome(&text, &set) {
            Ok(end) => run += usize::from(end == End::Run),
            Err(why) => {
                write!(wrong, "case {number}: {why}\n--set {set:?}\n{text}\n\n")
                    .expect("writing to a string");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(run * 30 >= cases, "only {run} of {cases} cases were run");
}

#[test]
fn no_damage_to_a_scenario_does_harm() {
    let sound = sound();
    go_through(CASES, |luck| {
        let text = &sound[luck.below(sound.len())];
        (damaged(text, luck), Vec::new())
    });
}

/// The paths of all values in a scenario, and the values.
fn paths(prefix: &str, value: &Value, found: &mut Vec<(String, String)>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            (0..).zip(items).map(|(index, value): (u32, _)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in below {
        let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        paths(&path, value, found);
        found.push((path, value.to_string()));
    }
}

#[test]
fn no_value_behind_set_does_harm() {
    let with_paths = |text: String| {
        let mut found = Vec::new();
        paths("", &Value::Table(text.parse::<Table>().expect("it is TOML")), &mut found);
        (text, found)
    };
    let sound: Vec<_> = sound().into_iter().map(with_paths).collect();
    go_through(CASES, |luck| {
        let (text, paths) = &sound[luck.below(sound.len())];
        let set = (0..=luck.below(2)).map(|_| {
            let (path, value) = &paths[luck.below(paths.len())];
            let path = if luck.below(20) == 0 { damaged_once(path, luck) } else { path.clone() };
            (path, instead(value, luck))
        });
        (text.clone(), set.collect())
    });
}

const TRACE: &str = "time,operation,key,status,latency,retry_after
0,read,a,200,0.25,
0.5,write,b,429,250ms,30
1,read,a,timeout,5s,
59.999999999,read,c,connection_error,0,
60,read,a,error_606,0.1,
";
const LATENCIES: &str = "latency\n0.1\n250ms\n3\n";

/// A scenario that replays one table and draws from another.
fn replay(trace: &str, latencies: &str) -> String {
    let quoted = |text: &str| Value::String(text.to_owned()).to_string();
    format!(
        "horizon = '5m'\n[services.api]\nlatency.empirical = {{ file = {{ name = 'l.csv', text = {} }} }}\n\
         [workloads.calls]\nservice = 'api'\nclients = 3\ntimeout = '2s'\n\
         arrivals.trace = {{ file = {{ name = 't.csv', text = {} }} }}\n\
         [policies.p]\nretries = 3\nbackoff.fixed = '1s'\nretry_after = 'obey'\n",
        quoted(latencies),
        quoted(trace)
    )
}

#[test]
fn no_damage_to_a_table_does_harm() {
    assert_eq!(outcome(&replay(TRACE, LATENCIES), &[]), Ok(End::Run), "undamaged it runs");
    go_through(CASES, |luck| {
        let text = match luck.below(4) {
            0 => replay(TRACE, &damaged(LATENCIES, luck)),
            _ => replay(&damaged(TRACE, luck), LATENCIES),
        };
        (text, Vec::new())
    });
}
