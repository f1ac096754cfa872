//! A bot in a process of its own: this test program again. It says what it has handled, and can be killed.
#![allow(dead_code, reason = "every test program uses its own part")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Map, Value};
use shardkeep::config::Config;
use shardkeep::core::Snowflake;
use shardkeep::core::fleet::Target;
use shardkeep::{Bot, Event, Subscription, Topic};
use shardkeep_sim::digest;

use crate::support::PATIENCE;

const OPTIONS: &str = "SHARDKEEP_RESTART_OPTIONS";

/// One line of a child's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A dispatch was handled.
    Handled {
        shard: u32,
        total: u32,
        sequence: u64,
        digest: u64,
        replayed: bool,
    },
    /// A shard may have lost something.
    Lost(String),
    /// Every shard has a session.
    Ready,
    /// A change of shards has come so far: guilds that have switched, and steps taken.
    Switched(usize, usize),
    /// It has ended.
    Changed(String),
    /// Whoever asked for it has its account: identifies, events that are possibly lost, and how it ended.
    Ended(String),
}

impl Said {
    fn parse(line: &str) -> Option<Self> {
        // The test harness writes on the same lines.
        let (_, rest) = line.split_once("bot: ")?;
        if let Some(reason) = rest.strip_prefix("lost ") {
            return Some(Self::Lost(reason.to_owned()));
        }
        if let Some(outcome) = rest.strip_prefix("changed ") {
            return Some(Self::Changed(outcome.to_owned()));
        }
        if let Some(account) = rest.strip_prefix("ended ") {
            return Some(Self::Ended(account.to_owned()));
        }
        let words: Vec<_> = rest.split_whitespace().collect();
        match words[..] {
            ["ready"] => Some(Self::Ready),
            ["switched", guilds, steps] => {
                Some(Self::Switched(guilds.parse().ok()?, steps.parse().ok()?))
            }
            ["handled", shard, total, sequence, digest, replayed] => Some(Self::Handled {
                shard: shard.parse().ok()?,
                total: total.parse().ok()?,
                sequence: sequence.parse().ok()?,
                digest: digest.parse().ok()?,
                replayed: replayed == "true",
            }),
            _ => None,
        }
    }
}

/// A bot in another process. Dropping it kills it.
pub(crate) struct BotProcess {
    child: Child,
    lines: Receiver<Said>,
}

impl BotProcess {
    /// With these options of the configuration.
    pub(crate) fn start(options: &Value) -> Self {
        let own = std::env::current_exe().expect("a test program");
        let mut child = Command::new(own)
            .args(["--exact", "child::as_a_bot", "--nocapture"])
            .env(OPTIONS, options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("another process");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (said, lines) = channel();
        std::thread::spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            // Whoever listened may have heard enough.
            let _enough = lines
                .filter_map(|line| Said::parse(&line))
                .try_for_each(|line| said.send(line));
        });
        Self { child, lines }
    }

    /// What it says next; `None` once it has ended.
    pub(crate) fn next(&self, within: Duration) -> Result<Said, RecvTimeoutError> {
        self.lines.recv_timeout(within)
    }

    /// Adds what it says to `log` until `enough`.
    pub(crate) fn until(&self, log: &mut Vec<Said>, mut enough: impl FnMut(&Said) -> bool) {
        let until = shardkeep::clock::now() + 3 * PATIENCE;
        loop {
            let said = self.next(PATIENCE).expect("the bot goes on");
            assert!(
                shardkeep::clock::now() < until,
                "it goes on, and nothing comes of it"
            );
            let is_enough = enough(&said);
            log.push(said);
            if is_enough {
                return;
            }
        }
    }

    /// Asks for a change of shards.
    pub(crate) fn reshard(&mut self, shards: u32) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "reshard {shards}").expect("the bot reads");
    }

    /// Asks for a second generation of so many.
    pub(crate) fn generation(&mut self, shards: u32) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "generation {shards}").expect("the bot reads");
    }

    /// Asks for a session of its own for the first guild that it hears of, or for that to be undone.
    pub(crate) fn overlay(&mut self, word: &str) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "overlay {word}").expect("the bot reads");
    }

    /// `kill -STOP`, `kill -CONT`: a process that hangs, and goes on.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.expect("kill").success());
    }

    /// `kill -9`, and what it had said.
    pub(crate) fn kill(mut self, log: &mut Vec<Said>) {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
        log.extend(self.lines.iter());
    }

    /// Lets it stop as it would for SIGTERM.
    pub(crate) fn stop(mut self, log: &mut Vec<Said>) {
        drop(self.child.stdin.take());
        log.extend(self.lines.iter());
        assert!(self.child.wait().expect("a child").success());
    }
}

impl Drop for BotProcess {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// What the other process does. In a usual run of the tests nothing.
#[test]
fn as_a_bot() {
    let Ok(options) = std::env::var(OPTIONS) else {
        return;
    };
    let options: Map<String, Value> = serde_json::from_str(&options).expect("options");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(options));
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn say(line: &str) {
    println!("bot: {line}");
    std::io::stdout().flush().expect("the parent listens");
}

async fn run(options: Map<String, Value>) {
    let config = Config::builder().values(options).build().expect("options");
    shardkeep::log::init(config.log_format, config.log_level).expect("the first");
    let bot = Bot::builder(config).io_threads(1).build().expect("a bot");
    bot.on(Subscription::All, handle);
    tokio::spawn(watch(bot.clone()));
    let stopping = bot.clone();
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Handle::current();
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let target = match line.split_once(' ') {
                Some(("reshard", to)) => Target::Shards(to.parse().expect("a number")),
                Some(("generation", to)) => Target::Generation(to.parse().expect("a number")),
                Some(("overlay", "isolate")) => Target::Isolate(first_guild()),
                Some(("overlay", _)) => {
                    Target::Rejoin(stopping.shard_of(first_guild()).expect("it serves"))
                }
                _ => continue,
            };
            let bot = stopping.clone();
            runtime.spawn(async move {
                let mut change = bot.reshard(target).await.expect("a plan");
                match change.finished().await {
                    Ok(report) => say(&format!(
                        "ended {} {} {}",
                        report.identifies, report.totals.possibly_lost, report.outcome
                    )),
                    Err(error) => say(&format!("ended {error}")),
                }
            });
        }
        runtime.block_on(stopping.shutdown(true));
    });
    bot.run().await.expect("Discord does not refuse it");
}

/// Says how far a change of shards has come, whoever began it.
async fn watch(bot: Bot) {
    let mut last = None;
    loop {
        let status = bot.status().resharding;
        if let Some(status) = &status {
            say(&format!(
                "switched {} {}",
                status.guilds_switched, status.steps_taken
            ));
        } else if last.is_some() {
            say(&format!("changed {}", bot.status().shards.len()));
        }
        last = status;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The first guild that the bot heard of.
static GUILD: OnceLock<Snowflake> = OnceLock::new();

fn first_guild() -> Snowflake {
    *GUILD.get().expect("it has heard of one")
}

async fn handle(event: Event) {
    if event.name() == "GUILD_CREATE" {
        let data: Value = serde_json::from_slice(event.data()).expect("JSON");
        let id = data["id"].as_str().and_then(|id| id.parse().ok());
        GUILD.get_or_init(|| id.expect("an id"));
    }
    match event.topic() {
        Topic::Ready => say("ready"),
        Topic::ShardError => say(&format!("lost {}", event.json())),
        Topic::Dispatch => {
            // As long as a handler takes that asks a database.
            tokio::time::sleep(Duration::from_millis(1 + event.sequence() % 7)).await;
            say(&format!(
                "handled {} {} {} {} {}",
                event.shard().index(),
                event.shard().total(),
                event.sequence(),
                digest(event.data()),
                event.is_replayed()
            ));
        }
        _ => {}
    }
}
