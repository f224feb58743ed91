//! Samples of k6: the CSV file of `--out csv`, whose columns go by name, and the JSON lines of `--out json`.
//!
//! Of the metrics, `http_req_duration` (milliseconds) is one row per request; its time is that of the end. The CSV file has whole
//! seconds unless `K6_CSV_TIME_FORMAT` says otherwise.

use std::io::BufRead;

use super::json;
use super::lines::{cells, each_line};
use super::traffic::{Draft, Traffic, date, millis, outcome_of};
use crate::table::decimal_nanos;

/// The metric that has a row per request.
const METRIC: &str = "http_req_duration";
/// The columns of the CSV file that are used.
const COLUMNS: [&str; 9] =
    ["metric_name", "timestamp", "metric_value", "method", "status", "url", "name", "error", "error_code"];
/// The error code of k6 for a request that took too long.
const TIMED_OUT: &str = "1050";

/// Reads the CSV file.
pub(super) fn read_csv(input: impl BufRead, traffic: &mut Traffic) -> Result<(), String> {
    let mut places: Option<[Option<usize>; 9]> = None;
    let mut coarse = true;
    each_line(input, |number, line| {
        let Some(places) = places else {
            let header = cells(line?)?;
            let found = COLUMNS.map(|column| header.iter().position(|name| name == column));
            if let Some(missing) = found.iter().take(5).position(Option::is_none) {
                return Err(format!("its first line has no column `{}`, as k6 writes it", COLUMNS[missing]));
            }
            places = Some(found);
            return Ok(());
        };
        let cells = match line.and_then(cells) {
            Ok(cells) => cells,
            Err(why) => return traffic.take(number, Err(why)),
        };
        let cell =
            |column: usize| places[column].and_then(|place| cells.get(place)).map_or("", String::as_str);
        if !cell(0).is_empty() && cell(0) != METRIC {
            return Ok(());
        }
        let at = time(cell(1));
        coarse &= at.as_ref().is_ok_and(|at| at % 1_000_000_000 == 0);
        let url = if cell(6).is_empty() { cell(5) } else { cell(6) };
        traffic.take(number, draft(at, cell(2).parse().ok(), cell(4), [cell(7), cell(8)], cell(3), url))
    })?;
    traffic.finish(coarse, "line")
}

/// Reads the JSON lines.
pub(super) fn read_json(input: impl BufRead, traffic: &mut Traffic) -> Result<(), String> {
    const TAGS: &str = "data.tags.";
    let names =
        ["status", "error", "error_code", "method", "name", "url"].map(|name| format!("{TAGS}{name}"));
    let mut wanted = vec!["type", "metric", "data.time", "data.value"];
    wanted.extend(names.iter().map(String::as_str));
    each_line(input, |number, line| {
        let fields = match line.and_then(|line| json::line(line, &wanted)) {
            Ok(fields) => fields,
            Err(why) => return traffic.take(number, Err(why)),
        };
        let text = |path: &str| fields.text(path).unwrap_or_default();
        if text("type") != "Point" || text("metric") != METRIC {
            return Ok(());
        }
        let [status, error, code, method, name, url] = [0, 1, 2, 3, 4, 5].map(|index| text(&names[index]));
        let url = if name.is_empty() { url } else { name };
        let at = date(&text("data.time"));
        traffic.take(number, draft(at, fields.number("data.value"), &status, [&error, &code], &method, &url))
    })?;
    traffic.finish(false, "line")
}

fn draft<'a>(
    at: Result<i64, String>,
    duration: Option<f64>,
    status: &str,
    [error, code]: [&str; 2],
    method: &'a str,
    url: &'a str,
) -> Result<Draft<'a>, String> {
    let status: i128 = status.parse().map_err(|_| format!("\"{status}\" is no status"))?;
    let error = if code == TIMED_OUT { "timeout" } else { error };
    Ok(Draft {
        at: at?,
        ends: true,
        latency: Some(millis(duration)?),
        outcome: outcome_of(status, error)?,
        method,
        url,
        client: None,
        retry: false,
        served: false,
        retry_after: None,
    })
}

/// A time in any of the formats of k6: a date, or seconds, milliseconds, microseconds or nanoseconds of the Unix epoch, which their
/// number of digits tells apart from 2001 to 2286.
fn time(text: &str) -> Result<i64, String> {
    let Some(seconds) = decimal_nanos(text) else { return date(text) };
    let digits = text.trim_start_matches('-').split('.').next().map_or(0, str::len);
    let nanos = match digits {
        ..=10 => seconds,
        11..=13 => seconds / 1_000,
        14..=16 => seconds / 1_000_000,
        _ => seconds / 1_000_000_000,
    };
    i64::try_from(nanos).map_err(|_| "its time is beyond 2262".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    #[test]
    fn columns_go_by_name_and_times_by_their_length() {
        let text = "url,status,method,metric_value,timestamp,metric_name,error_code\n\
                    http://h/a/1,200,GET,250,1700000001,http_req_duration,\n\
                    http://h/a/1,200,GET,1,1700000001,http_reqs,\n\
                    http://h/a/2,0,GET,1000.5,1700000001500,http_req_duration,1050\n\
                    http://h/a/2,503,GET,0,1700000002000000,http_req_duration,1503\n\
                    http://h/a/2,0,GET,0,1700000002500000000,http_req_duration,1212\n\
                    http://h/a/2,204,GET,0,2023-11-14T22:13:23Z,http_req_duration,\n";
        let mut traffic = Traffic::default();
        read_csv(text.as_bytes(), &mut traffic).unwrap();
        let found: Vec<_> = traffic
            .requests
            .iter()
            .map(|request| (request.at + traffic.began, request.latency.unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                (1_700_000_000_499_500_000, 1_000_500_000),
                (1_700_000_000_750_000_000, 250_000_000),
                (1_700_000_002_000_000_000, 0),
                (1_700_000_002_500_000_000, 0),
                (1_700_000_003_000_000_000, 0),
            ]
        );
        assert_eq!(traffic.requests[0].outcome, Outcome::Timeout);
        assert_eq!(traffic.requests[3].outcome, Outcome::ConnectionError);
        assert_eq!((traffic.operations.len(), traffic.seen), (1, 5));
    }

    #[test]
    fn odd_rows_are_told_from_requests() {
        let header = "metric_name,timestamp,metric_value,method,status,url\n";
        for (row, why) in [
            ("http_req_duration,1700000000,NaN,GET,200,/", "is no duration"),
            ("http_req_duration,1700000000,-5,GET,200,/", "is no duration"),
            ("http_req_duration,1700000000,inf,GET,200,/", "is no duration"),
            ("http_req_duration,soon,5,GET,200,/", "is no date"),
            ("http_req_duration,-5,5,GET,200,/", "before 1970"),
            ("http_req_duration,1700000000,5,GET,,/", "is no status"),
            ("http_req_duration,1700000000,5,,200,/", "no HTTP method"),
            ("http_req_duration,1700000000", "is no status"),
        ] {
            let mut traffic = Traffic::default();
            let found = read_csv(format!("{header}{row}\n").as_bytes(), &mut traffic).unwrap_err();
            assert!(found.contains(why) && found.contains("line 2"), "{row}: {found}");
        }
        let found = read_csv("a,b\n".as_bytes(), &mut Traffic::default()).unwrap_err();
        assert!(found.contains("no column `metric_name`"), "{found}");
    }
}
