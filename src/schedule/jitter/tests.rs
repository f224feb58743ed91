//! Every kind of jitter against its law.

use super::*;
use crate::random::{Key, Purpose};

const X: f64 = 60.0;

fn jitter(text: &str) -> Jitter {
    #[derive(Deserialize)]
    struct Wrapper {
        jitter: Jitter,
    }
    toml::from_str::<Wrapper>(text).unwrap_or_else(|error| panic!("{text}: {error}")).jitter
}

/// Draws for a delay of 60 s before the second retry (first and previous delay 60 s as well), in seconds.
fn draws(jitter: &Jitter, rounding: Option<Rounding>, n: u64) -> Vec<f64> {
    let key = Key::derive(3, 0, Purpose::Backoff, "jitter");
    let x = Interval::from_secs(60);
    let given = Given { n: 2, x, first: x, walk: x, request: 0, rounding };
    (0..n).map(|e| jitter.prepare().apply(&given, key.block(e, 1)[0]).0.as_secs_f64()).collect()
}

/// Bounds, mean and standard deviation of each kind for a delay of 60 s before the second retry.
#[test]
fn every_kind_has_its_bounds_and_its_mean() {
    let uniform = |low: f64, high: f64| (low, high, f64::midpoint(low, high), (high - low) / 12f64.sqrt());
    // Truncated exponential, f = 0.5: the catalogue's closed form, lo = 0.6294, hi = 1.5, mean 1.0023, std 0.2467.
    let cases = [
        ("jitter = 'none'", (60.0, 60.0, 60.0, 0.0)),
        ("jitter = 'full'", uniform(0.0, 60.0)),
        ("jitter = 'equal'", uniform(30.0, 60.0)),
        ("jitter = 'decorrelated'", uniform(60.0, 180.0)),
        ("jitter.decorrelated_with = { lower = 'previous', factor = 2, cap = '100s' }", uniform(60.0, 100.0)),
        ("jitter.proportional = 0.5", uniform(30.0, 90.0)),
        ("jitter.scale = [0.8, 1.2]", uniform(48.0, 72.0)),
        (
            "jitter.scale_or_redraw = { scale = [1, 2], above = '2m', redraw = [0.5, 1] }",
            uniform(60.0, 120.0),
        ),
        (
            "jitter.scale_or_redraw = { scale = [1, 2], above = '40s', redraw = [0.5, 1] }",
            uniform(20.0, 40.0),
        ),
        ("jitter.add = '10s'", uniform(60.0, 70.0)),
        ("jitter.add = ['5s', '10s']", uniform(65.0, 70.0)),
        ("jitter.add_per_retry = '10s'", uniform(60.0, 80.0)),
        ("jitter.plus_minus = '10s'", uniform(50.0, 70.0)),
        ("jitter.between = '20s'", uniform(20.0, 60.0)),
        ("jitter.between = '80s'", uniform(60.0, 80.0)),
        ("jitter.truncated_exponential = 0.5", (37.762, 90.0, truncated_mean(0.5), 14.80)),
        ("jitter.truncated_exponential = 0", (60.0, 60.0, 60.0, 0.0)),
        ("jitter.compounding = { cap = '1h' }", uniform(0.0, 120.0)),
        ("jitter.compounding = { cap = '90s' }", (90.0, 90.0, 90.0, 0.0)),
    ];
    for (text, (low, high, mean, std)) in cases {
        let draws = draws(&jitter(text), None, 50_000);
        let (least, most) = draws.iter().fold((f64::MAX, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
        assert!(least >= low - 1e-3 && most <= high + 1e-3, "{text}: {least} to {most}");
        // The extremes are reached: fewer than 1e-4 of the range is missed by 50,000 draws, but for the tail.
        assert!(least <= low + 0.02 && most >= high - 0.05, "{text}: {least} to {most}");
        let measured = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!(
            (measured - mean).abs() <= 4.0 * std / (draws.len() as f64).sqrt() + 1e-9,
            "{text}: {measured}"
        );
    }
}

/// mean/d = [(lo+1)e^-lo - (hi+1)e^-hi] / (e^-lo - e^-hi), for d = 60 s.
fn truncated_mean(factor: f64) -> f64 {
    let (low, high) = truncation(factor);
    let e = |x: f64| libm::exp(-x);
    X * ((low + 1.0) * e(low) - (high + 1.0) * e(high)) / (e(low) - e(high))
}

#[test]
fn prefects_bounds_are_those_of_its_table() {
    for (factor, low, high) in [
        (0.1, 0.9065, 1.1),
        (0.2, 0.8244, 1.2),
        (0.3, 0.7518, 1.3),
        (0.5, 0.6294, 1.5),
        (1.0, 0.4150, 2.0),
        (2.0, 0.1926, 3.0),
    ] {
        let (l, h) = truncation(factor);
        assert!((l - low).abs() < 5e-5 && (h - high).abs() < 1e-12, "{factor}: {l} {h}");
    }
    assert_eq!(truncation(60.0).0, 0.0);
}

#[test]
fn whole_percents_are_cut_as_single_precision_has_them() {
    for (share, percents) in [(0.0, 0), (0.01, 1), (0.29, 29), (0.3, 30), (0.57, 57), (0.999, 99), (1.0, 100)]
    {
        assert_eq!(whole_percents(Share(share)), percents, "{share}");
    }
}

#[test]
fn whole_multiples_come_equally_often() {
    let drawn = draws(&jitter("jitter.whole_multiples = [1, 3]"), None, 30_000);
    for times in [1.0, 2.0, 3.0] {
        let count = drawn.iter().filter(|&&x| x == 60.0 * times).count();
        assert!((9_600..10_400).contains(&count), "{times}: {count}");
    }
    assert!(
        toml::from_str::<toml::Table>("x = [3, 1]").unwrap()["x"]
            .clone()
            .try_into::<WholeMultiples>()
            .is_err()
    );
}

#[test]
fn rounding_decides_which_multiples_are_drawn_and_how_often() {
    let second = Interval::from_secs(1);
    // Of 61 whole numbers from 0 to 60 each comes 1000 times, give or take 4.5 standard deviations; of 60, the last never.
    for (rounding, multiples) in [(Rounding::Inclusive(second), 61), (Rounding::Down(second), 60)] {
        let mut counts = vec![0i64; 62];
        for draw in draws(&Jitter::Full, Some(rounding), 1000 * multiples) {
            counts[draw as usize] += 1;
        }
        for (multiple, &count) in counts.iter().enumerate() {
            let expected = if (multiple as u64) < multiples { 1000 } else { 0 };
            assert!(
                (count - expected).abs() <= 143 * i64::from(expected > 0),
                "{rounding:?} {multiple}: {count}"
            );
        }
    }
}

#[test]
fn a_draw_above_the_limit_is_drawn_anew() {
    // x = 60 s in [1, 2], limit 90 s: half of the draws stay in [60, 90], the other half comes from [45, 90]. The mean is
    // (75 + 67.5) / 2, the variance (75 + 168.75) / 2 + 3.75^2.
    let seen = draws(
        &jitter("jitter.scale_or_redraw = { scale = [1, 2], above = '90s', redraw = [0.5, 1] }"),
        None,
        50_000,
    );
    assert!(seen.iter().all(|&delay| (45.0..=90.0).contains(&delay)));
    let mean = seen.iter().sum::<f64>() / 50_000.0;
    assert!((mean - 71.25).abs() < 4.0 * (136f64 / 50_000.0).sqrt(), "{mean}");
    // A third of the second half lies below 60 s, whatever the first draw was: the two draws are independent.
    let low = seen.iter().filter(|&&delay| delay < 60.0).count() as f64 / 50_000.0;
    assert!((low - 1.0 / 6.0).abs() < 4.0 * (5.0 / 36.0 / 50_000f64).sqrt(), "{low}");
}

#[test]
fn a_discrete_jitter_has_its_gap_and_its_double_weights() {
    // Rust exponential-backoff with jitter 0.3: 1 - r/100 for r below 30, 1 + floor(r/2)/100 for r from 30 to 59.
    let mut factors: Vec<u32> = draws(&jitter("jitter.whole_percent = 0.3"), None, 20_000)
        .iter()
        .map(|d| (d / 0.6).round() as u32)
        .collect();
    factors.sort_unstable();
    factors.dedup();
    let expected: Vec<u32> = (71..=100).chain(115..=129).collect();
    assert_eq!(factors, expected, "45 factors with a gap from 1.00 to 1.15");
}

#[test]
fn whole_seconds_and_fractions_are_cut_apart() {
    // tower 0.5.3: for 1.6 s and 0.99 the second is multiplied by less than one and cut to nothing.
    let seen: Vec<f64> = (0..5000u64)
        .map(|e| {
            let x = Interval::from_millis(1600);
            let given = Given { n: 1, x, first: x, walk: x, request: 0, rounding: None };
            let bits = Key::derive(1, 0, Purpose::Backoff, "t").block(e, 0)[0];
            jitter("jitter.truncated_seconds = 0.99").prepare().apply(&given, bits).0.as_secs_f64()
        })
        .collect();
    assert!(seen.iter().all(|&x| (1.6..2.194_001).contains(&x)));
}

#[test]
fn a_hash_is_no_luck() {
    // Airflow 2.11.2, retry_delay 60: the reference's 82, 190, 257, 636 s for tries 1 to 4.
    let key = "marketing_sync#send_email#2024-01-01 00:00:00+00:00";
    for (n, x, delay) in [(1, 60, 82), (2, 120, 190), (3, 240, 257), (4, 480, 636)] {
        assert_eq!(hashed(key, 0, n, Interval::from_secs(x)), Interval::from_secs(delay), "try {n}");
    }
    let long = Interval::from_secs(1_000_000);
    assert_ne!(hashed("a{request}", 1, 1, long), hashed("a{request}", 2, 1, long));
}

#[test]
fn walks_begin_as_they_say() {
    let x = Interval::from_secs(1);
    let first = |text: &str, bits| {
        let given = Given { n: 1, x, first: x, walk: Interval::ZERO, request: 0, rounding: None };
        jitter(text).prepare().apply(&given, bits).0
    };
    assert_eq!(first("jitter.decorrelated_with = { begins = 'exact' }", u64::MAX), x);
    assert_eq!(first("jitter.compounding = { cap = '1h' }", u64::MAX), x);
    assert!(first("jitter = 'decorrelated'", u64::MAX) > Interval::from_millis(2999));
    // However far the walk has climbed, its longest step is not nothing.
    let longest = |n| jitter("jitter = 'decorrelated_v2'").longest(n, x, x, x);
    assert!(longest(10) > Interval::from_secs(500) && longest(100_000) == Interval::MAX);
    // Polly: with U = 0 the first step of the walk is nothing at all.
    assert_eq!(first("jitter = 'decorrelated_v2'", 0), Interval::ZERO);
}
