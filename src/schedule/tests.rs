//! The steps of a schedule, one after the other.

use super::*;

const HALF: u64 = 1 << 63;

fn delays(text: &str, retries: u32, bits: &dyn Fn(u32) -> Block) -> Vec<u64> {
    let config: ScheduleConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(config.problem(), None, "{text}");
    let schedule = Schedule::new(&config, retries);
    let mut walk = Interval::ZERO;
    let mut delays = Vec::new();
    for n in 1..=retries {
        let Some(step) = schedule.step(n, walk, 0, bits, Interval::ZERO) else { break };
        walk = step.walk;
        // Halves of an odd number of nanoseconds are not worth a test.
        delays.push((step.delay.as_nanos() + 1) / 1_000_000);
    }
    delays
}

#[test]
fn a_delay_is_capped_jittered_capped_raised_and_rounded_in_this_order() {
    let cases: [(&str, &[u64]); 14] = [
        (
            "backoff.exponential = { base = '8s' }\njitter = 'full'\ncap_before_jitter = '20s'",
            &[4000, 8000, 10_000],
        ),
        (
            "backoff.exponential = { base = '8s' }\njitter = 'full'\ncap_after_jitter = '10s'",
            &[4000, 8000, 10_000],
        ),
        ("backoff.exponential = { base = '1s' }\njitter = 'full'\nfloor = '700ms'", &[700, 1000, 2000]),
        ("backoff.fixed = '2501ms'\njitter = 'full'\nround.down = '1s'", &[1000, 1000, 1000]),
        ("backoff.fixed = '3s'\njitter = 'full'\nround.nearest = '1s'", &[2000, 2000, 2000]),
        ("backoff.fixed = '2500ms'\njitter = 'full'\nround.up = '1s'", &[2000, 2000, 2000]),
        // The rounding has the last word: caps and floors are no multiples here.
        ("backoff.fixed = '20s'\ncap_after_jitter = '15s'\nround.up = '10s'", &[20_000, 20_000, 20_000]),
        ("backoff.fixed = '1s'\nfloor = '12s'\nround.down = '10s'", &[10_000, 10_000, 10_000]),
        // Decorrelated: the middle of [10, 30], of [10, 60], of [10, 105] cut at 50.
        (
            "backoff.fixed = '10s'\njitter = 'decorrelated'\ncap_after_jitter = '50s'",
            &[20_000, 35_000, 50_000],
        ),
        // Finagle: 10, the middle of [10, 30], of [20, 40] whose end is capped.
        (
            "backoff.fixed = '10s'\njitter.decorrelated_with = { lower = 'previous', begins = 'exact', cap = '40s' }",
            &[10_000, 20_000, 30_000],
        ),
        // Finagle: 1, the middle of [0, 2], of [0, 4].
        ("backoff.fixed = '1s'\njitter.compounding = { cap = '1h' }", &[1000, 1000, 2000]),
        (
            "backoff.chain = [{ backoff.fixed = '1s' }, { backoff.fixed = '8s', jitter = 'full', cap_after_jitter = '1ms' }]",
            &[1000, 1, 1],
        ),
        (
            "backoff.sum = [{ backoff.fixed = '1s' }, { backoff.linear = { first = '2s', step = '2s' } }]",
            &[3000, 5000, 7000],
        ),
        (
            "backoff.max = [{ backoff.fixed = '3s' }, { backoff.linear = { first = '2s', step = '2s' } }]",
            &[3000, 4000, 6000],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(delays(text, 3, &|_| [HALF; 2]), expected, "{text}");
    }
}

#[test]
fn luck_is_drawn_each_time_once_or_in_order() {
    let luck = |n: u32| [u64::MAX / 8 * u64::from(9 - 2 * n), 0];
    let schedule = |draws: &str| {
        format!("backoff.fixed = '8s'\njitter = 'full'\ndraws = '{draws}'\nround.nearest = '1s'")
    };
    assert_eq!(delays(&schedule("each"), 4, &luck), [7000, 5000, 3000, 1000]);
    assert_eq!(delays(&schedule("once"), 4, &luck), [7000, 7000, 7000, 7000]);
    assert_eq!(delays(&schedule("sorted"), 4, &luck), [1000, 3000, 5000, 7000]);
    // Of a list that ends there are only so many to sort.
    let list = "backoff.list = { delays = ['8s', '8s'], then = 'give_up' }";
    let sorted = schedule("sorted").replace("backoff.fixed = '8s'", list);
    assert_eq!(delays(&sorted, 4, &luck), [5000, 7000]);
    assert_eq!(delays(&sorted, 1, &luck), [7000]);
}

#[test]
fn parts_of_a_sum_have_luck_of_their_own() {
    let key = crate::random::Key::derive(1, 0, crate::random::Purpose::Backoff, "sum");
    let config: ScheduleConfig = toml::from_str(
        "backoff.sum = [{ backoff.fixed = '1s', jitter = 'full' }, { backoff.fixed = '1s', jitter = 'full' }]",
    )
    .unwrap();
    let schedule = Schedule::new(&config, 1);
    let n = 20_000u64;
    let draw = |e| {
        let step = schedule.step(1, Interval::ZERO, 0, &|_| key.block(e, 1), Interval::ZERO);
        step.unwrap().delay.as_secs_f64()
    };
    let variance: f64 = (0..n).map(|e| (draw(e) - 1.0) * (draw(e) - 1.0)).sum::<f64>() / n as f64;
    // Two independent uniforms have variance 1/6 (one doubled would have 1/3); the standard error of a variance here
    // is 1/6 sqrt((kurtosis - 1) / n) with kurtosis 2.4.
    assert!((variance - 1.0 / 6.0).abs() < 4.5 / 6.0 * (1.4 / n as f64).sqrt(), "{variance}");
}

#[test]
fn the_longest_delay_bounds_every_draw() {
    let key = crate::random::Key::derive(1, 0, crate::random::Purpose::Backoff, "longest");
    for jitter in [
        "'full'",
        "'equal'",
        "{ proportional = 0.5 }",
        "{ scale = [1, 2] }",
        "{ scale_or_redraw = { scale = [1, 2], above = '30s', redraw = [0.5, 1] } }",
        "{ add = '3s' }",
        "{ add_per_retry = '3s' }",
        "{ plus_minus = '3s' }",
        "{ between = '9s' }",
        "{ truncated_exponential = 0.5 }",
        "{ truncated_seconds = 2.5 }",
        "{ whole_multiples = [1, 3] }",
        "{ whole_percent = 0.3 }",
        "{ hash = 'k{request}' }",
        "'decorrelated'",
        "{ decorrelated_with = { lower = 'previous' } }",
        "'decorrelated_v2'",
        "{ compounding = { cap = '1m' } }",
    ] {
        let config: ScheduleConfig =
            toml::from_str(&format!("backoff.exponential = {{ base = '5s' }}\njitter = {jitter}")).unwrap();
        let schedule = Schedule::new(&config, 5);
        for request in 0..2000 {
            let (mut walk, mut longest) = (Interval::ZERO, Interval::ZERO);
            for n in 1..=5 {
                let bits = |n: u32| key.block(request, n.into());
                let step = schedule.step(n, walk, request, &bits, Interval::ZERO).unwrap();
                longest = config.longest(n, longest).unwrap();
                assert!(
                    step.delay <= longest + Interval::from_nanos(9),
                    "{jitter}, retry {n}: {}",
                    step.delay
                );
                walk = step.walk;
            }
        }
    }
}

#[test]
fn fields_that_contradict_each_other_are_explained() {
    for (text, said) in [
        ("backoff.fixed = '0s'\njitter = 'decorrelated'", "a backoff above 0s"),
        (
            "backoff.sum = [{ backoff.fixed = '1s' }]\njitter = 'decorrelated'",
            "a chain, sum or maximum is none",
        ),
        (
            "backoff.chain = [{ backoff.fixed = '1s' }]\njitter = 'decorrelated_v2'",
            "a jitter that does not walk",
        ),
        ("backoff.fixed = '1s'\njitter = 'decorrelated'\ndraws = 'sorted'", "cannot be sorted"),
        ("backoff.sum = [{ backoff.fixed = '1s', jitter = 'full', draws = 'once' }]", "beside the backoff"),
        ("backoff.max = [{ backoff.fixed = '1s', jitter = 'full', draws = 'sorted' }]", "beside the backoff"),
        (
            "backoff.sum = [{ backoff.chain = [{ backoff.fixed = '1s', jitter = 'full', draws = 'once' }] }]",
            "beside the backoff",
        ),
        ("backoff.fixed = '1s'\nround.down = '0s'", "multiple of 0s"),
        ("backoff.fixed = '1s'\ncap_after_jitter = '1s'\nfloor = '2s'", "above the cap"),
        ("backoff.list = []", "at least one"),
    ] {
        let config: ScheduleConfig = toml::from_str(text).unwrap();
        let problem = config.problem().unwrap_or_else(|| panic!("{text} is accepted"));
        assert!(problem.contains(said), "{text}: {problem}");
    }
}
