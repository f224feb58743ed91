//! HTTP archives (HAR 1.2), as browsers save them: `log.entries[]` with start and duration in milliseconds.
//!
//! A status of 0 or -1 is a request without an answer; browsers put why into `response._failureText` or `response._error`.

use std::io::Read;

use super::json::each_value;
use super::traffic::{Draft, Traffic, date, millis, outcome_of};

const WANTED: [&str; 8] = [
    "startedDateTime",
    "time",
    "request.method",
    "request.url",
    "response.status",
    "response._failureText",
    "response._error",
    "response.headers.retry-after",
];

/// Reads all entries.
pub(super) fn read(input: impl Read, traffic: &mut Traffic) -> Result<(), String> {
    let mut number = 0;
    each_value(input, &["log", "entries", "[]"], &WANTED, |fields| {
        number += 1;
        let text = |name: &str| fields.text(name).unwrap_or_default();
        let (method, url) = (text("request.method"), text("request.url"));
        let retry_after = fields.text("response.headers.retry-after");
        let error = text("response._failureText") + &text("response._error");
        let read = || {
            Ok(Draft {
                at: date(&text("startedDateTime"))?,
                ends: false,
                latency: Some(millis(fields.number("time"))?),
                outcome: outcome_of(fields.whole("response.status").ok_or("it has no status")?, &error)?,
                method: &method,
                url: &url,
                client: None,
                retry: false,
                served: false,
                retry_after: retry_after.as_deref(),
            })
        };
        traffic.take(number, read())
    })?;
    traffic.finish(false, "entry")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_are_odd_are_counted_and_the_others_read() {
        let good = r#"{"startedDateTime":"2026-01-05T08:30:00.5+01:00","time":12.5,"request":{"method":"GET","url":"https://h/a"},"response":{"status":200}}"#;
        let odd = [
            r#"{"time":1}"#,
            "[[]]",
            r#"{"startedDateTime":"2026-01-05T08:30:00Z","time":-1,"request":{"method":"GET"},"response":{"status":200}}"#,
        ];
        let text = format!(
            r#"{{"log":{{"version":"1.2","entries":[{good},{},{good},{good},{}, {}]}}}}"#,
            odd[0], odd[1], odd[2]
        );
        let mut traffic = Traffic::default();
        read(text.as_bytes(), &mut traffic).unwrap();
        assert_eq!((traffic.requests.len(), traffic.bad.count), (3, 3));
        let reasons = traffic.reasons("entry").join("; ");
        for needle in ["entry 2: \"\" is no date", "entry 5: ", "entry 6: -1 ms is no duration"] {
            assert!(reasons.contains(needle), "{reasons}");
        }
        let cut = read(&text.as_bytes()[..100], &mut Traffic::default()).unwrap_err();
        assert!(cut.contains("no JSON") && cut.contains("EOF"), "{cut}");
    }
}
