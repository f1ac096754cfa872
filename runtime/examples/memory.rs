//! What an idle shard takes: `cargo run --release -p shardkeep --example memory -- 1000`.
//!
//! Starts a simulated Discord in a process of its own, connects that many shards to it from this process, and prints
//! how much the process grew for each shard and how much CPU it uses at rest, for every compression; then what one
//! inflater holds after some messages.

use std::error::Error;
use std::io::{BufRead, BufReader, Write, stdout};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use shardkeep::config::Config;
use shardkeep::core::wire::{Buffer, Compression, Inflate};
use shardkeep::inflate::{WINDOW_LOG_MAX, for_compression};
use shardkeep::{Bot, Topic};
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{DEFAULT_TOKEN, LedgerDetail, WorldConfig};

/// How long the process is left alone before it is measured: longer than a heartbeat, with which sessions give back
/// what large messages took.
const SETTLE: Duration = Duration::from_secs(45);

/// How long CPU at rest is measured.
const REST: Duration = Duration::from_secs(20);

/// How many inflaters share the measurement of one: so many that memory that was freed before does not matter.
const CONTEXTS: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", shards] => serve(shards.parse()?),
        ["shards", shards, compression] => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let report = runtime.block_on(shards_at_rest(shards.parse()?, compression))?;
            Ok(writeln!(stdout(), "{report}")?)
        }
        ["contexts", compression] => Ok(writeln!(stdout(), "{}", contexts(compression.parse()?)?)?),
        [] => all("1000"),
        [shards] => all(shards),
        _ => Err("usage: memory [SHARDS]".into()),
    }
}

/// Every measurement, each in a process of its own: memory that one gave back would hide what the next one takes.
fn all(shards: &str) -> Result<(), Box<dyn Error>> {
    let mut runs = vec![
        ["contexts", "zlib-stream", ""],
        ["contexts", "zstd-stream", ""],
    ];
    runs.extend(
        ["none", "zlib-stream", "zstd-stream"].map(|compression| ["shards", shards, compression]),
    );
    for run in runs {
        let arguments = run.into_iter().filter(|argument| !argument.is_empty());
        let status = Command::new(std::env::current_exe()?)
            .args(arguments)
            .status()?;
        if !status.success() {
            return Err(format!("{run:?} failed").into());
        }
    }
    Ok(())
}

/// A simulated Discord in this process, until its standard input ends.
fn serve(shards: u32) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let world = WorldConfig {
        guilds: shards,
        members_per_guild: 10,
        max_concurrency: shards,
        identify_total: 100_000,
        identify_remaining: 100_000,
        recommended_shards: shards,
        ledger: LedgerDetail::Counts,
        ..WorldConfig::default()
    };
    runtime.block_on(async {
        let server = Server::start(ServerConfig {
            world,
            ..ServerConfig::default()
        })
        .await?;
        writeln!(stdout(), "{}", server.api_base())?;
        stdout().flush()?;
        std::future::pending().await
    })
}

/// Ends the simulated Discord with this process's interest in it.
struct Discord(Child);

impl Drop for Discord {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        if let Err(error) = ended {
            tracing::warn!(%error, "the simulated Discord is still there");
        }
    }
}

async fn shards_at_rest(shards: u32, compression: &str) -> Result<Value, Box<dyn Error>> {
    let mut child = Command::new(std::env::current_exe()?);
    let child = child
        .args(["serve", &shards.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut discord = Discord(child);
    let mut base = String::new();
    let output = discord
        .0
        .stdout
        .take()
        .ok_or("the simulated Discord has no output")?;
    BufReader::new(output).read_line(&mut base)?;

    let config = Config::builder()
        .token(DEFAULT_TOKEN)
        .api_base(base.trim())
        .set("compress", compression)
        .build()?;
    let before = rss_kib()?;
    let bot = Bot::builder(config).io_threads(1).build()?;
    let mut guilds = 0;
    let mut ready = false;
    while !ready || guilds < shards {
        let batch = bot.next_batch(usize::MAX).await.ok_or("the bot stopped")?;
        for entry in &batch {
            guilds += u32::from(entry.name == "GUILD_CREATE");
            ready |= entry.topic == Topic::Ready;
        }
    }
    tokio::time::sleep(SETTLE).await;
    let (after, cpu) = (rss_kib()?, cpu_s()?);
    tokio::time::sleep(REST).await;
    let cpu = cpu_s()? - cpu;
    let status = bot.status();
    bot.shutdown(false).await;
    let connections: u64 = status.shards.iter().map(|shard| shard.connections).sum();
    Ok(json!({
        "compress": compression,
        "shards": shards,
        "connections": connections,
        "kib_per_shard": f64::from(after.saturating_sub(before)) / f64::from(shards),
        "rss_mib": f64::from(after) / 1024.0,
        "cpu_at_rest_percent": cpu / REST.as_secs_f64() * 100.0,
    }))
}

/// What one inflater holds after 1, 200 and 1,000 messages of about 900 bytes.
fn contexts(compression: Compression) -> Result<Value, Box<dyn Error>> {
    let packed = packed(compression)?;
    let before = rss_kib()?;
    let mut contexts: Vec<_> = (0..CONTEXTS)
        .map(|_| for_compression(compression, WINDOW_LOG_MAX))
        .collect();
    let mut output = Buffer::new();
    let mut report = json!({ "inflater": compression.name() });
    let mut at = 0;
    for until in [1, 200, 1_000] {
        for context in &mut contexts {
            feed(context, &packed[at..until], &mut output)?;
        }
        at = until;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let kib = f64::from(rss_kib()?.saturating_sub(before)) / CONTEXTS as f64;
        report[format!("kib_after_{until}")] = json!(kib);
    }
    Ok(report)
}

fn feed(
    context: &mut Box<dyn Inflate>,
    packed: &[Vec<u8>],
    output: &mut Buffer,
) -> Result<(), Box<dyn Error>> {
    for message in packed {
        output.clear();
        context.inflate(message, output, 1 << 20)?;
    }
    Ok(())
}

/// Messages as one stream, flushed after each; zstd with Discord's window of 256 KiB.
fn packed(compression: Compression) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut rng = shardkeep::core::Rng::new(1);
    let mut message = move || -> Vec<u8> {
        let word = |_: usize| format!("{:x} ", rng.below(4_096));
        format!(
            "{{\"op\":0,\"content\":\"{}\"}}",
            (0..220).map(word).collect::<String>()
        )
        .into_bytes()
    };
    let messages: Vec<_> = (0..1_000).map(|_| message()).collect();
    let mut zlib = zlib_rs::Deflate::new(6, true, 15);
    let mut zstd = zstd_safe::CCtx::create();
    zstd.set_parameter(zstd_safe::CParameter::WindowLog(18))
        .map_err(zstd_safe::get_error_name)?;
    let mut one = |plain: &Vec<u8>| -> Result<Vec<u8>, Box<dyn Error>> {
        let mut room = vec![0; plain.len() * 2 + 1_024];
        let len = if compression == Compression::ZlibStream {
            let before = zlib.total_out();
            zlib.compress(plain, &mut room, zlib_rs::DeflateFlush::SyncFlush)
                .map_err(|error| format!("{error:?}"))?;
            usize::try_from(zlib.total_out() - before)?
        } else {
            let mut out = zstd_safe::OutBuffer::around(&mut room[..]);
            let mut input = zstd_safe::InBuffer::around(plain);
            zstd.compress_stream(&mut out, &mut input)
                .map_err(zstd_safe::get_error_name)?;
            zstd.flush_stream(&mut out)
                .map_err(zstd_safe::get_error_name)?;
            out.pos()
        };
        room.truncate(len);
        Ok(room)
    };
    messages.iter().map(&mut one).collect()
}

/// Resident memory of this process in KiB.
fn rss_kib() -> Result<u32, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("/proc/self/status has no VmRSS")?.parse()?)
}

/// CPU time of this process in seconds.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    // Fields 14 and 15, in ticks of 10 ms; the name before them may hold anything but ends in a parenthesis.
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat
        .rsplit(')')
        .next()
        .ok_or("/proc/self/stat is malformed")?;
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}
