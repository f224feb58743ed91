//! Stories: the life of one request, told from what `attempts.csv` says of it, with times and reasons.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::number::duration;
use super::wrap::below;
use crate::error::{Error, suggestion};

/// How long a line is at most.
const WIDTH: usize = 78;

/// The most requests that are named where one has to be chosen.
const NAMED: usize = 20;

/// Which request is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one with this number.
    Numbered(u64),
    /// The one that took longest from its arrival to its end.
    Slowest,
    /// The one that made most attempts; of several the slowest.
    Busiest,
}

/// Which arm and which workload it is looked for in; any if absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Among<'a> {
    /// The arm.
    pub arm: Option<&'a str>,
    /// The workload.
    pub workload: Option<&'a str>,
}

/// A row of `attempts.csv`. Times are in seconds from the start of the run.
#[derive(Debug, Clone, Deserialize)]
struct Row {
    arm: String,
    workload: String,
    request: u64,
    client: u32,
    arrived_s: f64,
    attempt: u32,
    sent_s: f64,
    known_s: f64,
    outcome: String,
    retry_after_s: Option<f64>,
    decision: String,
    delay_s: Option<f64>,
    reason: String,
    layer: Option<u32>,
}

/// One request in one arm: its rows, in order of time.
#[derive(Debug, Clone, Copy)]
struct Life<'a>(&'a [Row]);

/// The stories of a request in the folder of a run: of a number, one for each arm; of the worst, that of its arm, and how the same
/// request fared in the others.
///
/// # Errors
/// If the folder has no traced requests, if what it has cannot be read, or if none of them is the one.
pub fn stories(folder: &Path, which: Which, among: Among<'_>) -> Result<String, Error> {
    let rows = rows(folder)?;
    let lives = among.filter(&rows)?;
    let chosen = match which {
        Which::Numbered(number) => {
            let same: Vec<Life<'_>> =
                lives.iter().copied().filter(|life| life.first().request == number).collect();
            if same.is_empty() {
                return Err(Error::Usage(not_followed(number, &lives)));
            }
            return Ok(together(&same));
        }
        Which::Slowest => lives.iter().min_by(|a, b| b.lasted().total_cmp(&a.lasted())),
        Which::Busiest => lives
            .iter()
            .min_by(|a, b| b.attempts().cmp(&a.attempts()).then(b.lasted().total_cmp(&a.lasted()))),
    };
    // Of several the first.
    let worst = chosen.expect("a file that has rows has lives");
    let others = lives.iter().filter(|other| other.is_elsewhere(worst));
    Ok(together(&[*worst]) + &others.map(Life::in_short).collect::<String>())
}

/// The stories of lives, one after the other; those that are the same in several arms once.
fn together(lives: &[Life<'_>]) -> String {
    let mut stories: Vec<(&Row, Vec<&str>, String)> = Vec::new();
    for life in lives {
        let (first, story) = (life.first(), life.told());
        let same = |(other, _, told): &&mut (&Row, Vec<&str>, String)| {
            (&other.workload, other.request) == (&first.workload, first.request) && *told == story
        };
        match stories.iter_mut().find(same) {
            Some((_, arms, _)) => arms.push(&first.arm),
            None => stories.push((first, vec![&first.arm], story)),
        }
    }
    let told = stories.into_iter().map(|(Row { workload, request, client, .. }, arms, story)| {
        let head =
            format!("request {request} of {workload}, from client {client}, under {}", arms.join(", "));
        format!("{}\n{story}", below("", &head, WIDTH))
    });
    told.collect::<Vec<_>>().join("\n")
}

fn rows(folder: &Path) -> Result<Vec<Row>, Error> {
    let path = folder.join("attempts.csv");
    let shown = path.display();
    let again =
        "run the scenario with --trace 20, into the same folder, to follow twenty requests of each workload";
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::Usage(format!("there is no {shown}: {again}")));
        }
        Err(error) => return Err(Error::disk("read", &path, error)),
    };
    let rows: Result<Vec<Row>, _> = csv::Reader::from_reader(&bytes[..]).into_deserialize().collect();
    let rows = rows.map_err(|error| Error::Usage(format!("{shown}: {error}: {again}")))?;
    if rows.is_empty() {
        return Err(Error::Usage(format!("{shown} has no rows: no request arrived, or {again}")));
    }
    Ok(rows)
}

impl Among<'_> {
    /// The lives that it leaves, in the order of the file.
    fn filter<'a>(&self, rows: &'a [Row]) -> Result<Vec<Life<'a>>, Error> {
        for (option, wanted, names) in [
            ("arm", self.arm, rows.iter().map(|row| row.arm.as_str()).collect::<Vec<_>>()),
            ("workload", self.workload, rows.iter().map(|row| row.workload.as_str()).collect()),
        ] {
            let mut names = names;
            names.dedup();
            names.sort_unstable();
            names.dedup();
            if let Some(wanted) = wanted.filter(|wanted| !names.contains(wanted)) {
                let known = suggestion(wanted, names);
                return Err(Error::Usage(format!(
                    "--{option} {wanted}: no request was followed there; {known}"
                )));
            }
        }
        let same = |a: &Row, b: &Row| (&a.arm, &a.workload, a.request) == (&b.arm, &b.workload, b.request);
        let wanted = |life: &Life<'a>| {
            let Row { arm, workload, .. } = life.first();
            self.arm.is_none_or(|wanted| wanted == arm)
                && self.workload.is_none_or(|wanted| wanted == workload)
        };
        Ok(rows.chunk_by(same).map(Life).filter(wanted).collect())
    }
}

fn not_followed(number: u64, lives: &[Life<'_>]) -> String {
    let mut numbers: Vec<u64> = lives.iter().map(|life| life.first().request).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let more = numbers.len().saturating_sub(NAMED);
    let named: Vec<String> = numbers.iter().take(NAMED).map(u64::to_string).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("request {number} was not followed; those that were are {}{more}", named.join(", "))
}

impl Life<'_> {
    fn first(&self) -> &Row {
        self.0.first().expect("a life has a row")
    }

    fn last(&self) -> &Row {
        self.0.last().expect("a life has a row")
    }

    /// Seconds from its arrival to its end, or to the last that is known of it.
    fn lasted(&self) -> f64 {
        self.last().known_s - self.first().arrived_s
    }

    fn attempts(&self) -> u32 {
        self.last().attempt
    }

    /// True if it is the same request in another arm.
    fn is_elsewhere(&self, other: &Life<'_>) -> bool {
        let (one, other) = (self.first(), other.first());
        (&one.workload, one.request) == (&other.workload, other.request) && one.arm != other.arm
    }

    fn told(&self) -> String {
        let Row { arrived_s, .. } = self.first();
        let mut text = String::new();
        let line = |at: f64, what: &str| below(&format!("  {:>12}  ", clock(at)), what, WIDTH);
        text += &line(*arrived_s, "it arrives");
        for row in self.0 {
            if row.sent_s > *arrived_s && row.attempt <= 1 {
                text += &line(
                    row.sent_s,
                    &format!("it has waited {} for its turn", duration(row.sent_s - arrived_s)),
                );
            }
            text += &line(row.known_s, &row.told());
        }
        text + &format!("\n{}", below("", &self.end(), WIDTH))
    }

    /// How it ended.
    fn end(&self) -> String {
        let tries = match self.attempts() {
            0 => "without an attempt".to_owned(),
            1 => "after one attempt".to_owned(),
            many => format!("after {many} attempts"),
        };
        let lasted = duration(self.lasted());
        let last = self.last();
        if last.decision != "end" {
            return format!("it still waits when the run ends, {tries} and {lasted}");
        }
        let how = match last.reason.as_str() {
            "succeeded" => "it succeeds",
            "cached" => "it is answered from the cache",
            _ => "it fails",
        };
        format!("{how} {tries}, {lasted} after it arrived")
    }

    fn in_short(&self) -> String {
        below(&format!("under {}: ", self.first().arm), &self.end(), WIDTH)
    }
}

impl Row {
    /// What came of an attempt, and what follows.
    fn told(&self) -> String {
        let Self { attempt, outcome, .. } = self;
        let seconds = self.known_s - self.sent_s;
        let took = if seconds > 0.0 { format!("after {}", duration(seconds)) } else { "at once".to_owned() };
        let came = match outcome.as_str() {
            "" if self.reason == "cached" => "the cache has the answer".to_owned(),
            "" => format!("attempt {attempt} is not sent"),
            "breaker_open" => format!("attempt {attempt} is refused by the open breaker"),
            "shed" => format!("attempt {attempt} is refused by the client's own limiter"),
            "timeout" => format!("attempt {attempt}: no answer within {}", duration(seconds)),
            outcome => format!("attempt {attempt}: {} {took}", outcome.replace('_', " ")),
        };
        let asked =
            self.retry_after_s.map_or(String::new(), |wait| format!(", retry after {}", duration(wait)));
        format!("{came}{asked}{}", self.follows())
    }

    /// What follows, with the reason.
    fn follows(&self) -> String {
        if self.decision == "retry" {
            let whose = match self.layer {
                Some(layer) if layer > 1 => format!("policy {layer} from the inside "),
                _ => String::new(),
            };
            let why =
                if self.reason == "retry_after" { "as the service asked" } else { "as the backoff says" };
            return format!("; {whose}waits {}, {why}", duration(self.delay_s.unwrap_or_default()));
        }
        let why = match self.reason.as_str() {
            "succeeded" | "cached" => return String::new(),
            "exhausted" => "no retry is left",
            "not_retryable" => "the policy does not retry that",
            "deadline_exceeded" => "there is no time for another",
            "breaker_rejected" => "the policy does not wait for the breaker any longer",
            "budget_denied" => "the budget allows no retry",
            "shed_by_client" => "the policy does not wait for the limiter any longer",
            other => return format!("; the end: {}", other.replace('_', " ")),
        };
        format!("; {why}")
    }
}

/// Seconds since the start of the run, as minutes and seconds, or hours, minutes and seconds, to the millisecond.
fn clock(seconds: f64) -> String {
    let millis = (seconds * 1e3).round() as u64;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let seconds = format!("{:02}.{:03}", millis / 1_000 % 60, millis % 1_000);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds}") } else { format!("{minutes}:{seconds}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_off_a_clock() {
        for (seconds, shown) in
            [(0.0, "0:00.000"), (59.9996, "1:00.000"), (794.469_572, "13:14.470"), (7_261.5, "2:01:01.500")]
        {
            assert_eq!(clock(seconds), shown);
        }
    }
}
