//! One process: its fleet, its leases, and its shards.

use std::collections::BTreeMap;

use shardkeep_core::fleet::lease::Holder;
use shardkeep_core::fleet::{Fleet, Serving};
use shardkeep_core::gateway::{Capsule, Cause, Progress, Session};
use shardkeep_core::{Machine, ShardId};

use super::clock::Clock;
use super::crew::Crew;
use super::cutover::Switch;
use super::kept::Keeping;
use super::reshard::Change;
use super::store::Mark;
use crate::Instant;

/// A process.
pub(super) struct Process {
    pub(super) name: String,
    pub(super) capacity: u32,
    pub(super) clock: Clock,
    pub(super) fleet: Fleet,
    /// None in a process that has all shards.
    pub(super) holder: Option<Holder>,
    pub(super) slots: BTreeMap<ShardId, Slot>,
    pub(super) is_alive: bool,
    pub(super) is_leaving: bool,
    /// It does nothing until then, and then goes on as if nothing had been.
    pub(super) paused_until: Option<Instant>,
    pub(super) register_cut_until: Instant,
    pub(super) discord_cut_until: Instant,
    pub(super) store_cut_until: Instant,
    /// The wake-up that counts.
    pub(super) wake: u64,
    /// A batch of sessions is being stored.
    pub(super) is_saving: bool,
    /// What was written last counts as written at this moment.
    pub(super) last_save: u64,
    /// Identifies granted when the account was stored last.
    pub(super) granted: u64,
    /// What serves; none if this process runs a part of the bot's shards only.
    pub(super) serving: Option<Serving>,
    /// A change of shards that is under way, and the number that it, or a predecessor's, is to lead to.
    pub(super) change: Option<Box<Change>>,
    pub(super) unfinished: Option<u32>,
    /// What serves has changed since it was stored.
    pub(super) is_shape_new: bool,
    /// The change waits until it is.
    pub(super) is_committing: bool,
    /// Its part in a change over several processes; none in a process that has all shards.
    pub(super) crew: Option<Crew>,
    pub(super) bus_cut_until: Instant,
    /// Its shards' parts look at the clock.
    pub(super) is_ticking: bool,
    /// Something is to be stored at once.
    pub(super) is_save_wanted: bool,
}

impl Process {
    pub(super) fn local(&self, now: Instant) -> Instant {
        self.clock.local(now)
    }

    /// Whether frames may be sent for a shard at this moment.
    pub(super) fn may_run(&self, now: Instant, shard: ShardId) -> bool {
        let holder = self.holder.as_ref();
        self.is_alive && holder.is_none_or(|holder| holder.may_run(self.local(now), shard))
    }

    /// Whether shards are being changed, as far as it knows.
    pub(super) fn is_changing(&self) -> bool {
        self.change.is_some() || self.crew.as_ref().is_some_and(Crew::is_changing)
    }

    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    /// Whether a shard has an established session here.
    pub(super) fn is_established(&self, shard: ShardId) -> bool {
        let session = self.session(shard);
        self.is_alive && session.is_some_and(|session| session.established_at().is_some())
    }

    pub(super) fn session(&self, shard: ShardId) -> Option<&Session> {
        let slot = self.slots.get(&shard)?;
        slot.shard.as_ref().map(|shard| &shard.session)
    }

    pub(super) fn shard_mut(&mut self, shard: ShardId) -> Option<&mut Shard> {
        self.slots.get_mut(&shard)?.shard.as_mut()
    }

    /// When the process has something to do, by the world's clock, shards aside.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let fleet = self.fleet.poll_timeout().map(|timeout| timeout.at);
        let holder = self.holder.as_ref().and_then(Holder::poll_timeout);
        let crew = self.crew.as_ref().and_then(Crew::poll_timeout);
        let first = [fleet, holder, crew].into_iter().flatten().min()?;
        Some(self.clock.world(first))
    }
}

/// A shard's place in a process.
pub(super) struct Slot {
    /// The lease's; 0 where there are no leases.
    pub(super) token: u64,
    pub(super) since: Instant,
    /// What the store had.
    pub(super) capsule: Option<Capsule>,
    /// The store could not be read.
    pub(super) is_blind: bool,
    /// The fleet knows the shard.
    pub(super) is_told: bool,
    pub(super) shard: Option<Shard>,
    /// The session is closed; it is stored once more, after so many attempts.
    pub(super) ending: Option<u32>,
    /// What was stored last; nothing if that is not known.
    pub(super) stored: Option<Option<Mark>>,
    /// Its side in a change of shards over several processes, on its way to the store.
    pub(super) keeping: Keeping,
}

impl Slot {
    pub(super) fn new(token: u64, since: Instant) -> Self {
        Self {
            token,
            since,
            capsule: None,
            is_blind: false,
            is_told: false,
            shard: None,
            ending: None,
            stored: None,
            keeping: Keeping::default(),
        }
    }

    /// What is to be stored of the session; `Some(None)` if there is none. Nothing if the shard never ran.
    pub(super) fn mark(&self) -> Option<Option<Mark>> {
        let shard = self.shard.as_ref()?;
        Some(shard.is_known.then(|| Mark {
            session: shard.name.clone(),
            epoch: shard.epoch,
            received: shard.progress.last_received(),
            acknowledged: shard.acknowledged(),
        }))
    }

    /// The line for the store.
    pub(super) fn capsule_now(&self, at: u64) -> Option<Capsule> {
        let shard = self.shard.as_ref().filter(|shard| shard.is_known)?;
        let mut capsule = Capsule::of(&shard.snapshot.clone()?, 0)?;
        capsule.received = shard.progress.last_received();
        capsule.acknowledged = shard.acknowledged();
        capsule.epoch = shard.epoch;
        capsule.fencing = self.token;
        capsule.saved_at_ms = at;
        Some(capsule)
    }
}

/// A shard that was started.
pub(super) struct Shard {
    pub(super) session: Session,
    pub(super) connection: Option<u64>,
    /// Discord's name for the session that dispatches belong to.
    pub(super) name: String,
    /// There is a session to resume, as far as the shard knows.
    pub(super) is_known: bool,
    /// Who the session is, as it is stored.
    pub(super) snapshot: Option<shardkeep_core::gateway::Snapshot>,
    pub(super) epoch: u32,
    pub(super) progress: Progress,
    /// An identify went out and was not answered.
    pub(super) is_identifying: bool,
    /// The fleet has granted an identify, and the register has not yet.
    pub(super) awaits_permit: bool,
    /// Why the last session was given up.
    pub(super) lost: Option<Cause>,
    /// Its part in a change of shards.
    pub(super) switch: Option<Switch>,
    /// The wake-up that counts, and when it is.
    pub(super) wake: u64,
    pub(super) wake_at: Option<Instant>,
}

impl Shard {
    pub(super) fn new(session: Session, capsule: Option<&Capsule>) -> Self {
        let after = capsule.map_or(0, |capsule| capsule.acknowledged);
        Self {
            session,
            connection: None,
            name: capsule.map_or_else(String::new, |capsule| capsule.session_id.clone()),
            is_known: capsule.is_some(),
            snapshot: capsule.map(Capsule::snapshot),
            epoch: capsule.map_or(0, |capsule| capsule.epoch),
            progress: Progress::after(after),
            is_identifying: false,
            awaits_permit: false,
            lost: None,
            switch: None,
            wake: 0,
            wake_at: None,
        }
    }

    /// From where another process goes on.
    pub(super) fn acknowledged(&self) -> u64 {
        self.progress.acknowledged()
    }
}
