//! Poisson processes whose rate changes with time, as they are written in a scenario.

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::Requests;
use super::level::{Level, per_nano};
use super::path::{Path, Stretch};
use crate::random::Key;
use crate::schema::Either;
use crate::time::Interval;
use crate::units::{Rate, bounded};

/// The shortest stretch of a rate that changes again and again: shorter ones would cost more than the requests in them.
const SHORTEST: Interval = Interval::from_millis(1);
/// The most stretches of such a rate in one run: where next to nothing arrives, all of them are gone through for one request.
const MAX_STRETCHES: f64 = 1e7;
/// More requests per second are more than the clock's nanoseconds can tell apart.
const HIGHEST: f64 = 1e7;

/// A Markov-modulated Poisson process of two states, each of which lasts an exponential time. It begins in its stationary
/// state: how likely it is busy at `from` is the share of time that it is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Modulated {
    /// Requests per time while quiet.
    pub quiet: Level,
    /// Requests per time while busy.
    pub busy: Level,
    /// How long it is quiet on average.
    pub quiet_lasts: Interval,
    /// How long it is busy on average.
    pub busy_lasts: Interval,
    /// When it begins; at the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// When it stops (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
}

/// A rate that jumps: `steps = [{ at = "0s", rate = "1/s" }, ...]`, or `{ steps = [...], until, requests }`. Nothing arrives
/// before the first step; the last one lasts.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Vec<Step>, Fields>")]
pub struct Steps {
    /// The steps, in order of time.
    pub steps: Vec<Step>,
    /// When arrivals stop (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
}

/// From `at` on, `rate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When it begins.
    pub at: Interval,
    /// Requests per time from then on.
    pub rate: Level,
}

/// Steps, and when they end.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StepsFields")]
struct Fields {
    /// From when on which rate holds, in order of time; "0/s" for none.
    steps: Vec<Step>,
    /// When arrivals stop (no arrival at or after it); with the run if absent.
    until: Option<Interval>,
    /// How many requests at most.
    requests: Option<Requests>,
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrTable;
        impl<'de> Visitor<'de> for ListOrTable {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "a list such as [{ at = \"0s\", rate = \"1/s\" }], or { steps = [...], until = \"1h\" }",
                )
            }
            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Fields, A::Error> {
                let steps = Vec::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(Fields { steps, until: None, requests: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let Fields { steps, until, requests } = deserializer.deserialize_any(ListOrTable)?;
        Ok(Self { steps, until, requests })
    }
}

/// A rate that rises or falls along a straight line, from `from` on over `over`, and then stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Requests per time at the beginning.
    pub from_rate: Level,
    /// Requests per time at the end and after it.
    pub to_rate: Level,
    /// When it begins; nothing arrives before. At the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// How long the change takes.
    pub over: Interval,
    /// When arrivals stop (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
}

/// A rate that swings as a sine around its mean, once per `period`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diurnal {
    /// Requests per time on average.
    pub mean: Rate,
    /// The highest rate divided by the lowest: 1 to 10^6.
    pub peak_to_trough: Ratio,
    /// A moment at which the rate is highest, counted from the start of the run.
    pub peak_at: Interval,
    /// From one peak to the next; "24h" if absent.
    #[serde(default = "day")]
    pub period: Interval,
    /// When it begins; at the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// When it stops (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
}

const fn day() -> Interval {
    Interval::from_secs(86_400)
}

/// How many times as high: 1 to 10^6.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Ratio(#[schemars(range(min = 1, max = 1_000_000))] f64);

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 1.0, 1e6, "a ratio").map(Self)
    }
}

/// Rates that were measured at regular intervals: each lasts for `every`, so that the counts per interval are met on average.
/// Then they begin anew, or nothing arrives any more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Requests per time, one after the other.
    pub rates: Vec<Level>,
    /// How long each lasts.
    pub every: Interval,
    /// Whether they begin anew after the last one.
    #[serde(default)]
    pub repeat: bool,
    /// When it begins; at the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// When it stops (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Requests>,
}

/// What is wrong with some of the rates, if anything.
fn problem_of(rates: impl IntoIterator<Item = f64>) -> Option<String> {
    let rates: Vec<f64> = rates.into_iter().collect();
    if rates.iter().any(|&rate| rate > HIGHEST) {
        return Some(
            "this rate is more than the clock's nanoseconds can tell apart: write at most \"10000000/s\""
                .into(),
        );
    }
    rates.iter().all(|&rate| rate == 0.0).then(|| "nothing ever arrives: give a rate above \"0/s\"".into())
}

fn too_short(field: &str, length: Interval) -> Option<String> {
    (length < SHORTEST).then(|| format!("`{field}` is {length}, the shortest is {SHORTEST}: lengthen it"))
}

/// What is wrong with so many stretches in one run, if anything.
pub(super) fn too_many(stretches: f64) -> Option<String> {
    (stretches > MAX_STRETCHES).then(|| {
        format!(
            "the rate would change about {stretches:.0} times within the run, the limit is {MAX_STRETCHES:.0}: make it change \
             less often, or end it sooner with `until`"
        )
    })
}

impl Modulated {
    /// How many stretches to expect within `window`.
    pub(super) fn stretches(&self, window: Interval) -> f64 {
        2.0 * window.as_secs_f64() / (self.quiet_lasts.as_secs_f64() + self.busy_lasts.as_secs_f64())
    }

    pub(super) fn problem(&self) -> Option<String> {
        too_short("quiet_lasts", self.quiet_lasts)
            .or_else(|| too_short("busy_lasts", self.busy_lasts))
            .or_else(|| problem_of([self.quiet.per_second(), self.busy.per_second()]))
    }

    /// The share of time that it is busy.
    fn busy_share(&self) -> f64 {
        let (quiet, busy) = (self.quiet_lasts.as_nanos() as f64, self.busy_lasts.as_nanos() as f64);
        busy / (quiet + busy)
    }

    pub(super) fn expected(&self, nanos: f64) -> f64 {
        let share = self.busy_share();
        (share * self.busy.per_nano() + (1.0 - share) * self.quiet.per_nano()) * nanos
    }

    pub(super) fn path(&self, key: Key) -> Path {
        let state = |rate: Level, lasts: Interval| (rate.per_nano(), lasts.as_nanos() as f64);
        let states = [state(self.quiet, self.quiet_lasts), state(self.busy, self.busy_lasts)];
        Path::modulated(states, self.busy_share(), key)
    }
}

impl Steps {
    pub(super) fn problem(&self) -> Option<String> {
        if let Some(pair) = self.steps.windows(2).find(|pair| pair[0].at >= pair[1].at) {
            let (first, second) = (pair[0].at, pair[1].at);
            return Some(format!(
                "the step at {second} follows on the one at {first}: sort the steps by `at`"
            ));
        }
        problem_of(self.steps.iter().map(|step| step.rate.per_second()))
    }

    pub(super) fn path(&self) -> Path {
        let first = self.steps.first().map_or(Interval::ZERO, |step| step.at);
        let ends = self.steps.iter().skip(1).map(|step| Some(step.at)).chain([None]);
        let stretch = |(step, end): (&Step, Option<Interval>)| {
            let length = end.map_or(Interval::MAX, |end| end - step.at);
            (length, Stretch::flat(step.rate.per_nano(), length))
        };
        let silence = (first, Stretch::flat(0.0, first));
        Path::list([silence].into_iter().chain(self.steps.iter().zip(ends).map(stretch)).collect(), false)
    }
}

impl Ramp {
    pub(super) fn problem(&self) -> Option<String> {
        problem_of([self.from_rate.per_second(), self.to_rate.per_second()])
    }

    pub(super) fn path(&self) -> Path {
        let (from, to) = (self.from_rate.per_nano(), self.to_rate.per_nano());
        let slope = (self.over, Stretch::line(from, to, self.over));
        Path::list(vec![slope, (Interval::MAX, Stretch::flat(to, Interval::MAX))], false)
    }
}

impl Diurnal {
    /// How many periods lie within `window`.
    pub(super) fn stretches(&self, window: Interval) -> f64 {
        window.as_secs_f64() / self.period.as_secs_f64()
    }

    pub(super) fn problem(&self) -> Option<String> {
        too_short("period", self.period)
            .or_else(|| problem_of([self.mean.per_second() * (1.0 + self.swing())]))
    }

    /// How far the rate goes from its mean, as a share of it.
    fn swing(&self) -> f64 {
        (self.peak_to_trough.0 - 1.0) / (self.peak_to_trough.0 + 1.0)
    }

    pub(super) fn path(&self) -> Path {
        let period = self.period.as_nanos();
        // How far into the period `from` lies, from a peak on.
        let begins = (self.from.as_nanos() % period + period - self.peak_at.as_nanos() % period) % period;
        let phase = begins as f64 / period as f64;
        let wave =
            Stretch::Wave { mean: per_nano(self.mean), swing: self.swing(), period: period as f64, phase };
        Path::list(vec![(self.period, wave)], true)
    }
}

impl Profile {
    /// How many rates follow each other within `window`.
    pub(super) fn stretches(&self, window: Interval) -> f64 {
        let stretches = window.as_secs_f64() / self.every.as_secs_f64();
        if self.repeat { stretches } else { stretches.min(self.rates.len() as f64) }
    }

    pub(super) fn problem(&self) -> Option<String> {
        too_short("every", self.every).or_else(|| problem_of(self.rates.iter().map(|rate| rate.per_second())))
    }

    pub(super) fn path(&self) -> Path {
        let stretch = |rate: &Level| (self.every, Stretch::flat(rate.per_nano(), self.every));
        Path::list(self.rates.iter().map(stretch).collect(), self.repeat)
    }
}
