//! Which arm served each workload best, by the rule of [`winner`], and whether that is clear beyond chance.

use super::csv::Rows;
use crate::experiment::{Results, Standing, family, winner};
use crate::scenario::{Figure, Metric, Scenario};

/// The arm that served a workload best.
#[derive(Debug)]
pub(super) struct Best {
    workload: usize,
    pub(super) arm: usize,
    /// Whether it is clear that no other did as well.
    pub(super) clear: bool,
    /// What decided, in words.
    why: String,
    /// The arms that it is not clearly before.
    equals: Vec<usize>,
}

/// The arm that won, and whether all others are clearly worse: in success, or equal there and in attempts. Nothing if there is one arm.
pub(super) fn best(scenario: &Scenario, results: &Results, workload: usize) -> Option<Best> {
    let arms: Vec<usize> = (0..scenario.arms.len()).collect();
    let won = winner(results, workload, &arms).filter(|_| arms.len() > 1)?;
    let others: Vec<usize> = arms.into_iter().filter(|&arm| arm != won.arm).collect();
    let against = |name: &str| {
        let metric = Metric::named(name).expect("it is measured");
        family(results, won.arm, &others, Figure { metric, subject: workload })
    };
    let (successes, attempts) = (against("success_rate"), against("attempts_per_request"));
    // Where there are as many successes, attempts decide.
    let alike = |place: usize| successes[place].paired.is_some_and(|paired| paired.difference == Some(0.0));
    let beaten = |place: usize| {
        successes[place].standing == Standing::Worse
            || (alike(place) && attempts[place].standing == Standing::Worse)
    };
    let equals: Vec<usize> =
        (0..others.len()).filter(|&place| !beaten(place)).map(|place| others[place]).collect();
    Some(Best { workload, arm: won.arm, clear: equals.is_empty(), why: won.why, equals })
}

impl Best {
    /// The same in a sentence for the terminal.
    pub(super) fn words(&self, scenario: &Scenario) -> String {
        let of = if scenario.workloads.len() > 1 {
            format!("{}: ", scenario.workloads[self.workload].name)
        } else {
            String::new()
        };
        let (name, why) = (&scenario.arms[self.arm].name, &self.why);
        if self.clear {
            format!("* {of}{name} won ({why})")
        } else {
            let equals = self.equals(scenario);
            format!("{of}no clear winner: {name} is first ({why}), but not clearly before {equals}")
        }
    }

    fn equals(&self, scenario: &Scenario) -> String {
        let names: Vec<&str> = self.equals.iter().map(|&arm| scenario.arms[arm].name.as_str()).collect();
        names.join(", ")
    }
}

/// `winners.csv`: one row per workload, if there are several arms: the arm that served it best, whether it won clearly, what decided,
/// and those that it is not clearly before.
pub fn winners(scenario: &Scenario, results: &Results) -> Vec<u8> {
    let mut rows = Rows::new(&["workload", "arm", "verdict", "why", "not_clearly_before"]);
    for best in (0..scenario.workloads.len()).filter_map(|workload| best(scenario, results, workload)) {
        let verdict = if best.clear { "won" } else { "no clear winner" };
        rows.push([
            scenario.workloads[best.workload].name.clone(),
            scenario.arms[best.arm].name.clone(),
            verdict.to_owned(),
            best.why.clone(),
            best.equals(scenario),
        ]);
    }
    rows.finish()
}
