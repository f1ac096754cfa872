//! What of a part must outlive its process: given to be stored, and heeded once it is.

use shardkeep_core::Snowflake;

use super::Outlet;
use super::part::{Part, Switch, Told};
use crate::sessions::{PartMemory, PartSide};

/// What is on its way to the store.
#[derive(Debug, Default)]
pub(super) struct Keep {
    /// The number under which it is being stored, and the side's version in it.
    asked: Option<(u64, u64)>,
    /// READY named these, and that is not stored yet.
    pub(super) guilds: Option<Vec<Snowflake>>,
    /// READY's guilds are in what is being stored.
    has_guilds: bool,
}

impl Part {
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

    /// Every guild it knows.
    fn guilds(&self) -> Vec<Snowflake> {
        match self {
            Self::Leaving(side) => side.counts().map(|(guild, _)| guild).collect(),
            Self::Joining(side) => side.counts().map(|(guild, _)| guild).collect(),
        }
    }

    /// What to store of it, and the version of that.
    fn side(&self) -> (PartSide, u64) {
        match self {
            Self::Leaving(side) => {
                let snapshot = side.snapshot();
                let version = snapshot.version;
                (PartSide::Leaving(snapshot), version)
            }
            Self::Joining(side) => {
                let snapshot = side.snapshot();
                let version = snapshot.version;
                (PartSide::Joining(snapshot), version)
            }
        }
    }
}

impl Switch {
    /// What to store of it, and the version of that.
    fn memory(&self) -> (PartMemory, u64) {
        let (side, version) = self.part.side();
        let memory = PartMemory {
            partners: self.partners.clone(),
            guilds: self.part.guilds(),
            side,
        };
        (memory, version)
    }
}

impl Outlet {
    /// The session is given up here, to go on elsewhere: so does its part, from what is stored. `false` if it is not.
    pub(in crate::shard) fn leave_part(&mut self) -> bool {
        let Some(switch) = self.switch.take_if(|switch| switch.keep.is_some()) else {
            return false;
        };
        if switch.knows_guilds {
            let _stored_with_the_session = self.track.keep_part(Some(switch.memory().0));
        }
        true
    }

    /// The part is over. That a session has joined is kept as long as the change goes on: whoever runs it next must not
    /// join again.
    pub(super) fn end_kept(&self, switch: &Switch) {
        let last = match &switch.part {
            Part::Leaving(_) => None,
            Part::Joining(_) if switch.knows_guilds => Some(switch.memory().0),
            Part::Joining(_) => None,
        };
        let _nobody_waits = self.track.keep_part(last);
    }

    /// Gives what is new to the store, and heeds what was stored.
    pub(super) fn keep_part(&mut self) {
        let Some(switch) = &mut self.switch else {
            return;
        };
        let Some(keep) = &mut switch.keep else {
            // Both sides are in this process: it takes both with it when it dies.
            if let Some(version) = switch.part.wants_store() {
                switch.part.stored(version);
            }
            return;
        };
        let mut ready = None;
        if let Some((number, version)) = keep.asked
            && self.track.part_kept() >= number
        {
            keep.asked = None;
            switch.part.stored(version);
            if std::mem::take(&mut keep.has_guilds) {
                ready = keep.guilds.take();
                switch.knows_guilds = true;
            }
            if switch.part.wants_store().is_none() {
                // The cuts that they came after are stored: nobody dispatches them when they come again.
                self.track.finished(std::mem::take(&mut switch.suppressed));
            }
        }
        let is_ready_to_be_stored = keep.guilds.is_some() && !keep.has_guilds;
        let has_more = switch.part.wants_store().is_some() || is_ready_to_be_stored;
        if keep.asked.is_none() && has_more {
            keep.has_guilds = keep.guilds.is_some();
            let (memory, version) = switch.memory();
            let number = self.track.keep_part(Some(memory));
            if let Some(keep) = &mut switch.keep {
                keep.asked = Some((number, version));
            }
        }
        if let Some(guilds) = ready {
            self.tell_switch(Told::Guilds(guilds));
        }
    }
}
