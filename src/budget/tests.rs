//! What budgets promise, kind by kind; `tests/budgets.rs` holds them against the real libraries.

use super::*;
use crate::time::Interval;

fn config(text: &str) -> BudgetConfig {
    read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn read(text: &str) -> Result<BudgetConfig, toml::de::Error> {
    #[derive(Deserialize)]
    struct Wrapper {
        budget: BudgetConfig,
    }
    toml::from_str::<Wrapper>(text).map(|wrapper| wrapper.budget)
}

fn at(seconds: f64) -> Instant {
    Instant::START + Interval::from_nanos_f64(seconds * 1e9)
}

/// How many retries are granted at `now` before one is refused.
fn drain(budget: &mut Budget, config: &BudgetConfig, now: Instant, class: Class) -> usize {
    (0..10_000).take_while(|_| budget.try_retry(config, now, class).is_some()).count()
}

#[test]
fn a_budget_is_one_kind_and_says_so() {
    let kinds = "budget.throttle = { max_tokens = 10, token_ratio = 0.1 }\n";
    assert_eq!(config(kinds).scope, Scope::Workload);
    assert_eq!(config(&format!("{kinds}budget.scope = 'client'")).scope, Scope::Client);
    assert_eq!(config(&format!("{kinds}budget.scope = 'global'")).scope, Scope::Global);
    for (text, needle) in [
        ("budget.scope = 'client'", "exactly one"),
        (&format!("{kinds}budget.window = {{}}"), "exactly one"),
        ("budget.token = {}", "unknown field `token`"),
        ("budget.tokens = { capacity = 5, cost = 1, costs = 1 }", "unknown field `costs`"),
        (
            "budget.tokens = { capacity = 5, cost = { transient = 1, throttle = 1 } }",
            "unknown field `throttle`",
        ),
        ("budget.tokens = { capacity = 5, cost = { throttled = 1 } }", "missing field `transient`"),
        ("budget.tokens = { capacity = 5, cost = -1 }", "out of range"),
        ("budget.tokens = { capacity = 5, cost = 'five' }", "a number of tokens, or a table"),
        ("budget.throttle = { max_tokens = 0, token_ratio = 0.1 }", "out of range"),
        ("budget.concurrent = { share = 20 }", "out of range"),
    ] {
        let message = read(text).expect_err(text).to_string();
        assert!(message.contains(needle), "{text}: {message}");
    }
}

#[test]
fn fields_that_contradict_each_other_are_reported() {
    for (text, needle) in [
        ("budget.tokens = { capacity = 5, initial = 6, cost = 1 }", "initial 6 is above the capacity 5"),
        (
            "budget.tokens = { capacity = 5, cost = { transient = 1, timeout = 5.5 } }",
            "never pays a retry of 5.5",
        ),
        ("budget.tokens = { capacity = 1, cost = 1, needs = 'more_than' }", "never pays a retry of 1"),
        ("budget.window.ttl = '500ms'", "1s"),
        ("budget.window.ttl = '61s'", "60s"),
    ] {
        let problem = config(text).problem().expect(text);
        assert!(problem.contains(needle), "{text}: {problem}");
    }
    for text in ["budget.tokens = { capacity = 1, cost = 1 }", "budget.window = {}", "budget.concurrent = {}"]
    {
        assert_eq!(config(text).problem(), None, "{text}");
    }
}

#[test]
fn each_class_has_its_price() {
    // (cost, retries after transient, throttled and timed-out failures from 500 tokens)
    for (cost, expected) in [
        ("14", [35, 35, 35]),
        ("{ transient = 14, throttled = 5 }", [35, 100, 35]),
        ("{ transient = 5, timeout = 10 }", [100, 100, 50]),
    ] {
        let config = config(&format!("budget.tokens = {{ capacity = 500, cost = {cost} }}"));
        for (class, expected) in Class::ALL.into_iter().zip(expected) {
            let mut budget = Budget::new(&config);
            assert_eq!(drain(&mut budget, &config, at(0.0), class), expected, "{cost} {class:?}");
        }
    }
}

#[test]
fn a_tenth_of_a_token_ten_times_is_one_token() {
    let config = config("budget.tokens = { capacity = 5, initial = 0, cost = 1, per_request = 0.1 }");
    let mut budget = Budget::new(&config);
    for request in 1..=10 {
        assert_eq!(budget.try_retry(&config, at(0.0), Class::Timeout), None, "{request}");
        budget.on_request(&config, at(0.0));
    }
    assert!(budget.try_retry(&config, at(0.0), Class::Timeout).is_some());
    assert_eq!(budget.level(), Some(0));
}

#[test]
fn more_than_is_more_than() {
    for (needs, granted) in [("at_least", 5), ("more_than", 4)] {
        let config = config(&format!("budget.tokens = {{ capacity = 5, cost = 1, needs = '{needs}' }}"));
        assert_eq!(drain(&mut Budget::new(&config), &config, at(0.0), Class::Transient), granted, "{needs}");
    }
}

#[test]
fn doubles_find_more_than_one_token_where_there_is_exactly_one() {
    for (arithmetic, granted) in [("exact", 3), ("double", 4)] {
        let config = config(&format!(
            "budget.tokens = {{ capacity = 5, initial = 3, cost = 1, per_request = 0.1, needs = 'more_than', arithmetic = '{arithmetic}' }}"
        ));
        // 3 tokens and 10 deposits of 0.1, of which the 10th makes the bucket hold exactly 1: three retries, in decimals.
        let mut budget = Budget::new(&config);
        let retries = (0..10).filter(|_| {
            budget.on_request(&config, at(0.0));
            budget.try_retry(&config, at(0.0), Class::Transient).is_some()
        });
        assert_eq!(retries.count(), granted, "{arithmetic}");
    }
}

#[test]
fn success_gives_back_what_the_last_retry_took_and_no_more_than_fits() {
    let config = config(
        "budget.tokens = { capacity = 20, cost = { transient = 5, timeout = 10 }, refund = 'last', reward = 1, per_success = 0.5 }",
    );
    let mut budget = Budget::new(&config);
    let now = at(0.0);
    budget.try_retry(&config, now, Class::Timeout);
    let last = budget.try_retry(&config, now, Class::Transient);
    budget.on_success(&config, now, last);
    assert_eq!(budget.level(), Some(10_500_000), "5 of the 15, and 0.5");
    budget.on_success(&config, now, None);
    assert_eq!(budget.level(), Some(12_000_000), "1 and 0.5");
    for _ in 0..100 {
        budget.on_success(&config, now, None);
    }
    assert_eq!(budget.level(), Some(20_000_000));
}

#[test]
fn time_refills_exactly_and_never_above_the_capacity() {
    let config = config("budget.tokens = { capacity = 2, initial = 0, cost = 1, refill = '3/s' }");
    let mut budget = Budget::new(&config);
    let granted = |budget: &mut Budget, nanos| {
        budget.try_retry(&config, Instant::from_nanos(nanos), Class::Transient).is_some()
    };
    assert!(!granted(&mut budget, 333_333_333));
    assert!(granted(&mut budget, 333_333_334));
    assert!(granted(&mut budget, 666_666_667), "what is left over is kept");
    assert!(granted(&mut budget, 1_000_000_000), "three in a second, to the nanosecond");
    assert_eq!(drain(&mut budget, &config, at(100.0), Class::Transient), 2);
}

#[test]
fn a_throttle_ends_retries_at_its_half_and_counts_failures_that_nobody_retries() {
    // gRPC A6, 10 tokens, at most 4 attempts, everything fails: attempts of calls 1, 2, 3 are 4, 1, 1.
    let config = config("budget.throttle = { max_tokens = 10, token_ratio = 0.5 }");
    let mut budget = Budget::new(&config);
    let attempts = |budget: &mut Budget| {
        let mut attempts = 1;
        loop {
            budget.on_failure(&config, true);
            if attempts == 4 || budget.try_retry(&config, at(0.0), Class::Transient).is_none() {
                return attempts;
            }
            attempts += 1;
        }
    };
    assert_eq!([attempts(&mut budget), attempts(&mut budget), attempts(&mut budget)], [4, 1, 1]);
    assert_eq!(budget.level(), Some(4_000_000));
    budget.on_failure(&config, false);
    assert_eq!(budget.level(), Some(4_000_000), "a failure that is not retryable takes nothing");
    budget.on_success(&config, at(0.0), None);
    budget.on_success(&config, at(0.0), None);
    assert_eq!(budget.try_retry(&config, at(0.0), Class::Transient), None, "5 of 10 is not above the half");
    budget.on_success(&config, at(0.0), None);
    assert!(budget.try_retry(&config, at(0.0), Class::Transient).is_some());
    for _ in 0..20 {
        budget.on_failure(&config, true);
    }
    assert_eq!(budget.level(), Some(0));
}

#[test]
fn a_window_rounds_and_expires_as_its_library_does() {
    // (parameters, retries at 0 s, after 100 requests at 20 s)
    for (text, reserve, after) in [
        ("", 100, 120),
        ("like = 'finagle'", 100, 120),
        ("percent = 0.3, min_per_second = 0", 0, 33),
        ("percent = 0.3, min_per_second = 0, like = 'finagle'", 0, 30),
        ("percent = 2, min_per_second = 0", 0, 200),
        ("percent = 0, min_per_second = 1, ttl = '5s'", 5, 5),
    ] {
        let config = config(&format!("budget.window = {{ {text} }}"));
        let mut budget = Budget::new(&config);
        assert_eq!(drain(&mut budget, &config, at(0.0), Class::Transient), reserve, "{text}");
        (0..100).for_each(|_| budget.on_request(&config, at(20.0)));
        assert_eq!(drain(&mut budget, &config, at(20.0), Class::Transient), after, "{text}");
    }
}

#[test]
fn a_slot_lives_as_long_as_in_the_library() {
    // 100 requests at 0 s, a call every second: how long they count. tower keeps ten closed slots, Finagle nine.
    for (like, seconds) in [("tower", 11), ("finagle", 10)] {
        let config =
            config(&format!("budget.window = {{ min_per_second = 0, percent = 1, like = '{like}' }}"));
        let mut budget = Budget::new(&config);
        (0..100).for_each(|_| budget.on_request(&config, at(0.0)));
        let lived =
            (1..).take_while(|&t| budget.try_retry(&config, at(f64::from(t)), Class::Transient).is_some());
        assert_eq!(lived.count(), seconds - 1, "{like}");
    }
}

#[test]
fn a_slot_that_nobody_ends_lives_on() {
    // tower's own test: deposits at 0 s of a window of 1 s still count at 901 ms; then they are gone.
    let config = config("budget.window = { ttl = '1s', min_per_second = 0, percent = 0.5 }");
    let mut budget = Budget::new(&config);
    budget.on_request(&config, at(0.0));
    budget.on_request(&config, at(0.0));
    assert!(budget.try_retry(&config, at(0.901), Class::Transient).is_some());
    for t in [2.902, 3.203, 4.004] {
        assert_eq!(budget.try_retry(&config, at(t), Class::Transient), None, "{t}");
        budget.on_request(&config, at(t));
    }
    assert!(
        budget.try_retry(&config, at(4.004), Class::Transient).is_some(),
        "the 2nd and the 3rd still count"
    );
}

#[test]
fn envoy_counts_attempts_and_holds_a_retry_from_its_decision() {
    // (parameters, attempts under way, retries granted before one is refused)
    for (text, attempts, expected) in [
        ("", 100, 3),
        ("at_least = 5", 0, 5),
        ("share = 0.2", 10, 3),
        ("share = 0.2", 100, 20),
        ("share = 0.2", 105, 21),
        ("at_least = 0", 100, 0),
    ] {
        let config = config(&format!("budget.concurrent = {{ {text} }}"));
        assert!(!config.asks_at_start());
        let mut budget = Budget::new(&config);
        (0..attempts).for_each(|_| budget.on_request(&config, at(0.0)));
        if attempts > 0 {
            budget.on_failure(&config, true);
        }
        assert_eq!(drain(&mut budget, &config, at(0.0), Class::Transient), expected, "{text} {attempts}");
        if expected > 0 {
            budget.on_retry(&config);
            budget.on_success(&config, at(0.0), None);
            budget.on_retry_end();
            assert_eq!(drain(&mut budget, &config, at(0.0), Class::Transient), 1, "{text} {attempts}");
        }
    }
}

#[test]
fn failsafe_go_refuses_only_if_there_are_many_and_they_are_a_large_share() {
    let config = config("budget.concurrent = { at_least = 3, share = 0.2, like = 'failsafe_go' }");
    assert!(config.asks_at_start());
    // (requests, retries granted): r more are allowed while r < 3, or r / (requests + r) <= 0.2.
    for (requests, expected) in [(1, 3), (12, 4), (13, 4), (16, 5), (100, 26)] {
        let mut budget = Budget::new(&config);
        (0..requests).for_each(|_| budget.on_request(&config, at(0.0)));
        budget.on_failure(&config, true);
        assert_eq!(drain(&mut budget, &config, at(0.0), Class::Transient), expected, "{requests}");
        (0..requests).for_each(|_| budget.on_request_end(&config));
        (0..expected).for_each(|_| budget.on_retry_end());
        assert_eq!(drain(&mut budget, &config, at(0.0), Class::Transient), 3, "{requests}");
    }
}

#[test]
fn failures_beyond_their_share_end_retries_for_good() {
    let config = config("budget.failure_share.at_most = 0.1");
    let mut budget = Budget::new(&config);
    (0..10).for_each(|_| budget.on_request(&config, at(0.0)));
    budget.on_failure(&config, true);
    assert!(
        budget.try_retry(&config, at(0.0), Class::Transient).is_some(),
        "1 of 10 is not more than a tenth"
    );
    budget.on_failure(&config, false);
    assert_eq!(budget.try_retry(&config, at(1e6), Class::Transient), None);
    (0..10).for_each(|_| budget.on_request(&config, at(1e6)));
    assert!(budget.try_retry(&config, at(1e6), Class::Transient).is_some());
}

#[test]
fn a_million_budgets_fit() {
    assert!(size_of::<Budget>() <= 40);
    assert!(size_of::<Option<Grant>>() <= 8);
}
