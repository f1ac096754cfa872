//! The bot's cache: over a simulated Discord, real stores, and stores that misbehave.

mod cluster;
mod faults;
mod lmdb;
mod processes;
mod real;
mod shared;
mod steady;
mod tiers;

#[path = "../another/mod.rs"]
mod another;
#[path = "../folder/mod.rs"]
mod folder;
#[path = "../redis_support/mod.rs"]
mod redis_support;
#[path = "../support/mod.rs"]
mod support;

pub(crate) use folder::Folder;
use serde_json::{Value, json};
use shardkeep::cache::{Cache, Record};
use shardkeep::config::ConfigBuilder;
use shardkeep::core::Snowflake;
use shardkeep::core::cache::Key;
use shardkeep::{Bot, BotBuilder};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, WorldConfig};
use support::{Log, config, serve, world};

/// A bot that keeps what it is told in `budget` bytes, and no store unless `more` sets one.
fn cached(server: &Server, budget: u32) -> ConfigBuilder {
    config(server)
        .set("cache.budget_bytes", budget)
        .set("store.kind", "none")
}

fn make(config: ConfigBuilder) -> BotBuilder {
    Bot::builder(config.build().expect("a valid configuration"))
}

async fn start(config: ConfigBuilder) -> (Bot, Log) {
    let bot = make(config).build().expect("a store that opens");
    let mut log = Log::default();
    log.until_connected(&bot).await;
    (bot, log)
}

fn of(bot: &Bot) -> &Cache {
    bot.cache().expect("a budget is set")
}

fn value(record: Option<Record>) -> Value {
    record.map_or(Value::Null, |record| record.parse().expect("JSON"))
}

fn id(value: &Value) -> Snowflake {
    Snowflake(
        value
            .as_str()
            .and_then(|id| id.parse().ok())
            .expect("an id"),
    )
}

/// The members that GUILD_CREATE told of, by guild.
fn members(log: &Log) -> Vec<Key> {
    let guilds = log
        .events
        .iter()
        .filter(|event| event.name() == "GUILD_CREATE");
    let mut all = Vec::new();
    for event in guilds {
        let guild: Value = event.parse().expect("JSON");
        let listed = guild["members"].as_array().expect("members");
        all.extend(
            listed
                .iter()
                .map(|member| Key::member(id(&guild["id"]), id(&member["user"]["id"]))),
        );
    }
    all
}

async fn inject(server: &Server, guild: Snowflake, t: &str, d: Value) {
    let told = Control::InjectEvent {
        guild: Some(guild),
        shard: None,
        t: t.to_owned(),
        d,
    };
    let answer = server.control(told).await;
    assert_eq!(answer.get("error"), None, "{answer}");
}

/// Gives a member a nickname.
async fn rename(server: &Server, member: Key, nick: &str) {
    let d = json!({
        "guild_id": member.scope.to_string(),
        "nick": nick,
        "roles": [],
        "user": {"id": member.id.to_string(), "username": "someone", "discriminator": "0", "avatar": null},
    });
    inject(server, member.scope, "GUILD_MEMBER_UPDATE", d).await;
}

/// Waits for the dispatch that gave a member this nickname.
async fn renamed(bot: &Bot, log: &mut Log, nick: &str) {
    let quoted = format!("\"nick\":{}", json!(nick));
    log.until(bot, |event| {
        event.name() == "GUILD_MEMBER_UPDATE" && event.json().contains(&quoted)
    })
    .await;
}

async fn one_shard() -> Server {
    serve(WorldConfig {
        recommended_shards: 1,
        ..world()
    })
    .await
}

/// What another process of these tests does.
#[test]
fn as_another_process() {
    if let Some((role, place)) = another::role() {
        lmdb::play(&role, &place);
        processes::play(&role, &place);
    }
}
