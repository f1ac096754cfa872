//! The scenarios of the cache, and the words that they are told in.

mod before;
mod channels;
mod fetch;
mod fetch_store;
mod floors;
mod guilds;
mod hot_set;
mod invalidation;
mod lists;
mod members;
mod messages;
mod misuse;
mod reactions;
mod store;
mod store_faults;
mod stored;
mod threads;
mod unkept;
mod users;
mod voice;
mod words;

use serde_json::Value;
use shardkeep_core::cache::entity::TABLE;
use shardkeep_core::cache::{Cache, Failure};
use shardkeep_core::record::{CACHE_INPUTS, CACHE_OUTPUTS, CACHE_TIMEOUTS};

use super::Source;
use super::model::{Rec, Vector};
use super::play::{self, Play};

type Scene = Play<Cache>;

/// The bot's user, and its one guild.
const READY: &str = r#"{"user":{"id":"9","username":"bot"},"guilds":[{"id":"1","unavailable":true}],
"shard":[0,1]}"#;
/// The guild: two members, and one channel of each sort.
const HOME: &str = r#"{"id":"1","name":"home","topic":"old","member_count":2,"large":false,"unavailable":false,
"roles":[{"id":"1","name":"everyone"}],"emojis":[],"stickers":[],
"channels":[{"id":"10","type":0,"name":"general"},{"id":"11","type":2,"name":"voice"},{"id":"12",
"type":15,"name":"forum"}],
"members":[{"user":{"id":"9","username":"bot"},"roles":[]},{"user":{"id":"7","username":"ada"},
"nick":"a","roles":["1"]}]}"#;
/// What is kept of the guild itself.
const GUILD: &str =
    r#"{"id":"1","name":"home","topic":"old","member_count":2,"large":false,"unavailable":false}"#;
const GENERAL: &str = r#"{"id":"10","type":0,"name":"general"}"#;
const ADA: &str = r#"{"id":"7","username":"ada"}"#;
/// A member is answered with its user.
const ADA_HERE: &str = r#"{"user":{"id":"7","username":"ada"},"nick":"a","roles":["1"]}"#;
const BOT_HERE: &str = r#"{"user":{"id":"9","username":"bot"},"roles":[]}"#;

/// The same with a store, which has taken everything so far.
fn stored(name: &str, rule: &str, mut settings: Value) -> Scene {
    settings["has_store"] = true.into();
    let scene = scene(name, rule).config(settings);
    scene
        .told("READY", READY)
        .done()
        .told("GUILD_CREATE", HOME)
        .done()
}

/// Starts a scenario in which the bot is in its guild.
fn home(name: &str, rule: &str) -> Scene {
    at_home(scene(name, rule))
}

fn at_home(scene: Scene) -> Scene {
    scene.told("READY", READY).told("GUILD_CREATE", HOME)
}

/// Starts a scenario.
fn scene(name: &str, rule: &str) -> Scene {
    play::play(name, rule)
}

pub(crate) fn files() -> Vec<Source<Vector>> {
    let mut files = dispatches();
    files.extend(beside());
    files
}

fn dispatches() -> Vec<Source<Vector>> {
    vec![
        (
            "guilds",
            "Guilds and everything in them: READY, GUILD_CREATE, GUILD_UPDATE, GUILD_DELETE (protocol 1.18, 1.20).",
            guilds::vectors(),
        ),
        (
            "channels",
            "Channels, and what goes with them (protocol 1.18, 1.21).",
            channels::vectors(),
        ),
        (
            "threads",
            "Threads and who is in them (protocol 1.18).",
            threads::vectors(),
        ),
        (
            "members",
            "Members, users that guilds share, presences, interactions (protocol 1.18, 1.19).",
            members::vectors(),
        ),
        ("voice", "Voice states (protocol 1.18).", voice::vectors()),
        (
            "messages",
            "Messages, reactions, polls (protocol 1.18).",
            messages::vectors(),
        ),
        (
            "lists",
            "Roles, emojis, stickers, sounds, stages, scheduled events (protocol 1.18).",
            lists::vectors(),
        ),
        (
            "unkept",
            "Dispatches of which nothing is kept (protocol 1.18).",
            unkept::vectors(),
        ),
    ]
}

/// What happens beside dispatches.
fn beside() -> Vec<Source<Vector>> {
    vec![
        (
            "before",
            "What records were before a dispatch, for those who want to know.",
            before::vectors(),
        ),
        (
            "hot_set",
            "What is kept in memory, and what is given up for what (issue: hot set).",
            hot_set::vectors(),
        ),
        (
            "fetch",
            "Finding a record: hot, in the store, at Discord; one question for all who ask (issue: single flight).",
            fetch::vectors(),
        ),
        (
            "write_behind",
            "Writing to the store behind the dispatches: batches, retries, removals, bounds (issue: write-behind).",
            store::vectors(),
        ),
        (
            "read_back",
            "Records that were given up: read back, changed there, or forgotten.",
            stored::vectors(),
        ),
        (
            "floors",
            "What the store says is believed only if it is new enough (issue: never an older value).",
            floors::vectors(),
        ),
        (
            "invalidation",
            "Hints from other processes, and records that the user does not believe.",
            invalidation::vectors(),
        ),
        (
            "misuse",
            "Calls that break the interface change nothing; the snapshot is what was counted.",
            misuse::vectors(),
        ),
    ]
}

/// Dispatches, kinds of inputs, outputs and deadlines, and failures that no vector shows.
pub(crate) fn missing(vectors: &[Vector]) -> Vec<String> {
    let steps = || vectors.iter().flat_map(|vector| &vector.steps);
    let inputs = || steps().filter_map(|step| step.input.as_ref());
    let outputs = || steps().flat_map(|step| &step.outputs);
    let mut missing = Vec::new();
    for row in TABLE {
        let is_told = |input: &Rec| {
            let event = input.text.split(' ').next();
            input.kind == "dispatch" && event == Some(row.event.name())
        };
        // Beside the dispatch itself, something must be asked or come out.
        if !inputs().any(is_told) {
            missing.push(String::from(row.event.name()));
        }
    }
    for row in CACHE_INPUTS {
        if !inputs().any(|input| input.kind == row.name) {
            missing.push(String::from(row.name));
        }
    }
    for row in CACHE_OUTPUTS {
        if !outputs().any(|output| output.kind == row.name) {
            missing.push(String::from(row.name));
        }
    }
    for row in CACHE_TIMEOUTS {
        let mut deadlines = steps().filter_map(|step| step.next.as_ref());
        if !deadlines.any(|next| next.reason == row.name) {
            missing.push(String::from(row.name));
        }
    }
    for why in Failure::ALL {
        let is_why =
            |output: &Rec| output.kind == "failed" && output.code == u32::from(why.number());
        if !outputs().any(is_why) {
            missing.push(format!("failed {}", why.number()));
        }
    }
    missing
}
