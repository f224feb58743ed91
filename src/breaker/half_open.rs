//! What probes prove: when a half-open breaker opens again and when it closes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::count_window::{Ring, slow_problem};
use super::rate::{Arithmetic, Compare, Limit, Percent, Slow, SlowConfig, Tally, Threshold, TooMuch};
use crate::time::Interval;
use crate::units::{Count, Probability};

/// How a half-open breaker judges its probes. If nothing is given, by `reopens_after` and `closes_after`; if several are,
/// `successes` goes before `rate`, `rate` before `failures`, and `ring` stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfOpenConfig {
    /// So many successes of so many probes close it; it opens when they can no longer be had (Failsafe 3
    /// `withSuccessThreshold`).
    pub successes: Option<Enough>,
    /// So many failures of so many probes open it; it closes when they can no longer be had (Failsafe 3 without
    /// `withSuccessThreshold`).
    pub failures: Option<Enough>,
    /// The share of failures among the first results (resilience4j 2).
    pub rate: Option<HalfOpenRate>,
    /// The share of failures in a ring (recloser 1).
    pub ring: Option<HalfOpenRing>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enough {
    /// How many decide.
    pub enough: Count<1, 1_000_000>,
    /// Of how many probes, which is also how many are let through if `probes` does not say otherwise; `enough` if absent.
    pub of: Option<Count<1, 1_000_000>>,
}

impl Enough {
    fn of(self) -> u32 {
        self.of.unwrap_or(self.enough).get_u32()
    }

    /// How many of the others leave too few.
    fn too_few(self) -> u32 {
        self.of().saturating_sub(self.enough.get_u32()) + 1
    }
}

/// Opens if the share of failures, or of slow calls, among the first results is too much, closes if not.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfOpenRate {
    /// How many results decide; never more than `probes`.
    pub after: Count<1, 1_000_000>,
    /// The share of failures that is too much, 0 to 1.
    pub rate: Option<Probability>,
    /// The same in percent, 0 to 100.
    pub percent: Option<Percent>,
    /// Whether the limit itself is too much.
    #[serde(default)]
    pub compare: Compare,
    /// How the share is computed.
    #[serde(default)]
    pub arithmetic: Arithmetic,
    /// Slow calls as a second reason.
    pub slow: Option<SlowConfig>,
}

/// A ring that says nothing until it was full before the result at hand; then a failure opens at the rate or above it, and a
/// success closes at the rate or below it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfOpenRing {
    /// How many results are kept.
    pub size: Count<1, 1_000_000>,
    /// The share of failures, 0 to 1.
    pub rate: Probability,
    /// How the share is computed.
    #[serde(default)]
    pub arithmetic: Arithmetic,
}

impl HalfOpenConfig {
    pub(super) fn problem(&self) -> Option<String> {
        if self.ring.is_some() && (self.successes.is_some() || self.failures.is_some() || self.rate.is_some())
        {
            return Some("`ring` judges alone: give it, or the others".into());
        }
        for Enough { enough, of } in self.successes.iter().chain(&self.failures) {
            if of.is_some_and(|of| of < *enough) {
                return Some(format!("{} of fewer cannot be had: raise `of`", enough.get()));
            }
        }
        let rate = self.rate?;
        let HalfOpenRate { rate: share, percent, compare, arithmetic, slow, .. } = rate;
        let limit = Limit { rate: share, percent, compare, arithmetic };
        if limit.threshold().is_none() && slow.is_none() {
            return Some("nothing says when it opens: give `rate` or `percent`".into());
        }
        limit.problem().or_else(|| slow_problem(slow))
    }

    /// How many probes the judgement needs, if it says so.
    pub(super) fn probes(&self) -> Option<u32> {
        self.successes.or(self.failures).map(Enough::of)
    }
}

/// What the results of probes prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Undecided,
    Open,
    Close,
}

/// A [`HalfOpenConfig`], compiled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Judge {
    Counts { reopens_after: u32, closes_after: u32 },
    Rate(TooMuch),
    Ring { size: u32, threshold: Threshold },
}

/// What probes have shown since the breaker became half-open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Probed {
    pub(super) tally: Tally,
    ring: Option<Box<Ring>>,
}

impl Judge {
    /// The judge of `config`, which lets `probes` through and is judged by counts if it says nothing.
    pub(super) fn new(config: &HalfOpenConfig, counts: (u32, u32), probes: u32) -> Self {
        let (reopens_after, closes_after) = counts;
        if let Some(HalfOpenRing { size, rate, arithmetic }) = config.ring {
            let limit = Limit { rate: Some(rate), percent: None, compare: Compare::At, arithmetic };
            if let Some(threshold) = limit.threshold() {
                return Self::Ring { size: size.get_u32(), threshold };
            }
        }
        if let Some(successes) = config.successes {
            let closes_after = successes.enough.get_u32();
            return Self::Counts { reopens_after: successes.too_few(), closes_after };
        }
        if let Some(HalfOpenRate { after, rate, percent, compare, arithmetic, slow }) = config.rate {
            return Self::Rate(TooMuch {
                minimum: f64::from(after.get_u32().min(probes)),
                failures: None,
                threshold: Limit { rate, percent, compare, arithmetic }.threshold(),
                slow: slow.and_then(|slow| Slow::new(slow, arithmetic)),
            });
        }
        if let Some(failures) = config.failures {
            let reopens_after = failures.enough.get_u32();
            return Self::Counts { reopens_after, closes_after: failures.too_few() };
        }
        Self::Counts { reopens_after, closes_after }
    }

    /// How many results it needs at most to come to a verdict, whatever they are.
    pub(super) fn needs(&self) -> u32 {
        match self {
            // One less of each kind than decides, and then one more.
            Self::Counts { reopens_after, closes_after } => reopens_after.saturating_add(*closes_after) - 1,
            Self::Rate(too_much) => libm::ceil(too_much.minimum) as u32,
            Self::Ring { size, threshold } => {
                // A full ring in which a success does not close sees successes until it does, or failures until it opens.
                let closes = (0..=*size).find(|&n| threshold.kept(size - n, *size)).unwrap_or(*size);
                let opens = (0..=*size).find(|&n| threshold.reached(n, *size)).unwrap_or(*size);
                size.saturating_add(closes.max(opens).max(1))
            }
        }
    }

    /// Takes the result of a probe.
    pub(super) fn record(&self, probed: &mut Probed, success: bool, took: Interval) -> Verdict {
        let slow = matches!(self, Self::Rate(too_much) if too_much.is_slow(took));
        probed.tally.add(Tally::of(success, slow));
        let Tally { total, failures, .. } = probed.tally;
        match self {
            Self::Counts { closes_after, .. } if success && total - failures >= *closes_after => {
                Verdict::Close
            }
            Self::Counts { reopens_after, .. } if !success && failures >= *reopens_after => Verdict::Open,
            Self::Rate(too_much) if f64::from(total) >= too_much.minimum => {
                if too_much.reached(probed.tally) { Verdict::Open } else { Verdict::Close }
            }
            Self::Ring { size, threshold } => {
                let ring = probed.ring.get_or_insert_default();
                let was_full = ring.is_full(*size);
                ring.push(*size, success, false);
                let Tally { total, failures, .. } = ring.tally;
                if was_full && success && threshold.kept(failures, total) {
                    Verdict::Close
                } else if was_full && !success && threshold.reached(failures, total) {
                    Verdict::Open
                } else {
                    Verdict::Undecided
                }
            }
            _ => Verdict::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdicts on `results`, S or F, each as one letter.
    fn verdicts(text: &str, results: &str) -> String {
        let config: HalfOpenConfig = toml::from_str(text).unwrap();
        assert_eq!(config.problem(), None, "{text}");
        let judge = Judge::new(&config, (1, 1), config.probes().unwrap_or(10));
        let mut probed = Probed::default();
        let letter = |result| match judge.record(&mut probed, result == 'S', Interval::ZERO) {
            Verdict::Undecided => '.',
            Verdict::Open => 'o',
            Verdict::Close => 'c',
        };
        results.chars().map(letter).collect()
    }

    #[test]
    fn each_judge_decides_as_its_library_does() {
        let cases = [
            ("", "S", "c"),
            ("", "F", "o"),
            // Failsafe 3: 3 of 5 successes close, the third failure opens.
            ("successes = { enough = 3, of = 5 }", "SFSFS", "....c"),
            ("successes = { enough = 3, of = 5 }", "SFFF", "...o"),
            ("failures = { enough = 2, of = 4 }", "SSS", "..c"),
            ("failures = { enough = 2, of = 4 }", "SFSF", "...o"),
            ("failures = { enough = 1, of = 1 }\nsuccesses = { enough = 2 }", "SS", ".c"),
            ("failures = { enough = 1, of = 1 }\nsuccesses = { enough = 2 }", "SF", ".o"),
            // resilience4j 2: a success can open.
            ("rate = { after = 2, percent = 50, arithmetic = 'single' }", "FS", ".o"),
            ("rate = { after = 4, percent = 50, arithmetic = 'single' }", "FSSS", "...c"),
            ("rate = { after = 100, percent = 50 }", "SSSSSSSSSS", ".........c"),
            // recloser 1: nothing until the ring was full before.
            ("ring = { size = 2, rate = 0.5, arithmetic = 'single' }", "FFF", "..o"),
            ("ring = { size = 2, rate = 0.5, arithmetic = 'single' }", "FFS", "..c"),
            ("ring = { size = 2, rate = 0.4, arithmetic = 'single' }", "FFSS", "...c"),
        ];
        for (text, results, expected) in cases {
            assert_eq!(verdicts(text, results), expected, "{text} on {results}");
        }
    }
}
