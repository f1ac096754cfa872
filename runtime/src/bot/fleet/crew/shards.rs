//! Shards that are taken, given back and lost.

use std::sync::Arc;
use std::time::Duration;

use shardkeep_core::fleet::Input;
use shardkeep_core::fleet::lease::Step;
use shardkeep_core::{Instant, ShardId};

use super::{Running, STORE_LIMIT, Worked};
use crate::clock;
use crate::sessions::{Loaded, Sessions};
use crate::shard::Control;
use crate::store::StoreError;

/// The pause before stored sessions that could not be read are looked for again.
const LOAD_PAUSE: Duration = Duration::from_millis(250);

impl Running {
    pub(super) fn obey_step(&mut self, now: Instant, step: Step) {
        match step {
            Step::Topology {
                topology, course, ..
            } => self.know_sessions(&topology, course.as_deref()),
            Step::Leaderless => self.wants_to_lead(),
            Step::Retargeted { is_done } => self.retargeted(is_done),
            Step::Take { shard, token } => {
                tracing::info!(%shard, token, "taken");
                if let Some(crew) = &mut self.crew {
                    crew.taken.insert(shard);
                }
            }
            Step::Release { shard } => {
                tracing::info!(%shard, "wanted elsewhere");
                self.let_go(shard);
            }
            Step::Lose { shard } => {
                tracing::warn!(%shard, "the lease is over: not one frame more");
                if let Some(lease) = self.crew.as_ref().and_then(|crew| crew.leases.get(&shard)) {
                    lease.end();
                }
                self.control(shard, Control::Fenced);
                if self.driver.shared.shard(shard).is_none() {
                    self.let_go(shard);
                }
            }
            Step::Permit { shard } => self.permitted(now, shard),
            Step::FetchLimits => self.fetch_limits(),
            _ => {}
        }
    }

    /// The shard is to run here no more.
    pub(super) fn let_go(&mut self, shard: ShardId) {
        if self.fleet.shard(shard).is_some() {
            self.feed(Input::Release { shard });
        } else if let Some(crew) = &mut self.crew {
            crew.freed(shard);
        }
    }

    /// Looks for sessions to go on with, for all that were taken meanwhile.
    pub(super) fn load_taken(&mut self) {
        let Some(crew) = self.crew.as_mut() else {
            return;
        };
        if crew.taken.is_empty() || crew.loading.is_some() {
            return;
        }
        let shards: Vec<_> = std::mem::take(&mut crew.taken).into_iter().collect();
        let sessions = self.driver.sessions.clone();
        crew.loading = Some(Box::pin(async move {
            let loaded = match &sessions {
                Some(sessions) => {
                    let loaded = sessions.load().await;
                    if loaded.is_err() {
                        // Sessions with a part in a change are looked for again.
                        tokio::time::sleep(LOAD_PAUSE).await;
                    }
                    loaded
                }
                None => Ok(Loaded::default()),
            };
            Worked::Loaded(shards, Box::new(loaded))
        }));
    }

    pub(super) fn loaded(&mut self, shards: Vec<ShardId>, loaded: Result<Loaded, StoreError>) {
        let now = clock::now();
        let may_come_back = loaded.as_ref().is_err_and(StoreError::is_passing);
        let mut loaded = loaded.unwrap_or_else(|error| {
            tracing::error!(%error, "stored sessions cannot be read: shards identify");
            Loaded::default()
        });
        for shard in shards {
            if may_come_back && self.waits_for_its_part(shard) {
                continue;
            }
            if self.fleet.shard(shard).is_some() {
                // It was lost and taken again meanwhile: what was found first is in use.
                continue;
            }
            let crew = self.crew.as_ref();
            if !crew.is_some_and(|crew| crew.holder.may_run(now, shard)) {
                self.let_go(shard);
                continue;
            }
            let part = loaded.parts.remove(&shard);
            let capsule = loaded.capsules.remove(&shard);
            let capsule = capsule.filter(|_| self.found_part(shard, part));
            let resumable = capsule.is_some();
            if let Some(capsule) = capsule {
                self.driver.snapshots.insert(shard, capsule.snapshot());
                self.capsules.insert(shard, capsule);
            }
            self.feed(Input::Run { shard, resumable });
            if self.fleet.shard(shard).is_none() {
                // Discord refused this process's first shard: what it disliked is common to all.
                self.leave_crew();
            }
        }
    }

    /// A shard's session is closed. Its handlers get a while, so that little is repeated where it goes on.
    pub(in crate::bot::fleet) fn give_back(&mut self, shard: ShardId) {
        if let Some(crew) = &mut self.crew {
            let until = match crew.holder.token(shard) {
                Some(_) => clock::now() + crew.drain,
                None => Instant::ZERO,
            };
            crew.draining.insert(shard, until);
        }
    }

    pub(super) fn look_at_draining(&mut self, now: Instant) {
        let Some(crew) = self.crew.as_mut().filter(|crew| crew.storing.is_none()) else {
            return;
        };
        let sessions = &self.driver.sessions;
        let is_done = |shard: ShardId, until: Instant| {
            let tracked = sessions.as_ref().and_then(|sessions| sessions.of(shard));
            until <= now || tracked.is_none_or(|tracked| tracked.outstanding() == 0)
        };
        let done = crew
            .draining
            .iter()
            .filter(|(shard, until)| is_done(**shard, **until));
        let done: Vec<_> = done.map(|(shard, _)| *shard).collect();
        if done.is_empty() {
            return;
        }
        crew.draining.retain(|shard, _| !done.contains(shard));
        let sessions: Option<Arc<Sessions>> = sessions.clone();
        crew.storing = Some(Box::pin(async move {
            if let Some(sessions) = sessions
                && !sessions.flush(STORE_LIMIT).await
            {
                tracing::warn!("sessions were not stored in time: where they go on, events repeat");
            }
            Worked::Stored(done)
        }));
    }

    /// The shard's task ended by itself, because its lease had: its session lives on elsewhere.
    pub(in crate::bot::fleet) fn fenced(&mut self, shard: ShardId) {
        self.feed(Input::Release { shard });
        self.feed(Input::Closed {
            shard,
            fatal: false,
        });
    }
}
