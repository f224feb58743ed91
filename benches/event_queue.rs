//! The hold model: pop the earliest event, push one later, at a constant number of pending events. Reference: the
//! standard library's binary heap of tuples, in the same run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use retrysim::distribution::Distribution;
use retrysim::event_queue::EventQueue;
use retrysim::random::{Key, Purpose};
use retrysim::time::{Instant, Interval};

/// Delays to draw from, computed ahead so that the bench measures the queue.
fn delays(law: &Distribution) -> Vec<Interval> {
    let key = Key::derive(1, 0, Purpose::Trace, "bench");
    let sampler = law.sampler();
    (0..65_536).map(|entity| sampler.sample(key.block(entity, 0)[0])).collect()
}

fn hold(criterion: &mut Criterion) {
    let laws = [
        ("exponential", Distribution::Exponential { mean: Interval::from_secs(1) }),
        ("ties", Distribution::Constant(Interval::from_secs(1))),
    ];
    for (name, law) in laws {
        let delays = delays(&law);
        let mut group = criterion.benchmark_group(format!("hold/{name}"));
        for pending in [1_000u64, 100_000, 1_000_000] {
            group.bench_with_input(
                BenchmarkId::new("event_queue", pending),
                &pending,
                |bencher, &pending| {
                    let mut queue = EventQueue::new();
                    for rank in 0..pending {
                        queue.push(Instant::START + delays[rank as usize % delays.len()], rank, rank as u32);
                    }
                    let mut rank = pending;
                    bencher.iter(|| {
                        let (at, payload) = queue.pop().expect("the queue never empties");
                        queue.push(at + delays[rank as usize % delays.len()], rank, payload);
                        rank += 1;
                        black_box(payload)
                    });
                },
            );
            group.bench_with_input(BenchmarkId::new("std_heap", pending), &pending, |bencher, &pending| {
                let mut queue = BinaryHeap::new();
                for rank in 0..pending {
                    queue.push(Reverse((
                        Instant::START + delays[rank as usize % delays.len()],
                        rank,
                        rank as u32,
                    )));
                }
                let mut rank = pending;
                bencher.iter(|| {
                    let Reverse((at, _, payload)) = queue.pop().expect("the heap never empties");
                    queue.push(Reverse((at + delays[rank as usize % delays.len()], rank, payload)));
                    rank += 1;
                    black_box(payload)
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = hold
}
criterion_main!(benches);
