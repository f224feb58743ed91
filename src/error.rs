//! Errors for people: each says what is wrong, where, and how to mend it.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// What can go wrong outside a simulation; inside, after the scenario has been checked, nothing can.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option or a name makes no sense. Nothing was written.
    #[error("error: {0}")]
    Usage(String),
    /// A scenario has problems, each shown with its place. Nothing was written.
    #[error("{0}")]
    Scenario(String),
    /// The program is wrong. Nothing was written.
    #[error("error: {0}")]
    Bug(String),
    /// The disk refused.
    #[error("error: cannot {action} {}: {source}", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// A failure to do `action` on `path`.
    pub fn disk(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Disk { action, path: path.as_ref().to_owned(), source }
    }

    /// The exit code of the process: 2 for what the user can mend in the scenario or on the command line, 1 for the rest.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Scenario(_) => 2,
            Self::Bug(_) | Self::Disk { .. } => 1,
        }
    }
}

/// The known name nearest to `unknown`, if one is near enough to be a typo; of several the last, which is the newest version.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), Reverse(name)))
        .filter(|(distance, name)| *distance <= 1 + name.0.chars().count().max(unknown.chars().count()) / 4)
        // Of a word of three letters, two are not its typo but another word.
        .filter(|(distance, _)| 2 * distance <= unknown.chars().count())
        .min()
        .map(|(_, name)| name.0)
}

/// How many known names are listed.
const MOST_LISTED: usize = 60;

/// "did you mean `x`?" if a known name is near, else the list of all; of a long list, what begins alike.
pub(crate) fn suggestion<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(name) = nearest(unknown, known.iter().copied()) {
        return format!("did you mean `{name}`?");
    }
    let beginning: String = unknown.chars().take_while(|c| c.is_alphanumeric()).collect();
    let alike = || known.iter().copied().filter(|name| !beginning.is_empty() && name.starts_with(&beginning));
    match known.len() {
        0 => "none is defined".into(),
        1..=MOST_LISTED => format!("known are: {}", known.join(", ")),
        all if alike().next().is_none() => format!("none of the {all} known ones begins like it"),
        _ => format!("known are: {}", alike().take(MOST_LISTED).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_told_from_another_word() {
        let known = ["retries", "backoff", "jitter", "deadline"];
        for (unknown, near) in
            [("retires", Some("retries")), ("jiter", Some("jitter")), ("colour", None), ("x", None)]
        {
            assert_eq!(nearest(unknown, known), near, "{unknown}");
        }
        assert_eq!(suggestion("colour", known), "known are: retries, backoff, jitter, deadline");
    }

    #[test]
    fn of_a_long_list_only_what_begins_alike_is_shown() {
        let names: Vec<String> =
            (0..100).map(|n| format!("{}@{n}", if n < 3 { "tower" } else { "other" })).collect();
        let known = || names.iter().map(String::as_str);
        assert_eq!(suggestion("tower:retry-budget", known()), "known are: tower@0, tower@1, tower@2");
        assert_eq!(suggestion("colour", known()), "none of the 100 known ones begins like it");
    }
}
