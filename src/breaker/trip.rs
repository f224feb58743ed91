//! What opens a closed breaker: the parts that remember results, and what they remember.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::count_window::{CountRules, CountWindow, Ring};
use super::moving_average::{Average, MovingAverage};
use super::rate::Tally;
use super::run_until::RunUntil;
use super::time_window::{Buckets, TimeRules, TimeWindow};
use crate::schema::Either;
use crate::time::{Instant, Interval};
use crate::units::Count;

/// The most parts of `trip.any`.
pub(super) const MAX_PARTS: usize = 4;

/// What opens a closed breaker.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trip {
    /// So many failures in a row: a number, or a table.
    Consecutive(Consecutive),
    /// Failures among the last results.
    CountWindow(CountWindow),
    /// Failures within the last so many seconds.
    TimeWindow(TimeWindow),
    /// A success rate that is a moving average.
    MovingAverage(MovingAverage),
    /// Any of up to four (failsafe-rs 1 `or_else`).
    Any(Vec<Self>),
}

/// So many failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Count<1, 1_000_000_000>, WrittenConsecutive>")]
pub struct Consecutive {
    /// How many.
    pub failures: Count<1, 1_000_000_000>,
    /// The oldest bucket is dropped when this time has passed since it closed, and again each time it passes (gobreaker 2:
    /// `BucketPeriod`, or `Interval` if there is one bucket). As there, one call or result drops one bucket; a run that is
    /// not all of the failures in the window is not shortened; and calls that began before all buckets had been dropped
    /// for the first time are not counted.
    pub forgets_every: Option<Interval>,
    /// How many buckets there are; 1 if absent.
    pub buckets: Count<1, 100_000>,
}

/// So many failures in a row, with what is forgotten of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ConsecutiveFields")]
struct WrittenConsecutive {
    /// How many failures in a row.
    failures: Count<1, 1_000_000_000>,
    /// The oldest bucket is dropped when this time has passed since the breaker closed, and again each time it passes (gobreaker 2:
    /// `BucketPeriod`, or `Interval` if there is one bucket); never if absent. As there, one call or result drops one bucket; a run
    /// that is not all of the failures in the window is not shortened; and calls that began before all buckets had been dropped for
    /// the first time are not counted.
    forgets_every: Option<Interval>,
    /// How many buckets there are.
    #[serde(default = "one_bucket")]
    buckets: Count<1, 100_000>,
}

const fn one_bucket() -> Count<1, 100_000> {
    Count::of(1)
}

impl<'de> Deserialize<'de> for Consecutive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrTable;
        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = Consecutive;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a whole number from 1 to 1000000000, or a table with `failures`, `forgets_every` and `buckets`",
                )
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Consecutive, E> {
                match u64::try_from(number) {
                    Ok(failures @ 1..=1_000_000_000) => Ok(Consecutive {
                        failures: Count::of(failures),
                        forgets_every: None,
                        buckets: one_bucket(),
                    }),
                    _ => Err(E::custom(format!(
                        "{number} is out of range: write a whole number from 1 to 1000000000"
                    ))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Consecutive, A::Error> {
                let WrittenConsecutive { failures, forgets_every, buckets } =
                    Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Consecutive { failures, forgets_every, buckets })
            }
        }
        deserializer.deserialize_any(NumberOrTable)
    }
}

impl Trip {
    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Self::Consecutive(Consecutive { forgets_every: Some(Interval::ZERO), .. }) => {
                Some("`forgets_every` must be longer than 0s".into())
            }
            Self::Consecutive(_) => None,
            Self::CountWindow(window) => window.problem(),
            Self::TimeWindow(window) => window.problem(),
            Self::MovingAverage(average) => average.problem(),
            Self::Any(parts) if parts.is_empty() || parts.len() > MAX_PARTS => {
                Some(format!("`any` takes 1 to {MAX_PARTS} conditions"))
            }
            Self::Any(parts) => parts.iter().find_map(|part| match part {
                Self::Any(_) => Some("`any` within `any` says nothing more: put all into one".into()),
                part => part.problem(),
            }),
        }
    }
}

/// A [`Trip`], compiled.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TripRules {
    Consecutive { failures: u32, forgets_every: Option<Interval>, buckets: u32 },
    Count(CountRules),
    Time(TimeRules),
    Average(MovingAverage),
    Any(Vec<Self>),
}

/// What the condition remembers. Nothing is allocated before there is something to remember, and never for failures in a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Memory {
    #[default]
    Nothing,
    Run(u32),
    RunUntil(Box<RunUntil>),
    Ring(Box<Ring>),
    Buckets(Box<Buckets>),
    Average(Box<Average>),
    Any(Box<[Self; MAX_PARTS]>),
}

impl TripRules {
    pub(super) fn new(trip: &Trip) -> Self {
        match trip {
            Trip::Consecutive(Consecutive { failures, forgets_every, buckets }) => Self::Consecutive {
                failures: failures.get_u32(),
                forgets_every: *forgets_every,
                buckets: buckets.get_u32(),
            },
            Trip::CountWindow(window) => Self::Count(CountRules::new(window)),
            Trip::TimeWindow(window) => Self::Time(TimeRules::new(window)),
            Trip::MovingAverage(average) => Self::Average(*average),
            Trip::Any(parts) => Self::Any(parts.iter().map(Self::new).collect()),
        }
    }

    fn fresh(&self) -> Memory {
        match self {
            Self::Consecutive { forgets_every: None, .. } => Memory::Run(0),
            Self::Consecutive { forgets_every: Some(every), buckets, .. } => {
                Memory::RunUntil(Box::new(RunUntil::new(*buckets, Instant::START + *every)))
            }
            Self::Count(_) => Memory::Ring(Box::default()),
            Self::Time(_) => Memory::Buckets(Box::default()),
            Self::Average(_) => Memory::Average(Box::default()),
            Self::Any(parts) => Memory::Any(Box::new(std::array::from_fn(|index| {
                parts.get(index).map_or(Memory::Nothing, Self::fresh)
            }))),
        }
    }

    /// A call is asked for.
    pub(super) fn called(&self, memory: &mut Memory, now: Instant) {
        match self {
            Self::Time(rules) if rules.share_of == super::time_window::ShareOf::Calls => {
                if let Memory::Buckets(buckets) = self.remembered(memory) {
                    rules.called(buckets, now);
                }
            }
            Self::Any(parts) => {
                if let Memory::Any(memories) = self.remembered(memory) {
                    parts.iter().zip(memories.iter_mut()).for_each(|(part, memory)| part.called(memory, now));
                }
            }
            _ => {}
        }
    }

    /// Whether the passing of time alone can open it.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Time(rules) => rules.has_ticks(),
            Self::Any(parts) => parts.iter().any(Self::passes),
            _ => false,
        }
    }

    /// Drops, once, the counts whose time is over at `now`; true if there was one. Results of calls that began before are
    /// late then.
    pub(super) fn forget(&self, memory: &mut Memory, now: Instant) -> bool {
        match self {
            Self::Consecutive { forgets_every: Some(every), .. } => match self.remembered(memory) {
                Memory::RunUntil(run) => now > run.until && run.rotate(*every),
                _ => false,
            },
            Self::Any(parts) => match self.remembered(memory) {
                Memory::Any(memories) => parts
                    .iter()
                    .zip(memories.iter_mut())
                    .fold(false, |forgot, (part, memory)| part.forget(memory, now) || forgot),
                _ => false,
            },
            _ => false,
        }
    }

    /// The first tick up to `now` that opens a closed breaker, and the bits of the parts that hold at it.
    pub(super) fn tick(&self, memory: &mut Memory, now: Instant) -> Option<(Instant, u8)> {
        match (self, memory) {
            (Self::Time(rules), Memory::Buckets(buckets)) => rules.tick(buckets, now).map(|at| (at, 1)),
            (Self::Any(parts), Memory::Any(memories)) if self.passes() => {
                // Whichever trips first, the others must not have gone further.
                let first = parts
                    .iter()
                    .zip(memories.iter())
                    .filter(|(part, _)| part.passes())
                    .filter_map(|(part, memory)| part.tick(&mut memory.clone(), now))
                    .map(|(at, _)| at)
                    .min();
                let until = first.unwrap_or(now);
                let each = parts.iter().zip(memories.iter_mut()).enumerate();
                let tripped = each.fold(0, |tripped, (index, (part, memory))| {
                    tripped | u8::from(part.tick(memory, until).is_some()) << index
                });
                first.map(|at| (at, tripped))
            }
            _ => None,
        }
    }

    /// Goes on to `now` without judging: ticks before the breaker closed are none of its business.
    pub(super) fn skip_ticks(&self, memory: &mut Memory, now: Instant) {
        match (self, memory) {
            (Self::Time(rules), Memory::Buckets(buckets)) => rules.skip_ticks(buckets, now),
            (Self::Any(parts), Memory::Any(memories)) => {
                parts.iter().zip(memories.iter_mut()).for_each(|(part, memory)| part.skip_ticks(memory, now));
            }
            _ => {}
        }
    }

    /// Takes a result; the bits of the parts that would open a closed breaker.
    pub(super) fn record(&self, memory: &mut Memory, now: Instant, success: bool, took: Interval) -> u8 {
        let trips = match (self, self.remembered(memory)) {
            (Self::Consecutive { failures, .. }, Memory::Run(run)) => count(run, success, *failures),
            (Self::Consecutive { failures, .. }, Memory::RunUntil(run)) => {
                run.record(success);
                run.failures >= *failures
            }
            (Self::Count(rules), Memory::Ring(ring)) => rules.record(ring, success, took),
            (Self::Time(rules), Memory::Buckets(buckets)) => rules.record(buckets, now, success, took),
            (Self::Average(rules), Memory::Average(average)) => rules.record(average, now, success),
            (Self::Any(parts), Memory::Any(memories)) => {
                let each = parts.iter().zip(memories.iter_mut()).enumerate();
                return each.fold(0, |trips, (index, (part, memory))| {
                    trips | part.record(memory, now, success, took) << index
                });
            }
            _ => unreachable!("a memory is made by its own rules"),
        };
        u8::from(trips)
    }

    /// Forgets everything, at `now`.
    pub(super) fn clear(&self, memory: &mut Memory, now: Instant) {
        match (self, self.remembered(memory)) {
            (_, Memory::Run(run)) => *run = 0,
            (Self::Consecutive { forgets_every: Some(every), buckets, .. }, Memory::RunUntil(run)) => {
                **run = RunUntil::new(*buckets, now + *every);
            }
            (_, Memory::Ring(ring)) => ring.clear(),
            (_, Memory::Buckets(buckets)) => buckets.clear(now),
            (_, Memory::Average(average)) => average.clear(now),
            (Self::Any(parts), Memory::Any(memories)) => {
                parts.iter().zip(memories.iter_mut()).for_each(|(part, memory)| part.clear(memory, now));
            }
            _ => {}
        }
    }

    /// What is counted at `now`, which changes nothing.
    pub(super) fn tally(&self, memory: &Memory, now: Instant) -> Tally {
        match (self, memory) {
            (Self::Time(rules), Memory::Buckets(buckets)) => {
                let mut buckets = buckets.clone();
                buckets.look(&rules.cut, now);
                buckets.tally
            }
            (Self::Any(parts), Memory::Any(memories)) => match (parts.first(), memories.first()) {
                (Some(part), Some(memory)) => part.tally(memory, now),
                _ => Tally::default(),
            },
            _ => memory.tally(),
        }
    }

    fn remembered<'m>(&self, memory: &'m mut Memory) -> &'m mut Memory {
        if matches!(memory, Memory::Nothing) {
            *memory = self.fresh();
        }
        memory
    }
}

impl Memory {
    /// What is counted as of the last event.
    pub(super) fn tally(&self) -> Tally {
        match self {
            Self::Nothing => Tally::default(),
            Self::Run(run) => Tally { total: *run, failures: *run, slow: 0 },
            Self::RunUntil(run) => Tally { total: run.failures, failures: run.failures, slow: 0 },
            Self::Ring(ring) => ring.tally,
            Self::Buckets(buckets) => buckets.tally,
            Self::Average(average) => average.calls.tally,
            Self::Any(memories) => memories.first().map(Self::tally).unwrap_or_default(),
        }
    }
}

fn count(run: &mut u32, success: bool, failures: u32) -> bool {
    *run = if success { 0 } else { run.saturating_add(1) };
    *run >= failures
}
