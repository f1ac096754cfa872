//! The scenarios of the cache, and the words that they are told in.

mod channels;
mod guilds;
mod lists;
mod members;
mod messages;
mod threads;
mod under;
mod unkept;
mod voice;

use shardkeep_core::cache::entity::TABLE;
use shardkeep_core::cache::{Cache, Failure};
use shardkeep_core::record::{CACHE_INPUTS, CACHE_OUTPUTS, CACHE_TIMEOUTS};

use super::Source;
use super::model::{Rec, Vector};
use super::play::{self, Play};

type Scene = Play<Cache>;

/// The session's epoch in scenarios that have one session.
const EPOCH: u64 = 1_000;
/// The time of day at the start, in milliseconds.
const WALL_MS: u64 = 5_000;

/// The bot's user, and its one guild.
const READY: &str = r#"{"user":{"id":"9","username":"bot"},"guilds":[{"id":"1","unavailable":true}],"shard":[0,1]}"#;
/// The guild: two members, and one channel of each sort.
const HOME: &str = r#"{"id":"1","name":"home","topic":"old","member_count":2,"large":false,"unavailable":false,
"roles":[{"id":"1","name":"everyone"}],"emojis":[],"stickers":[],
"channels":[{"id":"10","type":0,"name":"general"},{"id":"11","type":2,"name":"voice"},{"id":"12","type":15,"name":"forum"}],
"members":[{"user":{"id":"9","username":"bot"},"roles":[]},{"user":{"id":"7","username":"ada"},"nick":"a","roles":["1"]}]}"#;
/// What is kept of the guild itself.
const GUILD: &str =
    r#"{"id":"1","name":"home","topic":"old","member_count":2,"large":false,"unavailable":false}"#;
const GENERAL: &str = r#"{"id":"10","type":0,"name":"general"}"#;
const ADA: &str = r#"{"id":"7","username":"ada"}"#;
/// A member is answered with its user.
const ADA_HERE: &str = r#"{"user":{"id":"7","username":"ada"},"nick":"a","roles":["1"]}"#;
const BOT_HERE: &str = r#"{"user":{"id":"9","username":"bot"},"roles":[]}"#;

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

fn told(epoch: u64, seq: u64, event: &str, wall_ms: u64, d: &str) -> Rec {
    Rec {
        id: epoch,
        value: seq,
        text: format!("{event} {wall_ms}"),
        data: d.as_bytes().to_vec(),
        ..Rec::new("dispatch")
    }
}

impl Play<Cache> {
    /// A dispatch, the next one of the session.
    fn told(self, event: &str, d: &str) -> Self {
        let (seq, wall_ms) = (self.count() + 1, WALL_MS + self.now_ms());
        self.feed(told(EPOCH, seq, event, wall_ms, d))
    }

    /// A dispatch of another session.
    fn told_by(self, epoch: u64, seq: u64, event: &str, d: &str) -> Self {
        let wall_ms = WALL_MS + self.now_ms();
        self.feed(told(epoch, seq, event, wall_ms, d))
    }

    fn ask(self, id: u64, key: &str) -> Self {
        self.ask_until(id, key, 0)
    }

    /// A question with a deadline, in milliseconds from the start.
    fn ask_until(self, id: u64, key: &str, deadline_ms: u64) -> Self {
        self.feed(Rec {
            id,
            value: deadline_ms * 1_000,
            text: String::from(key),
            ..Rec::new("fetch")
        })
    }

    /// Asks under a number of its own.
    fn look(self, key: &str) -> Self {
        let id = 1_000 + self.count();
        self.ask(id, key)
    }

    /// The record is here, and is this.
    fn has(self, key: &str, json: &str) -> Self {
        let asked = self.look(key);
        let wanted = format!("found id={} data={json}", 999 + asked.count());
        asked.gives_one(&wanted)
    }

    /// There is no such thing: Discord is not asked for it.
    fn lacks(self, key: &str) -> Self {
        let asked = self.look(key);
        let wanted = format!("absent id={}", 999 + asked.count());
        asked.gives_one(&wanted)
    }

    /// It is not here, and may exist: Discord is asked.
    fn knows_nothing_of(self, key: &str) -> Self {
        let wanted = format!("ask text={key}");
        self.look(key).gives_one(&wanted)
    }

    /// It is not here, and Discord cannot be asked for such things.
    fn cannot_find(self, key: &str) -> Self {
        let asked = self.look(key);
        let wanted = format!("failed code=4 id={}", 999 + asked.count());
        asked.gives_one(&wanted)
    }

    /// Like [`Play::gives`] with one output, whose data may have spaces.
    fn gives_one(self, wanted: &str) -> Self {
        let found = &self.last().outputs;
        let is_it = found.len() == 1 && words(&found[0]) == wanted;
        if is_it {
            self
        } else {
            self.fail(&format!("does not give {wanted}"))
        }
    }

    /// Everything that the last step wants written, in order: key, and JSON or nothing. Versions are not looked at.
    fn writes(self, wanted: &[(&str, &str)]) -> Self {
        let found = written(&self.last().outputs);
        let found: Vec<_> = found
            .iter()
            .map(|(key, _, json)| (&key[..], &json[..]))
            .collect();
        if found == wanted {
            self
        } else {
            self.fail(&format!("writes {found:?}, not {wanted:?}"))
        }
    }

    /// The last step wants nothing written.
    fn writes_nothing(self) -> Self {
        self.writes(&[])
    }

    /// The versions of what the last step wants written, in order.
    fn versions(self, wanted: &[&str]) -> Self {
        let found = written(&self.last().outputs);
        let found: Vec<_> = found.iter().map(|(_, version, _)| &version[..]).collect();
        if found == wanted {
            self
        } else {
            self.fail(&format!("has versions {found:?}"))
        }
    }

    /// The store has done all of the batch that the last step gave.
    fn done(self) -> Self {
        let batches = self
            .last()
            .outputs
            .iter()
            .filter(|output| output.kind == "write");
        let batches: Vec<_> = batches.map(|batch| (batch.id, batch.value)).collect();
        let done = |play: Self, (id, count): (u64, u64)| {
            let count = usize::try_from(count).expect("a few");
            play.written(id, &vec!["done"; count])
        };
        batches.into_iter().fold(self, done)
    }

    /// What became of a batch.
    fn written(self, batch: u64, outcomes: &[&str]) -> Self {
        self.feed(Rec {
            id: batch,
            data: outcomes.join("\n").into_bytes(),
            ..Rec::new("written")
        })
    }

    /// What the store holds: a version, which may be empty, and JSON, which may be empty.
    fn held(self, question: u64, version: &str, json: &str) -> Self {
        self.feed(Rec {
            id: question,
            text: String::from(version),
            data: json.as_bytes().to_vec(),
            ..Rec::new("held")
        })
    }

    fn answered(self, question: u64, json: &str) -> Self {
        self.feed(Rec {
            id: question,
            data: json.as_bytes().to_vec(),
            ..Rec::new("answered")
        })
    }

    /// One of the inputs that have nothing but a number.
    fn numbered(self, kind: &str, id: u64) -> Self {
        self.feed(Rec {
            id,
            ..Rec::new(kind)
        })
    }

    fn store_down(self) -> Self {
        self.feed(Rec::new("store_down"))
    }

    fn store_up(self, lost: bool) -> Self {
        self.feed(Rec {
            value: lost.into(),
            ..Rec::new("store_up")
        })
    }

    /// One of the inputs about a key.
    fn about(self, kind: &str, key: &str, digest: u64) -> Self {
        self.feed(Rec {
            id: digest,
            text: String::from(key),
            ..Rec::new(kind)
        })
    }
}

/// An output in the words of [`Play::gives`].
fn words(output: &Rec) -> String {
    let mut words = output.kind.clone();
    if output.code != 0 {
        words += &format!(" code={}", output.code);
    }
    if output.id != 0 && output.kind != "ask" {
        words += &format!(" id={}", output.id);
    }
    if output.kind == "ask" {
        words += &format!(" text={}", output.text);
    }
    if !output.data.is_empty() {
        words += &format!(" data={}", String::from_utf8_lossy(&output.data));
    }
    words
}

/// Key, version and JSON of everything to be written.
fn written(outputs: &[Rec]) -> Vec<(String, String, String)> {
    let batches = outputs.iter().filter(|output| output.kind == "write");
    let lines = batches.flat_map(|batch| {
        let text = String::from_utf8_lossy(&batch.data).into_owned();
        text.lines().map(String::from).collect::<Vec<_>>()
    });
    let parts = lines.map(|line| {
        let mut parts = line.splitn(3, ' ').map(String::from);
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    });
    parts.collect()
}

pub(crate) fn files() -> Vec<Source<Vector>> {
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
