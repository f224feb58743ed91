//! The model against results that it did not make: closed forms, exact Markov chains, exact arithmetic.
//!
//! Each row of `tests/data/oracles.csv` (see the README beside it) becomes a scenario as a user would write it, or
//! drives the part that it is about, through the public API, and is judged as [`judge`] says. `cargo test --test theory -- --nocapture` prints the figures.

#[path = "../band/mod.rs"]
mod band;
mod breakers;
mod bursts;
mod herds;
mod judge;
mod limiters;
mod oracle;
mod outages;
mod queues;
mod retries;
mod stations;

use rayon::prelude::*;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Record, Simulation};

/// What `look` sees in each replication of the only arm, in order. All requests are traced if `traced`.
fn replicate<T: Send>(scenario: &Scenario, traced: bool, look: impl Fn(&Record) -> T + Sync) -> Vec<T> {
    let traced = if traced { usize::MAX } else { 0 };
    let one = |replication| look(&Simulation::new(scenario, 0, replication, traced).run());
    (0..scenario.replications).into_par_iter().map(one).collect()
}

/// How a policy of the references is written here: the lines below `[policies.NAME]`.
fn policy(delay: &str, retries: u64) -> String {
    let lines = match delay {
        "immediate retry" => "backoff.fixed = '0s'",
        "fixed 60 s" => "backoff.fixed = '60s'",
        "U(30,90)" => "backoff.fixed = '60s'\njitter.proportional = 0.5",
        "d_n=min(30,2^(n-1)) s" => "backoff.exponential = { base = '1s' }\ncap_before_jitter = '30s'",
        "U(0,min(30,2^(n-1)))" => {
            "backoff.exponential = { base = '1s' }\ncap_before_jitter = '30s'\njitter = 'full'"
        }
        "U(v/2,v), v=min(30,2^(n-1))" => {
            "backoff.exponential = { base = '1s' }\ncap_before_jitter = '30s'\njitter = 'equal'"
        }
        "decorrelated: s0=1, s_n=min(30,U(1,3 s_{n-1})), sleep s_n (per-request state)" => {
            "backoff.fixed = '1s'\njitter = 'decorrelated'\ncap_after_jitter = '30s'"
        }
        prefect if prefect.starts_with("Prefect retry_delay_seconds=60 retry_jitter_factor=0.5") => {
            "use = 'prefect@3'\nretry_delay_seconds = 60\nretry_jitter_factor = 0.5"
        }
        other => panic!("there is no policy with the delay {other}"),
    };
    format!("{lines}\nretries = {retries}")
}

#[test]
fn every_reference_belongs_to_a_family_that_is_judged() {
    let families = [
        "IID-",
        "TTS-",
        "Timeout-",
        "Layers-",
        "Outage-",
        "OutageFrac-",
        "OutageJit-",
        "Herd-",
        "HerdCurve-",
        "BinsMax-",
        "Waves-",
        "LimDet-tb3-",
        "LimDet-fw-",
        "LimDet-sl-",
        "LimPoi-tb-",
        "LimPoi-fw-",
        "LimPoi-sl-",
        "Duty-standard-",
        "Duty-seed-guide-",
        "Trip-",
        "MM1-",
        "MG1-",
        "MG1PS-",
        "MD1cdf-",
        "MM1+D-",
        "DDc-batch-",
        "ErlB-",
        "ErlC-",
        "MMcK-",
        "MGinf-",
        "Closed-",
        "GE-",
    ];
    for row in oracle::rows() {
        assert_eq!(families.iter().filter(|family| row.id.starts_with(*family)).count(), 1, "{}", row.id);
    }
}
