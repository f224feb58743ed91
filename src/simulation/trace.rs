//! Traces: every attempt of a few requests, with what was decided and why.
//!
//! Which requests are followed is drawn by address, so the same ones are followed in every arm. The sample is the
//! requests with the smallest draws, which needs to know neither how many there will be nor to keep more than it returns.

use std::collections::BTreeMap;

use crate::outcome::{Ending, Outcome};
use crate::policy::Delay;
use crate::random::Key;
use crate::time::{Instant, Interval};

/// The followed requests of one workload, by number.
pub type Trace = Vec<TracedRequest>;

/// One followed request.
#[derive(Debug, Clone)]
pub struct TracedRequest {
    /// Its number within the workload, in the order of arrival.
    pub number: u64,
    /// The client that issued it.
    pub client: u32,
    /// When it arrived.
    pub arrived: Instant,
    /// Its attempts, in order.
    pub steps: Vec<Step>,
}

/// One attempt and what followed.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Its number, from 1; 0 if the request was answered from the cache.
    pub attempt: u32,
    /// When it was sent, or refused by a breaker, a limiter or a budget of the client.
    pub sent: Instant,
    /// When the outcome was known; the same instant if it was refused.
    pub known: Instant,
    /// The outcome; `None` if there is none, because the cache had the answer, a budget denied the retry, or the deadline came while
    /// the attempt waited to be sent.
    pub outcome: Option<Outcome>,
    /// What a Retry-After header asked for, counted from `known`.
    pub retry_after: Option<Interval>,
    /// What happens next.
    pub next: Next,
}

/// What happens after an attempt.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    /// Another attempt after a delay.
    Retry {
        /// How long, and why.
        delay: Delay,
        /// Which policy decided so: 0 is the innermost.
        layer: usize,
    },
    /// The end.
    End(Ending),
}

/// Follows a sample of the requests of one workload.
#[derive(Debug)]
pub(super) struct Tracer {
    key: Key,
    size: usize,
    /// Followed so far, by draw: the largest draw is the first to be dropped. Beside each, when its attempt under way was sent.
    sample: BTreeMap<(u64, u64), (TracedRequest, Instant)>,
}

impl Tracer {
    pub(super) fn new(key: Key, size: usize) -> Self {
        Self { key, size, sample: BTreeMap::new() }
    }

    /// The draw of a request by its number, and its place among those of its workload.
    fn draw(&self, (number, order): (u64, u64)) -> (u64, u64) {
        (self.key.block(number, 0)[0], order)
    }

    /// True if the request that just arrived belongs to the sample so far; one with a larger draw is dropped for it.
    pub(super) fn follows(&mut self, request: (u64, u64), client: u32, arrived: Instant) -> bool {
        if self.size == 0 {
            return false;
        }
        let draw = self.draw(request);
        if self.sample.len() == self.size {
            if self.sample.last_key_value().is_some_and(|(&largest, _)| draw > largest) {
                return false;
            }
            self.sample.pop_last();
        }
        let followed = TracedRequest { number: request.1, client, arrived, steps: Vec::new() };
        self.sample.insert(draw, (followed, arrived));
        true
    }

    /// An attempt is sent, or refused, unless the request has been dropped meanwhile.
    pub(super) fn send(&mut self, request: (u64, u64), now: Instant) {
        let draw = self.draw(request);
        if let Some((_, sent)) = self.sample.get_mut(&draw) {
            *sent = now;
        }
    }

    /// Keeps the step that follows, which was sent when [`send`](Self::send) said so.
    pub(super) fn record(&mut self, request: (u64, u64), step: impl FnOnce(Instant) -> Step) {
        let draw = self.draw(request);
        if let Some((followed, sent)) = self.sample.get_mut(&draw) {
            followed.steps.push(step(*sent));
        }
    }

    pub(super) fn finish(self) -> Trace {
        let mut trace: Trace = self.sample.into_values().map(|(followed, _)| followed).collect();
        trace.sort_by_key(|request| request.number);
        trace
    }
}
