//! Packed records: plans, references and updates.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod packed_texts;

use packed_texts::json_of;
use shardkeep_core::Snowflake;
use shardkeep_core::cache::packed::{
    Kind, Left, Nested, PackErrorKind, Plan, PlanId, Reference, Shapes,
};

#[test]
fn a_plan_keeps_what_it_names() {
    let json = concat!(
        r#"{"id":"1","user":{"id":"2","bot":true,"name":{"a":1}},"roles":["3"],"nick":"x","#,
        r#""embeds":[{"title":"t","url":"u"},{"url":"v"},5],"last":null}"#
    );
    let cases: &[(&[&str], &str)] = &[
        (&[], json),
        (&["nick"], r#"{"nick":"x"}"#),
        (&["last", "id", "absent"], r#"{"id":"1","last":null}"#),
        (
            &["user"],
            r#"{"user":{"id":"2","bot":true,"name":{"a":1}}}"#,
        ),
        (
            &["user.id", "roles"],
            r#"{"user":{"id":"2"},"roles":["3"]}"#,
        ),
        (
            &["user.name.a", "user.bot"],
            r#"{"user":{"bot":true,"name":{"a":1}}}"#,
        ),
        (
            &["user.id", "user"],
            r#"{"user":{"id":"2","bot":true,"name":{"a":1}}}"#,
        ),
        (&["embeds.title"], r#"{"embeds":[{"title":"t"},{},5]}"#),
        (&["absent"], "{}"),
        (&["nick.x"], r#"{"nick":"x"}"#),
    ];
    let mut shapes = Shapes::default();
    for (paths, expected) in cases {
        let plan = shapes.plan(&Plan::only(paths.iter().copied())).unwrap();
        for spaced in [false, true, false] {
            let json = if spaced {
                json.replace(',', " ,\n")
            } else {
                json.to_owned()
            };
            let mut record = Vec::new();
            shapes.pack(plan, json.as_bytes(), &mut record).unwrap();
            assert_eq!(json_of(shapes.record(&record)), *expected, "{paths:?}");
        }
    }
}

#[test]
fn references_stand_where_objects_stood() {
    let mut shapes = Shapes::default();
    let plan = Plan::everything()
        .refer("user")
        .refer_by_id("message.author");
    let plan = shapes.plan(&plan).unwrap();
    let json =
        r#"{"a":1,"user":{"id":"2"},"message":{"author":{"x":1,"id":"81384788765712384"}},"z":3}"#;
    for _ in 0..4 {
        let (mut record, mut left) = (Vec::new(), Vec::new());
        let mut keep = |found: Left<'_>| left.push((found.key.to_owned(), found.json.to_vec()));
        shapes
            .pack_with(plan, json.as_bytes(), &mut record, &mut keep)
            .unwrap();
        let record = shapes.record(&record);
        assert_eq!(left[0], ("user".to_owned(), br#"{"id":"2"}"#.to_vec()));
        assert_eq!(left[1].0, "author");
        assert_eq!(record.get("user").unwrap().kind(), Kind::Reference);
        assert_eq!(record.get("user").unwrap().reference_id(), None);
        let author = record.get("message").unwrap().get("author").unwrap();
        assert_eq!(
            author.reference_id(),
            Some(Snowflake(81_384_788_765_712_384))
        );
        let (mut again, mut count) = (Vec::new(), 0);
        let mut resolve = |reference: Reference<'_>, out: &mut Vec<u8>| {
            count += 1;
            assert_eq!(reference.id.is_some(), reference.key == "author");
            let found = left.iter().find(|(key, _)| key == reference.key).unwrap();
            out.extend_from_slice(&found.1);
        };
        record.write_json_with(&mut again, &mut resolve).unwrap();
        assert_eq!(
            (String::from_utf8(again).unwrap().as_str(), count),
            (json, 2)
        );
        let unresolved = r#"{"a":1,"user":null,"message":{"author":null},"z":3}"#;
        assert_eq!(json_of(record), unresolved);
    }
    // What is no object, or has no id, stays.
    for json in [
        r#"{"user":null}"#,
        r#"{"message":{"author":{"x":1}}}"#,
        r#"{"message":{"author":[1]}}"#,
    ] {
        let mut record = Vec::new();
        shapes.pack(plan, json.as_bytes(), &mut record).unwrap();
        assert_eq!(json_of(shapes.record(&record)), json);
    }
}

fn merged(
    shapes: &mut Shapes,
    plan: PlanId,
    old: &str,
    update: &str,
    nested: Nested,
) -> Result<String, PackErrorKind> {
    let (mut record, mut out) = (Vec::new(), vec![1]);
    shapes.pack(plan, old.as_bytes(), &mut record).unwrap();
    let merged = shapes.merge(
        plan,
        &record,
        update.as_bytes(),
        nested,
        &mut out,
        &mut |_| {},
    );
    assert!(merged.is_ok() || out == [1]);
    merged.map_err(|error| error.kind)?;
    Ok(json_of(shapes.record(&out[1..])))
}

#[test]
fn updates_replace_and_append() {
    let cases = [
        (r#"{"a":1,"b":2}"#, r#"{"b":3}"#, r#"{"a":1,"b":3}"#),
        (
            r#"{"a":1,"b":2}"#,
            r#"{"c":null,"a":"x"}"#,
            r#"{"a":"x","b":2,"c":null}"#,
        ),
        (r#"{"a":[1,2]}"#, r#"{"a":[]}"#, r#"{"a":[]}"#),
        (
            r#"{"a":{"b":1,"c":2}}"#,
            r#"{"a":{"b":2}}"#,
            r#"{"a":{"b":2}}"#,
        ),
        ("{}", r#"{"a":{}}"#, r#"{"a":{}}"#),
        (r#"{"a":1}"#, "{}", r#"{"a":1}"#),
        (
            r#"{"a":null,"a":2}"#,
            r#"{"a":3,"a":4}"#,
            r#"{"a":3,"a":3}"#,
        ),
        (
            r#"{"b":1}"#,
            r#"{"a":null,"a":null,"b":2}"#,
            r#"{"b":2,"a":null}"#,
        ),
    ];
    let mut shapes = Shapes::default();
    for _ in 0..3 {
        for (old, update, new) in cases {
            let found = merged(
                &mut shapes,
                PlanId::EVERYTHING,
                old,
                update,
                Nested::Replace,
            );
            assert_eq!(found.as_deref(), Ok(new), "{old} {update}");
        }
    }
}

#[test]
fn updates_merge_what_is_inside_if_told() {
    let mut shapes = Shapes::default();
    for _ in 0..3 {
        let deep = [
            (
                r#"{"a":{"b":1,"c":{"d":1}},"e":1}"#,
                r#"{"a":{"c":{"f":2}}}"#,
                r#"{"a":{"b":1,"c":{"d":1,"f":2}},"e":1}"#,
            ),
            (r#"{"a":{"b":1}}"#, r#"{"a":{}}"#, r#"{"a":{"b":1}}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":[]}"#, r#"{"a":[]}"#),
            (r#"{"a":{}}"#, r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#),
        ];
        for (old, update, new) in deep {
            let found = merged(&mut shapes, PlanId::EVERYTHING, old, update, Nested::Merge);
            assert_eq!(found.as_deref(), Ok(new), "{old} {update}");
        }
    }
}

#[test]
fn updates_follow_the_plan_and_must_be_objects() {
    let mut shapes = Shapes::default();
    let plan = shapes.plan(&Plan::only(["a", "c"]).refer("u")).unwrap();
    let found = merged(
        &mut shapes,
        plan,
        r#"{"a":1,"b":2,"u":{}}"#,
        r#"{"b":3,"c":4,"u":{}}"#,
        Nested::Replace,
    );
    assert_eq!(found.as_deref(), Ok(r#"{"a":1,"u":null,"c":4}"#));
    let mut refused = |old, update| {
        merged(
            &mut shapes,
            PlanId::EVERYTHING,
            old,
            update,
            Nested::Replace,
        )
    };
    assert_eq!(refused("{}", "[]"), Err(PackErrorKind::NotAnObject));
    assert_eq!(refused("[]", "{}"), Err(PackErrorKind::BadRecord));
    assert_eq!(refused("{}", "{"), Err(PackErrorKind::Incomplete));
}

#[test]
fn objects_with_many_members_are_merged_in_time() {
    let object = |from: usize, to: usize, value: &str| {
        let members: Vec<String> = (from..to).map(|key| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let mut shapes = Shapes::default();
    let found = merged(
        &mut shapes,
        PlanId::EVERYTHING,
        &object(0, 60_000, "1"),
        &object(30_000, 90_000, "\"x\""),
        Nested::Replace,
    );
    let expected = [
        object(0, 30_000, "1").trim_end_matches('}').to_owned(),
        object(30_000, 90_000, "\"x\"")
            .trim_start_matches('{')
            .to_owned(),
    ];
    assert!(found.unwrap() == expected.join(","));
}
