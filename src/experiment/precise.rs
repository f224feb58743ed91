//! Precision: as many replications as it takes for the interval of a mean to be as narrow as asked.
//!
//! The rule is that of C. Stein (A Two-Sample Test for a Linear Hypothesis Whose Power is Independent of the Variance, Annals of
//! Mathematical Statistics 16, 1945), and goes on where its plan falls short. The first n0 replications give a standard
//! deviation s; N = (t s / h)^2 replications, with t of n0 - 1 degrees of freedom, make mean +- h an interval of 95 %: whatever s
//! came out as, and unlike rules that stop at the first interval which happens to be narrow. Then replications are added, a tenth
//! at a time, until the interval of all of them is no wider either. Which replications are run depends on spreads and never on
//! where the mean lies, so that more of them only make the interval safer. A width in percent is one of the mean so far.

use super::replicate::Experiment;
use crate::error::Error;
use crate::quantity::Quantity as _;
use crate::scenario::{Figure, Metric, Scenario};
use crate::statistics::Estimate;
use crate::time::Interval;

/// Replications before a spread is believed.
const FIRST: u32 = 30;

/// How narrow the interval of a figure shall be in every arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The figures: a metric of one workload or service, or of all.
    pub figures: Vec<Figure>,
    /// Half the width of the interval.
    pub width: Width,
}

/// Half the width of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// In the unit of the figure.
    Absolute(f64),
    /// As a share of the mean.
    Relative(f64),
}

impl Target {
    /// Reads `METRIC=WIDTH`: a metric of all workloads or services, or of one (`workload.metric`), and half the width in percent
    /// of the mean (`1%`) or in the unit of the metric (`0.002`, `5s`).
    ///
    /// # Errors
    /// With what is wrong and how it is written.
    pub fn parse(text: &str, scenario: &Scenario) -> Result<Self, Error> {
        let refuse = |why: String| Error::Usage(format!("--until-precise {text}: {why}"));
        let (name, width) = text
            .split_once('=')
            .ok_or_else(|| refuse("write METRIC=WIDTH, such as success_rate=1%".to_owned()))?;
        let name = name.trim();
        let figures = match Metric::named(name) {
            Some(Metric::Workload(measure)) => {
                let figure = |subject| Figure { metric: Metric::Workload(measure), subject };
                (0..scenario.workloads.len()).map(figure).collect()
            }
            Some(Metric::Service(measure)) => {
                let figure = |subject| Figure { metric: Metric::Service(measure), subject };
                (0..scenario.services.len()).map(figure).collect()
            }
            None => vec![scenario.figure(name).map_err(refuse)?],
        };
        let unit = figures[0].metric.unit();
        let width = Width::parse(width.trim(), unit).map_err(refuse)?;
        Ok(Self { figures, width })
    }
}

impl Width {
    fn parse(text: &str, unit: &str) -> Result<Self, String> {
        let above_zero = |number: &f64| number.is_finite() && *number > 0.0;
        if let Some(percent) = text.strip_suffix('%') {
            let percent = percent.trim().parse().ok().filter(above_zero);
            let percent = percent.ok_or_else(|| format!("{text} is no width: write for example 1%"))?;
            return Ok(Self::Relative(percent / 100.0));
        }
        let absolute = if unit == "s" {
            Interval::parse(text).ok().map(Interval::as_secs_f64)
        } else {
            text.parse().ok()
        };
        let example = match unit {
            "s" => "1% of the mean, or a time such as 500ms",
            "1/s" => "1% of the mean, or a number per second such as 0.5",
            _ => "1% of the mean, or a number such as 0.002",
        };
        absolute
            .filter(above_zero)
            .map(Self::Absolute)
            .ok_or_else(|| format!("\"{text}\" is no width above 0: write {example}"))
    }

    fn of(self, mean: f64) -> f64 {
        match self {
            Self::Absolute(half) => half,
            Self::Relative(share) => share * mean.abs(),
        }
    }
}

/// A figure of an arm whose interval is wider than asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Short {
    /// Index of the arm.
    pub arm: usize,
    /// The figure.
    pub figure: Figure,
    /// What was asked for, and half the width of the interval that was reached, if there is one.
    pub half: (f64, Option<f64>),
}

/// Adds replications to all arms until each interval is as narrow as asked, at most `most` in all. Returns how many there are
/// then, and what is still wider. A figure that was never observed, or is infinite, has no interval: it asks for nothing more.
pub fn until_precise(
    experiment: &mut Experiment<'_>,
    scenario: &Scenario,
    targets: &[Target],
    most: u32,
    progress: &(dyn Fn() + Sync),
) -> (u32, Vec<Short>) {
    let arms: Vec<usize> = (0..scenario.arms.len()).collect();
    let mut replications = scenario.replications.max(FIRST).min(most);
    experiment.advance(&arms, replications, progress);
    let pilot = replications as usize;
    loop {
        let short = short(experiment, &arms, targets, pilot);
        let wanted = short.iter().filter_map(|(_, plan)| *plan).max();
        let Some(wanted) = wanted.filter(|_| replications < most) else {
            return (replications, short.into_iter().map(|(short, _)| short).collect());
        };
        let step = replications + replications.div_ceil(10);
        replications = wanted.max(step).min(most);
        experiment.advance(&arms, replications, progress);
    }
}

/// What is wider than asked, or has fewer replications than the first ones call for; and how many they call for, if more could
/// help.
fn short(
    experiment: &Experiment<'_>,
    arms: &[usize],
    targets: &[Target],
    pilot: usize,
) -> Vec<(Short, Option<u32>)> {
    let mut found = Vec::new();
    for target in targets {
        for (&figure, &arm) in
            target.figures.iter().flat_map(|figure| arms.iter().map(move |arm| (figure, arm)))
        {
            let result = &experiment.results().arms[arm];
            let Some(now) = result.estimate(figure) else { continue };
            let half = target.width.of(now.mean);
            let observed = now.observations as f64;
            let planned = planned(Estimate::of(result.observations(figure).take(pilot).flatten()), half);
            let enough = planned.is_some_and(|planned| observed >= planned);
            if enough && now.half_width.is_some_and(|reached| reached <= half) {
                continue;
            }
            // Seldom observed, it takes so many more replications to be observed that often.
            let seldom = f64::from(result.replications()) / observed;
            let plan = planned.filter(|_| now.mean.is_finite()).map(|planned| (planned * seldom).ceil());
            let plan = plan.map(|plan| plan.min(f64::from(u32::MAX)) as u32);
            found.push((Short { arm, figure, half: (half, now.half_width) }, plan));
        }
    }
    found
}

/// How many observations the first ones call for; `None` if no number would do.
fn planned(first: Option<Estimate>, half: f64) -> Option<f64> {
    let first = first?;
    let (reached, observations) = (first.half_width?, first.observations as f64);
    if reached == 0.0 {
        return Some(observations);
    }
    let ratio = reached / half;
    (half > 0.0).then(|| (observations * ratio * ratio).ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_a_share_of_the_mean_or_in_the_unit_of_the_metric() {
        for (text, unit, width) in [
            ("1%", "1", Width::Relative(0.01)),
            ("0.5 %", "s", Width::Relative(0.005)),
            ("0.002", "1", Width::Absolute(0.002)),
            ("500ms", "s", Width::Absolute(0.5)),
            ("2", "1/s", Width::Absolute(2.0)),
        ] {
            assert_eq!(Width::parse(text, unit), Ok(width), "{text}");
        }
        for (text, unit) in
            [("0%", "1"), ("-1%", "1"), ("", "1"), ("5", "s"), ("1s", "1"), ("nan", "1"), ("0s", "s")]
        {
            assert!(Width::parse(text, unit).is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_replications_call_for_so_many() {
        let estimate = |values: &[f64]| Estimate::of(values.iter().copied());
        // t(3) = 3.182446 and s = 1.290994 ask for (3.182446 * 1.290994 / 0.5)^2 = 67.5.
        assert_eq!(planned(estimate(&[1.0, 2.0, 3.0, 4.0]), 0.5), Some(68.0));
        assert_eq!(planned(estimate(&[2.0, 2.0, 2.0]), 0.0), Some(3.0));
        assert_eq!(planned(estimate(&[1.0, 2.0]), 0.0), None, "no number is enough");
        assert_eq!(planned(estimate(&[1.0]), 0.5), None);
        assert_eq!(planned(estimate(&[1.0, f64::INFINITY]), 0.5), None);
    }
}
