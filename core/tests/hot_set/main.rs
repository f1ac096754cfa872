//! The hot set: it equals a map on what it holds, and holds no more memory than it may.

mod model;

use shardkeep_core::Snowflake;
use shardkeep_core::cache::hot_set::{Key, Kind};

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
