//! The fleet's shards as tasks: started, stopped, heard and forgotten.

use std::sync::Arc;

use shardkeep_core::ShardId;
use shardkeep_core::fleet::{Input, reshard};
use shardkeep_core::gateway::{ClosedReason, Session};
use tokio::sync::mpsc;

use super::Running;
use crate::bot::error::Failure;
use crate::bot::shared::Handle;
use crate::cache::heard;
use crate::clock;
use crate::inflate;
use crate::sessions::Tracked;
use crate::shard::{
    Control, Notice, Shard, ShardCell, Sorting, Surroundings, Switch, joining_filter,
};

impl Running {
    pub(super) fn control(&mut self, shard: ShardId, control: Control) {
        let sent = self
            .driver
            .shared
            .shard(shard)
            .map(|handle| handle.controls.send(control));
        if !matches!(sent, Some(Ok(()))) {
            tracing::debug!(%shard, "the shard is not there to be told");
        }
    }

    pub(super) fn start(&mut self, shard: ShardId) {
        let Some(url) = self.gateway_url.clone() else {
            self.unplaced.insert(shard);
            return;
        };
        let mut config = self.driver.config.session(shard, &url, self.rng.next_u64());
        config.filter = self.driver.filter;
        let cache = self.driver.cache.as_ref().map(|cache| {
            config.filter = config.filter.or(heard());
            cache.feed(self.driver.filter)
        });
        let part = match &self.crew {
            Some(_) => self.part_across(shard),
            None => self.change.as_ref().and_then(|change| change.part(shard)),
        };
        // A session that joins must see more than the user wants to.
        let is_wider = part.as_ref().is_some_and(Switch::is_joining);
        if is_wider {
            config.filter = joining_filter(config.filter);
        }
        let sorting = Sorting {
            switch: part,
            sieve: (is_wider && cache.is_none()).then_some(self.driver.filter),
            apart: self.apart_at_start(shard),
        };
        let inflate = inflate::for_compression(config.compression, self.driver.window_log_max);
        let now = clock::now();
        let session = match self.driver.snapshots.remove(&shard) {
            Some(snapshot) => Session::restore(config, inflate, snapshot, now),
            None => Session::new(config, inflate, now),
        };
        let session = match session {
            Ok(session) => session,
            Err(error) => {
                let reason = error.to_string();
                tracing::error!(%shard, "{reason}");
                self.driver.shared.fail(Failure::Setting { shard, reason });
                self.feed(Input::Closed { shard, fatal: true });
                return;
            }
        };
        let token = self.crew.as_ref().map_or(0, |crew| crew.token(shard));
        let tracked = self.driver.sessions.as_ref().map(|sessions| {
            let from = self.capsules.remove(&shard);
            let compression = self.driver.config.compress.name();
            let tracked = Tracked::new(shard, compression, from.as_ref());
            sessions.track(tracked.under(token))
        });
        let lease = self.crew.as_mut().map(|crew| crew.lease(shard));
        let (controls, orders) = mpsc::unbounded_channel();
        let cell = Arc::new(ShardCell::new(shard));
        let handle = Handle {
            cell: Arc::clone(&cell),
            controls,
        };
        self.driver.shared.add(shard, handle);
        let around = Surroundings {
            queue: Arc::clone(&self.driver.shared.queue),
            cell,
            notices: self.notices.clone(),
            controls: orders,
            connector: self.driver.connector.clone(),
            cache,
            tracked,
            sorting,
            lease,
        };
        tokio::spawn(Shard::new(session, around));
        self.runs_across(shard);
    }

    /// Overlays that handle guilds of a session that begins: not those that it takes guilds back from.
    fn apart_at_start(&self, shard: ShardId) -> Vec<ShardId> {
        let mut apart = self.apart(shard);
        let back = self.taken_back_across(shard);
        apart.retain(|overlay| !back.contains(overlay));
        apart
    }

    pub(super) fn stop(&mut self, shard: ShardId) {
        if self.unplaced.remove(&shard) {
            self.feed(Input::Closed {
                shard,
                fatal: false,
            });
        } else {
            let change = self.change.as_ref();
            let is_dropped =
                change.is_some_and(|change| change.drops(shard)) || self.drops_across(shard);
            let resumable = self.resumable && !is_dropped && !self.renews(shard);
            self.control(shard, Control::Shutdown { resumable });
        }
    }

    pub(super) fn on_notice(&mut self, notice: Notice) {
        match notice {
            Notice::Fenced { shard } => self.fenced(shard),
            Notice::Fleet(input) => {
                self.note_permit(input);
                self.note_purse(input);
                if let Input::WantIdentify { shard } = input {
                    self.note_activity(shard);
                }
                self.feed(input);
            }
            Notice::Switch { shard, told } => self.on_switch(shard, told),
            Notice::Ended {
                shard,
                reason,
                snapshot,
            } => {
                let kept = matches!(reason, ClosedReason::Shutdown { resumable: true });
                let sessions = self.driver.sessions.as_ref();
                let tracked = sessions.and_then(|sessions| sessions.of(shard));
                if kept && snapshot.resumption.is_some() {
                    if let Some(tracked) = tracked {
                        tracked.describe(snapshot.clone());
                    }
                    self.driver.shared.add_snapshot(snapshot);
                } else if let Some(tracked) = tracked {
                    tracked.lost();
                }
                let fatal = match reason {
                    ClosedReason::Fatal(code) => {
                        // A change of shards that Discord refuses is undone.
                        let change = self.change.as_ref();
                        let is_undone = change.is_some_and(|change| change.drops(shard))
                            || self.refused_across(shard);
                        if !is_undone {
                            self.driver.shared.fail(Failure::Refused { shard, code });
                        }
                        true
                    }
                    _ => false,
                };
                self.feed(Input::Closed { shard, fatal });
                if fatal {
                    self.steer(reshard::Input::Ended { shard });
                }
            }
        }
    }

    /// After an outage the busiest shards come back first.
    fn note_activity(&mut self, shard: ShardId) {
        let Some(handle) = self.driver.shared.shard(shard) else {
            return;
        };
        let events = handle.cell.report().stats.dispatches;
        self.feed(Input::Activity { shard, events });
        if let Some(crew) = &mut self.crew {
            crew.note_activity(shard, events);
        }
    }

    /// A shard has ended and does not belong here any more.
    pub(super) fn released(&mut self, shard: ShardId) {
        self.driver.shared.remove(shard);
        self.gone_across(shard);
        if self.begin_anew(shard) {
            return;
        }
        self.give_back(shard);
        self.steer(reshard::Input::Ended { shard });
    }
}
