//! What a world is like: its size, its limits, its pace.

use serde::{Deserialize, Serialize};
use shardkeep_core::wire::Intents;

use crate::rest::RestConfig;

/// The token a world accepts unless it is told another one. It opens nothing anywhere else.
pub const DEFAULT_TOKEN: &str = "simulated-bot.token.for-tests-only";

/// How much a world remembers of what it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerDetail {
    /// Per session: how many dispatches, and a rolling hash over them.
    Counts,
    /// Counts, and up to this many entries per session. Sessions beyond it are marked as truncated.
    Entries(usize),
}

/// Everything that can be chosen about a world. Durations end in `_ms`.
///
/// ```
/// use shardkeep_sim::WorldConfig;
///
/// let config = WorldConfig { guilds: 100, max_concurrency: 16, ..WorldConfig::default() };
/// assert_eq!(config.heartbeat_interval_ms, 41_250);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldConfig {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many guilds the bot is in.
    pub guilds: u32,
    /// How many members a guild has on average. Sizes spread around it as they do at Discord: many small, few large.
    pub members_per_guild: u32,
    /// The token that is accepted. Any other gets 4004 and 401.
    pub token: String,
    /// Wall time at the world's `Instant::ZERO`, in milliseconds since 1970: ids and timestamps follow from it.
    pub epoch_unix_ms: u64,

    /// Identifies allowed per 5 seconds, each with its own key `shard_id % max_concurrency`.
    pub max_concurrency: u32,
    /// The window of one identify per key. Discord's is 5,000.
    pub identify_window_ms: u64,
    /// How much earlier than the window an identify may arrive: networks jitter.
    pub identify_tolerance_ms: u64,
    /// Identifies allowed per day.
    pub identify_total: u32,
    /// Identifies left today.
    pub identify_remaining: u32,
    /// How long until the day's allowance comes back, counted from the world's start.
    pub identify_reset_after_ms: u64,
    /// What `/gateway/bot` recommends; 0 for one shard per 1,000 guilds.
    pub recommended_shards: u32,
    /// Guilds a shard may hold before Identify is refused with 4011. Discord's limit is 2,500.
    pub guilds_per_shard: u32,
    /// If set, `num_shards` must be a multiple of it (4010): the large-bot rule.
    pub shard_multiple: u32,
    /// The privileged intents that are enabled for the application; others get 4014.
    pub allowed_privileged: u64,

    /// Where `/gateway` and `/gateway/bot` send clients, such as `ws://127.0.0.1:8080`.
    pub base_ws_url: String,
    /// `resume_gateway_url` of READY; empty for the base URL. It may name another host or carry a path.
    pub resume_ws_url: String,
    /// The interval that HELLO asks for.
    pub heartbeat_interval_ms: u64,
    /// How long after the interval a heartbeat may still come before the connection is closed.
    pub heartbeat_grace_ms: u64,
    /// How many dispatches a session keeps for a resume.
    pub replay_capacity: usize,
    /// How long a session survives without a connection.
    pub session_ttl_ms: u64,
    /// From the opened WebSocket to HELLO.
    pub hello_delay_ms: u64,
    /// From Identify to READY.
    pub ready_delay_ms: u64,
    /// How often guilds and member chunks are sent after READY.
    pub stream_interval_ms: u64,
    /// How many guilds are sent each time; 0 for all at once.
    pub stream_batch: u32,
    /// How many bytes of guilds and member chunks a session gets per second, before compression.
    pub stream_bytes_per_s: u64,
    /// Added to everything that is sent.
    pub latency_ms: u64,
    /// The largest message a client may send, in bytes. Discord's limit is 4,096.
    pub max_payload_bytes: usize,
    /// How many messages a client may send per 60 seconds and connection. Discord's limit is 120.
    pub max_sends_per_minute: usize,

    /// The limits, latency and faults of REST.
    pub rest: RestConfig,

    /// Events per second of the steady traffic over all guilds; 0 for none.
    pub chatter_per_s: u32,
    /// zlib's level for `zlib-stream` and payload compression.
    pub zlib_level: i32,
    /// zstd's level for `zstd-stream`. The window is 256 KiB, as Discord's is.
    pub zstd_level: i32,
    /// How much is remembered of what was sent.
    pub ledger: LedgerDetail,
    /// How many ended sessions stay in the ledger; the oldest go first.
    pub ledger_sessions: usize,
    /// How many bytes may wait for one connection (by latency and slowness) before it is dropped.
    pub pending_bytes: usize,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            guilds: 12,
            members_per_guild: 120,
            token: DEFAULT_TOKEN.to_owned(),
            epoch_unix_ms: 1_795_305_600_000,
            max_concurrency: 1,
            identify_window_ms: 5_000,
            identify_tolerance_ms: 50,
            identify_total: 1_000,
            identify_remaining: 1_000,
            identify_reset_after_ms: 86_400_000,
            recommended_shards: 0,
            guilds_per_shard: 2_500,
            shard_multiple: 0,
            allowed_privileged: Intents::PRIVILEGED.bits(),
            base_ws_url: "ws://gateway.sim.invalid".to_owned(),
            resume_ws_url: String::new(),
            heartbeat_interval_ms: 41_250,
            heartbeat_grace_ms: 20_000,
            replay_capacity: 2_000,
            session_ttl_ms: 180_000,
            hello_delay_ms: 0,
            ready_delay_ms: 0,
            stream_interval_ms: 10,
            stream_batch: 5,
            stream_bytes_per_s: 16 << 20,
            latency_ms: 0,
            max_payload_bytes: 4_096,
            max_sends_per_minute: 120,
            rest: RestConfig::default(),
            chatter_per_s: 0,
            zlib_level: 6,
            zstd_level: 1,
            ledger: LedgerDetail::Entries(100_000),
            ledger_sessions: 10_000,
            pending_bytes: 64 << 20,
        }
    }
}

impl WorldConfig {
    /// What `/gateway/bot` recommends.
    #[must_use]
    pub fn shards(&self) -> u32 {
        if self.recommended_shards > 0 {
            self.recommended_shards
        } else {
            self.guilds.div_ceil(1_000).max(1)
        }
    }

    /// `resume_gateway_url`.
    #[must_use]
    pub fn resume_url(&self) -> &str {
        if self.resume_ws_url.is_empty() {
            &self.base_ws_url
        } else {
            &self.resume_ws_url
        }
    }
}
