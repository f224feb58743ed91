//! Evidence: what replications say of a condition. One rule for `[expect]`, `limits` and `tune`.
//!
//! A condition is held against the replications that observed its figure, and rests on as many as these are. Where none did,
//! nothing shows that it holds and nothing that it fails: it is undecided, and so not known to hold. There is one exception: if times
//! to success are to be short (`time_to_success_...` or `honest_...` with `<` or `<=`), a replication in which nothing succeeded
//! breaks the condition. Whoever serves nobody serves nobody slowly.

use crate::scenario::{Comparison, Condition};
use crate::statistics::Estimate;

/// What replications say of a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Evidence {
    /// No replication observed the figure.
    Unobserved,
    /// Success is to be quick, and in so many replications there was none.
    NothingSucceeded(usize),
    /// What the replications that observed it saw.
    Seen(Estimate),
}

impl Evidence {
    /// Of replications, each with what it observed and whether anything succeeded in it.
    pub(super) fn of(
        condition: &Condition,
        replications: impl Iterator<Item = (Option<f64>, bool)> + Clone,
    ) -> Self {
        let barren = replications.clone().filter(|(_, served)| !served).count();
        if barren > 0 && wants_quick_success(condition) {
            return Self::NothingSucceeded(barren);
        }
        Estimate::of(replications.filter_map(|(value, _)| value)).map_or(Self::Unobserved, Self::Seen)
    }
}

/// Whether the condition holds in one replication; `None` if that says nothing of it.
pub(super) fn holds_in(condition: &Condition, value: Option<f64>, served: bool) -> Option<bool> {
    if wants_quick_success(condition) && !served {
        return Some(false);
    }
    value.map(|value| condition.comparison.holds(value, condition.bound))
}

/// True if a condition wants times to success to be short.
fn wants_quick_success(condition: &Condition) -> bool {
    let name = condition.figure.metric.name();
    matches!(condition.comparison, Comparison::AtMost | Comparison::Below)
        && (name.starts_with("time_to_success_") || name.starts_with("honest_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Figure, Metric};

    fn condition(name: &str, comparison: Comparison) -> Condition {
        let figure = Figure { metric: Metric::named(name).unwrap(), subject: 0 };
        Condition { figure, comparison, bound: 10.0, text: name.to_owned() }
    }

    #[test]
    fn what_was_not_observed_says_nothing_unless_success_is_to_be_quick() {
        let seen = [(Some(1.0), true), (None, true), (Some(3.0), true)];
        let barren = [(Some(1.0), true), (None, false)];
        let give_up = condition("time_to_give_up_max", Comparison::AtMost);
        let quick = condition("time_to_success_p99", Comparison::Below);
        let slow = condition("time_to_success_p99", Comparison::Above);
        let of = |condition: &Condition, rows: &[(Option<f64>, bool)]| {
            Evidence::of(condition, rows.iter().copied())
        };
        let Evidence::Seen(two) = of(&give_up, &seen) else { panic!("it was observed") };
        assert_eq!((two.mean, two.observations), (2.0, 2), "it rests on what was observed");
        assert_eq!(of(&give_up, &[(None, true); 5]), Evidence::Unobserved);
        assert_eq!(
            of(&give_up, &[(None, false); 5]),
            Evidence::Unobserved,
            "nobody gave up, and nobody succeeded"
        );
        assert_eq!(of(&quick, &barren), Evidence::NothingSucceeded(1));
        assert!(matches!(of(&slow, &barren), Evidence::Seen(_)));
        assert_eq!(holds_in(&give_up, None, true), None);
        assert_eq!(holds_in(&quick, None, false), Some(false));
        assert_eq!(holds_in(&give_up, Some(10.0), true), Some(true));
    }
}
