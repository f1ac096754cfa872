//! The demo's second act: another number of shards while events flow, and a process that is killed.

mod change;
mod killed;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{Control, LedgerDetail, WorldConfig};

use super::screen::Screen;
use super::story::ask;
use crate::failure::Failure;

/// How many shards there are, and how many there are to be.
const BEFORE: u32 = 2;
const AFTER: u32 = 4;

/// How many guilds.
const GUILDS: u32 = 48;

/// What this act compares: a message has an id that no other has.
const COMPARED: &str = "MESSAGE_CREATE";

/// How both scenes ended.
pub(super) struct Report {
    change: change::Changed,
    killed: killed::Survived,
}

/// A message: which session it was sent on, its sequence there, its digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    session: String,
    sequence: u64,
    digest: u64,
}

#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<Session>,
}

#[derive(Deserialize)]
struct Session {
    session: String,
    shard: [u32; 2],
}

#[derive(Deserialize)]
struct Ledger {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    seq: u64,
    t: String,
    digest: u64,
}

pub(super) async fn tell(screen: &Arc<Screen>, seed: u64, rate: u32) -> Result<Report, Failure> {
    Ok(Report {
        change: change::tell(screen, seed, rate).await?,
        killed: killed::tell(screen, seed, rate).await?,
    })
}

async fn serve(seed: u64, rate: u32) -> Result<Server, Failure> {
    let world = WorldConfig {
        seed,
        guilds: GUILDS,
        members_per_guild: 20,
        max_concurrency: 16,
        recommended_shards: BEFORE,
        chatter_per_s: rate,
        stream_interval_ms: 10,
        ledger: LedgerDetail::Entries(usize::MAX),
        replay_capacity: 100_000,
        ..WorldConfig::default()
    };
    let config = ServerConfig {
        world,
        ..ServerConfig::default()
    };
    let served = Server::start(config).await;
    served.map_err(|error| Failure::Failed(error.to_string()))
}

/// Every message of every session, with its shard.
async fn sent(server: &Server) -> Result<Vec<([u32; 2], Sent)>, Failure> {
    let listed: Sessions = ask(server, Control::Sessions).await?;
    let mut all = Vec::new();
    for Session { session, shard } in listed.sessions {
        let control = Control::Ledger {
            session: session.clone(),
        };
        let ledger: Ledger = ask(server, control).await?;
        let messages = ledger
            .entries
            .into_iter()
            .filter(|entry| entry.t == COMPARED);
        all.extend(messages.map(|entry| {
            let sent = Sent {
                session: session.clone(),
                sequence: entry.seq,
                digest: entry.digest,
            };
            (shard, sent)
        }));
    }
    Ok(all)
}

async fn counter(server: &Server, name: &str) -> Result<u64, Failure> {
    let counters: BTreeMap<String, Value> = ask(server, Control::Counters).await?;
    let count = counters.get(name).and_then(Value::as_u64);
    count.ok_or_else(|| Failure::Failed(format!("the simulator does not count {name}")))
}

impl Report {
    /// The tables for people.
    pub(super) fn table(&self) -> String {
        format!("{}{}", self.change.table(), self.killed.table())
    }

    pub(super) fn json(&self) -> Value {
        json!({ "reshard": self.change.json(), "killed": self.killed.json() })
    }

    /// Whether everything happened as told.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let wrong: Vec<_> = self
            .change
            .wrong()
            .into_iter()
            .chain(self.killed.wrong())
            .collect();
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(Failure::Failed(format!(
                "the demo's second act did not end well: {}",
                wrong.join("; ")
            ))),
        }
    }
}
