//! The files of tipping points, and their table.

use super::csv::Rows;
use super::number::{count, duration, machine, machine_or_empty};
use super::wrap::below;
use crate::experiment::tipping::{Decision, Found, Phase, PhaseMap, Question, Side, Tipping, Varied};
use crate::scenario::Scenario;

/// How long a line is at most.
const WIDTH: usize = 78;

/// `limits.csv`: one row per arm, with the tipping point in the unit of the field.
pub(super) fn tipping_csv(
    scenario: &Scenario,
    varied: &Varied,
    question: &Question,
    points: &[Tipping],
) -> Vec<u8> {
    let mut rows = Rows::new(&[
        "arm",
        "path",
        "condition",
        "share",
        "holds",
        "value",
        "ci95_low",
        "ci95_high",
        "unit",
        "values_tried",
        "replications",
    ]);
    let number = |value: &Option<String>| {
        machine_or_empty(value.as_ref().and_then(|value| varied.range.number(value)))
    };
    for point in points {
        let (holds, value, low, high) = match &point.found {
            Found::Everywhere => ("at both ends", None, None, None),
            Found::Nowhere => ("at neither end", None, None, None),
            Found::Tips { side: Side::Below, value, shown, failed } => {
                ("up to", Some(value.clone()), shown.clone(), failed.clone())
            }
            Found::Tips { side: Side::Above, value, shown, failed } => {
                ("from", Some(value.clone()), failed.clone(), shown.clone())
            }
        };
        let replications: u32 = point.trials.iter().map(|trial| trial.replications).sum();
        rows.push([
            scenario.arms[point.arm].name.clone(),
            varied.path.clone(),
            question.text(),
            machine_or_empty(question.share),
            holds.to_owned(),
            number(&value),
            number(&low),
            number(&high),
            varied.range.unit(),
            point.trials.len().to_string(),
            replications.to_string(),
        ]);
    }
    rows.finish()
}

/// `trials.csv`: one row per arm and value that was tried.
pub(super) fn trials_csv(scenario: &Scenario, varied: &Varied, points: &[Tipping]) -> Vec<u8> {
    let mut rows =
        Rows::new(&["arm", "path", "value", "unit", "replications", "share_that_holds", "mean", "decision"]);
    for (point, trial) in points.iter().flat_map(|point| point.trials.iter().map(move |trial| (point, trial)))
    {
        let decision = match trial.decision {
            Decision::Holds => "holds",
            Decision::SeemsToHold => "seems to hold",
            Decision::SeemsToFail => "seems to fail",
            Decision::Fails => "fails",
        };
        rows.push([
            scenario.arms[point.arm].name.clone(),
            varied.path.clone(),
            machine_or_empty(varied.range.number(&trial.value)),
            varied.range.unit(),
            trial.replications.to_string(),
            machine_or_empty(trial.share),
            machine_or_empty(trial.mean),
            decision.to_owned(),
        ]);
    }
    rows.finish()
}

/// `phases.csv`: one row per arm and pair of values, with the shares of replications in each phase, and how many these are shares of.
pub(super) fn phases_csv(scenario: &Scenario, paths: [&str; 2], map: &PhaseMap) -> Vec<u8> {
    let names = ["arm", paths[0], paths[1], "stable", "recovers", "never_recovers", "phase", "replications"];
    let mut rows = Rows::new(&names);
    for (arm, cells) in scenario.arms.iter().zip(&map.cells) {
        for (up, row) in map.up.iter().zip(cells) {
            for (across, cell) in map.across.iter().zip(row) {
                let [stable, recovers, never] =
                    cell.shares().map_or_else(Default::default, |s| s.map(machine));
                let (phase, of) = (cell.phase().name().to_owned(), cell.replications().to_string());
                rows.push([arm.name.clone(), across.clone(), up.clone(), stable, recovers, never, phase, of]);
            }
        }
    }
    rows.finish()
}

/// What must hold, and in how many of the replications if that was asked for.
pub(super) fn asked(question: &Question) -> String {
    let share = |share: f64| format!(" in {} % of the replications", machine(100.0 * share));
    question.text() + &question.share.map(share).unwrap_or_default()
}

/// A sentence per arm.
pub fn tipping_table(
    scenario: &Scenario,
    varied: &Varied,
    question: &Question,
    points: &[Tipping],
) -> String {
    let mut text = String::new();
    let ends = format!("{} and {}", varied.range.low(), varied.range.high());
    let room = points.iter().map(|point| scenario.arms[point.arm].name.chars().count()).max().unwrap_or(0);
    for point in points {
        let head = format!("{:room$}  ", scenario.arms[point.arm].name);
        let sentence = match &point.found {
            Found::Everywhere => format!("{} at both ends, {ends}", told(point, ["holds", "seems to hold"])),
            Found::Nowhere => format!("{} at both ends, {ends}", told(point, ["fails", "seems to fail"])),
            Found::Tips { side, value, shown, failed } => {
                let (word, beyond) = match side {
                    Side::Below => ("up to", "above"),
                    Side::Above => ("from", "below"),
                };
                let shown = shown
                    .as_ref()
                    .map_or("nowhere shown to hold".to_owned(), |v| format!("shown to hold at {v}"));
                let failed = failed
                    .as_ref()
                    .map_or(format!("not shown to fail {beyond} it"), |v| format!("to fail at {v}"));
                format!("holds {word} {value} ({shown}, {failed})")
            }
        };
        text += &below(&head, &sentence, WIDTH);
    }
    let tried: usize = points.iter().map(|point| point.trials.len()).sum();
    let all: u64 =
        points.iter().flat_map(|point| &point.trials).map(|trial| u64::from(trial.replications)).sum();
    let tips = points.iter().any(|point| matches!(point.found, Found::Tips { .. }));
    let confidence = if tips {
        " the tipping point lies between what is shown to hold and to fail with 95 % confidence;"
    } else {
        ""
    };
    let any_shown = points.iter().flat_map(|point| &point.trials).any(|trial| trial.decision.is_shown());
    let normal = if any_shown && question.rests_on_means() {
        " what is shown rests on means that are near normal: what is rarer than the replications can show may be missed, and \
         --share does not rest on it;"
    } else {
        ""
    };
    let (path, condition, seed) = (&varied.path, asked(question), scenario.seed);
    let words = format!(
        "{path}: where {condition};{confidence}{normal} {tried} values, {all} replications, seed {seed}"
    );
    text += &format!("\n{}", below("", &words, WIDTH));
    text
}

/// What is said of both ends: that it is so if that was shown of each, else that it seems so.
fn told(point: &Tipping, [shown, seems]: [&'static str; 2]) -> &'static str {
    if point.trials.iter().all(|trial| trial.decision.is_shown()) { shown } else { seems }
}

/// A map per arm, a letter per cell.
pub fn phase_table(scenario: &Scenario, paths: [&str; 2], condition: &str, map: &PhaseMap) -> String {
    let letter = |phase: Phase| match phase {
        Phase::Stable => '.',
        Phase::Recovers => 'o',
        Phase::Never => '#',
        Phase::Unobserved => '?',
    };
    let room = map.up.iter().map(|value| value.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (arm, cells) in scenario.arms.iter().zip(&map.cells) {
        text += &format!("{}\n", arm.name);
        for (value, row) in map.up.iter().zip(cells).rev() {
            let letters: Vec<String> = row.iter().map(|cell| letter(cell.phase()).to_string()).collect();
            text += &format!("  {value:>room$}  {}\n", letters.join(" "));
        }
        text += "\n";
    }
    let (first, last) = (map.across.first(), map.across.last());
    let tell = map.cells.iter().flatten().flatten().map(|cell| cell.replications());
    let fewest = tell.min().unwrap_or(0);
    let observed = if fewest < scenario.replications { ", of those that observed it" } else { "" };
    let unobserved = if fewest == 0 { ", ? not observed in any" } else { "" };
    let failing = if scenario.has_incidents() {
        "o not, but goodput recovers, # it never does"
    } else {
        "# not; there is no incident to recover from"
    };
    let words = format!(
        "up: {}; across: {} from {} to {}; . {condition} in most of {} replications{observed}, {failing}{unobserved}; phases.csv has \
         the shares",
        paths[1],
        paths[0],
        first.map_or("", String::as_str),
        last.map_or("", String::as_str),
        scenario.replications
    );
    text + &below("", &words, WIDTH)
}

/// A value of the field as a person would say it.
pub(super) fn in_words(varied: &Varied, number: f64) -> String {
    match varied.range.unit().as_str() {
        "s" => duration(number),
        "1" => count(number),
        unit => format!("{}{}", count(number), unit.trim_start_matches('1')),
    }
}
