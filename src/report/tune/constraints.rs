//! What became of the constraints, by the confirmation: met, not met or undecided, in the same words wherever it is said.

use super::words::with_interval;
use crate::experiment::tune::{Met, TunedWorkload};
use crate::scenario::{Condition, Figure, Tune};

/// `met`, `not met` or `undecided`.
pub(super) fn outcome(found: &TunedWorkload) -> &'static str {
    found.confirmed(found.chosen).met().name()
}

/// What is not met and what is undecided, each with what was measured; objectives too, if nothing was observed of them. Empty if
/// there is nothing of either.
pub(super) fn open(tune: &Tune, found: &TunedWorkload) -> String {
    let confirmed = found.confirmed(found.chosen);
    let conditions: Vec<(&Condition, Met)> =
        tune.constraints.iter().zip(confirmed.constraints.iter().copied()).collect();
    let said = |outcome: &str| -> Vec<String> {
        let such = conditions.iter().filter(|(_, met)| met.name() == outcome);
        such.map(|(condition, met)| format!("{} ({})", condition.text, measured(found, condition, *met)))
            .collect()
    };
    let mut undecided = said(Met::Unobserved.name());
    for objective in &tune.objectives {
        if confirmed.observations(column(found, objective.figure)) == 0 {
            undecided.push(format!("{} ({})", objective.text, nowhere(found)));
        }
    }
    let lists = [(Met::No.name(), said(Met::No.name())), (Met::Unobserved.name(), undecided)];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    lists.map(|(outcome, list)| format!("{outcome}: {}", list.join(", "))).collect::<Vec<_>>().join("; ")
}

fn column(found: &TunedWorkload, figure: Figure) -> usize {
    found.figures.iter().position(|known| *known == figure).unwrap_or(0)
}

fn nowhere(found: &TunedWorkload) -> String {
    format!("observed in none of {} replications", found.confirmed(found.chosen).rows.len())
}

/// What the confirmation saw of a constraint's figure.
fn measured(found: &TunedWorkload, condition: &Condition, met: Met) -> String {
    let confirmed = found.confirmed(found.chosen);
    let column = column(found, condition.figure);
    let (seen, all) = (confirmed.observations(column), confirmed.rows.len());
    let estimate = confirmed.estimate(column);
    let holds = estimate.is_none_or(|estimate| condition.comparison.holds(estimate.mean, condition.bound));
    match met {
        Met::Unobserved => nowhere(found),
        Met::No if holds => format!("in {} of {all} replications nothing succeeded", (all - seen).max(1)),
        _ => with_interval(condition.figure.metric, estimate, all),
    }
}
