//! What records were before a dispatch.

use serde_json::json;

use super::super::model::Vector;
use super::{ADA_HERE, Scene, at_home, scene};

pub(crate) fn vectors() -> Vec<Vector> {
    vec![update(), deletion(), several(), unknown(), others()]
}

fn telling(name: &str, rule: &str, events: &[&str]) -> Scene {
    at_home(scene(name, rule).config(json!({"before": events})))
}

fn update() -> Vector {
    telling(
        "update_tells_what_was_before",
        "before: every record that the dispatch changes, as it was; the user in a member is a reference",
        &["GUILD_MEMBER_UPDATE"],
    )
    .told("GUILD_MEMBER_UPDATE", r#"{"guild_id":"1","user":{"id":"7","username":"Ada"},"nick":"A"}"#)
    .gives(&[
        r#"before text=user:7 data={"id":"7","username":"ada"}"#,
        r#"before text=member:1:7 data={"user":{"id":"7"},"nick":"a","roles":["1"]}"#,
    ])
    .has("member:1:7", r#"{"user":{"id":"7","username":"Ada"},"nick":"A","roles":["1"]}"#)
    .end()
}

fn deletion() -> Vector {
    telling(
        "deletion_tells_what_was_before",
        "before: what was deleted",
        &["GUILD_ROLE_DELETE", "GUILD_DELETE"],
    )
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"1"}"#)
    .gives(&[r#"before text=role:1:1 data={"id":"1","name":"everyone"}"#])
    .told("GUILD_DELETE", r#"{"id":"1"}"#)
    .gives(&[r#"before text=guild:1 data~"name":"home""#])
    .end()
}

fn several() -> Vector {
    telling(
        "list_that_replaces_tells_what_it_replaces",
        "before: what the list still has and what it has no more",
        &["GUILD_EMOJIS_UPDATE"],
    )
    .told(
        "GUILD_EMOJIS_UPDATE",
        r#"{"guild_id":"1","emojis":[{"id":"20"},{"id":"21"}]}"#,
    )
    .gives(&[])
    .told(
        "GUILD_EMOJIS_UPDATE",
        r#"{"guild_id":"1","emojis":[{"id":"21","name":"dog"}]}"#,
    )
    .gives(&[
        r#"before text=emoji:1:21 data={"id":"21"}"#,
        r#"before text=emoji:1:20 data={"id":"20"}"#,
    ])
    .end()
}

fn unknown() -> Vector {
    telling(
        "what_was_not_known_is_not_told",
        "before: a record that the dispatch creates, or deletes without having been known, was nothing before",
        &["GUILD_ROLE_CREATE", "GUILD_ROLE_DELETE"],
    )
    .told("GUILD_ROLE_CREATE", r#"{"guild_id":"1","role":{"id":"5"}}"#)
    .gives(&[])
    .told("GUILD_ROLE_DELETE", r#"{"guild_id":"1","role_id":"6"}"#)
    .gives(&[])
    .end()
}

fn others() -> Vector {
    telling(
        "only_the_events_that_were_asked_for_tell",
        "before: what an event costs is paid by those who want it",
        &["GUILD_ROLE_UPDATE"],
    )
    .told(
        "GUILD_MEMBER_UPDATE",
        r#"{"guild_id":"1","user":{"id":"7","username":"ada"},"nick":"a"}"#,
    )
    .gives(&[])
    .has("member:1:7", ADA_HERE)
    .told("GUILD_ROLE_UPDATE", r#"{"guild_id":"1","role":{"id":"1"}}"#)
    .gives(&[r#"before text=role:1:1 data={"id":"1","name":"everyone"}"#])
    .end()
}
