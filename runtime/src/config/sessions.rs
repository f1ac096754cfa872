//! Options of sessions that outlive their process.

use serde::Deserialize;

use super::option::{ConfigOption, Kind};
use super::table::{integer, option};

/// The options of `session_store`, and `acknowledge`.
pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "session_store.kind",
        Kind::Choice(&["none", "memory", "file", "lmdb", "redis"]),
        "\"none\"",
        "Where sessions are kept, so that a process that starts again resumes every shard and identifies none: `file` \
         on a disk of this machine, `lmdb` in a file that its processes share, `redis` at `redis_config.url`, `memory` \
         for bots that one process makes one after the other.",
    ),
    option(
        "session_store.path",
        Kind::Text,
        "",
        "The folder of `file` and `lmdb`. Default: `sessions` in the bot's folder among the user's caches.",
    ),
    option(
        "session_store.interval_ms",
        integer(20, 60_000),
        "1000",
        "How often what has changed is stored, in milliseconds. A process that is killed repeats what it finished \
         since.",
    ),
    option(
        "acknowledge",
        Kind::Choice(&["auto", "manual"]),
        "\"auto\"",
        "When an event counts as finished: `auto` once its handlers have returned, or where events are taken, once the \
         batch is dropped; `manual` when the program says so. What is not finished when a process dies is replayed to \
         the next.",
    ),
];

/// Where sessions are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct SessionStoreConfig {
    pub kind: SessionStoreKind,
    #[serde(default)]
    pub path: Option<String>,
    pub interval_ms: u64,
}

/// What keeps sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionStoreKind {
    /// Nothing: a restart identifies.
    None,
    /// This process, for the bots that it makes one after the other.
    Memory,
    /// A file of this process's.
    File,
    /// A file that the processes of a machine share.
    Lmdb,
    /// A server or cluster that all machines share.
    Redis,
}

/// When an event counts as finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Acknowledge {
    /// Once its handlers have returned, or its batch is dropped.
    Auto,
    /// When the program says so.
    Manual,
}
