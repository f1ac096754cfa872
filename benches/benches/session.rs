//! In memory: from WebSocket messages to raw dispatches, beside inflating alone on the same bytes.

use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use shardkeep_benches::consume::{Alone, Backend, Ready, scan_all, serde_all};
use shardkeep_benches::recording::Recording;
use shardkeep_core::wire::Compression;

/// Messages per measured pass. Reported times are per pass; `thrpt` is messages per second.
const MESSAGES: usize = 2_000;

fn through(
    group: &mut BenchmarkGroup<'_, WallTime>,
    recording: &Recording,
    backend: Backend,
    inflates: bool,
) {
    let events = &recording.events;
    group.bench_function("session", |bencher| {
        bencher.iter_batched(
            || Ready::new(recording, backend),
            |mut ready| {
                assert_eq!(ready.play(events), MESSAGES);
                ready
            },
            BatchSize::LargeInput,
        );
    });
    if inflates {
        group.bench_function("inflate alone", |bencher| {
            bencher.iter_batched(
                || Alone::new(recording, backend),
                |mut alone| {
                    alone.play(events);
                    alone
                },
                BatchSize::LargeInput,
            );
        });
    }
}

fn session(criterion: &mut Criterion) {
    let plain = Recording::new(Compression::None, MESSAGES);
    let elements = Throughput::Elements(MESSAGES as u64);

    let mut group = criterion.benchmark_group("none");
    group.throughput(elements.clone());
    through(&mut group, &plain, Backend::Runtime, false);
    group.bench_function("envelope scan alone", |b| {
        b.iter(|| scan_all(&plain.events))
    });
    group.bench_function("envelope by serde_json", |b| {
        b.iter(|| serde_all(&plain.events))
    });
    group.finish();

    for (name, compression, backend) in [
        ("zlib, core", Compression::ZlibStream, Backend::Core),
        ("zlib, runtime", Compression::ZlibStream, Backend::Runtime),
        ("zstd, runtime", Compression::ZstdStream, Backend::Runtime),
    ] {
        let recording = Recording::new(compression, MESSAGES);
        let mut group = criterion.benchmark_group(name);
        group.throughput(elements.clone());
        through(&mut group, &recording, backend, true);
        group.finish();
    }
}

criterion_group!(benches, session);
criterion_main!(benches);
