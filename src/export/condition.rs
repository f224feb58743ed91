//! Which failures are retried, as the targets ask for it: ranges of status codes and two kinds of broken calls.

use crate::outcome::{Outcome, StatusCode};
use crate::outcomes::Outcomes;
use crate::policy::RetryOn;

/// A set of outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "it lists what is in a set")]
pub(super) struct Condition {
    /// Every failure is in it.
    pub(super) every: bool,
    /// Ranges of status codes, both ends included.
    pub(super) statuses: Vec<(u16, u16)>,
    /// The same of answers with a Retry-After header, without the others.
    pub(super) with_header: Vec<(u16, u16)>,
    /// Timeouts are in it.
    pub(super) timeout: bool,
    /// Connection errors are in it.
    pub(super) connection_error: bool,
    /// Refusals of an open breaker are in it.
    pub(super) breaker_open: bool,
}

impl Condition {
    /// The set in these terms.
    pub(super) fn of(outcomes: &Outcomes) -> Self {
        let includes = |code, header| outcomes.includes(Outcome::Status(StatusCode::of(code)), header);
        Self {
            every: matches!(outcomes, Outcomes::AnyFailure),
            statuses: ranges(|code| includes(code, false)),
            with_header: ranges(|code| includes(code, true) && !includes(code, false)),
            timeout: outcomes.includes(Outcome::Timeout, false),
            connection_error: outcomes.includes(Outcome::ConnectionError, false),
            breaker_open: outcomes.includes(Outcome::BreakerOpen, false),
        }
    }

    /// True if nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        !self.timeout && !self.connection_error && self.statuses.is_empty() && self.with_header.is_empty()
    }
}

/// What is retried: of operations that may be done twice, and of others if that is another set.
pub(super) fn conditions(retry_on: &RetryOn) -> (Condition, Option<Condition>) {
    let first = Condition::of(&retry_on.outcomes(true));
    let second = Condition::of(&retry_on.outcomes(false));
    if first == second { (first, None) } else { (first, Some(second)) }
}

fn ranges(includes: impl Fn(u16) -> bool) -> Vec<(u16, u16)> {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for code in (100..=599).filter(|&code| includes(code)) {
        match ranges.last_mut() {
            // 199 and 300 are neighbours: what is between is no failure.
            Some((_, last)) if *last + 1 == code || (*last == 199 && code == 300) => *last = code,
            _ => ranges.push((code, code)),
        }
    }
    ranges
}

/// Ranges as text, from how one code and how a range is written.
pub(super) fn written(
    ranges: &[(u16, u16)],
    single: fn(u16) -> String,
    range: fn(u16, u16) -> String,
) -> Vec<String> {
    let mut parts = Vec::new();
    for &(low, high) in ranges {
        if high - low < 3 {
            parts.extend((low..=high).map(single));
        } else {
            parts.push(range(low, high));
        }
    }
    parts
}
