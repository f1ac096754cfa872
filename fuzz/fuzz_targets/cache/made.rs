//! What bytes are made into: settings, steps, and JSON that looks like Discord's.

use std::time::Duration;

use arbitrary::Arbitrary;
use shardkeep_core::Snowflake;
use shardkeep_core::cache::hot_set::Limits;
use shardkeep_core::cache::{Config, Key, Kind, Kinds};
use shardkeep_core::wire::EventFilter;

/// Guild 1, with some of everything that is asked for and changed.
pub(super) const HOME: &str = r#"{"id":"1","member_count":2,"roles":[{"id":"1"},{"id":"2"},{"id":"3"}],
"emojis":[{"id":"1"}],
"channels":[{"id":"1","type":15},{"id":"2","type":2},{"id":"3"}],"threads":[{"id":"4","parent_id":"1","type":12}],
"members":[{"user":{"id":"1"}},{"user":{"id":"2"}},{"user":{"id":"3"}}],
"voice_states":[{"user_id":"2","channel_id":"2"}]}"#;

/// Names that dispatches have, so that most of what is made up means something.
const NAMES: &[&str] = &[
    "id",
    "guild_id",
    "channel_id",
    "user_id",
    "message_id",
    "role_id",
    "sound_id",
    "parent_id",
    "user",
    "author",
    "member",
    "members",
    "presence",
    "presences",
    "status",
    "guilds",
    "shard",
    "channels",
    "threads",
    "roles",
    "role",
    "emojis",
    "emoji",
    "stickers",
    "voice_states",
    "stage_instances",
    "guild_scheduled_events",
    "soundboard_sounds",
    "channel_ids",
    "ids",
    "added_members",
    "removed_member_ids",
    "member_count",
    "user_count",
    "unavailable",
    "type",
    "flags",
    "thread_metadata",
    "archived",
    "newly_created",
    "reactions",
    "count",
    "count_details",
    "burst",
    "poll",
    "results",
    "answer_counts",
    "answer_id",
    "data",
    "resolved",
    "users",
    "webhook_id",
    "guild_scheduled_event_id",
    "authorizing_integration_owners",
    "name",
    "0",
    "1",
    "a\\u0062",
];

/// What JSON is made of, and what is none.
#[derive(Arbitrary, Debug)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(u8),
    Id(u8),
    Word(u8),
    List(Vec<Self>),
    Object(Vec<(u8, Self)>),
    Raw(&'a [u8]),
}

impl Json<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend(b"null"),
            Self::Bool(is) => out.extend(is.to_string().bytes()),
            Self::Number(number) => out.extend(number.to_string().bytes()),
            Self::Id(id) => out.extend(format!("\"{}\"", id % 6).bytes()),
            Self::Word(word) => out
                .extend(format!("\"{}\"", ["offline", "idle", "x"][usize::from(word % 3)]).bytes()),
            Self::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.extend(b", ");
                    }
                    out.extend(format!("\"{}\":", NAMES[usize::from(*name) % NAMES.len()]).bytes());
                    value.write(out);
                }
                out.push(b'}');
            }
            Self::Raw(bytes) => out.extend(*bytes),
        }
    }
}

/// What a store or Discord answers: mostly an object.
#[derive(Arbitrary, Debug)]
pub(super) enum Object<'a> {
    Of(u8, Vec<(u8, Json<'a>)>),
    Any(Json<'a>),
}

impl Object<'_> {
    pub(super) fn written(&self) -> Vec<u8> {
        match self {
            Self::Of(id, members) => {
                let mut out = format!("{{\"id\":\"{}\"", id % 6).into_bytes();
                for (name, value) in members {
                    out.extend(
                        format!(",\"{}\":", NAMES[usize::from(*name) % NAMES.len()]).bytes(),
                    );
                    value.write(&mut out);
                }
                out.push(b'}');
                out
            }
            Self::Any(json) => written(json),
        }
    }
}

pub(super) fn written(json: &Json<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    json.write(&mut out);
    out
}

#[derive(Arbitrary, Debug, Clone, Copy)]
pub(super) struct Named(u8, u8, u8);

impl Named {
    pub(super) fn key(self) -> Key {
        let kind = Kind::ALL[usize::from(self.0) % Kind::ALL.len()];
        let scope = if kind.scope().is_empty() {
            0
        } else {
            self.1 % 6
        };
        Key::new(
            kind,
            Snowflake(scope.into()),
            Snowflake((self.2 % 6).into()),
        )
    }
}

#[derive(Arbitrary, Debug)]
pub(super) enum Step<'a> {
    /// Time goes on by so many milliseconds.
    Wait(u16),
    /// Time goes on to the next deadline.
    WaitForDeadline,
    Dispatch {
        event: u8,
        /// The ids of guild, channel, message and user, before anything else.
        ids: Option<[u8; 4]>,
        more: Json<'a>,
        epoch: u8,
    },
    Fetch(u8, Named, Option<u8>),
    Cancel(u8),
    /// One of the questions to the store is answered.
    Held(u8, Option<Object<'a>>, Option<(u16, u64)>),
    ReadFailed(u8),
    /// A batch is answered.
    Written(u8, Vec<Option<Option<u16>>>),
    /// One of the questions to Discord is answered.
    Answered(u8, Object<'a>),
    NotFound(u8),
    AskFailed(u8),
    StoreDown,
    StoreUp(bool, u64),
    ForgetGuild(Named),
    Invalidated(Named, u64),
    Forget(Named),
    /// Whatever a caller may write into a record.
    Record {
        kind: u8,
        id: u64,
        value: u64,
        text: &'a str,
        data: &'a [u8],
    },
}

#[derive(Arbitrary, Debug)]
pub(super) struct Setup {
    budget_kib: u8,
    seed: u64,
    stored: u16,
    pub(super) has_store: bool,
    /// Whether the bot is in a guild from the start.
    pub(super) is_home: bool,
    before: bool,
    limits: [Option<u8>; 4],
    small: [u8; 8],
}

pub(super) fn config(setup: &Setup) -> Config {
    let mut config = Config::new(usize::from(setup.budget_kib) << 10, setup.seed);
    config.has_store = setup.has_store;
    let is_stored = |kind: &&Kind| setup.stored >> kind.number() & 1 == 1;
    config.stored = Kind::ALL
        .iter()
        .filter(is_stored)
        .copied()
        .fold(Kinds::NONE, Kinds::with);
    if setup.before {
        config.before = EventFilter::all();
    }
    for (at, limit) in setup.limits.iter().enumerate() {
        let Some(limit) = limit else { continue };
        let limits: &mut Limits =
            &mut config.hot.limits[1 + usize::from(limit >> 4) % Kind::ALL.len()];
        match at {
            0 => limits.count = Some((limit & 7).into()),
            1 => limits.count_per_scope = Some((limit & 7).into()),
            2 => limits.bytes = Some(usize::from(limit & 7) * 100),
            _ => limits.ttl = Some(Duration::from_millis(u64::from(limit & 7) * 100)),
        }
    }
    let [
        pending,
        marks,
        scopes,
        flights,
        patches,
        batch,
        batches,
        negatives,
    ] = setup.small.map(usize::from);
    config.pending_bytes_max = pending * 20;
    config.marks_max = marks;
    config.scopes_max = scopes;
    config.flights_max = flights;
    config.patch_bytes_max = patches * 4;
    config.batch_max = batch.max(1);
    config.batches_max = batches.max(1);
    config.negatives_max = negatives;
    config
}
