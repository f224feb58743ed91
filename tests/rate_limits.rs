//! What every rate limit must hold, whatever the arrivals.

use proptest::prelude::*;
use retrysim::service::{Caller, RateLimits, RetryAfter, ServiceConfig};
use retrysim::time::Instant;

fn limits(text: &str) -> RateLimits {
    let config: ServiceConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(config.problems(), [], "{text}");
    RateLimits::new(&config.rate_limit, &["read".into(), "write".into()])
}

fn limit(kind: &str) -> RateLimits {
    limits(&format!("rate_limit = {{ {kind}, cost = {{ write = 2 }}, retry_after = 'exact' }}"))
}

fn call(operation: u32) -> Caller {
    Caller { operation, ..Caller::default() }
}

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// Calls as (nanoseconds since the last one, operation): bunched, at round distances, and at odd ones.
fn calls() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let gap = prop_oneof![
        4 => Just(0),
        2 => (1u64..40).prop_map(|tenths| tenths * 100_000_000),
        2 => 0u64..3_000_000_000,
        1 => 1u64..4,
    ];
    prop::collection::vec((gap, 0u32..2), 1..80)
}

/// Instants and operations of the calls.
fn arrivals(calls: &[(u64, u32)]) -> Vec<(u64, u32)> {
    let mut now = 0;
    let arrive = |&(gap, operation): &(u64, u32)| {
        now += gap;
        (now, operation)
    };
    calls.iter().map(arrive).collect()
}

/// Instants and costs of the calls that pass.
fn passing(limits: &mut RateLimits, arrivals: &[(u64, u32)]) -> Vec<(u64, u64)> {
    let passes = |&&(now, operation): &&(u64, u32)| limits.admit(at(now), &call(operation)).is_ok();
    arrivals.iter().filter(passes).map(|&(now, operation)| (now, u64::from(operation) + 1)).collect()
}

/// The most that passes within any half-open span of a length: one that begins with a call is as full as any.
fn most_within(passing: &[(u64, u64)], span: u64) -> u64 {
    let from = |&(start, _): &(u64, u64)| {
        passing.iter().filter(|(at, _)| (start..start + span).contains(at)).map(|(_, cost)| cost).sum()
    };
    passing.iter().map(from).max().unwrap_or(0)
}

/// A kind that can tell the exact wait.
fn kind() -> impl Strategy<Value = String> {
    let rate = (1u64..20, prop::sample::select(vec!["s", "3s", "700ms", "7ns", "min"]))
        .prop_map(|(count, per)| format!("{count}/{per}"));
    let window = prop::sample::select(vec!["1s", "2500ms", "333333333ns", "10s", "3ns"]);
    (0usize..11, rate, 2u64..9, window, 0u64..5).prop_map(|(kind, rate, size, window, more)| match kind {
        0 => format!("token_bucket = {{ rate = '{rate}', burst = {size} }}"),
        1 => format!("token_bucket = {{ rate = '{rate}', burst = {size}, refill = '{window}' }}"),
        2 => format!("leaky_bucket = {{ leak = '{rate}', size = {size} }}"),
        3 => format!("gcra = {{ rate = '{rate}', burst = {size} }}"),
        4 => format!("leaky_queue = {{ rate = '{rate}', burst = {size}, delay = 'none' }}"),
        5 => format!("leaky_queue = {{ rate = '{rate}', burst = {size}, delay = {more} }}"),
        6 => format!("fixed_window = {{ limit = {size}, window = '{window}', offset = '{more}s' }}"),
        7 => format!("fixed_window = {{ limit = {size}, window = '{window}', aligned = 'first_call' }}"),
        8 => format!("sliding_log = {{ limit = {size}, window = '{window}' }}"),
        9 => format!("sliding_window = {{ limit = {size}, window = '{window}' }}"),
        _ => format!("score = {{ max = {size}, decays_over = '{window}', blocked = '{more}s' }}"),
    })
}

/// What may stand beside a kind without making its hint inexact.
fn beside() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        ", rejected = 'counts'",
        ", lockout = { lasts = '2s' }",
        ", lockout = { lasts = '700ms', calls_during = 'escalate', max = '5s' }",
        ", lockout = { lasts = '1s', calls_during = 'restart' }, rejected = 'counts'",
    ])
}

proptest! {
    #[test]
    fn who_waits_exactly_as_long_as_told_passes_and_who_comes_a_nanosecond_earlier_does_not(
        kind in kind(), beside in beside(), calls in calls(),
    ) {
        let text = format!("rate_limit = {{ {kind}, cost = {{ write = 2 }}, retry_after = 'exact'{beside} }}");
        let mut limits = limits(&text);
        for (now, operation) in arrivals(&calls) {
            let Err(rejection) = limits.admit(at(now), &call(operation)) else { continue };
            let Some(RetryAfter::In(wait)) = rejection.retry_after else { panic!("{text}: no wait") };
            prop_assert!(!wait.is_zero(), "{}", text);
            let then = now + wait.as_nanos();
            prop_assert!(limits.clone().admit(at(then), &call(operation)).is_ok(), "{} at {}", text, then);
            prop_assert!(limits.clone().admit(at(then - 1), &call(operation)).is_err(), "{} before {}", text, then);
        }
    }

    #[test]
    fn the_cell_rate_algorithm_is_the_token_bucket_and_the_leaky_bucket_its_mirror(
        count in 1u64..50, per in prop::sample::select(vec!["s", "7s", "11ms", "min"]), burst in 2u64..12,
        calls in calls(), refund in 0u64..2, beside in beside(), scaled in (1u32..8, 1u32..8),
    ) {
        let made = |kind: &str| limits(&format!(
            "rate_limit = {{ {kind}, cost = {{ write = 2 }}, refund = {{ write = {refund} }}, retry_after = 'exact'{beside} }}"
        ));
        let mut bucket = made(&format!("token_bucket = {{ rate = '{count}/{per}', burst = {burst} }}"));
        let mut others = [
            made(&format!("gcra = {{ rate = '{count}/{per}', burst = {burst} }}")),
            made(&format!("leaky_bucket = {{ leak = '{count}/{per}', size = {burst} }}")),
        ];
        for (index, (now, operation)) in arrivals(&calls).into_iter().enumerate() {
            if index == 40 {
                bucket.scale(at(now), scaled.0, scaled.1);
                for other in &mut others {
                    other.scale(at(now), scaled.0, scaled.1);
                }
            }
            let verdict = bucket.admit(at(now), &call(operation));
            let ends = at(now + 1_300_000_000 * (index as u64 % 3));
            if verdict.is_ok() {
                bucket.ends_at(&call(operation), at(now), ends);
            }
            for other in &mut others {
                prop_assert_eq!(other.admit(at(now), &call(operation)), verdict);
                if verdict.is_ok() {
                    other.ends_at(&call(operation), at(now), ends);
                }
            }
        }
    }

    #[test]
    fn a_log_never_exceeds_its_limit_in_any_half_open_span(limit_ in 2u64..9, calls in calls()) {
        let mut limits = limit(&format!("sliding_log = {{ limit = {limit_}, window = '1s' }}"));
        let passing = passing(&mut limits, &arrivals(&calls));
        prop_assert!(most_within(&passing, 1_000_000_000) <= limit_);
    }

    #[test]
    fn a_bucket_passes_at_most_its_burst_and_what_flows_in(
        rate in 1u64..20, burst in 2u64..9, calls in calls(), span in 1u64..5_000_000_000,
    ) {
        let mut limits = limit(&format!("token_bucket = {{ rate = '{rate}/s', burst = {burst} }}"));
        let passing = passing(&mut limits, &arrivals(&calls));
        let most = u128::from(burst) + u128::from(rate) * u128::from(span) / 1_000_000_000;
        prop_assert!(u128::from(most_within(&passing, span)) <= most);
    }

    #[test]
    fn a_fixed_window_passes_at_most_twice_its_limit_in_the_time_of_one(
        limit_ in 2u64..9, offset in 0u64..3_000, calls in calls(), aligned in any::<bool>(),
    ) {
        let begins = if aligned { format!("offset = '{offset}ms'") } else { "aligned = 'first_call'".into() };
        let mut limits = limit(&format!("fixed_window = {{ limit = {limit_}, window = '1s', {begins} }}"));
        let passing = passing(&mut limits, &arrivals(&calls));
        prop_assert!(most_within(&passing, 1_000_000_000) <= 2 * limit_);
    }

    #[test]
    fn a_refusal_by_one_limit_leaves_the_others_as_they_were(first in kind(), calls in calls()) {
        // A second limit that refuses every other call: the first must decide as if only the rest had come.
        let text = format!(
            "[[rate_limit]]\n{first}\n[[rate_limit]]\nfixed_window = {{ limit = 1, window = '3s' }}"
        );
        let (mut both, mut alone) = (limits(&text), limits(&format!("[[rate_limit]]\n{first}")));
        for (now, operation) in arrivals(&calls) {
            let verdict = both.admit(at(now), &call(operation));
            match verdict {
                Err(rejection) if rejection.limit == 1 => {
                    prop_assert!(alone.clone().admit(at(now), &call(operation)).is_ok(), "{}", text);
                }
                _ => prop_assert_eq!(alone.admit(at(now), &call(operation)), verdict, "{}", text),
            }
        }
    }

    #[test]
    fn calls_in_progress_are_never_more_than_the_limit(
        limit_ in 1usize..5, calls in calls(), lengths in prop::collection::vec(0u64..5_000_000_000, 80),
        age in 0u64..3_000, known in prop::collection::vec(any::<bool>(), 80),
    ) {
        let text = format!("rate_limit.concurrency = {{ limit = {limit_}, counts_from = '{age}ms' }}");
        let mut limits = limits(&text);
        // (began, ends, known) of those let through.
        let mut admitted: Vec<(u64, u64, bool)> = Vec::new();
        for ((now, _), (length, known)) in arrivals(&calls).into_iter().zip(lengths.into_iter().zip(known)) {
            let mut over: Vec<_> = admitted.iter().filter(|call| !call.2 && call.1 <= now).copied().collect();
            over.sort_by_key(|&(_, ends, _)| ends);
            for (began, ends, _) in over {
                limits.ended(&Caller::default(), at(began), at(ends));
                let done = admitted.iter_mut().find(|call| **call == (began, ends, false)).expect("it is there");
                done.2 = true;
            }
            let old = |&&(began, ends, _): &&(u64, u64, bool)| began + age * 1_000_000 <= now && now < ends;
            let counted = admitted.iter().filter(old).count();
            let passes = limits.admit(at(now), &Caller::default()).is_ok();
            prop_assert_eq!(passes, counted < limit_, "{} count at {}", counted, now);
            if passes {
                if known {
                    limits.ends_at(&Caller::default(), at(now), at(now + length));
                }
                admitted.push((now, now + length, known));
            }
        }
    }
}
