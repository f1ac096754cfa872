//! Two processes of one machine without Redis: their identifies are spaced and counted together, by a file.

#[path = "folder/mod.rs"]
mod folder;
mod support;

use std::time::Duration;

use serde_json::json;
use shardkeep::Bot;
use shardkeep::core::fleet::Purse;
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, WorldConfig};

use folder::Folder;
use support::{bot, config, serve, world};

/// One key, as most bots have.
async fn one_key() -> Server {
    serve(WorldConfig {
        max_concurrency: 1,
        ..world()
    })
    .await
}

fn part(server: &Server, shards: &str, file: &str) -> Bot {
    let config = config(server).set("shards", shards);
    bot(config.set("identify.shared_file", file))
}

async fn until_connected(bots: &[&Bot]) {
    for _ in 0..600 {
        if bots.iter().all(|bot| bot.status().connected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not connected: {:?}", bots.iter().map(|bot| bot.status()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_identify_five_seconds_apart() {
    let (server, folder) = (one_key().await, Folder::new());
    let file = format!("{}/bot/identifies.json", folder.path().display());
    let (one, two) = (part(&server, "0/3", &file), part(&server, "1-2/3", &file));
    one.start().await.expect("threads");
    two.start().await.expect("threads");
    until_connected(&[&one, &two]).await;
    let violations = server.control(Control::Violations).await;
    assert_eq!(violations["violations"], json!([]));
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], 3);
    // What is written is what is left, for whoever comes next.
    let text = std::fs::read_to_string(&file).expect("it was written");
    let purse = Purse::read(&text).expect("a purse");
    assert!(purse.left().is_some_and(|left| left <= 997), "{text}");
    // The next process of the same second waits as well.
    drop(one);
    let next = part(&server, "0/3", &file);
    next.start().await.expect("threads");
    until_connected(&[&next, &two]).await;
    let violations = server.control(Control::Violations).await;
    assert_eq!(violations["violations"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_none_of_ours_is_begun_anew_and_one_that_cannot_be_is_refused() {
    let (server, folder) = (one_key().await, Folder::new());
    let file = format!("{}/identifies.json", folder.path().display());
    std::fs::create_dir_all(folder.path()).expect("a folder");
    std::fs::write(&file, "{\"not\": \"a purse\"}").expect("a file");
    let bot = part(&server, "1", &file);
    bot.start().await.expect("threads");
    until_connected(&[&bot]).await;
    let text = std::fs::read_to_string(&file).expect("it was written");
    assert!(Purse::read(&text).is_some(), "{text}");

    let config = config(&server).set("identify.shared_file", folder.path().display().to_string());
    let config = config.build().expect("a valid configuration");
    let refused = Bot::builder(config)
        .build()
        .expect_err("a folder is no file");
    let text = refused.to_string();
    assert!(text.contains("set `identify.shared_file`"), "{text}");
}
