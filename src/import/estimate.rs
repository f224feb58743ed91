//! What a recording says of the service: latencies, faults, outages, a rate limit; each figure with its 95 % interval.

use super::traffic::{Request, Traffic};
use crate::outcome::Outcome;

/// The 0.975 quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;
const SECOND: i64 = 1_000_000_000;
/// Widths of windows, in seconds.
const WIDTHS: [i64; 12] = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400];
/// How many requests a window should have on average before its share of failures is looked at.
const PER_WINDOW: i128 = 8;
/// How many outages are told.
const MOST_OUTAGES: usize = 100;
/// How unlikely a window's failures must be, over all windows together, to be no chance.
const SIGNIFICANCE: f64 = 0.01;

/// The Wilson score interval of 95 % for a share of which `k` of `n` were seen.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
pub(super) fn wilson(k: u64, n: u64) -> (f64, f64) {
    let (n, share) = (n as f64, k as f64 / n as f64);
    let centre = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// A quantile of a sample with its interval, whose ends are order statistics too; `None` where the sample is too small for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantile {
    pub(super) value: u64,
    pub(super) low: Option<u64>,
    pub(super) high: Option<u64>,
}

/// The smallest value that at least a share `p` of the sorted sample does not exceed. Ranks of the interval: n p +- 1.96 sqrt(n p q),
/// rounded outwards.
pub(super) fn quantile(sorted: &[u64], p: f64) -> Option<Quantile> {
    let n = sorted.len() as f64;
    let at = |rank: f64| (rank >= 1.0 && rank <= n).then(|| sorted[rank as usize - 1]);
    let half = Z * (n * p * (1.0 - p)).sqrt();
    let value = at((n * p).ceil().max(1.0))?;
    Some(Quantile { value, low: at((n * p - half).floor()), high: at((n * p + half).ceil() + 1.0) })
}

/// P(X >= k) of a binomial variable, from its terms.
pub(super) fn binomial_tail(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 || p >= 1.0 {
        return 1.0;
    }
    if p <= 0.0 || k > n {
        return 0.0;
    }
    let (kf, nf) = (k as f64, n as f64);
    let choose = libm::lgamma(nf + 1.0) - libm::lgamma(kf + 1.0) - libm::lgamma(nf - kf + 1.0);
    let mut term = libm::exp(choose + kf * libm::log(p) + (nf - kf) * libm::log1p(-p));
    let mut sum = 0.0;
    for i in k..=n {
        sum += term;
        term *= (n - i) as f64 / (i + 1) as f64 * p / (1.0 - p);
        if term < sum * 1e-15 && i as f64 > nf * p {
            break;
        }
    }
    sum.min(1.0)
}

/// A stretch in which the service turned nearly everything away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outage {
    /// Its first failure, in nanoseconds since the first request, and the request before it, if there is one.
    pub(super) from: (i64, Option<i64>),
    /// Its last failure, and the request after it, if there is one.
    pub(super) to: (i64, Option<i64>),
    /// Failures and requests in it.
    pub(super) failures: u64,
    pub(super) requests: u64,
    /// What most of its failures came to.
    pub(super) outcome: Outcome,
    /// The width of the windows that showed it, in seconds.
    pub(super) width: i64,
}

/// Whether the request fell into one of the outages, which are in order of time.
pub(super) fn is_in_outage(request: &Request, outages: &[Outage]) -> bool {
    let begun = outages.partition_point(|outage| outage.from.0 <= request.at);
    begun > 0 && request.at <= outages[begun - 1].to.0
}

/// The outages, by this rule. The recording is cut into windows, of the least width that gives 8 requests per window. A window is bad
/// if at least half of its requests failed (5xx, timeout, connection error), and so many failures were less likely than 1 % divided by
/// the number of windows if it failed at the rate of the windows that are not bad (found by repetition). A maximal run of bad windows,
/// passing over empty ones, is an outage; within it and one window on either side, from and to are those of the stretch of requests with
/// the largest surplus of failures over successes, which must be 3 at least. Of more than 100, those with the most failures are kept.
pub(super) fn outages(traffic: &Traffic) -> Vec<Outage> {
    let requests = &traffic.requests;
    let span = requests.last().map_or(0, |request| request.at) + 1;
    let fits = |width: &&i64| requests.len() as i128 >= PER_WINDOW * i128::from(1 + span / (*width * SECOND));
    let Some(&width) = WIDTHS.iter().find(fits) else { return Vec::new() };
    // Windows that are not empty: their requests, and how many failed.
    let mut windows: Vec<(std::ops::Range<usize>, u64, bool)> = Vec::new();
    let mut start = 0;
    for window in requests.chunk_by(|a, b| a.at / (width * SECOND) == b.at / (width * SECOND)) {
        let failures = window.iter().filter(|request| request.is_down()).count() as u64;
        windows.push((start..start + window.len(), failures, false));
        start += window.len();
    }
    if windows.len() < 3 {
        return Vec::new();
    }
    let level = SIGNIFICANCE / windows.len() as f64;
    for _ in 0..10 {
        let good = windows.iter().filter(|window| !window.2);
        let (failures, all) = good.fold((0, 0), |(k, n), window| (k + window.1, n + window.0.len() as u64));
        // Half a failure more than was seen: a share of zero would make a single failure impossible.
        let share = (failures as f64 + 0.5) / (all as f64 + 1.0);
        let mut changed = false;
        for (range, failures, bad) in windows.iter_mut().filter(|window| !window.2) {
            let n = range.len() as u64;
            *bad = 2 * *failures >= n && binomial_tail(*failures, n, share) < level;
            changed |= *bad;
        }
        if !changed {
            break;
        }
    }
    let (mut found, mut place, mut free) = (Vec::new(), 0, 0);
    for run in windows.chunk_by(|a, b| a.2 == b.2) {
        let (first, next) = (place, place + run.len());
        place = next;
        if run[0].2 {
            // Its ends may lie in windows that are bad only in part.
            let start = windows[first.saturating_sub(1)].0.start.max(free);
            let end = windows[next.min(windows.len() - 1)].0.end;
            if let Some((outage, after)) = outage(requests, start..end, width) {
                found.push(outage);
                free = after;
            }
        }
    }
    found.sort_by_key(|outage| std::cmp::Reverse(outage.failures));
    found.truncate(MOST_OUTAGES);
    found.sort_by_key(|outage| outage.from);
    found
}

/// The outage within these requests, and the index of the request after it.
fn outage(requests: &[Request], run: std::ops::Range<usize>, width: i64) -> Option<(Outage, usize)> {
    let (mut best, mut surplus, mut sum, mut begin) = (run.start..run.start, 0i64, 0i64, run.start);
    for index in run {
        if sum <= 0 {
            (sum, begin) = (0, index);
        }
        sum += if requests[index].is_down() { 1 } else { -1 };
        if sum > surplus {
            (surplus, best) = (sum, begin..index + 1);
        }
    }
    if surplus < 3 {
        return None;
    }
    let inside = &requests[best.clone()];
    let mut kinds: Vec<(Outcome, u64)> = Vec::new();
    for request in inside.iter().filter(|request| request.is_down()) {
        match kinds.iter_mut().find(|kind| kind.0 == request.outcome) {
            Some(kind) => kind.1 += 1,
            None => kinds.push((request.outcome, 1)),
        }
    }
    // The first of those that are most.
    let most = kinds.iter().map(|kind| kind.1).max()?;
    let outage = Outage {
        from: (inside[0].at, best.start.checked_sub(1).map(|index| requests[index].at)),
        to: (inside[inside.len() - 1].at, requests.get(best.end).map(|request| request.at)),
        failures: kinds.iter().map(|kind| kind.1).sum(),
        requests: inside.len() as u64,
        outcome: kinds.iter().find(|kind| kind.1 == most)?.0,
        width,
    };
    Some((outage, best.end))
}

/// What the refusals (429) say of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// Width of the windows, in seconds.
    pub(super) width: i64,
    /// The most requests admitted in a window with refusals.
    pub(super) highest: u64,
    /// Requests admitted in windows with refusals, median with interval.
    pub(super) median: Quantile,
    /// How many windows had refusals.
    pub(super) windows: u64,
    /// Refusals in all.
    pub(super) refusals: u64,
}

/// The limit per window, for the width (whole clock units of UTC) under which the windows with refusals agree best on how many
/// requests they admitted: the least (highest - lowest) / highest, of equals the shorter. Only widths with three such windows or more
/// are compared; if there is none, one second is taken. Windows in an outage say nothing.
pub(super) fn limit(traffic: &Traffic, outages: &[Outage]) -> Option<Limit> {
    let refusals = traffic.requests.iter().filter(|request| request.is_limited()).count() as u64;
    if refusals == 0 {
        return None;
    }
    let of = |width: i64| {
        let window = |request: &Request| (traffic.began + request.at) / (width * SECOND);
        let mut admitted: Vec<u64> = Vec::new();
        for requests in traffic.requests.chunk_by(|a, b| window(a) == window(b)) {
            let refused = requests.iter().filter(|request| request.is_limited()).count();
            let down = requests.iter().any(|request| is_in_outage(request, outages));
            if refused > 0 && !down {
                admitted.push((requests.len() - refused) as u64);
            }
        }
        admitted.sort_unstable();
        let (&lowest, &highest) = (admitted.first()?, admitted.last().filter(|highest| **highest > 0)?);
        let median = quantile(&admitted, 0.5)?;
        let limit = Limit { width, highest, median, windows: admitted.len() as u64, refusals };
        Some(((highest - lowest) as f64 / highest.max(1) as f64, limit))
    };
    let candidates: Vec<(f64, Limit)> =
        [1, 10, 60, 300, 3600].into_iter().filter_map(of).filter(|(_, limit)| limit.windows >= 3).collect();
    let least = candidates.iter().map(|candidate| candidate.0).fold(f64::INFINITY, f64::min);
    let best = candidates.iter().find(|candidate| candidate.0 <= least).map(|candidate| candidate.1);
    best.or_else(|| of(1).map(|one| one.1))
}

#[cfg(test)]
mod tests {
    use super::super::traffic::Draft;
    use super::*;
    use crate::outcome::StatusCode;

    #[test]
    fn intervals_are_those_of_the_books() {
        // Roots of (k/n - p)^2 = z^2 p (1 - p) / n, by bisection in forty digits.
        let (low, high) = wilson(8, 100);
        assert!((low - 0.041_093_461).abs() < 1e-8 && (high - 0.149_981_077).abs() < 1e-8, "{low} {high}");
        let (low, high) = wilson(0, 10);
        assert!(low == 0.0 && (high - 0.277_532_8).abs() < 1e-6, "{low} {high}");
        // Exact fractions: P(X >= 8) of 10 tosses is 56/1024.
        assert!((binomial_tail(8, 10, 0.5) - 56.0 / 1024.0).abs() < 1e-12);
        assert!((binomial_tail(1, 1000, 0.001) - (1.0 - libm::pow(0.999, 1000.0))).abs() < 1e-10);
        assert_eq!(
            (binomial_tail(0, 5, 0.1), binomial_tail(6, 5, 0.1), binomial_tail(1, 5, 0.0)),
            (1.0, 0.0, 0.0)
        );
    }

    #[test]
    fn quantiles_are_order_statistics_and_small_samples_have_no_upper_end() {
        let sample: Vec<u64> = (1..=1000).collect();
        // 1000 * 0.5 -+ 1.96 * 15.81 = 469.01 .. 530.99; 990 -+ 1.96 * 3.146 = 983.8 .. 996.2
        let found = quantile(&sample, 0.5).unwrap();
        assert_eq!((found.value, found.low, found.high), (500, Some(469), Some(532)));
        let found = quantile(&sample, 0.99).unwrap();
        assert_eq!((found.value, found.low, found.high), (990, Some(983), Some(998)));
        let found = quantile(&sample[..50], 0.99).unwrap();
        assert_eq!((found.value, found.low, found.high), (50, Some(48), None));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7], 0.5).map(|found| found.value), Some(7));
    }

    /// A recording of (time in ms, status).
    fn recording(requests: impl IntoIterator<Item = (i64, u16)>) -> Traffic {
        let mut traffic = Traffic::default();
        for (millis, status) in requests {
            let draft = Draft {
                at: millis * 1_000_000,
                ends: false,
                latency: None,
                outcome: Outcome::Status(StatusCode::of(status)),
                method: "GET",
                url: "/",
                client: None,
                retry: false,
                served: false,
                retry_after: None,
            };
            traffic.take(1, Ok(draft)).unwrap();
        }
        traffic.finish(false, "line").unwrap();
        traffic
    }

    #[test]
    fn an_outage_is_found_where_it_was_and_chance_is_not_one() {
        // Ten a second for a minute, every eleventh fails; down from 20.05 s to 30.05 s.
        let status = |n: i64| {
            if (201..301).contains(&n) {
                503
            } else if n % 11 == 0 {
                500
            } else {
                200
            }
        };
        let found = outages(&recording((0..600).map(|n| (n * 100, status(n)))));
        assert_eq!(found.len(), 1, "{found:?}");
        let outage = found[0];
        let millis = |nanos: i64| nanos / 1_000_000;
        // The stretch may reach a little beyond, to a chance failure next to it, but no further than one.
        assert!((19_900..=20_100).contains(&millis(outage.from.0)), "{outage:?}");
        assert!((30_000..=30_100).contains(&millis(outage.to.0)), "{outage:?}");
        assert_eq!((outage.outcome, outage.width), (Outcome::Status(StatusCode::of(503)), 1));
        assert!(
            outage.failures >= 100 && outage.from.1 < Some(outage.from.0) && outage.to.1 > Some(outage.to.0)
        );

        let chance = outages(&recording((0..600).map(|n| (n * 100, if n % 11 == 0 { 500 } else { 200 }))));
        assert_eq!(chance, []);
        let always = outages(&recording((0..600).map(|n| (n * 100, if n % 2 == 0 { 500 } else { 200 }))));
        assert_eq!(always, [], "what is always there is no outage");
        let limited =
            outages(&recording((0..600).map(|n| (n * 100, if n > 300 && n < 400 { 429 } else { 200 }))));
        assert_eq!(limited, [], "refusals are no outage");
    }

    #[test]
    fn a_limit_is_the_most_that_was_admitted_in_the_windows_that_agree() {
        // 40 per ten seconds; 8 a second are tried, so that the first five seconds of ten pass all.
        let status = |n: i64| if n % 80 < 40 { 200 } else { 429 };
        let found = limit(&recording((0..800).map(|n| (n * 125, status(n)))), &[]).unwrap();
        assert_eq!((found.width, found.highest, found.windows, found.refusals), (10, 40, 10, 400));
        // Three a second.
        let status = |n: i64| if n % 8 < 3 { 200 } else { 429 };
        let found = limit(&recording((0..800).map(|n| (n * 125, status(n)))), &[]).unwrap();
        assert_eq!((found.width, found.highest, found.median.value), (1, 3, 3));
        assert_eq!(limit(&recording((0..80).map(|n| (n, 200))), &[]), None);
    }
}
