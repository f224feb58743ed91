//! Rate limits as they are written: one kind each, and beside it what all kinds have in common.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{I64Deserializer, MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{Lockout, PerOperation, RetryAfterHeader};
use crate::outcome::Failure;
use crate::schema::{All, Either, Nobody, exactly_one};
use crate::time::Interval;
use crate::units::{Count, Rate};

/// How many calls a limit lets through.
pub(super) type Calls = Count<1, 1_000_000_000>;

/// A rate limit as written in a scenario: a table with one kind and the common fields.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "Fields")]
#[schemars(with = "Fields")]
pub struct RateLimitConfig {
    /// How it measures.
    pub kind: LimitKind,
    /// Who shares one measure.
    pub scope: LimitScope,
    /// What a call costs; 1 if absent. A call that costs 0 is neither counted nor refused.
    pub cost: PerOperation,
    /// What a call gets back when it ends; 0 if absent.
    pub refund: PerOperation,
    /// What a refused call is answered; 429 if absent.
    pub status: Failure,
    /// What a refusal says about when to come back; the wait in whole seconds if absent, nothing for `concurrency`.
    pub retry_after: RetryAfterHeader,
    /// What happens to who breaks the limit; nothing if absent.
    pub lockout: Option<Lockout>,
    /// Whether refused calls count against the limit.
    pub rejected: Rejected,
}

/// How a limit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Tokens flow in and are taken by calls.
    TokenBucket(TokenBucket),
    /// Calls fill a bucket that leaks; what does not fit is refused.
    LeakyBucket(LeakyBucket),
    /// Calls wait in a bucket that leaks; what does not fit is refused.
    LeakyQueue(LeakyQueue),
    /// The token bucket as a virtual clock.
    Gcra(Gcra),
    /// So many calls per window.
    FixedWindow(FixedWindow),
    /// So many calls in any span of a length, exactly.
    SlidingLog(SlidingLimit),
    /// The same, estimated from two counters.
    SlidingWindow(SlidingLimit),
    /// So many calls in progress.
    Concurrency(Concurrency),
    /// A score that decays, and a block for who reaches its maximum.
    Score(Score),
}

impl LimitKind {
    /// True if it may let a call through that has to wait first.
    pub const fn holds(&self) -> bool {
        matches!(self, Self::LeakyQueue(_))
    }
}

/// A bucket that starts full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBucket {
    /// Tokens per time.
    pub rate: Rate,
    /// Tokens that fit.
    pub burst: Calls,
    /// The tokens of so much time come together, at its multiples (above 0s); continuously if absent.
    pub refill: Option<Interval>,
}

/// A bucket that starts empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakyBucket {
    /// What flows out per time.
    pub leak: Rate,
    /// What fits.
    pub size: Calls,
}

/// A queue that starts empty. It counts in milliseconds and in thousandths of a request, as nginx does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakyQueue {
    /// Calls that leave per time, at least one per 1000 s.
    pub rate: Rate,
    /// Calls above the rate that are not refused.
    #[serde(default = "none_above")]
    pub burst: Count<0, 1_000_000_000>,
    /// Which of them wait until the rate allows them; all if absent.
    #[serde(default)]
    #[schemars(extend("default" = "all"))]
    pub delay: QueueDelay,
}

const fn none_above() -> Count<0, 1_000_000_000> {
    Count::of(0)
}

/// Which of the calls above the rate wait: `"all"`, `"none"` (nginx: `nodelay`), or those above a number (`delay=8`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(with = "Either<Either<All, Nobody>, Count<0, 1_000_000_000>>", inline)]
pub enum QueueDelay {
    /// Every call comes out at the rate.
    #[default]
    All,
    /// What is not refused goes on at once.
    None,
    /// So many go on at once, the others wait.
    Above(u64),
}

impl QueueDelay {
    /// How many go on at once; `None` for all.
    pub(super) const fn free(self) -> Option<u64> {
        match self {
            Self::All => Some(0),
            Self::None => None,
            Self::Above(free) => Some(free),
        }
    }
}

/// The token bucket as a virtual clock (generic cell rate algorithm): the same decisions, without tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gcra {
    /// Calls per time in the long run.
    pub rate: Rate,
    /// Calls that may come at once.
    pub burst: Calls,
}

/// A counter that starts anew with every window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedWindow {
    /// Calls per window.
    pub limit: Calls,
    /// Length of the window, above 0s.
    pub window: Interval,
    /// Where windows begin.
    #[serde(default)]
    pub aligned: Aligned,
    /// How long after the multiples of its length a window of the clock begins, counted from the start of the run; 0s if
    /// absent. It places midnight in a run that starts at nine.
    pub offset: Option<Interval>,
}

/// Where windows begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aligned {
    /// At the multiples of their length: for all keys at the same instant.
    #[default]
    Clock,
    /// With the first call after the last window.
    FirstCall,
}

/// A limit on any span of a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlidingLimit {
    /// Calls per span.
    pub limit: Calls,
    /// Length of the span, above 0s.
    pub window: Interval,
}

/// A limit on calls in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concurrency {
    /// Calls in progress that count.
    pub limit: Calls,
    /// The age from which on a call counts (Salesforce: 20s); 0s if absent.
    #[serde(default)]
    pub counts_from: Interval,
}

/// Every call adds 1 to a score that decays evenly; who reaches the maximum is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The score at which the block begins; the call that reaches it still passes.
    pub max: Calls,
    /// How long it takes for the maximum to decay to nothing, evenly, above 0s.
    pub decays_over: Interval,
    /// How long everything is refused then.
    pub blocked: Interval,
}

/// Who shares one measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// Nobody: each client of each workload has its own.
    Client,
    /// All clients of a workload.
    Workload,
    /// All who use one account.
    Account,
    /// All who call the service.
    #[default]
    All,
}

/// Whether refused calls count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rejected {
    /// They do not.
    #[default]
    Free,
    /// Every call that this limit has seen counts, whether this or a later limit of the service has refused it, as far as
    /// there is room: a bucket becomes empty, but never owes tokens.
    Counts,
}

/// A rate limit as it stands in the file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = exactly_one(&[
    "token_bucket", "leaky_bucket", "leaky_queue", "gcra", "fixed_window", "sliding_log", "sliding_window", "concurrency", "score",
])))]
struct Fields {
    /// Tokens flow in and are taken by calls.
    token_bucket: Option<TokenBucket>,
    /// Calls fill a bucket that leaks; what does not fit is refused.
    leaky_bucket: Option<LeakyBucket>,
    /// Calls wait in a bucket that leaks; what does not fit is refused.
    leaky_queue: Option<LeakyQueue>,
    /// The token bucket as a virtual clock.
    gcra: Option<Gcra>,
    /// So many calls per window.
    fixed_window: Option<FixedWindow>,
    /// So many calls in any span of a length, exactly.
    sliding_log: Option<SlidingLimit>,
    /// The same, estimated from two counters.
    sliding_window: Option<SlidingLimit>,
    /// So many calls in progress.
    concurrency: Option<Concurrency>,
    /// A score that decays, and a block for who reaches its maximum.
    score: Option<Score>,
    /// Who shares one measure.
    #[serde(default)]
    scope: LimitScope,
    /// What a call costs, such as `3` or `{ write = 3 }`; 1 if absent, and of operations that the table leaves out. A call that
    /// costs 0 is neither counted nor refused. None may cost more than the limit lets through at once.
    cost: Option<PerOperation>,
    /// What a call gets back when it ends, no more than its cost: of `token_bucket`, `leaky_bucket` and `gcra`; 0 if absent.
    refund: Option<PerOperation>,
    /// What a refused call is answered; 429 if absent.
    status: Option<Failure>,
    /// What a refusal says about when to come back; the wait in whole seconds if absent, nothing for `concurrency`, which does
    /// not know and may say a `constant`, or with a lockout any.
    retry_after: Option<RetryAfterHeader>,
    /// What happens to who breaks the limit: everything is refused for a while; nothing if absent.
    lockout: Option<Lockout>,
    /// Whether refused calls count against the limit.
    #[serde(default)]
    rejected: Rejected,
}

impl TryFrom<Fields> for RateLimitConfig {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let kinds = [
            fields.token_bucket.map(LimitKind::TokenBucket),
            fields.leaky_bucket.map(LimitKind::LeakyBucket),
            fields.leaky_queue.map(LimitKind::LeakyQueue),
            fields.gcra.map(LimitKind::Gcra),
            fields.fixed_window.map(LimitKind::FixedWindow),
            fields.sliding_log.map(LimitKind::SlidingLog),
            fields.sliding_window.map(LimitKind::SlidingWindow),
            fields.concurrency.map(LimitKind::Concurrency),
            fields.score.map(LimitKind::Score),
        ];
        let mut given = kinds.into_iter().flatten();
        let kind = match (given.next(), given.next()) {
            (Some(kind), None) => kind,
            (None, _) => {
                return Err(
                    "a rate limit needs a kind: write token_bucket, leaky_bucket, leaky_queue, gcra, \
                            fixed_window, sliding_log, sliding_window, concurrency or score"
                        .into(),
                );
            }
            (Some(first), Some(second)) => {
                return Err(format!(
                    "a rate limit has one kind, and this has {} and {}: write a table for each, in a list",
                    first.name(),
                    second.name()
                ));
            }
        };
        let knows_when = !matches!(kind, LimitKind::Concurrency(_));
        let usual = if knows_when { RetryAfterHeader::Seconds } else { RetryAfterHeader::None };
        Ok(Self {
            kind,
            scope: fields.scope,
            cost: fields.cost.unwrap_or(PerOperation::All(1)),
            refund: fields.refund.unwrap_or(PerOperation::All(0)),
            status: fields.status.unwrap_or(Failure::TOO_MANY_REQUESTS),
            retry_after: fields.retry_after.unwrap_or(usual),
            lockout: fields.lockout,
            rejected: fields.rejected,
        })
    }
}

/// Reads one rate limit, or a list of them.
///
/// # Errors
/// If one of them cannot be read.
pub(in crate::service) fn one_or_more<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<RateLimitConfig>, D::Error> {
    struct TableOrList;
    impl<'de> Visitor<'de> for TableOrList {
        type Value = Vec<RateLimitConfig>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "a rate limit such as { token_bucket = { rate = \"10/s\", burst = 10 } }, or a list of them",
            )
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            RateLimitConfig::deserialize(MapAccessDeserializer::new(map)).map(|limit| vec![limit])
        }
        fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(items))
        }
    }
    deserializer.deserialize_any(TableOrList)
}

impl<'de> Deserialize<'de> for QueueDelay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrNumber;
        impl Visitor<'_> for WordOrNumber {
            type Value = QueueDelay;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\", \"none\", or how many calls go on at once")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<QueueDelay, E> {
                let free = Count::<0, 1_000_000_000>::deserialize(I64Deserializer::<E>::new(number))?;
                Ok(QueueDelay::Above(free.get()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<QueueDelay, E> {
                match text {
                    "all" => Ok(QueueDelay::All),
                    "none" => Ok(QueueDelay::None),
                    _ => Err(E::custom(format!(
                        "\"{text}\" is no delay of a queue: write \"all\", \"none\", or how many calls go on at once"
                    ))),
                }
            }
        }
        deserializer.deserialize_any(WordOrNumber)
    }
}
