//! When incidents happen: at fixed times, or at random.

use crate::distribution::{inverse_normal, standard_exponential, standard_normal};
use crate::random::Key;
use crate::time::{Instant, Interval};

/// The most windows that one incident may have in one run.
const MAX_WINDOWS: f64 = 100_000.0;

/// When an incident happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At the same times in every replication.
    Fixed {
        /// When the first window begins, counted from the start of the run.
        from: Interval,
        /// How long each lasts.
        lasts: Interval,
        /// Time from the begin of one to the begin of the next; only one if absent.
        every: Option<Interval>,
        /// How many; as many as begin within the run if absent.
        times: Option<u64>,
    },
    /// At times of its own in every replication. The run begins between two windows.
    Random {
        /// Mean of the exponential time from the end of a window to the begin of the next.
        mtbf: Interval,
        /// Mean of the time that a window lasts.
        mttr: Interval,
        /// The 99th percentile of that time, which is lognormal; exponential if absent.
        mttr_p99: Option<Interval>,
    },
}

impl When {
    /// The windows that begin within `horizon`, in order, if they are fixed.
    pub(super) fn fixed(&self, horizon: Interval) -> Vec<(Instant, Instant)> {
        let Self::Fixed { from, lasts, every, times } = *self else { return Vec::new() };
        let (every, times) = match every {
            Some(every) => (every, times.unwrap_or(u64::MAX)),
            None => (Interval::ZERO, 1),
        };
        let begins = (0..times).map(|window| Instant::START + from + every.times(window));
        let begins = begins.take_while(|&begins| begins < Instant::START + horizon);
        begins.map(|begins| (begins, begins + lasts)).collect()
    }

    /// The windows that begin within `horizon`, in order, of the incident at `place` among those of its service.
    pub(super) fn windows(&self, place: u64, key: Key, horizon: Interval) -> Vec<(Instant, Instant)> {
        let Self::Random { mtbf, mttr, mttr_p99 } = *self else { return self.fixed(horizon) };
        let repair = Repair::new(mttr, mttr_p99);
        let (mut at, mut windows) = (Instant::START, Vec::new());
        for window in 0.. {
            let [up, down] = key.block(place, window);
            let begins = at + Interval::from_nanos_f64(mtbf.as_nanos() as f64 * standard_exponential(up));
            if begins >= Instant::START + horizon {
                break;
            }
            at = begins + repair.sample(down);
            windows.push((begins, at));
        }
        windows
    }

    /// When the first window may begin.
    pub(super) const fn begins(&self) -> Interval {
        match *self {
            Self::Fixed { from, .. } => from,
            Self::Random { .. } => Interval::ZERO,
        }
    }

    /// True if its windows last 0s.
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::Fixed { lasts, .. } if lasts.is_zero())
    }

    /// What is wrong with it, if anything. Whether it may be empty depends on what happens.
    pub(super) fn problem(&self) -> Option<String> {
        match *self {
            Self::Fixed { every: Some(every), lasts, .. } if every <= lasts => Some(format!(
                "the next one would begin before this one of {lasts} is over: make `every` longer than {lasts}, not {every}"
            )),
            Self::Fixed { every: None, times: Some(_), .. } => {
                Some("say how long after each other the `times` come: give `every`, such as \"1h\"".into())
            }
            Self::Fixed { .. } => None,
            Self::Random { mtbf, mttr, .. } if mtbf.is_zero() || mttr.is_zero() => {
                Some("`mtbf` and `mttr` must be longer than 0s, such as \"30d\" and \"30m\"".into())
            }
            Self::Random { mttr, mttr_p99, .. } => {
                let p99 = mttr_p99?;
                let most = mttr.scale(libm::exp(z() * z() / 2.0));
                (p99 < mttr || p99 > most).then(|| {
                    // Nobody needs its nanoseconds.
                    let digit = 10u64.pow(most.as_nanos().checked_ilog10().map_or(0, |digits| digits.saturating_sub(2)));
                    let most = Interval::from_nanos(most.as_nanos() / digit * digit).max(mttr);
                    format!(
                        "no lognormal law of mean {mttr} has the 99th percentile {p99}: choose `mttr_p99` from {mttr} to {most}"
                    )
                })
            }
        }
    }

    /// What is wrong with it in a run of `horizon`, if anything but that it begins too late.
    pub(super) fn problem_within(&self, horizon: Interval) -> Option<String> {
        let expected = match *self {
            Self::Fixed { every: None, .. } => return None,
            Self::Fixed { from, .. } if from >= horizon => return None,
            Self::Fixed { from, every: Some(every), times, .. } => {
                let fit = (horizon - from).as_nanos().div_ceil(every.as_nanos().max(1));
                times.map_or(fit, |times| times.min(fit)) as f64
            }
            Self::Random { mtbf, mttr, .. } => {
                horizon.as_secs_f64() / (mtbf.as_secs_f64() + mttr.as_secs_f64())
            }
        };
        (expected > MAX_WINDOWS).then(|| {
            format!(
                "about {expected:.0} windows within the run, the limit is {MAX_WINDOWS:.0}: space them out"
            )
        })
    }
}

/// The 99th percentile of the standard normal law.
fn z() -> f64 {
    inverse_normal(0.99)
}

/// The law of the time that a window lasts.
#[derive(Debug, Clone, Copy)]
enum Repair {
    Exponential { mean: f64 },
    Lognormal { median: f64, sigma: f64 },
}

impl Repair {
    /// A lognormal law with the median m has the mean m exp(s^2 / 2) and the percentile m exp(z s): s is the smaller root of
    /// z s - s^2 / 2 = ln(p99 / mean).
    fn new(mean: Interval, p99: Option<Interval>) -> Self {
        let nanos = mean.as_nanos() as f64;
        let Some(p99) = p99 else { return Self::Exponential { mean: nanos } };
        let ratio = libm::log(p99.as_nanos() as f64 / nanos);
        let sigma = z() - libm::sqrt((z() * z() - 2.0 * ratio).max(0.0));
        Self::Lognormal { median: nanos * libm::exp(-sigma * sigma / 2.0), sigma }
    }

    fn sample(self, bits: u64) -> Interval {
        Interval::from_nanos_f64(match self {
            Self::Exponential { mean } => mean * standard_exponential(bits),
            Self::Lognormal { median, sigma } => median * libm::exp(sigma * standard_normal(bits)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Quantity;
    use crate::random::Purpose;

    fn long(text: &str) -> Interval {
        Interval::parse(text).unwrap()
    }

    fn key(replication: u32) -> Key {
        Key::derive(9, replication, Purpose::Incidents, "api")
    }

    fn fixed(from: &str, lasts: &str, every: Option<&str>, times: Option<u64>) -> When {
        When::Fixed { from: long(from), lasts: long(lasts), every: every.map(long), times }
    }

    #[test]
    fn fixed_windows_come_as_often_as_they_are_asked_for_and_begin_within_the_run() {
        for (when, begins) in [
            (fixed("5s", "2s", None, None), vec![5]),
            (fixed("5s", "2s", Some("10s"), None), vec![5, 15, 25]),
            (fixed("5s", "2s", Some("10s"), Some(2)), vec![5, 15]),
            (fixed("5s", "2s", Some("10s"), Some(9)), vec![5, 15, 25]),
            (fixed("0s", "60s", Some("15s"), None), vec![0, 15]),
            (fixed("30s", "1s", None, None), vec![]),
        ] {
            let lasts = if begins.first() == Some(&0) { 60 } else { 2 };
            let at = |seconds: u64| Instant::START + Interval::from_secs(seconds);
            let expected: Vec<_> = begins.iter().map(|&begin| (at(begin), at(begin + lasts))).collect();
            assert_eq!(when.windows(0, key(0), long("30s")), expected, "{when:?}");
        }
    }

    /// Up and down times of many windows.
    fn times(when: When) -> [Vec<f64>; 2] {
        let mut times = [Vec::new(), Vec::new()];
        let mut at = Instant::START;
        for (begins, over) in when.windows(2, key(0), long("30000h")) {
            times[0].push(begins.since(at).as_secs_f64());
            times[1].push(over.since(begins).as_secs_f64());
            at = over;
        }
        times
    }

    #[test]
    fn random_windows_have_the_means_they_were_given() {
        let (mtbf, mttr) = (long("50m"), long("10m"));
        for (mttr_p99, sigma) in [(None, 0.0), (Some(long("60m")), 0.974_173_5)] {
            let [up, down] = times(When::Random { mtbf, mttr, mttr_p99 });
            let n = down.len() as f64;
            assert!((28_000.0..32_000.0).contains(&n), "{n}");
            // Standard deviation over mean: 1 for an exponential law, the root of exp(s^2) - 1 for a lognormal one.
            let spread = if sigma == 0.0 { 1.0 } else { libm::sqrt(libm::exp(sigma * sigma) - 1.0) };
            for (times, mean, spread) in [(up, 3000.0, 1.0), (down.clone(), 600.0, spread)] {
                let z = (times.iter().sum::<f64>() / n / mean - 1.0) * n.sqrt() / spread;
                assert!(z.abs() < 4.5, "mean {mean} {mttr_p99:?}: z = {z}");
            }
            let longest = mttr_p99.map_or(600.0 * libm::log(100.0), Interval::as_secs_f64);
            let beyond = down.iter().filter(|&&time| time > longest).count() as f64;
            let z = (beyond - 0.01 * n) / (n * 0.01 * 0.99).sqrt();
            assert!(z.abs() < 4.5, "99th percentile of {mttr_p99:?}: z = {z}");
        }
    }

    #[test]
    fn a_service_is_up_as_often_as_its_means_say() {
        // The share of [0, T] that is down, if it begins up and goes down at the rate a and up again at the rate b: with
        // c = a + b, a / c (1 - (1 - e^-cT) / (c T)). A window may end after T.
        let when = When::Random { mtbf: long("50m"), mttr: long("10m"), mttr_p99: None };
        let (down, up, length) = (1.0 / 3000.0, 1.0 / 600.0, 3.0 * 3600.0);
        let both: f64 = down + up;
        let expected = down / both * (1.0 - (1.0 - libm::exp(-both * length)) / (both * length));
        let end = Instant::START + long("3h");
        let runs = 4000;
        let shares: Vec<f64> = (0..runs)
            .map(|run| {
                let windows = when.windows(0, key(run), long("3h"));
                windows.iter().map(|&(from, to)| to.min(end).since(from).as_secs_f64()).sum::<f64>() / length
            })
            .collect();
        let n = f64::from(runs);
        let mean = shares.iter().sum::<f64>() / n;
        let variance = shares.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>() / (n - 1.0);
        let z = (mean - expected) / (variance / n).sqrt();
        assert!(z.abs() < 4.5, "{mean} instead of {expected}: z = {z}");
    }

    #[test]
    fn each_incident_and_each_replication_has_windows_of_its_own() {
        let when = When::Random { mtbf: long("50m"), mttr: long("10m"), mttr_p99: None };
        let windows = |place, run, horizon: &str| when.windows(place, key(run), long(horizon));
        assert_eq!(windows(0, 0, "1000h"), windows(0, 0, "1000h"));
        assert_ne!(windows(0, 0, "1000h"), windows(1, 0, "1000h"));
        assert_ne!(windows(0, 0, "1000h"), windows(0, 1, "1000h"));
        assert!(windows(0, 0, "1000h").starts_with(&windows(0, 0, "500h")), "a longer run begins alike");
    }

    #[test]
    fn times_that_make_no_sense_are_explained() {
        let random = |mtbf: &str, mttr: &str, p99: Option<&str>| When::Random {
            mtbf: long(mtbf),
            mttr: long(mttr),
            mttr_p99: p99.map(long),
        };
        for (when, word) in [
            (fixed("1s", "2s", Some("2s"), None), "make `every`"),
            (fixed("1s", "2s", None, Some(3)), "give `every`"),
            (random("0s", "1s", None), "longer than 0s"),
            (random("1s", "0s", None), "longer than 0s"),
            (random("1h", "10m", Some("9m")), "from 10m to 2h"),
            (random("1h", "10m", Some("150m")), "from 10m to 2h"),
        ] {
            let problem = when.problem().expect(word);
            assert!(problem.contains(word), "{problem}");
        }
        assert_eq!(random("1h", "10m", Some("149m")).problem(), None);
        assert_eq!(fixed("1s", "0s", None, None).problem(), None);
        for (when, horizon, word) in [
            (fixed("10s", "1s", None, None), "10s", None),
            (fixed("10s", "1s", Some("2s"), None), "10s", None),
            (fixed("0s", "1s", Some("10s"), None), "1000000s", None),
            (fixed("0s", "1s", Some("10s"), None), "1000001s", Some("about 100001 windows")),
            (fixed("0s", "1s", Some("10s"), Some(7)), "1000001s", None),
            (random("9s", "1s", None), "1000000s", None),
            (random("9s", "1s", None), "1000020s", Some("about 100002 windows")),
        ] {
            let problem = when.problem_within(long(horizon));
            assert_eq!(problem.is_some(), word.is_some(), "{problem:?}");
            assert!(problem.is_none_or(|problem| problem.contains(word.unwrap_or(""))), "{word:?}");
        }
    }
}
