//! Tables of Locust: `_stats.csv`, a row per endpoint, and `_stats_history.csv`, a row per second. Both are aggregates: they become a
//! scenario with rates and quantiles, and no trace.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::lines::{cells, each_line};
use super::operation;
use super::traffic::{Bad, millis};

/// The most operations that are told apart.
const MOST_OPERATIONS: usize = 1000;
/// The longest recording, in seconds: 95 years, as a run has 100 at most.
const MOST_SECONDS: u64 = 3_000_000_000;
/// The most requests that a rate can count.
const MOST_REQUESTS: u64 = 1_000_000_000_000;
/// The most percentiles that are read.
const MOST_PERCENTILES: usize = 64;
/// The most steps that a rate gets.
const MOST_STEPS: u64 = 60;
/// The most rows of all requests together that are read: a day of seconds.
const MOST_ROWS: usize = 1_000_000;

/// What the tables say.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Summary {
    /// Requests, and how many of them failed.
    pub requests: u64,
    /// Failures among them.
    pub failures: u64,
    /// Length of the recording in seconds.
    pub seconds: u64,
    /// From when on how many requests came: (seconds since the start, requests until the next one).
    pub steps: Vec<(u64, u64)>,
    /// Share and latency in nanoseconds; the first is the least, the last the most.
    pub quantiles: Vec<(f64, u64)>,
    /// Operations and their number of requests.
    pub operations: BTreeMap<String, u64>,
    /// Whether the quantiles are put together from those of seconds.
    pub averaged: bool,
    /// Clients at most; 0 if unknown.
    pub users: u64,
}

/// The columns of a table by name.
struct Table {
    header: Vec<String>,
    history: bool,
}

impl Table {
    fn place(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|cell| cell == name)
    }

    /// Shares and places of the columns such as `50%`.
    fn percentiles(&self) -> Vec<(f64, usize)> {
        let percent = |cell: &str| cell.strip_suffix('%')?.parse::<f64>().ok();
        // Rounded, so that 99.9 becomes 0.999 and not a neighbour of it.
        let share = |cell: &str| percent(cell).map(|percent| libm::round(percent * 1e4) / 1e6);
        let places = self.header.iter().enumerate();
        places
            .filter_map(|(place, cell)| share(cell).map(|share| (share, place)))
            .take(MOST_PERCENTILES)
            .collect()
    }

    /// The row of all requests together; one of an endpoint goes to the operations.
    fn row(&self, cells: &[String], operations: &mut BTreeMap<String, u64>) -> Result<Option<Row>, String> {
        let cell = |name: &str| {
            let place = self.place(name).ok_or_else(|| format!("there is no column `{name}`"))?;
            cells.get(place).map(String::as_str).ok_or_else(|| format!("it has no cell for `{name}`"))
        };
        let whole = |name: &str| {
            let text = cell(name)?;
            text.parse::<u64>().map_err(|_| format!("`{name}` is \"{text}\", no whole number"))
        };
        let sound = |number: &f64| number.is_finite() && *number >= 0.0;
        let number = |name: &str| {
            let text = cell(name)?;
            let number = text.parse::<f64>().ok().filter(sound);
            number.ok_or_else(|| format!("`{name}` is \"{text}\", no number from 0"))
        };
        let name = cell("Name")?;
        let prefix = if self.history { "Total " } else { "" };
        let requests = whole(&format!("{prefix}Request Count"))?;
        if name != "Aggregated" {
            let operation = format!("{} {}", operation::tidy(cell("Type")?), operation::tidy(name));
            if operations.len() < MOST_OPERATIONS || operations.contains_key(&operation) {
                operations.insert(operation, requests);
            }
            return Ok(None);
        }
        let quantiles = self.percentiles().into_iter();
        let quantiles = quantiles
            .filter_map(|(share, place)| Some((share, cells.get(place)?.parse::<f64>().ok().filter(sound)?)));
        Ok(Some(Row {
            at: if self.history { whole("Timestamp")? } else { 0 },
            requests,
            failures: whole(&format!("{prefix}Failure Count"))?,
            rate: number("Requests/s")?,
            users: if self.history { whole("User Count")? } else { 0 },
            least: number(&format!("{prefix}Min Response Time"))?,
            most: number(&format!("{prefix}Max Response Time"))?,
            quantiles: quantiles.collect(),
        }))
    }
}

/// One row of all requests together.
#[derive(Debug, Clone, Default)]
struct Row {
    at: u64,
    requests: u64,
    failures: u64,
    rate: f64,
    users: u64,
    least: f64,
    most: f64,
    quantiles: Vec<(f64, f64)>,
}

/// Reads either table.
///
/// # Errors
/// If it is neither, or says of no request.
pub(super) fn read(input: impl BufRead, bad: &mut Bad) -> Result<Summary, String> {
    let mut table: Option<Table> = None;
    let mut rows: Vec<Row> = Vec::new();
    let mut summary = Summary::default();
    let mut seen = 0;
    each_line(input, |number, line| {
        let Some(table) = &table else {
            let header = cells(line?)?;
            let history = header.iter().any(|cell| cell == "User Count");
            table = Some(Table { header, history });
            return Ok(());
        };
        seen += 1;
        let row = line.and_then(cells).and_then(|cells| table.row(&cells, &mut summary.operations));
        match row {
            Ok(row) => rows.extend(row),
            Err(why) => bad.add(number, &why),
        }
        if rows.len() > MOST_ROWS {
            return Err(format!("it has more than {MOST_ROWS} rows of all requests: cut it"));
        }
        Ok(())
    })?;
    if bad.count * 2 > seen {
        let (line, why) = bad.first.first().cloned().unwrap_or_default();
        return Err(format!(
            "{} of {seen} rows cannot be read, which is more than half: line {line}: {why}",
            bad.count
        ));
    }
    let history = table.is_some_and(|table| table.history);
    rows.sort_by_key(|row| row.at);
    let last = rows.last().cloned().filter(|row| row.requests > 0);
    let last = last.ok_or("there is no row \"Aggregated\" with a request in it")?;
    if last.requests > MOST_REQUESTS {
        return Err(format!("it has more than {MOST_REQUESTS} requests"));
    }
    if last.failures > last.requests {
        return Err("it has more failures than requests".into());
    }
    (summary.requests, summary.failures) = (last.requests, last.failures);
    summary.users = rows.iter().map(|row| row.users).max().unwrap_or(0);
    if history {
        summary.seconds = (last.at - rows[0].at).max(1);
        if summary.seconds > MOST_SECONDS {
            return Err("it spans more than 95 years: leave out the rows with the wrong time".into());
        }
        summary.steps = steps(&rows);
        summary.averaged = true;
    } else {
        if last.rate <= 0.0 {
            return Err("`Requests/s` of all requests is 0".into());
        }
        summary.seconds = (libm::round(last.requests as f64 / last.rate) as u64).clamp(1, MOST_SECONDS);
        summary.steps = vec![(0, last.requests)];
    }
    summary.quantiles = quantiles(&rows, &last)?;
    Ok(summary)
}

/// From the totals: how many requests came from one row to another, in at most so many steps of equal length.
fn steps(rows: &[Row]) -> Vec<(u64, u64)> {
    let (first, last) = (&rows[0], &rows[rows.len() - 1]);
    let width = (last.at - first.at).div_ceil(MOST_STEPS).max(1);
    let mut steps: Vec<(u64, u64)> = Vec::new();
    let mut before = 0;
    for row in rows {
        let from = (row.at - first.at).saturating_sub(1) / width * width;
        let more = row.requests.saturating_sub(before);
        before = before.max(row.requests);
        match steps.last_mut() {
            Some(step) if step.0 == from => step.1 += more,
            _ => steps.push((from, more)),
        }
    }
    steps
}

/// The quantiles of the last row; of a history, the mean over its rows, weighted with their rates: rows tell those of some seconds.
fn quantiles(rows: &[Row], last: &Row) -> Result<Vec<(f64, u64)>, String> {
    let mut sums: Vec<(f64, f64, f64)> = Vec::new();
    for row in rows.iter().filter(|row| row.rate > 0.0) {
        for &(share, value) in &row.quantiles {
            match sums.iter_mut().find(|sum| sum.0 == share) {
                Some(sum) => (sum.1, sum.2) = (sum.1 + value * row.rate, sum.2 + row.rate),
                None => sums.push((share, value * row.rate, row.rate)),
            }
        }
    }
    sums.sort_by(|a, b| a.0.total_cmp(&b.0));
    let inner = sums.iter().filter(|sum| sum.0 > 0.0 && sum.0 < 1.0).map(|sum| (sum.0, sum.1 / sum.2));
    let mut floor = 0;
    let mut all = Vec::new();
    for (share, value) in [(0.0, last.least)].into_iter().chain(inner).chain([(1.0, last.most)]) {
        // Locust rounds percentiles to two digits, so that they may pass the extremes, which it does not round.
        floor = millis(Some(value.min(last.most)))?.max(floor);
        all.push((share, floor));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATS: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,\
                         Max Response Time,Average Content Size,Requests/s,Failures/s,50%,99%,100%\n";

    #[test]
    fn a_table_becomes_a_rate_and_quantiles() {
        let text = format!(
            "{STATS}GET,/a,90,1,5,5,2,30,1,9,0,5,20,30\nPOST,/b,10,1,5,5,2,31,1,1,0,5,20,31\n,Aggregated,100,2,5,5,2,30.5,1,10.0,0,5,31,31\n"
        );
        let summary = read(text.as_bytes(), &mut Bad::default()).unwrap();
        assert_eq!((summary.requests, summary.failures, summary.seconds), (100, 2, 10));
        let nanos: Vec<_> =
            summary.quantiles.iter().map(|(share, nanos)| (*share, nanos / 100_000)).collect();
        assert_eq!(nanos, [(0.0, 20), (0.5, 50), (0.99, 305), (1.0, 305)]);
        assert_eq!(summary.operations["GET /a"], 90);
    }

    #[test]
    fn odd_rows_are_told_from_sound_ones() {
        for (rows, why) in [
            (",Aggregated,0,0,0,0,0,0,0,0,0,N/A,N/A,N/A\n", "no row \"Aggregated\""),
            (",Aggregated,5,6,0,0,0,0,0,1,0,1,1,1\n", "more failures than requests"),
            (",Aggregated,5,0,0,0,NaN,0,0,1,0,1,1,1\n", "`Min Response Time` is \"NaN\""),
            (",Aggregated,-5,0,0,0,0,0,0,1,0,1,1,1\n", "no whole number"),
            (",Aggregated,5\n", "it has no cell"),
            (",Aggregated,18446744073709551615,0,0,0,0,0,0,1,0,1,1,1\n", "more than 1000000000000 requests"),
            ("", "no row \"Aggregated\""),
        ] {
            let found = read(format!("{STATS}{rows}").as_bytes(), &mut Bad::default()).unwrap_err();
            assert!(found.contains(why), "{rows}: {found}");
        }
        let header = "Timestamp,User Count,Name,Requests/s,Total Request Count,Total Failure Count,Total Min Response Time,\
                      Total Max Response Time";
        let text =
            format!("{header}\n0,1,Aggregated,1,1,0,1,1\n18446744073709551615,1,Aggregated,1,2,0,1,1\n");
        let found = read(text.as_bytes(), &mut Bad::default()).unwrap_err();
        assert!(found.contains("95 years"), "{found}");
    }
}
