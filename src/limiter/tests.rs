//! What limiters promise, kind by kind; `tests/budgets.rs` holds them against the real libraries.

use super::*;

fn config(text: &str) -> LimiterConfig {
    read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn read(text: &str) -> Result<LimiterConfig, toml::de::Error> {
    #[derive(Deserialize)]
    struct Wrapper {
        limiter: LimiterConfig,
    }
    toml::from_str::<Wrapper>(text).map(|wrapper| wrapper.limiter)
}

fn at(seconds: f64) -> Instant {
    Instant::START + Interval::from_nanos_f64(seconds * 1e9)
}

/// Bits that are shed only if everything is.
const LUCKY: u64 = u64::MAX;

#[test]
fn a_limiter_is_one_kind_and_says_so() {
    assert_eq!(config("limiter.concurrency = 3").scope, Scope::Workload);
    assert_eq!(config("limiter = { adaptive_rate = {}, scope = 'client' }").scope, Scope::Client);
    for (text, needle) in [
        ("limiter.scope = 'client'", "exactly one"),
        ("limiter = { concurrency = 3, adaptive_rate = {} }", "exactly one"),
        ("limiter.concurrency = 0", "out of range"),
        ("limiter.adaptive_rate.rate = 1", "unknown field `rate`"),
        ("limiter.token_bucket = { rate = '3/s', size = 1 }", "unknown field `size`"),
        ("limiter.adaptive_throttle.k = 0.5", "out of range"),
        ("limiter.adaptive_throttle.max_rejection = 2", "out of range"),
    ] {
        let message = read(text).expect_err(text).to_string();
        assert!(message.contains(needle), "{text}: {message}");
    }
    let short = config("limiter.adaptive_throttle.window = '0s'");
    assert!(short.problem().expect("no window").contains("longer"));
    assert_eq!(config("limiter.adaptive_throttle = {}").problem(), None);
}

#[test]
fn calls_wait_for_a_bucket_in_the_order_in_which_they_came() {
    let config = config("limiter.token_bucket = { rate = '3/s', burst = 2 }");
    let mut limiter = Limiter::new(&config);
    let third = |n: u64| Admission::After(Interval::from_nanos((n * 1_000_000_000).div_ceil(3)));
    let answers: Vec<_> = (0..5).map(|_| limiter.acquire(&config, at(0.0), LUCKY)).collect();
    assert_eq!(answers, [Admission::Now, Admission::Now, third(1), third(2), third(3)]);
    assert_eq!(limiter.acquire(&config, at(1.0), LUCKY), third(1), "three waited for that second");
    assert_eq!(limiter.acquire(&config, at(100.0), LUCKY), Admission::Now);
    assert_eq!(limiter.acquire(&config, at(100.0), LUCKY), Admission::Now);
    assert_eq!(
        limiter.acquire(&config, at(100.0), LUCKY),
        third(1),
        "a rest saves up no more than the burst"
    );
}

#[test]
fn a_bucket_of_one_spaces_calls_evenly() {
    // bottleneck's minTime of 334 ms: a hundred calls at once leave 334 ms apart.
    let config = config("limiter.token_bucket.rate = '1/334ms'");
    let mut limiter = Limiter::new(&config);
    assert_eq!(limiter.acquire(&config, at(0.0), LUCKY), Admission::Now);
    for call in 1..100 {
        let wait = Interval::from_millis(334 * call);
        assert_eq!(limiter.acquire(&config, at(0.0), LUCKY), Admission::After(wait), "{call}");
    }
}

#[test]
fn concurrency_lets_the_next_go_when_one_is_released() {
    let config = config("limiter.concurrency = 2");
    let mut limiter = Limiter::new(&config);
    let answers: Vec<_> = (0..4).map(|_| limiter.acquire(&config, at(0.0), LUCKY)).collect();
    assert_eq!(answers, [Admission::Now, Admission::Now, Admission::Queue, Admission::Queue]);
    limiter.on_outcome(&config, at(1.0), false, true);
    assert_eq!(limiter.acquire(&config, at(1.0), LUCKY), Admission::Queue, "an outcome is no release");
    limiter.release();
    assert_eq!(limiter.acquire(&config, at(1.0), LUCKY), Admission::Now);
    assert_eq!(limiter.acquire(&config, at(1.0), LUCKY), Admission::Queue);
}

#[test]
fn a_throttle_sheds_what_exceeds_k_times_what_is_accepted() {
    // (parameters, outcomes of calls that were sent: accepted, rejected; probability of shedding the next)
    for (text, accepted, rejected, expected) in [
        ("", 0, 0, 0.0),
        ("", 50, 50, 0.0),
        ("", 20, 80, 60.0 / 101.0),
        ("k = 1.5", 20, 80, 70.0 / 101.0),
        ("", 0, 99, 0.99),
        ("max_rejection = 0.9", 0, 99, 0.9),
        ("threshold = 100", 0, 99, 0.0),
        ("threshold = 100", 0, 100, 100.0 / 101.0),
        ("counts = 'outcomes', k = 1.25", 40, 60, 50.0 / 101.0),
    ] {
        let config = config(&format!("limiter.adaptive_throttle = {{ {text} }}"));
        let mut limiter = Limiter::new(&config);
        for call in 0..accepted + rejected {
            assert_eq!(limiter.acquire(&config, at(1.0), LUCKY), Admission::Now, "{text}");
            limiter.on_outcome(&config, at(1.0), call < accepted, false);
        }
        assert!((limiter.rejection(&config) - expected).abs() < 1e-12, "{text} {accepted} {rejected}");
    }
}

#[test]
fn calls_that_are_shed_count_in_the_book_but_not_in_failsafe_go() {
    for (counts, expected) in [("calls", 20.0 / 21.0), ("outcomes", 10.0 / 11.0)] {
        let config = config(&format!("limiter.adaptive_throttle.counts = '{counts}'"));
        let mut limiter = Limiter::new(&config);
        for _ in 0..10 {
            limiter.acquire(&config, at(1.0), LUCKY);
            limiter.on_outcome(&config, at(1.0), false, true);
        }
        for _ in 0..10 {
            assert_eq!(limiter.acquire(&config, at(1.0), 0), Admission::Shed, "{counts}");
        }
        assert!((limiter.rejection(&config) - expected).abs() < 1e-12, "{counts}");
    }
}

#[test]
fn the_window_forgets_bucket_by_bucket() {
    // 4 buckets of 10 s. A failure at 5 s, one at 15 s: seen from calls at later times.
    let config = config("limiter.adaptive_throttle = { window = '40s', buckets = 4, counts = 'outcomes' }");
    let mut limiter = Limiter::new(&config);
    limiter.on_outcome(&config, at(5.0), false, false);
    limiter.on_outcome(&config, at(15.0), false, false);
    for (seconds, seen) in [(39.9, 3.0), (40.0, 3.0), (49.9, 4.0), (50.0, 4.0), (500.0, 1.0)] {
        limiter.on_outcome(&config, at(seconds), false, false);
        assert!((limiter.rejection(&config) - seen / (seen + 1.0)).abs() < 1e-12, "{seconds}");
    }
    limiter.acquire(&config, at(1000.0), LUCKY);
    assert!(limiter.rejection(&config) > 0.0, "no outcome, no forgetting");
}

#[test]
fn the_adaptive_rate_waits_only_after_the_first_throttling_and_in_order() {
    let config = config("limiter.adaptive_rate = {}");
    let mut limiter = Limiter::new(&config);
    for call in 1..=100u32 {
        assert_eq!(limiter.acquire(&config, at(f64::from(call) / 10.0), LUCKY), Admission::Now);
        limiter.on_outcome(&config, at(f64::from(call) / 10.0), true, false);
    }
    limiter.on_outcome(&config, at(10.0), false, true);
    let Limiter::AdaptiveRate(state) = &limiter else { panic!("it is another kind") };
    let (rate, tokens) = (state.fill_rate(), state.balance());
    assert!((rate - 7.0).abs() < 0.01, "0.7 of 10/s, but {rate}");
    for call in 1..=20 {
        let missing = f64::from(call) - tokens;
        let expected = if missing <= 0.0 { 0.0 } else { missing / rate };
        let wait = match limiter.acquire(&config, at(10.0), LUCKY) {
            Admission::Now => 0.0,
            Admission::After(wait) => wait.as_secs_f64(),
            other => panic!("{other:?}"),
        };
        assert!((wait - expected).abs() < 2e-9, "{call}: {wait} instead of {expected}");
    }
}

#[test]
fn a_million_limiters_fit() {
    assert!(size_of::<Limiter>() <= 48);
}
