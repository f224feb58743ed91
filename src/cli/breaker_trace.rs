//! A scripted sequence of calls in a CSV file, read row by row: `time_s,event,outcome`, and for calls that overlap `call`,
//! for slow ones `took_s`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::error::{Error, suggestion};
use crate::outcome::{Outcome, StatusCode};
use crate::time::{Instant, Interval};

/// One row of the script.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The row's number, from 1, without the header.
    pub(super) step: u64,
    /// Its line in the file.
    pub(super) number: u64,
    pub(super) now: Instant,
    /// The time as it is written.
    pub(super) time: String,
    pub(super) event: What,
    /// The outcome as it is written.
    pub(super) outcome: String,
    /// The same as it is meant; `None` for a start that does not say.
    pub(super) result: Option<Came>,
    /// Which call it is, for calls that overlap.
    pub(super) call: String,
    pub(super) took: Option<Interval>,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    Success,
    /// Whatever the breaker counts as one.
    Failure,
    /// An outcome, of which the breaker says what it is.
    Outcome(Outcome),
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A call begins and ends at once.
    Call,
    /// A call begins.
    Start,
    /// A call ends.
    End,
}

impl What {
    const ALL: [(&str, Self); 3] = [("call", Self::Call), ("start", Self::Start), ("end", Self::End)];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

/// The script, row by row.
pub(super) struct Script {
    file: String,
    reader: csv::Reader<Quotes>,
    columns: Columns,
    steps: u64,
    last: Instant,
    record: StringRecord,
}

/// A file whose quotes are counted as they pass: an odd one swallows all that comes after it, and CSV has no word for that.
struct Quotes {
    file: File,
    odd: bool,
}

impl Read for Quotes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        let quotes = buffer.iter().take(read).filter(|&&byte| byte == b'"').count();
        self.odd ^= quotes % 2 == 1;
        Ok(read)
    }
}

/// The columns that there can be.
const COLUMNS: [&str; 5] = ["time_s", "event", "outcome", "call", "took_s"];

/// Where the columns are.
struct Columns {
    time: usize,
    event: usize,
    outcome: usize,
    call: Option<usize>,
    took: Option<usize>,
}

impl Script {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let unreadable = |error: &dyn std::fmt::Display| {
            Error::Usage(format!(
                "cannot read the trace {file}: {error}; check that it is a CSV file you may read"
            ))
        };
        let opened = File::open(path).map_err(|error| unreadable(&error))?;
        let mut reader =
            ReaderBuilder::new().trim(Trim::All).from_reader(Quotes { file: opened, odd: false });
        let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
        let columns = Columns::find(&file, &header)?;
        Ok(Self { file, reader, columns, steps: 0, last: Instant::START, record: StringRecord::new() })
    }

    /// A problem with a field of a line, and its remedy.
    pub(super) fn problem(&self, line: u64, field: &str, message: &str) -> Error {
        Error::Usage(format!("{}:{line}: `{field}`: {message}", self.file))
    }

    /// Whether the calls have names.
    pub(super) fn names_calls(&self) -> bool {
        self.columns.call.is_some()
    }

    /// What is wrong with the file as a whole, found at its end.
    fn at_end(&self) -> Result<(), Error> {
        if self.reader.get_ref().odd {
            let message = "a quote is opened and not closed: close it, or leave the quotes out";
            return Err(Error::Usage(format!("{}: {message}", self.file)));
        }
        if self.steps == 0 {
            let message = "there is no row below the first line: add one, such as 0,call,S";
            return Err(Error::Usage(format!("{}: {message}", self.file)));
        }
        Ok(())
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Error> {
        let read = self.reader.read_record(&mut self.record);
        let number = self.record.position().map_or(0, csv::Position::line);
        match read {
            Ok(false) => return self.at_end().map(|()| None),
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(number, csv::Position::line);
                let message = match error.kind() {
                    _ if self.reader.get_ref().odd => {
                        "a quote is opened and not closed: close it, or leave the quotes out".to_owned()
                    }
                    csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                        format!("this row has {len} fields, the header {expected_len}: give it as many")
                    }
                    csv::ErrorKind::Utf8 { .. } => "this is not text: save the file as UTF-8".to_owned(),
                    _ => format!("this cannot be read: {error}"),
                };
                return Err(Error::Usage(format!("{}:{line}: {message}", self.file)));
            }
        }
        if self.record.iter().any(|field| field.contains('\n')) {
            let message = "a quote is opened and not closed: close it, or leave the quotes out";
            return Err(Error::Usage(format!("{}:{number}: {message}", self.file)));
        }
        self.steps += 1;
        let cell = |column: usize| self.record.get(column).unwrap_or_default();
        let optional = |column: Option<usize>| column.map_or("", cell);
        let time = cell(self.columns.time);
        let now = seconds(time)
            .map(|passed| Instant::START + passed)
            .map_err(|message| self.problem(number, "time_s", &message))?;
        if now < self.last {
            let message = format!("{time} is before the row above: sort the rows by time");
            return Err(self.problem(number, "time_s", &message));
        }
        let event = cell(self.columns.event);
        let event = What::ALL.into_iter().find(|(name, _)| *name == event).ok_or_else(|| {
            let help = suggestion(event, What::ALL.map(|(name, _)| name));
            self.problem(number, "event", &format!("\"{event}\" is no event: {help}"))
        })?;
        let event = event.1;
        let outcome = cell(self.columns.outcome);
        let result = match (event, outcome) {
            (What::Start, "") => None,
            _ => Some(came(outcome).map_err(|message| self.problem(number, "outcome", &message))?),
        };
        let named = optional(self.columns.call);
        if named.is_empty() && event != What::Call {
            let message = format!("\"{}\" needs to say which call it is: give it a name", event.name());
            return Err(self.problem(number, "call", &message));
        }
        let took = match optional(self.columns.took) {
            "" => None,
            took => Some(seconds(took).map_err(|message| self.problem(number, "took_s", &message))?),
        };
        self.last = now;
        Ok(Some(Line {
            step: self.steps,
            number,
            now,
            time: time.to_owned(),
            event,
            outcome: outcome.to_owned(),
            result,
            call: named.to_owned(),
            took,
        }))
    }
}

impl Columns {
    fn find(file: &str, header: &StringRecord) -> Result<Self, Error> {
        if let [only] = header.iter().collect::<Vec<_>>()[..]
            && only.contains([';', '\t'])
        {
            let message = "the columns stand between other signs than commas: write time_s,event,outcome";
            return Err(Error::Usage(format!("{file}:1: {message}")));
        }
        for (index, column) in header.iter().enumerate() {
            if !COLUMNS.contains(&column) {
                let help = suggestion(column, COLUMNS);
                return Err(Error::Usage(format!("{file}:1: there is no column `{column}`: {help}")));
            }
            if header.iter().take(index).any(|earlier| earlier == column) {
                let message = format!("the column `{column}` is there twice: leave one out");
                return Err(Error::Usage(format!("{file}:1: {message}")));
            }
        }
        let find = |name: &str| header.iter().position(|column| column == name);
        let needed = |name: &str| {
            find(name).ok_or_else(|| {
                Error::Usage(format!(
                    "{file}:1: there is no column `{name}`: begin the file with the line \
                     `time_s,event,outcome` (and `call`, `took_s` where they are needed)"
                ))
            })
        };
        Ok(Self {
            time: needed("time_s")?,
            event: needed("event")?,
            outcome: needed("outcome")?,
            call: find("call"),
            took: find("took_s"),
        })
    }
}

/// A number of seconds, to the nanosecond.
fn seconds(text: &str) -> Result<Interval, String> {
    let most = Interval::MAX.as_secs_f64();
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=most).contains(&seconds) => Ok(Interval::from_nanos_f64(seconds * 1e9)),
        _ => Err(format!("\"{text}\" is not a time: write a number of seconds from 0 to {most}")),
    }
}

/// Success or failure, as a letter or a word, or an outcome.
fn came(outcome: &str) -> Result<Came, String> {
    match outcome {
        "S" | "success" => Ok(Came::Success),
        "F" | "failure" => Ok(Came::Failure),
        "timeout" => Ok(Came::Outcome(Outcome::Timeout)),
        "connection_error" => Ok(Came::Outcome(Outcome::ConnectionError)),
        "s" | "f" => Err(format!("\"{outcome}\" is no outcome: write it large, {}", outcome.to_uppercase())),
        code => match code.parse::<u16>() {
            Ok(status @ 100..=599) => Ok(Came::Outcome(Outcome::Status(StatusCode::of(status)))),
            _ => Err(format!(
                "\"{outcome}\" is no outcome: write S or success, F or failure, a status code such as 503, timeout or \
                 connection_error"
            )),
        },
    }
}
