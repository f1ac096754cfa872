//! Drives both sides as a runtime would: delivers events, carries messages, stores snapshots, asks.

use shardkeep_core::Snowflake;
use shardkeep_core::fleet::cutover::{
    Body, Config, Event, Joining, JoiningSnapshot, Leaving, LeavingSnapshot, Message, SHARED,
    Verdict,
};
use shardkeep_core::wire::EventKind;

use super::session::{Item, Session};
use super::{World, instant, payload};

pub(crate) struct OldSide {
    pub(crate) leaving: Leaving,
    pub(crate) config: Config,
    pub(crate) guilds: Vec<Snowflake>,
    pub(crate) session: Session,
    pub(crate) stored: Option<LeavingSnapshot>,
    pub(crate) is_dead: bool,
    pub(crate) died_at: u64,
    pub(crate) finished_at: u64,
}

pub(crate) struct NewSide {
    pub(crate) joining: Joining,
    pub(crate) config: Config,
    pub(crate) guilds: Vec<Snowflake>,
    pub(crate) session: Session,
    pub(crate) stored: Option<JoiningSnapshot>,
    pub(crate) starts: u64,
    pub(crate) asked_at: u64,
    /// Guilds whose first GUILD_CREATE Discord has still to send.
    pub(crate) to_create: Vec<u64>,
    pub(crate) held: u64,
}

impl OldSide {
    pub(crate) fn new(leaving: Leaving, config: Config, guilds: Vec<Snowflake>) -> Self {
        let mut session = Session::default();
        session.is_open = true;
        Self {
            leaving,
            config,
            guilds,
            session,
            stored: None,
            is_dead: false,
            died_at: 0,
            finished_at: 0,
        }
    }
}

impl NewSide {
    pub(crate) fn new(
        joining: Joining,
        config: Config,
        guilds: Vec<Snowflake>,
        starts: u64,
    ) -> Self {
        Self {
            joining,
            config,
            guilds,
            session: Session::default(),
            stored: None,
            starts,
            asked_at: 0,
            to_create: Vec::new(),
            held: 0,
        }
    }
}

impl World {
    /// New sessions start and are told their guilds; heartbeats are acknowledged.
    pub(crate) fn beat(&mut self) {
        let (now, lag) = (self.now, self.lag());
        for new in &mut self.new {
            if new.starts != 0 && now >= new.starts {
                new.starts = 0;
                new.session.begin_anew(now);
                new.session.push(now, lag, &mut self.rng, Item::Ready);
                new.to_create = new.guilds.iter().map(|guild| guild.0).collect();
            }
            if !new.to_create.is_empty() && self.rng.below(20) == 0 {
                let which = self.rng.below(new.to_create.len() as u64) as usize;
                let guild = new.to_create.swap_remove(which);
                new.session
                    .push(now, lag, &mut self.rng, Item::Create(guild));
            }
            if now % 41_260 == 0 {
                new.session.push(now, lag, &mut self.rng, Item::Beat(now));
            }
        }
        if now % 41_260 == 0 {
            self.old
                .session
                .push(now, lag, &mut self.rng, Item::Beat(now));
        }
    }

    pub(crate) fn deliver(&mut self) {
        if !self.old.is_dead {
            while let Some((sequence, item)) = self.old.session.next(self.now) {
                self.at_old(sequence, item);
            }
        }
        for side in 0..self.new.len() {
            let pause = self.new[side].joining.wants_pause();
            let was = core::mem::replace(&mut self.new[side].session.is_paused, pause);
            if was && !pause {
                self.new[side].joining.unpaused(instant(self.now));
            }
            while let Some((sequence, item)) = self.new[side].session.next(self.now) {
                self.at_new(side, sequence, item);
                self.take_settled(side);
                if self.new[side].joining.wants_pause() {
                    break;
                }
            }
        }
    }

    fn at_old(&mut self, sequence: u64, item: Item) {
        let now = instant(self.now);
        match item {
            Item::Beat(_) => self.old.leaving.alive(now),
            Item::Resumed => self.old.leaving.resumed(now),
            Item::Ready | Item::Create(_) => {}
            Item::Truth(index) => {
                let truth = self.truths[index];
                let (name, data) = payload(truth.guild, truth.shape);
                let event = event(sequence, name, &data);
                if self.old.leaving.event(now, &event) == Verdict::Dispatch {
                    self.dispatched.push((index, 0, sequence));
                }
            }
        }
    }

    fn at_new(&mut self, side: usize, sequence: u64, item: Item) {
        let now = instant(self.now);
        let new = &mut self.new[side];
        if item != Item::Resumed {
            self.former.insert((side, sequence), item);
        }
        match item {
            Item::Beat(sent) => new.joining.acknowledged(instant(sent)),
            Item::Resumed => new.joining.resumed(now),
            Item::Ready => {
                new.joining.ready(now);
                let snapshot = new.joining.snapshot();
                new.joining.stored(snapshot.version);
                new.stored = Some(snapshot);
            }
            Item::Create(guild) => {
                let data = format!(r#"{{"id":"{guild}","name":"g","unavailable":false}}"#);
                let owned = new.joining.owns(Snowflake(guild));
                let verdict = new
                    .joining
                    .event(now, &event(sequence, "GUILD_CREATE", &data));
                if verdict == Verdict::Held {
                    new.session.held.insert(sequence);
                }
                if verdict == Verdict::Dispatch {
                    // A guild that is dispatched here, on a session that was begun anew: an event as any other.
                    *self.creates.entry(guild).or_default() += 1;
                    self.overlap_dispatched += u64::from(!owned);
                }
            }
            Item::Truth(index) => {
                let truth = self.truths[index];
                let (name, data) = payload(truth.guild, truth.shape);
                match new.joining.event(now, &event(sequence, name, &data)) {
                    Verdict::Dispatch => self.dispatched.push((index, side + 1, sequence)),
                    Verdict::Suppress(_) => {}
                    Verdict::Held => {
                        new.session.held.insert(sequence);
                        new.held += 1;
                    }
                }
            }
        }
    }

    pub(crate) fn take_settled(&mut self, side: usize) {
        let new = &mut self.new[side];
        while let Some(settled) = new.joining.poll_settled() {
            let sequence = settled.event().sequence;
            new.session.held.remove(&sequence);
            if settled.verdict != Verdict::Dispatch {
                continue;
            }
            // It may be of a session that was lost since.
            let item = self.former.get(&(side, sequence));
            match item {
                Some(Item::Truth(index)) => self.dispatched.push((*index, side + 1, sequence)),
                _ => self.overlap_dispatched += 1,
            }
        }
    }

    fn send(&mut self, side: usize, to_old: bool, message: &Message) {
        // What crosses is text.
        let message = Message::read(&message.write()).expect("what a side says can be read");
        let copies = 1 + u64::from(self.rng.below(10) == 0);
        for _ in 0..copies {
            if self.rng.below(100) >= self.lose {
                let at = self.now + self.rng.below(self.delay_ms);
                self.mail.push((at, side, to_old, message.clone()));
            }
        }
    }

    /// Messages that arrive now.
    pub(crate) fn carry(&mut self) {
        let (now, mail) = (self.now, core::mem::take(&mut self.mail));
        let (due, later): (Vec<_>, Vec<_>) = mail.into_iter().partition(|mail| mail.0 <= now);
        self.mail = later;
        for (_, side, to_old, message) in due {
            if to_old {
                if !self.old.is_dead {
                    self.old.leaving.message(instant(now), &message);
                }
            } else {
                self.new[side].joining.message(instant(now), &message);
                self.take_settled(side);
            }
        }
    }

    pub(crate) fn drive(&mut self) {
        let now = instant(self.now);
        if !self.old.is_dead {
            self.old.leaving.handle_timeout(now);
            if self.old.leaving.wants_store().is_some() && self.rng.below(5) == 0 {
                let snapshot = self.old.leaving.snapshot();
                self.old.leaving.stored(snapshot.version);
                self.old.stored = Some(snapshot);
            }
            if self.old.leaving.wants_store().is_none() && self.rng.below(3) == 0 {
                self.old.session.acknowledge(self.rng.below(12));
            }
            while let Some(message) = self.old.leaving.poll_message(now) {
                let sides = self.new.len() as u64;
                let side = if message.guild == SHARED {
                    0
                } else {
                    message.guild.0 % sides
                };
                self.send(side as usize, false, &message);
            }
        }
        for side in 0..self.new.len() {
            let new = &mut self.new[side];
            new.joining.handle_timeout(now);
            if self.now >= self.ask_from && self.now >= new.asked_at + self.ask_every {
                new.asked_at = self.now;
                new.joining.ask_next(now);
            }
            if new.joining.wants_store().is_some() && self.rng.below(5) == 0 {
                let snapshot = new.joining.snapshot();
                new.joining.stored(snapshot.version);
                new.stored = Some(snapshot);
            }
            if new.joining.wants_store().is_none() && self.rng.below(3) == 0 {
                new.session.acknowledge(self.rng.below(12));
            }
            while let Some(message) = self.new[side].joining.poll_message(now) {
                if matches!(message.body, Body::Ask(_)) && self.rng.below(100) < self.lose {
                    continue;
                }
                self.send(side, true, &message);
            }
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        let old_done = self.old.is_dead || self.old.leaving.is_finished();
        old_done
            && self.old.session.is_quiet()
            && self.new.iter().all(|new| {
                new.joining.is_finished() && new.session.queue.is_empty() && new.starts == 0
            })
    }
}

pub(crate) fn event<'a>(sequence: u64, name: &'a str, data: &'a str) -> Event<'a> {
    Event {
        sequence,
        kind: EventKind::from_name(name.as_bytes()),
        name,
        data: data.as_bytes(),
    }
}
