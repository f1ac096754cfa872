//! Packed records: how small they are, what is bounded, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod packed_texts;

use packed_texts::{json_of, member, pack, packed_length, through, user};
use shardkeep_core::Rng;
use shardkeep_core::cache::packed::{DEPTH_MAX, Limits, PackErrorKind, Plan, PlanId, Shapes};

#[test]
fn what_is_no_json_is_refused_where_it_is_wrong() {
    use PackErrorKind::*;
    let mut shapes = Shapes::default();
    let cases: &[(&[u8], PackErrorKind, usize)] = &[
        (b"", Incomplete, 0),
        (b"  ", Incomplete, 2),
        (b"{", Incomplete, 1),
        (b"[1,", Incomplete, 3),
        (b"[1", Incomplete, 2),
        (b"{\"a\"", Incomplete, 4),
        (b"{\"a\":", Incomplete, 5),
        (b"{\"a\":1", Incomplete, 6),
        (b"\"abc", Incomplete, 4),
        (b"nul", Incomplete, 0),
        (b"nulL", Unexpected, 0),
        (b"-", Incomplete, 1),
        (b"-x", BadNumber, 1),
        (b"01", BadNumber, 1),
        (b"1.", Incomplete, 2),
        (b"1.x", BadNumber, 2),
        (b"1e+", Incomplete, 3),
        (b"+1", Unexpected, 0),
        (b"[1 2]", Unexpected, 3),
        (b"[,]", Unexpected, 1),
        (b"[1,]", Unexpected, 3),
        (b"{\"a\":1,}", Unexpected, 7),
        (b"{a:1}", Unexpected, 1),
        (b"{\"a\" 1}", Unexpected, 5),
        (b"{\"a\":1 \"b\":2}", Unexpected, 7),
        (b"\"a\nb\"", Control, 2),
        (b"\"a\\x\"", BadEscape, 2),
        (b"\"\\u12g4\"", BadEscape, 1),
        (b"\"ab\xff\"", NotUtf8, 3),
        (b"{\"\xff\":1}", NotUtf8, 2),
        (b"{\"\n\":1}", Control, 2),
        (b"1 2", Trailing, 2),
        (b"{} x", Trailing, 3),
    ];
    for (json, kind, at) in cases {
        for _ in 0..3 {
            let mut out = vec![7];
            let error = shapes.pack(PlanId::EVERYTHING, json, &mut out).unwrap_err();
            let text = String::from_utf8_lossy(json);
            assert_eq!((error.kind, error.at), (*kind, *at), "{text}");
            assert_eq!(out, [7]);
        }
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let mut shapes = Shapes::default();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let deep = nested(DEPTH_MAX);
        assert_eq!(through(&mut shapes, deep.as_bytes()), deep.as_bytes());
        let error = shapes
            .pack(
                PlanId::EVERYTHING,
                nested(DEPTH_MAX + 1).as_bytes(),
                &mut Vec::new(),
            )
            .unwrap_err();
        assert_eq!(error.kind, PackErrorKind::TooDeep);
    }
    let mut limits = Limits::default();
    limits.text_bytes_max = 4;
    let mut shapes = Shapes::new(limits);
    assert_eq!(
        json_of(shapes.clone().record(&pack(&mut shapes, "1234"))),
        "1234"
    );
    let error = shapes
        .pack(PlanId::EVERYTHING, b"12345", &mut Vec::new())
        .unwrap_err();
    assert_eq!(error.kind, PackErrorKind::TooLong);
}

#[test]
fn a_member_and_its_user_are_small() {
    let mut rng = Rng::new(1);
    let mut shapes = Shapes::default();
    let (mut users, mut members) = (0, 0);
    for index in 0..1_000 {
        let user = user(&mut rng, index);
        let member = member(&mut rng, None);
        let lengths = (
            packed_length(&mut shapes, user.as_bytes()),
            packed_length(&mut shapes, member.as_bytes()),
        );
        if index >= 100 {
            users += lengths.0;
            members += lengths.1;
        }
    }
    eprintln!("{} bytes a user, {} a member", users / 900, members / 900);
    assert!(
        users + members < 900 * 90,
        "{} bytes",
        (users + members) / 900
    );
}

#[test]
fn the_table_is_bounded_and_counts_its_bytes() {
    let mut limits = Limits::default();
    limits.members_max = 500;
    limits.key_bytes_max = 4_000;
    let mut shapes = Shapes::new(limits);
    let empty = shapes.bytes();
    for index in 0..5_000 {
        let json = format!(r#"{{"key{index}":1,"other{index}":{{"third{index}":"x"}}}}"#);
        assert_eq!(through(&mut shapes, json.as_bytes()), json.as_bytes());
    }
    assert!(shapes.member_count() > 100 && shapes.member_count() <= 500);
    assert!(
        shapes.bytes() > empty && shapes.bytes() < empty + 40_000,
        "{}",
        shapes.bytes()
    );
    // What comes once teaches nothing.
    let mut shapes = Shapes::default();
    let before = shapes.bytes();
    for index in 0..5_000 {
        pack(
            &mut shapes,
            &format!(r#"{{"{index}":1,"x{index}":["{index}00000"]}}"#),
        );
    }
    assert_eq!(shapes.member_count(), 1);
    assert!(shapes.bytes() <= before + 4_096 * 8);
    assert_eq!(
        shapes
            .plan(&Plan::everything())
            .map(|plan| plan == PlanId::EVERYTHING),
        Some(false)
    );
}
