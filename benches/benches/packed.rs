//! In memory: packed records. How small they are, and what packing, reading and rebuilding cost beside trees of
//! serde_json.
//!
//! `cargo xtask bench packed`. `--docs` puts the table into `docs/benchmarks.md`. Time is processor time: it does not
//! count what others do with the machine, though they share its caches.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use criterion::{Bencher, BenchmarkId, Criterion, Throughput};
use serde_json::Value;
use shardkeep_benches::document::{self, table};
use shardkeep_benches::plot::number;
use shardkeep_benches::texts::Texts;
use shardkeep_benches::usage::cpu_ns;
use shardkeep_core::cache::packed::{Plan, PlanId, Shapes};

/// Records of each kind.
const COUNT: usize = 1_000;

/// Passes that the table's medians are of.
const PASSES: usize = 41;

struct KindOf {
    name: &'static str,
    texts: Vec<String>,
    /// A member to read.
    key: &'static str,
}

impl KindOf {
    fn new(name: &'static str, key: &'static str, mut text: impl FnMut() -> String) -> Self {
        let texts = (0..COUNT).map(|_| text()).collect();
        Self { name, texts, key }
    }

    fn bytes(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }
}

fn kinds() -> Vec<KindOf> {
    let mut texts = Texts::new(7);
    vec![
        KindOf::new("user", "global_name", || texts.user()),
        KindOf::new("member, without its user", "roles", || texts.member(None)),
        KindOf::new("role", "color", || texts.role()),
        KindOf::new("channel", "permission_overwrites", || texts.channel()),
        KindOf::new("message", "content", || texts.message()),
        KindOf::new("presence", "status", || texts.presence()),
    ]
}

/// Records one behind the other, and where each ends.
#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Records {
    fn pack(&mut self, shapes: &mut Shapes, texts: &[String]) {
        self.bytes.clear();
        self.ends.clear();
        for text in texts {
            shapes
                .pack(PlanId::EVERYTHING, text.as_bytes(), &mut self.bytes)
                .expect("JSON");
            self.ends.push(self.bytes.len());
        }
    }

    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let record = &self.bytes[start..end];
            start = end;
            record
        })
    }
}

/// What a GUILD_CREATE brings: an array of members with their users in them, each packed as two records.
struct Guild {
    text: String,
    shapes: Shapes,
    plan: PlanId,
    members: Vec<u8>,
    users: Vec<u8>,
}

impl Guild {
    fn new() -> Self {
        let mut texts = Texts::new(9);
        let members: Vec<String> = (0..COUNT)
            .map(|_| {
                let user = texts.user();
                texts.member(Some(&user))
            })
            .collect();
        let mut shapes = Shapes::default();
        let plan = shapes
            .plan(&Plan::everything().refer("user"))
            .expect("a table with room");
        Self {
            text: format!("[{}]", members.join(",")),
            shapes,
            plan,
            members: Vec::new(),
            users: Vec::new(),
        }
    }

    fn pack(&mut self) {
        self.members.clear();
        self.users.clear();
        let text = self.text.as_bytes();
        let mut at = 0;
        while text[at] != b']' {
            let mut user = 0..0;
            at = self
                .shapes
                .pack_at(self.plan, text, at + 1, &mut self.members, &mut |left| {
                    user = left.span;
                })
                .expect("JSON");
            self.shapes
                .pack_at(
                    PlanId::EVERYTHING,
                    text,
                    user.start,
                    &mut self.users,
                    &mut |_| {},
                )
                .expect("JSON");
        }
    }
}

/// Nanoseconds that `pass` takes, the median of some.
fn median_ns(mut pass: impl FnMut()) -> f64 {
    let mut passes: Vec<u64> = (0..PASSES)
        .map(|_| {
            let before = cpu_ns();
            pass();
            cpu_ns() - before
        })
        .collect();
    passes.sort_unstable();
    Duration::from_nanos(passes[PASSES / 2]).as_secs_f64() * 1e9
}

/// Megabytes a second.
fn rate(bytes: usize, ns: f64) -> String {
    let bytes = u32::try_from(bytes).map_or(f64::NAN, f64::from);
    number(bytes * 1e3 / ns)
}

fn per_record(total: usize) -> String {
    (total / COUNT).to_string()
}

fn row(kind: &KindOf) -> Vec<String> {
    let mut shapes = Shapes::default();
    let mut records = Records::default();
    for _ in 0..3 {
        records.pack(&mut shapes, &kind.texts);
    }
    let pack = median_ns(|| records.pack(&mut shapes, &kind.texts));
    let trees: Vec<Value> = kind
        .texts
        .iter()
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .collect();
    let parse = median_ns(|| {
        for text in &kind.texts {
            black_box(serde_json::from_str::<Value>(text).expect("JSON"));
        }
    });
    let get = median_ns(|| {
        for record in records.each() {
            black_box(shapes.record(record).get(kind.key));
        }
    });
    let mut json = Vec::with_capacity(kind.bytes());
    let rebuild = median_ns(|| {
        json.clear();
        for record in records.each() {
            shapes
                .record(record)
                .write_json(&mut json)
                .expect("a record");
        }
    });
    assert_eq!(json.len(), kind.bytes());
    let print = median_ns(|| {
        json.clear();
        for tree in &trees {
            serde_json::to_writer(&mut json, tree).expect("memory");
        }
    });
    let count = u32::try_from(COUNT).map_or(f64::NAN, f64::from);
    vec![
        kind.name.to_owned(),
        per_record(kind.bytes()),
        per_record(records.bytes.len()),
        rate(kind.bytes(), pack),
        rate(kind.bytes(), parse),
        number(get / count),
        rate(kind.bytes(), rebuild),
        rate(kind.bytes(), print),
    ]
}

fn guild_row(guild: &mut Guild) -> Vec<String> {
    (0..3).for_each(|_| guild.pack());
    let pack = median_ns(|| guild.pack());
    let parse = median_ns(|| {
        black_box(serde_json::from_str::<Value>(&guild.text).expect("JSON"));
    });
    let mut row = vec![
        "members and users of a GUILD_CREATE, as two records each".to_owned(),
        per_record(guild.text.len()),
        per_record(guild.members.len() + guild.users.len()),
        rate(guild.text.len(), pack),
        rate(guild.text.len(), parse),
    ];
    row.resize(8, String::new());
    row
}

/// Has criterion measure processor time.
fn spent(bencher: &mut Bencher<'_>, mut pass: impl FnMut()) {
    bencher.iter_custom(|passes| {
        let before = cpu_ns();
        (0..passes).for_each(|_| pass());
        Duration::from_nanos(cpu_ns() - before)
    });
}

/// The same for criterion, which keeps what it measured and compares.
fn compare(criterion: &mut Criterion, kinds: &[KindOf], guild: &mut Guild) {
    let mut group = criterion.benchmark_group("pack");
    group.throughput(Throughput::Bytes(guild.text.len() as u64));
    group.bench_function("guild", |bencher| spent(bencher, || guild.pack()));
    for kind in kinds {
        let mut shapes = Shapes::default();
        let mut records = Records::default();
        group.throughput(Throughput::Bytes(kind.bytes() as u64));
        group.bench_function(BenchmarkId::from_parameter(kind.name), |bencher| {
            spent(bencher, || records.pack(&mut shapes, &kind.texts));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("get");
    for kind in kinds {
        let mut shapes = Shapes::default();
        let mut records = Records::default();
        (0..3).for_each(|_| records.pack(&mut shapes, &kind.texts));
        let all: Vec<&[u8]> = records.each().collect();
        let mut turn = 0;
        group.bench_function(BenchmarkId::from_parameter(kind.name), |bencher| {
            spent(bencher, || {
                turn = (turn + 1) % COUNT;
                black_box(shapes.record(all[turn]).get(kind.key));
            });
        });
    }
    group.finish();
}

fn main() -> Result<(), Box<dyn Error>> {
    let is_for_docs = std::env::args().any(|argument| argument == "--docs");
    let (kinds, mut guild) = (kinds(), Guild::new());
    let head = [
        "record",
        "bytes of JSON",
        "bytes packed",
        "packing, MB/s",
        "serde_json to tree, MB/s",
        "reading a member, ns",
        "rebuilding, MB/s",
        "serde_json from tree, MB/s",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.push(guild_row(&mut guild));
    rows.extend(kinds.iter().map(row));
    writeln!(std::io::stdout(), "{}", table(&rows))?;
    if is_for_docs {
        document::put("packed", &table(&rows))?;
        return Ok(());
    }
    let mut criterion = Criterion::default().configure_from_args();
    compare(&mut criterion, &kinds, &mut guild);
    criterion.final_summary();
    Ok(())
}
