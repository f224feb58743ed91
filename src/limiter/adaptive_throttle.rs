//! Adaptive throttling: a client that sees its calls rejected stops sending most of them, by chance, each client for itself.
//!
//! Of the N calls of the window S were accepted: answered, and neither with 429 nor with 5xx. A call is shed with probability
//! `min(max_rejection, max(0, (N - k S) / (N + 1)))`.
//!
//! Sources: Google, "Site Reliability Engineering" (2016), chapter 21, "Client-side throttling" (K = 2, two minutes);
//! failsafe-go `adaptivethrottler` (06622f2d): k = 1 / 0.9, at most 0.9, 20 buckets in a minute, only calls that were sent
//! are counted, and only when their outcome is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Admission;
use crate::random::unit;
use crate::time::{Instant, Interval};
use crate::units::{Count, Factor, Probability};

/// An adaptive throttle as written in a scenario. The defaults are those of the SRE book.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveThrottleConfig {
    /// How many attempts the client sends for each that is accepted: 1 to 1000. 2 sheds once less than half is accepted; 1 / k
    /// is what failsafe-go calls the success rate threshold.
    #[serde(default = "two")]
    pub k: Factor,
    /// How long an attempt counts, above 0s.
    #[serde(default = "two_minutes")]
    pub window: Interval,
    /// Buckets that the window is divided into, aligned to the start of the run: it moves on by whole buckets, so that it
    /// covers between (buckets - 1) / buckets of its length and all of it.
    #[serde(default = "twenty")]
    pub buckets: Count<1, 10_000>,
    /// The most that is shed: 0 to 1; everything if absent.
    pub max_rejection: Option<Probability>,
    /// Nothing is shed before the window has seen so many attempts.
    #[serde(default = "none")]
    pub threshold: Count<0, 1_000_000_000>,
    /// Which attempts count, and when.
    #[serde(default)]
    pub counts: Counts,
}

const fn two() -> Factor {
    Factor(2.0)
}

const fn two_minutes() -> Interval {
    Interval::from_secs(120)
}

const fn twenty() -> Count<1, 10_000> {
    Count::of(20)
}

const fn none() -> Count<0, 1_000_000_000> {
    Count::of(0)
}

/// Which attempts count towards N, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Every attempt when it is made, also one that is shed (SRE book).
    #[default]
    Calls,
    /// Every attempt that was sent, when its outcome is known. The window moves on only then: a throttle that sees no outcomes
    /// remembers the last ones (failsafe-go).
    Outcomes,
}

impl AdaptiveThrottleConfig {
    pub(super) fn problem(&self) -> Option<String> {
        (self.window.as_nanos() < self.buckets.get()).then(|| {
            format!(
                "a window of {} cannot be divided into {} buckets: give a longer one, such as \"2m\"",
                self.window,
                self.buckets.get()
            )
        })
    }
}

/// A throttle's state; nothing is allocated before the first call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdaptiveThrottle(Option<Box<Window>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    buckets: Box<[Bucket]>,
    sum: Bucket,
    /// Number of the newest bucket since the start of the run.
    newest: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Bucket {
    calls: u64,
    accepted: u64,
}

impl AdaptiveThrottle {
    pub(super) fn acquire(&mut self, config: &AdaptiveThrottleConfig, now: Instant, bits: u64) -> Admission {
        let window = self.window(config);
        if config.counts == Counts::Calls {
            window.move_to(config, now);
        }
        let shed = unit(bits) < window.rejection(config);
        if config.counts == Counts::Calls {
            window.add(Bucket { calls: 1, accepted: 0 });
        }
        if shed { Admission::Shed } else { Admission::Now }
    }

    pub(super) fn on_outcome(&mut self, config: &AdaptiveThrottleConfig, now: Instant, accepted: bool) {
        let window = self.window(config);
        window.move_to(config, now);
        let calls = u64::from(config.counts == Counts::Outcomes);
        window.add(Bucket { calls, accepted: accepted.into() });
    }

    /// The probability with which the next call would be shed, as of the last call.
    pub(super) fn rejection(&self, config: &AdaptiveThrottleConfig) -> f64 {
        self.0.as_ref().map_or(0.0, |window| window.rejection(config))
    }

    fn window(&mut self, config: &AdaptiveThrottleConfig) -> &mut Window {
        self.0.get_or_insert_with(|| {
            let buckets = vec![Bucket::default(); config.buckets.get() as usize].into_boxed_slice();
            Box::new(Window { buckets, sum: Bucket::default(), newest: 0 })
        })
    }
}

impl Window {
    fn rejection(&self, config: &AdaptiveThrottleConfig) -> f64 {
        if self.sum.calls < config.threshold.get() {
            return 0.0;
        }
        let calls = self.sum.calls as f64;
        let excess = calls - config.k.get() * self.sum.accepted as f64;
        let most = config.max_rejection.map_or(1.0, Probability::get);
        (excess / (calls + 1.0)).clamp(0.0, most)
    }

    fn move_to(&mut self, config: &AdaptiveThrottleConfig, now: Instant) {
        let length = self.buckets.len() as u64;
        let newest = now.as_nanos() / (config.window.as_nanos() / length);
        for step in 1..=newest.saturating_sub(self.newest).min(length) {
            let old = std::mem::take(&mut self.buckets[((self.newest + step) % length) as usize]);
            self.sum.calls -= old.calls;
            self.sum.accepted -= old.accepted;
        }
        self.newest = self.newest.max(newest);
    }

    fn add(&mut self, more: Bucket) {
        let length = self.buckets.len() as u64;
        for bucket in [&mut self.buckets[(self.newest % length) as usize], &mut self.sum] {
            bucket.calls += more.calls;
            bucket.accepted += more.accepted;
        }
    }
}
