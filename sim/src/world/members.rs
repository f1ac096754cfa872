//! Op 8: which members were asked for, and the chunks they come in.

use core::time::Duration;
use std::sync::Arc;

use serde::Deserialize;
use shardkeep_core::wire::{EventKind, Intents};
use shardkeep_core::{Instant, Snowflake};

use super::World;
use super::commands::{Refused, parse};
use super::dispatch::Event;
use super::ledger::ViolationKind;
use super::session::{Cargo, MembersRequest};
use crate::wire::json::Json;

/// How often all members of a guild may be asked for.
const MEMBERS_WINDOW: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Members {
    guild_id: Snowflake,
    query: Option<String>,
    limit: Option<u64>,
    #[serde(default)]
    presences: bool,
    user_ids: Option<OneOrMany>,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Snowflake),
    Many(Vec<Snowflake>),
}

impl World {
    pub(super) fn request_members(
        &mut self,
        number: u64,
        key: u64,
        d: &str,
    ) -> Result<(), Refused> {
        let members = parse::<Members>(d)?;
        if members.query.is_some() == members.user_ids.is_some() {
            return Err("exactly one of query and user_ids must be there".to_owned());
        }
        if members.query.is_some() && members.limit.is_none() {
            return Err("query needs a limit".to_owned());
        }
        let Some(index) = self.own_guild(key, members.guild_id) else {
            return Ok(());
        };
        let intents = self
            .sessions
            .get(&key)
            .map_or(Intents::NONE, |session| session.intents);
        let whole = members.query.as_deref() == Some("") && members.limit == Some(0);
        // Longer nonces are ignored.
        let nonce = members.nonce.clone().filter(|nonce| nonce.len() <= 32);
        if whole {
            if !intents.intersects(Intents::GUILD_MEMBERS) {
                let detail = format!("all members of {} without GUILD_MEMBERS", members.guild_id);
                self.violate(number, ViolationKind::MembersIntent, detail);
                return Ok(());
            }
            if let Some(wait) = self.members_wait(index) {
                let detail = format!(
                    "guild {} again {} ms too early",
                    members.guild_id,
                    wait.as_millis()
                );
                self.violate(number, ViolationKind::MembersTooFast, detail);
                self.rate_limited(key, members.guild_id, wait, nonce.as_deref());
                return Ok(());
            }
            self.members_asked.insert(index, self.now);
        }
        if members.presences && !intents.intersects(Intents::GUILD_PRESENCES) {
            let detail = format!("presences of {} without GUILD_PRESENCES", members.guild_id);
            self.violate(number, ViolationKind::MembersIntent, detail);
        }
        let presences = members.presences && intents.intersects(Intents::GUILD_PRESENCES);
        let (positions, not_found) = self.find_members(index, members);
        let request = MembersRequest {
            guild: index,
            members: positions,
            not_found,
            presences,
            nonce,
        };
        if let Some(session) = self.sessions.get_mut(&key) {
            session.requests.push_back((Arc::new(request), 0));
        }
        self.start_stream(key);
        Ok(())
    }

    /// How long until all members of a guild may be asked for again.
    fn members_wait(&self, index: u32) -> Option<Duration> {
        let again: Instant = *self.members_asked.get(&index)? + MEMBERS_WINDOW;
        (again > self.now).then(|| again - self.now)
    }

    fn rate_limited(&mut self, key: u64, guild: Snowflake, wait: Duration, nonce: Option<&str>) {
        let body = Json::build(160, |json| {
            json.number("opcode", 8);
            json.raw(
                "retry_after",
                format!("{:.3}", wait.as_secs_f64()).as_bytes(),
            );
            json.object("meta", |json| {
                json.id("guild_id", guild.0);
                if let Some(nonce) = nonce {
                    json.text("nonce", nonce);
                }
            });
        });
        let event = Event::new(EventKind::RateLimited, true, guild.0, body);
        self.dispatch_session(key, &Arc::new(event));
    }

    /// The positions of the members a request names, and the ids that are no members.
    fn find_members(&self, index: u32, members: Members) -> (Vec<u32>, Vec<u64>) {
        let count = self.catalog.member_count(index);
        let Some(query) = members.query else {
            let ids = match members.user_ids {
                Some(OneOrMany::One(id)) => vec![id],
                Some(OneOrMany::Many(ids)) => ids,
                None => Vec::new(),
            };
            let (mut found, mut missing) = (Vec::new(), Vec::new());
            for id in ids.into_iter().take(100) {
                match self.position(index, id.0) {
                    Some(position) => found.push(position),
                    None => missing.push(id.0),
                }
            }
            return (found, missing);
        };
        let limit = members.limit.unwrap_or(0);
        if query.is_empty() && limit == 0 {
            return ((0..count).collect(), Vec::new());
        }
        let most = if limit == 0 {
            100
        } else {
            usize::try_from(limit.min(100)).unwrap_or(100)
        };
        let prefix = query.to_lowercase();
        let matches = (0..count).filter(|&position| match position {
            0 => "sim-bot".starts_with(&prefix),
            _ => self
                .catalog
                .username(self.catalog.member_user(index, position))
                .starts_with(&prefix),
        });
        (matches.take(most).collect(), Vec::new())
    }

    /// Where a user stands in a guild's list.
    pub(super) fn position(&self, index: u32, user: u64) -> Option<u32> {
        if user == self.catalog.bot_id().0 {
            return Some(0);
        }
        self.catalog
            .position_of(index, self.catalog.user_index(user)?)
    }

    /// The body of one GUILD_MEMBERS_CHUNK.
    pub(super) fn members_chunk(&self, request: &MembersRequest, at: usize) -> Vec<u8> {
        let (index, members) = (request.guild, request.chunk(at));
        Json::build(256 + members.len() * 700, |json| {
            json.id("guild_id", self.catalog.guild_id(index).0);
            json.array("members", |json| {
                for &position in members {
                    json.item_object(|json| self.catalog.write_member(json, index, position));
                }
            });
            json.number("chunk_index", at as u64);
            json.number("chunk_count", request.chunks() as u64);
            if !request.not_found.is_empty() {
                json.array("not_found", |json| {
                    for &id in &request.not_found {
                        // What is no snowflake by its size comes back as a number.
                        if id >= 1 << 22 {
                            json.item_id(id)
                        } else {
                            json.item_number(id)
                        }
                    }
                });
            }
            if request.presences {
                json.array("presences", |json| {
                    for &position in members {
                        let status = self.catalog.status(index, position);
                        if status != "offline" && position > 0 {
                            json.item_object(|json| {
                                self.catalog.write_presence(json, index, position, status)
                            });
                        }
                    }
                });
            }
            if let Some(nonce) = &request.nonce {
                json.text("nonce", nonce);
            }
        })
    }

    /// Sends the next chunk of the oldest request; answers its size, 0 if there is none.
    pub(super) fn send_chunk(&mut self, key: u64) -> u64 {
        let Some(session) = self.sessions.get_mut(&key) else {
            return 0;
        };
        let Some((request, next)) = session.requests.front_mut() else {
            return 0;
        };
        let (request, at) = (Arc::clone(request), *next);
        *next += 1;
        if *next == request.chunks() {
            session.requests.pop_front();
        }
        self.send_cargo(key, Cargo::Chunk { request, at })
    }
}
