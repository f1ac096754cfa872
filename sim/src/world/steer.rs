//! Wishes come true: what each [`Control`] does, and what it answers.

use core::time::Duration;
use std::sync::Arc;

use serde_json::{Value, json};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, ShardId, Snowflake};

use super::World;
use super::control::{Control, RestSet};
use super::dispatch::{Body, Event};
use super::identify::Budget;
use super::ledger::{Ledger, SessionLedger};
use crate::rest::{Arrival, RestConfig};

fn refusal(why: &str) -> Value {
    json!({ "error": why })
}

impl World {
    /// Does what a test or an operator wishes, and answers with JSON; a refusal has the key `error`.
    ///
    /// ```
    /// use shardkeep_sim::{Control, Instant, World, WorldConfig};
    ///
    /// let mut world = World::new(WorldConfig::default(), Instant::ZERO);
    /// let wish: Control = serde_json::from_str(r#"{"do":"chatter","per_s":50}"#).unwrap();
    /// assert_eq!(world.control(Instant::ZERO, wish)["per_s"], 50);
    /// ```
    pub fn control(&mut self, now: Instant, control: Control) -> Value {
        self.advance(now);
        match control {
            Control::InjectEvent { guild, shard, t, d } => self.inject(guild, shard, &t, d),
            Control::Say {
                guild,
                channel,
                content,
            } => match self.say_everywhere(guild, channel, &content) {
                Ok(guilds) => json!({ "messages": guilds }),
                Err(why) => refusal(why),
            },
            Control::Burst { events } => json!({ "messages": self.burst(events) }),
            Control::Chatter { per_s } => {
                self.set_chatter(per_s);
                json!({ "per_s": per_s })
            }
            Control::Fault { target, fault } => json!({ "hit": self.cause(&target, &fault) }),
            Control::Weather {
                every_ms,
                faults,
                for_ms,
            } => {
                let kinds = faults.len();
                self.set_weather(
                    Duration::from_millis(every_ms),
                    faults,
                    for_ms.map(Duration::from_millis),
                );
                json!({ "faults": kinds })
            }
            Control::Outage { guilds, for_ms } => {
                self.outage(&guilds, self.now + Duration::from_millis(for_ms))
            }
            Control::Leave { guild } => self.leave(guild),
            Control::Join { guild } => self.join(guild),
            Control::Counters => json!(self.counters()),
            Control::Violations => json!({ "violations": self.violations() }),
            Control::Sessions => {
                let sessions: Vec<_> = self.ledger().map(SessionLedger::without_entries).collect();
                json!({ "sessions": sessions })
            }
            Control::Ledger { session } => {
                match self.ledger().find(|ledger| ledger.session == session) {
                    Some(ledger) => {
                        json!({ "session": ledger.without_entries(), "entries": ledger.entries })
                    }
                    None => refusal(&format!(
                        "no session {session:?} is remembered: `sessions` lists them"
                    )),
                }
            }
            Control::Guilds => self.list_guilds(),
            Control::Calm => {
                self.set_chatter(0);
                self.calm();
                json!({ "calm": true })
            }
            Control::Reset => {
                self.reset();
                json!({ "reset": true })
            }
            Control::Rest { last } => self.rest_report(last.unwrap_or(100)),
            Control::RestSet(parts) => self.rest_set(*parts),
            Control::RestReset => self.rest_renew(self.rest.limits.config().clone()),
        }
    }

    fn inject(
        &mut self,
        guild: Option<Snowflake>,
        shard: Option<[u32; 2]>,
        t: &str,
        d: Value,
    ) -> Value {
        if t.is_empty()
            || !t
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return refusal("`t` must be an event's name, such as MESSAGE_CREATE");
        }
        let id = d
            .get("id")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok())
            .unwrap_or(0);
        let in_guild = guild.is_some() || d.get("guild_id").is_some_and(Value::is_string);
        let mut event = Event::named(t, in_guild, id, d.to_string().into_bytes());
        event.blank = without_content(t, in_guild, d);
        let before = self.ledger.counters.dispatches;
        match (guild, shard) {
            (_, Some([index, total])) => match ShardId::new(index, total) {
                Some(shard) => self.dispatch_shard(shard, &Arc::new(event)),
                None => {
                    return refusal(
                        "`shard` must be [shard_id, num_shards] with shard_id below num_shards",
                    );
                }
            },
            (Some(guild), None) => self.dispatch_guild(guild, event),
            (None, None) => self.dispatch_global(event),
        }
        json!({ "dispatched": self.ledger.counters.dispatches - before, "id": id.to_string() })
    }

    fn outage(&mut self, guilds: &[Snowflake], until: Instant) -> Value {
        let indices: Vec<u32> = if guilds.is_empty() {
            (0..self.catalog.guilds()).collect()
        } else {
            guilds
                .iter()
                .filter_map(|&id| self.catalog.guild_index(id))
                .collect()
        };
        for &index in &indices {
            self.darken(index, until);
        }
        json!({ "guilds": indices.len() })
    }

    fn leave(&mut self, guild: Snowflake) -> Value {
        match self.catalog.guild_index(guild) {
            Some(index) if self.left.insert(index) => {
                self.dark.remove(&index);
                let event = self.guild_delete(index, false);
                self.dispatch_guild(guild, event);
                json!({ "left": true })
            }
            _ => refusal("the bot is in no such guild"),
        }
    }

    fn join(&mut self, guild: Snowflake) -> Value {
        match self.catalog.guild_index(guild) {
            Some(index) if self.left.remove(&index) => {
                self.dispatch_guild_create(index, None);
                json!({ "joined": true })
            }
            _ => refusal("only a guild that the bot left can be joined"),
        }
    }

    fn rest_set(&mut self, parts: RestSet) -> Value {
        let config = parts.over(self.rest.limits.config());
        match config.check() {
            Ok(()) => self.rest_renew(config),
            Err(wrong) => refusal(&wrong.to_string()),
        }
    }

    fn rest_report(&self, last: usize) -> Value {
        let limits = &self.rest.limits;
        let skip = limits.arrivals().len().saturating_sub(last);
        let arrivals: Vec<&Arrival> = limits.arrivals().skip(skip).collect();
        json!({
            "config": limits.config(),
            "counters": limits.counters(),
            "faults": limits.counters().faults(),
            "so_far": limits.so_far(),
            "arrivals": arrivals,
        })
    }

    /// Begins counting anew.
    fn rest_renew(&mut self, config: RestConfig) -> Value {
        let rules = config.rules.len();
        self.rest.renew(
            config,
            self.config.seed,
            self.now,
            self.config.epoch_unix_ms,
        );
        json!({ "rules": rules })
    }

    fn list_guilds(&self) -> Value {
        let guilds: Vec<Value> = (0..self.catalog.guilds())
            .map(|index| {
                let (channel, member) = self.sample(index);
                json!({
                    "id": self.catalog.guild_id(index),
                    "channel": channel.to_string(),
                    "member": member.to_string(),
                    "name": self.catalog.guild_name(index),
                    "member_count": self.catalog.member_count(index),
                    "available": self.is_up(index),
                })
            })
            .collect();
        json!({ "guilds": guilds })
    }

    fn reset(&mut self) {
        let numbers: Vec<u64> = self.connections.keys().copied().collect();
        for number in numbers {
            self.drop_connection(number);
        }
        self.sessions.clear();
        self.names.clear();
        self.routes.clear();
        self.totals.clear();
        self.blind_sessions = 0;
        self.set_chatter(0);
        self.dark.clear();
        self.left.clear();
        self.members_asked.clear();
        self.calm();
        self.rest.forget();
        self.rest_renew(self.rest.limits.config().clone());
        self.budget = Budget::new(&self.config, self.now);
        self.ledger = Ledger::default();
        self.count_budget();
    }
}

/// A message as sessions without MESSAGE_CONTENT see it.
fn without_content(t: &str, in_guild: bool, mut d: Value) -> Option<Body> {
    let kind = EventKind::from_name(t.as_bytes());
    if !in_guild || !matches!(kind, EventKind::MessageCreate | EventKind::MessageUpdate) {
        return None;
    }
    let message = d.as_object_mut()?;
    for (key, value) in message.iter_mut() {
        match key.as_str() {
            "content" => *value = json!(""),
            "embeds" | "attachments" | "components" => *value = json!([]),
            _ => {}
        }
    }
    message.remove("poll");
    Some(Body::new(d.to_string().into_bytes()))
}
