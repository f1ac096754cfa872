//! What the endpoint asks of a bot: plain numbers, read at the moment of the request.

use std::time::Duration;

use shardkeep_core::ShardId;
use shardkeep_core::gateway::Cause;
use shardkeep_core::wire::EventKind;

use crate::SessionsStatus;
use crate::cache::CacheNumbers;
use crate::events::QueueStatus;
use crate::rest::RestNumbers;

/// Something that the endpoint can report on. The bot is one; tests bring their own.
///
/// Every method answers at once, from memory: a probe must not wait for Discord.
pub trait Observed: Send + Sync + 'static {
    /// The loops that keep the bot going, and when each last went round. Empty before the start.
    fn pulses(&self) -> Vec<Pulse>;

    /// The JSON of `/status`: an object.
    fn status_json(&self) -> String;

    /// The numbers of `/ready` and `/metrics`.
    fn numbers(&self) -> Numbers;
}

/// A loop's sign of life. It says nothing about Discord: a bot must not be restarted because Discord is slow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Which loop.
    pub name: String,
    /// How long ago it last went round.
    pub idle: Duration,
    /// How long it may take for a round. Beyond it, `/health` fails.
    pub bound: Duration,
}

/// A bot in numbers. Counters run from the start of the bot and never go back.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// What the bot's cache says; `None` if it has none.
    pub cache: Option<CacheNumbers>,
    /// What has become of stored sessions; `None` if they are not stored.
    pub stored_sessions: Option<SessionsStatus>,
    /// One entry for each shard of this process.
    pub shards: Vec<ShardNumbers>,
    /// Dispatches received, by kind; those that the filter held back among them.
    pub events: Vec<(EventKind, u64)>,
    /// Dispatches handed on.
    pub delivered: u64,
    /// Dispatches that the filter held back.
    pub filtered: u64,
    /// Dispatches that a resume brought again after a disconnect.
    pub replayed: u64,
    /// Dispatches that were replayed a second time, and dropped.
    pub duplicates: u64,
    /// Sequences that were skipped, or lost with a session.
    pub missed: u64,
    /// Bytes received in messages, before inflating.
    pub bytes_received: u64,
    /// Connections that ended, by cause.
    pub reconnects: Vec<(Cause, u64)>,
    /// Identifies sent.
    pub identifies: u64,
    /// Sessions continued by RESUMED.
    pub resumed: u64,
    /// Sessions given up.
    pub sessions_lost: u64,
    /// Commands sent.
    pub commands_sent: u64,
    /// Commands refused.
    pub commands_refused: u64,
    /// Identifies left of the day's allowance, as far as it is known.
    pub identify_remaining: Option<u32>,
    /// The queue between the shards and the user.
    pub queue: QueueStatus,
    /// How many shards this process is to run, once that is known.
    pub shards_expected: Option<u32>,
    /// What REST does, if the bot has a client for it.
    pub rest: Option<RestNumbers>,
}

/// One shard in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardNumbers {
    /// Which shard.
    pub shard: ShardId,
    /// Whether its session is established.
    pub established: bool,
    /// Where it is in its life, in one word.
    pub state: &'static str,
    /// From the last acknowledged heartbeat to its acknowledgement.
    pub latency: Option<Duration>,
    /// How many guilds its session carries.
    pub guilds: u32,
}
