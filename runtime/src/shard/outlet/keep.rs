//! What of a part must outlive its process: given to be stored, and heeded once it is.

use shardkeep_core::Snowflake;
use shardkeep_core::fleet::cutover::{Joining, Leaving};

use super::Outlet;
use super::switch::{Part, Told};
use crate::sessions::PartSide;

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

    /// Every guild it knows, what to store of it, and the version of that.
    fn written(&self) -> (Vec<Snowflake>, PartSide, u64) {
        match self {
            Self::Leaving(side) => {
                let snapshot = side.snapshot();
                let version = snapshot.version;
                (leaving_guilds(side), PartSide::Leaving(snapshot), version)
            }
            Self::Joining(side) => {
                let snapshot = side.snapshot();
                let version = snapshot.version;
                (joining_guilds(side), PartSide::Joining(snapshot), version)
            }
        }
    }
}

fn leaving_guilds(side: &Leaving) -> Vec<Snowflake> {
    side.counts().map(|(guild, _)| guild).collect()
}

fn joining_guilds(side: &Joining) -> Vec<Snowflake> {
    side.counts().map(|(guild, _)| guild).collect()
}

impl Outlet {
    /// The session is given up here, to go on elsewhere: so does its part, from what is stored. `false` if it is not.
    pub(in crate::shard) fn leave_part(&mut self) -> bool {
        let Some(switch) = self.switch.take_if(|switch| switch.keep.is_some()) else {
            return false;
        };
        let (guilds, side, _) = switch.part.written();
        let _stored_with_the_session = self.track.keep_part(Some((guilds, side)));
        true
    }

    /// The part is over. That a session has joined is kept as long as the change goes on: whoever runs it next must not
    /// join again.
    pub(super) fn end_kept(&self, part: &Part) {
        let last = match part {
            Part::Leaving(_) => None,
            Part::Joining(_) => {
                let (guilds, side, _) = part.written();
                Some((guilds, side))
            }
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
            }
            if switch.part.wants_store().is_none() {
                // The cuts that they came after are stored: nobody dispatches them when they come again.
                self.track.finished(std::mem::take(&mut switch.suppressed));
            }
        }
        let has_more =
            switch.part.wants_store().is_some() || (keep.guilds.is_some() && !keep.has_guilds);
        if keep.asked.is_none() && has_more {
            let (guilds, side, version) = switch.part.written();
            keep.has_guilds = keep.guilds.is_some();
            keep.asked = Some((self.track.keep_part(Some((guilds, side))), version));
        }
        if let Some(guilds) = ready {
            self.tell_switch(Told::Guilds(guilds));
        }
    }
}
