//! Results of the last so many seconds, in buckets: every library cuts time differently, and a breaker trips or not by it.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::count_window::{JudgedOn, slow_problem};
use super::rate::{Arithmetic, Compare, Limit, Minimum, Percent, Slow, SlowConfig, Tally, TooMuch};
use crate::time::{Instant, Interval};
use crate::units::{Count, Probability};

/// The most buckets of one window.
const MAX_BUCKETS: u64 = 100_000;

/// Opens by the results of the last `width` (resilience4j 2 `TIME_BASED`, Polly 8, Hystrix 1, opossum 9, Failsafe 3,
/// cockatiel 3 `SamplingBreaker`).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    /// How far back results count.
    pub width: Interval,
    /// How many buckets the width is cut into. If neither this nor `bucket` is given: with `one_step` one per second, at
    /// least 5; with `first_event` 10, or 1 below 200 ms; else 10.
    pub buckets: Option<Count<1, MAX_BUCKETS>>,
    /// How long a bucket is, instead of their number.
    pub bucket: Option<Interval>,
    /// Where buckets begin, and when old ones go.
    #[serde(default)]
    pub align: Align,
    /// With fewer calls than this nothing is judged; 0 if absent.
    pub minimum_calls: Option<Minimum>,
    /// The same as calls per second over the whole width (cockatiel's `minimumRps`).
    pub minimum_rate: Option<Minimum>,
    /// The same as failures per second at the limit: calls * rate must reach it (cockatiel's 5 if `minimumRps` is absent).
    /// Only heeded without `minimum_rate`.
    pub minimum_failure_rate: Option<Minimum>,
    /// The share of failures that is too much, 0 to 1.
    pub rate: Option<Probability>,
    /// The same in percent, 0 to 100.
    pub percent: Option<Percent>,
    /// The number of failures that is too much, beside the rate or instead of it.
    pub failures: Option<Count<1, 1_000_000_000>>,
    /// Whether the limit itself is too much.
    #[serde(default)]
    pub compare: Compare,
    /// How the share is computed.
    #[serde(default)]
    pub arithmetic: Arithmetic,
    /// After which results it is judged.
    #[serde(default)]
    pub judged_on: JudgedOn,
    /// What failures are a share of.
    #[serde(default)]
    pub share_of: ShareOf,
    /// Slow calls as a second reason.
    pub slow: Option<SlowConfig>,
}

/// Where buckets begin, and when old ones go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// At multiples of the bucket from time 0 (resilience4j 2: epoch seconds; opossum 9: a timer since it was made).
    #[default]
    Clock,
    /// At multiples of the bucket from the moment the window was last cleared (Hystrix 1).
    Cleared,
    /// The same, and from the next result on if none came for longer than the width (Failsafe 3).
    ClearedOrIdle,
    /// At the first event after the last bucket's length is over; a bucket goes when its beginning is `width` ago (Polly 8).
    FirstEvent,
    /// At the first result after the last bucket's length is over, and only one old bucket goes each time, so that a pause
    /// makes nothing older (cockatiel 3).
    OneStep,
    /// At the first event after the last bucket's length is over, when as many old buckets go as lengths have passed
    /// (failsafe-rs 1).
    Drifting,
}

/// What failures are a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareOf {
    /// Of the results.
    #[default]
    Results,
    /// Of the calls that were asked for, those refused and those under way included (opossum 9's `fires`).
    Calls,
}

impl TimeWindow {
    pub(super) fn problem(&self) -> Option<String> {
        let limit = self.limit();
        if self.failures.is_none() && limit.threshold().is_none() && self.slow.is_none() {
            return Some("nothing says when it opens: give `rate`, `percent` or `failures`".into());
        }
        if self.buckets.is_some() && self.bucket.is_some() {
            return Some("`buckets` and `bucket` say the same thing: give one of them".into());
        }
        if self.bucket.is_some_and(|bucket| bucket.is_zero() || bucket > self.width) {
            return Some("a bucket must be longer than 0s and no longer than `width`".into());
        }
        let (buckets, bucket) = self.cut();
        if bucket.is_zero() {
            return Some(format!("{} cannot be cut into {buckets} buckets: widen it", self.width));
        }
        if buckets > MAX_BUCKETS {
            return Some(format!(
                "this makes {buckets} buckets, the limit is {MAX_BUCKETS}: lengthen `bucket`"
            ));
        }
        let fixed = matches!(self.align, Align::Clock | Align::Cleared);
        if self.judged_on == JudgedOn::Tick && !fixed {
            return Some(
                "ticks need buckets that begin by the clock: `align = \"clock\"` or \"cleared\"".into(),
            );
        }
        limit.problem().or_else(|| slow_problem(self.slow))
    }

    fn limit(&self) -> Limit {
        let Self { rate, percent, compare, arithmetic, .. } = *self;
        Limit { rate, percent, compare, arithmetic }
    }

    /// With fewer calls than this nothing is judged; it need not be whole.
    pub fn minimum(&self) -> f64 {
        let (buckets, bucket) = self.cut();
        let milliseconds = Interval::from_nanos(bucket.as_nanos() * buckets).as_secs_f64() * 1e3;
        // In cockatiel's order of operations: duration * (rate per millisecond).
        let by_rate = self.minimum_rate.map(|rate| milliseconds * (rate.get() / 1000.0));
        let by_failures = self
            .minimum_failure_rate
            .zip(self.limit().threshold())
            .map(|(rate, limit)| milliseconds * (rate.get() / (limit.share() * 1000.0)));
        self.minimum_calls.map(Minimum::get).or(by_rate).or(by_failures).unwrap_or(0.0)
    }

    /// How many buckets there are, and how long each is.
    fn cut(&self) -> (u64, Interval) {
        if let Some(bucket) = self.bucket.filter(|bucket| !bucket.is_zero()) {
            return (self.width.as_nanos().div_ceil(bucket.as_nanos()), bucket);
        }
        let second = 1_000_000_000;
        let usual = match self.align {
            Align::OneStep => self.width.as_nanos().div_ceil(second).max(5),
            Align::FirstEvent if self.width < Interval::from_millis(200) => 1,
            _ => 10,
        };
        let buckets = self.buckets.map_or(usual, Count::get);
        let nanos = self.width.as_nanos();
        let bucket = if self.align == Align::OneStep {
            // Math.round(duration / windows), in milliseconds.
            Interval::from_millis((nanos / 1_000_000 * 2 + buckets) / (2 * buckets))
        } else {
            Interval::from_nanos(nanos / buckets)
        };
        (buckets, bucket)
    }
}

/// A [`TimeWindow`], compiled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeRules {
    pub(super) cut: Cut,
    judged_on: JudgedOn,
    pub(super) share_of: ShareOf,
    too_much: TooMuch,
}

impl TimeRules {
    pub(super) fn new(config: &TimeWindow) -> Self {
        let (buckets, bucket) = config.cut();
        Self {
            cut: Cut { align: config.align, buckets: buckets as usize, bucket, width: config.width },
            judged_on: config.judged_on,
            share_of: config.share_of,
            too_much: TooMuch {
                minimum: config.minimum(),
                failures: config.failures.map(Count::get_u32),
                threshold: config.limit().threshold(),
                slow: config.slow.and_then(|slow| Slow::new(slow, config.arithmetic)),
            },
        }
    }

    /// A call was asked for.
    pub(super) fn called(&self, buckets: &mut Buckets, now: Instant) {
        if self.share_of == ShareOf::Calls {
            buckets.add(&self.cut, now, Tally { total: 1, ..Tally::default() });
        }
    }

    /// Takes a result; true if the breaker opens.
    pub(super) fn record(&self, buckets: &mut Buckets, now: Instant, success: bool, took: Interval) -> bool {
        let mut result = Tally::of(success, self.too_much.is_slow(took));
        if self.share_of == ShareOf::Calls {
            result.total = 0;
        }
        buckets.add(&self.cut, now, result);
        let judged = match self.judged_on {
            JudgedOn::Failure => !success,
            JudgedOn::Any => true,
            JudgedOn::Tick => false,
        };
        judged && self.too_much.reached(buckets.tally)
    }

    /// Whether it is judged by the clock.
    pub(super) fn has_ticks(&self) -> bool {
        self.judged_on == JudgedOn::Tick
    }

    /// The first tick up to `now` at which what was complete is too much.
    pub(super) fn tick(&self, buckets: &mut Buckets, now: Instant) -> Option<Instant> {
        if !self.has_ticks() {
            return None;
        }
        buckets.step_to(&self.cut, now, |tally| self.too_much.reached(tally))
    }

    /// Goes on to `now` without judging.
    pub(super) fn skip_ticks(&self, buckets: &mut Buckets, now: Instant) {
        if self.has_ticks() {
            buckets.step_to(&self.cut, now, |_| false);
        }
    }
}

/// How time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) align: Align,
    pub(super) buckets: usize,
    pub(super) bucket: Interval,
    pub(super) width: Interval,
}

/// The buckets that still count, oldest first; the last one is being filled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Buckets {
    kept: VecDeque<(Instant, Tally)>,
    /// From when fixed buckets are counted.
    origin: Instant,
    pub(super) tally: Tally,
}

impl Buckets {
    /// Forgets everything at `now`.
    pub(super) fn clear(&mut self, now: Instant) {
        self.kept.clear();
        self.tally = Tally::default();
        self.origin = now;
    }

    /// Counts what came at `now`.
    pub(super) fn add(&mut self, cut: &Cut, now: Instant, what: Tally) {
        self.move_to(cut, now);
        if let Some((_, tally)) = self.kept.back_mut() {
            tally.add(what);
        }
        self.tally.add(what);
    }

    /// Drops what no longer counts when somebody looks at `now`. Only results move cockatiel's windows.
    pub(super) fn look(&mut self, cut: &Cut, now: Instant) {
        if cut.align != Align::OneStep && !self.kept.is_empty() {
            self.move_to(cut, now);
        }
    }

    fn move_to(&mut self, cut: &Cut, now: Instant) {
        let Some(&(begun, _)) = self.kept.back() else {
            let begin = match cut.align {
                Align::Clock => slot(Instant::START, cut.bucket, now),
                Align::Cleared => slot(self.origin, cut.bucket, now),
                Align::ClearedOrIdle if now.since(self.origin) < longest(cut) => {
                    slot(self.origin, cut.bucket, now)
                }
                Align::Drifting if now.since(self.origin) < cut.bucket => self.origin,
                _ => now,
            };
            self.kept.push_back((begin, Tally::default()));
            return;
        };
        let passed = now.since(begun).as_nanos() / cut.bucket.as_nanos();
        match cut.align {
            Align::ClearedOrIdle if passed > cut.buckets as u64 => {
                self.clear(now);
                self.kept.push_back((now, Tally::default()));
            }
            Align::Clock | Align::Cleared | Align::ClearedOrIdle => {
                self.step_to(cut, now, |_| false);
            }
            Align::FirstEvent => {
                if passed > 0 {
                    self.kept.push_back((now, Tally::default()));
                }
                while self.kept.front().is_some_and(|(begun, _)| now.since(*begun) >= cut.width) {
                    self.drop_oldest();
                }
            }
            Align::OneStep | Align::Drifting => {
                let steps = if cut.align == Align::OneStep { passed.min(1) } else { passed };
                self.rotate(cut, steps, now);
            }
        }
    }

    /// Puts `steps` new buckets at the end, the last of which begins at `now`.
    fn rotate(&mut self, cut: &Cut, steps: u64, now: Instant) {
        for _ in 0..steps.min(cut.buckets as u64) {
            self.kept.push_back((now, Tally::default()));
            while self.kept.len() > cut.buckets {
                self.drop_oldest();
            }
        }
    }

    /// Goes on bucket by bucket until the one of `now`; stops at the end of the first where `too_much` says so of all that
    /// is complete, and returns that instant.
    fn step_to(&mut self, cut: &Cut, now: Instant, too_much: impl Fn(Tally) -> bool) -> Option<Instant> {
        let (mut begun, _) = *self.kept.back()?;
        let mut steps = now.since(begun).as_nanos() / cut.bucket.as_nanos();
        let mut tripped = None;
        while steps > 0 && tripped.is_none() {
            let next = begun + cut.bucket;
            if too_much(self.tally) {
                tripped = Some(next);
            }
            if self.tally == Tally::default() && tripped.is_none() {
                // Nothing counts any more: the rest of the way is empty.
                self.kept.clear();
                let reached = begun + Interval::from_nanos(cut.bucket.as_nanos() * steps);
                self.kept.push_back((reached, Tally::default()));
                return None;
            }
            self.rotate(cut, 1, next);
            begun = next;
            steps -= 1;
        }
        tripped
    }

    fn drop_oldest(&mut self) {
        if let Some((_, tally)) = self.kept.pop_front() {
            self.tally.take(tally);
        }
    }
}

/// When the bucket that `now` is in began, counted from `origin`.
fn slot(origin: Instant, bucket: Interval, now: Instant) -> Instant {
    let passed = now.since(origin).as_nanos();
    origin + Interval::from_nanos(passed - passed % bucket.as_nanos())
}

/// How long Failsafe goes without a result before it begins anew.
fn longest(cut: &Cut) -> Interval {
    Interval::from_nanos(cut.bucket.as_nanos().saturating_mul(cut.buckets as u64 + 1))
}

#[cfg(test)]
mod tests;
