//! The CSV files. Their columns are part of the public contract.

use super::number::{machine, machine_or_empty};
use super::terminal::outcome;
use crate::experiment::{ArmResult, Results, Verdict};
use crate::metrics::{Column, SERVICE_MEASURES, WORKLOAD_MEASURES};
use crate::scenario::{Arm, Scenario};
use crate::simulation::Next;
use crate::statistics::Estimate;
use crate::usage::Occupancy;

/// A CSV file that is being written.
pub(super) struct Rows(csv::Writer<Vec<u8>>);

impl Rows {
    pub(super) fn new(header: &[&str]) -> Self {
        let mut rows = Self(csv::Writer::from_writer(Vec::new()));
        rows.push(header);
        rows
    }

    pub(super) fn push<T: AsRef<[u8]>>(&mut self, row: impl IntoIterator<Item = T>) {
        self.0.write_record(row).expect("every row has as many cells as the header");
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect("memory takes every byte")
    }
}

fn arms<'a>(scenario: &'a Scenario, results: &'a Results) -> impl Iterator<Item = (&'a Arm, &'a ArmResult)> {
    scenario.arms.iter().zip(&results.arms)
}

/// `summary.csv`: one row per arm, workload or service, and metric. Metrics of a service are over all workloads that call
/// it; their workload is empty.
pub fn summary(scenario: &Scenario, results: &Results) -> Vec<u8> {
    let mut rows = Rows::new(&[
        "arm",
        "workload",
        "service",
        "metric",
        "unit",
        "mean",
        "ci95_low",
        "ci95_high",
        "min",
        "max",
        "replications",
    ]);
    let mut push = |subject: [&str; 3], metric: (&str, &str), estimate: Option<Estimate>| {
        let number = |of: fn(&Estimate) -> Option<f64>| machine_or_empty(estimate.as_ref().and_then(of));
        let observations = estimate.map_or(0, |estimate| estimate.observations).to_string();
        let [arm, workload, service] = subject.map(str::to_owned);
        let (metric, unit) = (metric.0.to_owned(), metric.1.to_owned());
        let (mean, low, high) = (number(|e| Some(e.mean)), number(Estimate::low), number(Estimate::high));
        let (min, max) = (number(|e| Some(e.min)), number(|e| Some(e.max)));
        rows.push([arm, workload, service, metric, unit, mean, low, high, min, max, observations]);
    };
    for (arm, result) in arms(scenario, results) {
        for (workload, found) in scenario.workloads.iter().zip(&result.workloads) {
            let service = &scenario.services[workload.service].name;
            for (index, measure) in WORKLOAD_MEASURES.iter().enumerate() {
                push(
                    [&arm.name, &workload.name, service],
                    (measure.name, measure.unit),
                    found.estimate(index),
                );
            }
        }
        for (service, found) in scenario.services.iter().zip(&result.services) {
            for (index, measure) in SERVICE_MEASURES.iter().enumerate() {
                push([&arm.name, "", &service.name], (measure.name, measure.unit), found.estimate(index));
            }
        }
    }
    rows.finish()
}

/// `replications.csv`: one row per arm, workload and replication, with the metrics of the workload and of its service.
pub fn replications(scenario: &Scenario, results: &Results) -> Vec<u8> {
    let mut header = vec!["arm", "workload", "service", "replication"];
    header.extend(WORKLOAD_MEASURES.iter().map(|measure| measure.name));
    header.extend(SERVICE_MEASURES.iter().map(|measure| measure.name));
    let mut rows = Rows::new(&header);
    for (arm, result) in arms(scenario, results) {
        for (workload, found) in scenario.workloads.iter().zip(&result.workloads) {
            let service = &result.services[workload.service];
            for (replication, (own, of_service)) in
                found.replications.iter().zip(&service.replications).enumerate()
            {
                let service = scenario.services[workload.service].name.clone();
                let mut row = vec![arm.name.clone(), workload.name.clone(), service, replication.to_string()];
                row.extend(own.iter().chain(of_service).map(|&value| machine_or_empty(value)));
                rows.push(row);
            }
        }
    }
    rows.finish()
}

/// `timeseries.csv`: one row per arm, workload and bin, with mean counts per replication.
pub fn time_series(scenario: &Scenario, results: &Results) -> Vec<u8> {
    let mut header = vec!["arm", "workload", "service", "time_s"];
    header.extend(Column::ALL.iter().map(|column| column.name()));
    let mut rows = Rows::new(&header);
    for (arm, result) in arms(scenario, results) {
        for (workload, found) in scenario.workloads.iter().zip(&result.workloads) {
            for bin in 0..found.series.bins() {
                let time = found.series.bin().as_secs_f64() * bin as f64;
                let service = scenario.services[workload.service].name.clone();
                let mut row = vec![arm.name.clone(), workload.name.clone(), service, machine(time)];
                let mean = |&column| {
                    machine(found.series.get(bin, column) as f64 / f64::from(scenario.replications))
                };
                row.extend(Column::ALL.iter().map(mean));
                rows.push(row);
            }
        }
    }
    rows.finish()
}

/// `time_to_success.csv`: the share of all requests that succeeded within a time of their arrival, over all replications,
/// at 32 times per doubling, from where the first success comes to where the last one has come.
pub fn time_to_success(scenario: &Scenario, results: &Results) -> Vec<u8> {
    let mut rows = Rows::new(&["arm", "workload", "within_s", "share_succeeded"]);
    for (arm, result) in arms(scenario, results) {
        for (workload, found) in scenario.workloads.iter().zip(&result.workloads) {
            for (within, share) in found.success_curve() {
                rows.push([arm.name.clone(), workload.name.clone(), machine(within), machine(share)]);
            }
        }
    }
    rows.finish()
}

/// `lanes.csv`: one row per arm, workload and bin, with the share of the workload's breakers that are open or half-open, and the mean
/// numbers of calls that wait for a server of its service and of servers at work. What there is not is empty; `None` where there
/// is neither a breaker nor a server.
pub fn lanes(scenario: &Scenario, results: &Results) -> Option<Vec<u8>> {
    let any = |arm: &ArmResult| {
        arm.workloads.iter().any(|workload| workload.breakers.is_some())
            || arm.services.iter().any(|service| service.servers.is_some())
    };
    if !results.arms.iter().any(any) {
        return None;
    }
    let mut header = vec!["arm", "workload", "service", "time_s"];
    header.extend(["breaker_open", "breaker_half_open", "queue_length", "busy"]);
    let mut rows = Rows::new(&header);
    for (arm, result) in arms(scenario, results) {
        for (workload, found) in scenario.workloads.iter().zip(&result.workloads) {
            let breakers = found
                .breakers
                .as_ref()
                .map(|(lanes, count)| [&lanes.open, &lanes.half_open].map(|lane| over(lane, *count as f64)));
            let servers = result.services[workload.service].servers.as_ref().map(|lanes| {
                [&lanes.waiting, &lanes.busy].map(|lane| over(lane, f64::from(result.replications())))
            });
            for bin in 0..found.series.bins() {
                let time = machine(found.series.bin().as_secs_f64() * bin as f64);
                let service = scenario.services[workload.service].name.clone();
                let mut row = vec![arm.name.clone(), workload.name.clone(), service, time];
                for lanes in [&breakers, &servers] {
                    row.extend(
                        [0, 1].map(|lane| machine_or_empty(lanes.as_ref().map(|lanes| lanes[lane][bin]))),
                    );
                }
                rows.push(row);
            }
        }
    }
    Some(rows.finish())
}

/// The mean of a lane in each bin, over so many.
fn over(lane: &Occupancy, count: f64) -> Vec<f64> {
    lane.means().into_iter().map(|mean| mean / count).collect()
}

/// `expectations.csv`: one row per expectation, with what was measured and what became of it.
pub fn expectations(verdicts: &[Verdict]) -> Vec<u8> {
    let mut rows =
        Rows::new(&["expectation", "verdict", "mean", "ci95_low", "ci95_high", "replications", "why"]);
    for verdict in verdicts {
        let (mark, why) = outcome(verdict);
        let number =
            |of: fn(&Estimate) -> Option<f64>| machine_or_empty(verdict.measured.as_ref().and_then(of));
        rows.push([
            verdict.text.clone(),
            mark.to_owned(),
            number(|estimate| Some(estimate.mean)),
            number(Estimate::low),
            number(Estimate::high),
            verdict.measured.map_or(0, |estimate| estimate.observations).to_string(),
            why,
        ]);
    }
    rows.finish()
}

/// `attempts.csv`: every attempt of the traced requests, with what was decided and why.
pub fn attempts(scenario: &Scenario, results: &Results) -> Vec<u8> {
    let mut rows = Rows::new(&[
        "arm",
        "workload",
        "replication",
        "request",
        "client",
        "arrived_s",
        "attempt",
        "sent_s",
        "known_s",
        "outcome",
        "retry_after_s",
        "decision",
        "delay_s",
        "reason",
        "layer",
    ]);
    for (arm, result) in arms(scenario, results) {
        for (workload, trace) in scenario.workloads.iter().zip(&result.traces) {
            for request in trace {
                for step in &request.steps {
                    let (decision, delay, reason, layer) = match step.next {
                        Next::Retry { delay, layer } => {
                            let reason = if delay.asked { "retry_after" } else { "backoff" };
                            ("retry", Some(delay.wait), reason, (layer + 1).to_string())
                        }
                        Next::End(ending) => ("end", None, ending.name(), String::new()),
                    };
                    let seconds = |interval: crate::time::Interval| machine(interval.as_secs_f64());
                    rows.push([
                        arm.name.clone(),
                        workload.name.clone(),
                        "0".to_owned(),
                        request.number.to_string(),
                        request.client.to_string(),
                        machine(request.arrived.as_secs_f64()),
                        step.attempt.to_string(),
                        machine(step.sent.as_secs_f64()),
                        machine(step.known.as_secs_f64()),
                        step.outcome.map(|outcome| outcome.to_string()).unwrap_or_default(),
                        step.retry_after.map(seconds).unwrap_or_default(),
                        decision.to_owned(),
                        delay.map(seconds).unwrap_or_default(),
                        reason.to_owned(),
                        layer,
                    ]);
                }
            }
        }
    }
    rows.finish()
}
