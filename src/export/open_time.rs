//! How long a breaker stays open, opening by opening and without luck, since no target draws it.

use super::law::{Growth, Law, laws};
use crate::breaker::{Forgets, Grows, OpenFor};
use crate::schedule::{Backoff, Draws, Jitter, ScheduleConfig};
use crate::time::Interval;

/// The open times that a target is to write.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OpenTimes {
    /// How they grow.
    pub(super) shape: Shape,
    /// One for each opening in a row, as far as they change; at least one.
    pub(super) lengths: Vec<Interval>,
    /// Where they come from, if they are drawn.
    drawn: Option<&'static str>,
}

/// How they grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Not at all.
    Fixed(Interval),
    /// By a factor.
    Exponential(Growth),
    /// By a step.
    Linear { first: Interval, step: Interval, most: Option<Interval> },
    /// As they are listed.
    Listed,
}

impl OpenTimes {
    pub(super) fn of(open: &OpenFor) -> Self {
        let middle = |law: &Law| match *law {
            Law::Exactly(length) => Some(length),
            Law::Uniform { low, high, cap, floor, .. } => {
                Some((low.min(cap).max(floor) + high.min(cap).max(floor)).scale(0.5))
            }
            Law::Truncated { .. } | Law::Other => None,
        };
        let laws = laws(&open.schedule, None);
        let exact = |law: &Law| matches!(law, Law::Exactly(_));
        let (mut lengths, drawn): (Vec<Interval>, _) = match laws.iter().map(middle).collect::<Option<_>>() {
            Some(lengths) if laws.iter().all(exact) => (lengths, None),
            Some(lengths) => (lengths, Some("the middle of what is drawn")),
            None => {
                let plain = self::laws(&without_luck(&open.schedule), None);
                (plain.iter().filter_map(middle).collect(), Some("what it is before jitter"))
            }
        };
        let shape = Shape::of(&lengths, &open.schedule);
        while lengths.len() > 1 && lengths[lengths.len() - 1] == lengths[lengths.len() - 2] {
            lengths.pop();
        }
        Self { shape, lengths, drawn }
    }

    /// The first one.
    pub(super) fn first(&self) -> Interval {
        self.lengths.first().copied().unwrap_or(Interval::ZERO)
    }

    /// The longest one.
    pub(super) fn longest(&self) -> Interval {
        self.lengths.iter().copied().max().unwrap_or(Interval::ZERO)
    }

    /// What it says instead, if they are drawn.
    pub(super) const fn drawn(&self) -> Option<&'static str> {
        self.drawn
    }

    /// How they differ from open times that each opening in a row lengthens, without luck, until it closes.
    pub(super) fn caveats(&self, open: &OpenFor, library: &str) -> Vec<String> {
        let mut lost = Vec::new();
        if let Some(instead) = self.drawn {
            lost.push(format!(
                "breaker: the open time is not randomised (`open_for.jitter`) in {library}; here it is {instead}"
            ));
        }
        if matches!(self.shape, Shape::Fixed(_)) {
            return lost;
        }
        if open.grows == Grows::EachTrip {
            lost.push("breaker: a failed probe makes the next open time longer, as any opening does".into());
        }
        if open.forgets != Forgets::OnClose {
            lost.push(
                "breaker: the open time is as short as at first once it has closed (`open_for.forgets`)"
                    .into(),
            );
        }
        lost
    }
}

impl Shape {
    fn of(lengths: &[Interval], schedule: &ScheduleConfig) -> Self {
        let caps = [schedule.cap_of_backoff(), schedule.cap_after_jitter, None];
        match (lengths, &schedule.backoff) {
            ([first, others @ ..], _) if others.iter().all(|other| other == first) => {
                return Self::Fixed(*first);
            }
            ([first, second, ..], Backoff::Linear { .. }) if second > first => {
                let step = Interval::from_nanos(second.as_nanos() - first.as_nanos());
                let fits = |most: &Option<Interval>| {
                    (0..).zip(lengths).all(|(steps, length)| {
                        *length == (*first + step.times(steps)).min(most.unwrap_or(Interval::MAX))
                    })
                };
                if let Some(most) = caps.into_iter().find(fits) {
                    return Self::Linear { first: *first, step, most };
                }
            }
            ([first, ..], Backoff::Iterated(iterated)) => {
                // As the formula has it, rounded on the way.
                let fits = |cap: &Option<Interval>| {
                    (1..).zip(lengths).all(|(n, length)| {
                        schedule.backoff.delay(n).map(|delay| delay.min(cap.unwrap_or(Interval::MAX)))
                            == Some(*length)
                    })
                };
                if let Some(cap) = caps.into_iter().find(fits) {
                    return Self::Exponential(Growth { first: *first, factor: iterated.factor.get(), cap });
                }
            }
            (_, Backoff::List(_)) => return Self::Listed,
            _ => {}
        }
        Growth::of(lengths, schedule).map_or(Self::Listed, Self::Exponential)
    }
}

/// The schedule before any jitter, its own or that of its parts.
fn without_luck(schedule: &ScheduleConfig) -> ScheduleConfig {
    let parts = |parts: &[ScheduleConfig]| parts.iter().map(without_luck).collect();
    let backoff = match &schedule.backoff {
        Backoff::Chain(chain) => Backoff::Chain(parts(chain)),
        Backoff::Sum(sum) => Backoff::Sum(parts(sum)),
        Backoff::Max(max) => Backoff::Max(parts(max)),
        formula => formula.clone(),
    };
    ScheduleConfig { backoff, jitter: Jitter::None, draws: Draws::Each, ..schedule.clone() }
}
