//! In memory: what a hit costs in the hot set, beside quick_cache and moka that hold the same values.
//!
//! `cargo xtask bench hot_set_hit`. The program `hot_set` measures the same in turns, for the documents.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shardkeep_benches::holders::{BURST, SIZES, everybody, keys, order};
use shardkeep_core::Rng;

fn hits(criterion: &mut Criterion) {
    for size in SIZES {
        let keys = keys(size);
        let asked = order(&keys, &mut Rng::new(7));
        let mut group = criterion.benchmark_group(format!("a hit among {size}"));
        group.throughput(Throughput::Elements(BURST as u64));
        for (name, mut ask) in everybody(&keys) {
            group.bench_function(name, |bencher| bencher.iter(|| ask(&asked)));
        }
        group.finish();
    }
}

criterion_group!(benches, hits);
criterion_main!(benches);
