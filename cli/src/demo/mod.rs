//! `shardkeep demo`: a sharded bot against a simulated Discord, both in this process, over real WebSockets.

mod report;
mod screen;
mod second;
mod story;
mod tally;

use std::io::{Write, stdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use shardkeep::config::Config;
use shardkeep::core::Instant;
use shardkeep::core::gateway::Snapshot;
use shardkeep::{Bot, clock};
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{DEFAULT_TOKEN, LedgerDetail, WorldConfig};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use screen::{Screen, View};
use story::{Note, Story};
use tally::Tally;

/// The heartbeat interval that the simulator asks for: short, so that a silent connection is found while one watches.
const HEARTBEAT_MS: u64 = 2_000;

/// Discord allows 2,500 guilds on a shard; their ids spread unevenly.
const GUILDS_PER_SHARD: u32 = 2_000;

/// How often the live view is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// Watch a sharded bot live through a dropped connection, a silent one, Discord's call to reconnect and a restart,
/// another get twice as many shards while events flow, and a process go on where one was killed; and lose nothing.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many shards.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    shards: u32,
    /// How many guilds the bot is in.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    guilds: u32,
    /// How many members a guild has on average.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    members: u32,
    /// Events per second over all guilds. The simulator shares the machine with the bot: far more would make it late.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    rate: u32,
    /// Everything random in the simulator follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How events are compressed: zlib, zstd, payload or none.
    #[arg(long, default_value = "zlib")]
    compress: String,
    /// End with one JSON object on the last line of standard output.
    #[arg(long)]
    json: bool,
}

impl Demo {
    fn world(&self) -> WorldConfig {
        WorldConfig {
            seed: self.seed,
            guilds: self.guilds,
            members_per_guild: self.members,
            max_concurrency: self.shards,
            recommended_shards: self.shards,
            heartbeat_interval_ms: HEARTBEAT_MS,
            chatter_per_s: self.rate,
            ready_delay_ms: 300,
            stream_interval_ms: 40,
            ledger: LedgerDetail::Entries(usize::MAX),
            replay_capacity: 100_000,
            ..WorldConfig::default()
        }
    }

    /// The bot's options. The environment is left alone: a demo must not take a real token to a real Discord.
    fn config(&self, api: &str) -> Result<Config, Failure> {
        if self.guilds / self.shards > GUILDS_PER_SHARD {
            return Err(Failure::Usage(format!(
                "{} guilds are too many for {} shards: Discord allows 2,500 on each; raise --shards",
                self.guilds, self.shards
            )));
        }
        let builder = Config::builder()
            .token(DEFAULT_TOKEN)
            .api_base(api)
            .set("shards", self.shards)
            .set("intents", "all")
            .set_text("compress", &self.compress);
        Ok(builder.build()?)
    }
}

/// What the bot was handed so far, for everyone who looks.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Tally>>);

impl Log {
    fn read(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn run(arguments: Demo) -> Result<(), Failure> {
    // Wrong options are answered before anything starts.
    arguments.config("http://127.0.0.1:1")?;
    let start = clock::now();
    let server = ServerConfig {
        world: arguments.world(),
        ..ServerConfig::default()
    };
    let server = Server::start(server)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let config = arguments.config(&server.api_base())?;
    let screen = Arc::new(Screen::open(
        arguments.shards.into(),
        arguments.guilds.into(),
    ));
    let log = Log::default();
    let painting = tokio::spawn(paint(Arc::clone(&screen), log.clone(), start));
    let (sender, notes) = mpsc::unbounded_channel();
    let mut story = Story::new(
        &server,
        Arc::clone(&screen),
        log.clone(),
        notes,
        arguments.shards,
    );
    let mut bot = LoggedBot::start(config, log.clone(), sender).await?;
    let told = story.tell(&mut bot, arguments.guilds).await;
    bot.stop().await;
    painting.abort();
    screen.close();
    told?;
    let took = clock::now().since(start);
    let report = report::make(&server, &log, &story, arguments.shards, took).await?;
    server.shutdown().await;
    write(&report.table())?;
    report.verdict()?;

    let second = second::tell(&screen, arguments.seed, arguments.rate).await?;
    let mut text = format!("\n{}\n", second.table());
    if arguments.json {
        let mut all = report.json();
        all["second"] = second.json();
        text.push_str(&format!("{all}\n"));
    }
    write(&text)?;
    second.verdict()
}

fn write(text: &str) -> Result<(), Failure> {
    let written = stdout().write_all(text.as_bytes());
    written.map_err(|error| Failure::output(&error))
}

/// A bot, and a task that logs everything that it is handed.
struct LoggedBot {
    config: Config,
    log: Log,
    notes: mpsc::UnboundedSender<Note>,
    bot: Bot,
    listening: JoinHandle<()>,
}

impl LoggedBot {
    async fn start(
        config: Config,
        log: Log,
        notes: mpsc::UnboundedSender<Note>,
    ) -> Result<Self, Failure> {
        let bot = Bot::new(config.clone())?;
        bot.start().await?;
        let listening = tokio::spawn(listen(bot.clone(), log.clone(), notes.clone()));
        Ok(Self {
            config,
            log,
            notes,
            bot,
            listening,
        })
    }

    /// Stops the bot and waits until everything that it was handed is logged. Discord keeps the sessions.
    async fn stop(&mut self) -> Vec<Snapshot> {
        let snapshots = self.bot.shutdown(true).await;
        // The queue is closed, so the task ends by itself. Afterwards there is nothing more to wait for.
        if !self.listening.is_finished() {
            let _ = (&mut self.listening).await;
        }
        snapshots
    }

    /// Starts another bot, which goes on from the sessions of the one that was stopped.
    async fn go_on(&mut self, snapshots: Vec<Snapshot>) -> Result<(), Failure> {
        self.bot = Bot::builder(self.config.clone())
            .resume_from(snapshots)
            .build()?;
        self.bot.start().await?;
        let listening = listen(self.bot.clone(), self.log.clone(), self.notes.clone());
        self.listening = tokio::spawn(listening);
        Ok(())
    }
}

/// Logs everything that the bot is handed, and passes on what happens to shards.
async fn listen(bot: Bot, log: Log, notes: mpsc::UnboundedSender<Note>) {
    while let Some(batch) = bot.next_batch(1_024).await {
        let mut tally = log.read();
        for entry in &batch {
            if let Some(lifecycle) = tally.log(&entry) {
                // The story may be over already.
                let _ = notes.send(Note {
                    shard: entry.shard,
                    lifecycle,
                });
            }
        }
    }
}

/// Draws the live view until it is aborted.
async fn paint(screen: Arc<Screen>, log: Log, start: Instant) {
    let mut last = (start, 0);
    let mut per_s = 0.0;
    loop {
        tokio::time::sleep(FRAME).await;
        let now = clock::now();
        let view = {
            let tally = log.read();
            let span = now.since(last.0).as_secs_f64();
            if span >= 1.0 {
                #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
                let fresh = (tally.dispatched - last.1) as f64;
                per_s = fresh / span;
                last = (now, tally.dispatched);
            }
            View {
                ready: tally.up.len() as u64,
                guilds: tally.guilds,
                dispatched: tally.dispatched,
                per_s,
                replayed: tally.replayed,
                recent: tally.recent.iter().cloned().collect(),
            }
        };
        screen.show(&view);
    }
}
