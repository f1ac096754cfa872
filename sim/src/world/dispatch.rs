//! From something that happened to what each session hears of it.

use std::borrow::Cow;
use std::sync::Arc;

use shardkeep_core::wire::{EventKind, Intents};
use shardkeep_core::{ShardId, Snowflake};

use super::World;
use super::connection::Wire;
use super::ledger::{Entry, digest};
use super::session::Cargo;
use crate::wire::json::push_decimal;

/// The intents that concern direct messages and nothing else.
const DIRECT: Intents = Intents::DIRECT_MESSAGES
    .with(Intents::DIRECT_MESSAGE_REACTIONS)
    .with(Intents::DIRECT_MESSAGE_TYPING)
    .with(Intents::DIRECT_MESSAGE_POLLS);

/// Bytes of `d` and their digest.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: u64,
}

impl Body {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            digest: digest(&bytes),
            bytes,
        }
    }
}

/// An event, encoded once for all who hear it.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: Cow<'static, str>,
    /// Sessions need one of these; none needed if empty.
    pub(crate) gate: Intents,
    /// What tells it from others of its kind.
    pub(crate) id: u64,
    pub(crate) body: Body,
    /// The same without message content, where that differs.
    pub(crate) blank: Option<Body>,
}

impl Event {
    pub(crate) fn new(kind: EventKind, in_guild: bool, id: u64, body: Vec<u8>) -> Self {
        Self {
            name: kind.name().into(),
            gate: gate(kind, in_guild),
            id,
            body: Body::new(body),
            blank: None,
        }
    }

    pub(crate) fn named(name: &str, in_guild: bool, id: u64, body: Vec<u8>) -> Self {
        let kind = EventKind::from_name(name.as_bytes());
        let name = if kind == EventKind::Unknown {
            name.to_owned().into()
        } else {
            kind.name().into()
        };
        Self {
            name,
            gate: gate(kind, in_guild),
            id,
            body: Body::new(body),
            blank: None,
        }
    }

    /// Heard by everyone, whatever their intents.
    pub(crate) fn ungated(mut self) -> Self {
        self.gate = Intents::NONE;
        self
    }
}

/// The intents of which a session needs one to hear `kind`.
fn gate(kind: EventKind, in_guild: bool) -> Intents {
    // Core's table leaves it ungated because the bot's own updates always come; those are sent by `Event::ungated`.
    if kind == EventKind::GuildMemberUpdate {
        return Intents::GUILD_MEMBERS;
    }
    let all = kind.intents();
    if in_guild {
        all.without(DIRECT)
    } else {
        Intents::from_bits(all.bits() & DIRECT.bits())
    }
}

impl World {
    /// Sends an event of a guild to that guild's shard in every generation.
    pub(crate) fn dispatch_guild(&mut self, guild: Snowflake, event: Event) {
        let event = Arc::new(event);
        for at in 0..self.totals.len() {
            let (total, _) = self.totals[at];
            if let Some(shard) = ShardId::of_guild(guild, total) {
                self.dispatch_shard(shard, &event);
            }
        }
    }

    /// Sends an event without a guild to shard 0 of every generation.
    pub(crate) fn dispatch_global(&mut self, event: Event) {
        let event = Arc::new(event);
        for at in 0..self.totals.len() {
            if let Some(shard) = ShardId::new(0, self.totals[at].0) {
                self.dispatch_shard(shard, &event);
            }
        }
    }

    /// Sends an event to every session of one shard that may hear it.
    pub(crate) fn dispatch_shard(&mut self, shard: ShardId, event: &Arc<Event>) {
        let mut keys = core::mem::take(&mut self.scratch_keys);
        keys.clear();
        keys.extend_from_slice(self.routes.get(&shard).map_or(&[][..], Vec::as_slice));
        for &key in &keys {
            self.dispatch_session(key, event);
        }
        self.scratch_keys = keys;
    }

    /// Sends an event to one session if it may hear it.
    pub(crate) fn dispatch_session(&mut self, key: u64, event: &Arc<Event>) {
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        if session.dry.is_some() {
            return;
        }
        if !session.ready || !(event.gate.is_empty() || session.intents.intersects(event.gate)) {
            return;
        }
        let blank = event.blank.is_some() && !session.intents.intersects(Intents::MESSAGE_CONTENT);
        self.send_cargo(
            key,
            Cargo::Event {
                event: Arc::clone(event),
                blank,
            },
        );
    }

    /// Gives a dispatch the session's next number, sends it if that works, and keeps it for a resume. Answers its size.
    pub(crate) fn send_cargo(&mut self, key: u64, cargo: Cargo) -> u64 {
        let Some(session) = self.sessions.get_mut(&key) else {
            return 0;
        };
        session.seq += 1;
        let seq = session.seq;
        let mut message = core::mem::take(&mut self.scratch);
        let (id, digest) = self.write_dispatch(key, seq, &cargo, &mut message);
        let Some(session) = self.sessions.get_mut(&key) else {
            return 0;
        };
        let name = match &cargo {
            Cargo::Event { event, .. } => event.name.clone(),
            Cargo::Guild { .. } => "GUILD_CREATE".into(),
            Cargo::Chunk { .. } => "GUILD_MEMBERS_CHUNK".into(),
        };
        let entry = Entry {
            seq,
            t: name,
            id,
            digest,
        };
        session.ledger.record(self.config.ledger, entry);
        session.keep(seq, cargo, self.config.replay_capacity);
        let connection = session.connection;
        self.ledger.counters.dispatches += 1;
        if connection
            .and_then(|number| self.connections.get(&number))
            .is_none_or(|there| !there.delivers())
        {
            self.ledger.counters.dispatches_deferred += 1;
        }
        if let Some(number) = connection {
            self.send(number, &message);
        }
        let size = message.len() as u64;
        self.scratch = message;
        size
    }

    /// Writes the whole message; answers the event's id and digest.
    pub(crate) fn write_dispatch(
        &self,
        key: u64,
        seq: u64,
        cargo: &Cargo,
        out: &mut Vec<u8>,
    ) -> (u64, u64) {
        match cargo {
            Cargo::Event { event, blank } => {
                let body = match &event.blank {
                    Some(body) if *blank => body,
                    _ => &event.body,
                };
                envelope(out, &event.name, seq, &body.bytes);
                (event.id, body.digest)
            }
            &Cargo::Guild { index, unavailable } => {
                let body = self.guild_create(key, index, unavailable);
                envelope(out, "GUILD_CREATE", seq, &body);
                (self.catalog.guild_id(index).0, digest(&body))
            }
            Cargo::Chunk { request, at } => {
                let body = self.members_chunk(request, *at);
                envelope(out, "GUILD_MEMBERS_CHUNK", seq, &body);
                (self.catalog.guild_id(request.guild).0, digest(&body))
            }
        }
    }

    /// Sends GUILD_CREATE to every session of the guild's shard in every generation.
    pub(crate) fn dispatch_guild_create(&mut self, index: u32, unavailable: Option<bool>) {
        let guild = self.catalog.guild_id(index);
        let mut keys = Vec::new();
        for &(total, _) in &self.totals {
            let shard = ShardId::of_guild(guild, total);
            keys.extend_from_slice(
                shard
                    .and_then(|shard| self.routes.get(&shard))
                    .map_or(&[], Vec::as_slice),
            );
        }
        for key in keys {
            let wanted = self.sessions.get(&key).is_some_and(|session| {
                // Guilds that are still to be streamed come anyway.
                session.ready
                    && session.intents.intersects(Intents::GUILDS)
                    && !session.guilds.contains(&index)
            });
            if wanted {
                self.send_cargo(key, Cargo::Guild { index, unavailable });
            }
        }
    }

    /// Sends a message on a connection, and drops the connection if that was too much for it.
    pub(crate) fn send(&mut self, number: u64, message: &[u8]) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let mut wire = Wire {
            now: self.now,
            latency: self.latency,
            pending_bytes: self.config.pending_bytes,
            outbox: &mut self.outbox,
            alarms: &mut self.alarms,
            counters: &mut self.ledger.counters,
        };
        if !connection.send(message, &mut wire) {
            self.drop_connection(number);
        }
    }
}

/// `{"t":"NAME","s":7,"op":0,"d":...}`, in Discord's order of keys.
fn envelope(out: &mut Vec<u8>, name: &str, seq: u64, body: &[u8]) {
    out.clear();
    out.reserve(body.len() + name.len() + 48);
    out.extend_from_slice(b"{\"t\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"s\":");
    push_decimal(out, seq);
    out.extend_from_slice(b",\"op\":0,\"d\":");
    out.extend_from_slice(body);
    out.push(b'}');
}

/// `{"t":null,"s":null,"op":10,"d":...}`.
pub(crate) fn control_frame(op: u8, d: &str) -> Vec<u8> {
    format!("{{\"t\":null,\"s\":null,\"op\":{op},\"d\":{d}}}").into_bytes()
}
