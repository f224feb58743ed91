//! Lockouts: who breaks a limit is refused everything for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::{Instant, Interval};
use crate::units::Factor;

/// A lockout as written in a scenario. It begins with a refusal by the limit that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lockout {
    /// How long everything is refused, from a refusal by the limit on, above 0s.
    pub lasts: Interval,
    /// What a call does that comes during the lockout and costs anything; nothing if absent.
    #[serde(default)]
    pub calls_during: CallsDuring,
    /// What the length is multiplied by with each call during an escalating lockout, and only of one; 2 if absent.
    pub factor: Option<Factor>,
    /// The longest that an escalating lockout gets, at least `lasts`; no end if absent.
    pub max: Option<Interval>,
}

/// What calls during a lockout do to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallsDuring {
    /// Nothing.
    #[default]
    Nothing,
    /// It begins anew.
    Restart,
    /// It begins anew, and longer. The next lockout is as long as the first again.
    Escalate,
}

/// The lockout of one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Locked {
    until: Instant,
    length: Interval,
}

impl Lockout {
    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        if self.lasts.is_zero() {
            return Some("a lockout of 0s never happens: give `lasts`, such as \"30s\"".into());
        }
        if self.calls_during != CallsDuring::Escalate && (self.factor.is_some() || self.max.is_some()) {
            return Some("factor and max are those of a lockout with calls_during = \"escalate\"".into());
        }
        let max = self.max.filter(|&max| max < self.lasts)?;
        Some(format!("the lockout lasts {} and cannot stay within max = \"{max}\": raise it", self.lasts))
    }
}

impl Locked {
    /// No lockout yet.
    pub(super) const NEVER: Self = Self { until: Instant::START, length: Interval::ZERO };

    /// How long calls at `now` are still refused.
    pub(super) const fn rest(self, now: Instant) -> Interval {
        self.until.since(now)
    }

    /// A call at `now` is refused, by the lockout or by the limit.
    pub(super) fn refuse(&mut self, lockout: &Lockout, now: Instant) {
        self.length = match lockout.calls_during {
            _ if now >= self.until => lockout.lasts,
            CallsDuring::Nothing => return,
            CallsDuring::Restart => self.length,
            CallsDuring::Escalate => {
                let factor = lockout.factor.map_or(2.0, Factor::get);
                self.length.scale(factor).min(lockout.max.unwrap_or(Interval::MAX))
            }
        };
        self.until = now + self.length;
    }
}
