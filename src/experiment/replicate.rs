//! Replications: every arm is run under every seed, and the runs are folded in the order of replications, so that the
//! result is the same on any number of threads.

use super::hand_out;
use super::simulate::simulate;
use crate::metrics::{
    Frame, Measure, Outline, SERVICE_MEASURES, TimeSeries, WORKLOAD_MEASURES, WorkloadTally,
};
use crate::scenario::{Figure, Metric, Named, Scenario};
use crate::service::ServiceConfig;
use crate::simulation::{Record, Trace};
use crate::statistics::Estimate;
use crate::time::Instant;
use crate::usage::{BreakerLanes, ServerLanes};

/// How many replications are alive at once: enough to keep many threads busy, fewer where their time series are long.
const MOST_ALIVE: usize = 256;
/// Bins of all workloads and replications that are alive at once, at about 100 bytes each.
const BINS_ALIVE: usize = 2_000_000;

/// How to run an experiment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Requests to trace per workload, in the first replication of each arm.
    pub traced: usize,
    /// Threads; 0 for one per core.
    pub jobs: usize,
}

/// What an experiment found.
#[derive(Debug)]
pub struct Results {
    /// How many requests per workload were traced in the first replication of each arm.
    pub traced: usize,
    /// By arm, in the order of the scenario.
    pub arms: Vec<ArmResult>,
}

/// What was found of one arm.
#[derive(Debug)]
pub struct ArmResult {
    /// By workload, in the order of the scenario.
    pub workloads: Vec<WorkloadResult>,
    /// By service, in the order of the scenario.
    pub services: Vec<ServiceResult>,
    /// The traced requests of the first replication, by workload.
    pub traces: Vec<Trace>,
    /// Events handled in all.
    pub events: u64,
}

/// What was found of one workload in one arm.
#[derive(Debug)]
pub struct WorkloadResult {
    /// The measures of each replication, in the order of [`WORKLOAD_MEASURES`].
    pub replications: Vec<Vec<Option<f64>>>,
    /// Counts per bin, added up over replications.
    pub series: TimeSeries,
    /// Times to success, added up over replications.
    pub time_to_success: Outline,
    /// Requests, added up over replications.
    pub requests: u64,
    /// What breakers did in the course of time, and how many there were, added up over replications.
    pub breakers: Option<(BreakerLanes, u64)>,
}

/// What was found of one service in one arm.
#[derive(Debug, Default)]
pub struct ServiceResult {
    /// The measures of each replication, in the order of [`SERVICE_MEASURES`].
    pub replications: Vec<Vec<Option<f64>>>,
    /// What its servers were used for in the course of time, added up over replications.
    pub servers: Option<ServerLanes>,
}

impl WorkloadResult {
    /// The estimate of a measure by its index.
    pub fn estimate(&self, measure: usize) -> Option<Estimate> {
        estimate(&self.replications, measure)
    }

    /// The estimate of a measure by its name.
    pub fn named(&self, measure: &str) -> Option<Estimate> {
        self.estimate(WORKLOAD_MEASURES.iter().position(|m| m.name == measure)?)
    }

    /// The share of all requests that succeeded within so many seconds of their arrival, as (seconds, share), up to the
    /// last success; empty if nothing succeeded.
    pub fn success_curve(&self) -> Vec<(f64, f64)> {
        let points = self.time_to_success.cumulative().into_iter();
        points.map(|(seconds, count)| (seconds, count as f64 / self.requests as f64)).collect()
    }
}

impl ServiceResult {
    /// The estimate of a measure by its index.
    pub fn estimate(&self, measure: usize) -> Option<Estimate> {
        estimate(&self.replications, measure)
    }

    /// The estimate of a measure by its name.
    pub fn named(&self, measure: &str) -> Option<Estimate> {
        self.estimate(SERVICE_MEASURES.iter().position(|m| m.name == measure)?)
    }
}

fn estimate(replications: &[Vec<Option<f64>>], measure: usize) -> Option<Estimate> {
    Estimate::of(replications.iter().filter_map(|values| values[measure]))
}

/// Runs every arm of `scenario` under every replication. `progress` is called after each.
///
/// # Panics
/// If the threads cannot be started; with an [`Impossible`](super::Impossible) if something in a replication does not add up.
pub fn run(scenario: &Scenario, options: Options, progress: &(dyn Fn() + Sync)) -> Results {
    threads(options.jobs).install(|| {
        let arms: Vec<usize> = (0..scenario.arms.len()).collect();
        let mut experiment = Experiment::new(scenario, options.traced);
        experiment.advance(&arms, scenario.replications, progress);
        experiment.results
    })
}

/// So many threads to compute on; 0 for one per core.
///
/// # Panics
/// If the threads cannot be started.
pub fn threads(jobs: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("threads can be started")
}

/// An experiment under way: arms that have had some of their replications. It computes on the threads that it is called on
/// ([`threads`]).
#[derive(Debug)]
pub struct Experiment<'s> {
    scenario: &'s Scenario,
    frames: Vec<Frame>,
    results: Results,
}

impl<'s> Experiment<'s> {
    /// Arms without a replication; of the first one of each, so many requests per workload will be traced.
    pub fn new(scenario: &'s Scenario, traced: usize) -> Self {
        let arms = scenario.arms.iter().map(|_| empty(scenario)).collect();
        Self { scenario, frames: frames(scenario), results: Results { traced, arms } }
    }

    /// What was found so far.
    pub const fn results(&self) -> &Results {
        &self.results
    }

    /// What was found.
    pub fn into_results(self) -> Results {
        self.results
    }

    /// Runs the arms with these indices until each has had `replications`. `progress` is called after each.
    pub fn advance(&mut self, arms: &[usize], replications: u32, progress: &(dyn Fn() + Sync)) {
        let Self { scenario, frames, results } = self;
        let scenario = *scenario;
        let tasks = hand_out::order(
            arms,
            replications,
            |arm| results.arms[arm].replications(),
            |arm| results.arms[arm].size().unwrap_or_else(|| scenario.expected_attempts_bound_of(arm)),
        );
        let bins = scenario.workloads.len() * TimeSeries::new(scenario.bin, scenario.horizon).bins();
        let alive = (BINS_ALIVE / bins).clamp(8, MOST_ALIVE);
        let traced = results.traced;
        let replicate = |&(arm, replication): &(usize, u32)| {
            let traced = if replication == 0 { traced } else { 0 };
            let record = simulate(scenario, arm, replication, traced);
            progress();
            Replication::of(record, frames, scenario)
        };
        hand_out::in_turn(&tasks, alive, replicate, |&(arm, _), replication| {
            results.arms[arm].fold(replication);
        });
    }
}

/// What each service's measures need to know, without the incidents of each replication.
pub(super) fn frames(scenario: &Scenario) -> Vec<Frame> {
    let frame = |(index, service): (usize, &Named<ServiceConfig>)| Frame {
        horizon: scenario.horizon,
        window: scenario.window,
        allowance: service.config.allowance(scenario.window, scenario.callers_of(index)),
        incidents: Vec::new(),
    };
    scenario.services.iter().enumerate().map(frame).collect()
}

/// The frames of one replication, in which these incidents happened.
pub(super) fn with_incidents(frames: &[Frame], incidents: &[Vec<(Instant, Instant)>]) -> Vec<Frame> {
    let frames = frames.iter().zip(incidents);
    frames.map(|(frame, incidents)| Frame { incidents: incidents.clone(), ..frame.clone() }).collect()
}

/// The frame of the workloads that call this service: they feel what befalls it, and those below it.
pub(super) fn felt(scenario: &Scenario, frames: &[Frame], service: usize) -> Frame {
    let below = scenario.reached_from(service);
    let mut incidents: Vec<_> = below.iter().flat_map(|&index| &frames[index].incidents).copied().collect();
    incidents.sort();
    Frame { incidents, ..frames[service].clone() }
}

fn empty(scenario: &Scenario) -> ArmResult {
    let series = TimeSeries::new(scenario.bin, scenario.horizon);
    let workload = || WorkloadResult {
        replications: Vec::new(),
        time_to_success: Outline::default(),
        series: series.clone(),
        requests: 0,
        breakers: None,
    };
    ArmResult {
        workloads: scenario.workloads.iter().map(|_| workload()).collect(),
        services: scenario.services.iter().map(|_| ServiceResult::default()).collect(),
        traces: Vec::new(),
        events: 0,
    }
}

fn measured<T>(measures: &[Measure<T>], tally: &T, frame: &Frame) -> Vec<Option<f64>> {
    measures.iter().map(|measure| (measure.of)(tally, frame)).collect()
}

/// The counts of a workload that are added up over replications.
#[derive(Debug)]
struct Counts {
    series: TimeSeries,
    time_to_success: Outline,
    requests: u64,
    breakers: Option<(BreakerLanes, u64)>,
}

/// What is kept of one replication.
#[derive(Debug)]
struct Replication {
    workloads: Vec<(Vec<Option<f64>>, Counts)>,
    services: Vec<(Vec<Option<f64>>, Option<ServerLanes>)>,
    traces: Vec<Trace>,
    events: u64,
}

impl Replication {
    fn of(record: Record, frames: &[Frame], scenario: &Scenario) -> Self {
        let frames = with_incidents(frames, &record.incidents);
        let workloads = record.workloads.into_iter().zip(&scenario.workloads);
        let services = record.services.into_iter().zip(&frames);
        Self {
            workloads: workloads
                .map(|(tally, workload)| {
                    let measured =
                        measured(WORKLOAD_MEASURES, &tally, &felt(scenario, &frames, workload.service));
                    let time_to_success = tally.time_to_success.outline();
                    let WorkloadTally { series, requests, lanes, breakers, .. } = tally;
                    let breakers = lanes.map(|lanes| (lanes, breakers));
                    (measured, Counts { series, time_to_success, requests, breakers })
                })
                .collect(),
            services: services
                .map(|(tally, frame)| (measured(SERVICE_MEASURES, &tally, frame), tally.lanes))
                .collect(),
            traces: record.traces,
            events: record.events,
        }
    }
}

/// What there was, with `one` more added.
fn added<T>(all: Option<T>, one: Option<T>, add: impl Fn(&mut T, &T)) -> Option<T> {
    match (all, one) {
        (Some(mut all), Some(one)) => {
            add(&mut all, &one);
            Some(all)
        }
        (all, one) => all.or(one),
    }
}

impl ArmResult {
    /// How many replications it has had.
    pub fn replications(&self) -> u32 {
        self.workloads.first().map_or(0, |workload| workload.replications.len() as u32)
    }

    /// What a replication takes: the events of one on average, if there has been one.
    fn size(&self) -> Option<f64> {
        let replications = self.replications();
        (replications > 0).then(|| self.events as f64 / f64::from(replications))
    }

    /// What each replication observed of a figure.
    pub fn observations(&self, figure: Figure) -> impl Iterator<Item = Option<f64>> {
        let (replications, measure) = match figure.metric {
            Metric::Workload(measure) => (&self.workloads[figure.subject].replications, measure),
            Metric::Service(measure) => (&self.services[figure.subject].replications, measure),
        };
        replications.iter().map(move |values| values[measure])
    }

    /// The estimate of a figure.
    pub fn estimate(&self, figure: Figure) -> Option<Estimate> {
        Estimate::of(self.observations(figure).flatten())
    }

    fn fold(&mut self, replication: Replication) {
        self.events += replication.events;
        for (result, (measured, counts)) in self.workloads.iter_mut().zip(replication.workloads) {
            result.replications.push(measured);
            result.series.add(&counts.series);
            result.requests += counts.requests;
            result.time_to_success.add(&counts.time_to_success);
            result.breakers = added(result.breakers.take(), counts.breakers, |all, one| {
                all.0.add_all(&one.0);
                all.1 += one.1;
            });
        }
        for (result, (measured, servers)) in self.services.iter_mut().zip(replication.services) {
            result.replications.push(measured);
            result.servers = added(result.servers.take(), servers, ServerLanes::add_all);
        }
        // Only the first replication is traced.
        if self.traces.is_empty() {
            self.traces = replication.traces;
        }
    }
}
