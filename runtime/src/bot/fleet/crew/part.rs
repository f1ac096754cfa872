//! This process's sessions in a change of shards over all: which part each has, what was stored of it, what it says.

use shardkeep_core::fleet::cutover::{Joining, Leaving};
use shardkeep_core::fleet::reshard::across::{Parts, Role};
use shardkeep_core::{ShardId, Snowflake};

use super::Running;
use super::change::Across;
use crate::bot::fleet::change::config;
use crate::clock;
use crate::sessions::{PartMemory, PartSide, StoredPart};
use crate::shard::{Control, Part, Switch, SwitchOrder, SwitchTold};

impl Across {
    /// Whether the session is one of those that know the guilds of the present step.
    fn tells(&self, shard: ShardId) -> bool {
        let course = self.parts.known();
        course.is_some_and(|course| course.tellers().0.contains(&shard))
    }
}

impl Running {
    /// Whether another process could go on with what this one stores.
    fn keeps_parts(&self) -> bool {
        let sessions = self.driver.sessions.as_ref();
        sessions.is_some_and(|sessions| sessions.is_shared())
    }

    /// A change is over: what was stored of the sessions that joined is of no use any more.
    pub(super) fn forget_parts(&self) {
        let (Some(crew), Some(sessions)) = (&self.crew, &self.driver.sessions) else {
            return;
        };
        for shard in crew.across.parts.over_here() {
            if let Some(tracked) = sessions.of(shard) {
                let _nobody_waits = tracked.keep_part(None);
            }
        }
    }

    /// A session that takes part in a change must not go on without what its part had stored: it would know of no cut
    /// that was told, and the change would wait for ever. It waits for the store, as long as its lease runs.
    pub(super) fn waits_for_its_part(&mut self, shard: ShardId) -> bool {
        let Some(crew) = &mut self.crew else {
            return false;
        };
        let waits = crew.across.parts.role(shard).is_some();
        if waits {
            crew.taken.insert(shard);
        }
        waits
    }

    /// A session was taken, and this was stored beside it. `false` if the session is of no use.
    pub(super) fn found_part(&mut self, shard: ShardId, part: Option<StoredPart>) -> bool {
        let Some(across) = self.across() else {
            return true;
        };
        let role = across.parts.role(shard);
        let part = part.filter(|stored| goes_on(stored, role));
        let is_new = role.is_some_and(|(role, _)| role == Role::Joining) && across.tells(shard);
        if part.is_none() && is_new {
            // Its guilds were in READY, which does not come again.
            tracing::info!(%shard, "a new session was left before its guilds were stored: it begins anew");
            return false;
        }
        across.stored.extend(part.map(|part| (shard, part)));
        true
    }

    /// The part with which a session of this process begins.
    pub(in crate::bot::fleet) fn part_across(&mut self, shard: ShardId) -> Option<Switch> {
        let is_kept = self.keeps_parts();
        let crew = self.crew.as_mut()?;
        let token = crew.token(shard);
        let across = &mut crew.across;
        let role = across.parts.role(shard);
        let stored = across.stored.remove(&shard);
        let stored = stored.filter(|stored| goes_on(stored, role));
        let mut partners = Vec::new();
        let (part, role, guilds) = match (stored, role) {
            (Some(stored), _) => restored(shard, stored.memory, &mut partners),
            (None, Some(role)) => {
                let course = across.parts.known();
                partners = course.map_or_else(Vec::new, |course| course.partners(role.0));
                (begun(shard, role, &partners), role, None)
            }
            (None, None) => return None,
        };
        let is_back =
            role.0 == Role::Joining && across.parts.role(shard).is_some() && !across.tells(shard);
        let mut switch = Switch::new(part, partners);
        if guilds.is_some() {
            switch = switch.going_on();
        }
        if is_back {
            switch = switch.back();
        }
        across.parts.begun(shard, role, token, guilds);
        Some(if is_kept { switch.kept() } else { switch })
    }

    /// The session's task has begun.
    pub(in crate::bot::fleet) fn runs_across(&mut self, shard: ShardId) {
        if let Some(crew) = &mut self.crew {
            let token = crew.token(shard);
            // An earlier lease of it may have ended before it ran: that one was to be closed for good, this one is not.
            crew.across.dropped.remove(&shard);
            crew.across.parts.running(shard, token);
        }
    }

    /// The session does not run here any more.
    pub(in crate::bot::fleet) fn gone_across(&mut self, shard: ShardId) {
        if let Some(across) = self.across() {
            across.parts.gone(shard);
            across.dropped.remove(&shard);
        }
    }

    /// Whether the session is to be closed for good.
    pub(in crate::bot::fleet) fn drops_across(&self, shard: ShardId) -> bool {
        let crew = self.crew.as_ref();
        crew.is_some_and(|crew| crew.across.dropped.contains(&shard))
    }

    /// Discord refuses a session. `true` if the change is undone for it.
    pub(in crate::bot::fleet) fn refused_across(&mut self, shard: ShardId) -> bool {
        let Some(across) = self.across() else {
            return false;
        };
        let is_new = matches!(across.parts.role(shard), Some((Role::Joining, _)));
        if is_new {
            across.parts.refused(shard);
        }
        is_new
    }

    /// What a session's part has to say. `None` if that went on from here.
    pub(in crate::bot::fleet) fn switched_across(
        &mut self,
        shard: ShardId,
        told: SwitchTold,
    ) -> Option<SwitchTold> {
        let Some(across) = self.across() else {
            return Some(told);
        };
        let parts = &mut across.parts;
        match told {
            SwitchTold::Guilds(guilds) => parts.ready(shard, guilds),
            SwitchTold::Message(message) => parts.say(shard, message),
            SwitchTold::Progress {
                guilds,
                taken,
                counts,
            } => parts.progress(shard, guilds, taken, *counts),
            SwitchTold::Left => parts.left(shard),
            SwitchTold::Settled => parts.settled(shard),
            SwitchTold::Over(part) => parts.over(shard, part.counts()),
        }
        None
    }

    pub(super) fn order_part(&mut self, shard: ShardId, order: SwitchOrder) {
        self.control(shard, Control::Switch(Box::new(order)));
    }

    /// A session that runs already gets its part.
    pub(super) fn begin_part(&mut self, shard: ShardId, role: (Role, u64)) {
        let is_kept = self.keeps_parts();
        let Some(crew) = &mut self.crew else {
            return;
        };
        let token = crew.token(shard);
        let across = &mut crew.across;
        across.parts.begun(shard, role, token, None);
        let course = across.parts.known();
        let partners = course.map_or_else(Vec::new, |course| course.partners(role.0));
        let is_teller = across.tells(shard);
        let mut switch = Switch::new(begun(shard, role, &partners), partners.clone());
        if is_kept {
            switch = switch.kept();
        }
        let mut apart = self.apart(shard);
        match role.0 {
            Role::Joining => {
                switch = switch.back();
                apart.retain(|overlay| !partners.contains(overlay));
            }
            Role::Leaving if is_teller => switch = switch.telling_guilds(),
            Role::Leaving => {}
        }
        self.order_part(shard, SwitchOrder::Begin(Box::new(switch)));
        self.order_part(shard, SwitchOrder::Apart(apart));
    }

    /// The overlay whose guilds the session takes back.
    pub(in crate::bot::fleet) fn taken_back_across(&self, shard: ShardId) -> Vec<ShardId> {
        let parts = self.crew.as_ref().map(|crew| &crew.across.parts);
        let Some((Role::Joining, _)) = parts.and_then(|parts| parts.role(shard)) else {
            return Vec::new();
        };
        let course = parts.and_then(Parts::known);
        course.map_or_else(Vec::new, |course| course.partners(Role::Joining))
    }
}

/// Whether a stored side is still of use to the session.
fn goes_on(stored: &StoredPart, role: Option<(Role, u64)>) -> bool {
    match &stored.memory.side {
        PartSide::Leaving(side) => role == Some((Role::Leaving, side.cutover)),
        // It may still expect what the session before it dispatched. One that leaves now has joined before.
        PartSide::Joining(side) => match role {
            Some((Role::Leaving, _)) => false,
            Some((Role::Joining, cutover)) => cutover == side.cutover,
            None => true,
        },
    }
}

fn restored(
    shard: ShardId,
    memory: PartMemory,
    partners: &mut Vec<ShardId>,
) -> (Part, (Role, u64), Option<Vec<Snowflake>>) {
    let (now, guilds) = (clock::now(), memory.guilds);
    *partners = memory.partners;
    match memory.side {
        PartSide::Leaving(side) => {
            let cutover = side.cutover;
            let known = guilds.iter().copied();
            let part = Leaving::restore(now, config(cutover, shard, partners), known, &side);
            (
                Part::Leaving(Box::new(part)),
                (Role::Leaving, cutover),
                Some(guilds),
            )
        }
        PartSide::Joining(side) => {
            let cutover = side.cutover;
            let known = guilds.iter().copied();
            let config = config(cutover, shard, partners);
            let mut part = Joining::restore(now, config, known, &side);
            for guild in &guilds {
                part.watch(now, *guild);
            }
            (
                Part::Joining(Box::new(part)),
                (Role::Joining, cutover),
                Some(guilds),
            )
        }
    }
}

fn begun(shard: ShardId, (role, cutover): (Role, u64), partners: &[ShardId]) -> Part {
    let config = config(cutover, shard, partners);
    match role {
        Role::Leaving => Part::Leaving(Box::new(Leaving::new(config, []))),
        Role::Joining => Part::Joining(Box::new(Joining::new(config, []))),
    }
}
