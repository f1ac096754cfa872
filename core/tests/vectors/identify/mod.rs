//! The scenarios of the fleet's identify budget, and the words that they are told in.

mod budget;
mod damping;
mod life;
mod limits;
mod membership;
mod spacing;

use shardkeep_core::ShardId;
use shardkeep_core::fleet::Fleet;
use shardkeep_core::record::shard_to_id;

use super::Source;
use super::model::{Rec, Vector};
use super::play::{self, Play};

type Scene = Play<Fleet>;

/// Starts a fleet's scenario with these shards.
fn play(name: &str, rule: &str, shards: &str) -> Scene {
    play::play(name, rule).config(serde_json::json!({"shards": shards}))
}

/// The same for a process that is told which of them to run.
fn play_told(name: &str, rule: &str, shards: &str) -> Scene {
    play::play(name, rule).config(serde_json::json!({"shards": shards, "here": "told"}))
}

/// What `GET /gateway/bot` says.
#[derive(Clone, Copy)]
struct Bot {
    shards: u32,
    total: u32,
    remaining: u32,
    reset_after_ms: u64,
    max_concurrency: u32,
}

/// A bot like most: 1,000 identifies a day, one at a time, four hours left of the day.
const BOT: Bot = Bot {
    shards: 1,
    total: 1_000,
    remaining: 1_000,
    reset_after_ms: 14_400_000,
    max_concurrency: 1,
};

impl Play<Fleet> {
    /// The first call: the fleet asks for the limits.
    fn begins(self) -> Self {
        self.tick().tells("fetch_limits")
    }

    fn limits(self, bot: Bot) -> Self {
        let Bot {
            shards,
            total,
            remaining,
            reset_after_ms,
            max_concurrency,
        } = bot;
        let concurrency = format!(r#""max_concurrency":{max_concurrency}"#);
        let limit = format!(
            r#"{{"total":{total},"remaining":{remaining},"reset_after":{reset_after_ms},{concurrency}}}"#
        );
        let body = format!(
            r#"{{"url":"wss://gateway.discord.gg","shards":{shards},"session_start_limit":{limit}}}"#
        );
        self.feed(Rec {
            data: body.into_bytes(),
            ..Rec::new("limits")
        })
    }

    /// From the start, with these limits.
    fn begins_with(self, bot: Bot) -> Self {
        self.begins().limits(bot)
    }

    fn limits_failed(self, retry_after_ms: u64) -> Self {
        self.feed(Rec {
            value: retry_after_ms * 1_000,
            ..Rec::new("limits_failed")
        })
    }

    /// Something happened to a shard, written `index/total`.
    fn shard(self, shard: &str, what: &str) -> Self {
        let (index, total) = shard.split_once('/').expect("index/total");
        let number = |text: &str| text.parse().expect("a number");
        // Totals that cannot be are there to be refused.
        let id = ShardId::new(number(index), number(total)).map_or(0, shard_to_id);
        self.feed(Rec {
            id,
            ..Rec::new(what)
        })
    }

    /// So many events came to it.
    fn active(self, shard: &str, events: u64) -> Self {
        let (index, total) = shard.split_once('/').expect("index/total");
        let number = |text: &str| text.parse().expect("a number");
        let id = ShardId::new(number(index), number(total)).map_or(0, shard_to_id);
        self.feed(Rec {
            id,
            value: events,
            ..Rec::new("activity")
        })
    }

    fn wants(self, shard: &str) -> Self {
        self.shard(shard, "want_identify")
    }

    fn closed(self, shard: &str, is_fatal: bool) -> Self {
        self.flagged(shard, "closed", is_fatal)
    }

    fn runs(self, shard: &str, is_resumable: bool) -> Self {
        self.flagged(shard, "run", is_resumable)
    }

    fn flagged(self, shard: &str, what: &str, flag: bool) -> Self {
        let (index, total) = shard.split_once('/').expect("index/total");
        let number = |text: &str| text.parse().expect("a number");
        let id = ShardId::new(number(index), number(total)).map_or(0, shard_to_id);
        self.feed(Rec {
            id,
            value: flag.into(),
            ..Rec::new(what)
        })
    }
}

pub(crate) fn files() -> Vec<Source<Vector>> {
    vec![
        (
            "spacing",
            "One identify per key and 5 s, in order (protocol 1.14).",
            spacing::vectors(),
        ),
        (
            "budget",
            "The daily allowance: the reserve is never spent (protocol 1.14).",
            budget::vectors(),
        ),
        (
            "limits",
            "Asking `/gateway/bot`, and when that fails.",
            limits::vectors(),
        ),
        (
            "damping",
            "Identifies that lead nowhere slow the next ones down.",
            damping::vectors(),
        ),
        (
            "life",
            "Starting, resuming without a slot, stopping.",
            life::vectors(),
        ),
        (
            "membership",
            "Shards that come and go while the fleet runs.",
            membership::vectors(),
        ),
    ]
}
