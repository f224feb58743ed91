//! A bucket of tokens: a retry takes some, success or time gives some back, and an empty bucket ends all retrying.
//!
//! Sources: botocore 1.44.5 `RetryQuotaChecker` (capacity 500, cost 14, throttling 5, refund of the last amount, otherwise
//! +1); botocore 1.34 (cost 5, timeout 10); @smithy/core 3.41, aws-sdk-go-v2 (the same); aws-smithy-runtime 1.16
//! (`success_reward`, `refill_rate`); M. Brooker's simulation "Fixing retries with token buckets and circuit breakers" (2022)
//! (capacity 5, +0.1 per call, strictly more than 1 needed, in doubles).

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::amount::{Decimal, ONE, Tokens, shown};
use super::{Class, Grant};
use crate::schema::Either;
use crate::time::{Instant, Interval};
use crate::units::Rate;

/// A bucket as written in a scenario. All amounts are tokens, with at most six decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// The most that fits.
    pub capacity: Tokens,
    /// What it holds at the start; full if absent.
    pub initial: Option<Tokens>,
    /// What a retry takes: one number, or one per class of failure.
    pub cost: Cost,
    /// What a success after a retry gives back.
    #[serde(default)]
    pub refund: Refund,
    /// What a success at the first attempt gives.
    #[serde(default)]
    pub reward: Tokens,
    /// What the start of every request gives, whatever comes of it.
    #[serde(default)]
    pub per_request: Tokens,
    /// What every success gives, at the first attempt or later, besides refund and reward.
    #[serde(default)]
    pub per_success: Tokens,
    /// What time gives, evenly; nothing if absent.
    pub refill: Option<Rate>,
    /// Whether a retry needs `at_least` its cost, or `more_than` it.
    #[serde(default)]
    pub needs: Needs,
    /// How the bucket counts.
    #[serde(default)]
    pub arithmetic: Arithmetic,
}

/// What a retry costs, by the class of the failure it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Either<Tokens, ByClass>")]
pub struct Cost {
    transient: Tokens,
    throttled: Tokens,
    timeout: Tokens,
}

impl Cost {
    /// What a retry costs after a transient failure, a throttled one and a timeout.
    pub const fn amounts(self) -> [Tokens; 3] {
        [self.transient, self.throttled, self.timeout]
    }

    const fn of(self, class: Class) -> u64 {
        match class {
            Class::Transient => self.transient.get(),
            Class::Throttled => self.throttled.get(),
            Class::Timeout => self.timeout.get(),
        }
    }
}

/// What a retry costs, by class. What is not given costs as much as a transient failure.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CostByClass")]
struct ByClass {
    /// After a failure that is neither throttling nor a timeout.
    transient: Tokens,
    /// After a 429; as `transient` if absent.
    throttled: Option<Tokens>,
    /// After a timeout; as `transient` if absent.
    timeout: Option<Tokens>,
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrTable;
        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = Cost;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of tokens, or a table such as { transient = 14, throttled = 5 }")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Cost, E> {
                Decimal.visit_i64(number).map(same)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Cost, E> {
                Decimal.visit_f64(number).map(same)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cost, A::Error> {
                let by = ByClass::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Cost {
                    transient: by.transient,
                    throttled: by.throttled.unwrap_or(by.transient),
                    timeout: by.timeout.unwrap_or(by.transient),
                })
            }
        }
        deserializer.deserialize_any(NumberOrTable)
    }
}

const fn same(cost: Tokens) -> Cost {
    Cost { transient: cost, throttled: cost, timeout: cost }
}

/// What a success after a retry gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refund {
    /// Nothing.
    #[default]
    None,
    /// What the last retry of the request took; what earlier ones took is lost.
    Last,
}

/// What must be in the bucket for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// The cost, or more (`>=`).
    #[default]
    AtLeast,
    /// Strictly more than the cost (`>`).
    MoreThan,
}

/// How a bucket counts. It matters if the amounts are no binary fractions: with deposits of 0.1 and a cost of 1, doubles find
/// more than one token in the bucket where there is exactly one, and grant a retry a deposit too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TokensArithmetic")]
pub enum Arithmetic {
    /// In whole millionths, without rounding.
    #[default]
    Exact,
    /// In double precision, as programs do that keep their tokens in a float: to reproduce such a program.
    Double,
}

impl TokensConfig {
    pub(super) fn problem(&self) -> Option<String> {
        let capacity = self.capacity.get();
        let dearest = Class::ALL.map(|class| self.cost.of(class)).into_iter().max().unwrap_or(0);
        if let Some(initial) = self.initial.filter(|initial| initial.get() > capacity) {
            return Some(format!(
                "initial {} is above the capacity {}: lower it, or raise the capacity",
                shown(initial.get()),
                shown(capacity)
            ));
        }
        let enough = match self.needs {
            Needs::AtLeast => capacity >= dearest,
            Needs::MoreThan => capacity > dearest,
        };
        (!enough).then(|| {
            format!(
                "a full bucket of {} never pays a retry of {}: raise the capacity, or lower the cost",
                shown(capacity),
                shown(dearest)
            )
        })
    }
}

/// A bucket's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokensState {
    level: Level,
    updated: Instant,
}

/// What a bucket holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Level {
    Exact {
        /// Millionths of a token.
        millionths: u64,
        /// What has flowed in beyond them, in millionths of a token divided by the nanoseconds of the refill's period.
        carry: u64,
    },
    /// Tokens.
    Double(f64),
}

impl Level {
    /// Adds an amount in millionths, as far as it fits.
    fn add(&mut self, amount: u64, capacity: Tokens) {
        match self {
            Self::Exact { millionths, .. } => *millionths = (*millionths + amount).min(capacity.get()),
            Self::Double(tokens) => *tokens = (*tokens + shown(amount)).min(shown(capacity.get())),
        }
    }

    /// Adds what flows in within `passed`, as far as it fits.
    fn flow(&mut self, rate: Rate, passed: Interval, capacity: Tokens) {
        match self {
            Self::Exact { millionths, carry } => {
                let period = u128::from(rate.per().as_nanos());
                let inflow = u128::from(passed.as_nanos()) * u128::from(rate.count()) * u128::from(ONE);
                let inflow = inflow + u128::from(*carry);
                let level = u128::from(*millionths) + inflow / period;
                (*millionths, *carry) = if level >= u128::from(capacity.get()) {
                    (capacity.get(), 0)
                } else {
                    (level as u64, (inflow % period) as u64)
                };
            }
            Self::Double(tokens) => {
                let inflow = passed.as_secs_f64() * rate.per_second();
                *tokens = (*tokens + inflow).min(shown(capacity.get()));
            }
        }
    }

    /// Takes a cost in millionths, if there is enough.
    fn take(&mut self, cost: u64, needs: Needs) -> bool {
        let order = match self {
            Self::Exact { millionths, .. } => (*millionths).cmp(&cost),
            Self::Double(tokens) => tokens.total_cmp(&shown(cost)),
        };
        let enough = order.is_gt() || order.is_eq() && needs == Needs::AtLeast;
        if enough {
            match self {
                Self::Exact { millionths, .. } => *millionths -= cost,
                Self::Double(tokens) => *tokens -= shown(cost),
            }
        }
        enough
    }
}

impl TokensState {
    pub(super) fn new(config: &TokensConfig) -> Self {
        let initial = config.initial.unwrap_or(config.capacity).get();
        let level = match config.arithmetic {
            Arithmetic::Exact => Level::Exact { millionths: initial, carry: 0 },
            Arithmetic::Double => Level::Double(shown(initial)),
        };
        Self { level, updated: Instant::START }
    }

    /// Millionths of a token.
    pub(super) fn level(&self) -> u64 {
        match self.level {
            Level::Exact { millionths, .. } => millionths,
            Level::Double(tokens) => libm::round(tokens * ONE as f64) as u64,
        }
    }

    pub(super) fn on_request(&mut self, config: &TokensConfig, now: Instant) {
        self.refill(config, now);
        self.level.add(config.per_request.get(), config.capacity);
    }

    pub(super) fn try_retry(&mut self, config: &TokensConfig, now: Instant, class: Class) -> Option<Grant> {
        self.refill(config, now);
        let cost = config.cost.of(class);
        self.level.take(cost, config.needs).then_some(Grant::of(cost))
    }

    pub(super) fn on_success(&mut self, config: &TokensConfig, now: Instant, last: Option<Grant>) {
        self.refill(config, now);
        let back = match (last, config.refund) {
            (None, _) => config.reward.get(),
            (Some(grant), Refund::Last) => grant.amount(),
            (Some(_), Refund::None) => 0,
        };
        self.level.add(back + config.per_success.get(), config.capacity);
    }

    fn refill(&mut self, config: &TokensConfig, now: Instant) {
        if let Some(rate) = config.refill {
            self.level.flow(rate, now.since(self.updated), config.capacity);
            self.updated = now;
        }
    }
}
