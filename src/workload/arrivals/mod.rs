//! Arrival processes, streamed in order of time.

mod calls_of;
mod cron;
mod gaps;
mod level;
mod path;
mod random;
mod rates;
mod regular;
#[cfg(test)]
mod tests;
mod trace;

use schemars::JsonSchema;
use serde::Deserialize;

pub use calls_of::{CallDeadline, CallsOf};
pub use cron::{Cron, Schedule, Start};
pub use level::Level;
pub use random::{Closed, Poisson, Renewal};
pub use rates::{Diurnal, Modulated, Profile, Ramp, Ratio, Step, Steps};
pub use regular::{Burst, Even};
pub use trace::{FirstAttempts, RecordedAnswer, Recording, Trace};

use std::sync::Arc;

use crate::distribution::standard_exponential;
use crate::random::{Key, Purpose, up_to};
use crate::time::{Instant, Interval};
use crate::units::Count;
use cron::Instants;
use gaps::Gaps;
use path::Path;
use regular::Spread;

/// How many requests a process may bring.
pub type Requests = Count<1, 1_000_000_000_000>;

/// When requests arrive. Every process has `until`, from which on nothing arrives, so that a run can end with what is under way.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// Every client issues one request at the same instant, once or on a schedule.
    Burst(Burst),
    /// Evenly spaced, the clients taking turns.
    Even(Even),
    /// Independent arrivals, each from a client drawn at random.
    Poisson(Poisson),
    /// Independent gaps of any law, each arrival from a client drawn at random.
    Renewal(Renewal),
    /// Poisson, quiet and busy in turn.
    Modulated(Modulated),
    /// Poisson, with a rate that jumps.
    Steps(Steps),
    /// Poisson, with a rate that rises or falls and then stays.
    Ramp(Ramp),
    /// Poisson, with a rate that swings over the day.
    Diurnal(Diurnal),
    /// Poisson, with rates measured at regular intervals.
    Profile(Profile),
    /// Every client issues one request at each instant of a cron schedule.
    Cron(Cron),
    /// As they were recorded, the clients taking turns.
    Trace(Trace),
    /// One or several for each call that another service works on: the service is the client of this one.
    CallsOf(CallsOf),
    /// After what came before: each client waits for its last request to end, and then thinks.
    Closed(Closed),
}

impl Arrivals {
    /// When it begins, where it has a `from`.
    fn from(&self) -> Interval {
        match self {
            Self::Even(Even { from, .. })
            | Self::Poisson(Poisson { from, .. })
            | Self::Renewal(Renewal { from, .. })
            | Self::Modulated(Modulated { from, .. })
            | Self::Ramp(Ramp { from, .. })
            | Self::Diurnal(Diurnal { from, .. })
            | Self::Profile(Profile { from, .. }) => *from,
            Self::Burst(_)
            | Self::Steps(_)
            | Self::Cron(_)
            | Self::Trace(_)
            | Self::CallsOf(_)
            | Self::Closed(_) => Interval::ZERO,
        }
    }

    /// From when on nothing arrives, if it ends before the run.
    pub fn until(&self) -> Option<Interval> {
        match self {
            Self::Burst(Burst { until, .. })
            | Self::Even(Even { until, .. })
            | Self::Poisson(Poisson { until, .. })
            | Self::Renewal(Renewal { until, .. })
            | Self::Modulated(Modulated { until, .. })
            | Self::Steps(Steps { until, .. })
            | Self::Ramp(Ramp { until, .. })
            | Self::Diurnal(Diurnal { until, .. })
            | Self::Profile(Profile { until, .. })
            | Self::Cron(Cron { until, .. })
            | Self::Trace(Trace { until, .. })
            | Self::Closed(Closed { until, .. }) => *until,
            Self::CallsOf(_) => None,
        }
    }

    /// The most requests that it brings, if it says.
    fn most(&self) -> Option<u64> {
        match self {
            Self::Even(Even { requests, .. })
            | Self::Poisson(Poisson { requests, .. })
            | Self::Renewal(Renewal { requests, .. })
            | Self::Modulated(Modulated { requests, .. })
            | Self::Steps(Steps { requests, .. })
            | Self::Ramp(Ramp { requests, .. })
            | Self::Diurnal(Diurnal { requests, .. })
            | Self::Profile(Profile { requests, .. })
            | Self::Trace(Trace { requests, .. }) => requests.map(Count::get),
            Self::Burst(_) | Self::Cron(_) | Self::CallsOf(_) | Self::Closed(_) => None,
        }
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        let from = match self {
            Self::Burst(burst) => burst.at,
            Self::Steps(steps) => steps.steps.first().map_or(Interval::ZERO, |step| step.at),
            Self::Trace(trace) => trace.recording.begins(),
            _ => self.from(),
        };
        if let Some(until) = self.until().filter(|&until| until <= from) {
            return Some(format!(
                "the arrivals end ({until}) before they start ({from}): move `until` after `from`"
            ));
        }
        match self {
            Self::Burst(burst) => burst.problem(),
            Self::Poisson(Poisson { rate, .. }) if rate.per_second() > 1e7 => Some(format!(
                "{rate} is more than the clock's nanoseconds can tell apart: write at most \"10000000/s\""
            )),
            Self::Even(_) | Self::Poisson(_) | Self::Trace(_) => None,
            Self::Renewal(renewal) => renewal.problem(),
            Self::Modulated(modulated) => modulated.problem(),
            Self::Steps(steps) => steps.problem(),
            Self::Ramp(ramp) => ramp.problem(),
            Self::Diurnal(diurnal) => diurnal.problem(),
            Self::Profile(profile) => profile.problem(),
            Self::Cron(cron) => cron.problem(),
            Self::CallsOf(calls) => calls.problem(),
            Self::Closed(closed) => closed.problem(),
        }
    }

    /// What is wrong with it in a run of `horizon`, if anything, and which field has it.
    pub fn problem_within(&self, horizon: Interval) -> Option<(&'static str, String)> {
        let (field, stretches) = match self {
            Self::Modulated(modulated) => ("modulated", modulated.stretches(self.window(horizon))),
            Self::Diurnal(diurnal) => ("diurnal", diurnal.stretches(self.window(horizon))),
            Self::Profile(profile) => ("profile", profile.stretches(self.window(horizon))),
            _ => return None,
        };
        rates::too_many(stretches).map(|message| (field, message))
    }

    /// How long requests arrive within `horizon`.
    fn window(&self, horizon: Interval) -> Interval {
        self.until().unwrap_or(horizon).min(horizon) - self.from()
    }

    /// When the first request can come, and which field says so.
    pub fn begins(&self) -> (&'static str, Interval) {
        match self {
            Self::Burst(burst) => ("burst.at", burst.at),
            Self::Steps(steps) => ("steps", steps.steps.first().map_or(Interval::ZERO, |step| step.at)),
            Self::Even(_) => ("even.from", self.from()),
            Self::Poisson(_) => ("poisson.from", self.from()),
            Self::Renewal(_) => ("renewal.from", self.from()),
            Self::Modulated(_) => ("modulated.from", self.from()),
            Self::Ramp(_) => ("ramp.from", self.from()),
            Self::Diurnal(_) => ("diurnal.from", self.from()),
            Self::Profile(_) => ("profile.from", self.from()),
            Self::Cron(cron) => ("cron", cron.begins()),
            Self::Trace(trace) => ("trace", trace.recording.begins()),
            Self::CallsOf(_) | Self::Closed(_) => ("", Interval::ZERO),
        }
    }

    /// What a run of `horizon` makes of it that one may not expect, in sentences; of a trace that says what first attempts come to,
    /// with clients that wait for `patience`.
    pub fn notes(&self, horizon: Interval, patience: Option<Interval>) -> Vec<String> {
        match self {
            Self::Trace(trace) => {
                trace.recording.notes(horizon, patience, (trace.until, self.most().unwrap_or(u64::MAX)))
            }
            _ => Vec::new(),
        }
    }

    /// How many requests to expect within `horizon` from `clients` clients; of a closed workload, how many there would be if
    /// requests took no time, and 0 where a service decides.
    pub fn expected(&self, clients: u64, horizon: Interval) -> f64 {
        let end = self.until().unwrap_or(horizon).min(horizon);
        let window = self.window(horizon);
        let nanos = window.as_nanos() as f64;
        let expected = match self {
            Self::Burst(burst) => burst.expected(clients, end),
            Self::Even(even) => (window.as_secs_f64() * even.rate.per_second()).ceil(),
            Self::Poisson(poisson) => window.as_secs_f64() * poisson.rate.per_second(),
            Self::Renewal(renewal) => window.as_secs_f64() / renewal.gap.mean_seconds(),
            Self::Modulated(modulated) => modulated.expected(nanos),
            Self::Steps(steps) => steps.path().expected(nanos),
            Self::Ramp(ramp) => ramp.path().expected(nanos),
            Self::Diurnal(diurnal) => diurnal.path().expected(nanos),
            Self::Profile(profile) => profile.path().expected(nanos),
            Self::Cron(cron) => cron.expected(clients, end),
            Self::Trace(trace) => trace.recording.count_before(end) as f64,
            Self::CallsOf(_) => 0.0,
            Self::Closed(closed) => clients as f64 * window.as_secs_f64() / closed.think.mean_seconds(),
        };
        self.most().map_or(expected, |most| expected.min(most as f64))
    }
}

/// One request coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// Its number within the workload, from 0.
    pub number: u64,
    /// The client that issues it.
    pub client: u32,
}

/// The arrivals of one workload, in order of time.
#[derive(Debug, Clone)]
pub struct ArrivalStream {
    process: Process,
    clients: u64,
    key: Key,
    end: Instant,
    most: u64,
    number: u64,
    last: Instant,
}

/// A process on its way.
#[derive(Debug, Clone)]
enum Process {
    Burst {
        burst: Burst,
        spread: Spread,
    },
    Even(Even),
    /// Boxed, as the next one is, because it is many times larger than the others.
    Gaps(Box<Gaps>),
    Rate(Box<Path>),
    Cron {
        instants: Instants,
        at: Option<Instant>,
        length: Interval,
        spread: Spread,
    },
    Trace(Arc<Recording>),
    /// Requests come when something else has happened.
    Caused,
}

impl ArrivalStream {
    /// The arrivals of `clients` clients before `end`, with the luck under the key of each purpose. None come here where
    /// they follow from what happens to others.
    pub fn new(arrivals: &Arrivals, clients: u64, key: impl Fn(Purpose) -> Key, end: Instant) -> Self {
        let from = arrivals.from();
        let gaps = |law| Process::Gaps(Box::new(Gaps::new(law, clients, key(Purpose::Arrivals))));
        let rate = |path: Path| Process::Rate(Box::new(path.begin(from)));
        let process = match arrivals {
            Arrivals::Burst(burst) => Process::Burst { burst: *burst, spread: Spread::new() },
            Arrivals::Even(even) => Process::Even(*even),
            Arrivals::Poisson(poisson) => gaps(poisson.gap()),
            Arrivals::Renewal(renewal) => gaps(renewal.gap.sampler()),
            Arrivals::Modulated(modulated) => rate(modulated.path(key(Purpose::Modulation))),
            Arrivals::Steps(steps) => rate(steps.path()),
            Arrivals::Ramp(ramp) => rate(ramp.path()),
            Arrivals::Diurnal(diurnal) => rate(diurnal.path()),
            Arrivals::Profile(profile) => rate(profile.path()),
            Arrivals::Cron(cron) => Process::Cron {
                instants: cron.instants(),
                at: None,
                length: cron.spread,
                spread: Spread::new(),
            },
            Arrivals::Trace(trace) => Process::Trace(Arc::clone(&trace.recording)),
            Arrivals::CallsOf(_) | Arrivals::Closed(_) => Process::Caused,
        };
        Self {
            process,
            clients,
            key: key(Purpose::Arrivals),
            end: arrivals.until().map_or(end, |until| end.min(Instant::START + until)),
            most: arrivals.most().unwrap_or(u64::MAX),
            number: 0,
            last: Instant::START + from,
        }
    }

    /// When the next request comes and from which client.
    #[inline]
    fn arrive(&mut self) -> Option<(Instant, u64)> {
        let Self { number, clients, key, end, last, .. } = *self;
        let position = || number % clients;
        let luck = || key.block(number, 0);
        match &mut self.process {
            Process::Burst { burst, spread } => {
                let mut at = burst.begins(number / clients)?;
                if !burst.spread.is_zero() {
                    at = at + spread.next(burst.spread, (position(), clients), luck()[0]);
                }
                Some((at, position()))
            }
            Process::Even(even) => Some((even.at(number)?, position())),
            Process::Gaps(gaps) => {
                let (gap, client) = gaps.before(number);
                Some((last + gap, client))
            }
            Process::Rate(path) => {
                let [gap, client] = luck();
                // Later by rounding only, where the rate is a sine.
                let at = path.next(standard_exponential(gap), end)?.max(last);
                Some((at, up_to(client, clients - 1)))
            }
            Process::Cron { instants, at, length, spread } => {
                if position() == 0 {
                    *at = instants.next();
                }
                let mut at = (*at)?;
                if !length.is_zero() {
                    at = at + spread.next(*length, (position(), clients), luck()[0]);
                }
                Some((at, position()))
            }
            Process::Trace(recording) => Some((recording.at(number)?, position())),
            Process::Caused => None,
        }
    }
}

impl Iterator for ArrivalStream {
    type Item = Arrival;

    #[inline]
    fn next(&mut self) -> Option<Arrival> {
        if self.number >= self.most {
            return None;
        }
        let Some((at, client)) = self.arrive().filter(|(at, _)| *at < self.end) else {
            self.most = 0;
            return None;
        };
        let arrival = Arrival { at, number: self.number, client: client as u32 };
        self.number += 1;
        self.last = at;
        Some(arrival)
    }
}
