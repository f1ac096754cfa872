//! Options of processes that share a bot's shards.

use std::time::Duration;

use serde::Deserialize;
use shardkeep_core::fleet::Shards;

use super::option::{ConfigOption, Kind};
use super::table::{integer, option};

/// The options of `fleet`, `auto_reshard` and `dry`.
pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "fleet.kind",
        Kind::Choice(&["static", "redis"]),
        "\"static\"",
        "Who decides which shards this process runs: `static` is `shards` itself; with `redis`, `shards` are the whole \
         bot's, and its processes lease them through `redis_config.url`: they join, share, take over and leave.",
    ),
    option(
        "fleet.name",
        Kind::Text,
        "",
        "The process's name among the others. One that starts again under the same name gets its shards back. Default: \
         the host's name and the process id.",
    ),
    option(
        "fleet.capacity",
        integer(1, 65_535),
        "1000",
        "How many shards the process can run. Shares are in proportion to it.",
    ),
    option(
        "fleet.standby",
        Kind::Flag,
        "false",
        "Takes only what the others have no room for.",
    ),
    option(
        "fleet.label",
        Kind::Text,
        "",
        "What the process is like, such as its zone. Shown in the fleet's status.",
    ),
    option(
        "fleet.prefer",
        Kind::Shards,
        "",
        "Shards that go to processes of this label first, when they are free: `0-31/64`, and whatever a split makes of \
         them. Nothing moves for it. Discord chooses where a gateway is; this chooses where it is connected from.",
    ),
    option(
        "fleet.term_ms",
        integer(2_000, 600_000),
        "10000",
        "How long a lease runs, in milliseconds: after so long without a sign of a process others take its shards, and \
         after somewhat less without Redis a process stops its own. The same in all processes.",
    ),
    option(
        "fleet.handover",
        integer(1, 1_000),
        "4",
        "How many shards may be on their way from one process to another at once. The same in all processes.",
    ),
    option(
        "fleet.drain_ms",
        integer(0, 600_000),
        "5000",
        "How long a shard that goes to another process waits for its handlers, in milliseconds. What they have not \
         finished by then is replayed there.",
    ),
    option(
        "auto_reshard.max_guilds_per_shard",
        integer(0, 2_500),
        "0",
        "Above so many guilds on a shard, on average and twice in a row, the number of shards is doubled while events \
         flow; 0 never does. Discord refuses more than 2,500.",
    ),
    option(
        "auto_reshard.check_interval_ms",
        integer(100, 86_400_000),
        "300000",
        "How often that is looked at, in milliseconds.",
    ),
    option(
        "auto_reshard.dry_run",
        Kind::Flag,
        "false",
        "Only say in the log and in the status what would be done, and what it would cost.",
    ),
    option(
        "dry.action",
        Kind::Choice(&["off", "report", "resume", "renew"]),
        "\"resume\"",
        "What to do about a shard whose heartbeats are acknowledged and whose events have dried up, by its own history \
         and its siblings' present: `report` says so, `resume` reconnects as well, which is free, and `renew` goes on \
         to a new session where that did not help, once an hour at most.",
    ),
    option(
        "dry.check_interval_ms",
        integer(100, 3_600_000),
        "60000",
        "How often events are counted for that, in milliseconds. Three times in a row make a shard dry.",
    ),
];

/// What to do about shards whose events have dried up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct DryConfig {
    pub action: DryAction,
    pub check_interval_ms: u64,
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DryAction {
    /// Nobody looks.
    Off,
    /// Say so.
    Report,
    /// Reconnect and resume.
    Resume,
    /// A new session, if that did not help.
    Renew,
}

/// When the number of shards grows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct AutoReshard {
    pub max_guilds_per_shard: u32,
    pub check_interval_ms: u64,
    pub dry_run: bool,
}

impl Default for AutoReshard {
    fn default() -> Self {
        Self {
            max_guilds_per_shard: 1_000,
            check_interval_ms: 300_000,
            dry_run: false,
        }
    }
}

/// How processes share a bot's shards.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table of options documents each")]
pub struct FleetConfig {
    pub kind: FleetKind,
    #[serde(default)]
    pub name: Option<String>,
    pub capacity: u32,
    pub standby: bool,
    #[serde(default)]
    pub label: Option<String>,
    #[serde(default)]
    pub prefer: Option<Shards>,
    pub term_ms: u64,
    pub handover: u32,
    pub drain_ms: u64,
}

/// Who decides which shards a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FleetKind {
    /// The configuration: `shards`.
    Static,
    /// A register in Redis.
    Redis,
}

impl FleetConfig {
    pub(crate) const fn term(&self) -> Duration {
        Duration::from_millis(self.term_ms)
    }

    pub(crate) const fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}
