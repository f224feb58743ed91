//! Incidents as they stand in the file: the fields of each kind beside those that say when.

use serde::Deserialize;

use super::{ColdCache, Incident, IncidentKind, When};
use crate::outcome::Failure;
use crate::outcome::{Outcome, StatusCode};
use crate::time::Interval;
use crate::units::{Amount, Count, Factor, Probability, Share};

/// Declares the kinds with the fields of their own, and what is made of those; every kind says when in the same fields.
macro_rules! kinds {
    ($($kind:ident { $($field:ident: $type:ty),* } => $made:expr;)*) => {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub(super) enum Written {
            $($kind {
                from: Option<Interval>,
                lasts: Option<Interval>,
                every: Option<Interval>,
                times: Option<Count<1, 1_000_000>>,
                mtbf: Option<Interval>,
                mttr: Option<Interval>,
                mttr_p99: Option<Interval>,
                $($field: $type,)*
            },)*
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
    Outage { status: Option<Failure>, cold_cache: Option<ColdCache> } =>
        IncidentKind::Outage { outcome: unavailable(status), cold: cold_cache };
    Brownout { status: Option<Failure>, probability: Probability } =>
        IncidentKind::Brownout { outcome: unavailable(status), probability };
    Latency { factor: Factor } => IncidentKind::Latency(factor);
    ColdCache { factor: Factor, decays: Interval } => IncidentKind::ColdCache(ColdCache { factor, decays });
    Capacity { share: Option<Share>, servers_lost: Option<Count<1, 1_000_000_000>> } => match (share, servers_lost) {
        (Some(share), None) => IncidentKind::Capacity(share),
        (None, Some(servers)) => IncidentKind::ServersLost(servers.get_u32()),
        _ => return Err("say what is left: either `share`, such as 0.5, or `servers_lost`, such as 2".into()),
    };
    RateLimit { factor: Amount } => IncidentKind::RateLimit(factor);
    ErrorCode { status: Failure } => IncidentKind::ErrorCode(status.outcome());
}

/// What a service answers that is not itself.
fn unavailable(status: Option<Failure>) -> Outcome {
    status.map_or(Outcome::Status(StatusCode::SERVICE_UNAVAILABLE), Failure::outcome)
}

/// A rolling deploy, which lasts as long as all instances take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deploy {
    from: Interval,
    every: Option<Interval>,
    times: Option<Count<1, 1_000_000>>,
    instances: Count<1, 10_000>,
    each: Interval,
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
