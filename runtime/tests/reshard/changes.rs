//! Splits, merges and second generations, and changes that do not come about.

use std::time::Duration;

use shardkeep::bot::ReshardReport;
use shardkeep::config::AutoReshard;
use shardkeep::core::ShardId;
use shardkeep::core::fleet::Target;
use shardkeep::core::fleet::reshard::Outcome;
use shardkeep::{Bot, ReshardError};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, LedgerDetail, WorldConfig};

use crate::account::{assert_once, sent};
use crate::support::{Log, bot, config, serve, world};

/// Longer than what a change waits for at most: a key, an agreement, duplicates that do not come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Events a second over all guilds.
const CHATTER: u32 = 400;

pub(crate) fn busy() -> WorldConfig {
    WorldConfig {
        ledger: LedgerDetail::Entries(1 << 20),
        ..world()
    }
}

/// Takes events all the while.
pub(crate) async fn while_taking<T>(log: &mut Log, bot: &Bot, doing: impl Future<Output = T>) -> T {
    let mut doing = std::pin::pin!(doing);
    let taking = async {
        loop {
            tokio::select! {
                done = &mut doing => return done,
                event = bot.next_event() => log.events.push(event.expect("the bot runs on")),
            }
        }
    };
    tokio::time::timeout(PATIENCE, taking)
        .await
        .expect("it takes no longer")
}

pub(crate) async fn start(server: &Server, shards: u32) -> (Bot, Log) {
    let bot = bot(config(server).set("shards", shards));
    bot.start().await.expect("threads");
    let mut log = Log::default();
    log.until_connected(&bot).await;
    server.control(Control::Chatter { per_s: CHATTER }).await;
    (bot, log)
}

/// Nothing is under way any more.
pub(crate) async fn settle(server: &Server, bot: &Bot, log: &mut Log) {
    server.control(Control::Chatter { per_s: 0 }).await;
    while_taking(log, bot, tokio::time::sleep(Duration::from_secs(1))).await;
}

/// From so many shards to the target, while events flow, and everything that must hold then.
async fn change(before: u32, target: Target) -> (std::sync::Arc<ReshardReport>, Bot) {
    let server = serve(busy()).await;
    let (bot, mut log) = start(&server, before).await;
    let mut change = bot.reshard(target).await.expect("a plan");
    let report = while_taking(&mut log, &bot, change.finished())
        .await
        .expect("the bot runs on");
    settle(&server, &bot, &mut log).await;

    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(report.totals.possibly_lost, 0, "{:?}", report.totals);
    assert_eq!(report.totals.gaps, 0, "{:?}", report.totals);
    let plan = change.plan();
    assert_eq!(report.identifies, u64::from(plan.estimate().identifies));
    assert_once(&log.events, &sent(&server).await);

    // Only new sessions are open, and Discord minded nothing.
    let status = bot.status();
    assert!(status.connected, "{status:?}");
    assert_eq!(status.guild_count, u64::from(busy().guilds));
    let open: Vec<_> = status
        .shards
        .iter()
        .map(|shard| (shard.id, shard.total))
        .collect();
    let serving = plan.after().topology().shards().iter();
    let serving: Vec<_> = serving
        .map(|shard| (shard.index(), shard.total()))
        .collect();
    assert_eq!(open, serving);
    let violations = server.control(Control::Violations).await;
    assert_eq!(
        violations["violations"].as_array().map(Vec::len),
        Some(0),
        "{violations}"
    );
    // A new session's GUILD_CREATE is no join.
    let joins = log
        .events
        .iter()
        .filter(|event| event.name() == "GUILD_CREATE")
        .count();
    assert_eq!(joins, busy().guilds as usize);
    (report, bot)
}

#[tokio::test]
async fn shards_split_one_by_one() {
    let (report, bot) = change(2, Target::Shards(4)).await;
    assert_eq!(report.serving, "4");
    assert!(report.totals.suppressed > 0, "both sessions had it");
    for guild in report.ledger.guilds.keys().filter(|guild| guild.0 != 0) {
        let shard = bot.shard_of(*guild);
        assert_eq!(shard, ShardId::of_guild(*guild, 4));
    }
    assert_eq!(
        report.ledger.guilds.len(),
        33,
        "32 guilds, and what has none"
    );
}

#[tokio::test]
async fn shards_merge() {
    let (report, _) = change(2, Target::Shards(1)).await;
    assert_eq!(report.serving, "1");
}

#[tokio::test]
async fn a_second_generation_takes_over() {
    let (report, _) = change(2, Target::Shards(3)).await;
    assert_eq!(report.serving, "3");
}

#[tokio::test]
async fn what_discord_refuses_is_undone() {
    let server = serve(WorldConfig {
        shard_multiple: 2,
        ..busy()
    })
    .await;
    let (bot, mut log) = start(&server, 2).await;
    while_taking(&mut log, &bot, tokio::time::sleep(Duration::from_secs(1))).await;
    let mut change = bot.reshard_to(3).await.unwrap();
    let report = while_taking(&mut log, &bot, change.finished())
        .await
        .unwrap();
    settle(&server, &bot, &mut log).await;
    assert!(matches!(report.outcome, Outcome::Refused(shard) if shard.total() == 3));
    assert_eq!(report.serving, "2");
    assert_eq!(report.totals.possibly_lost, 0);
    assert_once(&log.events, &sent(&server).await);
    let status = bot.status();
    assert!(status.connected && status.failure.is_none(), "{status:?}");
    assert_eq!(status.shards.len(), 2);
}

#[tokio::test]
async fn a_change_is_paused_and_aborted_between_steps() {
    let server = serve(busy()).await;
    let (bot, mut log) = start(&server, 2).await;
    let mut change = bot.reshard_to(4).await.unwrap();
    assert!(matches!(bot.reshard_to(8).await, Err(ReshardError::Busy)));
    change.pause();
    let paused = async {
        while change.changed().await {
            let status = change.status();
            if status.stage == "switching" {
                return status;
            }
        }
        panic!("it ended: {:?}", change.status());
    };
    let status = while_taking(&mut log, &bot, paused).await;
    assert!(status.paused);
    while_taking(&mut log, &bot, tokio::time::sleep(Duration::from_secs(1))).await;
    assert_eq!(
        change.status().guilds_switched,
        0,
        "nothing switches in a pause"
    );
    change.resume();
    change.abort();
    let report = while_taking(&mut log, &bot, change.finished())
        .await
        .unwrap();
    settle(&server, &bot, &mut log).await;
    assert_eq!(report.outcome, Outcome::Aborted);
    assert_eq!(
        report.serving, "1/2;0,2/4",
        "the step that had begun was taken"
    );
    assert_once(&log.events, &sent(&server).await);
    assert!(bot.status().connected);
    assert!(bot.status().resharding.is_none());
}

#[tokio::test]
async fn a_change_that_cannot_be_says_what_can() {
    let server = serve(WorldConfig {
        identify_remaining: 60,
        ..busy()
    })
    .await;
    let bot = bot(config(&server).set("shards", 2));
    let early = bot.reshard_to(4).await.unwrap_err();
    assert_eq!(early, ReshardError::NotRunning);
    bot.start().await.unwrap();
    Log::default().until_connected(&bot).await;
    let nothing = bot.plan(Target::Shards(2)).await.unwrap_err();
    assert!(nothing.to_string().contains("nothing"), "{nothing}");
    let dear = bot.reshard_to(16).await.unwrap_err().to_string();
    assert!(dear.contains("identifies"), "{dear}");
    let plan = bot.plan(Target::Shards(4)).await.unwrap();
    assert_eq!(plan.estimate().identifies, 4);
    assert_eq!(bot.status().shards.len(), 2, "a plan does nothing");

    let part = crate::support::bot(config(&server).set("shards", "0/2"));
    part.start().await.unwrap();
    part.ready().await.unwrap();
    let partial = part.reshard_to(4).await.unwrap_err();
    assert_eq!(partial, ReshardError::Partial("0/2".to_owned()));
}

#[tokio::test]
async fn a_bot_that_has_outgrown_its_shards_gets_more_by_itself() {
    let server = serve(busy()).await;
    let (bot, mut log) = start(&server, 1).await;
    // 32 guilds on one shard: in a dry run that is said, and nothing done.
    let mut when = AutoReshard {
        max_guilds_per_shard: 30,
        check_interval_ms: 200,
        dry_run: true,
    };
    bot.enable_auto_reshard(when).unwrap();
    let decided = |part: &'static str| {
        let bot = bot.clone();
        async move {
            loop {
                let status = bot.status().auto_reshard.unwrap_or_default();
                if status.decision.contains(part) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    let status = while_taking(&mut log, &bot, decided("would go from 1 to 2")).await;
    assert_eq!(
        (status.guilds, status.shards, status.dry_run),
        (32, 1, true)
    );
    assert!(bot.status().resharding.is_none());

    when.dry_run = false;
    bot.enable_auto_reshard(when).unwrap();
    while_taking(&mut log, &bot, decided("under way")).await;
    let status = while_taking(&mut log, &bot, decided("nothing to do")).await;
    assert_eq!(
        (status.guilds, status.shards),
        (32, 2),
        "16 on a shard are few enough"
    );
    bot.disable_auto_reshard().unwrap();
    settle(&server, &bot, &mut log).await;
    assert!(bot.status().auto_reshard.is_none());
    assert_once(&log.events, &sent(&server).await);
}

/// What a step has led to is the bot's; only what the step that is under way has started is given up.
#[tokio::test]
async fn a_stop_in_the_second_step_keeps_the_sessions_of_the_first() {
    let server = serve(busy()).await;
    let (bot, mut log) = start(&server, 2).await;
    let mut change = bot.reshard_to(4).await.unwrap();
    let first = async {
        while change.status().steps_taken == 0 || change.status().step.is_empty() {
            assert!(change.changed().await, "it goes on");
        }
    };
    while_taking(&mut log, &bot, first).await;
    let snapshots = bot.shutdown(true).await;
    let mut kept: Vec<_> = snapshots.iter().filter_map(|kept| kept.shard()).collect();
    kept.sort_unstable();
    let served = [(1, 2), (0, 4), (2, 4)].map(|(index, total)| ShardId::new(index, total));
    assert_eq!(kept, served.map(Option::unwrap));
}
