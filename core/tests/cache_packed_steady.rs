//! Packing, reading and merging what is known allocates nothing: not for a record, not for an update.

use std::hint::black_box;

use allocation_counter::measure;
use shardkeep_core::Rng;
use shardkeep_core::cache::packed::{Nested, Plan, Shapes};

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
        let start = text.as_ptr() as usize;
        shapes
            .pack_with(plan, text.as_bytes(), &mut record, &mut |left| {
                let at = left.json.as_ptr() as usize - start;
                span = at..at + left.json.len();
            })
            .expect("JSON");
        let everything = shardkeep_core::cache::packed::PlanId::EVERYTHING;
        shapes
            .pack(everything, text[span].as_bytes(), &mut user)
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
        let resolve = &mut |_: shardkeep_core::cache::packed::Reference<'_>, out: &mut Vec<u8>| {
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
