//! A thousand idle shards in one process: the memory of each and the processor time of all.
//!
//! `cargo xtask bench shards`. The simulator runs in a process of its own. Options: `--shards N`, `--seconds N`, and
//! `--docs`, which puts the table into `docs/benchmarks.md`.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shardkeep::Bot;
use shardkeep::config::Config;
use shardkeep_benches::child::Serving;
use shardkeep_benches::document::{self, table};
use shardkeep_benches::plot::number;
use shardkeep_benches::usage;
use shardkeep_core::wire::Compression;
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{DEFAULT_TOKEN, LedgerDetail, WorldConfig};

const COMPRESSIONS: [Compression; 3] = [
    Compression::None,
    Compression::ZlibStream,
    Compression::ZstdStream,
];

/// What makes glibc give freed memory back to the system: without it, resident memory remembers the burst of the start.
const GIVE_BACK: [(&str, &str); 2] = [
    ("MALLOC_TRIM_THRESHOLD_", "4096"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
];

/// Time for guilds to arrive and for buffers to be given back: heartbeats do that.
const SETTLE: Duration = Duration::from_secs(5);

struct Options {
    shards: u32,
    seconds: u64,
    docs: bool,
}

/// What one process of many shards came to.
#[derive(Debug, Serialize, Deserialize)]
struct Rest {
    shards: u32,
    /// From the start to the last READY.
    start_s: f64,
    /// Per shard, at the end of the rest.
    idle_kib: f64,
    /// Share of one core over the rest.
    cpu_percent: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match words[..] {
        ["sim", shards] => runtime.block_on(simulate(shards.parse()?)),
        ["bot", api, compression, shards, seconds] => runtime.block_on(rest(
            api,
            compression.parse()?,
            shards.parse()?,
            seconds.parse()?,
        )),
        _ => compare(&parse(&words)?),
    }
}

fn parse(words: &[&str]) -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        shards: 1_000,
        seconds: 60,
        docs: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a number"));
        match *word {
            "--shards" => options.shards = value()?.parse()?,
            "--seconds" => options.seconds = value()?.parse()?,
            "--docs" => options.docs = true,
            _ => {
                return Err(format!(
                    "there is no {word}; there are --shards N, --seconds N, --docs"
                )
                .into());
            }
        }
    }
    Ok(options)
}

/// Serves until the parent ends it. Two guilds a shard, and every identify at once.
async fn simulate(shards: u32) -> Result<(), Box<dyn Error>> {
    let world = WorldConfig {
        guilds: shards * 2,
        members_per_guild: 20,
        max_concurrency: shards,
        identify_total: 100_000,
        identify_remaining: 100_000,
        recommended_shards: shards,
        ledger: LedgerDetail::Counts,
        ..WorldConfig::default()
    };
    let server = Server::start(ServerConfig {
        world,
        ..ServerConfig::default()
    })
    .await?;
    writeln!(stdout(), "{}", server.api_base())?;
    std::future::pending::<()>().await;
    Ok(())
}

async fn rest(
    api: &str,
    compression: Compression,
    shards: u32,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    let config = Config::builder()
        .token(DEFAULT_TOKEN)
        .api_base(api)
        .set("shards", shards)
        .set_text("compress", compression.name())
        .build()?;
    let (before_kib, start) = (usage::rss_kib(), usage::wall_ns());
    let bot = Bot::new(config)?;
    // Whoever is at rest still takes events.
    let taker = tokio::spawn({
        let bot = bot.clone();
        async move { while bot.next_batch(512).await.is_some() {} }
    });
    bot.ready().await?;
    let ready = usage::wall_ns();
    tokio::time::sleep(SETTLE).await;
    let (cpu, wall) = (usage::cpu_ns(), usage::wall_ns());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (cpu_ns, wall_ns) = (usage::cpu_ns() - cpu, usage::wall_ns() - wall);
    let each = |kib: u64| f64_of(kib.saturating_sub(before_kib)) / f64::from(shards);
    let found = Rest {
        shards,
        start_s: f64_of(ready - start) / 1e9,
        idle_kib: each(usage::rss_kib()),
        cpu_percent: f64_of(cpu_ns) / f64_of(wall_ns) * 100.0,
    };
    writeln!(stdout(), "{}", serde_json::to_string(&found)?)?;
    taker.abort();
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
const fn f64_of(count: u64) -> f64 {
    count as f64
}

fn compare(options: &Options) -> Result<(), Box<dyn Error>> {
    let (shards, seconds) = (options.shards, options.seconds);
    let head = [
        "compression",
        "all ready after s",
        "KiB a shard at rest",
        "the same, freed memory given back",
        "CPU at rest, % of a core",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for compression in COMPRESSIONS {
        eprintln!("{compression}: {shards} shards, {seconds} s of rest");
        let found = one(compression, shards, seconds, &[])?;
        let given_back = one(compression, shards, 1, &GIVE_BACK)?;
        rows.push(vec![
            compression.to_string(),
            number(found.start_s),
            number(found.idle_kib),
            number(given_back.idle_kib),
            number(found.cpu_percent),
        ]);
    }
    let text = format!(
        "{shards} shards with two small guilds each; {seconds} s of rest, in which every shard beats once in \
         41 s.\n\n{}\n",
        table(&rows)
    );
    stdout().write_all(text.as_bytes())?;
    if options.docs {
        document::put("shards", &text)?;
    }
    Ok(())
}

/// A simulator and a bot of so many shards, each in a process of its own.
fn one(
    compression: Compression,
    shards: u32,
    seconds: u64,
    environment: &[(&str, &str)],
) -> Result<Rest, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let (shards, seconds) = (shards.to_string(), seconds.to_string());
    let (_sim, api) = Serving::start(Command::new(&program).args(["sim", &shards]))?;
    let output = Command::new(&program)
        .args(["bot", &api, compression.name(), &shards, &seconds])
        .envs(environment.iter().copied())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the bot ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
