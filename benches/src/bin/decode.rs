//! In memory: time and instructions for each message, from WebSocket messages to raw dispatches and for the parts
//! alone.
//!
//! `cargo xtask bench decode`. Instructions are counted by valgrind where there is one: they do not move with the
//! machine's mood. `--docs` puts the table into `docs/benchmarks.md`.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};

use shardkeep_benches::consume::{Alone, Backend, Ready, scan_all, serde_all};
use shardkeep_benches::document::{self, table};
use shardkeep_benches::plot::{self, Group, number};
use shardkeep_benches::recording::Recording;
use shardkeep_benches::usage;
use shardkeep_core::wire::Compression;

/// Messages in one pass.
const MESSAGES: usize = 4_000;
/// Passes over which a median is taken; the ways take turns.
const ROUNDS: usize = 31;
/// Messages under valgrind, which is fifty times slower.
const COUNTED: usize = 2_000;

/// Stream and backend.
const STREAMS: [(&str, Compression, Backend); 4] = [
    ("none", Compression::None, Backend::Runtime),
    ("zlib, zlib-rs", Compression::ZlibStream, Backend::Runtime),
    (
        "zlib, miniz_oxide (core alone)",
        Compression::ZlibStream,
        Backend::Core,
    ),
    ("zstd, zstd-safe", Compression::ZstdStream, Backend::Runtime),
];

/// A way to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// Inflating and nothing else: the limit.
    Inflate,
    /// The envelope scan and nothing else.
    Scan,
    /// A typed envelope by serde_json, for reference.
    Serde,
    /// The whole session.
    Session,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Inflate => "inflate alone",
            Self::Scan => "envelope scan alone",
            Self::Serde => "envelope by serde_json",
            Self::Session => "session",
        }
    }

    fn all(compression: Compression) -> &'static [Self] {
        match compression {
            Compression::None => &[Self::Scan, Self::Serde, Self::Session],
            _ => &[Self::Inflate, Self::Session],
        }
    }
}

/// A way that has seen the beginning of its recording.
enum Reader {
    Inflate(Box<Alone>),
    Scan,
    Serde,
    Session(Box<Ready>),
}

impl Reader {
    fn new(way: Way, recording: &Recording, backend: Backend) -> Self {
        match way {
            Way::Inflate => Self::Inflate(Box::new(Alone::new(recording, backend))),
            Way::Scan => Self::Scan,
            Way::Serde => Self::Serde,
            Way::Session => Self::Session(Box::new(Ready::new(recording, backend))),
        }
    }
}

/// What is timed, and what valgrind counts: it knows the function by its name.
#[inline(never)]
fn measured(reader: &mut Reader, recording: &Recording) {
    let events = &recording.events;
    match reader {
        Reader::Inflate(alone) => drop(black_box(alone.play(events))),
        Reader::Scan => drop(black_box(scan_all(events))),
        Reader::Serde => drop(black_box(serde_all(events))),
        Reader::Session(ready) => drop(black_box(ready.play(events))),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pass", stream, way] => pass(stream.parse()?, way.parse()?),
        [] => report(false),
        ["--docs"] => report(true),
        _ => Err("there is only --docs".into()),
    }
}

/// One pass, for valgrind to watch.
fn pass(stream: usize, way: usize) -> Result<(), Box<dyn Error>> {
    let (_, compression, backend) = STREAMS.get(stream).ok_or("no such stream")?;
    let way = Way::all(*compression).get(way).ok_or("no such way")?;
    let recording = Recording::new(*compression, COUNTED);
    measured(&mut Reader::new(*way, &recording, *backend), &recording);
    Ok(())
}

/// Instructions for each message; none where valgrind is missing.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn instructions(stream: usize, way: usize) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let out = std::env::temp_dir().join(format!("decode-{}.callgrind", std::process::id()));
    let status = Command::new("valgrind")
        .args([
            "--quiet",
            "--tool=callgrind",
            "--toggle-collect=decode::measured*",
        ])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["pass", &stream.to_string(), &way.to_string()])
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let text = std::fs::read_to_string(&out)
        .ok()
        .filter(|_| status.success())?;
    std::fs::remove_file(&out).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    Some(line.trim().parse::<u64>().ok()? as f64 / COUNTED as f64)
}

/// Median nanoseconds of processor time for each message, by way.
#[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
fn times(recording: &Recording, backend: Backend, ways: &[Way]) -> BTreeMap<Way, f64> {
    let mut passes: BTreeMap<Way, Vec<f64>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for &way in ways {
            let mut reader = Reader::new(way, recording, backend);
            let start = usage::cpu_ns();
            measured(&mut reader, recording);
            let taken = (usage::cpu_ns() - start) as f64 / recording.events.len() as f64;
            passes.entry(way).or_default().push(taken);
        }
    }
    let median = |mut passes: Vec<f64>| {
        passes.sort_by(f64::total_cmp);
        passes[passes.len() / 2]
    };
    passes
        .into_iter()
        .map(|(way, passes)| (way, median(passes)))
        .collect()
}

fn report(docs: bool) -> Result<(), Box<dyn Error>> {
    let head = [
        "stream, way",
        "ns/message",
        "of inflate alone",
        "instructions/message",
        "of inflate alone",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut groups = Vec::new();
    let mut mean_bytes = 0.0;
    for (stream, (name, compression, backend)) in STREAMS.into_iter().enumerate() {
        eprintln!("{name}");
        let recording = Recording::new(compression, MESSAGES);
        if compression == Compression::None {
            mean_bytes = recording.events.mean_bytes();
        }
        let ways = Way::all(compression);
        let times = times(&recording, backend, ways);
        let counts: Vec<Option<f64>> = (0..ways.len())
            .map(|way| instructions(stream, way))
            .collect();
        let limit = times.get(&Way::Inflate).copied();
        let limit_count = limit.and(counts[0]);
        let share = |value: Option<f64>, limit: Option<f64>| {
            value
                .zip(limit)
                .map_or_else(String::new, |(value, limit)| number(value / limit))
        };
        for (way, &count) in ways.iter().zip(&counts) {
            let time = times[way];
            rows.push(vec![
                format!("{name}: {}", way.name()),
                format!("{time:.0}"),
                share(Some(time), limit),
                count.map_or_else(|| "no valgrind".to_owned(), |count| format!("{count:.0}")),
                share(count, limit_count),
            ]);
        }
        let bar = |(way, time): (&Way, &f64)| (way.name().to_owned(), *time);
        groups.push(Group {
            name: name.to_owned(),
            bars: times.iter().map(bar).collect(),
        });
    }
    let text = format!(
        "{MESSAGES} messages of {mean_bytes:.0} bytes on average before compression, medians of {ROUNDS} \
         interleaved passes.\n\n{}\n",
        table(&rows)
    );
    std::io::stdout().write_all(text.as_bytes())?;
    if docs {
        document::put("memory", &text)?;
        let title = "Processor time for each message, in memory";
        let svg = plot::bars(title, "ns, less is better", "session", &groups);
        document::picture("memory.svg", &svg)?;
    }
    Ok(())
}
