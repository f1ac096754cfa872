//! A shard's part in a change of shards: which of its events go to handlers while another session has them too.

use core::time::Duration;

use serde::Deserialize;
use shardkeep_core::fleet::cutover::{
    Counts, Event, Joining, Leaving, Message, SHARED, Settled, Suppressed, Verdict,
};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{ShardId, Snowflake};

use super::kept::Keep;
use super::stage::Stage;
use crate::Instant;

/// What a shard does in a change of shards.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// It hands its guilds over.
    Leaving(Box<Leaving>),
    /// It takes guilds over.
    Joining(Box<Joining>),
}

/// What a part is told.
#[derive(Clone, Debug)]
pub(super) enum Order {
    Begin(Part),
    /// The session that leaves has these guilds.
    Include(Vec<Snowflake>),
    /// Whether guilds may be asked for.
    Ask(bool),
    /// From the other side.
    Message(Message),
    /// It is over: the session has its guilds to itself.
    Stay,
}

/// What a part tells.
pub(super) enum Told {
    /// READY named these.
    Guilds(Vec<Snowflake>),
    /// For the other side.
    Message(Message),
    /// So many guilds there are, so many are handed over, and what became of their events.
    Progress(usize, usize, Box<Counts>),
    /// Every guild is handed over.
    Left,
    /// Every guild is taken over, and what was to be waited for has come.
    Settled,
    /// It is over, and this is its account.
    Over(Part),
}

/// A part, and what it needs.
pub(super) struct Switch {
    pub(super) part: Part,
    may_ask: bool,
    has_begun: bool,
    is_told: bool,
    /// What the other side has: not finished before the change is, so that a process that dies is sent it again.
    pub(super) suppressed: Vec<u64>,
    /// The session was lost after guilds could be handed over: it is not opened again.
    pub(super) is_lost: bool,
    /// The other side may lie in another process: what must outlive this one is stored before it is told.
    pub(super) keep: Option<Keep>,
    /// READY has come, here or in an earlier process: without it, a side that joins is not worth keeping.
    pub(super) knows_guilds: bool,
    /// What was said last of how many guilds are handed over.
    said: (usize, usize),
}

impl Switch {
    pub(super) const fn new(part: Part) -> Self {
        Self {
            part,
            may_ask: false,
            has_begun: false,
            is_told: false,
            suppressed: Vec::new(),
            is_lost: false,
            keep: None,
            knows_guilds: false,
            said: (0, 0),
        }
    }

    /// The same, stored as it goes on.
    pub(super) fn kept(part: Part) -> Self {
        Self {
            keep: Some(Keep::default()),
            ..Self::new(part)
        }
    }

    /// It is a side that goes on where another process stopped: one that joins knows all its guilds.
    pub(super) const fn goes_on(&mut self) {
        self.has_begun = matches!(self.part, Part::Joining(_));
        self.knows_guilds = true;
    }
}

/// An event as the sides see it.
pub(super) struct Dispatched {
    pub(super) kind: EventKind,
    pub(super) name: String,
    pub(super) data: Vec<u8>,
}

impl Stage<'_> {
    /// Hands an event on, or holds it, or leaves it to the other session.
    pub(super) fn sort(&mut self, by: usize, shard: ShardId, sequence: u64, event: &Dispatched) {
        let (now, local) = (self.now, self.local(by));
        let Some(there) = self.processes[by].shard_mut(shard) else {
            return;
        };
        let Some(switch) = &mut there.switch else {
            return;
        };
        let name = there.name.clone();
        let seen = Event {
            sequence,
            kind: event.kind,
            name: &event.name,
            data: &event.data,
        };
        let verdict = match &mut switch.part {
            Part::Leaving(side) => side.event(local, &seen),
            Part::Joining(side) if event.kind == EventKind::Ready => {
                let guilds = guilds_of(&event.data);
                side.include(guilds.iter().copied());
                side.ready(local);
                switch.knows_guilds = true;
                match &mut switch.keep {
                    // READY does not come again: its guilds are stored before anybody relies on them.
                    Some(keep) => keep.guilds = Some(guilds),
                    None => self.told(by, shard, Told::Guilds(guilds)),
                }
                return self.hand_on(by, shard, sequence);
            }
            Part::Joining(side) => side.event(local, &seen),
        };
        match verdict {
            Verdict::Dispatch => {}
            Verdict::Suppress(why) => {
                if why == Suppressed::AfterCut {
                    switch.suppressed.push(sequence);
                    there.progress.handed(sequence);
                }
                self.truth.left_out(&name, sequence, now);
            }
            Verdict::Held => there.progress.handed(sequence),
        }
        // What was held comes before what follows it.
        self.converse(by, shard);
        if verdict == Verdict::Dispatch {
            self.hand_on(by, shard, sequence);
        }
    }

    /// Hands on what was held, and says what there is to say.
    fn converse(&mut self, by: usize, shard: ShardId) {
        let local = self.local(by);
        loop {
            let there = self.processes[by].shard_mut(shard);
            let Some(switch) = there.and_then(|there| there.switch.as_mut()) else {
                return;
            };
            if let Part::Joining(side) = &mut switch.part
                && let Some(settled) = side.poll_settled()
            {
                self.settled(by, shard, &settled);
                continue;
            }
            self.keep_part(by, shard);
            let message = match self.part(by, shard) {
                Some(Part::Leaving(side)) => side.poll_message(local),
                Some(Part::Joining(side)) => side.poll_message(local),
                None => return,
            };
            match message {
                Some(message) => self.told(by, shard, Told::Message(message)),
                None => break,
            }
        }
        self.look_for_the_end(by, shard);
    }

    fn settled(&mut self, by: usize, shard: ShardId, settled: &Settled) {
        let sequence = settled.event().sequence;
        if settled.verdict == Verdict::Dispatch {
            return self.hand_on(by, shard, sequence);
        }
        let now = self.now;
        if let Some(there) = self.processes[by].shard_mut(shard) {
            let _waited_for = there.progress.finished(sequence);
            let name = there.name.clone();
            self.truth.left_out(&name, sequence, now);
        }
    }

    fn look_for_the_end(&mut self, by: usize, shard: ShardId) {
        let there = self.processes[by].shard_mut(shard);
        let Some(switch) = there
            .and_then(|there| there.switch.as_mut())
            .filter(|switch| switch.has_begun)
        else {
            return;
        };
        match &switch.part {
            Part::Leaving(side) if !switch.is_told && side.is_finished() => {
                switch.is_told = true;
                self.told(by, shard, Told::Left);
            }
            Part::Joining(side) if side.is_finished() => {
                self.told(by, shard, Told::Settled);
                self.end_switch(by, shard);
            }
            _ => {}
        }
    }

    /// The part is over.
    pub(super) fn end_switch(&mut self, by: usize, shard: ShardId) {
        let Some(there) = self.processes[by].shard_mut(shard) else {
            return;
        };
        if let Some(switch) = there.switch.take() {
            for &sequence in &switch.suppressed {
                let _waited_for = there.progress.finished(sequence);
            }
            if switch.keep.is_some() {
                self.end_kept(by, shard, &switch);
            }
            self.told(by, shard, Told::Over(switch.part));
        }
    }

    pub(super) fn obey_order(&mut self, by: usize, shard: ShardId, order: Order) {
        let local = self.local(by);
        let Some(there) = self.processes[by].shard_mut(shard) else {
            return;
        };
        if let Order::Begin(part) = order {
            there.switch = Some(match self.scene.is_leased {
                true => Switch::kept(part),
                false => Switch::new(part),
            });
            return self.tick_on(by);
        }
        let Some(switch) = &mut there.switch else {
            return;
        };
        match (order, &mut switch.part) {
            (Order::Include(guilds), Part::Leaving(side)) => side.include(guilds),
            (Order::Message(message), Part::Leaving(side)) => {
                side.include(Some(message.guild).filter(|guild| *guild != SHARED));
                side.message(local, &message);
            }
            (Order::Message(message), Part::Joining(side)) => side.message(local, &message),
            (Order::Ask(may_ask), _) => {
                switch.may_ask = may_ask;
                switch.has_begun |= may_ask;
            }
            (Order::Stay, _) => self.end_switch(by, shard),
            (Order::Include(_) | Order::Begin(_), _) => {}
        }
        self.converse(by, shard);
    }

    /// Lets the parts of a process look at the clock.
    pub(super) fn tick(&mut self, by: usize) {
        let local = self.local(by);
        let slots = &self.processes[by].slots;
        let has_part = |slot: &super::process::Slot| {
            let shard = slot.shard.as_ref();
            shard.is_some_and(|shard| shard.switch.is_some())
        };
        let parts: Vec<_> = slots
            .iter()
            .filter(|(_, slot)| has_part(slot))
            .map(|(&shard, _)| shard)
            .collect();
        for shard in parts {
            let there = self.processes[by].shard_mut(shard);
            if let Some(switch) = there.and_then(|there| there.switch.as_mut()) {
                match &mut switch.part {
                    Part::Leaving(side) => {
                        side.handle_timeout(local);
                        let (guilds, _, taken) = side.progress();
                        if std::mem::replace(&mut switch.said, (guilds, taken)) != (guilds, taken) {
                            let counts = Box::new(switch.part.sum());
                            self.told(by, shard, Told::Progress(guilds, taken, counts));
                        }
                    }
                    Part::Joining(side) => {
                        side.handle_timeout(local);
                        while switch.may_ask && side.ask_next(local).is_some() {}
                    }
                }
            }
            self.converse(by, shard);
        }
    }
    /// Who still has a part in a change: how many guilds there are, are under way, and have switched.
    pub(super) fn parts(&self) -> Vec<(ShardId, (usize, usize, usize))> {
        let slots = self.processes.iter().flat_map(|process| &process.slots);
        let parts = slots.filter_map(|(&shard, slot)| {
            let switch = slot.shard.as_ref()?.switch.as_ref()?;
            Some(match &switch.part {
                Part::Leaving(side) => (shard, side.progress()),
                Part::Joining(side) => (shard, side.progress()),
            })
        });
        parts.collect()
    }

    fn part(&mut self, by: usize, shard: ShardId) -> Option<&mut Part> {
        let there = self.processes[by].shard_mut(shard)?;
        there.switch.as_mut().map(|switch| &mut switch.part)
    }

    /// The session goes on, and what was replayed came late.
    pub(super) fn switch_resumed(&mut self, by: usize, shard: ShardId) {
        let local = self.local(by);
        match self.part(by, shard) {
            Some(Part::Leaving(side)) => side.resumed(local),
            Some(Part::Joining(side)) => side.resumed(local),
            None => {}
        }
    }

    /// A heartbeat was acknowledged after so long.
    pub(super) fn switch_alive(&mut self, by: usize, shard: ShardId, latency: Duration) {
        let local = self.local(by);
        match self.part(by, shard) {
            Some(Part::Leaving(side)) => side.alive(local),
            Some(Part::Joining(side)) => {
                let latency = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
                let sent = local.as_micros().saturating_sub(latency);
                side.acknowledged(Instant::from_micros(sent));
            }
            None => {}
        }
    }

    /// The session cannot be resumed. If its guilds are being handed over, they go where they are.
    pub(super) fn switch_lost(&mut self, by: usize, shard: ShardId) {
        let there = self.processes[by].shard_mut(shard);
        let Some(switch) = there.and_then(|there| there.switch.as_mut()) else {
            return;
        };
        // Of a session that is gone nothing comes again, and the next counts anew.
        switch.suppressed.clear();
        if let Part::Leaving(side) = &mut switch.part
            && switch.has_begun
        {
            side.lost();
            switch.is_lost = true;
        }
        self.converse(by, shard);
    }
}

fn guilds_of(ready: &[u8]) -> Vec<Snowflake> {
    #[derive(Deserialize)]
    struct Ready {
        guilds: Vec<Guild>,
    }
    #[derive(Deserialize)]
    struct Guild {
        id: Snowflake,
    }
    let ready = serde_json::from_slice::<Ready>(ready);
    let guilds = ready.map(|ready| ready.guilds).unwrap_or_default();
    guilds.into_iter().map(|guild| guild.id).collect()
}
