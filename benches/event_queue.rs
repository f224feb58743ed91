//! The hold model: pop the earliest event, push one later, at a constant number of pending events; by the law of the delays and
//! the number of events. Reference: the standard library's binary heap of tuples. Both are run in turn, and the fastest round of
//! each counts. Prints a table, and the ratios that matter: to the heap, to exponential delays, of a million events to a thousand,
//! and bytes per event.

mod ratio;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use peak_alloc::PeakAlloc;
use ratio::{Ratios, is_whole, rounds, timed};
use retrysim::event_queue::EventQueue;
use retrysim::random::{Key, Purpose, unit};
use retrysim::time::Instant;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SIZES: [(usize, &str); 6] = [
    (100, "1e2"),
    (1_000, "1e3"),
    (10_000, "1e4"),
    (100_000, "1e5"),
    (1_000_000, "1e6"),
    (10_000_000, "1e7"),
];
const LAWS: [&str; 5] = ["exponential", "bimodal", "fixed", "ties", "shuffled"];

/// What both queues can do.
trait Queue: Default {
    fn schedule(&mut self, at: u64, rank: u64, payload: u32);
    fn next(&mut self) -> (u64, u32);
}

impl Queue for EventQueue<u32> {
    fn schedule(&mut self, at: u64, rank: u64, payload: u32) {
        self.push(Instant::from_nanos(at), rank, payload);
    }
    fn next(&mut self) -> (u64, u32) {
        let (at, payload) = self.pop().expect("the queue never empties");
        (at.as_nanos(), payload)
    }
}

impl Queue for BinaryHeap<Reverse<(u64, u64, u32)>> {
    fn schedule(&mut self, at: u64, rank: u64, payload: u32) {
        self.push(Reverse((at, rank, payload)));
    }
    fn next(&mut self) -> (u64, u32) {
        let Reverse((at, _, payload)) = self.pop().expect("the heap never empties");
        (at, payload)
    }
}

/// Delays and ranks, drawn ahead so that the bench measures the queue: as many as a table in the cache holds.
struct Law {
    delays: Vec<u64>,
    /// Where events begin, if not all at zero.
    spread: bool,
    /// What ranks are multiplied by: 1 leaves them in the order of pushes.
    shuffle: u64,
}

impl Law {
    fn new(name: &str) -> Self {
        let luck = Key::derive(1, 0, Purpose::Trace, "bench");
        let delay = |number| {
            let [how_long, which] = luck.block(number, 0);
            let exponential = -libm::log(1.0 - unit(how_long)) * 1e9;
            match name {
                "exponential" => exponential as u64,
                "bimodal" if unit(which) < 0.9 => (exponential / 100.0) as u64,
                "bimodal" => (exponential * 10.0) as u64,
                _ => 1_000_000_000,
            }
        };
        let shuffle = if name == "shuffled" { 0x9e37_79b9_7f4a_7c15 } else { 1 };
        Self { delays: (0..65_536).map(delay).collect(), spread: name == "fixed", shuffle }
    }
}

/// A queue in the hold model.
struct Hold<'a, Q> {
    law: &'a Law,
    queue: Q,
    pushed: u64,
    /// Depends on the order in which events came out.
    digest: u64,
}

impl<'a, Q: Queue> Hold<'a, Q> {
    fn new(law: &'a Law, pending: usize) -> Self {
        let mut hold = Self { law, queue: Q::default(), pushed: 0, digest: 0 };
        for number in 0..pending as u64 {
            let since =
                if law.spread { number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000 } else { 0 };
            hold.push(since, number as u32);
        }
        hold
    }

    fn push(&mut self, now: u64, payload: u32) {
        let delay = self.law.delays[self.pushed as usize % self.law.delays.len()];
        self.queue.schedule(now + delay, self.pushed.wrapping_mul(self.law.shuffle), payload);
        self.pushed += 1;
    }

    /// Nanoseconds per hold.
    fn time(&mut self, holds: usize) -> f64 {
        let ((), seconds) = timed(|| {
            for _ in 0..holds {
                let (now, payload) = black_box(self.queue.next());
                self.digest = self.digest.rotate_left(5) ^ now ^ u64::from(payload);
                self.push(now, payload);
            }
        });
        seconds * 1e9 / holds as f64
    }
}

/// Nanoseconds per hold of the event queue and of the standard heap.
fn measure(law: &Law, pending: usize, holds: usize, rounds: u32) -> [f64; 2] {
    let mut ours = Hold::<EventQueue<u32>>::new(law, pending);
    let mut theirs = Hold::<BinaryHeap<_>>::new(law, pending);
    let mut fastest = [f64::INFINITY; 2];
    for _ in 0..rounds {
        fastest[0] = fastest[0].min(ours.time(holds));
        fastest[1] = fastest[1].min(theirs.time(holds));
        assert_eq!(ours.digest, theirs.digest, "the same order");
    }
    fastest
}

/// Bytes per event at the peak of filling and a hold of each.
fn bytes(law: &Law, pending: usize) -> f64 {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    Hold::<EventQueue<u32>>::new(law, pending).time(pending);
    (MEMORY.peak_usage() - before) as f64 / pending as f64
}

fn main() {
    let whole = is_whole();
    let sizes = if whole { &SIZES[..] } else { &SIZES[..2] };
    println!("{:<24}{:>12}{:>12}{:>8}", "ns per hold", "event queue", "std heap", "ratio");
    let mut ratios = Ratios::default();
    let mut exponential = Vec::new();
    for name in LAWS {
        let law = Law::new(name);
        let mut ours = Vec::new();
        for &(pending, size) in sizes {
            let holds = if whole { pending.clamp(200_000, 2_000_000) } else { 2_000 };
            let [queue, heap] =
                measure(&law, pending, holds, rounds(if pending > 1_000_000 { 3 } else { 7 }));
            println!("{:<24}{queue:>12.1}{heap:>12.1}{:>8.2}", format!("{name}, {size}"), queue / heap);
            ours.push(queue);
            if whole {
                ratios.timed(format!("queue/to-heap/{name}/{size}"), queue / heap);
            }
            if let Some(&other) = exponential.get(ours.len() - 1)
                && whole
            {
                ratios.timed(format!("queue/to-exponential/{name}/{size}"), queue / other);
            }
        }
        if let (Some(thousand), Some(million)) = (ours.get(1), ours.get(4)) {
            ratios.timed(format!("queue/growth/{name}"), million / thousand);
        }
        for &(pending, size) in &SIZES[2..if whole { 6 } else { 4 }] {
            let each = bytes(&law, pending);
            if pending > 100_000 {
                println!("{name}, {size}: {each:.1} bytes per event");
            } else {
                ratios.counted(format!("queue/bytes/{name}/{size}"), each);
            }
        }
        if name == "exponential" {
            exponential = ours;
        }
    }
    ratios.print();
}
