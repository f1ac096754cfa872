//! A simulated Discord, a bot on it, and everything that the bot hands on.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shardkeep::config::{Config, ConfigBuilder};
use shardkeep::{Bot, Event, Topic};
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{Control, DEFAULT_TOKEN, Fault, Target, WorldConfig, digest};

/// Long enough for a slow machine; nothing waits for it unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A world in which sixteen shards may identify at once and everything comes at once.
pub(crate) fn world() -> WorldConfig {
    WorldConfig {
        guilds: 32,
        members_per_guild: 20,
        max_concurrency: 16,
        recommended_shards: 4,
        stream_interval_ms: 1,
        stream_batch: 0,
        ..WorldConfig::default()
    }
}

pub(crate) async fn serve(world: WorldConfig) -> Server {
    let config = ServerConfig {
        world,
        ..ServerConfig::default()
    };
    Server::start(config)
        .await
        .expect("a free port on loopback")
}

/// A configuration for the simulated Discord, without the environment.
pub(crate) fn config(server: &Server) -> ConfigBuilder {
    Config::builder()
        .token(DEFAULT_TOKEN)
        .api_base(&server.api_base())
        .set("intents", "all")
}

pub(crate) fn bot(config: ConfigBuilder) -> Bot {
    let config = config.build().expect("a valid configuration");
    Bot::builder(config)
        .io_threads(1)
        .build()
        .expect("no platform roots are asked for")
}

pub(crate) async fn fault(server: &Server, target: Target, fault: Fault) {
    let answer = server.control(Control::Fault { target, fault }).await;
    assert_eq!(answer.get("error"), None, "{answer}");
}

pub(crate) async fn say(server: &Server, content: &str) {
    let content = content.to_owned();
    server
        .control(Control::Say {
            guild: None,
            channel: None,
            content,
        })
        .await;
}

/// What the bot handed on so far.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: Vec<Event>,
}

impl Log {
    /// Takes events until `enough` says so of the newest.
    pub(crate) async fn until(&mut self, bot: &Bot, mut enough: impl FnMut(&Event) -> bool) {
        let waiting = async {
            while let Some(event) = bot.next_event().await {
                self.events.push(event);
                if self.events.last().is_some_and(&mut enough) {
                    return;
                }
            }
            panic!("the bot stopped: {:?}", bot.failure());
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(
            waited.is_ok(),
            "nothing more came; the last: {:?}",
            self.events.last()
        );
    }

    /// Takes events until `count` of a topic have come, counted from the start of this call.
    pub(crate) async fn until_topic(&mut self, bot: &Bot, topic: Topic, count: usize) {
        let mut left = count;
        self.until(bot, |event| {
            left -= usize::from(event.topic() == topic);
            left == 0
        })
        .await;
    }

    /// Takes events until every shard has a session and every guild of [`world`] has come.
    pub(crate) async fn until_connected(&mut self, bot: &Bot) {
        let (mut ready, mut guilds) = (false, 0);
        self.until(bot, |event| {
            ready |= event.topic() == Topic::Ready;
            guilds += u32::from(event.name() == "GUILD_CREATE");
            ready && guilds == world().guilds
        })
        .await;
    }

    /// Takes events until a message with this content has come on each of `shards` shards.
    pub(crate) async fn until_said(&mut self, bot: &Bot, content: &str, shards: usize) {
        let quoted = format!("\"content\":{}", json!(content));
        let mut left = shards;
        self.until(bot, |event| {
            left -= usize::from(event.name() == "MESSAGE_CREATE" && event.json().contains(&quoted));
            left == 0
        })
        .await;
    }

    pub(crate) fn of(&self, topic: Topic) -> Vec<Value> {
        let of_topic = self.events.iter().filter(|event| event.topic() == topic);
        of_topic.map(|event| event.parse().expect("JSON")).collect()
    }
}

/// Compares what the bot handed on with what the simulator says it sent, session by session: every event once, in
/// order, byte for byte. Call it when nothing is under way.
pub(crate) async fn assert_nothing_lost(server: &Server, log: &Log) {
    let sessions = server.control(Control::Sessions).await;
    let mut seen: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    let mut current: BTreeMap<_, String> = BTreeMap::new();
    for event in &log.events {
        match event.name() {
            "READY" => {
                let ready: Value = event.parse().expect("JSON");
                let session = ready["session_id"]
                    .as_str()
                    .expect("READY names its session");
                current.insert(event.shard(), session.to_owned());
            }
            "RESUMED" => continue,
            _ if event.topic() != Topic::Dispatch => continue,
            _ => {}
        }
        let session = current[&event.shard()].clone();
        seen.entry(session)
            .or_default()
            .push((event.sequence(), digest(event.data())));
    }
    let sessions = sessions["sessions"]
        .as_array()
        .expect("a list of sessions")
        .clone();
    assert!(!sessions.is_empty());
    for session in sessions {
        let name = session["session"]
            .as_str()
            .expect("a session has a name")
            .to_owned();
        let ledger = server
            .control(Control::Ledger {
                session: name.clone(),
            })
            .await;
        let sent: Vec<_> = ledger["entries"]
            .as_array()
            .unwrap_or_else(|| panic!("no entries: {ledger}"))
            .iter()
            .map(|entry| {
                (
                    entry["seq"].as_u64().expect("s"),
                    entry["digest"].as_u64().expect("a digest"),
                )
            })
            .collect();
        assert_eq!(
            seen.remove(&name).unwrap_or_default(),
            sent,
            "session {name}"
        );
    }
    assert!(
        seen.is_empty(),
        "events on sessions that the simulator does not know: {seen:?}"
    );
}
