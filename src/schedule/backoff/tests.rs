//! Every shape against its formula.

use super::*;

fn backoff(text: &str) -> Backoff {
    #[derive(Deserialize)]
    struct Wrapper {
        backoff: Backoff,
    }
    toml::from_str::<Wrapper>(text).unwrap_or_else(|error| panic!("{text}: {error}")).backoff
}

#[test]
fn shapes_follow_their_formulas() {
    let cases: [(&str, &[(u32, u64)]); 21] = [
        ("backoff.fixed = '60s'", &[(1, 60_000), (100, 60_000)]),
        ("backoff.list = '5s'", &[(1, 5_000), (9, 5_000)]),
        ("backoff.list = ['1s', '10s', '100s']", &[(1, 1_000), (2, 10_000), (3, 100_000), (4, 100_000)]),
        ("backoff.linear = { first = '100ms', step = '50ms' }", &[(1, 100), (2, 150), (11, 600)]),
        ("backoff.exponential = { base = '50ms' }", &[(1, 50), (2, 100), (10, 25_600)]),
        ("backoff.exponential = { base = '500ms', factor = 1.5 }", &[(1, 500), (2, 750), (3, 1_125)]),
        // axios-retry: 200, 400 ms; stripe-node: 250 ms where others have 500; urllib3: 0, 2 f, 4 f; Dagster: 1, 3, 7.
        ("backoff.exponential = { base = '100ms', exponent = 1 }", &[(1, 200), (2, 400), (3, 800)]),
        ("backoff.exponential = { base = '500ms', exponent = -1 }", &[(1, 250), (2, 500), (3, 1_000)]),
        ("backoff.exponential = { base = '1s', zero_first = true }", &[(1, 0), (2, 2_000), (3, 4_000)]),
        (
            "backoff.exponential = { base = '60s', exponent = 1, minus_one = true }",
            &[(1, 60_000), (2, 180_000), (3, 420_000)],
        ),
        // tokio-retry: the base is start and ratio at once.
        (
            "backoff.exponential = { base = '1ms', factor = 10, exponent = 1 }",
            &[(1, 10), (2, 100), (3, 1_000)],
        ),
        // Sidekiq: c^4 + 15 with c = n - 1; octokit: n^2.
        (
            "backoff.polynomial = { unit = '1s', power = 4, offset = -1, plus = '15s' }",
            &[(1, 15_000), (2, 16_000), (3, 31_000), (25, 331_791_000)],
        ),
        ("backoff.polynomial = { unit = '1s', power = 2 }", &[(1, 1_000), (2, 4_000), (3, 9_000)]),
        ("backoff.fibonacci = { base = '100ms' }", &[(1, 100), (2, 100), (3, 200), (4, 300), (9, 3_400)]),
        (
            "backoff.fibonacci = { base = '1s', stays_from = '60s' }",
            &[(10, 55_000), (11, 89_000), (12, 89_000), (99, 89_000)],
        ),
        // The example of the Cloud Tasks documentation, before its cap of 300 s.
        (
            "backoff.double_then_linear = { base = '10s', doublings = 3 }",
            &[(1, 10_000), (2, 20_000), (3, 40_000), (4, 80_000), (5, 160_000), (6, 240_000), (7, 320_000)],
        ),
        // resilience4j: 500, 750, 1125, 1687, 2530, 3795, 5692 ms.
        (
            "backoff.iterated = { first = '500ms', factor = 1.5, whole = '1ms' }",
            &[(1, 500), (2, 750), (3, 1_125), (4, 1_687), (5, 2_530), (6, 3_795), (7, 5_692)],
        ),
        ("backoff.iterated = { first = '1s', factor = 1 }", &[(1, 1_000), (1_000_000, 1_000)]),
        // cenkalti/backoff with InitialInterval above MaxInterval.
        (
            "backoff.iterated = { first = '5s', factor = 2, cap = '2s' }",
            &[(1, 5_000), (2, 2_000), (9, 2_000)],
        ),
        ("backoff.fibonacci = { base = '0s' }", &[(1, 0), (1_000_000, 0)]),
        ("backoff.list = { delays = ['1s', '2s'], then = 'repeat' }", &[(2, 2_000), (3, 2_000)]),
    ];
    for (text, expected) in cases {
        for &(n, millis) in expected {
            assert_eq!(backoff(text).delay(n), Some(Interval::from_millis(millis)), "{text}, retry {n}");
        }
    }
}

#[test]
fn single_precision_is_that_of_the_libraries() {
    // What backon 1.6.0 returns, and what Go's float32 makes of the same numbers.
    let cases: [(&str, [u64; 4]); 4] = [
        ("factor = 2, arithmetic = 'single_seconds'", [100_000_000, 200_000_003, 400_000_006, 800_000_012]),
        ("factor = 1.5, arithmetic = 'single_seconds'", [100_000_000, 150_000_006, 225_000_009, 337_500_006]),
        (
            "factor = 1.1, arithmetic = 'single_nanoseconds'",
            [100_000_000, 110_000_000, 121_000_000, 133_100_000],
        ),
        (
            "factor = 1.7, arithmetic = 'single_nanoseconds'",
            [100_000_000, 170_000_000, 289_000_000, 491_300_000],
        ),
    ];
    for (text, nanos) in cases {
        let backoff = backoff(&format!("backoff.iterated = {{ first = '100ms', {text} }}"));
        let delays = [1, 2, 3, 4].map(|n| backoff.delay(n).map(Interval::as_nanos));
        assert_eq!(delays, nanos.map(Some), "{text}");
    }
}

#[test]
fn a_list_may_end() {
    let list = backoff("backoff.list = { delays = ['1s', '2s'], then = 'give_up' }");
    assert_eq!(list.delay(2), Some(Interval::from_secs(2)));
    assert_eq!(list.delay(3), None);
}

#[test]
fn a_table_is_the_formula() {
    for text in [
        "backoff.iterated = { first = '999ms', factor = 1.003, whole = '1ms' }",
        "backoff.iterated = { first = '1s', factor = 1 }",
        "backoff.iterated = { first = '5s', factor = 2, cap = '2s' }",
        "backoff.iterated = { first = '999ms', factor = 1.003, cap = '1h', arithmetic = 'single_seconds' }",
        "backoff.fibonacci = { base = '1s' }",
        "backoff.list = { delays = ['1s', '2s'], then = 'give_up' }",
    ] {
        let formula = backoff(text);
        for retries in [1, 40, 1_000_000] {
            let table = Table::new(&formula, retries);
            for n in (1..retries.min(100)).chain([
                retries.min(4_095),
                retries.min(4_096),
                retries.min(4_097),
                retries,
            ]) {
                assert_eq!(table.delay(n), formula.delay(n), "{text}, retry {n} of {retries}");
            }
        }
    }
}

#[test]
fn growth_without_end_stops_at_the_longest_interval() {
    for text in [
        "backoff.exponential = { base = '1s' }",
        "backoff.linear = { first = '1s', step = '36500d' }",
        "backoff.polynomial = { unit = '1s', power = 10 }",
        "backoff.fibonacci = { base = '1s' }",
        "backoff.double_then_linear = { base = '1s', doublings = 60 }",
        "backoff.iterated = { first = '1s', factor = 2 }",
    ] {
        assert_eq!(backoff(text).delay(1_000_000), Some(Interval::MAX), "{text}");
    }
}

#[test]
fn what_makes_no_delay_is_explained() {
    for text in [
        "backoff.list = []",
        "backoff.chain = []",
        "backoff.iterated = { first = '1s', factor = 2, whole = '0s' }",
        "backoff.sum = [{ backoff.fixed = '1s', jitter = 'decorrelated' }]",
        "backoff.max = [{ backoff.list = [] }]",
    ] {
        assert!(backoff(text).problem().is_some(), "{text}");
    }
}
