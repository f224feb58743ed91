//! The height of a value on paper, from 0 to 1, in the unit of its metric.

use super::super::axis::{Scale, number_label, time_ticks};
use super::super::drawing::{Align, Drawing, Text};
use super::super::{GRID, MUTED};
use super::Seen;
use crate::report::number::{duration, percent};
use crate::scenario::Metric;

/// From which ratio of the largest to the smallest a scale is logarithmic.
const LOGARITHMIC_FROM: f64 = 50.0;
/// Up to which share the scale of a share does not go up to 100 %.
const SMALL_SHARE: f64 = 0.2;
/// The room between two marks of a logarithmic scale, on average.
const LOG_GAP: f64 = 14.0;
/// The room for what never happens, above the plot.
pub(super) const NEVER: f64 = 16.0;

/// A scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Height {
    metric: Metric,
    /// The lowest value, if the scale is logarithmic.
    low: Option<f64>,
    top: f64,
    /// True if something never happens.
    pub(super) never: bool,
}

impl Height {
    /// A scale on which all of this fits.
    pub(super) fn of(metric: Metric, seen: &[Seen]) -> Self {
        let finite = || seen.iter().filter(|seen| seen.mean.is_finite());
        let most = finite().map(|seen| seen.interval.map_or(seen.mean, |(_, high)| high)).fold(0.0, f64::max);
        let least = finite().map(|seen| seen.mean).fold(f64::INFINITY, f64::min);
        let never = seen.iter().any(|seen| seen.mean.is_infinite());
        let (low, top) = if metric.is_share() && most > SMALL_SHARE {
            (None, 1.0)
        } else if !metric.is_share() && least > 0.0 && most / least >= LOGARITHMIC_FROM {
            (Some(rounded_down(least)), Scale::linear(most).top)
        } else {
            (None, Scale::linear(most).top)
        };
        Self { metric, low, top, never }
    }

    /// True if it is logarithmic.
    pub(super) const fn is_logarithmic(self) -> bool {
        self.low.is_some()
    }

    /// The height of a value.
    pub(super) fn at(self, value: f64) -> f64 {
        let height = match self.low {
            Some(low) => libm::log(value.max(low) / low) / libm::log(self.top / low),
            None => value / self.top,
        };
        height.clamp(0.0, 1.0)
    }

    /// The values to mark on an axis of `pixels`, and what is written there.
    pub(super) fn ticks(self, pixels: f64) -> Vec<(f64, String)> {
        let plain = |values: Vec<f64>| values.into_iter().map(|value| (value, self.label(value))).collect();
        match self.low {
            None if self.metric.unit() == "s" => {
                let ticks = time_ticks(self.top);
                let every = libm::ceil(ticks.len() as f64 * 20.0 / pixels).max(1.0) as usize;
                ticks.into_iter().step_by(every).collect()
            }
            None => plain(Scale { top: self.top, linear_to: self.top }.ticks(pixels, 22.0)),
            Some(low) => {
                let decades = (-12..15).map(|power| libm::pow(10.0, f64::from(power)));
                let within = |value: &f64| (low * 0.999..=self.top * 1.001).contains(value);
                let ticks = |digits: &[f64]| -> Vec<f64> {
                    let all =
                        decades.clone().flat_map(|decade| digits.iter().map(move |digit| decade * digit));
                    all.filter(within).collect()
                };
                let fine = ticks(&[1.0, 2.0, 5.0]);
                let room = pixels / (LOG_GAP * fine.len() as f64) >= 1.0;
                plain(if room { fine } else { ticks(&[1.0]) })
            }
        }
    }

    fn label(self, value: f64) -> String {
        match self.metric.unit() {
            "s" => duration(value),
            _ if self.metric.is_share() => {
                let shown = percent(value);
                shown.replace(".0 %", " %")
            }
            _ => number_label(value),
        }
    }

    /// Draws the grid of a plot and its labels; in a strip above it the place of what never happens.
    pub(super) fn draw(self, drawing: &mut Drawing, (left, right): (f64, f64), (top, bottom): (f64, f64)) {
        for (value, label) in self.ticks(bottom - top) {
            let y = bottom - (bottom - top) * self.at(value);
            drawing.line(vec![(left, y), (right, y)], GRID, 1);
            drawing.text(Text::new((left - 6.0, y), label).align(Align::Right));
        }
        if self.never {
            let y = top - NEVER;
            drawing.dashed(&[(left, y), (right, y)], GRID, 1, &[4.0, 3.0]);
            drawing.text(Text::new((left - 6.0, y), "never").align(Align::Right).colour(MUTED));
        }
    }

    /// The y of a value in a plot.
    pub(super) fn y(self, value: f64, (top, bottom): (f64, f64)) -> f64 {
        if value.is_infinite() { top - NEVER } else { bottom - (bottom - top) * self.at(value) }
    }
}

/// The largest 1, 2 or 5 times a power of ten that is at most `value`, which is above 0.
fn rounded_down(value: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(value)));
    [5.0, 2.0, 1.0].map(|digit| digit * power).into_iter().find(|&v| v <= value * 1.000_001).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(metric: &str, means: &[f64]) -> Height {
        let seen: Vec<Seen> = means.iter().map(|&mean| Seen { mean, interval: None }).collect();
        Height::of(Metric::named(metric).expect(metric), &seen)
    }

    #[test]
    fn a_scale_fits_its_metric() {
        let labels = |height: Height| {
            height.ticks(120.0).into_iter().map(|(_, label)| label).collect::<Vec<_>>().join("|")
        };
        assert_eq!(labels(of("success_rate", &[0.3, 0.9])), "0 %|20 %|40 %|60 %|80 %|100 %");
        assert_eq!(labels(of("attempts_per_request", &[1.0, 6.5])), "0|2|4|6|8");
        assert_eq!(labels(of("offered_load_peak", &[30.0, 5000.0])), "20|50|100|200|500|1000|2000|5000");
        assert_eq!(labels(of("offered_load_peak", &[1.0, 500_000.0])), "1|10|100|1000|10k|100k");
        assert_eq!(labels(of("recovery_time", &[0.0, 120.0])), "0 s|30 s|1 min|1 min 30 s|2 min|2 min 30 s");
        let never = of("recovery_time", &[60.0, f64::INFINITY]);
        assert!(never.never);
        assert_eq!((never.y(60.0, (0.0, 100.0)), never.y(f64::INFINITY, (0.0, 100.0))), (0.0, -NEVER));
    }
}
