//! Tallies: what one workload and one service are told while a run goes on.

use super::histogram::Histogram;
use super::recovery::Goodput;
use super::sliding::{Dispersion, SlidingCount};
use super::time_series::{Column, TimeSeries};
use crate::outcome::{Ending, Outcome};
use crate::time::{Instant, Interval};
use crate::usage::{BreakerLanes, ServerLanes, Usage};
use crate::verdict::Verdict;

/// The most policies around each other whose retries are told apart.
const MAX_LAYERS: usize = 4;

/// What is counted of one workload.
#[derive(Debug, Clone)]
pub struct WorkloadTally {
    /// Requests that arrived.
    pub requests: u64,
    /// Requests by ending, in the order of [`Ending::ALL`].
    pub endings: [u64; Ending::ALL.len()],
    /// Attempts of all requests, those included that the breaker refused.
    pub attempts: u64,
    /// Attempts that were sent to the service.
    pub sent: u64,
    /// Attempts that the rate limit turned away.
    pub limited: u64,
    /// Attempts that a fault or an incident failed.
    pub failed: u64,
    /// Attempts that found no place in the service, or that it shed.
    pub overloaded: u64,
    /// Attempts that ran into the client's timeout.
    pub timed_out: u64,
    /// Attempts that the breaker refused.
    pub refused: u64,
    /// Attempts that the client's own limiter refused.
    pub shed: u64,
    /// Attempts that the service worked on although their client had stopped waiting.
    pub wasted: u64,
    /// Times from arrival to success, of requests that succeeded.
    pub time_to_success: Histogram,
    /// Times from arrival to giving up, of requests that were given up.
    pub time_to_give_up: Histogram,
    /// Counts per bin of time.
    pub series: TimeSeries,
    /// Arrivals and successes in finer steps.
    pub goodput: Goodput,
    /// When the last request ended; the horizon if one was still alive.
    pub quiet: Instant,
    /// How often breakers opened.
    pub breaker_trips: u64,
    /// How long breakers were open, added up over all of them.
    pub breaker_open: Interval,
    /// How many breakers there were.
    pub breakers: u64,
    /// What they did in the course of time, if there were any.
    pub lanes: Option<BreakerLanes>,
    /// Retries by the layer of policies that made them, the innermost first.
    pub retries: [u64; MAX_LAYERS],
    /// How many layers of policies there are.
    pub layers: usize,
    /// True if the policy hides failures from the caller.
    pub swallows: bool,
}

/// One request that ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// How.
    pub ending: Ending,
    /// When.
    pub at: Instant,
    /// Time since it arrived.
    pub age: Interval,
}

impl WorkloadTally {
    /// Nothing counted yet. Bins of the series are `bin` wide, steps of the goodput `step`.
    pub fn new(bin: Interval, step: Interval, horizon: Interval) -> Self {
        let series = TimeSeries::new(bin, horizon);
        Self {
            requests: 0,
            endings: [0; Ending::ALL.len()],
            attempts: 0,
            sent: 0,
            limited: 0,
            failed: 0,
            overloaded: 0,
            timed_out: 0,
            refused: 0,
            shed: 0,
            wasted: 0,
            time_to_success: Histogram::default(),
            time_to_give_up: Histogram::default(),
            series,
            goodput: Goodput::new(step, horizon),
            quiet: Instant::START,
            breaker_trips: 0,
            breaker_open: Interval::ZERO,
            breakers: 0,
            lanes: None,
            retries: [0; MAX_LAYERS],
            layers: 1,
            swallows: false,
        }
    }

    /// A request arrived.
    #[inline]
    pub fn arrived(&mut self, at: Instant) {
        self.requests += 1;
        self.series.record(at, Column::Requests);
        self.goodput.arrived(at);
    }

    /// The `number`-th attempt of a request was sent.
    #[inline]
    pub fn sent(&mut self, at: Instant, number: u32) {
        self.attempts += 1;
        self.sent += 1;
        self.series.record(at, Column::of_attempt(number));
    }

    /// The service has turned an attempt away, or worked on it.
    #[inline]
    pub fn judged(&mut self, at: Instant, verdict: Verdict) {
        match verdict {
            Verdict::Served | Verdict::Abandoned => {}
            Verdict::Overloaded => {
                self.overloaded += 1;
                self.series.record(at, Column::Overloaded);
            }
            Verdict::Limited => {
                self.limited += 1;
                self.series.record(at, Column::Limited);
            }
            Verdict::Faulty | Verdict::Down | Verdict::Collided => {
                self.failed += 1;
                self.series.record(at, Column::Failed);
            }
        }
    }

    /// A layer of policies made a retry.
    pub fn retried(&mut self, layer: usize) {
        self.retries[layer] += 1;
    }

    /// The breaker refused an attempt.
    pub fn refused(&mut self, at: Instant) {
        self.attempts += 1;
        self.refused += 1;
        self.series.record(at, Column::Refused);
    }

    /// The client's own limiter refused an attempt.
    pub fn shed(&mut self, at: Instant) {
        self.attempts += 1;
        self.shed += 1;
        self.series.record(at, Column::Refused);
    }

    /// A client stopped waiting.
    pub fn timed_out(&mut self, at: Instant) {
        self.timed_out += 1;
        self.series.record(at, Column::TimedOut);
    }

    /// A request ended within the run.
    #[inline]
    pub fn ended(&mut self, ended: Ended) {
        self.endings[ended.ending as usize] += 1;
        self.quiet = self.quiet.max(ended.at);
        if ended.ending.is_success() {
            self.time_to_success.record(ended.age);
            self.series.record(ended.at, Column::Succeeded);
            self.goodput.succeeded(ended.at);
        } else {
            self.time_to_give_up.record(ended.age);
            self.series.record(ended.at, Column::GaveUp);
        }
    }

    /// `count` more requests do not end before the run does, at `horizon`.
    pub fn unfinished(&mut self, count: u64, horizon: Instant) {
        self.endings[Ending::Unfinished as usize] += count;
        if count > 0 {
            self.quiet = horizon;
        }
    }

    /// Requests that succeeded, from the service or from the cache.
    pub fn succeeded(&self) -> u64 {
        self.time_to_success.count()
    }

    /// Requests by one ending.
    pub const fn ended_as(&self, ending: Ending) -> u64 {
        self.endings[ending as usize]
    }
}

/// What is counted of one service.
#[derive(Debug, Clone)]
pub struct ServiceTally {
    /// Attempts that arrived.
    pub offered: u64,
    /// Retries among them.
    pub retries: u64,
    /// Attempts that the rate limit turned away.
    pub limited: u64,
    /// Outcomes that clients learned of attempts, timeouts included.
    pub outcomes: u64,
    /// Attempts that succeeded and whose client was still waiting.
    pub goodput: u64,
    /// Attempts close together.
    pub load: SlidingCount,
    /// Retries close together.
    pub retry_load: SlidingCount,
    /// How unevenly retries arrive.
    pub retry_dispersion: Dispersion,
    /// What its capacity was used for, if it has one.
    pub usage: Option<Usage>,
    /// The same in the course of time.
    pub lanes: Option<ServerLanes>,
}

impl ServiceTally {
    /// Nothing counted yet; `window` is what "close together" means.
    pub fn new(window: Interval) -> Self {
        Self {
            offered: 0,
            retries: 0,
            limited: 0,
            outcomes: 0,
            goodput: 0,
            load: SlidingCount::new(window),
            retry_load: SlidingCount::new(window),
            retry_dispersion: Dispersion::new(window),
            usage: None,
            lanes: None,
        }
    }

    /// An attempt arrived.
    #[inline]
    pub fn offered(&mut self, at: Instant, retry: bool) {
        self.offered += 1;
        self.load.record(at);
        if retry {
            self.retries += 1;
            self.retry_load.record(at);
            self.retry_dispersion.record(at);
        }
    }

    /// The service has turned an attempt away, or worked on it.
    #[inline]
    pub fn judged(&mut self, verdict: Verdict) {
        self.limited += u64::from(verdict == Verdict::Limited);
    }

    /// A client learned the outcome of an attempt.
    #[inline]
    pub fn answered(&mut self, outcome: Outcome) {
        self.outcomes += 1;
        self.goodput += u64::from(outcome.is_success());
    }
}
