//! Rate limits: how many attempts a service lets through, and what it tells the others.
//!
//! All arithmetic is exact. A bucket of 3 tokens per second never rounds a third of a second: its level is kept in units
//! in which one token is as many as the rate's period has nanoseconds, so that each nanosecond adds a whole number.

use serde::Deserialize;

use crate::time::{Instant, Interval};
use crate::units::{Count, Rate};

/// A rate limit as written in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RateLimitConfig {
    /// Tokens flow in continuously and are taken one per attempt.
    TokenBucket(TokenBucket),
    /// So many attempts per window, windows aligned to the start of the run.
    FixedWindow(FixedWindow),
}

/// A bucket that starts full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenBucket {
    /// Tokens per time.
    pub rate: Rate,
    /// Tokens that fit.
    pub burst: Count<1, 1_000_000_000>,
    /// What a refusal says about when to come back; the wait in whole seconds if absent.
    #[serde(default)]
    pub retry_after: RetryAfterHeader,
}

/// A counter that starts anew with every window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedWindow {
    /// Attempts let through per window.
    pub limit: Count<1, 1_000_000_000>,
    /// Length of the window, above 0s.
    pub window: Interval,
    /// What a refusal says about when to come back; the wait in whole seconds if absent.
    #[serde(default)]
    pub retry_after: RetryAfterHeader,
}

/// What the Retry-After header of a refusal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterHeader {
    /// The time until an attempt could pass, rounded up to whole seconds, as HTTP's integer form must.
    #[default]
    Seconds,
    /// The second in which an attempt could pass, as an HTTP date, which has no fractions: rounded up. Who receives it waits
    /// until then, so all wait for the same instant.
    Date,
    /// The time until an attempt could pass, to the nanosecond.
    Exact,
    /// There is no header.
    None,
    /// Always the same, whatever the state.
    Constant(Interval),
}

impl RetryAfterHeader {
    fn of(self, now: Instant, wait: Interval) -> Option<RetryAfter> {
        match self {
            Self::Seconds => Some(RetryAfter::In(wait.ceil_to_seconds())),
            Self::Date => Some(RetryAfter::At((now + wait).ceil_to_seconds())),
            Self::Exact => Some(RetryAfter::In(wait)),
            Self::None => None,
            Self::Constant(wait) => Some(RetryAfter::In(wait)),
        }
    }
}

/// What a Retry-After header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// To wait so long from when it is received.
    In(Interval),
    /// To wait until then.
    At(Instant),
}

impl RetryAfter {
    /// What one has to wait who receives it at `received`.
    pub fn wait(self, received: Instant) -> Interval {
        match self {
            Self::In(wait) => wait,
            Self::At(instant) => instant.since(received),
        }
    }
}

impl RateLimitConfig {
    /// The limit in attempts per second, for reports.
    pub fn per_second(&self) -> f64 {
        match self {
            Self::TokenBucket(bucket) => bucket.rate.per_second(),
            Self::FixedWindow(window) => window.limit.get() as f64 / window.window.as_secs_f64(),
        }
    }

    /// The most attempts that pass within `window` at the steady rate, or at once after a rest, whichever is more: what a
    /// peak is held against.
    pub fn allowance(&self, window: Interval) -> f64 {
        let at_once = match self {
            Self::TokenBucket(bucket) => bucket.burst.get(),
            Self::FixedWindow(window) => window.limit.get(),
        };
        (at_once as f64).max(self.per_second() * window.as_secs_f64())
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::FixedWindow(window) if window.window.is_zero() => {
                Some("a window of 0s never lets anything through: give its length, such as \"60s\"".into())
            }
            _ => None,
        }
    }
}

/// A rate limit's state during a run.
#[derive(Debug, Clone)]
pub enum RateLimit {
    /// A token bucket.
    TokenBucket {
        /// Its configuration.
        config: TokenBucket,
        /// What it holds, in units of 1 / (period in nanoseconds) token.
        level: u128,
        /// When the level was last brought up to date.
        updated: Instant,
    },
    /// A fixed window.
    FixedWindow {
        /// Its configuration.
        config: FixedWindow,
        /// Number of the current window.
        current: u64,
        /// Attempts let through in it.
        admitted: u64,
    },
}

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What the header says, if there is one.
    pub retry_after: Option<RetryAfter>,
}

impl RateLimit {
    /// The limit at the start of a run: a full bucket, an empty window.
    pub fn new(config: &RateLimitConfig) -> Self {
        match *config {
            RateLimitConfig::TokenBucket(config) => {
                Self::TokenBucket { config, level: capacity(&config), updated: Instant::START }
            }
            RateLimitConfig::FixedWindow(config) => Self::FixedWindow { config, current: 0, admitted: 0 },
        }
    }

    /// Lets an attempt through at `now`, or refuses it. A refusal takes nothing.
    ///
    /// # Errors
    /// The refusal, with what its header says.
    pub fn admit(&mut self, now: Instant) -> Result<(), Refusal> {
        match self {
            Self::TokenBucket { config, level, updated } => {
                let inflow = u128::from(now.since(*updated).as_nanos()) * u128::from(config.rate.count());
                *level = (*level + inflow).min(capacity(config));
                *updated = now;
                let token = u128::from(config.rate.per().as_nanos());
                if *level >= token {
                    *level -= token;
                    return Ok(());
                }
                let wait = (token - *level).div_ceil(u128::from(config.rate.count()));
                Err(Refusal { retry_after: config.retry_after.of(now, Interval::from_nanos(wait as u64)) })
            }
            Self::FixedWindow { config, current, admitted } => {
                let window = config.window.as_nanos();
                let index = now.as_nanos() / window;
                if index != *current {
                    (*current, *admitted) = (index, 0);
                }
                if *admitted < config.limit.get() {
                    *admitted += 1;
                    return Ok(());
                }
                let wait = window - now.as_nanos() % window;
                Err(Refusal { retry_after: config.retry_after.of(now, Interval::from_nanos(wait)) })
            }
        }
    }
}

fn capacity(config: &TokenBucket) -> u128 {
    u128::from(config.burst.get()) * u128::from(config.rate.per().as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> RateLimit {
        #[derive(Deserialize)]
        struct Wrapper {
            limit: RateLimitConfig,
        }
        RateLimit::new(&toml::from_str::<Wrapper>(text).unwrap().limit)
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn a_bucket_lets_its_burst_through_and_tells_the_rest_to_wait_for_one_token() {
        // 3 per second, burst 5, eight at once: five pass, the others wait a third of a second (to the next nanosecond).
        let mut bucket = limit("limit.token_bucket = { rate = '3/s', burst = 5, retry_after = 'exact' }");
        let answers: Vec<_> = (0..8).map(|_| bucket.admit(at(0))).collect();
        assert_eq!(answers[..5], [Ok(()); 5]);
        let wait = Refusal { retry_after: Some(RetryAfter::In(Interval::from_nanos(333_333_334))) };
        assert_eq!(answers[5..], [Err(wait); 3]);
    }

    #[test]
    fn exactly_enough_tokens_is_enough() {
        let mut bucket = limit("limit.token_bucket = { rate = '3/s', burst = 2 }");
        assert!(bucket.admit(at(0)).is_ok() && bucket.admit(at(0)).is_ok());
        assert!(bucket.admit(at(333_333_333)).is_err());
        assert!(bucket.admit(at(333_333_334)).is_ok());
        assert!(bucket.admit(at(666_666_667)).is_ok(), "the fraction of a token left over is kept");
        assert!(bucket.admit(at(1_000_000_000)).is_ok(), "three in a second, to the nanosecond");
    }

    #[test]
    fn a_bucket_fed_evenly_admits_exactly_rate_times_time_plus_burst() {
        // 7/s offered 20/s for 1000 s: burst + floor(7 * 999.95) admitted, whatever the rounding.
        let mut bucket = limit("limit.token_bucket = { rate = '7/s', burst = 10 }");
        let admitted = (0..20_000u64).filter(|i| bucket.admit(at(i * 50_000_000)).is_ok()).count();
        assert_eq!(admitted, 10 + 6_999);
    }

    #[test]
    fn headers_say_the_wait_in_the_form_of_the_service() {
        for (header, expected) in [
            ("'seconds'", Some(Interval::from_secs(1))),
            ("'exact'", Some(Interval::from_millis(100))),
            ("'none'", None),
            ("{ constant = '30s' }", Some(Interval::from_secs(30))),
        ] {
            let mut bucket = limit(&format!(
                "limit.token_bucket = {{ rate = '10/s', burst = 1, retry_after = {header} }}"
            ));
            bucket.admit(at(0)).unwrap();
            let refusal = Refusal { retry_after: expected.map(RetryAfter::In) };
            assert_eq!(bucket.admit(at(0)), Err(refusal), "{header}");
        }
    }

    #[test]
    fn a_date_names_the_whole_second_after_which_an_attempt_could_pass() {
        let mut bucket = limit("limit.token_bucket = { rate = '1/s', burst = 1, retry_after = 'date' }");
        let second = 1_000_000_000;
        bucket.admit(at(second / 4)).unwrap();
        let date = bucket.admit(at(second / 2)).unwrap_err().retry_after.expect("there is a header");
        assert_eq!(date, RetryAfter::At(at(2 * second)), "the token is there at 1.25 s");
        assert_eq!(date.wait(at(second)), Interval::from_secs(1), "who learns it later waits less");
        assert_eq!(date.wait(at(3 * second)), Interval::ZERO);
    }

    #[test]
    fn a_window_counts_anew_at_its_first_instant_and_sends_everybody_there() {
        let mut window = limit("limit.fixed_window = { limit = 2, window = '60s', retry_after = 'exact' }");
        let minute = 60_000_000_000;
        assert!(window.admit(at(10)).is_ok() && window.admit(at(20)).is_ok());
        let refusal = window.admit(at(minute / 4)).unwrap_err();
        assert_eq!(refusal.retry_after, Some(RetryAfter::In(Interval::from_secs(45))));
        assert!(window.admit(at(minute - 1)).is_err());
        assert!(window.admit(at(minute)).is_ok() && window.admit(at(minute)).is_ok());
        assert!(window.admit(at(minute)).is_err());
    }
}
