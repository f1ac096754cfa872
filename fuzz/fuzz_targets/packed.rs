//! Any bytes as JSON are refused or come back; any bytes as a record, and any update of it, make no reader panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use shardkeep_core::cache::packed::{DEPTH_MAX, Limits, Nested, Plan, PlanId, Shapes, Value};

/// The text without the white space between its parts.
fn minified(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut is_inside, mut is_escaped) = (false, false);
    for &byte in json {
        if is_inside || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            out.push(byte);
        }
        if is_inside && is_escaped {
            is_escaped = false;
        } else if byte == b'"' {
            is_inside = !is_inside;
        } else {
            is_escaped = is_inside && byte == b'\\';
        }
    }
    out
}

/// How deeply brackets stand in each other, in what is known to be JSON.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let mut is_inside = false;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if is_inside => {
                bytes.next();
            }
            b'"' => is_inside = !is_inside,
            b'[' | b'{' if !is_inside => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !is_inside => depth -= 1,
            _ => {}
        }
    }
    most
}

fn read_all(value: Value<'_>, depth: usize) {
    let _ = (
        value.kind(),
        value.text(),
        value.as_f64(),
        value.as_i64(),
        value.as_unix_us(),
        value.as_snowflake(),
    );
    let _ = (
        value.get("a"),
        value.snowflakes().count(),
        value.write_json(&mut Vec::new()),
    );
    if depth < 3 {
        value
            .members()
            .for_each(|(_, value)| read_all(value, depth + 1));
        value
            .elements()
            .for_each(|value| read_all(value, depth + 1));
    }
}

fuzz_target!(|input: (u8, &[u8], &[u8])| {
    let (members_max, bytes, update) = input;
    let mut limits = Limits::default();
    limits.members_max = u16::from(members_max);
    let mut shapes = Shapes::new(limits);
    let is_json = serde_json::from_slice::<&RawValue>(bytes).is_ok();
    let mut record = Vec::new();
    for _ in 0..3 {
        record.clear();
        let packed = shapes.pack(PlanId::EVERYTHING, bytes, &mut record);
        assert_eq!(
            packed.is_ok(),
            is_json && depth(bytes) <= DEPTH_MAX,
            "{packed:?}"
        );
        if packed.is_ok() {
            let json = shapes.record(&record).to_json().expect("it was packed");
            assert_eq!(json, minified(bytes));
        } else {
            assert!(record.is_empty());
        }
    }
    if let Some(plan) = shapes.plan(&Plan::only(["a.b", "c"]).refer("d").refer_by_id("a.e")) {
        let mut some = Vec::new();
        if shapes.pack(plan, bytes, &mut some).is_ok() {
            let json = shapes.record(&some).to_json().expect("it was packed");
            assert!(serde_json::from_slice::<&RawValue>(&json).is_ok());
        }
    }
    for bytes in [bytes, &record] {
        if let Some(value) = shapes.record(bytes).value() {
            read_all(value, 0);
        }
        let mut merged = Vec::new();
        let result = shapes.merge(
            PlanId::EVERYTHING,
            bytes,
            update,
            Nested::Merge,
            &mut merged,
            &mut |_| {},
        );
        if result.is_ok()
            && let Some(value) = shapes.record(&merged).value()
        {
            read_all(value, 0);
        }
    }
});
