//! Protocol 1.6 and 1.7: identify with every field, READY, and configurations that would be refused.

use serde_json::json;

use super::super::model::Vector;
use super::{Shard, play};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = fields();
    vectors.extend(slots());
    vectors.extend(ready());
    vectors.extend(resume_urls());
    vectors.extend(refused());
    vectors
}

fn fields() -> Vec<Vector> {
    vec![
        play("identify_plain", "1.6 the token bare, intents, properties and shard; nothing that is at its default")
            .awaiting_identify()
            .granted()
            .gives(&[concat!(
                r#"send data={"op":2,"d":{"token":"not.a.token","intents":1,"properties":{"os":"linux","#,
                r#""browser":"shardkeep","device":"shardkeep"},"shard":[0,1]}}"#,
            )])
            .end(),
        play("identify_every_field", "1.6 every field that identify has")
            .config(json!({
                "shard": [3, 16],
                "intents": 53_608_447,
                "properties": {"os": "linux", "browser": "mine", "device": "mine"},
                "compress": "payload",
                "large_threshold": 250,
                "presence": {
                    "since": null,
                    "activities": [{"name": "chess",
                    "type": 0}],
                    "status": "idle",
                    "afk": false},
                "capabilities": 32_768,
            }))
            .awaiting_identify()
            .granted()
            .gives(&[concat!(
                r#"send data={"op":2,"d":{"token":"not.a.token","intents":53608447,"properties":{"os":""#,
                r#"linux","browser":"mine","device":"mine"},"compress":true,"large_threshold":250,"shar"#,
                r#"d":[3,16],"presence":{"since":null,"activities":[{"name":"chess","type":0}],"status""#,
                r#":"idle","afk":false},"capabilities":32768}}"#,
            )])
            .end(),
        play(
            "identify_with_stream_compression",
            "1.6 compress is for payloads: with zlib-stream it is left out",
        )
        .config(json!({"compress": "zlib-stream"}))
        .awaiting_hello()
        // Hello as a zlib stream whose blocks are stored.
        .binary("7801003c00c3ff7b2274223a6e756c6c2c2273223a6e756c6c2c226f70223a31302c2264223a7b226865617274\
            626561745f696e74657276616c223a34313235307d7d000000ffff")
        .is("awaiting_identify")
        .granted()
        .tells("send data~\"op\":2")
        .end(),
    ]
}

fn slots() -> Vec<Vector> {
    vec![
        play(
            "slot_comes_late",
            "1.14 identify only when the slot is there, however long that takes",
        )
        .awaiting_identify()
        .due("heartbeat")
        .text(super::ACK)
        .due("heartbeat")
        .text(super::ACK)
        .granted()
        .gives(&["send data~\"op\":2"])
        .waits_for("heartbeat", 0, 41_250)
        .end(),
        play(
            "slot_that_nobody_waits_for",
            "1.14 a slot that comes when none is wanted is given back",
        )
        .ready()
        .granted()
        .gives(&["identify_unused"])
        .is("ready")
        .end(),
        play(
            "slot_after_the_connection_was_lost",
            "1.14 the connection is lost before the slot comes: it is given back",
        )
        .awaiting_identify()
        .lost(0)
        .tells("cancel_identify")
        .granted()
        .gives(&["identify_unused"])
        .is("disconnected")
        .end(),
        play(
            "one_identify_per_connection",
            "1.6 a second slot on the same connection is not used: that would be 4005",
        )
        .identifying()
        .granted()
        .gives(&["identify_unused"])
        .counts(&[("identifies", 1)])
        .end(),
        play(
            "op_9_then_a_new_slot",
            "1.9 op 9 after identify: wait 1 to 5 s, reconnect at the generic URL, take a new slot",
        )
        .identifying()
        .text(r#"{"t":null,"s":null,"op":9,"d":false}"#)
        .gives(&["disconnected", "close code=1000"])
        .lost(1000)
        .waits_for("reconnect", 1_000, 5_000)
        .reconnected()
        .gives(&["want_identify"])
        .granted()
        .gives(&["send data~\"op\":2"])
        .counts(&[("identifies", 2)])
        .end(),
    ]
}

fn with_ready(name: &str, rule: &str, d: &str) -> Shard {
    play(name, rule)
        .identifying()
        .text(&format!(r#"{{"op":0,"s":1,"t":"READY","d":{d}}}"#))
}

fn ready() -> Vec<Vector> {
    vec![
        with_ready(
            "ready_with_unknown_keys",
            "1.7 keys that are not documented are passed by",
            concat!(
                r#"{"_trace":["a"],"user_settings":{},"session_id":"q\u0041","guilds":[],"shard":[0,1],"#,
                r#""private_channels":[]}"#,
            ),
        )
        .gives(&["ready value=0 text=qA", "dispatch text=READY"])
        .end(),
        with_ready(
            "ready_without_a_resume_url",
            "1.7 without a resume URL, resume at the generic one",
            r#"{"session_id":"abc","guilds":[]}"#,
        )
        .lost(0)
        .due("reconnect")
        .gives(&["connect text~wss://gateway.discord.gg/"])
        .end(),
        with_ready(
            "ready_without_a_session_id",
            "1.7 READY without a session id cannot be used: reconnect",
            r#"{"guilds":[]}"#,
        )
            .gives(&["disconnected", "close code=4000"])
            .counts(&[("bad_messages", 1)])
            .end(),
    ]
}

fn resume_urls() -> Vec<Vector> {
    vec![
        with_ready(
            "ready_names_a_foreign_url",
            "1.7 a resume URL that is not Discord's is refused: the token does not go there",
            r#"{"session_id":"abc","resume_gateway_url":"wss://gateway.discord.gg.example.com","guilds":[]}"#,
        )
        .gives(&["url_refused", "ready", "dispatch"])
        .lost(0)
        .due("reconnect")
        .gives(&["connect text~wss://gateway.discord.gg/?"])
        .end(),
        with_ready(
            "ready_names_an_insecure_url",
            "1.7 a resume URL without TLS is refused",
            r#"{"session_id":"abc","resume_gateway_url":"ws://gateway.discord.gg","guilds":[]}"#,
        )
        .gives(&["url_refused", "ready", "dispatch"])
        .end(),
        with_ready(
            "ready_names_a_url_with_a_user",
            "1.7 a host in the place of the user name does not fool the check",
            r#"{"session_id":"abc","resume_gateway_url":"wss://gateway.discord.gg@example.com","guilds":[]}"#,
        )
        .gives(&["url_refused", "ready", "dispatch"])
        .end(),
        play("custom_base_may_be_anywhere", "1.1 with a configured base URL the token may go elsewhere, also without \
             TLS")
            .config(json!({"custom_base": true, "gateway_url": "ws://127.0.0.1:8080/gw"}))
            .due("reconnect")
            .gives(&["connect text=ws://127.0.0.1:8080/gw/?v=10&encoding=json"])
            .opened()
            .text(super::HELLO)
            .granted()
            .text(concat!(
                r#"{"op":0,"s":1,"t":"READY","d":{"session_id":"abc","resume_gateway_url":"ws://127.0.0"#,
                r#".1:8081","guilds":[]}}"#,
            ))
            .keeps_back("url_refused")
            .lost(0)
            .due("reconnect")
            .gives(&["connect text=ws://127.0.0.1:8081/?v=10&encoding=json"])
            .end(),
        guilds(),
    ]
}

fn guilds() -> Vector {
    play(
        "guilds_are_counted",
        "1.18 READY, GUILD_CREATE and GUILD_DELETE say which guilds there are and which are out",
    )
    .ready()
    .text(r#"{"op":0,"s":2,"t":"GUILD_CREATE","d":{"id":"41","unavailable":false}}"#)
    .text(r#"{"op":0,"s":3,"t":"GUILD_CREATE","d":{"id":"43"}}"#)
    .text(r#"{"op":0,"s":4,"t":"GUILD_DELETE","d":{"id":"43","unavailable":true}}"#)
    .text(r#"{"op":0,"s":5,"t":"GUILD_DELETE","d":{"id":"41"}}"#)
    .counts(&[("guilds", 2), ("guilds_unavailable", 2)])
    .end()
}

fn refused() -> Vec<Vector> {
    let cases = [
        (
            "config_foreign_url",
            "1.1 the token goes to Discord's hosts, unless a base URL was configured",
            json!({"gateway_url": "wss://example.com"}),
            "host",
        ),
        (
            "config_insecure_url",
            "1.1 TLS, unless a base URL was configured",
            json!({"gateway_url": "ws://gateway.discord.gg"}),
            "ws://",
        ),
        (
            "config_large_threshold",
            "1.6 large_threshold is 50 to 250",
            json!({"large_threshold": 25}),
            "50 to 250",
        ),
        (
            "config_unknown_intent",
            "1.16 an undocumented intent would close with 4013",
            json!({"intents": 131_072}),
            "4013",
        ),
        (
            "config_small_payload",
            "1.13 identify needs room",
            json!({"payload_bytes_max": 100}),
            "1,024",
        ),
    ];
    let mut vectors: Vec<_> = cases
        .into_iter()
        .map(|(name, rule, config, part)| play(name, rule).config(config).refuses(part))
        .collect();
    vectors.push(
        play(
            "snapshot_of_another_shard",
            "1.8 a session belongs to its shard and total: it cannot be resumed as another",
        )
        .config(json!({"shard": [0, 2]}))
        .restored(super::left_at(7))
        .refuses("0/1"),
    );
    vectors
}
