//! Every law against its exact distribution function, its moments, and what is said of parameters that make no sense.

use super::*;
use crate::quantity::Quantity;
use crate::random::{Key, Purpose};

fn seconds(text: &str) -> Interval {
    Interval::parse(text).unwrap()
}

fn read(text: &str) -> Result<Distribution, String> {
    #[derive(Deserialize)]
    struct Wrapper {
        law: Distribution,
    }
    toml::from_str::<Wrapper>(text).map(|wrapper| wrapper.law).map_err(|error| error.message().to_owned())
}

/// A law, its distribution function (seconds), its mean and its standard deviation.
type Case = (&'static str, fn(f64) -> f64, f64, f64);

fn normal_probability(z: f64) -> f64 {
    libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0
}

fn cases() -> [Case; 16] {
    [
        ("law.uniform = { min = '1s', max = '4s' }", |t| (t - 1.0) / 3.0, 2.5, 3.0 / 12f64.sqrt()),
        ("law.exponential = { mean = '3s' }", |t| -libm::expm1(-t / 3.0), 3.0, 3.0),
        // sigma = ln(10)/2.3263; mean = exp(sigma^2/2); sd = mean sqrt(exp(sigma^2) - 1)
        (
            "law.lognormal = { median = '1s', p99 = '10s' }",
            |t| normal_probability(libm::log(t) * NORMAL_P99 / libm::log(10.0)),
            1.632_051_056,
            2.105,
        ),
        ("law.gamma = { mean = '2s', shape = 0.5 }", |t| libm::erf((t / 4.0).sqrt()), 2.0, 2.0 * 2f64.sqrt()),
        // Erlang of three phases of 1 s each.
        (
            "law.gamma = { mean = '3s', shape = 3 }",
            |t| 1.0 - libm::exp(-t) * (1.0 + t + t * t / 2.0),
            3.0,
            3f64.sqrt(),
        ),
        (
            "law.gamma = { mean = '1s', shape = 250.5 }",
            |t| incomplete_gamma(250.5, t * 250.5).0,
            1.0,
            0.063_182,
        ),
        // Gamma(1 + 1/2) = sqrt(pi)/2.
        (
            "law.weibull = { scale = '2s', shape = 2 }",
            |t| -libm::expm1(-t * t / 4.0),
            1.772_453_851,
            0.926_502_750,
        ),
        // Scale 1/ln(2)^2, mean scale Gamma(3) = 2 scale, sd sqrt(24 - 4) scale.
        (
            "law.weibull = { median = '1s', shape = 0.5 }",
            |t| 1.0 - libm::exp2(-t.sqrt()),
            4.162_737_962,
            9.308_165_05,
        ),
        // Mean 2.5/1.5, variance 2.5 / (1.5^2 0.5).
        ("law.pareto = { min = '1s', alpha = 2.5 }", |t| 1.0 - libm::pow(t, -2.5), 5.0 / 3.0, 1.490_711_985),
        // alpha = 1: density 1/t^2 / (1 - 1/100), mean ln(100) / 0.99, second moment 99 / 0.99.
        (
            "law.pareto = { min = '1s', alpha = 1, max = '100s' }",
            |t| (1.0 - 1.0 / t) / 0.99,
            4.651_687_056,
            8.852_205_55,
        ),
        // alpha = 1/2 on [1, 4]: density t^-1.5, mean 2, second moment 14/3.
        (
            "law.pareto = { min = '1s', alpha = 0.5, max = '4s' }",
            |t| 2.0 - 2.0 / t.sqrt(),
            2.0,
            0.816_496_581,
        ),
        (
            "law.empirical = { values = ['4s', '1s', '2s'] }",
            |t| ((t - 1.0) / 2.0).min(t / 4.0),
            2.25,
            0.877_971_146,
        ),
        (
            "law.empirical = { quantiles = [[0, '0s'], [0.9, '1s'], [1, '11s']] }",
            |t| if t < 1.0 { 0.9 * t } else { 0.9 + (t - 1.0) / 100.0 },
            1.05,
            1.905_474_65,
        ),
        // Hyperexponential: half the draws of mean 1 s, half of mean 3 s.
        (
            "law.mixture = [{ weight = 1, exponential = { mean = '1s' } }, { exponential = { mean = '3s' }, weight = 1.0 }]",
            |t| 1.0 - f64::midpoint(libm::exp(-t), libm::exp(-t / 3.0)),
            2.0,
            6f64.sqrt(),
        ),
        ("law.shifted = { by = '5s', exponential = { mean = '1s' } }", |t| -libm::expm1(5.0 - t), 6.0, 1.0),
        // A mixture inside a mixture: each on a third of the words.
        (
            "law.mixture = [{ weight = 2, mixture = [{ weight = 0, constant = '9s' }, \
             { weight = 1, uniform = { min = '0s', max = '1s' } }, \
             { weight = 1, uniform = { min = '1s', max = '2s' } }] }, { weight = 1, uniform = { min = '2s', max = '3s' } }]",
            |t| t / 3.0,
            1.5,
            3.0 / 12f64.sqrt(),
        ),
    ]
}

#[test]
fn samples_follow_the_exact_distribution_function() {
    for (number, (text, probability, ..)) in cases().into_iter().enumerate() {
        let key = Key::derive(number as u64, 0, Purpose::Service, "laws");
        let sampler = read(text).unwrap().sampler();
        let n = 20_000;
        let mut drawn: Vec<f64> = (0..n).map(|e| sampler.sample(key.block(e, 0)[0]).as_secs_f64()).collect();
        drawn.sort_by(f64::total_cmp);
        // Kolmogorov-Smirnov; 1.95 / sqrt(n) is the bound at alpha = 1e-3.
        let distance = drawn.iter().enumerate().map(|(i, &t)| {
            let p = probability(t);
            (p - i as f64 / n as f64).abs().max((p - (i + 1) as f64 / n as f64).abs())
        });
        let distance = distance.fold(0.0, f64::max);
        assert!(distance < 1.95 / (n as f64).sqrt(), "{text}: {distance}");
    }
}

#[test]
fn every_law_has_its_mean() {
    let key = Key::derive(11, 0, Purpose::Service, "laws");
    for (text, _, mean, sd) in cases() {
        let law = read(text).unwrap();
        let sampler = law.sampler();
        let n = 200_000u64;
        let total: f64 = (0..n).map(|e| sampler.sample(key.block(e, 0)[0]).as_secs_f64()).sum();
        let error = (total / n as f64 - mean).abs();
        assert!(error <= 4.0 * sd / (n as f64).sqrt() + 1e-9, "{text}: off by {error}");
        assert!((law.mean_seconds() / mean - 1.0).abs() < 1e-6, "{text}: {}", law.mean_seconds());
    }
}

#[test]
fn every_law_has_its_variance() {
    let key = Key::derive(12, 0, Purpose::Service, "laws");
    // Of the others the fourth moment is infinite or so large that a sample's variance says little.
    for (text, _, mean, sd) in
        cases().into_iter().filter(|case| !case.0.contains("2.5") && !case.0.contains("0.5 }"))
    {
        let sampler = read(text).unwrap().sampler();
        let n = 200_000u64;
        let squares: Vec<f64> = (0..n)
            .map(|e| (sampler.sample(key.block(e, 0)[0]).as_secs_f64() - mean) / sd)
            .map(|z| z * z)
            .collect();
        let variance = squares.iter().sum::<f64>() / n as f64;
        let fourth =
            squares.iter().map(|square| (square - variance) * (square - variance)).sum::<f64>() / n as f64;
        assert!((variance - 1.0).abs() < 4.5 * (fourth / n as f64).sqrt() + 1e-3, "{text}: {variance}");
    }
}

#[test]
fn a_lognormal_has_the_median_and_the_p99_it_was_given() {
    let sampler = Distribution::Lognormal { median: seconds("180ms"), p99: seconds("1.2s") }.sampler();
    let at = |p: f64| sampler.sample((p * (1u64 << 53) as f64) as u64 * (1 << 11)).as_secs_f64();
    assert!((at(0.5) - 0.180).abs() < 1e-9);
    assert!((at(0.99) - 1.2).abs() < 1e-9);
}

#[test]
fn a_sample_has_its_own_quantiles() {
    let sampler =
        read("law.empirical = { values = ['30ms', '10ms', '20ms', '20ms', '50ms'] }").unwrap().sampler();
    let at = |p: f64| sampler.sample((p * (1u64 << 53) as f64) as u64 * (1 << 11));
    // numpy.quantile([30, 10, 20, 20, 50], p), method "linear".
    for (p, value) in
        [(0.0, "10ms"), (0.125, "15ms"), (0.25, "20ms"), (0.5, "20ms"), (0.75, "30ms"), (0.875, "40ms")]
    {
        assert_eq!(at(p), seconds(value), "{p}");
    }
    assert_eq!(sampler.sample(u64::MAX), seconds("50ms"));
    let single = read("law.empirical = { values = ['7ms'] }").unwrap();
    assert_eq!((single.sampler().sample(u64::MAX), single.mean_seconds()), (seconds("7ms"), 0.007));
}

#[test]
fn a_file_of_latencies_is_a_sample() {
    let law = |content: &str| {
        read(&format!("law.empirical = {{ file = {{ name = 'l.csv', text = \"{content}\" }} }}"))
    };
    let values = read("law.empirical = { values = ['500ms', '20ms'] }").unwrap();
    assert_eq!(law("path,latency\\n/,0.5\\n/,20ms\\n"), Ok(values));
    for (content, complaint) in [
        ("latency\\n0.5\\nslow\\n", "l.csv, line 3: \"slow\" is no duration"),
        ("latency\\n-1\\n", "l.csv, line 2: \"-1\" is not between 0"),
        ("duration\\n1\\n", "l.csv, line 1: there is no column `latency`"),
    ] {
        let found = law(content).expect_err(content);
        assert!(found.starts_with(complaint), "{found}");
    }
    assert!(read("law.empirical = { file = 'l.csv' }").expect_err("no folder").contains("without a folder"));
}

#[test]
fn luck_is_monotone_under_every_law_but_a_mixture_and_ends_finite() {
    let key = Key::derive(3, 0, Purpose::Service, "monotone");
    for (text, ..) in cases() {
        let sampler = read(text).unwrap().sampler();
        let mut words: Vec<u64> = (0..2_000).map(|e| key.block(e, 0)[0]).chain([0, 1, u64::MAX]).collect();
        words.sort_unstable();
        let drawn: Vec<Interval> = words.iter().map(|&bits| sampler.sample(bits)).collect();
        assert!(drawn.is_sorted() || text.contains("mixture"), "{text}");
        let (low, high) = (sampler.sample(0), sampler.sample(u64::MAX));
        assert!(low < high && high < Interval::from_secs(3_600_000), "{text}: {low} {high}");
    }
}

#[test]
fn the_luck_within_a_part_of_a_mixture_is_its_place_in_it() {
    let sampler = read(
        "law.mixture = [{ weight = 1, uniform = { min = '0s', max = '1s' } }, \
         { weight = 3, uniform = { min = '10s', max = '11s' } }]",
    )
    .unwrap()
    .sampler();
    let quarter = 1u64 << 62;
    let nearly = Interval::from_nanos(999_999_999)..=Interval::from_secs(1);
    assert_eq!(sampler.sample(0), Interval::ZERO);
    assert!(nearly.contains(&sampler.sample(quarter - 1)));
    assert_eq!(sampler.sample(quarter), seconds("10s"));
    assert_eq!(sampler.sample(quarter + 3 * (quarter / 2)), seconds("10.5s"));
    assert!(nearly.contains(&(sampler.sample(u64::MAX) - seconds("10s"))));
}

#[test]
fn parameters_that_contradict_each_other_are_explained() {
    for (text, needle) in [
        ("law.uniform = { min = '2s', max = '1s' }", "swap them"),
        ("law.lognormal = { median = '2s', p99 = '1s' }", "raise p99"),
        ("law.lognormal = { median = '0s', p99 = '1s' }", "always 0s"),
        ("law.weibull = { shape = 2 }", "either `median` or `scale`"),
        ("law.weibull = { shape = 2, median = '1s', scale = '1s' }", "either `median` or `scale`"),
        ("law.pareto = { min = '0s', alpha = 2 }", "always 0s"),
        ("law.pareto = { min = '2s', alpha = 2, max = '2s' }", "raise max"),
        ("law.pareto = { min = '2s', alpha = 1 }", "infinite"),
        ("law.mixture = []", "weight above 0"),
        ("law.mixture = [{ weight = 0, constant = '1s' }]", "weight above 0"),
        (
            "law.mixture = [{ weight = 1, pareto = { min = '2s', alpha = 1 } }]",
            "law 0 of the mixture: the mean",
        ),
        ("law.shifted = { by = '1s', uniform = { min = '2s', max = '1s' } }", "swap them"),
    ] {
        let problem = read(text).unwrap().problem();
        assert!(problem.as_ref().is_some_and(|problem| problem.contains(needle)), "{text}: {problem:?}");
    }
}

#[test]
fn what_is_no_law_says_what_to_write() {
    for (text, needle) in [
        ("law.gamma = { mean = '1s', shape = 0 }", "a shape from 0.05 to 1000"),
        ("law.mixture = [{ weight = -1, constant = '1s' }]", "a weight from 0"),
        ("law.mixture = [{ weight = 1 }]", "no law beside `weight`"),
        ("law.mixture = [{ constant = '1s' }]", "missing field `weight`"),
        ("law.mixture = [{ weight = 1, constant = '1s', exponential = { mean = '1s' } }]", "one too many"),
        ("law.mixture = [{ weight = 1, gaussian = '1s' }]", "unknown variant `gaussian`"),
        ("law.mixture = ['1s']", "`weight` and a law, such as"),
        ("law.shifted = { by = '1s' }", "no law beside `by`"),
        ("law.empirical = {}", "one of `file`, `values` and `quantiles`"),
        ("law.empirical = { values = [] }", "no duration in `values`"),
        ("law.empirical = { values = ['1s'], column = 'x' }", "`column` is one of a file"),
        ("law.empirical = { quantiles = [[0.1, '1s'], [1, '2s']] }", "from probability 0 to probability 1"),
        ("law.empirical = { quantiles = [[0, '2s'], [1, '1s']] }", "does not follow on [0, \"2s\"]"),
        (
            "law.empirical = { quantiles = [[0, '1s'], [0.5, '1s'], [0.5, '2s'], [1, '3s']] }",
            "does not follow",
        ),
        ("law.empirical = { quantiles = [[0, '1s'], [nan, '1s'], [1, '3s']] }", "does not follow"),
    ] {
        let found = read(text).expect_err(text);
        assert!(found.contains(needle), "{text}: {found}");
    }
}
