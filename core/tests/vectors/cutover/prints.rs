//! Fingerprints: which payloads are the same event, and which are not.

use serde_json::json;

use super::CutoverVector;
use super::scene::{Scene, scene};

fn print(scene: &mut Scene, name: &str, data: &str) -> (String, bool) {
    let gives = scene.call(json!({"do": "fingerprint", "name": name, "data": data}));
    let print = gives["fingerprint"].as_str().expect("a fingerprint");
    (print.into(), gives["once"].as_bool().expect("a bool"))
}

/// All payloads of a kind have one fingerprint.
fn same(name: &str, rule: &str, kind: &str, once: bool, payloads: &[&str]) -> CutoverVector {
    let mut scene = scene(name, rule);
    let prints: Vec<_> = payloads
        .iter()
        .map(|data| print(&mut scene, kind, data))
        .collect();
    assert!(
        prints.iter().all(|found| *found == prints[0]),
        "{name}: {prints:?}"
    );
    assert_eq!(prints[0].1, once, "{name}");
    scene.ends("old", &[])
}

/// Each payload of a kind has a fingerprint of its own.
fn differ(name: &str, rule: &str, kind: &str, payloads: &[&str]) -> CutoverVector {
    let mut scene = scene(name, rule);
    let mut prints: Vec<_> = payloads
        .iter()
        .map(|data| print(&mut scene, kind, data).0)
        .collect();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), payloads.len(), "{name}");
    scene.ends("old", &[])
}

fn scopes(name: &str, rule: &str, events: &[(&str, &str, &str)]) -> CutoverVector {
    let mut scene = scene(name, rule);
    for (kind, data, whose) in events {
        let gives = scene.call(json!({"do": "scope", "name": kind, "data": data}));
        assert_eq!(gives["result"], *whose, "{name}: {kind}");
    }
    scene.ends("old", &[])
}

pub(super) fn vectors() -> Vec<CutoverVector> {
    let mut all = same_ones();
    all.extend(different_ones());
    all.push(scopes(
        "whose_an_event_is",
        "scope: by guild_id, or by id where the payload is the guild; 0 where there is no guild",
        &[
            ("MESSAGE_CREATE", r#"{"id":"1","guild_id":"41"}"#, "41"),
            ("MESSAGE_CREATE", r#"{"id":"1"}"#, "0"),
            ("GUILD_UPDATE", r#"{"id":"41"}"#, "41"),
            ("USER_UPDATE", r#"{"id":"1"}"#, "0"),
            ("SUBSCRIPTION_CREATE", r#"{"id":"1"}"#, "0"),
            ("ENTITLEMENT_CREATE", r#"{"id":"1","guild_id":"41"}"#, "0"),
            ("MESSAGE_CREATE", "not JSON", "0"),
        ],
    ));
    all.push(scopes(
        "what_is_the_sessions_own",
        "scope: what opens a session, and what answers a command of it, is never compared",
        &[
            ("READY", "{}", "session"),
            ("RESUMED", "{}", "session"),
            ("RATE_LIMITED", "{}", "session"),
            ("GUILD_MEMBERS_CHUNK", r#"{"guild_id":"41"}"#, "session"),
            ("SOUNDBOARD_SOUNDS", r#"{"guild_id":"41"}"#, "session"),
            ("CHANNEL_INFO", r#"{"guild_id":"41"}"#, "session"),
            ("VOICE_SERVER_UPDATE", r#"{"guild_id":"41"}"#, "session"),
        ],
    ));
    all
}

fn same_ones() -> Vec<CutoverVector> {
    vec![
        same(
            "a_message_by_its_id",
            "key: whatever else the payload says, such as URLs that are signed anew",
            "MESSAGE_CREATE",
            true,
            &[
                r#"{"id":"7","attachments":[]}"#,
                r#"{"attachments":[{}],"id":"7"}"#,
            ],
        ),
        same(
            "order_and_white_space",
            "whole payload: the order of members and white space mean nothing, at any depth",
            "PRESENCE_UPDATE",
            false,
            &[
                r#"{"user":{"id":"1","a":2},"status":"idle"}"#,
                "{ \"status\": \"idle\",\n \"user\": { \"a\" : 2, \"id\":\"1\" } }",
            ],
        ),
        same(
            "a_role_by_the_id_within",
            "key: the id may lie in an object",
            "GUILD_ROLE_CREATE",
            true,
            &[
                r#"{"guild_id":"41","role":{"id":"3","name":"a"}}"#,
                r#"{"role":{"name":"b","id":"3"},"guild_id":"41"}"#,
            ],
        ),
        same(
            "a_reaction_without_its_member",
            "key: a reaction can be given again, and its member is not the event",
            "MESSAGE_REACTION_ADD",
            false,
            &[
                r#"{"user_id":"1","message_id":"2","emoji":{"id":null,"name":"x"},"member":{}}"#,
                r#"{"emoji":{"name":"x","id":null},"message_id":"2","user_id":"1"}"#,
            ],
        ),
        same(
            "a_message_without_an_id",
            "key: where the id is missing, the payload counts as a whole, and proves nothing",
            "MESSAGE_CREATE",
            false,
            &[
                r#"{"content":"a","tts":false}"#,
                r#"{"tts":false,"content":"a"}"#,
            ],
        ),
        same(
            "no_json",
            "whole payload: what is not JSON counts by its bytes",
            "WEBHOOKS_UPDATE",
            false,
            &["{\"a\":", "{\"a\":"],
        ),
    ]
}

fn different_ones() -> Vec<CutoverVector> {
    vec![
        differ(
            "edits_of_a_message",
            "key: an edit repeats the id; what it changes counts",
            "MESSAGE_UPDATE",
            &[
                r#"{"id":"7","content":"a","edited_timestamp":null}"#,
                r#"{"id":"7","content":"b","edited_timestamp":null}"#,
                r#"{"id":"7","content":"a","edited_timestamp":"2026-01-01T00:00:00Z"}"#,
                r#"{"id":"7","content":"a","edited_timestamp":null,"embeds":[{"title":"x"}]}"#,
            ],
        ),
        differ(
            "elements_in_another_order",
            "whole payload: the order of elements counts, and where a value stands",
            "WEBHOOKS_UPDATE",
            &[
                "[1,2]",
                "[2,1]",
                "[[1],2]",
                "[1,[2]]",
                "{\"1\":2}",
                "{\"2\":1}",
            ],
        ),
        differ(
            "reactions_that_differ",
            "key: by user, message, emoji and type",
            "MESSAGE_REACTION_ADD",
            &[
                r#"{"user_id":"1","message_id":"2","emoji":{"name":"x"}}"#,
                r#"{"user_id":"2","message_id":"1","emoji":{"name":"x"}}"#,
                r#"{"user_id":"1","message_id":"2","emoji":{"name":"y"}}"#,
                r#"{"user_id":"1","message_id":"2","emoji":{"name":"x"},"type":1}"#,
            ],
        ),
        kinds_differ(),
    ]
}

fn kinds_differ() -> CutoverVector {
    let mut scene = scene(
        "the_same_payload_of_other_kinds",
        "whole payload: the kind counts, and the name of one that is not listed",
    );
    let names = ["GUILD_BAN_ADD", "GUILD_BAN_REMOVE", "NEW_ONE", "NEW_TWO"];
    let mut prints: Vec<_> = names
        .iter()
        .map(|name| print(&mut scene, name, r#"{"user":{"id":"1"}}"#))
        .collect();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), names.len());
    scene.ends("old", &[])
}
