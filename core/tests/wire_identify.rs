//! What a session sends of its own accord: identify, resume and heartbeat, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use shardkeep_core::wire::{
    Identify, Intents, Presence, Properties, Status, write_heartbeat, write_resume,
};
use shardkeep_core::{ShardId, Token};

fn identify<'a>(token: &'a Token, properties: &'a Properties) -> Identify<'a> {
    Identify {
        token,
        intents: Intents::from_bits(513),
        properties,
        compress: false,
        large_threshold: None,
        shard: ShardId::new(3, 16).unwrap(),
        presence: None,
        capabilities: 0,
    }
}

#[test]
fn identify_leaves_out_what_is_not_asked_for() {
    let (token, properties) = (Token::new("Bot abc.def").unwrap(), Properties::default());
    let mut out = b"kept".to_vec();
    identify(&token, &properties).write(&mut out);
    let expected = concat!(
        r#"kept{"op":2,"d":{"token":"abc.def","intents":513,"properties":{"os":"linux","#,
        r#""browser":"shardkeep","device":"shardkeep"},"shard":[3,16]}}"#,
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn identify_has_every_field() {
    let token = Token::new("abc.def").unwrap();
    let os = String::from("a \"quoted\" \u{1}\\");
    let properties = Properties {
        os: os.clone(),
        ..Properties::default()
    };
    let presence = Presence {
        status: Status::Idle,
        since: Some(1),
        ..Presence::default()
    };
    for (threshold, written) in [(0, 50), (50, 50), (100, 100), (250, 250), (255, 250)] {
        let mut out = Vec::new();
        let identify = Identify {
            compress: true,
            large_threshold: Some(threshold),
            presence: Some(&presence),
            capabilities: 1 << 15,
            ..identify(&token, &properties)
        };
        identify.write(&mut out);
        let d = json!({
            "token": "abc.def", "intents": 513, "compress": true, "large_threshold": written,
            "properties": {"os": os, "browser": "shardkeep", "device": "shardkeep"},
            "shard": [3, 16],
            "presence": {"since": 1, "activities": [], "status": "idle", "afk": false},
            "capabilities": 32_768,
        });
        assert_eq!(
            serde_json::from_slice::<Value>(&out).unwrap(),
            json!({"op": 2, "d": d})
        );
        assert!(
            !format!("{identify:?}").contains("abc.def"),
            "a token never prints"
        );
    }
}

#[test]
fn heartbeat_and_resume_are_written() {
    for (sequence, d) in [
        (None, "null"),
        (Some(0), "0"),
        (Some(u64::MAX), "18446744073709551615"),
    ] {
        let mut out = Vec::new();
        write_heartbeat(&mut out, sequence);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("{{\"op\":1,\"d\":{d}}}")
        );
    }
    let mut out = Vec::new();
    write_resume(&mut out, &Token::new("abc.def").unwrap(), "se\"ss\n", 1_337);
    let expected = r#"{"op":6,"d":{"token":"abc.def","session_id":"se\"ss\n","seq":1337}}"#;
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
