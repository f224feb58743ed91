//! `retrysim breaker`: what a breaker does with a scripted sequence of calls.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::breaker_trace::{Came, Line, Script, What};
use super::{assignments, print};
use crate::breaker::{Admission, Breaker, BreakerConfig, BreakerRules, Permit, State};
use crate::error::{Error, suggestion};
use crate::random::{Key, Purpose};
use crate::scenario::{Kind, Preset, Scenario};
use crate::simulation::breaker_key;
use crate::time::{Instant, Interval};

/// How many calls may be under way or waiting at once.
const MOST_CALLS: usize = 1_000_000;
/// How much output is kept before it is printed.
const PAGE: usize = 1 << 16;
/// The columns of the output.
const COLUMNS: [&str; 8] =
    ["step", "time_s", "event", "outcome", "admitted", "state_before", "state_after", "failures"];

/// What `--help` says; no comment of documentation, whose backticks would be printed.
const ABOUT: &str = "\
Replay a scripted sequence of calls against a breaker. A call is what it lets
out or refuses: an attempt, or a request where it is around the retries.

The trace is a CSV file. Its first line names the columns: time_s,event,outcome
and, where they are needed, call and took_s.

  time_s   seconds since the start, not before those of the row above
  event    call (begins and ends at once), start or end
  outcome  S or success; F or failure; or a status code, timeout or
           connection_error, which are a failure if the breaker counts them
           (an answer is one without a Retry-After header); a start may leave
           it out
  call     which call starts or ends: any name
  took_s   how long the call took, in seconds, for breakers that watch for
           slow ones

In what is printed, admitted is 1, 0, or waits for a call that waits for a
probe; when the probe has ended, a row with the event woken says what became of
it.";

/// Replay a scripted sequence of calls against a breaker.
#[derive(Debug, Args)]
#[command(
    long_about = ABOUT,
    after_help = "Example: retrysim breaker textbook:breaker --trace calls.csv --set threshold=3\n\nA calls.csv:\n\n  time_s,event,outcome\n  0,call,F\n  1,call,503\n  2.5,call,timeout\n  3,call,S"
)]
pub(super) struct Replay {
    /// The breaker: the id of a preset, or FILE#POLICY for the breaker of a policy in a scenario.
    #[arg(value_name = "PRESET")]
    breaker: String,
    /// The sequence of calls.
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// Whose breaker it is of several policies inside each other: 1 is the outermost.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    layer: u8,
    /// Set a parameter of the preset, or a field of the breaker; may be given several times.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table.
    Text,
    /// CSV.
    Csv,
}

impl Replay {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let rules = self.rules()?;
        // A trace with a mistake is to print nothing, and a long one is not to fill the memory: so it is read twice.
        if self.trace.is_file() {
            replay(&rules, &self.trace, Output::new(None))?;
        }
        replay(&rules, &self.trace, Output::new(Some(self.format)))?;
        Ok(ExitCode::SUCCESS)
    }

    fn rules(&self) -> Result<BreakerRules, Error> {
        match self.breaker.rsplit_once('#') {
            Some((file, policy)) => self.of_policy(file, policy),
            None if self.layer > 1 => {
                let message = format!("--layer {}: a breaker preset has no layers, leave it out", self.layer);
                Err(Error::Usage(message))
            }
            None => Ok(BreakerRules::new(&self.of_preset()?, Key::derive(1, 0, Purpose::BreakerOpen, "p"))),
        }
    }

    /// Open times that are drawn are those of the run, in its first replication: of the first workload that has the policy,
    /// and of its first client if each has a breaker of its own.
    fn of_policy(&self, file: &str, name: &str) -> Result<BreakerRules, Error> {
        let depth = usize::from(self.layer) - 1;
        let inner = ".inner".repeat(depth);
        let below = |(path, value)| (format!("policies.{name}{inner}.breaker.{path}"), value);
        let overrides: Vec<_> = self.fields()?.into_iter().map(below).collect();
        let scenario = Scenario::load(Path::new(file), &overrides)?;
        let Some(index) = scenario.policies.iter().position(|policy| policy.name == name) else {
            let help = suggestion(name, scenario.policies.iter().map(|policy| policy.name.as_str()));
            return Err(Error::Usage(format!("there is no policy \"{name}\" in the scenario: {help}")));
        };
        let layers = || scenario.policies[index].config.layers();
        let Some(layer) = layers().nth(depth) else {
            let message = format!("--layer {}: {name} has {} in all", self.layer, layers().count());
            return Err(Error::Usage(message));
        };
        let Some(config) = &layer.breaker else {
            let guarded = layers().position(|layer| layer.breaker.is_some());
            let help = guarded.map_or_else(
                || "give it one, or name another policy".into(),
                |depth| format!("one of those inside each other has, --layer {}", depth + 1),
            );
            return Err(Error::Usage(format!("the policy \"{name}\" has no breaker: {help}")));
        };
        let has_it = |workload: &usize| scenario.arms.iter().any(|arm| arm.policies[*workload] == index);
        let workload = (0..scenario.workloads.len()).find(has_it);
        let workload = workload.map_or(name, |workload| &scenario.workloads[workload].name);
        let key = |purpose, name: &str| Key::derive(scenario.seed, 0, purpose, name);
        Ok(BreakerRules::new(config, breaker_key((name, workload), config.scope, depth, key)))
    }

    fn of_preset(&self) -> Result<BreakerConfig, Error> {
        let id = &self.breaker;
        let presets = Preset::all();
        let breakers = presets.iter().filter(|preset| preset.kind() == Kind::Breaker);
        if !breakers.clone().any(|preset| preset.id == *id) {
            let help = suggestion(id, breakers.map(|preset| preset.id.as_str()));
            let message = format!("there is no breaker preset \"{id}\": {help} (or write FILE#POLICY)");
            return Err(Error::Usage(message));
        }
        let config = Scenario::preset_breaker(id, &self.fields()?)?;
        match config.problems().first() {
            None => Ok(config),
            Some((field, message)) => Err(Error::Usage(format!("{id}: {field}: {message}"))),
        }
    }

    fn fields(&self) -> Result<Vec<(String, String)>, Error> {
        assignments(&self.set, "open_for=10s")
    }
}

/// Replays the trace at `path`.
fn replay(rules: &BreakerRules, path: &Path, output: Output) -> Result<(), Error> {
    let mut script = Script::open(path)?;
    let output = output.naming_calls(script.names_calls());
    let mut stage = Stage {
        rules,
        breaker: Breaker::default(),
        calls: BTreeMap::new(),
        waiting: VecDeque::new(),
        output,
    };
    while let Some(line) = script.next()? {
        stage.play(&line).map_err(|(field, message)| script.problem(line.number, field, &message))??;
    }
    stage.output.flush()
}

/// A call that has begun, by its name.
#[derive(Debug, Clone, Copy)]
enum Call {
    UnderWay { permit: Permit, began: Instant },
    Waiting,
    Refused,
}

/// A call that waits for a probe to end. Its own end may come first, in the script: then it ends as soon as it begins.
#[derive(Debug)]
struct Waiting {
    step: u64,
    /// Its name as long as it has not ended.
    call: String,
    name: String,
    outcome: String,
    result: Option<(bool, Interval)>,
}

/// A field that makes no sense here, and why.
type Problem = (&'static str, String);

/// The breaker, and the calls around it.
struct Stage<'a> {
    rules: &'a BreakerRules,
    breaker: Breaker,
    calls: BTreeMap<String, Call>,
    waiting: VecDeque<Waiting>,
    output: Output,
}

impl Stage<'_> {
    /// Plays one row: the outer error is the row's, the inner one that of printing.
    fn play(&mut self, line: &Line) -> Result<Result<(), Error>, Problem> {
        let before = self.breaker.state_at(self.rules, line.now);
        let (admitted, wake) = match line.event {
            What::Call => self.begin_and_end(line)?,
            What::Start => (self.start(line)?, false),
            What::End => self.end(line)?,
        };
        let row = Row {
            step: line.step,
            time: &line.time,
            event: line.event.name(),
            outcome: &line.outcome,
            call: &line.call,
            admitted,
        };
        let printed = self.output.row(&row, before, &self.breaker);
        Ok(printed.and_then(|()| if wake { self.wake(line) } else { Ok(()) }))
    }

    /// What the result is to the breaker: what is no failure counts as a success.
    fn is_success(&self, line: &Line) -> bool {
        match line.result {
            Some(Came::Success) => true,
            Some(Came::Failure) | None => false,
            Some(Came::Outcome(outcome)) => !self.rules.is_failure(outcome, false),
        }
    }

    fn begin_and_end(&mut self, line: &Line) -> Result<(&'static str, bool), Problem> {
        let result = (self.is_success(line), line.took.unwrap_or_default());
        Ok(match self.breaker.try_acquire(self.rules, line.now) {
            Admission::Granted(permit) => {
                ("1", self.breaker.record(self.rules, line.now, permit, result.0, result.1))
            }
            Admission::Refused => ("0", false),
            Admission::Wait => {
                self.wait(line, String::new(), Some(result))?;
                ("waits", false)
            }
        })
    }

    fn start(&mut self, line: &Line) -> Result<&'static str, Problem> {
        if self.calls.contains_key(&line.call) {
            let message =
                format!("call \"{}\" has begun and not ended: end it first, or name another", line.call);
            return Err(("call", message));
        }
        let (admitted, call) = match self.breaker.try_acquire(self.rules, line.now) {
            Admission::Granted(permit) => ("1", Call::UnderWay { permit, began: line.now }),
            Admission::Refused => ("0", Call::Refused),
            Admission::Wait => {
                self.wait(line, line.call.clone(), None)?;
                ("waits", Call::Waiting)
            }
        };
        self.check_room()?;
        self.calls.insert(line.call.clone(), call);
        Ok(admitted)
    }

    fn end(&mut self, line: &Line) -> Result<(&'static str, bool), Problem> {
        let success = self.is_success(line);
        match self.calls.remove(&line.call) {
            None => {
                let message =
                    format!("call \"{}\" ends but has not begun: add its \"start\" above", line.call);
                Err(("call", message))
            }
            Some(Call::Refused) => Ok(("0", false)),
            Some(Call::UnderWay { permit, began }) => {
                let took = line.took.unwrap_or(line.now.since(began));
                Ok(("1", self.breaker.record(self.rules, line.now, permit, success, took)))
            }
            Some(Call::Waiting) => {
                if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.call == line.call) {
                    waiting.outcome.clone_from(&line.outcome);
                    waiting.result = Some((success, line.took.unwrap_or_default()));
                    waiting.call.clear();
                }
                Ok(("waits", false))
            }
        }
    }

    fn wait(&mut self, line: &Line, call: String, result: Option<(bool, Interval)>) -> Result<(), Problem> {
        self.check_room()?;
        let (name, outcome) = (line.call.clone(), line.outcome.clone());
        self.waiting.push_back(Waiting { step: line.step, call, name, outcome, result });
        Ok(())
    }

    fn check_room(&self) -> Result<(), Problem> {
        if self.calls.len() + self.waiting.len() >= MOST_CALLS {
            let message =
                format!("{MOST_CALLS} calls are under way or waiting, which is the limit: end some of them");
            return Err(("call", message));
        }
        Ok(())
    }

    /// A probe has ended: all who wait ask again, in their order.
    fn wake(&mut self, line: &Line) -> Result<(), Error> {
        let mut again = true;
        while again && !self.waiting.is_empty() {
            again = false;
            for waiting in std::mem::take(&mut self.waiting) {
                let before = self.breaker.state_at(self.rules, line.now);
                let (admitted, call) = match self.breaker.try_acquire(self.rules, line.now) {
                    Admission::Granted(permit) => ("1", Call::UnderWay { permit, began: line.now }),
                    Admission::Refused => ("0", Call::Refused),
                    Admission::Wait => {
                        self.waiting.push_back(waiting);
                        continue;
                    }
                };
                match (waiting.result, call) {
                    (Some((success, took)), Call::UnderWay { permit, .. }) => {
                        again |= self.breaker.record(self.rules, line.now, permit, success, took);
                    }
                    (Some(_), _) => {}
                    (None, call) => drop(self.calls.insert(waiting.call, call)),
                }
                let (step, outcome, call) = (waiting.step, &waiting.outcome, &waiting.name);
                let row = Row { step, time: &line.time, event: "woken", outcome, call, admitted };
                self.output.row(&row, before, &self.breaker)?;
            }
        }
        Ok(())
    }
}

/// What of a row of the output is known before the breaker.
struct Row<'a> {
    step: u64,
    time: &'a str,
    event: &'a str,
    outcome: &'a str,
    call: &'a str,
    admitted: &'a str,
}

/// The output, printed page by page.
struct Output {
    format: Option<Format>,
    /// Whether the table has a column for the names of calls.
    calls: bool,
    page: csv::Writer<Vec<u8>>,
    text: String,
}

impl Output {
    /// Prints nothing if there is no format.
    fn new(format: Option<Format>) -> Self {
        Self { format, calls: false, page: csv::Writer::from_writer(Vec::new()), text: String::new() }
    }

    /// Begins with the header.
    fn naming_calls(mut self, calls: bool) -> Self {
        self.calls = calls;
        self.cells(COLUMNS, "call");
        self
    }

    fn row(&mut self, row: &Row<'_>, before: State, breaker: &Breaker) -> Result<(), Error> {
        let (step, failures) = (row.step.to_string(), breaker.failures().to_string());
        let (before, after) = (before.name(), breaker.state().name());
        self.cells(
            [&step, row.time, row.event, row.outcome, row.admitted, before, after, &failures],
            row.call,
        );
        if self.text.len() > PAGE || self.page.get_ref().len() > PAGE { self.flush() } else { Ok(()) }
    }

    fn cells(&mut self, cells: [&str; 8], call: &str) {
        let [step, time, event, outcome, admitted, before, after, failures] = cells;
        match self.format {
            None => {}
            Some(Format::Csv) => self.page.write_record(cells).expect("memory takes what is written"),
            Some(Format::Text) => {
                let call = if self.calls { format!("  {call:<8}") } else { String::new() };
                self.text += &format!(
                    "{step:>6}  {time:>12}  {event:<5}{call}  {outcome:<7}  {admitted:>8}  {before:<12}  {after:<11}  {failures:>8}\n"
                );
            }
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let page = std::mem::replace(&mut self.page, csv::Writer::from_writer(Vec::new()));
        let bytes = page.into_inner().expect("memory takes what is written");
        print(&String::from_utf8_lossy(&bytes))?;
        print(&std::mem::take(&mut self.text))
    }
}
