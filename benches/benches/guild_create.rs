//! In memory: GUILD_CREATE taken in by core's cache, beside serde_json that makes trees of the same bytes.
//!
//! `cargo xtask bench guild_create`. `--docs` puts the table into `docs/benchmarks.md`. Time is processor time: it does
//! not count what others do with the machine, though they share its caches.

use std::error::Error;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use criterion::{Bencher, Criterion, Throughput};
use serde_json::Value;
use shardkeep_benches::document::{self, table};
use shardkeep_benches::plot::number;
use shardkeep_benches::usage::cpu_ns;
use shardkeep_core::cache::{Cache, Config, Input, Version};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Machine as _};
use shardkeep_sim::WholeGuilds;

/// Guilds in one pass.
const GUILDS: usize = 8;

/// Members that each of them is to have, about.
const MEMBERS: u32 = 1_000;

/// Passes that the table's medians are of.
const PASSES: usize = 21;

/// More than all of them take.
const BUDGET: usize = 64 << 20;

/// GUILD_CREATEs of different guilds of the same size.
struct Payloads {
    name: &'static str,
    texts: Vec<Vec<u8>>,
    members: u32,
}

impl Payloads {
    fn new(name: &'static str, presences: bool) -> Self {
        let guilds = WholeGuilds::new(7, 2_000, MEMBERS);
        let mut nearest: Vec<u32> = (0..2_000).collect();
        nearest.sort_by_key(|&index| guilds.member_count(index).abs_diff(MEMBERS));
        nearest.truncate(GUILDS);
        let texts = nearest.iter().map(|&index| guilds.create(index, presences));
        Self {
            name,
            texts: texts.collect(),
            members: nearest
                .iter()
                .map(|&index| guilds.member_count(index))
                .sum(),
        }
    }

    fn bytes(&self) -> usize {
        self.texts.iter().map(Vec::len).sum()
    }
}

/// A cache, and how many dispatches it has had.
struct Taker {
    cache: Cache,
    sequence: u64,
}

impl Taker {
    fn new() -> Self {
        Self {
            cache: Cache::new(Config::new(BUDGET, 7)),
            sequence: 0,
        }
    }

    fn take(&mut self, payloads: &Payloads) {
        for d in &payloads.texts {
            self.sequence += 1;
            let input = Input::Dispatch {
                event: EventKind::GuildCreate,
                d,
                version: Version::new(1, self.sequence),
                wall_ms: self.sequence,
            };
            let taken = self.cache.handle_input(Instant::ZERO, input);
            taken.expect("a dispatch is no misuse");
            while let Some(output) = self.cache.poll_output() {
                black_box(output);
            }
        }
    }

    fn check(&self) {
        let stats = self.cache.stats();
        assert_eq!((stats.malformed, stats.deferred), (0, 0));
    }
}

/// Processor time of one pass into an empty cache.
fn into_empty(payloads: &Payloads) -> u64 {
    let mut taker = Taker::new();
    let before = cpu_ns();
    taker.take(payloads);
    let spent = cpu_ns() - before;
    taker.check();
    spent
}

fn median(mut pass: impl FnMut() -> u64) -> u64 {
    let mut passes: Vec<u64> = (0..PASSES).map(|_| pass()).collect();
    passes.sort_unstable();
    passes[PASSES / 2]
}

fn spent(pass: impl FnOnce()) -> u64 {
    let before = cpu_ns();
    pass();
    cpu_ns() - before
}

fn trees(payloads: &Payloads) {
    for d in &payloads.texts {
        black_box(serde_json::from_slice::<Value>(d).expect("JSON"));
    }
}

fn f64_of(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

fn row(payloads: &Payloads) -> Vec<String> {
    let bytes = f64_of(payloads.bytes() as u64);
    let rate = |ns: u64| number(bytes * 1e3 / f64_of(ns));
    let mut taker = Taker::new();
    taker.take(payloads);
    let again = median(|| spent(|| taker.take(payloads)));
    taker.check();
    vec![
        payloads.name.to_owned(),
        (payloads.members as usize / GUILDS).to_string(),
        number(bytes / f64_of(GUILDS as u64) / 1e6),
        rate(median(|| into_empty(payloads))),
        rate(again),
        rate(median(|| spent(|| trees(payloads)))),
    ]
}

fn compare(criterion: &mut Criterion, all: &[Payloads]) {
    for payloads in all {
        let mut group = criterion.benchmark_group(payloads.name);
        group.throughput(Throughput::Bytes(payloads.bytes() as u64));
        let measure = |bencher: &mut Bencher<'_>, pass: &mut dyn FnMut() -> u64| {
            bencher.iter_custom(|passes| Duration::from_nanos((0..passes).map(|_| pass()).sum()));
        };
        group.bench_function("into an empty cache", |bencher| {
            measure(bencher, &mut || into_empty(payloads));
        });
        let mut taker = Taker::new();
        taker.take(payloads);
        group.bench_function("into a cache that knows it", |bencher| {
            measure(bencher, &mut || spent(|| taker.take(payloads)));
        });
        group.bench_function("serde_json to tree", |bencher| {
            measure(bencher, &mut || spent(|| trees(payloads)));
        });
        group.finish();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let is_for_docs = std::env::args().any(|argument| argument == "--docs");
    let all = [
        Payloads::new("members, no presences", false),
        Payloads::new("members and presences", true),
    ];
    let head = [
        "GUILD_CREATE with",
        "members",
        "MB of JSON",
        "into an empty cache, MB/s",
        "into a cache that knows the guild, MB/s",
        "serde_json to tree, MB/s",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(row));
    writeln!(std::io::stdout(), "{}", table(&rows))?;
    if is_for_docs {
        document::put("guild_create", &table(&rows))?;
        return Ok(());
    }
    let mut criterion = Criterion::default().configure_from_args();
    compare(&mut criterion, &all);
    criterion.final_summary();
    Ok(())
}
