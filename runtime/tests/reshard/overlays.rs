//! A session of its own for a hot guild, and the way back.

use shardkeep::bot::ReshardReport;
use shardkeep::core::fleet::Target;
use shardkeep::core::fleet::reshard::Outcome;
use shardkeep::core::{ShardId, Snowflake};
use shardkeep::{Bot, Event};
use shardkeep_sim::Control;
use shardkeep_sim::server::Server;

use crate::account::{assert_once, sent};
use crate::changes::{busy, settle, start, while_taking};
use crate::support::{Log, serve};

/// What a change came to, when it is through.
async fn through(bot: &Bot, log: &mut Log, target: Target) -> std::sync::Arc<ReshardReport> {
    let mut change = bot.reshard(target).await.expect("a plan");
    let report = while_taking(log, bot, change.finished()).await;
    let report = report.expect("the bot runs on");
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(report.totals.possibly_lost, 0, "{:?}", report.totals);
    report
}

/// The shards that handed the guild's events on, in the last so many events.
fn shards_of(events: &[Event], guild: Snowflake) -> Vec<ShardId> {
    let is_of_it = |event: &&Event| {
        let data: serde_json::Value = serde_json::from_slice(event.data()).unwrap_or_default();
        data["guild_id"] == guild.to_string()
    };
    let mut shards: Vec<_> = events.iter().filter(is_of_it).map(Event::shard).collect();
    shards.sort_unstable();
    shards.dedup();
    shards
}

async fn a_while(server: &Server, bot: &Bot, log: &mut Log) -> usize {
    let before = log.events.len();
    server.control(Control::Chatter { per_s: 400 }).await;
    let pause = tokio::time::sleep(std::time::Duration::from_secs(1));
    while_taking(log, bot, pause).await;
    before
}

#[tokio::test]
async fn a_guild_is_isolated_its_shard_is_split_under_it_and_it_comes_back() {
    let server = serve(busy()).await;
    let (bot, mut log) = start(&server, 2).await;
    while_taking(
        &mut log,
        &bot,
        tokio::time::sleep(std::time::Duration::from_secs(1)),
    )
    .await;
    let guild = log
        .events
        .iter()
        .find(|event| event.name() == "GUILD_CREATE")
        .map(|event| {
            let data: serde_json::Value = serde_json::from_slice(event.data()).expect("JSON");
            let id = data["id"].as_str().expect("an id");
            id.parse::<Snowflake>().expect("a snowflake")
        })
        .expect("a guild");
    let home = ShardId::of_guild(guild, 2).expect("a shard");
    assert_eq!(bot.shard_of(guild), Some(home));

    // Discord's rule says where a guild can be, and the refusal says what is possible.
    let other = ShardId::new(1 - home.index(), 2).expect("the other shard");
    let refused = bot.transfer_guild(guild, home, other).await;
    let refused = refused.expect_err("never there").to_string();
    assert!(refused.contains("possible are a split of"), "{refused}");

    let report = through(&bot, &mut log, Target::Isolate(guild)).await;
    let overlay = bot.shard_of(guild).expect("it is served");
    assert!(home.covers(overlay) && overlay != home, "{overlay}");
    assert_eq!(report.identifies, 1);
    assert_eq!(report.serving, format!("2 and overlay {overlay}"));
    let before = a_while(&server, &bot, &mut log).await;
    assert_eq!(shards_of(&log.events[before..], guild), [overlay]);

    // The overlay stays while the shard under it is split, if it is a part of a new one; else it comes back before.
    through(&bot, &mut log, Target::Shards(4)).await;
    let now = ShardId::of_guild(guild, 4).expect("a shard");
    let stays = now.covers(overlay);
    assert_eq!(bot.shard_of(guild), Some(if stays { overlay } else { now }));
    let before = a_while(&server, &bot, &mut log).await;
    let handed = shards_of(&log.events[before..], guild);
    assert_eq!(handed, [if stays { overlay } else { now }]);

    if stays {
        let mut change = bot
            .transfer_guild(guild, overlay, now)
            .await
            .expect("its shard");
        let report = while_taking(&mut log, &bot, change.finished()).await;
        let report = report.expect("the bot runs on");
        assert_eq!((report.identifies, report.serving.as_str()), (0, "4"));
    }
    assert_eq!(bot.shard_of(guild), Some(now));
    let before = a_while(&server, &bot, &mut log).await;
    assert_eq!(shards_of(&log.events[before..], guild), [now]);

    settle(&server, &bot, &mut log).await;
    assert_once(&log.events, &sent(&server).await);
    let violations = server.control(Control::Violations).await;
    assert_eq!(violations["violations"], serde_json::json!([]));
    assert_eq!(bot.status().shards.len(), 4);
}
