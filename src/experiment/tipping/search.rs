//! The search for the tipping point of each arm.

use rayon::prelude::*;

use super::decide::{Decision, Trial, decide};
use super::{Question, Varied};
use crate::error::Error;

/// What was found of one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Tipping {
    /// Index of the arm.
    pub arm: usize,
    /// Where the condition holds.
    pub found: Found,
    /// Every value that was tried, in the order of values.
    pub trials: Vec<Trial>,
}

/// Where in the range a condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// At both ends, so that no tipping point shows.
    Everywhere,
    /// At neither end.
    Nowhere,
    /// On one side of a point.
    Tips {
        /// On which side of it.
        side: Side,
        /// The last value at which it looks as if it held.
        value: String,
        /// The last value that was shown to hold; `None` if none was.
        shown: Option<String>,
        /// The first value that was shown to fail; `None` if none was.
        failed: Option<String>,
    },
}

/// On which side of the tipping point the condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Below it: the largest value is looked for.
    Below,
    /// Above it: the smallest value is looked for.
    Above,
}

/// The field as it can be varied: between whole ends there are only whole numbers, unless the field takes others.
pub fn with_fractions(question: &Question, varied: Varied) -> Varied {
    let finer = varied.range.clone().with_fractions();
    // Half of the way is a fraction in one of these two places at least.
    let takes = |share: f64| question.at(&[(&varied.path, &finer.at(share))]).is_ok();
    if varied.range.is_whole() && takes(0.3) && takes(0.55) {
        Varied { range: finer, ..varied }
    } else {
        varied
    }
}

/// Looks for the tipping points of these arms. `progress` is called after each value.
///
/// # Errors
/// If the scenario is not sound at one of the values.
pub fn tipping_points(
    question: &Question,
    varied: &Varied,
    arms: &[usize],
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<Tipping>, Error> {
    // Before anything is run: what is wrong at an end is wrong with the range.
    for end in [varied.range.low(), varied.range.high()] {
        question.at(&[(&varied.path, &end)])?;
    }
    let search = |&arm: &usize| Search { question, varied, arm, trials: Vec::new(), progress }.run();
    arms.par_iter().map(search).collect::<Result<_, _>>()
}

struct Search<'a> {
    question: &'a Question,
    varied: &'a Varied,
    arm: usize,
    trials: Vec<Trial>,
    progress: &'a (dyn Fn() + Sync),
}

impl Search<'_> {
    /// How many values it may come to: both ends, and three bisections.
    fn values(&self) -> f64 {
        2.0 + 3.0 * libm::ceil(libm::log2(1.0 / self.varied.resolution))
    }

    fn run(mut self) -> Result<Tipping, Error> {
        let (low, high) = (self.varied.range.low(), self.varied.range.high());
        let ends = (self.at(&low)?, self.at(&high)?);
        let found = match (ends.0.holds(), ends.1.holds()) {
            (true, true) => Found::Everywhere,
            (false, false) => Found::Nowhere,
            (true, false) => self.tips(Side::Below, &low, &high)?,
            (false, true) => self.tips(Side::Above, &high, &low)?,
        };
        let number = |trial: &Trial| self.varied.range.number(&trial.value).unwrap_or(f64::NAN);
        let mut trials = self.trials.clone();
        trials.sort_by(|a, b| number(a).total_cmp(&number(b)));
        Ok(Tipping { arm: self.arm, found, trials })
    }

    /// Between a value that looks as if it held and one that looks as if it failed.
    fn tips(&mut self, side: Side, inside: &str, outside: &str) -> Result<Found, Error> {
        let (value, beyond) = self.bisect(inside.to_owned(), outside.to_owned(), Decision::holds)?;
        let shown = self.last(inside, value.clone(), Decision::Holds)?;
        let failed = self.last(outside, beyond, Decision::Fails)?;
        Ok(Found::Tips { side, value, shown, failed })
    }

    /// The last value on the way from `end` to `to` of which this was decided. It is looked for from the first one on that is known: not
    /// always the end, where failures can be too rare for the interval of their mean to count.
    fn last(&mut self, end: &str, to: String, decision: Decision) -> Result<Option<String>, Error> {
        if self.at(&to)? == decision {
            return Ok(Some(to));
        }
        let number = |value: &str| self.varied.range.number(value).unwrap_or(f64::NAN);
        let away = |trial: &&Trial| (number(&trial.value) - number(end)).abs();
        let way = number(&to) - number(end);
        let known = self.trials.iter().filter(|trial| trial.decision == decision);
        let on_the_way = known.filter(|trial| {
            let gone = (number(&trial.value) - number(end)) / way;
            (0.0..1.0).contains(&gone)
        });
        let Some(first) = on_the_way.min_by(|a, b| away(a).total_cmp(&away(b))) else { return Ok(None) };
        let from = first.value.clone();
        Ok(Some(self.bisect(from, to, |found| found == decision)?.0))
    }

    /// Narrows the way from `from`, which is so, to `to`, which is not, down to the resolution.
    fn bisect(
        &mut self,
        mut from: String,
        mut to: String,
        so: impl Fn(Decision) -> bool,
    ) -> Result<(String, String), Error> {
        let range = &self.varied.range;
        while let Some(middle) = range.between(&from, &to, self.varied.resolution) {
            if so(self.at(&middle)?) {
                from = middle;
            } else {
                to = middle;
            }
        }
        Ok((from, to))
    }

    fn at(&mut self, value: &str) -> Result<Decision, Error> {
        if let Some(trial) = self.trials.iter().find(|trial| trial.value == value) {
            return Ok(trial.decision);
        }
        let scenario = self.question.at(&[(&self.varied.path, value)])?;
        let trial = decide(self.question, &scenario, self.arm, self.values());
        (self.progress)();
        let decision = trial.decision;
        self.trials.push(Trial { value: value.to_owned(), ..trial });
        Ok(decision)
    }
}
