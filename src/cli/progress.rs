//! Progress bars: on stderr, and only if that is a terminal.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many of what is done, which says how long the rest will take.
pub(super) fn of(steps: u64, what: &str) -> ProgressBar {
    shown(ProgressBar::new(steps), &format!("{{bar:30}} {{pos}}/{{len}} {what}, {{eta}} left"))
}

/// The same of at most so many: what is found early needs fewer.
pub(super) fn at_most(steps: u64, what: &str) -> ProgressBar {
    shown(ProgressBar::new(steps), &format!("{{bar:30}} {{pos}}/{{len}} {what}, {{eta}} left at most"))
}

/// A count of what is done, of nobody knows how many, and how long it has taken.
pub(super) fn counted(what: &str) -> ProgressBar {
    shown(ProgressBar::no_length(), &format!("{{spinner}} {{pos}} {what} in {{elapsed}}"))
}

fn shown(bar: ProgressBar, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    bar.with_style(ProgressStyle::with_template(template).expect("a sound template"))
}
