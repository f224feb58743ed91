//! Incidents as they stand in the file: the fields of each kind beside those that say when.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ColdCache, Incident, IncidentKind, When};
use crate::outcome::Failure;
use crate::outcome::{Outcome, StatusCode};
use crate::time::Interval;
use crate::units::{Amount, Count, Factor, Probability, Share};

/// Declares the kinds with the fields of their own, and what is made of those; every kind says when in the same fields.
macro_rules! kinds {
    ($($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $field:ident: $type:ty),* } => $made:expr;)*) => {
        /// An incident: one kind, with its own fields beside those that say when.
        #[derive(Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub(super) enum Written {
            $($(#[$about])* $kind {
                /// When it begins, counted from the start of the run; either this and `lasts`, or `mtbf` and `mttr`.
                from: Option<Interval>,
                /// How long it lasts, above 0s.
                lasts: Option<Interval>,
                /// Time from the begin of one window to the begin of the next, longer than `lasts`; only one if absent.
                every: Option<Interval>,
                /// How many windows, with `every`; as many as begin within the run if absent.
                times: Option<Count<1, 1_000_000>>,
                /// At random: mean of the exponential time from the end of a window, or the start of the run, to the next; with `mttr`.
                mtbf: Option<Interval>,
                /// Mean of the time that a window at random lasts.
                mttr: Option<Interval>,
                /// The 99th percentile of that time, which is lognormal then, from `mttr` to 14.9 times `mttr`; exponential if absent.
                mttr_p99: Option<Interval>,
                $($(#[$doc])* $field: $type,)*
            },)*
            /// Of so many instances one is away after the other: the others are left, and connections to the one fail.
            Deploy(Deploy),
        }

        impl TryFrom<Written> for Incident {
            type Error = String;

            fn try_from(written: Written) -> Result<Self, String> {
                match written {
                    $(Written::$kind { from, lasts, every, times, mtbf, mttr, mttr_p99, $($field),* } => {
                        let kind: IncidentKind = $made;
                        let lasts = match kind {
                            IncidentKind::ColdCache(_) => Some(lasts.unwrap_or(Interval::ZERO)),
                            _ => lasts,
                        };
                        let when = match (from, mtbf, mttr) {
                            (Some(from), None, None) if mttr_p99.is_none() => {
                                let lasts = lasts.ok_or("say how long it takes: `lasts`, such as \"2m\"")?;
                                When::Fixed { from, lasts, every, times: times.map(Count::get) }
                            }
                            (None, Some(mtbf), Some(mttr)) if every.is_none() && times.is_none() => {
                                When::Random { mtbf, mttr, mttr_p99 }
                            }
                            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => return Err(EITHER.into()),
                            (None, Some(_), Some(_)) => return Err(AT_RANDOM.into()),
                            _ => return Err(WHEN.into()),
                        };
                        Ok(Self { when, kind })
                    })*
                    Written::Deploy(deploy) => Ok(deploy.incident()),
                }
            }
        }
    };
}

const WHEN: &str = "say when: either `from` and `lasts` (again with `every`, and `times`), or at random with `mtbf` and `mttr`, \
                    the mean times between two windows and in one";

const EITHER: &str = "`from` says when it comes, `mtbf` and `mttr` that it comes at random: keep `from` and `lasts`, or `mtbf` and \
                      `mttr`";

const AT_RANDOM: &str = "`every` and `times` repeat what begins `from` some instant, and this comes at random with `mtbf` and `mttr`: \
                         leave them out, or write `from` and `lasts` instead";

kinds! {
    /// It turns everything away.
    Outage {
        /// What every attempt comes to; 503 if absent.
        status: Option<Failure>,
        /// How cold its caches are when it is back; not at all if absent.
        cold_cache: Option<ColdCache>
    } => IncidentKind::Outage { outcome: unavailable(status), cold: cold_cache };
    /// A share of the attempts fails, each on its own; an attempt meets the rate limit first.
    Brownout {
        /// What a failing attempt comes to; 503 if absent.
        status: Option<Failure>,
        /// How likely an attempt fails.
        probability: Probability
    } => IncidentKind::Brownout { outcome: unavailable(status), probability };
    /// Attempts that it works on take so many times as long.
    Latency {
        /// How many times.
        factor: Factor
    } => IncidentKind::Latency(factor);
    /// From the end of the window on its caches are cold; `lasts` is 0s if absent.
    ColdCache {
        /// How many times as long attempts take at first.
        factor: Factor,
        /// How long it takes until the excess is down to 1/e, above 0s.
        decays: Interval
    } => IncidentKind::ColdCache(ColdCache { factor, decays });
    /// It has less capacity.
    Capacity {
        /// The share of its capacity that is left. Either this or `servers_lost`.
        share: Option<Share>,
        /// How many of its servers are away.
        servers_lost: Option<Count<1, 1_000_000_000>>
    } => match (share, servers_lost) {
        (Some(share), None) => IncidentKind::Capacity(share),
        (None, Some(servers)) => IncidentKind::ServersLost(servers.get_u32()),
        _ => return Err("say what is left: either `share`, such as 0.5, or `servers_lost`, such as 2".into()),
    };
    /// Its limits let through so many times as much.
    RateLimit {
        /// How many times, above 0.
        factor: Amount
    } => IncidentKind::RateLimit(factor);
    /// Attempts that fail while it works on them, by a fault or a brownout, come to something else.
    ErrorCode {
        /// What they come to.
        status: Failure
    } => IncidentKind::ErrorCode(status.outcome());
}

/// What a service answers that is not itself.
fn unavailable(status: Option<Failure>) -> Outcome {
    status.map_or(Outcome::Status(StatusCode::SERVICE_UNAVAILABLE), Failure::outcome)
}

/// A rolling deploy, which lasts as long as all instances take.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Deploy {
    /// When it begins, counted from the start of the run.
    from: Interval,
    /// Time from the begin of one deploy to the begin of the next, longer than all instances take; only one if absent.
    every: Option<Interval>,
    /// How many deploys, with `every`; as many as begin within the run if absent.
    times: Option<Count<1, 1_000_000>>,
    /// How many instances there are. An attempt meets the one that is away with probability 1 / `instances`.
    instances: Count<1, 10_000>,
    /// How long each is away, one after the other.
    each: Interval,
    /// What an attempt comes to whose instance is away; those left serve it if absent.
    status: Option<Failure>,
}

impl Deploy {
    fn incident(self) -> Incident {
        let Self { from, every, times, instances, each, status } = self;
        let lasts = each.times(instances.get());
        Incident {
            when: When::Fixed { from, lasts, every, times: times.map(Count::get) },
            kind: IncidentKind::Deploy {
                instances: instances.get_u32(),
                outcome: status.map(Failure::outcome),
            },
        }
    }
}
