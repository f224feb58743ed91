//! What an event that waits takes in memory, counted by the allocator: at the peak, from the first push to the end of a hold.

use peak_alloc::PeakAlloc;
use retrysim::event_queue::EventQueue;
use retrysim::random::{Key, Purpose, unit};
use retrysim::time::Instant;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most that an event may take, in bytes. It is 32 by itself: instant, rank, and a payload of sixteen bytes, as in a simulation.
const MOST: usize = 64;

/// Peak bytes per event with so many waiting.
fn bytes_per_event(pending: usize, delay: impl Fn(u64) -> u64) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let mut queue = EventQueue::<[u64; 2]>::new();
    for number in 0..pending as u64 {
        queue.push(Instant::from_nanos(delay(number)), number, [number; 2]);
    }
    for number in pending as u64..3 * pending as u64 {
        let (now, payload) = queue.pop().expect("as many wait as before");
        queue.push(Instant::from_nanos(now.as_nanos() + delay(number)), number, payload);
    }
    assert_eq!(queue.len(), pending);
    (MEMORY.peak_usage() - before) / pending
}

fn assert_at_most(pending: usize) {
    let luck = Key::derive(1, 0, Purpose::Trace, "memory");
    let exponential = |number| (-libm::log(1.0 - unit(luck.block(number, 0)[0])) * 1e9) as u64;
    let bimodal = |number| exponential(number) * if luck.block(number, 0)[1] >> 60 == 0 { 1000 } else { 1 };
    let found = [
        ("exponential", bytes_per_event(pending, exponential)),
        ("bimodal", bytes_per_event(pending, bimodal)),
        ("ties", bytes_per_event(pending, |_| 1_000_000_000)),
    ];
    for (law, bytes) in found {
        println!("{law}, {pending}: {bytes} bytes per event");
        assert!((32..=MOST).contains(&bytes), "{law}, {pending}: {bytes} bytes per event");
    }
}

// One test, as the allocator counts for all threads.
#[test]
fn an_event_takes_little_memory_however_many_wait() {
    for pending in [10_000, 100_000, 1_000_000] {
        assert_at_most(pending);
    }
}

#[test]
#[ignore = "takes a minute; alone, as the allocator counts for all threads"]
fn an_event_takes_little_memory_where_ten_million_wait() {
    assert_at_most(10_000_000);
}
