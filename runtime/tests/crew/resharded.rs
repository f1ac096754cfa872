//! A fleet of six changes its shards while events flow.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use shardkeep_sim::Control;
use shardkeep_sim::server::Server;

use crate::child::Said;
use crate::needs_redis;
use crate::redis_support::Server as Redis;
use crate::shared::{Fleet, running, running_with, say};
use crate::support::PATIENCE;

/// What belongs to a session and not to what happens in guilds.
const OWN: [&str; 4] = ["READY", "RESUMED", "GUILD_CREATE", "GUILD_DELETE"];

/// What Discord sends once in all time: two that are alike are one.
const ONCE: [&str; 2] = ["MESSAGE_CREATE", "INTERACTION_CREATE"];

/// Of each payload its event's name, and how often it was sent, by session.
type Sent = BTreeMap<u64, (String, BTreeMap<String, usize>)>;

async fn sent(server: &Server) -> Sent {
    let answer = server.control(Control::Sessions).await;
    let mut sent = Sent::new();
    for session in answer["sessions"].as_array().expect("a list") {
        assert_ne!(session["truncated"], true, "the ledger must hold all");
        let name = session["session"].as_str().expect("a name").to_owned();
        let ask = Control::Ledger {
            session: name.clone(),
        };
        let ledger = server.control(ask).await;
        for entry in ledger["entries"].as_array().expect("a list") {
            let event = entry["t"].as_str().expect("a name");
            if !OWN.contains(&event) {
                let digest = entry["digest"].as_u64().expect("a digest");
                let known = sent.entry(digest).or_default();
                known.0 = event.to_owned();
                *known.1.entry(name.clone()).or_default() += 1;
            }
        }
    }
    sent
}

/// Every event at least once, and no more often than sessions had it, but for replays that say so. How many events
/// there were, and how often one came more often than it had to.
fn compare(log: &[Said], sent: &Sent) -> (usize, usize) {
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
    let (mut events, mut again, mut lost) = (0, 0, Vec::new());
    for (digest, (name, sessions)) in sent {
        let most = sessions.values().copied().max().unwrap_or_default();
        let is_once = ONCE.contains(&name.as_str());
        let bound = if is_once { 1 } else { sessions.values().sum() };
        let (times, replayed) = handled.get(digest).copied().unwrap_or_default();
        if times < most {
            lost.push(format!("{name}: {times} of {sessions:?}"));
        }
        events += most;
        again += (times - replayed).saturating_sub(bound);
    }
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
    (events, again)
}

impl Fleet {
    /// Until some guilds have switched and others have not, as the process that leads the change says.
    fn until_switching(&mut self, leader: usize) {
        let bot = self.bots[leader].as_ref().expect("it runs");
        bot.until(
            &mut self.log,
            |said| matches!(said, Said::Switched(guilds, _) if *guilds > 100),
        );
    }

    /// Until some process has said that the change has ended.
    fn until_changed(&mut self, asked: usize) -> String {
        let until = shardkeep::clock::now() + 12 * PATIENCE;
        loop {
            assert!(shardkeep::clock::now() < until, "the change goes on and on");
            for (number, bot) in self.bots.iter().enumerate() {
                let Some(bot) = bot else {
                    continue;
                };
                while let Ok(said) = bot.next(Duration::from_millis(1)) {
                    let ended = match &said {
                        Said::Ended(account) => Some(account.clone()),
                        Said::Changed(shards) if number != asked && self.bots[asked].is_none() => {
                            Some(shards.clone())
                        }
                        _ => None,
                    };
                    self.log.push(said);
                    if let Some(ended) = ended {
                        return ended;
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_eight_shards_become_ninety_six_over_six_processes() {
    needs_redis!();
    let redis = Redis::start();
    let mut fleet = running(redis.url(), 6, 48, 4_000).await;
    fleet.bots[2].as_mut().expect("it runs").generation(96);
    let account = fleet.until_changed(2);
    assert_eq!(account, "96 0 all steps were taken");
    fleet.shards = 96;
    fleet.until_whole().await;
    fleet.settle().await;
    let violations = fleet.server.control(Control::Violations).await;
    assert_eq!(violations["violations"], json!([]));
    assert_eq!(fleet.counter("identifies").await, 48 + 96);
    let sent = sent(&fleet.server).await;
    let (events, again) = compare(&fleet.log, &sent);
    assert_eq!(again, 0);
    assert!(events > 5_000, "too little happened: {events}");
    say(&format!(
        "48 to 96 over six processes: {events} events, none lost, none twice"
    ));
}

/// The process that leads is killed while guilds switch, and another one with it. The others go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_outlives_the_process_that_leads_it() {
    needs_redis!();
    let redis = Redis::start();
    // Many guilds are silent, and take their time.
    let mut fleet = running_with(redis.url(), 4, 12, 1_000, 3_000).await;
    fleet.bots[1].as_mut().expect("it runs").generation(24);
    fleet.until_switching(1);
    fleet.kill(1);
    fleet.kill(3);
    let open = fleet.until_changed(1);
    say(&format!(
        "the change went on without its leader: {open} shards on one process"
    ));
    fleet.shards = 24;
    fleet.until_whole().await;
    fleet.settle().await;
    let violations = fleet.server.control(Control::Violations).await;
    assert_eq!(violations["violations"], json!([]));
    assert_eq!(fleet.counter("identifies").await, 12 + 24, "resumes only");
    let sent = sent(&fleet.server).await;
    let (events, again) = compare(&fleet.log, &sent);
    say(&format!(
        "two of four killed while guilds switched: {events} events, none lost, {again} again without saying so"
    ));
}

/// A hot guild gets a session of its own, which may lie in another process than its shard, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_guild_is_isolated_and_comes_back_over_three_processes() {
    needs_redis!();
    let redis = Redis::start();
    let mut fleet = running(redis.url(), 3, 12, 3_000).await;
    fleet.bots[0].as_mut().expect("it runs").overlay("isolate");
    assert_eq!(fleet.until_changed(0), "1 0 all steps were taken");
    fleet.shards = 13;
    fleet.until_whole().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    fleet.bots[0].as_mut().expect("it runs").overlay("rejoin");
    assert_eq!(fleet.until_changed(0), "0 0 all steps were taken");
    fleet.shards = 12;
    fleet.until_whole().await;
    fleet.settle().await;
    let violations = fleet.server.control(Control::Violations).await;
    assert_eq!(violations["violations"], json!([]));
    let sent = sent(&fleet.server).await;
    let (events, again) = compare(&fleet.log, &sent);
    assert_eq!(again, 0);
    say(&format!(
        "isolated and back over three processes: {events} events, none lost, none twice"
    ));
}

/// A process is told to stop while guilds switch, as a spot instance is, and Redis is restarted.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_goes_on_while_a_process_leaves_and_redis_restarts() {
    needs_redis!();
    let mut redis = Redis::with(&["--appendonly", "yes"]);
    let mut fleet = running_with(redis.url(), 4, 12, 1_000, 4_000).await;
    fleet.bots[1].as_mut().expect("it runs").generation(24);
    fleet.until_switching(1);
    fleet.stop(2);
    redis.restart();
    // What is possibly lost is an upper bound where a session moves in the middle; what was lost is looked at below.
    let account = fleet.until_changed(1);
    assert!(
        account.starts_with("24 ") && account.ends_with("all steps were taken"),
        "{account}"
    );
    say(&format!("identifies, possibly lost, outcome: {account}"));
    fleet.shards = 24;
    fleet.until_whole().await;
    fleet.settle().await;
    let violations = fleet.server.control(Control::Violations).await;
    assert_eq!(violations["violations"], json!([]));
    assert_eq!(fleet.counter("identifies").await, 12 + 24, "resumes only");
    let sent = sent(&fleet.server).await;
    let (events, again) = compare(&fleet.log, &sent);
    say(&format!(
        "one stopped and Redis restarted while guilds switched: {events} events, none lost, {again} again without \
         saying so"
    ));
}
