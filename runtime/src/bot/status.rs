//! What a bot is doing, in numbers: the same in every language, as JSON.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use shardkeep_core::gateway::StateName;
use shardkeep_core::{Instant, ShardId};

use super::fleet::crew::FleetStatus;
use super::reshard::{AutoReshardStatus, ReshardStatus};
use super::shared::{Shared, Stage};
use crate::cache::CacheStatus;
use crate::clock;
use crate::events::QueueStatus;
use crate::sessions::SessionsStatus;
use crate::shard::Report;

/// A bot at this moment. Counters run since the start.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Whether every shard has an established session.
    pub connected: bool,
    /// Mean heartbeat latency over the shards that have one, in milliseconds.
    pub latency_ms: Option<f64>,
    /// How many shards this bot runs; 0 until `auto` is resolved.
    pub shard_count: u32,
    /// How many guilds their sessions carry.
    pub guild_count: u64,
    /// Milliseconds since the bot was made.
    pub uptime_ms: u64,
    /// Dispatches handed on.
    pub delivered: u64,
    /// Dispatches that the filter held back.
    pub filtered: u64,
    /// Dispatches replayed by a resume.
    pub replayed: u64,
    /// Dispatches that were replayed a second time, and dropped.
    pub duplicates: u64,
    /// Sequences that were skipped.
    pub missed: u64,
    /// Sessions that could not be resumed.
    pub sessions_lost: u64,
    /// Handlers that panicked.
    pub handler_panics: u64,
    /// Why the bot stopped by itself, and what to do.
    pub failure: Option<String>,
    /// The day's identifies.
    pub identify: IdentifyStatus,
    /// This process's place in a fleet of several; none if it is alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetStatus>,
    /// A change of shards that is under way; none if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resharding: Option<ReshardStatus>,
    /// What looking at the bot's growth came to; none if nobody looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_reshard: Option<AutoReshardStatus>,
    /// What the bot's cache holds; none if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheStatus>,
    /// What has become of stored sessions; none if they are not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_sessions: Option<SessionsStatus>,
    /// The queue between the shards and the user.
    pub queue: QueueStatus,
    /// Every shard that was started, by total and id.
    pub shards: Vec<ShardStatus>,
}

/// The day's identifies.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct IdentifyStatus {
    /// How many a day allows; none until Discord has said.
    pub total: Option<u32>,
    /// How many are left, the reserve included.
    pub remaining: Option<u32>,
    /// How many are never spent.
    pub reserve: u32,
    /// Milliseconds until all are left again.
    pub resets_in_ms: Option<u64>,
    /// How many shards may identify every 5 s.
    pub max_concurrency: u32,
    /// How many shards wait for their slot.
    pub waiting: u32,
    /// Identifies granted in the current day.
    pub granted_today: u32,
    /// How many of those led to no session, or to one that died young.
    pub wasted_today: u32,
}

/// One shard.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ShardStatus {
    /// Which shard.
    pub id: u32,
    /// Of how many.
    pub total: u32,
    /// `connected`, or what it is doing instead: `connecting`, `resuming`, `awaiting_identify`.
    pub status: &'static str,
    /// From the last acknowledged heartbeat to its acknowledgement, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Guilds that its session carries.
    pub guild_count: u32,
    /// Of those, guilds in an outage or not streamed yet.
    pub guilds_unavailable: u32,
    /// Milliseconds since READY, over every connection of the session.
    pub session_age_ms: Option<u64>,
    /// The last sequence seen.
    pub last_sequence: Option<u64>,
    /// Dispatches handed on.
    pub delivered: u64,
    /// Dispatches that the filter held back.
    pub filtered: u64,
    /// Dispatches replayed by a resume.
    pub replayed: u64,
    /// Dispatches that were replayed a second time, and dropped.
    pub duplicates: u64,
    /// Sequences that were skipped.
    pub missed: u64,
    /// Sockets asked for.
    pub connections: u64,
    /// Identifies sent.
    pub identifies: u64,
    /// Sessions continued by a resume.
    pub resumed: u64,
    /// Sessions that could not be resumed.
    pub sessions_lost: u64,
    /// Connections found dead by a missing acknowledgement.
    pub zombies: u64,
    /// Commands sent.
    pub commands_sent: u64,
    /// Commands refused.
    pub commands_refused: u64,
    /// Commands waiting.
    pub commands_queued: u64,
    /// Bytes received in messages, before inflating.
    pub bytes_received: u64,
    /// Whether the socket is not read at the moment, because the queue is full.
    pub paused: bool,
    /// How often that was so.
    pub pauses: u64,
    /// For how long altogether, in milliseconds.
    pub paused_ms: u64,
    /// Heartbeats during pauses whose acknowledgement was taken for granted.
    pub acks_assumed: u64,
    /// Events too large to hand on.
    pub dropped: u64,
    /// The last thing that went wrong, in words.
    pub last_error: Option<String>,
}

impl ShardStatus {
    fn new(shard: ShardId, report: Report, now: Instant) -> Self {
        let stats = report.stats;
        let established = report.state == StateName::Ready;
        let paused = report
            .paused_since
            .map_or(Duration::ZERO, |since| now - since);
        Self {
            id: shard.index(),
            total: shard.total(),
            status: if established {
                "connected"
            } else {
                report.state.as_str()
            },
            latency_ms: report.latency.map(millis),
            guild_count: stats.guilds,
            guilds_unavailable: stats.guilds_unavailable,
            session_age_ms: report.session_since.map(|since| whole_millis(now - since)),
            last_sequence: stats.sequence,
            delivered: stats.delivered,
            filtered: stats.filtered,
            replayed: stats.replayed,
            duplicates: stats.duplicates,
            missed: stats.missed,
            connections: stats.connections,
            identifies: stats.identifies,
            resumed: stats.resumed,
            sessions_lost: stats.sessions_lost,
            zombies: stats.zombies,
            commands_sent: stats.commands_sent,
            commands_refused: stats.commands_refused,
            commands_queued: stats.commands_queued,
            bytes_received: stats.bytes_received,
            paused: report.paused_since.is_some(),
            pauses: report.pauses,
            paused_ms: whole_millis(report.paused_for + paused),
            acks_assumed: report.acks_assumed,
            dropped: report.dropped,
            last_error: report.last_error,
        }
    }
}

impl Status {
    pub(super) fn read(shared: &Shared) -> Self {
        let now = clock::now();
        let handles = shared.shards();
        let shards: Vec<_> = handles
            .iter()
            .map(|handle| ShardStatus::new(handle.cell.shard(), handle.cell.report(), now))
            .collect();
        let (fleet, taken_at) = shared.fleet();
        let latencies: Vec<_> = shards.iter().filter_map(|shard| shard.latency_ms).collect();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of shards is far below 2^53"
        )]
        let mean = || latencies.iter().sum::<f64>() / latencies.len() as f64;
        // Shards that a change of shards closed have counted, too.
        let retired = shared.retired().stats;
        let sum = |of: fn(&ShardStatus) -> u64| shards.iter().map(of).sum::<u64>();
        let stopped = *shared.stage.borrow() == Stage::Stopped;
        Self {
            connected: !stopped
                && fleet.shards > 0
                && shards.len() == fleet.shards as usize
                && shards.iter().all(|shard| shard.status == "connected"),
            latency_ms: (!latencies.is_empty()).then(mean),
            shard_count: fleet.shards,
            guild_count: shared.guilds(),
            uptime_ms: whole_millis(now - shared.started_at),
            delivered: retired.delivered + sum(|shard| shard.delivered),
            filtered: retired.filtered + sum(|shard| shard.filtered),
            replayed: retired.replayed + sum(|shard| shard.replayed),
            duplicates: retired.duplicates + sum(|shard| shard.duplicates),
            missed: retired.missed + sum(|shard| shard.missed),
            sessions_lost: retired.sessions_lost + sum(|shard| shard.sessions_lost),
            handler_panics: shared.handler_panics.load(Ordering::Relaxed),
            failure: shared.failure().map(|failure| failure.to_string()),
            identify: IdentifyStatus {
                total: fleet.total,
                remaining: fleet.remaining,
                reserve: fleet.reserve,
                resets_in_ms: fleet
                    .resets_at
                    .map(|at| whole_millis(at - now.max(taken_at))),
                max_concurrency: fleet.max_concurrency,
                waiting: fleet.waiting,
                granted_today: fleet.granted_today,
                wasted_today: fleet.wasted_today,
            },
            fleet: shared.crew(),
            resharding: shared.resharding(),
            auto_reshard: shared.auto(),
            cache: shared.cache.as_ref().map(|cache| cache.numbers().status()),
            stored_sessions: shared.sessions().map(|sessions| sessions.status()),
            queue: shared.queue.status(),
            shards,
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
