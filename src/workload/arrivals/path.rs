//! Inhomogeneous Poisson processes: the points of a process of rate 1, each moved to where the cumulative rate reaches it.
//!
//! The k-th point is the same in every arm, and a higher rate brings it earlier. The rate is a list of stretches, each with a
//! cumulative rate that is inverted exactly; what a point still owes is counted from the beginning of its stretch, so that a
//! long run loses no digits. (Çınlar, Introduction to Stochastic Processes, 1975, 4.7.)

use std::f64::consts::TAU;

use crate::distribution::standard_exponential;
use crate::random::{Key, unit};
use crate::time::{Instant, Interval};

/// The rate over a stretch of time, in events per nanosecond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stretch {
    /// A straight line.
    Line {
        /// At the beginning.
        from: f64,
        /// What each nanosecond adds.
        slope: f64,
        /// How long, in nanoseconds.
        nanos: f64,
    },
    /// One period of `mean * (1 + swing * cos(2 pi (t / period + phase)))`.
    Wave {
        /// The mean rate.
        mean: f64,
        /// How far it goes from the mean, as a share of it: 0 to below 1.
        swing: f64,
        /// How long, in nanoseconds.
        period: f64,
        /// Where in the period it begins: 0 is a peak, 1/2 a trough.
        phase: f64,
    },
}

impl Stretch {
    pub(super) fn flat(rate: f64, length: Interval) -> Self {
        Self::Line { from: rate, slope: 0.0, nanos: length.as_nanos() as f64 }
    }

    pub(super) fn line(from: f64, to: f64, length: Interval) -> Self {
        let nanos = length.as_nanos() as f64;
        Self::Line { from, slope: if nanos == 0.0 { 0.0 } else { (to - from) / nanos }, nanos }
    }

    /// The events to expect in the first `t` nanoseconds of it.
    pub(super) fn mass(&self, t: f64) -> f64 {
        match *self {
            Self::Line { from, slope, nanos } => {
                let t = t.min(nanos);
                t * (from + slope * t / 2.0)
            }
            Self::Wave { mean, swing, period, phase } => {
                if t >= period {
                    return mean * period;
                }
                let sine = |x: f64| libm::sin(TAU * x);
                mean * (t + swing * period / TAU * (sine(t / period + phase) - sine(phase)))
            }
        }
    }

    fn total(&self) -> f64 {
        let (Self::Line { nanos, .. } | Self::Wave { period: nanos, .. }) = *self;
        self.mass(nanos)
    }

    /// How many nanoseconds into it `mass` events are to be expected, where `mass` is below the total.
    fn reach(&self, mass: f64) -> f64 {
        match *self {
            // The root of slope/2 t^2 + from t = mass, in the form that subtracts nothing from almost itself.
            Self::Line { from, slope, nanos } => {
                let root = (from * from + 2.0 * slope * mass).max(0.0).sqrt();
                (2.0 * mass / (from + root)).min(nanos)
            }
            Self::Wave { mean, swing, period, phase } => {
                let (mut low, mut high, mut t) = (0.0, period, mass / mean);
                // Newton's method, inside a bracket that closes; far below a nanosecond.
                for _ in 0..200 {
                    let excess = self.mass(t) - mass;
                    if excess > 0.0 {
                        high = t;
                    } else {
                        low = t;
                    }
                    let rate = mean * (1.0 + swing * libm::cos(TAU * (t / period + phase)));
                    let next = t - excess / rate;
                    let next = if low < next && next < high { next } else { f64::midpoint(low, high) };
                    let step = (next - t).abs();
                    t = next;
                    if step < 0.01 {
                        break;
                    }
                }
                t
            }
        }
    }
}

/// Where the stretches come from.
#[derive(Debug, Clone)]
enum Source {
    List { stretches: Vec<(Interval, Stretch)>, repeat: bool },
    Modulated { states: [(f64, f64); 2], first: usize, key: Key },
}

impl Source {
    /// The stretch with this number, from 0, and its length.
    fn stretch(&self, number: u64) -> Option<(Interval, Stretch)> {
        match self {
            Self::List { stretches, repeat: true } => {
                let index = number.checked_rem(stretches.len() as u64)?;
                stretches.get(index as usize).copied()
            }
            Self::List { stretches, repeat: false } => stretches.get(number as usize).copied(),
            Self::Modulated { states, first, key } => {
                let (rate, lasts) = states[(number as usize + first) % 2];
                let length = Interval::from_nanos_f64(lasts * standard_exponential(key.block(number, 0)[0]));
                Some((length, Stretch::flat(rate, length)))
            }
        }
    }
}

/// A rate over time, and how far the arrivals have come along it.
#[derive(Debug, Clone)]
pub(super) struct Path {
    source: Source,
    /// The stretch that the last arrival was in: its number, when it began, how long it is.
    number: u64,
    began: Instant,
    current: Option<(Interval, Stretch)>,
    /// How much of the current stretch's events the arrivals so far have taken.
    taken: f64,
}

impl Path {
    fn new(source: Source) -> Self {
        let current = source.stretch(0);
        Self { source, number: 0, began: Instant::START, current, taken: 0.0 }
    }

    /// These stretches (length, rate), once or again and again.
    pub(super) fn list(stretches: Vec<(Interval, Stretch)>, repeat: bool) -> Self {
        Self::new(Source::List { stretches, repeat })
    }

    /// Two states (rate, mean length in nanoseconds) in turn; how likely it begins in the second one; its luck.
    pub(super) fn modulated(states: [(f64, f64); 2], second: f64, key: Key) -> Self {
        let first = usize::from(unit(key.block(0, 0)[1]) < second);
        Self::new(Source::Modulated { states, first, key })
    }

    /// The same rate, beginning `from` later.
    pub(super) fn begin(mut self, from: Interval) -> Self {
        self.began = Instant::START + from;
        self
    }

    /// The arrival that follows after `gap` on the clock of a process of rate 1, if it comes before `end`.
    pub(super) fn next(&mut self, gap: f64, end: Instant) -> Option<Instant> {
        self.taken += gap;
        loop {
            let (length, stretch) = self.current?;
            let total = stretch.total();
            if self.taken < total {
                return Some(self.began + Interval::from_nanos_f64(stretch.reach(self.taken)).min(length));
            }
            self.taken -= total;
            self.began = self.began + length;
            self.number += 1;
            self.current = if self.began < end { self.source.stretch(self.number) } else { None };
        }
    }

    /// The events to expect in the first `nanos` nanoseconds of a list.
    pub(super) fn expected(&self, nanos: f64) -> f64 {
        let Source::List { stretches, repeat } = &self.source else { return 0.0 };
        let period: f64 = stretches.iter().map(|(length, _)| length.as_nanos() as f64).sum();
        let rounds = if *repeat { libm::floor(nanos / period) } else { 0.0 };
        let whole: f64 = stretches.iter().map(|(_, stretch)| stretch.total()).sum();
        let (mut rest, mut sum) = (nanos - rounds * period, 0.0);
        for (length, stretch) in stretches {
            sum += stretch.mass(rest.max(0.0));
            rest -= length.as_nanos() as f64;
        }
        sum + if rounds > 0.0 { rounds * whole } else { 0.0 }
    }
}
