//! Events made beforehand for one session, so that a server can send them as fast as a socket takes them.

use std::sync::Arc;

use shardkeep_core::Instant;
use shardkeep_core::wire::{EventKind, Intents};

use super::World;
use super::compose::Message;
use super::dispatch::Event;
use crate::guild::{Kind, mix, pick, sentence};

/// Draws in search of an event that the session may hear.
const DRAWS: u64 = 64;

/// `{"t":"...","s":...,"op":0,"d":...}` around `d`, roughly.
const ENVELOPE_BYTES: usize = 40;

/// Events for one session, to be sent again and again.
#[derive(Debug)]
pub(crate) struct Pool {
    /// The session's key.
    pub(crate) session: u64,
    /// The connection it had when the pool was made.
    pub(crate) connection: u64,
    /// Whether it sees what messages say.
    pub(crate) sees_content: bool,
    events: Vec<Arc<Event>>,
}

impl Pool {
    /// The mean size of its messages in bytes, before compression.
    pub(crate) fn mean_bytes(&self) -> usize {
        let total: usize = self
            .events
            .iter()
            .map(|event| event.body.bytes.len() + ENVELOPE_BYTES)
            .sum();
        total / self.events.len().max(1)
    }
}

impl World {
    /// One pool of `count` events of about `mean_bytes` for every session that is connected and ready.
    ///
    /// Events are of the kinds and in about the proportions of the steady traffic, happen in the session's own guilds,
    /// and are allowed by its intents; sessions that may hear none of them get no pool. Messages are made longer where
    /// the mean asks for it, never shorter.
    pub(crate) fn flood_pools(
        &mut self,
        now: Instant,
        count: usize,
        mean_bytes: usize,
    ) -> Vec<Pool> {
        self.advance(now);
        let ready = |&key: &u64| self.sessions.get(&key).is_some_and(|session| session.ready);
        let keys: Vec<u64> = self.sessions.keys().copied().filter(ready).collect();
        let pools = keys
            .into_iter()
            .filter_map(|key| self.flood_pool(key, count, mean_bytes));
        pools.collect()
    }

    fn flood_pool(&mut self, session: u64, count: usize, mean_bytes: usize) -> Option<Pool> {
        let there = self.sessions.get(&session)?;
        let (intents, shard, connection) = (there.intents, there.shard, there.connection?);
        let mut guilds: Vec<u32> = self.catalog.on_shard(shard).collect();
        guilds.retain(|&guild| self.is_up(guild));
        if guilds.is_empty() {
            return None;
        }
        let mut longer = 0;
        loop {
            let events: Option<Vec<_>> = (0..count as u64)
                .map(|at| self.flood_event(&guilds, intents, session ^ at << 20, longer))
                .collect();
            let sees_content = intents.intersects(Intents::MESSAGE_CONTENT);
            let pool = Pool {
                session,
                connection,
                sees_content,
                events: events?,
            };
            let messages = pool
                .events
                .iter()
                .filter(|event| event.name == EventKind::MessageCreate.name())
                .count();
            let missing = mean_bytes.saturating_sub(pool.mean_bytes()) * count;
            if longer > 0 || missing == 0 || messages == 0 || !sees_content {
                return Some(pool);
            }
            longer = missing / messages;
        }
    }

    fn flood_event(
        &mut self,
        guilds: &[u32],
        intents: Intents,
        number: u64,
        longer: usize,
    ) -> Option<Arc<Event>> {
        for draw in 0..DRAWS {
            let hash = mix(mix(self.config.seed.rotate_left(13), number), draw);
            let choice = pick(hash, u32::try_from(guilds.len()).unwrap_or(u32::MAX));
            let guild = guilds[choice as usize];
            let hash = mix(hash, 1);
            let event = match pick(hash >> 40, 100) {
                0..34 => self.flood_message(guild, hash, longer),
                34..54 => self.typing(guild, hash),
                54..78 => self.presence(guild, hash),
                78..86 => {
                    let message = self.some_message(guild, hash);
                    self.reaction(EventKind::MessageReactionAdd, message, hash)
                }
                86..92 => self.voice_state(guild, hash),
                _ => self.member_update(guild, hash),
            };
            if event.gate.is_empty() || intents.intersects(event.gate) {
                return Some(Arc::new(event));
            }
        }
        None
    }

    fn some_message(&mut self, guild: u32, hash: u64) -> Message {
        let channel = self.catalog.open_text_channel(guild, hash >> 32);
        Message {
            guild,
            channel: self.catalog.id(guild, Kind::Channel, channel),
            author: self.catalog.some_member(guild, hash),
            id: self.fresh_id(),
        }
    }

    fn flood_message(&mut self, guild: u32, hash: u64, longer: usize) -> Event {
        let message = self.some_message(guild, hash);
        let mut content = sentence(hash);
        let (mut next, end) = (hash, content.len() + longer);
        while content.len() < end {
            next = mix(next, 2);
            content.push(' ');
            content.push_str(&sentence(next));
        }
        self.message_event(EventKind::MessageCreate, message, &content)
    }

    /// Sends `count` events of a pool, the ones after the first `from`. `false` if the session has left its connection.
    pub(crate) fn pour(&mut self, now: Instant, pool: &Pool, from: u64, count: u64) -> bool {
        self.advance(now);
        let there = self
            .sessions
            .get(&pool.session)
            .is_some_and(|s| s.connection == Some(pool.connection));
        if there {
            let events = pool
                .events
                .iter()
                .cycle()
                .skip(index(from % pool.events.len() as u64));
            for event in events.take(index(count)) {
                self.dispatch_session(pool.session, event);
            }
        }
        there
    }

    /// Ends a flood with a message whose content is `content`.
    pub(crate) fn pour_last(&mut self, now: Instant, pool: &Pool, content: &str) {
        self.advance(now);
        let Some(session) = self.sessions.get(&pool.session) else {
            return;
        };
        let Some(guild) = self.catalog.on_shard(session.shard).next() else {
            return;
        };
        let message = self.some_message(guild, pool.session);
        let event = Arc::new(self.message_event(EventKind::MessageCreate, message, content));
        self.dispatch_session(pool.session, &event);
    }
}

/// A number that is known to be small, as an index.
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
