//! Packing, reading and merging what is known allocates nothing: not for a record, not for an update.

use std::hint::black_box;

use allocation_counter::measure;
use shardkeep_core::Rng;
use shardkeep_core::cache::packed::{Nested, Plan, PlanId, Reference, Shapes};

mod packed_texts;

const WARM: usize = 300;
const COUNTED: usize = 2_000;

#[test]
fn known_shapes_allocate_nothing() {
    let mut rng = Rng::new(5);
    let texts: Vec<String> = (0..WARM + COUNTED)
        .map(|index| {
            let user = packed_texts::user(&mut rng, index as u64);
            packed_texts::member(&mut rng, Some(&user))
        })
        .collect();
    let mut shapes = Shapes::default();
    let plan = Plan::everything().refer("user");
    let plan = shapes.plan(&plan).expect("a table with room");
    let (mut record, mut user, mut updated) = (Vec::new(), Vec::new(), Vec::new());
    let mut json = Vec::with_capacity(4_096);
    let update = br#"{"roles":["671088640000000000"],"nick":"moss","deaf":true}"#;
    let mut bytes = 0;
    let mut turn = |text: &String| {
        record.clear();
        user.clear();
        updated.clear();
        json.clear();
        let mut span = 0..0;
        shapes
            .pack_with(plan, text.as_bytes(), &mut record, &mut |left| {
                span = left.span;
            })
            .expect("JSON");
        shapes
            .pack(PlanId::EVERYTHING, text[span].as_bytes(), &mut user)
            .expect("JSON");
        shapes
            .merge(
                plan,
                &record,
                update,
                Nested::Replace,
                &mut updated,
                &mut |_| {},
            )
            .expect("an update");
        let view = shapes.record(&record);
        black_box(view.get("roles").map(|roles| roles.snowflakes().count()));
        let resolve = &mut |_: Reference<'_>, out: &mut Vec<u8>| {
            shapes.record(&user).write_json(out).expect("a record");
        };
        view.write_json_with(&mut json, resolve).expect("a record");
        assert_eq!(json, text.as_bytes());
        bytes += record.len();
    };
    let (warm, counted) = texts.split_at(WARM);
    warm.iter().for_each(&mut turn);
    let allocations = measure(|| counted.iter().for_each(&mut turn));
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
    assert!(bytes > 0);
}

/// What the table says that it holds is what the allocator gave it.
#[test]
fn the_table_counts_every_byte() {
    let mut rng = Rng::new(6);
    let texts: Vec<String> = (0..2_000)
        .map(|index| {
            let user = packed_texts::user(&mut rng, index);
            packed_texts::member(&mut rng, Some(&user))
        })
        .collect();
    let mut record = Vec::with_capacity(4_096);
    let mut bytes = 0;
    let mut shapes = None;
    let held = measure(|| {
        let mut table = Shapes::default();
        let plan = table.plan(&Plan::only(["user.id", "roles", "nick"]));
        let plan = plan.expect("a table with room");
        for (index, text) in texts.iter().enumerate() {
            record.clear();
            let plan = if index % 2 == 0 {
                plan
            } else {
                PlanId::EVERYTHING
            };
            table
                .pack(plan, text.as_bytes(), &mut record)
                .expect("JSON");
            let keys = format!(r#"{{"{}":{{"{index}":["{}"]}}}}"#, index / 4, index << 50);
            for _ in 0..2 {
                record.clear();
                table
                    .pack(PlanId::EVERYTHING, keys.as_bytes(), &mut record)
                    .expect("JSON");
            }
        }
        bytes = table.bytes();
        shapes = Some(table);
    });
    let held = usize::try_from(held.bytes_current).expect("more is held than before");
    assert_eq!(bytes, held);
    assert!(shapes.is_some_and(|shapes| shapes.member_count() > 1_000));
}
