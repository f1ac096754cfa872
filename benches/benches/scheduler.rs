//! In memory: what a request costs the REST scheduler, from being submitted to being delivered, by the queue's length.
//!
//! `cargo xtask bench scheduler`. `--docs` puts the table into `docs/benchmarks.md`, and its picture beside it. Time is
//! processor time: it does not count what others do with the machine, though they share its caches.

use std::error::Error;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use shardkeep_benches::document::{self, table};
use shardkeep_benches::plot::{self, Group, number};
use shardkeep_benches::traffic::{Load, Traffic};
use shardkeep_benches::usage::cpu_ns;

/// Requests waiting, and over how many channels.
const LENGTHS: [(usize, usize); 4] = [(100, 10), (1_000, 100), (10_000, 1_000), (100_000, 10_000)];

/// Global limits in requests a second, of a bot like most and of one of the largest.
const GLOBALS: [u32; 2] = [50, 1_200];

/// Passes of fewer requests say little of one.
const PASS_MIN: u64 = 500;

/// Microseconds for each request, the median of all passes.
fn measure(criterion: &mut Criterion, load: Load) -> f64 {
    let Load {
        queued,
        channels,
        global,
    } = load;
    let mut traffic = Traffic::new(load);
    let mut passes = Vec::new();
    let mut group = criterion.benchmark_group(format!("global {global}/s"));
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("{queued} over {channels}"), |bencher| {
        bencher.iter_custom(|requests| {
            let before = cpu_ns();
            traffic.run(usize::try_from(requests).unwrap_or(usize::MAX));
            let spent = cpu_ns() - before;
            if requests >= PASS_MIN {
                passes.push(spent / requests);
            }
            Duration::from_nanos(spent)
        });
    });
    group.finish();
    passes.sort_unstable();
    let median = passes.get(passes.len() / 2).copied().unwrap_or(0);
    Duration::from_nanos(median).as_secs_f64() * 1e6
}

fn main() -> Result<(), Box<dyn Error>> {
    let is_for_docs = std::env::args().any(|argument| argument == "--docs");
    let mut criterion = Criterion::default()
        .sample_size(30)
        .measurement_time(Duration::from_secs(4));
    if !is_for_docs {
        criterion = criterion.configure_from_args();
    }
    let mut groups = Vec::new();
    let mut rows = vec![vec![String::from("waiting, buckets")]];
    rows.extend(LENGTHS.map(|(queued, channels)| vec![format!("{queued} over {channels}")]));
    for global in GLOBALS {
        rows[0].push(format!("us/request, global limit {global}/s"));
        let mut bars = Vec::new();
        for (row, (queued, channels)) in (1..).zip(LENGTHS) {
            let load = Load {
                queued,
                channels,
                global,
            };
            let us = measure(&mut criterion, load);
            rows[row].push(number(us));
            bars.push((format!("{queued} waiting over {channels} buckets"), us));
        }
        groups.push(Group {
            name: format!("global limit {global}/s"),
            bars,
        });
    }
    criterion.final_summary();
    if is_for_docs {
        document::put("scheduler", &table(&rows))?;
        let title = "Processor time for each REST request in the scheduler";
        let svg = plot::bars(title, "us", "1", &groups);
        document::picture("scheduler.svg", &svg)?;
    }
    Ok(())
}
