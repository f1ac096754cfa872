//! One gateway session: what it may hear, what it was sent, and what it keeps for a resume.

use std::collections::VecDeque;
use std::sync::Arc;

use shardkeep_core::wire::Intents;
use shardkeep_core::{Instant, ShardId};

use super::dispatch::Event;
use super::ledger::SessionLedger;

/// What a dispatch carries. Guilds are made anew when they are replayed: a large one is much longer than its index.
#[derive(Clone, Debug)]
pub(crate) enum Cargo {
    /// An event shared by every session that hears it; `blank` if this one must not see message content.
    Event { event: Arc<Event>, blank: bool },
    /// GUILD_CREATE of the guild with this index, and its `unavailable` key.
    Guild {
        index: u32,
        unavailable: Option<bool>,
    },
    /// GUILD_MEMBERS_CHUNK: which one of a request.
    Chunk {
        request: Arc<MembersRequest>,
        at: usize,
    },
}

/// What a client asked for with op 8. Chunks are written from it when they are sent, and again when they are replayed.
#[derive(Debug)]
pub(crate) struct MembersRequest {
    pub(crate) guild: u32,
    /// Positions in the guild's list.
    pub(crate) members: Vec<u32>,
    pub(crate) not_found: Vec<u64>,
    pub(crate) presences: bool,
    pub(crate) nonce: Option<String>,
}

impl MembersRequest {
    /// At most 1,000 members in each chunk; one chunk even if there are none.
    pub(crate) fn chunks(&self) -> usize {
        self.members.len().div_ceil(MEMBERS_PER_CHUNK).max(1)
    }

    pub(crate) fn chunk(&self, at: usize) -> &[u32] {
        self.members
            .chunks(MEMBERS_PER_CHUNK)
            .nth(at)
            .unwrap_or_default()
    }
}

const MEMBERS_PER_CHUNK: usize = 1_000;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) shard: ShardId,
    pub(crate) intents: Intents,
    pub(crate) large_threshold: u64,
    /// What the client asked of transport and payload compression, to compare a resume with.
    pub(crate) query: String,
    pub(crate) payload_compression: bool,
    pub(crate) seq: u64,
    pub(crate) connection: Option<u64>,
    /// READY was sent.
    pub(crate) ready: bool,
    pub(crate) detached_at: Instant,
    /// Guilds still to be sent, the next one last.
    pub(crate) guilds: Vec<u32>,
    /// Member requests, and the next chunk of each.
    pub(crate) requests: VecDeque<(Arc<MembersRequest>, usize)>,
    /// An alarm for the next guilds and chunks is set.
    pub(crate) streaming: bool,
    /// Events have dried up, and whether a resume would help.
    pub(crate) dry: Option<bool>,
    kept: VecDeque<(u64, Cargo)>,
    /// The highest `s` that is no longer kept.
    forgotten: u64,
    pub(crate) ledger: SessionLedger,
}

impl Session {
    pub(crate) fn new(id: String, shard: ShardId, intents: Intents, connection: u64) -> Self {
        Self {
            ledger: SessionLedger::new(id.clone(), shard),
            id,
            shard,
            intents,
            large_threshold: 50,
            query: String::new(),
            payload_compression: false,
            seq: 0,
            connection: Some(connection),
            ready: false,
            detached_at: Instant::ZERO,
            guilds: Vec::new(),
            requests: VecDeque::new(),
            streaming: false,
            dry: None,
            kept: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Keeps a dispatch for a resume; the oldest one goes if there are too many.
    pub(crate) fn keep(&mut self, seq: u64, cargo: Cargo, capacity: usize) {
        self.kept.push_back((seq, cargo));
        while self.kept.len() > capacity {
            if let Some((seq, _)) = self.kept.pop_front() {
                self.forgotten = seq;
            }
        }
    }

    /// Whether everything after `seq` is still there.
    pub(crate) fn can_replay_after(&self, seq: u64) -> bool {
        seq >= self.forgotten
    }

    /// Everything after `seq`, oldest first.
    pub(crate) fn after(&self, seq: u64) -> Vec<(u64, Cargo)> {
        let from = self.kept.partition_point(|&(kept, _)| kept <= seq);
        self.kept.range(from..).cloned().collect()
    }
}
