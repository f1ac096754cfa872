//! Any JSON comes back from a packed record, nothing else is packed, and no bytes make a reader panic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod packed_texts;

use std::collections::BTreeMap;

use packed_texts::{member, minified, user};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use shardkeep_core::Rng;
use shardkeep_core::cache::packed::{DEPTH_MAX, Limits, Nested, PlanId, Record, Shapes, Value};

/// Texts between quotes, natural ones and almost natural ones among them.
fn inner() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{0,20}",
        "(a_)?[0-9a-f]{31,33}",
        "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{0,7})?(Z|\\+00:00|\\+01:00)",
        "[ a-zA-Z\u{e9}\u{1f600}]{0,80}",
        r#"([a-c]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,8}"#,
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u8>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
    ]
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        number(),
        inner().prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(5, 60, 10, |value| {
        let array = prop::collection::vec(value.clone(), 0..10);
        let ids = prop::collection::vec(1_u64 << 50..1 << 63, 0..40);
        let key = prop_oneof!["[a-e]", "[a-e]{2,12}", inner()];
        let object = prop::collection::vec((key, value), 0..12);
        prop_oneof![
            (array, "[ \n]{0,2}").prop_map(|(values, white)| format!(
                "[{white}{}]",
                values.join(&format!(",{white}"))
            )),
            ids.prop_map(|ids| serde_json::to_string(
                &ids.iter().map(u64::to_string).collect::<Vec<_>>()
            )
            .unwrap()),
            (object, "[ \t]{0,2}").prop_map(|(members, white)| {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\"{white}:{value}"))
                    .collect();
                format!("{{{}{white}}}", members.join(","))
            }),
        ]
    })
}

/// Members by their keys, which need no escapes.
fn few_members() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[a-h]{1,2}", json(), 0..10)
}

fn object<'a>(members: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let members = members
        .into_iter()
        .map(|(key, value)| format!("\"{key}\":{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Everything that reading can do, to the bottom.
fn read_all(value: Value<'_>, depth: usize) {
    let _ = (
        value.kind(),
        value.as_bool(),
        value.as_u64(),
        value.as_i64(),
        value.as_f64(),
        value.text(),
    );
    let _ = (
        value.number_text(),
        value.as_snowflake(),
        value.as_unix_us(),
        value.reference_id(),
    );
    let _ = (
        value.get("a"),
        value.snowflakes().count(),
        value.write_json(&mut Vec::new()),
    );
    if depth < 4 {
        value
            .members()
            .for_each(|(_, value)| read_all(value, depth + 1));
        value
            .elements()
            .for_each(|value| read_all(value, depth + 1));
    }
}

fn pack(shapes: &mut Shapes, json: &[u8]) -> Option<Vec<u8>> {
    let mut record = Vec::new();
    shapes.pack(PlanId::EVERYTHING, json, &mut record).ok()?;
    Some(record)
}

/// Each member is what a map of raw values says, the first of each key counting.
fn same_members(record: Record<'_>, json: &str) {
    let Ok(map) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json) else {
        return;
    };
    for (key, raw) in &map {
        // Of a key that comes twice the map has the last.
        let is_spelt =
            |found: &str| serde_json::from_str(&format!("\"{found}\"")).ok().as_ref() == Some(key);
        if record
            .members()
            .filter(|(found, _)| is_spelt(found))
            .count()
            != 1
        {
            continue;
        }
        let value = record.get(key).unwrap();
        let mut text = Vec::new();
        value.write_json(&mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap().as_bytes(),
            minified(raw.get().as_bytes())
        );
        // No tree holds half of a surrogate pair, nor a number that no float comes near.
        let Ok(tree) = serde_json::from_str::<serde_json::Value>(raw.get()) else {
            continue;
        };
        assert_eq!(value.text().as_deref(), tree.as_str());
        assert_eq!(value.as_bool(), tree.as_bool());
        assert_eq!(
            value.elements().count(),
            tree.as_array().map_or(0, Vec::len)
        );
        if value.as_u64().is_some() || tree.is_u64() {
            assert_eq!(value.as_u64(), tree.as_u64());
        }
    }
}

proptest! {
    #[test]
    fn any_json_comes_back(
        texts in prop::collection::vec(json(), 1..6), turns in 1..4_usize, members_max in 1..400_u16,
    ) {
        let mut limits = Limits::default();
        limits.members_max = members_max;
        let mut shapes = Shapes::new(limits);
        for _ in 0..turns {
            for text in &texts {
                let record = pack(&mut shapes, text.as_bytes()).unwrap();
                let record = shapes.record(&record);
                prop_assert_eq!(record.to_json().unwrap(), minified(text.as_bytes()));
                same_members(record, text);
                read_all(record.value().unwrap(), 0);
            }
        }
        prop_assert!(shapes.member_count() <= usize::from(members_max).max(1));
    }

    #[test]
    fn what_is_refused_is_no_json(
        text in json(), changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = text.into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            let usual = br#"",}1\ "#;
            bytes[at] = *usual.get(usize::from(byte) % 9).unwrap_or(&byte);
        }
        let mut shapes = Shapes::default();
        let is_utf8 = std::str::from_utf8(&bytes).is_ok();
        let is_json = is_utf8 && serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
        for _ in 0..3 {
            let is_packed = pack(&mut shapes, &bytes).is_some();
            prop_assert_eq!(is_packed, is_json, "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn merging_is_merging_maps(old in few_members(), new in few_members()) {
        let mut shapes = Shapes::default();
        for _ in 0..3 {
            let record = pack(&mut shapes, object(&old).as_bytes()).unwrap();
            let (mut out, update) = (Vec::new(), object(&new));
            shapes
                .merge(PlanId::EVERYTHING, &record, update.as_bytes(), Nested::Replace, &mut out, &mut |_| {})
                .unwrap();
            let kept = old.iter().map(|(key, value)| (key, new.get(key).unwrap_or(value)));
            let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
            let expected = object(kept.chain(added));
            prop_assert_eq!(shapes.record(&out).to_json().unwrap(), minified(expected.as_bytes()));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..80), json in json(), cut in any::<Index>(), flip in any::<u8>(),
    ) {
        let mut shapes = Shapes::default();
        let mut record = pack(&mut shapes, json.as_bytes()).unwrap();
        for _ in 0..3 {
            record = pack(&mut shapes, json.as_bytes()).unwrap();
        }
        let at = cut.index(record.len());
        let mut flipped = record.clone();
        flipped[at] ^= flip;
        for bytes in [&bytes, &record[..at].to_vec(), &flipped] {
            let record = shapes.record(bytes);
            let _ = (record.get("a").map(|value| value.kind()), record.to_json());
            record.members().for_each(|(_, value)| read_all(value, 0));
            if let Some(value) = record.value() {
                read_all(value, 0);
            }
            let (mut shapes, mut out) = (shapes.clone(), Vec::new());
            let update = br#"{"a":{"b":1}}"#;
            let _ = shapes.merge(PlanId::EVERYTHING, bytes, update, Nested::Merge, &mut out, &mut |_| {});
        }
    }

    #[test]
    fn users_and_members_come_back(seed in any::<u64>()) {
        let mut rng = Rng::new(seed);
        let mut shapes = Shapes::default();
        for index in 0..20 {
            let user = user(&mut rng, index);
            let member = member(&mut rng, Some(&user));
            for text in [user, member] {
                let record = pack(&mut shapes, text.as_bytes()).unwrap();
                let record = shapes.record(&record);
                prop_assert_eq!(record.to_json().unwrap(), text.as_bytes());
                same_members(record, &text);
            }
        }
    }
}

/// Bytes that nest without end cost no stack.
#[test]
fn nesting_beyond_the_bound_is_not_read() {
    let shapes = Shapes::default();
    for depth in [DEPTH_MAX, DEPTH_MAX + 1, 20_000] {
        let mut body = Vec::new();
        for _ in 0..depth {
            let mut length = body.len();
            let mut head = vec![0x07];
            while length >= 0x80 {
                head.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            head.push(u8::try_from(length).unwrap());
            body.splice(0..0, head);
        }
        let record = [&[0xff, 0xff][..], &body].concat();
        assert_eq!(
            shapes.record(&record).to_json().is_ok(),
            depth <= DEPTH_MAX,
            "{depth}"
        );
    }
}
