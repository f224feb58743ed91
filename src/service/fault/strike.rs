//! What the faults of a service make of an attempt.
//!
//! The first fault in the order of the file that strikes decides what the attempt comes to, and the first slow one how long
//! it takes. Random faults exclude each other: one draw is laid over their probabilities side by side. Every other fault has
//! luck of its own, by its place among the faults.

use super::Fault;
use super::bursts::Path;
use super::overload::Load;
use super::poison::is_poisoned;
use super::token::Token;
use crate::distribution::Sampler;
use crate::outcome::Outcome;
use crate::random::{Key, Luck, fork, unit};
use crate::time::{Instant, Interval};

/// An attempt that faults may strike.
#[derive(Debug, Clone, Copy)]
pub struct Struck {
    /// Which one it is among the attempts of its request that have reached the service, from 1.
    pub reached: u32,
    /// What it brings along: equal for attempts with equal input, and for no others. Only [poison](super::Poison) looks at it.
    pub input: u64,
    /// Its luck.
    pub luck: Luck,
}

/// What faults made of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strike {
    /// What it comes to, if it fails.
    pub outcome: Option<Outcome>,
    /// How long it takes, if not as long as others.
    pub latency: Option<Interval>,
}

/// The faults of a service during a run.
#[derive(Debug, Clone)]
pub struct Faults {
    key: Key,
    tells_inputs_apart: bool,
    /// With the place of each in the file.
    states: Vec<(u64, State)>,
}

#[derive(Debug, Clone)]
enum State {
    /// Strikes if the common luck is below the bound, and not below that of the one before.
    Random {
        bound: f64,
        outcome: Outcome,
    },
    FailsFirst {
        attempts: u32,
        outcome: Outcome,
    },
    Bursts {
        path: Path,
        outcome: Outcome,
    },
    Overload {
        load: Load,
        outcome: Outcome,
    },
    Poison {
        share: f64,
        outcome: Outcome,
    },
    ExpiredToken {
        token: Token,
        outcome: Outcome,
    },
    Slow {
        probability: f64,
        latency: Sampler,
    },
}

impl Faults {
    /// The faults at the start of a run; `key` is the service's own.
    pub fn new(faults: &[Fault], key: Key) -> Self {
        let mut states = Vec::new();
        let mut laid = 0.0;
        for (place, fault) in (0..).zip(faults) {
            let state = match fault {
                Fault::Random(fault) => {
                    for (status, probability) in &fault.parts {
                        laid += probability.get();
                        states.push((place, State::Random { bound: laid, outcome: status.outcome() }));
                    }
                    continue;
                }
                Fault::FailsFirst(fault) => {
                    State::FailsFirst { attempts: fault.attempts, outcome: Outcome::Status(fault.status) }
                }
                Fault::Bursts(bursts) => {
                    State::Bursts { path: Path::new(bursts, key, place), outcome: bursts.status.outcome() }
                }
                Fault::Overload(overload) => {
                    State::Overload { load: Load::new(overload), outcome: overload.status.outcome() }
                }
                Fault::Poison(poison) => {
                    State::Poison { share: poison.share.get(), outcome: poison.outcome() }
                }
                Fault::ExpiredToken(token) => {
                    State::ExpiredToken { token: Token::new(token), outcome: token.outcome() }
                }
                Fault::Slow(slow) => {
                    State::Slow { probability: slow.probability.get(), latency: slow.latency.sampler() }
                }
            };
            states.push((place, state));
        }
        let tells_inputs_apart = faults.iter().any(|fault| matches!(fault, Fault::Poison(_)));
        Self { key, tells_inputs_apart, states }
    }

    /// True if it matters which inputs attempts have.
    pub const fn tells_inputs_apart(&self) -> bool {
        self.tells_inputs_apart
    }

    /// What becomes of an attempt at `now`. Time does not go back.
    #[inline]
    pub fn strike(&mut self, now: Instant, attempt: &Struck) -> Strike {
        match self.states[..] {
            [] => Strike::default(),
            [(_, State::Random { bound, outcome })] => {
                let struck = unit(attempt.luck.bits()[0]) < bound;
                Strike { outcome: struck.then_some(outcome), latency: None }
            }
            _ => self.strike_in_turn(now, *attempt),
        }
    }

    fn strike_in_turn(&mut self, now: Instant, attempt: Struck) -> Strike {
        let mut strike = Strike::default();
        let [first, second] = attempt.luck.bits();
        let key = self.key;
        for (place, state) in &mut self.states {
            let own_luck = || unit(fork(first, *place + 1));
            let struck = match state {
                // Those that watch all attempts come first, whatever has struck before.
                State::Overload { load, outcome } => (own_luck() < load.chance(now)).then_some(*outcome),
                State::Slow { probability, latency } => {
                    if strike.latency.is_none() && own_luck() < *probability {
                        strike.latency = Some(latency.sample(second));
                    }
                    None
                }
                _ if strike.outcome.is_some() => None,
                State::Random { bound, outcome } => (unit(first) < *bound).then_some(*outcome),
                State::FailsFirst { attempts, outcome } => (attempt.reached <= *attempts).then_some(*outcome),
                State::Bursts { path, outcome } => (own_luck() < path.chance(now)).then_some(*outcome),
                State::Poison { share, outcome } => {
                    is_poisoned(key, *place, attempt.input, *share).then_some(*outcome)
                }
                State::ExpiredToken { token, outcome } => token.refuses(now).then_some(*outcome),
            };
            strike.outcome = strike.outcome.or(struck);
        }
        strike
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::random::Purpose;

    fn key(replication: u32) -> Key {
        Key::derive(5, replication, Purpose::Faults, "api")
    }

    fn list(text: &str) -> Result<Vec<Fault>, toml::de::Error> {
        #[derive(Deserialize)]
        struct Wrapper {
            faults: Vec<Fault>,
        }
        toml::from_str::<Wrapper>(text).map(|wrapper| wrapper.faults)
    }

    fn faults(text: &str) -> Faults {
        let list = list(text).unwrap();
        assert!(list.iter().all(|fault| fault.problem().is_none()), "{text}");
        Faults::new(&list, key(0))
    }

    fn bits(probability: f64) -> u64 {
        ((probability * (1u64 << 53) as f64) as u64) << 11
    }

    fn at(seconds: u64) -> Instant {
        Instant::START + Interval::from_secs(seconds)
    }

    /// What an attempt comes to, in words; "-" if it succeeds.
    fn strike(faults: &mut Faults, seconds: u64, attempt: Struck) -> String {
        faults.strike(at(seconds), &attempt).outcome.map_or("-".into(), |outcome| outcome.to_string())
    }

    const PLAIN: Struck = Struck { reached: 1, input: 0, luck: Luck::Drawn([0; 2]) };

    #[test]
    fn random_faults_share_one_draw() {
        for text in [
            "[[faults]]\nrandom = { status = 500, probability = 0.1 }\n[[faults]]\nrandom = { status = 503, probability = 0.2 }",
            "[[faults]]\nrandom.statuses = { '503' = 0.2, '500' = 0.1 }",
            "[[faults]]\nrandom.statuses = { '500' = 0.1 }\n[[faults]]\nrandom.statuses.503 = 0.2",
        ] {
            let mut faults = faults(text);
            for (luck, status) in
                [(0.0, "500"), (0.0999, "500"), (0.101, "503"), (0.2999, "503"), (0.301, "-")]
            {
                let attempt = Struck { luck: Luck::Drawn([bits(luck), 0]), ..PLAIN };
                assert_eq!(strike(&mut faults, 0, attempt), status, "{luck}");
            }
        }
        let mut broken = faults("[[faults]]\nrandom.statuses.connection_error = 1");
        assert_eq!(strike(&mut broken, 0, PLAIN), "connection_error");
    }

    #[test]
    fn the_first_attempts_fail_and_the_next_one_does_not() {
        for text in [
            "fails_first = 2",
            "fails_first = { attempts = 2, status = 500 }",
            "fails_first = { attempts = 2 }",
        ] {
            let mut faults = faults(&format!("[[faults]]\n{text}"));
            let strikes = [1, 2, 3, 4].map(|reached| strike(&mut faults, 0, Struck { reached, ..PLAIN }));
            assert_eq!(strikes, ["500", "500", "-", "-"], "{text}");
        }
    }

    #[test]
    fn a_poisoned_input_always_fails_and_no_other_does() {
        let mut poisoned = faults("[[faults]]\npoison = { share = 0.1 }");
        assert!(poisoned.tells_inputs_apart());
        let attempts: Vec<Vec<String>> = (0..20_000)
            .map(|input| {
                let attempt = |reached| Struck {
                    reached,
                    input,
                    luck: Luck::At { key: key(1), entity: input, index: reached.into() },
                };
                [1, 2, 3].map(|reached| strike(&mut poisoned, input, attempt(reached))).into()
            })
            .collect();
        assert!(attempts.iter().all(|outcomes| outcomes.iter().all(|outcome| *outcome == outcomes[0])));
        let failed = attempts.iter().filter(|outcomes| outcomes[0] == "400").count() as f64;
        let z = (failed - 2000.0) / (20_000.0 * 0.1 * 0.9f64).sqrt();
        assert!(z.abs() < 4.5, "z = {z}");
        let other = Faults::new(&list("[[faults]]\npoison = { share = 0.1 }").unwrap(), key(1));
        let both = (0..20_000u64).filter(|&input| {
            let poisoned = |faults: &Faults| is_poisoned(faults.key, 0, input, 0.1);
            poisoned(&poisoned_again()) && poisoned(&other)
        });
        let z = (both.count() as f64 - 200.0) / (20_000.0 * 0.01 * 0.99f64).sqrt();
        assert!(z.abs() < 4.5, "each run poisons inputs of its own: z = {z}");
    }

    fn poisoned_again() -> Faults {
        faults("[[faults]]\npoison = { share = 0.1 }")
    }

    #[test]
    fn bursts_fail_their_share_and_each_attempt_on_its_own() {
        // Seen once an hour, the states are as good as independent: they forget by e^-(3600 (1/90 + 1/30)) = e^-160.
        let mut faults = faults(
            "[[faults]]\nbursts = { status = 503, good = '90s', bad = '30s', probability = 0.6, probability_when_good = 0.2 }",
        );
        let n = 20_000;
        let luck = key(2);
        let (mut failed, mut twice) = (0.0, 0.0);
        for hour in 0..n {
            let seen = [0, 1].map(|index| {
                let attempt = Struck { luck: Luck::At { key: luck, entity: hour, index }, ..PLAIN };
                strike(&mut faults, 3600 * hour, attempt) == "503"
            });
            failed += f64::from(u8::from(seen[0]));
            twice += f64::from(u8::from(seen[0] && seen[1]));
        }
        // p = 3/4 0.2 + 1/4 0.6; both of two at the same instant: 3/4 0.2^2 + 1/4 0.6^2.
        for (count, p) in [(failed, 0.3), (twice, 0.12)] {
            let z = (count - n as f64 * p) / (n as f64 * p * (1.0 - p)).sqrt();
            assert!(z.abs() < 4.5, "{p}: z = {z}");
        }
    }

    #[test]
    fn the_first_fault_that_strikes_decides_and_slowness_is_no_failure() {
        let mut faults = faults(
            "[[faults]]\nslow = { probability = 1, latency.constant = '5s' }\n\
             [[faults]]\nslow = { probability = 1, latency.constant = '9s' }\n\
             [[faults]]\nexpired_token = { lifetime = '10s', refresh = '5s' }\n\
             [[faults]]\nrandom = { status = 500, probability = 0.5 }\n\
             [[faults]]\noverload = { status = 529, from = '1/s', to = '2/s' }",
        );
        assert!(!faults.tells_inputs_apart());
        let lucky = Struck { luck: Luck::Drawn([bits(0.5), 0]), ..PLAIN };
        for (seconds, attempt, outcome) in [
            (0, PLAIN, "500"),
            // The overload has counted the attempt on which another fault struck.
            (0, lucky, "529"),
            (2, lucky, "-"),
            (10, PLAIN, "401"),
            (14, lucky, "401"),
            (15, lucky, "-"),
        ] {
            let strike = faults.strike(at(seconds), &attempt);
            assert_eq!(strike.outcome.map_or("-".into(), |o| o.to_string()), outcome, "{seconds} s");
            assert_eq!(strike.latency, Some(Interval::from_secs(5)), "{seconds} s");
        }
    }

    #[test]
    fn slow_attempts_are_as_many_as_they_should_be() {
        let mut faults =
            faults("[[faults]]\nslow = { probability = 0.2, latency.exponential = { mean = '3s' } }");
        let n = 20_000;
        let taken: Vec<f64> = (0..n)
            .filter_map(|entity| {
                let attempt = Struck { luck: Luck::At { key: key(3), entity, index: 0 }, ..PLAIN };
                let strike = faults.strike(at(0), &attempt);
                assert_eq!(strike.outcome, None);
                strike.latency.map(Interval::as_secs_f64)
            })
            .collect();
        let slow = taken.len() as f64;
        let z = (slow - n as f64 * 0.2) / (n as f64 * 0.2 * 0.8).sqrt();
        assert!(z.abs() < 4.5, "share: z = {z}");
        let z = (taken.iter().sum::<f64>() / slow / 3.0 - 1.0) * slow.sqrt();
        assert!(z.abs() < 4.5, "mean: z = {z}");
    }

    #[test]
    fn what_makes_no_sense_is_explained() {
        for (text, word) in [
            ("random = { status = 503 }", "missing field `probability`"),
            ("random = { probability = 0.1 }", "missing field `status`"),
            ("random = {}", "say how"),
            ("random = { statuses = {} }", "say how"),
            ("random = { status = 500, probability = 0.1, statuses = { '500' = 0.1 } }", "say how"),
            ("random = { statuses = { '5000' = 0.1 } }", "5000 is out of range"),
            ("random = { statuses = { broken = 0.1 } }", "\"broken\" is no failure"),
            ("poison = { share = 2 }", "a share"),
            ("bursts = { status = 503, good = '1s', bad = '1s', length = '2s' }", "unknown field `length`"),
        ] {
            let error = list(&format!("[[faults]]\n{text}")).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
        for (text, word) in [
            ("random = { statuses = { '503' = 0.1, '200' = 0.1 } }", "status 200 is a success"),
            ("poison = { share = 0.1, status = 204 }", "status 204 is a success"),
            ("bursts = { status = 503, good = '0s', bad = '1s' }", "`good` must be longer"),
            ("slow = { probability = 1, latency.uniform = { min = '2s', max = '1s' } }", "latency: "),
        ] {
            let problem = list(&format!("[[faults]]\n{text}")).unwrap()[0].problem().unwrap();
            assert!(problem.contains(word), "{text}: {problem}");
        }
        let bursts = &list("[[faults]]\nbursts = { status = 503, good = '1s', bad = '1s' }").unwrap()[0];
        assert_eq!(bursts.problem_within(Interval::from_secs(10_000_000)), None);
        assert!(bursts.problem_within(Interval::from_secs(10_000_001)).unwrap().contains("lengthen"));
    }
}
