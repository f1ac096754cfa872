//! The life of a fleet of six.

use std::time::Duration;

use serde_json::{Value, json};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, DEFAULT_TOKEN, LedgerDetail, WorldConfig};

use crate::child::{BotProcess, Said};
use crate::log::{compare, sent};
use crate::needs_redis;
use crate::redis_support::Server as Redis;
use crate::redis_support::cluster::Cluster;
use crate::support::{serve, world};

/// Events a second over all guilds.
const CHATTER: u32 = 300;

pub(crate) struct Fleet {
    pub(crate) server: Server,
    redis_url: String,
    pub(crate) bots: Vec<Option<BotProcess>>,
    pub(crate) log: Vec<Said>,
    pub(crate) shards: u32,
    term_ms: u64,
}

impl Fleet {
    pub(crate) async fn new(redis_url: String, shards: u32, guilds: u32, term_ms: u64) -> Self {
        let server = serve(WorldConfig {
            guilds,
            members_per_guild: 5,
            ledger: LedgerDetail::Entries(1 << 20),
            ..world()
        })
        .await;
        Self {
            server,
            redis_url,
            bots: Vec::new(),
            log: Vec::new(),
            shards,
            term_ms,
        }
    }

    fn options(&self, number: usize) -> Value {
        json!({
            "token": DEFAULT_TOKEN,
            "api_base": self.server.api_base(),
            "intents": "all",
            "shards": self.shards,
            "session_store": { "kind": "redis", "interval_ms": 100 },
            "redis_config": { "url": self.redis_url },
            "fleet": { "kind": "redis", "name": format!("bot-{number}"), "term_ms": self.term_ms, "handover": 16,
                "capacity": 32 },
            "on_shutdown": "transfer",
            // `CREW_LOG=debug` shows what each process thinks.
            "log_level": std::env::var("CREW_LOG").unwrap_or_else(|_| "off".to_owned()),
        })
    }

    pub(crate) fn start(&mut self, number: usize) {
        let bot = BotProcess::start(&self.options(number));
        if self.bots.len() <= number {
            self.bots.resize_with(number + 1, || None);
        }
        self.bots[number] = Some(bot);
    }

    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let counters = self.server.control(Control::Counters).await;
        counters[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no {name}: {counters}"))
    }

    /// Until every shard has a session that is connected, and has had for a moment.
    pub(crate) async fn until_whole(&mut self) {
        let mut calm = 0;
        for _ in 0..1_200 {
            let sessions = self.server.control(Control::Sessions).await;
            let sessions = sessions["sessions"].as_array().expect("a list").clone();
            let connected = sessions
                .iter()
                .filter(|session| session["connected"] == true);
            calm = if connected.count() == self.shards as usize {
                calm + 1
            } else {
                0
            };
            if calm == 10 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "not every shard is connected: {}",
            self.server.control(Control::Sessions).await
        );
    }

    /// What the bots say is taken from them all the while, so that no pipe is full.
    pub(crate) fn stop(&mut self, number: usize) {
        let bot = self.bots[number].take().expect("it runs");
        bot.stop(&mut self.log);
    }

    pub(crate) fn kill(&mut self, number: usize) {
        let bot = self.bots[number].take().expect("it runs");
        bot.kill(&mut self.log);
    }

    /// Everything that was sent is handled.
    pub(crate) async fn settle(&mut self) {
        self.server.control(Control::Calm).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        for number in 0..self.bots.len() {
            if self.bots[number].is_some() {
                self.stop(number);
            }
        }
    }

    async fn assert_whole_account(&self, name: &str) {
        let violations = self.server.control(Control::Violations).await;
        assert_eq!(violations["violations"], json!([]), "{name}");
        assert_eq!(
            self.counter("identifies").await,
            u64::from(self.shards),
            "{name}: resumes only"
        );
        let lost = self.log.iter().filter(|said| matches!(said, Said::Lost(_)));
        let lost: Vec<_> = lost.collect();
        assert!(lost.is_empty(), "{name}: {lost:?}");
    }
}

pub(crate) async fn running(
    redis_url: String,
    processes: usize,
    shards: u32,
    term_ms: u64,
) -> Fleet {
    running_with(redis_url, processes, shards, 2 * shards, term_ms).await
}

/// The same, with so many guilds.
pub(crate) async fn running_with(
    redis_url: String,
    processes: usize,
    shards: u32,
    guilds: u32,
    term_ms: u64,
) -> Fleet {
    let mut fleet = Fleet::new(redis_url, shards, guilds, term_ms).await;
    for number in 0..processes {
        fleet.start(number);
    }
    fleet.until_whole().await;
    fleet
        .server
        .control(Control::Chatter { per_s: CHATTER })
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    fleet
}

/// Everything that was sent was handled, and resumes were enough. How many events came again.
async fn account(fleet: &mut Fleet, name: &str) -> usize {
    fleet.settle().await;
    fleet.assert_whole_account(name).await;
    let sent = sent(&fleet.server, fleet.shards as usize).await;
    let again = compare(&fleet.log, &sent);
    assert!(sent.len() > 1_000, "too little happened: {}", sent.len());
    say(&format!(
        "{name}: {} events, {again} of them again",
        sent.len()
    ));
    again
}

#[tokio::test(flavor = "multi_thread")]
async fn six_processes_share_restart_die_and_lose_nothing() {
    needs_redis!();
    const PROCESSES: usize = 6;
    let mut redis = Redis::with(&["--appendonly", "yes"]);
    let mut fleet = running(redis.url(), PROCESSES, 48, 4_000).await;
    // One after the other, as a deploy does it.
    for number in 0..PROCESSES {
        fleet.stop(number);
        fleet.until_whole().await;
        fleet.start(number);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    fleet.until_whole().await;
    // Two die at once: the others take over when the term is over.
    fleet.kill(1);
    fleet.kill(4);
    fleet.until_whole().await;
    fleet.start(1);
    fleet.start(4);
    // Redis is away for less than a term.
    redis.restart();
    fleet.until_whole().await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let again = account(&mut fleet, "six processes").await;
    assert!(
        again > 0,
        "a kill in the middle of work leaves something to repeat"
    );
}

/// The register's master dies, and its replica takes over within a term.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_loses_the_registers_master_goes_on() {
    needs_redis!();
    let mut cluster = Cluster::start();
    let mut fleet = running(cluster.url(), 3, 12, 8_000).await;
    let master = cluster.master_of("{shardkeep:bot}:fleet:leases");
    cluster.servers[master].kill();
    tokio::time::sleep(Duration::from_secs(6)).await;
    // Who is new gets its share from the register, wherever that is.
    fleet.start(3);
    tokio::time::sleep(Duration::from_secs(4)).await;
    fleet.until_whole().await;
    fleet.stop(0);
    fleet.until_whole().await;
    account(&mut fleet, "a master lost").await;
}

/// Whoever hangs for longer than a term has lost its shards, knows it when it wakes, and says not a word more.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_hangs_is_fenced_and_comes_back() {
    needs_redis!();
    let redis = Redis::start();
    let mut fleet = running(redis.url(), 3, 12, 2_000).await;
    let hung = fleet.bots[0].as_ref().expect("it runs");
    hung.signal("STOP");
    tokio::time::sleep(Duration::from_secs(4)).await;
    fleet.until_whole().await;
    let resumes = fleet.counter("resumes").await;
    assert!(resumes >= 4, "the others took its shards over: {resumes}");
    fleet.bots[0].as_ref().expect("it runs").signal("CONT");
    tokio::time::sleep(Duration::from_secs(3)).await;
    fleet.until_whole().await;
    account(&mut fleet, "one hung").await;
}

/// Without its register nobody can know who runs what: everyone stops, and goes on when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_register_that_is_away_for_long_stops_the_fleet_and_loses_nothing() {
    needs_redis!();
    let redis = Redis::start();
    let mut fleet = running(redis.url(), 3, 12, 2_000).await;
    redis.pause();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let sessions = fleet.server.control(Control::Sessions).await;
    let sessions = sessions["sessions"].as_array().expect("a list").clone();
    assert!(sessions.iter().all(|session| session["connected"] == false));
    redis.go_on();
    fleet.until_whole().await;
    account(&mut fleet, "register away").await;
}

#[expect(clippy::print_stdout, reason = "how much came again is worth knowing")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
