//! The store of sessions: slow, away, and fenced.

use std::collections::BTreeMap;

use shardkeep_core::ShardId;

use super::reshard::Shape;
use crate::Instant;

/// The order of what is written for a shard: the lease's token, then time.
pub(super) type Version = (u64, u64);

/// A line for the store: what a shard's session is, or that there is none.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) shard: ShardId,
    pub(super) version: Version,
    pub(super) text: Option<String>,
    /// Session, epoch, received and acknowledged of what is written.
    pub(super) mark: Option<Mark>,
}

/// A line for the store: a side of a cutover, or that there is none.
#[derive(Clone, Debug)]
pub(super) struct PartLine {
    pub(super) shard: ShardId,
    pub(super) version: Version,
    /// Which of those that the session gave it is.
    pub(super) number: u64,
    pub(super) text: Option<String>,
}

/// What is stored of a shard: its session, and its side of a cutover.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) session: Option<String>,
    pub(super) part: Option<String>,
}

/// What is written at once.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) lines: Vec<Line>,
    pub(super) parts: Vec<PartLine>,
    pub(super) shape: Option<Shape>,
}

/// What a stored session says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) session: String,
    pub(super) epoch: u32,
    pub(super) received: u64,
    pub(super) acknowledged: u64,
}

/// The store.
#[derive(Debug, Default)]
pub(super) struct Store {
    lines: BTreeMap<ShardId, (Version, Option<String>)>,
    parts: BTreeMap<ShardId, (Version, Option<String>)>,
    /// What else is kept: what serves, and the identify account.
    pub(super) shape: Option<Shape>,
    pub(super) account: Option<(Instant, shardkeep_core::fleet::Snapshot)>,
    pub(super) away_until: Instant,
    pub(super) slow_until: Instant,
    pub(super) superseded: u64,
}

impl Store {
    /// Writes a line, unless what is there was written under a greater token or later. Whether it was written.
    pub(super) fn write(&mut self, line: &Line) -> bool {
        let known = self.lines.get(&line.shard);
        if known.is_some_and(|(version, _)| *version >= line.version) {
            self.superseded += 1;
            return false;
        }
        self.lines
            .insert(line.shard, (line.version, line.text.clone()));
        true
    }

    /// The same, of a side of a cutover.
    pub(super) fn write_part(&mut self, line: &PartLine) {
        let known = self.parts.get(&line.shard);
        if known.is_none_or(|(version, _)| *version < line.version) {
            let part = (line.version, line.text.clone());
            self.parts.insert(line.shard, part);
        }
    }

    pub(super) fn find(&self, shard: ShardId) -> Found {
        let part = self.parts.get(&shard);
        Found {
            session: self.read(shard),
            part: part.and_then(|(_, text)| text.clone()),
        }
    }

    pub(super) fn read(&self, shard: ShardId) -> Option<String> {
        self.lines.get(&shard).and_then(|(_, text)| text.clone())
    }
}
