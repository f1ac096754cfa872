//! Runs every client in turn, each in a process of its own, and tells what an event cost it.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use shardkeep_benches::child::Serving;
use shardkeep_benches::document::{self, table};
use shardkeep_benches::meter::Run;
use shardkeep_benches::plot::{self, Group, number};
use shardkeep_core::wire::Compression;

use super::Feed;

const COMPRESSIONS: [Compression; 3] = [
    Compression::None,
    Compression::ZlibStream,
    Compression::ZstdStream,
];

/// Who reads, in the order of the tables.
const CLIENTS: [(&str, &str); 5] = [
    ("raw", "reads the socket only"),
    ("shardkeep", "Shardkeep, raw batches"),
    ("text", "twilight, text only"),
    ("typed", "twilight, typed"),
    ("typed-simd", "twilight, typed, simd-json"),
];

/// What the words after `cargo xtask bench ingest` choose.
struct Options {
    events: u64,
    rounds: usize,
    /// Whether to write the tables and pictures of `docs`.
    docs: bool,
    /// Whether twilight is also built with simd-json.
    simd: bool,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            events: 200_000,
            rounds: 5,
            docs: false,
            simd: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a number"));
            match *word {
                "--events" => options.events = value()?.parse()?,
                "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
                "--docs" => options.docs = true,
                "--simd-json" => options.simd = true,
                _ => {
                    let known = "--events N, --rounds N, --simd-json, --docs";
                    return Err(format!("there is no {word}; there are {known}").into());
                }
            }
        }
        Ok(options)
    }
}

/// Every run of every client under one compression.
struct Outcome {
    compression: Compression,
    feed: Feed,
    runs: BTreeMap<&'static str, Vec<Run>>,
}

/// What a client's runs come to: medians.
#[derive(Clone, Copy)]
struct Typical {
    cpu_us: f64,
    kernel_percent: f64,
    events_per_s: f64,
    rss_peak_mib: f64,
    errors: u64,
}

pub(super) fn run(words: &[&str]) -> Result<(), Box<dyn Error>> {
    let options = Options::parse(words)?;
    let mut outcomes = Vec::new();
    for compression in COMPRESSIONS {
        outcomes.push(measure(compression, &options)?);
    }
    let (rows, ratios) = (table(&rows(&outcomes)), table(&ratio_rows(&outcomes)));
    let first = &outcomes[0].feed;
    let caption = format!(
        "{} events of {:.0} bytes on average before compression, one connection over loopback, medians of {} \
         interleaved runs.",
        first.events, first.mean_bytes, options.rounds
    );
    let text = format!("{caption}\n\n{rows}\n\n{ratios}\n");
    stdout().write_all(text.as_bytes())?;
    let folder = folder();
    std::fs::write(
        folder.join("ingest.json"),
        serde_json::to_vec_pretty(&report(&outcomes))?,
    )?;
    let svg = picture(&outcomes);
    std::fs::write(folder.join("ingest.svg"), &svg)?;
    if options.docs {
        document::put("ingest", &text)?;
        document::picture("ingest.svg", &svg)?;
    }
    Ok(writeln!(
        stdout(),
        "\n{}",
        folder.join("ingest.json").display()
    )?)
}

/// Where results go, beside this program.
fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
        .join("bench-results");
    // If it cannot be made, writing into it says why.
    let _exists = std::fs::create_dir_all(&folder);
    folder
}

fn measure(compression: Compression, options: &Options) -> Result<Outcome, Box<dyn Error>> {
    let twilight = build_twilight(compression, false)?;
    let simd = if options.simd {
        Some(build_twilight(compression, true)?)
    } else {
        None
    };
    let program = std::env::current_exe()?;
    eprintln!("{compression}: recording {} events", options.events);
    let (_feeder, line) = Serving::start(&mut child(
        &program,
        &["feeder", compression.name(), &options.events.to_string()],
    ))?;
    let feed: Feed = serde_json::from_str(&line)?;
    let url = format!("ws://{}", feed.address);
    let (skip, events) = (feed.ready_events.to_string(), feed.events.to_string());
    let mut runs: BTreeMap<&'static str, Vec<Run>> = BTreeMap::new();
    for round in 0..options.rounds {
        eprintln!("{compression}: round {}", round + 1);
        for (client, _) in CLIENTS {
            let twilight_words = |mode| [mode, url.as_str(), skip.as_str(), events.as_str()];
            let mut command = match (client, &simd) {
                ("raw", _) => child(&program, &["raw", &line]),
                ("shardkeep", _) => child(&program, &["shardkeep", compression.name(), &line]),
                ("text" | "typed", _) => child(&twilight, &twilight_words(client)),
                (_, Some(simd)) => child(simd, &twilight_words("typed")),
                _ => continue,
            };
            runs.entry(client).or_default().push(one(&mut command)?);
        }
    }
    Ok(Outcome {
        compression,
        feed,
        runs,
    })
}

fn child(program: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words);
    command
}

fn one(command: &mut Command) -> Result<Run, Box<dyn Error>> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// twilight chooses its compression when it is compiled: a program for each.
fn build_twilight(compression: Compression, simd: bool) -> Result<PathBuf, Box<dyn Error>> {
    const PACKAGE: &str = "shardkeep-benches-twilight";
    let mut features = match compression {
        Compression::ZlibStream => vec!["zlib"],
        Compression::ZstdStream => vec!["zstd"],
        _ => Vec::new(),
    };
    if simd {
        features.push("simd-json");
    }
    let program = std::env::current_exe()?;
    let release = program.parent().ok_or("this program lies nowhere")?;
    let target = release
        .parent()
        .ok_or("this program lies outside a target folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(document::root())
        .args([
            "build",
            "--release",
            "--quiet",
            "--package",
            PACKAGE,
            "--target-dir",
        ])
        .arg(target)
        .args(["--features", &features.join(",")])
        .status()?;
    if !status.success() {
        return Err("twilight-gateway could not be built".into());
    }
    let copy = folder().join(format!("twilight-{}", features.join("-")));
    std::fs::copy(release.join(PACKAGE), &copy)?;
    Ok(copy)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn typical(runs: &[Run]) -> Typical {
    let of = |value: fn(&Run) -> f64| median(runs.iter().map(value).collect());
    let total = |ticks: fn(&Run) -> u64| runs.iter().map(ticks).sum::<u64>() as f64;
    let (user, kernel) = (total(|run| run.user_ticks), total(|run| run.kernel_ticks));
    Typical {
        kernel_percent: kernel / (user + kernel).max(1.0) * 100.0,
        cpu_us: of(|run| run.cpu_ns as f64 / 1e3 / run.events as f64),
        events_per_s: of(|run| run.events as f64 * 1e9 / run.wall_ns as f64),
        rss_peak_mib: of(|run| run.rss_peak_kib as f64 / 1_024.0),
        errors: runs.iter().map(|run| run.errors).sum(),
    }
}

impl Outcome {
    fn typical(&self, client: &str) -> Option<Typical> {
        self.runs.get(client).map(|runs| typical(runs))
    }
}

fn texts<const N: usize>(row: [&str; N]) -> Vec<String> {
    row.map(str::to_owned).to_vec()
}

fn rows(outcomes: &[Outcome]) -> Vec<Vec<String>> {
    let mut rows = vec![texts([
        "compression, client",
        "CPU us/event",
        "in the kernel %",
        "events/s",
        "peak RSS MiB",
        "unreadable",
    ])];
    for outcome in outcomes {
        for (client, name) in CLIENTS {
            if let Some(found) = outcome.typical(client) {
                rows.push(vec![
                    format!("{}: {name}", outcome.compression),
                    number(found.cpu_us),
                    format!("{:.0}", found.kernel_percent),
                    format!("{:.0}", found.events_per_s),
                    number(found.rss_peak_mib),
                    found.errors.to_string(),
                ]);
            }
        }
    }
    rows
}

/// How many times Shardkeep's processor time each of the others takes.
fn ratio_rows(outcomes: &[Outcome]) -> Vec<Vec<String>> {
    let mut head = vec!["CPU, Shardkeep = 1".to_owned()];
    head.extend(
        outcomes
            .iter()
            .map(|outcome| outcome.compression.to_string()),
    );
    let mut rows = vec![head];
    for (client, name) in CLIENTS {
        let mut row = vec![name.to_owned()];
        for outcome in outcomes {
            let (ours, theirs) = (outcome.typical("shardkeep"), outcome.typical(client));
            row.extend(
                ours.zip(theirs)
                    .map(|(ours, theirs)| number(theirs.cpu_us / ours.cpu_us)),
            );
        }
        if row.len() > 1 {
            rows.push(row);
        }
    }
    rows
}

fn report(outcomes: &[Outcome]) -> serde_json::Value {
    let clients = |outcome: &Outcome| {
        let mut clients = serde_json::Map::new();
        for (client, _) in CLIENTS {
            if let Some(found) = outcome.typical(client) {
                let value = json!({
                    "cpu_us_per_event": found.cpu_us,
                    "kernel_percent": found.kernel_percent,
                    "events_per_s": found.events_per_s,
                    "rss_peak_mib": found.rss_peak_mib,
                    "errors": found.errors,
                    "runs": outcome.runs[client],
                });
                clients.insert(client.to_owned(), value);
            }
        }
        json!({ "compression": outcome.compression.name(), "feed": outcome.feed, "clients": clients })
    };
    outcomes.iter().map(clients).collect()
}

fn picture(outcomes: &[Outcome]) -> String {
    let group = |outcome: &Outcome| {
        let bar = |(client, name): (&str, &str)| {
            outcome
                .typical(client)
                .map(|found| (name.to_owned(), found.cpu_us))
        };
        Group {
            name: outcome.compression.to_string(),
            bars: CLIENTS.into_iter().filter_map(bar).collect(),
        }
    };
    let groups: Vec<Group> = outcomes.iter().map(group).collect();
    plot::bars(
        "Processor time for each event",
        "us, less is better",
        "Shardkeep",
        &groups,
    )
}
