//! The axis of a sweep on paper: where its values stand, from 0 to 1, and what is written there.

use super::super::axis::{number_label, round_up, time_ticks_between};
use super::super::drawing::{Align, Drawing, Text};
use super::super::text::{SMALL, shorten, width};
use crate::report::sweep::Plan;
use crate::scenario::numbers;

/// Up to how many values each is written; of more, round numbers are.
const MOST_WRITTEN: usize = 30;
/// The room that is left free at both ends.
const MARGIN: f64 = 0.03;
/// From which ratio of its ends an axis can be logarithmic.
const LOGARITHMIC_FROM: f64 = 8.0;
/// The room between two labels.
const GAP: f64 = 10.0;
/// The widest label.
const WIDEST: f64 = 130.0;

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Along {
    /// What stands below it.
    pub(super) title: String,
    /// Where the points of the sweep are.
    pub(super) places: Vec<f64>,
    /// What is marked.
    pub(super) ticks: Vec<(f64, String)>,
    /// True if its values are numbers, so that what lies between two of them has a meaning.
    pub(super) numeric: bool,
}

/// The values of an axis, each once: numbers from the lowest up, others as they were given. With the index of each point's.
pub(super) fn levels(plan: &Plan, axis: usize) -> (Vec<String>, Vec<usize>, bool) {
    let values: Vec<String> = plan.points.iter().map(|point| point.values[axis].clone()).collect();
    let mut levels: Vec<String> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    levels.extend(values.iter().filter(|value| known.insert((*value).clone())).cloned());
    let sorted = numbers(&levels).map(|(numbers, _)| {
        let mut order: Vec<usize> = (0..levels.len()).collect();
        order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
        order.into_iter().map(|index| levels[index].clone()).collect::<Vec<_>>()
    });
    let numeric = sorted.is_some();
    let levels = sorted.unwrap_or(levels);
    let index: std::collections::BTreeMap<&String, usize> =
        levels.iter().enumerate().map(|(index, level)| (level, index)).collect();
    let of = values.iter().map(|value| index[value]).collect();
    (levels, of, numeric)
}

impl Along {
    /// The axis with this index.
    pub(super) fn of(plan: &Plan, axis: usize) -> Self {
        let (levels, of, _) = levels(plan, axis);
        let title = plan.axes[axis].clone();
        if let Some((numbers, unit)) = numbers(&levels).filter(|_| levels.len() > 1) {
            return Self::of_numbers(title, &levels, &numbers, &unit, &of);
        }
        let place = |level: usize| (level as f64 + 0.5) / levels.len() as f64;
        let ticks = levels.iter().enumerate().map(|(level, text)| (place(level), plain(text))).collect();
        Self { title, places: of.into_iter().map(place).collect(), ticks, numeric: false }
    }

    /// An axis of `levels`, which are these `numbers` from the lowest up; `of` has the level of each point.
    fn of_numbers(title: String, levels: &[String], numbers: &[f64], unit: &str, of: &[usize]) -> Self {
        let logarithmic = is_logarithmic(numbers);
        let (low, high) = (numbers[0], numbers[numbers.len() - 1]);
        let place = |number: f64| {
            let share = if logarithmic {
                libm::log(number / low) / libm::log(high / low)
            } else {
                (number - low) / (high - low)
            };
            MARGIN + (1.0 - 2.0 * MARGIN) * share
        };
        let ticks = if levels.len() <= MOST_WRITTEN {
            numbers.iter().zip(levels).map(|(&number, level)| (place(number), plain(level))).collect()
        } else {
            let ticks = round_ticks(low, high, unit).into_iter();
            ticks.map(|(number, label)| (place(number), label)).collect()
        };
        let title = if logarithmic { format!("{title} (logarithmic)") } else { title };
        Self { title, places: of.iter().map(|&level| place(numbers[level])).collect(), ticks, numeric: true }
    }

    /// Writes the labels below an axis from `left` to `right`, as many as there is room for, and its title if it is wanted.
    pub(super) fn label(&self, drawing: &mut Drawing, (left, right): (f64, f64), y: f64) {
        let room = if self.numeric {
            WIDEST
        } else {
            ((right - left) / self.ticks.len() as f64 - 6.0).clamp(12.0, WIDEST)
        };
        let mut free_from = f64::NEG_INFINITY;
        for (place, label) in &self.ticks {
            let label = shorten(label, SMALL, room);
            let (x, half) = (left + (right - left) * place, width(&label, SMALL) / 2.0);
            if x - half >= free_from {
                drawing.text(Text::new((x, y), label).align(Align::Centre));
                free_from = x + half + GAP;
            }
        }
    }
}

/// A value without the quotes that TOML may want.
pub(super) fn plain(value: &str) -> String {
    value.trim_matches(['"', '\'']).to_owned()
}

/// True if the values, in order, are spaced more evenly by ratio than by difference.
fn is_logarithmic(numbers: &[f64]) -> bool {
    let (low, high) = (numbers[0], numbers[numbers.len() - 1]);
    if low <= 0.0 || high / low < LOGARITHMIC_FROM || numbers.len() < 3 {
        return false;
    }
    let unevenness = |gap: &dyn Fn(&[f64]) -> f64| {
        let gaps = || numbers.windows(2).map(gap);
        gaps().fold(0.0, f64::max) / gaps().fold(f64::INFINITY, f64::min)
    };
    numbers.len() <= MOST_WRITTEN
        && unevenness(&|pair| libm::log(pair[1] / pair[0])) < unevenness(&|pair| pair[1] - pair[0])
}

fn round_ticks(low: f64, high: f64, unit: &str) -> Vec<(f64, String)> {
    if unit == "s" {
        return time_ticks_between(low, high);
    }
    let step = round_up((high - low) / 6.0);
    let period = unit.strip_prefix('1').unwrap_or_default();
    let numbers = (libm::ceil(low / step - 1e-9) as i64..).map(|number| number as f64 * step);
    let within = numbers.take_while(|number| *number <= high * (1.0 + 1e-12));
    within.map(|number| (number, format!("{}{period}", number_label(number)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_spaced_by_ratio_are_on_a_logarithmic_axis() {
        assert!(is_logarithmic(&[1.0, 2.0, 4.0, 8.0, 16.0]));
        assert!(is_logarithmic(&[10.0, 20.0, 50.0, 100.0]));
        assert!(!is_logarithmic(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]));
        assert!(!is_logarithmic(&[0.0, 1.0, 10.0]));
        assert!(!is_logarithmic(&[1.0, 100.0]));
    }

    #[test]
    fn round_numbers_carry_their_unit() {
        let labels = |low, high, unit| {
            round_ticks(low, high, unit).into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels(12.0, 97.0, "1"), ["20", "40", "60", "80"]);
        assert_eq!(labels(0.0, 30.0, "1/s"), ["0/s", "5/s", "10/s", "15/s", "20/s", "25/s", "30/s"]);
        assert_eq!(labels(25.0, 70.0, "s"), ["30 s", "40 s", "50 s", "1 min", "1 min 10 s"]);
    }
}
