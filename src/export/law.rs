//! What the delay before each retry is drawn from, whatever fields said it. Targets compare laws, not fields: `linear` with a
//! step of 0s is `fixed`, and a cap that nothing reaches is no cap.

use crate::schedule::{Backoff, Draws, Jitter, Rounding, ScheduleConfig, truncation};
use crate::time::Interval;

/// How far ahead laws are compared if nothing but time stops the retries.
const AHEAD: u64 = 200;

/// What one delay is drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Law {
    /// No luck in it.
    Exactly(Interval),
    /// Uniform on [low, high], then at most `cap` and at least `floor`, then rounded.
    Uniform { low: Interval, high: Interval, cap: Interval, floor: Interval, round: Option<Rounding> },
    /// Prefect's: exponential of this mean, truncated.
    Truncated { mean: Interval, factor: f64, cap: Interval, floor: Interval, round: Option<Rounding> },
    /// A walk, a hash, a sum of random parts: nothing that a table of ranges can say.
    Other,
}

impl Law {
    /// Uniform on [low, high] and at most `cap`, in its simplest form.
    pub(super) fn uniform(low: Interval, high: Interval, cap: Interval) -> Self {
        Self::bounded(low, high, cap, Interval::ZERO, None)
    }

    fn bounded(
        low: Interval,
        high: Interval,
        cap: Interval,
        floor: Interval,
        round: Option<Rounding>,
    ) -> Self {
        let kept = |delay: Interval| delay.min(cap).max(floor);
        if low == high || kept(low) == kept(high) {
            return Self::Exactly(round.map_or(kept(low), |rounding| rounding.apply(kept(low))));
        }
        Self::Uniform {
            low,
            high,
            cap: if cap >= high { Interval::MAX } else { cap },
            floor: if floor <= low { Interval::ZERO } else { floor },
            round,
        }
    }

    /// The longest that it can be, without rounding; 0 of what no table can say.
    pub(super) fn longest(&self) -> Interval {
        match *self {
            Self::Exactly(delay) => delay,
            Self::Uniform { high, cap, floor, .. } => high.min(cap).max(floor),
            Self::Truncated { .. } | Self::Other => Interval::ZERO,
        }
    }

    /// The same without its rounding, if that is to nothing coarser than a millisecond; the rounding besides.
    pub(super) fn unrounded(self) -> (Self, Option<Rounding>) {
        let fine = |round: Option<Rounding>| match round {
            Some(
                Rounding::Down(unit)
                | Rounding::Nearest(unit)
                | Rounding::Up(unit)
                | Rounding::Inclusive(unit),
            ) => unit <= Interval::from_millis(1),
            None => true,
        };
        match self {
            Self::Uniform { low, high, cap, floor, round } if fine(round) => {
                (Self::Uniform { low, high, cap, floor, round: None }, round)
            }
            other => (other, None),
        }
    }

    /// True if both are the same but for `tolerance`, and for what numbers with 9 digits cannot say.
    pub(super) fn is_near(&self, other: &Self, tolerance: Interval) -> bool {
        let near = |a: Interval, b: Interval| {
            let (a, b) = (a.as_nanos(), b.as_nanos());
            a.abs_diff(b) <= tolerance.as_nanos().max(2).max(a.max(b) / 1_000_000_000)
        };
        match (self, other) {
            (Self::Exactly(a), Self::Exactly(b)) => near(*a, *b),
            (
                Self::Uniform { low, high, cap, floor, round },
                Self::Uniform { low: low2, high: high2, cap: cap2, floor: floor2, round: round2 },
            ) => {
                near(*low, *low2)
                    && near(*high, *high2)
                    && near(*cap, *cap2)
                    && near(*floor, *floor2)
                    && round == round2
            }
            (Self::Truncated { .. }, Self::Truncated { .. }) => self == other,
            (Self::Exactly(_) | Self::Uniform { .. } | Self::Truncated { .. } | Self::Other, _) => false,
        }
    }
}

/// The laws of the delays before the first retries, as many as there are.
pub(super) fn laws(schedule: &ScheduleConfig, retries: Option<u64>) -> Vec<Law> {
    (1..=retries.unwrap_or(AHEAD).min(AHEAD) as u32).map_while(|n| law(schedule, n)).collect()
}

/// After how many retries the schedule itself ends, if it does before `retries`.
pub(super) fn ends_after(schedule: &ScheduleConfig, retries: Option<u64>) -> Option<u64> {
    let end = (1..=retries.unwrap_or(10_000).min(10_000) as u32)
        .find(|&n| schedule.longest(n, Interval::ZERO).is_none())?;
    Some(u64::from(end) - 1)
}

fn law(schedule: &ScheduleConfig, n: u32) -> Option<Law> {
    let ScheduleConfig { backoff, jitter, draws, cap_before_jitter, cap_after_jitter, floor, round } =
        schedule;
    let part = |part: &ScheduleConfig| law(part, n);
    let x = match backoff {
        Backoff::Chain(parts) => {
            let chosen = law(&parts[(n as usize - 1).min(parts.len() - 1)], n)?;
            match chosen {
                chosen if *schedule == ScheduleConfig::plain(backoff.clone()) => return Some(chosen),
                Law::Exactly(delay) => delay,
                Law::Uniform { .. } | Law::Truncated { .. } | Law::Other => return Some(Law::Other),
            }
        }
        Backoff::Sum(parts) => {
            let laws: Vec<Law> = parts.iter().map(part).collect::<Option<_>>()?;
            match exact(&laws) {
                Some(delays) => delays.into_iter().fold(Interval::ZERO, |sum, delay| sum + delay),
                None => return Some(Law::Other),
            }
        }
        Backoff::Max(parts) => {
            let laws: Vec<Law> = parts.iter().map(part).collect::<Option<_>>()?;
            match exact(&laws) {
                Some(delays) => delays.into_iter().fold(Interval::ZERO, Interval::max),
                None => return Some(Law::Other),
            }
        }
        formula => formula.delay(n)?,
    };
    let x = x.min(cap_before_jitter.unwrap_or(Interval::MAX));
    let (cap, floor) = (cap_after_jitter.unwrap_or(Interval::MAX), floor.unwrap_or(Interval::ZERO));
    let bounded = |low, high| {
        let law = Law::bounded(low, high, cap, floor, *round);
        // A delay that needs no luck does not mind how the luck is drawn.
        if *draws == Draws::Each || matches!(law, Law::Exactly(_)) { law } else { Law::Other }
    };
    Some(match jitter {
        Jitter::None => bounded(x, x),
        Jitter::Full => bounded(Interval::ZERO, x),
        Jitter::Equal => bounded(x.scale(0.5), x),
        Jitter::Proportional(share) => bounded(x.scale(1.0 - share.get()), x.scale(1.0 + share.get())),
        Jitter::Scale(range) => bounded(x.scale(range.low), x.scale(range.high)),
        Jitter::Add(span) => bounded(x + span.low, x + span.high),
        Jitter::AddPerRetry(width) => bounded(x, x + width.times(n.into())),
        Jitter::PlusMinus(width) if *width <= x => bounded(x - *width, x + *width),
        Jitter::Between(least) => bounded(x.min(*least), x.max(*least)),
        Jitter::TruncatedExponential(amount) if amount.get() == 0.0 || x.is_zero() => bounded(x, x),
        Jitter::TruncatedExponential(amount) if *draws == Draws::Each => {
            let (low, high) = truncation(amount.get());
            let (low, high) = (x.scale(low), x.scale(high));
            Law::Truncated {
                mean: x,
                factor: amount.get(),
                cap: if cap >= high { Interval::MAX } else { cap },
                floor: if floor <= low { Interval::ZERO } else { floor },
                round: *round,
            }
        }
        Jitter::PlusMinus(_)
        | Jitter::ScaleOrRedraw(_)
        | Jitter::TruncatedExponential(_)
        | Jitter::WholeMultiples(_)
        | Jitter::TruncatedSeconds(_)
        | Jitter::WholePercent(_)
        | Jitter::Hash(_)
        | Jitter::Decorrelated
        | Jitter::DecorrelatedWith(_)
        | Jitter::DecorrelatedV2
        | Jitter::Compounding(_) => Law::Other,
    })
}

/// The delays, if there is no luck in any of them.
pub(super) fn exact(laws: &[Law]) -> Option<Vec<Interval>> {
    let delay = |law: &Law| match law {
        Law::Exactly(delay) => Some(*delay),
        Law::Uniform { .. } | Law::Truncated { .. } | Law::Other => None,
    };
    laws.iter().map(delay).collect()
}

/// `first * factor^(n - 1)`, at most `cap`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    pub(super) first: Interval,
    pub(super) factor: f64,
    pub(super) cap: Option<Interval>,
}

impl Growth {
    /// The growth that these delays have, if they have one. The fields of the schedule are asked first, so that a cap that is
    /// never reached is kept and a factor is not guessed.
    pub(super) fn of(delays: &[Interval], schedule: &ScheduleConfig) -> Option<Self> {
        let first = *delays.first()?;
        let given = match &schedule.backoff {
            Backoff::Exponential(exponential) => Some(exponential.factor.get()),
            Backoff::Iterated(iterated) => Some(iterated.factor.get()),
            _ => None,
        };
        let ratio = delays.get(1).map(|second| second.as_nanos() as f64 / first.as_nanos().max(1) as f64);
        let caps = [schedule.cap_of_backoff(), schedule.cap_after_jitter, None, delays.last().copied()];
        let factors = given.into_iter().chain(ratio).chain([1.0]);
        let mut fits = factors.flat_map(|factor| caps.map(|cap| Self { first, factor, cap }));
        fits.find(|fit| {
            delays.iter().enumerate().all(|(index, delay)| {
                let predicted = Law::Exactly(fit.delay(index as u32 + 1));
                fit.factor >= 1.0 && predicted.is_near(&Law::Exactly(*delay), Interval::ZERO)
            })
        })
    }

    /// The delay of retry `n`.
    pub(super) fn delay(&self, n: u32) -> Interval {
        self.first.scale(libm::pow(self.factor, f64::from(n - 1))).min(self.cap.unwrap_or(Interval::MAX))
    }
}

/// Laws as a table of milliseconds: the ends of a uniform draw before each retry, of which the last ones repeat.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) low: Vec<Interval>,
    pub(super) high: Vec<Interval>,
    /// The same for all draws.
    pub(super) cap: Option<Interval>,
    /// The same for all draws.
    pub(super) floor: Interval,
    /// Both ends are drawn.
    pub(super) inclusive: bool,
    /// Whole milliseconds are not what the laws say.
    pub(super) coarse: bool,
}

/// The most rows of a table.
const MAX_ROWS: usize = 50;

impl Table {
    /// The table of these laws, if there is one.
    pub(super) fn of(laws: &[Law], retries: Option<u64>) -> Option<Self> {
        let mut table = Self {
            low: Vec::new(),
            high: Vec::new(),
            cap: None,
            floor: Interval::ZERO,
            inclusive: false,
            coarse: false,
        };
        let mut bounds: Vec<(Interval, Interval)> = Vec::new();
        let mut roundings = Vec::new();
        for law in laws {
            let (law, round) = law.unrounded();
            match law {
                Law::Exactly(delay) => {
                    table.low.push(delay);
                    table.high.push(delay);
                }
                Law::Uniform { low, high, cap, floor, round: None } => {
                    table.low.push(low);
                    table.high.push(high);
                    bounds.push((cap, floor));
                    roundings.push(round);
                }
                Law::Uniform { .. } | Law::Truncated { .. } | Law::Other => return None,
            }
        }
        let cap = bounds.iter().map(|bound| bound.0).fold(Interval::MAX, Interval::min);
        table.floor = bounds.iter().map(|bound| bound.1).fold(Interval::ZERO, Interval::max);
        table.cap = (cap < Interval::MAX).then_some(cap);
        // One cap and one floor stand around all rows, so they must suit every one.
        let suits = |law: &Law| match *law {
            Law::Exactly(delay) => table.floor <= delay && delay <= cap,
            Law::Uniform { low, high, cap: own_cap, floor: own_floor, .. } => {
                (own_cap == cap || high <= cap) && (own_floor == table.floor || low >= table.floor)
            }
            Law::Truncated { .. } | Law::Other => false,
        };
        if !laws.iter().all(suits) {
            return None;
        }
        let millisecond = Interval::from_millis(1);
        table.inclusive = roundings.contains(&Some(Rounding::Inclusive(millisecond)));
        let fine = |round: &Option<Rounding>| {
            *round == Some(Rounding::Inclusive(millisecond)) || *round == Some(Rounding::Down(millisecond))
        };
        let whole = |delay: &Interval| delay.as_nanos().is_multiple_of(millisecond.as_nanos());
        table.coarse = !roundings.iter().all(fine) || !table.low.iter().chain(&table.high).all(whole);
        table.shorten(laws.len(), retries).then_some(table)
    }

    /// Leaves out the last rows while they repeat; false if too many are left.
    fn shorten(&mut self, rows: usize, retries: Option<u64>) -> bool {
        let all_known = retries.is_some_and(|retries| retries as usize <= rows);
        while self.low.len() > 1 {
            let last = self.low.len() - 1;
            if self.low[last] != self.low[last - 1] || self.high[last] != self.high[last - 1] {
                break;
            }
            self.low.pop();
            self.high.pop();
        }
        !self.low.is_empty() && self.low.len() <= MAX_ROWS && (all_known || self.low.len() < rows)
    }

    /// True if a delay needs luck.
    pub(super) fn is_random(&self) -> bool {
        self.low != self.high
    }
}
