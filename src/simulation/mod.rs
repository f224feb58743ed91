//! The simulation: one replication of one arm, from the first arrival to the horizon.
//!
//! Only here do clients and services meet, and only here are events scheduled. Each request has at most one event ahead
//! of it. Where nothing that is shared changes while an attempt is under way, its outcome is handled the moment it is
//! sent, at the instant at which the client will know it, so that an attempt costs one event (`at_once.rs`).
//!
//! # Order
//! Events at one instant are ordered by class (what happens inside services, then answers, then timeouts, then all that begins:
//! arrivals, retries, and what services ask of others), then by workload (in the order of names), then by request: who came
//! first goes first. The order follows from the model alone, and says nothing about memory, threads, or when the event
//! happened to be scheduled.

mod at_once;
mod call;
mod calling;
mod chunks;
mod client;
mod clients;
mod event;
mod guard;
mod lanes;
mod nested;
mod plain;
mod pool;
mod request;
mod trace;

pub use clients::breaker_key;
pub use trace::{Next, Step, Trace, TracedRequest};

use crate::event_queue::EventQueue;
use crate::metrics::{Goodput, ServiceTally, WorkloadTally};
use crate::random::{Key, Purpose};
use crate::scenario::Scenario;
use crate::service::{Service, Setting};
use crate::time::Instant;
use crate::workload::{Arrival, ArrivalStream};
use call::Calls;
use calling::{Calling, operations};
use clients::{Clients, Guards, Turns};
use event::{Class, Event, rank};
use plain::Memories;
use request::{Needs, Requests};
use trace::Tracer;

/// What one replication of one arm left behind.
#[derive(Debug)]
pub struct Record {
    /// By workload, in the order of the scenario.
    pub workloads: Vec<WorkloadTally>,
    /// By service, in the order of the scenario.
    pub services: Vec<ServiceTally>,
    /// The windows of the incidents of each service, in order of time.
    pub incidents: Vec<Vec<(Instant, Instant)>>,
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
    /// The workload whose next request arrives first, and when.
    first: Option<(Place, u16)>,
    clients: Vec<Clients>,
    /// The workloads by their place in the order of names, which their ranks have.
    by_tie: Vec<u16>,
    guards: Guards<'a>,
    services: Vec<Service>,
    /// Whether calls of a service may be decided later than they are sent.
    deferred: Vec<bool>,
    /// The workloads that each service issues, in the order of names.
    callees: Vec<Vec<u16>>,
    /// The services in which things happen between calls: index, and place in the order of names.
    busy: Vec<(usize, u16)>,
    requests: Requests,
    memories: Memories,
    calls: Calls,
    tallies: Vec<WorkloadTally>,
    service_tallies: Vec<ServiceTally>,
    tracers: Vec<Tracer>,
    events: u64,
}

/// The place of an event in the order: its instant, and its rank there.
type Place = (Instant, u64);

/// Where the next event comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A request arrives.
    Arrivals { workload: u16 },
    /// Something happens inside a service.
    Service { service: u16 },
    /// What has been scheduled for this rank.
    Queue { rank: u64 },
}

/// The arrivals of one workload: the next one, and the stream of those behind it.
#[derive(Debug)]
struct Arrivals {
    next: Option<Arrival>,
    stream: ArrivalStream,
    tie: u16,
}

impl Arrivals {
    fn place(&self) -> Option<Place> {
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
        let mut clients: Vec<Clients> = assigned
            .map(|(workload, &index)| {
                let calling = Calling::of(scenario, workload);
                Clients::new(workload, calling, (&scenario.policies[index], index), &mut guards, key)
            })
            .collect();
        let needs = Needs::of(&clients);
        let callees = callees(scenario);
        let services = scenario.services.iter().zip(&callees);
        let services: Vec<_> = services
            .enumerate()
            .map(|(index, (service, callees))| {
                let setting = Setting {
                    operations: &operations(scenario, index),
                    calls_others: !callees.is_empty(),
                    horizon: scenario.horizon,
                };
                let mut service =
                    Service::new(&service.config, setting, |purpose| key(purpose, &service.name));
                service.watch(scenario.bin, scenario.horizon);
                service
            })
            .collect();
        guards.watch(scenario.bin, scenario.horizon);
        let deferred: Vec<bool> = services.iter().map(Service::defers).collect();
        for clients in &mut clients {
            clients.plain = traced == 0 && clients.are_plain(!deferred[clients.service]);
        }
        let step = Goodput::step(scenario.window, scenario.horizon, scenario.workloads.len());
        let tracers = scenario.workloads.iter().map(|w| Tracer::new(key(Purpose::Trace, &w.name), traced));
        let mut simulation = Self {
            now: Instant::START,
            horizon,
            queue: EventQueue::new(),
            arrivals: arrivals.collect(),
            first: None,
            by_tie: by_tie(&clients),
            clients,
            guards,
            busy: busy(scenario, &services),
            deferred,
            callees,
            services,
            requests: Requests::new(needs),
            memories: Memories::default(),
            calls: Calls::default(),
            tallies: vec![WorkloadTally::new(scenario.bin, step, scenario.horizon); scenario.workloads.len()],
            service_tallies: vec![ServiceTally::new(scenario.window); scenario.services.len()],
            tracers: tracers.collect(),
            events: 0,
        };
        simulation.look_up_first();
        simulation
    }

    /// Runs to the horizon.
    pub fn run(mut self) -> Record {
        self.play();
        self.finish()
    }

    fn play(&mut self) {
        for workload in 0..self.clients.len() {
            for client in 0..self.clients[workload].closed.as_ref().map_or(0, Turns::clients) {
                self.think(workload, client, Instant::START);
            }
        }
        while let Some(source) = self.earliest() {
            self.events += 1;
            match source {
                Source::Arrivals { workload } => self.arrive(usize::from(workload)),
                Source::Service { service } => self.happen(usize::from(service)),
                Source::Queue { rank } => self.handle(rank),
            }
        }
    }

    /// Handles the next event of the queue, which has this rank.
    #[inline]
    fn handle(&mut self, rank: u64) {
        let (_, event) = self.queue.pop().expect("the event was seen a moment ago");
        match event {
            Event::Retry { arrived, client, attempts } => self.retry_plain(rank, arrived, client, attempts),
            Event::Recall { arrived, slot, attempts } => self.recall_plain(rank, arrived, slot, attempts),
            Event::Issue { workload, client } => self.thought(usize::from(workload), client),
            Event::Attempt { slot } => self.attempt(slot),
            Event::Resume { slot } => self.resume(slot),
            Event::Ask { call, place } => self.ask(call, place),
            Event::Outcome { slot } => self.conclude(slot, self.now),
            Event::Reach { call } => self.reach(call),
            Event::Enter { call } => self.go_in(call),
            Event::Worked { call } => self.call_on(call),
            Event::Reply { call } => self.reply(call),
            Event::Timeout { call } => self.give_up(call),
        }
    }

    /// Goes on to the earliest event of all, and says whose it is; `None` at the horizon.
    #[inline]
    fn earliest(&mut self) -> Option<Source> {
        let arrives = self.first.map(|(place, workload)| (place, Source::Arrivals { workload }));
        let streamed = if self.busy.is_empty() { arrives } else { self.happens_before(arrives) };
        let scheduled = self.queue.peek().map(|place| (place, Source::Queue { rank: place.1 }));
        let ((at, _), source) = match (streamed, scheduled) {
            (Some(streamed), Some(scheduled)) if scheduled.0 <= streamed.0 => scheduled,
            (Some(earliest), _) | (None, Some(earliest)) => earliest,
            (None, None) => return None,
        };
        assert!(at >= self.now, "time went back from {:?} to {at:?}", self.now);
        self.now = at;
        Some(source)
    }

    /// What happens inside a service first, if it does before this.
    fn happens_before(&self, mut first: Option<(Place, Source)>) -> Option<(Place, Source)> {
        for &(service, tie) in &self.busy {
            let Some(at) = self.services[service].next().filter(|&at| at < self.horizon) else { continue };
            let place = (at, rank(Class::Happening, tie, 0));
            if first.is_none_or(|(earliest, _)| place < earliest) {
                first = Some((place, Source::Service { service: service as u16 }));
            }
        }
        first
    }

    /// Looks up which workload's next request arrives first.
    #[inline]
    fn look_up_first(&mut self) {
        let arrivals = self.arrivals.iter().zip(0..);
        self.first = arrivals.filter_map(|(arrivals, workload)| Some((arrivals.place()?, workload))).min();
    }

    /// Schedules an event, unless it lies beyond the run: then its request stays unfinished.
    #[inline]
    fn schedule(&mut self, at: Instant, class: Class, slot: u32, event: Event) {
        if at < self.horizon {
            let tie = self.clients[usize::from(self.requests[slot].workload)].tie;
            let rank = rank(class, tie, self.requests.sake(slot).order);
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
        }
        for (tally, service) in self.service_tallies.iter_mut().zip(&self.services) {
            tally.usage = service.usage(self.horizon);
            tally.lanes = service.lanes(self.horizon);
        }
        Record {
            workloads: self.tallies,
            services: self.service_tallies,
            incidents: self.services.iter().map(|service| service.incidents().windows().to_vec()).collect(),
            traces: self.tracers.into_iter().map(Tracer::finish).collect(),
            events: self.events,
        }
    }
}

/// Which workload has a place in the order of names. Where parts of a scenario are left out, some have none.
fn by_tie(clients: &[Clients]) -> Vec<u16> {
    let places = clients.iter().map(|clients| usize::from(clients.tie) + 1).max().unwrap_or(0);
    let mut by_tie = vec![u16::MAX; places];
    for (workload, clients) in (0..).zip(clients) {
        by_tie[usize::from(clients.tie)] = workload;
    }
    by_tie
}

/// The services in which things happen between calls, with their places in the order of names.
fn busy(scenario: &Scenario, services: &[Service]) -> Vec<(usize, u16)> {
    let mut names: Vec<&str> = scenario.services.iter().map(|service| service.name.as_str()).collect();
    names.sort_unstable();
    let place = |name| names.binary_search(&name).expect("the name is in the list") as u16;
    let services = services.iter().zip(&scenario.services).enumerate();
    services
        .filter(|(_, (service, _))| service.defers())
        .map(|(index, (_, named))| (index, place(named.name.as_str())))
        .collect()
}

/// The workloads that each service issues, in the order of names.
fn callees(scenario: &Scenario) -> Vec<Vec<u16>> {
    let mut callees = vec![Vec::new(); scenario.services.len()];
    for (index, workload) in scenario.workloads.iter().enumerate() {
        if let Some(service) = workload.within {
            callees[service].push(index as u16);
        }
    }
    for callees in &mut callees {
        callees.sort_by_key(|&index| scenario.workloads[usize::from(index)].tie);
    }
    callees
}
