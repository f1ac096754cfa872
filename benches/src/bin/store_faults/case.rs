//! One store under one cache, and what goes wrong with it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shardkeep::Bot;
use shardkeep::config::Config;
use shardkeep::core::cache::Stats;
use shardkeep_benches::usage::wall_ns;

use super::Outcome;
use super::proxy::{Mode, Proxy};
use super::redis::Server;
use super::traffic::Traffic;

/// Memory for everything that is told.
const BUDGET: u64 = 256 << 20;

/// For the cases in which a store never takes what waits: little may wait, so that the bound is reached.
const LITTLE: u64 = 1 << 20;

/// Every case, by the name that it goes by.
pub(crate) const CASES: [&str; 8] = [
    "no store",
    "Redis",
    "Redis, paused",
    "Redis, killed",
    "Redis, answers 300 ms late",
    "Redis, answers wrong",
    "LMDB",
    "LMDB, full",
];

/// What dispatches took in one phase of a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) dispatches: usize,
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) p999_ns: u64,
    pub(crate) max_ns: u64,
    /// Writes that were made meanwhile, and what became of them.
    pub(crate) made: u64,
    pub(crate) written: u64,
    pub(crate) coalesced: u64,
    pub(crate) dropped: u64,
    pub(crate) open: u64,
}

impl Measured {
    fn new(name: &str, mut took: Vec<u64>, before: &Stats, after: &Stats) -> Self {
        took.sort_unstable();
        let at = |per_mille: usize| {
            let index = (took.len() * per_mille / 1_000).min(took.len().saturating_sub(1));
            took.get(index).copied().unwrap_or_default()
        };
        Self {
            name: name.to_owned(),
            dispatches: took.len(),
            p50_ns: at(500),
            p99_ns: at(990),
            p999_ns: at(999),
            max_ns: at(1_000),
            made: after.made - before.made,
            written: after.written - before.written,
            coalesced: after.coalesced - before.coalesced,
            dropped: after.dropped - before.dropped,
            open: after.open,
        }
    }

    pub(crate) fn line(&self) -> String {
        format!(
            "{}: {} dispatches, p50 {} ns, p99 {} ns, p99.9 {} ns, at most {} ns; {} writes made, {} written, {} \
             coalesced, {} dropped, {} open",
            self.name,
            self.dispatches,
            self.p50_ns,
            self.p99_ns,
            self.p999_ns,
            self.max_ns,
            self.made,
            self.written,
            self.coalesced,
            self.dropped,
            self.open
        )
    }
}

/// A bot's cache, and the traffic that goes into it.
struct Stage {
    bot: Bot,
    traffic: Traffic,
    phases: Vec<Measured>,
}

impl Stage {
    fn new(options: &Value) -> Outcome<Self> {
        let mut config = Config::builder()
            .token("MTA.bench.bench")
            // Nobody is there: Discord is asked for nothing that is hot.
            .api_base("http://127.0.0.1:9/api/v10")
            .set("cache.budget_bytes", BUDGET);
        for (name, value) in options.as_object().into_iter().flatten() {
            config = config.set(name, value.clone());
        }
        let bot = Bot::new(config.build()?)?;
        let feed = bot.start_cache_alone()?.ok_or("there is a budget")?;
        Ok(Self {
            traffic: Traffic::begin(feed)?,
            bot,
            phases: Vec::new(),
        })
    }

    fn stats(&self) -> Stats {
        self.bot
            .cache()
            .map(shardkeep::cache::Cache::stats)
            .unwrap_or_default()
    }

    /// Until the store has everything, or half a minute.
    fn settle(&self) {
        let begun = wall_ns();
        while self.stats().open > 0 && wall_ns() - begun < 30_000_000_000 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn measure(&mut self, name: &str, time: Duration) {
        let before = self.stats();
        let took = self.traffic.go_on(time);
        let measured = Measured::new(name, took, &before, &self.stats());
        self.phases.push(measured);
    }

    /// Traffic that is not measured: memory and connections come to what they need.
    fn warm(&mut self) {
        self.traffic.go_on(Duration::from_secs(2));
    }
}

pub(crate) fn run(name: &str, seconds: u64) -> Outcome<Vec<Measured>> {
    let time = Duration::from_secs(seconds);
    let folder = Folder::new();
    let (store, fault) = name.split_once(", ").unwrap_or((name, ""));
    let stage = match store {
        "Redis" => over_redis(name, fault, time)?,
        "LMDB" => {
            let is_full = fault == "full";
            let mut stage = Stage::new(&json!({
                "store.kind": "lmdb",
                "store.path": folder.0,
                "store.map_bytes": if is_full { 4 << 20 } else { 512 << 20 },
                "cache.pending_bytes_max": if is_full { LITTLE } else { 64 << 20 },
            }))?;
            if !is_full {
                stage.settle();
            }
            stage.warm();
            stage.measure(name, time);
            stage
        }
        _ => {
            let mut stage = Stage::new(&json!({ "store.kind": "none" }))?;
            stage.warm();
            stage.measure(name, time);
            stage
        }
    };
    Ok(stage.phases)
}

fn over_redis(name: &str, fault: &str, time: Duration) -> Outcome<Stage> {
    let mut server = Server::start()?;
    let proxy = Proxy::before(server.port)?;
    let port = match fault {
        "answers 300 ms late" | "answers wrong" => proxy.port,
        _ => server.port,
    };
    let mut stage = Stage::new(&json!({
        "store.kind": "redis",
        "redis_config.url": format!("redis://127.0.0.1:{port}"),
    }))?;
    stage.settle();
    stage.warm();
    match fault {
        "paused" => server.pause()?,
        "killed" => server.kill()?,
        "answers 300 ms late" => proxy.set(Mode::Late),
        "answers wrong" => proxy.set(Mode::Wrong),
        _ => {}
    }
    stage.measure(name, time);
    if fault == "paused" {
        server.go_on()?;
        stage.measure("Redis, going on after the pause", time / 2);
    }
    Ok(stage)
}

/// A folder for LMDB, which goes with the case.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("shardkeep-bench-lmdb-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Most cases never make it.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}
