//! Which outcomes are in a set, in words.

use super::list;
use crate::outcomes::{Only, Outcomes};
use crate::policy::RetryOn;

/// What a policy retries, as a sentence.
pub(super) fn retried(retry_on: &RetryOn) -> String {
    match retry_on {
        RetryOn::Transient => sentence("", &Outcomes::Transient),
        RetryOn::AnyFailure => sentence("", &Outcomes::AnyFailure),
        RetryOn::Only(only) => sentence("", &Outcomes::Only(only.clone())),
        RetryOn::ByIdempotence(by) => format!(
            "{} {}",
            sentence(" of what may be done twice", &by.idempotent),
            sentence(" of what may not", &by.other)
        ),
    }
}

fn sentence(of: &str, outcomes: &Outcomes) -> String {
    match outcomes {
        Outcomes::AnyFailure => format!("Retried{of}: every failure, whatever it is."),
        Outcomes::Transient | Outcomes::Only(_) => match &named(outcomes)[..] {
            [] => format!("Retried{of}: nothing."),
            names => format!("Retried{of}: {}; others not.", list(names)),
        },
    }
}

/// The names of the outcomes in a set.
pub(super) fn named(outcomes: &Outcomes) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    match outcomes {
        Outcomes::AnyFailure => words(&["every failure"]),
        Outcomes::Transient => words(&[
            "429",
            "500",
            "502",
            "503",
            "504",
            "timeouts",
            "broken connections",
            "refusals of an open breaker",
        ]),
        Outcomes::Only(only) => listed(only),
    }
}

fn listed(only: &Only) -> Vec<String> {
    let Only { status, except, status_with_retry_after, timeout, connection_error, breaker_open, shed } =
        only;
    let mut names = distinct(status.listed(), &[]);
    let with_header = distinct(status_with_retry_after.listed(), &names);
    let except = except.listed();
    if let Some(last) = names.last_mut()
        && !except.is_empty()
    {
        *last += &format!(" but {}", list(&except));
    }
    if !with_header.is_empty() {
        names.push(format!("{} with a Retry-After header", list(&with_header)));
    }
    for (in_it, name) in [
        (timeout, "timeouts"),
        (connection_error, "broken connections"),
        (breaker_open, "refusals of an open breaker"),
        (shed, "refusals of the client's own limiter"),
    ] {
        if *in_it {
            names.push(name.into());
        }
    }
    names
}

/// Each code once, and none that is `known` already, by itself or by its class.
fn distinct(codes: Vec<String>, known: &[String]) -> Vec<String> {
    let class = |code: &str| format!("{}xx", code.chars().next().unwrap_or_default());
    let listed = codes.clone();
    let mut kept: Vec<String> = Vec::new();
    for code in codes {
        let covered =
            !code.ends_with("xx") && (listed.contains(&class(&code)) || known.contains(&class(&code)));
        if !covered && !kept.contains(&code) && !known.contains(&code) {
            kept.push(code);
        }
    }
    kept
}
