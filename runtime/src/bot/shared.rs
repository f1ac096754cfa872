//! What a bot, its fleet and its handlers share.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shardkeep_core::{Instant, ShardId, Snowflake, fleet, gateway};
use tokio::sync::{mpsc, watch};

use super::error::Failure;
use super::fleet::crew::FleetStatus;
use super::reshard::{AutoReshardStatus, ReshardStatus};
use crate::cache::Cache;
use crate::clock;
use crate::events::Queue;
use crate::rest::Rest;
use crate::sessions::Sessions;
use crate::shard::{Control, Report, ShardCell};

/// How far a bot has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Not every shard has had a session yet.
    #[default]
    Starting,
    /// Every shard has had one.
    Ready,
    /// Every shard has ended.
    Stopped,
}

/// A shard that runs, or has run.
#[derive(Clone, Debug)]
pub(super) struct Handle {
    pub(super) cell: Arc<ShardCell>,
    pub(super) controls: mpsc::UnboundedSender<Control>,
}

/// What a bot, its fleet and its handlers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Arc<Queue>,
    pub(super) stage: watch::Sender<Stage>,
    shards: Mutex<BTreeMap<ShardId, Handle>>,
    fleet: Mutex<(fleet::Status, Instant)>,
    failure: Mutex<Option<Failure>>,
    snapshots: Mutex<Vec<gateway::Snapshot>>,
    /// Numbers of shards that do not belong here any more.
    retired: Mutex<Report>,
    /// What serves, if this process runs all of it.
    serving: Mutex<Option<fleet::Serving>>,
    /// This process's place in a fleet of several.
    crew: Mutex<Option<FleetStatus>>,
    /// What looking at growth came to.
    auto: Mutex<Option<AutoReshardStatus>>,
    /// A change of shards that is under way.
    resharding: Mutex<Option<watch::Receiver<ReshardStatus>>>,
    /// When the IO threads' timer last went round, in microseconds of the clock.
    pub(super) io_pulse: AtomicU64,
    pub(super) handler_panics: AtomicU64,
    pub(super) started_at: Instant,
    pub(super) rest: Rest,
    pub(super) cache: Option<Cache>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(queue: Queue, rest: Rest, cache: Option<Cache>) -> Self {
        let now = clock::now();
        Self {
            queue: Arc::new(queue),
            stage: watch::Sender::default(),
            shards: Mutex::default(),
            fleet: Mutex::new((fleet::Status::default(), now)),
            failure: Mutex::default(),
            snapshots: Mutex::default(),
            retired: Mutex::default(),
            serving: Mutex::default(),
            crew: Mutex::default(),
            auto: Mutex::default(),
            resharding: Mutex::default(),
            io_pulse: AtomicU64::new(0),
            handler_panics: AtomicU64::new(0),
            started_at: now,
            rest,
            cache,
        }
    }

    pub(super) fn add(&self, shard: ShardId, handle: Handle) {
        lock(&self.shards).insert(shard, handle);
    }

    pub(super) fn shard(&self, shard: ShardId) -> Option<Handle> {
        lock(&self.shards).get(&shard).cloned()
    }

    /// Every shard that was started, by total and index.
    pub(super) fn shards(&self) -> Vec<Handle> {
        lock(&self.shards).values().cloned().collect()
    }

    /// Forgets a shard that does not belong here any more; what it counted still counts.
    pub(super) fn remove(&self, shard: ShardId) {
        if let Some(handle) = lock(&self.shards).remove(&shard) {
            lock(&self.retired).absorb(&handle.cell.report());
        }
    }

    /// What shards counted that do not belong here any more.
    pub(super) fn retired(&self) -> Report {
        lock(&self.retired).clone()
    }

    pub(super) fn set_serving(&self, serving: Option<fleet::Serving>) {
        *lock(&self.serving) = serving;
    }

    /// What serves the whole bot, if it is known.
    pub(super) fn serving(&self) -> Option<fleet::Serving> {
        lock(&self.serving).clone()
    }

    /// The shard that hands the guild's events on, if this process runs all shards.
    pub(super) fn shard_of(&self, guild: Snowflake) -> Option<ShardId> {
        lock(&self.serving)
            .as_ref()
            .map(|serving| serving.shard_of(guild))
    }

    /// How many guilds there are on the shards that serve.
    pub(super) fn guilds(&self) -> u64 {
        let serving = lock(&self.serving).clone();
        let serves = |shard| {
            let serving = serving.as_ref();
            serving.is_none_or(|serving| serving.topology().contains(shard))
        };
        let shards = self.shards().into_iter();
        let serving = shards.filter(|handle| serves(handle.cell.shard()));
        serving
            .map(|handle| u64::from(handle.cell.report().stats.guilds))
            .sum()
    }

    /// How many guilds there are on the shards of this process.
    pub(super) fn guilds_here(&self) -> u64 {
        let shards = self.shards().into_iter();
        shards
            .map(|handle| u64::from(handle.cell.report().stats.guilds))
            .sum()
    }

    /// How long heartbeats take to be acknowledged, in milliseconds: the mean over the shards of this process. None if
    /// none was.
    pub(super) fn latency_ms(&self) -> Option<u64> {
        let shards = self.shards().into_iter();
        let latencies: Vec<_> = shards
            .filter_map(|handle| handle.cell.report().latency)
            .map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX))
            .collect();
        let sum = latencies.iter().sum::<u64>();
        sum.checked_div(latencies.len() as u64)
    }

    pub(super) fn set_crew(&self, status: FleetStatus) {
        *lock(&self.crew) = Some(status);
    }

    /// This process's place in a fleet of several, if it is in one.
    pub(super) fn crew(&self) -> Option<FleetStatus> {
        lock(&self.crew).clone()
    }

    pub(super) fn set_auto(&self, status: Option<AutoReshardStatus>) {
        *lock(&self.auto) = status;
    }

    /// What looking at growth came to, if anybody looks.
    pub(super) fn auto(&self) -> Option<AutoReshardStatus> {
        lock(&self.auto).clone()
    }

    pub(super) fn set_resharding(&self, status: Option<watch::Receiver<ReshardStatus>>) {
        *lock(&self.resharding) = status;
    }

    /// How far a change of shards has come, while there is one.
    pub(super) fn resharding(&self) -> Option<ReshardStatus> {
        lock(&self.resharding)
            .as_ref()
            .map(|status| status.borrow().clone())
    }

    /// The fleet in numbers, and when they were taken.
    pub(super) fn fleet(&self) -> (fleet::Status, Instant) {
        *lock(&self.fleet)
    }

    pub(super) fn set_fleet(&self, status: fleet::Status, now: Instant) {
        *lock(&self.fleet) = (status, now);
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        lock(&self.failure).clone()
    }

    /// Notes why the bot stops; the first reason counts.
    pub(super) fn fail(&self, failure: Failure) {
        lock(&self.failure).get_or_insert(failure);
    }

    pub(super) fn add_snapshot(&self, snapshot: gateway::Snapshot) {
        lock(&self.snapshots).push(snapshot);
    }

    pub(super) fn snapshots(&self) -> Vec<gateway::Snapshot> {
        lock(&self.snapshots).clone()
    }

    /// Where sessions are stored, if they are.
    pub(super) fn sessions(&self) -> Option<&Arc<Sessions>> {
        self.queue.sessions()
    }

    /// Ends the bot: what is in the queue can still be taken.
    pub(super) fn stop(&self) {
        self.queue.close();
        self.stage.send_replace(Stage::Stopped);
    }
}
