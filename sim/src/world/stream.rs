//! What follows Identify: READY, and then the guilds, a few at a time.

use core::time::Duration;
use std::sync::Arc;

use shardkeep_core::wire::{EventKind, Intents};

use super::World;
use super::alarm::Alarm;
use super::dispatch::Event;
use super::session::Cargo;
use crate::guild::MemberView;
use crate::wire::json::Json;

/// With more than this waiting for its socket, a session gets no more guilds and chunks.
const CONGESTED_BYTES: usize = 1 << 20;

/// How long until the next look.
const CONGESTION_PAUSE: Duration = Duration::from_millis(50);

impl World {
    /// READY, and the first guilds.
    pub(super) fn say_ready(&mut self, key: u64) {
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        let guilds: Vec<u32> = self
            .catalog
            .on_shard(session.shard)
            .filter(|index| !self.left.contains(index))
            .collect();
        let shard = session.shard;
        let body = Json::build(1_024 + guilds.len() * 48, |json| {
            json.number("v", 10);
            json.object("user", |json| self.catalog.write_bot(json));
            json.array("guilds", |json| {
                for &index in &guilds {
                    json.item_object(|json| {
                        json.id("id", self.catalog.guild_id(index).0);
                        json.flag("unavailable", true);
                    });
                }
            });
            json.text("session_id", &session.id);
            json.text("session_type", "normal");
            json.text("resume_gateway_url", self.config.resume_url());
            json.array("shard", |json| {
                json.item_number(shard.index().into());
                json.item_number(shard.total().into());
            });
            json.object("application", |json| {
                json.id("id", self.catalog.bot_id().0);
                json.number("flags", 565_248);
            });
            for key in [
                "private_channels",
                "presences",
                "relationships",
                "guild_join_requests",
            ] {
                json.empty_array(key);
            }
            json.object("user_settings", |_| ());
            json.array("geo_ordered_rtc_regions", |json| {
                json.item_text("rotterdam");
                json.item_text("us-east");
            });
            json.array("_trace", |json| json.item_text("sim"));
        });
        let event = Arc::new(Event::new(EventKind::Ready, false, 0, body));
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        session.ready = true;
        if session.intents.intersects(Intents::GUILDS) {
            session.guilds = guilds;
            session.guilds.reverse();
        }
        self.send_cargo(
            key,
            Cargo::Event {
                event,
                blank: false,
            },
        );
        self.start_stream(key);
    }

    pub(super) fn start_stream(&mut self, key: u64) {
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        let done = session.guilds.is_empty() && session.requests.is_empty();
        if done || session.streaming {
            return;
        }
        session.streaming = true;
        let at = self.now + self.stream_interval();
        self.alarms.set(at, Alarm::Stream(key));
    }

    fn stream_interval(&self) -> Duration {
        Duration::from_millis(self.config.stream_interval_ms)
    }

    /// The next few guilds and chunks.
    pub(super) fn stream(&mut self, key: u64) {
        if self.is_congested(key) {
            self.alarms
                .set(self.now + CONGESTION_PAUSE, Alarm::Stream(key));
            return;
        }
        let batch = match self.config.stream_batch {
            0 => u32::MAX,
            some => some,
        };
        // The pace in bytes holds on average: a guild larger than its share delays the next one.
        let pace = self.config.stream_bytes_per_s.max(1);
        let share = pace.saturating_mul(self.config.stream_interval_ms) / 1_000;
        let mut sent = 0;
        for _ in 0..batch {
            let next = self
                .sessions
                .get_mut(&key)
                .and_then(|session| session.guilds.pop());
            let Some(index) = next else { break };
            sent += self.stream_guild(key, index);
            if sent > share {
                break;
            }
        }
        sent += self.send_chunk(key);
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        session.streaming = !(session.guilds.is_empty() && session.requests.is_empty());
        if session.streaming {
            let pause = Duration::from_micros(sent.saturating_mul(1_000_000) / pace);
            self.alarms.set(
                self.now + pause.max(self.stream_interval()),
                Alarm::Stream(key),
            );
        }
    }

    /// Whether a session's socket takes no more for now.
    fn is_congested(&self, key: u64) -> bool {
        let connection = self
            .sessions
            .get(&key)
            .and_then(|session| session.connection);
        connection
            .and_then(|number| self.connections.get(&number))
            .is_some_and(|connection| connection.backlog_bytes > CONGESTED_BYTES)
    }

    /// One guild of the stream, as it is now; answers its size.
    fn stream_guild(&mut self, key: u64, index: u32) -> u64 {
        if self.left.contains(&index) {
            return 0;
        }
        if self.dark.contains_key(&index) {
            let event = self.guild_delete(index, true);
            self.dispatch_session(key, &Arc::new(event));
            return 0;
        }
        self.send_cargo(
            key,
            Cargo::Guild {
                index,
                unavailable: Some(false),
            },
        )
    }

    /// GUILD_DELETE: an outage, or the bot is no longer a member.
    pub(super) fn guild_delete(&self, index: u32, unavailable: bool) -> Event {
        let id = self.catalog.guild_id(index).0;
        let body = Json::build(64, |json| {
            json.id("id", id);
            if unavailable {
                json.flag("unavailable", true);
            }
        });
        Event::new(EventKind::GuildDelete, true, id, body)
    }

    /// Whether the bot is in a guild and the guild is available.
    pub(super) fn is_up(&self, index: u32) -> bool {
        !self.left.contains(&index) && !self.dark.contains_key(&index)
    }

    /// The body of GUILD_CREATE as this session may see it.
    pub(super) fn guild_create(&self, key: u64, index: u32, unavailable: Option<bool>) -> Vec<u8> {
        let view = self.sessions.get(&key).map_or(
            MemberView {
                presences: false,
                large_threshold: 50,
            },
            |session| MemberView {
                presences: session.intents.intersects(Intents::GUILD_PRESENCES),
                large_threshold: session.large_threshold,
            },
        );
        self.catalog.guild_create(index, view, unavailable)
    }
}
