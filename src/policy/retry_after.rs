//! Retry-After: what the client makes of the service's own advice on when to come back.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::outcome::Outcome;
use crate::outcomes::Statuses;
use crate::random::{unit, up_to};
use crate::range::{Multiples, Span};
use crate::time::Interval;
use crate::units::Amount;

/// What a Retry-After header does to the delay. Without a header none of these changes anything.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterRule {
    /// Nothing (a Prefect task, celery, google-api-core).
    #[default]
    Ignore,
    /// Wait exactly as long as asked, instead of the backoff: everybody who was told the same comes back together.
    Obey,
    /// Wait as long as asked or as long as the backoff says, whichever is longer.
    AtLeast,
    /// Raise the backoff to what is asked, then randomise it (axios-retry). Not with a jitter that walks from one delay to
    /// the next, nor with delays that are sorted.
    AtLeastBeforeJitter,
    /// Wait as long as asked, but no shorter than the backoff says and at most so much longer (botocore 1.44: 5 s).
    Within(Interval),
    /// Wait as long as asked, within limits, and then some: the advice is obeyed, the lockstep broken.
    ObeyWith(ObeyWith),
}

/// Refinements of obeying.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObeyWith {
    /// Never wait longer than this, whatever is asked and added.
    pub cap: Option<Interval>,
    /// Multiply by a number drawn uniformly from this range (Envoy: [1, 1.5]).
    pub scale: Option<Multiples>,
    /// Add a duration drawn uniformly from this range (`slack_sdk`: up to 1 s). Not together with `scale`.
    pub add: Option<Span>,
    /// Draw from an exponential law of mean h (1 + f / 2), truncated to [h, h (1 + f)] (Prefect's own HTTP client). Not
    /// together with the others.
    pub truncated_exponential: Option<Amount>,
    /// Give up if more is asked (got: `maxRetryAfter`).
    pub give_up_over: Option<Interval>,
    /// Fall back to the backoff if more is asked (Envoy: 300 s).
    pub ignore_over: Option<Interval>,
    /// Fall back to the backoff if 0 s is asked (urllib3).
    #[serde(default)]
    pub ignore_zero: bool,
    /// Wait as long as the backoff says, if that is longer.
    #[serde(default)]
    pub at_least_backoff: bool,
    /// Obey only in answers with these status codes; in all if absent (go-retryablehttp: 429 and 503).
    pub only_on: Option<Statuses>,
    /// Begin the backoff anew afterwards (gRPC's pushback).
    #[serde(default)]
    pub restarts_backoff: bool,
}

/// What is made of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// The backoff stands.
    Backoff,
    /// Wait so long instead.
    Wait(Interval),
    /// Do not wait that long at all.
    GiveUp,
}

impl RetryAfterRule {
    /// What to make of a header that asks for `asked`, when the backoff says `backoff`. `luck` is drawn where it takes any.
    pub(super) fn advice(
        &self,
        outcome: Outcome,
        asked: Interval,
        backoff: Interval,
        luck: impl Fn() -> u64,
    ) -> Advice {
        let longer = |wait: Interval| if wait > backoff { Advice::Wait(wait) } else { Advice::Backoff };
        match self {
            Self::Ignore | Self::AtLeastBeforeJitter => Advice::Backoff,
            Self::Obey => Advice::Wait(asked),
            Self::AtLeast => longer(asked),
            Self::Within(more) => longer(asked.min(backoff + *more)),
            Self::ObeyWith(with) => match with.wait(outcome, asked, luck) {
                Advice::Wait(wait) if with.at_least_backoff => longer(wait),
                advice => advice,
            },
        }
    }

    /// True if the backoff begins anew after a wait that was asked for.
    pub(super) const fn restarts_backoff(&self) -> bool {
        matches!(self, Self::ObeyWith(ObeyWith { restarts_backoff: true, .. }))
    }

    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let Self::ObeyWith(with) = self else { return None };
        let luck = [with.scale.is_some(), with.add.is_some(), with.truncated_exponential.is_some()];
        (luck.into_iter().filter(|&given| given).count() > 1)
            .then(|| "scale, add and truncated_exponential exclude each other: give one of them".into())
    }
}

impl ObeyWith {
    fn wait(&self, outcome: Outcome, asked: Interval, luck: impl Fn() -> u64) -> Advice {
        let over = |limit: Option<Interval>| limit.is_some_and(|limit| asked > limit);
        let listed = match (&self.only_on, outcome) {
            (Some(statuses), Outcome::Status(_) | Outcome::Error(_)) => statuses.contains(outcome),
            _ => true,
        };
        if !listed || over(self.ignore_over) || (self.ignore_zero && asked.is_zero()) {
            return Advice::Backoff;
        }
        if over(self.give_up_over) {
            return Advice::GiveUp;
        }
        let mut wait = asked;
        if let Some(Multiples { low, high }) = self.scale {
            wait = wait.scale(low + (high - low) * unit(luck()));
        }
        if let Some(span) = self.add {
            wait += span.low + Interval::from_nanos(up_to(luck(), (span.high - span.low).as_nanos()));
        }
        if let Some(factor) = self.truncated_exponential {
            wait = wait.scale(truncated_exponential(factor.get(), unit(luck())));
        }
        Advice::Wait(wait.min(self.cap.unwrap_or(Interval::MAX)))
    }
}

/// The quantile `u` of an exponential law of mean 1 + f / 2, truncated to [1, 1 + f].
fn truncated_exponential(f: f64, u: f64) -> f64 {
    let mean = 1.0 + f / 2.0;
    let survives = |x: f64| libm::exp(-x / mean);
    let (low, high) = (survives(1.0), survives(1.0 + f));
    -mean * libm::log(low + (high - low) * u)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truncated_law_keeps_its_bounds() {
        assert!((truncated_exponential(0.2, 0.0) - 1.0).abs() < 1e-12);
        assert!((truncated_exponential(0.2, 1.0) - 1.2).abs() < 1e-12);
        // The density falls, so the median lies below the middle.
        assert!(truncated_exponential(0.2, 0.5) < 1.1);
    }
}
