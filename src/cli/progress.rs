//! Progress bars: on stderr, and only if that is a terminal.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many replications, which says how long the rest will take.
pub(super) fn replications(steps: u64) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(steps) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} replications, {eta} left")
        .expect("a sound template");
    bar.set_style(style);
    bar
}
