//! Recorded traffic: requests as they were read, whatever the format.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::operation;
use crate::outcome::{Outcome, StatusCode};
use crate::table::MAX_ROWS;
use crate::time::Interval;

/// The most operations that are told apart; what comes after them is `other`.
const MOST_OPERATIONS: usize = 1000;
/// How many bad lines are described.
const MOST_DESCRIBED: usize = 5;
const SECOND: i64 = 1_000_000_000;
/// The longest reason that is told, in characters.
const LONGEST_REASON: usize = 160;
/// The latest time that is believed: in the year 2255, in nanoseconds.
const LATEST: i64 = 9_000_000_000 * SECOND;
/// The longest recording, in nanoseconds: 99 years, as a run has 100 at most.
const LONGEST_RECORDING: i64 = 99 * 365 * 86_400 * SECOND;
/// The longest latency that is believed, in nanoseconds: a day.
const LONGEST: u64 = 86_400_000_000_000;

/// One request, as a format tells it.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    /// Nanoseconds of the Unix epoch.
    pub(super) at: i64,
    /// Whether `at` is when it ended, not when it began.
    pub(super) ends: bool,
    pub(super) latency: Option<u64>,
    pub(super) outcome: Outcome,
    pub(super) method: &'a str,
    /// A URL, a path, or a name that somebody gave.
    pub(super) url: &'a str,
    pub(super) client: Option<&'a str>,
    /// Whether it is known to be a retry.
    pub(super) retry: bool,
    /// Whether it was seen by the service, not by the client.
    pub(super) served: bool,
    /// What the header Retry-After of its answer says.
    pub(super) retry_after: Option<&'a str>,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// When it began, in nanoseconds: of the Unix epoch until `Traffic::finish`, then since the first one.
    pub at: i64,
    ends: bool,
    /// How long it took, in nanoseconds, if that was recorded.
    pub latency: Option<u64>,
    /// How it went.
    pub outcome: Outcome,
    /// Index of its operation.
    pub operation: u16,
    /// Which of the inputs it had: requests that only read have the same one if method and URL are the same, all others one of
    /// their own.
    pub key: u32,
    /// Whether it is known to be a retry.
    pub retry: bool,
    served: bool,
    /// How long the answer asked to wait, in nanoseconds, if it did.
    pub retry_after: Option<u64>,
}

impl Request {
    /// Whether the service refused it for its rate.
    pub const fn is_limited(&self) -> bool {
        matches!(self.outcome, Outcome::Status(code) if code.get() == 429)
    }

    /// Whether the service, or the way to it, was in no state to answer: 5xx, a timeout, a connection error.
    pub const fn is_down(&self) -> bool {
        self.outcome.blames_service() && !self.is_limited()
    }
}

/// Lines, entries or spans that could not be read.
#[derive(Debug, Default)]
pub struct Bad {
    /// How many.
    pub count: u64,
    /// The first few: number and reason.
    pub first: Vec<(u64, String)>,
}

impl Bad {
    /// Counts one, and keeps why if it is among the first. Reasons quote the file: what could steer a terminal is taken out.
    pub(super) fn add(&mut self, number: u64, why: &str) {
        self.count += 1;
        if self.first.len() < MOST_DESCRIBED {
            let clean = |c: char| if c.is_control() { '?' } else { c };
            self.first.push((number, why.chars().take(LONGEST_REASON).map(clean).collect()));
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct Traffic {
    /// All requests, recorded retries among them; in order of time after `Traffic::finish`.
    pub requests: Vec<Request>,
    /// Names of the operations.
    pub operations: Vec<String>,
    /// Hosts that were called, if the format tells, in the order in which they came.
    pub hosts: Vec<String>,
    /// Addresses that requests came from, if the format tells.
    pub clients: u64,
    /// Lines, entries or spans in all that describe a request or try to.
    pub seen: u64,
    /// Those that could not be read.
    pub bad: Bad,
    /// Requests seen by the service that were left out because clients saw theirs.
    pub left_out: u64,
    /// Whether times were whole seconds, which were spread.
    pub spread: bool,
    /// When the first request began, in nanoseconds of the Unix epoch.
    pub began: i64,
    numbers: BTreeMap<String, u16>,
    inputs: BTreeMap<[u8; 16], u32>,
    addresses: BTreeSet<[u8; 16]>,
}

impl Traffic {
    /// Takes in line `number`, or says to itself what is wrong with it.
    ///
    /// # Errors
    /// If there are more requests than a trace can have.
    pub(super) fn take(&mut self, number: u64, read: Result<Draft<'_>, String>) -> Result<(), String> {
        self.seen += 1;
        match read.and_then(|draft| self.push(&draft)) {
            Ok(()) => {}
            Err(why) => self.bad.add(number, &why),
        }
        if self.requests.len() as u64 > MAX_ROWS {
            return Err(format!(
                "it has more than {MAX_ROWS} requests, the most that a trace can have: cut it, for example to the hours in question"
            ));
        }
        Ok(())
    }

    fn push(&mut self, draft: &Draft<'_>) -> Result<(), String> {
        if draft.at < 0 {
            return Err("its time is before 1970".into());
        }
        if draft.at > LATEST {
            return Err("its time is after 2255".into());
        }
        if draft.latency.is_some_and(|latency| latency > LONGEST) {
            return Err("it took longer than a day".into());
        }
        let method = draft.method;
        if method.is_empty() || method.len() > 20 || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(format!("\"{}\" is no HTTP method", method.chars().take(20).collect::<String>()));
        }
        let method = method.to_ascii_uppercase();
        let operation = self.operation(&method, draft.url);
        let reads = matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let next = self.inputs.len() as u32;
        let key = if reads { digest(&[&method, draft.url]) } else { digest(&["", &self.seen.to_string()]) };
        let key = *self.inputs.entry(key).or_insert(next);
        if let Some(client) = draft.client {
            self.addresses.insert(digest(&[client]));
            self.clients = self.addresses.len() as u64;
        }
        let (at, ends, latency, outcome) = (draft.at, draft.ends, draft.latency, draft.outcome);
        let (retry, served) = (draft.retry, draft.served);
        let known = if ends { at } else { at.saturating_add_unsigned(latency.unwrap_or(0)) };
        let answers = matches!(outcome, Outcome::Status(_));
        let retry_after = draft.retry_after.filter(|_| answers).and_then(|text| wait(text, known));
        self.requests.push(Request {
            at,
            ends,
            latency,
            outcome,
            operation,
            key,
            retry,
            served,
            retry_after,
        });
        Ok(())
    }

    fn operation(&mut self, method: &str, url: &str) -> u16 {
        let (host, rest) = operation::split(url);
        let known = self.hosts.iter().position(|known| known == host);
        if known.is_none() && !host.is_empty() && self.hosts.len() < MOST_OPERATIONS {
            self.hosts.push(operation::tidy(host));
        }
        // The first host goes without saying.
        let host = if known == Some(0) || self.hosts.len() == 1 { "" } else { host };
        let is_path = rest.is_empty() || rest.starts_with(['/', '?', '#']);
        let path = if is_path { operation::path(rest) } else { operation::tidy(rest) };
        let mut name = format!("{method} {host}{path}");
        if !self.numbers.contains_key(&name) && self.operations.len() + 1 >= MOST_OPERATIONS {
            name = "other".into();
        }
        let next = self.operations.len() as u16;
        if let Some(&number) = self.numbers.get(&name) {
            return number;
        }
        self.operations.push(name.clone());
        self.numbers.insert(name, next);
        next
    }

    /// Puts the requests in order of time, counted from the first. Times of whole seconds (`coarse`) are spread: the k requests of a
    /// second come k-ths of a second apart, as otherwise all of them would come at once.
    ///
    /// # Errors
    /// If nothing is left, or more than half could not be read.
    pub(super) fn finish(&mut self, coarse: bool, unit: &str) -> Result<(), String> {
        if self.bad.count * 2 > self.seen {
            let reasons = self.reasons(unit).join("; ");
            return Err(format!(
                "{} of {} {unit}s cannot be read, which is more than half: {reasons}; name the format with --format if it is \
                 another one",
                self.bad.count, self.seen
            ));
        }
        if self.requests.iter().any(|request| !request.served) {
            let all = self.requests.len();
            self.requests.retain(|request| !request.served);
            self.left_out = (all - self.requests.len()) as u64;
        }
        if self.requests.is_empty() {
            return Err("there is no request in it".into());
        }
        self.requests.sort_by_key(|request| request.at); // stable
        if coarse && self.requests.iter().all(|request| request.at % SECOND == 0) {
            for second in self.requests.chunk_by_mut(|a, b| a.at == b.at) {
                let count = (second.len() as u64).cast_signed();
                for (index, request) in (0..count).zip(second) {
                    request.at += index * SECOND / count;
                }
                self.spread = true;
            }
        }
        for request in self.requests.iter_mut().filter(|request| request.ends) {
            request.at -= request.latency.unwrap_or(0).cast_signed();
        }
        self.requests.sort_by_key(|request| request.at);
        // The trace begins with its first row, which is no retry.
        let first = self.requests.iter().find(|request| !request.retry);
        self.began = first.ok_or("all requests in it are retries of requests that are not")?.at;
        for request in &mut self.requests {
            request.at -= self.began;
        }
        self.requests.retain(|request| request.at >= 0);
        if self.requests.last().is_some_and(|request| request.at > LONGEST_RECORDING) {
            return Err("it spans more than 99 years: leave out the requests with the wrong time".into());
        }
        Ok(())
    }

    /// The first few bad lines, in words.
    pub fn reasons(&self, unit: &str) -> Vec<String> {
        self.bad.first.iter().map(|(number, why)| format!("{unit} {number}: {why}")).collect()
    }

    /// How many recorded retries there are.
    pub fn retries(&self) -> u64 {
        self.requests.iter().filter(|request| request.retry).count() as u64
    }
}

fn digest(parts: &[&str]) -> [u8; 16] {
    let mut sha256 = Sha256::new();
    for part in parts {
        sha256.update((part.len() as u64).to_le_bytes());
        sha256.update(part);
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&sha256.finalize()[..16]);
    digest
}

/// What a status code says; 0 and below is a connection error, as all tools have it.
///
/// # Errors
/// If it is none.
pub(super) fn outcome(code: i128) -> Result<Outcome, String> {
    match u16::try_from(code) {
        Ok(code @ 100..=599) => Ok(Outcome::Status(StatusCode::of(code))),
        _ if code == 0 || code == -1 => Ok(Outcome::ConnectionError),
        _ => Err(format!("{code} is no status")),
    }
}

/// As [`outcome`], where the words of an error can tell that the client stopped waiting.
///
/// # Errors
/// If the code is none.
pub(super) fn outcome_of(code: i128, error: &str) -> Result<Outcome, String> {
    let error = error.to_ascii_lowercase();
    let timed_out = ["timeout", "timed out", "timed_out", "deadline exceeded"];
    match outcome(code)? {
        Outcome::ConnectionError if timed_out.iter().any(|words| error.contains(words)) => {
            Ok(Outcome::Timeout)
        }
        outcome => Ok(outcome),
    }
}

/// Nanoseconds of the Unix epoch of a date such as `2026-01-05T08:30:00.123Z`.
///
/// # Errors
/// If it is none.
pub(super) fn date(text: &str) -> Result<i64, String> {
    let date: jiff::Timestamp =
        text.parse().map_err(|_| format!("\"{}\" is no date", text.chars().take(40).collect::<String>()))?;
    i64::try_from(date.as_nanosecond()).map_err(|_| "its date is beyond 2262".into())
}

/// Nanoseconds that a Retry-After header asks to wait whoever reads it at `known` (of the Unix epoch): whole seconds, or a date of
/// HTTP. `None` if it is neither, as clients pass over what they cannot read.
fn wait(text: &str, known: i64) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(u64::from(seconds) * SECOND.unsigned_abs());
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let nanos = date.as_nanosecond() - i128::from(known);
    u64::try_from(nanos.max(0)).ok().filter(|&nanos| nanos <= Interval::MAX.as_nanos())
}

/// Nanoseconds of a number of milliseconds.
///
/// # Errors
/// If it is negative or no number.
pub(super) fn millis(number: Option<f64>) -> Result<u64, String> {
    match number {
        Some(millis) if (0.0..1e12).contains(&millis) => Ok(libm::round(millis * 1e6) as u64),
        Some(millis) => Err(format!("{millis} ms is no duration")),
        None => Err("it does not say how long it took".into()),
    }
}

#[cfg(test)]
mod tests;
