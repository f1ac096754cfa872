//! A bot over PostgreSQL: a primary that is written to, replicas that are read from. Its cache keeps records there, and
//! the bot's own settings are looked up there with a cache in front.
//!
//! ```text
//! POSTGRES_PRIMARY="host=/run/postgresql user=bot" POSTGRES_REPLICAS="host=10.0.0.2 user=bot;host=10.0.0.3 user=bot" \
//!     DISCORD_TOKEN=... cargo run --example postgres
//! ```

mod database;
mod store;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shardkeep::Bot;
use shardkeep::cache::Cache;
use shardkeep::config::Config;
use shardkeep::core::Snowflake;
use shardkeep::core::wire::EventKind;

use database::{Database, Failed};
use store::PostgresStore;

/// What the bot itself knows of a guild.
#[derive(Deserialize, Serialize)]
struct Settings {
    greeting: String,
}

#[derive(Deserialize)]
struct Message {
    guild_id: Option<Snowflake>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Ok(primary) = std::env::var("POSTGRES_PRIMARY") else {
        println!("set POSTGRES_PRIMARY, and POSTGRES_REPLICAS if there are some");
        return Ok(());
    };
    let replicas = std::env::var("POSTGRES_REPLICAS").unwrap_or_default();
    let database = Arc::new(Database::new(&primary, &replicas)?);
    database.prepare().await?;

    let config = Config::builder().set("cache.budget_bytes", 1 << 20).environment().build()?;
    let store = PostgresStore::new(Arc::clone(&database));
    let bot = Bot::builder(config).store(Arc::new(store)).build()?;
    let wanted = messages_wanted();
    let mut seen = 0;
    while seen < wanted {
        let event = tokio::select! {
            event = bot.next_event() => event,
            _ = tokio::signal::ctrl_c() => break,
        };
        let (Some(event), Some(cache)) = (event, bot.cache()) else { break };
        if event.kind() != EventKind::MessageCreate {
            continue;
        }
        if let Some(guild) = event.parse::<Message>()?.guild_id {
            println!("guild {guild}: {}", settings(cache, &database, guild).await?.greeting);
            seen += 1;
        }
    }
    bot.shutdown(true).await;
    if let Some(cache) = bot.cache() {
        let numbers = cache.numbers();
        println!("records: {:?}", numbers.store.unwrap_or_default());
        println!("settings: {:?}", numbers.own.unwrap_or_default());
    }
    bot.failure().map_or(Ok(()), |failure| Err(failure.into()))
}

/// The settings of a guild: from this process, from the store that all processes share, or from a replica, which one
/// process asks for all.
async fn settings(
    cache: &Cache,
    database: &Arc<Database>,
    guild: Snowflake,
) -> Result<Settings, Box<dyn Error>> {
    let own = cache.own().ok_or("the bot is not started")?;
    let database = Arc::clone(database);
    let load = move || async move {
        let greeting = database.greeting(&guild.to_string()).await?;
        Ok::<_, Failed>(Settings { greeting })
    };
    Ok(own.get_or_load(("settings", guild), Duration::from_secs(300), load).await?)
}

/// How many messages to see before stopping: for tests. Unset, the bot runs until it is asked to stop.
fn messages_wanted() -> u64 {
    let wanted = std::env::var("SHARDKEEP_EXAMPLE_EVENTS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}
