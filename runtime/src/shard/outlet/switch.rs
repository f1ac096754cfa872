//! A shard's part in a change of shards: which of its dispatches are handed on while another session has them too.

use std::task::Context;
use std::time::Duration;

use serde::Deserialize;
use shardkeep_core::fleet::cutover::{Event, Joining, SHARED, Scope, Suppressed, Verdict, scope};
use shardkeep_core::gateway::{Dispatch, Session};
use shardkeep_core::wire::{EventFilter, EventKind};
use shardkeep_core::{Instant, Snowflake};

use super::part::{BEAT, BEGINNINGS, Order, Part, Told};
use super::{Notice, Outlet};
use crate::clock;

/// Whether nobody wants to hear of it: only the first GUILD_CREATE of a guild is the joining side's, whoever else does.
fn is_superfluous(side: &Joining, wanted: Option<EventFilter>, dispatch: &Dispatch<'_>) -> bool {
    let is_wanted = wanted.is_none_or(|wanted| wanted.lets_through(dispatch.kind));
    if is_wanted || !BEGINNINGS.contains(&dispatch.kind) {
        return false;
    }
    match scope(dispatch.kind, dispatch.data) {
        Scope::Guild(guild) => side.has_begun(guild),
        Scope::Session => true,
    }
}

fn seen<'a>(dispatch: &Dispatch<'a>) -> Event<'a> {
    Event {
        sequence: dispatch.sequence,
        kind: dispatch.kind,
        name: dispatch.name,
        data: dispatch.data,
    }
}

impl Outlet {
    /// Hands a dispatch on, or holds it, or leaves it to the other session.
    #[cold]
    pub(super) fn sort(&mut self, dispatch: &Dispatch<'_>) {
        let guild = match scope(dispatch.kind, dispatch.data) {
            Scope::Guild(guild) => Some(guild),
            Scope::Session => None,
        };
        if guild.is_some_and(|guild| self.is_apart(guild)) {
            self.unwanted += 1;
            return;
        }
        let Some(switch) = &mut self.switch else {
            return self.hand_on(dispatch, true);
        };
        if guild.is_some_and(|guild| !switch.concerns(guild)) {
            return self.hand_on(dispatch, true);
        }
        if matches!(switch.part, Part::Joining(_)) && dispatch.kind == EventKind::Ready {
            let is_news = switch.is_back;
            self.joined(dispatch.data);
            return self.hand_on(dispatch, is_news);
        }
        if let (Part::Joining(side), true, Some(guild)) = (&mut switch.part, switch.is_back, guild)
            && !side.has_begun(guild)
        {
            // Its GUILD_CREATE came long ago: one that comes now is a join, to both sessions.
            side.include([guild]);
            side.watch(clock::now(), guild);
        }
        let verdict = match &mut switch.part {
            Part::Leaving(side) => side.event(clock::now(), &seen(dispatch)),
            Part::Joining(side) if is_superfluous(side, self.sieve, dispatch) => {
                Verdict::Suppress(Suppressed::Watched)
            }
            Part::Joining(side) => side.event(clock::now(), &seen(dispatch)),
        };
        match verdict {
            Verdict::Dispatch => {}
            Verdict::Suppress(Suppressed::AfterCut) => {
                switch.suppressed.push(dispatch.sequence);
                self.track.handed(dispatch.sequence);
            }
            Verdict::Suppress(_) => {}
            Verdict::Held => {
                switch.held.insert(dispatch.sequence);
                self.track.handed(dispatch.sequence);
            }
        }
        // What was held comes before what follows it.
        self.converse();
        match verdict {
            Verdict::Dispatch => self.hand_on(dispatch, true),
            Verdict::Suppress(_) | Verdict::Held => self.unwanted += 1,
        }
    }

    /// READY of a session that joins: whose guilds it has.
    fn joined(&mut self, data: &[u8]) {
        let (now, mut guilds) = (clock::now(), guilds_of(data));
        guilds.retain(|guild| !self.is_apart(*guild));
        let Some(switch) = &mut self.switch else {
            return;
        };
        guilds.retain(|guild| switch.concerns(*guild));
        if let Part::Joining(side) = &mut switch.part {
            side.include(guilds.iter().copied());
            side.ready(now);
        }
        match &mut switch.keep {
            // READY does not come again: its guilds are stored before anybody relies on them.
            Some(keep) => keep.guilds = Some(guilds),
            None => self.tell_switch(Told::Guilds(guilds)),
        }
    }

    pub(super) fn tell_switch(&self, told: Told) {
        let shard = self.shard;
        self.notify(Notice::Switch { shard, told });
    }

    /// Hands on what was held, and says what there is to say.
    fn converse(&mut self) {
        let now = clock::now();
        loop {
            let Some(switch) = &mut self.switch else {
                return;
            };
            if let Part::Joining(side) = &mut switch.part
                && let Some(settled) = side.poll_settled()
            {
                self.settled(&settled.event(), settled.verdict);
                continue;
            }
            self.keep_part();
            let message = match self.switch.as_mut().map(|switch| &mut switch.part) {
                Some(Part::Leaving(side)) => side.poll_message(now),
                Some(Part::Joining(side)) => side.poll_message(now),
                None => return,
            };
            match message {
                Some(message) => self.tell_switch(Told::Message(message)),
                None => break,
            }
        }
        self.look_for_the_end();
    }

    fn settled(&mut self, event: &Event<'_>, verdict: Verdict) {
        let lost_of = self.switch.as_mut().and_then(|switch| {
            let lost = switch.held_of_lost.remove(&event.sequence);
            switch.held.remove(&event.sequence);
            lost
        });
        if verdict == Verdict::Dispatch {
            let dispatch = Dispatch {
                sequence: event.sequence,
                kind: event.kind,
                name: event.name,
                data: event.data,
                replayed: false,
            };
            self.unwanted -= 1;
            match lost_of {
                // It is no event of the present session, which may have one with the same number.
                Some(session) => drop(self.hand_on_of(&dispatch, true, session)),
                None => self.hand_on(&dispatch, true),
            }
        } else if lost_of.is_none() {
            self.track.finished([event.sequence]);
        }
    }

    fn look_for_the_end(&mut self) {
        let Some(switch) = self.switch.as_mut().filter(|switch| switch.has_begun) else {
            return;
        };
        match &switch.part {
            Part::Leaving(side) if !switch.is_told && side.is_finished() => {
                switch.is_told = true;
                self.tell_switch(Told::Left);
            }
            Part::Joining(side) if side.is_finished() => {
                self.tell_switch(Told::Settled);
                self.end_switch();
            }
            _ => {}
        }
    }

    /// The part is over: its account goes to the fleet's task.
    pub(in crate::shard) fn end_switch(&mut self) {
        if let Some(switch) = self.switch.take() {
            if switch.keep.is_some() {
                self.end_kept(&switch);
            }
            self.track.finished(switch.suppressed);
            self.tell_switch(Told::Over(switch.part));
        }
    }

    pub(in crate::shard) fn obey_switch(&mut self, order: Order) {
        let now = clock::now();
        match (order, self.switch.as_mut().map(|switch| &mut switch.part)) {
            (Order::Begin(switch), _) => self.switch = Some(switch),
            (Order::Apart(overlays), _) => self.apart = overlays,
            (Order::Include(guilds), Some(Part::Leaving(side))) => side.include(guilds),
            (Order::Include(guilds), Some(Part::Joining(side))) => {
                side.include(guilds.iter().copied());
                guilds.iter().for_each(|guild| side.watch(now, *guild));
                if let Some(switch) = &mut self.switch {
                    switch.knows_guilds = true;
                }
            }
            (Order::Message(message), Some(Part::Leaving(side))) => {
                side.include(Some(message.guild).filter(|guild| *guild != SHARED));
                side.message(now, &message);
            }
            (Order::Message(message), Some(Part::Joining(side))) => side.message(now, &message),
            (Order::Ask(may_ask), _) => {
                if let Some(switch) = &mut self.switch {
                    switch.may_ask = may_ask;
                    switch.has_begun |= may_ask;
                }
            }
            (Order::Stay, _) => self.end_switch(),
            (Order::Include(_) | Order::Message(_), _) => {}
        }
        self.converse();
    }

    /// Whether an overlay handles the guild.
    fn is_apart(&self, guild: Snowflake) -> bool {
        self.apart.iter().any(|overlay| overlay.carries(guild))
    }

    /// The session's guilds, if its part is to tell them.
    pub(in crate::shard) fn tell_guilds(&mut self, session: &Session) {
        if let Some(switch) = &mut self.switch
            && std::mem::take(&mut switch.tells_guilds)
        {
            let guilds: Vec<_> = session.guild_ids().collect();
            if let Part::Leaving(side) = &mut switch.part {
                side.include(guilds.iter().copied());
            }
            match &mut switch.keep {
                Some(keep) => keep.guilds = Some(guilds),
                None => self.tell_switch(Told::Guilds(guilds)),
            }
            self.converse();
        }
    }

    /// Follows the clock. Whether there was anything to do.
    pub(in crate::shard) fn poll_switch(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(switch) = self.switch.as_mut() else {
            return false;
        };
        if switch.tick.poll_tick(cx).is_pending() {
            return false;
        }
        let now = clock::now();
        match &mut switch.part {
            Part::Leaving(side) => {
                side.handle_timeout(now);
                let (guilds, _, taken) = side.progress();
                if std::mem::replace(&mut switch.said, (guilds, taken)) != (guilds, taken) {
                    let counts = Box::new(switch.part.counts());
                    self.tell_switch(Told::Progress {
                        guilds,
                        taken,
                        counts,
                    });
                }
            }
            Part::Joining(side) => {
                side.handle_timeout(now);
                while switch.may_ask && side.ask_next(now).is_some() {}
            }
        }
        self.converse();
        true
    }

    /// Whether the session is to show that it lives: a silent guild can only switch once that is proven on both sides.
    pub(in crate::shard) fn wants_heartbeat(&mut self) -> bool {
        let now = clock::now();
        let Some(switch) = self.switch.as_mut().filter(|switch| switch.may_ask) else {
            return false;
        };
        let is_due = switch.asked_at.is_none_or(|at| at + BEAT <= now);
        if is_due {
            switch.asked_at = Some(now);
        }
        is_due
    }

    /// Whether as much is held as may be.
    pub(super) fn switch_is_full(&self) -> bool {
        let part = self.switch.as_ref().map(|switch| &switch.part);
        matches!(part, Some(Part::Joining(side)) if side.wants_pause())
    }

    /// The session goes on: resumed, or read again after a pause.
    pub(super) fn switch_resumed(&mut self) {
        let now = clock::now();
        match self.switch.as_mut().map(|switch| &mut switch.part) {
            Some(Part::Leaving(side)) => side.resumed(now),
            Some(Part::Joining(side)) => side.resumed(now),
            None => {}
        }
    }

    /// A heartbeat was acknowledged after so long.
    pub(super) fn switch_alive(&mut self, latency: Duration) {
        let now = clock::now();
        match self.switch.as_mut().map(|switch| &mut switch.part) {
            Some(Part::Leaving(side)) => side.alive(now),
            Some(Part::Joining(side)) => {
                let sent = now.as_micros().saturating_sub(micros(latency));
                side.acknowledged(Instant::from_micros(sent));
            }
            None => {}
        }
    }

    /// The session cannot be resumed. If its guilds are being handed over, they go where they are, from where it ended.
    pub(super) fn switch_lost(&mut self) {
        let Some(switch) = &mut self.switch else {
            return;
        };
        // Of a session that is gone nothing comes again, and the next counts anew.
        switch.suppressed.clear();
        let session = self.track.epoch();
        let held = std::mem::take(&mut switch.held).into_iter();
        switch
            .held_of_lost
            .extend(held.map(|sequence| (sequence, session)));
        if let Part::Leaving(side) = &mut switch.part
            && switch.has_begun
        {
            side.lost();
            switch.is_lost = true;
        }
        self.converse();
    }

    /// Whether the session may be opened anew.
    pub(super) fn may_identify(&self) -> bool {
        self.switch.as_ref().is_none_or(|switch| !switch.is_lost)
    }

    /// From where another process must go on: what is handed over and not yet the other side's for good comes again.
    pub(in crate::shard) fn pinned(&self) -> Option<u64> {
        let first = self.switch.as_ref()?.suppressed.first()?;
        Some(first.saturating_sub(1))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
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
