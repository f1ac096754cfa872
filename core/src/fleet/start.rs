//! Starting and ending: the topology's shards in order, a few rounds ahead of their slots.

use alloc::vec::Vec;

use crate::id::ShardId;
use crate::time::Instant;

use super::Fleet;
use super::identify::Allowance;
use super::io::{Event, Misuse, Output, Phase};
use super::shard::Shard;
use super::topology::Topology;

impl Fleet {
    pub(super) fn set_topology(&mut self, topology: Topology) {
        for &shard in topology.shards() {
            self.shards.insert(shard, Shard::default());
            self.parked.insert((shard.index(), shard.total()));
        }
        self.topology = Some(topology);
    }

    pub(super) fn mark_resumable(&mut self, shard: ShardId) -> Result<(), Misuse> {
        if self.topology.is_none() {
            self.early.insert(shard);
            return Ok(());
        }
        let state = self
            .shards
            .get_mut(&shard)
            .ok_or(Misuse::UnknownShard(shard))?;
        match state.phase {
            Phase::Parked => {
                state.is_resumable = true;
                Ok(())
            }
            Phase::Closed => Err(Misuse::NotRunning(shard)),
            _ => Err(Misuse::AlreadyStarted(shard)),
        }
    }

    /// Once the topology is resolved: which early shards belong to it, and which do not.
    pub(super) fn tell_foreign_sessions(&mut self) {
        for shard in core::mem::take(&mut self.early) {
            match self.shards.get_mut(&shard) {
                Some(state) => state.is_resumable = true,
                None => self.tell(Event::SessionForeign { shard }),
            }
        }
        for (shard, memory) in core::mem::take(&mut self.remembered) {
            self.recall_shard(self.now, shard, &memory);
        }
    }

    /// Starts those that can resume, and of the others as many as will soon have their slot.
    pub(super) fn start_shards(&mut self, now: Instant) {
        if self.parked.is_empty() {
            return;
        }
        let resumable: Vec<_> = self
            .parked_shards()
            .filter(|&shard| self.shards[&shard].is_resumable)
            .collect();
        for shard in resumable {
            self.start(shard);
        }
        self.starting
            .retain(|_, patience_ends| *patience_ends > now);
        let Allowance::Free(spendable) = self.allowance(now) else {
            return;
        };
        let rounds = self.config.start_rounds.max(1);
        let window = self
            .queue
            .max_concurrency()
            .saturating_mul(rounds)
            .min(spendable) as usize;
        let pending = self.starting.len() + self.waiting_in_earnest();
        let next: Vec<_> = self
            .parked_shards()
            .take(window.saturating_sub(pending))
            .collect();
        for shard in next {
            self.starting
                .insert(shard, now + self.config.start_patience);
            self.start(shard);
        }
    }

    pub(super) fn parked_shards(&self) -> impl Iterator<Item = ShardId> {
        self.parked
            .iter()
            .filter_map(|&(index, total)| ShardId::new(index, total))
    }

    /// How many are in line for the next slots. A few sick shards that share the trickle do not keep others from
    /// starting.
    fn waiting_in_earnest(&self) -> usize {
        let strained = self.is_strained();
        let braked = self.damper.is_braked();
        let counts = |shard| braked || !self.damper.trickles(shard, strained);
        self.queue
            .tickets()
            .into_iter()
            .filter(|ticket| counts(ticket.shard()))
            .count()
    }

    fn start(&mut self, shard: ShardId) {
        self.parked.remove(&(shard.index(), shard.total()));
        if let Some(state) = self.shards.get_mut(&shard) {
            state.phase = Phase::Connecting;
            state.had_session = state.is_resumable;
        }
        self.counters.started += 1;
        self.push(Output::Start { shard });
    }

    /// Discord refused a shard that never had a session: whatever it disliked is common to all.
    pub(super) fn abandon_start(&mut self, refused: ShardId) {
        if self.is_abandoned {
            return;
        }
        self.is_abandoned = true;
        self.tell(Event::StartAbandoned { shard: refused });
        self.stop_shards(|state| {
            !state.had_session && matches!(state.phase, Phase::Connecting | Phase::Waiting)
        });
        self.close_parked(|state| !state.is_resumable);
    }

    pub(super) fn shut_down(&mut self) {
        self.is_stopping = true;
        self.proving.clear();
        self.close_parked(|_| true);
        self.stop_shards(|state| !matches!(state.phase, Phase::Closed | Phase::Stopping));
    }

    /// Stops one shard, unless it is stopping already.
    pub(super) fn stop(&mut self, shard: ShardId) {
        self.queue.leave(shard);
        self.starting.remove(&shard);
        if let Some(state) = self.shards.get_mut(&shard)
            && state.phase != Phase::Stopping
        {
            state.phase = Phase::Stopping;
            self.push(Output::Stop { shard });
        }
    }

    fn stop_shards(&mut self, which: impl Fn(&Shard) -> bool) {
        let chosen = self.shards.iter().filter(|(_, state)| which(state));
        let chosen: Vec<_> = chosen.map(|(&shard, _)| shard).collect();
        for shard in chosen {
            self.stop(shard);
        }
    }

    fn close_parked(&mut self, which: impl Fn(&Shard) -> bool) {
        let shards = &mut self.shards;
        self.parked.retain(|&(index, total)| {
            let state = ShardId::new(index, total).and_then(|shard| shards.get_mut(&shard));
            match state {
                Some(state) if which(state) => {
                    state.phase = Phase::Closed;
                    false
                }
                _ => true,
            }
        });
    }

    /// Reports the end once nothing runs and nothing will.
    pub(super) fn watch_end(&mut self) {
        let ended = match &self.topology {
            None => self.is_stopping,
            Some(_) => self
                .shards
                .values()
                .all(|state| state.phase == Phase::Closed),
        };
        if ended && !self.said.stopped {
            self.said.stopped = true;
            self.tell(Event::Stopped);
        }
    }
}
