//! Schedules of Python libraries, queues and webhooks as their sources or documentation define them: the reference has no
//! rows for most of these. What is expected was worked out by hand from the formula of each library.

use retrysim::outcome::{Outcome, StatusCode};
use retrysim::policy::{Decision, DuringBackoff, History, Memory, Policy};
use retrysim::random::{Key, Purpose};
use retrysim::time::Interval;

use crate::{Setup, scenario};

fn policy(setup: &Setup) -> Policy {
    Policy::new(&scenario(&setup.policy).policies[0].config, true)
}

/// The delays of one request whose attempts take no time, until it gives up or has made `most` retries.
fn waits(policy: &Policy, setup: &Setup, request: u64, most: usize) -> Vec<f64> {
    let key = Key::derive(7, 0, Purpose::Backoff, "schedules");
    let mut history = History { attempts: 1, elapsed: Interval::ZERO, request, memory: Memory::default() };
    let mut waits = Vec::new();
    while waits.len() < most {
        let luck = |retry: u32| key.block(request, retry.into());
        let hint = setup.retry_after.map(Interval::from_secs);
        let Decision::Retry(delay) = policy.decide(outcome(setup.outcome), hint, &history, &luck) else {
            break;
        };
        history.attempts += 1;
        history.elapsed += delay.wait;
        history.memory = delay.memory;
        waits.push(delay.wait.as_secs_f64());
    }
    waits
}

fn outcome(code: u16) -> Outcome {
    match code {
        0 => Outcome::ConnectionError,
        1 => Outcome::Timeout,
        status => Outcome::Status(StatusCode::of(status)),
    }
}

fn used(text: &str) -> Setup {
    Setup::new(text.replacen("use ", "use = ", 1))
}

/// Whether the request gives up after the delays that are listed, or goes on.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Ends,
    GoesOn,
}
use Then::{Ends, GoesOn};

const DAY: f64 = 86_400.0;

fn check(table: &[(Setup, &[f64], Then)]) {
    for (setup, expected, then) in table {
        let waits = waits(&policy(setup), setup, 0, expected.len() + 1);
        let apart = waits.iter().zip(*expected).any(|(wait, expected)| (wait - expected).abs() > 1e-9);
        let length = expected.len() + usize::from(*then == GoesOn);
        assert!(!apart && waits.len() == length, "{}: {waits:?} instead of {expected:?}", setup.policy);
    }
}

#[test]
fn exact_schedules_of_general_libraries_are_the_documented_ones() {
    check(&[
        (used("use 'prefect@3'"), &[], Ends),
        (used("use 'prefect@3'\nretries = 2\nretry_delay_seconds = [3, 9]"), &[3.0, 9.0], Ends),
        (used("use 'prefect@2'\nretries = 3\nretry_delay_seconds = [3, 9]"), &[3.0, 9.0, 9.0], Ends),
        (
            used("use 'prefect@2:exponential-backoff'\nretries = 3\nbackoff_factor = 10"),
            &[10.0, 20.0, 40.0],
            Ends,
        ),
        // The server of Prefect 2, and that of flows, knows whole seconds only.
        (
            used("use 'prefect@2'\nretries = 5\nretry_delay_seconds = [0.4, 1.4, 2.6, 0.6, 1.5]"),
            &[0.0, 1.0, 2.0, 0.0, 1.0],
            Ends,
        ),
        (
            used("use 'prefect@2:exponential-backoff'\nretries = 3\nbackoff_factor = 0.5"),
            &[0.0, 1.0, 2.0],
            Ends,
        ),
        (used("use 'prefect@3:flow'\nretries = 2\nretry_delay_seconds = 1.7"), &[1.0, 1.0], Ends),
        (used("use 'prefect@2:client'\nretry_jitter_factor = 0"), &[2.0, 4.0, 8.0, 16.0, 32.0], Ends),
        (used("use 'prefect@3:flow'\nretries = 2\nretry_delay_seconds = 10"), &[10.0, 10.0], Ends),
        (used("use 'tenacity@9'\nstop_after_attempt = 3"), &[0.0, 0.0], Ends),
        (used("use 'tenacity@9:wait_fixed'\nstop_after_attempt = 3\nwait = 2"), &[2.0, 2.0], Ends),
        (used("use 'tenacity@9:wait_fixed'\nstop_after_attempt = 1"), &[], Ends),
        (used("use 'tenacity@9:wait_fixed'\nstop_after_attempt = 0"), &[], Ends),
        // It stops at a failure 5 s or more after the start, but the wait before it may pass that.
        (used("use 'tenacity@9:wait_exponential'\nstop_after_delay = 5"), &[1.0, 2.0, 4.0], Ends),
        (used("use 'tenacity@9:wait_exponential'\nstop_before_delay = 7"), &[1.0, 2.0], Ends),
        (used("use 'tenacity@9:wait_incrementing'"), &[0.0, 100.0, 200.0], GoesOn),
        (
            used("use 'tenacity@9:wait_exponential_jitter'\nmultiplier = 3\njitter = 0"),
            &[3.0, 6.0, 12.0],
            GoesOn,
        ),
        (used("use 'tenacity@9:wait_chain'"), &[1.0, 2.0, 5.0, 5.0], GoesOn),
        (used("use 'tenacity@9:wait_exception'").answered(503).asked(7), &[60.0, 60.0], GoesOn),
        (used("use 'tenacity@9:wait_exception'").answered(429), &[1.0, 1.0], GoesOn),
        (used("use 'tenacity@9:wait_exception'").answered(429).asked(7), &[7.0, 7.0], GoesOn),
        // backoff-py shortens the last wait.
        (used("use 'backoff-py@2'\njitter = 'None'\nmax_time = 10"), &[1.0, 2.0, 4.0, 3.0], Ends),
        (used("use 'backoff-py@2'\njitter = 'None'\nmax_tries = 3"), &[1.0, 2.0], Ends),
        (used("use 'backoff-py@2:constant-list'\njitter = 'None'"), &[1.0, 5.0, 30.0], Ends),
        (used("use 'backoff-py@2:runtime'\njitter = 'None'").asked(17), &[17.0, 17.0], GoesOn),
    ]);
}

#[test]
fn exact_schedules_of_clients_and_schedulers_are_the_documented_ones() {
    check(&[
        (used("use 'urllib3@2'\nstatus_forcelist = [503]"), &[0.0; 10], Ends),
        (used("use 'urllib3@2'\ntotal = 4\nbackoff_factor = 0.3").disconnected(), &[0.0, 0.6, 1.2, 2.4], Ends),
        // Retry-After: 0 falls back to the backoff, more than six hours is six hours.
        (used("use 'urllib3@2'\ntotal = 3\nbackoff_factor = 1").asked(30), &[30.0, 30.0, 30.0], Ends),
        (used("use 'urllib3@2'\ntotal = 3\nbackoff_factor = 1").asked(0), &[0.0, 2.0, 4.0], Ends),
        (used("use 'urllib3@2'\ntotal = 1").asked(90_000), &[21_600.0], Ends),
        (used("use 'urllib3@2'\ntotal = 1").answered(500).asked(5), &[], Ends),
        (used("use 'urllib3@2'\ntotal = 1\nrespect_retry_after_header = false").asked(5), &[], Ends),
        (used("use 'requests@2'").disconnected(), &[], Ends),
        (used("use 'requests@2'\nmax_retries = 2").disconnected(), &[0.0, 0.0], Ends),
        (used("use 'hubspot-api-client@12'").disconnected(), &[0.0, 0.0, 0.0], Ends),
        (
            used("use 'hubspot-api-client@12'\ntotal = 5\nbackoff_factor = 0.3\nstatus_forcelist = [500, 502, 504]").answered(502),
            &[0.0, 0.6, 1.2, 2.4, 4.8],
            Ends,
        ),
        (used("use 'httpx-retries@0'"), &[0.0; 10], Ends),
        (
            used("use 'httpx-retries@0'\ntotal = 4\nbackoff_factor = 20\nbackoff_jitter = 0"),
            &[40.0, 80.0, 120.0, 120.0],
            Ends,
        ),
        (used("use 'httpx-retries@0'\ntotal = 1").asked(200), &[120.0], Ends),
        (used("use 'celery@5'"), &[180.0, 180.0, 180.0], Ends),
        (used("use 'celery@5:autoretry-backoff'\nretry_backoff = 2.9\nretry_jitter = false"), &[2.0, 4.0, 8.0], Ends),
        (used("use 'kombu@5'\nmax_retries = 4").disconnected(), &[2.0, 4.0, 6.0, 8.0], Ends),
        // Exactly at the timeout is not too late.
        (used("use 'kombu@5'\ntimeout = 6").disconnected(), &[2.0, 4.0, 6.0], Ends),
        (used("use 'kombu@5'\ninterval_max = 5").disconnected(), &[2.0, 4.0, 5.0, 5.0], GoesOn),
        (
            used("use 'kombu@5'\ninterval_start = 0\ninterval_step = 7\ninterval_max = 10").disconnected(),
            &[0.0, 7.0, 7.0],
            GoesOn,
        ),
        (used("use 'stamina@26:on-hook'\nattempts = 2").asked(3600), &[3600.0], Ends),
        // Ten attempts, or none of a failure after 45 s.
        (used("use 'stamina@26'\nwait_jitter = 0"), &[0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0], Ends),
        (used("use 'stamina@26'\nwait_jitter = 0\nwait_initial = 30\nwait_max = 30"), &[30.0, 30.0], Ends),
        (used("use 'stamina@26'\nattempts = 0"), &[], Ends),
        (used("use 'notion-client@3'").answered(429).asked(7), &[7.0, 7.0], Ends),
        (used("use 'notion-client@3'").answered(429).asked(100), &[60.0, 60.0], Ends),
        (used("use 'facebook-business@26'"), &[], Ends),
        (used("use 'facebook-business@26:video-upload'"), &[1.0, 1.0], GoesOn),
        (used("use 'stripe-python@16'\nmax_network_retries = 1"), &[0.5], Ends),
        (used("use 'redis-py@8:exponential'\nretries = 7").disconnected(), &[0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 0.512], Ends),
        (used("use 'redis-py@8:none'").disconnected(), &[0.0; 10], Ends),
        (used("use 'redis-py@8:decorrelated-jitter'\nretries = 1").disconnected(), &[0.008], Ends),
        (used("use 'botocore@1.34:legacy-dynamodb'"), &[0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8], Ends),
        (used("use 'airflow@2'\nretries = 2"), &[300.0, 300.0], Ends),
        (used("use 'airflow@3'\nretries = 2"), &[300.0, 300.0], Ends),
        (
            used(
                "use 'airflow@2'\nretries = 5\nretry_delay = 60\nretry_exponential_backoff = true\nmax_retry_delay = 900\n\
                 key = 'marketing_sync#send_email#2024-01-01 00:00:00+00:00'",
            ),
            &[82.0, 190.0, 257.0, 636.0, 900.0],
            Ends,
        ),
        (
            used("use 'airflow@3:exponential-backoff'\nretries = 2\nretry_delay = 100000\nmax_retry_delay = 1000000"),
            &[DAY, DAY],
            Ends,
        ),
        (used("use 'dagster@1'\ndelay = 10"), &[10.0], Ends),
        (used("use 'dagster@1'"), &[0.0], Ends),
    ]);
}

#[test]
fn exact_schedules_of_queues_and_webhooks_are_the_documented_ones() {
    check(&[
        (used("use 'aws-sqs@2026'"), &[30.0, 30.0, 30.0], GoesOn),
        (used("use 'aws-sqs@2026'\nmaxReceiveCount = 3"), &[30.0, 30.0], Ends),
        (
            used("use 'aws-sqs@2026'\nVisibilityTimeout = 43200\nMessageRetentionPeriod = 86400"),
            &[43_200.0, 43_200.0],
            Ends,
        ),
        (used("use 'aws-lambda-async@2026'"), &[60.0, 120.0], Ends),
        (
            used("use 'aws-lambda-async@2026:throttled'\nMaximumEventAgeInSeconds = 60").answered(429),
            &[1.0, 2.0, 4.0, 8.0, 16.0],
            Ends,
        ),
        // Both limits: the third attempt is reached long before 10 s have passed.
        (
            used(
                "use 'cloud-tasks@2'\nmaxAttempts = 3\nmaxRetryDuration = 10\nminBackoff = 1\nmaxBackoff = 4",
            ),
            &[1.0, 2.0, 4.0, 4.0],
            Ends,
        ),
        (used("use 'cloud-tasks@2'\nmaxAttempts = 3"), &[0.1, 0.2], Ends),
        (used("use 'pubsub@1'\nmax_delivery_attempts = 5"), &[0.0; 4], Ends),
        (used("use 'pubsub@1:retry-policy'"), &[10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0], GoesOn),
        (used("use 'cloudflare-queues@2026'"), &[0.0, 0.0, 0.0], Ends),
        (used("use 'cloudflare-queues@2026'\nretry_delay = 60"), &[60.0, 60.0, 60.0], Ends),
        (
            used("use 'stripe-webhooks@2026'"),
            &[300.0, 1_800.0, 7_200.0, 14_400.0, 28_800.0, 57_600.0, DAY],
            Ends,
        ),
        (used("use 'shopify-api-ruby@16'\ntries = 3").answered(429), &[1.0, 1.0], Ends),
        (used("use 'shopify-api-ruby@16'\ntries = 2").answered(429).asked(2), &[2.0], Ends),
        (used("use 'github-webhooks@2026'"), &[], Ends),
        (used("use 'hubspot-webhooks@2020'\nretries = 3").answered(429).asked(9), &[9.0, 9.0, 9.0], Ends),
        (used("use 'hubspot-webhooks@2020'\nretries = 3").asked(9), &[120.0, 240.0, 480.0], Ends),
        (used("use 'hubspot-workflows@2020'").answered(429).asked(9), &[9.0, 9.0], GoesOn),
        (used("use 'zapier-autoreplay@2026'"), &[300.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0], Ends),
        (used("use 'n8n@1'"), &[1.0, 1.0], Ends),
        (used("use 'n8n@1'\nmaxTries = 100\nwaitBetweenTries = 60000"), &[5.0, 5.0, 5.0, 5.0], Ends),
        (used("use 'n8n@1'\nmaxTries = 1"), &[1.0], Ends),
        (
            used("use 'ashby-webhooks@2026'"),
            &[10.0, 30.0, 70.0, 150.0, 310.0, 630.0, 1_270.0, 2_550.0, 5_110.0, 10_230.0],
            Ends,
        ),
        (used("use 'automate-io@2021'"), &[300.0, 900.0, 2_400.0, 10_800.0, 21_600.0, 50_400.0], Ends),
        (used("use 'kubelet@1'"), &[10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0], GoesOn),
        (
            used("use 'kubelet@1:immediate-first'"),
            &[0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0],
            GoesOn,
        ),
    ]);
}

#[test]
fn uniform_schedules_have_the_ends_of_their_formulas() {
    /// Draws per schedule.
    const DRAWS: u64 = 4000;
    let table: &[(Setup, &[(f64, f64)])] = &[
        (
            used("use 'httpx-retries@0'\ntotal = 3\nbackoff_factor = 0.5"),
            &[(0.0, 1.0), (0.0, 2.0), (0.0, 4.0)],
        ),
        (
            used("use 'httpx-retries@0'\ntotal = 1\nbackoff_factor = 0.5\nbackoff_jitter = 0.25"),
            &[(0.75, 1.0)],
        ),
        (used("use 'dramatiq@2'"), &[(15.0, 30.0), (30.0, 60.0), (60.0, 120.0)]),
        (used("use 'dramatiq@2'\nmin_backoff = 700000000"), &[(302_400.0, 604_800.0)]),
        (used("use 'stamina@26'"), &[(0.1, 1.1), (0.2, 1.2), (0.4, 1.4), (0.8, 1.8), (1.6, 2.6), (3.2, 4.2)]),
        (used("use 'notion-client@3'"), &[(0.5, 1.5), (1.0, 3.0)]),
        (
            used("use 'stripe-python@16'\nmax_network_retries = 6"),
            &[(0.5, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (2.5, 5.0), (2.5, 5.0)],
        ),
        (
            used("use 'slack-sdk@3'\nmax_retry_count = 3").disconnected(),
            &[(0.5, 1.5), (1.0, 2.0), (2.0, 3.0)],
        ),
        (used("use 'slack-sdk@3:server-error'"), &[(0.5, 1.5)]),
        (used("use 'slack-sdk@3:rate-limit'").answered(429), &[(1.0, 2.0)]),
        (used("use 'slack-sdk@3:rate-limit'").answered(429).asked(30), &[(30.0, 31.0)]),
        (used("use 'backoff-py@2:runtime'").asked(30), &[(0.0, 30.0)]),
        (used("use 'backoff-py@2:runtime'\njitter = 'random_jitter'").asked(30), &[(30.0, 31.0)]),
        // The delay that is computed, or 5 s more.
        (used("use 'botocore@1.44'").asked(30), &[(5.0, 5.05), (5.0, 5.1)]),
        (used("use 'botocore@1.44:standard'").answered(429), &[(0.0, 1.0), (0.0, 2.0)]),
        (used("use 'botocore@1.44:adaptive'"), &[(0.0, 0.05), (0.0, 0.1)]),
        (used("use 'botocore@1.34'"), &[(0.0, 1.0), (0.0, 2.0), (0.0, 4.0), (0.0, 8.0)]),
        (used("use 'botocore@1.34:adaptive'").answered(429).asked(30), &[(0.0, 1.0), (0.0, 2.0)]),
        (used("use 'redis-py@8'\nretries = 3").disconnected(), &[(0.0, 0.02), (0.0, 0.04), (0.0, 0.08)]),
        (
            used("use 'redis-py@8:equal-jitter'\nretries = 2").disconnected(),
            &[(0.008, 0.016), (0.016, 0.032)],
        ),
        // Whole seconds from 0 to int(2.9).
        (
            used("use 'celery@5:autoretry-backoff'\nretry_backoff = 4\nretry_backoff_max = 2.9"),
            &[(0.0, 2.0), (0.0, 2.0)],
        ),
        (used("use 'ahasend-webhooks@2026'\nretries = 3"), &[(0.9, 1.1), (14.4, 17.6), (72.9, 89.1)]),
        (used("use 'tenacity@9:wait_combine'\nstop_after_attempt = 2"), &[(3.0, 5.0)]),
    ];
    for (setup, ranges) in table {
        let policy = policy(setup);
        let draws: Vec<Vec<f64>> =
            (0..DRAWS).map(|request| waits(&policy, setup, request, ranges.len())).collect();
        for (n, &(low, high)) in ranges.iter().enumerate() {
            let delays: Vec<f64> = draws.iter().map(|waits| waits[n]).collect();
            let (least, most) = delays.iter().fold((f64::MAX, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
            // Of 4000 draws at least one comes closer than 1 % to each end.
            let near = (high - low) / 100.0;
            let context = format!("{}, retry {}: {least} to {most}", setup.policy, n + 1);
            assert!(least >= low - 1e-9 && most <= high + 1e-9, "{context}");
            assert!(least <= low + near + 1e-9 && most >= high - near - 1e-9, "{context}");
            let mean = delays.iter().sum::<f64>() / DRAWS as f64;
            let bound = 4.0 * (high - low) / (12.0 * DRAWS as f64).sqrt() + 1e-3;
            assert!((mean - f64::midpoint(low, high)).abs() <= bound, "{context}, mean {mean}");
        }
    }
}

#[test]
fn the_server_of_prefect_2_rounds_delays_that_are_drawn() {
    let setup = used("use 'prefect@2'\nretries = 1\nretry_delay_seconds = 3\nretry_jitter_factor = 0.5");
    let policy = policy(&setup);
    let mut seen: Vec<f64> = (0..1000).flat_map(|request| waits(&policy, &setup, request, 1)).collect();
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    // From 1.89 s to 4.5 s.
    assert_eq!(seen, [2.0, 3.0, 4.0]);
}

#[test]
fn a_task_that_waits_keeps_its_slot_where_it_does_in_the_library() {
    let held = ["prefect@3", "prefect@3:exponential-backoff", "tenacity@9"];
    let freed = [
        "prefect@2",
        "prefect@2:exponential-backoff",
        "airflow@2",
        "airflow@3",
        "airflow@3:exponential-backoff",
        "dagster@1",
        "celery@5",
        "celery@5:autoretry-backoff",
        "dramatiq@2",
    ];
    let held = held.map(|id| (id, DuringBackoff::Held));
    for (id, during) in held.into_iter().chain(freed.map(|id| (id, DuringBackoff::Freed))) {
        let config = &scenario(&format!("use = '{id}'\nretries = 1")).policies[0].config;
        assert_eq!(config.slot_during_backoff, during, "{id}");
    }
}

#[test]
fn each_library_retries_what_it_says() {
    // Codes: a status, 0 for a connection error, 1 for a timeout. Retried of idempotent operations, and of others.
    let candidates = [0u16, 1, 400, 401, 404, 408, 409, 413, 429, 500, 501, 502, 503, 504, 509];
    let all: &[u16] = &candidates;
    let aws: &[u16] = &[0, 1, 429, 500, 502, 503, 504];
    let table: &[(&str, &[u16], &[u16])] = &[
        ("prefect@3", all, all),
        ("prefect@3:client", &[0, 1, 408, 429, 502, 503], &[0, 1, 408, 429, 502, 503]),
        ("tenacity@9:wait_fixed", all, all),
        ("urllib3@2", &[0, 1], &[0]),
        ("httpx-retries@0", &[0, 1, 429, 502, 503, 504], &[]),
        ("google-api-core@2", &[0, 429, 500, 503], &[0, 429, 500, 503]),
        ("kombu@5", &[0, 1], &[0, 1]),
        ("notion-client@3", &[429, 500, 503], &[429]),
        (
            "stripe-python@16",
            &[0, 1, 409, 500, 501, 502, 503, 504, 509],
            &[0, 1, 409, 500, 501, 502, 503, 504, 509],
        ),
        ("redis-py@8", &[0, 1], &[0, 1]),
        ("slack-sdk@3", &[0], &[0]),
        ("slack-sdk@3:server-error", &[500, 503], &[500, 503]),
        ("botocore@1.44", aws, aws),
        ("botocore@1.34:standard", aws, aws),
        (
            "aws-lambda-async@2026:throttled",
            &[429, 500, 501, 502, 503, 504, 509],
            &[429, 500, 501, 502, 503, 504, 509],
        ),
        (
            "hubspot-workflows@2020",
            &[0, 1, 429, 500, 501, 502, 503, 504, 509],
            &[0, 1, 429, 500, 501, 502, 503, 504, 509],
        ),
    ];
    for &(id, idempotent, other) in table {
        let max = if id.starts_with("prefect@3") && !id.contains(':') { "\nretries = 1" } else { "" };
        let config = &scenario(&format!("use = '{id}'{max}")).policies[0].config;
        for (is_idempotent, expected) in [(true, idempotent), (false, other)] {
            let policy = Policy::new(config, is_idempotent);
            let history =
                History { attempts: 1, elapsed: Interval::ZERO, request: 0, memory: Memory::default() };
            let retries = |&code: &u16| {
                matches!(policy.decide(outcome(code), None, &history, &|_| [0, 0]), Decision::Retry(_))
            };
            let seen: Vec<u16> = candidates.iter().copied().filter(|code| retries(code)).collect();
            assert_eq!(seen, expected, "{id}, idempotent {is_idempotent}");
        }
    }
}
