//! Progress bars: on stderr, and only if that is a terminal.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many replications, which says how long the rest will take.
pub(super) fn replications(steps: u64) -> ProgressBar {
    shown(ProgressBar::new(steps), "{bar:30} {pos}/{len} replications, {eta} left")
}

/// A count of what is done, of nobody knows how many.
pub(super) fn counted(what: &str) -> ProgressBar {
    shown(ProgressBar::no_length(), &format!("{{spinner}} {{pos}} {what}"))
}

fn shown(bar: ProgressBar, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    bar.with_style(ProgressStyle::with_template(template).expect("a sound template"))
}
