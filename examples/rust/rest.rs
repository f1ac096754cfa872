//! REST without a gateway: who the bot is, a message with a file, and what happened to the limits meanwhile.
//!
//! ```text
//! DISCORD_TOKEN=... cargo run --example rest
//! ```

use std::error::Error;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use shardkeep::config::Config;
use shardkeep::core::Snowflake;
use shardkeep::core::rest::route::Method;
use shardkeep::rest::{Rest, RestError};

#[derive(Deserialize)]
struct Named {
    id: Snowflake,
    #[serde(alias = "username")]
    name: String,
}

#[derive(Deserialize)]
struct Channel {
    id: Snowflake,
    #[serde(rename = "type")]
    kind: u8,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::builder().environment().build()?;
    let rest = Rest::start(&config.token, config.rest())?;
    let me: Named = rest.get_current_user().send().await?.json()?;
    println!("this is {}", me.name);

    let guilds = rest.request(Method::Get, "/users/@me/guilds").query("limit", 5);
    let guilds: Vec<Named> = guilds.send().await?.json()?;
    let Some(guild) = guilds.first() else {
        println!("the bot is in no guild");
        return Ok(());
    };
    let channels = rest.request(Method::Get, format!("/guilds/{}/channels", guild.id));
    let channels: Vec<Channel> = channels.send().await?.json()?;
    let Some(channel) = channels.iter().find(|channel| channel.kind == 0) else {
        println!("{} has no text channel", guild.name);
        return Ok(());
    };

    // Ten messages at once: they wait for Discord's limits, not for each other.
    let hello = json!({ "content": "hello" });
    let messages: Vec<_> =
        (0..10).map(|_| tokio::spawn(rest.create_message(channel.id, &hello).send())).collect();
    for message in messages {
        let message: serde_json::Value = message.await??.json()?;
        println!("posted {}", message["id"]);
    }
    let report = rest.create_message(channel.id, &json!({ "content": "the list" }));
    report.file("list.txt", "one\ntwo\n").description("a short list").send().await?;

    // What Discord refuses is an error with its code and what to do.
    match rest.get_channel(Snowflake(1)).deadline(Duration::from_secs(5)).send().await {
        Err(RestError::Api(error)) => println!("{error}"),
        other => println!("{other:?}"),
    }
    let stats = rest.stats();
    println!("sent {}, sent again after a 429: {}", stats.sent, stats.limited);
    rest.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
