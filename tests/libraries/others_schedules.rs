//! The default schedules of presets for JVM, .NET and Go libraries, and of proxies: exact delays where they are exact, bounds
//! and means where they are drawn. The numbers follow from the libraries' formulas, worked out by hand.

use crate::{DRAWS, Setup, delays, scenario};

/// How many retries a preset makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retries {
    /// Exactly as many as are listed.
    Listed,
    /// More than are listed, or as long as time lasts.
    More,
}
use Retries::{Listed, More};

fn check_number(setup: &Setup, listed: usize, retries: Retries) {
    let most = scenario(&setup.policy).policies[0].config.max_retries();
    match retries {
        Listed => assert_eq!(most, Some(listed as u64), "{setup:?}"),
        More => assert!(most.is_none_or(|most| most > listed as u64), "{setup:?}"),
    }
}

/// The preset with an id, and below it parameters.
fn with(preset: &str) -> Setup {
    let (id, parameters) = preset.split_once('\n').unwrap_or((preset, ""));
    Setup::new(format!("use = '{id}'\n{parameters}"))
}

/// A uniform law.
fn uniform(low: f64, high: f64) -> Law {
    (low, high, f64::midpoint(low, high))
}

fn check_exact(cases: Vec<(Setup, &[f64], Retries)>) {
    for (setup, expected, retries) in cases {
        check_number(&setup, expected.len(), retries);
        let drawn = delays(&setup, expected.len(), 3);
        for (n, (drawn, expected)) in drawn.iter().zip(expected).enumerate() {
            assert!(
                drawn.iter().all(|x| (x - expected).abs() < 1e-9),
                "{setup:?}, retry {}: {drawn:?}",
                n + 1
            );
        }
    }
}

#[test]
fn exact_schedules_of_libraries_are_the_documented_ones() {
    check_exact(vec![
        (with("resilience4j@2"), &[0.5, 0.5], Listed),
        (with("resilience4j@2:exponential"), &[0.5, 0.75], Listed),
        (
            with("resilience4j@2:exponential\nmaxAttempts = 7\nmultiplier = 2\nmaxInterval = 3000"),
            &[0.5, 1.0, 2.0, 3.0, 3.0, 3.0],
            Listed,
        ),
        (with("failsafe@3"), &[0.0, 0.0], Listed),
        (with("failsafe@3:backoff"), &[1.0, 2.0], Listed),
        (with("failsafe@3:backoff\nmaxRetries = 'unlimited'"), &[1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0], More),
        (
            with("failsafe@3:backoff\nmaxRetries = 4\ndelay = 0.1\ndelayFactor = 1.5"),
            &[0.1, 0.15, 0.225, 0.3375],
            Listed,
        ),
        (
            with("failsafe@3:backoff\nmaxRetries = 4\ndelay = 0.1\ndelayFactor = 1.5\ncall = 'get'"),
            &[0.1, 0.15, 0.225, 0.337],
            Listed,
        ),
        (with("failsafe@3:backoff\nmaxDuration = 1.5"), &[1.0, 1.5], Listed),
        (with("failsafe-go@0.9"), &[0.0, 0.0], Listed),
        (with("failsafe-go@0.9:backoff\nmaxRetries = 7"), &[1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0], Listed),
        (with("polly@8"), &[2.0, 2.0, 2.0], Listed),
        (with("polly@8\nDelayGenerator = 'retry-after'").asked(7), &[7.0, 7.0, 7.0], Listed),
        (with("polly@8:linear"), &[2.0, 4.0, 6.0], Listed),
        (with("polly@8:exponential"), &[2.0, 4.0, 8.0], Listed),
        (
            with("polly@8:exponential\nMaxRetryAttempts = 5\nMaxDelay = 10"),
            &[2.0, 4.0, 8.0, 10.0, 10.0],
            Listed,
        ),
        (with("polly@8:http-standard").asked(7), &[7.0, 7.0, 7.0], Listed),
        (
            with("cenkalti-backoff@4\nRandomizationFactor = 0"),
            &[
                0.5,
                0.75,
                1.125,
                1.6875,
                2.53125,
                3.796_875,
                5.695_312_5,
                8.542_968_75,
                12.814_453_125,
                19.221_679_687,
            ],
            More,
        ),
        // RetryAfter(5) each time: the backoff begins anew and never grows.
        (with("cenkalti-backoff@5\nMaxTries = 4\nRetryAfterError = true").asked(5), &[5.0, 5.0, 5.0], Listed),
        (with("go-retryablehttp@0.7"), &[1.0, 2.0, 4.0, 8.0], Listed),
        (with("go-retryablehttp@0.7\nRetryMax = 6"), &[1.0, 2.0, 4.0, 8.0, 16.0, 30.0], Listed),
        (with("go-retryablehttp@0.7").answered(429).asked(86_400), &[86_400.0; 4], Listed),
        (with("go-retryablehttp@0.7").answered(500).asked(86_400), &[1.0, 2.0, 4.0, 8.0], Listed),
        (
            with("go-retryablehttp@0.7:linear-jitter\nRetryWaitMin = 1\nRetryWaitMax = 1"),
            &[1.0, 2.0, 3.0, 4.0],
            Listed,
        ),
        (
            with("go-retryablehttp@0.7:linear-jitter\nRetryWaitMin = 2\nRetryWaitMax = 1"),
            &[2.0, 4.0, 6.0, 8.0],
            Listed,
        ),
    ]);
}

#[test]
fn exact_schedules_of_platforms_are_the_documented_ones() {
    check_exact(vec![
        (with("grpc@1").asked(3), &[3.0, 3.0, 3.0], Listed),
        (with("kubernetes@1").disconnected(), &[1.0; 10], Listed),
        (with("kubernetes@1").answered(429).asked(3), &[3.0; 10], Listed),
        (
            with("kubernetes@1:workqueue"),
            &[
                0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96,
                81.92, 163.84, 327.68, 655.36, 1000.0, 1000.0,
            ],
            More,
        ),
        (with("kubernetes@1:workqueue-fast-slow"), &[0.005, 0.005, 0.005, 10.0, 10.0], More),
        (with("kubernetes@1:workqueue-fast-slow\nmaxFastAttempts = 0"), &[10.0, 10.0], More),
        (with("kubernetes@1:default-retry\nJitter = 0").answered(409), &[0.01; 4], Listed),
        (with("kubernetes@1:default-backoff\nJitter = 0").answered(409), &[0.01, 0.05, 0.25], Listed),
        (with("kubernetes@1:flowcontrol"), &[10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0], More),
        (with("temporal@1"), &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0, 100.0], More),
        (with("temporal@1\nInitialInterval = 2\nMaximumAttempts = 4"), &[2.0, 4.0, 8.0], Listed),
        (
            with("temporal@1\nInitialInterval = 0.1\nBackoffCoefficient = 10\nMaximumAttempts = 5"),
            &[0.1, 1.0, 10.0, 10.0],
            Listed,
        ),
        (
            with("temporal@1\nInitialInterval = 1\nBackoffCoefficient = 10\nMaximumInterval = 500"),
            &[1.0, 10.0, 100.0, 500.0, 500.0],
            More,
        ),
        (with("temporal@1\nMaximumInterval = 5\nnextRetryDelay = 'retry-after'").asked(7), &[5.0, 5.0], More),
        (with("finagle@24").disconnected(), &[0.0; 20], Listed),
        (with("finagle@24:constant\ntake = 3").disconnected(), &[5.0; 3], Listed),
        (
            with("finagle@24:exponential").disconnected(),
            &[5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0],
            More,
        ),
        (with("finagle@24:linear\nmaximum = 12").disconnected(), &[5.0, 10.0, 12.0, 12.0], More),
    ]);
}

/// Lower end, upper end and mean of the delays before a retry.
type Law = (f64, f64, f64);

fn check_drawn(cases: Vec<(Setup, Vec<Law>, Retries)>) {
    for (setup, expected, retries) in cases {
        check_number(&setup, expected.len(), retries);
        for (index, (drawn, (low, high, mean))) in
            delays(&setup, expected.len(), DRAWS).iter().zip(expected).enumerate()
        {
            let place = format!("{setup:?}, retry {}", index + 1);
            let (least, most) = drawn.iter().fold((f64::MAX, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
            assert!(least >= low - 1e-9 && most <= high + 1e-9, "{place}: {least} to {most}");
            // Both ends are reached: 20,000 draws miss a hundredth of a uniform range with probability e^-200; the products
            // of two draws reach theirs to a tenth.
            let slack = (high - low) * if low + high == 2.0 * mean { 0.01 } else { 0.1 };
            assert!(least <= low + slack + 1e-9 && most >= high - slack - 1e-9, "{place}: {least} to {most}");
            let measured = drawn.iter().sum::<f64>() / drawn.len() as f64;
            let variance =
                drawn.iter().map(|x| (x - measured) * (x - measured)).sum::<f64>() / drawn.len() as f64;
            let bound = 4.5 * (variance / drawn.len() as f64).sqrt() + 1e-9;
            assert!((measured - mean).abs() <= bound, "{place}: mean {measured}, not {mean}");
        }
    }
}

#[test]
fn schedules_drawn_by_libraries_have_the_bounds_and_means_of_their_formulas() {
    check_drawn(vec![
        (with("resilience4j@2:randomized"), vec![uniform(0.25, 0.75); 2], Listed),
        (with("resilience4j@2:exponential-random"), vec![uniform(0.25, 0.75), uniform(0.375, 1.125)], Listed),
        (
            with("failsafe@3:backoff\njitterFactor = 0.25"),
            vec![uniform(0.75, 1.25), uniform(1.5, 2.5)],
            Listed,
        ),
        (with("failsafe@3:backoff\njitter = 0.5"), vec![uniform(0.5, 1.5), uniform(1.5, 2.5)], Listed),
        (with("failsafe@3:random-delay"), vec![uniform(1.0, 10.0); 2], Listed),
        (with("failsafe-go@0.9:random-delay"), vec![uniform(1.0, 10.0); 2], Listed),
        (with("polly@8\nUseJitter = true"), vec![uniform(1.5, 2.5); 3], Listed),
        (
            with("polly@8:linear\nUseJitter = true"),
            vec![uniform(1.5, 2.5), uniform(3.0, 5.0), uniform(4.5, 7.5)],
            Listed,
        ),
        (with("cenkalti-backoff@5"), vec![uniform(0.25, 0.75), uniform(0.375, 1.125)], More),
        (
            with("go-retryablehttp@0.7:linear-jitter"),
            (1..=4).map(|n| uniform(n.into(), f64::from(n) * 30.0)).collect(),
            Listed,
        ),
        (with("gax-go@2"), [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0].map(|x| uniform(0.0, x)).to_vec(), More),
        (with("grpc@1"), vec![uniform(0.08, 0.12), uniform(0.16, 0.24), uniform(0.32, 0.48)], Listed),
        (
            with("grpc@1:connection-backoff"),
            [1.6, 2.56, 4.096].iter().fold(vec![uniform(1.0, 1.0)], |mut all, x| {
                all.push(uniform(0.8 * x, 1.2 * x));
                all
            }),
            More,
        ),
    ]);
}

#[test]
fn schedules_drawn_by_platforms_have_the_bounds_and_means_of_their_formulas() {
    check_drawn(vec![
        (with("aws-sdk-go-v2@1"), vec![uniform(0.0, 2.0), uniform(0.0, 4.0)], Listed),
        (
            with("aws-sdk-go-v2@1\nMaxAttempts = 6\nMaxBackoff = 16"),
            vec![
                uniform(0.0, 2.0),
                uniform(0.0, 4.0),
                uniform(0.0, 8.0),
                uniform(0.0, 16.0),
                uniform(16.0, 16.0),
            ],
            Listed,
        ),
        (
            with("aws-sdk-go-v2@1:additive\nMaxAttempts = 5\nMaxBackoff = 8"),
            vec![uniform(2.0, 3.0), uniform(4.0, 5.0), uniform(8.0, 9.0), uniform(8.0, 8.0)],
            Listed,
        ),
        (with("aws-sdk-go-v2@1:retries-2026"), vec![uniform(0.0, 0.05), uniform(0.0, 0.1)], Listed),
        (
            with("aws-sdk-go-v2@1:retries-2026").answered(429),
            vec![uniform(0.0, 1.0), uniform(0.0, 2.0)],
            Listed,
        ),
        (with("kubernetes@1:default-retry").answered(409), vec![uniform(0.01, 0.011); 4], Listed),
        (
            with("kubernetes@1:default-backoff").answered(409),
            vec![uniform(0.01, 0.011), uniform(0.05, 0.055), uniform(0.25, 0.275)],
            Listed,
        ),
        (with("temporal@1:internal"), vec![uniform(0.8, 1.0), uniform(1.6, 2.0), uniform(3.2, 4.0)], More),
        // Each delay is twice the one before on average, while the cap of 300 s is far.
        (
            with("finagle@24:decorrelated").disconnected(),
            vec![(5.0, 5.0, 5.0), (5.0, 15.0, 10.0), (5.0, 45.0, 20.0)],
            More,
        ),
        (
            with("finagle@24:equal-jittered").disconnected(),
            vec![uniform(5.0, 5.0), uniform(5.0, 10.0), uniform(10.0, 20.0), uniform(20.0, 40.0)],
            More,
        ),
        (
            with("finagle@24:exponential-jittered").disconnected(),
            vec![(5.0, 5.0, 5.0), (0.0, 10.0, 5.0), (0.0, 40.0, 10.0)],
            More,
        ),
        (with("envoy@1"), vec![uniform(0.0, 0.024)], Listed),
        (
            with("envoy@1\nnum_retries = 4\nbase_interval = 100\nmax_interval = 250"),
            vec![uniform(0.0, 0.099), uniform(0.0, 0.199), uniform(0.0, 0.249), uniform(0.0, 0.249)],
            Listed,
        ),
        (with("envoy@1:rate-limited").answered(429).asked(10), vec![uniform(10.0, 15.0)], Listed),
        (with("envoy@1:rate-limited").answered(429).asked(301), vec![uniform(0.0, 0.024)], Listed),
        (with("istio@1").disconnected(), vec![uniform(0.0, 0.024), uniform(0.0, 0.049)], Listed),
    ]);
}

#[test]
fn pollys_walk_has_the_means_of_its_formula() {
    // E g(n - 1 + U) - E g(n - 2 + U) with g(t) = 2^t tanh(sqrt(4 t)), divided by 1.4: by quadrature over U.
    let g = |t: f64| t.exp2() * (4.0 * t).sqrt().tanh();
    let average = |n: f64| (0..100_000).map(|k| g(n + (f64::from(k) + 0.5) / 1e5)).sum::<f64>() / 1e5;
    let drawn = delays(&Setup::new("use = 'polly@8:exponential-jitter'"), 3, DRAWS);
    for (n, drawn) in drawn.iter().enumerate() {
        let before = if n == 0 { 0.0 } else { average(n as f64 - 1.0) };
        let mean = (average(n as f64) - before) * 2.0 / 1.4;
        let measured = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance =
            drawn.iter().map(|x| (x - measured) * (x - measured)).sum::<f64>() / drawn.len() as f64;
        assert!(
            (measured - mean).abs() < 4.5 * (variance / drawn.len() as f64).sqrt(),
            "retry {}: {measured}, {mean}",
            n + 1
        );
    }
}

#[test]
fn conditions_are_those_of_the_libraries() {
    use retrysim::outcome::{Outcome, StatusCode};
    let status = |code| Outcome::Status(StatusCode::of(code));
    // (preset, outcome, whether there is a Retry-After, whether it is retried for idempotent operations, and for others)
    for (text, outcome, header, idempotent, other) in [
        ("'go-retryablehttp@0.7'", status(501), false, false, false),
        ("'go-retryablehttp@0.7'", status(599), false, true, true),
        ("'go-retryablehttp@0.7'", status(404), false, false, false),
        ("'kubernetes@1'", status(503), false, false, false),
        ("'kubernetes@1'", status(503), true, true, true),
        ("'kubernetes@1'", Outcome::ConnectionError, false, true, false),
        ("'grpc@1'", Outcome::Timeout, false, false, false),
        ("'envoy@1'", status(429), false, false, false),
        ("'envoy@1'\nretryOn = 'gateway-error'", status(500), false, false, false),
        ("'envoy@1'\nretryOn = 'connect-failure'", Outcome::Timeout, false, false, false),
        ("'istio@1'", status(503), false, false, false),
        ("'istio@1'\nEXCLUDE_UNSAFE_503_FROM_DEFAULT_RETRY = false", status(503), false, true, true),
        ("'polly@8:http-standard'", status(408), false, true, true),
        ("'polly@8:http-standard'", status(404), false, false, false),
        ("'resilience4j@2'", status(400), false, true, true),
    ] {
        let retry_on = scenario(&format!("use = {text}")).policies[0].config.retry_on.clone();
        for (kind, expected) in [(true, idempotent), (false, other)] {
            assert_eq!(
                retry_on.outcomes(kind).includes(outcome, header),
                expected,
                "{text}, {outcome}, idempotent {kind}"
            );
        }
    }
}
