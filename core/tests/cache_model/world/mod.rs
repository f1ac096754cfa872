//! Makes dispatches up: a small world whose guilds share users, and now and then something that is not as it should be.

mod events;
mod messages;
mod spoil;

use serde_json::{Map, Value, json};
use shardkeep_core::Rng;
use shardkeep_core::wire::EventKind;

pub(crate) const GUILDS: u64 = 3;
const USERS: u64 = 9;
/// The bot among the users.
const OWN: u64 = 0;
const HIDDEN: u64 = 1 << 17;

/// Where ids of a kind begin. Some kinds share ids, as they do at Discord.
fn flake(kind: u64, number: u64) -> u64 {
    (1_000 + kind * 40 + number) << 22 | kind
}

pub(crate) fn guild_id(number: u64) -> u64 {
    flake(0, number)
}

/// Makes dispatches.
pub(crate) struct World {
    rng: Rng,
    /// How many messages there have been.
    messages: u64,
    /// How many of a hundred dispatches are spoilt.
    pub(crate) junk_percent: u64,
}

impl World {
    pub(crate) fn new(seed: u64, junk_percent: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            messages: 0,
            junk_percent,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.rng.below(of) == 0
    }

    fn id(&mut self, kind: u64, of: u64) -> Value {
        flake(kind, self.rng.below(of)).to_string().into()
    }

    fn guild(&mut self) -> u64 {
        self.below(GUILDS)
    }

    fn guild_id(&mut self) -> Value {
        self.id(0, GUILDS)
    }

    fn channel_of(&mut self, guild: u64) -> Value {
        flake(1, guild * 5 + self.below(4)).to_string().into()
    }

    fn thread_of(&mut self, guild: u64) -> Value {
        flake(2, guild * 5 + self.below(4)).to_string().into()
    }

    fn place_of(&mut self, guild: u64) -> Value {
        if self.one_in(3) {
            self.thread_of(guild)
        } else {
            self.channel_of(guild)
        }
    }

    fn user_id(&mut self) -> Value {
        self.id(3, USERS)
    }

    fn text(&mut self) -> Value {
        const TEXTS: [&str; 7] = [
            "",
            "ada",
            "a \"quoted\" \\ name",
            "naïve ☕ 😀",
            "___hidden___",
            "line\nand\ttab\u{1}",
            "[{\"id\":\"1\"}]",
        ];
        TEXTS[self.below(7) as usize].into()
    }

    /// Members that come and go, with values of every sort.
    fn extras(&mut self, names: &[&str]) -> Map<String, Value> {
        let mut extras = Map::new();
        for name in names {
            let value = match self.below(8) {
                0 => Value::Null,
                1 => self.below(2).into(),
                2 => self.text(),
                3 => json!([self.below(3).to_string(), {"nested": [1, 2.5]}]),
                4 => json!({"a": null, "b": {"c": self.text()}}),
                5 => true.into(),
                _ => continue,
            };
            extras.insert((*name).to_owned(), value);
        }
        extras
    }

    fn with(&mut self, mut base: Value, names: &[&str]) -> Value {
        let extras = self.extras(names);
        base.as_object_mut().unwrap().extend(extras);
        base
    }

    fn list(&mut self, most: u64, mut make: impl FnMut(&mut Self) -> Value) -> Value {
        let count = self.below(most + 1);
        (0..count).map(|_| make(self)).collect::<Vec<_>>().into()
    }

    fn user(&mut self) -> Value {
        let id = self.user_id();
        let base = json!({"id": id, "username": self.text(), "discriminator": "0"});
        self.with(base, &["global_name", "avatar", "bot", "public_flags"])
    }

    fn part_of_member(&mut self) -> Value {
        let roles = self.list(3, |world| world.id(4, 4));
        let base = json!({"roles": roles, "deaf": false, "flags": self.below(3)});
        self.with(
            base,
            &[
                "nick",
                "avatar",
                "joined_at",
                "premium_since",
                "permissions",
            ],
        )
    }

    fn member(&mut self) -> Value {
        let mut member = self.part_of_member();
        member["user"] = self.user();
        member
    }

    fn channel(&mut self, guild: u64) -> Value {
        const TYPES: [u64; 6] = [0, 2, 4, 13, 15, 16];
        let mut base = json!({
            "id": self.channel_of(guild), "type": TYPES[self.below(6) as usize], "name": self.text(),
            "position": self.below(5), "flags": 0,
        });
        if self.one_in(5) {
            base["flags"] = (HIDDEN | 2).into();
            return base;
        }
        self.with(
            base,
            &[
                "topic",
                "parent_id",
                "last_message_id",
                "permission_overwrites",
                "status",
            ],
        )
    }

    fn thread(&mut self, guild: u64) -> Value {
        let mut thread = json!({
            "id": self.thread_of(guild), "parent_id": self.channel_of(guild), "type": 10 + self.below(3),
            "name": self.text(), "member_count": self.below(5),
            "thread_metadata": {"archived": self.one_in(5), "locked": false},
        });
        if self.one_in(3) {
            thread["member"] = json!({"join_timestamp": self.text(), "flags": 1});
            if self.one_in(2) {
                thread["member"]["user_id"] = flake(3, OWN).to_string().into();
            }
        }
        self.with(thread, &["owner_id", "last_message_id", "applied_tags"])
    }

    fn thread_member(&mut self, guild: u64) -> Value {
        let mut member = json!({
            "id": self.thread_of(guild), "user_id": self.user_id(), "flags": self.below(3),
        });
        if self.one_in(3) {
            member["member"] = self.member();
        }
        if self.one_in(3) {
            member["presence"] = if self.one_in(2) {
                Value::Null
            } else {
                self.presence()
            };
        }
        member
    }

    fn presence(&mut self) -> Value {
        const STATUSES: [&str; 4] = ["online", "idle", "dnd", "offline"];
        let user = if self.one_in(3) {
            self.user()
        } else {
            json!({"id": self.user_id()})
        };
        json!({
            "user": user, "status": STATUSES[self.below(4) as usize],
            "activities": self.extras(&["x", "y"]), "client_status": {},
        })
    }

    fn voice_state(&mut self, guild: u64) -> Value {
        let channel = if self.one_in(3) {
            Value::Null
        } else {
            self.channel_of(guild)
        };
        let mut state = json!({
            "channel_id": channel, "user_id": self.user_id(), "session_id": self.text(), "mute": self.one_in(2),
        });
        if self.one_in(2) {
            state["member"] = self.member();
            state["user_id"] = state["member"]["user"]["id"].clone();
        }
        state
    }

    fn role(&mut self) -> Value {
        let base = json!({"id": self.id(4, 4), "name": self.text(), "permissions": "1024"});
        self.with(base, &["tags", "color", "icon"])
    }

    fn emoji(&mut self) -> Value {
        let base = json!({"id": self.id(5, 4), "name": self.text()});
        self.with(base, &["roles", "user", "animated"])
    }

    fn sticker(&mut self) -> Value {
        let base = json!({"id": self.id(6, 3), "name": self.text(), "tags": "x"});
        self.with(base, &["description", "guild_id"])
    }

    fn sound(&mut self) -> Value {
        let base = json!({"sound_id": self.id(7, 3), "name": self.text(), "volume": 0.5});
        self.with(base, &["emoji_id", "user"])
    }

    fn stage(&mut self, guild: u64) -> Value {
        json!({"id": self.id(8, 3), "channel_id": self.channel_of(guild), "topic": self.text()})
    }

    fn scheduled_event(&mut self, guild: u64) -> Value {
        let channel = if self.one_in(3) {
            Value::Null
        } else {
            self.channel_of(guild)
        };
        let mut event = json!({
            "id": self.id(9, 3), "channel_id": channel, "name": self.text(), "status": 1 + self.below(4),
        });
        if self.one_in(2) {
            event["user_count"] = self.below(4).into();
        }
        event
    }

    /// The next dispatch, and whether something in it was spoilt.
    pub(crate) fn next(&mut self) -> (EventKind, Value, bool) {
        use EventKind as E;
        // What large bots see most of, what holds the world together, and then anything.
        const OFTEN: [EventKind; 8] = [
            E::MessageCreate,
            E::GuildCreate,
            E::MessageUpdate,
            E::MessageReactionAdd,
            E::GuildMemberUpdate,
            E::ThreadCreate,
            E::VoiceStateUpdate,
            E::PresenceUpdate,
        ];
        let event = if self.one_in(3) {
            OFTEN[self.below(OFTEN.len() as u64) as usize]
        } else {
            E::ALL[self.below(E::ALL.len() as u64) as usize]
        };
        let mut d = self.make(event);
        let is_junk = self.below(100) < self.junk_percent;
        if is_junk {
            self.spoil(&mut d);
        }
        (event, d, is_junk)
    }
}
