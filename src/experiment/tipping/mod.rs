//! Tipping points: how far a field can go before a condition fails, per arm.
//!
//! The search bisects. Each value is decided on by a test, with as many replications as it takes up to a limit, and under the same
//! luck as its neighbours. A value is *shown* to hold or to fail if the test says so at a level at which all tests of a search
//! together err with a probability of at most 5 %: a level of 0.05, shared out over every value, look and condition that the search
//! may come to (Bonferroni). So with 95 % confidence the tipping point lies between the last value that was shown to hold and the
//! first that was shown to fail, if there is one such point.
//!
//! That is the level of a mean over replications which is near normal; the interval of a skewed one counts only from as many of them on
//! as Cochran's rule says, by the skewness that was seen. What is rarer than the replications can show may be missed. A share of the
//! replications (`Question::share`) is tested by the binomial law, which holds whatever the figures are.

mod decide;
mod phase;
mod search;

pub use decide::{Decision, Trial};
pub use phase::{Cell, Phase, PhaseMap, phase_map};
pub use search::{Found, Side, Tipping, tipping_points, with_fractions};

use crate::error::Error;
use crate::metrics::Centre;
use crate::scenario::{Condition, Override, Range, Scenario, ScenarioFile};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Question {
    /// The scenario's file.
    pub file: ScenarioFile,
    /// What is changed in it throughout.
    pub overrides: Vec<Override>,
    /// All of these must hold.
    pub conditions: Vec<Condition>,
    /// In what share of the replications they must hold; if absent, on average, and figures that are compared by their median in
    /// half of the replications.
    pub share: Option<f64>,
    /// The most replications of a value.
    pub most: u32,
}

/// The field that is varied, from one end to the other.
#[derive(Debug, Clone)]
pub struct Varied {
    /// Its path.
    pub path: String,
    /// Its values.
    pub range: Range,
    /// How finely, as a share of the range.
    pub resolution: f64,
}

impl Question {
    /// The scenario with these fields set to these values.
    ///
    /// # Errors
    /// If it is not sound then.
    pub fn at(&self, fields: &[(&str, &str)]) -> Result<Scenario, Error> {
        let mut overrides = self.overrides.clone();
        overrides.extend(fields.iter().map(|&(path, value)| Override::new("--vary", path, value)));
        self.file.with(&overrides)
    }

    /// The conditions as they are written.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.conditions.iter().map(|condition| condition.text.as_str()).collect();
        texts.join(" and ")
    }

    /// True if one of the conditions is decided on by the interval of a mean, which takes means that are near normal.
    pub fn rests_on_means(&self) -> bool {
        let by_mean = |condition: &Condition| condition.figure.metric.sense().centre == Centre::Mean;
        self.share.is_none() && self.conditions.iter().any(by_mean)
    }

    /// Reads the conditions: one or several with `and` between them.
    ///
    /// # Errors
    /// With what is wrong and how it is written.
    pub fn conditions(scenario: &Scenario, text: &str) -> Result<Vec<Condition>, Error> {
        let read = |part: &str| {
            scenario.condition(part).map_err(|why| Error::Usage(format!("--until {text:?}: {why}")))
        };
        if let Some(why) = text.split_whitespace().find_map(misjoined) {
            return Err(Error::Usage(format!("--until {text:?}: {why}")));
        }
        text.split(" and ").map(read).collect()
    }
}

/// What is wrong with a word that joins conditions, and what to write.
fn misjoined(word: &str) -> Option<String> {
    match word.to_ascii_lowercase().as_str() {
        "and" if word == "and" => None,
        "and" | "&&" | "&" | "," | ";" => Some(format!(
            "write `and` instead of {word}, such as \"success_rate >= 0.99 and honest_p99 < 5m\""
        )),
        "or" | "||" | "|" => Some(format!(
            "all conditions must hold, so that they can be joined by `and` and not by {word}: search once for each of them"
        )),
        _ => None,
    }
}
