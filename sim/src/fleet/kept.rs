//! A side of a cutover that must outlive its process: stored beside its session before anybody relies on it.

use serde::{Deserialize, Serialize};
use shardkeep_core::fleet::cutover::{Counts, Joining, JoiningSnapshot, Leaving, LeavingSnapshot};
use shardkeep_core::fleet::reshard::across::Role;
use shardkeep_core::{ShardId, Snowflake};

use super::cutover::{Part, Switch, Told};
use super::process::Slot;
use super::reshard::config;
use super::stage::Stage;
use super::store::PartLine;
use crate::Instant;

/// What a side must not forget.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum PartSide {
    /// It hands its guilds over.
    Leaving(LeavingSnapshot),
    /// It takes guilds over.
    Joining(JoiningSnapshot),
}

/// A side as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredPart {
    guilds: Vec<Snowflake>,
    side: PartSide,
}

/// What is on its way to the store.
#[derive(Debug, Default)]
pub(super) struct Keep {
    /// The number under which it is being stored, and the side's version in it.
    asked: Option<(u64, u64)>,
    /// READY named these, and that is not stored yet.
    pub(super) guilds: Option<Vec<Snowflake>>,
    has_guilds: bool,
}

/// What a side has given to be stored.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    wanted: Option<String>,
    given: u64,
    under_way: u64,
    stored: u64,
}

impl Keeping {
    /// The number under which it is stored.
    fn give(&mut self, wanted: Option<&StoredPart>) -> u64 {
        let text = |part| serde_json::to_string(part).expect("lists and numbers are JSON");
        self.wanted = wanted.map(text);
        self.given += 1;
        self.given
    }

    pub(super) const fn is_new(&self) -> bool {
        self.given != self.under_way
    }

    /// The line for the store, if there is something new.
    pub(super) fn line(&mut self, shard: ShardId, version: (u64, u64)) -> Option<PartLine> {
        let is_new = self.is_new();
        self.under_way = self.given;
        is_new.then(|| PartLine {
            shard,
            version,
            number: self.given,
            text: self.wanted.clone(),
        })
    }

    pub(super) fn answered(&mut self, number: u64, is_stored: bool) {
        match is_stored {
            true => self.stored = self.stored.max(number),
            false => self.under_way = self.stored,
        }
    }
}

impl StoredPart {
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether it is still of use to a session with this role.
    pub(super) fn goes_on(&self, role: Option<(Role, u64)>) -> bool {
        match &self.side {
            PartSide::Leaving(side) => role == Some((Role::Leaving, side.cutover)),
            // It may still expect what the session before it dispatched. One that leaves now has joined before.
            PartSide::Joining(side) => match role {
                Some((Role::Leaving, _)) => false,
                Some((Role::Joining, cutover)) => cutover == side.cutover,
                None => true,
            },
        }
    }

    /// The side as it goes on in another process.
    pub(super) fn restore(self, local: Instant, shard: ShardId) -> Restored {
        let known = self.guilds.iter().copied();
        match self.side {
            PartSide::Leaving(side) => {
                let part = Leaving::restore(local, config(side.cutover, shard), known, &side);
                let role = (Role::Leaving, side.cutover);
                (Part::Leaving(Box::new(part)), role, Some(self.guilds))
            }
            PartSide::Joining(side) => {
                let mut part = Joining::restore(local, config(side.cutover, shard), known, &side);
                for guild in &self.guilds {
                    part.watch(local, *guild);
                }
                let role = (Role::Joining, side.cutover);
                (Part::Joining(Box::new(part)), role, Some(self.guilds))
            }
        }
    }
}

/// A side, what it is, and the guilds that it knows.
pub(super) type Restored = (Part, (Role, u64), Option<Vec<Snowflake>>);

pub(super) fn begun(shard: ShardId, (role, cutover): (Role, u64)) -> Part {
    let config = config(cutover, shard);
    match role {
        Role::Leaving => Part::Leaving(Box::new(Leaving::new(config, []))),
        Role::Joining => Part::Joining(Box::new(Joining::new(config, []))),
    }
}

impl Part {
    /// What became of all events.
    pub(super) fn sum(&self) -> Counts {
        match self {
            Self::Leaving(side) => side.total(),
            Self::Joining(side) => side.total(),
        }
    }

    /// How many guilds it gave to another session.
    pub(super) fn handed_over(&self) -> u64 {
        match self {
            Self::Leaving(side) => side.progress().2 as u64,
            Self::Joining(_) => 0,
        }
    }

    fn wants_store(&self) -> Option<u64> {
        match self {
            Self::Leaving(side) => side.wants_store(),
            Self::Joining(side) => side.wants_store(),
        }
    }

    fn stored(&mut self, version: u64) {
        match self {
            Self::Leaving(side) => side.stored(version),
            Self::Joining(side) => side.stored(version),
        }
    }

    /// What to store of it, and the version of that.
    fn written(&self) -> (StoredPart, u64) {
        match self {
            Self::Leaving(side) => {
                let snapshot = side.snapshot();
                let guilds = side.counts().map(|(guild, _)| guild).collect();
                let version = snapshot.version;
                let side = PartSide::Leaving(snapshot);
                (StoredPart { guilds, side }, version)
            }
            Self::Joining(side) => {
                let snapshot = side.snapshot();
                let guilds = side.counts().map(|(guild, _)| guild).collect();
                let version = snapshot.version;
                let side = PartSide::Joining(snapshot);
                (StoredPart { guilds, side }, version)
            }
        }
    }
}

impl Switch {
    /// The side as another process goes on with it. One that joins and never knew its guilds begins anew there.
    fn worth_keeping(&self) -> Option<StoredPart> {
        let is_worth = self.knows_guilds || matches!(self.part, Part::Leaving(_));
        is_worth.then(|| self.part.written().0)
    }
}

impl Stage<'_> {
    /// Gives what is new of a side to the store, and heeds what was stored.
    pub(super) fn keep_part(&mut self, by: usize, shard: ShardId) {
        let Some(slot) = self.processes[by].slots.get_mut(&shard) else {
            return;
        };
        let Slot {
            keeping,
            shard: Some(there),
            ..
        } = slot
        else {
            return;
        };
        let Some(switch) = &mut there.switch else {
            return;
        };
        let part = &mut switch.part;
        let Some(keep) = &mut switch.keep else {
            // Both sides are in this process: it takes both with it when it dies.
            if let Some(version) = part.wants_store() {
                part.stored(version);
            }
            return;
        };
        let mut ready = None;
        if let Some((number, version)) = keep.asked
            && keeping.stored >= number
        {
            keep.asked = None;
            part.stored(version);
            if std::mem::take(&mut keep.has_guilds) {
                ready = keep.guilds.take();
            }
            if part.wants_store().is_none() {
                // The cuts that they came after are stored: nobody dispatches them when they come again.
                for sequence in std::mem::take(&mut switch.suppressed) {
                    let _waited_for = there.progress.finished(sequence);
                }
            }
        }
        let has_more = part.wants_store().is_some() || (keep.guilds.is_some() && !keep.has_guilds);
        let is_given = keep.asked.is_none() && has_more;
        if is_given {
            let (written, version) = part.written();
            keep.has_guilds = keep.guilds.is_some();
            keep.asked = Some((keeping.give(Some(&written)), version));
        }
        if is_given {
            self.save_soon(by);
        }
        if let Some(guilds) = ready {
            self.told(by, shard, Told::Guilds(guilds));
        }
    }

    /// The session is closed here, to go on elsewhere if it can be resumed: so does its part.
    pub(super) fn leave_part(&mut self, by: usize, shard: ShardId) {
        let is_leased = self.scene.is_leased;
        let Some(slot) = self.processes[by].slots.get_mut(&shard) else {
            return;
        };
        let there = slot
            .shard
            .as_mut()
            .filter(|there| is_leased && there.is_known);
        if let Some(switch) = there.and_then(|there| there.switch.take()) {
            let written = switch.worth_keeping();
            let _stored_with_the_session = slot.keeping.give(written.as_ref());
            self.cutover_sum += switch.part.sum();
        }
    }

    /// The part is over. That a session has joined is kept as long as the change goes on.
    pub(super) fn end_kept(&mut self, by: usize, shard: ShardId, switch: &Switch) {
        let last = match switch.part {
            Part::Leaving(_) => None,
            Part::Joining(_) => switch.worth_keeping(),
        };
        if let Some(slot) = self.processes[by].slots.get_mut(&shard) {
            let _nobody_waits = slot.keeping.give(last.as_ref());
            self.save_soon(by);
        }
    }

    /// A change is over: what was stored of the sessions that joined is of no use any more.
    pub(super) fn forget_parts(&mut self, by: usize) {
        let crew = self.processes[by].crew.as_ref();
        let over: Vec<_> = crew.map_or_else(Vec::new, |crew| crew.parts.over_here().collect());
        for shard in over {
            if let Some(slot) = self.processes[by].slots.get_mut(&shard) {
                let _nobody_waits = slot.keeping.give(None);
            }
            self.save_soon(by);
        }
    }
}
