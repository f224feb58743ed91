//! The simulation: one replication of one arm, from the first arrival to the horizon.
//!
//! Only here do clients and services meet, and only here are events scheduled. Each request has at most one event ahead
//! of it. Where nothing that is shared changes while an attempt is under way, its outcome is handled the moment it is
//! sent, at the instant at which the client will know it, so that an attempt costs one event (`client.rs` says when).
//!
//! # Order
//! Events at one instant are ordered by class (answers, then timeouts, then arrivals and retries), then by workload (in
//! the order of names), then by request: who came first goes first. The order follows from the model alone, and says
//! nothing about memory, threads, or when the event happened to be scheduled.

mod client;
mod clients;
mod event;
mod guard;
mod pool;
mod request;
mod trace;

pub use trace::{Next, Step, Trace, TracedRequest};

use crate::event_queue::EventQueue;
use crate::metrics::{ServiceTally, WorkloadTally};
use crate::random::{Key, Purpose};
use crate::scenario::Scenario;
use crate::service::Service;
use crate::time::Instant;
use crate::workload::{Arrival, ArrivalStream};
use clients::{Clients, Guards, Layer};
use event::{Class, Event, rank};
use request::Requests;
use trace::Tracer;

/// What one replication of one arm left behind.
#[derive(Debug)]
pub struct Record {
    /// By workload, in the order of the scenario.
    pub workloads: Vec<WorkloadTally>,
    /// By service, in the order of the scenario.
    pub services: Vec<ServiceTally>,
    /// The sampled requests by workload; empty unless asked for.
    pub traces: Vec<Trace>,
    /// Events handled.
    pub events: u64,
}

/// A replication under way.
#[derive(Debug)]
pub struct Simulation<'a> {
    now: Instant,
    horizon: Instant,
    queue: EventQueue<Event>,
    arrivals: Vec<Arrivals>,
    clients: Vec<Clients>,
    guards: Guards<'a>,
    services: Vec<Service>,
    requests: Requests,
    tallies: Vec<WorkloadTally>,
    service_tallies: Vec<ServiceTally>,
    tracers: Vec<Tracer>,
    events: u64,
}

/// The arrivals of one workload: the next one, and the stream of those behind it.
#[derive(Debug)]
struct Arrivals {
    next: Option<Arrival>,
    stream: ArrivalStream,
    tie: u16,
}

impl Arrivals {
    fn key(&self) -> Option<(Instant, u64)> {
        self.next.map(|arrival| (arrival.at, rank(Class::Begin, self.tie, arrival.number)))
    }
}

impl<'a> Simulation<'a> {
    /// Replication number `replication` of the arm `arm`, of which `traced` requests per workload are traced.
    pub fn new(scenario: &'a Scenario, arm: usize, replication: u32, traced: usize) -> Self {
        let horizon = Instant::START + scenario.horizon;
        let key = |purpose, name: &str| Key::derive(scenario.seed, replication, purpose, name);
        let arrivals = scenario.workloads.iter().map(|workload| {
            let config = &workload.config;
            let key = |purpose| key(purpose, &workload.name);
            let mut stream = ArrivalStream::new(&config.arrivals, config.clients.get(), key, horizon);
            Arrivals { next: stream.next(), stream, tie: workload.tie }
        });
        let mut guards = Guards::default();
        let assigned = scenario.workloads.iter().zip(&scenario.arms[arm].policies);
        let clients: Vec<Clients> = assigned
            .map(|(workload, &index)| {
                Clients::new(workload, (&scenario.policies[index], index), &mut guards, key)
            })
            .collect();
        let layers = clients.iter().map(|clients| clients.layers.len()).max().unwrap_or(1);
        let guarded = clients.iter().any(|clients| clients.layers.iter().any(Layer::is_guarded));
        let tracers = scenario.workloads.iter().map(|w| Tracer::new(key(Purpose::Trace, &w.name), traced));
        Self {
            now: Instant::START,
            horizon,
            queue: EventQueue::new(),
            arrivals: arrivals.collect(),
            clients,
            guards,
            services: scenario.services.iter().map(|service| Service::new(&service.config)).collect(),
            requests: Requests::new(layers, guarded),
            tallies: vec![
                WorkloadTally::new(scenario.bin, scenario.window, scenario.horizon);
                scenario.workloads.len()
            ],
            service_tallies: vec![ServiceTally::new(scenario.window); scenario.services.len()],
            tracers: tracers.collect(),
            events: 0,
        }
    }

    /// Runs to the horizon.
    pub fn run(mut self) -> Record {
        while let Some(event) = self.next_event() {
            match event {
                Event::Arrival { workload } => self.arrive(workload),
                Event::Attempt { slot } => self.attempt(slot),
                Event::Outcome { slot } => self.conclude(slot, self.now),
            }
        }
        self.finish()
    }

    /// Takes the earliest event of all, from the queue or from a stream of arrivals; `None` at the horizon.
    fn next_event(&mut self) -> Option<Event> {
        let arrival = (0..self.arrivals.len())
            .filter_map(|workload| self.arrivals[workload].key().map(|key| (key, workload)))
            .min_by_key(|&(key, _)| key);
        let scheduled = self.queue.peek();
        let (at, event) = match (arrival, scheduled) {
            (Some((key, workload)), scheduled) if scheduled.is_none_or(|scheduled| key < scheduled) => {
                (key.0, Event::Arrival { workload })
            }
            _ => self.queue.pop()?,
        };
        assert!(at >= self.now, "time went back from {:?} to {at:?}", self.now);
        self.now = at;
        self.events += 1;
        Some(event)
    }

    /// Schedules an event, unless it lies beyond the run: then its request stays unfinished.
    fn schedule(&mut self, at: Instant, class: Class, slot: u32, event: Event) {
        if at < self.horizon {
            let request = &self.requests[slot];
            let rank = rank(class, self.clients[request.workload as usize].tie, request.number);
            self.queue.push(at, rank, event);
        }
    }

    fn finish(mut self) -> Record {
        let mut unfinished = vec![0; self.tallies.len()];
        for request in self.requests.alive() {
            unfinished[request.workload as usize] += 1;
        }
        for ((tally, clients), count) in self.tallies.iter_mut().zip(&self.clients).zip(unfinished) {
            tally.unfinished(count, self.horizon);
            clients.settle(&self.guards, tally, self.horizon);
            tally.assert_conserved();
        }
        Record {
            workloads: self.tallies,
            services: self.service_tallies,
            traces: self.tracers.into_iter().map(Tracer::finish).collect(),
            events: self.events,
        }
    }
}
