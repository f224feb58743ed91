//! Trials: candidate policies as arms of one scenario, run under common luck.

use super::race::Track;
use crate::experiment::observe::{Row, observe};
use crate::policy::PolicyConfig;
use crate::scenario::{Arm, Figure, Metric, Named, Scenario, Tune};
use crate::scope::Scope;

/// The candidates of one workload. The other workloads are as in the first arm.
pub(super) struct Trials<'a> {
    /// What the workload can notice of the scenario; its arms are replaced.
    scenario: Scenario,
    workload: usize,
    /// The name that the policy will have: what it shares with others is drawn by it.
    name: String,
    figures: Vec<Figure>,
    policies: Vec<PolicyConfig>,
    progress: &'a (dyn Fn() + Sync),
}

impl<'a> Trials<'a> {
    /// No candidate yet; rows will have these figures of the scenario.
    pub(super) fn new(
        scenario: &Scenario,
        tune: &Tune,
        name: &str,
        figures: &[Figure],
        progress: &'a (dyn Fn() + Sync),
    ) -> Self {
        let mut trials = Self {
            scenario: scenario.clone(),
            workload: tune.workload,
            name: name.to_owned(),
            figures: figures.to_vec(),
            policies: Vec::new(),
            progress,
        };
        if let Some(services) = trials.noticed(tune) {
            trials.keep_services(&services);
        }
        trials
    }

    /// A candidate more.
    pub(super) fn enter(&mut self, policy: PolicyConfig) {
        self.policies.push(policy);
    }

    /// How many workloads are run.
    #[cfg(test)]
    pub(super) fn workloads(&self) -> usize {
        self.scenario.workloads.len()
    }

    /// The same scenario without candidates, under another seed.
    pub(super) fn under(&self, seed: u64) -> Self {
        let scenario = Scenario { seed, ..self.scenario.clone() };
        Self {
            scenario,
            name: self.name.clone(),
            figures: self.figures.clone(),
            policies: Vec::new(),
            ..*self
        }
    }

    /// Which services the tuned workload or a figure can notice, with their workloads; the others can be left out: all draws are
    /// addressed, so that nothing changes but the time that a replication takes. `None` if workloads share what is no service.
    fn noticed(&self, tune: &Tune) -> Option<Vec<bool>> {
        let scenario = &self.scenario;
        let slots = |workload: &crate::scenario::Workload| {
            workload.config.slots.is_some_and(|slots| slots.scope == Scope::Global)
        };
        let mut policies = scenario.arms[0].policies.iter().chain([&tune.from]);
        if policies.any(|&policy| is_global(&scenario.policies[policy].config))
            || scenario.workloads.iter().any(slots)
        {
            return None;
        }
        let mut services = vec![false; scenario.services.len()];
        services[scenario.workloads[self.workload].service] = true;
        for figure in &self.figures {
            match figure.metric {
                Metric::Workload(_) => services[scenario.workloads[figure.subject].service] = true,
                Metric::Service(_) => services[figure.subject] = true,
            }
        }
        // A workload that calls a service, or that a service issues, ties the two together.
        for _ in 0..scenario.workloads.len() {
            for workload in &scenario.workloads {
                let mut touched = workload.within.into_iter().chain([workload.service]);
                if touched.clone().any(|service| services[service]) {
                    touched.by_ref().for_each(|service| services[service] = true);
                }
            }
        }
        Some(services)
    }

    fn keep_services(&mut self, kept: &[bool]) {
        let place = |service: usize| kept[..service].iter().filter(|kept| **kept).count();
        let scenario = &mut self.scenario;
        let workloads: Vec<usize> =
            (0..scenario.workloads.len()).filter(|&index| kept[scenario.workloads[index].service]).collect();
        let new = |workload: usize| workloads.iter().position(|&old| old == workload).unwrap_or(0);
        for figure in &mut self.figures {
            figure.subject = match figure.metric {
                Metric::Workload(_) => new(figure.subject),
                Metric::Service(_) => place(figure.subject),
            };
        }
        self.workload = new(self.workload);
        scenario.arms.truncate(1);
        let arm = &mut scenario.arms[0];
        arm.policies = workloads.iter().map(|&workload| arm.policies[workload]).collect();
        let mut index = 0..;
        scenario.workloads.retain(|_| index.next().is_some_and(|index| workloads.contains(&index)));
        for workload in &mut scenario.workloads {
            workload.service = place(workload.service);
            workload.within = workload.within.map(place);
        }
        let mut index = 0..;
        scenario.services.retain(|_| index.next().is_some_and(|index: usize| kept[index]));
        scenario.expectations.clear();
        scenario.tunings.clear();
    }
}

/// True if workloads with the same policy share something of it.
fn is_global(policy: &PolicyConfig) -> bool {
    policy.layers().any(|layer| {
        let scopes = [
            layer.breaker.as_ref().map(|breaker| breaker.scope),
            layer.budget.map(|budget| budget.scope),
            layer.limiter.map(|limiter| limiter.scope),
        ];
        scopes.contains(&Some(Scope::Global))
    })
}

impl Track for Trials<'_> {
    fn run(&mut self, tasks: &[(usize, u32)]) -> Vec<Row> {
        let mut running: Vec<usize> = tasks.iter().map(|&(candidate, _)| candidate).collect();
        running.sort_unstable();
        running.dedup();
        let mut scenario = self.scenario.clone();
        let first = scenario.arms[0].policies.clone();
        scenario.arms.clear();
        for &candidate in &running {
            let mut policies = first.clone();
            policies[self.workload] = scenario.policies.len();
            scenario
                .policies
                .push(Named { name: self.name.clone(), config: self.policies[candidate].clone() });
            scenario.arms.push(Arm { name: self.name.clone(), policies });
        }
        let arm = |candidate: usize| running.binary_search(&candidate).unwrap_or(0);
        let tasks: Vec<(usize, u32)> =
            tasks.iter().map(|&(candidate, replication)| (arm(candidate), replication)).collect();
        observe(&scenario, &tasks, &self.figures, self.progress)
    }
}
