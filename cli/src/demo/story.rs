//! What happens in the demo, in order. Each step waits for the bot to notice and to come back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shardkeep::clock;
use shardkeep::core::gateway::Cause;
use shardkeep::core::{Instant, ShardId, Snowflake};
use shardkeep::events::{Lifecycle, ShardResume};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, Fault, Target};
use tokio::sync::mpsc;

use super::screen::Screen;
use super::tally::Session;
use super::{Log, LoggedBot};
use crate::failure::Failure;

/// How long a step may take on a busy machine before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long the traffic is shown between two steps.
const PAUSE: Duration = Duration::from_millis(1_500);

/// How long new connections are refused while one is cut: messages pile up meanwhile.
const OUTAGE_MS: u64 = 500;

/// How long no bot runs at the restart.
const RESTART: Duration = Duration::from_millis(300);

/// Something that happened to a shard.
pub(super) struct Note {
    pub(super) shard: ShardId,
    pub(super) lifecycle: Lifecycle,
}

/// The demo on its way.
pub(super) struct Story<'a> {
    server: &'a Server,
    screen: Arc<Screen>,
    log: Log,
    notes: mpsc::UnboundedReceiver<Note>,
    shards: u32,
    start: Instant,
    /// Connections that went silent and were found by the missing acknowledgement.
    pub(super) zombies: u64,
    /// How long the calm after the last fault took to bring every event.
    pub(super) caught_up: bool,
}

#[derive(Deserialize)]
pub(super) struct Sessions {
    pub(super) sessions: Vec<Session>,
}

#[derive(Deserialize)]
struct Guilds {
    guilds: Vec<Guild>,
}

#[derive(Deserialize)]
struct Guild {
    id: Snowflake,
}

/// Asks the simulator something.
pub(super) async fn ask<T: DeserializeOwned>(
    server: &Server,
    control: Control,
) -> Result<T, Failure> {
    let answer = server.control(control).await;
    let failed =
        |error| Failure::Failed(format!("the simulator's answer is not understood: {error}"));
    serde_json::from_value(answer).map_err(failed)
}

impl<'a> Story<'a> {
    pub(super) fn new(
        server: &'a Server,
        screen: Arc<Screen>,
        log: Log,
        notes: mpsc::UnboundedReceiver<Note>,
        shards: u32,
    ) -> Self {
        let start = clock::now();
        Self {
            server,
            screen,
            log,
            notes,
            shards,
            start,
            zombies: 0,
            caught_up: false,
        }
    }

    /// Everything up to the last event; the caller stops the bot.
    pub(super) async fn tell(&mut self, bot: &mut LoggedBot, guilds: u32) -> Result<(), Failure> {
        self.say(&format!("simulated Discord at {}", self.server.api_base()));
        self.connect(guilds).await?;
        tokio::time::sleep(PAUSE).await;
        let [first, second] = self.victims().await?;
        self.cut(first).await?;
        tokio::time::sleep(PAUSE).await;
        self.silence(second).await?;
        tokio::time::sleep(PAUSE).await;
        self.call_to_reconnect().await?;
        tokio::time::sleep(PAUSE).await;
        self.restart(bot).await?;
        tokio::time::sleep(PAUSE).await;
        self.calm().await?;
        self.say(&format!(
            "stopping {} shards; the sessions stay resumable",
            self.shards
        ));
        Ok(())
    }

    /// Two shards to hurt: those of the first guilds, so that there is something to miss. The same twice if all guilds
    /// are on one.
    async fn victims(&self) -> Result<[ShardId; 2], Failure> {
        let listed: Guilds = ask(self.server, Control::Guilds).await?;
        let shards = listed.guilds.iter();
        let mut shards = shards.filter_map(|guild| ShardId::of_guild(guild.id, self.shards));
        let first = shards.next().unwrap_or(ShardId::SINGLE);
        let second = shards.find(|&shard| shard != first).unwrap_or(first);
        Ok([first, second])
    }

    /// Many messages at once, over all guilds.
    async fn burst(&self) {
        let events = 25 * self.shards;
        self.server.control(Control::Burst { events }).await;
    }

    fn say(&self, line: &str) {
        let at = clock::now().since(self.start).as_secs_f64();
        self.screen.say(&format!("{at:5.1} s  {line}"));
    }

    async fn connect(&mut self, guilds: u32) -> Result<(), Failure> {
        let ready = self
            .find("every shard to have a session", |note| {
                match &note.lifecycle {
                    Lifecycle::Ready(ready) => Some(ready.clone()),
                    _ => None,
                }
            })
            .await?;
        self.say(&format!(
            "{} shards have a session, {} guilds",
            ready.shard_count, ready.guild_count
        ));
        let log = self.log.clone();
        let loaded = move || log.read().guilds >= u64::from(guilds);
        self.until("every guild to be streamed", loaded).await?;
        self.say(&format!("all {guilds} guilds are streamed; events flow"));
        Ok(())
    }

    /// A TCP connection breaks, and for a moment no new one opens. What is sent meanwhile is replayed.
    async fn cut(&mut self, shard: ShardId) -> Result<(), Failure> {
        let at = clock::now();
        self.fault(Target::All, Fault::RefuseConnections { for_ms: OUTAGE_MS })
            .await?;
        self.fault(Target::Shard([shard.index(), shard.total()]), Fault::Drop)
            .await?;
        self.burst().await;
        self.say(&format!(
            "shard {shard}: its TCP connection is cut while messages are on their way"
        ));
        let resumed = self.resume(shard).await?;
        if resumed.replayed == 0 {
            return Err(Failure::Failed(
                "the cut connection resumed without replaying anything".to_owned(),
            ));
        }
        let took = clock::now().since(at).as_secs_f64();
        self.say(&format!(
            "shard {shard}: resumed after {took:.1} s, {} events replayed",
            resumed.replayed
        ));
        Ok(())
    }

    /// A connection stays open and goes silent. Only the missing acknowledgement of a heartbeat shows it.
    async fn silence(&mut self, shard: ShardId) -> Result<(), Failure> {
        let at = clock::now();
        self.fault(
            Target::Shard([shard.index(), shard.total()]),
            Fault::HalfOpen,
        )
        .await?;
        self.say(&format!(
            "shard {shard}: its connection goes silent without closing"
        ));
        let cause = self
            .find("the silent connection to be found", |note| {
                match &note.lifecycle {
                    Lifecycle::ShardDisconnect(lost) if note.shard == shard => Some(lost.cause),
                    _ => None,
                }
            })
            .await?;
        if cause != Cause::Zombied.number() {
            return Err(Failure::Failed(format!(
                "the silent connection ended with cause {cause} instead of a missing acknowledgement"
            )));
        }
        self.zombies += 1;
        let took = clock::now().since(at).as_secs_f64();
        self.say(&format!(
            "shard {shard}: found dead after {took:.1} s by a heartbeat that nobody acknowledged"
        ));
        let resumed = self.resume(shard).await?;
        self.say(&format!(
            "shard {shard}: resumed, {} events replayed",
            resumed.replayed
        ));
        Ok(())
    }

    /// Discord asks every shard to reconnect, as it does before it restarts its own machines.
    async fn call_to_reconnect(&mut self) -> Result<(), Failure> {
        self.fault(Target::All, Fault::Reconnect { count: 1 })
            .await?;
        self.say("Discord asks every shard to reconnect (op 7)");
        let replayed = self.all_resumed().await?;
        self.say(&format!(
            "all {} shards resumed, {replayed} events replayed",
            self.shards
        ));
        Ok(())
    }

    /// The bot ends and another one begins, as in a deployment. It identifies nothing: it goes on from the sessions.
    async fn restart(&mut self, bot: &mut LoggedBot) -> Result<(), Failure> {
        self.say("the bot stops, and a new one starts from its sessions");
        while self.notes.try_recv().is_ok() {}
        let snapshots = bot.stop().await;
        self.burst().await;
        tokio::time::sleep(RESTART).await;
        bot.go_on(snapshots).await?;
        let replayed = self.all_resumed().await?;
        if replayed == 0 {
            return Err(Failure::Failed(
                "the new bot resumed without replaying anything".to_owned(),
            ));
        }
        self.say(&format!(
            "all {} shards resumed without an identify, {replayed} events replayed",
            self.shards
        ));
        Ok(())
    }

    /// Waits until each shard has resumed, and sums up what was replayed.
    async fn all_resumed(&mut self) -> Result<u64, Failure> {
        let mut back = BTreeSet::new();
        let mut replayed = 0;
        while back.len() < self.shards as usize {
            let (shard, resumed) = self.find("every shard to resume", resumption).await?;
            back.insert(shard);
            replayed += resumed.replayed;
        }
        Ok(replayed)
    }

    /// The traffic stops, and what is under way arrives.
    async fn calm(&mut self) -> Result<(), Failure> {
        self.server.control(Control::Calm).await;
        let end = clock::now() + PATIENCE;
        while clock::now() < end {
            let sent: Sessions = ask(self.server, Control::Sessions).await?;
            self.caught_up = self.log.read().has_caught_up(&sent.sessions);
            if self.caught_up {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn fault(&self, target: Target, fault: Fault) -> Result<(), Failure> {
        let answer = self.server.control(Control::Fault { target, fault }).await;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(Failure::Failed(format!(
                "the simulator refuses a fault: {error}"
            ))),
            None => Ok(()),
        }
    }

    async fn resume(&mut self, shard: ShardId) -> Result<ShardResume, Failure> {
        self.find("the shard to resume", |note| {
            resumption(note)
                .filter(|&(resumed, _)| resumed == shard)
                .map(|(_, resume)| resume)
        })
        .await
    }

    /// The first note that `wanted` takes; others are passed over.
    async fn find<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Note) -> Option<T>,
    ) -> Result<T, Failure> {
        let found = async {
            while let Some(note) = self.notes.recv().await {
                if let Lifecycle::ShardError(error) = &note.lifecycle
                    && error.fatal
                {
                    return Err(Failure::Failed(format!(
                        "shard {}: {}",
                        note.shard, error.reason
                    )));
                }
                if let Some(found) = wanted(&note) {
                    return Ok(found);
                }
            }
            Err(Failure::Failed("the bot stopped by itself".to_owned()))
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => Err(too_long(what)),
        }
    }

    async fn until(&self, what: &str, mut reached: impl FnMut() -> bool) -> Result<(), Failure> {
        let end = clock::now() + PATIENCE;
        while !reached() {
            if clock::now() > end {
                return Err(too_long(what));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn resumption(note: &Note) -> Option<(ShardId, ShardResume)> {
    match &note.lifecycle {
        Lifecycle::ShardResume(resumed) => Some((note.shard, resumed.clone())),
        _ => None,
    }
}

fn too_long(what: &str) -> Failure {
    Failure::Failed(format!(
        "waited {} s in vain for {what}",
        PATIENCE.as_secs()
    ))
}
