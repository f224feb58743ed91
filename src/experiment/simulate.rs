//! One replication of one arm, after which everything must add up.

use std::fmt;
use std::panic::resume_unwind;

use crate::metrics::{WorkloadTally, conservation};
use crate::scenario::Scenario;
use crate::simulation::{Record, Simulation};

/// A replication in which something was lost or counted twice: a bug of the simulation, whatever it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    /// The arm.
    pub arm: String,
    /// Number of the replication.
    pub replication: u32,
    /// The seed of the scenario.
    pub seed: u64,
    /// `workload calls`, `service api`.
    pub part: String,
    /// What does not add up there.
    pub breach: conservation::Breach,
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arm, replication, seed, part, breach } = self;
        write!(
            f,
            "this is a bug of retrysim, and not of the scenario: in arm {arm}, replication {replication}, seed {seed}, {part}, it does \
             not hold that {breach}. The results cannot be trusted and were not written. Please report this line with the scenario, \
             the options and the version"
        )
    }
}

/// Simulates replication number `replication` of the arm `arm`, of which `traced` requests per workload are traced.
///
/// # Panics
/// With an [`Impossible`], and without a message, if something was lost or counted twice: there is nothing to go on with, on any
/// thread.
pub(super) fn simulate(scenario: &Scenario, arm: usize, replication: u32, traced: usize) -> Record {
    let record = Simulation::new(scenario, arm, replication, traced).run();
    if let Err((part, breach)) = conserved(scenario, &record) {
        let arm = scenario.arms[arm].name.clone();
        resume_unwind(Box::new(Impossible { arm, replication, seed: scenario.seed, part, breach }));
    }
    record
}

/// Looks whether everything adds up in a replication of `scenario`.
///
/// # Errors
/// With the part of the scenario in which something does not, and what that is.
pub fn conserved(scenario: &Scenario, record: &Record) -> Result<(), (String, conservation::Breach)> {
    let workloads = scenario.workloads.iter().zip(&record.workloads);
    for (workload, tally) in workloads.clone() {
        conservation::of_workload(tally).map_err(|breach| (format!("workload {}", workload.name), breach))?;
    }
    for (index, (service, tally)) in scenario.services.iter().zip(&record.services).enumerate() {
        let callers = workloads.clone().filter(|(workload, _)| workload.service == index);
        let callers: Vec<&WorkloadTally> = callers.map(|(_, tally)| tally).collect();
        conservation::of_service(tally, &callers, service.config.network.is_some())
            .map_err(|breach| (format!("service {}", service.name), breach))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn scenario() -> Scenario {
        let text = "seed = 4\nhorizon = '1m'\n[services.api]\n[workloads.calls]\nservice = 'api'\narrivals.even = { rate = '1/s' }\n\
                    [policies.none]\nretries = 0\n";
        Scenario::parse("s", "s.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_lost_is_found_and_named() {
        let scenario = scenario();
        let mut record = simulate(&scenario, 0, 0, 0);
        assert_eq!(conserved(&scenario, &record), Ok(()));
        record.services[0].offered -= 1;
        let (part, breach) = conserved(&scenario, &record).unwrap_err();
        assert_eq!(
            (part.as_str(), breach.to_string().as_str()),
            ("service api", "everything that is sent is offered (sent 60, offered 59)")
        );
        record.workloads[0].requests += 1;
        assert_eq!(conserved(&scenario, &record).unwrap_err().0, "workload calls");
    }

    #[test]
    fn it_comes_out_of_many_threads_as_what_it_is() {
        use rayon::prelude::*;
        let breach = conservation::Breach { law: "all is well", figures: vec![("one", 1)] };
        let impossible =
            Impossible { arm: "a".into(), replication: 3, seed: 4, part: "service api".into(), breach };
        let caught = catch_unwind(AssertUnwindSafe(|| {
            super::super::threads(2).install(|| {
                (0..9).into_par_iter().for_each(|_| resume_unwind(Box::new(impossible.clone())));
            });
        }));
        let payload = caught.expect_err("it unwinds");
        assert_eq!(payload.downcast_ref::<Impossible>(), Some(&impossible));
    }
}
