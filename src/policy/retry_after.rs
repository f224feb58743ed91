//! Retry-After: what the client makes of the service's own advice on when to come back.

use serde::Deserialize;

use crate::random::{unit, up_to};
use crate::time::Interval;
use crate::units::Amount;

/// What a Retry-After header does to the delay. Without a header none of these changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterRule {
    /// Nothing (a Prefect task, celery, google-api-core).
    #[default]
    Ignore,
    /// Wait exactly as long as asked, instead of the backoff: everybody who was told the same comes back together.
    Obey,
    /// Wait as long as asked or as long as the backoff says, whichever is longer.
    AtLeast,
    /// Wait as long as asked, within limits, and then some: the advice is obeyed, the lockstep broken.
    ObeyWith(ObeyWith),
}

/// Refinements of obeying.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObeyWith {
    /// Never wait longer than this, whatever is asked and added.
    pub cap: Option<Interval>,
    /// Multiply by a number drawn uniformly from [1, 1 + stretch] (Envoy: 0.5).
    pub stretch: Option<Amount>,
    /// Add a duration drawn uniformly from [0, add]. Not together with `stretch`.
    pub add: Option<Interval>,
}

impl RetryAfterRule {
    /// The wait that the header `asked` leads to, or `None` if the backoff stands.
    pub(super) fn wait(&self, asked: Interval, backoff: Interval, bits: u64) -> Option<Interval> {
        match self {
            Self::Ignore => None,
            Self::Obey => Some(asked),
            Self::AtLeast => (asked > backoff).then_some(asked),
            Self::ObeyWith(with) => {
                let mut wait = asked;
                if let Some(stretch) = with.stretch {
                    wait = wait.scale(1.0 + stretch.get() * unit(bits));
                }
                if let Some(add) = with.add {
                    wait += Interval::from_nanos(up_to(bits, add.as_nanos()));
                }
                Some(wait.min(with.cap.unwrap_or(Interval::MAX)))
            }
        }
    }
}
