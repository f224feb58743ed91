//! How numbers and what was read are put into words.

use super::estimate::{Quantile, wilson};
use super::format::Format;
use super::traffic::{Bad, Traffic};
use crate::outcome::Outcome;
use crate::time::Interval;

/// Nanoseconds as a decimal number of seconds, exactly.
pub(super) fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A duration in four digits, which is more than any estimate has.
pub(super) fn duration(nanos: u64) -> String {
    let scale = 10u64.pow(nanos.checked_ilog10().map_or(0, |digits| digits.saturating_sub(3)));
    Interval::from_nanos((nanos + scale / 2) / scale * scale).to_string()
}

/// A number of things.
pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// An outcome as a trace has it.
pub(super) fn of_outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Status(code) => code.get().to_string(),
        Outcome::Timeout => "timeout".into(),
        _ => "connection_error".into(),
    }
}

/// `text` as a basic string of TOML, which, unlike those of several lines, can stand for a key too.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A share of six digits, rounded down so that shares never add up to more than one, and its interval.
pub(super) fn share(k: u64, n: u64) -> (String, String) {
    let millionths = u128::from(k) * 1_000_000 / u128::from(n.max(1));
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    let text = text.trim_end_matches('0');
    let text = if text.ends_with('.') { format!("{text}0") } else { text.to_owned() };
    let (low, high) = wilson(k, n.max(1));
    (text, format!("[{low:.4}, {high:.4}] (Wilson), n = {n}"))
}

/// A quantile of durations with its interval.
pub(super) fn quantile(quantile: &Quantile) -> String {
    let end = |end: Option<u64>| end.map_or_else(|| "?".into(), duration);
    format!("{} [{}, {}]", duration(quantile.value), end(quantile.low), end(quantile.high))
}

/// What was read, for people.
pub(super) fn of_traffic(traffic: &Traffic, format: Format) -> String {
    let retries = traffic.retries();
    let requests = traffic.requests.len() as u64 - retries;
    let mut text = of_bad(&traffic.bad, requests, format);
    let last = traffic.requests.last().map_or(0, |request| request.at.unsigned_abs());
    text += &format!(
        "{}, {} from the first request to the last\n",
        count(traffic.operations.len() as u64, "operation", "operations"),
        duration(last)
    );
    if retries > 0 {
        text += &format!(
            "{retries} recorded retries (http.request.resend_count) are retries of the old policy, not requests: they are \
             counted, and left out of the trace\n"
        );
    }
    if traffic.left_out > 0 {
        text += &format!(
            "{} spans of servers are left out: those of clients tell of the same requests\n",
            traffic.left_out
        );
    }
    text
}

/// How many were read and how many were not.
pub(super) fn of_bad(bad: &Bad, requests: u64, format: Format) -> String {
    let requests = count(requests, "request", "requests");
    let mut text = format!("read {requests} from {} {}\n", format.article(), format.title());
    if format == Format::Locust {
        text += "these are totals: there is no trace, requests come at the recorded rates\n";
    }
    if bad.count > 0 {
        let unit = format.unit();
        text += &format!("{} could not be read:\n", count(bad.count, unit, format.units()));
        for (number, why) in &bad.first {
            text += &format!("  {unit} {number}: {why}\n");
        }
        let more = bad.count - bad.first.len() as u64;
        if more > 0 {
            text += &format!("  and {more} more\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_short() {
        for (nanos, exact, short) in [
            (0, "0", "0s"),
            (1, "0.000000001", "1ns"),
            (28_451_573, "0.028451573", "28.45ms"),
            (90_000_000_000, "90", "1m 30s"),
        ] {
            assert_eq!((seconds(nanos).as_str(), duration(nanos).as_str()), (exact, short));
        }
        for text in ["", "a\"b\\", "'\'\'", "\u{1b}\n\u{7f}\u{85}", "\u{1f600}"] {
            let table: toml::Table = format!("{0} = {0}", quote(text)).parse().unwrap();
            assert_eq!(table[text].as_str(), Some(text));
        }
        for (k, n, text) in [(1, 3, "0.333333"), (0, 5, "0.0"), (5, 5, "1.0"), (1, 8, "0.125")] {
            assert_eq!(share(k, n).0, text);
        }
    }
}
