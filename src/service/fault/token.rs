//! Expired tokens: everything is refused until somebody has noticed.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::outcome::Failure;
use crate::outcome::{Outcome, StatusCode};
use crate::time::{Instant, Interval};

/// A token that all clients share lives for `lifetime`; from its expiry on every attempt is refused, until a new one is
/// there. Either the first refusal starts a refresh, or something else renews the token a fixed time after the expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpiredToken {
    /// How long a token lives from its refresh on, above 0s.
    pub lifetime: Interval,
    /// When the first one expires, counted from the start of the run; after `lifetime` if absent.
    pub first: Option<Interval>,
    /// How long a refresh takes, counted from the first attempt that is refused.
    pub refresh: Option<Interval>,
    /// How long after its expiry a token is renewed, above 0s, whether or not anybody has come.
    pub refreshed_after: Option<Interval>,
    /// What attempts are answered; 401 if absent.
    pub status: Option<Failure>,
}

impl ExpiredToken {
    /// What an attempt comes to that has an expired token.
    pub(super) fn outcome(&self) -> Outcome {
        self.status.map_or(Outcome::Status(StatusCode::of(401)), Failure::outcome)
    }

    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        if self.lifetime.is_zero() {
            return Some("a token must live longer than 0s: give `lifetime`, such as \"1h\"".into());
        }
        match (self.refresh, self.refreshed_after) {
            (Some(_), None) => None,
            (None, Some(after)) if !after.is_zero() => None,
            (None, Some(_)) => Some(
                "a token that is renewed 0s after its expiry never fails: lengthen `refreshed_after`".into(),
            ),
            _ => Some(
                "say how the token is renewed: either `refresh`, how long that takes from the first refusal, or \
                 `refreshed_after`, how long after the expiry"
                    .into(),
            ),
        }
    }
}

/// The token of the moment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token {
    /// The first refusal starts the refresh.
    OnDemand {
        lifetime: Interval,
        refresh: Interval,
        /// The first instant at which it is no longer good.
        expires: Instant,
        /// When the next one is there, if a refresh is under way.
        renewed: Option<Instant>,
    },
    /// It is renewed in its own time.
    Timed { lifetime: Interval, after: Interval, first: Instant },
}

impl Token {
    pub(super) fn new(config: &ExpiredToken) -> Self {
        let lifetime = config.lifetime;
        let first = Instant::START + config.first.unwrap_or(lifetime);
        match config.refreshed_after {
            Some(after) => Self::Timed { lifetime, after, first },
            None => Self::OnDemand {
                lifetime,
                refresh: config.refresh.unwrap_or(Interval::ZERO),
                expires: first,
                renewed: None,
            },
        }
    }

    /// True if an attempt at `now` is refused. Time does not go back.
    pub(super) fn refuses(&mut self, now: Instant) -> bool {
        match self {
            Self::Timed { lifetime, after, first } => {
                let cycle = after.as_nanos() + lifetime.as_nanos();
                now >= *first && now.since(*first).as_nanos() % cycle < after.as_nanos()
            }
            Self::OnDemand { lifetime, refresh, expires, renewed } => {
                if let Some(there) = renewed.filter(|&there| there <= now) {
                    (*expires, *renewed) = (there + *lifetime, None);
                }
                let refuses = *expires <= now;
                if refuses && renewed.is_none() {
                    *renewed = Some(now + *refresh);
                }
                refuses
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(fields: &str, seconds: &[u64]) -> Vec<u64> {
        let config: ExpiredToken = toml::from_str(fields).unwrap();
        assert_eq!(config.problem(), None);
        let mut token = Token::new(&config);
        let at = |seconds: u64| Instant::START + Interval::from_secs(seconds);
        seconds.iter().copied().filter(|&seconds| token.refuses(at(seconds))).collect()
    }

    #[test]
    fn the_first_refusal_starts_the_refresh() {
        // Expires at 100 s; nobody comes before 150 s; renewed at 180 s; expires again at 1180 s.
        let fields = "lifetime = '1000s'\nfirst = '100s'\nrefresh = '30s'";
        let seen =
            refused(fields, &[0, 99, 150, 151, 179, 180, 1179, 1180, 1209, 1210, 2209, 2300, 2329, 2330]);
        assert_eq!(seen, [150, 151, 179, 1180, 1209, 2300, 2329]);
        // A token that expires while nobody comes at all is found expired by the first who does.
        assert_eq!(
            refused("lifetime = '10s'\nrefresh = '1s'", &[5, 500, 500, 501, 510, 511]),
            [500, 500, 511]
        );
        // A refresh at once costs the one attempt that finds out.
        assert_eq!(refused("lifetime = '10s'\nrefresh = '0s'", &[10, 10, 19, 20]), [10, 20]);
    }

    #[test]
    fn a_token_can_be_renewed_in_its_own_time() {
        let fields = "lifetime = '60s'\nrefreshed_after = '20s'";
        assert_eq!(refused(fields, &[0, 59, 60, 79, 80, 139, 140, 159, 160, 220]), [60, 79, 140, 159, 220]);
        assert_eq!(
            refused("lifetime = '60s'\nfirst = '0s'\nrefreshed_after = '20s'", &[0, 19, 20, 80]),
            [0, 19, 80]
        );
    }

    #[test]
    fn a_token_that_cannot_expire_or_return_is_explained() {
        for (fields, word) in [
            ("lifetime = '0s'\nrefresh = '1s'", "lifetime"),
            ("lifetime = '1s'", "say how"),
            ("lifetime = '1s'\nrefresh = '1s'\nrefreshed_after = '1s'", "say how"),
            ("lifetime = '1s'\nrefreshed_after = '0s'", "never fails"),
        ] {
            let config: ExpiredToken = toml::from_str(fields).unwrap();
            assert!(config.problem().unwrap().contains(word), "{fields}");
        }
    }
}
