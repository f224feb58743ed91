//! Arrival processes, streamed in order of time.

use serde::Deserialize;

use crate::distribution::{Distribution, standard_exponential};
use crate::outcome::StatusCode;
use crate::random::{Key, unit, up_to};
use crate::time::{Instant, Interval};
use crate::units::{Count, Rate};

/// When requests arrive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// Every client issues one request at the same instant, once or on a schedule.
    Burst(Burst),
    /// Evenly spaced, the clients taking turns.
    Even(Even),
    /// Independent arrivals, each from a client drawn at random.
    Poisson(Poisson),
    /// One or several for each call that another service works on: the service is the client of this one.
    CallsOf(CallsOf),
    /// Each client issues its next request a think time after its last one has ended.
    Closed(Closed),
}

/// A closed population: each client has one request under way at most, and thinks in between. Its first one comes a think time
/// after the start of the run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// How long a client thinks.
    pub think: Distribution,
}

/// What a service asks of another one for each of its own calls, once its own work on it is done. It answers when all that it
/// has asked for has ended; several workloads of one service follow each other, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallsOf {
    /// Name of the service that calls.
    pub service: String,
    /// How many requests at once for each of its calls; 1 if absent.
    #[serde(default = "one")]
    pub fan_out: Count<1, 1000>,
    /// Whether the deadline of the call ends what is asked for its sake.
    #[serde(default)]
    pub deadline: CallDeadline,
    /// What the service answers if a request fails; 502 if absent.
    #[serde(default = "bad_gateway")]
    pub status: StatusCode,
}

const fn one() -> Count<1, 1000> {
    Count::of(1)
}

const fn bad_gateway() -> StatusCode {
    StatusCode::of(502)
}

/// Whether what is done for a call knows until when its client waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallDeadline {
    /// It does not: it goes on after the client has given up.
    #[default]
    Unknown,
    /// It does: no attempt begins or lasts longer than the client waits.
    Propagated,
}

/// Every client issues one request, at `at` and then again at every multiple of `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// The first burst; at the start of the run if absent.
    #[serde(default)]
    pub at: Interval,
    /// Time from one burst to the next (top of the hour: "1h"); a single burst if absent.
    pub every: Option<Interval>,
    /// How many bursts; as many as begin within the horizon if absent.
    pub times: Option<Count<1, 1_000_000_000>>,
    /// Each client starts at its own moment, uniform over this long from the burst's instant; all at once if absent.
    #[serde(default)]
    pub spread: Interval,
}

/// `rate` requests per time over all clients, the first at `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Even {
    /// Requests per time.
    pub rate: Rate,
    /// When it begins; at the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// When it stops (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Count<1, 1_000_000_000_000>>,
}

/// A Poisson process of `rate` requests per time over all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poisson {
    /// Mean requests per time.
    pub rate: Rate,
    /// When it begins; at the start of the run if absent.
    #[serde(default)]
    pub from: Interval,
    /// When it stops (no arrival at or after it); with the run if absent.
    pub until: Option<Interval>,
    /// How many requests at most.
    pub requests: Option<Count<1, 1_000_000_000_000>>,
}

impl Arrivals {
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Burst(Burst { every: Some(every), .. }) if every.is_zero() => {
                Some("bursts every 0s never end: give `every` a length, such as \"1h\"".into())
            }
            Self::Burst(Burst { every: Some(every), spread, .. }) if spread > every => {
                Some(format!("the spread {spread} is longer than the {every} to the next burst: shorten it"))
            }
            Self::Burst(Burst { every: None, times: Some(times), .. }) if times.get() > 1 => {
                Some("several bursts need the time between them: give `every`, such as \"1h\"".into())
            }
            Self::Even(Even { from, until: Some(until), .. })
            | Self::Poisson(Poisson { from, until: Some(until), .. })
                if until <= from =>
            {
                Some(format!(
                    "the arrivals end ({until}) before they start ({from}): move `until` after `from`"
                ))
            }
            Self::Poisson(Poisson { rate, .. }) if rate.per_second() > 1e7 => Some(format!(
                "{rate} is more than the clock's nanoseconds can tell apart: write at most \"10000000/s\""
            )),
            Self::CallsOf(calls) if calls.status.is_success() => Some(format!(
                "status {} is a success, not a failure: write for example 502",
                calls.status.get()
            )),
            Self::Closed(closed) if closed.think.mean_seconds() == 0.0 => Some(
                "clients that never think could ask for ever at one instant: give `think` a length".into(),
            ),
            Self::Closed(closed) => closed.think.problem(),
            _ => None,
        }
    }

    /// When the first request can come, and which field says so.
    pub const fn begins(&self) -> (&'static str, Interval) {
        match self {
            Self::Burst(burst) => ("burst.at", burst.at),
            Self::Even(even) => ("even.from", even.from),
            Self::Poisson(poisson) => ("poisson.from", poisson.from),
            Self::CallsOf(_) => ("calls_of", Interval::ZERO),
            Self::Closed(_) => ("closed", Interval::ZERO),
        }
    }

    /// How many requests to expect within `horizon` from `clients` clients; 0 where others decide.
    pub fn expected(&self, clients: u64, horizon: Interval) -> f64 {
        let within = |from: Interval, until: Option<Interval>| {
            (until.unwrap_or(horizon).min(horizon) - from).as_secs_f64()
        };
        let at_most = |count: f64, requests: Option<Count<1, 1_000_000_000_000>>| {
            requests.map_or(count, |requests| count.min(requests.get() as f64))
        };
        match self {
            Self::Burst(burst) => {
                let window = horizon - burst.at;
                let bursts = match burst.every {
                    _ if window.is_zero() => 0,
                    Some(every) => window.as_nanos().div_ceil(every.as_nanos()),
                    None => 1,
                };
                bursts.min(burst.times.map_or(u64::MAX, Count::get)) as f64 * clients as f64
            }
            Self::Even(even) => {
                at_most((within(even.from, even.until) * even.rate.per_second()).ceil(), even.requests)
            }
            Self::Poisson(poisson) => {
                at_most(within(poisson.from, poisson.until) * poisson.rate.per_second(), poisson.requests)
            }
            Self::CallsOf(_) => 0.0,
            // As many as there would be if requests took no time.
            Self::Closed(closed) => clients as f64 * horizon.as_secs_f64() / closed.think.mean_seconds(),
        }
    }
}

/// One request coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// Its number within the workload, from 0.
    pub number: u64,
    /// The client that issues it.
    pub client: u32,
}

/// The arrivals of one workload, in order of time.
#[derive(Debug, Clone)]
pub struct ArrivalStream {
    arrivals: Arrivals,
    clients: u64,
    key: Key,
    end: Instant,
    number: u64,
    /// Poisson: the last arrival. Burst with spread: the share of the spread that is still to come.
    last: Instant,
    rest: f64,
}

impl ArrivalStream {
    /// The arrivals of `clients` clients before `end`, drawn under `key`.
    pub fn new(arrivals: Arrivals, clients: u64, key: Key, end: Instant) -> Self {
        let last = match arrivals {
            Arrivals::Poisson(poisson) => Instant::START + poisson.from,
            _ => Instant::START,
        };
        Self { arrivals, clients, key, end, number: 0, last, rest: 1.0 }
    }

    fn burst(&mut self, burst: &Burst) -> Option<Arrival> {
        let (occurrence, position) = (self.number / self.clients, self.number % self.clients);
        if occurrence >= burst.times.map_or(u64::MAX, Count::get) || (occurrence > 0 && burst.every.is_none())
        {
            return None;
        }
        let every = burst.every.unwrap_or(Interval::ZERO).as_nanos();
        let begins =
            Interval::from_nanos(occurrence.saturating_mul(every).saturating_add(burst.at.as_nanos()));
        let mut at = Instant::START + begins;
        if !burst.spread.is_zero() {
            // The order statistics of uniform draws, one after the other: given that n - i draws are still to come in the
            // share `rest`, the next one leaves rest * V^(1/(n-i)) behind. (Luc Devroye, Non-Uniform Random Variate
            // Generation, 1986, V.3.)
            let before = if position == 0 { 1.0 } else { self.rest };
            let remaining = (self.clients - position) as f64;
            let survivor = 1.0 - unit(self.key.block(self.number, 0)[0]);
            self.rest = before * libm::exp(libm::log(survivor) / remaining);
            at = at + burst.spread.scale(1.0 - self.rest);
        }
        Some(Arrival { at, number: self.number, client: position as u32 })
    }

    fn even(&self, even: &Even) -> Option<Arrival> {
        if self.number >= even.requests.map_or(u64::MAX, Count::get) {
            return None;
        }
        let at = Instant::START + even.from + even.rate.spacing(self.number)?;
        let until = even.until.map_or(self.end, |until| Instant::START + until);
        (at < until).then_some(Arrival {
            at,
            number: self.number,
            client: (self.number % self.clients) as u32,
        })
    }

    fn poisson(&mut self, poisson: &Poisson) -> Option<Arrival> {
        if self.number >= poisson.requests.map_or(u64::MAX, Count::get) {
            return None;
        }
        let [gap, client] = self.key.block(self.number, 0);
        let mean_gap = poisson.rate.per().as_nanos() as f64 / poisson.rate.count() as f64;
        let at = self.last + Interval::from_nanos_f64(mean_gap * standard_exponential(gap));
        let until = poisson.until.map_or(self.end, |until| Instant::START + until);
        self.last = at;
        (at < until).then_some(Arrival {
            at,
            number: self.number,
            client: up_to(client, self.clients - 1) as u32,
        })
    }
}

impl Iterator for ArrivalStream {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let arrival = match self.arrivals {
            Arrivals::Burst(burst) => self.burst(&burst),
            Arrivals::Even(even) => self.even(&even),
            Arrivals::Poisson(poisson) => self.poisson(&poisson),
            Arrivals::CallsOf(_) | Arrivals::Closed(_) => None,
        };
        self.number += 1;
        arrival.filter(|arrival| arrival.at < self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn stream(text: &str, clients: u64, end_seconds: u64) -> Vec<Arrival> {
        #[derive(Deserialize)]
        struct Wrapper {
            arrivals: Arrivals,
        }
        let arrivals = toml::from_str::<Wrapper>(text).unwrap().arrivals;
        let key = Key::derive(1, 0, Purpose::Arrivals, "arrivals");
        let end = Instant::START + Interval::from_secs(end_seconds);
        let stream = ArrivalStream::new(arrivals, clients, key, end);
        stream.collect()
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
        ] {
            #[derive(Deserialize)]
            struct Wrapper {
                arrivals: Arrivals,
            }
            let arrivals = toml::from_str::<Wrapper>(text).unwrap().arrivals;
            assert_eq!(arrivals.expected(clients, Interval::from_secs(130)), count, "{text}");
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
        ] {
            #[derive(Deserialize)]
            struct Wrapper {
                arrivals: Arrivals,
            }
            assert!(toml::from_str::<Wrapper>(text).unwrap().arrivals.problem().is_some(), "{text}");
        }
    }
}
