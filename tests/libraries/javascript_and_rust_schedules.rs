//! What the presets of JavaScript and Rust libraries do by default, and in the cases that their users ask about: worked out by
//! hand from the formulas of the libraries, so that rows of data are not the only thing that holds them.

use retrysim::outcome::{Outcome, StatusCode};
use retrysim::policy::{Decision, Delay, DuringBackoff, History, Memory, Policy};
use retrysim::random::{Key, Purpose};
use retrysim::time::Interval;

use crate::scenario;

const TIMEOUT: Outcome = Outcome::Timeout;
const DISCONNECTED: Outcome = Outcome::ConnectionError;

const fn status(code: u16) -> Outcome {
    Outcome::Status(StatusCode::of(code))
}

fn policy(preset: &str, idempotent: bool) -> Policy {
    Policy::new(&scenario(&format!("use = {preset}")).policies[0].config, idempotent)
}

/// The delays of request number `request`, whose attempts take no time and all come to `outcome`; 25 at most.
fn delays(policy: &Policy, request: u64, outcome: Outcome, asked: Option<Interval>) -> Vec<f64> {
    let key = Key::derive(7, 0, Purpose::Backoff, "schedules");
    let mut history = History { attempts: 1, elapsed: Interval::ZERO, request, memory: Memory::default() };
    let mut delays = Vec::new();
    while delays.len() < 25 {
        let luck = |retry: u32| key.block(request, retry.into());
        let Decision::Retry(Delay { wait, memory, .. }) = policy.decide(outcome, asked, &history, &luck)
        else {
            break;
        };
        history.attempts += 1;
        history.elapsed += wait;
        history.memory = memory;
        delays.push(wait.as_secs_f64());
    }
    delays
}

/// An outcome that every preset here retries but for those that know better.
fn usual(preset: &str) -> Outcome {
    if preset.contains("throttling") {
        status(429)
    } else if preset.contains("ioredis") {
        DISCONNECTED
    } else {
        status(503)
    }
}

fn close(delays: &[f64], expected: &[f64]) -> bool {
    delays.len() == expected.len() && delays.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-9)
}

#[test]
fn default_schedules_are_whole() {
    let cases: [(&str, &[f64]); 36] = [
        ("'retry@0.13'", &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]),
        // After 0, 1, 3 and 7 s; 7 s are too many.
        ("'retry@0.13'\nmaxRetryTime = 7000", &[1.0, 2.0, 4.0]),
        ("'retry@0.13'\nretries = 3\nminTimeout = 0", &[0.001, 0.002, 0.004]),
        ("'retry@0.13'\nretries = 4\nfactor = 1.5\nminTimeout = 25", &[0.025, 0.038, 0.056, 0.084]),
        ("'async-retry@1'\nrandomize = false\nretries = 3", &[1.0, 2.0, 4.0]),
        ("'p-retry@7'", &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]),
        // The third delay is cut, and then no time remains.
        ("'p-retry@7'\nmaxRetryTime = 5000", &[1.0, 2.0, 2.0]),
        ("'p-retry@7'\nmaxRetryTime = inf\nmaxTimeout = inf\nretries = 1", &[1.0]),
        ("'axios-retry@4'", &[0.0, 0.0, 0.0]),
        ("'axios-retry@4:linear'", &[0.1, 0.2, 0.3]),
        // Attempts at 0, 100 and 300 ms; the next would be at the end of the time.
        ("'axios-retry@4:linear'\ntimeout = 600", &[0.1, 0.2]),
        ("'axios-retry@4:linear'\ntimeout = 600\nshouldResetTimeout = true", &[0.1, 0.2, 0.3]),
        ("'got@14'\nnoise = 0\nlimit = 4\nbackoffLimit = 3000", &[1.0, 2.0, 3.0, 3.0]),
        ("'cockatiel@3'\nbackoff = [100, 200]\nmaxAttempts = 3", &[0.1, 0.2, 0.2]),
        ("'exponential-backoff-npm@3'", &[0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6]),
        ("'exponential-backoff-npm@3'\ndelayFirstAttempt = true\nnumOfAttempts = 3", &[0.2, 0.4]),
        ("'octokit-plugin-retry@8'", &[1.0, 4.0, 9.0]),
        ("'octokit-plugin-throttling@11'", &[60.0]),
        ("'octokit-plugin-throttling@11:primary'", &[0.0]),
        ("'bullmq@6'", &[]),
        // Fewer attempts than one are one.
        ("'bullmq@6'\nattempts = 0", &[]),
        ("'exponential-backoff-npm@3'\nnumOfAttempts = 0", &[]),
        ("'smithy-js@3.41'\nmaxAttempts = 0", &[]),
        ("'smithy-js@3.41:deprecated'\nmaxAttempts = 0", &[]),
        ("'smithy-util-retry@4'\nmaxAttempts = 0", &[]),
        ("'bullmq@6'\nattempts = 4\ndelay = 1000\ntype = 'exponential'", &[1.0, 2.0, 4.0]),
        ("'bullmq@6'\nattempts = 3\ndelay = 1000", &[1.0, 1.0]),
        ("'stripe-node@23'", &[0.5, 0.5]),
        ("'bottleneck@2'", &[]),
        ("'bottleneck@2'\nretries = 2\ndelay = 25.9", &[0.025, 0.025]),
        ("'backon@1'", &[1.0, 2.0, 4.0]),
        // The third would make 7 s of it.
        ("'backon@1'\ntotal_delay = 6", &[1.0, 2.0]),
        ("'backon@1:constant'", &[1.0, 1.0, 1.0]),
        ("'again@0.1'", &[1.0, 2.0, 4.0, 8.0, 16.0]),
        ("'again@0.1:fixed'", &[1.0, 1.0, 1.0, 1.0, 1.0]),
        ("'retry-policies@0.5'\njitter = 'None'\nmax_total_retry_duration = 3", &[1.0, 2.0]),
    ];
    for (preset, expected) in cases {
        let delays = delays(&policy(preset, true), 0, usual(preset), None);
        assert!(close(&delays, expected), "{preset}: {delays:?}");
    }
}

#[test]
fn schedules_without_end_begin_as_they_should() {
    let cases: [(&str, &[f64]); 14] = [
        ("'cockatiel@3'", &[0.0, 0.0, 0.0]),
        ("'ioredis@5'", &[0.05, 0.1, 0.15, 0.2]),
        ("'ioredis@6:cluster'", &[0.102, 0.104, 0.106]),
        ("'tokio-retry@0.3'", &[0.01, 0.1, 1.0, 10.0]),
        (
            "'tokio-retry@0.3'\nfrom_millis = 2\nfactor = 500\nmax_delay = 60",
            &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0],
        ),
        ("'tokio-retry@0.3:fibonacci'\nfactor = 10\nfrom_millis = 10", &[0.1, 0.1, 0.2, 0.3, 0.5]),
        ("'tokio-retry@0.3:fixed'", &[0.1, 0.1]),
        ("'tokio-retry2@0.9'", &[0.01, 0.1, 1.0]),
        ("'tokio-retry2@0.9:factor'\nbase_factor = 1.5\ninitial_delay = 5", &[0.005, 0.007, 0.011, 0.016]),
        ("'tokio-retry2@0.9:fibonacci'\nmax_delay = 0.25", &[0.1, 0.1, 0.2, 0.25]),
        ("'tokio-retry2@0.9:linear'\nincrement = 200", &[0.1, 0.3, 0.5, 0.7]),
        ("'backon@1:fibonacci'\nmax_times = 20\nmax_delay = 4", &[1.0, 1.0, 2.0, 3.0, 5.0, 5.0]),
        ("'failsafe-rs@1:exponential'", &[10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]),
        ("'failsafe-rs@1:constant'", &[10.0, 10.0]),
    ];
    for (preset, expected) in cases {
        let delays = delays(&policy(preset, true), 0, usual(preset), None);
        assert!(delays.len() >= 20 && close(&delays[..expected.len()], expected), "{preset}: {delays:?}");
    }
    assert_eq!(delays(&policy("'ioredis@5'", true), 0, DISCONNECTED, None).len(), 20);
}

/// (preset, what every attempt comes to, for each retry: shortest, longest, mean).
type Law = (&'static str, Outcome, &'static [(f64, f64, f64)]);

#[test]
fn random_delays_keep_their_bounds_and_means() {
    let cases: [Law; 21] = [
        ("'async-retry@1'", status(503), &[(1.0, 2.0, 1.5), (2.0, 4.0, 3.0), (4.0, 8.0, 6.0)]),
        ("'got@14'", status(503), &[(1.0, 1.1, 1.05), (2.0, 2.1, 2.05)]),
        (
            "'axios-retry@4:exponential'",
            status(503),
            &[(0.2, 0.24, 0.22), (0.4, 0.48, 0.44), (0.8, 0.96, 0.88)],
        ),
        ("'ioredis@6'", DISCONNECTED, &[(0.05, 0.249, 0.1495), (0.1, 0.299, 0.1995)]),
        ("'exponential-backoff-npm@3'\njitter = 'full'", status(503), &[(0.0, 0.1, 0.05), (0.0, 0.2, 0.1)]),
        (
            "'bullmq@6'\nattempts = 3\ndelay = 1000\ntype = 'exponential'\njitter = 0.5",
            status(503),
            &[(0.5, 0.999, 0.7495), (1.0, 1.999, 1.4995)],
        ),
        ("'smithy-js@3.41'", status(503), &[(0.0, 0.049, 0.0245), (0.0, 0.099, 0.0495)]),
        ("'smithy-js@3.41'", status(429), &[(0.0, 0.999, 0.4995), (0.0, 1.999, 0.9995)]),
        ("'smithy-util-retry@4'", TIMEOUT, &[(0.0, 0.099, 0.0495), (0.0, 0.199, 0.0995)]),
        ("'smithy-util-retry@4'", status(429), &[(0.0, 0.499, 0.2495), (0.0, 0.999, 0.4995)]),
        ("'smithy-js@3.41:deprecated'", DISCONNECTED, &[(0.0, 0.199, 0.0995), (0.0, 0.399, 0.1995)]),
        ("'smithy-js@3.41:deprecated'", status(429), &[(0.0, 0.999, 0.4995), (0.0, 1.999, 0.9995)]),
        (
            "'stripe-node@23'\nmaxNetworkRetries = 6",
            status(409),
            &[
                (0.5, 0.5, 0.5),
                (0.5, 0.5, 0.5),
                (0.5, 1.0, 0.75),
                (1.0, 2.0, 1.5),
                (2.0, 4.0, 3.0),
                (2.5, 5.0, 3.75),
            ],
        ),
        ("'tokio-retry2@0.9'\njitter = 'jitter'", status(503), &[(0.005, 0.015, 0.01), (0.05, 0.15, 0.1)]),
        (
            "'tokio-retry2@0.9:fixed'\njitter = 'jitter_with_bounds'\nmin = 0.8\nmax = 1",
            status(503),
            &[(0.08, 0.1, 0.09)],
        ),
        // Half of the first delays are raised to 100 ms; the other half are 115 to 129 ms, each twice.
        ("'exponential-backoff-rs@2'", status(503), &[(0.1, 0.129, 0.111), (0.142, 0.258, 0.2075)]),
        (
            "'reqwest-retry@0.9'\njitter = 'Bounded'",
            status(408),
            &[(0.5, 1.0, 0.75), (0.5, 2.0, 1.25), (0.5, 4.0, 2.25)],
        ),
        ("'again@0.1'\njitter = true", status(503), &[(0.0, 0.999, 0.4995), (0.0, 1.999, 0.9995)]),
        // Five seconds draw 2 + {0, 1, 2}, and ten 5 + {0, ..., 5}.
        (
            "'failsafe-rs@1:equal-jittered'\nstart = 5",
            status(503),
            &[(2.0, 4.0, 3.0), (5.0, 10.0, 7.5), (10.0, 20.0, 15.0)],
        ),
        ("'aws-smithy-runtime@1.16'", status(429), &[(0.0, 1.0, 0.5), (0.0, 2.0, 1.0)]),
        (
            "'linkerd2-proxy@2'\nlimit = 4",
            TIMEOUT,
            &[(0.025, 0.05, 0.0375), (0.05, 0.1, 0.075), (0.1, 0.2, 0.15), (0.2, 0.25, 0.24375)],
        ),
    ];
    for (preset, outcome, laws) in cases {
        let policy = policy(preset, true);
        let requests: Vec<Vec<f64>> =
            (0..20_000).map(|request| delays(&policy, request, outcome, None)).collect();
        for (index, &(low, high, mean)) in laws.iter().enumerate() {
            let draws: Vec<f64> = requests.iter().map(|delays| delays[index]).collect();
            let (least, most) = draws.iter().fold((f64::MAX, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
            let measured = draws.iter().sum::<f64>() / draws.len() as f64;
            // 4 standard errors of at most half the range; the extremes of 20,000 draws are within a thousandth of it.
            let (error, near) = ((high - low) * 0.5 * 4.0 / 20_000f64.sqrt(), (high - low) * 1e-3);
            let context = format!("{preset}, retry {}: {least} to {most}, mean {measured}", index + 1);
            assert!(least >= low - 1e-9 && least <= low + near + 1e-9, "{context}");
            assert!(most <= high + 1e-9 && most >= high - near - 1e-9, "{context}");
            assert!((measured - mean).abs() <= error + 1e-9, "{context}");
        }
    }
}

#[test]
fn a_retry_after_header_does_what_it_does_in_the_library() {
    let first = |preset: &str, code: u16, seconds: u64| {
        delays(&policy(preset, true), 0, status(code), Some(Interval::from_secs(seconds))).first().copied()
    };
    for (preset, code, seconds, expected) in [
        ("'axios-retry@4'", 429, 7, Some(7.0)),
        ("'axios-retry@4:linear'", 429, 7, Some(7.0)),
        ("'axios-retry@4:linear'", 429, 0, Some(0.1)),
        ("'got@14'\nnoise = 0", 429, 7, Some(7.0)),
        ("'got@14'\nnoise = 0", 429, 0, Some(1.0)),
        ("'got@14'\nnoise = 0\nmaxRetryAfter = 6000", 429, 7, None),
        ("'got@14'\nnoise = 0", 413, 7, Some(7.0)),
        ("'octokit-plugin-retry@8'", 429, 7, Some(1.0)),
        ("'octokit-plugin-throttling@11'", 403, 7, Some(7.0)),
        ("'octokit-plugin-throttling@11'", 403, 0, Some(60.0)),
        ("'octokit-plugin-throttling@11:primary'", 403, 7, Some(8.0)),
        ("'smithy-util-retry@4'", 429, 70, Some(70.0)),
        ("'smithy-js@3.41:deprecated'", 429, 70, Some(20.0)),
        ("'stripe-node@23'", 503, 7, Some(0.5)),
        ("'aws-smithy-runtime@1.16:v2_0'", 429, 7, Some(7.0)),
        ("'aws-smithy-runtime@1.16:v2_0'", 429, 70, Some(20.0)),
        ("'aws-smithy-runtime@1.16:v2_0'", 429, 0, Some(0.0)),
    ] {
        assert_eq!(first(preset, code, seconds), expected, "{preset}: {code}, Retry-After {seconds}");
    }
    // Within 5 s of a delay below 1 s.
    for preset in ["'smithy-js@3.41'", "'aws-smithy-runtime@1.16'"] {
        let wait = first(preset, 429, 70).expect("it is retried");
        assert!((5.0..6.0).contains(&wait), "{preset}: {wait}");
        assert_eq!(first(preset, 429, 3), Some(3.0), "{preset}");
    }
}

#[test]
fn a_request_that_waits_keeps_its_place_where_it_does_in_the_library() {
    for (preset, during) in [
        ("'octokit-plugin-throttling@11'", DuringBackoff::Freed),
        ("'octokit-plugin-throttling@11:primary'", DuringBackoff::Freed),
        ("'bullmq@6'", DuringBackoff::Freed),
        ("'bottleneck@2'", DuringBackoff::Held),
        ("'p-retry@7'", DuringBackoff::Held),
    ] {
        let config = &scenario(&format!("use = {preset}")).policies[0].config;
        assert_eq!(config.slot_during_backoff, during, "{preset}");
    }
}

#[test]
fn each_library_retries_what_it_retries() {
    // (preset, idempotent, retried, final)
    type Case<'a> = (&'static str, bool, &'a [Outcome], &'a [Outcome]);
    let cases: [Case<'_>; 14] = [
        (
            "'axios-retry@4'",
            true,
            &[status(429), status(500), status(599), DISCONNECTED],
            &[status(408), status(404), TIMEOUT],
        ),
        ("'axios-retry@4'", false, &[DISCONNECTED], &[status(429), status(503), TIMEOUT]),
        (
            "'got@14'",
            true,
            &[status(408), status(429), status(500), status(503), status(524), TIMEOUT, DISCONNECTED],
            &[status(413), status(409), status(501), status(520)],
        ),
        ("'got@14'", false, &[], &[status(429), status(503), TIMEOUT, DISCONNECTED]),
        (
            "'octokit-plugin-retry@8'",
            false,
            &[status(429), status(409), status(500), DISCONNECTED],
            &[status(400), status(403), status(404), status(422), status(451)],
        ),
        ("'octokit-plugin-throttling@11'", true, &[status(403), status(429)], &[status(503), DISCONNECTED]),
        ("'ioredis@6'", false, &[DISCONNECTED], &[status(503)]),
        (
            "'stripe-node@23'",
            false,
            &[status(409), status(500), TIMEOUT, DISCONNECTED],
            &[status(429), status(400)],
        ),
        (
            "'smithy-js@3.41'",
            false,
            &[status(429), status(500), status(504), TIMEOUT, DISCONNECTED],
            &[status(501), status(400)],
        ),
        (
            "'aws-smithy-runtime@1.16'",
            false,
            &[status(429), status(502), TIMEOUT, DISCONNECTED],
            &[status(501), status(404)],
        ),
        (
            "'reqwest-retry@0.9'",
            false,
            &[status(408), status(429), status(501), TIMEOUT, DISCONNECTED],
            &[status(404)],
        ),
        ("'linkerd2-proxy@2'", false, &[status(500), status(503), TIMEOUT], &[status(429), DISCONNECTED]),
        ("'retry@0.13'", false, &[status(400), status(503), TIMEOUT, DISCONNECTED], &[]),
        ("'backoff-rs@0.4'", false, &[status(400), status(503), TIMEOUT, DISCONNECTED], &[]),
    ];
    for (preset, idempotent, retried, ended) in cases {
        let policy = policy(preset, idempotent);
        let is_retried = |outcome: Outcome| !delays(&policy, 0, outcome, None).is_empty();
        for &outcome in retried {
            assert!(is_retried(outcome), "{preset}, idempotent {idempotent}: {outcome}");
        }
        for &outcome in ended {
            assert!(!is_retried(outcome), "{preset}, idempotent {idempotent}: {outcome}");
        }
    }
}
