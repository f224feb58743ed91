//! The quick start: one replication of each of its arms, and the writing of its files.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use retrysim::experiment::{self, Options};
use retrysim::report;
use retrysim::scenario::Scenario;
use retrysim::simulation::Simulation;

fn quick_start(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/jitter-vs-fixed.toml");
    let scenario = Scenario::load(&path, &[]).expect("the quick start is sound");
    let mut group = criterion.benchmark_group("quick_start");
    for (index, arm) in scenario.arms.iter().enumerate() {
        let attempts: u64 =
            Simulation::new(&scenario, index, 0, 0).run().workloads.iter().map(|tally| tally.attempts).sum();
        group.throughput(Throughput::Elements(attempts));
        group.bench_function(format!("replication/{}", arm.name), |bencher| {
            bencher.iter(|| black_box(Simulation::new(&scenario, index, 0, 0).run()));
        });
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("all arms and replications", |bencher| {
        bencher.iter(|| black_box(experiment::run(&scenario, Options::default(), &|| ())));
    });
    let results = experiment::run(&scenario, Options::default(), &|| ());
    group.bench_function("files", |bencher| {
        bencher.iter(|| black_box(report::files(&scenario, &results, false)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = quick_start
}
criterion_main!(benches);
