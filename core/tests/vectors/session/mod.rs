//! The scenarios of a session, and the words that they are told in.

pub(crate) mod close_codes;
pub(crate) mod commands;
pub(crate) mod compression;
pub(crate) mod dispatch;
pub(crate) mod heartbeat;
pub(crate) mod identify;
pub(crate) mod limits;
pub(crate) mod moves;
pub(crate) mod resume;
pub(crate) mod shutdown;
pub(crate) mod state_table;

use serde_json::{Value, json};
use shardkeep_core::gateway::Session;

use super::model::{Rec, unhex};
use super::play::{self, Play};

pub(crate) type Shard = Play<Session>;

pub(crate) const HELLO: &str = r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#;
pub(crate) const ACK: &str = r#"{"op":11}"#;
pub(crate) const RESUME_URL: &str = "wss://gateway-us-east1-b.discord.gg";

/// Starts a session's scenario.
pub(crate) fn play(name: &str, rule: &str) -> Shard {
    play::play(name, rule)
}

/// READY with two guilds, as Discord sends it right after identify.
pub(crate) const READY: &str = concat!(
    r#"{"t":"READY","s":1,"op":0,"d":{"v":10,"user":{"id":"9"},"session_id":"abc","resume_g"#,
    r#"ateway_url":"wss://gateway-us-east1-b.discord.gg","guilds":[{"id":"41","unavailable""#,
    r#":true},{"id":"42","unavailable":true}]}}"#,
);

/// A dispatch with a small payload.
pub(crate) fn event(sequence: u64, name: &str) -> String {
    format!(r#"{{"t":"{name}","s":{sequence},"op":0,"d":{{"n":{sequence}}}}}"#)
}

pub(crate) fn resumed(sequence: u64) -> String {
    format!(r#"{{"t":"RESUMED","s":{sequence},"op":0,"d":{{}}}}"#)
}

/// What a session left behind that had seen `sequence`.
pub(crate) fn left_at(sequence: u64) -> Value {
    json!({
        "shard_index": 0,
        "shard_total": 1,
        "resumption": {"session_id": "abc", "sequence": sequence, "resume_gateway_url": RESUME_URL},
    })
}

impl Play<Session> {
    pub(crate) fn opened(self) -> Self {
        self.feed(Rec::new("connected"))
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// A text message that is no UTF-8, maybe.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.feed(Rec {
            data: bytes.to_vec(),
            ..Rec::new("text")
        })
    }

    pub(crate) fn binary(self, hex: &str) -> Self {
        self.feed(Rec {
            data: unhex(hex),
            ..Rec::new("binary")
        })
    }

    /// The socket is gone: Discord's close code, or 0 without one.
    pub(crate) fn lost(self, code: u32) -> Self {
        self.feed(Rec {
            code,
            ..Rec::new("disconnected")
        })
    }

    pub(crate) fn granted(self) -> Self {
        self.feed(Rec::new("identify_granted"))
    }

    pub(crate) fn command(self, id: u64, op: u32, d: &str) -> Self {
        self.feed(Rec {
            code: op,
            id,
            data: d.as_bytes().to_vec(),
            ..Rec::new("send")
        })
    }

    /// A heartbeat beside the schedule.
    pub(crate) fn asked_to_beat(self) -> Self {
        self.feed(Rec::new("heartbeat"))
    }

    pub(crate) fn recycled(self) -> Self {
        self.feed(Rec::new("reconnect"))
    }

    pub(crate) fn stopped(self, resumable: bool) -> Self {
        self.feed(Rec {
            value: resumable.into(),
            ..Rec::new("shutdown")
        })
    }

    // The way to each state. Every step of it is part of the vector.

    pub(crate) fn connecting(self) -> Self {
        self.due("reconnect").is("connecting")
    }

    pub(crate) fn awaiting_hello(self) -> Self {
        self.connecting().opened().is("hello")
    }

    pub(crate) fn awaiting_identify(self) -> Self {
        self.awaiting_hello().text(HELLO).is("awaiting_identify")
    }

    pub(crate) fn identifying(self) -> Self {
        self.awaiting_identify().granted().is("identifying")
    }

    pub(crate) fn ready(self) -> Self {
        self.identifying().text(READY).is("ready")
    }

    /// From a snapshot at sequence 7.
    pub(crate) fn resuming(self) -> Self {
        self.restored(left_at(7))
            .awaiting_hello()
            .text(HELLO)
            .is("resuming")
    }

    /// A session that was asked to reconnect; its socket is still open.
    pub(crate) fn closing(self) -> Self {
        self.ready().recycled().is("closing")
    }

    /// The next connection, up to Hello.
    pub(crate) fn reconnected(self) -> Self {
        self.due("reconnect").tells("connect").opened().text(HELLO)
    }
}
