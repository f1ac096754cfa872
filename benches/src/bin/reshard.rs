//! What a change of shards costs while events flow: memory beside what the bot held before, identifies beside the plan.
//!
//! `cargo xtask bench reshard`. The simulator runs in a process of its own. Options: `--from N`, `--to N`,
//! `--guilds N`, and `--docs`, which puts the table into `docs/benchmarks.md`.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use shardkeep::bot::ReshardReport;
use shardkeep::config::Config;
use shardkeep::{Bot, Resharding};
use shardkeep_benches::child::Serving;
use shardkeep_benches::document::{self, table};
use shardkeep_benches::plot::number;
use shardkeep_benches::usage;
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{DEFAULT_TOKEN, LedgerDetail, WorldConfig};

/// Events a second over all guilds.
const RATE: u32 = 500;

/// As Discord gives large bots: of a split's two new shards, both have the key of the old one.
const CONCURRENCY: u32 = 16;

/// Time for guilds to arrive and buffers to be given back before memory is looked at.
const SETTLE: Duration = Duration::from_secs(8);

const SAMPLE: Duration = Duration::from_millis(50);

struct Options {
    from: u32,
    to: u32,
    guilds: u32,
    docs: bool,
}

/// What one change came to.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    steady_kib: u64,
    peak_kib: u64,
    after_kib: u64,
    planned: u32,
    identifies: u64,
    seconds: f64,
    steps: usize,
    handed_on: u64,
    suppressed: u64,
    possibly_lost: u64,
    possibly_duplicated: u64,
    outcome: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match words[..] {
        ["sim", guilds] => runtime.block_on(simulate(guilds.parse()?)),
        ["bot", api, from, to] => runtime.block_on(change(api, from.parse()?, to.parse()?)),
        _ => compare(&parse(&words)?),
    }
}

fn parse(words: &[&str]) -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        from: 16,
        to: 32,
        guilds: 2_000,
        docs: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a number"));
        match *word {
            "--from" => options.from = value()?.parse()?,
            "--to" => options.to = value()?.parse()?,
            "--guilds" => options.guilds = value()?.parse()?,
            "--docs" => options.docs = true,
            _ => {
                let known = "--from N, --to N, --guilds N, --docs";
                return Err(format!("there is no {word}; there are {known}").into());
            }
        }
    }
    Ok(options)
}

/// Serves until the parent ends it.
async fn simulate(guilds: u32) -> Result<(), Box<dyn Error>> {
    let world = WorldConfig {
        guilds,
        members_per_guild: 20,
        max_concurrency: CONCURRENCY,
        chatter_per_s: RATE,
        stream_interval_ms: 10,
        stream_batch: 20,
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

async fn change(api: &str, from: u32, to: u32) -> Result<(), Box<dyn Error>> {
    let config = Config::builder()
        .token(DEFAULT_TOKEN)
        .api_base(api)
        .set("shards", from)
        .set("intents", "all")
        .set_text("compress", "zlib")
        .set("cache.budget_bytes", 256_u64 << 20)
        .build()?;
    let bot = Bot::new(config)?;
    // A bot whose user takes events.
    let taker = tokio::spawn({
        let bot = bot.clone();
        async move { while bot.next_batch(512).await.is_some() {} }
    });
    bot.ready().await?;
    tokio::time::sleep(SETTLE).await;
    let steady_kib = usage::rss_kib();
    let change = bot.reshard_to(to).await?;
    let planned = change.plan().estimate().identifies;
    let steps = change.plan().steps().len();
    let (report, peak_kib) = watch(change, steps).await?;
    tokio::time::sleep(SETTLE).await;
    let totals = report.totals;
    let found = Found {
        steady_kib,
        peak_kib,
        after_kib: usage::rss_kib(),
        planned,
        identifies: report.identifies,
        seconds: report.duration.as_secs_f64(),
        steps,
        handed_on: totals.dispatched,
        suppressed: totals.suppressed,
        possibly_lost: totals.possibly_lost,
        possibly_duplicated: totals.possibly_duplicated,
        outcome: report.outcome.to_string(),
    };
    writeln!(stdout(), "{}", serde_json::to_string(&found)?)?;
    taker.abort();
    Ok(())
}

/// The end of the change, and the most memory that there was until then.
async fn watch(
    change: Resharding,
    steps: usize,
) -> Result<(Arc<ReshardReport>, u64), Box<dyn Error>> {
    let bar = ProgressBar::new(steps as u64).with_style(
        ProgressStyle::with_template("  steps [{bar:40.cyan/dim}] {pos}/{len} {msg}")?
            .progress_chars("=> "),
    );
    let mut finishing = change.clone();
    let mut finished = std::pin::pin!(finishing.finished());
    let mut peak = usage::rss_kib();
    loop {
        tokio::select! {
            report = &mut finished => {
                bar.finish_and_clear();
                return Ok((report?, peak));
            }
            () = tokio::time::sleep(SAMPLE) => {
                peak = peak.max(usage::rss_kib());
                let status = change.status();
                bar.set_position(status.steps_taken as u64);
                bar.set_message(status.stage);
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn mib(kib: u64) -> String {
    number(kib as f64 / 1_024.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn compare(options: &Options) -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let [from, to, guilds] =
        [options.from, options.to, options.guilds].map(|number| number.to_string());
    let (_sim, api) = Serving::start(Command::new(&program).args(["sim", &guilds]))?;
    let output = Command::new(&program)
        .args(["bot", &api, &from, &to])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the bot ended with {}", output.status).into());
    }
    let found: Found = serde_json::from_slice(&output.stdout)?;
    let of_steady = found.peak_kib as f64 / found.steady_kib as f64;
    let rows = [
        ["memory before, MiB", &mib(found.steady_kib)],
        ["the most during the change, MiB", &mib(found.peak_kib)],
        ["of that before", &format!("{of_steady:.2} x")],
        ["8 s afterwards, MiB", &mib(found.after_kib)],
        [
            "identifies, as planned and spent",
            &format!("{}, {}", found.planned, found.identifies),
        ],
        [
            "steps, and seconds",
            &format!("{}, {}", found.steps, number(found.seconds)),
        ],
        [
            "events handed on, and suppressed",
            &format!("{}, {}", found.handed_on, found.suppressed),
        ],
        [
            "possibly lost, possibly doubled",
            &format!("{}, {}", found.possibly_lost, found.possibly_duplicated),
        ],
    ];
    let head = vec![
        "what".to_owned(),
        format!("{} to {} shards", options.from, options.to),
    ];
    let rows = rows.map(|row| row.map(str::to_owned).to_vec());
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let text = format!(
        "{guilds} guilds with 20 members on average, {RATE} events a second, zlib, a cache; {CONCURRENCY} identifies \
         at once. {}.\n\n{}\n",
        found.outcome,
        table(&rows)
    );
    stdout().write_all(text.as_bytes())?;
    if options.docs {
        document::put("reshard", &text)?;
    }
    Ok(())
}
