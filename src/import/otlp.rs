//! Spans of OpenTelemetry in the JSON encoding of OTLP: one document, or one per line, as the collector's file exporter writes them.
//!
//! Requests are spans of clients with an HTTP method; if there is none, those of servers. Those with `http.request.resend_count` are
//! retries that somebody else's policy made. Both the encoding of OTLP (kinds as numbers) and that of protobuf (kinds as names) are read.

use std::io::Read;

use super::json::{Fields, each_value};
use super::traffic::{Draft, Traffic, outcome_of};

const WANTED: [&str; 15] = [
    "kind",
    "startTimeUnixNano",
    "endTimeUnixNano",
    "attributes.http.request.method",
    "attributes.http.method",
    "attributes.http.response.status_code",
    "attributes.http.status_code",
    "attributes.url.full",
    "attributes.http.url",
    "attributes.url.path",
    "attributes.http.target",
    "attributes.url.template",
    "attributes.error.type",
    "attributes.http.request.resend_count",
    "attributes.http.response.header.retry-after",
];

/// Reads all spans.
pub(super) fn read(input: impl Read, traffic: &mut Traffic) -> Result<(), String> {
    let mut number = 0;
    let steps = ["resourceSpans", "[]", "scopeSpans", "[]", "spans", "[]"];
    each_value(input, &steps, &WANTED, |fields| {
        number += 1;
        let served = match fields.text("kind").unwrap_or_default().as_str() {
            "3" | "SPAN_KIND_CLIENT" => false,
            "2" | "SPAN_KIND_SERVER" => true,
            _ => return Ok(()),
        };
        let text = |names: &[&str]| {
            names.iter().find_map(|name| fields.text(&format!("attributes.{name}"))).unwrap_or_default()
        };
        let method = text(&["http.request.method", "http.method"]);
        if method.is_empty() {
            return Ok(());
        }
        let url = text(&["url.full", "http.url", "url.path", "http.target", "url.template"]);
        let method = if method == "_OTHER" { "OTHER".to_owned() } else { method };
        let retry_after = fields.text("attributes.http.response.header.retry-after");
        let read = draft(&fields, served, &method, &url);
        traffic.take(number, read.map(|read| Draft { retry_after: retry_after.as_deref(), ..read }))
    })?;
    traffic.finish(false, "span")
}

fn draft<'a>(fields: &Fields, served: bool, method: &'a str, url: &'a str) -> Result<Draft<'a>, String> {
    let nanos = |name: &str| {
        let time = fields.whole(name).ok_or_else(|| format!("it has no whole `{name}`"))?;
        i64::try_from(time).map_err(|_| format!("`{name}` is beyond 2262"))
    };
    let (at, end) = (nanos("startTimeUnixNano")?, nanos("endTimeUnixNano")?);
    let latency = end.checked_sub(at).and_then(|latency| u64::try_from(latency).ok());
    let code = ["http.response.status_code", "http.status_code"]
        .iter()
        .find_map(|name| fields.whole(&format!("attributes.{name}")));
    let error = fields.text("attributes.error.type").unwrap_or_default();
    if code.is_none() && error.is_empty() {
        return Err("it has neither a status code nor an error.type".into());
    }
    Ok(Draft {
        at,
        ends: false,
        latency: Some(latency.ok_or("it ends before it starts")?),
        outcome: outcome_of(code.unwrap_or(0), &error)?,
        method,
        url,
        client: None,
        retry: fields.whole("attributes.http.request.resend_count").is_some_and(|count| count > 0),
        served,
        retry_after: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(kind: &str, start: &str, end: &str, attributes: &[(&str, &str)]) -> String {
        let list: Vec<String> = attributes
            .iter()
            .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{{value}}}}}"#))
            .collect();
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"kind":{kind},"startTimeUnixNano":{start},"endTimeUnixNano":{end},"attributes":[{}]}}]}}]}}]}}"#,
            list.join(",")
        )
    }

    const GET: (&str, &str) = ("http.request.method", r#""stringValue":"GET""#);
    const OK: (&str, &str) = ("http.response.status_code", r#""intValue":"200""#);

    #[test]
    fn spans_of_clients_come_before_those_of_servers_and_retries_are_told() {
        let text = [
            span("3", "\"10\"", "\"25\"", &[GET, OK, ("url.full", r#""stringValue":"http://h/a/1""#)]),
            span(
                "\"SPAN_KIND_CLIENT\"",
                "30",
                "40",
                &[GET, OK, ("http.request.resend_count", r#""intValue":1"#)],
            ),
            span("2", "\"12\"", "\"20\"", &[GET, OK]),
            span("1", "\"1\"", "\"2\"", &[GET, OK]),
            span("3", "\"1\"", "\"2\"", &[("db.system", r#""stringValue":"x""#)]),
        ]
        .join("\n");
        let mut traffic = Traffic::default();
        read(text.as_bytes(), &mut traffic).unwrap();
        let found: Vec<_> = traffic.requests.iter().map(|r| (r.at, r.latency, r.retry)).collect();
        assert_eq!(found, [(0, Some(15), false), (20, Some(10), true)]);
        assert_eq!((traffic.left_out, traffic.retries(), traffic.seen), (1, 1, 3));
        let mut served = Traffic::default();
        read(span("2", "\"12\"", "\"20\"", &[GET, OK]).as_bytes(), &mut served).unwrap();
        assert_eq!(served.requests.len(), 1);
    }

    #[test]
    fn odd_spans_are_told_from_requests() {
        for (text, why) in [
            (span("3", "\"20\"", "\"10\"", &[GET, OK]), "ends before it starts"),
            (span("3", "\"-20\"", "\"10\"", &[GET, OK]), "before 1970"),
            (span("3", "\"x\"", "\"10\"", &[GET, OK]), "no whole `startTimeUnixNano`"),
            (span("3", "1", "99999999999999999999", &[GET, OK]), "no whole `endTimeUnixNano`"),
            (span("3", "\"1\"", "\"10\"", &[GET]), "neither a status code nor an error.type"),
            (span("1", "\"1\"", "\"10\"", &[GET, OK]), "there is no request"),
            ("{\"resourceSpans\": [[1]]}".into(), "a list where an object with scopeSpans belongs"),
        ] {
            let found = read(text.as_bytes(), &mut Traffic::default()).unwrap_err();
            assert!(found.contains(why), "{text}: {found}");
        }
    }
}
