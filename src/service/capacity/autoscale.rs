//! Autoscaling: the number of servers follows their utilisation, with a lag.
//!
//! Source: Kubernetes, "Horizontal Pod Autoscaling", algorithm details: wanted = ceil(current * utilisation / target), judged
//! every 15 s, nothing done while utilisation / target is within 0.1 of 1; servers on their way count as idle when more are
//! wanted, and not at all when fewer are. Its stabilisation of decreases (300 s) is not modelled.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ONE, after, billionths};
use crate::time::{Instant, Interval};
use crate::units::{Count, Share};

/// How often it may judge in one run.
const MAX_TICKS: u64 = 10_000_000;

/// How the number of servers follows the load, as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoscaleConfig {
    /// The fewest servers.
    pub min: Count<1, 1_000_000>,
    /// The most servers.
    pub max: Count<1, 1_000_000>,
    /// The utilisation that it aims at: above 0, at most 1.
    pub target: Share,
    /// How often it judges, by the utilisation since it last did, above 0s; every 15s if absent. At most 10,000,000 times in a run.
    #[serde(default = "fifteen_seconds")]
    pub every: Interval,
    /// How long a new server takes to come; 0s if absent.
    #[serde(default = "at_once")]
    pub lag: Interval,
    /// How far utilisation / target may be from 1 before anything is done: 0 to 1, 0.1 if absent.
    #[serde(default = "a_tenth")]
    pub tolerance: Share,
}

const fn fifteen_seconds() -> Interval {
    Interval::from_secs(15)
}

const fn at_once() -> Interval {
    Interval::ZERO
}

const fn a_tenth() -> Share {
    Share(0.1)
}

impl AutoscaleConfig {
    /// What is wrong with the fields taken together, if anything.
    pub fn problem(&self) -> Option<String> {
        let (min, max) = (self.min.get(), self.max.get());
        if min > max {
            Some(format!("min {min} is above max {max}: swap them, or raise max"))
        } else if billionths(self.target.get()) == 0 {
            Some("a target of 0 wants infinitely many servers: give a utilisation, such as 0.6".into())
        } else if self.every.is_zero() {
            Some("judging every 0s never ends: give `every`, such as \"15s\"".into())
        } else {
            None
        }
    }

    /// What is wrong with it in a run of `horizon`, if anything.
    pub fn problem_within(&self, horizon: Interval) -> Option<String> {
        let ticks = horizon.as_nanos() / self.every.as_nanos().max(1);
        (ticks > MAX_TICKS).then(|| {
            format!(
                "it would judge {ticks} times within the run, the limit is {MAX_TICKS}: lengthen `every`, which is {}",
                self.every
            )
        })
    }
}

/// The autoscaler's state.
#[derive(Debug, Clone)]
pub(super) struct Autoscale {
    config: AutoscaleConfig,
    /// When it judges next.
    tick: Instant,
    /// Servers on their way, and when they come.
    coming: VecDeque<(Instant, u32)>,
    /// Server-nanoseconds since it last judged: busy, and there.
    busy: u128,
    there: u128,
}

impl Autoscale {
    pub(super) fn new(config: AutoscaleConfig) -> Self {
        let tick = Instant::START + config.every;
        Self { config, tick, coming: VecDeque::new(), busy: 0, there: 0 }
    }

    pub(super) const fn tick(&self) -> Instant {
        self.tick
    }

    /// When the next servers come.
    pub(super) fn arrival(&self) -> Option<Instant> {
        self.coming.front().map(|(at, _)| *at)
    }

    /// How many come then; they are on their way no more.
    pub(super) fn take_arrived(&mut self) -> u32 {
        self.coming.pop_front().map_or(0, |(_, servers)| servers)
    }

    /// For `time` so many servers were busy, of so many.
    pub(super) fn observe(&mut self, time: Interval, busy: u64, servers: u32) {
        let time = u128::from(time.as_nanos());
        self.busy += time * u128::from(busy);
        self.there += time * u128::from(servers);
    }

    /// Judges when there are `servers`, some of which may be away: how many of them stay. Utilisation is that of those that are
    /// not away.
    pub(super) fn judge(&mut self, servers: u32) -> u32 {
        let now = self.tick;
        self.tick = after(now, self.config.every);
        let (busy, there) = (std::mem::take(&mut self.busy), std::mem::take(&mut self.there));
        // Utilisation is busy / there: what is compared is times both denominators.
        let (used, aim) =
            (busy.saturating_mul(ONE), there.saturating_mul(billionths(self.config.target.get())));
        let slack = (aim / ONE).saturating_mul(billionths(self.config.tolerance.get()));
        if there == 0 || used.abs_diff(aim) <= slack {
            return servers;
        }
        let wanted = u128::from(servers).saturating_mul(used).div_ceil(aim);
        let (min, max) = (u128::from(self.config.min.get_u32()), u128::from(self.config.max.get_u32()));
        let wanted = wanted.clamp(min, max) as u32;
        let ordered = servers.saturating_add(self.coming_in_all());
        if used > aim {
            if wanted > ordered {
                self.coming.push_back((after(now, self.config.lag), wanted - ordered));
            }
            return servers;
        }
        self.call_off(ordered.saturating_sub(wanted));
        servers.min(wanted)
    }

    pub(super) fn coming_in_all(&self) -> u32 {
        self.coming.iter().map(|(_, servers)| servers).sum()
    }

    /// Calls off servers that are on their way, the latest first.
    fn call_off(&mut self, mut servers: u32) {
        while servers > 0
            && let Some((_, more)) = self.coming.back_mut()
        {
            let off = servers.min(*more);
            *more -= off;
            servers -= off;
            if *more == 0 {
                self.coming.pop_back();
            }
        }
    }
}
