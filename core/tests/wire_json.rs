//! Single values out of JSON, and strings into it, against serde_json.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::borrow::Cow;

use proptest::prelude::*;
use shardkeep_core::Snowflake;
use shardkeep_core::wire::json;

#[test]
fn fields_are_those_of_the_top_level() {
    let object = br#" {"a" : {"b": 1}, "b":[ "b" , 2 ] ,"\u0063":null, "d":"x", "d":"y"}"#;
    assert_eq!(json::field(object, "a"), Some(&br#"{"b": 1}"#[..]));
    assert_eq!(json::field(object, "b"), Some(&br#"[ "b" , 2 ]"#[..]));
    assert_eq!(
        json::field(object, "c"),
        Some(&b"null"[..]),
        "keys may have escapes"
    );
    assert_eq!(
        json::field(object, "d"),
        Some(&br#""x""#[..]),
        "the first one counts"
    );
    assert_eq!(json::field(object, "e"), None);
}

#[test]
fn malformed_objects_have_no_fields() {
    for text in [
        "",
        "[]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":}",
        "{\"a\":[",
        "{\"b\":x,\"a\":1}",
        "\"a\"",
    ] {
        assert_eq!(json::field(text.as_bytes(), "a"), None, "{text}");
    }
    assert_eq!(
        json::field(b"{\"a\":1,", "a"),
        Some(&b"1"[..]),
        "what follows is not read"
    );
}

#[test]
fn strings_are_borrowed_where_they_can_be() {
    assert!(matches!(
        json::string(br#""plain""#),
        Some(Cow::Borrowed("plain"))
    ));
    assert_eq!(
        json::string(br#""a\u00e9\ud83d\ude00\/\n""#).unwrap(),
        "aé😀/\n"
    );
    for text in [
        "",
        "\"",
        "\"a",
        "a\"",
        "\"a\"b",
        "\"a\" ",
        "null",
        r#""\x""#,
        r#""\u12""#,
        r#""\u+123""#,
    ] {
        assert_eq!(json::string(text.as_bytes()), None, "{text}");
    }
    for half in [
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\ud83d""#,
        r#""\ude00\ud83d""#,
    ] {
        assert_eq!(json::string(half.as_bytes()), None, "{half}");
    }
    assert_eq!(json::string(b"\"\xff\""), None);
    assert_eq!(json::string(b"\"\\n\xff\""), None);
}

#[test]
fn snowflakes_are_strings_or_numbers() {
    let guild = Some(Snowflake(197_038_439_483_310_086));
    assert_eq!(json::snowflake(br#""197038439483310086""#), guild);
    assert_eq!(json::snowflake(b"197038439483310086"), guild);
    assert_eq!(json::snowflake(br#""19703843948331008\u0036""#), guild);
    for text in [
        "",
        "\"\"",
        "null",
        "-1",
        "\"+1\"",
        "1.0",
        "1e3",
        "\"1",
        "1\"",
        "\"18446744073709551616\"",
        "\" 1\"",
    ] {
        assert_eq!(json::snowflake(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn whole_numbers_are_read_and_written() {
    for number in [0, 1, 9, 10, 41_250, u64::MAX] {
        let mut out = Vec::new();
        json::write_unsigned(&mut out, number);
        assert_eq!(out, number.to_string().into_bytes());
        assert_eq!(json::unsigned(&out), Some(number));
    }
    for text in [
        "",
        "-1",
        "01",
        "1.5",
        "1e3",
        "18446744073709551616",
        "\"1\"",
        " 1",
        "null",
    ] {
        assert_eq!(json::unsigned(text.as_bytes()), None, "{text}");
    }
}

/// Plain letters, escapes good and bad, and halves of surrogate pairs.
const PIECE: &str = r#"[a-z]{1,3}|é|\\["\\/bfnrtux]|\\u[0-9a-fA-F]{4}|\\ud[89a-f][0-9a-f]{2}"#;

proptest! {
    #[test]
    fn written_strings_are_read_back(text in any::<String>()) {
        let mut out = Vec::new();
        json::write_string(&mut out, &text);
        prop_assert_eq!(&serde_json::from_slice::<String>(&out).unwrap(), &text);
        prop_assert_eq!(json::string(&out).unwrap(), text);
    }

    #[test]
    fn strings_are_read_as_serde_json_reads_them(
        pieces in prop::collection::vec(PIECE, 0..8),
    ) {
        let raw = format!("\"{}\"", pieces.concat());
        let expected = serde_json::from_str::<String>(&raw).ok();
        prop_assert_eq!(json::string(raw.as_bytes()).map(Cow::into_owned), expected);
    }
}
