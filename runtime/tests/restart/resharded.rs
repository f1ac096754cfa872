//! kill -9 after a change of shards, and in the middle of one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, LedgerDetail, WorldConfig};

use crate::Folder;
use crate::child::{BotProcess, Said};
use crate::killed::options;
use crate::support::{serve, world};

/// Events a second over all guilds.
const CHATTER: u32 = 300;

/// What belongs to a session and not to what happens in guilds.
const OWN: [&str; 4] = ["READY", "RESUMED", "GUILD_CREATE", "GUILD_DELETE"];

async fn busy() -> Server {
    serve(WorldConfig {
        ledger: LedgerDetail::Entries(1 << 20),
        ..world()
    })
    .await
}

fn two_shards(server: &Server, folder: &Folder) -> Value {
    let store = json!({
        "shards": 2,
        "session_store": { "kind": "file", "path": folder.text() },
    });
    options(server, &store)
}

fn until_handled(bot: &BotProcess, log: &mut Vec<Said>, events: usize) {
    let mut left = events;
    bot.until(log, |said| {
        left -= usize::from(matches!(said, Said::Handled { .. }));
        left == 0
    });
}

/// How many of each payload, over all sessions: the most that one session got, and what all got.
async fn sent(server: &Server) -> BTreeMap<u64, (usize, usize)> {
    let answer = server.control(Control::Sessions).await;
    let mut sent: BTreeMap<u64, BTreeMap<String, usize>> = BTreeMap::new();
    for session in answer["sessions"].as_array().expect("a list") {
        let name = session["session"].as_str().expect("a name").to_owned();
        let ask = Control::Ledger {
            session: name.clone(),
        };
        let ledger = server.control(ask).await;
        for entry in ledger["entries"].as_array().expect("a list") {
            if !OWN.contains(&entry["t"].as_str().expect("a name")) {
                let digest = entry["digest"].as_u64().expect("a digest");
                *sent
                    .entry(digest)
                    .or_default()
                    .entry(name.clone())
                    .or_default() += 1;
            }
        }
    }
    let most = |sessions: BTreeMap<String, usize>| {
        let most = sessions.values().copied().max().unwrap_or_default();
        (most, sessions.into_values().sum())
    };
    sent.into_iter()
        .map(|(digest, sessions)| (digest, most(sessions)))
        .collect()
}

/// Everything at least once. How often something came again that was not marked as a replay.
fn compare(log: &[Said], sent: &BTreeMap<u64, (usize, usize)>) -> usize {
    let mut handled: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for said in log {
        if let Said::Handled {
            digest, replayed, ..
        } = *said
        {
            let counts = handled.entry(digest).or_default();
            counts.0 += 1;
            counts.1 += usize::from(replayed);
        }
    }
    let mut again = 0;
    for (digest, (most, all)) in sent {
        let (times, replayed) = handled.get(digest).copied().unwrap_or_default();
        assert!(times >= *most, "{digest}: {times} of {most}");
        again += (times - replayed).saturating_sub(*all);
    }
    again
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_goes_on_with_the_shards_that_a_change_led_to() {
    let (server, folder) = (busy().await, Folder::new());
    let options = two_shards(&server, &folder);
    server.control(Control::Chatter { per_s: CHATTER }).await;
    let mut log = Vec::new();
    let mut bot = BotProcess::start(&options);
    bot.until(&mut log, |said| matches!(said, Said::Ready));
    bot.reshard(3);
    bot.until(&mut log, |said| *said == Said::Changed("3".to_owned()));
    until_handled(&bot, &mut log, 100);
    bot.kill(&mut log);
    let bot = BotProcess::start(&options);
    bot.until(&mut log, |said| matches!(said, Said::Ready));
    until_handled(&bot, &mut log, 100);
    server.control(Control::Calm).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bot.stop(&mut log);
    let counters = server.control(Control::Counters).await;
    assert_eq!(
        counters["identifies"],
        2 + 3,
        "the second process resumes: {counters}"
    );
    assert_eq!(compare(&log, &sent(&server).await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_while_guilds_switch_goes_on_and_loses_nothing() {
    let (server, folder) = (busy().await, Folder::new());
    let options = two_shards(&server, &folder);
    server.control(Control::Chatter { per_s: CHATTER }).await;
    let mut log = Vec::new();
    let mut bot = BotProcess::start(&options);
    bot.until(&mut log, |said| matches!(said, Said::Ready));
    bot.reshard(3);
    // Some guilds are the new sessions', others still the old ones'.
    bot.until(
        &mut log,
        |said| matches!(said, Said::Switched(guilds, _) if *guilds > 5),
    );
    bot.kill(&mut log);
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], 2 + 3);

    // It goes on with the old shards, which are resumed, and begins the change again.
    let bot = BotProcess::start(&options);
    bot.until(&mut log, |said| *said == Said::Changed("3".to_owned()));
    until_handled(&bot, &mut log, 100);
    server.control(Control::Calm).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bot.stop(&mut log);
    let counters = server.control(Control::Counters).await;
    assert_eq!(counters["identifies"], 2 + 3 + 3, "{counters}");
    let complaints = log.iter().filter(|said| matches!(said, Said::Lost(_)));
    assert_eq!(complaints.count(), 0);
    assert_eq!(
        compare(&log, &sent(&server).await),
        0,
        "what comes again says so"
    );
}
