//! Errors for people: each says what is wrong, where, and how to mend it.

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
            Self::Disk { .. } => 1,
        }
    }
}

/// The known name nearest to `unknown`, if one is near enough to be a typo.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count().max(unknown.chars().count()) / 4)
        .min()
        .map(|(_, name)| name)
}

/// "did you mean `x`?" if a known name is near, else the list of all.
pub(crate) fn suggestion<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(unknown, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "none is defined".into(),
        None => format!("known are: {}", known.join(", ")),
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
}
