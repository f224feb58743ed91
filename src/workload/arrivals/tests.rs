//! Each kind of arrivals: exactly where it is set, against its law where it is random.

use super::*;
use crate::outcome::{Outcome, StatusCode};
use crate::quantity::Quantity;

fn read(text: &str) -> Result<Arrivals, String> {
    #[derive(Deserialize)]
    struct Wrapper {
        arrivals: Arrivals,
    }
    toml::from_str::<Wrapper>(text)
        .map(|wrapper| wrapper.arrivals)
        .map_err(|error| error.message().to_owned())
}

fn replicate(text: &str, clients: u64, end: Interval, replication: u32) -> ArrivalStream {
    let key = |purpose| Key::derive(1, replication, purpose, "arrivals");
    ArrivalStream::new(&read(text).unwrap(), clients, key, Instant::START + end)
}

fn stream(text: &str, clients: u64, end_seconds: u64) -> Vec<Arrival> {
    replicate(text, clients, Interval::from_secs(end_seconds), 0).collect()
}

fn times(arrivals: &[Arrival]) -> Vec<f64> {
    arrivals.iter().map(|arrival| arrival.at.as_secs_f64()).collect()
}

#[test]
fn a_burst_brings_every_client_once_at_each_of_its_instants() {
    let arrivals = stream("arrivals.burst = { at = '10s', every = '1m' }", 2, 130);
    assert_eq!(times(&arrivals), [10.0, 10.0, 70.0, 70.0]);
    assert_eq!(arrivals.iter().map(|a| a.client).collect::<Vec<_>>(), [0, 1, 0, 1]);
    assert_eq!(times(&stream("arrivals.burst = {}", 3, 1)), [0.0, 0.0, 0.0]);
    assert_eq!(times(&stream("arrivals.burst = { every = '1s', times = 2 }", 1, 9)), [0.0, 1.0]);
    assert_eq!(
        times(&stream("arrivals.burst = { at = '5s' }", 1, 5)),
        [0.0; 0],
        "the horizon is not part of the run"
    );
}

#[test]
fn a_spread_burst_is_uniform_and_sorted() {
    let times = times(&stream("arrivals.burst = { at = '100s', spread = '60s' }", 10_000, 1000));
    assert_eq!(times.len(), 10_000);
    assert!(times.is_sorted());
    // Kolmogorov-Smirnov against the uniform law; 1.95 / sqrt(n) is the bound at alpha = 1e-3.
    let distance = times
        .iter()
        .enumerate()
        .map(|(i, t)| ((t - 100.0) / 60.0 - i as f64 / 10_000.0).abs())
        .fold(0.0, f64::max);
    assert!(distance < 1.95 / 100.0, "{distance}");
}

#[test]
fn even_arrivals_are_exact() {
    let arrivals = stream("arrivals.even = { rate = '3/s', from = '1s', until = '3s' }", 2, 10);
    let nanos: Vec<_> = arrivals.iter().map(|a| a.at.as_nanos()).collect();
    assert_eq!(
        nanos,
        [1_000_000_000, 1_333_333_333, 1_666_666_666, 2_000_000_000, 2_333_333_333, 2_666_666_666]
    );
    assert_eq!(stream("arrivals.even = { rate = '1/s', requests = 4 }", 1, 100).len(), 4);
}

#[test]
fn poisson_arrivals_have_their_rate_and_spread_over_clients() {
    let arrivals = stream("arrivals.poisson = { rate = '50/s', from = '100s' }", 4, 2100);
    // 100,000 expected, standard deviation 316.
    assert!((arrivals.len() as f64 - 100_000.0).abs() < 4.5 * 316.3, "{}", arrivals.len());
    assert!(arrivals.iter().all(|a| a.at.as_secs_f64() >= 100.0));
    for client in 0..4 {
        let count = arrivals.iter().filter(|a| a.client == client).count() as f64;
        assert!((count - arrivals.len() as f64 / 4.0).abs() < 4.5 * 137.0, "client {client}: {count}");
    }
    // Gaps are exponential: mean 20 ms, coefficient of variation 1.
    let gaps: Vec<f64> = times(&arrivals).windows(2).map(|w| w[1] - w[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / gaps.len() as f64;
    assert!((variance.sqrt() / mean - 1.0).abs() < 0.02, "{}", variance.sqrt() / mean);
}

#[test]
fn the_expected_number_is_what_comes() {
    for (text, clients, count) in [
        ("arrivals.burst = { at = '10s', every = '1m' }", 2, 4.0),
        ("arrivals.burst = { at = '500s' }", 2, 0.0),
        ("arrivals.even = { rate = '3/s', until = '2s' }", 1, 6.0),
        ("arrivals.even = { rate = '3/s', requests = 5 }", 1, 5.0),
        ("arrivals.burst = { every = '1m', until = '1m' }", 3, 3.0),
        ("arrivals.cron = { schedule = '* * * * *', starts = '2026-01-01T00:00:30' }", 2, 4.0),
        ("arrivals.cron = { schedule = '* * * * *', starts = '2026-01-01T00:00:30', until = '31s' }", 2, 2.0),
        ("arrivals.trace = { file = { name = 't', text = \"time\\n0\\n129.5\\n130\\n\" } }", 2, 2.0),
    ] {
        assert_eq!(read(text).unwrap().expected(clients, Interval::from_secs(130)), count, "{text}");
        assert_eq!(stream(text, clients, 130).len() as f64, count, "{text}");
    }
}

#[test]
fn parameters_that_contradict_each_other_are_explained() {
    for text in [
        "arrivals.burst = { every = '0s' }",
        "arrivals.burst = { every = '1m', spread = '2m' }",
        "arrivals.burst = { times = 2 }",
        "arrivals.even = { rate = '1/s', from = '2s', until = '1s' }",
        "arrivals.poisson = { rate = '1/s', from = '2s', until = '2s' }",
        "arrivals.poisson = { rate = '1000/ns', until = '1ns' }",
        "arrivals.burst = { at = '5s', until = '5s' }",
        "arrivals.renewal = { gap.constant = '10ns' }",
        "arrivals.renewal = { gap.uniform = { min = '2s', max = '1s' } }",
        "arrivals.renewal = { gap.constant = '1s', from = '2s', until = '2s' }",
        "arrivals.modulated = { quiet = '0/s', busy = '0/s', quiet_lasts = '1m', busy_lasts = '1m' }",
        "arrivals.modulated = { quiet = '0/s', busy = '1/s', quiet_lasts = '1m', busy_lasts = '1us' }",
        "arrivals.modulated = { quiet = '0/s', busy = '1/ns', quiet_lasts = '1m', busy_lasts = '1m' }",
        "arrivals.steps = []",
        "arrivals.steps = [{ at = '1s', rate = '1/s' }, { at = '1s', rate = '2/s' }]",
        "arrivals.steps = { steps = [{ at = '1s', rate = '1/s' }], until = '1s' }",
        "arrivals.ramp = { from_rate = '0/s', to_rate = '0/s', over = '1s' }",
        "arrivals.diurnal = { mean = '9000000/s', peak_to_trough = 3, peak_at = '0s' }",
        "arrivals.diurnal = { mean = '1/s', peak_to_trough = 3, peak_at = '0s', period = '0s' }",
        "arrivals.profile = { rates = [], every = '1h' }",
        "arrivals.profile = { rates = ['1/s'], every = '0s' }",
        "arrivals.cron = { schedule = '*/5 * * * *', starts = '2026-01-05T08:30:00', spread = '6m' }",
        "arrivals.closed = { think.constant = '0s' }",
        "arrivals.closed = { think.pareto = { min = '1s', alpha = 1 } }",
        "arrivals.closed = { think.constant = '1s', until = '0s' }",
    ] {
        assert!(read(text).unwrap().problem().is_some(), "{text}");
    }
}

/// A kind of arrivals that stops before the run does, in the middle of its activity.
const STOPPED: [&str; 11] = [
    "arrivals.burst = { every = '10s', spread = '10s', until = '95s' }",
    "arrivals.even = { rate = '1/s', until = '95s' }",
    "arrivals.poisson = { rate = '5/s', until = '95s' }",
    "arrivals.renewal = { gap.uniform = { min = '0s', max = '400ms' }, until = '95s' }",
    "arrivals.modulated = { quiet = '1/s', busy = '50/s', quiet_lasts = '1s', busy_lasts = '1s', until = '95s' }",
    "arrivals.steps = { steps = [{ at = '90s', rate = '5/s' }], until = '95s' }",
    "arrivals.ramp = { from_rate = '0/s', to_rate = '50/s', over = '200s', until = '95s' }",
    "arrivals.diurnal = { mean = '9/s', peak_to_trough = 3, peak_at = '95s', period = '100s', until = '95s' }",
    "arrivals.profile = { rates = ['9/s', '1/s'], every = '10s', repeat = true, until = '95s' }",
    "arrivals.cron = { schedule = '* * * * *', starts = '2026-01-05T08:30:00', spread = '40s', until = '95s' }",
    "arrivals.trace = { file = { name = 't', text = \"time\\n0\\n94.9\\n95\\n99\\n\" }, until = '95s' }",
];

#[test]
fn every_kind_stops_at_its_end_and_not_before() {
    let (end, horizon) = (Instant::from_nanos(95_000_000_000), Interval::from_secs(100));
    for text in STOPPED {
        let stopped: Vec<Arrival> = replicate(text, 20, horizon, 0).collect();
        let endless = text.replace(", until = '95s'", "");
        let all: Vec<Arrival> = replicate(&endless, 20, horizon, 0).collect();
        let before: Vec<Arrival> = all.iter().copied().filter(|arrival| arrival.at < end).collect();
        assert!(!stopped.is_empty() && stopped == before, "{text}: {} of {}", stopped.len(), all.len());
        assert!(all.len() > before.len() && all.is_sorted_by_key(|arrival| arrival.at), "{text}");
        assert!(all.iter().enumerate().all(|(number, arrival)| arrival.number == number as u64), "{text}");
        let mut ended = replicate(text, 20, horizon, 0);
        assert_eq!((ended.by_ref().count(), ended.next()), (stopped.len(), None), "{text}: it ends once");
    }
}

#[test]
fn every_kind_that_counts_its_requests_stops_after_them() {
    for text in STOPPED.iter().filter(|text| !text.contains("burst") && !text.contains("cron")) {
        let text = text.replace("until = '95s'", "requests = 2");
        assert_eq!(replicate(&text, 3, Interval::from_secs(100), 0).count(), 2, "{text}");
    }
}

/// The distance of `samples` from a distribution function, as a multiple of the Kolmogorov-Smirnov bound at alpha = 1e-3.
fn misfit(mut samples: Vec<f64>, probability: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let off = |(i, &x): (usize, &f64)| (probability(x) - (i as f64 + 0.5) / n).abs() + 0.5 / n;
    samples.iter().enumerate().map(off).fold(0.0, f64::max) * n.sqrt() / 1.95
}

/// Of each inhomogeneous Poisson process its cumulative rate, worked out by hand (seconds).
type Cumulative = (&'static str, u64, fn(f64) -> f64);

const INHOMOGENEOUS: [Cumulative; 6] = [
    (
        "arrivals.steps = [{ at = '10s', rate = '100/s' }, { at = '30s', rate = '0/s' }, { at = '40s', rate = '300/s' }]",
        70,
        |t| 100.0 * (t - 10.0).clamp(0.0, 20.0) + 300.0 * (t - 40.0).max(0.0),
    ),
    ("arrivals.ramp = { from_rate = '0/s', to_rate = '400/s', from = '5s', over = '40s' }", 60, |t| {
        if t < 45.0 { 5.0 * (t - 5.0) * (t - 5.0) } else { 8000.0 + 400.0 * (t - 45.0) }
    }),
    ("arrivals.ramp = { from_rate = '400/s', to_rate = '0/s', over = '40s' }", 60, |t| {
        if t < 40.0 { 400.0 * t - 5.0 * t * t } else { 8000.0 }
    }),
    // The peak at 7 s, 2 s after the start: 300 (1 + cos(2 pi (t - 7) / 20) / 2).
    (
        "arrivals.diurnal = { mean = '300/s', peak_to_trough = 3, peak_at = '7s', period = '20s', from = '5s' }",
        45,
        |t| {
            let sine = |t: f64| libm::sin(std::f64::consts::TAU * (t - 7.0) / 20.0);
            300.0 * (t - 5.0 + 20.0 / (2.0 * std::f64::consts::TAU) * (sine(t) - sine(5.0)))
        },
    ),
    (
        "arrivals.profile = { rates = ['100/s', '0/s', '400/s'], every = '4s', repeat = true, from = '1s' }",
        53,
        |t| {
            let (rounds, rest) = (libm::floor((t - 1.0) / 12.0), (t - 1.0) % 12.0);
            2000.0 * rounds + 100.0 * rest.min(4.0) + 400.0 * (rest - 8.0).max(0.0)
        },
    ),
    ("arrivals.profile = { rates = ['100/s', '900/s'], every = '10s' }", 60, |t| {
        100.0 * t.min(10.0) + 900.0 * (t - 10.0).clamp(0.0, 10.0)
    }),
];

#[test]
fn on_the_clock_of_the_cumulative_rate_the_gaps_are_exponential() {
    for (text, seconds, cumulative) in INHOMOGENEOUS {
        let times = times(&stream(text, 4, seconds));
        let clock: Vec<f64> = [0.0].into_iter().chain(times.iter().map(|&t| cumulative(t))).collect();
        let gaps: Vec<f64> = clock.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.len() > 5_000, "{text}: {}", gaps.len());
        let worst = misfit(gaps, |gap| -libm::expm1(-gap));
        assert!(worst < 1.0, "{text}: {worst}");
        // And they are the points of the process of rate 1, to the nanosecond.
        let key = Key::derive(1, 0, Purpose::Arrivals, "arrivals");
        let mut point = 0.0;
        for (number, &t) in times.iter().enumerate() {
            point += standard_exponential(key.block(number as u64, 0)[0]);
            let rate = (cumulative(t + 1e-6) - cumulative(t - 1e-6)).max(0.0) * 1e6;
            assert!((cumulative(t) - point).abs() <= 1e-9 * rate + 1e-7, "{text}: request {number} at {t}");
        }
        let expected = read(text).unwrap().expected(4, Interval::from_secs(seconds));
        assert!((expected / cumulative(seconds as f64) - 1.0).abs() < 1e-9, "{text}: {expected}");
        let count = times.len() as f64;
        assert!((count - expected).abs() < 4.5 * expected.sqrt(), "{text}: {count} instead of {expected}");
    }
}

#[test]
fn a_day_as_long_as_real_ones_is_inverted_to_the_nanosecond() {
    let text = "arrivals.diurnal = { mean = '2/min', peak_to_trough = 5, peak_at = '14h' }";
    let swing = 4.0 / 6.0;
    let period = 86_400.0;
    let phase = |t: f64| std::f64::consts::TAU * (t / period - 14.0 / 24.0);
    let key = Key::derive(1, 0, Purpose::Arrivals, "arrivals");
    let mut point = 0.0;
    for arrival in replicate(text, 1, Interval::from_secs(10 * 86_400), 0) {
        point += standard_exponential(key.block(arrival.number, 0)[0]);
        let t = arrival.at.as_secs_f64();
        let sine = libm::sin(phase(t)) - libm::sin(phase(0.0));
        let cumulative = (t + swing * period / std::f64::consts::TAU * sine) / 30.0;
        let rate = (1.0 + swing * libm::cos(phase(t))) / 30.0;
        // A nanosecond, and the rounding of the two sums that are compared.
        let allowed = 1e-9 + 4e-12 * point.max(1.0) / rate / 1e3;
        assert!(
            ((cumulative - point) / rate).abs() < allowed,
            "{}: {}",
            arrival.number,
            (cumulative - point) / rate
        );
    }
}

#[test]
fn a_higher_rate_brings_the_same_request_earlier() {
    let at = |rate: &str| {
        let text = format!(
            "arrivals.ramp = {{ from_rate = '1/s', to_rate = '{rate}', over = '1m', requests = 500 }}"
        );
        times(&stream(&text, 1, 100_000))
    };
    let (low, high) = (at("2/s"), at("3/s"));
    assert!(low.len() == 500 && low.iter().zip(&high).all(|(low, high)| high < low));
}

#[test]
fn the_gaps_of_a_renewal_process_follow_their_law() {
    let text = "arrivals.renewal = { gap.gamma = { mean = '2s', shape = 3 }, from = '100s' }";
    let arrivals = stream(text, 3, 20_000);
    let clock: Vec<f64> = [100.0].into_iter().chain(times(&arrivals)).collect();
    let gaps: Vec<f64> = clock.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let worst = misfit(gaps, |gap| crate::distribution::incomplete_gamma(3.0, gap * 1.5).0);
    assert!(worst < 1.0, "{worst}");
    // The number by t has mean about t / mean and variance about t / mean / shape.
    let expected = 19_900.0 / 2.0;
    assert!((arrivals.len() as f64 - expected).abs() < 4.5 * (expected / 3.0).sqrt(), "{}", arrivals.len());
    assert_eq!(read(text).unwrap().expected(3, Interval::from_secs(20_000)), expected);
}

#[test]
fn a_modulated_process_has_the_mean_and_the_dispersion_of_its_model() {
    let text =
        "arrivals.modulated = { quiet = '2/s', busy = '30/s', quiet_lasts = '30s', busy_lasts = '10s' }";
    let (seconds, replications) = (200.0, 2_000);
    let counts: Vec<f64> = (0..replications)
        .map(|replication| replicate(text, 1, Interval::parse("200s").unwrap(), replication).count() as f64)
        .collect();
    let n = f64::from(replications);
    let mean = counts.iter().sum::<f64>() / n;
    let squares: Vec<f64> = counts.iter().map(|count| (count - mean) * (count - mean)).collect();
    let variance = squares.iter().sum::<f64>() / (n - 1.0);
    // In the stationary state: mean rate 9/s, and, with s = 1/30 + 1/10, the covariance of the rates at distance t is
    // 28^2 * 3/16 * e^(-s t), so that the variance of the count is m + 2 * 147 (t/s - (1 - e^(-s t)) / s^2).
    // (Fischer and Meier-Hellstern, "The Markov-modulated Poisson process cookbook", Performance Evaluation 18, 1993.)
    let rate = 1.0 / 30.0 + 1.0 / 10.0;
    let exact = 9.0 * seconds + 2.0 * 147.0 * (seconds / rate + libm::expm1(-rate * seconds) / (rate * rate));
    assert!((mean - 9.0 * seconds).abs() < 4.5 * (exact / n).sqrt(), "mean {mean}");
    let fourth = squares.iter().map(|square| (square - variance) * (square - variance)).sum::<f64>() / n;
    assert!((variance - exact).abs() < 4.5 * (fourth / n).sqrt(), "variance {variance}, not {exact}");
    assert_eq!(read(text).unwrap().expected(1, Interval::from_secs(200)), 1800.0);
}

#[test]
fn states_of_a_modulated_process_last_an_exponential_time() {
    // Busy at 1000/s and silent otherwise, so that a gap of a second is a quiet spell (and 1000 e^-1000 gaps are not).
    let text =
        "arrivals.modulated = { quiet = '0/s', busy = '1000/s', quiet_lasts = '100s', busy_lasts = '2s' }";
    let times = times(&stream(text, 1, 200_000));
    let spells: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|&gap| gap > 1.0).collect();
    assert!(spells.len() > 1_500, "{}", spells.len());
    let worst = misfit(spells, |spell| -libm::expm1((1.0 - spell) / 100.0));
    assert!(worst < 1.0, "{worst}");
}

#[test]
fn cron_brings_every_client_at_each_instant() {
    let text = "arrivals.cron = { schedule = '0 9 * * 1-5', starts = '2026-01-02T08:30:00' }";
    let arrivals = stream(text, 2, 4 * 86_400);
    let (half_hour, day) = (1800.0, 86_400.0);
    assert_eq!(times(&arrivals), [half_hour, half_hour, 3.0 * day + half_hour, 3.0 * day + half_hour]);
    assert_eq!(arrivals.iter().map(|arrival| arrival.client).collect::<Vec<_>>(), [0, 1, 0, 1]);
    let spread = text.replace(" }", ", spread = '10m' }");
    let spread = times(&stream(&spread, 5_000, 86_400));
    let worst = misfit(spread, |t| (t - half_hour) / 600.0);
    assert!(worst < 1.0, "{worst}");
}

#[test]
fn the_instants_of_a_schedule_are_counted_without_walking_them() {
    for (schedule, starts) in [
        ("*/7 3-5,22 * * 1,4", "2026-01-05T04:13:20.5"),
        ("0 0 29 2 *", "2026-01-05T00:00:00"),
        ("* * 1,31 * *", "2026-12-31T23:00:00"),
        ("@hourly", "2026-01-01T00:00:00"),
    ] {
        let text = format!("arrivals.cron = {{ schedule = '{schedule}', starts = '{starts}' }}");
        for days in [0, 1, 2, 3, 30, 800] {
            let horizon = Interval::from_secs(days * 86_400 + 7 * 3600);
            let counted = read(&text).unwrap().expected(3, horizon);
            assert_eq!(counted, replicate(&text, 3, horizon, 0).count() as f64, "{text}, {days} days");
        }
    }
}

#[test]
fn a_closed_workload_has_no_arrivals_of_its_own() {
    let text = "arrivals.closed = { think.exponential = { mean = '10s' } }";
    assert_eq!(stream(text, 5, 100), []);
    assert_eq!(read(text).unwrap().expected(5, Interval::from_secs(100)), 50.0, "if requests took no time");
}

fn trace(content: &str, fields: &str) -> Result<Trace, String> {
    let content = content.replace('\n', "\\n");
    match read(&format!("arrivals.trace = {{ file = {{ name = 't.csv', text = \"{content}\" }}{fields} }}"))?
    {
        Arrivals::Trace(trace) => Ok(trace),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trace_comes_as_it_was_recorded() {
    let rows = "time,operation,key,status,latency\n1700000002.5,write,b,200,0.25\n1700000001,read,a,503,20ms\n\
                1700000002.5,read,b,,\n1700000001,read,c,timeout,30\n";
    let recording = trace(rows, "").unwrap().recording;
    let at = |number| recording.at(number).map(Instant::as_nanos);
    assert_eq!([0, 1, 2, 3, 4].map(at), [Some(0), Some(0), Some(1_500_000_000), Some(1_500_000_000), None]);
    assert_eq!(recording.operations(), ["read", "write"]);
    assert_eq!([0, 1, 2, 3].map(|n| recording.operation(n)), [Some(0), Some(0), Some(1), Some(0)]);
    // In the order of time they come a, c, b, b.
    assert_eq!([0, 1, 2, 3].map(|n| recording.key(n)), [Some(0), Some(1), Some(2), Some(2)]);
    assert_eq!(recording.keys(), Some(3));
    let status = |code| Outcome::Status(StatusCode::of(code));
    let answer = |outcome, millis| {
        Some(RecordedAnswer { outcome, latency: Interval::from_millis(millis), retry_after: None })
    };
    assert_eq!(recording.result(0), answer(status(503), 20));
    assert_eq!(recording.result(1), answer(Outcome::Timeout, 30_000));
    assert_eq!(recording.result(2), answer(status(200), 250));
    assert_eq!((recording.result(3), recording.result(4)), (None, None));
    let rows = "time,status,latency,retry_after\n0,429,1ms,20\n1,error_606,1ms,1m\n2,200,1ms,\n";
    let recording = trace(rows, "").unwrap().recording;
    let results: Vec<_> = (0..3).filter_map(|number| recording.result(number)).collect();
    let waits: Vec<_> = results.iter().map(|answer| answer.retry_after).collect();
    assert_eq!(waits, [Some(Interval::from_secs(20)), Some(Interval::from_secs(60)), None]);
    assert_eq!(results[1].outcome, Outcome::Error(606));
}

#[test]
fn a_trace_counts_from_its_first_row_or_from_when_it_starts() {
    let dates = "time\n2026-01-05T08:30:01.5Z\n2026-01-05T09:30:00+01:00\n2026-01-05T08:30:03Z\n";
    let seconds = |fields: &str| {
        let recording = trace(dates, fields).unwrap().recording;
        (0..).map_while(|number| recording.at(number)).map(Instant::as_secs_f64).collect::<Vec<_>>()
    };
    assert_eq!(seconds(""), [0.0, 1.5, 3.0]);
    assert_eq!(seconds(", starts = '2026-01-05T08:29:00Z'"), [60.0, 61.5, 63.0]);
    assert_eq!(seconds(", starts = '2026-01-05T08:30:01Z'"), [0.5, 2.0], "what came before it is left out");
    let naive = "time\n2026-01-05T08:30:01.5\n2026-01-05T09:30:00+01:00\n";
    let recording = trace(naive, ", starts = '2026-01-05T08:30:00'").unwrap().recording;
    assert_eq!(recording.at(1).map(Instant::as_secs_f64), Some(1.5), "without a zone it is UTC");
    let recording = trace("time\n3\n2\n", "").unwrap().recording;
    assert_eq!((recording.operation(0), recording.key(0), recording.keys()), (None, None, None));
}

#[test]
fn a_bad_row_of_a_trace_is_named_with_its_line() {
    for (content, fields, complaint) in [
        ("time\n1\nsoon\n", "", "t.csv, line 3: \"soon\" is no time"),
        (
            "time\n1\n2026-01-05T08:30:00Z\n",
            "",
            "t.csv, line 3: \"2026-01-05T08:30:00Z\" follows on a number",
        ),
        (
            "time\n1\n",
            ", starts = '2026-01-05T08:30:00Z'",
            "t.csv, line 2: \"1\" is a number of seconds, and `starts` is a date",
        ),
        ("time\n1772359200000\n", "", "t.csv, line 2: 1772359200000 s is after the year 5000"),
        ("time\n1\n", ", first_attempts = 'recorded'", "t.csv: it does not say how first attempts went"),
        ("time,retry_after\n1,3\n", "", "t.csv, line 2: `retry_after` belongs to an answer"),
        ("time,status,latency,retry_after\n1,timeout,1,3\n", "", "t.csv, line 2: a timeout is no answer"),
        ("time,status,latency,retry_after\n1,429,1,soon\n", "", "t.csv, line 2: \"soon\" is no duration"),
        ("time\n1\n", ", starts = 'dawn'", "starts: \"dawn\" is no time"),
        ("time\n1\n", ", starts = '2'", "t.csv: all rows are before `starts`"),
        ("time,status,latency\n1,700,1\n", "", "t.csv, line 2: \"700\" is no status"),
        ("time,status,latency\n1,65736,1\n", "", "t.csv, line 2: \"65736\" is no status"),
        ("time,status,latency\n1,200,\n", "", "t.csv, line 2: `status` and `latency` belong together"),
        ("time,latency\n1,1\n", "", "t.csv, line 2: `status` and `latency` belong together"),
        ("time,status,latency\n1,200,-1\n", "", "t.csv, line 2: \"-1\" is not between 0"),
        ("time,key\n1,a\n\n2,\n", "", "t.csv, line 4: the key is empty"),
        ("time\n0\n1e10\n", "", "t.csv: it spans more than 100 years"),
        ("at\n1\n", "", "t.csv, line 1: there is no column `time`"),
        ("time\n", "", "t.csv: there is no row"),
    ] {
        let found = trace(content, fields).expect_err(content);
        assert!(found.starts_with(complaint), "{content:?}: {found}");
    }
}

#[test]
fn what_is_no_arrivals_says_what_to_write() {
    for (text, needle) in [
        ("arrivals.steps = 3", "a list such as"),
        ("arrivals.diurnal = { mean = '1/s', peak_to_trough = 0.5, peak_at = '0s' }", "a ratio from 1"),
        ("arrivals.cron = { schedule = '0 9 * * *', starts = '2026-01-05T08:30:00+01:00' }", "no time zone"),
        ("arrivals.cron = { schedule = '0 9 * * *', starts = 'soon' }", "2026-01-05T08:30:00"),
        ("arrivals.cron = { schedule = 5, starts = '2026-01-05' }", "five fields"),
        ("arrivals.trace = { file = 'trace.csv' }", "without a folder"),
        ("arrivals.trace = { file = 7 }", "the name of a CSV file"),
    ] {
        let found = read(text).expect_err(text);
        assert!(found.contains(needle), "{text}: {found}");
    }
}

#[test]
fn a_schedule_may_say_that_its_clock_is_that_of_utc() {
    let cron =
        |starts| read(&format!("arrivals.cron = {{ schedule = '0 9 * * *', starts = '{starts}' }}")).unwrap();
    assert_eq!(cron("2026-01-05T08:30:00Z"), cron("2026-01-05T08:30:00"));
}
