//! The words that scenarios of the cache are told in.

use shardkeep_core::cache::Cache;

use super::super::model::Rec;
use super::super::play::Play;

/// The session's epoch in scenarios that have one session.
const EPOCH: u64 = 1_000;
/// The time of day at the start, in milliseconds.
const WALL_MS: u64 = 5_000;

/// Payloads are broken into lines here, and are one line in the vectors.
fn joined(text: &str) -> String {
    text.lines().map(str::trim_start).collect()
}

pub(super) fn told(epoch: u64, seq: u64, event: &str, wall_ms: u64, d: &str) -> Rec {
    Rec {
        id: epoch,
        value: seq,
        text: format!("{event} {wall_ms}"),
        data: joined(d).into_bytes(),
        ..Rec::new("dispatch")
    }
}

impl Play<Cache> {
    /// A dispatch, the next one of the session.
    pub(super) fn told(self, event: &str, d: &str) -> Self {
        let (seq, wall_ms) = (self.count() + 1, WALL_MS + self.now_ms());
        self.feed(told(EPOCH, seq, event, wall_ms, d))
    }

    /// A dispatch of another session.
    pub(super) fn told_by(self, epoch: u64, seq: u64, event: &str, d: &str) -> Self {
        let wall_ms = WALL_MS + self.now_ms();
        self.feed(told(epoch, seq, event, wall_ms, d))
    }

    pub(super) fn ask(self, id: u64, key: &str) -> Self {
        self.ask_until(id, key, 0)
    }

    /// A question with a deadline, in milliseconds from the start.
    pub(super) fn ask_until(self, id: u64, key: &str, deadline_ms: u64) -> Self {
        self.feed(Rec {
            id,
            value: deadline_ms * 1_000,
            text: String::from(key),
            ..Rec::new("fetch")
        })
    }

    /// Asks under a number of its own.
    pub(super) fn look(self, key: &str) -> Self {
        let id = 1_000 + self.count();
        self.ask(id, key)
    }

    /// The record is here, and is this.
    pub(super) fn has(self, key: &str, json: &str) -> Self {
        let asked = self.look(key);
        let wanted = format!("found id={} data={}", 999 + asked.count(), joined(json));
        asked.gives_one(&wanted)
    }

    /// There is no such thing: Discord is not asked for it.
    pub(super) fn lacks(self, key: &str) -> Self {
        let asked = self.look(key);
        let wanted = format!("absent id={}", 999 + asked.count());
        asked.gives_one(&wanted)
    }

    /// It is not here, and may exist: Discord is asked.
    pub(super) fn knows_nothing_of(self, key: &str) -> Self {
        let wanted = format!("ask text={key}");
        self.look(key).gives_one(&wanted)
    }

    /// It is not here, and Discord cannot be asked for such things.
    pub(super) fn cannot_find(self, key: &str) -> Self {
        let asked = self.look(key);
        let wanted = format!("failed code=4 id={}", 999 + asked.count());
        asked.gives_one(&wanted)
    }

    /// Like [`Play::gives`] with one output, whose data may have spaces.
    pub(super) fn gives_one(self, wanted: &str) -> Self {
        let found = &self.last().outputs;
        let is_it = found.len() == 1 && words(&found[0]) == wanted;
        if is_it {
            self
        } else {
            self.fail(&format!("does not give {wanted}"))
        }
    }

    /// Everything that the last step wants written, in order: key, and JSON or nothing. Versions are not looked at.
    pub(super) fn writes(self, wanted: &[(&str, &str)]) -> Self {
        let found = written(&self.last().outputs);
        let found: Vec<_> = found
            .into_iter()
            .map(|(key, _, json)| (key, json))
            .collect();
        let wanted: Vec<_> = wanted
            .iter()
            .map(|(key, json)| (String::from(*key), joined(json)))
            .collect();
        if found == wanted {
            self
        } else {
            self.fail(&format!("writes {found:?}, not {wanted:?}"))
        }
    }

    /// The last step wants nothing written.
    pub(super) fn writes_nothing(self) -> Self {
        self.writes(&[])
    }

    /// The versions of what the last step wants written, in order.
    pub(super) fn versions(self, wanted: &[&str]) -> Self {
        let found = written(&self.last().outputs);
        let found: Vec<_> = found.iter().map(|(_, version, _)| &version[..]).collect();
        if found == wanted {
            self
        } else {
            self.fail(&format!("has versions {found:?}"))
        }
    }

    /// The store has done all of the batch that the last step gave.
    pub(super) fn done(self) -> Self {
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
    pub(super) fn written(self, batch: u64, outcomes: &[&str]) -> Self {
        self.feed(Rec {
            id: batch,
            data: outcomes.join("\n").into_bytes(),
            ..Rec::new("written")
        })
    }

    /// What the store holds: a version, which may be empty, and JSON, which may be empty.
    pub(super) fn held(self, question: u64, version: &str, json: &str) -> Self {
        self.feed(Rec {
            id: question,
            text: String::from(version),
            data: joined(json).into_bytes(),
            ..Rec::new("held")
        })
    }

    pub(super) fn answered(self, question: u64, json: &str) -> Self {
        self.feed(Rec {
            id: question,
            data: joined(json).into_bytes(),
            ..Rec::new("answered")
        })
    }

    /// One of the inputs that have nothing but a number.
    pub(super) fn numbered(self, kind: &str, id: u64) -> Self {
        self.feed(Rec {
            id,
            ..Rec::new(kind)
        })
    }

    pub(super) fn store_down(self) -> Self {
        self.feed(Rec::new("store_down"))
    }

    pub(super) fn store_up(self, lost: bool) -> Self {
        self.feed(Rec {
            value: lost.into(),
            ..Rec::new("store_up")
        })
    }

    /// The store is there in a life whose epoch all who share it agree on.
    pub(super) fn store_up_in(self, epoch: u64) -> Self {
        self.feed(Rec {
            id: epoch,
            value: 1,
            ..Rec::new("store_up")
        })
    }

    /// One of the inputs about a key.
    pub(super) fn about(self, kind: &str, key: &str, digest: u64) -> Self {
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
