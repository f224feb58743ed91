//! Recorded arrivals: when requests came, and perhaps what they were and how they went.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::value::I64Deserializer;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::Requests;
use crate::outcome::{Outcome, StatusCode, named_error};
use crate::schema::Either;
use crate::table::{Row, TableFile, decimal_nanos, duration};
use crate::time::{Instant, Interval};

/// The most operations that a trace may tell apart.
const MOST_OPERATIONS: usize = 1000;
/// The columns; only the first one must be there.
const COLUMNS: [&str; 6] = ["time", "operation", "key", "status", "latency", "retry_after"];
/// The first time that no number of seconds reaches: the year 5138, counted from 1970; as milliseconds it is in 1973.
const BEYOND_SECONDS: i128 = 100_000_000_000 * 1_000_000_000;

/// Requests that come when they came: the rows of a CSV file with the columns `time` (seconds as a decimal number, or RFC 3339),
/// `operation` and `key` (any text), `status` (a code, `timeout`, `connection_error` or an error of the body such as `error_606`),
/// `latency` (seconds, or with a unit) and `retry_after` (what the answer asked to wait for, likewise). All but `time` may be
/// missing; `status` and `latency` are there both or neither. A date without a zone is UTC. Rows need not be sorted: those of one
/// time keep their order. The clients take turns.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<String, Fields>")]
pub struct Trace {
    /// What was recorded.
    pub recording: Arc<Recording>,
    /// When arrivals stop (no arrival at or after it), counted from the start of the run; with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
    /// What the first attempt of each request comes to, if the trace has `status` and `latency`.
    pub first_attempts: FirstAttempts,
}

/// What becomes of the first attempts of a trace that says how its requests went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstAttempts {
    /// What was recorded, after as long as it took; retries meet the service as it is described. First attempts take from its
    /// rate limits, but are answered whether these let them through or not.
    #[default]
    Recorded,
    /// They meet the service as it is described, like retries.
    Simulated,
}

/// The rows of a trace, in order of time.
#[derive(Debug, PartialEq, Eq)]
pub struct Recording {
    requests: Vec<Recorded>,
    /// The names of the operations, sorted; empty if the trace does not say.
    operations: Vec<String>,
    /// How many different keys there are; 0 if the trace does not say.
    keys: u64,
    /// The name of the file.
    file: String,
    /// How many rows came before `starts`, and are left out.
    early: u64,
}

/// How a recorded attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// What came back.
    pub outcome: Outcome,
    /// How long it took.
    pub latency: Interval,
    /// How long the answer asked to wait, if it did.
    pub retry_after: Option<Interval>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Recorded {
    at: Interval,
    operation: u32,
    key: u32,
    result: Option<RecordedAnswer>,
}

impl Recording {
    /// When the first request comes; 0s if there is none.
    pub(super) fn begins(&self) -> Interval {
        self.requests.first().map_or(Interval::ZERO, |request| request.at)
    }

    /// What a run of `horizon` makes of it that one may not expect, in sentences, if first attempts come to what was recorded and
    /// clients wait for `patience`; `until` and `most` say which rows are left out on purpose.
    pub(super) fn notes(
        &self,
        horizon: Interval,
        patience: Option<Interval>,
        (until, most): (Option<Interval>, u64),
    ) -> Vec<String> {
        let (file, came) = (&self.file, self.requests.len() as u64);
        let mut notes = Vec::new();
        let all = came + self.early;
        if self.early > 0 {
            notes.push(format!(
                "left out of {file}: {} of {all} rows, which come before `starts`",
                self.early
            ));
        }
        let late = came.min(most) - self.count_before(horizon).min(most);
        if late > 0 && until.is_none_or(|until| until > horizon) {
            let last = self.requests[came.min(most) as usize - 1].at;
            notes.push(format!(
                "left out of {file}: {late} of {all} rows, which come after the run of {horizon}; the last comes after {last}"
            ));
        }
        let limit = patience.unwrap_or(Interval::MAX);
        let answered = |answer: &RecordedAnswer| answer.outcome != Outcome::Timeout && answer.latency > limit;
        let slow = self.requests.iter().filter_map(|request| request.result).filter(answered);
        let (count, longest) = slow
            .fold((0, Interval::ZERO), |(count, longest), answer| (count + 1, answer.latency.max(longest)));
        if count > 0 {
            let what = if limit < horizon { "timeout" } else { "run" };
            notes.push(format!(
                "longer than the {what} of {limit} in {file}: {count} of {all} recorded latencies, up to {longest}; without a unit they \
                 are in seconds"
            ));
        }
        notes
    }

    /// When the request with this number came.
    pub fn at(&self, number: u64) -> Option<Instant> {
        self.requests.get(number as usize).map(|request| Instant::START + request.at)
    }

    /// How many requests came before `end`.
    pub fn count_before(&self, end: Interval) -> u64 {
        self.requests.partition_point(|request| request.at < end) as u64
    }

    /// The names of the operations, sorted; empty if the trace does not say.
    pub fn operations(&self) -> &[String] {
        &self.operations
    }

    /// Index of the operation of the request with this number, if the trace says.
    pub fn operation(&self, number: u64) -> Option<usize> {
        let request = self.requests.get(number as usize).filter(|_| !self.operations.is_empty())?;
        Some(request.operation as usize)
    }

    /// How many different keys there are, if the trace says.
    pub fn keys(&self) -> Option<u64> {
        (self.keys > 0).then_some(self.keys)
    }

    /// The key of the request with this number, if the trace says: keys count from 0 in the order in which they first came.
    pub fn key(&self, number: u64) -> Option<u32> {
        self.requests.get(number as usize).filter(|_| self.keys > 0).map(|request| request.key)
    }

    /// True if the trace says of any request how it went.
    pub fn has_results(&self) -> bool {
        self.requests.iter().any(|request| request.result.is_some())
    }

    /// How the request with this number went, if the trace says.
    pub fn result(&self, number: u64) -> Option<RecordedAnswer> {
        self.requests.get(number as usize)?.result
    }
}

/// The fields of a trace as they stand in the file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TraceFields")]
struct Fields {
    /// What the first attempt of each request comes to; as recorded if absent and the trace has `status` and `latency`.
    first_attempts: Option<FirstAttempts>,
    /// The CSV file.
    file: TableFile,
    /// The time in the file at which the run starts, seconds or a date as there; that of its first row if absent.
    starts: Option<String>,
    /// When arrivals stop (no arrival at or after it), counted from the start of the run; with the run if absent.
    until: Option<Interval>,
    /// How many requests at most.
    requests: Option<Requests>,
}

impl<'de> Deserialize<'de> for Trace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let recording = read(&fields.file, fields.starts.as_deref()).map_err(D::Error::custom)?;
        let Fields { first_attempts, until, requests, .. } = fields;
        if first_attempts == Some(FirstAttempts::Recorded) && !recording.has_results() {
            return Err(D::Error::custom(format!(
                "{}: it does not say how first attempts went: give it the columns `status` and `latency`, or leave out \
                 `first_attempts`",
                recording.file
            )));
        }
        let first_attempts = first_attempts.unwrap_or_default();
        Ok(Self { recording: Arc::new(recording), until, requests, first_attempts })
    }
}

/// A time as it is written in a trace: nanoseconds, counted from an origin that depends on how it is written.
#[derive(Debug, Clone, Copy)]
struct Time {
    nanos: i128,
    is_date: bool,
}

impl Time {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(nanos) = decimal_nanos(text) {
            if nanos >= BEYOND_SECONDS {
                return Err(format!("{text} s is after the year 5000: write seconds, not milliseconds"));
            }
            return Ok(Self { nanos, is_date: false });
        }
        // Without a zone it is that of UTC.
        let date = text.parse().or_else(|_| format!("{text}Z").parse::<jiff::Timestamp>()).map_err(|_| {
            format!(
                "\"{text}\" is no time: write seconds, such as 12.5, or a date such as 2026-01-05T08:30:00Z"
            )
        })?;
        Ok(Self { nanos: date.as_nanosecond(), is_date: true })
    }
}

/// Numbers texts in the order in which they first come.
#[derive(Debug, Default)]
struct Numbering(BTreeMap<String, u32>);

impl Numbering {
    fn number(&mut self, text: &str) -> u32 {
        let next = self.0.len() as u32;
        match self.0.get(text) {
            Some(&number) => number,
            None => *self.0.entry(text.to_owned()).or_insert(next),
        }
    }
}

fn read(file: &TableFile, starts: Option<&str>) -> Result<Recording, String> {
    let starts = starts.map(Time::parse).transpose().map_err(|why| format!("starts: {why}"))?;
    let mut is_date = None;
    let (mut operations, mut keys) = (Numbering::default(), Numbering::default());
    let mut rows: Vec<(i128, Recorded)> = Vec::new();
    file.read(&COLUMNS, |row| {
        let time = Time::parse(row.cell(0))?;
        if let Some(starts) = starts.filter(|starts| starts.is_date != time.is_date) {
            let [start, time] =
                [starts, time].map(|time| if time.is_date { "a date" } else { "a number of seconds" });
            return Err(format!("\"{}\" is {time}, and `starts` is {start}: write both alike", row.cell(0)));
        }
        if *is_date.get_or_insert(time.is_date) != time.is_date {
            let other = if time.is_date { "a number of seconds" } else { "a date" };
            return Err(format!("\"{}\" follows on {other}: write all times of a trace alike", row.cell(0)));
        }
        let number = |column: usize, numbering: &mut Numbering| match row.get(column) {
            None => Ok(0),
            Some("") => Err(format!("the {} is empty: fill it in, or leave the column out", COLUMNS[column])),
            Some(text) => Ok(numbering.number(text)),
        };
        let (operation, key) = (number(1, &mut operations)?, number(2, &mut keys)?);
        if operations.0.len() > MOST_OPERATIONS {
            return Err(format!("there are more than {MOST_OPERATIONS} operations: group them"));
        }
        rows.push((time.nanos, Recorded { at: Interval::ZERO, operation, key, result: result(row)? }));
        Ok(())
    })?;
    let first = rows.first().map_or(0, |row| row.0);
    let all = rows.len();
    let origin = match starts {
        Some(starts) => {
            rows.retain(|row| row.0 >= starts.nanos);
            starts.nanos
        }
        None => rows.iter().map(|row| row.0).fold(first, i128::min),
    };
    let early = (all - rows.len()) as u64;
    rows.sort_by_key(|row| row.0); // stable
    let last = rows.last().ok_or_else(|| format!("{}: all rows are before `starts`", file.name))?.0;
    if last - origin > i128::from(Interval::MAX.as_nanos()) {
        return Err(format!(
            "{}: it spans more than 100 years; `starts` says from when on to count",
            file.name
        ));
    }
    let requests = rows.into_iter().map(|(nanos, request)| Recorded {
        at: Interval::from_nanos(u64::try_from(nanos - origin).unwrap_or(0)),
        ..request
    });
    let mut recording = Recording {
        requests: requests.collect(),
        operations: Vec::new(),
        keys: keys.0.len() as u64,
        file: file.name.clone(),
        early,
    };
    recording.renumber_keys();
    recording.name_operations(operations);
    Ok(recording)
}

/// What the row says of how its request went.
fn result(row: &Row<'_>) -> Result<Option<RecordedAnswer>, String> {
    let filled = |column: usize| row.get(column).filter(|text| !text.is_empty());
    let asked = filled(5).map(duration).transpose()?;
    let (status, latency) = match (filled(3), filled(4)) {
        (None, None) if asked.is_some() => {
            return Err(
                "`retry_after` belongs to an answer: fill in `status` and `latency`, or leave it empty"
                    .into(),
            );
        }
        (None, None) => return Ok(None),
        (Some(status), Some(latency)) => (status, latency),
        _ => return Err("`status` and `latency` belong together: fill in both, or neither".into()),
    };
    let outcome = match status {
        "timeout" => Outcome::Timeout,
        "connection_error" => Outcome::ConnectionError,
        error if let Some(code) = named_error(error) => Outcome::Error(code),
        code => {
            let deserializer = code.parse().map(I64Deserializer::<serde::de::value::Error>::new).ok();
            let code = deserializer.and_then(|code| StatusCode::deserialize(code).ok()).ok_or_else(|| {
                format!(
                    "\"{status}\" is no status: write a code from 100 to 599, timeout, connection_error, or an error of the \
                     body such as error_606"
                )
            })?;
            Outcome::Status(code)
        }
    };
    if asked.is_some() && !matches!(outcome, Outcome::Status(_) | Outcome::Error(_)) {
        return Err(format!("a {status} is no answer that could ask for a wait: leave `retry_after` empty"));
    }
    Ok(Some(RecordedAnswer { outcome, latency: duration(latency)?, retry_after: asked }))
}

impl Recording {
    /// Numbers the keys anew, in the order of time.
    fn renumber_keys(&mut self) {
        let (mut numbers, mut next) = (vec![None; self.keys as usize], 0);
        if self.keys == 0 {
            return;
        }
        for request in &mut self.requests {
            request.key = *numbers[request.key as usize].get_or_insert_with(|| {
                next += 1;
                next - 1
            });
        }
        self.keys = u64::from(next);
    }

    /// Numbers the operations anew, in the order of their names.
    fn name_operations(&mut self, operations: Numbering) {
        let mut places = vec![0; operations.0.len()];
        for (place, (name, number)) in operations.0.into_iter().enumerate() {
            places[number as usize] = place as u32;
            self.operations.push(name);
        }
        for request in self.requests.iter_mut().filter(|_| !places.is_empty()) {
            request.operation = places[request.operation as usize];
        }
    }
}
