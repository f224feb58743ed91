//! Precision: as many replications as it takes for the intervals of means to be as narrow as asked, by the rule of [`stopping`].
//!
//! [`stopping`]: super::stopping

use super::replicate::Experiment;
use super::stopping::{FIRST, Lack, Reached, Width, look, next};
use crate::error::Error;
use crate::quantity::Quantity as _;
use crate::scenario::{Figure, Metric, Scenario};
use crate::time::Interval;

/// How narrow the interval of a figure shall be in every arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The figures: a metric of one workload or service, or of all.
    pub figures: Vec<Figure>,
    /// Half the width of the interval.
    pub width: Width,
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
}

/// What is to be said of the precision of a figure of an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Remark<T> {
    /// Index of the arm.
    pub arm: usize,
    /// The figure.
    pub figure: Figure,
    /// What it is.
    pub what: T,
}

/// What came of adding replications.
#[derive(Debug, Clone, PartialEq)]
pub struct Precise {
    /// How many there are.
    pub replications: u32,
    /// What is not as precise as asked, and why.
    pub short: Vec<Remark<Lack>>,
    /// What was the same in every replication that observed it, and in how many.
    pub alike: Vec<Remark<usize>>,
}

/// Adds replications to all arms until each figure is as precise as asked, at most `most` in all.
pub fn until_precise(
    experiment: &mut Experiment<'_>,
    scenario: &Scenario,
    targets: &[Target],
    most: u32,
    progress: &(dyn Fn() + Sync),
) -> Precise {
    let arms: Vec<usize> = (0..scenario.arms.len()).collect();
    let mut replications = scenario.replications.max(FIRST).min(most);
    experiment.advance(&arms, replications, progress);
    let pilot = replications as usize;
    loop {
        let (found, wanted) = looked(experiment, &arms, targets, pilot);
        match wanted.filter(|_| replications < most) {
            None => return Precise { replications, ..found },
            Some(wanted) => replications = next(replications, wanted, most),
        }
        experiment.advance(&arms, replications, progress);
    }
}

/// How all figures of all arms stand, and how many replications they call for, if more can help.
fn looked(
    experiment: &Experiment<'_>,
    arms: &[usize],
    targets: &[Target],
    pilot: usize,
) -> (Precise, Option<u32>) {
    let mut found = Precise { replications: 0, short: Vec::new(), alike: Vec::new() };
    let mut most_wanted = None;
    for target in targets {
        for (&figure, &arm) in
            target.figures.iter().flat_map(|figure| arms.iter().map(move |arm| (figure, arm)))
        {
            let observed: Vec<Option<f64>> = experiment.results().arms[arm].observations(figure).collect();
            let (reached, wanted) = look(&observed, pilot, target.width);
            most_wanted = most_wanted.max(wanted);
            match reached {
                Reached::Narrow => {}
                Reached::Alike => {
                    found.alike.push(Remark { arm, figure, what: observed.iter().flatten().count() });
                }
                Reached::Short(lack) => found.short.push(Remark { arm, figure, what: lack }),
            }
        }
    }
    (found, most_wanted)
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
}
