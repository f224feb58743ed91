//! Results of vegeta: `vegeta encode --to csv`, which has no header, and `--to json`, a line per request.
//!
//! The columns are timestamp (Unix, ns), code (0: no answer), latency (ns), bytes out, bytes in, error, body, attack, number; newer
//! versions have method, URL and headers as well. Without these two, all requests are one operation.

use std::io::BufRead;

use super::json;
use super::lines::{cells, each_line};
use super::traffic::{Draft, Traffic, date, outcome_of};

/// Reads the CSV file.
pub(super) fn read_csv(input: impl BufRead, traffic: &mut Traffic) -> Result<(), String> {
    each_line(input, |number, line| match line.and_then(cells) {
        Ok(cells) => traffic.take(number, from_cells(&cells)),
        Err(why) => traffic.take(number, Err(why)),
    })?;
    traffic.finish(false, "line")
}

/// Whether these are the cells of a result.
pub(super) fn is_result(cells: &[String]) -> bool {
    from_cells(cells).is_ok()
}

fn from_cells(cells: &[String]) -> Result<Draft<'_>, String> {
    if !matches!(cells.len(), 9 | 12) {
        return Err(format!("it has {} cells, where vegeta writes 9 or 12", cells.len()));
    }
    let whole = |index: usize, what: &str| {
        let shown: String = cells[index].chars().take(40).collect();
        cells[index].parse::<i128>().map_err(|_| format!("\"{shown}\" is no {what}"))
    };
    let at = i64::try_from(whole(0, "time in nanoseconds")?).map_err(|_| "its time is beyond 2262")?;
    let latency = whole(2, "latency in nanoseconds")?;
    let (method, url) = match cells {
        [.., method, url, _] if cells.len() == 12 => (method.as_str(), url.as_str()),
        _ => ("", ""),
    };
    draft(at, whole(1, "status")?, latency, &cells[5], method, url)
}

/// Reads the JSON lines.
pub(super) fn read_json(input: impl BufRead, traffic: &mut Traffic) -> Result<(), String> {
    const WANTED: [&str; 7] =
        ["timestamp", "code", "latency", "error", "method", "url", "headers.Retry-After"];
    each_line(input, |number, line| {
        let fields = match line.and_then(|line| json::line(line, &WANTED)) {
            Ok(fields) => fields,
            Err(why) => return traffic.take(number, Err(why)),
        };
        let text = |name: &str| fields.text(name).unwrap_or_default();
        let whole = |name: &str| fields.whole(name).ok_or_else(|| format!("it has no whole `{name}`"));
        let (error, method, url) = (text("error"), text("method"), text("url"));
        let read =
            || draft(date(&text("timestamp"))?, whole("code")?, whole("latency")?, &error, &method, &url);
        let retry_after = fields.text("headers.Retry-After");
        traffic.take(number, read().map(|read| Draft { retry_after: retry_after.as_deref(), ..read }))
    })?;
    traffic.finish(false, "line")
}

fn draft<'a>(
    at: i64,
    code: i128,
    latency: i128,
    error: &str,
    method: &'a str,
    url: &'a str,
) -> Result<Draft<'a>, String> {
    Ok(Draft {
        at,
        ends: false,
        latency: Some(u64::try_from(latency).map_err(|_| format!("{latency} ns is no duration"))?),
        outcome: outcome_of(code, error)?,
        method: if method.is_empty() { "GET" } else { method },
        url,
        client: None,
        retry: false,
        served: false,
        retry_after: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    #[test]
    fn both_layouts_are_read() {
        let old = "1700000000000000005,200,1000,0,2,,e30=,,0\n1700000000000000000,0,7,0,0,context deadline exceeded,,,1\n";
        let mut traffic = Traffic::default();
        read_csv(old.as_bytes(), &mut traffic).unwrap();
        let found: Vec<_> = traffic.requests.iter().map(|r| (r.at, r.latency, r.outcome)).collect();
        assert_eq!(found[0], (0, Some(7), Outcome::Timeout));
        assert_eq!((found[1].0, found[1].1), (5, Some(1000)));
        let json = r#"{"code":200,"timestamp":"2023-11-14T23:13:20.000000005+01:00","latency":1000,"method":"PUT","url":"http://h/a/1"}"#;
        let mut traffic = Traffic::default();
        read_json(json.as_bytes(), &mut traffic).unwrap();
        assert_eq!(
            (traffic.began, traffic.operations[0].as_str()),
            (1_700_000_000_000_000_005, "PUT /a/{id}")
        );
    }

    #[test]
    fn odd_rows_are_told_from_results() {
        for (row, why) in [
            ("1,2,3", "3 cells"),
            ("x,200,1,0,0,,,,0", "no time"),
            ("1700000000000000000,200,-1,0,0,,,,0", "-1 ns is no duration"),
            ("1700000000000000000,200,NaN,0,0,,,,0", "no latency"),
            ("-1,200,1,0,0,,,,0", "before 1970"),
            ("99999999999999999999999,200,1,0,0,,,,0", "2262"),
            ("1700000000000000000,777,1,0,0,,,,0", "no status"),
        ] {
            let found = read_csv(row.as_bytes(), &mut Traffic::default()).unwrap_err();
            assert!(found.contains(why), "{row}: {found}");
        }
        for (row, why) in [
            ("[1]", "no whole `code`"),
            (r#"{"code":200,"latency":1.5,"timestamp":"2023-11-14T23:13:20Z"}"#, "no whole `latency`"),
            ("{", "no JSON"),
        ] {
            let found = read_json(row.as_bytes(), &mut Traffic::default()).unwrap_err();
            assert!(found.contains(why) || found.contains("no date"), "{row}: {found}");
        }
    }
}
