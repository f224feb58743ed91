//! Access logs in the Common Log Format and the Combined one, as Apache and nginx write them.
//!
//! `host ident user [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.1" 200 512`, in the Combined format followed by referrer and user
//! agent in quotes. What comes after may be the latency: a decimal number of seconds (nginx `$request_time`; the line was written when
//! the request ended, so that it began that much earlier), or a whole number of microseconds (Apache `%D`; the time is that of the
//! start). `rt=` or `request_time=` may stand before it.

use std::io::BufRead;

use super::lines::each_line;
use super::traffic::{Draft, Traffic, outcome};
use crate::table::decimal_nanos;

/// Reads all lines; `combined` ones must have referrer and user agent.
pub(super) fn read(input: impl BufRead, combined: bool, traffic: &mut Traffic) -> Result<(), String> {
    each_line(input, |number, line| match line.and_then(|line| parse(line, combined)) {
        Ok(line) => traffic.take(number, line.draft()),
        Err(why) => traffic.take(number, Err(why)),
    })?;
    traffic.finish(true, "line")
}

/// The parts of a line.
struct Line<'a> {
    host: &'a str,
    at: i64,
    method: &'a str,
    path: &'a str,
    status: &'a str,
    latency: Option<u64>,
    ends: bool,
}

impl<'a> Line<'a> {
    fn draft(&self) -> Result<Draft<'a>, String> {
        let code = self.status.parse().map_err(|_| format!("\"{}\" is no status", self.status))?;
        if code < 100 {
            return Err(format!("{code} is no status"));
        }
        Ok(Draft {
            at: self.at,
            ends: self.ends,
            latency: self.latency,
            // nginx's own code for a client that did not wait for the answer.
            outcome: if code == 499 { crate::outcome::Outcome::Timeout } else { outcome(code)? },
            method: self.method,
            url: self.path,
            client: Some(self.host),
            retry: false,
            served: false,
            retry_after: None,
        })
    }
}

/// Whether `line` is of this format, and then whether it is a combined one.
pub(super) fn kind(line: &str) -> Option<bool> {
    parse(line, true).map(|_| true).or_else(|_| parse(line, false).map(|_| false)).ok()
}

fn parse(line: &str, combined: bool) -> Result<Line<'_>, String> {
    let missing = |what: &str| format!("there is no {what}");
    let (before, rest) = line.split_once(" [").ok_or_else(|| missing("[time]"))?;
    let host = before.split(' ').next().filter(|host| !host.is_empty()).ok_or_else(|| missing("host"))?;
    let (time, rest) = rest.split_once(']').ok_or_else(|| missing("[time]"))?;
    let (request, rest) = quoted(rest).ok_or_else(|| missing("request in quotes"))?;
    let mut parts = request.split(' ');
    let (Some(method), Some(path)) = (parts.next(), parts.next()) else {
        return Err("the request is none of HTTP".into());
    };
    let (status, rest) = word(rest);
    let (bytes, mut rest) = word(rest);
    if bytes != "-" && bytes.parse::<u64>().is_err() {
        return Err(missing("status and number of bytes"));
    }
    if let Some((_, after)) = quoted(rest) {
        let (_, after) = quoted(after).ok_or_else(|| missing("user agent in quotes"))?;
        rest = after;
    } else if combined {
        return Err(missing("referrer in quotes"));
    }
    let (latency, ends) = latency(rest);
    Ok(Line { host, at: time_of(time)?, method, path, status, latency, ends })
}

/// The first number among what a line ends with, and whether it is nginx's.
fn latency(rest: &str) -> (Option<u64>, bool) {
    for word in rest.split_ascii_whitespace() {
        let named = ["rt=", "request_time="].iter().find_map(|name| word.strip_prefix(name));
        let number = named.unwrap_or(word).trim_matches('"');
        let Some(nanos) = decimal_nanos(number).and_then(|nanos| u64::try_from(nanos).ok()) else { continue };
        if number.contains('.') {
            return (Some(nanos), true);
        }
        return (Some(nanos / 1_000_000), false);
    }
    (None, false)
}

/// The text in quotes with which `text` begins, in which a backslash takes the meaning from a quote, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return Some((&text[..at], &text[at + 1..])),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(' ').unwrap_or(text.len()))
}

/// Nanoseconds of the Unix epoch of `10/Oct/2000:13:55:36 -0700`.
fn time_of(text: &str) -> Result<i64, String> {
    let time = jiff::Timestamp::strptime("%d/%b/%Y:%H:%M:%S %z", text).map_err(|_| {
        let text: String = text.chars().take(40).collect();
        format!("\"{text}\" is no time such as 10/Oct/2000:13:55:36 -0700")
    })?;
    i64::try_from(time.as_nanosecond()).map_err(|_| "its time is beyond 2262".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Outcome, StatusCode};

    fn one(line: &str) -> Result<(i64, Option<u64>, bool, Outcome, String), String> {
        let line = parse(line, false)?;
        let draft = line.draft()?;
        let name = format!("{} {} {}", line.host, line.method, line.path);
        Ok((draft.at / 1_000_000_000, draft.latency, draft.ends, draft.outcome, name))
    }

    #[test]
    fn lines_are_read_whatever_follows_and_wherever_the_clock_stands() {
        let status = |code| Outcome::Status(StatusCode::of(code));
        let cases = [
            (
                r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#,
                (971_211_336, None, false, status(200), "127.0.0.1 GET /apache_pb.gif"),
            ),
            (
                r#"::1 - jo doe [10/Oct/2000:20:55:36 +0000] "POST /x HTTP/2.0" 499 - "-" "a \"b\" c" 0.250"#,
                (971_211_336, Some(250_000_000), true, Outcome::Timeout, "::1 POST /x"),
            ),
            (
                r#"h - - [11/Oct/2000:02:25:36 +0530] "GET / HTTP/1.1" 503 0 "r" "\\" 1500"#,
                (971_211_336, Some(1_500_000), false, status(503), "h GET /"),
            ),
            (
                r#"h - - [10/Oct/2000:20:55:36 +0000] "GET /" 204 - "-" "-" "-" rt=0.001 uct="0.000""#,
                (971_211_336, Some(1_000_000), true, status(204), "h GET /"),
            ),
        ];
        for (line, (at, latency, ends, outcome, name)) in cases {
            assert_eq!(one(line), Ok((at, latency, ends, outcome, name.to_owned())), "{line}");
        }
    }

    #[test]
    fn odd_lines_are_told_from_requests() {
        for (line, why) in [
            ("", "no [time]"),
            ("nothing at all", "no [time]"),
            (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200"#, "number of bytes"),
            (r#"h - - [10/Oct/2000:13:55:36 -0700] "\x16\x03\x01" 400 150"#, "none of HTTP"),
            (r#"h - - [10/Oct/2000:13:55:36 -0700] "-" 408 -"#, "none of HTTP"),
            (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0 200 5"#, "in quotes"),
            (r#"h - - [32/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5"#, "is no time"),
            (r#"h - - [10/Oct/2000:13:55:36] "GET / HTTP/1.0" 200 5"#, "is no time"),
            (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 999 5"#, "no status"),
            (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 0 5"#, "no status"),
            (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" ok 5"#, "no status"),
            (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 -5"#, "number of bytes"),
        ] {
            let found = one(line).unwrap_err();
            assert!(found.contains(why), "{line}: {found}");
        }
        let plain = r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5"#;
        assert!(parse(plain, true).is_err(), "a plain line is no combined one");
        assert_eq!(
            (kind(plain), kind(&format!("{plain} \"\" \"\"")), kind("x")),
            (Some(false), Some(true), None)
        );
    }
}
