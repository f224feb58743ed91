//! Expectations held against the results.

use super::replicate::Results;
use crate::scenario::{Condition, Expectation, Scenario};

/// What became of one expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The expectation as written.
    pub text: String,
    /// The mean that was measured; `None` if it could not be observed.
    pub mean: Option<f64>,
    /// True if the condition holds. What was not observed meets no condition.
    pub met: bool,
}

/// Holds each expectation of the scenario against the means over replications.
pub fn judge(scenario: &Scenario, results: &Results) -> Vec<Verdict> {
    let judge = |expectation: &Expectation| {
        let Condition { figure, comparison, bound, text } = &expectation.condition;
        let estimate = results.arms[expectation.arm].estimate(*figure);
        let mean = estimate.map(|estimate| estimate.mean);
        let met = mean.is_some_and(|mean| comparison.holds(mean, *bound));
        Verdict { text: text.clone(), mean, met }
    };
    scenario.expectations.iter().map(judge).collect()
}
