//! Dispatches of which nothing is kept, whatever is in them.

use shardkeep_core::cache::entity::{Row, TABLE};

use super::super::model::Vector;
use super::{ADA_HERE, GENERAL, GUILD, home};

/// Something of everything that other dispatches would be believed.
const D: &str = r#"{"id":"10","guild_id":"1","channel_id":"10","user_id":"7","name":"not this",
"user":{"id":"7","username":"not this"},
"member":{"user":{"id":"7","username":"not this"},"nick":"not this"},"channel":{"id":"10","name":"not this"}}"#;

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors: Vec<Vector> = TABLE
        .iter()
        .filter(|row| row.touches.is_empty())
        .map(unkept)
        .collect();
    vectors.push(
        home(
            "unlisted_dispatch_changes_nothing",
            "1.18: undocumented names are passed on, and nothing is learned from them",
        )
        .told("GUILD_JOIN_REQUEST_UPDATE", D)
        .gives(&[])
        .has("member:1:7", ADA_HERE)
        .counts(&[("dispatches", 3), ("malformed", 0), ("hot", 9)])
        .end(),
    );
    vectors
}

fn unkept(row: &Row) -> Vector {
    let event = row.event.name();
    let name = format!("{}_changes_nothing", event.to_lowercase());
    let rule = format!(
        "1.18 {event}: {}; nothing is learned from what is in it",
        row.note
    );
    home(&name, &rule)
        .told(event, D)
        .gives(&[])
        .has("guild:1", GUILD)
        .has("channel:1:10", GENERAL)
        .has("member:1:7", ADA_HERE)
        .counts(&[("dispatches", 3), ("malformed", 0), ("hot", 9)])
        .end()
}
