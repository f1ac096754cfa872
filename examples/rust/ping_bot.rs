//! A bot with handlers: says what it would answer to `!ping`, and what happens to its shards.
//!
//! ```text
//! DISCORD_TOKEN=... cargo run --example ping_bot
//! ```

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use shardkeep::config::Config;
use shardkeep::core::wire::{EventKind, Intents};
use shardkeep::{Bot, Topic};

#[derive(Deserialize)]
struct Message {
    channel_id: String,
    content: String,
    author: Author,
}

#[derive(Deserialize)]
struct Author {
    username: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The environment gives DISCORD_TOKEN and, where set, DISCORD_API_BASE, SHARD_ID and TOTAL_SHARDS.
    let intents = Intents::GUILDS | Intents::GUILD_MESSAGES | Intents::MESSAGE_CONTENT;
    let config = Config::builder().environment().intents(intents).build()?;
    let bot = Bot::new(config)?;

    bot.on(Topic::Ready, |event| async move {
        println!("ready: {}", event.json());
    });
    bot.on(Topic::ShardResume, |event| async move {
        println!("shard {} resumed: {}", event.shard(), event.json());
    });

    let left = Arc::new(AtomicU64::new(events_wanted()));
    let handle = bot.clone();
    bot.on(EventKind::MessageCreate, move |event| {
        let (left, bot) = (Arc::clone(&left), handle.clone());
        async move {
            match event.parse::<Message>() {
                Ok(message) if message.content.starts_with("!ping") => {
                    println!(
                        "would answer Pong! to {} in {}",
                        message.author.username, message.channel_id
                    );
                }
                Ok(message) => {
                    println!("shard {}: {} wrote", event.shard(), message.author.username)
                }
                Err(error) => println!("{error}"),
            }
            if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                bot.shutdown(true).await;
            }
        }
    });

    // Until Ctrl-C or SIGTERM. Discord keeps the sessions for a few minutes: a restart loses nothing.
    bot.run().await?;
    println!("stopped");
    Ok(())
}

/// How many messages to see before stopping: for tests. Unset, the bot runs until it is asked to stop.
fn events_wanted() -> u64 {
    let wanted = std::env::var("SHARDKEEP_EXAMPLE_EVENTS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}
