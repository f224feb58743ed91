//! Who calls a service, and for what, in the numbers by which it knows them.

use crate::scenario::{Scenario, Workload};
use crate::service::Caller;
use crate::workload::RequestDraws;

/// What a service knows of those who call it from one workload.
#[derive(Debug)]
pub(super) struct Calling {
    workload: u32,
    /// The first of its accounts.
    account: u32,
    /// Number of each of its operations; empty if it has one that needs no name.
    operations: Vec<u32>,
}

/// The names of all operations that are asked of a service, sorted.
pub(super) fn operations(scenario: &Scenario, service: usize) -> Vec<String> {
    let callers = scenario.workloads.iter().filter(|workload| workload.service == service);
    let mut names: Vec<String> =
        callers.flat_map(|workload| workload.config.operation_names()).cloned().collect();
    names.sort();
    names.dedup();
    names
}

impl Calling {
    pub(super) fn of(scenario: &Scenario, workload: &Workload) -> Self {
        let names = operations(scenario, workload.service);
        let number = |name: &String| names.binary_search(name).expect("the name is in the list") as u32;
        // Those with an account of the same name share it, and have as many as the one that has most.
        let callers = scenario.workloads.iter().filter(|caller| caller.service == workload.service);
        let mut accounts: Vec<(&str, u64)> = callers
            .map(|caller| (caller.config.account_name(&caller.name), caller.config.accounts.get()))
            .collect();
        accounts.sort_by_key(|&(name, count)| (name, std::cmp::Reverse(count)));
        accounts.dedup_by_key(|account| account.0);
        let own = workload.config.account_name(&workload.name);
        let before = accounts.iter().take_while(|account| account.0 != own);
        Self {
            workload: u32::from(workload.tie),
            account: before.map(|account| account.1).sum::<u64>() as u32,
            operations: workload.config.operation_names().iter().map(number).collect(),
        }
    }

    /// Who issues request `number`, and for what.
    #[inline]
    pub(super) fn caller(&self, draws: &RequestDraws, number: u64, client: u32) -> Caller {
        let operation = if self.operations.is_empty() { 0 } else { self.operations[draws.operation(number)] };
        Caller { client, workload: self.workload, account: self.account + draws.account(client), operation }
    }
}
