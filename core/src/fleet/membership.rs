//! Shards that come and go while the fleet runs.

use crate::id::ShardId;
use crate::time::Instant;

use super::Fleet;
use super::io::{Event, Misuse, Phase};
use super::shards::SHARDS_MAX;

impl Fleet {
    /// A shard that runs here, and has not been started.
    pub(super) fn park(&mut self, shard: ShardId) {
        self.roster.add(shard);
        self.parked.insert((shard.index(), shard.total()));
    }

    pub(super) fn run(
        &mut self,
        now: Instant,
        shard: ShardId,
        resumable: bool,
    ) -> Result<(), Misuse> {
        if self.is_stopping || self.is_abandoned {
            return Err(Misuse::StartsNothing(shard));
        }
        match self.roster.phase(shard) {
            None if shard.total() > SHARDS_MAX || self.roster.len() >= SHARDS_MAX as usize => {
                return Err(Misuse::TooManyShards(shard));
            }
            None | Some(Phase::Parked) => {}
            // It ended by itself, and is tried once more.
            Some(Phase::Closed) => self.roster.remove(shard),
            Some(_) => return Err(Misuse::AlreadyStarted(shard)),
        }
        self.park(shard);
        if let Some(memory) = self.remembered.remove(&shard) {
            self.recall_shard(now, shard, &memory);
        }
        if resumable {
            self.resumable.insert(shard);
        }
        Ok(())
    }

    pub(super) fn release(&mut self, shard: ShardId) -> Result<(), Misuse> {
        match self.roster.phase(shard) {
            None => return Err(Misuse::UnknownShard(shard)),
            Some(Phase::Parked | Phase::Closed) => self.forget(shard),
            Some(_) => {
                self.leaving.insert(shard);
                self.stop(shard);
            }
        }
        Ok(())
    }

    /// How busy a shard is.
    pub(super) fn weigh(&mut self, shard: ShardId, events: u64) -> Result<(), Misuse> {
        if self.roster.phase(shard).is_none() {
            return Err(Misuse::UnknownShard(shard));
        }
        self.queue.weigh(shard, events);
        Ok(())
    }

    /// The shard has ended and does not belong here any more.
    pub(super) fn forget(&mut self, shard: ShardId) {
        self.parked.remove(&(shard.index(), shard.total()));
        self.resumable.remove(&shard);
        self.queue.forget(shard);
        self.damper.forget(shard);
        self.roster.remove(shard);
        self.tell(Event::Released { shard });
    }
}
