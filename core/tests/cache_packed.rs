//! Packed records: what comes back, and what is read of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod packed_texts;

use std::fs;

use packed_texts::{minified, pack, through};
use shardkeep_core::cache::packed::{Kind, PlanId, Shapes};

/// Values of every kind, and what only looks like one.
const TEXTS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "63",
    "64",
    "255",
    "256",
    "-1",
    "-256",
    "1.0",
    "1e5",
    "-1E+2",
    "0.10",
    "18446744073709551615",
    "18446744073709551616",
    "-18446744073709551615",
    "-18446744073709551616",
    "0e0",
    r#""""#,
    r#""0""#,
    r#""00""#,
    r#""01""#,
    r#""255""#,
    r#""256""#,
    r#""18446744073709551615""#,
    r#""18446744073709551616""#,
    r#""81384788765712384""#,
    r#""-1""#,
    r#""1 ""#,
    r#""1.0""#,
    r#""2021-01-01T00:00:00.000000+00:00""#,
    r#""2021-01-01T00:00:00+00:00""#,
    r#""2021-01-01T00:00:00.120Z""#,
    r#""2021-02-30T00:00:00+00:00""#,
    r#""d6e2aad4ebbd0c6d548d393c5f96e75c""#,
    r#""a_d6e2aad4ebbd0c6d548d393c5f96e75c""#,
    r#""D6E2AAD4EBBD0C6D548D393C5F96E75C""#,
    r#""d6e2aad4ebbd0c6d548d393c5f96e75""#,
    r#""06e2aad4ebbd0c6d548d393c5f96e75c""#,
    r#""01234567890123456789012345678901""#,
    r#""a_""#,
    r#""a""#,
    "\"\u{e9}\u{1f600}\"",
    r#""\u00e9\n\"\\\/""#,
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""0\u0030""#,
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    r#"{"":{}}"#,
    r#"{"a":[]}"#,
    r#"{"a":1,"a":2,"a":3}"#,
    r#"{"\u0061":1,"a":2}"#,
    r#"{"a":{"b":{"c":[{"d":null}]}}}"#,
    r#"["1","2","3"]"#,
    r#"["1","x"]"#,
    r#"["1",2]"#,
    r#"["01"]"#,
    r#"["9223372036854775808"]"#,
    r#"["9223372036854775807","0"]"#,
    r#"[1,2.5,"x",null,true,[],{},"2021-01-01T00:00:00Z"]"#,
    r#"{"a_long_key_with_many_letters_in_it":"b","a_long_key_with_other_letters_in_it":"c"}"#,
];

#[test]
fn every_text_comes_back() {
    let mut shapes = Shapes::default();
    for text in TEXTS {
        assert_eq!(
            through(&mut shapes, text.as_bytes()),
            text.as_bytes(),
            "{text}"
        );
        let inside = format!(r#"{{"x":{text},"y":[{text},{text}],"z":{{"x":{text}}}}}"#);
        assert_eq!(through(&mut shapes, inside.as_bytes()), inside.as_bytes());
    }
    for length in [0, 1, 62, 63, 64, 127, 128, 16_383, 16_384, 70_000] {
        let text = format!(
            "[\"{}\",{{\"{}\":1}}]",
            "x".repeat(length),
            "k".repeat(length)
        );
        assert_eq!(through(&mut shapes, text.as_bytes()), text.as_bytes());
        let ids: Vec<String> = (0..length).map(|id| format!("\"{id}\"")).collect();
        let text = format!(r#"{{"ids":[{}]}}"#, ids.join(","));
        assert_eq!(through(&mut shapes, text.as_bytes()), text.as_bytes());
    }
}

#[test]
fn white_space_between_parts_is_not_kept() {
    let mut shapes = Shapes::default();
    for text in [
        " { } ",
        "\t[ ]\r\n",
        " [ \"1\" , \"2\" ] ",
        "\n{ \"a\" : 1 ,\t\"b\":[ 1 , { } ]\n}\n",
        " \"a b\" ",
        " 7 ",
    ] {
        assert_eq!(
            through(&mut shapes, text.as_bytes()),
            minified(text.as_bytes()),
            "{text}"
        );
    }
}

#[test]
fn sample_payloads_come_back() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/protocol/payloads"
    );
    let Ok(entries) = fs::read_dir(folder) else {
        eprintln!("skipped: no sample payloads in {folder}");
        return;
    };
    let mut shapes = Shapes::default();
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let json = fs::read(&path).unwrap();
            assert!(
                through(&mut shapes, &json) == minified(&json),
                "{}",
                path.display()
            );
            count += 1;
        }
    }
    assert!(count > 100, "{count} payloads");
}

const EVERY_KIND: &str = concat!(
    r#"{"n":null,"b":true,"i":7,"j":-300,"f":1.50,"s":"81384788765712384","t":"2021-01-01T00:00:00.000001+00:00","#,
    r#""h":"a_d6e2aad4ebbd0c6d548d393c5f96e75c","x":"text","e":"tab\t\u00e9","o":{"k":{"l":5}},"r":["1","2"],"#,
    r#""m":[1,"a",{"p":false}],"u":4294967296,"lone":"\ud800","ab\u0063":1,"h":"the second"}"#
);

#[test]
fn members_of_every_kind_are_read() {
    let mut shapes = Shapes::default();
    for _ in 0..3 {
        let bytes = pack(&mut shapes, EVERY_KIND);
        let record = shapes.record(&bytes);
        let get = |key| record.get(key).unwrap();
        assert!(get("n").is_null());
        assert_eq!(get("b").as_bool(), Some(true));
        assert_eq!(
            (get("i").as_u64(), get("i").as_i64(), get("i").as_f64()),
            (Some(7), Some(7), Some(7.0))
        );
        assert_eq!(
            (get("j").as_u64(), get("j").as_i64(), get("j").as_f64()),
            (None, Some(-300), Some(-300.0))
        );
        assert_eq!(
            (get("f").number_text(), get("f").as_f64()),
            (Some("1.50"), Some(1.5))
        );
        assert_eq!(get("s").as_snowflake().unwrap().0, 81_384_788_765_712_384);
        assert_eq!(get("s").text().unwrap(), "81384788765712384");
        assert_eq!(get("t").as_unix_us(), Some(1_609_459_200_000_001));
        assert_eq!(get("t").text().unwrap(), "2021-01-01T00:00:00.000001+00:00");
        assert_eq!(
            get("h").text().unwrap(),
            "a_d6e2aad4ebbd0c6d548d393c5f96e75c"
        );
        assert_eq!(get("x").text().unwrap(), "text");
        assert_eq!(get("e").text().unwrap(), "tab\t\u{e9}");
        assert_eq!(
            get("o").get("k").unwrap().get("l").unwrap().as_u64(),
            Some(5)
        );
        assert_eq!(
            get("r").snowflakes().map(|id| id.0).collect::<Vec<_>>(),
            [1, 2]
        );
        let texts: Vec<_> = get("r")
            .elements()
            .map(|id| id.text().unwrap().into_owned())
            .collect();
        assert_eq!(texts, ["1", "2"]);
        assert_eq!(
            get("m")
                .elements()
                .nth(2)
                .unwrap()
                .get("p")
                .unwrap()
                .as_bool(),
            Some(false)
        );
        assert_eq!(get("u").as_u64(), Some(1 << 32));
        assert_eq!(
            (get("lone").kind(), get("lone").text()),
            (Kind::String, None)
        );
        assert_eq!(get("abc").as_u64(), Some(1));
        assert!(
            record.get("y").is_none() && get("o").get("l").is_none() && get("i").get("k").is_none()
        );
    }
}

#[test]
fn members_come_in_their_order() {
    let mut shapes = Shapes::default();
    for _ in 0..3 {
        let bytes = pack(&mut shapes, EVERY_KIND);
        let record = shapes.record(&bytes);
        let kinds: Vec<Kind> = record.members().map(|(_, value)| value.kind()).collect();
        assert_eq!(kinds.len(), 17);
        assert_eq!(
            kinds[..5],
            [
                Kind::Null,
                Kind::Bool,
                Kind::Integer,
                Kind::Integer,
                Kind::Number
            ]
        );
        assert_eq!(kinds[5..8], [Kind::Snowflake, Kind::Timestamp, Kind::Hash]);
        assert_eq!(
            kinds[8..12],
            [Kind::String, Kind::String, Kind::Object, Kind::Array]
        );
        let keys: Vec<&str> = record.members().map(|(key, _)| key).collect();
        assert_eq!(keys[14..], ["lone", r"ab\u0063", "h"]);
    }
}

#[test]
fn the_spelling_of_a_name_is_not_the_name() {
    let mut shapes = Shapes::default();
    let mut bytes = Vec::new();
    let json = br#"{"\\": 1}"#;
    shapes.pack(PlanId::EVERYTHING, json, &mut bytes).unwrap();
    let record = shapes.record(&bytes);
    assert!(record.get(r"\").is_some());
    assert!(record.get(r"\\").is_none());
}
