//! Starting and ending: the topology's shards in order, a few rounds ahead of their slots.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::id::ShardId;
use crate::time::Instant;

use super::Fleet;
use super::config::Here;
use super::identify::Allowance;
use super::io::{Event, Misuse, Output, Phase};
use super::roster::Shard;
use super::topology::Topology;

impl Fleet {
    pub(super) fn set_topology(&mut self, topology: Topology) {
        if self.config.here == Here::All {
            topology.shards().iter().for_each(|&shard| self.park(shard));
        }
        self.topology = Some(topology);
    }

    pub(super) fn mark_resumable(&mut self, shard: ShardId) -> Result<(), Misuse> {
        match self.roster.phase(shard) {
            None if self.topology.is_some() || self.config.here == Here::Told => {
                return Err(Misuse::UnknownShard(shard));
            }
            None | Some(Phase::Parked) => {}
            Some(Phase::Closed) => return Err(Misuse::NotRunning(shard)),
            Some(_) => return Err(Misuse::AlreadyStarted(shard)),
        }
        self.resumable.insert(shard);
        Ok(())
    }

    /// Once the topology is resolved: who of those said to be resumable does not belong to it, and what a predecessor
    /// knew about those who do.
    pub(super) fn match_topology(&mut self) {
        let belongs = |shard: &ShardId| self.roster.get(*shard).is_some();
        if self.config.here == Here::Told {
            return;
        }
        let (resumable, foreign): (BTreeSet<_>, BTreeSet<_>) = core::mem::take(&mut self.resumable)
            .into_iter()
            .partition(belongs);
        self.resumable = resumable;
        for shard in foreign {
            self.tell(Event::SessionForeign { shard });
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
        for shard in core::mem::take(&mut self.resumable) {
            self.start(shard);
            if let Some(state) = self.roster.get_mut(shard) {
                state.had_session = true;
            }
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
        self.queue.queued().filter(|&shard| counts(shard)).count()
    }

    fn start(&mut self, shard: ShardId) {
        self.parked.remove(&(shard.index(), shard.total()));
        self.roster.enter(shard, Phase::Connecting);
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
            !state.had_session && matches!(state.phase(), Phase::Connecting | Phase::Waiting)
        });
        self.close_parked();
    }

    pub(super) fn shut_down(&mut self) {
        self.is_stopping = true;
        self.proving.clear();
        self.close_parked();
        self.stop_shards(|state| !matches!(state.phase(), Phase::Closed | Phase::Stopping));
    }

    /// Stops one shard, unless it is stopping already.
    pub(super) fn stop(&mut self, shard: ShardId) {
        self.queue.leave(shard);
        self.starting.remove(&shard);
        if self.roster.phase(shard) != Some(Phase::Stopping) {
            self.roster.enter(shard, Phase::Stopping);
            self.push(Output::Stop { shard });
        }
    }

    fn stop_shards(&mut self, which: impl Fn(&Shard) -> bool) {
        let chosen = self.roster.iter().filter(|(_, state)| which(state));
        let chosen: Vec<_> = chosen.map(|(shard, _)| shard).collect();
        for shard in chosen {
            self.stop(shard);
        }
    }

    /// Nobody is started any more.
    fn close_parked(&mut self) {
        for shard in self.parked_shards().collect::<Vec<_>>() {
            self.roster.enter(shard, Phase::Closed);
        }
        self.parked.clear();
        self.resumable.clear();
    }

    /// Reports the end once nothing runs and nothing will.
    pub(super) fn watch_end(&mut self) {
        // A process that has no shards waits for some, unless it is told to stop.
        let may_end = self.is_stopping || self.roster.len() > 0;
        let has_ended = may_end && self.roster.all_are(Phase::Closed);
        if has_ended && !self.said.stopped {
            self.said.stopped = true;
            self.tell(Event::Stopped);
        }
    }
}
