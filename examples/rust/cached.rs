//! A bot that knows its guilds: who wrote, with which roles, and what an update changed. What it knows is in 16 MiB of
//! memory, and in a file that other processes of the machine can read.
//!
//! ```text
//! DISCORD_TOKEN=... cargo run --example cached
//! ```

use std::error::Error;

use serde::Deserialize;
use shardkeep::cache::Cache;
use shardkeep::config::Config;
use shardkeep::core::Snowflake;
use shardkeep::core::cache::{Key, Kind};
use shardkeep::core::wire::EventKind;
use shardkeep::{Bot, Event};

#[derive(Deserialize)]
struct Message {
    guild_id: Option<Snowflake>,
    author: Author,
}

#[derive(Deserialize)]
struct Author {
    id: Snowflake,
}

#[derive(Deserialize)]
struct Member {
    nick: Option<String>,
    roles: Vec<Snowflake>,
}

#[derive(Deserialize)]
struct Role {
    name: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::builder()
        .set("cache.budget_bytes", 16 << 20)
        .set("cache.before", "GUILD_MEMBER_UPDATE")
        .set("store.path", std::env::temp_dir().join("shardkeep-cached").display().to_string())
        .environment()
        .build()?;
    let bot = Bot::new(config)?;
    let wanted = messages_wanted();
    let mut seen = 0;
    while seen < wanted {
        let event = tokio::select! {
            event = bot.next_event() => event,
            _ = tokio::signal::ctrl_c() => break,
        };
        let (Some(event), Some(cache)) = (event, bot.cache()) else { break };
        match event.kind() {
            EventKind::MessageCreate => {
                tell(cache, &event).await?;
                seen += 1;
            }
            EventKind::GuildMemberUpdate => {
                let before = event.before().map(|before| String::from_utf8_lossy(before.json));
                println!("a member is {}, was {before:?}", event.json());
            }
            _ => {}
        }
    }
    if let Some(cache) = bot.cache() {
        let stats = cache.stats();
        println!("{} guilds in {} bytes", cache.guilds().len(), stats.held_bytes);
        println!("{} looks found something, {} did not", stats.hot.hits, stats.hot.misses);
    }
    bot.shutdown(true).await;
    bot.failure().map_or(Ok(()), |failure| Err(failure.into()))
}

/// Who wrote a message, by the names of their roles.
async fn tell(cache: &Cache, event: &Event) -> Result<(), Box<dyn Error>> {
    let message: Message = event.parse()?;
    let Some(guild) = message.guild_id else { return Ok(()) };
    // In memory, or in the store, or asked of Discord: once for everybody who wants it.
    let Some(record) = cache.fetch(Key::member(guild, message.author.id)).await? else {
        return Ok(());
    };
    let member: Member = record.parse()?;
    let mut names = Vec::new();
    for role in member.roles {
        // In memory alone: what is not there is not worth waiting for.
        let role = cache.get(Key::new(Kind::Role, guild, role));
        names.extend(role.and_then(|role| role.parse::<Role>().ok()).map(|role| role.name));
    }
    println!("{} ({:?}) has the roles {names:?}", message.author.id, member.nick);
    Ok(())
}

/// How many messages to see before stopping: for tests. Unset, the bot runs until it is asked to stop.
fn messages_wanted() -> u64 {
    let wanted = std::env::var("SHARDKEEP_EXAMPLE_EVENTS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}
