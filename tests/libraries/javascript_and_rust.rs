//! The presets of JavaScript and Rust libraries, by the rows that they answer for.

use crate::{Params, Setup};

/// The preset that answers for a row; `None` if the library is not one of these.
pub(crate) fn preset(library: &str, policy: &str, params: &Params<'_>) -> Option<Setup> {
    let _ = (library, policy, params);
    None
}
