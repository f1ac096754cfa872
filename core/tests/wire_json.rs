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

#[test]
fn walks_stop_at_what_is_malformed() {
    let whole = |text: &'static str| json::members(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    assert_eq!(whole("{}"), Ok(vec![]));
    assert_eq!(whole(" {\"a\" : 1 } x").map(|members| members.len()), Ok(1));
    for text in [
        "",
        "[]",
        "5",
        "{",
        "{\"a\"",
        "{\"a\":1",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{,}",
        "{a:1}",
    ] {
        assert_eq!(whole(text), Err(json::Malformed), "{text}");
    }
    let whole = |text: &'static str| json::elements(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    assert_eq!(whole(" [ ] x"), Ok(vec![]));
    for text in [
        "", "{}", "5", "[", "[1", "[1,", "[1,]", "[1 2]", "[,]", "[x]",
    ] {
        assert_eq!(whole(text), Err(json::Malformed), "{text}");
    }
    let mut walk = json::elements(b"[1,x,2]");
    assert_eq!(walk.next(), Some(Ok(&b"1"[..])));
    assert_eq!(walk.next(), Some(Err(json::Malformed)));
    assert_eq!(walk.next(), None, "nothing follows an error");
}

#[test]
fn fields_are_found_in_one_pass() {
    let object = br#"{"b":1,"\u0061":null,"b":2,"c":[]}"#;
    assert_eq!(
        json::fields(object, ["a", "b", "d"]),
        Ok([Some(&b"null"[..]), Some(b"1"), None])
    );
    assert_eq!(
        json::present(object, ["a", "b"]),
        Ok([None, Some(&b"1"[..])])
    );
    assert_eq!(json::fields(b"{\"a\":1", ["a"]), Err(json::Malformed));
}

/// Any JSON value of some depth.
fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 40, 6, |inner| {
        let members = prop::collection::btree_map(".{0,6}", inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Into::into),
            members.prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn walks_find_what_serde_json_finds(tree in tree(), is_spaced in any::<bool>()) {
        let text = if is_spaced { serde_json::to_vec_pretty(&tree) } else { serde_json::to_vec(&tree) }.unwrap();
        let parse = |raw: &[u8]| serde_json::from_slice::<serde_json::Value>(raw).unwrap();
        if let Some(object) = tree.as_object() {
            let found: serde_json::Map<_, _> = json::members(&text)
                .map(|member| member.unwrap())
                .map(|member| (json::unescape(member.key).unwrap().into_owned(), parse(member.value)))
                .collect();
            prop_assert_eq!(&found, object);
            for (key, value) in object {
                let [found] = json::fields(&text, [key]).unwrap();
                prop_assert_eq!(&parse(found.unwrap()), value);
            }
        }
        if let Some(array) = tree.as_array() {
            let found: Vec<_> = json::elements(&text).map(|raw| parse(raw.unwrap())).collect();
            prop_assert_eq!(&found, array);
        }
    }

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
