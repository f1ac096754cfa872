//! A bot without handlers: takes events in batches and counts them by kind, decoding nothing.
//!
//! ```text
//! DISCORD_TOKEN=... cargo run --example batches
//! ```

use std::collections::BTreeMap;
use std::error::Error;

use shardkeep::config::Config;
use shardkeep::{Bot, Topic};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::builder().environment().build()?;
    let bot = Bot::new(config)?;
    let wanted = events_wanted();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen = 0;
    while seen < wanted {
        let batch = tokio::select! {
            batch = bot.next_batch(512) => batch,
            _ = tokio::signal::ctrl_c() => break,
        };
        let Some(batch) = batch else { break };
        println!("{} events, {} bytes", batch.len(), batch.bytes());
        // Entries borrow from the batch: nothing is copied. `batch.into_events()` gives events that can be kept.
        for entry in &batch {
            *counts.entry(entry.name.to_owned()).or_default() += 1;
            seen += u64::from(entry.topic == Topic::Dispatch);
        }
    }
    bot.shutdown(true).await;
    // None of its own doing: Discord may have refused the token or the shards.
    if let Some(failure) = bot.failure() {
        return Err(failure.into());
    }
    for (name, count) in &counts {
        println!("{count:>8} {name}");
    }
    Ok(())
}

/// How many events to see before stopping: for tests. Unset, the bot runs until it is asked to stop.
fn events_wanted() -> u64 {
    let wanted = std::env::var("SHARDKEEP_EXAMPLE_EVENTS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}
