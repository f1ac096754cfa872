//! The hot set: it equals a map on what it holds, holds no more memory than it may, and gives up what is not used.

mod accounting;
mod limits;
mod model;
mod policy;

use shardkeep_core::cache::hot_set::{Config, Evicted, HotSet, Key, Kind};
use shardkeep_core::{Instant, Snowflake};

fn kind(number: u8) -> Kind {
    Kind::new(number).expect("a kind")
}

fn key(number: u8, scope: u64, id: u64) -> Key {
    Key {
        kind: kind(number),
        scope: Snowflake(scope),
        id: Snowflake(id),
    }
}

/// A set for a test, and nobody who listens to what it gives up.
fn set(budget_bytes: usize) -> HotSet {
    HotSet::new(&Config::new(budget_bytes, 42))
}

fn ignore(_: Evicted<'_>) {}

const NOW: Instant = Instant::ZERO;

/// How many of a kind a scope has.
fn count(set: &HotSet, number: u8, scope: u64) -> usize {
    set.scope_count(kind(number), Snowflake(scope))
}
