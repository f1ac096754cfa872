//! The envelope scanner against a plain one, against serde_json, against cut, broken and arbitrary bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;
use shardkeep_core::wire::{Envelope, EnvelopeErrorKind, EventKind, json, scan};
use wire_reference::document::{document, soup, text};

mod wire_reference;

fn kind(bytes: &[u8]) -> Result<Envelope, EnvelopeErrorKind> {
    scan(bytes).map_err(|error| {
        assert!(
            error.at <= bytes.len() + 1,
            "{error:?} of {} bytes",
            bytes.len()
        );
        error.kind
    })
}

/// What serde_json makes of the same text: the raw value of each key, the last one where a key comes twice.
fn expected(text: &str) -> Result<(u64, Option<u64>, String, String), EnvelopeErrorKind> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
    let raw = |key: &str| members.get(key).map(|raw| raw.get());
    let number = |raw: &str| raw.parse::<u64>().map_err(|_| EnvelopeErrorKind::BadNumber);
    let op = raw("op")
        .ok_or(EnvelopeErrorKind::MissingOpcode)
        .and_then(number)?;
    let s = raw("s")
        .filter(|&raw| raw != "null")
        .map(number)
        .transpose()?;
    let t: Option<String> = raw("t").and_then(|raw| serde_json::from_str(raw).unwrap());
    Ok((
        op,
        s,
        t.unwrap_or_default(),
        raw("d").unwrap_or_default().to_owned(),
    ))
}

fn check_document(text: &str) {
    let bytes = text.as_bytes();
    let found = kind(bytes).map(|envelope| {
        assert_eq!(envelope.end, bytes.len());
        let name = envelope.name_text(bytes).unwrap().into_owned();
        assert_eq!(envelope.kind(bytes), EventKind::from_name(name.as_bytes()));
        let data = std::str::from_utf8(envelope.data(bytes))
            .unwrap()
            .to_owned();
        (envelope.op, envelope.sequence, name, data)
    });
    assert_eq!(found, expected(text), "{text}");
}

#[test]
fn every_order_of_keys_is_read() {
    let members = [
        r#""op":0"#,
        r#""s":42"#,
        r#""t":"READY""#,
        r#""d":{"a":[1,"}"]}"#,
    ];
    for first in 0..4 {
        for second in (0..4).filter(|&i| i != first) {
            for third in (0..4).filter(|&i| i != first && i != second) {
                let fourth = 6 - first - second - third;
                let text = [first, second, third, fourth].map(|i| members[i]).join(",");
                check_document(&format!("{{{text}}}"));
            }
        }
    }
}

#[test]
fn nulls_absent_keys_and_unknown_keys_are_read() {
    check_document(r#"{"op":11}"#);
    check_document(r#"{"t":null,"s":null,"op":7,"d":null}"#);
    check_document(r#"{"x":{"op":3},"op":10,"y":[{"d":1}],"d":{"heartbeat_interval":41250}}"#);
    check_document(" \r\n\t{ \"op\" : 9 ,\t\"d\" : false } \n");
    check_document(r#"{"op":1,"op":2,"d":1,"d":"two"}"#);
    check_document(r#"{"s":1,"s":null,"t":"A","t":null,"op":0}"#);
}

#[test]
fn escapes_in_keys_and_names_are_read() {
    check_document(r#"{"\u006fp":0,"\u0074":"TYPING\u005fSTART","\u0073":5,"\u0064":[]}"#);
    check_document(r#"{"o\u0070":0,"t":"\ud83d\ude00\"\\\/\b\f\n\r\t","d":"\\"}"#);
    check_document(r#"{"op\n":1,"op":0,"d\\":2,"\"d":3}"#);
    let bytes = br#"{"op":0,"t":"TYPING\u005fSTART"}"#;
    let envelope = scan(bytes).unwrap();
    assert!(envelope.name_escaped);
    assert_eq!(&bytes[envelope.name.clone()], br"TYPING\u005fSTART");
    assert_eq!(envelope.kind(bytes), EventKind::TypingStart);
}

#[test]
fn what_cannot_be_an_envelope_says_why() {
    use EnvelopeErrorKind as E;
    let cases: [(&str, E); 34] = [
        ("", E::Empty),
        (" \n", E::Empty),
        ("[]", E::NotAnObject),
        ("null", E::NotAnObject),
        ("\u{feff}{}", E::NotAnObject),
        ("{", E::Incomplete),
        ("{}", E::MissingOpcode),
        (r#"{"s":1,"t":"READY","d":{}}"#, E::MissingOpcode),
        (r#"{"op":null}"#, E::BadNumber),
        (r#"{"op":-1}"#, E::BadNumber),
        (r#"{"op":1.0}"#, E::BadNumber),
        (r#"{"op":1e2}"#, E::BadNumber),
        (r#"{"op":01}"#, E::BadNumber),
        (r#"{"op":"1"}"#, E::BadNumber),
        (r#"{"op":18446744073709551616}"#, E::BadNumber),
        (r#"{"op":0,"s":-1}"#, E::BadNumber),
        (r#"{"op":0,"s":"1"}"#, E::BadNumber),
        (r#"{"op":0,"s":nil}"#, E::BadValue),
        (r#"{"op":0,"t":1}"#, E::BadValue),
        (r#"{"op":0,"t":{}}"#, E::BadValue),
        (r#"{"op":0,"d":}"#, E::BadValue),
        (r#"{"op":0,"d":nulL}"#, E::BadValue),
        (r#"{"op":0,"d":+1}"#, E::BadValue),
        (r#"{"op":0,"d":1.}"#, E::BadValue),
        (r#"{"op":0,"d":01}"#, E::BadValue),
        (r#"{"op":0,"d":{\}}"#, E::BadValue),
        (r#"{"op":0 "d":1}"#, E::BadValue),
        (r#"{"op":0,}"#, E::BadKey),
        (r#"{,"op":0}"#, E::BadKey),
        (r#"{op:0}"#, E::BadKey),
        (r#"{"op" 0}"#, E::BadKey),
        (r#"{"op":0,"d":"abc"#, E::Incomplete),
        (r#"{"op":0,"d":"abc\"#, E::Incomplete),
        (r#"{"op":0,"d":[[]"#, E::Incomplete),
    ];
    for (text, expected) in cases {
        assert_eq!(kind(text.as_bytes()), Err(expected), "{text}");
        assert!(!expected.explain().is_empty());
    }
    assert_eq!(
        scan(br#"{"op":18446744073709551615}"#).unwrap().op,
        u64::MAX
    );
    let error = scan(br#"{"op":x}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "op or s is not a whole number of 64 bits (at byte 6)"
    );
}

#[test]
fn several_documents_in_one_message_are_found_one_after_the_other() {
    let bytes = b"{\"op\":11} \n{\"op\":1,\"d\":[1]}{\"op\":7}";
    let mut at = 0;
    let mut ops = Vec::new();
    while at < bytes.len() {
        let envelope = scan(&bytes[at..]).unwrap();
        ops.push(envelope.op);
        at += envelope.end;
    }
    assert_eq!(ops, [11, 1, 7]);
}

#[test]
fn what_follows_a_document_is_not_judged() {
    let document = r#"{"op":0,"d":{"a":["b"]}}"#;
    for junk in ["\\", "\\\"", "x", "\"", "}]", "\u{0}"] {
        let text = format!("{document}{junk}");
        assert_eq!(scan(text.as_bytes()), scan(document.as_bytes()), "{text}");
    }
}

#[test]
fn nesting_has_no_depth_that_overflows() {
    let deep = 1_000_000;
    let text = format!(
        "{{\"op\":0,\"d\":{}{}}}",
        "[".repeat(deep),
        "]".repeat(deep)
    );
    assert_eq!(scan(text.as_bytes()).unwrap().data.len(), 2 * deep);
    assert_eq!(
        kind(&text.as_bytes()[..deep]),
        Err(EnvelopeErrorKind::Incomplete)
    );
    let objects = format!(
        "{{\"op\":0,\"d\":{}1{}}}",
        "{\"a\":".repeat(deep),
        "}".repeat(deep)
    );
    assert_eq!(scan(objects.as_bytes()).unwrap().data.len(), 6 * deep + 1);
}

#[test]
fn runs_of_backslashes_end_strings_rightly_at_every_offset() {
    for run in 0..140 {
        for offset in 0..66 {
            let text = format!(
                "{{\"op\":0,\"d\":[\"{}{}\"}}]\"]}}",
                "x".repeat(offset),
                "\\".repeat(run)
            );
            let found = kind(text.as_bytes());
            assert_eq!(
                found,
                wire_reference::scan(text.as_bytes()),
                "{run} backslashes after {offset} bytes"
            );
        }
    }
}

#[test]
fn every_recorded_payload_is_read_as_serde_json_reads_it() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/protocol/payloads"
    );
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("skipped: {folder} is not there");
        return;
    };
    let mut count = 0;
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            if text.trim_start().starts_with('{') {
                check_document(&text);
            }
            let body = text.trim();
            check_document(&format!("{{\"t\":\"X\",\"s\":1,\"op\":0,\"d\":{body}}}"));
            check_document(&format!(
                "{{\"other\":{body},\"op\":0,\"d\":{body} ,\"s\":1}}"
            ));
            count += 1;
        }
    }
    assert!(count >= 165, "{count} payloads");
}

#[test]
fn the_spelling_of_a_name_is_not_the_name() {
    let object = br#"{"\\": 1}"#;
    assert_eq!(json::field(object, r"\"), Some(&b"1"[..]));
    assert_eq!(json::field(object, r"\\"), None);
    let member = json::members(object).next().unwrap().unwrap();
    assert!(member.is(r"\") && !member.is(r"\\"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn valid_documents_are_read_as_serde_json_reads_them(text in document()) {
        check_document(&text);
        prop_assert_eq!(kind(text.as_bytes()), wire_reference::scan(text.as_bytes()));
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_document_cut_anywhere_is_incomplete(text in document()) {
        prop_assume!(kind(text.as_bytes()).is_ok());
        let whole = text.trim_end().len();
        for cut in 0..whole {
            let start = &text.as_bytes()[..cut];
            let blank = start.trim_ascii().is_empty();
            let kinds = [EnvelopeErrorKind::Incomplete, EnvelopeErrorKind::Empty];
            prop_assert_eq!(kind(start), Err(kinds[usize::from(blank)]), "cut at {}", cut);
        }
    }

    #[test]
    fn a_second_document_behind_is_left_alone(first in document(), second in document()) {
        let alone = kind(first.as_bytes());
        let both = first.clone() + second.trim_start();
        prop_assert_eq!(kind(both.as_bytes()), alone);
    }

    #[test]
    fn soup_is_read_as_the_plain_scanner_reads_it(bytes in soup()) {
        prop_assert_eq!(kind(&bytes), wire_reference::scan(&bytes));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(kind(&bytes), wire_reference::scan(&bytes));
        let _ = (json::field(&bytes, "a"), json::string(&bytes));
        let _ = (json::snowflake(&bytes), json::unescape(&bytes));
    }

    #[test]
    fn one_changed_byte_never_panics(
        text in document(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert_eq!(kind(&bytes), wire_reference::scan(&bytes));
    }

    #[test]
    fn a_field_is_found_as_serde_json_finds_it(text in document(), key in text()) {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(&text).unwrap();
        for key in members.keys().chain([&key]) {
            let found = json::field(text.as_bytes(), key);
            // Where a key comes twice, the first one is taken here and the last one there.
            prop_assert_eq!(found.is_some(), members.contains_key(key));
        }
        let first: Option<&[u8]> = members.get("d").map(|raw| raw.get().as_bytes());
        prop_assert_eq!(json::field(text.as_bytes(), "d"), first);
    }
}
