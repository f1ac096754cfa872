//! kill -9, again and again, while events flow.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, DEFAULT_TOKEN, WorldConfig};

use crate::child::{BotProcess, Said};
use crate::redis_support::Server as Redis;
use crate::support::{serve, world};
use crate::{Folder, needs_redis};

const SHARDS: u32 = 4;
const KILLS: usize = 3;

/// Events a second over all guilds.
const CHATTER: u32 = 300;

pub(crate) fn options(server: &Server, more: &Value) -> Value {
    let mut options = json!({
        "token": DEFAULT_TOKEN,
        "api_base": server.api_base(),
        "intents": "all",
        "shards": SHARDS,
        "session_store": { "interval_ms": 100 },
        "log_level": "off",
    });
    merge(&mut options, more);
    options
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}

/// What the simulator sent on the one session of each shard: digest by sequence.
async fn sent(server: &Server) -> BTreeMap<(u32, u64), u64> {
    let answer = server.control(Control::Sessions).await;
    let sessions = answer["sessions"].as_array().expect("a list").clone();
    assert_eq!(
        sessions.len(),
        SHARDS as usize,
        "one session each: {answer}"
    );
    let mut sent = BTreeMap::new();
    for session in sessions {
        let shard = session["shard"][0].as_u64().expect("a shard");
        let shard = u32::try_from(shard).expect("small");
        let name = session["session"].as_str().expect("a name").to_owned();
        let ledger = server.control(Control::Ledger { session: name }).await;
        for entry in ledger["entries"].as_array().expect("a list") {
            let sequence = entry["seq"].as_u64().expect("s");
            sent.insert(
                (shard, sequence),
                entry["digest"].as_u64().expect("a digest"),
            );
        }
    }
    sent
}

/// Compares what the bots handled, one after the other, with what was sent: everything at least once, and what came
/// again said so. How many came again.
fn compare(log: &[Said], sent: &BTreeMap<(u32, u64), u64>) -> usize {
    let mut seen = BTreeMap::new();
    let mut again = 0;
    for said in log {
        let Said::Handled {
            shard,
            sequence,
            digest,
            replayed,
            ..
        } = *said
        else {
            continue;
        };
        match seen.insert((shard, sequence), digest) {
            None => {}
            Some(before) => {
                assert_eq!(before, digest, "{shard} {sequence} is another");
                assert!(
                    replayed,
                    "{shard} {sequence} came again and does not say so"
                );
                again += 1;
            }
        }
    }
    // A RESUMED counts in the sequence and is not in the ledger.
    let lost: Vec<_> = sent
        .iter()
        .filter(|(key, digest)| seen.get(key) != Some(digest))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost: {lost:?}",
        lost.len(),
        sent.len()
    );
    again
}

/// A message on each shard is handled.
async fn until_quiet(server: &Server, bot: &BotProcess, log: &mut Vec<Said>) {
    server.control(Control::Calm).await;
    let sent = sent(server).await;
    let mut last = BTreeMap::new();
    for &(shard, sequence) in sent.keys() {
        last.insert(shard, sequence);
    }
    let mut open: Vec<_> = last.into_iter().collect();
    let seen = |log: &[Said], (of, at): (u32, u64)| {
        log.iter().any(|said| {
            matches!(*said, Said::Handled { shard, sequence, .. } if shard == of && sequence >= at)
        })
    };
    open.retain(|&place| !seen(log, place));
    if open.is_empty() {
        return;
    }
    bot.until(log, |said| {
        if let Said::Handled {
            shard, sequence, ..
        } = *said
        {
            open.retain(|&(of, at)| of != shard || at > sequence);
        }
        open.is_empty()
    });
}

async fn nothing_is_lost(store: Value) {
    let server = serve(WorldConfig {
        recommended_shards: SHARDS,
        ..world()
    })
    .await;
    let options = options(&server, &store);
    server.control(Control::Chatter { per_s: CHATTER }).await;
    let mut log = Vec::new();
    for kill in 0..KILLS {
        let bot = BotProcess::start(&options);
        // At the last, in the middle of what was missed.
        let handled = [150, 200, 20][kill % 3];
        let mut left = handled;
        bot.until(&mut log, |said| {
            left -= i32::from(matches!(said, Said::Handled { .. }));
            left == 0
        });
        if kill == 0 {
            // Once it has had time to store a session.
            std::thread::sleep(Duration::from_millis(400));
        }
        bot.kill(&mut log);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let bot = BotProcess::start(&options);
    bot.until(&mut log, |said| matches!(said, Said::Ready));
    tokio::time::sleep(Duration::from_millis(300)).await;
    until_quiet(&server, &bot, &mut log).await;
    bot.stop(&mut log);

    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], SHARDS, "{counters}");
    let violations = server.control(Control::Violations).await;
    assert_eq!(violations["violations"], json!([]));
    let complaints: Vec<_> = log
        .iter()
        .filter(|said| matches!(said, Said::Lost(_)))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    let again = compare(&log, &sent(&server).await);
    assert!(
        again > 0,
        "a kill in the middle of work leaves something to repeat"
    );

    // What was stopped in order repeats nothing.
    let mut after = Vec::new();
    let bot = BotProcess::start(&options);
    bot.until(&mut after, |said| matches!(said, Said::Ready));
    bot.stop(&mut after);
    let handled = after
        .iter()
        .filter(|said| matches!(said, Said::Handled { .. }));
    // RESUMED alone.
    assert!(handled.count() <= SHARDS as usize, "{after:?}");
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], SHARDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_file() {
    let folder = Folder::new();
    let store = json!({ "session_store": { "kind": "file", "path": folder.text() } });
    nothing_is_lost(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_lmdb() {
    let folder = Folder::new();
    let store = json!({ "session_store": { "kind": "lmdb", "path": folder.text() } });
    nothing_is_lost(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_redis() {
    needs_redis!();
    let redis = Redis::start();
    let store =
        json!({ "session_store": { "kind": "redis" }, "redis_config": { "url": redis.url() } });
    nothing_is_lost(store).await;
}
