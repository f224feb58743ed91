//! A station: servers and a queue in any discipline, decided as time goes on.
//!
//! It holds its own future: [`Station::next`] says when something happens inside, [`Station::step`] lets it happen. Who calls
//! it lets everything happen that is due at an instant before a call is offered at that instant.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::autoscale::Autoscale;
use super::away::Away;
use super::call::{Job, Offer};
use super::codel::{Codel, Search};
use super::config::{Abandoned, CapacityConfig, Discipline};
use super::crew::Crew;
use super::happening::Happening;
use super::line::{Calls, Held, Line};
use super::shedding::Shedding;
use super::{billionths, slowed};
use crate::service::departure::{Departure, Fate};
use crate::time::Instant;
use crate::units::Count;
use crate::usage::{ServerLanes, Usage};

/// Servers that nobody counts.
const UNLIMITED: u32 = u32::MAX;

/// Servers and a queue.
#[derive(Debug, Clone)]
pub struct Station {
    places: u64,
    discipline: Discipline,
    slowdown: u128,
    pub(super) abandoned: Abandoned,
    /// Servers, those included that incidents have taken away.
    number: u32,
    away: Away,
    /// Servers that are there.
    pub(super) servers: u32,
    /// Servers at work on a call each, or kept for one.
    pub(super) busy: u32,
    /// Whether calls stay in the system after the work on them until they are released, and which do.
    pub(super) keeps: bool,
    pub(super) kept: BTreeMap<u32, Held>,
    pub(super) crew: Crew,
    calls: Calls,
    line: Line,
    /// When clients stop waiting for calls that could still be let go; it may still hold some that cannot.
    patience: BinaryHeap<Reverse<(Instant, u64, u32)>>,
    /// Calls that were dropped and not told of yet.
    dropped: VecDeque<Departure>,
    codel: Option<Codel>,
    shedding: Option<Shedding>,
    autoscale: Option<Autoscale>,
    pub(super) now: Instant,
    usage: Usage,
    pub(super) lanes: Option<Box<ServerLanes>>,
}

impl Station {
    /// The station at the start of a run, empty.
    pub fn new(config: &CapacityConfig) -> Self {
        let at_first = config.autoscale.map_or(UNLIMITED, |autoscale| autoscale.min.get_u32());
        let codel =
            if let Discipline::Codel(codel) = config.discipline { Some(Codel::new(codel)) } else { None };
        let servers = config.servers.map_or(at_first, Count::get_u32);
        let limited = config.servers.is_some() || config.autoscale.is_some();
        Self {
            places: config.queue.map_or(u64::MAX, Count::get),
            discipline: config.discipline,
            slowdown: billionths(config.slowdown.get()),
            abandoned: config.abandoned,
            number: servers,
            away: Away::NONE,
            servers,
            busy: 0,
            keeps: false,
            kept: BTreeMap::new(),
            crew: Crew::new(config.discipline == Discipline::ProcessorSharing),
            calls: Calls::default(),
            line: Line::new(config.priority.is_some()),
            patience: BinaryHeap::new(),
            dropped: VecDeque::new(),
            codel,
            shedding: config.shedding.as_ref().map(Shedding::new),
            autoscale: config.autoscale.map(Autoscale::new),
            now: Instant::START,
            usage: Usage { provided: limited.then_some(0), ..Usage::default() },
            lanes: None,
        }
    }

    /// A call arrives at `now`, at which nothing else is due any more.
    pub fn offer(&mut self, now: Instant, job: Job) -> Offer {
        self.advance(now);
        let order = self.usage.offered;
        self.usage.offered += 1;
        if self.shedding.is_some_and(|shedding| self.present() >= shedding.limit()) {
            self.usage.shed += 1;
            return Offer::Full;
        }
        let mut offer = Offer::Accepted;
        if !self.has_room() {
            let Some(retry) = self.line.last_retry().filter(|_| !job.retry) else {
                self.usage.turned_away += 1;
                return Offer::Full;
            };
            self.line.remove(&mut self.calls, retry);
            offer = Offer::PushedOut(self.let_go(retry, now).job.call);
            self.usage.pushed_out += 1;
        }
        let slot = self.calls.insert(job, order, now, self.present() + 1);
        if self.crew.is_shared() {
            self.begin(slot);
        } else {
            self.line.push(&mut self.calls, slot);
            self.fill();
        }
        self.usage.count_queue(self.waiting());
        if self.is_cancellable(slot, order) {
            self.patience.push(Reverse((job.gives_up.max(now), order, slot)));
        }
        self.forget();
        offer
    }

    /// When something happens inside next. An autoscaler never rests.
    pub fn next(&self) -> Option<Instant> {
        self.next_happening().map(|(at, _)| at)
    }

    /// Lets exactly that happen which is next; tells of the call that leaves, if one does.
    pub fn step(&mut self) -> Option<Departure> {
        let (at, happening) = self.next_happening()?;
        if happening == Happening::End {
            // In processor sharing a call may end within the nanosecond before; it lets time pass itself.
            self.account(at);
        } else {
            self.advance(at);
        }
        let departure = match happening {
            Happening::Drop => self.dropped.pop_front(),
            Happening::End => self.end(),
            Happening::ServersCome => {
                let more = self.autoscale.as_mut().map_or(0, Autoscale::take_arrived);
                self.staff(self.number.saturating_add(more), self.away);
                None
            }
            Happening::Leave => self.leave(),
            Happening::Judge => {
                let number = self.number;
                let number = self.autoscale.as_mut().map_or(number, |autoscale| autoscale.judge(number));
                self.staff(number, self.away);
                None
            }
        };
        self.fill();
        self.forget();
        departure
    }

    /// From `now` on so much of the servers is away, until something changes it again; their number is left alone. Calls in
    /// service on servers that go are finished; in processor sharing they get less.
    pub fn take_away(&mut self, now: Instant, away: Away) {
        if away != self.away {
            self.advance(now);
            self.staff(self.number, away);
            self.fill();
            self.forget();
        }
    }

    fn staff(&mut self, number: u32, away: Away) {
        (self.number, self.away, self.servers) = (number, away, away.left(number));
    }

    /// Servers that are there; [`u32::MAX`] if they are unlimited.
    pub const fn servers(&self) -> u32 {
        self.servers
    }

    /// Calls in the system: waiting, in service, or kept until others have answered.
    pub fn present(&self) -> u64 {
        self.calls.len() + self.kept.len() as u64
    }

    /// What was used up to `horizon`, up to which everything has happened.
    pub fn usage(&self, horizon: Instant) -> Usage {
        let mut end = self.clone();
        end.advance(horizon);
        for held in end.calls.iter() {
            end.usage.count_stay(held.arrived, held.began, horizon, end.crew.worked(held, horizon));
        }
        end.usage.left += end.present();
        end.usage
    }

    fn next_happening(&self) -> Option<(Instant, Happening)> {
        let autoscale = self.autoscale.as_ref();
        let happenings = [
            (self.dropped.front().map(|departure| departure.at), Happening::Drop),
            (self.next_end(), Happening::End),
            (autoscale.and_then(Autoscale::arrival), Happening::ServersCome),
            (self.patience.peek().map(|Reverse((at, _, _))| *at), Happening::Leave),
            (autoscale.map(Autoscale::tick), Happening::Judge),
        ];
        happenings.into_iter().filter_map(|(at, happening)| Some((at?, happening))).min()
    }

    fn next_end(&self) -> Option<Instant> {
        self.crew.next_end(self.servers)
    }

    /// Lets time pass in which nothing happens.
    pub(super) fn advance(&mut self, now: Instant) {
        self.account(now);
        if let Crew::Shared(sharing) = &mut self.crew {
            sharing.advance(now, self.servers);
        }
    }

    /// Counts what servers there were, and were busy, up to `now`.
    fn account(&mut self, now: Instant) {
        let time = now.since(self.now);
        if let Some(provided) = &mut self.usage.provided {
            *provided += u128::from(time.as_nanos()) * u128::from(self.servers);
        }
        if !self.crew.is_shared() {
            self.usage.busy += u128::from(time.as_nanos()) * self.kept.len() as u128;
        }
        self.note(now);
        let busy = self.at_work();
        if let Some(autoscale) = &mut self.autoscale {
            autoscale.observe(time, busy, self.servers);
        }
        self.now = self.now.max(now);
    }

    pub(super) fn waiting(&self) -> u64 {
        match &self.crew {
            Crew::Each(_) => self.line.len(),
            Crew::Shared(sharing) => sharing.len().saturating_sub(u64::from(self.servers)),
        }
    }

    /// True if a call that arrives gets a server or a place.
    fn has_room(&self) -> bool {
        let has_server = match &self.crew {
            Crew::Each(_) => self.busy < self.servers && self.line.len() == 0,
            Crew::Shared(sharing) => sharing.len() < u64::from(self.servers),
        };
        has_server || self.waiting() < self.places
    }

    /// Free servers take from the queue, once all has ended that ends now.
    pub(super) fn fill(&mut self) {
        while self.busy < self.servers && self.next_end().is_none_or(|end| end > self.now) {
            let Some(slot) = self.take() else { break };
            self.begin(slot);
        }
    }

    /// The call whose turn it is; those before it that are dropped leave.
    fn take(&mut self) -> Option<u32> {
        let mut search = Search::default();
        loop {
            let newest_first = match self.discipline {
                Discipline::Lifo => true,
                Discipline::AdaptiveLifo(lifo) => self.line.len() > lifo.above.get(),
                Discipline::Fifo | Discipline::ProcessorSharing | Discipline::Codel(_) => false,
            };
            let Some(slot) = self.line.first(newest_first) else {
                if let Some(codel) = &mut self.codel {
                    codel.found_empty(search);
                }
                return None;
            };
            self.line.remove(&mut self.calls, slot);
            let (now, behind) = (self.now, self.line.len());
            let waited = now.since(self.calls.get(slot).arrived);
            if !self.codel.as_mut().is_some_and(|codel| codel.drops(&mut search, now, waited, behind)) {
                return Some(slot);
            }
            let held = self.let_go(slot, now);
            self.usage.dropped += 1;
            self.dropped.push_back(Departure { call: held.job.call, at: now, fate: Fate::Dropped });
        }
    }

    fn begin(&mut self, slot: u32) {
        let held = self.calls.get_mut(slot);
        held.began = Some(self.now);
        match &mut self.crew {
            Crew::Shared(sharing) => {
                held.work = slowed(held.job.work, self.slowdown, sharing.len() + 1);
                held.attained = sharing.join(slot, held.order, held.work);
            }
            Crew::Each(ends) => {
                self.busy += 1;
                held.work = slowed(held.job.work, self.slowdown, u64::from(self.busy));
                let mut end = super::after(self.now, held.work);
                if self.abandoned == Abandoned::Cancelled && held.job.gives_up < end {
                    end = held.job.gives_up.max(self.now);
                    held.finishes = false;
                }
                ends.push(Reverse((end, held.order, slot)));
            }
        }
    }

    /// The next call in service ends.
    fn end(&mut self) -> Option<Departure> {
        let slot = match &mut self.crew {
            Crew::Each(ends) => {
                let slot = ends.pop()?.0.2;
                self.busy -= u32::from(!(self.keeps && self.calls.get(slot).finishes));
                slot
            }
            Crew::Shared(sharing) => sharing.end_next(self.servers)?,
        };
        let is_kept = self.keeps && self.calls.get(slot).finishes;
        Some(if is_kept { self.keep(slot) } else { self.depart(slot) })
    }

    /// The next client stops waiting for a call that can be let go.
    fn leave(&mut self) -> Option<Departure> {
        let Reverse((_, _, slot)) = self.patience.pop()?;
        self.calls.get_mut(slot).finishes = false;
        if let Crew::Shared(sharing) = &mut self.crew {
            sharing.quit();
        } else {
            self.line.remove(&mut self.calls, slot);
        }
        Some(self.depart(slot))
    }

    fn depart(&mut self, slot: u32) -> Departure {
        let at = self.now;
        let held = self.let_go(slot, at);
        self.count_out(&held, at);
        let fate = if held.finishes { Fate::Served } else { Fate::Cancelled };
        Departure { call: held.job.call, at, fate }
    }

    /// Counts a call that leaves, served or cancelled.
    pub(super) fn count_out(&mut self, held: &Held, at: Instant) {
        if held.finishes {
            self.usage.served += 1;
            if let Some(shedding) = &mut self.shedding {
                shedding.on_served(at.since(held.arrived), held.in_system);
            }
        } else {
            self.usage.cancelled += 1;
        }
    }

    /// A call waits and is worked on no more, and is in no queue already.
    pub(super) fn let_go(&mut self, slot: u32, at: Instant) -> Held {
        let held = self.calls.remove(slot);
        let worked = self.crew.worked(&held, at);
        self.usage.count_stay(held.arrived, held.began, at, worked);
        held
    }

    /// True if the call is let go when its client stops waiting, and that is not known to be its end already.
    fn is_cancellable(&self, slot: u32, order: u64) -> bool {
        let held = self.calls.get(slot);
        held.order == order
            && match self.abandoned {
                Abandoned::Served => false,
                Abandoned::CancelledInQueue => held.began.is_none(),
                Abandoned::Cancelled => held.began.is_none() || self.crew.is_shared(),
            }
    }

    /// Forgets what will not happen.
    pub(super) fn forget(&mut self) {
        while let Some(&Reverse((_, order, slot))) = self.patience.peek()
            && !self.is_cancellable(slot, order)
        {
            self.patience.pop();
        }
        if self.patience.len() as u64 > 2 * self.calls.len() + 64 {
            let mut patience = std::mem::take(&mut self.patience);
            patience.retain(|Reverse((_, order, slot))| self.is_cancellable(*slot, *order));
            self.patience = patience;
        }
        if let Crew::Shared(sharing) = &mut self.crew {
            sharing.forget(|slot, order| self.calls.holds(slot, order));
        }
    }
}
