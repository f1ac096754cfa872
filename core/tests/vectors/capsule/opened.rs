//! Lines that open.

use serde_json::{Value, json};

use super::{CapsuleVector, sealed, vector};

/// The head of a line of shard 3 of 16.
const HEAD: &str =
    r#"{"version":1,"shard_index":3,"shard_total":16,"session_id":"5c1fb0a1e0b8d0c4"#;

/// Everything that is said, except what differs.
fn says(different: &Value) -> Value {
    let mut said = json!({
        "shard": [3, 16], "session_id": "5c1fb0a1e0b8d0c4", "received": "1200", "acknowledged": "1180",
        "resume_gateway_url": "wss://gateway-us-east1-d.discord.gg", "encoding": "json", "compression": "zlib-stream",
        "guilds": 1000, "epoch": 7, "fencing": "1764582220123456", "saved_at_ms": "1796000000000",
    });
    for (key, value) in different.as_object().expect("an object") {
        said[key] = value.clone();
    }
    said
}

/// The line of [`says`] with other texts in it.
fn line(changes: &[(&str, &str)]) -> String {
    let mut body = format!(
        "{HEAD}\",\"received\":1200,\"acknowledged\":1180,\"resume_gateway_url\":\
         \"wss://gateway-us-east1-d.discord.gg\",\"encoding\":\"json\",\"compression\":\"zlib-stream\",\
         \"guilds\":1000,\"epoch\":7,\"fencing\":1764582220123456,\"saved_at_ms\":1796000000000"
    );
    for (from, to) in changes {
        assert!(body.contains(from), "{from} is not in {body}");
        body = body.replacen(from, to, 1);
    }
    sealed(&body)
}

fn opens(name: &str, rule: &str, line: &str, different: &Value, is_same: bool) -> CapsuleVector {
    let vector = vector(name, rule, line.as_bytes());
    assert_eq!(vector.opens, Some(says(different)), "{name}: {line}");
    assert_eq!(vector.same, Some(is_same), "{name}");
    vector
}

pub(super) fn vectors() -> Vec<CapsuleVector> {
    let whole = line(&[]);
    let mut vectors = vec![
        opens(
            "whole",
            "a session with all that is known of it",
            &whole,
            &json!({}),
            true,
        ),
        opens(
            "first_session",
            "a session of the only shard, of which nothing is finished",
            &line(&[
                (
                    "\"shard_index\":3,\"shard_total\":16",
                    "\"shard_index\":0,\"shard_total\":1",
                ),
                ("1200", "1"),
                ("1180", "0"),
                ("\"epoch\":7", "\"epoch\":1"),
                ("1764582220123456", "0"),
            ]),
            &json!({"shard": [0, 1], "received": "1", "acknowledged": "0", "epoch": 1, "fencing": "0"}),
            true,
        ),
        opens(
            "all_finished",
            "everything that was received is finished",
            &line(&[("1180", "1200")]),
            &json!({"acknowledged": "1200"}),
            true,
        ),
        opens(
            "no_resume_url",
            "Discord named no address to resume at: the field is left out",
            &line(&[(
                "\"resume_gateway_url\":\"wss://gateway-us-east1-d.discord.gg\",",
                "",
            )]),
            &json!({"resume_gateway_url": null}),
            true,
        ),
    ];
    vectors.extend(extremes());
    vectors.extend(foreign(&whole));
    vectors
}

/// The greatest numbers, and other letters.
fn extremes() -> Vec<CapsuleVector> {
    vec![
        opens(
            "highest",
            "the greatest numbers that fit",
            &line(&[
                (
                    "\"shard_index\":3,\"shard_total\":16",
                    "\"shard_index\":4294967294,\"shard_total\":4294967295",
                ),
                ("1200", "18446744073709551615"),
                ("1180", "18446744073709551614"),
                (
                    "\"guilds\":1000,\"epoch\":7",
                    "\"guilds\":4294967295,\"epoch\":4294967295",
                ),
            ]),
            &json!({
                "shard": [4_294_967_294_u32, u32::MAX], "received": "18446744073709551615",
                "acknowledged": "18446744073709551614", "guilds": u32::MAX, "epoch": u32::MAX,
            }),
            true,
        ),
        opens(
            "other_letters",
            "a session's name may have any letters; they are not escaped",
            &line(&[("5c1fb0a1e0b8d0c4", "é\\\"\\\\ 🛡")]),
            &json!({"session_id": "é\"\\ 🛡"}),
            true,
        ),
    ]
}

/// Lines that this version would write otherwise.
fn foreign(whole: &str) -> Vec<CapsuleVector> {
    let nothing = json!({});
    let defaults = json!({
        "received": "0", "acknowledged": "0", "resume_gateway_url": null, "compression": "", "guilds": 0, "epoch": 0,
        "fencing": "0", "saved_at_ms": "0",
    });
    let long = "x".repeat(1_024 - whole.len() + 16);
    vec![
        opens(
            "line_feed",
            "a line may end with a line feed",
            &format!("{whole}\n"),
            &nothing,
            false,
        ),
        opens(
            "white_space",
            "white space around a line is passed by",
            &format!(" \t{whole}\r\n "),
            &nothing,
            false,
        ),
        opens(
            "order",
            "fields may come in any order, except the sum",
            &line(&[
                ("{\"version\":1,", "{"),
                ("\"epoch\":7,", "\"version\":1,\"epoch\":7,"),
            ]),
            &nothing,
            false,
        ),
        opens(
            "spaces",
            "the sum is over the bytes as they are, spaces too",
            &line(&[("{\"version\":1,", "{ \"version\": 1, ")]),
            &nothing,
            false,
        ),
        opens(
            "escapes",
            "escapes are the letters that they stand for",
            &line(&[("5c1fb0a1", "\\u0035c1fb0a1")]),
            &nothing,
            false,
        ),
        opens(
            "unknown_field",
            "a field that a later version added is passed by",
            &line(&[("\"epoch\":7", "\"mood\":{\"of\":[\"day\"]},\"epoch\":7")]),
            &nothing,
            false,
        ),
        opens(
            "least",
            "what is left out is 0, empty or none",
            &sealed(&format!("{HEAD}\"")),
            &defaults,
            false,
        ),
        opens(
            "largest",
            "1,024 bytes, the most that a line may have",
            &line(&[("5c1fb0a1e0b8d0c4", &long)]),
            &json!({"session_id": long}),
            true,
        ),
    ]
}
