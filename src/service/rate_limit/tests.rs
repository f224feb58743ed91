use serde::Deserialize;

use super::*;
use crate::outcome::StatusCode;

const SECOND: u64 = 1_000_000_000;

fn configs(text: &str) -> Vec<RateLimitConfig> {
    read(text).unwrap_or_else(|message| panic!("{text}: {message}"))
}

fn read(text: &str) -> Result<Vec<RateLimitConfig>, String> {
    #[derive(Debug, Deserialize)]
    struct Wrapper {
        #[serde(deserialize_with = "one_or_more")]
        limit: Vec<RateLimitConfig>,
    }
    toml::from_str::<Wrapper>(text).map(|wrapper| wrapper.limit).map_err(|error| error.to_string())
}

fn limits(text: &str) -> RateLimits {
    let configs = configs(text);
    assert_eq!(configs.iter().find_map(RateLimitConfig::problem), None, "{text}");
    RateLimits::new(&configs, &["read".into(), "write".into()])
}

/// A limit of this kind that tells the exact wait.
fn exact(kind: &str) -> RateLimits {
    limits(&format!("limit = {{ {kind}, retry_after = 'exact' }}"))
}

const fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// An instant in milliseconds.
const fn ms(millis: u64) -> Instant {
    at(millis * 1_000_000)
}

const fn read_call() -> Caller {
    Caller { client: 0, workload: 0, account: 0, operation: 0 }
}

const fn write_call() -> Caller {
    Caller { operation: 1, ..read_call() }
}

fn passes(limits: &mut RateLimits, now: Instant) -> bool {
    limits.admit(now, &read_call()).is_ok()
}

/// How many of `calls` at one instant pass.
fn passing(limits: &mut RateLimits, now: Instant, calls: usize) -> usize {
    (0..calls).filter(|_| passes(limits, now)).count()
}

/// The wait that a refusal tells, in nanoseconds.
fn wait(limits: &mut RateLimits, now: Instant) -> u64 {
    let rejection = limits.admit(now, &read_call()).expect_err("it is refused");
    rejection.retry_after.expect("it says when to come back").wait(now).as_nanos()
}

/// Which of the calls at these milliseconds pass (`+`), and how long they are held, in milliseconds, if at all.
fn answers(limits: &mut RateLimits, millis: &[u64]) -> String {
    let answer = |&at: &u64| match limits.admit(ms(at), &read_call()) {
        Ok(Interval::ZERO) => "+".to_owned(),
        Ok(held) => format!("{}", held.as_nanos() / 1_000_000),
        Err(_) => "-".into(),
    };
    millis.iter().map(answer).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_kind_decides_as_worked_out_by_hand() {
    for (kind, millis, expected) in [
        // Boundary instants: exactly enough tokens, and one nanosecond is tested elsewhere.
        ("token_bucket = { rate = '2/s', burst = 2 }", &[0, 0, 0, 499, 500, 999, 1000][..], "+ + - - + - +"),
        // Three tokens at each whole second, none between.
        (
            "token_bucket = { rate = '3/s', burst = 4, refill = '1s' }",
            &[500, 500, 500, 500, 999, 1000, 1000, 1000, 1000, 2000],
            "+ + + + - + + + - +",
        ),
        ("leaky_bucket = { leak = '2/s', size = 2 }", &[0, 0, 0, 499, 500, 999, 1000], "+ + - - + - +"),
        ("gcra = { rate = '2/s', burst = 2 }", &[0, 0, 0, 499, 500, 999, 1000], "+ + - - + - +"),
        // nginx: delays all.
        ("leaky_queue = { rate = '1/s', burst = 5 }", &[0; 7], "+ 1000 2000 3000 4000 5000 -"),
        ("leaky_queue = { rate = '10/s' }", &[0, 10, 100, 199, 200], "+ - + - +"),
        (
            "leaky_queue = { rate = '10/s', burst = 2, delay = 'none' }",
            &[0, 0, 0, 0, 100, 100],
            "+ + + - + -",
        ),
        ("leaky_queue = { rate = '10/s', burst = 4, delay = 2 }", &[0; 6], "+ + + 100 200 -"),
        // 2/3 of a request per second is 666 thousandths: integers, as in nginx.
        ("leaky_queue = { rate = '2/3s', burst = 1, delay = 'none' }", &[0, 0, 0, 1501, 1502], "+ + - - +"),
        (
            "fixed_window = { limit = 2, window = '1s' }",
            &[0, 999, 999, 1000, 1000, 1000, 2000],
            "+ + - + + - +",
        ),
        (
            "fixed_window = { limit = 1, window = '1s', offset = '2300ms' }",
            &[0, 299, 300, 1299, 1300],
            "+ - + - +",
        ),
        (
            "fixed_window = { limit = 2, window = '1s', aligned = 'first_call' }",
            &[700, 1000, 1699, 1700, 2699, 2699, 5000, 5999, 6000],
            "+ + - + + - + + +",
        ),
        (
            "sliding_log = { limit = 2, window = '1s' }",
            &[0, 600, 999, 1000, 1599, 1600, 2600, 2600],
            "+ + - + - + + +",
        ),
        // The second window begins with the estimate at two: half of it has faded at 1.5 s. In the third, the one of the
        // second and one more are just enough; the next is too much until the window is over.
        (
            "sliding_window = { limit = 2, window = '1s' }",
            &[0, 0, 999, 1000, 1499, 1500, 1999, 2000, 2999, 3000],
            "+ + - - - + - + - +",
        ),
        // One point is left of three when the block ends: two more fit.
        (
            "score = { max = 3, decays_over = '3s', blocked = '2s' }",
            &[0, 0, 0, 0, 1999, 2000, 2000, 2000],
            "+ + + - - + + -",
        ),
    ] {
        assert_eq!(answers(&mut exact(kind), millis), expected, "{kind}");
    }
}

#[test]
fn a_bucket_lets_its_burst_through_and_tells_the_rest_to_wait_for_one_token() {
    // 3 per second, burst 5, eight at once: five pass, the others wait a third of a second (to the next nanosecond).
    for kind in ["token_bucket = { rate = '3/s', burst = 5 }", "gcra = { rate = '3/s', burst = 5 }"] {
        let mut limit = exact(kind);
        assert_eq!(passing(&mut limit, at(0), 5), 5);
        for _ in 0..3 {
            assert_eq!(wait(&mut limit, at(0)), 333_333_334, "{kind}");
        }
    }
    let mut gateway = exact("token_bucket = { rate = '10000/s', burst = 5000 }");
    assert_eq!(passing(&mut gateway, at(0), 6000), 5000);
    assert_eq!(wait(&mut gateway, at(0)), 100_000);
    let mut shop = exact("leaky_bucket = { leak = '2/s', size = 40 }");
    assert_eq!(passing(&mut shop, at(0), 45), 40);
    assert_eq!(wait(&mut shop, at(0)), SECOND / 2);
}

#[test]
fn exactly_enough_tokens_is_enough() {
    for kind in ["token_bucket = { rate = '3/s', burst = 2 }", "gcra = { rate = '3/s', burst = 2 }"] {
        let mut limit = exact(kind);
        assert_eq!(passing(&mut limit, at(0), 3), 2);
        assert!(!passes(&mut limit, at(333_333_333)), "{kind}");
        assert!(passes(&mut limit, at(333_333_334)));
        assert!(passes(&mut limit, at(666_666_667)), "{kind}: the fraction of a token left over is kept");
        assert!(passes(&mut limit, at(1_000_000_000)), "{kind}: three in a second, to the nanosecond");
    }
}

#[test]
fn a_bucket_fed_evenly_admits_exactly_rate_times_time_plus_burst() {
    // 7/s offered 20/s for 1000 s: burst + floor(7 * 999.95) admitted, whatever the rounding.
    let mut bucket = exact("token_bucket = { rate = '7/s', burst = 10 }");
    let admitted = (0..20_000u64).filter(|i| passes(&mut bucket, at(i * 50_000_000))).count();
    assert_eq!(admitted, 10 + 6_999);
}

#[test]
fn an_interval_refill_sends_everybody_to_its_next_multiple_that_has_enough() {
    let mut bucket = exact("token_bucket = { rate = '3/10s', burst = 3, refill = '2s' }");
    assert_eq!(passing(&mut bucket, ms(500), 4), 3);
    // 0.6 tokens every 2 s: the second refill makes 1.2.
    assert_eq!(wait(&mut bucket, ms(500)), 3_500_000_000);
    assert!(!passes(&mut bucket, ms(3999)) && passes(&mut bucket, ms(4000)));
    assert_eq!(wait(&mut bucket, ms(4000)), 4 * SECOND, "0.2 are left, 1.4 after two more");
}

#[test]
fn a_queue_tells_the_millisecond_at_which_there_is_room() {
    let mut queue = exact("leaky_queue = { rate = '3/s', burst = 1 }");
    assert_eq!(passing(&mut queue, ms(10), 3), 2);
    // One thousand thousandths at 3000 per second: 334 ms after the last millisecond in which one passed.
    assert_eq!(wait(&mut queue, at(10_000_001)), 333_999_999);
    assert!(!passes(&mut queue, at(343_999_999)) && passes(&mut queue, ms(344)));
}

#[test]
fn a_window_counts_anew_at_its_first_instant_and_sends_everybody_there() {
    let mut window = exact("fixed_window = { limit = 2, window = '60s' }");
    let minute = 60 * SECOND;
    assert!(passes(&mut window, at(10)) && passes(&mut window, at(20)));
    assert_eq!(wait(&mut window, at(minute / 4)), 45 * SECOND);
    assert!(!passes(&mut window, at(minute - 1)));
    assert_eq!(passing(&mut window, at(minute), 3), 2);
}

#[test]
fn a_sliding_window_estimates_as_in_the_published_example() {
    // 42 in the last minute, 18 in this one, a quarter of it gone: 42 * 0.75 + 18 = 49.5. The next makes 50.5.
    for (limit, pass) in [(50, 18), (51, 19)] {
        let mut window = exact(&format!("sliding_window = {{ limit = {limit}, window = '60s' }}"));
        assert_eq!(passing(&mut window, at(0), 42), 42);
        assert_eq!(passing(&mut window, at(75 * SECOND), 30), pass);
    }
    let vector = |previous: usize, current: usize| {
        let mut window = exact("sliding_window = { limit = 100, window = '60s' }");
        assert_eq!(passing(&mut window, at(0), previous), previous);
        // Late in the minute before, an allowance that has faded by then lets the current count in.
        let mut counted = passing(&mut window, at(60 * SECOND), current);
        counted += passing(&mut window, at(75 * SECOND), current - counted);
        (counted, wait(&mut window, at(75 * SECOND)))
    };
    assert_eq!(vector(0, 100), (100, 45_600_000_000));
    // 100 before: 25 pass at a quarter, and the next has to wait until another one has faded.
    assert_eq!(vector(100, 50), (25, 600_000_000));
}

#[test]
fn a_sliding_window_with_counted_refusals_waits_as_worked_out() {
    // 100 before and 50 now, half of which were refused: 100 * 0.75 + 50 + 1 must fade by 26, at 100 per 60 s.
    let mut window = limits(
        "limit = { sliding_window = { limit = 100, window = '60s' }, retry_after = 'exact', rejected = 'counts' }",
    );
    assert_eq!(passing(&mut window, at(0), 100), 100);
    assert_eq!(passing(&mut window, at(75 * SECOND), 49), 25);
    assert_eq!(wait(&mut window, at(75 * SECOND)), 15_600_000_000);
}

#[test]
fn a_log_waits_for_its_oldest_entry_and_forgets_it_exactly_then() {
    let mut log = exact("sliding_log = { limit = 3, window = '10s' }");
    for at in [0, 1000, 4000] {
        assert!(passes(&mut log, ms(at)));
    }
    assert_eq!(wait(&mut log, ms(4000)), 6 * SECOND);
    assert!(!passes(&mut log, at(10 * SECOND - 1)) && passes(&mut log, at(10 * SECOND)));
}

#[test]
fn calls_in_progress_are_limited_until_the_instant_they_end() {
    let mut limit = limits("limit.concurrency.limit = 2");
    assert!(limit.tracks_ends());
    let call = read_call();
    limit.admit(ms(0), &call).unwrap();
    limit.ends_at(&call, ms(0), ms(100));
    limit.admit(ms(50), &call).unwrap();
    let rejection = limit.admit(ms(99), &call).unwrap_err();
    assert_eq!(rejection.retry_after, None, "nobody knows when a call ends");
    limit.admit(ms(100), &call).unwrap();
    limit.ends_at(&call, ms(100), ms(900));
    assert!(!passes(&mut limit, ms(200)));
    limit.ended(&call, ms(50), ms(200));
    assert!(passes(&mut limit, ms(200)));
}

#[test]
fn calls_count_from_their_age_on() {
    // Salesforce: only what is 20 s old counts.
    let mut limit = limits("limit.concurrency = { limit = 1, counts_from = '20s' }");
    let call = read_call();
    for (began, ends) in [(0, Some(30)), (1, Some(21)), (2, None), (3, None)] {
        limit.admit(ms(1000 * began), &call).expect("they are young");
        if let Some(ends) = ends {
            limit.ends_at(&call, ms(1000 * began), ms(1000 * ends));
        }
    }
    limit.ended(&call, ms(2000), ms(10_000));
    assert!(passes(&mut limit, ms(19_999)), "none is old enough");
    limit.ended(&call, ms(19_999), ms(19_999));
    assert!(!passes(&mut limit, ms(20_000)), "the first is, exactly");
    assert!(!passes(&mut limit, ms(29_999)));
    assert!(!passes(&mut limit, ms(30_000)), "the last one counts since 23 s");
    limit.ended(&call, ms(3000), ms(31_000));
    assert!(passes(&mut limit, ms(31_000)), "the others ended before they counted");
}

#[test]
fn a_score_blocks_who_reaches_it_and_decays_meanwhile() {
    // Meta's development tier: 60 points, gone in 300 s, 300 s blocked; reads cost 1, writes 3.
    let mut tier = limits(
        "limit = { score = { max = 60, decays_over = '300s', blocked = '300s' }, cost = { write = 3 }, \
         status = 'error_17', retry_after = 'exact' }",
    );
    for _ in 0..19 {
        tier.admit(at(0), &write_call()).unwrap();
    }
    assert_eq!(passing(&mut tier, at(0), 4), 3, "the call that reaches 60 passes");
    let rejection = tier.admit(at(SECOND), &write_call()).unwrap_err();
    assert_eq!((rejection.outcome, rejection.limit), (Outcome::Error(17), 0));
    assert_eq!(wait(&mut tier, at(SECOND)), 299 * SECOND);
    assert!(!passes(&mut tier, at(300 * SECOND - 1)));
    assert_eq!(passing(&mut tier, at(300 * SECOND), 100), 60, "everything has decayed");
    // The standard tier is blocked for 60 s only, in which a fifth of 9000 decays.
    let mut tier = exact("score = { max = 9000, decays_over = '300s', blocked = '60s' }");
    assert_eq!(passing(&mut tier, at(0), 10_000), 9000);
    assert_eq!(passing(&mut tier, at(60 * SECOND), 10_000), 1800);
    // Without a block the score must fall below its maximum.
    let mut tier = exact("score = { max = 10, decays_over = '10s', blocked = '0s' }");
    assert_eq!(passing(&mut tier, at(0), 20), 10);
    assert_eq!(wait(&mut tier, at(0)), 1);
}

#[test]
fn hints_have_the_form_of_the_service() {
    let second = |count| Some(RetryAfter::In(Interval::from_secs(count)));
    // A bucket of two that gets a token every 2.5 s, empty at 0.2 s; asked at 0.7 s.
    for (header, expected) in [
        ("'seconds'", second(2)),
        ("'seconds_down'", second(2)),
        ("'exact'", second(2)),
        ("'minutes'", second(60)),
        ("'date'", Some(RetryAfter::At(ms(3000)))),
        ("'reset_seconds'", second(5)),
        ("'reset_epoch'", Some(RetryAfter::At(ms(5000)))),
        ("'none'", None),
        ("{ constant = '30s' }", second(30)),
        ("{ wrong = { times = 0.5 } }", second(1)),
    ] {
        let text =
            format!("limit = {{ token_bucket = {{ rate = '1/2.5s', burst = 2 }}, retry_after = {header} }}");
        let mut bucket = limits(&text);
        assert_eq!(passing(&mut bucket, ms(200), 2), 2);
        assert_eq!(bucket.admit(ms(700), &read_call()).unwrap_err().retry_after, expected, "{header}");
    }
    for (header, expected) in [("seconds", 1), ("seconds_down", 0)] {
        let mut bucket = limits(&format!(
            "limit = {{ token_bucket = {{ rate = '10/s', burst = 1 }}, retry_after = '{header}' }}"
        ));
        assert!(passes(&mut bucket, at(0)));
        assert_eq!(wait(&mut bucket, at(0)), expected * SECOND, "{header}");
    }
}

#[test]
fn who_learns_a_date_later_waits_less() {
    let date = RetryAfter::At(ms(2000));
    assert_eq!(date.wait(ms(1000)), Interval::from_secs(1));
    assert_eq!(date.wait(ms(3000)), Interval::ZERO);
}

#[test]
fn every_kind_knows_when_it_is_as_good_as_new() {
    for (kind, reset) in [
        ("token_bucket = { rate = '2/s', burst = 2 }", 1000),
        ("token_bucket = { rate = '2/s', burst = 2, refill = '800ms' }", 1400),
        ("leaky_bucket = { leak = '2/s', size = 2 }", 1000),
        ("gcra = { rate = '2/s', burst = 2 }", 1000),
        ("leaky_queue = { rate = '2/s', burst = 1 }", 1000),
        ("fixed_window = { limit = 2, window = '10s' }", 9800),
        ("fixed_window = { limit = 2, window = '10s', aligned = 'first_call' }", 10_000),
        ("sliding_log = { limit = 2, window = '10s' }", 10_000),
        ("sliding_window = { limit = 2, window = '10s' }", 19_800),
        ("score = { max = 2, decays_over = '10s', blocked = '3s' }", 10_000),
    ] {
        let mut limit = limits(&format!("limit = {{ {kind}, retry_after = 'reset_seconds' }}"));
        assert_eq!(passing(&mut limit, ms(200), 2), 2);
        assert_eq!(wait(&mut limit, ms(200)), ms(reset).ceil_to_seconds().as_nanos(), "{kind}");
    }
}

#[test]
fn operations_cost_what_is_written_and_some_nothing() {
    let mut limit = limits(
        "limit = { token_bucket = { rate = '1/s', burst = 5 }, cost = { write = 3, read = 0 }, retry_after = 'exact' }",
    );
    limit.admit(at(0), &write_call()).unwrap();
    let refused = limit.admit(at(0), &write_call()).unwrap_err();
    assert_eq!(
        refused.retry_after,
        Some(RetryAfter::In(Interval::from_secs(1))),
        "two are left, three needed"
    );
    assert_eq!(passing(&mut limit, at(0), 100), 100, "what costs nothing is not limited");
    let other = Caller { operation: 9, ..read_call() };
    assert!(limit.admit(at(0), &other).is_ok() && limit.admit(at(0), &other).is_ok());
    assert!(limit.admit(at(0), &other).is_err(), "others cost 1");
}

#[test]
fn a_refund_comes_when_the_call_ends() {
    // Shopify GraphQL: the requested cost is held, what the query did not need comes back.
    for kind in [
        "leaky_bucket = { leak = '100/s', size = 2000 }",
        "token_bucket = { rate = '100/s', burst = 2000 }",
        "gcra = { rate = '100/s', burst = 2000 }",
    ] {
        let mut limit = limits(&format!(
            "limit = {{ {kind}, cost = 1000, refund = {{ read = 900 }}, retry_after = 'exact' }}"
        ));
        let (read, write) = (read_call(), write_call());
        limit.admit(at(0), &read).unwrap();
        limit.ends_at(&read, at(0), ms(2000));
        limit.admit(at(0), &write).unwrap();
        limit.ends_at(&write, at(0), ms(1000));
        assert_eq!(
            wait(&mut limit, ms(1000)),
            9 * SECOND,
            "{kind}: nothing comes back for writes, 100 have leaked"
        );
        assert!(!passes(&mut limit, at(2 * SECOND - 1)));
        limit.admit(ms(2000), &read).unwrap_or_else(|_| panic!("{kind}: 200 have leaked, 900 come back"));
        limit.ended(&read, ms(2000), ms(3000));
        // 100 left at 2 s, 100 more and the refund of 900 at 3 s.
        assert!(passes(&mut limit, ms(3000)));
        assert_eq!(wait(&mut limit, ms(3000)), 9 * SECOND, "{kind}");
    }
}

#[test]
fn a_refund_never_makes_more_than_fits() {
    for kind in ["token_bucket = { rate = '1/s', burst = 10 }", "gcra = { rate = '1/s', burst = 10 }"] {
        let mut limit = limits(&format!("limit = {{ {kind}, refund = 1 }}"));
        assert!(passes(&mut limit, at(0)));
        limit.ends_at(&read_call(), at(0), at(60 * SECOND));
        assert_eq!(passing(&mut limit, at(60 * SECOND), 20), 10, "{kind}");
    }
}

#[test]
fn a_lockout_refuses_everything_for_its_length() {
    // Airtable: 5 per second, and whoever exceeds it waits for 30 s.
    let text = |rest: &str| {
        format!(
            "limit = {{ fixed_window = {{ limit = 5, window = '1s' }}, retry_after = 'exact', lockout = {{ lasts = '30s'{rest} }} }}"
        )
    };
    let mut limit = limits(&text(""));
    assert_eq!(passing(&mut limit, at(0), 5), 5);
    assert_eq!(wait(&mut limit, at(0)), 30 * SECOND);
    assert_eq!(wait(&mut limit, at(10 * SECOND)), 20 * SECOND, "calls during it do nothing");
    assert!(!passes(&mut limit, at(30 * SECOND - 1)));
    assert_eq!(passing(&mut limit, at(30 * SECOND), 6), 5);

    let mut limit = limits(&text(", calls_during = 'restart'"));
    assert_eq!(passing(&mut limit, at(0), 6), 5);
    assert_eq!(wait(&mut limit, at(29 * SECOND)), 30 * SECOND);
    assert!(!passes(&mut limit, at(58 * SECOND)) && passes(&mut limit, at(88 * SECOND)));

    let mut limit = limits(&text(", calls_during = 'escalate', factor = 3, max = '2m'"));
    assert_eq!(passing(&mut limit, at(0), 5), 5);
    for rest in [30, 90, 120, 120] {
        assert_eq!(wait(&mut limit, at(0)), rest * SECOND);
    }
    assert_eq!(passing(&mut limit, at(120 * SECOND), 5), 5);
    assert_eq!(wait(&mut limit, at(120 * SECOND)), 30 * SECOND, "the next one is short again");
}

#[test]
fn a_hint_covers_both_the_lockout_and_the_limit() {
    let mut limit = limits(
        "limit = { fixed_window = { limit = 1, window = '60s' }, retry_after = 'exact', lockout.lasts = '30s' }",
    );
    assert!(passes(&mut limit, at(0)));
    assert_eq!(wait(&mut limit, at(0)), 60 * SECOND);
    assert_eq!(wait(&mut limit, at(59 * SECOND)), 30 * SECOND, "a new lockout outlasts the window");
    let mut calls = limits("limit = { concurrency.limit = 1, lockout.lasts = '5s', retry_after = 'exact' }");
    assert!(passes(&mut calls, at(0)));
    assert_eq!(wait(&mut calls, at(0)), 5 * SECOND, "of a concurrency limit the lockout alone is known");
}

#[test]
fn refused_calls_count_where_it_says_so() {
    let calls = [0, 0, 0, 500, 1000, 1400, 1500, 1600, 1999, 2000];
    for (kind, free, counts) in [
        ("token_bucket = { rate = '1/s', burst = 2 }", "+ + - - + - - - - +", "+ + - - - - - - - -"),
        ("gcra = { rate = '1/s', burst = 2 }", "+ + - - + - - - - +", "+ + - - - - - - - -"),
        ("leaky_bucket = { leak = '1/s', size = 2 }", "+ + - - + - - - - +", "+ + - - - - - - - -"),
        ("fixed_window = { limit = 2, window = '1s' }", "+ + - - + + - - - +", "+ + - - + + - - - +"),
        ("sliding_log = { limit = 2, window = '1s' }", "+ + - - + + - - - +", "+ + - - + - - - - -"),
    ] {
        for (rejected, expected) in [("free", free), ("counts", counts)] {
            let mut limit = limits(&format!("limit = {{ {kind}, rejected = '{rejected}' }}"));
            assert_eq!(answers(&mut limit, &calls), expected, "{kind}, {rejected}");
        }
    }
}

#[test]
fn of_stacked_limits_the_first_that_refuses_answers_and_nothing_is_consumed() {
    // Klaviyo's small tier: 3 in a second and 4 in a minute.
    let text = |rejected: &str| {
        format!(
            "[[limit]]\nfixed_window = {{ limit = 3, window = '1s' }}\nretry_after = 'exact'\nrejected = '{rejected}'\n\
             [[limit]]\nsliding_log = {{ limit = 4, window = '60s' }}\nretry_after = 'exact'\nstatus = 503"
        )
    };
    let mut limit = limits(&text("free"));
    assert_eq!(passing(&mut limit, at(0), 3), 3);
    let first = limit.admit(at(0), &read_call()).unwrap_err();
    assert_eq!((first.limit, first.outcome), (0, Outcome::Status(StatusCode::TOO_MANY_REQUESTS)));
    assert!(passes(&mut limit, at(SECOND)));
    for _ in 0..5 {
        let second = limit.admit(at(SECOND), &read_call()).unwrap_err();
        assert_eq!((second.limit, second.outcome), (1, Outcome::Status(StatusCode::SERVICE_UNAVAILABLE)));
        assert_eq!(second.retry_after, Some(RetryAfter::In(Interval::from_secs(59))));
    }
    // Where refused calls count, the first limit has seen those that the second refuses.
    let mut limit = limits(&text("counts"));
    assert_eq!(passing(&mut limit, at(0), 3) + passing(&mut limit, at(SECOND), 1), 4);
    let refusers: Vec<_> = (0..4).map(|_| limit.admit(at(SECOND), &read_call()).unwrap_err().limit).collect();
    assert_eq!(refusers, [1, 1, 0, 0]);
}

#[test]
fn each_key_has_its_own_measure() {
    let caller = |client, workload, account| Caller { client, workload, account, operation: 0 };
    let calls = [caller(0, 0, 0), caller(1, 0, 1), caller(0, 1, 1), caller(7, 3, 0), caller(0, 0, 0)];
    for (scope, expected) in [
        ("client", [true, true, true, true, false]),
        ("workload", [true, false, true, true, false]),
        ("account", [true, true, false, false, false]),
        ("all", [true, false, false, false, false]),
    ] {
        let mut limit = limits(&format!(
            "limit = {{ fixed_window = {{ limit = 1, window = '1s' }}, scope = '{scope}' }}"
        ));
        assert_eq!(calls.map(|call| limit.admit(at(0), &call).is_ok()), expected, "{scope}");
    }
}

#[test]
fn an_incident_may_scale_a_limit_and_restore_it() {
    for kind in ["token_bucket = { rate = '10/s', burst = 10 }", "gcra = { rate = '10/s', burst = 10 }"] {
        let mut limit = exact(kind);
        assert_eq!(passing(&mut limit, at(0), 3), 3);
        limit.scale(at(0), 1, 2);
        assert_eq!(passing(&mut limit, at(0), 20), 5, "{kind}: seven are left, five fit");
        assert_eq!(wait(&mut limit, at(0)), SECOND / 5, "{kind}");
        assert_eq!(passing(&mut limit, at(SECOND), 20), 5);
        assert_eq!(passing(&mut limit, at(SECOND + SECOND / 10), 20), 0, "{kind}: half a token");
        limit.scale(at(SECOND + SECOND / 10), 1, 1);
        assert_eq!(passing(&mut limit, at(SECOND + SECOND / 10), 20), 0);
        assert_eq!(wait(&mut limit, at(SECOND + SECOND / 10)), SECOND / 20, "{kind}: the half is kept");
    }
    for (kind, half, whole) in [
        ("leaky_queue = { rate = '10/s', burst = 9, delay = 'none' }", 5, 10),
        ("fixed_window = { limit = 10, window = '10s' }", 5, 10),
        ("sliding_log = { limit = 10, window = '10s' }", 5, 10),
        ("sliding_window = { limit = 10, window = '10s' }", 5, 10),
        ("concurrency = { limit = 10 }", 5, 10),
        ("score = { max = 10, decays_over = '10s', blocked = '10s' }", 5, 10),
    ] {
        let mut limit = limits(&format!("limit = {{ {kind}, cost = {{ write = 2 }} }}"));
        limit.scale(at(0), 1, 2);
        assert_eq!(passing(&mut limit, at(0), 20), half, "{kind}");
        let mut limit = limits(&format!("limit = {{ {kind}, cost = {{ write = 2 }} }}"));
        limit.scale(at(0), 1, 2);
        limit.scale(at(0), 1, 1);
        assert_eq!(passing(&mut limit, at(0), 20), whole, "{kind}");
        let mut limit = limits(&format!("limit = {{ {kind}, cost = {{ write = 2 }} }}"));
        limit.scale(at(0), 1, 1000);
        assert!(limit.admit(at(0), &write_call()).is_ok(), "{kind}: the dearest still passes alone");
    }
}

#[test]
fn what_makes_no_sense_is_explained() {
    for (text, needle) in [
        ("{}", "needs a kind"),
        ("{ gcra = { rate = '1/s', burst = 1 }, concurrency.limit = 3 }", "has gcra and concurrency"),
        (
            "{ token_bucket = { rate = '1/s', burst = 1, retry_after = 'exact' } }",
            "unknown field `retry_after`",
        ),
        ("'10/s'", "expected a rate limit such as"),
        ("{ concurrency.limit = 3, cost = 'much' }", "expected a whole number for all operations"),
        ("{ concurrency.limit = 3, status = 'bad' }", "error_606"),
        ("{ leaky_queue = { rate = '1/s', delay = 'some' } }", "write \"all\", \"none\""),
    ] {
        let message = read(&format!("limit = {text}")).expect_err(text);
        assert!(message.contains(needle), "{text}: {message}");
    }
    for (text, needle) in [
        ("{ fixed_window = { limit = 1, window = '0s' } }", "a window of 0s"),
        ("{ token_bucket = { rate = '1/s', burst = 1, refill = '0s' } }", "a refill of 0s"),
        ("{ score = { max = 1, decays_over = '0s', blocked = '1s' } }", "a decays_over of 0s"),
        ("{ leaky_queue = { rate = '1/1001s' } }", "below 1/1000s"),
        (
            "{ fixed_window = { limit = 1, window = '1s', aligned = 'first_call', offset = '1s' } }",
            "remove one",
        ),
        ("{ fixed_window = { limit = 1, window = '1s' }, status = 204 }", "204 is a success"),
        ("{ concurrency.limit = 3, retry_after = 'seconds' }", "nobody knows when a call will end"),
        ("{ concurrency.limit = 3, rejected = 'counts' }", "no meaning for concurrency"),
        ("{ sliding_log = { limit = 3, window = '1s' }, cost = { write = 4 } }", "\"write\" costs 4"),
        ("{ sliding_log = { limit = 3, window = '1s' }, cost = 4 }", "a call costs 4"),
        ("{ sliding_log = { limit = 3, window = '1s' }, refund = 1 }", "cannot give back"),
        ("{ gcra = { rate = '1/s', burst = 9 }, cost = 3, refund = { read = 4 } }", "\"read\" costs 3 and"),
        ("{ concurrency.limit = 3, lockout.lasts = '0s' }", "lockout of 0s"),
        ("{ concurrency.limit = 3, lockout = { lasts = '1s', factor = 3 } }", "calls_during = \"escalate\""),
        (
            "{ concurrency.limit = 3, lockout = { lasts = '2s', calls_during = 'escalate', max = '1s' } }",
            "within max = \"1s\"",
        ),
    ] {
        let problem = configs(&format!("limit = {text}"))[0].problem().expect(text);
        assert!(problem.contains(needle), "{text}: {problem}");
    }
    let config = &configs("limit = { concurrency.limit = 3, cost = { wriet = 4 } }")[0];
    let operations = ["read", "write"].map(str::to_owned);
    assert_eq!(config.unknown_operations(&operations), [("wriet", Some("write"))]);
    assert_eq!(config.unknown_operations(&["read".to_owned()]), [("wriet", None)]);
    assert_eq!(config.unknown_operations(&["wriet".to_owned()]), []);
}

#[test]
fn reports_hold_a_peak_against_the_tightest_limit_on_all_together() {
    let configs = configs(
        "[[limit]]\ntoken_bucket = { rate = '10/s', burst = 100 }\ncost = 2\n\
         [[limit]]\nfixed_window = { limit = 60, window = '10s' }\n\
         [[limit]]\ntoken_bucket = { rate = '1/s', burst = 1 }\nscope = 'client'\n\
         [[limit]]\ntoken_bucket = { rate = '1/s', burst = 1 }\ncost = { read = 0 }\n\
         [[limit]]\nconcurrency.limit = 1",
    );
    let callers = |clients| Callers { clients, workloads: 3, accounts: 5 };
    assert_eq!(per_second(&configs, callers(20)), Some(5.0), "10 tokens, 2 each");
    assert_eq!(per_second(&configs, callers(1)), Some(1.0), "what bounds the only client bounds all");
    let within = |configs: &[RateLimitConfig], seconds, clients| {
        allowance(configs, Interval::from_secs(seconds), callers(clients))
    };
    assert_eq!(within(&configs, 1, 1000), Some(50.0), "100 tokens at once, 2 each");
    assert_eq!(within(&configs, 60, 1000), Some(300.0));
    assert_eq!(within(&configs, 1, 20), Some(20.0), "each client has a token");
    assert_eq!(within(&configs[2..], 60, 20), Some(1200.0));
    assert_eq!((per_second(&configs[2..], callers(20)), within(&configs[3..], 1, 20)), (None, None));
    for (scope, keys) in [("account", 5.0), ("workload", 3.0), ("client", 7.0), ("all", 1.0)] {
        let text = format!("limit = {{ fixed_window = {{ limit = 4, window = '1s' }}, scope = '{scope}' }}");
        assert_eq!(within(&self::configs(&text), 1, 7), Some(4.0 * keys), "{scope}");
        assert_eq!(within(&self::configs(&text), 1, 0), (scope != "client").then_some(4.0 * keys), "{scope}");
    }
}

#[test]
fn an_incident_may_let_more_through() {
    for kind in ["token_bucket = { rate = '10/s', burst = 10 }", "gcra = { rate = '10/s', burst = 10 }"] {
        let mut limit = exact(kind);
        limit.scale(at(0), 4, 1);
        assert_eq!(passing(&mut limit, at(0), 50), 10, "{kind}: what was left stays");
        assert_eq!(wait(&mut limit, at(0)), SECOND / 40, "{kind}");
        assert_eq!(passing(&mut limit, at(2 * SECOND), 50), 40, "{kind}");
    }
    for kind in [
        "leaky_queue = { rate = '10/s', burst = 9, delay = 'none' }",
        "fixed_window = { limit = 10, window = '10s' }",
        "sliding_log = { limit = 10, window = '10s' }",
        "sliding_window = { limit = 10, window = '10s' }",
        "concurrency = { limit = 10 }",
        "score = { max = 10, decays_over = '10s', blocked = '0s' }",
    ] {
        // What has been counted stays counted: with seven of ten gone, 33 of 40 are left, and then none of ten.
        let mut limit = limits(&format!("limit = {{ {kind} }}"));
        assert_eq!(passing(&mut limit, at(0), 7), 7, "{kind}");
        limit.scale(at(0), 4, 1);
        assert_eq!(passing(&mut limit, at(0), 50), 33, "{kind}");
        limit.scale(at(0), 1, 1);
        assert_eq!(passing(&mut limit, at(0), 50), 0, "{kind}");
    }
}

#[test]
fn a_refused_call_counts_as_far_as_there_is_room() {
    // A thousand calls at once, of which ten pass: the others do not fill more than the limit has.
    let mut score = limits(
        "limit = { score = { max = 10, decays_over = '10s', blocked = '1s' }, rejected = 'counts', retry_after = 'exact' }",
    );
    assert_eq!(passing(&mut score, at(0), 1000), 10);
    assert_eq!(wait(&mut score, at(0)), SECOND);
    assert!(!passes(&mut score, at(SECOND - 1)) && passes(&mut score, at(SECOND + 1)));
    let mut window =
        limits("limit = { sliding_window = { limit = 10, window = '10s' }, rejected = 'counts' }");
    assert_eq!(passing(&mut window, at(0), 1000), 10);
    assert_eq!(passing(&mut window, at(15 * SECOND), 1000), 5, "half of the last window's ten are gone");
}
